/* machine.h - files of a simulated machine, for tests: makes trees, compares them, in one world.
 *
 * Shape    a path is absolute on the machine; a tree's content follows from a version number.
 * Threads  one.
 */
#pragma once
#include <stddef.h>
#include "runtime/world.h"

void machine_make_dir(world_t *w, const char *path);
void machine_write(world_t *w, const char *path, const char *bytes, size_t size, uint32_t mode);
/* files files of some hundred bytes in two directories, a link and an empty directory. Files whose
 * number is divisible by the version are the same in all versions. */
void machine_make_tree(world_t *w, const char *path, uint32_t files, uint32_t version);
/* Beside them, of any version, files of which it changes a few bytes: one of 6,000 bytes, and a
 * large one if that is wanted. Their other bytes are like noise. */
#define MACHINE_LARGE_BYTES (3u << 20)
void machine_make_edited(world_t *w, const char *path, bool large, uint32_t version);
/* Whether b holds exactly what a holds: names, kinds, modes, link targets, contents. */
bool machine_trees_equal(world_t *w, const char *a, const char *b, char *ret_why, size_t why_size);
/* The regular file of this number below path; false when there are not so many. */
bool machine_find_file(world_t *w, const char *path, uint64_t number, char *ret_path,
                       size_t path_size);
void machine_sync(world_t *w, const char *path);
