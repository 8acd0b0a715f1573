/* walk.h - goes over a stored version, entry by entry, in the order of its manifest.
 *
 * Shape    WALK_ENTRY for files and links, WALK_ENTER and WALK_LEAVE around a directory's entries,
 *          WALK_END; the root directory itself is not told.
 * Promises every node is digest-checked and form-checked before it is believed; directories nest
 *          at most TREE_DEPTH_MAX deep.
 * Costs    the nodes of one path from the root down.
 * Errors   ERR_NOT_STORED (a node is not in the store), ERR_DIGEST, ERR_DAMAGED, ERR_NO_MEMORY.
 * Threads  one.
 * Owner    walk_new / walk_destroy; entries are borrowed until the next call.
 */
#pragma once

#include "actors/content/manifest.h"
#include "actors/content/store.h"

typedef struct walk walk_t;

typedef enum walk_step { WALK_END, WALK_ENTRY, WALK_ENTER, WALK_LEAVE } walk_step_t;

typedef struct walk_event {
    walk_step_t step;
    tree_entry_t entry;
} walk_event_t;

err_t walk_new(store_t *store, const digest_t *root, walk_t **ret_walk, fault_t *fault) must_use;
void walk_destroy(walk_t **walk);
const manifest_version_t *walk_version(const walk_t *walk);
err_t walk_next(walk_t *walk, walk_event_t *ret_event, fault_t *fault) must_use;
/* After WALK_ENTER: does not go into that directory; its WALK_LEAVE is not told. */
void walk_skip(walk_t *walk);
/* The checked node of the directory whose entries come next. After WALK_ENTER that is the entered
 * one, which this reads. */
err_t walk_node(walk_t *walk, const void **ret_node, fault_t *fault) must_use;
