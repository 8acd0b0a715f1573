/* beacon.c - see beacon.h.
 *
 * Bytes    "despool beacon 1", "sequence <n>", "time <ns>", "stale <0|1>", "replayed <n>", the
 *          digest line of a seal.
 * Valid    when its digest holds; else it is none, and the next beacon is written over it.
 *          Whoever can damage it can write it.
 * A crash  leaves the old text or the new one.
 */
#include "actors/content/beacon.h"

#include <fcntl.h>

#include "actors/content/fail.h"
#include "actors/content/seal.h"

#define NAME "beacon"

static err_t
read_kept(world_t *world, int dir, beacon_t *ret_beacon, fault_t *fault)
{
    seal_t seal;
    uint64_t time_ns = 0;
    *ret_beacon = (beacon_t){.sequence = 0};
    err_t err = seal_read(world, dir, NAME, NAME, &seal, fault);
    if (err == ERR_NOT_FOUND) {
        return OK;
    }
    if (err == ERR_DAMAGED) {
        return OK;
    }
    TRY(err);
    if (!seal_get_number(&seal, "sequence", &ret_beacon->sequence) ||
        !seal_get_number(&seal, "time", &time_ns)) {
        return RAISE(fault, ERR_DAMAGED, 0, "read", NAME);
    }
    ret_beacon->time_ns = (int64_t) time_ns;
    return OK;
}

static err_t
write_kept(world_t *world, int dir, const beacon_t *beacon, fault_t *fault)
{
    seal_t seal;
    seal_begin(&seal, NAME);
    seal_put_number(&seal, "sequence", beacon->sequence);
    seal_put_number(&seal, "time", (uint64_t) beacon->time_ns);
    seal_put_number(&seal, "stale", beacon->stale);
    seal_put_number(&seal, "replayed", beacon->replayed);
    TRY(seal_close(&seal));
    return seal_write(world, dir, NAME, &seal, SYNC_KEY_FILE, SYNC_KEY_NAMES, fault);
}

/* beacon NULL: the one that is kept. */
static err_t
keep(world_t *world, const char *data, const beacon_t *beacon, uint64_t replayed, fault_t *fault)
{
    beacon_t kept;
    int dir = world_open(world, AT_FDCWD, data, O_RDONLY | O_DIRECTORY, 0, 0);
    if (dir < 0) {
        return FAIL(fault, dir, "open", data);
    }
    err_t err = read_kept(world, dir, &kept, fault);
    if (err == OK && beacon != NULL && beacon->sequence <= kept.sequence) {
        err = RAISE(fault, ERR_SUPERSEDED, 0, "believe", NAME);
    }
    kept.stale = true;
    kept.replayed = replayed;
    err = err == OK ? write_kept(world, dir, beacon != NULL ? beacon : &kept, fault) : err;
    world_close(world, dir);
    return err;
}

err_t
beacon_keep(world_t *world, const char *data, const beacon_t *beacon, fault_t *fault)
{
    return keep(world, data, beacon, 0, fault);
}

err_t
beacon_keep_stale(world_t *world, const char *data, uint64_t replayed, fault_t *fault)
{
    return keep(world, data, NULL, replayed, fault);
}
