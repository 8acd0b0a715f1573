/* store_first_test.c - claims about reading the beginning of an object, and it as it is stored. */
#include "watched.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "actors/content/squeeze.h"

#define MIB 1048576u

/* Numbers in words: zstd makes them smaller. */
static uint8_t *
text_of(size_t size)
{
    char *text = calloc(size + 16, 1);
    for (size_t i = 0; i < size; i += 8) {
        snprintf(text + i, 16, "%08zu", i * 2654435761u % 99999989);
    }
    return (uint8_t *) text;
}

static void
expect_first(yard_t *yard, const digest_t *digest, const uint8_t *bytes, size_t size)
{
    static const size_t most[] = {0, 1, 4096, 131071, 131072, 131073, 262144, 500000, MIB};
    uint8_t *first = malloc(MIB);
    squeeze_t squeeze = {0};
    stored_object_t its;
    EXPECT_OK(yard, store_as_stored_unchecked(yard->store, digest, &its, &yard->fault));
    EXPECT_COUNT(its.size, size);
    for (size_t i = 0; i < sizeof most / sizeof most[0]; i++) {
        size_t wanted = most[i] < size ? most[i] : size;
        const void *got = its.packed ? (const void *) first : its.bytes.data;
        cr_expect(!its.packed ||
                  expand_first(&squeeze, its.bytes.data, its.bytes.size, first, wanted) == OK);
        cr_expect(memcmp(got, bytes, wanted) == 0, "the first %zu bytes differ", wanted);
    }
    squeeze_release(&squeeze);
    free(first);
}

CLAIM_OF_BOTH(store_first, reads_the_first_bytes_of_an_object_and_no_others)
{
    yard_t yard;
    yard_begin(&yard, user);
    uint8_t *noise = bytes_of_seed(3 * MIB, 8), *text = text_of(600000);
    store_put_t large = yard_put_file(&yard, "large", noise, 3 * MIB);
    digest_t plain = yard_put_bytes(&yard, noise, 400000),
             packed = yard_put_bytes(&yard, text, 600000);
    stored_object_t stored;
    squeeze_t squeeze = {0};
    EXPECT_OK(&yard, store_commit(yard.store, &yard.fault));
    expect_first(&yard, &plain, noise, 400000);
    expect_first(&yard, &packed, text, 600000);
    EXPECT_OK(&yard, store_as_stored_unchecked(yard.store, &large.digest, &stored, &yard.fault));
    EXPECT_COUNT(stored.size, 0); /* it is a list */
    EXPECT_OK(&yard, store_as_stored(yard.store, &packed, &stored, &yard.fault));
    cr_expect(stored.packed);
    cr_expect_eq(expand_first(&squeeze, stored.bytes.data, stored.bytes.size / 3, text, 500000),
                 ERR_DAMAGED, "a frame that was cut gives as much as a whole one");
    squeeze_release(&squeeze);
    free(noise);
    free(text);
    yard_end(&yard);
}

static void
expect_unpacked(const stored_object_t *stored, const uint8_t *bytes, size_t size)
{
    squeeze_t squeeze = {0};
    uint8_t *unpacked = malloc(size);
    const void *frames = stored->bytes.data;
    cr_expect_eq(expand(&squeeze, frames, stored->bytes.size, unpacked, size), OK);
    cr_expect_arr_eq(unpacked, bytes, size);
    memset(unpacked, 0, size);
    cr_expect_eq(expand_first(&squeeze, frames, stored->bytes.size, unpacked, size - 1), OK);
    cr_expect_arr_eq(unpacked, bytes, size - 1);
    squeeze_release(&squeeze);
    free(unpacked);
}

Test(store_first, a_file_of_few_chunks_is_as_stored_what_was_made_of_each)
{
    yard_t yard;
    stored_object_t stored;
    yard_begin(&yard, AS_STARTED);
    uint8_t *text = text_of(MIB + 1), *noise = bytes_of_seed(MIB, 9);
    store_put_t file = yard_put_file(&yard, "file", text, MIB),
                larger = yard_put_file(&yard, "larger", text, MIB + 1);
    memcpy(noise, text, MIB / 2);
    store_put_t mixed = yard_put_file(&yard, "mixed", noise, MIB);
    EXPECT_OK(&yard, store_commit(yard.store, &yard.fault));
    EXPECT_OK(&yard, store_as_stored(yard.store, &file.digest, &stored, &yard.fault));
    cr_assert(stored.packed && stored.size == MIB && stored.bytes.size < MIB);
    expect_unpacked(&stored, text, MIB);
    EXPECT_OK(&yard, store_as_stored(yard.store, &larger.digest, &stored, &yard.fault));
    EXPECT_COUNT(stored.size, 0); /* it is not sent in one piece */
    EXPECT_OK(&yard, store_as_stored(yard.store, &mixed.digest, &stored, &yard.fault));
    EXPECT_COUNT(stored.size, 0); /* of noise nothing was made */
    free(text);
    free(noise);
    yard_end(&yard);
}
