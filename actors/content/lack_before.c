/* lack_before.c - see lack_before.h. */
#include "actors/content/lack_before.h"

#include <stdlib.h>
#include <string.h>

#include "proto/limits.h"

static const digest_t no_digest;

/* One that cannot be read is no base; whoever needs it will say so. */
void
lack_before_begin(store_t *store, const digest_t *old, lack_before_t *ret)
{
    size_t size = 0;
    bool has = false;
    *ret = (lack_before_t){.node = NULL};
    if (digest_is_none(old) || store_has(store, old, &has, NULL) != OK || !has ||
        store_read(store, old, MANIFEST_NODE_BYTES_MAX, &ret->node, &size, NULL) != OK) {
        return;
    }
    if (manifest_node_check(ret->node, size) == OK) {
        ret->cursor = manifest_cursor(ret->node);
        ret->more = manifest_next(&ret->cursor, &ret->entry);
    }
}

/* What was there under this name, if it was of this kind. */
const digest_t *
lack_before_of(lack_before_t *before, const tree_entry_t *entry)
{
    while (before->more && strcmp(before->entry.name, entry->name) < 0) {
        before->more = manifest_next(&before->cursor, &before->entry);
    }
    bool same = before->more && strcmp(before->entry.name, entry->name) == 0 &&
                before->entry.kind == entry->kind;
    bool alike =
        entry->kind == TREE_DIRECTORY ||
        (same && (entry->size > DELTA_BYTES_MAX) == (before->entry.size > DELTA_BYTES_MAX));
    return same && alike ? &before->entry.digest : &no_digest;
}

digest_t
lack_before_top(store_t *store, const digest_t *have)
{
    manifest_version_t version;
    void *bytes = NULL;
    size_t size = 0;
    bool has = false;
    if (digest_is_none(have) || store_has(store, have, &has, NULL) != OK || !has ||
        store_read(store, have, MANIFEST_VERSION_BYTES, &bytes, &size, NULL) != OK) {
        return no_digest;
    }
    err_t err = manifest_version_decode(bytes, size, &version);
    free(bytes);
    return err == OK ? version.node : no_digest;
}
