/* jobs_kept.c - see jobs_kept.h. */
#include "actors/jobs_kept.h"

#include <stdio.h>
#include <string.h>

#include "actors/content/lack.h"

typedef struct lacks {
    uint64_t objects;
} lacks_t;

static err_t
count_one(void *context, const digest_t *object, uint64_t size)
{
    (void) object;
    (void) size;
    ((lacks_t *) context)->objects++;
    return OK;
}

static err_t
count_lacks(world_t *world, store_t *store, const work_t *work, uint64_t *ret_objects,
            fault_t *fault)
{
    char data[PATH_BYTES_MAX + 1];
    transfer_range_t range;
    lacks_t lacks = {0};
    lack_t lack = {.range = &range, .max = 1, .each = count_one, .context = &lacks};
    staging_t *staging = NULL;
    slice_t path = record_slice(work, work->store);

    path.size -= strlen("/store");
    if (!slice_copy(path, data, sizeof data)) {
        return RAISE(fault, ERR_NAME_TOO_LONG, 0, "open", "the data directory");
    }
    TRY(staging_open(world, data, store, &staging, fault));
    err_t err = lack_find(store, staging, &work->root, &lack, fault);
    staging_close(&staging);
    *ret_objects = lacks.objects;
    return err;
}

err_t
kept_read(world_t *world, store_t *store, const work_t *work, bool begins, kept_place_t *place,
          kept_found_t *ret_found, fault_t *fault)
{
    store_scrubbed_t found = {0};
    uint64_t objects = 0;
    char text[64];
    *ret_found = (kept_found_t){0};
    TRY(store_mend_index(store, begins, &ret_found->indexed, fault));
    err_t err = store_scrub(store, place->pack, place->offset, work->scrub_bytes, &found, fault);

    *place = (kept_place_t){.pack = found.pack, .offset = found.offset};
    ret_found->bytes = found.bytes;
    TRY(err);
    if (found.damaged == 0 && !(begins && store_has_damage(store))) {
        return OK;
    }
    TRY(count_lacks(world, store, work, &objects, fault));
    if (objects == 0) {
        return OK;
    }
    snprintf(text, sizeof text, "%llu damaged object%s of the agent's store",
             (unsigned long long) objects, objects == 1 ? "" : "s");
    return RAISE(fault, ERR_DIGEST, 0, "read again", text);
}
