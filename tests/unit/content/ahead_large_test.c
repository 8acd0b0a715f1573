/* ahead_large_test.c - claims about large files of a tree under way. */
#include <stdlib.h>
#include <string.h>

#include "ahead.h"

#define CHUNK (1u << 20)

Test(ahead_large, a_large_file_whose_list_lies_is_not_placed)
{
    ahead_t ahead;
    ahead_begin(&ahead, AS_STARTED);
    ahead.lies = true;
    ahead_fetch(&ahead);
    cr_expect(ahead_is_staged(&ahead, "large"));
    ahead.yard.order.ahead = ahead.tree;
    place_result_t result;
    EXPECT_ERR(&ahead.yard, ERR_DIGEST, place(&ahead.yard, &result));
    cr_expect_not(exists(yard_path(&ahead.yard, CURRENT)));
    ahead_end(&ahead);
}

/* A list that was believed for a while is another one for the rest. */
Test(ahead_large, a_list_that_changes_on_the_way_is_no_longer_that_of_the_version)
{
    ahead_t ahead;
    ahead_begin(&ahead, AS_STARTED);
    ahead.lack.bytes_max = LARGE / 2;
    ahead_fetch_nodes(&ahead);
    while (!ahead_is_staged(&ahead, "large")) {
        cr_assert_gt(ahead_lacks(&ahead), 0);
        ahead_come(&ahead);
    }
    ahead_lie(&ahead);
    ahead_fetch(&ahead);
    ahead.yard.order.ahead = ahead.tree;
    place_result_t result;
    EXPECT_ERR(&ahead.yard, ERR_DIGEST, place(&ahead.yard, &result));
    ahead_end(&ahead);
}

/* The large file has LARGE bytes at its begin and at its end. */
static void
take_twice(ahead_t *ahead)
{
    uint8_t *bytes = calloc(3, LARGE), *half = bytes_of_seed(LARGE, 3);
    memcpy(bytes, half, LARGE);
    memcpy(bytes + 2u * LARGE, half, LARGE);
    ahead_write_file(ahead, "large", bytes, 3u * LARGE);
    ahead_take_again(ahead);
    free(bytes);
    free(half);
}

static void
expect_taken_unread(ahead_t *ahead)
{
    place_result_t result = ahead_placed(ahead);
    EXPECT_COUNT(result.files_written, 0);
    cr_expect(ahead->seen.read < MORE, "%llu bytes were read",
              (unsigned long long) ahead->seen.read);
    ahead_expect_placed(ahead);
}

Test(ahead_large, a_chunk_is_put_wherever_the_file_has_it_and_hashed_in_its_turn)
{
    ahead_t ahead;
    ahead_begin(&ahead, AS_STARTED);
    take_twice(&ahead);
    ahead_forget_list(&ahead);
    ahead_fetch(&ahead);
    expect_taken_unread(&ahead);
    ahead_end(&ahead);
}

Test(ahead_large, chunks_that_the_version_names_are_not_hashed_once_more)
{
    ahead_t ahead;
    ahead_begin(&ahead, AS_STARTED);
    take_twice(&ahead);
    uint64_t before = ahead.seen.read;
    ahead_fetch(&ahead);
    uint64_t read = ahead.seen.read - before;
    cr_expect(read < LARGE, "%llu bytes were read", (unsigned long long) read);
    expect_taken_unread(&ahead);
    ahead_end(&ahead);
}

/* Leaves a chunk of the large file out of the tree. */
static void
fetch_with_gap(ahead_t *ahead)
{
    ahead_fetch_nodes(ahead);
    cr_assert_gt(ahead_lacks(ahead), 4);
    uint32_t chunk = 0; /* its second one: there are some behind it */
    for (uint32_t i = 0, chunks = 0; i < ahead->lack.count && chunks < 2; i++) {
        chunks += ahead->range[i].size >= CHUNK_MIN && ahead->range[i].size != MORE;
        chunk = i;
    }
    ahead->left_out = ahead->range[chunk].object;
    ahead_come(ahead);
    cr_assert_eq(ahead_lacks(ahead), 0);
}

Test(ahead_large, a_file_with_a_gap_is_not_read_but_made_from_the_store)
{
    ahead_t ahead;
    ahead_begin(&ahead, AS_STARTED);
    fetch_with_gap(&ahead);
    cr_expect(ahead_is_staged(&ahead, "large"));
    place_result_t result = ahead_placed(&ahead);
    EXPECT_COUNT(result.files_written, 1);
    cr_expect(ahead.seen.read < LARGE + LARGE / 2, "the file with the gap was read");
    ahead_expect_placed(&ahead);
    ahead_end(&ahead);
}

/* Regions that are a chunk each: the longest, as there is nothing to cut at. */
static void
take_even_chunks(ahead_t *ahead)
{
    uint8_t *bytes = malloc(4 * CHUNK);
    for (uint8_t i = 0; i < 4; i++) {
        memset(bytes + i * CHUNK, i + 1, CHUNK);
    }
    ahead_write_file(ahead, "large", bytes, 4 * CHUNK);
    ahead_take_again(ahead);
    free(bytes);
}

Test(ahead_large, a_chunk_that_comes_twice_does_not_stand_for_another_one)
{
    ahead_t ahead;
    ahead_begin(&ahead, AS_STARTED);
    take_even_chunks(&ahead);
    ahead_fetch_nodes(&ahead);
    uint32_t count = ahead_lacks(&ahead), at = 0;
    while (at + 1 < count && ahead.range[at].size != CHUNK) {
        at++;
    }
    cr_assert_eq(ahead.range[at + 1].size, CHUNK);
    ahead.left_out = ahead.range[at + 1].object;
    ahead_come(&ahead);
    char *first = malloc(CHUNK);
    memset(first, 1, CHUNK);
    place_ahead_put(ahead.tree, ahead.yard.store, &ahead.range[at].object, (slice_t){first, CHUNK});
    free(first);
    cr_assert_eq(ahead_lacks(&ahead), 0);
    EXPECT_COUNT(ahead_placed(&ahead).files_written, 1);
    ahead_expect_placed(&ahead);
    ahead_end(&ahead);
}
