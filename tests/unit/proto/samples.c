/* samples.c - records for the tests of proto; see samples.h. */
#include "samples.h"

#include <assert.h>
#include <string.h>

RECORD_WORDS_DEFINE(colour, COLOURS, COLOUR)
RECORD_DEFINE(part, 0, REC_part)
RECORD_DEFINE(every, 77, REC_every)

static void
fill_part(draft_t *draft, part_t *part, const char *name, uint64_t size)
{
    part->name = draft_text(draft, slice_of(name));
    part->size = size;
    part->tags = draft_rows(draft, 2, sizeof(text_t));
    for (uint32_t i = 0; i < 2; i++) {
        text_t *tag = draft_row(draft, part->tags, i, sizeof *tag);
        assert(tag != NULL);
        *tag = draft_text(draft, slice_of(i == 0 ? "first" : ""));
    }
}

static void
fill_lists(draft_t *draft, every_t *every)
{
    every->texts = draft_rows(draft, 2, sizeof(text_t));
    *(text_t *) draft_row(draft, every->texts, 0, sizeof(text_t)) =
        draft_text(draft, slice_of("plain"));
    *(text_t *) draft_row(draft, every->texts, 1, sizeof(text_t)) =
        draft_text(draft, slice_of("od\xff"
                                   "d"));
    every->rows = draft_rows(draft, 2, sizeof(part_t));
    fill_part(draft, draft_row(draft, every->rows, 0, sizeof(part_t)), "one", 1);
    fill_part(draft, draft_row(draft, every->rows, 1, sizeof(part_t)), "two", RECORD_NONE);
    every->maybe = draft_rows(draft, 1, sizeof(part_t));
    fill_part(draft, draft_row(draft, every->maybe, 0, sizeof(part_t)), "perhaps", 3);
    every->pairs = draft_rows(draft, 1, sizeof(pair_t));
    pair_t *pair = draft_row(draft, every->pairs, 0, sizeof *pair);
    assert(pair != NULL);
    pair->name = draft_text(draft, slice_of("key\xfe"));
    pair->value = draft_text(draft, slice_of("value"));
}

const every_t *
sample_full(draft_t *draft, room_t *room)
{
    draft_over(draft, room->bytes, sizeof room->bytes);
    every_t *every = draft_begin(draft, &every_type);
    every->flag = 1;
    every->small = UINT32_MAX;
    every->large = UINT64_MAX;
    every->either = INT64_MIN;
    every->count = 0;
    every->time = 1772366400123000000; /* 2026-03-01T12:00:00.123Z */
    every->word = COLOUR_BLUE;
    every->text = draft_text(draft, slice_of("gr\xc3\xbc\xc3\x9f, \xf0\x9f\x93\xa6, \xc3( and %n"));
    every->bytes = draft_text(draft, (slice_t){"\x00\x01\xff", 3});
    every->raw = draft_text(draft, (slice_t){"\x92\x01\xa1x", 4}); /* [1, "x"] */
    memset(every->digest.byte, 0xab, sizeof every->digest.byte);
    memset(every->id.byte, 0x01, sizeof every->id.byte);
    fill_lists(draft, every);
    assert(!draft->full);
    return every;
}

const every_t *
sample_bare(draft_t *draft, room_t *room)
{
    draft_over(draft, room->bytes, sizeof room->bytes);
    every_t *every = draft_begin(draft, &every_type);
    every->count = RECORD_NONE;
    every->text = draft_text(draft, slice_of(""));
    return every;
}

uint64_t
sample_random(uint64_t *seed)
{
    uint64_t z = *seed += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}
