/* paths.h - a bounded list of paths with total counts: what verify and removal have to tell.
 *
 * Shape    counts for each kind, and the first PATHS_MAX paths with their kind.
 * Promises the counts are exact, also when the list is cut.
 * Costs    the texts kept, at most PATHS_BYTES_MAX.
 * Errors   ERR_NO_MEMORY.
 * Threads  one job; the finished list may be handed over.
 */
#pragma once

#include <stdbool.h>
#include "proto/errors.h"

#define PATHS_MAX       10000u   /* paths kept */
#define PATHS_BYTES_MAX 4194304u /* bytes of text kept */

typedef enum path_kind {
    PATH_MISSING = 0, /* the version has it, the point does not */
    PATH_CHANGED,     /* type, mode, mtime, size, link text or bytes differ */
    PATH_EXTRA,       /* the point has it, the version does not */
    PATH_UNREADABLE,  /* there as it should be, but its mode lets us not read its bytes */
    PATH_KINDS
} path_kind_t;

typedef struct path_item {
    uint32_t at, size; /* of its text in text; raw bytes, with a closing NUL */
    path_kind_t kind;
} path_item_t;

typedef struct paths {
    uint64_t count[PATH_KINDS]; /* exact */
    uint32_t kept;              /* items */
    path_item_t *item;
    char *text;
    uint32_t text_size, text_capacity;
} paths_t;

void paths_init(paths_t *paths);
void paths_release(paths_t *paths);
err_t paths_add(paths_t *paths, path_kind_t kind, const char *path) must_use;
