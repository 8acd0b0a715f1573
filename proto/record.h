/* record.h - flat, relocatable records: a fixed struct, then tail bytes.
 *
 * Shape    a record is one run of bytes: the fixed struct of its type, then the tail that its
 *          texts, lists and rows point into by offset and length, counted from the record's first
 *          byte. There is no pointer in it, so it is copied, sent, journaled and compared as bytes.
 * Promises record_check accepts only records whose every offset, length and count lies inside them
 *          (so a reader needs no further check); decode never allocates, never writes past the
 *          draft, and checks each length before it believes it.
 * Costs    linear in the record's bytes.
 * Errors   ERR_TOO_LARGE, ERR_MISSING_ARGUMENT, ERR_UNKNOWN_ARGUMENT, ERR_WRONG_TYPE, ERR_BAD_VALUE
 *          (no such word, not hex, not a time, out of range), ERR_BAD_REQUEST (not a record, not a
 *          map of texts, a key twice).
 * Threads  constant tables and caller's memory only.
 * Knows    no message: despool's tables (messages.h) are data given to it.
 */
#pragma once

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "proto/errors.h"

#pragma GCC visibility push(default) /* what a shared library of it exports */
#ifdef __cplusplus
extern "C" {
#endif

/* ---- what a field may be --------------------------------------------------------------------- */

typedef struct text {
    uint32_t at;   /* offset from the record's first byte; 0: absent (never a valid tail offset) */
    uint32_t size; /* bytes */
} text_t;          /* any bytes; shown as text */
typedef text_t bytes_t;
typedef struct rows {
    uint32_t at;    /* offset of the first row, 8-aligned; 0 when count is 0 */
    uint32_t count; /* rows */
} rows_t;
typedef rows_t texts_t; /* rows of text_t */
typedef struct digest {
    uint8_t byte[32]; /* SHA-256; all zero: none */
} digest_t;
typedef struct id128 {
    uint8_t byte[16]; /* random; all zero: none */
} id128_t;

#define RECORD_NONE UINT64_MAX /* the null of a count field */

typedef enum record_kind {
    RECORD_flag,   /* uint8_t    bool on the wire */
    RECORD_u32,    /* uint32_t */
    RECORD_u64,    /* uint64_t */
    RECORD_i64,    /* int64_t */
    RECORD_count,  /* uint64_t   null on the wire when RECORD_NONE */
    RECORD_time,   /* int64_t    wall clock, ns since 1970 UTC; ISO 8601 with ms, null when 0 */
    RECORD_word,   /* uint32_t   an enum; its word on the wire, by the field's word table */
    RECORD_text,   /* text_t     str (bin + shown text where not UTF-8); bound in bytes */
    RECORD_bytes,  /* bytes_t    bin; bound in bytes */
    RECORD_raw,    /* bytes_t    an encoded msgpack value, copied through; bound in bytes */
    RECORD_texts,  /* texts_t    array of str; bound in items */
    RECORD_digest, /* digest_t   hex str, null when zero */
    RECORD_id128,  /* id128_t    hex str, null when zero */
    RECORD_rows,   /* rows_t     array of maps of the field's record type; bound in rows */
    RECORD_maybe,  /* rows_t     one map of the field's record type, or null */
    RECORD_pairs   /* rows_t     of pair_t: one map of text to text; bound in pairs */
} record_kind_t;

typedef struct pair {
    text_t name;
    text_t value;
} pair_t;

typedef enum record_need {
    OPTIONAL = 0,
    REQUIRED = 1,
    INTERNAL = 2 /* never on the wire: neither encoded nor accepted */
} record_need_t;

typedef struct record_type record_type_t;
typedef struct record_words {
    const char *const *word; /* index = value */
    uint32_t count;
} record_words_t;

typedef struct record_field {
    const char *name; /* as on the wire */
    record_kind_t kind;
    uint32_t offset;             /* in the fixed struct */
    uint32_t bound;              /* bytes or items, by kind */
    const record_type_t *type;   /* of rows and maybe */
    const record_words_t *words; /* of word */
    record_need_t need;          /* decode refuses when a REQUIRED one is missing */
} record_field_t;

struct record_type {
    const char *name;
    uint32_t number;      /* of a message; 0 for a part of one */
    uint32_t fixed_bytes; /* sizeof the struct */
    uint32_t align;
    uint32_t field_count;
    const record_field_t *field;
};

/* ---- reading --------------------------------------------------------------------------------- */

typedef struct slice {
    const char *data;
    size_t size; /* bytes */
} slice_t;

/* The bytes of a text of a checked record; {"" , 0} when absent. */
static inline slice_t
record_slice(const void *record, text_t text)
{
    return (slice_t){text.at == 0 ? "" : (const char *) record + text.at, text.size};
}
/* For "%.*s": the bytes of a text of a checked record. */
#define RECORD_SHOWN(record, text) (int) (text).size, record_slice((record), (text)).data
/* The i-th row of a checked record; row must be < rows.count. */
static inline const void *
record_row(const void *record, rows_t rows, uint32_t row, size_t row_bytes)
{
    return (const char *) record + rows.at + (size_t) row * row_bytes;
}
#define ROW(record, rows, row, row_type)                                                           \
    ((const row_type *) record_row((record), (rows), (row), sizeof(row_type)))

bool slice_equal(slice_t a, slice_t b);
slice_t slice_of(const char *text);
/* Copies into text[size] with a closing NUL; false, and text empty, when it does not fit or holds
 * one. */
bool slice_copy(slice_t slice, char *text, size_t size);
bool digest_is_none(const digest_t *digest);
bool id128_is_none(const id128_t *id);
void hex_of_bytes(const uint8_t *bytes, size_t count, char *ret_hex); /* writes 2 * count + 1 */
bool bytes_of_hex(slice_t hex, uint8_t *ret_bytes, size_t count);

/* Whether size bytes at record, 8-aligned, are a valid record of this type. */
err_t record_check(const record_type_t *type, const void *record, size_t size) must_use;

/* ---- writing --------------------------------------------------------------------------------- */

/* A record being made in memory of fixed capacity that never moves; what does not fit sets full. */
typedef struct draft {
    uint8_t *base;     /* 8-aligned */
    uint32_t capacity; /* bytes */
    uint32_t size;     /* bytes used so far */
    bool full;         /* something did not fit: the record is not to be used */
} draft_t;

void draft_over(draft_t *draft, void *memory, uint32_t capacity); /* makes a draft over memory */

#define DRAFT_SHORT 64u /* bytes */

/* Begins a record of so many fixed bytes, for which there is room: at no call, where the compiler
 * knows how many are zeroed. */
static inline void *
draft_begin_zeroed(draft_t *draft, uint32_t fixed, size_t zeroed)
{
    uint8_t *base = draft->base;
    memset(base, 0, zeroed);
    draft->size = fixed;
    draft->full = false;
    return base;
}
/* Begins a record: zeroes the fixed part and returns it. Valid until the next begin. */
static inline void *
draft_begin(draft_t *draft, const record_type_t *type)
{
    assert(draft->capacity >= type->fixed_bytes);
    bool is_short = type->fixed_bytes <= DRAFT_SHORT && draft->capacity >= DRAFT_SHORT;
    return is_short ? draft_begin_zeroed(draft, type->fixed_bytes, DRAFT_SHORT)
                    : draft_begin_zeroed(draft, type->fixed_bytes, type->fixed_bytes);
}
text_t draft_text(draft_t *draft, slice_t text); /* absent when text.data is NULL */
text_t draft_textf(draft_t *draft, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Copies a text of another checked record; an absent one stays absent. */
text_t draft_copy_text(draft_t *draft, const void *from_record, text_t text);
/* Room for count rows of row_bytes each, zeroed; fill them through draft_row. */
rows_t draft_rows(draft_t *draft, uint32_t count, size_t row_bytes);
void *draft_row(draft_t *draft, rows_t rows, uint32_t row, size_t row_bytes); /* NULL when full */
/* Copies a part or text of another checked record into this draft, tail included. */
err_t draft_copy(draft_t *draft, const record_type_t *type, void *ret_fixed,
                 const void *from_record, const void *from_fixed) must_use;

/* ---- comparing, printing, wire --------------------------------------------------------------- */

bool record_equal(const record_type_t *type, const void *a, const void *b);
/* One number of all that record_equal compares. What lies between the fields of a struct is not of
 * it: who assigns a whole one brings along what happened to be there. */
uint64_t record_hash(const record_type_t *type, const void *record, uint64_t seed);
/* One line, "name{field=value ...}", cut at size; for traces and failures. Returns text. */
const char *record_print(const record_type_t *type, const void *record, char *text, size_t size);

struct wire_writer;
struct wire_value;
/* Writes the record as one msgpack map; null and absent fields are written as nil, empty lists as
 * empty lists. Texts that are not UTF-8 are shown under their name (\xNN) and carried as they are
 * in a second field beside, "<name>_raw": bin, a list of bin, or a map of bin to bin. */
err_t record_encode(const record_type_t *type, const void *record,
                    struct wire_writer *writer) must_use;
/* As record_encode, of one row of a record, which is where its texts are. */
err_t record_encode_part(const record_type_t *type, const void *record, const void *row,
                         struct wire_writer *writer) must_use;
/* Decodes one msgpack map into the draft (begun by this call). Unknown keys and keys given twice
 * are refused; "<name>_raw" goes before the name it belongs to. On failure ret_field, when not
 * NULL, names the field at fault: a name of the table or, of an unknown key, a text in the draft's
 * memory; the draft is then not to be used. */
err_t record_decode(const record_type_t *type, const struct wire_value *map, draft_t *draft,
                    const void **ret_record, const char **ret_field) must_use;

#ifdef __cplusplus
}
#endif
#pragma GCC visibility pop
