/* fuzz_wire.c - any bytes as a msgpack document: checked, walked, printed as JSON, written again.
 */
#include <string.h>

#include "fuzz.h"
#include "proto/wire.h"

/* Writes a value as the reader saw it; what comes out must read as the same value. */
static void
write_again(wire_writer_t *w, const wire_value_t *value)
{
    const uint8_t *at = value->body;
    uint32_t items = value->kind == WIRE_MAP ? 2 * value->count : value->count;
    switch (value->kind) {
    case WIRE_NIL:
        wire_put_nil(w);
        return;
    case WIRE_BOOL:
        wire_put_bool(w, value->boolean);
        return;
    case WIRE_UINT:
        wire_put_u64(w, value->uint);
        return;
    case WIRE_INT:
        PROMISE(value->sint < 0);
        wire_put_i64(w, value->sint);
        return;
    case WIRE_STR:
        wire_put_str(w, value->bytes);
        return;
    case WIRE_BIN:
        wire_put_bin(w, value->bytes);
        return;
    case WIRE_FLOAT:
    case WIRE_EXT:
        wire_put_raw(w,
                     (slice_t){(const char *) value->from, (size_t) (value->after - value->from)});
        return;
    case WIRE_ARRAY:
        wire_put_array(w, value->count);
        break;
    case WIRE_MAP:
        wire_put_map(w, value->count);
        break;
    }
    for (uint32_t i = 0; i < items; i++) {
        wire_value_t item;
        wire_next(value, &at, &item);
        PROMISE(item.from < item.after && item.after <= value->end);
        write_again(w, &item);
    }
    PROMISE(at == value->after);
}

static char *
json_of(const wire_value_t *value, size_t room)
{
    char *text = malloc(room);
    size_t size = 0;
    PROMISE(text != NULL);
    PROMISE(wire_json(value, text, room, &size));
    PROMISE(size == strlen(text));
    return text;
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    wire_value_t root, again, found;
    if (wire_check(bytes, size, &root) != OK) {
        return 0;
    }
    /* The short form of a value is never longer than the form it came in. */
    uint8_t *memory = malloc(size);
    PROMISE(memory != NULL);
    wire_writer_t writer;
    wire_writer_over(&writer, memory, size);
    write_again(&writer, &root);
    PROMISE(!writer.full && writer.size <= size);
    PROMISE(wire_check(memory, writer.size, &again) == OK);
    char *first = json_of(&root, 32 * size + 64), *second = json_of(&again, 32 * size + 64);
    PROMISE(strcmp(first, second) == 0);
    if (root.kind == WIRE_MAP && wire_find(&root, "id", &found)) {
        PROMISE(found.from > root.from && found.after <= root.after);
    }
    free(first);
    free(second);
    free(memory);
    return 0;
}
