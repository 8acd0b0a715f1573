/* before_test.c - claims about chunks that are read from the version that stands at the point. */
#include "yard.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LARGE_BYTES (4u << 20) /* more than a dozen chunks */
#define OTHER_BYTES 64u        /* at its end, where the version after it differs */

static const char *const names[] = {"deep/er/large", "large"};
#define NAMES (sizeof names / sizeof names[0])

/* A large file of a version: `round` decides how it ends. The caller frees it. */
static uint8_t *
large_file(size_t name, uint64_t round)
{
    uint8_t *bytes = bytes_of_seed(LARGE_BYTES, 7 + name);
    uint8_t *end = bytes_of_seed(OTHER_BYTES, 100 + round);
    memcpy(bytes + LARGE_BYTES - OTHER_BYTES, end, OTHER_BYTES);
    free(end);
    return bytes;
}

static void
write_version(yard_t *yard, uint64_t round)
{
    for (size_t i = 0; i < NAMES; i++) {
        uint8_t *bytes = large_file(i, round);
        FILE *file = fopen(yard_path(yard, "source/%s", names[i]), "wb");
        cr_assert_eq(fwrite(bytes, 1, LARGE_BYTES, file), LARGE_BYTES);
        cr_assert_eq(fclose(file), 0);
        free(bytes);
    }
    take(yard);
}

/* One version stands, the next one is stored and ordered. */
static void
begin(yard_t *yard, user_t user)
{
    yard_begin(yard, user);
    make_directory(yard_path(yard, "source/deep"), 0755);
    make_directory(yard_path(yard, "source/deep/er"), 0755);
    write_version(yard, 1);
    placed(yard);
    write_version(yard, 2);
    yard->order.reads_before = true;
}

/* The chunk with which both versions of a large file begin. */
static digest_t
first_chunk(yard_t *yard, size_t name)
{
    uint8_t *bytes = large_file(name, 1);
    uint8_t *list = NULL;
    size_t size = 0;
    digest_t file;
    hash_bytes(yard->store->hash, bytes, LARGE_BYTES, &file);
    EXPECT_OK(yard, store_list(yard->store, &file, &list, &size, &yard->fault));
    cr_assert_gt(size, 8 * LIST_ROW_BYTES, "got %zu bytes of a list", size);
    digest_t chunk = list_row_decode(list).digest;
    free(list);
    free(bytes);
    return chunk;
}

/* Turns a bit of the chunk with which each large file begins, in the store. */
static void
damage_store(yard_t *yard)
{
    for (size_t i = 0; i < NAMES; i++) {
        digest_t chunk = first_chunk(yard, i);
        yard_rot(yard, &chunk, RECORD_HEAD_BYTES + 5, 1);
    }
}

static void
expect_placed(yard_t *yard, const char *story)
{
    place_result_t result;
    EXPECT_OK(yard, place(yard, &result));
    cr_expect(same_tree(yard->source, yard_path(yard, "root/P1/current")), "%s", story);
    cr_expect(verified(yard), "%s", story);
}

CLAIM_OF_BOTH(before, a_chunk_that_stands_at_the_point_is_read_there)
{
    yard_t yard;
    begin(&yard, user);
    damage_store(&yard); /* so that who read it there would notice */
    expect_placed(&yard, "the store's own are damaged");
    yard_end(&yard);
}

CLAIM_OF_BOTH(before, a_point_of_the_site_is_placed_from_the_store)
{
    yard_t yard;
    place_result_t result;
    begin(&yard, user);
    yard.order.reads_before = false;
    damage_store(&yard);
    EXPECT_ERR(&yard, ERR_DIGEST, place(&yard, &result));
    yard_end(&yard);
}

CLAIM_OF_BOTH(before, what_has_drifted_at_the_point_is_made_from_the_store)
{
    static const char *const drifts[] = {
        "printf x | dd of=$f conv=notrunc bs=1 seek=70000 status=none",
        "truncate -s 3000000 $f",
        "truncate -s 0 $f",
        "rm $f",
        "rm $f; mkfifo $f",
        "rm $f; mkdir $f",
        "mv $f $f.away; ln -s large.away $f",
        "rm -rf $(dirname $f)",
        "chmod 000 $f",
    };
    for (size_t i = 0; i < sizeof drifts / sizeof drifts[0]; i++) {
        yard_t yard;
        begin(&yard, user);
        run("f=%s; %s", yard_path(&yard, "root/P1/v1/%s", names[0]), drifts[i]);
        expect_placed(&yard, drifts[i]);
        yard_end(&yard);
    }
}

/* Both are wrong: the store's is set aside, so that it is fetched. */
CLAIM_OF_BOTH(before, what_is_damaged_in_both_places_is_told_as_the_stores)
{
    yard_t yard;
    place_result_t result;
    begin(&yard, user);
    damage_store(&yard);
    for (size_t i = 0; i < NAMES; i++) {
        run("printf x | dd of=%s conv=notrunc bs=1 seek=7 status=none",
            yard_path(&yard, "root/P1/v1/%s", names[i]));
    }
    EXPECT_ERR(&yard, ERR_DIGEST, place(&yard, &result));
    cr_expect(store_has_damage(yard.store));
    yard_end(&yard);
}

CLAIM_OF_BOTH(before, a_version_whose_receipt_is_gone_is_made_from_the_store)
{
    yard_t yard;
    begin(&yard, user);
    run("rm %s", yard_path(&yard, "root/.despool/receipts/P1"));
    expect_placed(&yard, "no receipt");
    yard_end(&yard);
}
