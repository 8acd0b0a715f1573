/* yard.c - the real disk under the tests of the content room. */
#include "yard.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <grp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define NOBODY 65534

static void
become_unprivileged(void)
{
    if (geteuid() != 0) {
        return;
    }
    cr_assert_eq(setgroups(0, NULL), 0);
    cr_assert_eq(setresgid(NOBODY, NOBODY, NOBODY), 0);
    cr_assert_eq(setresuid(NOBODY, NOBODY, NOBODY), 0);
}

const char *
yard_path(yard_t *yard, const char *format, ...)
{
    static char texts[4][512];
    static unsigned next;
    char *text = texts[next++ % 4];
    int size = snprintf(text, sizeof texts[0], "%s/", yard->path);
    va_list args;
    va_start(args, format);
    vsnprintf(text + size, sizeof texts[0] - (size_t) size, format, args);
    va_end(args);
    return text;
}

void
run(const char *format, ...)
{
    char command[2048];
    va_list args;
    va_start(args, format);
    vsnprintf(command, sizeof command, format, args);
    va_end(args);
    int status = system(command);
    cr_assert_eq(status, 0, "'%s' ended with %d", command, status);
}

void
yard_rot(yard_t *yard, const digest_t *digest, uint64_t at, size_t count)
{
    run_entry_t entry = yard_place_of(yard, digest);
    char name[RUN_NAME_BYTES];
    store_pack_name(entry.pack, name);
    int fd = open(yard_path(yard, "data/store/packs/%s", name), O_RDWR | O_CLOEXEC);
    for (size_t i = 0; i < count; i++) {
        uint8_t byte;
        off_t where = (off_t) (entry.offset + at + i);
        cr_assert_eq(pread(fd, &byte, 1, where), 1);
        byte ^= 4;
        cr_assert_eq(pwrite(fd, &byte, 1, where), 1);
    }
    close(fd);
    yard_reopen(yard);
}

void
make_file(const char *path, const char *text, unsigned mode)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    cr_assert(fd >= 0, "cannot create %s: %s", path, strerror(errno));
    cr_assert_eq(write(fd, text, strlen(text)), (ssize_t) strlen(text));
    cr_assert_eq(fchmod(fd, mode), 0);
    close(fd);
}

void
make_directory(const char *path, unsigned mode)
{
    cr_assert(mkdir(path, 0700) == 0, "cannot make %s: %s", path, strerror(errno));
    cr_assert_eq(chmod(path, mode), 0);
}

void
make_symlink(const char *text, const char *path)
{
    cr_assert(symlink(text, path) == 0, "cannot link %s: %s", path, strerror(errno));
}

bool
exists(const char *path)
{
    struct stat stat;
    return lstat(path, &stat) == 0;
}

static void
set_mtime(const char *path, long seconds, long ns)
{
    struct timespec times[2] = {{.tv_nsec = UTIME_OMIT}, {.tv_sec = seconds, .tv_nsec = ns}};
    cr_assert_eq(utimensat(AT_FDCWD, path, times, AT_SYMLINK_NOFOLLOW), 0);
}

void
make_tree(yard_t *yard)
{
    make_file(yard_path(yard, "source/plain"), "plain text\n", 0644);
    make_file(yard_path(yard, "source/empty"), "", 0600);
    make_file(yard_path(yard, "source/read only"), "r", 0444);
    make_file(yard_path(yard, "source/-odd \xff\x01\n%%n*'\"\\"), "odd", 0755);
    make_directory(yard_path(yard, "source/dir"), 0750);
    make_file(yard_path(yard, "source/dir/inner"), "inner", 0640);
    make_directory(yard_path(yard, "source/dir/empty"), 0777);
    make_symlink("../plain", yard_path(yard, "source/dir/link"));
    make_symlink("/nowhere/at all", yard_path(yard, "source/dangling"));
    set_mtime(yard_path(yard, "source/plain"), 1, 1);
    set_mtime(yard_path(yard, "source/empty"), -5, 999999999);
    set_mtime(yard_path(yard, "source/dangling"), 1234567890, 123456789);
    make_directory(yard_path(yard, "source/closed"), 0700);
    make_file(yard_path(yard, "source/closed/in it"), "x", 0644);
    cr_assert_eq(chmod(yard_path(yard, "source/closed"), 0555), 0);
}

/* find prints every property of every name; the digests come from sha256sum, not from us. */
bool
same_tree(const char *a, const char *b)
{
    char command[2048];
    snprintf(
        command, sizeof command,
        "bash -c 'cmp -s <(cd \"%s\"/. && find . -printf \"%%P %%y %%m %%T@ %%l\\0\" | sort -z)"
        " <(cd \"%s\"/. && find . -printf \"%%P %%y %%m %%T@ %%l\\0\" | sort -z) &&"
        " cmp -s <(cd \"%s\"/. && find . -type f -print0 | sort -z | xargs -0 -r sha256sum)"
        " <(cd \"%s\"/. && find . -type f -print0 | sort -z | xargs -0 -r sha256sum)'",
        a, b, a, b);
    return system(command) == 0;
}

void
yard_begin(yard_t *yard, user_t user)
{
    *yard = (yard_t){.point = {.fd = -1, .own_fd = -1}};
    if (user == UNPRIVILEGED) {
        become_unprivileged();
    }
    strcpy(yard->path, "/tmp/despool-content-XXXXXX");
    cr_assert(mkdtemp(yard->path) != NULL);
    strcpy(yard->source, yard_path(yard, "source"));
    strcpy(yard->data, yard_path(yard, "data"));
    strcpy(yard->root, yard_path(yard, "root"));
    make_directory(yard->source, 0755);
    make_directory(yard->data, 0700);
    make_directory(yard->root, 0755);
    yard->world = world_os_init(&yard->os, NULL);
    strcpy(yard->identity.name, "D1");
    memset(yard->identity.site.byte, 1, sizeof yard->identity.site.byte);
    memset(yard->identity.incarnation.byte, 2, sizeof yard->identity.incarnation.byte);
    yard->order = (place_order_t){.package = "P1", .label = "one"};
    memset(yard->order.incarnation.byte, 3, sizeof yard->order.incarnation.byte);
    EXPECT_OK(yard,
              store_open(yard->world, yard_path(yard, "data/store"), &yard->store, &yard->fault));
    EXPECT_OK(yard,
              point_claim(yard->world, yard->root, &yard->identity, NULL, 0, false, &yard->fault));
    EXPECT_OK(yard, point_open(yard->world, yard->root, &yard->identity.site,
                               &yard->identity.incarnation, &yard->point, &yard->fault));
}

static int
open_up(const char *path, const struct stat *stat, int type, struct FTW *way)
{
    (void) stat;
    (void) way;
    return type == FTW_D || type == FTW_DNR ? chmod(path, 0700) : 0;
}

void
yard_end(yard_t *yard)
{
    point_close(&yard->point);
    store_close(&yard->store);
    (void) nftw(yard->path, open_up, 16, FTW_PHYS);
    run("rm -rf '%s'", yard->path);
}

void
yard_reopen(yard_t *yard)
{
    store_close(&yard->store);
    EXPECT_OK(yard,
              store_open(yard->world, yard_path(yard, "data/store"), &yard->store, &yard->fault));
}

void
take(yard_t *yard)
{
    EXPECT_OK(yard, snapshot_take(yard->world, yard->store, yard->source, NULL, NULL, NULL,
                                  &yard->snapshot, &yard->fault));
    yard->order.epoch++;
    yard->order.root = yard->snapshot.root;
}

err_t
place(yard_t *yard, place_result_t *ret_result)
{
    return place_version(yard->world, yard->store, &yard->point, &yard->order, NULL, NULL,
                         ret_result, &yard->fault);
}

place_result_t
placed(yard_t *yard)
{
    place_result_t result = {0};
    EXPECT_OK(yard, place(yard, &result));
    return result;
}

verify_result_t
looked(yard_t *yard)
{
    verify_result_t result = {0};
    EXPECT_OK(yard, verify_version(yard->world, yard->store, &yard->point, &yard->order, NULL, NULL,
                                   &result, &yard->fault));
    return result;
}

bool
verified(yard_t *yard)
{
    verify_result_t result = looked(yard);
    bool whole = result.whole;
    verify_result_release(&result);
    return whole;
}

void
remove_all(yard_t *yard)
{
    removal_result_t removed;
    EXPECT_OK(yard, removal_package(yard->world, yard->store, &yard->point, yard->order.package,
                                    &yard->order.incarnation, &removed, &yard->fault));
    cr_expect(removed.gone);
    removal_result_release(&removed);
}

uint8_t *
bytes_of_seed(size_t size, uint64_t seed)
{
    uint8_t *bytes = malloc(size + 8);
    cr_assert(bytes != NULL);
    for (size_t i = 0; i < size; i += 8) {
        seed = seed * 6364136223846793005u + 1442695040888963407u;
        uint64_t word = seed ^ seed >> 29;
        memcpy(bytes + i, &word, 8);
    }
    return bytes;
}

store_put_t
yard_put_file(yard_t *yard, const char *name, const void *bytes, size_t size)
{
    store_put_t put = {0};
    const char *path = yard_path(yard, "%s", name);
    int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    cr_assert_eq(write(fd, bytes, size), (ssize_t) size);
    EXPECT_OK(yard, store_put_file(yard->store, fd, path, &put, &yard->fault));
    close(fd);
    return put;
}

digest_t
yard_put_bytes(yard_t *yard, const void *bytes, size_t size)
{
    store_put_t put = {0};
    EXPECT_OK(yard, store_put_bytes(yard->store, bytes, size, &put, &yard->fault));
    return put.digest;
}

run_entry_t
yard_place_of(yard_t *yard, const digest_t *digest)
{
    store_place_t place;
    bool found = false;
    EXPECT_OK(yard, store_find(yard->store, digest, false, &place, &found, &yard->fault));
    cr_assert(found);
    return place.entry;
}
