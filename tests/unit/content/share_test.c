/* share_test.c - claims about readers of one object who have its chunks in common. */
#include "yard.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "actors/content/hash.h"
#include "runtime/job_common.h"

#define BIG (16u << 20) /* bytes: more chunks than are kept for others, which do not squeeze */

/* A reader of the store with a world and a seat of its own. */
typedef struct reader {
    world_t world; /* first: what reads is given this one */
    world_calls_t calls;
    world_t *real;
    uint64_t reads;
    common_seat_t seat;
    store_t *store;
    hash_t *hash;
    uint64_t size;
    err_t err;
    bool ended;
    digest_t got;
} reader_t;

static uint64_t flip_reads_from; /* bytes of a read that is this long get one wrong bit; 0: none */

/* Takes its next block while another one reads. */
static reader_t *meanwhile;
static void reader_next(reader_t *reader);

static int64_t
flipping_read(world_t *world, int fd, void *bytes, size_t size, uint64_t offset)
{
    reader_t *reader = (reader_t *) (void *) world;
    reader_t *other = meanwhile;
    meanwhile = NULL;
    if (other != NULL) {
        reader_next(other);
    }
    int64_t got = world_read(reader->real, fd, bytes, size, offset);
    reader->reads++;
    if (flip_reads_from > 0 && got > (int64_t) flip_reads_from) {
        ((uint8_t *) bytes)[flip_reads_from] ^= 1;
        flip_reads_from = 0;
    }
    return got;
}

static digest_t
big_object(yard_t *yard)
{
    store_put_t put;
    uint8_t *bytes = bytes_of_seed(BIG, 7);
    FILE *file = fopen(yard_path(yard, "source/big"), "w");
    cr_assert_eq(fwrite(bytes, 1, BIG, file), BIG);
    fclose(file);
    free(bytes);
    int fd = world_open(yard->world, AT_FDCWD, yard_path(yard, "source/big"), O_RDONLY, 0, 0);
    EXPECT_OK(yard, store_put_file(yard->store, fd, "big", &put, &yard->fault));
    EXPECT_OK(yard, store_commit(yard->store, &yard->fault));
    world_close(yard->world, fd);
    return put.digest;
}

static void
reader_begin(reader_t *reader, yard_t *yard, common_t *common, const digest_t *object)
{
    *reader = (reader_t){.real = yard->world, .calls = *yard->world->call};
    reader->calls.read = flipping_read;
    reader->world = (world_t){.call = &reader->calls,
                              .self = yard->world->self,
                              .common = common_seat(common, &reader->seat)};
    EXPECT_OK(yard, hash_new(&reader->hash));
    hash_begin(reader->hash);
    EXPECT_OK(yard, store_open(&reader->world, yard_path(yard, "data/store"), &reader->store,
                               &yard->fault));
    store_join(reader->store, object);
    EXPECT_OK(yard, store_begin(reader->store, object, &reader->size, &yard->fault));
    reader->reads = 0;
}

static void
reader_end(reader_t *reader)
{
    store_close(&reader->store);
    hash_destroy(&reader->hash);
}

static void
reader_next(reader_t *reader)
{
    const void *bytes = NULL;
    size_t size = 0;
    if (reader->ended) {
        return;
    }
    reader->err = store_next(reader->store, &bytes, &size, NULL);
    reader->ended = reader->err != OK || size == 0;
    if (!reader->ended) {
        hash_add(reader->hash, bytes, size);
    } else {
        hash_end(reader->hash, &reader->got);
    }
}

static void
expect_right(const reader_t *reader, const digest_t *object)
{
    cr_expect(reader->err == OK, "got %s, expected ok", err_word(reader->err));
    cr_expect(digest_equal(&reader->got, object), "what was handed out is not the object");
}

Test(share, who_reads_beside_another_reads_no_chunk_of_the_store)
{
    yard_t yard;
    yard_begin(&yard, AS_STARTED);
    digest_t object = big_object(&yard);
    common_t *common = common_new(0);
    reader_t a;
    reader_t b;
    reader_begin(&a, &yard, common, &object);
    reader_begin(&b, &yard, common, &object);
    while (!a.ended || !b.ended) {
        reader_next(&a);
        reader_next(&b);
    }
    expect_right(&a, &object);
    expect_right(&b, &object);
    cr_expect(a.reads > 0, "the first one reads");
    EXPECT_COUNT(b.reads, 0);
    reader_end(&a);
    reader_end(&b);
    common_destroy(&common);
    yard_end(&yard);
}

/* While A makes the first chunk, B reads it by itself, with a wrong bit. */
Test(share, who_has_handed_out_wrong_bytes_is_told_whatever_others_made)
{
    yard_t yard;
    yard_begin(&yard, AS_STARTED);
    digest_t object = big_object(&yard);
    common_t *common = common_new(0);
    reader_t a;
    reader_t b;
    reader_begin(&a, &yard, common, &object);
    reader_begin(&b, &yard, common, &object);
    flip_reads_from = 4096;
    meanwhile = &b;
    reader_next(&a);
    cr_expect_eq(flip_reads_from, 0, "no bit was wrong");
    while (!a.ended || !b.ended) {
        reader_next(&a);
        reader_next(&b);
    }
    expect_right(&a, &object);
    cr_expect(b.err == ERR_DIGEST, "got %s, expected digest", err_word(b.err));
    reader_end(&a);
    reader_end(&b);
    common_destroy(&common);
    yard_end(&yard);
}

/* The maker's bytes were wrong: all who took them are told. */
Test(share, wrong_bytes_that_were_shared_are_told_to_all)
{
    yard_t yard;
    yard_begin(&yard, AS_STARTED);
    digest_t object = big_object(&yard);
    common_t *common = common_new(0);
    reader_t a;
    reader_t b;
    reader_begin(&a, &yard, common, &object);
    reader_begin(&b, &yard, common, &object);
    flip_reads_from = 4096;
    while (!a.ended || !b.ended) {
        reader_next(&a);
        reader_next(&b);
    }
    cr_expect(a.err == ERR_DIGEST, "got %s, expected digest", err_word(a.err));
    cr_expect(b.err == ERR_DIGEST, "got %s, expected digest", err_word(b.err));
    reader_end(&a);
    reader_end(&b);
    common_destroy(&common);
    yard_end(&yard);
}

/* B stops after a chunk, as one whose disk hangs; A goes on to the end, and B, back, alone. */
Test(share, who_stops_holds_nobody_up_and_goes_on_from_where_it_was)
{
    yard_t yard;
    yard_begin(&yard, AS_STARTED);
    digest_t object = big_object(&yard);
    common_t *common = common_new(0);
    reader_t a;
    reader_t b;
    reader_begin(&a, &yard, common, &object);
    reader_begin(&b, &yard, common, &object);
    reader_next(&a);
    reader_next(&b);
    while (!a.ended) {
        reader_next(&a);
    }
    reader_end(&a);
    while (!b.ended) {
        reader_next(&b);
    }
    expect_right(&b, &object);
    reader_end(&b);
    common_destroy(&common);
    yard_end(&yard);
}
