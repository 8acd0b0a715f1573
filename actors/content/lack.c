/* lack.c - see lack.h. */
#include "actors/content/lack.h"

#include <stdlib.h>
#include <string.h>

#include "actors/content/fail.h"
#include "actors/content/manifest.h"

#define SLOTS 65536u /* of the set of what is listed: more than twice its ranges */

typedef struct search {
    store_t *store;
    staging_t *staging;
    lack_t *lack;
    digest_t *node; /* directories to be looked into */
    size_t count, capacity;
    uint32_t *slot; /* index of a range, plus 1 */
    fault_t *fault;
} search_t;

/* Whether it is listed already; if not, it is from now on, when the ranges have room for it. */
static bool
is_listed(search_t *search, const digest_t *object)
{
    uint32_t at;
    memcpy(&at, object->byte, sizeof at);
    for (at %= SLOTS; search->slot[at] != 0; at = (at + 1) % SLOTS) {
        if (digest_equal(&search->lack->range[search->slot[at] - 1].object, object)) {
            return true;
        }
    }
    search->slot[at] = search->lack->count + 1;
    return false;
}

/* size 0: nobody has said yet how large it is. */
static err_t
list(search_t *search, const digest_t *object, uint64_t size)
{
    lack_t *lack = search->lack;
    uint64_t there = 0;
    TRY(staging_size(search->staging, object, &there, search->fault));
    if (there > 0 && there == size) {
        there--; /* all of it is there, and was not named: its last byte comes again */
    }
    there = there < size ? there : 0; /* longer than the object: written anew */
    uint64_t left = size - there;
    lack->bytes += left;
    bool room =
        lack->count < lack->max && (lack->count == 0 || lack->listed + left <= lack->bytes_max);
    if (room && !is_listed(search, object)) {
        lack->range[lack->count++] = (transfer_range_t){*object, there, left};
        lack->listed += left;
    }
    return OK;
}

/* Whether it is there; if not, it is listed. */
static err_t
look_for(search_t *search, const digest_t *object, uint64_t size, bool *ret_has)
{
    TRY(store_has(search->store, object, ret_has, search->fault));
    return *ret_has ? OK : list(search, object, size);
}

static err_t
push(search_t *search, const digest_t *node)
{
    if (search->count == search->capacity) {
        size_t capacity = search->capacity == 0 ? 64 : search->capacity * 2;
        digest_t *longer = realloc(search->node, capacity * sizeof *longer);
        if (longer == NULL) {
            return NO_MEMORY(search->fault, "the nodes of a version");
        }
        search->node = longer;
        search->capacity = capacity;
    }
    search->node[search->count++] = *node;
    return OK;
}

static err_t
look_into(search_t *search, const digest_t *digest)
{
    void *node = NULL;
    size_t size = 0;
    TRY(store_read(search->store, digest, MANIFEST_NODE_BYTES_MAX, &node, &size, search->fault));
    err_t err = manifest_node_check(node, size);
    err = err == OK ? OK : RAISE(search->fault, err, 0, "read", "a manifest");
    manifest_cursor_t cursor = {0};
    if (err == OK) {
        cursor = manifest_cursor(node);
    }
    tree_entry_t entry;
    while (err == OK && manifest_next(&cursor, &entry)) {
        bool has = true;
        if (entry.kind == TREE_DIRECTORY || !search->lack->nodes) {
            err = look_for(search, &entry.digest, entry.size, &has);
        }
        if (err == OK && has && entry.kind == TREE_DIRECTORY) {
            err = push(search, &entry.digest);
        }
    }
    free(node);
    return err;
}

static err_t
look_at_root(search_t *search, const digest_t *root)
{
    manifest_version_t version;
    void *bytes = NULL;
    size_t size = 0;
    bool has = false;
    TRY(look_for(search, root, MANIFEST_VERSION_BYTES, &has));
    if (!has) {
        return OK;
    }
    TRY(store_read(search->store, root, MANIFEST_VERSION_BYTES, &bytes, &size, search->fault));
    err_t err = manifest_version_decode(bytes, size, &version);
    free(bytes);
    if (err != OK) {
        return RAISE(search->fault, err, 0, "read", "a version");
    }
    search->lack->bytes_total = version.bytes;
    TRY(look_for(search, &version.node, 0, &has));
    return has ? push(search, &version.node) : OK;
}

err_t
lack_find(store_t *store, staging_t *staging, const digest_t *root, lack_t *lack, fault_t *fault)
{
    search_t search = {.store = store, .staging = staging, .lack = lack, .fault = fault};
    lack->count = 0;
    lack->listed = lack->bytes = lack->bytes_total = 0;
    search.slot = calloc(SLOTS, sizeof search.slot[0]);
    err_t err = search.slot == NULL ? NO_MEMORY(fault, "what is lacking") : OK;
    err = err == OK ? look_at_root(&search, root) : err;
    for (size_t i = 0; err == OK && i < search.count; i++) {
        digest_t node = search.node[i]; /* the list may move */
        err = look_into(&search, &node);
    }
    free(search.node);
    free(search.slot);
    return err;
}
