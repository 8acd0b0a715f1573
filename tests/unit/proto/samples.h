/* samples.h - a record type with a field of every kind, and records of it, for the tests of proto.
 *
 * Shape    every_t has one field per kind; part_t is its row; sample_full fills all of it.
 * Promises the same sample is the same bytes in every run.
 * Threads  caller's memory only.
 */
#pragma once

#include "proto/limits.h"
#include "proto/record_table.h"
#include "proto/wire.h"

#define COLOURS(W, P) W(P, RED, "red") W(P, GREEN, "green") W(P, BLUE, "blue")
RECORD_WORDS_ENUM(colour, COLOURS, COLOUR)

#define PART_TEXT_BYTES  16
#define EVERY_TEXT_BYTES 300
#define EVERY_BYTES      64
#define EVERY_RAW_BYTES  64
#define EVERY_TEXTS      4
#define EVERY_PAIRS      4

#define REC_part(F, R)                                                                             \
    F(R, text, name, PART_TEXT_BYTES, REQUIRED)                                                    \
    F(R, count, size, 0, OPTIONAL)                                                                 \
    F(R, texts, tags, 3, OPTIONAL)
RECORD_STRUCT(part, REC_part)

#define REC_every(F, R)                                                                            \
    F(R, flag, flag, 0, OPTIONAL)                                                                  \
    F(R, u32, small, 0, OPTIONAL)                                                                  \
    F(R, u64, large, 0, OPTIONAL)                                                                  \
    F(R, i64, either, 0, OPTIONAL)                                                                 \
    F(R, count, count, 0, OPTIONAL)                                                                \
    F(R, time, time, 0, OPTIONAL)                                                                  \
    F(R, word, word, colour, OPTIONAL)                                                             \
    F(R, text, text, EVERY_TEXT_BYTES, REQUIRED)                                                   \
    F(R, bytes, bytes, EVERY_BYTES, OPTIONAL)                                                      \
    F(R, raw, raw, EVERY_RAW_BYTES, OPTIONAL)                                                      \
    F(R, texts, texts, EVERY_TEXTS, OPTIONAL)                                                      \
    F(R, digest, digest, 0, OPTIONAL)                                                              \
    F(R, id128, id, 0, OPTIONAL)                                                                   \
    F(R, rows, rows, part, OPTIONAL)                                                               \
    F(R, maybe, maybe, part, OPTIONAL)                                                             \
    F(R, pairs, pairs, EVERY_PAIRS, OPTIONAL)                                                      \
    F(R, text, secret, 32, INTERNAL)
RECORD_STRUCT(every, REC_every)

/* Memory for a draft and for a document, aligned as drafts must be. */
typedef struct room {
    _Alignas(8) uint8_t bytes[16384];
} room_t;

/* Every field filled, texts with odd bytes among them; internal fields stay absent. */
const every_t *sample_full(draft_t *draft, room_t *room);
/* Only what must be there. */
const every_t *sample_bare(draft_t *draft, room_t *room);

/* A stream of numbers from a seed: the same in every run (splitmix64). */
uint64_t sample_random(uint64_t *seed);
