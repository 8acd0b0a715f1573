/* place_test.c - claims about snapshot and placement, on the real disk, as root and not. */
#include "watched.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

CLAIM_OF_BOTH(place, is_exact_whatever_the_umask)
{
    yard_t yard;
    yard_begin(&yard, user);
    umask(077);
    make_tree(&yard);
    take(&yard);
    EXPECT_COUNT(yard.snapshot.files, 6);
    EXPECT_COUNT(yard.snapshot.directories, 3);
    EXPECT_COUNT(yard.snapshot.links, 2);
    place_result_t result = placed(&yard);
    EXPECT_COUNT(result.files_written, 6);
    cr_expect(same_tree(yard.source, yard_path(&yard, "root/P1/current")));
    cr_expect(verified(&yard));
    yard_end(&yard);
}

CLAIM_OF_BOTH(place, never_opens_the_source)
{
    yard_t yard;
    yard_begin(&yard, user);
    make_tree(&yard);
    run("cp -a %s %s", yard.source, yard_path(&yard, "copy"));
    take(&yard);
    run("chmod 700 %s/closed; rm -rf %s", yard.source, yard.source);
    placed(&yard);
    cr_expect(same_tree(yard_path(&yard, "copy"), yard_path(&yard, "root/P1/current")));
    yard_end(&yard);
}

CLAIM_OF_BOTH(place, carries_modes_that_lock_everybody_out_and_takes_them_away_again)
{
    yard_t yard;
    yard_begin(&yard, user);
    make_file(yard_path(&yard, "source/none"), "", 0600);
    make_directory(yard_path(&yard, "source/d"), 0755);
    take(&yard);
    placed(&yard);
    /* A version whose root and directory nobody may enter, made from nodes of our own. */
    manifest_builder_t inner;
    manifest_builder_t outer;
    store_put_t put;
    const uint8_t *bytes;
    size_t size;
    manifest_builder_init(&inner);
    manifest_builder_init(&outer);
    EXPECT_OK(&yard, store_put_bytes(yard.store, "secret", 6, &put, &yard.fault));
    tree_entry_t file = {.kind = TREE_FILE, .name = "none", .name_size = 4, .size = 6};
    file.digest = put.digest;
    EXPECT_OK(&yard, manifest_builder_add(&inner, &file));
    EXPECT_OK(&yard, manifest_builder_finish(&inner, &bytes, &size));
    EXPECT_OK(&yard, store_put_bytes(yard.store, bytes, size, &put, &yard.fault));
    tree_entry_t dir = {.kind = TREE_DIRECTORY, .name = "d", .name_size = 1, .size = size};
    dir.digest = put.digest;
    EXPECT_OK(&yard, manifest_builder_add(&outer, &dir));
    EXPECT_OK(&yard, manifest_builder_finish(&outer, &bytes, &size));
    EXPECT_OK(&yard, store_put_bytes(yard.store, bytes, size, &put, &yard.fault));
    manifest_version_t version = {.mode = 0555, .files = 1, .directories = 1, .bytes = 6};
    version.node = put.digest;
    uint8_t version_bytes[MANIFEST_VERSION_BYTES];
    manifest_version_encode(&version, version_bytes);
    EXPECT_OK(&yard,
              store_put_bytes(yard.store, version_bytes, sizeof version_bytes, &put, &yard.fault));
    EXPECT_OK(&yard, store_commit(yard.store, &yard.fault));
    manifest_builder_release(&inner);
    manifest_builder_release(&outer);
    yard.order.root = put.digest;
    yard.order.epoch++;
    placed(&yard);
    struct stat stat;
    cr_assert_eq(lstat(yard_path(&yard, "root/P1/v2/d"), &stat), 0);
    cr_expect(stat.st_mode == S_IFDIR, "got %o", stat.st_mode);
    cr_assert_eq(lstat(yard_path(&yard, "root/P1/v2"), &stat), 0);
    cr_expect(stat.st_mode == (S_IFDIR | 0555), "got %o", stat.st_mode);
    cr_expect(verified(&yard));
    removal_result_t removed;
    EXPECT_OK(&yard, removal_package(yard.world, yard.store, &yard.point, "P1",
                                     &yard.order.incarnation, &removed, &yard.fault));
    cr_expect(removed.gone);
    removal_result_release(&removed);
    yard_end(&yard);
}

CLAIM_OF_BOTH(place, carries_names_of_255_bytes_and_refuses_nothing_that_linux_allows)
{
    yard_t yard;
    yard_begin(&yard, user);
    char name[256];
    for (unsigned i = 0; i < 255; i++) {
        name[i] = (char) (i + 1 == '/' ? 'x' : i + 1);
    }
    name[255] = '\0';
    make_file(yard_path(&yard, "source/%s", name), "x", 0644);
    take(&yard);
    placed(&yard);
    cr_expect(exists(yard_path(&yard, "root/P1/current/%s", name)));
    cr_expect(verified(&yard));
    yard_end(&yard);
}

/* Makes a chain of directories below a path that is longer than PATH_MAX in all. */
static void
make_chain(const char *path, unsigned depth)
{
    char name[41];
    memset(name, 'n', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    for (unsigned i = 0; i < depth; i++) {
        cr_assert_eq(mkdirat(fd, name, 0755), 0);
        int next = openat(fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        close(fd);
        fd = next;
    }
    int file = openat(fd, "leaf", O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
    cr_assert(file >= 0);
    close(file);
    close(fd);
}

CLAIM_OF_BOTH(place, carries_1000_levels_far_beyond_the_longest_path)
{
    yard_t yard;
    yard_begin(&yard, user);
    make_chain(yard.source, 1000);
    take(&yard);
    EXPECT_COUNT(yard.snapshot.directories, 1000);
    placed(&yard);
    cr_expect(verified(&yard));
    remove_all(&yard);
    yard_end(&yard);
}

CLAIM_OF_BOTH(snapshot, refuses_what_is_deeper_than_its_bound)
{
    yard_t yard;
    yard_begin(&yard, user);
    make_chain(yard.source, 1001);
    EXPECT_ERR(&yard, ERR_NAME_TOO_LONG,
               snapshot_take(yard.world, yard.store, yard.source, NULL, NULL, NULL, &yard.snapshot,
                             &yard.fault));
    yard_end(&yard);
}

CLAIM_OF_BOTH(place, with_its_receipt_there_writes_nothing)
{
    yard_t yard;
    yard_begin(&yard, user);
    make_tree(&yard);
    take(&yard);
    placed(&yard);
    run("find %s -printf '%%p %%i %%C@\\n' | sort > %s", yard.root, yard_path(&yard, "before"));
    place_result_t result = placed(&yard);
    cr_expect(result.already);
    EXPECT_COUNT(result.files_written, 0);
    run("find %s -printf '%%p %%i %%C@\\n' | sort | cmp - %s", yard.root,
        yard_path(&yard, "before"));
    yard_end(&yard);
}

CLAIM_OF_BOTH(place, switches_to_a_later_version_and_keeps_the_old_one_for_its_grace_time)
{
    yard_t yard;
    yard_begin(&yard, user);
    make_file(yard_path(&yard, "source/a"), "one", 0644);
    take(&yard);
    placed(&yard);
    make_file(yard_path(&yard, "source/a"), "two", 0644);
    take(&yard);
    placed(&yard);
    run("test \"$(readlink %s)\" = v2", yard_path(&yard, "root/P1/current"));
    cr_expect(exists(yard_path(&yard, "root/P1/v1/a")));
    place_collect_order_t order = {.package = "P1",
                                   .incarnation = yard.order.incarnation,
                                   .keep_epoch = 2,
                                   .grace_ns = 100,
                                   .now_ns = 1000};
    place_collected_t collected;
    EXPECT_OK(&yard,
              place_collect(yard.world, yard.store, &yard.point, &order, &collected, &yard.fault));
    EXPECT_COUNT(collected.versions_waiting, 1);
    EXPECT_COUNT(collected.next_due_ns, 1100);
    order.now_ns = 1099;
    EXPECT_OK(&yard,
              place_collect(yard.world, yard.store, &yard.point, &order, &collected, &yard.fault));
    EXPECT_COUNT(collected.versions_removed, 0);
    order.now_ns = 1100;
    EXPECT_OK(&yard,
              place_collect(yard.world, yard.store, &yard.point, &order, &collected, &yard.fault));
    EXPECT_COUNT(collected.versions_removed, 1);
    cr_expect(!exists(yard_path(&yard, "root/P1/v1")));
    cr_expect(verified(&yard));
    yard_end(&yard);
}

CLAIM_OF_BOTH(place, an_install_takes_along_what_earlier_work_that_was_ended_has_staged)
{
    yard_t yard;
    yard_begin(&yard, user);
    make_file(yard_path(&yard, "source/a"), "one", 0644);
    take(&yard);
    placed(&yard);
    run("cd %s/.despool/staging && mkdir P1.v0 P1.v0-2 P1.v1 P1.v2 P1.x.v0 P1.v0.v0 P10.v0 && "
        "mkdir -p P1.v0/d && touch P1.v0/d/file && chmod 500 P1.v0/d && touch P1.current",
        yard.root);
    place_collect_order_t order = {
        .package = "P1", .incarnation = yard.order.incarnation, .keep_epoch = 1, .now_ns = 1000};
    place_collected_t collected;
    EXPECT_OK(&yard,
              place_collect(yard.world, yard.store, &yard.point, &order, &collected, &yard.fault));
    run("cd %s/.despool/staging && ls > ../../left && "
        "printf '%%s\\n' P1.current P1.v0.v0 P1.v1 P1.v2 P1.x.v0 P10.v0 | cmp - ../../left",
        yard.root);
    yard_end(&yard);
}

CLAIM_OF_BOTH(place, never_goes_back_to_an_earlier_epoch)
{
    yard_t yard;
    yard_begin(&yard, user);
    make_file(yard_path(&yard, "source/a"), "one", 0644);
    take(&yard);
    digest_t first = yard.order.root;
    make_file(yard_path(&yard, "source/a"), "two", 0644);
    take(&yard);
    placed(&yard);
    place_result_t result;
    yard.order.epoch = 1;
    yard.order.root = first;
    EXPECT_ERR(&yard, ERR_SUPERSEDED, place(&yard, &result));
    EXPECT_OK(&yard, receipt_remove(&yard.point, "P1", &yard.fault));
    EXPECT_ERR(&yard, ERR_SUPERSEDED, place(&yard, &result));
    yard_end(&yard);
}

CLAIM_OF_BOTH(place, refuses_a_directory_that_is_not_ours_and_writes_nothing_to_it)
{
    yard_t yard;
    yard_begin(&yard, user);
    make_file(yard_path(&yard, "source/a"), "one", 0644);
    take(&yard);
    make_directory(yard_path(&yard, "root/P1"), 0755);
    make_file(yard_path(&yard, "root/P1/theirs"), "theirs", 0644);
    place_result_t result;
    EXPECT_ERR(&yard, ERR_NOT_OURS, place(&yard, &result));
    run("test \"$(ls -A %s)\" = theirs", yard_path(&yard, "root/P1"));
    yard_end(&yard);
}

CLAIM_OF_BOTH(place, refuses_what_another_incarnation_of_the_package_left)
{
    yard_t yard;
    yard_begin(&yard, user);
    make_file(yard_path(&yard, "source/a"), "one", 0644);
    take(&yard);
    placed(&yard);
    yard.order.incarnation.byte[0] ^= 1;
    place_result_t result;
    EXPECT_ERR(&yard, ERR_NOT_OURS, place(&yard, &result));
    yard_end(&yard);
}

CLAIM_OF_BOTH(place, finds_that_the_root_was_replaced_and_writes_nothing)
{
    yard_t yard;
    yard_begin(&yard, user);
    make_file(yard_path(&yard, "source/a"), "one", 0644);
    take(&yard);
    run("mv %s %s && mkdir %s", yard.root, yard_path(&yard, "away"), yard.root);
    place_result_t result;
    EXPECT_ERR(&yard, ERR_NOT_THIS_POINT, place(&yard, &result));
    run("test -z \"$(ls -A %s)\"", yard.root);
    yard_end(&yard);
}

CLAIM_OF_BOTH(place, resumes_file_by_file_and_trusts_none_of_them)
{
    yard_t yard;
    yard_begin(&yard, user);
    make_tree(&yard);
    take(&yard);
    place_result_t result = placed(&yard);
    /* As a run leaves it that was killed before its record was written, and worse. */
    run("cd %s && mv P1/v1 .despool/staging/P1.v1 && rm -r P1 .despool/packages/P1 "
        ".despool/receipts/P1",
        yard.root);
    run("cd %s/.despool/staging/P1.v1 && touch extra && mkdir -p more/extra && chmod 600 plain && "
        "echo wrong > plain && rm empty && mkdir empty",
        yard.root);
    result = placed(&yard);
    cr_expect(result.files_resumed >= 3, "got %llu", (unsigned long long) result.files_resumed);
    EXPECT_COUNT(result.files_resumed + result.files_written, 6);
    cr_expect(same_tree(yard.source, yard_path(&yard, "root/P1/current")));
    cr_expect(verified(&yard));
    yard_end(&yard);
}

CLAIM_OF_BOTH(place, goes_on_with_a_version_that_is_in_place_without_its_receipt)
{
    yard_t yard;
    yard_begin(&yard, user);
    make_tree(&yard);
    take(&yard);
    placed(&yard);
    EXPECT_OK(&yard, receipt_remove(&yard.point, "P1", &yard.fault));
    run("rm %s", yard_path(&yard, "root/P1/current"));
    place_result_t result = placed(&yard);
    EXPECT_COUNT(result.files_written, 0);
    EXPECT_COUNT(result.files_resumed, 6);
    cr_expect(verified(&yard));
    yard_end(&yard);
}

CLAIM_OF_BOTH(place, repairs_a_damaged_version_beside_it_and_never_in_it)
{
    yard_t yard;
    yard_begin(&yard, user);
    make_tree(&yard);
    take(&yard);
    placed(&yard);
    make_file(yard_path(&yard, "root/P1/v1/plain"), "wrong bytes", 0644);
    EXPECT_OK(&yard, receipt_remove(&yard.point, "P1", &yard.fault));
    placed(&yard);
    run("test \"$(readlink %s)\" = v1-1", yard_path(&yard, "root/P1/current"));
    run("grep -q wrong %s", yard_path(&yard, "root/P1/v1/plain"));
    cr_expect(same_tree(yard.source, yard_path(&yard, "root/P1/current")));
    cr_expect(verified(&yard));
    cr_expect(placed(&yard).already);
    remove_all(&yard);
    yard_end(&yard);
}

Test(place, tells_need_and_have_when_the_disk_is_full)
{
    yard_t yard;
    yard_begin(&yard, AS_STARTED);
    if (geteuid() != 0) {
        yard_end(&yard);
        cr_skip("mounting needs root");
    }
    run("head -c 3000000 /dev/urandom > %s", yard_path(&yard, "source/large"));
    take(&yard);
    point_close(&yard.point);
    run("mount -t tmpfs -o size=18m none %s", yard.root);
    EXPECT_OK(&yard,
              point_claim(yard.world, yard.root, &yard.identity, NULL, 0, false, &yard.fault));
    EXPECT_OK(&yard, point_open(yard.world, yard.root, &yard.identity.site,
                                &yard.identity.incarnation, &yard.point, &yard.fault));
    place_result_t result;
    EXPECT_ERR(&yard, ERR_SPACE, place(&yard, &result));
    cr_expect(yard.fault.need >= 3000000 && yard.fault.need != UINT64_MAX);
    cr_expect(yard.fault.have < yard.fault.need);
    run("mount -o remount,size=40m %s", yard.root);
    placed(&yard);
    point_close(&yard.point);
    run("umount %s", yard.root);
    yard_end(&yard);
}

Test(place, does_not_write_through_a_mount_that_was_put_over_its_way)
{
    yard_t yard;
    yard_begin(&yard, AS_STARTED);
    if (geteuid() != 0) {
        yard_end(&yard);
        cr_skip("mounting needs root");
    }
    make_file(yard_path(&yard, "source/a"), "one", 0644);
    take(&yard);
    run("mount -t tmpfs none %s", yard.root);
    place_result_t result;
    err_t err = place(&yard, &result);
    run("test -z \"$(ls -A %s)\"", yard.root);
    run("umount %s", yard.root);
    cr_expect(err == ERR_NOT_THIS_POINT, "got %s", err_word(err));
    run("mount -t tmpfs none %s/.despool/staging", yard.root);
    err = place(&yard, &result);
    run("test -z \"$(ls -A %s/.despool/staging)\"", yard.root);
    run("umount %s/.despool/staging", yard.root);
    cr_expect(err == ERR_NOT_THIS_POINT, "got %s", err_word(err));
    yard_end(&yard);
}

CLAIM_OF_BOTH(place, finds_a_damaged_object_of_the_store_and_sets_it_aside)
{
    yard_t yard;
    yard_begin(&yard, user);
    make_file(yard_path(&yard, "source/a"), "some bytes", 0644);
    take(&yard);
    run("f=$(ls %s/store/packs/*.pack) && printf X | dd of=$f conv=notrunc bs=1 "
        "seek=$(grep -abo 'some bytes' $f | cut -d: -f1) 2>/dev/null",
        yard.data);
    place_result_t result;
    EXPECT_ERR(&yard, ERR_DIGEST, place(&yard, &result));
    EXPECT_ERR(&yard, ERR_NOT_STORED, place(&yard, &result));
    yard.order.epoch--;
    take(&yard);
    placed(&yard);
    cr_expect(verified(&yard));
    yard_end(&yard);
}

CLAIM_OF_BOTH(place, finds_a_damaged_manifest_of_the_store_and_the_next_snapshot_puts_it_right)
{
    yard_t yard;
    yard_begin(&yard, user);
    make_file(yard_path(&yard, "source/only-a-manifest-has-this-name"), "some bytes", 0644);
    take(&yard);
    run("f=$(ls %s/store/packs/*.pack) && printf X | dd of=$f conv=notrunc bs=1 "
        "seek=$(grep -abo 'only-a-manifest-has-this-name' $f | cut -d: -f1) 2>/dev/null",
        yard.data);
    place_result_t result;
    EXPECT_ERR(&yard, ERR_DIGEST, place(&yard, &result));
    EXPECT_ERR(&yard, ERR_NOT_STORED, place(&yard, &result));
    yard.order.epoch--;
    take(&yard);
    placed(&yard);
    cr_expect(verified(&yard));
    yard_end(&yard);
}

static void
take_big(yard_t *yard, watched_t *watched)
{
    run("head -c 20M /dev/urandom > %s", yard_path(yard, "source/big"));
    take(yard);
    watch(watched, yard);
}

Test(place, sends_a_big_file_to_the_disk_before_its_end)
{
    yard_t yard;
    watched_t watched;
    yard_begin(&yard, AS_STARTED);
    take_big(&yard, &watched);
    placed(&yard);
    EXPECT_COUNT(watched.outs, 2);
    cr_expect(verified(&yard));
    yard_end(&yard);
}

/* The sync tells what has failed; a job that is to stop stops. */
Test(place, heeds_of_what_is_on_its_way_to_the_disk_only_that_it_is_to_stop)
{
    yard_t yard;
    watched_t watched;
    place_result_t result;
    yard_begin(&yard, AS_STARTED);
    take_big(&yard, &watched);
    watched.outs_fail = ECANCELED;
    EXPECT_ERR(&yard, ERR_CANCELLED, place(&yard, &result));
    watched.outs_fail = ENOSYS;
    placed(&yard);
    cr_expect(verified(&yard));
    yard_end(&yard);
}

/* A hole, bytes, a hole that begins like bytes, and one at the end. */
CLAIM_OF_BOTH(place, long_zeros_are_placed_as_holes)
{
    yard_t yard;
    struct stat stat_of;
    char path[512];
    yard_begin(&yard, user);
    snprintf(path, sizeof path, "%s", yard_path(&yard, "source/sparse"));
    run("truncate -s 24M %s; truncate -s 3M %s2", path, path);
    run("head -c 1M /dev/urandom | dd of=%s bs=1M seek=8 conv=notrunc status=none", path);
    run("printf end | dd of=%s bs=1 seek=16777200 conv=notrunc status=none", path);
    take(&yard);
    placed(&yard);
    snprintf(path, sizeof path, "%s", yard_path(&yard, "root/P1/current/sparse"));
    cr_assert_eq(stat(path, &stat_of), 0);
    EXPECT_COUNT(stat_of.st_size, 24u << 20);
    cr_expect_leq(stat_of.st_blocks * 512, 4 << 20, "it takes %lld bytes",
                  (long long) stat_of.st_blocks * 512);
    cr_expect(same_tree(yard.source, yard_path(&yard, "root/P1/current")));
    cr_expect(verified(&yard));
    yard_end(&yard);
}
