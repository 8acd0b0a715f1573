/* snapshot.c - the source, read once, level by level. */
#include "actors/content/snapshot.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include "actors/content/descent.h"
#include "actors/content/fail.h"
#include "actors/content/links.h"
#include "actors/content/listing.h"
#include "actors/content/point.h"
#include "proto/limits.h"

/* One directory under way: its names, how far we are, and the node made so far. */
typedef struct level {
    listing_t names;
    uint32_t next;
    world_stat_t before;
    tree_entry_t entry; /* its name is in the level above's listing */
    manifest_builder_t builder;
} level_t;

typedef struct take {
    world_t *world;
    store_t *store;
    snapshot_rules_t rules;
    snapshot_progress_fn *progress;
    void *context;
    snapshot_t snapshot;
    descent_t way;
    level_t *level;
    size_t depth, capacity;                   /* levels in use */
    uint8_t field[MANIFEST_LIST_FIELD_BYTES]; /* of the entry in hand */
    fault_t *fault;
} take_t;

static bool
is_same(const world_stat_t *a, const world_stat_t *b)
{
    return a->device == b->device && a->inode == b->inode && a->mode == b->mode &&
           a->size == b->size && a->mtime_ns == b->mtime_ns && a->ctime_ns == b->ctime_ns;
}

/* A name that was listed and is gone, or became something else, means that somebody writes. */
static err_t
fail_at(take_t *take, int result, const char *verb, const char *name)
{
    const char *path = descent_path(&take->way, name);
    bool changed = result == -ENOENT || result == -ELOOP || result == -ENOTDIR;
    err_t err = changed ? ERR_SOURCE_CHANGED : err_of_errno(-result);
    return RAISE(take->fault, err, -result, verb, path);
}

static err_t
changed_at(take_t *take, const char *name)
{
    return RAISE(take->fault, ERR_SOURCE_CHANGED, 0, "read", descent_path(&take->way, name));
}

static err_t
count_attributes(take_t *take, int fd, const char *name)
{
    int64_t count = world_attribute_count(take->world, fd);
    if (count < 0 && count != -EOPNOTSUPP && count != -EPERM && count != -EACCES) {
        return fail_at(take, (int) count, "read the attributes of", name);
    }
    take->snapshot.files_with_attributes += count > 0;
    return OK;
}

static void
count_put(take_t *take, const store_put_t *put)
{
    take->snapshot.unique_bytes += put->new_bytes;
}

/* An agent is sent a large file by its chunks. What the list has come to was hashed here from the
 * same memory; so it need not be there when the list is the one that the version names. */
static void
name_list(take_t *take, const store_put_t *put, tree_entry_t *entry)
{
    if (put->size > DELTA_BYTES_MAX) {
        manifest_list_field(&put->list, take->field);
        entry->extension = take->field;
        entry->extension_size = sizeof take->field;
    }
}

static err_t
read_file(take_t *take, int fd, const world_stat_t *before, tree_entry_t *entry)
{
    world_stat_t after;
    int result = world_stat(take->world, fd, &after);
    if (result < 0) {
        return fail_at(take, result, "stat", entry->name);
    }
    if (!is_same(before, &after)) {
        return changed_at(take, entry->name);
    }
    TRY(count_attributes(take, fd, entry->name));
    store_put_t put;
    const char *path = descent_path(&take->way, entry->name);
    TRY(store_put_file(take->store, fd, path, &put, take->fault));
    result = world_stat(take->world, fd, &after);
    if (result < 0) {
        return fail_at(take, result, "stat", entry->name);
    }
    if (!is_same(before, &after) || put.size != before->size) {
        return changed_at(take, entry->name);
    }
    entry->digest = put.digest;
    name_list(take, &put, entry);
    count_put(take, &put);
    return OK;
}

/* O_NONBLOCK: a fifo that took the file's place must not hold us. */
static err_t
add_file(take_t *take, const world_stat_t *before, tree_entry_t *entry)
{
    int fd = world_open(take->world, descent_fd(&take->way), entry->name,
                        O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY, 0, 0);
    if (fd < 0) {
        return fail_at(take, fd, "open", entry->name);
    }
    err_t err = read_file(take, fd, before, entry);
    world_close(take->world, fd);
    TRY(err);
    take->snapshot.files++;
    take->snapshot.bytes += entry->size;
    return OK;
}

static err_t
add_link(take_t *take, tree_entry_t *entry)
{
    char text[TREE_LINK_BYTES_MAX + 1];
    int64_t size =
        world_read_link(take->world, descent_fd(&take->way), entry->name, text, sizeof text);
    if (size < 0) {
        return size == -EINVAL ? changed_at(take, entry->name)
                               : fail_at(take, (int) size, "read", entry->name);
    }
    if (size == 0 || (size_t) size > TREE_LINK_BYTES_MAX) {
        return RAISE(take->fault, ERR_NAME_TOO_LONG, 0, "read",
                     descent_path(&take->way, entry->name));
    }
    text[size] = '\0';
    if (take->rules.links_inside && link_may_lead_out(text, take->way.depth)) {
        return RAISE(take->fault, ERR_LINK_OUTSIDE, 0, "read the link",
                     descent_path(&take->way, entry->name));
    }
    entry->size = (uint64_t) size;
    take->snapshot.links++;
    store_put_t put;
    TRY(store_put_bytes(take->store, text, (size_t) size, &put, take->fault));
    entry->digest = put.digest;
    count_put(take, &put);
    return OK;
}

static err_t
builder_failed(take_t *take, err_t err, const char *name)
{
    return RAISE(take->fault, err, 0, "list", descent_path(&take->way, name));
}

static err_t
add_entry(take_t *take, level_t *level, const tree_entry_t *entry)
{
    err_t err = manifest_builder_add(&level->builder, entry);
    if (err != OK) {
        return builder_failed(take, err, entry->name);
    }
    if (take->progress != NULL) {
        take->progress(take->context, take->snapshot.files, take->snapshot.bytes);
    }
    return OK;
}

static err_t
refuse_size(take_t *take, uint32_t count, uint64_t bytes)
{
    char verb[sizeof take->fault->verb];
    snprintf(verb, sizeof verb, "list %u names of", count);
    err_t err = RAISE(take->fault, ERR_TOO_LARGE, 0, verb, descent_path(&take->way, NULL));
    if (take->fault != NULL) {
        take->fault->need = bytes;
        take->fault->have = DIRECTORY_BYTES_MAX;
    }
    return err;
}

/* What a name takes in its directory's node; of a large file that is known by its size alone. One
 * that has gone meanwhile is told by who reads it. */
static uint64_t
name_bytes(take_t *take, const char *name, bool by_size)
{
    world_stat_t stat;
    bool large = by_size && world_stat_at(take->world, descent_fd(&take->way), name, &stat) >= 0 &&
                 S_ISREG(stat.mode) && stat.size > DELTA_BYTES_MAX;
    return MANIFEST_ENTRY_BYTES + strlen(name) + 1 + (large ? MANIFEST_LIST_FIELD_BYTES : 0);
}

static uint64_t
node_bytes(take_t *take, const listing_t *names, bool by_size, uint32_t *ret_count)
{
    uint64_t bytes = MANIFEST_HEAD_BYTES;
    uint32_t count = 0;
    for (uint32_t i = 0; i < names->count; i++) {
        const char *path = descent_path(&take->way, names->name[i]);
        if (!tree_is_excluded(take->rules.excludes, take->rules.exclude_count, path)) {
            count++;
            bytes += name_bytes(take, names->name[i], by_size);
        }
    }
    *ret_count = count;
    return bytes;
}

/* A node is held as a whole by whoever reads it, the site and its agents. So it is refused before
 * anything of the directory is read. Sizes are asked for only where they decide. */
static err_t
check_size(take_t *take, const listing_t *names)
{
    uint32_t count = 0;
    if (names->count * (uint64_t) (MANIFEST_ENTRY_BYTES + MANIFEST_LIST_FIELD_BYTES) +
            names->text_size <=
        DIRECTORY_BYTES_MAX / 2) {
        return OK;
    }
    uint64_t bytes = node_bytes(take, names, false, &count);
    uint64_t most = bytes + count * (uint64_t) MANIFEST_LIST_FIELD_BYTES;
    if (bytes <= DIRECTORY_BYTES_MAX && most > DIRECTORY_BYTES_MAX) {
        bytes = node_bytes(take, names, true, &count);
    }
    return bytes <= DIRECTORY_BYTES_MAX ? OK : refuse_size(take, count, bytes);
}

/* Begins a directory: the way already leads into it. */
static err_t
push(take_t *take, const tree_entry_t *entry)
{
    if (take->depth == take->capacity) {
        size_t capacity = take->capacity * 2 + 8;
        level_t *level = realloc(take->level, capacity * sizeof level[0]);
        if (level == NULL) {
            return NO_MEMORY(take->fault, entry->name);
        }
        take->level = level;
        take->capacity = capacity;
    }
    level_t *level = &take->level[take->depth++];
    *level = (level_t){.entry = *entry};
    manifest_builder_init(&level->builder);
    int fd = descent_fd(&take->way);
    int result = world_stat(take->world, fd, &level->before);
    if (result < 0) {
        return fail_at(take, result, "stat", NULL);
    }
    TRY(count_attributes(take, fd, NULL));
    TRY(listing_read(take->world, fd, descent_path(&take->way, NULL), &level->names, take->fault));
    return check_size(take, &level->names);
}

static void
drop_level(level_t *level)
{
    listing_release(&level->names);
    manifest_builder_release(&level->builder);
}

/* Ends the current directory: it must be as it was before its names were read. */
static err_t
close_directory(take_t *take, level_t *level, digest_t *ret_node, uint64_t *ret_size)
{
    world_stat_t after;
    int result = world_stat(take->world, descent_fd(&take->way), &after);
    if (result < 0) {
        return fail_at(take, result, "stat", NULL);
    }
    if (!is_same(&level->before, &after)) {
        return changed_at(take, NULL);
    }
    const uint8_t *bytes = NULL;
    size_t size = 0;
    err_t err = manifest_builder_finish(&level->builder, &bytes, &size);
    if (err != OK) {
        return builder_failed(take, err, NULL);
    }
    if (size > DIRECTORY_BYTES_MAX) { /* files have grown since their sizes were asked for */
        return refuse_size(take, level->names.count, size);
    }
    TRY(fold_count(bytes, &take->way, &take->snapshot.clashes, take->fault));
    store_put_t put;
    TRY(store_put_bytes(take->store, bytes, size, &put, take->fault));
    count_put(take, &put);
    *ret_node = put.digest;
    *ret_size = put.size;
    return OK;
}

/* Closes the directory and, when it is not the root, writes it into the one above. */
static err_t
pop(take_t *take, digest_t *ret_node)
{
    level_t *level = &take->level[take->depth - 1];
    tree_entry_t entry = level->entry;
    TRY(close_directory(take, level, &entry.digest, &entry.size));
    *ret_node = entry.digest;
    drop_level(level);
    take->depth--;
    if (take->depth == 0) {
        return OK;
    }
    TRY(descent_leave(&take->way, take->fault));
    take->snapshot.directories++;
    return add_entry(take, &take->level[take->depth - 1], &entry);
}

static err_t
enter(take_t *take, const world_stat_t *seen, const tree_entry_t *entry)
{
    if (take->depth > TREE_DEPTH_MAX) {
        return RAISE(take->fault, ERR_NAME_TOO_LONG, 0, "enter",
                     descent_path(&take->way, entry->name));
    }
    fault_t fault = {0};
    err_t err = descent_enter(&take->way, entry->name, &fault);
    if (err != OK) {
        return fault.os_error != 0
                   ? fail_at(take, -fault.os_error, "open", entry->name)
                   : RAISE(take->fault, err, 0, "enter", descent_path(&take->way, entry->name));
    }
    TRY(push(take, entry));
    return is_same(seen, &take->level[take->depth - 1].before) ? OK : changed_at(take, NULL);
}

/* A distribution point below the source, under whatever name: the package would hold its own
 * copies, and theirs. Also where its identity is damaged, or excluded without what is beside it. */
static err_t
refuse_point(take_t *take)
{
    point_identity_t identity;
    err_t err = point_identity_at(take->world, descent_fd(&take->way), &identity, NULL);
    return err == OK || err == ERR_DAMAGED
               ? RAISE(take->fault, ERR_OVERLAP, 0, "store", descent_path(&take->way, NULL))
               : OK;
}

static err_t
take_name(take_t *take, level_t *level, const char *name)
{
    if (strcmp(name, POINT_OWN) == 0) {
        TRY(refuse_point(take));
    }
    const char *path = descent_path(&take->way, name);
    if (tree_is_excluded(take->rules.excludes, take->rules.exclude_count, path)) {
        return OK;
    }
    world_stat_t stat;
    int result = world_stat_at(take->world, descent_fd(&take->way), name, &stat);
    if (result < 0) {
        return fail_at(take, result, "stat", name);
    }
    tree_entry_t entry = {0};
    TRY(tree_entry_of_stat(&stat, descent_path(&take->way, name), &entry, take->fault));
    entry.name = name;
    entry.name_size = (uint32_t) strlen(name);
    if (entry.kind == TREE_DIRECTORY) {
        return enter(take, &stat, &entry);
    }
    TRY(entry.kind == TREE_FILE ? add_file(take, &stat, &entry) : add_link(take, &entry));
    return add_entry(take, level, &entry);
}

static err_t
take_tree(take_t *take, digest_t *ret_node)
{
    TRY(push(take, &(tree_entry_t){.name = "", .kind = TREE_DIRECTORY}));
    while (take->depth > 0) {
        level_t *level = &take->level[take->depth - 1];
        if (level->next < level->names.count) {
            TRY(take_name(take, level, level->names.name[level->next++]));
        } else {
            TRY(pop(take, ret_node));
        }
    }
    return OK;
}

/* The version node, and with it the promise. */
static err_t
close_version(take_t *take, const world_stat_t *root, const digest_t *node)
{
    manifest_version_t version = {.mode = root->mode & 07777u & ~(uint32_t) S_ISUID,
                                  .mtime_ns = root->mtime_ns,
                                  .files = take->snapshot.files,
                                  .directories = take->snapshot.directories,
                                  .links = take->snapshot.links,
                                  .bytes = take->snapshot.bytes,
                                  .node = *node};
    uint8_t bytes[MANIFEST_VERSION_BYTES];
    manifest_version_encode(&version, bytes);
    store_put_t put;
    TRY(store_put_bytes(take->store, bytes, sizeof bytes, &put, take->fault));
    count_put(take, &put);
    take->snapshot.root = put.digest;
    TRY(store_commit(take->store, take->fault));
    take->snapshot.stored_bytes = store_appended(take->store);
    return OK;
}

static err_t
take_source(take_t *take, int fd)
{
    world_stat_t root;
    int result = world_stat(take->world, fd, &root);
    if (result < 0) {
        return RAISE(take->fault, ERR_NO_SOURCE, -result, "stat", "the source");
    }
    tree_entry_t top;
    TRY(tree_entry_of_stat(&root, "the source", &top, take->fault));
    TRY(descent_init(&take->way, take->world, fd, 0, ERR_SOURCE_CHANGED, take->fault));
    digest_t node = {0};
    err_t err = take_tree(take, &node);
    for (size_t i = 0; i < take->depth; i++) {
        drop_level(&take->level[i]);
    }
    free(take->level);
    descent_release(&take->way);
    return err == OK ? close_version(take, &root, &node) : err;
}

static err_t
open_source(world_t *world, const char *source, int *ret_fd, fault_t *fault)
{
    *ret_fd = world_open(world, AT_FDCWD, source, O_RDONLY | O_DIRECTORY, 0, 0);
    if (*ret_fd < 0) {
        err_t err = *ret_fd == -ECANCELED ? ERR_CANCELLED : ERR_NO_SOURCE;
        return RAISE(fault, err, -*ret_fd, "open", source);
    }
    return OK;
}

err_t
snapshot_look(world_t *world, const char *source, fault_t *fault)
{
    int fd = -1;
    TRY(open_source(world, source, &fd, fault));
    world_close(world, fd);
    return OK;
}

static err_t
open_and_take(take_t *take, const char *source, snapshot_t *ret_snapshot)
{
    int fd = -1;
    TRY(open_source(take->world, source, &fd, take->fault));
    err_t err = take_source(take, fd);
    world_close(take->world, fd);
    if (err == OK) {
        *ret_snapshot = take->snapshot;
    }
    return err;
}

err_t
snapshot_take(world_t *world, store_t *store, const char *source, const snapshot_rules_t *rules,
              snapshot_progress_fn *progress, void *context, snapshot_t *ret_snapshot,
              fault_t *fault)
{
    assert(store != NULL);
    take_t take = {.world = world,
                   .store = store,
                   .rules = rules == NULL ? (snapshot_rules_t){0} : *rules,
                   .progress = progress,
                   .context = context,
                   .fault = fault};
    return open_and_take(&take, source, ret_snapshot);
}
