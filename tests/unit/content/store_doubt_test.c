/* store_doubt_test.c - claims about a collection where a list of chunks has proved damaged. */
#include "yard.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "actors/content/store_mark.h"

#define MIB 1048576u

/* A store with two versions of a package, each with a large file of its own; the first one is
 * superseded. */
typedef struct doubted {
    yard_t yard;
    digest_t roots[2], big[2];
    uint8_t *list[2];
    size_t size[2]; /* bytes of the list */
    store_collected_t dry, wet;
    store_kept_t kept[2];
} doubted_t;

/* Chunks that stand in another pack than the list: that one stays as it is where the list proves
 * damaged. */
static digest_t
put_chunks(yard_t *yard, const uint8_t *bytes, size_t size)
{
    digest_t first = {{0}};
    for (size_t at = 0; at < size;) {
        size_t cut = chunker_cut(&yard->store->chunker, bytes + at, size - at);
        digest_t digest = yard_put_bytes(yard, bytes + at, cut);
        first = at == 0 ? digest : first;
        at += cut;
    }
    EXPECT_OK(yard, store_commit(yard->store, &yard->fault));
    return first;
}

static void
begin(doubted_t *doubted, user_t user)
{
    yard_t *yard = &doubted->yard;
    yard_begin(yard, user);
    make_tree(yard);
    for (unsigned i = 0; i < 2; i++) {
        uint8_t *bytes = bytes_of_seed(3 * MIB, 31 + i);
        yard_reopen(yard);
        put_chunks(yard, bytes, 3 * MIB);
        yard_reopen(yard);
        doubted->big[i] = yard_put_file(yard, "source/big", bytes, 3 * MIB).digest;
        take(yard);
        doubted->roots[i] = yard->snapshot.root;
        EXPECT_OK(yard, store_list(yard->store, &doubted->big[i], &doubted->list[i],
                                   &doubted->size[i], &yard->fault));
        free(bytes);
    }
    yard_reopen(yard);
}

static void
end(doubted_t *doubted)
{
    free(doubted->list[0]);
    free(doubted->list[1]);
    yard_end(&doubted->yard);
}

/* A dry run, then what it told. */
static void
collect(doubted_t *doubted, const digest_t *roots, size_t count)
{
    yard_t *yard = &doubted->yard;
    store_kept_t kept[2] = {{0}};
    EXPECT_OK(yard, store_collect_explained(yard->store, roots, count, true, NULL, NULL,
                                            &doubted->dry, kept, &yard->fault));
    yard_reopen(yard);
    EXPECT_OK(yard, store_collect_explained(yard->store, roots, count, false, NULL, NULL,
                                            &doubted->wet, doubted->kept, &yard->fault));
    cr_expect_arr_eq((char *) &doubted->dry, (char *) &doubted->wet, sizeof doubted->dry);
    cr_expect_arr_eq((char *) kept, (char *) doubted->kept, count * sizeof kept[0]);
    yard_reopen(yard);
}

/* How many of a large file's chunks are there. */
static size_t
chunks_there(doubted_t *doubted, unsigned version)
{
    size_t there = 0;
    for (size_t at = 0; at < doubted->size[version]; at += LIST_ROW_BYTES) {
        bool has = false;
        digest_t digest = list_row_decode(doubted->list[version] + at).digest;
        EXPECT_OK(&doubted->yard,
                  store_has(doubted->yard.store, &digest, &has, &doubted->yard.fault));
        there += has;
    }
    return there;
}

static size_t
chunks_of(const doubted_t *doubted, unsigned version)
{
    return doubted->size[version] / LIST_ROW_BYTES;
}

/* What an agent is told when it asks for what it lacks: the list alone. */
static void
put_list_again(doubted_t *doubted)
{
    yard_t *yard = &doubted->yard;
    digest_t bad;
    slice_t list = {(const char *) doubted->list[1], doubted->size[1]};
    EXPECT_OK(yard, store_put_list(yard->store, &doubted->big[1], list, &bad, &yard->fault));
    EXPECT_OK(yard, store_commit(yard->store, &yard->fault));
    yard_reopen(yard);
}

CLAIM_OF_BOTH(store, chunks_of_a_damaged_list_stay_until_it_is_put_again)
{
    static const struct {
        const char *what;
        uint64_t at;
        size_t count, held; /* bytes; objects, 0: many */
    } cases[] = {
        {"all of its record", 0, SIZE_MAX, 0},
        {"a bit of a digest", RECORD_HEAD_BYTES + 2 * LIST_ROW_BYTES + 7, 1, 1},
        {"two digests", RECORD_HEAD_BYTES + 2 * LIST_ROW_BYTES + 7, LIST_ROW_BYTES, 0},
    };
    for (size_t i = 0; i < 2 * sizeof cases / sizeof cases[0]; i++) {
        doubted_t doubted;
        bool is_known = i % 2 == 1;
        yard_t *yard = &doubted.yard;
        begin(&doubted, user);
        size_t record = RECORD_HEAD_BYTES + doubted.size[1];
        yard_rot(yard, &doubted.big[1], cases[i / 2].at,
                 cases[i / 2].count < record ? cases[i / 2].count : record);
        if (is_known) {
            EXPECT_OK(yard, store_set_aside(yard->store, &doubted.big[1], &yard->fault));
            yard_reopen(yard);
        }
        collect(&doubted, &doubted.roots[1], 1);
        cr_expect_eq(chunks_there(&doubted, 1), chunks_of(&doubted, 1), "%s%s: %zu chunks of %zu",
                     cases[i / 2].what, is_known ? ", known before" : "", chunks_there(&doubted, 1),
                     chunks_of(&doubted, 1));
        cr_expect(cases[i / 2].held == 0 ? doubted.wet.held_objects > chunks_of(&doubted, 0)
                                         : doubted.wet.held_objects == cases[i / 2].held,
                  "%s: %llu were held", cases[i / 2].what,
                  (unsigned long long) doubted.wet.held_objects);
        collect(&doubted, &doubted.roots[1], 1); /* once more: it knows as much as before */
        EXPECT_COUNT(chunks_there(&doubted, 1), chunks_of(&doubted, 1));
        put_list_again(&doubted);
        placed(yard);
        cr_expect(verified(yard));
        collect(&doubted, &doubted.roots[1], 1);
        EXPECT_COUNT(doubted.wet.held_objects, 0);
        EXPECT_COUNT(chunks_there(&doubted, 1), chunks_of(&doubted, 1));
        cr_expect_eq(chunks_there(&doubted, 0), 0, "what was held stays");
        end(&doubted);
    }
}

CLAIM_OF_BOTH(store, bit_that_turned_in_a_list_keeps_no_other_version)
{
    doubted_t doubted;
    begin(&doubted, user);
    yard_rot(&doubted.yard, &doubted.big[1], RECORD_HEAD_BYTES + 7, 1);
    collect(&doubted, &doubted.roots[1], 1);
    EXPECT_COUNT(chunks_there(&doubted, 0), 0);
    end(&doubted);
}

/* The last chunk of a file may be short, no other is. */
CLAIM_OF_BOTH(store, what_is_too_small_for_a_chunk_is_held_only_where_the_last_row_is_damaged)
{
    for (int last = 0; last < 2; last++) {
        doubted_t doubted;
        bool has = last == 0;
        yard_t *yard = &doubted.yard;
        begin(&doubted, user);
        digest_t small = yard_put_bytes(yard, "some bytes that nobody needs", 28);
        EXPECT_OK(yard, store_commit(yard->store, &yard->fault));
        yard_reopen(yard);
        size_t at = last ? doubted.size[1] - 2 * LIST_ROW_BYTES : 0;
        yard_rot(yard, &doubted.big[1], RECORD_HEAD_BYTES + at, 2 * LIST_ROW_BYTES);
        collect(&doubted, &doubted.roots[1], 1);
        EXPECT_COUNT(chunks_there(&doubted, 1), chunks_of(&doubted, 1));
        EXPECT_OK(yard, store_has(yard->store, &small, &has, &yard->fault));
        cr_expect_eq(has, last == 1);
        end(&doubted);
    }
}

CLAIM_OF_BOTH(store, what_is_held_for_a_list_goes_with_the_version_that_needed_it)
{
    doubted_t doubted;
    begin(&doubted, user);
    yard_rot(&doubted.yard, &doubted.big[1], RECORD_HEAD_BYTES, doubted.size[1]);
    collect(&doubted, doubted.roots, 2);
    EXPECT_COUNT(chunks_there(&doubted, 1), chunks_of(&doubted, 1));
    cr_expect(doubted.kept[1].objects > chunks_of(&doubted, 1), "who needs them is not told");
    EXPECT_COUNT(doubted.kept[0].objects + doubted.kept[1].objects, doubted.wet.live_objects);
    EXPECT_COUNT(doubted.kept[0].bytes + doubted.kept[1].bytes, doubted.wet.live_bytes);
    collect(&doubted, doubted.roots, 1);
    EXPECT_COUNT(doubted.wet.held_objects, 0);
    EXPECT_COUNT(chunks_there(&doubted, 0), chunks_of(&doubted, 0));
    EXPECT_COUNT(chunks_there(&doubted, 1), 0);
    end(&doubted);
}

/* Nobody knew that the first record is right: it was set aside, and the note of that is gone. */
CLAIM_OF_BOTH(store, list_of_which_another_record_is_right_leads_to_its_chunks)
{
    doubted_t doubted;
    yard_t *yard = &doubted.yard;
    begin(&doubted, user);
    run_entry_t first = yard_place_of(yard, &doubted.big[1]);
    EXPECT_OK(yard, store_note_damage(yard->store, &first, &yard->fault));
    put_list_again(&doubted);
    run("rm %s/store/damaged/*", yard->data);
    yard_reopen(yard);
    yard_rot(yard, &doubted.big[1], RECORD_HEAD_BYTES, doubted.size[1]);
    collect(&doubted, &doubted.roots[1], 1);
    EXPECT_COUNT(doubted.wet.held_objects, 0);
    EXPECT_COUNT(chunks_there(&doubted, 1), chunks_of(&doubted, 1));
    placed(yard);
    cr_expect(verified(yard));
    end(&doubted);
}

/* Its pack was written anew without it, and the note went with the pack: from then on each
 * collection ended for want of an object of which nobody knew any more that it is damaged. */
CLAIM_OF_BOTH(store, what_is_damaged_and_needed_ends_no_later_collection)
{
    doubted_t doubted;
    yard_t *yard = &doubted.yard;
    begin(&doubted, user);
    digest_t chunk = list_row_decode(doubted.list[1]).digest;
    yard_rot(yard, &chunk, RECORD_HEAD_BYTES + 100, 1);
    EXPECT_OK(yard, store_set_aside(yard->store, &chunk, &yard->fault));
    yard_put_bytes(yard, "some bytes that nobody needs", 28);
    EXPECT_OK(yard, store_commit(yard->store, &yard->fault));
    yard_reopen(yard);
    for (unsigned i = 0; i < 3; i++) {
        collect(&doubted, &doubted.roots[1], 1);
    }
    EXPECT_COUNT(chunks_there(&doubted, 1), chunks_of(&doubted, 1) - 1);
    take(yard); /* what was set aside is stored again */
    EXPECT_COUNT(chunks_there(&doubted, 1), chunks_of(&doubted, 1));
    yard_reopen(yard);
    collect(&doubted, &doubted.roots[1], 1);
    cr_expect_not(store_has_damage(yard->store), "the damaged record stays for good");
    end(&doubted);
}

CLAIM_OF_BOTH(store, chunks_of_more_damaged_lists_than_are_told_apart_stay)
{
    doubted_t doubted = {0};
    yard_t *yard = &doubted.yard;
    digest_t file[MARKS_DOUBTS_MAX + 3], chunk[MARKS_DOUBTS_MAX + 3];
    yard_begin(yard, user);
    for (unsigned i = 0; i < MARKS_DOUBTS_MAX + 3; i++) {
        uint8_t *bytes = bytes_of_seed(MIB * 3 / 4, 40 + i);
        char name[32];
        snprintf(name, sizeof name, "source/big%u", i);
        yard_reopen(yard);
        chunk[i] = put_chunks(yard, bytes, MIB * 3 / 4);
        yard_reopen(yard);
        file[i] = yard_put_file(yard, name, bytes, MIB * 3 / 4).digest;
        EXPECT_OK(yard, store_commit(yard->store, &yard->fault));
        free(bytes);
    }
    take(yard);
    for (unsigned i = 0; i < MARKS_DOUBTS_MAX + 3; i++) {
        yard_rot(yard, &file[i], RECORD_HEAD_BYTES, LIST_ROW_BYTES);
    }
    collect(&doubted, &yard->snapshot.root, 1);
    for (unsigned i = 0; i < MARKS_DOUBTS_MAX + 3; i++) {
        bool has = false;
        EXPECT_OK(yard, store_has(yard->store, &chunk[i], &has, &yard->fault));
        cr_expect(has, "that of file %u was taken", i);
    }
    end(&doubted);
}
