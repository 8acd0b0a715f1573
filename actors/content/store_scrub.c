/* store_scrub.c - the packs are read again, portion by portion, while everybody works.
 *
 * Bytes    written only as notes in damaged/ (store_view.c).
 * A crash  leaves the notes so far; whoever reads that portion again finds the rest.
 */
#include <errno.h>
#include <stdlib.h>

#include "actors/content/store_scan.h"

typedef struct scrub {
    store_t *store;
    uint64_t max;            /* bytes that the portion may read */
    uint64_t pack, from, to; /* what was read of one pack */
    store_scrubbed_t result;
    fault_t *fault;
} scrub_t;

/* The first pack whose id is at least this; NULL: there is none. */
static const pack_count_t *
pack_from(const pack_counts_t *packs, uint64_t id)
{
    for (size_t i = 0; i < packs->count; i++) {
        if (packs->pack[i].id >= id) {
            return &packs->pack[i];
        }
    }
    return NULL;
}

/* A record that is not right counts where the index would read it; what nobody names is garbage. */
static err_t
note(scrub_t *scrub, const run_entry_t *entry)
{
    store_place_t place;
    bool found = false;
    TRY(store_find(scrub->store, &entry->digest, false, &place, &found, scrub->fault));
    if (!found || place.entry.pack != entry->pack || place.entry.offset != entry->offset) {
        return OK;
    }
    scrub->result.damaged++;
    return store_note_damage(scrub->store, &place.entry, scrub->fault);
}

static err_t
read_record(scrub_t *scrub, store_scan_t *scan)
{
    bool right = false;
    TRY(store_scan_is_right(scan, &right, scrub->fault));
    run_entry_t entry = store_scan_entry(scan);
    return right ? OK : note(scrub, &entry);
}

/* One whose head cannot be read is not met by who goes over the pack. */
static err_t
look_at_named(void *context, const run_entry_t *entry, size_t run, uint64_t ordinal, fault_t *fault)
{
    scrub_t *scrub = context;
    (void) run;
    (void) ordinal;
    if (entry->pack != scrub->pack || entry->offset < scrub->from || entry->offset >= scrub->to ||
        store_is_damaged(scrub->store, entry)) {
        return OK;
    }
    err_t err = store_look_again(scrub->store, entry, fault);
    return err == ERR_DIGEST ? note(scrub, entry) : err;
}

/* From the offset to the end of the pack, or of the portion. Bytes that are no record may be what a
 * kill has left behind the last one: the index says whether they should be one. */
static err_t
read_pack(scrub_t *scrub, const pack_count_t *pack, uint64_t offset)
{
    store_scan_t scan;
    bool more = true;
    TRY(store_scan_begin(&scan, scrub->store, pack->id, pack->size, scrub->fault));
    uint64_t from = offset > scan.at ? offset : scan.at;
    scan.at = from;
    while (more && scrub->result.bytes + (scan.at - from) < scrub->max) {
        TRY(store_scan_next(&scan, &more, scrub->fault));
        if (more) {
            TRY(read_record(scrub, &scan));
        }
    }
    scrub->pack = pack->id;
    scrub->from = from;
    scrub->to = scan.at;
    scrub->result.bytes += scan.at - from;
    scrub->result.pack = more ? pack->id : pack->id + 1;
    scrub->result.offset = more ? scan.at : 0;
    return scan.lost > 0 ? store_each_entry(scrub->store, look_at_named, scrub, scrub->fault) : OK;
}

/* One that was collected meanwhile is no failure; after one that cannot be read the next one is. */
static err_t
pass_over(scrub_t *scrub, const pack_count_t *pack, err_t err)
{
    scrub->result.pack = pack->id + 1;
    scrub->result.offset = 0;
    return scrub->fault->os_error == ENOENT ? OK : err;
}

static err_t
read_packs(scrub_t *scrub, const pack_counts_t *packs, uint64_t offset)
{
    const pack_count_t *pack = pack_from(packs, scrub->result.pack);
    while (pack != NULL && scrub->result.bytes < scrub->max) {
        err_t err = read_pack(scrub, pack, pack->id == scrub->result.pack ? offset : 0);
        TRY(err == OK ? OK : pass_over(scrub, pack, err));
        offset = 0;
        pack = pack_from(packs, scrub->result.pack);
    }
    if (pack == NULL) {
        scrub->result.pack = scrub->result.offset = 0;
    }
    return OK;
}

err_t
store_scrub(store_t *store, uint64_t pack, uint64_t offset, uint64_t bytes,
            store_scrubbed_t *ret_scrubbed, fault_t *fault)
{
    scrub_t scrub = {.store = store, .max = bytes, .result = {.pack = pack}, .fault = fault};
    pack_counts_t packs = {0};
    TRY(store_list_packs(store, &packs, fault));
    err_t err = read_packs(&scrub, &packs, offset);
    free(packs.pack);
    *ret_scrubbed = scrub.result;
    return err;
}
