/* machine.c - shares no code with the product's content room, so that it may judge it. */
#include "tests/sim/machine.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define FILE_BYTES_MAX (4u << 20)
#define EDITED_BYTES   6000u
#define NAMES_MAX      256u

void
machine_make_dir(world_t *w, const char *path)
{
    int made = world_make_dir(w, AT_FDCWD, path, 0755);

    assert(made == 0 || made == -EEXIST);
}

void
machine_write(world_t *w, const char *path, const char *bytes, size_t size, uint32_t mode)
{
    int fd = world_open(w, AT_FDCWD, path, O_WRONLY | O_CREAT | O_TRUNC, 0600, 0);

    assert(fd >= 0);
    int64_t wrote = world_write(w, fd, bytes, size, 0);
    assert(wrote == (int64_t) size);
    int set = world_chmod(w, fd, mode);
    assert(set == 0);
    world_close(w, fd);
}

void
machine_sync(world_t *w, const char *path)
{
    int fd = world_open(w, AT_FDCWD, path, O_RDONLY | O_DIRECTORY, 0, 0);

    assert(fd >= 0);
    int synced = world_sync_all(w, fd);
    assert(synced == 0);
    world_close(w, fd);
}

void
machine_make_tree(world_t *w, const char *path, uint32_t files, uint32_t version)
{
    char name[512], text[512];

    machine_make_dir(w, path);
    snprintf(name, sizeof name, "%s/sub", path);
    machine_make_dir(w, name);
    snprintf(name, sizeof name, "%s/empty", path);
    machine_make_dir(w, name);
    for (uint32_t i = 0; i < files; i++) {
        uint32_t of = version && i % version == 0 ? 0 : version;
        snprintf(name, sizeof name, "%s/%s/file%u", path, i % 2 ? "sub" : ".", i);
        int size =
            snprintf(text, sizeof text, "file %u of version %u %0*u", i, of, (int) (i % 200), 7);
        machine_write(w, name, text, (size_t) size, i % 3 ? 0644 : 0755);
    }
    snprintf(name, sizeof name, "%s/link", path);
    int linked = world_make_link(w, "sub/file1", AT_FDCWD, name);
    assert(linked == 0 || linked == -EEXIST);
    machine_sync(w, path);
}

/* The version stands in the middle of it. */
static void
make_noise(world_t *w, const char *path, size_t size, uint32_t version)
{
    char *bytes = malloc(size);
    uint64_t z = size;

    assert(bytes);
    for (size_t i = 0; i < size; i++) {
        z = z * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        bytes[i] = (char) (z >> 56);
    }
    snprintf(bytes + size / 2, 16, "version %u", version);
    machine_write(w, path, bytes, size, 0644);
    free(bytes);
}

void
machine_make_edited(world_t *w, const char *path, bool large, uint32_t version)
{
    char name[512];

    snprintf(name, sizeof name, "%s/edited", path);
    make_noise(w, name, EDITED_BYTES, version);
    if (large) {
        snprintf(name, sizeof name, "%s/large", path);
        make_noise(w, name, MACHINE_LARGE_BYTES, version);
    }
    machine_sync(w, path);
}

typedef struct name_list {
    uint32_t count;
    char *name[NAMES_MAX];
} name_list_t;

static int
by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *) a, *(char *const *) b);
}

static bool
names_of(world_t *w, const char *path, name_list_t *names)
{
    int fd = world_open(w, AT_FDCWD, path, O_RDONLY | O_DIRECTORY, 0, 0);
    world_listing_t *listing = NULL;
    world_name_t name;

    names->count = 0;
    if (fd < 0 || world_list(w, fd, &listing) < 0) {
        return false;
    }
    while (world_list_next(w, listing, &name) == 1 && names->count < NAMES_MAX) {
        names->name[names->count++] = strdup(name.name);
    }
    world_list_end(w, &listing);
    world_close(w, fd);
    qsort(names->name, names->count, sizeof(char *), by_name);
    return true;
}

static void
names_free(name_list_t *names)
{
    while (names->count > 0) {
        free(names->name[--names->count]);
    }
}

static int64_t
content_of(world_t *w, const char *path, const world_stat_t *stat, char *bytes)
{
    if (S_ISLNK(stat->mode)) {
        return world_read_link(w, AT_FDCWD, path, bytes, FILE_BYTES_MAX);
    }
    int fd = world_open(w, AT_FDCWD, path, O_RDONLY, 0, 0);
    if (fd < 0) {
        return fd;
    }
    int64_t size = world_read(w, fd, bytes, FILE_BYTES_MAX, 0);
    world_close(w, fd);
    return size;
}

static bool
leaves_equal(world_t *w, const char *a, const char *b, const world_stat_t *of_a,
             const world_stat_t *of_b, char *ret_why, size_t why_size)
{
    static char bytes_a[FILE_BYTES_MAX], bytes_b[FILE_BYTES_MAX];
    int64_t size_a = content_of(w, a, of_a, bytes_a);
    int64_t size_b = content_of(w, b, of_b, bytes_b);

    if (size_a < 0 || size_a != size_b || memcmp(bytes_a, bytes_b, (size_t) size_a) != 0) {
        snprintf(ret_why, why_size, "%s: content differs (%ld bytes, wanted %ld)", b, (long) size_b,
                 (long) size_a);
        return false;
    }
    return true;
}

static bool
names_equal(const char *path, const name_list_t *a, const name_list_t *b, char *ret_why,
            size_t why_size)
{
    for (uint32_t i = 0; i < a->count || i < b->count; i++) {
        const char *of_a = i < a->count ? a->name[i] : "(nothing)";
        const char *of_b = i < b->count ? b->name[i] : "(nothing)";
        if (strcmp(of_a, of_b) != 0) {
            snprintf(ret_why, why_size, "%s: has %s where %s is wanted", path, of_b, of_a);
            return false;
        }
    }
    return true;
}

static bool
dirs_equal(world_t *w, const char *a, const char *b, char *ret_why, size_t why_size)
{
    name_list_t names_a, names_b;
    bool equal = names_of(w, a, &names_a) && names_of(w, b, &names_b);

    if (!equal) {
        snprintf(ret_why, why_size, "%s: cannot be listed", b);
        return false;
    }
    equal = names_equal(b, &names_a, &names_b, ret_why, why_size);
    for (uint32_t i = 0; equal && i < names_a.count; i++) {
        char path_a[1024], path_b[1024];
        snprintf(path_a, sizeof path_a, "%s/%s", a, names_a.name[i]);
        snprintf(path_b, sizeof path_b, "%s/%s", b, names_b.name[i]);
        equal = machine_trees_equal(w, path_a, path_b, ret_why, why_size);
    }
    names_free(&names_a);
    names_free(&names_b);
    return equal;
}

bool
machine_trees_equal(world_t *w, const char *a, const char *b, char *ret_why, size_t why_size)
{
    world_stat_t of_a, of_b;

    if (world_stat_at(w, AT_FDCWD, a, &of_a) < 0 || world_stat_at(w, AT_FDCWD, b, &of_b) < 0) {
        snprintf(ret_why, why_size, "%s: is not there", b);
        return false;
    }
    if (of_a.mode != of_b.mode) {
        snprintf(ret_why, why_size, "%s: mode %o, wanted %o", b, of_b.mode, of_a.mode);
        return false;
    }
    return S_ISDIR(of_a.mode) ? dirs_equal(w, a, b, ret_why, why_size)
                              : leaves_equal(w, a, b, &of_a, &of_b, ret_why, why_size);
}

/* Counts *number down over the regular files below path, in the order of their names. */
static bool
count_down(world_t *w, const char *path, uint64_t *number, char *ret_path, size_t path_size)
{
    name_list_t names;
    bool found = false;

    if (!names_of(w, path, &names)) {
        return false;
    }
    for (uint32_t i = 0; !found && i < names.count; i++) {
        world_stat_t stat;
        char below[1024];
        snprintf(below, sizeof below, "%s/%s", path, names.name[i]);
        if (world_stat_at(w, AT_FDCWD, below, &stat) < 0) {
            continue;
        }
        if (S_ISDIR(stat.mode)) {
            found = count_down(w, below, number, ret_path, path_size);
        } else if (S_ISREG(stat.mode) && (*number)-- == 0) {
            snprintf(ret_path, path_size, "%s", below);
            found = true;
        }
    }
    names_free(&names);
    return found;
}

bool
machine_find_file(world_t *w, const char *path, uint64_t number, char *ret_path, size_t path_size)
{
    return count_down(w, path, &number, ret_path, path_size);
}
