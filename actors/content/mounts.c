/* mounts.c - see mounts.h. */
#include "actors/content/mounts.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LIST        "/proc/self/mountinfo"
#define FIRST_BYTES 16384u
#define PLACE_BYTES 8192u /* of a path within a file system: two paths, one behind the other */

/* One line: the directory `inner` of the file system `device` is seen at `at`. */
typedef struct mount {
    const char *device, *inner, *at;
} mount_t;

struct mounts {
    char *text;
    mount_t *mount;
    size_t count;
};

/* ---- reading ---- */

/* The whole list with a closing NUL, or NULL. */
static char *
read_list(world_t *world)
{
    size_t size = 0, room = FIRST_BYTES;
    int fd = world_open(world, AT_FDCWD, LIST, O_RDONLY, 0, 0);
    char *text = fd < 0 ? NULL : malloc(room + 1);

    while (text != NULL) {
        int64_t got = world_read(world, fd, text + size, room - size, size);
        if (got <= 0) {
            text[size] = '\0';
            break;
        }
        size += (size_t) got;
        if (size == room && room < MOUNTS_BYTES_MAX) {
            room *= 2;
            char *more = realloc(text, room + 1);
            if (more == NULL) {
                free(text);
            }
            text = more;
        }
    }
    if (fd >= 0) {
        world_close(world, fd);
    }
    return text;
}

/* Blanks and backslashes stand there as \ and three octal digits. */
static void
decode(char *text)
{
    char *to = text;
    for (const char *from = text; *from != '\0'; to++) {
        if (from[0] == '\\' && from[1] >= '0' && from[1] <= '3' && from[2] >= '0' &&
            from[2] <= '7' && from[3] >= '0' && from[3] <= '7') {
            *to = (char) ((from[1] - '0') * 64 + (from[2] - '0') * 8 + (from[3] - '0'));
            from += 4;
        } else {
            *to = *from++;
        }
    }
    *to = '\0';
}

/* Fields: number, parent, device, inner, at, and more that does not matter here. */
static bool
read_line(char *line, mount_t *ret_mount)
{
    char *field[5], *rest = NULL;
    for (size_t i = 0; i < 5; i++) {
        field[i] = strtok_r(i == 0 ? line : NULL, " ", &rest);
        if (field[i] == NULL) {
            return false;
        }
    }
    decode(field[3]);
    decode(field[4]);
    *ret_mount = (mount_t){field[2], field[3], field[4]};
    return field[3][0] == '/' && field[4][0] == '/';
}

mounts_t *
mounts_read(world_t *world)
{
    mounts_t *mounts = calloc(1, sizeof *mounts);
    char *text = mounts == NULL ? NULL : read_list(world), *rest = NULL;
    size_t lines = 1;

    for (const char *at = text; at != NULL && *at != '\0'; at++) {
        lines += *at == '\n';
    }
    mount_t *list = text == NULL ? NULL : calloc(lines, sizeof *list);
    if (list == NULL) {
        free(text);
        free(mounts);
        return NULL;
    }
    *mounts = (mounts_t){.text = text, .mount = list};
    for (char *line = strtok_r(text, "\n", &rest); line != NULL && mounts->count < lines;
         line = strtok_r(NULL, "\n", &rest)) {
        mounts->count += read_line(line, &list[mounts->count]);
    }
    return mounts;
}

void
mounts_destroy(mounts_t **mounts)
{
    if (*mounts != NULL) {
        free((*mounts)->text);
        free((*mounts)->mount);
        free(*mounts);
        *mounts = NULL;
    }
}

/* ---- questions ---- */

bool
mounts_text_lies_above(const char *upper, const char *lower)
{
    size_t size = strlen(upper);
    while (size > 1 && upper[size - 1] == '/') {
        size--;
    }
    if (strncmp(upper, lower, size) != 0) {
        return false;
    }
    return (size == 1 && upper[0] == '/') || lower[size] == '\0' || lower[size] == '/';
}

/* The mount that path lies in: the deepest, and of those at one place the last. */
static const mount_t *
mount_of(const mounts_t *mounts, const char *path)
{
    const mount_t *found = NULL;
    for (size_t i = 0; i < mounts->count; i++) {
        const mount_t *mount = &mounts->mount[i];
        if (mounts_text_lies_above(mount->at, path) &&
            (found == NULL || strlen(mount->at) >= strlen(found->at))) {
            found = mount;
        }
    }
    return found;
}

/* The path of `path` within the file system of its mount. */
static void
place_in(const mount_t *mount, const char *path, char *ret_place)
{
    size_t size = strcmp(mount->at, "/") == 0 ? 0 : strlen(mount->at);
    const char *inner = strcmp(mount->inner, "/") == 0 ? "" : mount->inner;
    snprintf(ret_place, PLACE_BYTES, "%s%s", inner, path + size);
    if (ret_place[0] == '\0') {
        memcpy(ret_place, "/", 2);
    }
}

static bool
are_nested(const char *a, const char *b)
{
    return mounts_text_lies_above(a, b) || mounts_text_lies_above(b, a);
}

bool
mounts_overlap(const mounts_t *mounts, const char *upper, const char *root)
{
    char of_root[PLACE_BYTES], of_upper[PLACE_BYTES];
    const mount_t *there = mounts == NULL ? NULL : mount_of(mounts, root);
    const mount_t *here = there == NULL ? NULL : mount_of(mounts, upper);

    if (here == NULL) {
        return false;
    }
    place_in(there, root, of_root);
    place_in(here, upper, of_upper);
    if (strcmp(here->device, there->device) == 0 && are_nested(of_upper, of_root)) {
        return true;
    }
    for (size_t i = 0; i < mounts->count;
         i++) { /* what is mounted below upper is seen there, too */
        const mount_t *below = &mounts->mount[i];
        if (below != here && mounts_text_lies_above(upper, below->at) &&
            strcmp(below->device, there->device) == 0 && are_nested(below->inner, of_root)) {
            return true;
        }
    }
    return false;
}
