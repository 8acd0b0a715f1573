/* fuzz_command.c - any bytes as a command frame: read, decoded by the command that it names, and
 * answered, by the functions with which the provider does it. */
#include <string.h>

#include "actors/provider_wire.h"
#include "fuzz.h"

#define ROOM 65536

/* An answer must be one document with the four keys of a reply. */
static void
judge_reply(const wire_writer_t *writer, bool expected_ok)
{
    wire_value_t root, ok, found;
    PROMISE(wire_check(writer->base, writer->size, &root) == OK);
    PROMISE(root.kind == WIRE_MAP && root.count == 4);
    PROMISE(wire_find(&root, "ok", &ok) && ok.boolean == expected_ok);
    PROMISE(wire_find(&root, "id", &found));
    PROMISE(wire_find(&root, expected_ok ? "result" : "error", &found) && found.kind == WIRE_MAP);
}

static void
refuse(const client_request_t *frame, const request_fault_t *fault)
{
    static _Alignas(8) uint8_t memory[4096];
    static uint8_t wire[4096];
    draft_t draft;
    wire_writer_t writer;
    PROMISE(err_class(fault->err) == CLASS_REFUSE);
    PROMISE(strncmp(fault->message, "cannot ", strlen("cannot ")) == 0);
    draft_over(&draft, memory, sizeof memory);
    refusal_t *refusal = draft_begin(&draft, &refusal_type);
    refusal->code = fault->err;
    refusal->message = draft_text(&draft, slice_of(fault->message));
    refusal->hint = draft_text(&draft, slice_of(fault->hint));
    PROMISE(record_check(&refusal_type, refusal, draft.size) == OK);
    wire_writer_over(&writer, wire, sizeof wire);
    PROMISE(reply_put_result(&writer, frame->id, &refusal_type, refusal) == OK);
    judge_reply(&writer, false);
}

static void
accept(const client_request_t *frame, const draft_t *draft)
{
    static uint8_t wire[4 * ROOM];
    wire_writer_t writer;
    const record_type_t *type = frame->command->type;
    PROMISE(record_check(type, draft->base, draft->size) == OK);
    wire_writer_over(&writer, wire, sizeof wire);
    if (reply_put_result(&writer, frame->id, type, draft->base) == OK) {
        judge_reply(&writer, true);
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    static _Alignas(8) uint8_t memory[ROOM];
    client_request_t frame;
    request_fault_t fault = {.err = OK};
    draft_t draft;
    draft_over(&draft, memory, sizeof memory);
    if (request_read((slice_t){(const char *) bytes, size}, &frame, &fault) != OK ||
        request_decode(&frame, NULL, &draft, &fault) != OK) {
        refuse(&frame, &fault);
    } else {
        accept(&frame, &draft);
    }
    return 0;
}
