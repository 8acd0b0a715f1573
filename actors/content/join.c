/* join.c - see join.h.
 *
 * Bytes    "despool agent 1", one line for each field, the digest line of a seal.
 * A crash  leaves no text or a whole one.
 */
#include "actors/content/join.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "actors/content/fail.h"
#include "actors/content/seal.h"

static bool
of_seal(const seal_t *seal, join_t *ret)
{
    if (!seal_get(seal, "former", ret->former, sizeof ret->former)) {
        ret->former[0] = '\0';
    }
    return seal_get(seal, "address", ret->address, sizeof ret->address) &&
           seal_get(seal, "name", ret->name, sizeof ret->name) &&
           seal_get(seal, "root", ret->root, sizeof ret->root) &&
           seal_get_hex(seal, "site-key", ret->site_key.byte, sizeof ret->site_key.byte) &&
           seal_get_hex(seal, "site-signing", ret->site_signing.byte,
                        sizeof ret->site_signing.byte) &&
           seal_get_hex(seal, "site", ret->site.byte, sizeof ret->site.byte) &&
           seal_get_hex(seal, "incarnation", ret->incarnation.byte, sizeof ret->incarnation.byte);
}

/* What is believed is durable: who wrote it may have been killed before its name was synced. */
static err_t
read_durable(world_t *world, int dir, seal_t *ret_seal, fault_t *fault)
{
    TRY(seal_read(world, dir, "agent", "agent", ret_seal, fault));
    int result = sync_point_file(world, SYNC_KEY_NAMES, dir);
    return result < 0 ? FAIL(fault, result, "sync", "agent") : OK;
}

err_t
join_read(world_t *world, const char *data, join_t *ret_join, fault_t *fault)
{
    seal_t seal;
    int dir = world_open(world, AT_FDCWD, data, O_RDONLY | O_DIRECTORY, 0, 0);
    if (dir < 0) {
        return FAIL(fault, dir, "open", data);
    }
    err_t err = read_durable(world, dir, &seal, fault);
    world_close(world, dir);
    TRY(err);
    return of_seal(&seal, ret_join) ? OK : RAISE(fault, ERR_DAMAGED, 0, "read", "agent");
}

err_t
join_write(world_t *world, const char *data, const join_t *join, fault_t *fault)
{
    seal_t seal;
    seal_begin(&seal, "agent");
    seal_put(&seal, "address", join->address);
    if (join->former[0]) {
        seal_put(&seal, "former", join->former);
    }
    seal_put(&seal, "name", join->name);
    seal_put(&seal, "root", join->root);
    seal_put_hex(&seal, "site-key", join->site_key.byte, sizeof join->site_key.byte);
    seal_put_hex(&seal, "site-signing", join->site_signing.byte, sizeof join->site_signing.byte);
    seal_put_hex(&seal, "site", join->site.byte, sizeof join->site.byte);
    seal_put_hex(&seal, "incarnation", join->incarnation.byte, sizeof join->incarnation.byte);
    if (seal_close(&seal) != OK) {
        return RAISE(fault, ERR_TOO_LARGE, 0, "write", "agent");
    }
    int dir = world_open(world, AT_FDCWD, data, O_RDONLY | O_DIRECTORY, 0, 0);
    if (dir < 0) {
        return FAIL(fault, dir, "open", data);
    }
    err_t err = seal_write(world, dir, "agent", &seal, SYNC_KEY_FILE, SYNC_KEY_NAMES, fault);
    world_close(world, dir);
    return err;
}

err_t
join_move(world_t *world, const char *data, const char *address, fault_t *fault)
{
    join_t join;
    TRY(join_read(world, data, &join, fault));
    if (strcmp(join.address, address) == 0) {
        return OK;
    }
    memcpy(join.former, join.address, sizeof join.former);
    if ((size_t) snprintf(join.address, sizeof join.address, "%s", address) >=
        sizeof join.address) {
        return RAISE(fault, ERR_TOO_LARGE, 0, "write", "agent");
    }
    return join_write(world, data, &join, fault);
}
