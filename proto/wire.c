/* wire.c - a bounded reader and writer of msgpack; see wire.h.
 *
 * Writing goes through msgpack-c's packer over a callback that stops at the capacity. Reading is a
 * walk of our own over the type bytes: msgpack_unpack builds a tree of pointers in a zone that it
 * allocates as the sender's counts ask for, before the bytes behind them are seen; the walk
 * allocates nothing and believes no length that the bytes left do not cover.
 */
#include "proto/wire.h"

#include <assert.h>
#include <string.h>

#include <msgpack.h>

#include "proto/limits.h"
#include "proto/show.h"

/* ---- reading ---- */

/* What follows each of the type bytes 0xc0 to 0xdf; the others carry their value in themselves. */
typedef struct shape {
    uint8_t kind;
    uint8_t width; /* bytes of the number, length or count that follows */
    uint8_t fixed; /* bytes of the body where the type byte alone tells */
    bool valid;
} shape_t;

#define FIRST_SHAPE 0xc0
#define LAST_SHAPE  0xdf

static const shape_t shapes[LAST_SHAPE - FIRST_SHAPE + 1] = {
    [0xc0 - FIRST_SHAPE] = {WIRE_NIL, 0, 0, true},
    [0xc2 - FIRST_SHAPE] = {WIRE_BOOL, 0, 0, true},
    [0xc3 - FIRST_SHAPE] = {WIRE_BOOL, 0, 0, true},
    [0xc4 - FIRST_SHAPE] = {WIRE_BIN, 1, 0, true},
    [0xc5 - FIRST_SHAPE] = {WIRE_BIN, 2, 0, true},
    [0xc6 - FIRST_SHAPE] = {WIRE_BIN, 4, 0, true},
    [0xc7 - FIRST_SHAPE] = {WIRE_EXT, 1, 0, true},
    [0xc8 - FIRST_SHAPE] = {WIRE_EXT, 2, 0, true},
    [0xc9 - FIRST_SHAPE] = {WIRE_EXT, 4, 0, true},
    [0xca - FIRST_SHAPE] = {WIRE_FLOAT, 4, 0, true},
    [0xcb - FIRST_SHAPE] = {WIRE_FLOAT, 8, 0, true},
    [0xcc - FIRST_SHAPE] = {WIRE_UINT, 1, 0, true},
    [0xcd - FIRST_SHAPE] = {WIRE_UINT, 2, 0, true},
    [0xce - FIRST_SHAPE] = {WIRE_UINT, 4, 0, true},
    [0xcf - FIRST_SHAPE] = {WIRE_UINT, 8, 0, true},
    [0xd0 - FIRST_SHAPE] = {WIRE_INT, 1, 0, true},
    [0xd1 - FIRST_SHAPE] = {WIRE_INT, 2, 0, true},
    [0xd2 - FIRST_SHAPE] = {WIRE_INT, 4, 0, true},
    [0xd3 - FIRST_SHAPE] = {WIRE_INT, 8, 0, true},
    [0xd4 - FIRST_SHAPE] = {WIRE_EXT, 0, 1, true},
    [0xd5 - FIRST_SHAPE] = {WIRE_EXT, 0, 2, true},
    [0xd6 - FIRST_SHAPE] = {WIRE_EXT, 0, 4, true},
    [0xd7 - FIRST_SHAPE] = {WIRE_EXT, 0, 8, true},
    [0xd8 - FIRST_SHAPE] = {WIRE_EXT, 0, 16, true},
    [0xd9 - FIRST_SHAPE] = {WIRE_STR, 1, 0, true},
    [0xda - FIRST_SHAPE] = {WIRE_STR, 2, 0, true},
    [0xdb - FIRST_SHAPE] = {WIRE_STR, 4, 0, true},
    [0xdc - FIRST_SHAPE] = {WIRE_ARRAY, 2, 0, true},
    [0xdd - FIRST_SHAPE] = {WIRE_ARRAY, 4, 0, true},
    [0xde - FIRST_SHAPE] = {WIRE_MAP, 2, 0, true},
    [0xdf - FIRST_SHAPE] = {WIRE_MAP, 4, 0, true},
};

static uint64_t
big_endian(const uint8_t *bytes, size_t width)
{
    uint64_t number = 0;
    for (size_t i = 0; i < width; i++) {
        number = number << 8 | bytes[i];
    }
    return number;
}

/* The body of a str, bin or ext: false when the bytes left do not hold it. */
static bool
take_bytes(wire_value_t *value, const uint8_t *at, uint64_t size)
{
    if (size > (uint64_t) (value->end - at)) {
        return false;
    }
    value->bytes = (slice_t){(const char *) at, (size_t) size};
    value->after = at + size;
    return true;
}

static bool
take_items(wire_value_t *value, const uint8_t *at, uint64_t count)
{
    value->count = (uint32_t) count;
    value->body = at;
    value->after = at;
    return true;
}

static double
real_of(uint64_t bits, size_t width)
{
    if (width == sizeof(float)) {
        uint32_t half = (uint32_t) bits;
        float real = 0;
        memcpy(&real, &half, sizeof real);
        return (double) real;
    }
    double real = 0;
    memcpy(&real, &bits, sizeof real);
    return real;
}

/* A signed number of width bytes; one that is not negative is told as WIRE_UINT, so that a reader
 * meets each number in one form only. */
static void
take_signed(wire_value_t *value, uint64_t number, size_t width)
{
    unsigned shift = 64 - 8 * (unsigned) width;
    value->sint = (int64_t) (number << shift) >> shift;
    if (value->sint >= 0) {
        value->kind = WIRE_UINT;
        value->uint = (uint64_t) value->sint;
    }
}

static bool
take_scalar(wire_value_t *value, uint8_t lead, uint64_t number, size_t width)
{
    switch (value->kind) {
    case WIRE_BOOL:
        value->boolean = lead == 0xc3;
        return true;
    case WIRE_UINT:
        value->uint = number;
        return true;
    case WIRE_INT:
        take_signed(value, number, width);
        return true;
    case WIRE_FLOAT:
        value->real = real_of(number, width);
        return true;
    default:
        return value->kind == WIRE_NIL;
    }
}

static bool
read_shaped(wire_value_t *value, uint8_t lead)
{
    const shape_t *shape = &shapes[lead - FIRST_SHAPE];
    const uint8_t *at = value->from + 1;
    if (!shape->valid || shape->width > value->end - at) {
        return false;
    }
    uint64_t number = shape->width == 0 ? shape->fixed : big_endian(at, shape->width);
    at += shape->width;
    value->kind = (wire_kind_t) shape->kind;
    value->after = at;
    switch (value->kind) {
    case WIRE_STR:
    case WIRE_BIN:
        return take_bytes(value, at, number);
    case WIRE_EXT: /* the type byte of the ext is the first of its bytes */
        return take_bytes(value, at, number + 1);
    case WIRE_ARRAY:
    case WIRE_MAP:
        return take_items(value, at, number);
    default:
        return take_scalar(value, lead, number, shape->width);
    }
}

/* One value at from. after is past the whole value, but of an array or a map past its head only. */
static bool
read_value(const uint8_t *from, const uint8_t *end, wire_value_t *value)
{
    if (from >= end) {
        return false;
    }
    uint8_t lead = *from;
    *value = (wire_value_t){.from = from, .after = from + 1, .end = end};
    if (lead <= 0x7f) {
        value->kind = WIRE_UINT;
        value->uint = lead;
        return true;
    }
    if (lead > LAST_SHAPE) {
        value->kind = WIRE_INT;
        value->sint = lead - 256;
        return true;
    }
    if (lead >= FIRST_SHAPE) {
        return read_shaped(value, lead);
    }
    if (lead >= 0xa0) {
        value->kind = WIRE_STR;
        return take_bytes(value, from + 1, lead & 0x1f);
    }
    value->kind = lead >= 0x90 ? WIRE_ARRAY : WIRE_MAP;
    return take_items(value, from + 1, lead & 0x0f);
}

static bool
holds_items(const wire_value_t *value)
{
    return value->kind == WIRE_ARRAY || value->kind == WIRE_MAP;
}

static uint64_t
items_of(const wire_value_t *value)
{
    return (uint64_t) value->count * (value->kind == WIRE_MAP ? 2 : 1);
}

/* Past the whole value at from, or NULL where it is not msgpack, ends too early or is too deep.
 * An item takes a byte at least, so a count above the bytes left is a lie and ends the walk. */
static const uint8_t *
past_value(const uint8_t *from, const uint8_t *end)
{
    uint64_t left[WIRE_DEPTH_MAX];
    unsigned depth = 0;
    for (;;) {
        wire_value_t value;
        if (!read_value(from, end, &value)) {
            return NULL;
        }
        from = value.after;
        if (holds_items(&value)) {
            if (depth == WIRE_DEPTH_MAX || items_of(&value) > (uint64_t) (end - from)) {
                return NULL;
            }
            left[depth++] = items_of(&value);
        }
        while (depth > 0 && left[depth - 1] == 0) {
            depth--;
        }
        if (depth == 0) {
            return from;
        }
        left[depth - 1]--;
    }
}

err_t
wire_check(const void *bytes, size_t size, wire_value_t *ret_root)
{
    if (size == 0) {
        return ERR_BAD_REQUEST;
    }
    const uint8_t *from = bytes;
    const uint8_t *end = from + size;
    const uint8_t *after = past_value(from, end);
    if (after != end) {
        return ERR_BAD_REQUEST;
    }
    bool whole = read_value(from, end, ret_root);
    assert(whole);
    ret_root->after = after;
    return OK;
}

void
wire_next(const wire_value_t *in, const uint8_t **at, wire_value_t *ret_value)
{
    bool whole = read_value(*at, in->end, ret_value);
    assert(whole);
    if (holds_items(ret_value)) {
        ret_value->after = past_value(*at, in->end);
        assert(ret_value->after != NULL);
    }
    *at = ret_value->after;
}

bool
wire_find(const wire_value_t *map, const char *key, wire_value_t *ret_value)
{
    slice_t wanted = slice_of(key);
    const uint8_t *at = map->body;
    for (uint32_t i = 0; i < map->count; i++) {
        wire_value_t name, value;
        wire_next(map, &at, &name);
        wire_next(map, &at, &value);
        if (name.kind == WIRE_STR && slice_equal(name.bytes, wanted)) {
            *ret_value = value;
            return true;
        }
    }
    return false;
}

/* ---- writing ---- */

void
wire_writer_over(wire_writer_t *writer, void *memory, size_t capacity)
{
    *writer = (wire_writer_t){.base = memory, .capacity = capacity};
}

static int
write_bounded(void *to, const char *bytes, size_t size)
{
    wire_writer_t *w = to;
    if (w->full || size > w->capacity - w->size) {
        w->full = true;
        return -1;
    }
    if (size > 0) {
        memcpy(w->base + w->size, bytes, size);
    }
    w->size += size;
    return 0;
}

static msgpack_packer
packer_of(wire_writer_t *w)
{
    msgpack_packer packer;
    msgpack_packer_init(&packer, w, write_bounded);
    return packer;
}

void
wire_put_nil(wire_writer_t *w)
{
    msgpack_packer packer = packer_of(w);
    msgpack_pack_nil(&packer);
}

void
wire_put_bool(wire_writer_t *w, bool value)
{
    msgpack_packer packer = packer_of(w);
    if (value) {
        msgpack_pack_true(&packer);
    } else {
        msgpack_pack_false(&packer);
    }
}

void
wire_put_u64(wire_writer_t *w, uint64_t value)
{
    msgpack_packer packer = packer_of(w);
    msgpack_pack_uint64(&packer, value);
}

void
wire_put_i64(wire_writer_t *w, int64_t value)
{
    msgpack_packer packer = packer_of(w);
    msgpack_pack_int64(&packer, value);
}

void
wire_put_str(wire_writer_t *w, slice_t text)
{
    msgpack_packer packer = packer_of(w);
    msgpack_pack_str(&packer, text.size);
    write_bounded(w, text.data, text.size);
}

/* The size that bytes will have once those that are not UTF-8 are shown as \xNN. */
static size_t
shown_size(slice_t bytes)
{
    const uint8_t *byte = (const uint8_t *) bytes.data;
    size_t size = 0;
    for (size_t at = 0; at < bytes.size;) {
        size_t length = utf8_length(byte + at, bytes.size - at);
        size += length == 0 ? strlen("\\xNN") : length;
        at += length == 0 ? 1 : length;
    }
    return size;
}

void
wire_put_shown(wire_writer_t *w, slice_t bytes)
{
    const uint8_t *byte = (const uint8_t *) bytes.data;
    msgpack_packer packer = packer_of(w);
    msgpack_pack_str(&packer, shown_size(bytes));
    for (size_t at = 0; at < bytes.size && !w->full;) {
        size_t length = utf8_length(byte + at, bytes.size - at);
        size_t taken = length == 0 ? 1 : length;
        char shown[8];
        sheet_t sheet;
        sheet_over(&sheet, shown, sizeof shown);
        sheet_show(&sheet, byte + at, taken);
        write_bounded(w, shown, sheet.used);
        at += taken;
    }
}

void
wire_put_bin(wire_writer_t *w, slice_t bytes)
{
    msgpack_packer packer = packer_of(w);
    msgpack_pack_bin(&packer, bytes.size);
    write_bounded(w, bytes.data, bytes.size);
}

void
wire_put_array(wire_writer_t *w, uint32_t count)
{
    msgpack_packer packer = packer_of(w);
    msgpack_pack_array(&packer, count);
}

void
wire_put_map(wire_writer_t *w, uint32_t count)
{
    msgpack_packer packer = packer_of(w);
    msgpack_pack_map(&packer, count);
}

void
wire_put_raw(wire_writer_t *w, slice_t encoded)
{
    write_bounded(w, encoded.data, encoded.size);
}

bool
wire_is_utf8(slice_t bytes)
{
    return shown_size(bytes) == bytes.size;
}
