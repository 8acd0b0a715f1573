/* store_scrub_test.c - claims about a store that is read again by portions, while it is in use. */
#include "yard.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include "actors/content/store_inner.h"

#define MIB     1048576u
#define OBJECTS 5u
#define PORTION 700000u /* bytes: less than one pack */

/* One pack each, for a store that is opened anew begins another one. */
static digest_t
put_in_a_pack(yard_t *yard, uint64_t seed)
{
    store_put_t put = {0};
    uint8_t *bytes = bytes_of_seed(MIB, seed);
    yard_reopen(yard);
    EXPECT_OK(yard, store_put_bytes(yard->store, bytes, MIB / 4, &put, &yard->fault));
    EXPECT_OK(yard, store_put_bytes(yard->store, bytes + MIB / 4, MIB / 4, &put, &yard->fault));
    EXPECT_OK(yard, store_put_bytes(yard->store, bytes + MIB / 2, MIB / 2, &put, &yard->fault));
    EXPECT_OK(yard, store_commit(yard->store, &yard->fault));
    free(bytes);
    return put.digest;
}

static void
yard_of_packs(yard_t *yard, user_t user, digest_t *ret_last)
{
    yard_begin(yard, user);
    for (uint64_t i = 0; i < OBJECTS; i++) {
        *ret_last = put_in_a_pack(yard, i + 1);
    }
    yard_reopen(yard);
}

static store_scrubbed_t
portion(yard_t *yard, const store_scrubbed_t *from)
{
    store_scrubbed_t result = {0};
    EXPECT_OK(yard,
              store_scrub(yard->store, from->pack, from->offset, PORTION, &result, &yard->fault));
    return result;
}

/* By portions, the store opened anew for each, from the first pack to the end of the last. */
static store_scrubbed_t
read_whole(yard_t *yard, uint32_t *ret_portions)
{
    store_scrubbed_t sum = {0}, at = {0};
    *ret_portions = 0;
    do {
        yard_reopen(yard);
        at = portion(yard, &at);
        sum.bytes += at.bytes;
        sum.damaged += at.damaged;
        cr_assert(++*ret_portions < 100, "it comes to no end");
    } while (at.pack != 0);
    return sum;
}

static const char *
pack_path(yard_t *yard, uint64_t id)
{
    char name[RUN_NAME_BYTES];
    store_pack_name(id, name);
    return yard_path(yard, "data/store/packs/%s", name);
}

static void
flip(yard_t *yard, uint64_t pack, uint64_t at)
{
    uint8_t byte;
    int fd = open(pack_path(yard, pack), O_RDWR | O_CLOEXEC);
    cr_assert_eq(pread(fd, &byte, 1, (off_t) at), 1);
    byte ^= 4;
    cr_assert_eq(pwrite(fd, &byte, 1, (off_t) at), 1);
    close(fd);
}

CLAIM_OF_BOTH(scrub, portions_read_each_byte_of_each_pack_once_and_find_nothing_where_all_is_well)
{
    yard_t yard;
    digest_t last;
    uint32_t portions = 0;
    yard_of_packs(&yard, user, &last);
    store_scrubbed_t found = read_whole(&yard, &portions);
    EXPECT_COUNT(found.damaged, 0);
    cr_expect(found.bytes >= OBJECTS * MIB && found.bytes < OBJECTS * (MIB + 4096),
              "%llu bytes were read", (unsigned long long) found.bytes);
    cr_expect(portions > OBJECTS, "%u portions: one took more than it may", portions);
    yard_end(&yard);
}

/* At a record's bytes, and at its head, which leaves it unmet by who goes over the pack. */
CLAIM_OF_BOTH(scrub, a_flipped_bit_is_found_and_set_aside_so_that_the_object_can_be_put_again)
{
    static const uint64_t places[] = {RECORD_HEAD_BYTES + 1000, 4};
    yard_t yard;
    digest_t last;
    uint32_t portions = 0;
    yard_of_packs(&yard, user, &last);
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        bool has = true;
        run_entry_t entry = yard_place_of(&yard, &last);
        flip(&yard, entry.pack, entry.offset + places[i]);
        EXPECT_COUNT(read_whole(&yard, &portions).damaged, 1);
        yard_reopen(&yard);
        EXPECT_OK(&yard, store_has(yard.store, &last, &has, &yard.fault));
        cr_expect_not(has, "it counts as there");
        EXPECT_COUNT(read_whole(&yard, &portions).damaged, 0); /* it is told once */
        put_in_a_pack(&yard, OBJECTS);
        yard_reopen(&yard);
        EXPECT_OK(&yard, store_has(yard.store, &last, &has, &yard.fault));
        cr_expect(has, "it was not stored again");
    }
    yard_end(&yard);
}

/* What a kill left behind the last record, and a record that another one stands for. */
CLAIM_OF_BOTH(scrub, what_the_index_does_not_name_is_no_damage)
{
    yard_t yard;
    digest_t last;
    uint32_t portions = 0;
    yard_of_packs(&yard, user, &last);
    run_entry_t entry = yard_place_of(&yard, &last);
    int fd = open(pack_path(&yard, entry.pack), O_WRONLY | O_APPEND | O_CLOEXEC);
    static const uint8_t rest[4000] = {7, 7, 7};
    cr_assert_eq(write(fd, rest, sizeof rest), (ssize_t) sizeof rest);
    close(fd);
    EXPECT_COUNT(read_whole(&yard, &portions).damaged, 0);
    yard_end(&yard);
}

CLAIM_OF_BOTH(scrub, a_pack_that_was_collected_is_passed_over)
{
    yard_t yard;
    digest_t last;
    yard_of_packs(&yard, user, &last);
    store_scrubbed_t first = {0}, at = portion(&yard, &first);
    run("rm %s", pack_path(&yard, at.pack));
    yard_reopen(&yard);
    uint64_t gone = at.pack;
    at = portion(&yard, &at);
    cr_expect(at.pack > gone && at.bytes > 0, "it does not go on");
    yard_end(&yard);
}

/* Both versions are put by one job after the other into one pack; or each into its own. */
CLAIM_OF_BOTH(store, run_of_the_index_that_is_gone_is_noticed_and_its_objects_are_named_again)
{
    for (int own = 0; own < 2; own++) {
        yard_t yard;
        digest_t roots[2];
        uint64_t objects = 0, again = 1;
        yard_begin(&yard, user);
        make_tree(&yard);
        take(&yard);
        roots[0] = yard.snapshot.root;
        store_left_t left = store_left(yard.store);
        yard_reopen(&yard);
        if (!own) {
            EXPECT_OK(&yard, store_go_on(yard.store, &left, &yard.fault));
        }
        run("touch -d '1 hour ago' %s/store/index/*", yard.data);
        make_file(yard_path(&yard, "source/more"), "one more", 0644);
        take(&yard);
        roots[1] = yard.snapshot.root;
        EXPECT_COUNT(yard.store->runs, 2);
        run("cd %s/store/index && rm $(ls -tr | head -1)", yard.data);
        yard_reopen(&yard);
        store_checked_t checked;
        EXPECT_OK(&yard,
                  store_check(yard.store, roots, 2, false, NULL, NULL, &checked, &yard.fault));
        EXPECT_COUNT(checked.pages_damaged, 1);
        EXPECT_OK(&yard, store_mend_index(yard.store, true, &objects, &yard.fault));
        cr_expect_gt(objects, 10, "%u objects", (unsigned) objects);
        EXPECT_OK(&yard, store_mend_index(yard.store, true, &again, &yard.fault));
        EXPECT_COUNT(again, 0);
        yard.order.root = roots[0];
        placed(&yard);
        cr_expect(verified(&yard));
        yard_end(&yard);
    }
}

/* The list of the large file stands beside what the version needs, its chunks do not. */
CLAIM_OF_BOTH(store, large_file_is_not_there_when_its_chunks_were_collected)
{
    yard_t yard;
    uint8_t *bytes = bytes_of_seed(8 * MIB, 9), *others = bytes_of_seed(24 * MIB, 10);
    store_collected_t collected;
    bool has = false, named = false;
    store_place_t place;
    yard_begin(&yard, user);
    make_tree(&yard);
    yard_put_file(&yard, "big", bytes, 7 * MIB);
    EXPECT_OK(&yard, store_commit(yard.store, &yard.fault));
    yard_reopen(&yard);
    digest_t longer = yard_put_file(&yard, "big", bytes, 8 * MIB).digest;
    yard_put_file(&yard, "source/others", others, 24 * MIB);
    take(&yard);
    EXPECT_OK(&yard, store_has(yard.store, &longer, &has, &yard.fault));
    cr_expect(has);
    yard_reopen(&yard);
    EXPECT_OK(&yard, store_collect(yard.store, &yard.snapshot.root, 1, false, NULL, NULL,
                                   &collected, &yard.fault));
    run("test $(ls %s/store/packs | wc -l) = 1", yard.data);
    yard_reopen(&yard);
    EXPECT_OK(&yard, store_find(yard.store, &longer, false, &place, &named, &yard.fault));
    cr_expect(named && place.entry.kind == PACK_LIST, "its list went with the chunks");
    EXPECT_OK(&yard, store_has(yard.store, &longer, &has, &yard.fault));
    cr_expect_not(has, "its list is there, and its chunks are not");
    free(bytes);
    free(others);
    yard_end(&yard);
}
