/* wire.h - a bounded reader and writer of msgpack.
 *
 * Shape    the reader is a cursor over bytes it borrows: each value is visited in place, lists and
 *          maps by count; the writer fills memory of the caller with a fixed capacity.
 * Promises wire_check walks a whole document once (depth at most WIRE_DEPTH_MAX, each length inside
 *          the bytes that are left, no bytes after it) before anything is believed; nothing is
 *          allocated; wire.c is the only file that includes msgpack.h.
 * Errors   ERR_BAD_REQUEST (not msgpack, too deep, trailing bytes), ERR_TOO_LARGE (writer is full).
 * Threads  caller's memory only.
 * Source   msgpack specification (github.com/msgpack/msgpack/blob/master/spec.md).
 */
#pragma once

#include "proto/record.h"

#pragma GCC visibility push(default) /* what a shared library of it exports */
#ifdef __cplusplus
extern "C" {
#endif

typedef enum wire_kind {
    WIRE_NIL,
    WIRE_BOOL,
    WIRE_UINT,
    WIRE_INT /* negative */,
    WIRE_FLOAT,
    WIRE_STR,
    WIRE_BIN,
    WIRE_ARRAY,
    WIRE_MAP,
    WIRE_EXT
} wire_kind_t;

typedef struct wire_value {
    wire_kind_t kind;
    bool boolean;
    uint64_t uint;
    int64_t sint;
    double real;
    slice_t bytes;       /* of str, bin, ext */
    uint32_t count;      /* items of an array, pairs of a map */
    const uint8_t *body; /* first item */
    const uint8_t *end;  /* one past the document's last byte */
    const uint8_t *from; /* the value itself, encoded: [from, after) */
    const uint8_t *after;
} wire_value_t;

/* Checks the whole document and gives its root value. */
err_t wire_check(const void *bytes, size_t size, wire_value_t *ret_root) must_use;
/* Walks the items of a checked array or the keys and values of a checked map:
 *   const uint8_t *at = map.body;
 *   for (uint32_t i = 0; i < map.count; i++) {
 *       wire_next(&map, &at, &key);
 *       wire_next(&map, &at, &value);
 *   } */
void wire_next(const wire_value_t *in, const uint8_t **at, wire_value_t *ret_value);
/* The value of a key of a checked map; false when there is none. */
bool wire_find(const wire_value_t *map, const char *key, wire_value_t *ret_value);

typedef struct wire_writer {
    uint8_t *base;
    size_t capacity, size; /* bytes */
    bool full;
} wire_writer_t;

void wire_writer_over(wire_writer_t *writer, void *memory, size_t capacity);
void wire_put_nil(wire_writer_t *w);
void wire_put_bool(wire_writer_t *w, bool value);
void wire_put_u64(wire_writer_t *w, uint64_t value);
void wire_put_i64(wire_writer_t *w, int64_t value);
void wire_put_str(wire_writer_t *w, slice_t text); /* text that is valid UTF-8 */
/* As str; bytes that are not UTF-8 are shown as \xNN. */
void wire_put_shown(wire_writer_t *w, slice_t bytes);
void wire_put_bin(wire_writer_t *w, slice_t bytes);
void wire_put_array(wire_writer_t *w, uint32_t count);
void wire_put_map(wire_writer_t *w, uint32_t count);
void wire_put_raw(wire_writer_t *w, slice_t encoded);  /* an encoded value, copied through */
void wire_put_time(wire_writer_t *w, int64_t wall_ns); /* ISO 8601 UTC with ms, nil when 0 */
bool wire_is_utf8(slice_t bytes);
/* "2026-03-01T12:00:00.000Z" into text[25]. */
void wire_time_text(int64_t wall_ns, char *ret_text);
/* One value as JSON text into text[size] (bin as hex); false when it does not fit. */
bool wire_json(const wire_value_t *value, char *text, size_t size, size_t *ret_size);

#ifdef __cplusplus
}
#endif
#pragma GCC visibility pop
