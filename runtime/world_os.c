/* world_os.c - the real machine: one system call per function.
 *
 * Every call looks at the cancel flag first, and again whenever a signal interrupted it: so EINTR
 * never comes out, and a cancelled job that is woken by a signal leaves. Closing is the exception:
 * a cancelled job can still give back what it opened.
 */
#include "runtime/world_os.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/xattr.h>
#include <time.h>
#include <unistd.h>
#include "runtime/world_kill.h"
#include "runtime/world_os_run.h"

#define NS_PER_S 1000000000

/* Bytes of attribute names looked at; the kernel's own bound (XATTR_LIST_MAX). */
#define ATTRIBUTE_NAMES_BYTES 65536

struct world_listing {
    DIR *stream;
};

static bool
os_cancelled(world_t *world)
{
    const world_os_t *os = world->self;
    return os->cancel != NULL && atomic_load_explicit(os->cancel, memory_order_relaxed);
}

/* The result of a system call as >= 0 or -errno; made again after EINTR, unless cancelled. */
#define ASK(world, call)                                                                           \
    ({                                                                                             \
        int64_t ask_;                                                                              \
        do {                                                                                       \
            if (os_cancelled(world)) {                                                             \
                ask_ = -ECANCELED;                                                                 \
                break;                                                                             \
            }                                                                                      \
            ask_ = (int64_t) (call);                                                               \
            ask_ = ask_ < 0 ? -errno : ask_;                                                       \
        } while (ask_ == -EINTR);                                                                  \
        ask_;                                                                                      \
    })

/* The same, of a call that changes the disk: kill tests count these, by ordinal_. */
#define CHANGE(world, call)                                                                        \
    ({                                                                                             \
        uint64_t ordinal_ = world_kill_before();                                                   \
        int64_t change_ = ASK(world, call);                                                        \
        world_kill_after(ordinal_);                                                                \
        change_;                                                                                   \
    })

static int64_t
clock_ns(clockid_t clock)
{
    struct timespec now;
    int failed = clock_gettime(clock, &now);
    assert(failed == 0);
    (void) failed;
    return (int64_t) now.tv_sec * NS_PER_S + now.tv_nsec;
}

static int64_t
os_monotonic_ns(world_t *world)
{
    (void) world;
    return clock_ns(CLOCK_MONOTONIC);
}

static int64_t
os_wall_ns(world_t *world)
{
    (void) world;
    return clock_ns(CLOCK_REALTIME);
}

/* Chance cannot fail: before the kernel's pool is ready the call waits, and there is no other
 * reason. */
static void
os_random(world_t *world, void *bytes, size_t size)
{
    (void) world;
    unsigned char *next = bytes;
    while (size > 0) {
        ssize_t got = getrandom(next, size, 0);
        assert(got > 0 || errno == EINTR);
        if (got > 0) {
            next += got;
            size -= (size_t) got;
        }
    }
}

static long
open_how(int dir, const char *path, int flags, uint32_t mode, unsigned how)
{
    struct open_how wish = {0};
    wish.flags = (unsigned) flags | O_CLOEXEC;
    wish.mode = (flags & O_CREAT) != 0 ? mode : 0;
    if ((how & WORLD_BENEATH) != 0) {
        wish.resolve |= RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS;
    }
    if ((how & WORLD_NO_XDEV) != 0) {
        wish.resolve |= RESOLVE_NO_XDEV;
    }
    return syscall(SYS_openat2, dir, path, &wish, sizeof wish);
}

static int
os_open(world_t *world, int dir, const char *path, int flags, uint32_t mode, unsigned how)
{
    if ((flags & (O_CREAT | O_TRUNC)) != 0) {
        return (int) CHANGE(world, open_how(dir, path, flags, mode, how));
    }
    return (int) ASK(world, open_how(dir, path, flags, mode, how));
}

/* Linux gives the number back even when a signal interrupts, so that is no failure. */
static int
os_close(world_t *world, int fd)
{
    (void) world;
    return close(fd) < 0 && errno != EINTR ? -errno : 0;
}

static int64_t
os_read(world_t *world, int fd, void *bytes, size_t size, uint64_t offset)
{
    return ASK(world, pread(fd, bytes, size, (off_t) offset));
}

static int64_t
os_write(world_t *world, int fd, const void *bytes, size_t size, uint64_t offset)
{
    return CHANGE(world, pwrite(fd, bytes, world_kill_part(ordinal_, size), (off_t) offset));
}

static int
os_truncate(world_t *world, int fd, uint64_t size)
{
    return (int) CHANGE(world, ftruncate(fd, (off_t) size));
}

/* posix_fallocate returns its error instead of setting errno. */
static int
allocate_once(int fd, uint64_t size)
{
    errno = size == 0 ? 0 : posix_fallocate(fd, 0, (off_t) size);
    return errno == 0 ? 0 : -1;
}

static int
os_allocate(world_t *world, int fd, uint64_t size)
{
    return (int) CHANGE(world, allocate_once(fd, size));
}

static int
os_write_out(world_t *world, int fd, uint64_t offset, uint64_t size)
{
    return (int) ASK(world,
                     sync_file_range(fd, (off_t) offset, (off_t) size, SYNC_FILE_RANGE_WRITE));
}

static int
os_sync(world_t *world, int fd)
{
    return (int) CHANGE(world, fsync(fd));
}

static int
os_sync_data(world_t *world, int fd)
{
    return (int) CHANGE(world, fdatasync(fd));
}

static int
os_sync_all(world_t *world, int fd)
{
    return (int) CHANGE(world, syncfs(fd));
}

/* Times of files before 1677 and after 2262 are beyond 64 bits: told as the farthest ones. */
static int64_t
ns_of(struct timespec time)
{
    int64_t last = INT64_MAX / NS_PER_S;
    if (time.tv_sec >= last || time.tv_sec <= -last) {
        return time.tv_sec > 0 ? INT64_MAX : INT64_MIN;
    }
    return (int64_t) time.tv_sec * NS_PER_S + time.tv_nsec;
}

static void
stat_copy(const struct stat *from, world_stat_t *to)
{
    *to = (world_stat_t){
        .device = from->st_dev,
        .inode = from->st_ino,
        .mode = from->st_mode,
        .uid = from->st_uid,
        .gid = from->st_gid,
        .links = (uint32_t) from->st_nlink,
        .size = (uint64_t) from->st_size,
        .mtime_ns = ns_of(from->st_mtim),
        .ctime_ns = ns_of(from->st_ctim),
        .device_of_file = from->st_rdev,
    };
}

static int
os_stat(world_t *world, int fd, world_stat_t *ret)
{
    struct stat found;
    int result = (int) ASK(world, fstat(fd, &found));
    if (result == 0) {
        stat_copy(&found, ret);
    }
    return result;
}

static int
os_stat_at(world_t *world, int dir, const char *path, world_stat_t *ret)
{
    struct stat found;
    int result = (int) ASK(world, fstatat(dir, path, &found, AT_SYMLINK_NOFOLLOW));
    if (result == 0) {
        stat_copy(&found, ret);
    }
    return result;
}

static int
os_make_dir(world_t *world, int dir, const char *path, uint32_t mode)
{
    return (int) CHANGE(world, mkdirat(dir, path, mode));
}

static int
os_make_link(world_t *world, const char *target, int dir, const char *path)
{
    return (int) CHANGE(world, symlinkat(target, dir, path));
}

static int64_t
os_read_link(world_t *world, int dir, const char *path, char *text, size_t size)
{
    return ASK(world, readlinkat(dir, path, text, size));
}

static int
os_hard_link(world_t *world, int from_dir, const char *from, int to_dir, const char *to)
{
    return (int) CHANGE(world, linkat(from_dir, from, to_dir, to, 0));
}

static int
os_rename(world_t *world, int from_dir, const char *from, int to_dir, const char *to)
{
    return (int) CHANGE(world, renameat(from_dir, from, to_dir, to));
}

static int
os_remove(world_t *world, int dir, const char *path)
{
    return (int) CHANGE(world, unlinkat(dir, path, 0));
}

static int
os_remove_dir(world_t *world, int dir, const char *path)
{
    return (int) CHANGE(world, unlinkat(dir, path, AT_REMOVEDIR));
}

static int
os_chmod(world_t *world, int fd, uint32_t mode)
{
    return (int) CHANGE(world, fchmod(fd, mode & 07777));
}

static int
os_chmod_at(world_t *world, int dir, const char *path, uint32_t mode)
{
    return (int) CHANGE(world, fchmodat(dir, path, mode & 07777, AT_SYMLINK_NOFOLLOW));
}

static int
os_set_mtime(world_t *world, int dir, const char *path, int64_t mtime_ns)
{
    int64_t seconds = mtime_ns / NS_PER_S;
    int64_t rest = mtime_ns % NS_PER_S;
    if (rest < 0) {
        seconds--;
        rest += NS_PER_S;
    }
    struct timespec times[2] = {{.tv_nsec = UTIME_OMIT}, {.tv_sec = seconds, .tv_nsec = rest}};
    return (int) CHANGE(world, utimensat(dir, path, times, AT_SYMLINK_NOFOLLOW));
}

static int
os_space(world_t *world, int fd, world_space_t *ret)
{
    struct statfs found;
    int result = (int) ASK(world, fstatfs(fd, &found));
    if (result != 0) {
        return result;
    }
    uint64_t block = found.f_frsize > 0 ? (uint64_t) found.f_frsize : (uint64_t) found.f_bsize;
    *ret = (world_space_t){
        .bytes_free = found.f_bavail * block,
        .bytes_all = found.f_blocks * block,
        .inodes_free = found.f_files == 0 ? UINT64_MAX : found.f_ffree,
        .block_bytes = (uint32_t) block,
        .type = (uint32_t) found.f_type,
    };
    return 0;
}

static int
os_lock(world_t *world, int fd)
{
    return (int) ASK(world, flock(fd, LOCK_EX | LOCK_NB));
}

/* A descriptor opened with O_PATH has no attribute calls; its name in /proc has. */
static ssize_t
attribute_names(int fd, char *names, size_t size)
{
    ssize_t got = flistxattr(fd, names, size);
    if (got >= 0 || errno != EBADF) {
        return got;
    }
    char path[40];
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    return listxattr(path, names, size);
}

static int64_t
names_carried_not(const char *names, size_t size)
{
    int64_t count = 0;
    for (size_t at = 0; at < size; at += strlen(names + at) + 1) {
        count += strcmp(names + at, "security.selinux") != 0;
    }
    return count;
}

/* Most files have none, which the first call tells without a buffer. */
static int64_t
os_attribute_count(world_t *world, int fd)
{
    int64_t size = ASK(world, attribute_names(fd, NULL, 0));
    if (size <= 0) {
        return size == -ENOTSUP ? 0 : size;
    }
    char *names = malloc(ATTRIBUTE_NAMES_BYTES);
    if (names == NULL) {
        return -ENOMEM;
    }
    size = ASK(world, attribute_names(fd, names, ATTRIBUTE_NAMES_BYTES));
    int64_t count = size < 0 ? size : names_carried_not(names, (size_t) size);
    free(names);
    return count;
}

/* A description of its own, so that the caller's read position stays where it was. */
static int
os_list(world_t *world, int fd, world_listing_t **ret_listing)
{
    int own = (int) ASK(world, openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (own < 0) {
        return own;
    }
    world_listing_t *listing = malloc(sizeof *listing);
    DIR *stream = listing == NULL ? NULL : fdopendir(own);
    if (stream == NULL) {
        int failure = listing == NULL ? -ENOMEM : -errno;
        close(own);
        free(listing);
        return failure;
    }
    listing->stream = stream;
    *ret_listing = listing;
    return 0;
}

/* 1 a name, 0 the end, -1 with errno. */
static int
next_name(DIR *stream, const struct dirent **ret)
{
    do {
        errno = 0;
        *ret = readdir(stream);
        if (*ret == NULL) {
            return errno == 0 ? 0 : -1;
        }
    } while (strcmp((*ret)->d_name, ".") == 0 || strcmp((*ret)->d_name, "..") == 0);
    return 1;
}

static int
os_list_next(world_t *world, world_listing_t *listing, world_name_t *ret_name)
{
    const struct dirent *entry = NULL;
    int result = (int) ASK(world, next_name(listing->stream, &entry));
    if (result == 1) {
        *ret_name =
            (world_name_t){.name = entry->d_name, .inode = entry->d_ino, .type = entry->d_type};
    }
    return result;
}

static void
os_list_end(world_t *world, world_listing_t **listing)
{
    (void) world;
    if (*listing != NULL) {
        closedir((*listing)->stream);
        free(*listing);
        *listing = NULL;
    }
}

static int
os_point(world_t *world, const char *name)
{
    world_kill_point(name);
    return os_cancelled(world) ? -ECANCELED : 0;
}

static world_t *os_lasting(world_t *world);

static const world_calls_t os_calls = {
    .monotonic_ns = os_monotonic_ns,
    .wall_ns = os_wall_ns,
    .random = os_random,
    .open = os_open,
    .close = os_close,
    .read = os_read,
    .write = os_write,
    .truncate = os_truncate,
    .allocate = os_allocate,
    .write_out = os_write_out,
    .sync = os_sync,
    .sync_data = os_sync_data,
    .sync_all = os_sync_all,
    .stat = os_stat,
    .stat_at = os_stat_at,
    .make_dir = os_make_dir,
    .make_link = os_make_link,
    .read_link = os_read_link,
    .hard_link = os_hard_link,
    .rename = os_rename,
    .remove = os_remove,
    .remove_dir = os_remove_dir,
    .chmod = os_chmod,
    .chmod_at = os_chmod_at,
    .set_mtime = os_set_mtime,
    .space = os_space,
    .lock = os_lock,
    .attribute_count = os_attribute_count,
    .list = os_list,
    .list_next = os_list_next,
    .list_end = os_list_end,
    .run = world_os_run,
    .cancelled = os_cancelled,
    .point = os_point,
    .lasting = os_lasting,
};

static world_os_t lasting_world = {.world = {.call = &os_calls, .self = &lasting_world}};

static world_t *
os_lasting(world_t *world)
{
    (void) world;
    return &lasting_world.world;
}

world_t *
world_os_init(world_os_t *os, const atomic_bool *cancel)
{
    *os = (world_os_t){.world = {.call = &os_calls, .self = os}, .cancel = cancel};
    return &os->world;
}
