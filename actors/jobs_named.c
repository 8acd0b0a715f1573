/* jobs_named.c - what a version's manifest names; see jobs_gateway.h. */
#include <stdlib.h>
#include <string.h>

#include "actors/content/manifest.h"
#include "actors/content/pack.h"
#include "actors/content/store.h"
#include "actors/jobs_gateway.h"
#include "proto/messages.h"

typedef struct digests {
    digest_t *digest;
    size_t count, room;
} digests_t;

typedef struct naming {
    store_t *store;
    names_t *names;
    digests_t node;   /* directories to be looked into */
    digests_t *large; /* files of the version in hand that are sent by chunks */
    digests_t now, before;
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
    kin_release(&pair->kin);
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
add_digest(naming_t *naming, digests_t *all, const digest_t *digest)
{
    if (all->count == all->room) {
        size_t room = all->room == 0 ? 64 : all->room * 2;
        digest_t *more = realloc(all->digest, room * sizeof *more);
        if (!more) {
            return no_memory(naming);
        }
        all->digest = more;
        all->room = room;
    }
    all->digest[all->count++] = *digest;
    return OK;
}

static err_t
add_node(naming_t *naming, const digest_t *node)
{
    TRY(add_digest(naming, &naming->node, node));
    return add_name(naming, node);
}

static err_t
add_entry(naming_t *naming, const tree_entry_t *entry)
{
    if (entry->kind == TREE_DIRECTORY) {
        return add_node(naming, &entry->digest);
    }
    bool large = entry->kind == TREE_FILE && entry->size > DELTA_BYTES_MAX;
    TRY(large ? add_digest(naming, naming->large, &entry->digest) : OK);
    return add_name(naming, &entry->digest);
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
        err = add_entry(naming, &entry);
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

static int
by_digest(const void *a, const void *b)
{
    return memcmp(a, b, sizeof(digest_t));
}

static err_t
find_in(naming_t *naming, const digest_t *root)
{
    digests_t *large = naming->large;

    naming->node.count = 0;
    TRY(look_at_root(naming, root));
    for (size_t i = 0; i < naming->node.count; i++) {
        digest_t node = naming->node.digest[i]; /* the list may move */
        TRY(look_into(naming, &node));
    }
    if (large->count > 0) {
        qsort(large->digest, large->count, sizeof large->digest[0], by_digest);
    }
    return OK;
}

/* What the agent is sent of large files is their chunks. */
static err_t
add_chunks(naming_t *naming, const digest_t *file)
{
    uint8_t *list = NULL;
    size_t size = 0;

    TRY(store_list(naming->store, file, &list, &size, &naming->fault));
    err_t err = OK;
    for (size_t i = 0; err == OK && i < size; i += LIST_ROW_BYTES) {
        list_row_t row = list_row_decode(list + i);
        err = add_name(naming, &row.digest);
    }
    free(list);
    return err;
}

static void
keep_once(digests_t *all, size_t *kept, const digest_t *digest)
{
    if (*kept == 0 || !digest_equal(digest, &all->digest[*kept - 1])) {
        all->digest[(*kept)++] = *digest;
    }
}

/* What only one of them has, each once; both rise. */
static void
leave_out_common(digests_t *a, digests_t *b)
{
    size_t i = 0, j = 0, kept_a = 0, kept_b = 0;

    while (i < a->count || j < b->count) {
        int order = i == a->count   ? 1
                    : j == b->count ? -1
                                    : by_digest(&a->digest[i], &b->digest[j]);
        if (order < 0) {
            keep_once(a, &kept_a, &a->digest[i++]);
        } else if (order > 0) {
            keep_once(b, &kept_b, &b->digest[j++]);
        } else {
            digest_t both = a->digest[i];
            for (; i < a->count && digest_equal(&a->digest[i], &both); i++) {
            }
            for (; j < b->count && digest_equal(&b->digest[j], &both); j++) {
            }
        }
    }
    a->count = kept_a;
    b->count = kept_b;
}

static err_t
find_kin(naming_t *naming, kin_t *ret_kin)
{
    digests_t *now = &naming->now, *before = &naming->before;

    leave_out_common(now, before);
    return now->count > 0 && before->count > 0
               ? kin_find(naming->store, (kin_files_t){now->digest, now->count},
                          (kin_files_t){before->digest, before->count}, ret_kin, &naming->fault)
               : OK;
}

static err_t
find_now(naming_t *naming, const digest_t *root, named_pair_t *pair)
{
    names_t *names = &pair->now;

    naming->names = names;
    naming->large = &naming->now;
    TRY(find_in(naming, root));
    for (size_t i = 0; i < naming->now.count; i++) {
        TRY(add_chunks(naming, &naming->now.digest[i]));
    }
    qsort(names->name, names->count, sizeof names->name[0], by_name);
    return find_kin(naming, &pair->kin);
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
    naming->large = &naming->before;
    if (!digest_is_none(&order->have) && find_in(naming, &order->have) != OK) {
        pair->before.count = naming->before.count = 0;
    }
    if (pair->before.count > 0) {
        qsort(pair->before.name, pair->before.count, sizeof pair->before.name[0], by_name);
    }
    return find_now(naming, &order->root, pair);
}

void
job_named(job_t *job, world_t *world, const void *input, void *resource)
{
    char text[TEXT_BYTES_MAX];
    naming_t naming = {.store = NULL};
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
    free(naming.node.digest);
    free(naming.now.digest);
    free(naming.before.digest);
}
