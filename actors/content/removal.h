/* removal.h - takes a package off a point: only paths that a manifest of ours lists.
 *
 * Shape    the receipt, `current`, then every version that a record of this incarnation names, then
 *          records and staging; at the end ROOT/PACKAGE is listed.
 * Promises foreign files stay and are told; `gone` is what the listing saw, not what was hoped for.
 *          Cut at any point, a rerun ends it. What another incarnation put there is not touched.
 * Costs    one call or two for each path.
 * Errors   ERR_ABSENT and others of the world, ERR_NOT_OURS (another incarnation's records),
 *          ERR_NOT_STORED and ERR_DIGEST: a manifest is not in the store, or is damaged and was set
 *          aside there. What was removed of that version until then is ours, and the result tells
 *          which one it is, and nothing else.
 * Threads  one job; one at a time for one package at one point.
 */
#pragma once

#include "actors/content/paths.h"
#include "actors/content/place.h"

typedef struct removal_result {
    bool gone;        /* ROOT/PACKAGE is not there any more */
    uint64_t removed; /* files, links and directories */
    uint64_t foreign; /* paths that are not ours and stay */
    paths_t paths;    /* those paths, PATH_EXTRA, relative to ROOT/PACKAGE */
    digest_t unread;  /* root of the version whose manifest could not be read; none: of no one */
} removal_result_t;

/* Removes all versions of this incarnation of the package. Nothing there is gone, and OK. */
err_t removal_package(world_t *world, store_t *store, point_t *point, const char *package,
                      const id128_t *incarnation, removal_result_t *ret_result,
                      fault_t *fault) must_use;
void removal_result_release(removal_result_t *result);

/* Removes the listed paths of one version directory, PACKAGE/v<epoch>. A part of the above. */
err_t removal_version(world_t *world, store_t *store, point_t *point, const receipt_t *record,
                      removal_result_t *result, fault_t *fault) must_use;
