/* fuzz_record_check.c - any bytes as a record of any type: what the check accepts can be used.
 *
 * An input is a message number (two bytes, low first), a count of changes, that many changes
 * (offset in two bytes, value) and then a msgpack document, from which the record is made before
 * the changes strike it. A count of 255 means that the record itself follows.
 */
#include <string.h>

#include "fuzz.h"
#include "proto/messages.h"
#include "proto/wire.h"

#define RECORD_BYTES 65536
#define AS_IT_IS     255

typedef struct input {
    const uint8_t *bytes;
    size_t size;
} input_t;

static _Alignas(8) uint8_t made[RECORD_BYTES];

/* Makes the record in `made`; its size, or 0 when the input makes none. */
static size_t
make_record(const record_type_t *type, input_t in)
{
    wire_value_t root;
    draft_t draft;
    const void *record;
    draft_over(&draft, made, sizeof made);
    if (wire_check(in.bytes, in.size, &root) != OK ||
        record_decode(type, &root, &draft, &record, NULL) != OK) {
        return 0;
    }
    PROMISE(record_check(type, record, draft.size) == OK);
    return draft.size;
}

static size_t
take_record(const record_type_t *type, uint8_t changes, input_t in)
{
    if (changes == AS_IT_IS) {
        size_t size = in.size < sizeof made ? in.size : sizeof made;
        memcpy(made, in.bytes, size);
        return size;
    }
    if (in.size < 3u * changes) {
        return 0;
    }
    size_t size = make_record(type, (input_t){in.bytes + 3u * changes, in.size - 3u * changes});
    for (uint8_t i = 0; i < changes && size > 0; i++) {
        const uint8_t *change = in.bytes + 3u * i;
        made[(size_t) (change[0] | change[1] << 8) % size] = change[2];
    }
    return size;
}

static void
use_record(const record_type_t *type, const void *record, size_t size)
{
    static _Alignas(8) uint8_t copy[2 * RECORD_BYTES], back[2 * RECORD_BYTES];
    static uint8_t wire[4 * RECORD_BYTES];
    char line[256];
    draft_t draft;
    wire_writer_t writer;
    wire_value_t root;
    const void *decoded;
    PROMISE(strlen(record_print(type, record, line, sizeof line)) < sizeof line);
    draft_over(&draft, copy, sizeof copy);
    if (draft_copy(&draft, type, draft_begin(&draft, type), record, record) == OK) {
        PROMISE(record_check(type, copy, draft.size) == OK);
        PROMISE(record_equal(type, record, copy));
    }
    PROMISE(size <= RECORD_BYTES);
    wire_writer_over(&writer, wire, sizeof wire);
    if (record_encode(type, record, &writer) == OK) {
        PROMISE(wire_check(wire, writer.size, &root) == OK || writer.size > RECORD_BYTES / 16);
        draft_over(&draft, back, sizeof back);
        if (wire_check(wire, writer.size, &root) == OK &&
            record_decode(type, &root, &draft, &decoded, NULL) == OK) {
            PROMISE(record_check(type, decoded, draft.size) == OK);
        }
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    if (size < 3) {
        return 0;
    }
    const record_type_t *type = message_type((uint32_t) (bytes[0] | bytes[1] << 8) % MSG_COUNT);
    if (type == NULL) {
        return 0;
    }
    size_t made_size = take_record(type, bytes[2], (input_t){bytes + 3, size - 3});
    /* In memory of exactly its size, so that a sanitizer sees a byte too far. */
    void *exact = aligned_alloc(8, (made_size + 8) / 8 * 8);
    PROMISE(exact != NULL);
    memcpy(exact, made, made_size);
    if (record_check(type, exact, made_size) == OK) {
        use_record(type, exact, made_size);
    }
    free(exact);
    return 0;
}
