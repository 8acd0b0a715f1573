/* jobs_named.c - what a version's manifest names; see jobs_gateway.h. */
#include <stdlib.h>
#include <string.h>

#include "actors/content/manifest.h"
#include "actors/content/store.h"
#include "actors/jobs_gateway.h"
#include "proto/messages.h"

typedef struct naming {
    store_t *store;
    names_t *names;
    digest_t *node; /* directories to be looked into */
    size_t count, room;
    fault_t fault;
} naming_t;

static uint64_t
name_of(const digest_t *object)
{
    uint64_t name;

    memcpy(&name, object->byte, sizeof name);
    return name;
}

static int
by_name(const void *a, const void *b)
{
    uint64_t left = *(const uint64_t *) a, right = *(const uint64_t *) b;

    return (left > right) - (left < right);
}

bool
names_have(const names_t *names, const digest_t *object)
{
    uint64_t name = name_of(object);

    return names->count > 0 &&
           bsearch(&name, names->name, names->count, sizeof name, by_name) != NULL;
}

void
names_drop(void *names)
{
    named_pair_t *pair = names;

    free(pair->now.name);
    free(pair->before.name);
    free(pair);
}

static err_t
no_memory(naming_t *naming)
{
    return RAISE(&naming->fault, ERR_NO_MEMORY, 0, "name", "the objects of a version");
}

static err_t
add_name(naming_t *naming, const digest_t *object)
{
    names_t *names = naming->names;

    if (names->count == AGENT_NAMED_MAX) {
        return RAISE(&naming->fault, ERR_FULL, 0, "name", "the objects of a version");
    }
    if (names->count == names->room) {
        uint64_t room = names->room == 0 ? 256 : names->room * 2;
        uint64_t *more = realloc(names->name, room * sizeof *more);
        if (!more) {
            return no_memory(naming);
        }
        names->name = more;
        names->room = room;
    }
    names->name[names->count++] = name_of(object);
    return OK;
}

static err_t
add_node(naming_t *naming, const digest_t *node)
{
    if (naming->count == naming->room) {
        size_t room = naming->room == 0 ? 64 : naming->room * 2;
        digest_t *more = realloc(naming->node, room * sizeof *more);
        if (!more) {
            return no_memory(naming);
        }
        naming->node = more;
        naming->room = room;
    }
    naming->node[naming->count++] = *node;
    return add_name(naming, node);
}

static err_t
look_into(naming_t *naming, const digest_t *digest)
{
    void *node = NULL;
    size_t size = 0;
    tree_entry_t entry;

    TRY(store_read(naming->store, digest, MANIFEST_NODE_BYTES_MAX, &node, &size, &naming->fault));
    err_t err = manifest_node_check(node, size);
    if (err != OK) {
        free(node);
        return RAISE(&naming->fault, err, 0, "read", "a manifest");
    }
    manifest_cursor_t cursor = manifest_cursor(node);
    while (err == OK && manifest_next(&cursor, &entry)) {
        err = entry.kind == TREE_DIRECTORY ? add_node(naming, &entry.digest)
                                           : add_name(naming, &entry.digest);
    }
    free(node);
    return err;
}

static err_t
look_at_root(naming_t *naming, const digest_t *root)
{
    manifest_version_t version;
    void *bytes = NULL;
    size_t size = 0;

    TRY(store_read(naming->store, root, MANIFEST_VERSION_BYTES, &bytes, &size, &naming->fault));
    err_t err = manifest_version_decode(bytes, size, &version);
    free(bytes);
    if (err != OK) {
        return RAISE(&naming->fault, err, 0, "read", "a version");
    }
    TRY(add_name(naming, root));
    return add_node(naming, &version.node);
}

static err_t
find_in(naming_t *naming, const digest_t *root)
{
    naming->count = 0;
    TRY(look_at_root(naming, root));
    for (size_t i = 0; i < naming->count; i++) {
        digest_t node = naming->node[i]; /* the list may move */
        TRY(look_into(naming, &node));
    }
    qsort(naming->names->name, naming->names->count, sizeof naming->names->name[0], by_name);
    return OK;
}

/* What cannot be read of the version before is the base of nothing. */
static err_t
find(naming_t *naming, world_t *world, const named_order_t *order, named_pair_t *pair)
{
    char path[PATH_BYTES_MAX + 1];

    if (!slice_copy(record_slice(order, order->store), path, sizeof path)) {
        return RAISE(&naming->fault, ERR_NAME_TOO_LONG, 0, "open", "the store");
    }
    TRY(store_open(world, path, &naming->store, &naming->fault));
    naming->names = &pair->before;
    if (!digest_is_none(&order->have) && find_in(naming, &order->have) != OK) {
        pair->before.count = 0;
    }
    naming->names = &pair->now;
    return find_in(naming, &order->root);
}

void
job_named(job_t *job, world_t *world, const void *input, void *resource)
{
    char text[TEXT_BYTES_MAX];
    naming_t naming = {.count = 0};
    named_pair_t *pair = resource;
    err_t err = find(&naming, world, input, pair);
    named_t *m = JOB_OUTPUT(job, named);

    m->err = err;
    m->names = pair->now.count + pair->before.count;
    if (err != OK) {
        const char *why = fault_text(&naming.fault, text, sizeof text);
        m->text = draft_text(job_draft(job), slice_of(why));
    }
    store_close(&naming.store);
    free(naming.node);
}
