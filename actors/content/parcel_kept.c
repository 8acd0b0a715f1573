/* parcel_kept.c - what was taken by parcels, and is at no point yet.
 *
 * Bytes    DATA/parcels/<hex of the root>: a sealed text of the package, its epoch and when.
 * A crash  leaves a note or none: without one its objects are what nobody needs.
 */
#include "actors/content/parcel.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "actors/content/fail.h"
#include "actors/content/hash.h"
#include "actors/content/listing.h"
#include "actors/content/seal.h"

#define KIND      "parcel"
#define NAME      "parcels"
#define DIRECTORY (O_RDONLY | O_DIRECTORY | O_NOFOLLOW)
#define HEX_BYTES 64u

static err_t
open_notes(world_t *world, const char *data, bool make, int *ret_dir, fault_t *fault)
{
    int above = world_open(world, AT_FDCWD, data, O_RDONLY | O_DIRECTORY, 0, 0);
    int made = above < 0 || !make ? above : world_make_dir(world, above, NAME, 0700);
    int synced = made == 0 && make ? sync_point_file(world, SYNC_STAGED_NAMES, above) : 0;
    int dir = above < 0    ? above
              : synced < 0 ? synced
                           : world_open(world, above, NAME, DIRECTORY, 0, WORLD_BENEATH);
    if (above >= 0) {
        world_close(world, above);
    }
    *ret_dir = dir;
    return dir >= 0 || (dir == -ENOENT && !make) ? OK : FAIL(fault, dir, "open", NAME);
}

static bool
root_of(const char *name, digest_t *ret_root)
{
    return strlen(name) == HEX_BYTES &&
           bytes_of_hex((slice_t){name, HEX_BYTES}, ret_root->byte, sizeof ret_root->byte);
}

/* The one that was taken first, of those whose name it is. */
static void
forget_first(world_t *world, int dir, const listing_t *names)
{
    const char *first = NULL;
    int64_t when = INT64_MAX;
    uint32_t notes = 0;
    digest_t root;
    world_stat_t stat;
    for (uint32_t i = 0; i < names->count; i++) {
        bool is =
            root_of(names->name[i], &root) && world_stat_at(world, dir, names->name[i], &stat) == 0;
        notes += is;
        if (is && stat.mtime_ns < when) {
            when = stat.mtime_ns;
            first = names->name[i];
        }
    }
    if (notes >= PARCELS_MAX) {
        (void) world_remove(world, dir, first);
    }
}

static err_t
write_note(world_t *world, int dir, const parcel_about_t *about, fault_t *fault)
{
    char name[HEX_BYTES + 1];
    seal_t seal;
    hex_of_bytes(about->root.byte, sizeof about->root.byte, name);
    seal_begin(&seal, KIND);
    seal_put(&seal, "package", about->package);
    seal_put_number(&seal, "epoch", about->epoch);
    TRY(seal_close(&seal));
    return seal_write(world, dir, name, &seal, SYNC_STAGED_DATA, SYNC_STAGED_NAMES, fault);
}

err_t
parcel_keep(world_t *world, const char *data, const parcel_about_t *about, fault_t *fault)
{
    listing_t names = {0};
    int dir = -1;
    TRY(open_notes(world, data, true, &dir, fault));
    err_t err = listing_read(world, dir, NAME, &names, fault);
    if (err == OK) {
        forget_first(world, dir, &names);
        err = write_note(world, dir, about, fault);
    }
    listing_release(&names);
    world_close(world, dir);
    return err;
}

static bool
is_among(const digest_t *roots, size_t count, const digest_t *root)
{
    bool found = false;
    for (size_t i = 0; i < count && !found; i++) {
        found = digest_equal(&roots[i], root);
    }
    return found;
}

static err_t
add_names(world_t *world, int dir, const listing_t *names, digest_t **roots, size_t *count,
          fault_t *fault)
{
    digest_t *longer = realloc(*roots, (*count + names->count + 1) * sizeof **roots);
    if (longer == NULL) {
        return NO_MEMORY(fault, NAME);
    }
    *roots = longer;
    size_t there = *count;
    for (uint32_t i = 0; i < names->count; i++) {
        digest_t root;
        if (!root_of(names->name[i], &root)) {
            continue;
        }
        if (is_among(longer, there, &root)) {
            (void) world_remove(world, dir, names->name[i]);
        } else {
            longer[(*count)++] = root;
        }
    }
    return OK;
}

err_t
parcel_add_kept(world_t *world, const char *data, digest_t **roots, size_t *count, fault_t *fault)
{
    listing_t names = {0};
    int dir = -1;
    TRY(open_notes(world, data, false, &dir, fault));
    if (dir < 0) {
        return OK;
    }
    err_t err = listing_read(world, dir, NAME, &names, fault);
    err = err == OK ? add_names(world, dir, &names, roots, count, fault) : err;
    listing_release(&names);
    world_close(world, dir);
    return err;
}
