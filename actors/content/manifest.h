/* manifest.h - a version as a tree of nodes by digest; its bytes are what a root stands for.
 *
 * Shape    a version node (mode and mtime of the root directory, totals, the digest of its
 * directory node) names a tree of directory nodes. The root of a version is the SHA-256 of its
 *          version node. All numbers are big-endian.
 *
 *          version node, 80 bytes: "DSPV", format u16 = 1, mode u16, mtime i64,
 *              files u64, directories u64 (without the root), links u64, bytes u64 (of all files),
 *              digest of the root's directory node
 *          directory node: "DSPD", format u16 = 1, 0 u16, count u32, then count entries:
 *              kind u8, 0 u8, mode u16, name size u16, 0 u16, extension size u32, mtime i64,
 *              size u64, digest 32 bytes, name, NUL, extension
 *          extension: fields in rising order of type, each type u16, size u32, bytes
 * Promises one tree has one encoding: entries rise by the bytes of their names, no name is twice.
 *          The decoder is total and bounded; what it accepted needs no further check. A field type
 *          that it does not know is carried and ignored, unless its highest bit is set: then the
 *          node is refused, because a reader that ignored it would be wrong. Of a file above
 *          DELTA_BYTES_MAX type 1 is the digest of the list of its chunks (rows of pack.h).
 * Costs    linear; the builder's memory is the node's bytes, at most MANIFEST_NODE_BYTES_MAX.
 * Errors   ERR_DAMAGED, ERR_UNSUPPORTED (newer format or field), ERR_TOO_LARGE, ERR_NO_MEMORY.
 * Threads  pure; a builder belongs to one thread.
 */
#pragma once

#include "actors/content/tree.h"

#define MANIFEST_NODE_BYTES_MAX      134217728u /* 128 MiB: a directory of 1,000,000 long names */
#define MANIFEST_EXTENSION_BYTES_MAX 65536u
#define MANIFEST_FIELD_MANDATORY     0x8000u /* a field type that a reader must know */
#define MANIFEST_FIELD_LIST          1u
#define MANIFEST_LIST_FIELD_BYTES    38u /* of such a field, its head included */
#define MANIFEST_VERSION_BYTES       80u
#define MANIFEST_HEAD_BYTES          12u /* of a directory node */
#define MANIFEST_ENTRY_BYTES         60u /* of an entry without name and extension */

typedef struct manifest_version {
    uint32_t mode;                      /* of the root directory */
    int64_t mtime_ns;                   /* of the root directory */
    uint64_t files, directories, links; /* in the tree; the root directory is not counted */
    uint64_t bytes;                     /* of all files */
    digest_t node;                      /* the root directory's node */
} manifest_version_t;

void manifest_version_encode(const manifest_version_t *version,
                             uint8_t ret_bytes[MANIFEST_VERSION_BYTES]);
err_t manifest_version_decode(const void *bytes, size_t size,
                              manifest_version_t *ret_version) must_use;

/* Whether size bytes are a valid directory node. */
err_t manifest_node_check(const void *bytes, size_t size) must_use;

/* Goes over the entries of a checked node: names and extensions are borrowed from it. */
typedef struct manifest_cursor {
    const uint8_t *at;
    uint32_t left; /* entries */
} manifest_cursor_t;
manifest_cursor_t manifest_cursor(const void *checked_node);
uint32_t manifest_count(const void *checked_node);
bool manifest_next(manifest_cursor_t *cursor, tree_entry_t *ret_entry);
/* The digest of the list of a file's chunks, as far as the node names it; else none. */
digest_t manifest_list_of(const tree_entry_t *entry);
void manifest_list_field(const digest_t *list, uint8_t ret_field[MANIFEST_LIST_FIELD_BYTES]);

/* Makes one directory node; entries must be added in rising order of name. */
typedef struct manifest_builder {
    uint8_t *bytes;
    size_t size, capacity;
    uint32_t count;
    size_t last_at; /* where the last entry begins, 0: none */
} manifest_builder_t;
void manifest_builder_init(manifest_builder_t *builder);
void manifest_builder_release(manifest_builder_t *builder);
err_t manifest_builder_add(manifest_builder_t *builder, const tree_entry_t *entry) must_use;
/* The node's bytes, borrowed until the builder is released. */
err_t manifest_builder_finish(manifest_builder_t *builder, const uint8_t **ret_bytes,
                              size_t *ret_size) must_use;

/* SHA-256 of bytes. */
err_t manifest_digest(const void *bytes, size_t size, digest_t *ret_digest) must_use;
