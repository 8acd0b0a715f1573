/* fuzz_group.c - a group of encoded messages as the database takes it, and its answers as they
 * come back: the outer record is checked, then each inner one, before a byte of it is used.
 *
 * An input is a kind (0 order, 1 answers), a count of changes, that many changes (offset in two
 * bytes, value), and then messages: number and size in two bytes each (low first) and a msgpack
 * document. The group is made of them before the changes strike it. A count of 255 means that the
 * group itself follows.
 */
#include <string.h>

#include "fuzz.h"
#include "proto/messages.h"
#include "proto/wire.h"

#define GROUP_BYTES 65536u
#define ROWS_MAX    32u
#define AS_IT_IS    255

typedef struct input {
    const uint8_t *bytes;
    size_t size;
} input_t;

static _Alignas(8) uint8_t made[GROUP_BYTES];

static uint32_t
low_first(const uint8_t *bytes)
{
    return (uint32_t) (bytes[0] | bytes[1] << 8);
}

/* The next message as a record in the group's memory; absent when the input makes none. */
static bytes_t
take_message(draft_t *group, input_t *in, uint32_t *ret_number)
{
    static _Alignas(8) uint8_t memory[GROUP_BYTES];
    uint32_t number = low_first(in->bytes) % MSG_COUNT;
    size_t size = low_first(in->bytes + 2) % (in->size - 3);
    wire_value_t root;
    draft_t draft;
    const void *record;
    draft_over(&draft, memory, sizeof memory);
    bool whole = message_type(number) != NULL && wire_check(in->bytes + 4, size, &root) == OK &&
                 record_decode(message_type(number), &root, &draft, &record, NULL) == OK;
    *in = (input_t){in->bytes + 4 + size, in->size - 4 - size};
    *ret_number = number;
    rows_t words = draft_rows(group, whole ? (draft.size + 7) / 8 : 0, 8);
    if (words.count == 0) {
        return (bytes_t){0, 0};
    }
    memcpy(group->base + words.at, memory, draft.size);
    return (bytes_t){words.at, draft.size};
}

static uint32_t
make_order(draft_t *group, input_t in)
{
    group_order_t *order = draft_begin(group, &group_order_type);
    order->messages = draft_rows(group, ROWS_MAX, sizeof(group_message_t));
    uint32_t count = 0;
    for (; count < ROWS_MAX && in.size > 4; count++) {
        group_message_t *row = draft_row(group, order->messages, count, sizeof *row);
        row->record = take_message(group, &in, &row->number);
    }
    order->messages = (rows_t){count == 0 ? 0 : order->messages.at, count};
    return group->full ? 0 : group->size;
}

static uint32_t
make_answers(draft_t *group, input_t in)
{
    group_answers_t *answers = draft_begin(group, &group_answers_type);
    answers->answers = draft_rows(group, ROWS_MAX, sizeof(group_answer_t));
    uint32_t count = 0;
    for (; count < ROWS_MAX && in.size > 4; count++) {
        group_answer_t *row = draft_row(group, answers->answers, count, sizeof *row);
        row->index = count;
        row->record = take_message(group, &in, &row->number);
    }
    answers->answers = (rows_t){count == 0 ? 0 : answers->answers.at, count};
    answers->done = count;
    return group->full ? 0 : group->size;
}

static uint32_t
take_group(bool answers, uint8_t changes, input_t in)
{
    memset(made, 0, sizeof made);
    if (changes == AS_IT_IS) {
        uint32_t size = in.size < sizeof made ? (uint32_t) in.size : sizeof made;
        memcpy(made, in.bytes, size);
        return size;
    }
    if (in.size < 3u * changes) {
        return 0;
    }
    draft_t group;
    draft_over(&group, made, sizeof made);
    input_t messages = {in.bytes + 3u * changes, in.size - 3u * changes};
    uint32_t size = answers ? make_answers(&group, messages) : make_order(&group, messages);
    for (uint8_t i = 0; i < changes && size > 0; i++) {
        const uint8_t *change = in.bytes + 3u * i;
        made[low_first(change) % size] = change[2];
    }
    return size;
}

/* As the reader of a group takes an inner record: by number, checked, and only then used. */
static void
use_inner(const void *group, uint32_t number, bytes_t bytes)
{
    char line[256];
    slice_t record = record_slice(group, bytes);
    const record_type_t *type = message_type(number);
    if (type == NULL || record_check(type, record.data, record.size) != OK) {
        return;
    }
    PROMISE(strlen(record_print(type, record.data, line, sizeof line)) < sizeof line);
    PROMISE(record_equal(type, record.data, record.data));
}

static void
walk(bool is_answers, const void *group)
{
    const group_order_t *order = group;
    const group_answers_t *answers = group;
    uint32_t count = is_answers ? answers->answers.count : order->messages.count;
    for (uint32_t i = 0; i < count; i++) {
        if (is_answers) {
            const group_answer_t *row = ROW(answers, answers->answers, i, group_answer_t);
            use_inner(group, row->number, row->record);
        } else {
            const group_message_t *row = ROW(order, order->messages, i, group_message_t);
            use_inner(group, row->number, row->record);
        }
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    if (size < 2) {
        return 0;
    }
    bool answers = (bytes[0] & 1) != 0;
    const record_type_t *type = answers ? &group_answers_type : &group_order_type;
    uint32_t made_size = take_group(answers, bytes[1], (input_t){bytes + 2, size - 2});
    /* In memory of exactly its size, so that a sanitizer sees a byte too far. */
    void *exact = aligned_alloc(8, (made_size + 8) / 8 * 8);
    PROMISE(exact != NULL);
    memcpy(exact, made, made_size);
    bool accepted = record_check(type, exact, made_size) == OK;
    PROMISE(accepted || bytes[1] != 0 || made_size == 0);
    if (accepted) {
        walk(answers, exact);
    }
    free(exact);
    return 0;
}
