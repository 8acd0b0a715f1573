/* tree.c - what is carried and what is refused, and the globs that leave things out. */
#include "actors/content/tree.h"

#include <string.h>
#include <sys/stat.h>

bool
tree_name_is_valid(const char *name, size_t size)
{
    if (size == 0 || size > TREE_NAME_BYTES_MAX || memchr(name, '/', size) != NULL) {
        return false;
    }
    bool dot = size == 1 && name[0] == '.';
    bool dots = size == 2 && name[0] == '.' && name[1] == '.';
    return !dot && !dots;
}

/* By which word it is refused. */
static const char *
verb_of_kind(uint32_t mode)
{
    switch (mode & S_IFMT) {
    case S_IFREG:
        return mode & S_ISUID ? "carry the setuid file" : "carry the setgid file";
    case S_IFIFO:
        return "carry the fifo";
    case S_IFSOCK:
        return "carry the socket";
    case S_IFCHR:
    case S_IFBLK:
        return "carry the device";
    default:
        return "carry";
    }
}

err_t
tree_entry_of_stat(const world_stat_t *stat, const char *path, tree_entry_t *ret_entry,
                   fault_t *fault)
{
    uint32_t bits = stat->mode & 07777u;
    tree_entry_t entry = {.mtime_ns = stat->mtime_ns};
    if (S_ISREG(stat->mode) && (bits & (S_ISUID | S_ISGID)) == 0) {
        entry.kind = TREE_FILE;
        entry.mode = bits;
        entry.size = stat->size;
    } else if (S_ISDIR(stat->mode)) {
        entry.kind = TREE_DIRECTORY;
        entry.mode = bits & ~(uint32_t) S_ISUID;
    } else if (S_ISLNK(stat->mode)) {
        entry.kind = TREE_LINK;
        entry.mode = 0777;
        entry.size = stat->size;
    } else {
        return RAISE(fault, ERR_UNSUPPORTED, 0, verb_of_kind(stat->mode), path);
    }
    if (stat->mtime_ns == INT64_MIN || stat->mtime_ns == INT64_MAX) {
        return RAISE(fault, ERR_UNSUPPORTED, 0, "carry the time of", path);
    }
    *ret_entry = entry;
    return OK;
}

/* The closing bracket of the class that opens at glob, or NULL when it never closes. */
static const char *
class_end(const char *glob)
{
    const char *at = glob + 1;
    at += *at == '!' || *at == '^';
    at += *at == ']';
    while (*at != '\0' && *at != ']') {
        at++;
    }
    return *at == ']' ? at : NULL;
}

static bool
class_has(const char *glob, const char *end, unsigned char byte)
{
    const char *at = glob + 1;
    bool inverted = *at == '!' || *at == '^';
    bool found = false;
    for (at += inverted; at < end; at++) {
        unsigned char low = (unsigned char) *at;
        unsigned char high = low;
        if (at + 2 < end && at[1] == '-') {
            high = (unsigned char) at[2];
            at += 2;
        }
        found = found || (byte >= low && byte <= high);
    }
    return found != inverted && byte != '/';
}

/* Whether one step of the glob takes one byte of the text; *ret_next is where the glob goes on. */
static bool
step_matches(const char *glob, const char *text, const char **ret_next)
{
    if (*text == '\0' || *glob == '\0') {
        return false;
    }
    const char *end = *glob == '[' ? class_end(glob) : NULL;
    if (end != NULL) {
        *ret_next = end + 1;
        return class_has(glob, end, (unsigned char) *text);
    }
    bool escaped = *glob == '\\' && glob[1] != '\0';
    *ret_next = glob + 1 + escaped;
    return (*glob == '?' && *text != '/') || glob[escaped] == *text;
}

/* Where a star may be taken up again: a later star makes earlier ones final, but a star that stops
 * at slashes leaves the last double star open behind it. Linear in memory, no recursion. */
typedef struct star {
    const char *glob, *text;
} star_t;

/* Gives the last star one more byte of text; false when no star can take one. */
static bool
take_up(star_t *single, star_t *twice, const char **glob, const char **text)
{
    if (single->glob != NULL && *single->text != '\0' && *single->text != '/') {
        *text = ++single->text;
        *glob = single->glob;
        return true;
    }
    *single = (star_t){0};
    if (twice->glob != NULL && *twice->text != '\0') {
        *text = ++twice->text;
        *glob = twice->glob;
        return true;
    }
    return false;
}

static bool
glob_matches(const char *glob, const char *text)
{
    star_t single = {0};
    star_t twice = {0};
    while (*glob != '\0' || *text != '\0') {
        const char *next = NULL;
        if (glob[0] == '*' && glob[1] == '*') {
            glob += 2;
            twice = (star_t){glob, text};
            single = (star_t){0};
        } else if (*glob == '*') {
            single = (star_t){++glob, text};
        } else if (step_matches(glob, text, &next)) {
            glob = next;
            text++;
        } else if (!take_up(&single, &twice, &glob, &text)) {
            return false;
        }
    }
    return true;
}

bool
tree_is_excluded(const char *const *globs, size_t count, const char *path)
{
    const char *slash = strrchr(path, '/');
    const char *last = slash == NULL ? path : slash + 1;
    for (size_t i = 0; i < count; i++) {
        const char *glob = globs[i];
        const char *against = strchr(glob, '/') == NULL ? last : path;
        if (glob_matches(glob + (*glob == '/'), against)) {
            return true;
        }
    }
    return false;
}
