/* tree.h - what a package may hold: files, directories and symbolic links, and nothing else.
 *
 * Shape    an entry is one name of a directory with the metadata that a version carries.
 * Promises what is not carried is refused by name (sockets, devices, fifos, setuid and setgid
 *          files), never skipped; modes are 07777 less setuid, setgid on directories only.
 * Costs    no allocation, no world call.
 * Errors   ERR_UNSUPPORTED with the path as subject.
 * Threads  pure functions.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include "proto/record.h"
#include "runtime/world.h"

#define TREE_NAME_BYTES_MAX 255u     /* bytes of one name */
#define TREE_LINK_BYTES_MAX 4095u    /* bytes of a link's text */
#define TREE_DEPTH_MAX      1000u    /* directories below each other */
#define TREE_ENTRIES_MAX    1000000u /* names in one directory */
#define TREE_EXCLUDES_MAX   256u     /* globs */
#define CONTENT_BLOCK_BYTES 1048576u /* bytes read, hashed and written at a time */

typedef enum tree_kind { TREE_FILE = 1, TREE_DIRECTORY = 2, TREE_LINK = 3 } tree_kind_t;

typedef struct tree_entry {
    tree_kind_t kind;
    uint32_t mode;    /* permission bits; 0777 for links */
    int64_t mtime_ns; /* since 1970, part of the root */
    uint64_t size;    /* bytes of the file, of the link's text, of the child's node */
    digest_t digest;  /* of the file's bytes, of the link's text, of the child's node */
    const char *name; /* borrowed, with a closing NUL */
    uint32_t name_size;
    const uint8_t *extension; /* typed fields, see manifest.h; borrowed */
    uint32_t extension_size;
} tree_entry_t;

/* Whether size bytes (with no NUL among them) can be a name: not empty, no slash, not . or .. */
bool tree_name_is_valid(const char *name, size_t size);
/* Kind, mode, mtime and size of what stat saw; refuses what is not carried. path is for the fault.
 */
err_t tree_entry_of_stat(const world_stat_t *stat, const char *path, tree_entry_t *ret_entry,
                         fault_t *fault) must_use;
/* Whether a path relative to the source is excluded. In a glob, * and ? and [a-z] stop at slashes,
 * ** does not; a glob without a slash is held against the last name of the path at any depth. */
bool tree_is_excluded(const char *const *globs, size_t count, const char *path);
