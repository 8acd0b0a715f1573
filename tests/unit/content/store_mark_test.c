/* store_mark_test.c - claims about what a collection and a check believe that a version needs. */
#include "yard.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "actors/content/walk.h"

/* The node of the first directory in the version that was taken last. */
static digest_t
node_of(yard_t *yard)
{
    walk_t *walk = NULL;
    walk_event_t event = {.step = WALK_ENTRY};
    EXPECT_OK(yard, walk_new(yard->store, &yard->snapshot.root, &walk, &yard->fault));
    while (event.step == WALK_ENTRY) {
        EXPECT_OK(yard, walk_next(walk, &event, &yard->fault));
    }
    cr_assert_eq(event.step, WALK_ENTER);
    walk_destroy(&walk);
    return event.entry.digest;
}

/* A file whose bytes are those of this node. */
static void
make_file_of_node(yard_t *yard, const digest_t *node, const char *name)
{
    void *bytes = NULL;
    size_t size = 0;
    EXPECT_OK(yard, store_read(yard->store, node, 1u << 20, &bytes, &size, &yard->fault));
    digest_t file = yard_put_file(yard, name, bytes, size).digest;
    cr_assert(digest_equal(&file, node));
    free(bytes);
}

static void
collect(yard_t *yard, const digest_t *roots, size_t count)
{
    store_collected_t collected = {0};
    yard_reopen(yard);
    EXPECT_OK(yard, store_collect(yard->store, roots, count, false, NULL, NULL, &collected,
                                  &yard->fault));
    yard_reopen(yard);
}

/* Who builds a package has the bytes of any file in hand; the digest of both is the same. */
CLAIM_OF_BOTH(store, a_file_with_the_bytes_of_a_directory_hides_nothing_that_is_in_it)
{
    for (int apart = 0; apart < 2; apart++) {
        yard_t yard;
        digest_t roots[2];
        store_checked_t checked = {0};
        uint64_t missing[2] = {0};
        yard_begin(&yard, user);
        make_directory(yard_path(&yard, "source/d"), 0755);
        make_file(yard_path(&yard, "source/d/x"), "what the directory leads to", 0644);
        take(&yard);
        roots[1] = yard.snapshot.root;
        digest_t node = node_of(&yard);
        make_file_of_node(&yard, &node, "source/a"); /* which comes before it */
        if (apart) {
            run("rm -r %s", yard_path(&yard, "source/d"));
        }
        take(&yard);
        roots[0] = yard.snapshot.root;
        digest_t x = yard_put_bytes(&yard, "what the directory leads to", 27);
        collect(&yard, roots, apart ? 2 : 1);
        bool has = false;
        EXPECT_OK(&yard, store_has(yard.store, &x, &has, &yard.fault));
        cr_expect(has, "what is in a directory was taken away%s",
                  apart ? ", with a file of another version" : "");
        yard.order.root = roots[apart];
        placed(&yard);
        cr_expect(verified(&yard));
        run_entry_t entry = yard_place_of(&yard, &x);
        EXPECT_OK(&yard, store_note_damage(yard.store, &entry, &yard.fault));
        EXPECT_OK(&yard, store_check_explained(yard.store, &roots[apart], 1, false, NULL, NULL,
                                               &checked, missing, &yard.fault));
        EXPECT_COUNT(missing[0], 1);
        yard_end(&yard);
    }
}

static void
rot(yard_t *yard, const digest_t *digest)
{
    run_entry_t entry = yard_place_of(yard, digest);
    char name[RUN_NAME_BYTES];
    uint8_t byte;
    off_t where = (off_t) (entry.offset + RECORD_HEAD_BYTES + 9);
    store_pack_name(entry.pack, name);
    int fd = open(yard_path(yard, "data/store/packs/%s", name), O_RDWR | O_CLOEXEC);
    cr_assert_eq(pread(fd, &byte, 1, where), 1);
    byte ^= 4;
    cr_assert_eq(pwrite(fd, &byte, 1, where), 1);
    close(fd);
    yard_reopen(yard);
}

/* Its version is stored again for the sake of one node, and not for all that this has led to. */
CLAIM_OF_BOTH(store, a_directory_that_proved_damaged_loses_nothing_that_is_in_it)
{
    yard_t yard;
    bool has = false;
    store_collected_t collected = {0};
    yard_begin(&yard, user);
    digest_t x = yard_put_bytes(&yard, "what the directory leads to", 27);
    EXPECT_OK(&yard, store_commit(yard.store, &yard.fault));
    yard_put_bytes(&yard, "some bytes that nobody needs", 28); /* in the pack of x */
    EXPECT_OK(&yard, store_commit(yard.store, &yard.fault));
    yard_reopen(&yard);
    make_directory(yard_path(&yard, "source/d"), 0755);
    make_file(yard_path(&yard, "source/d/x"), "what the directory leads to", 0644);
    take(&yard);
    digest_t node = node_of(&yard);
    rot(&yard, &node);
    for (int i = 0; i < 3; i++) { /* at first nobody knows of it */
        size_t root = 1;
        err_t err = store_collect(yard.store, &yard.snapshot.root, 1, false, NULL, NULL, &collected,
                                  &yard.fault);
        cr_expect_eq(err, i == 0 ? ERR_DIGEST : ERR_NOT_STORED, "collection %d", i);
        cr_expect(store_collect_lacked(yard.store, &root) && root == 0);
        yard_reopen(&yard);
    }
    EXPECT_OK(&yard, store_has(yard.store, &x, &has, &yard.fault));
    cr_expect(has, "what was in the directory was taken away");
    take(&yard); /* what was set aside is stored again */
    collect(&yard, &yard.snapshot.root, 1);
    placed(&yard);
    cr_expect(verified(&yard));
    yard_end(&yard);
}

/* A pack that a disk has zeroed, say: as many records as it holds are damaged. All of them have to
 * be known when the version is stored again, or it would rely on those that are not. */
CLAIM_OF_BOTH(store, what_is_damaged_is_known_however_much_it_is)
{
    enum { FILES = 4200 };
    yard_t yard;
    store_checked_t found = {0};
    yard_begin(&yard, user);
    run("cd %s && for i in $(seq %d); do echo $i > f$i; done", yard.source, FILES);
    take(&yard);
    yard_reopen(&yard);
    run("cd %s/store/packs && truncate -s 32 * && truncate -s 1M *", yard.data);
    for (int i = 0; i < 2; i++) { /* damaged; and when it was stored again */
        EXPECT_OK(&yard, store_check(yard.store, &yard.snapshot.root, 1, true, NULL, NULL, &found,
                                     &yard.fault));
        cr_expect(i == 0 ? found.damaged > FILES : found.missing == 0, "%llu damaged, %llu missing",
                  (unsigned long long) found.damaged, (unsigned long long) found.missing);
        yard_reopen(&yard);
        take(&yard);
        yard_reopen(&yard);
    }
    placed(&yard);
    cr_expect(verified(&yard));
    collect(&yard, &yard.snapshot.root, 1);
    cr_expect_not(store_has_damage(yard.store), "the damaged records stay for good");
    yard_end(&yard);
}
