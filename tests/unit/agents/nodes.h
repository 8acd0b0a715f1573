/* nodes.h - versions that a claim puts into a store by hand.
 *
 * Shape    entries are added to a builder in rising order of name; a node, and a version, is put
 *          when it is whole.
 * Threads  one claim, in a process of its own.
 */
#pragma once

#include <criterion/criterion.h>
#include <string.h>

#include "actors/content/manifest.h"
#include "actors/content/store.h"

static inline digest_t
put_bytes_into(store_t *store, const void *bytes, size_t size)
{
    store_put_t done;
    fault_t fault;
    char text[1024];

    cr_assert_eq(store_put_bytes(store, bytes, size, &done, &fault), OK, "put: %s",
                 fault_text(&fault, text, sizeof text));
    return done.digest;
}

static inline void
add_entry(manifest_builder_t *builder, tree_kind_t kind, const char *name, digest_t digest,
          uint64_t size)
{
    tree_entry_t entry = {.kind = kind,
                          .mode = kind == TREE_FILE ? 0644 : 0755,
                          .size = size,
                          .digest = digest,
                          .name = name,
                          .name_size = (uint32_t) strlen(name)};

    cr_assert_eq(manifest_builder_add(builder, &entry), OK);
}

/* The builder is released. */
static inline digest_t
put_node_into(store_t *store, manifest_builder_t *builder)
{
    const uint8_t *node = NULL;
    size_t size = 0;

    cr_assert_eq(manifest_builder_finish(builder, &node, &size), OK);
    digest_t digest = put_bytes_into(store, node, size);
    manifest_builder_release(builder);
    return digest;
}

static inline digest_t
put_version_into(store_t *store, const manifest_version_t *version)
{
    uint8_t encoded[MANIFEST_VERSION_BYTES];

    manifest_version_encode(version, encoded);
    return put_bytes_into(store, encoded, sizeof encoded);
}
