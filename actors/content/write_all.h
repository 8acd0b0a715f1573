/* write_all.h - a file takes bytes in as many writes as it wants.
 *
 * Shape    the world's write, repeated until nothing is left.
 * Promises 0: every byte was taken; nothing is durable by it.
 * Errors   those of the world, as a negative number.
 * Threads  one job.
 */
#pragma once

#include "runtime/world.h"

int write_all(world_t *world, int fd, const void *bytes, size_t size, uint64_t offset) must_use;
