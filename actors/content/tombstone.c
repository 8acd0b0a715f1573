/* tombstone.c - see tombstone.h.
 *
 * Bytes    "despool removed 1", "incarnation <hex>", the digest line of a seal.
 * A crash  leaves no text or a whole one; without one the site says it again.
 */
#include "actors/content/tombstone.h"

#include <fcntl.h>
#include <string.h>

#include "actors/content/fail.h"
#include "actors/content/seal.h"

#define NAME "removed"

static int
open_data(world_t *world, const char *data)
{
    return world_open(world, AT_FDCWD, data, O_RDONLY | O_DIRECTORY, 0, 0);
}

err_t
tombstone_write(world_t *world, const char *data, const id128_t *incarnation, fault_t *fault)
{
    seal_t seal;
    seal_begin(&seal, NAME);
    seal_put_hex(&seal, "incarnation", incarnation->byte, sizeof incarnation->byte);
    if (seal_close(&seal) != OK) {
        return RAISE(fault, ERR_TOO_LARGE, 0, "write", NAME);
    }
    int dir = open_data(world, data);
    if (dir < 0) {
        return FAIL(fault, dir, "open", data);
    }
    err_t err = seal_write(world, dir, NAME, &seal, SYNC_KEY_FILE, SYNC_KEY_NAMES, fault);
    world_close(world, dir);
    return err;
}

/* What is believed is durable: who wrote it may have been killed before its name was synced. */
static err_t
read_durable(world_t *world, int dir, id128_t *ret_incarnation, fault_t *fault)
{
    seal_t seal;
    TRY(seal_read(world, dir, NAME, NAME, &seal, fault));
    if (!seal_get_hex(&seal, "incarnation", ret_incarnation->byte, sizeof ret_incarnation->byte)) {
        return RAISE(fault, ERR_DAMAGED, 0, "read", NAME);
    }
    int result = sync_point_file(world, SYNC_KEY_NAMES, dir);
    return result < 0 ? FAIL(fault, result, "sync", NAME) : OK;
}

err_t
tombstone_read(world_t *world, const char *data, const id128_t *incarnation, bool *ret_removed,
               fault_t *fault)
{
    id128_t of = {{0}};
    int dir = open_data(world, data);
    if (dir < 0) {
        return FAIL(fault, dir, "open", data);
    }
    err_t err = read_durable(world, dir, &of, fault);
    world_close(world, dir);
    if (err != OK && err != ERR_NOT_FOUND) {
        return err;
    }
    *ret_removed = err == OK && memcmp(of.byte, incarnation->byte, sizeof of.byte) == 0;
    return OK;
}
