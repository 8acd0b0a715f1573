/* store_early_test.c - claims about large files, whose next chunks are expanded early. */
#include "yard.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "runtime/job_hands.h"

#define TEXT_BYTES (8u << 20) /* some thirty chunks, all of them squeezed */

/* Numbers in words, each of them once: zstd makes them smaller, and no chunk is another. */
static uint8_t *
make_text(void)
{
    char *text = calloc(TEXT_BYTES + 16, 1);
    for (uint32_t i = 0; i < TEXT_BYTES / 8; i++) {
        snprintf(text + i * 8u, 16, "%08u", i * 48271u % 99999989u);
    }
    return (uint8_t *) text;
}

/* How many bytes come before the end, or what is wrong with them. */
static err_t
read_through(yard_t *yard, const digest_t *file, const uint8_t *bytes, uint64_t *ret_size)
{
    const void *block = NULL;
    size_t size = 0;
    err_t err = store_begin(yard->store, file, ret_size, &yard->fault);
    *ret_size = 0;
    while (err == OK) {
        err = store_next(yard->store, &block, &size, &yard->fault);
        if (err != OK || size == 0) {
            break;
        }
        cr_assert_leq(*ret_size + size, TEXT_BYTES);
        cr_assert(bytes == NULL || memcmp(block, bytes + *ret_size, size) == 0,
                  "the block at %llu differs", (unsigned long long) *ret_size);
        *ret_size += size;
    }
    return err;
}

/* A yard whose store has the text as a large file, and three hands that nobody uses yet. */
typedef struct large {
    yard_t yard;
    uint8_t *text;
    hands_t *hands;
    digest_t file;
} large_t;

static void
large_begin(large_t *large)
{
    large->text = make_text();
    large->hands = hands_new(3);
    yard_begin(&large->yard, AS_STARTED);
    large->file = yard_put_file(&large->yard, "file", large->text, TEXT_BYTES).digest;
    EXPECT_OK(&large->yard, store_commit(large->yard.store, &large->yard.fault));
}

static void
large_end(large_t *large)
{
    yard_end(&large->yard);
    hands_destroy(&large->hands);
    free(large->text);
}

Test(store_early, a_large_file_reads_alike_with_many_hands_and_with_none)
{
    large_t large;
    yard_t *yard = &large.yard;
    uint64_t size = 0;
    large_begin(&large);
    for (unsigned round = 0; round < 4; round++) {
        yard->world->hands = round % 2 == 0 ? NULL : hands_of(large.hands);
        EXPECT_OK(yard, read_through(yard, &large.file, large.text, &size));
        EXPECT_COUNT(size, TEXT_BYTES);
    }
    large_end(&large);
}

Test(store_early, one_that_is_broken_off_leaves_nothing_to_the_next)
{
    large_t large;
    yard_t *yard = &large.yard;
    uint64_t size = 0;
    const void *block = NULL;
    size_t got = 0;
    large_begin(&large);
    for (size_t i = 0; i < TEXT_BYTES; i++) {
        large.text[i] ^= 1;
    }
    store_put_t other = yard_put_file(yard, "other", large.text, TEXT_BYTES);
    EXPECT_OK(yard, store_commit(yard->store, &yard->fault));
    yard->world->hands = hands_of(large.hands);
    for (unsigned round = 0; round < 3; round++) {
        EXPECT_OK(yard, store_begin(yard->store, &large.file, &size, &yard->fault));
        for (unsigned i = 0; i < round; i++) {
            EXPECT_OK(yard, store_next(yard->store, &block, &got, &yard->fault));
        }
        EXPECT_OK(yard, read_through(yard, &other.digest, large.text, &size));
        EXPECT_COUNT(size, TEXT_BYTES);
    }
    large_end(&large);
}

Test(store_early, a_chunk_that_is_damaged_is_met_whoever_expands_it)
{
    large_t large;
    yard_t *yard = &large.yard;
    uint64_t size = 0;
    large_begin(&large);
    run("f=$(ls %s/store/packs/*.pack) && s=$(stat -c %%s $f) && head -c 4096 /dev/urandom | "
        "dd of=$f bs=1 seek=$((s / 2)) conv=notrunc status=none",
        yard->data);
    yard_reopen(yard);
    for (unsigned round = 0; round < 2; round++) {
        yard->world->hands = round == 0 ? NULL : hands_of(large.hands);
        cr_expect_eq(read_through(yard, &large.file, NULL, &size), ERR_DIGEST);
    }
    large_end(&large);
}
