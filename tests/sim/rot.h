/* rot.h - bits of manifests that turn in the packs of a simulated machine, at rest.
 *
 * Shape    a store is a path on the machine; a version is known by its root.
 * Threads  one.
 */
#pragma once

#include "proto/record.h"
#include "runtime/world_sim.h"

/* The root that the record of a placed version tells, read without the product's code. */
bool rot_root_of(world_sim_t *machine, const char *record, digest_t *ret_root);
/* Turns a bit of what stands for the root in every pack that has it, or, if node is set, of the
 * version's topmost directory, which no other version has either. False: it is in no pack, or was
 * set aside already. */
bool rot_version(world_sim_t *machine, const char *store, const digest_t *root, bool node);
/* The same of what a file has in it now. */
bool rot_kept(world_sim_t *machine, const char *store, const char *file);
