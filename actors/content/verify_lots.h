/* verify_lots.h - small files of a tree: read by the job, hashed by who has nothing else to do.
 *
 * Shape    a file is read whole into a lot; while a full one is hashed, the next one is filled.
 *          What came of each file is told in the order in which they were put.
 * Promises every file that was put is told once, by verify_lots_settle at the latest; none any more
 *          after an error.
 * Costs    LOTS of LOT_BYTES and what names them, some 1.1 MiB, from new to destroy.
 * Errors   ERR_NO_MEMORY, and what the one who is told returns.
 * Threads  one job; its hands see the bytes of a full lot alone.
 * Owner    verify_lots_new / verify_lots_destroy, which awaits what is in hand.
 */
#pragma once

#include "proto/record.h"
#include "runtime/world.h"

#define VERIFY_SMALL_BYTES 65536u /* bytes: a longer file is hashed block by block as it is read */

typedef struct verify_lots verify_lots_t;

/* Of one file: whether its bytes are those of the digest that it was put with. */
typedef err_t verify_told_fn(void *context, const char *path, uint64_t size, bool equal);

err_t verify_lots_new(world_t *world, verify_told_fn *told, void *context,
                      verify_lots_t **ret_lots) must_use;
void verify_lots_destroy(verify_lots_t **lots);
/* Where VERIFY_SMALL_BYTES + 1 bytes may be read to; put says how many of them are the file's. */
uint8_t *verify_lots_room(verify_lots_t *lots);
/* `wanted` bytes of this digest are expected; `size` bytes were read to the room. */
err_t verify_lots_put(verify_lots_t *lots, const char *path, const digest_t *digest,
                      uint64_t wanted, size_t size, fault_t *fault) must_use;
/* Tells all that were put. */
err_t verify_lots_settle(verify_lots_t *lots) must_use;
