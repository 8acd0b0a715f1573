/* walk.c - a stack of nodes; a directory's node is read when its first entry is asked for. */
#include "actors/content/walk.h"

#include <assert.h>
#include <stdlib.h>
#include "actors/content/fail.h"

typedef struct walk_level {
    void *node;
    manifest_cursor_t cursor;
    tree_entry_t entry; /* of the directory, in the level above */
} walk_level_t;

struct walk {
    store_t *store;
    manifest_version_t version;
    walk_level_t *level;
    size_t depth, capacity; /* levels with a node; the last is the current one */
    bool entering;          /* level[depth] has its entry, its node is not read yet */
};

static err_t
reserve(walk_t *walk, fault_t *fault)
{
    if (walk->depth < walk->capacity) {
        return OK;
    }
    size_t capacity = walk->capacity == 0 ? 16 : walk->capacity * 2;
    walk_level_t *level = realloc(walk->level, capacity * sizeof level[0]);
    if (level == NULL) {
        return NO_MEMORY(fault, "the nodes of a version");
    }
    walk->level = level;
    walk->capacity = capacity;
    return OK;
}

/* Reads the node of the level that is being entered, which becomes the current one. */
static err_t
read_level(walk_t *walk, fault_t *fault)
{
    walk_level_t *level = &walk->level[walk->depth];
    void *node = NULL;
    size_t size = 0;
    TRY(store_read(walk->store, &level->entry.digest, MANIFEST_NODE_BYTES_MAX, &node, &size,
                   fault));
    err_t err = manifest_node_check(node, size);
    if (err != OK) {
        free(node);
        return RAISE(fault, err, 0, "read", "a manifest of the store");
    }
    level->node = node;
    level->cursor = manifest_cursor(node);
    walk->depth++;
    walk->entering = false;
    return OK;
}

static err_t
read_version(walk_t *walk, const digest_t *root, fault_t *fault)
{
    void *bytes = NULL;
    size_t size = 0;
    TRY(store_read(walk->store, root, MANIFEST_VERSION_BYTES, &bytes, &size, fault));
    err_t err = manifest_version_decode(bytes, size, &walk->version);
    free(bytes);
    if (err != OK) {
        return RAISE(fault, err, 0, "read", "a version of the store");
    }
    TRY(reserve(walk, fault));
    walk->level[0] = (walk_level_t){.entry = {.digest = walk->version.node}};
    walk->entering = true;
    return read_level(walk, fault);
}

err_t
walk_new(store_t *store, const digest_t *root, walk_t **ret_walk, fault_t *fault)
{
    walk_t *walk = calloc(1, sizeof *walk);
    if (walk == NULL) {
        return NO_MEMORY(fault, "the nodes of a version");
    }
    walk->store = store;
    err_t err = read_version(walk, root, fault);
    if (err != OK) {
        walk_destroy(&walk);
        return err;
    }
    *ret_walk = walk;
    return OK;
}

void
walk_destroy(walk_t **walk)
{
    if (*walk == NULL) {
        return;
    }
    for (size_t i = 0; i < (*walk)->depth; i++) {
        free((*walk)->level[i].node);
    }
    free((*walk)->level);
    free(*walk);
    *walk = NULL;
}

const manifest_version_t *
walk_version(const walk_t *walk)
{
    return &walk->version;
}

static void
leave(walk_t *walk, walk_event_t *ret_event)
{
    walk_level_t *level = &walk->level[--walk->depth];
    free(level->node);
    *ret_event =
        (walk_event_t){.step = walk->depth == 0 ? WALK_END : WALK_LEAVE, .entry = level->entry};
}

static err_t
enter(walk_t *walk, const tree_entry_t *entry, walk_event_t *ret_event, fault_t *fault)
{
    if (walk->depth > TREE_DEPTH_MAX) {
        return RAISE(fault, ERR_NAME_TOO_LONG, 0, "enter", entry->name);
    }
    TRY(reserve(walk, fault));
    walk->level[walk->depth] = (walk_level_t){.entry = *entry};
    walk->entering = true;
    *ret_event = (walk_event_t){.step = WALK_ENTER, .entry = *entry};
    return OK;
}

err_t
walk_next(walk_t *walk, walk_event_t *ret_event, fault_t *fault)
{
    if (walk->entering) {
        TRY(read_level(walk, fault));
    }
    if (walk->depth == 0) {
        *ret_event = (walk_event_t){.step = WALK_END};
        return OK;
    }
    tree_entry_t entry;
    if (!manifest_next(&walk->level[walk->depth - 1].cursor, &entry)) {
        leave(walk, ret_event);
        return OK;
    }
    if (entry.kind == TREE_DIRECTORY) {
        return enter(walk, &entry, ret_event, fault);
    }
    *ret_event = (walk_event_t){.step = WALK_ENTRY, .entry = entry};
    return OK;
}

void
walk_skip(walk_t *walk)
{
    assert(walk->entering);
    walk->entering = false;
}

err_t
walk_node(walk_t *walk, const void **ret_node, fault_t *fault)
{
    if (walk->entering) {
        TRY(read_level(walk, fault));
    }
    assert(walk->depth > 0);
    *ret_node = walk->level[walk->depth - 1].node;
    return OK;
}
