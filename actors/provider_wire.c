/* provider_wire.c - frames of commands and of answers; see provider_wire.h. */
#include "actors/provider_wire.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "proto/show.h"

#define FRAME_VERSION 1 /* v of a frame; another one is refused (bad-request) */

static err_t frame_fault(request_fault_t *fault, err_t err, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static err_t
frame_fault(request_fault_t *fault, err_t err, const char *format, ...)
{
    char reason[512];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(reason, sizeof reason, format, arguments);
    va_end(arguments);
    fault->err = err;
    snprintf(fault->message, sizeof fault->message, "cannot read 'request': %s", reason);
    snprintf(fault->hint, sizeof fault->hint, "%s", err_hint(err));
    return err;
}

/* ---- the frame ---- */

enum { KEY_V, KEY_ID, KEY_CMD, KEY_ARGS, KEY_KEY, KEY_COUNT };
static const char *const frame_keys[KEY_COUNT] = {"v", "id", "cmd", "args", "key"};

typedef struct frame_parts {
    wire_value_t value[KEY_COUNT];
    bool there[KEY_COUNT];
} frame_parts_t;

static int
key_number(const wire_value_t *key)
{
    for (int i = 0; i < KEY_COUNT; i++) {
        if (key->kind == WIRE_STR && slice_equal(key->bytes, slice_of(frame_keys[i]))) {
            return i;
        }
    }
    return KEY_COUNT;
}

/* Sorts the pairs of the frame by key; an unknown or repeated key is refused, but after all were
 * seen, so that the refusal still carries the id. */
static err_t
frame_take_apart(const wire_value_t *root, frame_parts_t *parts, request_fault_t *fault)
{
    err_t err = OK;
    const uint8_t *at = root->body;
    for (uint32_t i = 0; i < root->count; i++) {
        wire_value_t key, value;
        wire_next(root, &at, &key);
        wire_next(root, &at, &value);
        int number = key_number(&key);
        if (number == KEY_COUNT) {
            err = frame_fault(fault, ERR_BAD_REQUEST, "only v, id, cmd, args and key are known");
        } else if (parts->there[number]) {
            err = frame_fault(fault, ERR_BAD_REQUEST, "'%s' is given twice", frame_keys[number]);
        } else {
            parts->there[number] = true;
            parts->value[number] = value;
        }
    }
    return err;
}

static err_t
take_id(const frame_parts_t *parts, slice_t *ret_id, request_fault_t *fault)
{
    if (!parts->there[KEY_ID]) {
        return OK;
    }
    const wire_value_t *id = &parts->value[KEY_ID];
    size_t size = (size_t) (id->after - id->from);
    if (size > COMMAND_ID_BYTES_MAX) {
        return frame_fault(fault, ERR_TOO_LARGE, "'id' is larger than %u bytes",
                           COMMAND_ID_BYTES_MAX);
    }
    *ret_id = (slice_t){(const char *) id->from, size};
    return OK;
}

static err_t
take_version(const frame_parts_t *parts, request_fault_t *fault)
{
    const wire_value_t *v = &parts->value[KEY_V];
    if (!parts->there[KEY_V] || v->kind != WIRE_UINT || v->uint != FRAME_VERSION) {
        return frame_fault(fault, ERR_BAD_REQUEST, "'v' is not %d", FRAME_VERSION);
    }
    return OK;
}

static err_t
take_command(const frame_parts_t *parts, const command_t **ret_command, request_fault_t *fault)
{
    const wire_value_t *cmd = &parts->value[KEY_CMD];
    if (!parts->there[KEY_CMD] || cmd->kind != WIRE_STR) {
        return frame_fault(fault, ERR_BAD_REQUEST, "'cmd' is missing or not a text");
    }
    *ret_command = command_of_word(cmd->bytes);
    if (*ret_command != NULL) {
        return OK;
    }
    char shown[128];
    sheet_t sheet;
    sheet_over(&sheet, shown, sizeof shown);
    sheet_show_line(&sheet, cmd->bytes.data, cmd->bytes.size);
    fault->err = ERR_UNKNOWN_COMMAND;
    snprintf(fault->message, sizeof fault->message, "cannot run '%s': no such command", shown);
    snprintf(fault->hint, sizeof fault->hint, "%s", err_hint(ERR_UNKNOWN_COMMAND));
    return ERR_UNKNOWN_COMMAND;
}

static err_t
take_args(const frame_parts_t *parts, wire_value_t *ret_args, request_fault_t *fault)
{
    static const uint8_t no_args = 0x80; /* an empty map */
    if (!parts->there[KEY_ARGS]) {
        return wire_check(&no_args, 1, ret_args);
    }
    if (parts->value[KEY_ARGS].kind != WIRE_MAP) {
        return frame_fault(fault, ERR_BAD_REQUEST, "'args' is not a map");
    }
    *ret_args = parts->value[KEY_ARGS];
    return OK;
}

static err_t
take_key(const frame_parts_t *parts, slice_t *ret_key, request_fault_t *fault)
{
    const wire_value_t *key = &parts->value[KEY_KEY];
    if (!parts->there[KEY_KEY] || key->kind == WIRE_NIL) {
        return OK;
    }
    if (key->kind != WIRE_STR || key->bytes.size == 0) {
        return frame_fault(fault, ERR_BAD_REQUEST, "'key' is not a text of at least one byte");
    }
    if (key->bytes.size > KEY_BYTES_MAX) {
        return frame_fault(fault, ERR_TOO_LARGE, "'key' is larger than %u bytes", KEY_BYTES_MAX);
    }
    *ret_key = key->bytes;
    return OK;
}

err_t
request_read(slice_t frame, client_request_t *ret_request, request_fault_t *fault)
{
    *ret_request = (client_request_t){.command = NULL};
    wire_value_t root;
    frame_parts_t parts = {.there = {false}};
    if (frame.size > COMMAND_BYTES_MAX) {
        return frame_fault(fault, ERR_TOO_LARGE, "it is larger than %u bytes", COMMAND_BYTES_MAX);
    }
    if (wire_check(frame.data, frame.size, &root) != OK || root.kind != WIRE_MAP) {
        return frame_fault(fault, ERR_BAD_REQUEST, "it is not one msgpack map");
    }
    err_t err = frame_take_apart(&root, &parts, fault);
    TRY(take_id(&parts, &ret_request->id, fault));
    TRY(err);
    TRY(take_version(&parts, fault));
    TRY(take_command(&parts, &ret_request->command, fault));
    TRY(take_args(&parts, &ret_request->args, fault));
    return take_key(&parts, &ret_request->key, fault);
}

void
request_cannot(request_fault_t *fault, const command_t *command, err_t err)
{
    fault->err = err;
    snprintf(fault->message, sizeof fault->message, "cannot run '%s': %s", command->word,
             err_sentence(err));
    snprintf(fault->hint, sizeof fault->hint, "%s", err_hint(err));
}

/* ---- the arguments ---- */

static const char *
reason_of(err_t err)
{
    switch (err) {
    case ERR_MISSING_ARGUMENT:
        return "is missing";
    case ERR_UNKNOWN_ARGUMENT:
        return "is not known to this command";
    case ERR_WRONG_TYPE:
        return "has the wrong type";
    case ERR_TOO_LARGE:
    case ERR_NAME_TOO_LONG:
    case ERR_BAD_NAME:
        return "is larger than its limit";
    case ERR_BAD_VALUE:
        return "is out of range";
    default:
        return "is given twice, or its name is not a text";
    }
}

/* For a word that is none of its table: "one of: high, medium, low". NULL: it is no word. */
static const char *
words_hint(const record_type_t *type, const char *name, char *text, size_t size)
{
    for (uint32_t i = 0; i < type->field_count; i++) {
        const record_field_t *field = &type->field[i];
        if (strcmp(field->name, name) != 0 || field->kind != RECORD_word) {
            continue;
        }
        sheet_t sheet;
        sheet_over(&sheet, text, size);
        for (uint32_t word = 0; word < field->words->count; word++) {
            sheet_putf(&sheet, "%s%s", word == 0 ? "one of: " : ", ", field->words->word[word]);
        }
        return text;
    }
    return NULL;
}

/* For a value that is larger than its limit: which that is. */
static const char *
limit_hint(const record_type_t *type, const char *name, char *text, size_t size)
{
    for (uint32_t i = 0; i < type->field_count; i++) {
        const record_field_t *field = &type->field[i];
        if (strcmp(field->name, name) == 0) {
            snprintf(text, size, "give at most %u %s", field->bound,
                     field->kind == RECORD_text ? "bytes" : "of them");
            return text;
        }
    }
    return NULL;
}

err_t
request_decode(const client_request_t *request, const site_args_t *site, draft_t *draft,
               request_fault_t *fault)
{
    const void *record = NULL;
    const char *field = NULL;
    err_t err = record_decode(request->command->type, &request->args, draft, &record, &field);
    if (err == OK) {
        return rules_check(request->command, &request->args, record, site, fault);
    }
    field = field != NULL ? field : "args";
    if (err == ERR_TOO_LARGE) {
        err = rules_too_large(request->command, field);
    }
    char words[128];
    const char *hint = err == ERR_BAD_VALUE
                           ? words_hint(request->command->type, field, words, sizeof words)
                           : NULL;
    const char *reason = hint != NULL ? "is none of its words" : reason_of(err);
    if (err == ERR_TOO_LARGE) {
        hint = limit_hint(request->command->type, field, words, sizeof words);
    }
    return rules_fault(fault, err, request->command, field, reason, hint);
}

err_t
request_sign(const client_request_t *request, slice_t principal, draft_t *draft)
{
    ping_t *head = (ping_t *) draft->base; /* what every command begins with, and nothing else */
    head->key = request->key.size > 0 ? draft_text(draft, request->key) : (text_t){0, 0};
    head->principal = draft_text(draft, principal);
    return draft->full ? ERR_TOO_LARGE : OK;
}

/* ---- the answer ---- */

static void
reply_head(wire_writer_t *writer, slice_t id, bool ok)
{
    wire_put_map(writer, 4);
    wire_put_str(writer, slice_of("v"));
    wire_put_u64(writer, FRAME_VERSION);
    wire_put_str(writer, slice_of("id"));
    if (id.size == 0) {
        wire_put_nil(writer);
    } else {
        wire_put_raw(writer, id);
    }
    wire_put_str(writer, slice_of("ok"));
    wire_put_bool(writer, ok);
    wire_put_str(writer, slice_of(ok ? "result" : "error"));
}

err_t
reply_put_result(wire_writer_t *writer, slice_t id, const record_type_t *type, const void *record)
{
    reply_head(writer, id, type != &refusal_type);
    return record_encode(type, record, writer);
}

void
reply_put_recalled(wire_writer_t *writer, slice_t id, bool refused, slice_t encoded)
{
    reply_head(writer, id, !refused);
    wire_put_raw(writer, encoded);
}

static void
put_count(wire_writer_t *writer, const char *name, uint64_t count)
{
    wire_put_str(writer, slice_of(name));
    if (count == RECORD_NONE) {
        wire_put_nil(writer);
    } else {
        wire_put_u64(writer, count);
    }
}

void
reply_put_error(wire_writer_t *writer, slice_t id, err_t err, slice_t message, slice_t hint,
                uint64_t need, uint64_t have)
{
    reply_head(writer, id, false);
    wire_put_map(writer, 5);
    wire_put_str(writer, slice_of("code"));
    wire_put_str(writer, slice_of(err_word(err)));
    wire_put_str(writer, slice_of("message"));
    wire_put_shown(writer, message);
    wire_put_str(writer, slice_of("hint"));
    wire_put_shown(writer, hint);
    put_count(writer, "need", need);
    put_count(writer, "have", have);
}

void
reply_put_unanswered(wire_writer_t *writer, slice_t frame, err_t err)
{
    client_request_t request;
    request_fault_t fault;

    if (request_read(frame, &request, &fault) == OK) {
        request_cannot(&fault, request.command, err);
    }
    reply_put_error(writer, request.id, fault.err, slice_of(fault.message), slice_of(fault.hint),
                    RECORD_NONE, RECORD_NONE);
}
