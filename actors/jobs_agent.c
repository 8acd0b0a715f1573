/* jobs_agent.c - see jobs_agent.h. */
#include "actors/jobs_agent.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "actors/content/beacon.h"
#include "actors/content/incoming.h"
#include "actors/content/join.h"
#include "actors/content/lack.h"
#include "actors/content/parcel.h"
#include "actors/content/point_roots.h"
#include "actors/content/tombstone.h"
#include "actors/jobs_pieces.h"
#include "proto/messages.h"

void
arrivals_drop(void *arrivals)
{
    arrivals_t *all = arrivals;

    for (uint32_t i = 0; i < all->count; i++) {
        kept_destroy(&all->data[i]);
    }
    place_ahead_drop(all->ahead);
    free(all);
}

err_t
shelf_open(shelf_t *shelf, world_t *world, slice_t data)
{
    char path[PATH_BYTES_MAX + 1], store[PATH_BYTES_MAX + 8];

    if (!slice_copy(data, path, sizeof path)) {
        return RAISE(&shelf->fault, ERR_NAME_TOO_LONG, 0, "open", "the data directory");
    }
    snprintf(store, sizeof store, "%s/store", path);
    TRY(store_open(world, store, &shelf->store, &shelf->fault));
    return staging_open(world, path, shelf->store, &shelf->staging, &shelf->fault);
}

void
shelf_close(shelf_t *shelf)
{
    staging_close(&shelf->staging);
    store_close(&shelf->store);
}

/* A store says so of the disk that it is on, and is a site's mostly. */
err_t
shelf_err(shelf_t *shelf, err_t err)
{
    bool full = err == ERR_SITE_FULL;

    shelf->fault.err = full && shelf->fault.err == err ? ERR_SPACE : shelf->fault.err;
    return full ? ERR_SPACE : err;
}

text_t
shelf_text(job_t *job, const fault_t *fault)
{
    char text[TEXT_BYTES_MAX];

    return draft_text(job_draft(job), slice_of(fault_text(fault, text, sizeof text)));
}

/* ---- what is lacking ---- */

static void
put_ranges(job_t *job, lacking_t *m, const lack_t *lack)
{
    m->ranges = draft_rows(job_draft(job), lack->count, sizeof(range_t));
    for (uint32_t i = 0; i < lack->count; i++) {
        range_t *row = draft_row(job_draft(job), m->ranges, i, sizeof *row);
        if (row) {
            const transfer_range_t *range = &lack->range[i];
            *row = (range_t){range->object, range->from, range->size, range->base, range->list};
        }
    }
    m->bytes = lack->bytes;
    m->bytes_total = lack->bytes_total;
    m->mark_node = lack->mark.node;
    m->mark_entry = lack->mark.entry;
    m->mark_rest = lack->mark.rest;
}

/* Of a manifest, the directories that were listed; not the version itself, which is none. */
static err_t
take_came(const lack_order_t *order, lack_t *lack, digest_t **ret_came)
{
    *ret_came = calloc(order->came.count + 1u, sizeof **ret_came);
    for (uint32_t i = 0; *ret_came && i < order->came.count; i++) {
        const range_t *row = ROW(order, order->came, i, range_t);
        if (!row->list && !digest_equal(&row->object, &order->root)) {
            (*ret_came)[lack->came_count++] = row->object;
        }
    }
    lack->came = *ret_came;
    return *ret_came ? OK : ERR_NO_MEMORY;
}

/* What a damaged index does not name is not lacking: it is in the packs. */
static err_t
find_lacks(shelf_t *shelf, const lack_order_t *order, lack_t *lack, uint64_t *ret_indexed)
{
    err_t err = lack_find(shelf->store, shelf->staging, &order->root, lack, &shelf->fault);

    if (err != ERR_CANCELLED && store_index_is_damaged(shelf->store)) {
        TRY(store_mend_index(shelf->store, false, ret_indexed, &shelf->fault));
        err = lack_find(shelf->store, shelf->staging, &order->root, lack, &shelf->fault);
    }
    return err;
}

void
job_lack(job_t *job, world_t *world, const void *input, void *resource)
{
    const lack_order_t *order = input;
    shelf_t shelf = {0};
    lack_t lack = {.max = order->ranges_max,
                   .bytes_max = AGENT_NEED_BYTES_MAX,
                   .nodes = order->nodes,
                   .have = order->have,
                   .ahead = resource,
                   .mark = {order->mark_node, order->mark_entry, order->mark_rest}};
    lacking_t *m = JOB_OUTPUT(job, lacking);
    digest_t *came = NULL;

    lack.range = calloc(lack.max, sizeof *lack.range);
    err_t err = lack.range ? take_came(order, &lack, &came) : ERR_NO_MEMORY;
    err = err == OK ? shelf_open(&shelf, world, record_slice(order, order->data)) : err;
    err = err == OK ? incoming_settle(shelf.store, record_slice(order, order->data), &shelf.fault)
                    : err;
    err = err == OK ? find_lacks(&shelf, order, &lack, &m->indexed) : err;
    m->err = shelf_err(&shelf, err);
    if (err == OK) {
        place_ahead_lacks(lack.ahead, lack.bytes);
        put_ranges(job, m, &lack);
    } else {
        m->text = shelf_text(job, &shelf.fault);
    }
    shelf_close(&shelf);
    free(lack.range);
    free(came);
}

/* ---- data that came ---- */

/* As for any work on the point; with bytes, what follows is the store's, which has longer. */
static void
beat(void *context, uint64_t bytes)
{
    job_beat(context, bytes == 0 ? 0 : STORE_MS);
}

/* Of the object that came last more may be on its way. */
static digest_t
in_hand(const arrivals_t *arrivals)
{
    const agent_data_t *m =
        arrivals->count > 0 ? kept_record(arrivals->data[arrivals->count - 1]) : NULL;

    return m && m->pieces.count > 0 ? ROW(m, m->pieces, m->pieces.count - 1, piece_t)->object
                                    : (digest_t){{0}};
}

/* All that came while the job before was at work is one group: synced together, then told. */
void
job_store(job_t *job, world_t *world, const void *input, void *resource)
{
    const lack_order_t *order = input;
    const arrivals_t *arrivals = resource;
    shelf_t shelf = {0};
    const digest_t last = in_hand(arrivals);
    uint64_t bytes = 0, refused = 0;
    err_t err = shelf_open(&shelf, world, record_slice(order, order->data));

    store_left_t left = {order->laid_out, order->pack, order->pack_bytes};
    err = err == OK ? store_go_on(shelf.store, &left, &shelf.fault) : err;
    shelf.ahead = arrivals->ahead;
    place_ahead_watch(shelf.ahead, beat, job);
    for (uint32_t i = 0; err == OK && i < arrivals->count; i++) {
        err = pieces_put(&shelf, kept_record(arrivals->data[i]), &bytes, &refused);
    }
    place_ahead_rest(shelf.ahead, world);
    err = err == OK ? staging_commit(shelf.staging, &shelf.fault) : err;
    err = err == OK
              ? incoming_keep_few(world, record_slice(order, order->data), &last, &shelf.fault)
              : err;
    stored_t *m = JOB_OUTPUT(job, stored);
    m->err = shelf_err(&shelf, err);
    m->bytes = bytes;
    m->refused = refused;
    if (err == OK) {
        left = store_left(shelf.store);
        m->laid_out = left.laid_out;
        m->pack = left.pack;
        m->pack_bytes = left.pack_bytes;
    } else {
        m->text = shelf_text(job, &shelf.fault);
    }
    shelf_close(&shelf);
}

/* ---- the store ---- */

/* A version that is half here has nodes that cannot be read: then nothing is removed. */
static err_t
collect(store_t *store, const char *data, point_t *point, const digest_t *fetched,
        store_collected_t *ret, fault_t *fault)
{
    digest_t *roots = NULL;
    size_t count = 0;
    uint64_t leftovers = 0; /* of jobs that a kill has ended; none is under way */

    TRY(store_recover(store, &leftovers, fault));
    TRY(store_migrate(store, NULL, NULL, &leftovers, fault));
    TRY(point_roots(point, &roots, &count, fault));
    err_t err = parcel_add_kept(store_world(store), data, &roots, &count, fault);
    digest_t *all = err == OK ? realloc(roots, (count + 1) * sizeof *all) : NULL;
    if (!all) {
        free(roots);
        return err != OK ? err : RAISE(fault, ERR_NO_MEMORY, 0, "collect", "the store");
    }
    if (!digest_is_none(fetched)) {
        all[count++] = *fetched;
    }
    err = store_collect(store, all, count, false, NULL, NULL, ret, fault);
    free(all);
    return err;
}

static err_t
tidy(world_t *world, const work_t *work, store_collected_t *ret, fault_t *fault)
{
    char root[PATH_BYTES_MAX + 1], path[PATH_BYTES_MAX + 1];
    point_t point;
    store_t *store = NULL;

    if (!slice_copy(record_slice(work, work->dp_root), root, sizeof root) ||
        !slice_copy(record_slice(work, work->store), path, sizeof path)) {
        return RAISE(fault, ERR_NAME_TOO_LONG, 0, "collect", "the store");
    }
    slice_t data = {record_slice(work, work->store).data, strlen(path) - strlen("/store")};
    if (!digest_is_none(&work->root) && incoming_has_lists(world, data)) {
        return OK; /* no node names its chunks before the large file is whole: the next time */
    }
    TRY(point_open(world, root, &work->site, &work->dp_incarnation, &point, fault));
    err_t err = store_open(world, path, &store, fault);
    path[data.size] = '\0';
    err = err == OK ? collect(store, path, &point, &work->root, ret, fault) : err;
    store_close(&store);
    point_close(&point);
    return err;
}

void
job_tidy(job_t *job, world_t *world, const void *input, void *resource)
{
    store_collected_t result = {0};
    fault_t fault = {0};
    err_t err = resource ? ERR_INTERNAL : tidy(world, input, &result, &fault);
    collected_t *m = JOB_OUTPUT(job, collected);

    m->err = err;
    m->objects = result.removed_objects;
    m->bytes = result.removed_bytes;
    m->held_objects = result.held_objects;
    m->held_bytes = result.held_bytes;
    if (err != OK) {
        m->text = shelf_text(job, &fault);
    }
}

/* ---- the end ---- */

void
job_bury(job_t *job, world_t *world, const void *input, void *resource)
{
    const bury_order_t *order = input;
    char data[PATH_BYTES_MAX + 1];
    fault_t fault = {0};
    err_t err = !resource && slice_copy(record_slice(order, order->data), data, sizeof data)
                    ? tombstone_write(world, data, &order->dp_incarnation, &fault)
                    : ERR_NAME_TOO_LONG;
    claimed_t *m = JOB_OUTPUT(job, claimed);

    m->err = err;
}

/* ---- the site's address ---- */

void
job_move(job_t *job, world_t *world, const void *input, void *resource)
{
    const move_order_t *order = input;
    char data[PATH_BYTES_MAX + 1], address[AGENT_ADDRESS_BYTES_MAX + 1];
    fault_t fault = {0};
    err_t err = !resource && slice_copy(record_slice(order, order->data), data, sizeof data) &&
                        slice_copy(record_slice(order, order->address), address, sizeof address)
                    ? join_move(world, data, address, &fault)
                    : ERR_NAME_TOO_LONG;
    claimed_t *m = JOB_OUTPUT(job, claimed);

    m->err = err;
    m->root = draft_copy_text(job_draft(job), order, order->address);
}

/* ---- the site's beacon ---- */

void
job_beacon(job_t *job, world_t *world, const void *input, void *resource)
{
    const beacon_order_t *order = input;
    char data[PATH_BYTES_MAX + 1];
    fault_t fault = {0};
    beacon_t beacon = {
        .sequence = order->sequence, .time_ns = order->time, .replayed = order->replayed};
    err_t err = ERR_NAME_TOO_LONG;

    if (!resource && slice_copy(record_slice(order, order->data), data, sizeof data)) {
        err = order->stale ? beacon_keep_stale(world, data, order->replayed, &fault)
                           : beacon_keep(world, data, &beacon, &fault);
    }
    claimed_t *m = JOB_OUTPUT(job, claimed);
    m->err = err;
}
