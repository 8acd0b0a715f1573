/* verify_tree.c - walks a manifest and a directory side by side, both in the order of their names.
 */
#include "actors/content/verify_tree.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include "actors/content/descent.h"
#include "actors/content/fail.h"
#include "actors/content/hash.h"
#include "actors/content/listing.h"
#include "actors/content/verify_lots.h"
#include "actors/content/walk.h"
#include "proto/limits.h"

#define HOW (WORLD_BENEATH | WORLD_NO_XDEV)

enum { THERE, GONE, HIDDEN };

/* A directory of the version: there at the point, or not, or hidden by its own mode. */
typedef struct level {
    int state; /* THERE, GONE or HIDDEN */
    listing_t names;
    uint32_t next;
} level_t;

typedef struct verify {
    world_t *world;
    walk_t *walk;
    descent_t way;
    hash_t *hash;
    uint8_t *block;
    verify_lots_t *lots;
    level_t *level;   /* TREE_DEPTH_MAX + 1 of them */
    size_t depth;     /* index of the current one */
    const char *left; /* of the way to where an earlier portion ended; NULL: that is behind us */
    bool quiet;       /* what stands before it was told by the portions before */
    verify_tree_t *tree;
    fault_t *fault;
} verify_t;

static err_t
add(verify_t *verify, path_kind_t kind, const char *path)
{
    const char *prefix = verify->tree->prefix == NULL ? "" : verify->tree->prefix;
    size_t size = strlen(prefix) + strlen(path) + 2;
    char *whole = malloc(size);
    if (whole == NULL) {
        return NO_MEMORY(verify->fault, path);
    }
    snprintf(whole, size, "%s%s%s", prefix, *prefix == '\0' ? "" : "/", path);
    err_t err = paths_add(&verify->tree->paths, kind, whole);
    free(whole);
    return err == OK ? OK : NO_MEMORY(verify->fault, path);
}

/* Behind what is found out of the files before it: what is told is told in the order of names. */
static err_t
tell(verify_t *verify, path_kind_t kind, const char *name)
{
    TRY(verify_lots_settle(verify->lots));
    return add(verify, kind, descent_path(&verify->way, name));
}

static err_t
fail_at(verify_t *verify, int64_t result, const char *verb, const char *name)
{
    return FAIL(verify->fault, result, verb, descent_path(&verify->way, name));
}

/* Tells what the directory has and the version has not, up to (not with) a name; NULL: to the
 * end. *ret_found: whether the directory has the name itself. */
static err_t
pass_extras(verify_t *verify, const char *until, bool *ret_found)
{
    level_t *level = &verify->level[verify->depth];
    *ret_found = false;
    while (level->next < level->names.count) {
        const char *name = level->names.name[level->next];
        int order = until == NULL ? -1 : strcmp(name, until);
        if (order > 0) {
            break;
        }
        level->next++;
        if (order == 0) {
            *ret_found = true;
            break;
        }
        TRY(verify->quiet ? OK : tell(verify, PATH_EXTRA, name));
    }
    return OK;
}

static bool
kind_matches(const tree_entry_t *entry, const world_stat_t *stat)
{
    switch (entry->kind) {
    case TREE_FILE:
        return S_ISREG(stat->mode);
    case TREE_DIRECTORY:
        return S_ISDIR(stat->mode);
    case TREE_LINK:
        return S_ISLNK(stat->mode);
    }
    return false;
}

static bool
metadata_matches(const tree_entry_t *entry, const world_stat_t *stat)
{
    bool mode = entry->kind == TREE_LINK || (stat->mode & 07777u) == entry->mode;
    bool size = entry->kind == TREE_DIRECTORY || stat->size == entry->size;
    return mode && size && stat->mtime_ns == entry->mtime_ns;
}

/* Also where nothing was counted: work that goes on is told from work that hangs. */
static void
tell_progress(const verify_t *verify, uint64_t under_way)
{
    const verify_tree_t *tree = verify->tree;
    if (tree->progress != NULL) {
        tree->progress(tree->context, tree->bytes + under_way, tree->version.bytes);
    }
}

static void
count_equal(verify_t *verify, uint64_t size)
{
    verify->tree->files++;
    verify->tree->bytes += size;
}

static err_t
told(void *context, const char *path, uint64_t size, bool equal)
{
    verify_t *verify = context;
    if (!equal) {
        return add(verify, PATH_CHANGED, path);
    }
    count_equal(verify, size);
    return OK;
}

static err_t
hash_file(verify_t *verify, int fd, const tree_entry_t *entry)
{
    uint64_t size = 0;
    hash_begin(verify->hash);
    for (;;) {
        int64_t got = world_read(verify->world, fd, verify->block, CONTENT_BLOCK_BYTES, size);
        if (got < 0) {
            return fail_at(verify, got, "read", entry->name);
        }
        if (got == 0) {
            break;
        }
        hash_add(verify->hash, verify->block, (size_t) got);
        size += (uint64_t) got;
        tell_progress(verify, size);
    }
    digest_t digest;
    hash_end(verify->hash, &digest);
    if (size != entry->size || !digest_equal(&digest, &entry->digest)) {
        return tell(verify, PATH_CHANGED, entry->name);
    }
    count_equal(verify, size);
    return OK;
}

/* One byte more than it should have, so that a longer one shows. */
static err_t
put_small(verify_t *verify, int fd, const tree_entry_t *entry)
{
    uint8_t *room = verify_lots_room(verify->lots);
    size_t size = 0;
    for (int64_t got = 1; got > 0 && size <= entry->size; size += (size_t) got) {
        got = world_read(verify->world, fd, room + size, entry->size + 1 - size, size);
        if (got < 0) {
            return fail_at(verify, got, "read", entry->name);
        }
    }
    const char *path = descent_path(&verify->way, entry->name);
    return verify_lots_put(verify->lots, path, &entry->digest, entry->size, size, verify->fault);
}

static err_t
check_file(verify_t *verify, const tree_entry_t *entry)
{
    int fd = world_open(verify->world, descent_fd(&verify->way), entry->name,
                        O_RDONLY | O_NOFOLLOW | O_NONBLOCK, 0, HOW);
    if (fd == -EACCES) {
        return tell(verify, PATH_UNREADABLE, entry->name);
    }
    if (fd == -ENOENT || fd == -ELOOP) {
        return tell(verify, PATH_CHANGED, entry->name);
    }
    if (fd < 0) {
        return fail_at(verify, fd, "open", entry->name);
    }
    err_t err = entry->size <= VERIFY_SMALL_BYTES ? put_small(verify, fd, entry)
                                                  : hash_file(verify, fd, entry);
    world_close(verify->world, fd);
    return err;
}

static err_t
check_link(verify_t *verify, const tree_entry_t *entry)
{
    char text[TREE_LINK_BYTES_MAX + 1];
    int64_t size =
        world_read_link(verify->world, descent_fd(&verify->way), entry->name, text, sizeof text);
    if (size < 0 && size != -EINVAL && size != -ENOENT) {
        return fail_at(verify, size, "read", entry->name);
    }
    digest_t digest;
    hash_bytes(verify->hash, text, size < 0 ? 0 : (size_t) size, &digest);
    bool equal = size >= 0 && digest_equal(&digest, &entry->digest);
    return equal ? OK : tell(verify, PATH_CHANGED, entry->name);
}

/* A file whose metadata differs is changed, whatever its bytes. */
static err_t
check_entry(verify_t *verify, const tree_entry_t *entry)
{
    bool found = false;
    TRY(pass_extras(verify, entry->name, &found));
    if (!found) {
        return tell(verify, PATH_MISSING, entry->name);
    }
    world_stat_t stat;
    int result = world_stat_at(verify->world, descent_fd(&verify->way), entry->name, &stat);
    if (result == -ENOENT) {
        return tell(verify, PATH_MISSING, entry->name);
    }
    if (result < 0) {
        return fail_at(verify, result, "stat", entry->name);
    }
    if (!kind_matches(entry, &stat) || !metadata_matches(entry, &stat)) {
        return tell(verify, PATH_CHANGED, entry->name);
    }
    return entry->kind == TREE_FILE ? check_file(verify, entry) : check_link(verify, entry);
}

/* What is below a directory that is not there is not there either. */
static err_t
check_any(verify_t *verify, const tree_entry_t *entry)
{
    switch (verify->level[verify->depth].state) {
    case THERE:
        return check_entry(verify, entry);
    case GONE:
        return tell(verify, PATH_MISSING, entry->name);
    case HIDDEN:
        return tell(verify, PATH_UNREADABLE, entry->name);
    }
    return OK;
}

static err_t
push_there(verify_t *verify)
{
    level_t *level = &verify->level[++verify->depth];
    *level = (level_t){.state = THERE};
    return listing_read(verify->world, descent_fd(&verify->way), descent_path(&verify->way, NULL),
                        &level->names, verify->fault);
}

static err_t
push_without(verify_t *verify, const char *name, int state)
{
    TRY(descent_pretend(&verify->way, name, verify->fault));
    verify->level[++verify->depth] = (level_t){.state = state};
    return OK;
}

static err_t
enter_found(verify_t *verify, const tree_entry_t *entry)
{
    fault_t fault;
    err_t err = descent_enter(&verify->way, entry->name, &fault);
    if (err == ERR_PERMISSION && fault.os_error == EACCES) {
        TRY(tell(verify, PATH_UNREADABLE, entry->name));
        return push_without(verify, entry->name, HIDDEN);
    }
    if (err != OK) {
        if (verify->fault != NULL) {
            *verify->fault = fault;
        }
        return err;
    }
    return push_there(verify);
}

static err_t
check_directory(verify_t *verify, const tree_entry_t *entry)
{
    bool found = false;
    TRY(pass_extras(verify, entry->name, &found));
    world_stat_t stat;
    int result = found ? world_stat_at(verify->world, descent_fd(&verify->way), entry->name, &stat)
                       : -ENOENT;
    if (result == -ENOENT) {
        TRY(tell(verify, PATH_MISSING, entry->name));
        return push_without(verify, entry->name, GONE);
    }
    if (result < 0) {
        return fail_at(verify, result, "stat", entry->name);
    }
    if (!metadata_matches(entry, &stat) || !kind_matches(entry, &stat)) {
        TRY(tell(verify, PATH_CHANGED, entry->name));
    }
    return kind_matches(entry, &stat) ? enter_found(verify, entry)
                                      : push_without(verify, entry->name, GONE);
}

static err_t
enter(verify_t *verify, const tree_entry_t *entry)
{
    int state = verify->level[verify->depth].state;
    if (state == THERE) {
        return check_directory(verify, entry);
    }
    TRY(tell(verify, state == GONE ? PATH_MISSING : PATH_UNREADABLE, entry->name));
    return push_without(verify, entry->name, state);
}

static err_t
end_level(verify_t *verify)
{
    bool found = false;
    if (verify->level[verify->depth].state == THERE) {
        TRY(pass_extras(verify, NULL, &found));
    }
    listing_release(&verify->level[verify->depth].names);
    return OK;
}

static err_t
leave(verify_t *verify)
{
    TRY(end_level(verify));
    verify->depth--;
    return descent_leave(&verify->way, verify->fault);
}

/* ---- portions ---- */

/* Whether a name stands before where the earlier portion ended, on the way there, or behind. */
static int
compare_to_end(const verify_t *verify, const char *name)
{
    size_t size = strcspn(verify->left, "/");
    int order = strncmp(name, verify->left, size);
    return order == 0 && name[size] != '\0' ? 1 : order;
}

static err_t
pass_quietly(verify_t *verify, const walk_event_t *event)
{
    bool found = false;
    if (event->step == WALK_ENTER) {
        walk_skip(verify->walk);
    }
    verify->quiet = true;
    err_t err = pass_extras(verify, event->entry.name, &found);
    verify->quiet = false;
    return err;
}

/* The last name that was looked at is a file, or a directory whose entries come next. */
static err_t
follow_way(verify_t *verify, const walk_event_t *event)
{
    const char *slash = strchr(verify->left, '/');
    verify->left = slash == NULL ? NULL : slash + 1;
    if (event->step == WALK_ENTRY) {
        verify->left = NULL;
        return pass_quietly(verify, event);
    }
    verify->quiet = true;
    err_t err = enter(verify, &event->entry);
    verify->quiet = false;
    return err;
}

/* *ret_ends: the portion has cost what it may, and where it ended can be said again. */
static err_t
count_cost(verify_t *verify, const walk_event_t *event, bool *ret_ends)
{
    verify_tree_t *tree = verify->tree;
    bool file = event->entry.kind == TREE_FILE;
    uint64_t size = file ? event->entry.size : 0;
    tree->cost += size > VERIFY_ENTRY_COST ? size : VERIFY_ENTRY_COST;
    if (tree->cost_max == 0 || tree->cost < tree->cost_max) {
        return OK;
    }
    const char *path =
        descent_path(&verify->way, event->step == WALK_ENTRY ? event->entry.name : NULL);
    if (strlen(path) > PATH_BYTES_MAX) {
        return OK;
    }
    tree->next = strdup(path);
    *ret_ends = true;
    return tree->next == NULL ? NO_MEMORY(verify->fault, path) : OK;
}

/* An entry or a directory. */
static err_t
check_event(verify_t *verify, const walk_event_t *event, bool *ret_ends)
{
    int order = verify->left == NULL ? 1 : compare_to_end(verify, event->entry.name);
    if (order < 0) {
        return pass_quietly(verify, event);
    }
    if (order == 0) {
        return follow_way(verify, event);
    }
    verify->left = NULL;
    TRY(event->step == WALK_ENTER ? enter(verify, &event->entry)
                                  : check_any(verify, &event->entry));
    return count_cost(verify, event, ret_ends);
}

static err_t
check_all(verify_t *verify)
{
    bool ends = false;
    verify->depth = (size_t) -1;
    if (descent_fd(&verify->way) == DESCENT_NOWHERE) {
        verify->level[++verify->depth] = (level_t){.state = GONE};
    } else {
        TRY(push_there(verify));
    }
    while (!ends) {
        walk_event_t event;
        TRY(walk_next(verify->walk, &event, verify->fault));
        event.entry.mode = place_mode(event.entry.mode, verify->tree->read_only);
        tell_progress(verify, 0);
        switch (event.step) {
        case WALK_END:
            return end_level(verify);
        case WALK_ENTRY:
        case WALK_ENTER:
            TRY(check_event(verify, &event, &ends));
            break;
        case WALK_LEAVE:
            verify->left = NULL;
            TRY(leave(verify));
            break;
        }
    }
    return OK;
}

static err_t
check_with_walk(verify_t *verify, store_t *store, const digest_t *root, int fd)
{
    TRY(walk_new(store, root, &verify->walk, verify->fault));
    manifest_version_t *version = &verify->tree->version;
    *version = *walk_version(verify->walk);
    version->mode = place_mode(version->mode, verify->tree->read_only);
    err_t err = descent_init(&verify->way, verify->world, fd, HOW, ERR_BUSY, verify->fault);
    err = err == OK ? check_all(verify) : err;
    err = err == OK ? verify_lots_settle(verify->lots) : err;
    for (size_t i = 0; i <= TREE_DEPTH_MAX; i++) {
        listing_release(&verify->level[i].names);
    }
    descent_release(&verify->way);
    walk_destroy(&verify->walk);
    return err;
}

err_t
verify_tree(world_t *world, store_t *store, int fd, const digest_t *root, verify_tree_t *tree,
            fault_t *fault)
{
    verify_t verify = {.world = world, .left = tree->from, .tree = tree, .fault = fault};
    verify.block = malloc(CONTENT_BLOCK_BYTES);
    verify.level = calloc(TREE_DEPTH_MAX + 1, sizeof verify.level[0]);
    bool enough = verify.block != NULL && verify.level != NULL && hash_new(&verify.hash) == OK &&
                  verify_lots_new(world, told, &verify, &verify.lots) == OK;
    err_t err = enough ? check_with_walk(&verify, store, root, fd) : NO_MEMORY(fault, "a check");
    verify_lots_destroy(&verify.lots);
    hash_destroy(&verify.hash);
    free(verify.level);
    free(verify.block);
    const uint64_t *count = tree->paths.count;
    tree->is_whole = err == OK && count[PATH_MISSING] == 0 && count[PATH_CHANGED] == 0 &&
                     count[PATH_EXTRA] == 0 && count[PATH_UNREADABLE] == 0;
    return err;
}
