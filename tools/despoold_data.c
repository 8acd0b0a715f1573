/* despoold_data.c - see despoold_data.h. */
#include "tools/despoold_data.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "actors/content/backup.h"
#include "proto/errors.h"
#include "runtime/world_os.h"
#include "tools/data_default.h"

#define LOCK_WAIT_MS 2000 /* that the kernel is given to end a host which was just killed */
#define LOCK_LOOK_MS 10   /* between looks whether it has */

/* Makes a directory and its parents; what is there already is left as it is. */
static int
make_dirs(data_dir_t *dir)
{
    for (char *at = dir->path + 1; *at; at++) {
        if (*at == '/') {
            *at = 0;
            int made = mkdir(dir->path, 0755);
            *at = '/';
            dir->made += made == 0;
            if (made != 0 && errno != EEXIST) {
                return -1;
            }
        }
    }
    int made = mkdir(dir->path, 0700);
    dir->made += made == 0;
    return made == 0 || errno == EEXIST ? 0 : -1;
}

/* A refused start leaves nothing behind: what was made is taken away, as far as it is empty. */
void
data_unmake(data_dir_t *dir)
{
    for (char *end = dir->path + strlen(dir->path); dir->made > 0 && end; dir->made--) {
        *end = 0;
        if (rmdir(dir->path) != 0) {
            return;
        }
        end = strrchr(dir->path, '/');
    }
}

static void
cannot(const char *verb, const char *subject, const char *reason)
{
    fprintf(stderr,
            "cannot %s '%s': %s\n  name a directory with --data that the user who runs despoold"
            " may write to\n",
            verb, subject, reason);
}

/* Absolute, made, and ours to write to. False: it was said why not. */
bool
data_make(const char *given, data_dir_t *ret_dir)
{
    *ret_dir = (data_dir_t){.path = given ? strdup(given) : data_default()};
    char *data = ret_dir->path;
    struct stat stat_of;

    if (!data || make_dirs(ret_dir) != 0 || stat(data, &stat_of) != 0) {
        cannot("make", data ? data : "the data directory", strerror(errno));
        return false;
    }
    if (!S_ISDIR(stat_of.st_mode)) {
        cannot("use", data, "it is not a directory");
        return false;
    }
    char *whole = realpath(data, NULL);
    if (!whole || access(whole, R_OK | W_OK | X_OK) != 0) {
        cannot("write to", data, strerror(errno));
        free(whole);
        return false;
    }
    free(data);
    ret_dir->path = whole;
    return true;
}

/* A host that was killed has the lock until the kernel has ended it, which takes the longer the
 * more memory it had. */
static bool
lock_in_time(int fd)
{
    world_os_t os;
    world_t *world = world_os_init(&os, NULL);
    int64_t until = world_monotonic_ns(world) + LOCK_WAIT_MS * INT64_C(1000000);

    while (flock(fd, LOCK_EX | LOCK_NB) != 0) {
        if (errno != EWOULDBLOCK || world_monotonic_ns(world) >= until) {
            return false;
        }
        poll(NULL, 0, LOCK_LOOK_MS);
    }
    return true;
}

/* The data directory itself is locked before an endpoint in it is touched: to bind one takes it
 * away from the host that has it. -1: another host runs, or it cannot be opened; it was said. */
int
data_lock(const char *data)
{
    int fd = open(data, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (fd >= 0 && lock_in_time(fd)) {
        return fd;
    }
    err_t err = errno == EWOULDBLOCK ? ERR_LOCKED : err_of_errno(errno);
    fprintf(stderr, "cannot start the host in '%s': %s\n  %s\n", data, err_sentence(err),
            err_hint(err));
    if (fd >= 0) {
        close(fd);
    }
    return -1;
}

err_t
data_restored(const char *data, id128_t *ret_restore)
{
    world_os_t os;
    fault_t fault = {0};
    char text[1024];
    err_t err = backup_restored(world_os_init(&os, NULL), data, ret_restore, &fault);

    if (err != OK) {
        fprintf(stderr, "%s\n  %s\n", fault_text(&fault, text, sizeof text), err_hint(err));
    }
    return err;
}
