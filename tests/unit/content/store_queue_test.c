/* store_queue_test.c - claims about objects whose records are still being made. */
#include "watched.h"

#include <stdlib.h>
#include <string.h>
#include "actors/content/store_inner.h"

#define MIB 1048576u

static void
expect_after_reopening(yard_t *yard, const digest_t *digest, const void *bytes, size_t size)
{
    void *found = NULL;
    size_t found_size = 0;
    yard_reopen(yard);
    EXPECT_OK(yard, store_read(yard->store, digest, size, &found, &found_size, &yard->fault));
    cr_expect(found_size == size && memcmp(found, bytes, size) == 0, "the bytes differ");
    free(found);
}

/* Every record is committed by itself here, and when the list comes its chunks are being squeezed.
 */
CLAIM_OF_BOTH(store_queue, a_list_is_never_there_without_its_chunks)
{
    yard_t yard;
    yard_begin(&yard, user);
    yard.store->pack_bytes = 1;
    uint8_t *noise = bytes_of_seed(MIB, 6);
    store_put_t put = yard_put_file(&yard, "large", noise, MIB);
    expect_after_reopening(&yard, &put.digest, noise, MIB); /* nobody committed */
    free(noise);
    yard_end(&yard);
}

CLAIM_OF_BOTH(store_queue, keeps_once_what_is_put_twice_in_a_row)
{
    yard_t yard;
    yard_begin(&yard, user);
    uint8_t *noise = bytes_of_seed(9000, 7);
    store_put_t put = {0};
    for (unsigned i = 0; i < 3; i++) {
        EXPECT_OK(&yard, store_put_bytes(yard.store, noise, 9000, &put, &yard.fault));
        EXPECT_COUNT(put.new_bytes, i == 0 ? 9000 : 0);
    }
    EXPECT_OK(&yard, store_commit(yard.store, &yard.fault));
    cr_expect(store_appended(yard.store) < 10000, "%llu bytes were appended",
              (unsigned long long) store_appended(yard.store));
    expect_after_reopening(&yard, &put.digest, noise, 9000);
    free(noise);
    yard_end(&yard);
}
