/* snapshot_test.c - claims about reading a source and keeping it. */
#include "yard.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "proto/limits.h"

static err_t
try_take(yard_t *yard, const char *const *excludes, size_t count)
{
    return snapshot_take(yard->world, yard->store, yard->source,
                         &(snapshot_rules_t){excludes, count, false}, NULL, NULL, &yard->snapshot,
                         &yard->fault);
}

CLAIM_OF_BOTH(snapshot, of_an_unchanged_source_has_the_same_root_and_stores_nothing)
{
    yard_t yard;
    yard_begin(&yard, user);
    make_tree(&yard);
    take(&yard);
    digest_t first = yard.snapshot.root;
    cr_expect(yard.snapshot.unique_bytes > 0);
    take(&yard);
    cr_expect(memcmp(&first, &yard.snapshot.root, sizeof first) == 0);
    EXPECT_COUNT(yard.snapshot.unique_bytes, 0);
    yard_end(&yard);
}

CLAIM_OF_BOTH(snapshot, root_depends_on_mtime_mode_name_link_text_and_bytes)
{
    yard_t yard;
    yard_begin(&yard, user);
    make_tree(&yard);
    static const char *const changes[] = {
        "chmod 600 plain",     "touch -d @99 plain", "mv plain plain2; touch -d @7 .",
        "ln -sfn x dangling",  "printf X >> empty",  "chmod 711 .",
        "touch -d @5 dir",     "mkdir new",          "touch -h -d @6 dangling",
        "chmod 1777 dir/empty"};
    digest_t last = {0};
    for (size_t i = 0; i < sizeof changes / sizeof changes[0]; i++) {
        take(&yard);
        cr_expect(memcmp(&last, &yard.snapshot.root, sizeof last) != 0, "before '%s'", changes[i]);
        last = yard.snapshot.root;
        run("cd %s && %s", yard.source, changes[i]);
    }
    take(&yard);
    cr_expect(memcmp(&last, &yard.snapshot.root, sizeof last) != 0);
    yard_end(&yard);
}

/* As a dry run does it. */
static err_t
measure(world_t *world, yard_t *yard, const char *const *excludes, size_t count, snapshot_t *ret)
{
    store_t *store = NULL;
    err_t err = store_open_dry(world, &store, &yard->fault);
    if (err == OK) {
        err = snapshot_take(world, store, yard->source, &(snapshot_rules_t){excludes, count, false},
                            NULL, NULL, ret, &yard->fault);
    }
    store_close(&store);
    return err;
}

static void
refuses(yard_t *yard, const char *name)
{
    EXPECT_ERR(yard, ERR_UNSUPPORTED, try_take(yard, NULL, 0));
    EXPECT_SUBJECT(yard, name);
    EXPECT_ERR(yard, ERR_UNSUPPORTED, measure(yard->world, yard, NULL, 0, &yard->snapshot));
    const char *const excludes[] = {name};
    EXPECT_OK(yard, try_take(yard, excludes, 1));
    cr_assert_eq(unlink(yard_path(yard, "source/dir/%s", name)), 0);
}

CLAIM_OF_BOTH(snapshot, refuses_sockets_fifos_devices_and_setuid_files_by_name)
{
    yard_t yard;
    yard_begin(&yard, user);
    make_directory(yard_path(&yard, "source/dir"), 0755);
    cr_assert_eq(mkfifo(yard_path(&yard, "source/dir/a-fifo"), 0644), 0);
    refuses(&yard, "a-fifo");
    make_file(yard_path(&yard, "source/dir/a-setuid"), "x", 04755);
    refuses(&yard, "a-setuid");
    make_file(yard_path(&yard, "source/dir/a-setgid"), "x", 02755);
    refuses(&yard, "a-setgid");
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    strcpy(address.sun_path, yard_path(&yard, "source/dir/a-socket"));
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    cr_assert_eq(bind(fd, (struct sockaddr *) &address, sizeof address), 0);
    close(fd);
    refuses(&yard, "a-socket");
    if (geteuid() == 0) {
        cr_assert_eq(mknod(yard_path(&yard, "source/dir/a-device"), S_IFCHR | 0644, 0x103), 0);
        refuses(&yard, "a-device");
    }
    yard_end(&yard);
}

/* Whether the file system keeps this time; then the path has it. */
static bool
set_time(const char *path, int64_t seconds)
{
    struct stat found;
    struct timespec times[2] = {{.tv_nsec = UTIME_OMIT}, {.tv_sec = seconds}};
    cr_assert_eq(utimensat(AT_FDCWD, path, times, 0), 0);
    cr_assert_eq(stat(path, &found), 0);
    return found.st_mtim.tv_sec == seconds;
}

CLAIM_OF_BOTH(snapshot, refuses_a_time_that_no_version_can_have)
{
    static const int64_t times[] = {9223372037, 10000000000, -9223372037, -10000000000};
    yard_t yard;
    tree_entry_t entry;
    world_stat_t far = {.mode = S_IFREG | 0644, .mtime_ns = INT64_MAX};
    yard_begin(&yard, user);
    EXPECT_ERR(&yard, ERR_UNSUPPORTED, tree_entry_of_stat(&far, "far", &entry, &yard.fault));
    far.mtime_ns = INT64_MIN;
    EXPECT_ERR(&yard, ERR_UNSUPPORTED, tree_entry_of_stat(&far, "far", &entry, &yard.fault));
    make_directory(yard_path(&yard, "source/dir"), 0755);
    make_file(yard_path(&yard, "source/dir/far"), "one", 0644);
    for (size_t i = 0; i < sizeof times / sizeof times[0]; i++) {
        if (set_time(yard_path(&yard, "source/dir/far"), times[i])) {
            EXPECT_ERR(&yard, ERR_UNSUPPORTED, try_take(&yard, NULL, 0));
            EXPECT_SUBJECT(&yard, "far");
        }
    }
    cr_assert(set_time(yard_path(&yard, "source/dir/far"), 2000000000));
    EXPECT_OK(&yard, try_take(&yard, NULL, 0));
    if (set_time(yard.source, 10000000000)) {
        EXPECT_ERR(&yard, ERR_UNSUPPORTED, try_take(&yard, NULL, 0));
    }
    yard_end(&yard);
}

typedef struct writer {
    yard_t *yard;
    const char *command;
} writer_t;

static void
write_while_it_is_read(void *context, uint64_t files, uint64_t bytes)
{
    (void) bytes;
    writer_t *writer = context;
    if (files == 1 && writer->command != NULL) {
        run("cd %s && %s", writer->yard->source, writer->command);
        writer->command = NULL;
    }
}

/* The first file is read, then something happens in its directory. */
static void
sees_change(user_t user, const char *command, const char *subject)
{
    yard_t yard;
    yard_begin(&yard, user);
    make_file(yard_path(&yard, "source/a"), "one", 0644);
    make_file(yard_path(&yard, "source/b"), "two", 0644);
    writer_t writer = {&yard, command};
    err_t err = snapshot_take(yard.world, yard.store, yard.source, NULL, write_while_it_is_read,
                              &writer, &yard.snapshot, &yard.fault);
    cr_expect(err == ERR_SOURCE_CHANGED, "%s: got %s", command, err_word(err));
    EXPECT_SUBJECT(&yard, subject);
    yard_end(&yard);
}

CLAIM_OF_BOTH(snapshot, names_what_changed_while_it_was_read)
{
    sees_change(user, "rm b", "b");
    sees_change(user, "touch new", ".");
    sees_change(user, "rm b; ln -s a b", ".");
    sees_change(user, "chmod 700 .", ".");
}

CLAIM_OF_BOTH(snapshot, counts_what_has_attributes_that_are_not_carried)
{
    yard_t yard;
    yard_begin(&yard, user);
    make_file(yard_path(&yard, "source/a"), "one", 0644);
    make_file(yard_path(&yard, "source/b"), "two", 0644);
    if (setxattr(yard_path(&yard, "source/a"), "user.note", "x", 1, 0) != 0) {
        yard_end(&yard);
        cr_skip("no attributes on this file system");
    }
    take(&yard);
    EXPECT_COUNT(yard.snapshot.files_with_attributes, 1);
    yard_end(&yard);
}

static void
expect_refused(yard_t *yard, const char *exclude)
{
    EXPECT_ERR(yard, ERR_OVERLAP, try_take(yard, &exclude, exclude != NULL));
    EXPECT_SUBJECT(yard, "dir/place");
}

CLAIM_OF_BOTH(snapshot, refuses_a_source_that_holds_a_point_under_whatever_name_and_exclude)
{
    yard_t yard;
    yard_begin(&yard, user);
    make_tree(&yard);
    run("mv %s %s/dir/place && ln -s source/dir/place %s", yard.root, yard.source, yard.root);
    expect_refused(&yard, NULL);
    expect_refused(&yard, ".despool");
    expect_refused(&yard, "/dir/place/.*");
    run("echo x >> %s/dir/place/.despool/point", yard.source);
    expect_refused(&yard, ".despool");
    run("rm %s/dir/place/.despool/point", yard.source);
    static const char *const none[] = {".despool"};
    EXPECT_OK(&yard, try_take(&yard, none, 1));
    yard_end(&yard);
}

static bool
lies_in_point(yard_t *yard, const char *path)
{
    bool lies = false;
    const id128_t *known = &yard->identity.incarnation;
    EXPECT_OK(yard, point_lies_above(yard->world, yard_path(yard, "%s", path), known, 1, &lies,
                                     &yard->fault));
    return lies;
}

Test(snapshot, a_mounted_point_is_found_below_and_above_a_source)
{
    yard_t yard;
    yard_begin(&yard, AS_STARTED);
    make_tree(&yard);
    run("mkdir %s/dir/place %s/inner && ln -s root %s/link", yard.source, yard.root, yard.path);
    cr_expect(lies_in_point(&yard, "root/inner") && lies_in_point(&yard, "link/inner"));
    cr_expect(!lies_in_point(&yard, "source/dir/place"));
    if (mount(yard.root, yard_path(&yard, "source/dir/place"), NULL, MS_BIND, NULL) == 0) {
        expect_refused(&yard, NULL);
        expect_refused(&yard, ".despool");
        cr_expect(lies_in_point(&yard, "source/dir/place/inner"));
        cr_expect_eq(umount(yard_path(&yard, "source/dir/place")), 0);
    }
    yard_end(&yard);
}

CLAIM_OF_BOTH(snapshot, leaves_out_what_is_excluded)
{
    yard_t yard;
    yard_begin(&yard, user);
    make_tree(&yard);
    static const char *const excludes[] = {"*.o", "/dir/in*", "closed", "read*"};
    make_file(yard_path(&yard, "source/dir/x.o"), "o", 0644);
    EXPECT_OK(&yard, try_take(&yard, excludes, 4));
    EXPECT_COUNT(yard.snapshot.files, 3);
    EXPECT_COUNT(yard.snapshot.directories, 2);
    snapshot_t measured;
    EXPECT_OK(&yard, measure(yard.world, &yard, excludes, 4, &measured));
    cr_expect_arr_eq(measured.root.byte, yard.snapshot.root.byte, sizeof measured.root.byte);
    EXPECT_COUNT(measured.unique_bytes, 0);
    EXPECT_COUNT(measured.files, yard.snapshot.files);
    EXPECT_COUNT(measured.bytes, yard.snapshot.bytes);
    EXPECT_COUNT(measured.links, yard.snapshot.links);
    yard_end(&yard);
}

CLAIM_OF_BOTH(snapshot, of_no_directory_says_so)
{
    yard_t yard;
    yard_begin(&yard, user);
    strcpy(yard.source, yard_path(&yard, "nowhere"));
    EXPECT_ERR(&yard, ERR_NO_SOURCE, try_take(&yard, NULL, 0));
    EXPECT_SUBJECT(&yard, "nowhere");
    yard_end(&yard);
}

CLAIM_OF_BOTH(snapshot, ends_when_its_job_is_cancelled)
{
    yard_t yard;
    atomic_bool cancel = true;
    yard_begin(&yard, user);
    world_os_t os;
    world_t *world = world_os_init(&os, &cancel);
    EXPECT_ERR(&yard, ERR_CANCELLED, measure(world, &yard, NULL, 0, &yard.snapshot));
    yard_end(&yard);
}

CLAIM_OF_BOTH(snapshot, keeps_large_files_and_stores_equal_ones_once)
{
    yard_t yard;
    yard_begin(&yard, user);
    run("head -c 5000001 /dev/urandom > %s/a && cp %s/a %s/b && head -c 1048576 %s/a > %s/c",
        yard.source, yard.source, yard.source, yard.source, yard.source);
    take(&yard);
    EXPECT_COUNT(yard.snapshot.bytes, 5000001 * 2 + 1048576);
    cr_expect(yard.snapshot.unique_bytes < 5000001 + 1048576 + 1000);
    placed(&yard);
    cr_expect(same_tree(yard.source, yard_path(&yard, "root/P1/current")));
    yard_end(&yard);
}

CLAIM_OF_BOTH(store, removes_what_no_live_root_reaches)
{
    yard_t yard;
    yard_begin(&yard, user);
    make_tree(&yard);
    take(&yard);
    digest_t first = yard.snapshot.root;
    make_file(yard_path(&yard, "source/plain"), "new text", 0644);
    take(&yard);
    digest_t roots[] = {first, yard.snapshot.root};
    store_collected_t collected;
    EXPECT_OK(&yard,
              store_collect(yard.store, roots, 2, false, NULL, NULL, &collected, &yard.fault));
    EXPECT_COUNT(collected.removed_objects, 0);
    uint64_t all = collected.live_objects;
    EXPECT_OK(&yard,
              store_collect(yard.store, roots + 1, 1, true, NULL, NULL, &collected, &yard.fault));
    cr_expect(collected.removed_objects > 0);
    EXPECT_COUNT(collected.removed_objects + collected.live_objects, all);
    EXPECT_OK(&yard,
              store_collect(yard.store, roots + 1, 1, false, NULL, NULL, &collected, &yard.fault));
    EXPECT_COUNT(collected.removed_objects + collected.live_objects, all);
    placed(&yard);
    cr_expect(verified(&yard));
    EXPECT_ERR(&yard, ERR_NOT_STORED,
               store_collect(yard.store, roots, 2, false, NULL, NULL, &collected, &yard.fault));
    cr_expect(verified(&yard), "a root that cannot be read must end it with nothing removed");
    yard_end(&yard);
}

CLAIM_OF_BOTH(store, drops_what_was_not_committed)
{
    yard_t yard;
    yard_begin(&yard, user);
    store_put_t put;
    EXPECT_OK(&yard, store_put_bytes(yard.store, "x", 1, &put, &yard.fault));
    store_close(&yard.store);
    run("test -z \"$(ls -A %s/store/packs %s/store/index | grep -v :)\"", yard.data, yard.data);
    make_file(yard_path(&yard, "data/store/packs/.left.new"), "x", 0600);
    EXPECT_OK(&yard,
              store_open(yard.world, yard_path(&yard, "data/store"), &yard.store, &yard.fault));
    uint64_t removed = 0;
    EXPECT_OK(&yard, store_recover(yard.store, &removed, &yard.fault));
    EXPECT_COUNT(removed, 1);
    yard_end(&yard);
}

/* A world where a directory with `one` in it has so many others beside it. */
static const world_calls_t *real;
static uint32_t others;

static int
list_more(world_t *world, world_listing_t *listing, world_name_t *ret_name)
{
    static char name[TREE_NAME_BYTES_MAX + 1];
    static uint32_t left;
    if (left > 0) {
        snprintf(name, sizeof name, "x%0254u", left--);
        *ret_name = (world_name_t){.name = name};
        return 1;
    }
    int result = real->list_next(world, listing, ret_name);
    left = result == 1 && strcmp(ret_name->name, "one") == 0 ? others : 0;
    return result;
}

CLAIM_OF_BOTH(snapshot, directory_with_too_many_names_is_refused_before_it_is_read)
{
    yard_t yard;
    char text[1024], names[64];
    const char *const exclude[] = {"many/x*"};
    others = DIRECTORY_BYTES_MAX / (MANIFEST_ENTRY_BYTES + TREE_NAME_BYTES_MAX + 1) + 1;
    yard_begin(&yard, user);
    run("mkdir %s/many", yard.source);
    make_file(yard_path(&yard, "source/many/one"), "", 0644);
    real = yard.world->call;
    world_calls_t calls = *real;
    calls.list_next = list_more;
    yard.world->call = &calls;
    EXPECT_ERR(&yard, ERR_TOO_LARGE, try_take(&yard, NULL, 0));
    snprintf(names, sizeof names, "cannot list %u names of 'many': ", others + 1);
    fault_text(&yard.fault, text, sizeof text);
    cr_expect(strstr(text, names) && strstr(text, "have 16777216 bytes"), "%s", text);
    others--;
    EXPECT_ERR(&yard, ERR_SOURCE_CHANGED, try_take(&yard, NULL, 0)); /* it is looked for them */
    others++;
    EXPECT_OK(&yard, try_take(&yard, exclude, 1));
    EXPECT_COUNT(yard.snapshot.files, 1);
    yard.world->call = real;
    yard_end(&yard);
}

/* The others are said to be large files. */
static int
stat_large(world_t *world, int dir, const char *name, world_stat_t *ret_stat)
{
    int result = real->stat_at(world, dir, name[0] == 'x' ? "one" : name, ret_stat);
    ret_stat->size = name[0] == 'x' ? DELTA_BYTES_MAX + 1 : ret_stat->size;
    return result;
}

/* Their entries have the digests of their lists. */
CLAIM_OF_BOTH(snapshot, names_of_large_files_count_with_their_lists)
{
    yard_t yard;
    char text[1024], names[64];
    const uint32_t bytes = MANIFEST_ENTRY_BYTES + TREE_NAME_BYTES_MAX + 1;
    others = DIRECTORY_BYTES_MAX / (bytes + MANIFEST_LIST_FIELD_BYTES) + 1;
    cr_assert_lt(others, DIRECTORY_BYTES_MAX / bytes, "their names alone are too many");
    yard_begin(&yard, user);
    run("mkdir %s/many", yard.source);
    make_file(yard_path(&yard, "source/many/one"), "", 0644);
    real = yard.world->call;
    world_calls_t calls = *real;
    calls.list_next = list_more;
    calls.stat_at = stat_large;
    yard.world->call = &calls;
    EXPECT_ERR(&yard, ERR_TOO_LARGE, try_take(&yard, NULL, 0));
    snprintf(names, sizeof names, "cannot list %u names of 'many': ", others + 1);
    fault_text(&yard.fault, text, sizeof text);
    cr_expect(strstr(text, names) && strstr(text, "have 16777216 bytes"), "%s", text);
    calls.stat_at = real->stat_at;
    EXPECT_ERR(&yard, ERR_SOURCE_CHANGED, try_take(&yard, NULL, 0)); /* small ones are taken */
    yard.world->call = real;
    yard_end(&yard);
}
