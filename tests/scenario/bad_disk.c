/* bad_disk.c - a disk that fails on command, put before a real host with LD_PRELOAD.
 *
 * $BAD_DISK_RULE names a file of one line: MODE COUNT PREFIX. Writes to files below PREFIX succeed
 * COUNT times after the line was changed; then MODE says what becomes of them: `eio`, `full`
 * (ENOSPC), `busy` (ETXTBSY), `crash` and `kill` (the process ends by SIGSEGV or SIGKILL), or
 * `hang`, which does not return until somebody opens the FIFO named like the rule's file with
 * `.fifo` behind it for writing. `ok`, or no such file: nothing is changed. `slow-sync PREFIX`,
 * without COUNT: a sync of the file system does not return until then.
 */
#undef _FILE_OFFSET_BITS /* both names of pwrite are made here */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

#define PATH_BYTES 4200

typedef ssize_t write_fn(int fd, const void *bytes, size_t size, off_t offset);

static atomic_ulong rule_seen;  /* of the line that done counts for */
static atomic_ulong write_done; /* writes below PREFIX since then */

static ssize_t
small_file(const char *path, char *text, size_t size)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return -1;
    }
    ssize_t got = read(fd, text, size - 1);
    close(fd);
    text[got < 0 ? 0 : got] = '\0';
    return got;
}

static unsigned long
number_of(const char *line)
{
    unsigned long number = 5381;
    for (; *line != '\0'; line++) {
        number = number * 33 + (unsigned char) *line;
    }
    return number;
}

static int
is_below(int fd, const char *prefix)
{
    char link[64];
    char path[PATH_BYTES];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t size = readlink(link, path, sizeof path - 1);
    return size > 0 && strncmp(path, prefix, strlen(prefix)) == 0;
}

static int
hang(const char *rule)
{
    char fifo[PATH_BYTES];
    snprintf(fifo, sizeof fifo, "%s.fifo", rule);
    int fd = open(fifo, O_RDONLY | O_CLOEXEC);
    if (fd >= 0) {
        close(fd);
    }
    return 0;
}

/* The errno that a write to fd is to fail with; 0: it may go on. */
static int
verdict(int fd)
{
    const char *rule = getenv("BAD_DISK_RULE");
    char line[PATH_BYTES];
    char mode[16];
    char prefix[PATH_BYTES];
    unsigned long count = 0;
    if (rule == NULL || small_file(rule, line, sizeof line) <= 0 ||
        sscanf(line, "%15s %lu %4199[^\n]", mode, &count, prefix) != 3 || !is_below(fd, prefix)) {
        return 0;
    }
    unsigned long number = number_of(line);
    if (atomic_exchange(&rule_seen, number) != number) {
        atomic_store(&write_done, 0);
    }
    if (atomic_fetch_add(&write_done, 1) < count) {
        return 0;
    }
    if (strcmp(mode, "crash") == 0) {
        volatile int *volatile nowhere = NULL;
        *nowhere = 0;
    }
    if (strcmp(mode, "kill") == 0) {
        raise(SIGKILL);
    }
    if (strcmp(mode, "hang") == 0) {
        return hang(rule);
    }
    return strcmp(mode, "eio") == 0    ? EIO
           : strcmp(mode, "full") == 0 ? ENOSPC
           : strcmp(mode, "busy") == 0 ? ETXTBSY
                                       : 0;
}

static ssize_t
write_or_fail(const char *name, int fd, const void *bytes, size_t size, off_t offset)
{
    int failure = verdict(fd);
    if (failure != 0) {
        errno = failure;
        return -1;
    }
    write_fn *real = NULL;
    *(void **) &real = dlsym(RTLD_NEXT, name);
    return real(fd, bytes, size, offset);
}

ssize_t pwrite64(int fd, const void *bytes, size_t size, off_t offset);

ssize_t
pwrite(int fd, const void *bytes, size_t size, off_t offset)
{
    return write_or_fail("pwrite", fd, bytes, size, offset);
}

ssize_t
pwrite64(int fd, const void *bytes, size_t size, off_t offset)
{
    return write_or_fail("pwrite64", fd, bytes, size, offset);
}

int
syncfs(int fd)
{
    const char *rule = getenv("BAD_DISK_RULE");
    char prefix[PATH_BYTES];
    char line[PATH_BYTES];
    if (rule != NULL && small_file(rule, line, sizeof line) > 0 &&
        sscanf(line, "slow-sync %4199[^\n]", prefix) == 1 && is_below(fd, prefix)) {
        hang(rule);
    }
    int (*real)(int) = NULL;
    *(void **) &real = dlsym(RTLD_NEXT, "syncfs");
    return real(fd);
}
