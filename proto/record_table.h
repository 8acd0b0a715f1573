/* record_table.h - turns one X-macro table into structs and descriptors.
 *
 * Shape    a record's fields are listed once as F(R, kind, name, bound_or_type, need)
 *          (R is handed through; 0 where a kind has no bound); RECORD_STRUCT makes
 *          <record>_t of it and declares <record>_type; RECORD_DEFINE (in one .c file) defines it;
 *          RECORD does both, for a program of one file.
 * Costs    none at run time.
 */
#pragma once
#include "proto/limits.h"
#include "proto/record.h"

#define RECORD_C_flag   uint8_t
#define RECORD_C_u32    uint32_t
#define RECORD_C_u64    uint64_t
#define RECORD_C_i64    int64_t
#define RECORD_C_count  uint64_t
#define RECORD_C_time   int64_t
#define RECORD_C_word   uint32_t
#define RECORD_C_text   text_t
#define RECORD_C_bytes  bytes_t
#define RECORD_C_raw    bytes_t
#define RECORD_C_texts  texts_t
#define RECORD_C_digest digest_t
#define RECORD_C_id128  id128_t
#define RECORD_C_rows   rows_t
#define RECORD_C_maybe  rows_t
#define RECORD_C_pairs  rows_t
#define RECORD_MEMBER(R, kind, name, bound, need) RECORD_C_##kind name;

/* struct <record>_t and the declaration of its descriptor. fields is a macro FIELDS(F, R). */
#define RECORD_STRUCT(record, fields)                                                              \
    typedef struct record {                                                                        \
        fields(RECORD_MEMBER, record)                                                                      \
    } record##_t;                                                                                  \
    extern const record_type_t record##_type;

/* What the third column means, by kind: a bound, a record type, or a word table. */
#define RECORD_ROW_flag(b)   0, NULL, NULL
#define RECORD_ROW_u32(b)    0, NULL, NULL
#define RECORD_ROW_u64(b)    0, NULL, NULL
#define RECORD_ROW_i64(b)    0, NULL, NULL
#define RECORD_ROW_count(b)  0, NULL, NULL
#define RECORD_ROW_time(b)   0, NULL, NULL
#define RECORD_ROW_word(w)   0, NULL, &w##_words
#define RECORD_ROW_text(b)   b, NULL, NULL
#define RECORD_ROW_bytes(b)  b, NULL, NULL
#define RECORD_ROW_raw(b)    b, NULL, NULL
#define RECORD_ROW_texts(b)  b, NULL, NULL
#define RECORD_ROW_digest(b) 0, NULL, NULL
#define RECORD_ROW_id128(b)  0, NULL, NULL
#define RECORD_ROW_rows(t)   RECORD_ROWS_COUNT_MAX, &t##_type, NULL
#define RECORD_ROW_maybe(t)  1, &t##_type, NULL
#define RECORD_ROW_pairs(b)  b, NULL, NULL

#define RECORD_FIELD(R, kind, name, bound, need)                                                   \
    {#name, RECORD_##kind, (uint32_t) offsetof(R##_t, name), RECORD_ROW_##kind(bound), need},
/* Defines <record>_type. number is the message's number, 0 for a part. */
#define RECORD_DEFINE(record, number, fields)                                                      \
    static const record_field_t record##_fields[] = {fields(RECORD_FIELD, record)};                \
    const record_type_t record##_type = {                                                          \
        #record, number, (uint32_t) sizeof(record##_t), (uint32_t) _Alignof(record##_t),           \
        (uint32_t) (sizeof record##_fields / sizeof record##_fields[0]), record##_fields};

#define RECORD(record, number, fields)                                                             \
    RECORD_STRUCT(record, fields)                                                                  \
    RECORD_DEFINE(record, number, fields)

/* A word table: WORDS(target_state, TARGET_STATES, TARGET) with TARGET_STATES(W, R) W(R, PENDING, "pending")
 * makes enum target_state { TARGET_PENDING, ... TARGET_STATE count last } and target_state_words. */
#define RECORD_WORD_SYMBOL(prefix, symbol, word) prefix##_##symbol,
#define RECORD_WORDS_ENUM(name, list, prefix)                                                      \
    typedef enum name { list(RECORD_WORD_SYMBOL, prefix) prefix##_COUNT } name##_t;                \
    extern const record_words_t name##_words;
#define RECORD_WORD_TEXT(prefix, symbol, word) word,
#define RECORD_WORDS_DEFINE(name, list, prefix)                                                    \
    static const char *const name##_texts[] = {list(RECORD_WORD_TEXT, prefix)};                    \
    const record_words_t name##_words = {name##_texts, prefix##_COUNT};
