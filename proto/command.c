/* command.c - the frame around a command and around its reply; see command.h. */
#include "proto/command.h"

#include <string.h>

#include "proto/show.h"

static const uint8_t nil_value[] = {0xc0};
static const uint8_t empty_map[] = {0x80};

/* The keys of a frame; the order is that in which they are looked at. */
enum { KEY_ID, KEY_V, KEY_CMD, KEY_ARGS, KEY_KEY, KEY_COUNT };
static const char *const key_names[KEY_COUNT] = {"id", "v", "cmd", "args", "key"};

typedef struct frame_values {
    wire_value_t value[KEY_COUNT];
    bool there[KEY_COUNT];
} frame_values_t;

static int
key_number(const wire_value_t *key)
{
    for (int i = 0; i < KEY_COUNT; i++) {
        if (key->kind == WIRE_STR && slice_equal(key->bytes, slice_of(key_names[i]))) {
            return i;
        }
    }
    return KEY_COUNT;
}

/* Finds the values of the known keys; the first key that is none or is there twice is told after
 * all were seen, so that a refusal still carries the id. */
static err_t
read_values(const wire_value_t *map, frame_values_t *ret, const char **ret_field)
{
    err_t err = OK;
    const uint8_t *at = map->body;
    for (uint32_t i = 0; i < map->count; i++) {
        wire_value_t key, value;
        wire_next(map, &at, &key);
        wire_next(map, &at, &value);
        int number = key_number(&key);
        if (number == KEY_COUNT || ret->there[number]) {
            err = number == KEY_COUNT ? ERR_UNKNOWN_ARGUMENT : ERR_BAD_REQUEST;
            *ret_field = number == KEY_COUNT ? "" : key_names[number];
            continue;
        }
        ret->value[number] = value;
        ret->there[number] = value.kind != WIRE_NIL;
    }
    return err;
}

static err_t
take_id(const frame_values_t *values, command_frame_t *frame)
{
    if (!values->there[KEY_ID]) {
        return OK;
    }
    const wire_value_t *id = &values->value[KEY_ID];
    size_t size = (size_t) (id->after - id->from);
    if (size > COMMAND_ID_BYTES_MAX) {
        return ERR_TOO_LARGE;
    }
    frame->id = (slice_t){(const char *) id->from, size};
    return OK;
}

static err_t
take_version(const frame_values_t *values)
{
    const wire_value_t *v = &values->value[KEY_V];
    if (!values->there[KEY_V]) {
        return ERR_MISSING_ARGUMENT;
    }
    if (v->kind != WIRE_UINT) {
        return ERR_WRONG_TYPE;
    }
    return v->uint == COMMAND_VERSION ? OK : ERR_BAD_VALUE;
}

static err_t
take_command(const frame_values_t *values, command_frame_t *frame)
{
    const wire_value_t *cmd = &values->value[KEY_CMD];
    if (!values->there[KEY_CMD]) {
        return ERR_MISSING_ARGUMENT;
    }
    if (cmd->kind != WIRE_STR) {
        return ERR_WRONG_TYPE;
    }
    frame->command = command_of_word(cmd->bytes);
    return frame->command == NULL ? ERR_UNKNOWN_COMMAND : OK;
}

static err_t
take_args(const frame_values_t *values, command_frame_t *frame)
{
    if (!values->there[KEY_ARGS]) {
        return OK;
    }
    frame->args = values->value[KEY_ARGS];
    return frame->args.kind == WIRE_MAP ? OK : ERR_WRONG_TYPE;
}

static err_t
take_key(const frame_values_t *values, command_frame_t *frame)
{
    const wire_value_t *key = &values->value[KEY_KEY];
    if (!values->there[KEY_KEY]) {
        return OK;
    }
    if (key->kind != WIRE_STR && key->kind != WIRE_BIN) {
        return ERR_WRONG_TYPE;
    }
    frame->key = key->bytes;
    return key->bytes.size <= KEY_BYTES_MAX ? OK : ERR_TOO_LARGE;
}

/* Judges one key after the other and tells in *at which one it was that failed. */
static err_t
take_values(const frame_values_t *values, command_frame_t *frame, int *at)
{
    *at = KEY_ID;
    TRY(take_id(values, frame));
    *at = KEY_V;
    TRY(take_version(values));
    *at = KEY_CMD;
    TRY(take_command(values, frame));
    *at = KEY_ARGS;
    TRY(take_args(values, frame));
    *at = KEY_KEY;
    return take_key(values, frame);
}

err_t
command_open(const void *body, size_t size, command_frame_t *ret_frame, const char **ret_field)
{
    wire_value_t root;
    frame_values_t values = {.there = {false}};
    *ret_frame = (command_frame_t){.id = {(const char *) nil_value, sizeof nil_value}};
    *ret_field = "";
    TRY(wire_check(empty_map, sizeof empty_map, &ret_frame->args));
    if (size > COMMAND_BYTES_MAX) {
        return ERR_TOO_LARGE;
    }
    TRY(wire_check(body, size, &root));
    if (root.kind != WIRE_MAP) {
        return ERR_BAD_REQUEST;
    }
    int at = 0;
    err_t of_keys = read_values(&root, &values, ret_field);
    err_t of_values = take_values(&values, ret_frame, &at);
    if (of_keys == OK && of_values != OK) {
        *ret_field = key_names[at];
    }
    return of_keys == OK ? of_values : of_keys;
}

/* A text field of a command by its name; commands carry key and principal at the same place, but
 * this file knows them by name only. */
static void
set_text(draft_t *draft, const record_type_t *type, const char *name, slice_t text)
{
    for (uint32_t i = 0; i < type->field_count; i++) {
        const record_field_t *field = &type->field[i];
        if (strcmp(field->name, name) == 0 && text.size > 0) {
            slice_t kept = {text.data, text.size < field->bound ? text.size : field->bound};
            text_t value = draft_text(draft, kept);
            memcpy(draft->base + field->offset, &value, sizeof value);
        }
    }
}

err_t
command_decode(const command_frame_t *frame, slice_t principal, draft_t *draft,
               const void **ret_record, const char **ret_field)
{
    const record_type_t *type = frame->command->type;
    const void *record;
    TRY(record_decode(type, &frame->args, draft, &record, ret_field));
    set_text(draft, type, "key", frame->key);
    set_text(draft, type, "principal", principal);
    if (draft->full) {
        *ret_field = "key";
        return ERR_TOO_LARGE;
    }
    *ret_record = record;
    return OK;
}

const refusal_t *
command_refusal(draft_t *draft, const command_frame_t *frame, err_t err, const char *field)
{
    char text[256]; /* the field may lie in the draft's memory: shown before the draft is begun */
    sheet_t sheet;
    sheet_over(&sheet, text, sizeof text);
    sheet_puts(&sheet, "cannot read '");
    sheet_puts(&sheet, frame->command == NULL ? "command" : frame->command->word);
    sheet_puts(&sheet, "': ");
    sheet_puts(&sheet, err_sentence(err));
    if (field[0] != '\0') {
        sheet_puts(&sheet, ": ");
        sheet_puts(&sheet, field);
    }
    refusal_t *refusal = draft_begin(draft, &refusal_type);
    refusal->code = err;
    refusal->message = draft_text(draft, slice_of(text));
    refusal->hint = draft_text(draft, slice_of(err_hint(err)));
    refusal->need = RECORD_NONE;
    refusal->have = RECORD_NONE;
    return refusal;
}

err_t
reply_encode(wire_writer_t *w, slice_t id, const record_type_t *type, const void *record)
{
    bool refused = type == &refusal_type;
    wire_put_map(w, 4);
    wire_put_str(w, slice_of("v"));
    wire_put_u64(w, COMMAND_VERSION);
    wire_put_str(w, slice_of("id"));
    wire_put_raw(w, id);
    wire_put_str(w, slice_of("ok"));
    wire_put_bool(w, !refused);
    wire_put_str(w, slice_of(refused ? "error" : "result"));
    return record_encode(type, record, w);
}
