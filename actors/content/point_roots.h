/* point_roots.h - the versions that a point holds, of all packages.
 *
 * Shape    the roots of all version records below ROOT/.despool/packages.
 * Promises a record that cannot be read ends it: nobody takes a version for gone that is there.
 * Costs    one small file for each version; 32 bytes of memory for each.
 * Errors   ERR_DAMAGED, ERR_TOO_LARGE, ERR_NO_MEMORY, those of the world.
 * Threads  one job.
 * Owner    the caller frees *ret_roots.
 */
#pragma once

#include "actors/content/point.h"
#include "actors/content/receipt.h"

err_t point_roots(point_t *point, digest_t **ret_roots, size_t *ret_count, fault_t *fault) must_use;
