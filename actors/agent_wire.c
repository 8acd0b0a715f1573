/* agent_wire.c - see agent_wire.h. */
#include "actors/agent_wire.h"

#include "proto/wire.h"

static const struct word {
    const record_type_t *type;
    unsigned sides;
} words[] = {
#define WORD_ROW(record, sides) {&record##_type, (sides)},
    AGENT_WORDS(WORD_ROW)
#undef WORD_ROW
};

uint64_t
agent_piece_content(const piece_t *piece)
{
    return piece->packing == PACKING_PLAIN ? piece->bytes.size : piece->size;
}

size_t
agent_frame_write(const record_type_t *type, const void *record, uint8_t *bytes, size_t room)
{
    wire_writer_t writer;

    wire_writer_over(&writer, bytes, room);
    wire_put_map(&writer, 3);
    wire_put_str(&writer, slice_of("v"));
    wire_put_u64(&writer, AGENT_WIRE_VERSION);
    wire_put_str(&writer, slice_of("say"));
    wire_put_str(&writer, slice_of(type->name));
    wire_put_str(&writer, slice_of("is"));
    err_t err = record_encode(type, record, &writer);
    return err != OK || writer.full ? 0 : writer.size;
}

static const record_type_t *
type_of(slice_t say, agent_side_t from)
{
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if ((words[i].sides & (unsigned) from) && slice_equal(say, slice_of(words[i].type->name))) {
            return words[i].type;
        }
    }
    return NULL;
}

err_t
agent_frame_read(slice_t frame, agent_side_t from, void *memory, uint32_t capacity,
                 const record_type_t **ret_type, const void **ret_record)
{
    wire_value_t root, v, say, is;
    const void *record = NULL;
    draft_t draft;

    TRY(wire_check(frame.data, frame.size, &root));
    if (root.kind != WIRE_MAP || root.count != 3 || !wire_find(&root, "v", &v) ||
        !wire_find(&root, "say", &say) || !wire_find(&root, "is", &is) || v.kind != WIRE_UINT ||
        v.uint != AGENT_WIRE_VERSION || say.kind != WIRE_STR) {
        return ERR_BAD_REQUEST;
    }
    const record_type_t *type = type_of(say.bytes, from);
    if (!type) {
        return ERR_UNKNOWN_COMMAND;
    }
    draft_over(&draft, memory, capacity);
    TRY(record_decode(type, &is, &draft, &record, NULL));
    *ret_type = type;
    *ret_record = record;
    return OK;
}
