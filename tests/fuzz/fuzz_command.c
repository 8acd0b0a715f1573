/* fuzz_command.c - any bytes as a command frame: opened, decoded by the command it names, answered.
 */
#include <string.h>

#include "fuzz.h"
#include "proto/command.h"

#define ROOM 65536

static void
refuse(const command_frame_t *frame, err_t err, const char *field)
{
    static _Alignas(8) uint8_t memory[4096];
    uint8_t wire[4096];
    draft_t draft;
    wire_writer_t writer;
    wire_value_t root, found;
    draft_over(&draft, memory, sizeof memory);
    const refusal_t *refusal = command_refusal(&draft, frame, err, field);
    PROMISE(record_check(&refusal_type, refusal, draft.size) == OK);
    wire_writer_over(&writer, wire, sizeof wire);
    PROMISE(reply_encode(&writer, frame->id, &refusal_type, refusal) == OK);
    PROMISE(wire_check(wire, writer.size, &root) == OK);
    PROMISE(wire_find(&root, "error", &found) && found.kind == WIRE_MAP);
    PROMISE(wire_find(&root, "id", &found));
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    static _Alignas(8) uint8_t memory[ROOM];
    command_frame_t frame;
    const char *field = NULL;
    const void *record = NULL;
    draft_t draft;
    err_t err = command_open(bytes, size, &frame, &field);
    if (err == OK) {
        draft_over(&draft, memory, sizeof memory);
        err = command_decode(&frame, slice_of("fuzz"), &draft, &record, &field);
    }
    if (err != OK) {
        PROMISE(err_class(err) == CLASS_REFUSE && field != NULL);
        refuse(&frame, err, field);
        return 0;
    }
    const record_type_t *type = frame.command->type;
    char line[512];
    PROMISE(record_check(type, record, draft.size) == OK);
    PROMISE(strncmp(record_print(type, record, line, sizeof line), type->name,
                    strlen(type->name)) == 0);
    return 0;
}
