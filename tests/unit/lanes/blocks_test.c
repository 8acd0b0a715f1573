/* blocks_test.c - the small blocks that a thread has freed, and uses again. */
#include <criterion/criterion.h>
#include <stdlib.h>

#include "runtime/inside.h"

#define SHORT ENVELOPE_SHORT
#define MANY  (2 * 262144 / SHORT)

static uint32_t
kept(size_t size)
{
    uint32_t count = 0;
    for (const block_t *block = block_cache.first[block_size(size)]; block != NULL;
         block = block->next) {
        count++;
    }
    return count;
}

static void
take_and_give(size_t size)
{
    static void *memory[MANY];
    for (uint32_t i = 0; i < MANY; i++) {
        memory[i] = memory_take(size);
    }
    for (uint32_t i = 0; i < MANY; i++) {
        memory_give(memory[i], size);
    }
}

Test(blocks, of_each_size_no_more_than_their_bytes_are_kept)
{
    static const size_t sizes[] = {SHORT, sizeof(envelope_t), 1016};
    for (uint32_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        for (uint32_t times = 0; times < 3; times++) {
            take_and_give(sizes[i]);
        }
        cr_expect_leq(kept(sizes[i]) * sizes[i], BLOCK_BYTES_KEPT,
                      "%u blocks of %zu bytes are kept, expected %u bytes at most", kept(sizes[i]),
                      sizes[i], BLOCK_BYTES_KEPT);
    }
    memory_thread_ends();
    cr_expect_eq(kept(SHORT), 0, "%u are left by a thread that ends", kept(SHORT));
}

Test(blocks, the_last_one_that_was_given_is_the_next)
{
    void *first = memory_take(SHORT);
    void *second = memory_take(SHORT);
    memory_give(first, SHORT);
    memory_give(second, SHORT);
    cr_expect(memory_is_at_hand(SHORT), "the short ways of a message are not taken");
    cr_expect_eq(memory_take(SHORT), second);
    cr_expect_eq(memory_take_at_hand(SHORT), first);
    memory_give(second, SHORT);
    memory_give(first, SHORT);
    memory_thread_ends();
}

Test(blocks, a_batch_that_was_packed_is_the_next_one)
{
    loaded_edge_t edge = {.batches = true};
    envelope_t *first = batch_begin(&edge, 1, 2, sizeof(uint64_t));
    batch_free(first);
    uint32_t are_kept = kept(BATCH_BLOCK);
    envelope_t *next = batch_begin(&edge, 1, 2, sizeof(uint64_t));
    cr_expect(are_kept == 1 && next == first && kept(BATCH_BLOCK) == 0,
              "%u kept, and then %u: expected the one and none", are_kept, kept(BATCH_BLOCK));
    batch_free(next);
    memory_thread_ends();
}

/* Whether a sanitizer, where there is one, would report who looks there. */
static bool
is_shut(const void *block, size_t at)
{
#if BLOCKS_SHUT
    return __asan_address_is_poisoned((const char *) block + at) != 0;
#else
    return block != NULL && at > 0;
#endif
}

Test(blocks, a_sanitizer_sees_who_looks_into_what_was_given_back_or_beyond_what_was_taken)
{
    enum { TAKEN = 100, LAST = 103 }; /* and the last byte of the block */
    char *block = memory_take(TAKEN);
    memset(block, 1, TAKEN);
    cr_expect(is_shut(block, TAKEN) && is_shut(block, LAST), "it is open beyond what was taken");
    memory_give(block, TAKEN);
    cr_expect(is_shut(block, sizeof(block_t)) && is_shut(block, TAKEN - 1), "it is still open");
    cr_expect_eq(memory_take(LAST), block);
    memset(block, 2, LAST);
    cr_expect(is_shut(block, LAST), "it is open beyond what was taken");
    memory_give(block, LAST);
    memory_thread_ends();
}
