/* mounts.h - where directories really lie: in which file system, and under what path there.
 *
 * Shape    the system's own list of mounts, read once; then questions about paths.
 * Promises a bind mount of a directory, or of a part of it, is told to be what it is, also when
 *          that is nowhere above the path; none of the paths is touched, so that one that hangs
 *          holds nobody up. Links in the paths are not followed.
 * Costs    one small file; a question is linear in the mounts.
 * Errors   none: where the list cannot be read, no question finds anything; the same below a root
 *          that is no mount itself (a chroot), because the list does not say where that lies.
 * Threads  one job.
 * Owner    mounts_read -> caller, mounts_destroy(&mounts).
 */
#pragma once

#include "runtime/world.h"

#define MOUNTS_BYTES_MAX 1048576u /* of the list; what is behind is not known */

typedef struct mounts mounts_t;

mounts_t *mounts_read(world_t *world); /* NULL: not to be known */
void mounts_destroy(mounts_t **mounts);
/* Whether what is seen at and below upper has a part in what is at root, or the other way round. */
bool mounts_overlap(const mounts_t *mounts, const char *upper, const char *root);
/* Whether upper is lower or lies above it, by their texts. */
bool mounts_text_lies_above(const char *upper, const char *lower);
