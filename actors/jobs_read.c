/* jobs_read.c - content for agents: read from the store, packed where it pays; see jobs_gateway.h.
 *
 * A file may be sent against the one that stood in its place in the version that the agent has.
 * What is sent is the smaller of two: as it is stored, or packed against that. Nothing is kept of
 * it but in the host's memory, for the next agent. */
#include <stdlib.h>
#include <string.h>

#include "actors/content/hash.h"
#include "actors/content/squeeze.h"
#include "actors/content/transfer.h"
#include "actors/jobs_gateway.h"
#include "proto/messages.h"

#define PIECES_MAX    4096u /* of one message, so that its frame has room for their names */
#define NEVER_SMALLER 4u    /* what does not become so small is not tried at the end of a message */
#define DELTA_GAIN    8u    /* a delta is sent when it saves an eighth of what is sent else */

typedef struct reading {
    store_t *store;
    world_t *world;
    uint8_t *bytes, *stored, *delta, *before; /* AGENT_DATA_BYTES_MAX each, of one block */
    squeeze_t alone, against;
    fault_t fault;
} reading_t;

/* ---- a part of an object, packed as it is read ---- */

static err_t
pack_piece(reading_t *reading, size_t size, piece_t *piece, slice_t *ret_bytes)
{
    const uint8_t *packed = NULL;
    size_t packed_size = 0;

    *ret_bytes = (slice_t){(const char *) reading->bytes, size};
    err_t err = squeeze(&reading->alone, reading->bytes, size, &packed, &packed_size);
    if (err != OK) {
        return RAISE(&reading->fault, err, 0, "pack", "an object of the store");
    }
    if (packed_size > 0) {
        *ret_bytes = (slice_t){(const char *) packed, packed_size};
        piece->packing = PACKING_ZSTD;
    }
    return OK;
}

/* Of the list of an object's chunks; total 0: it has none. */
static err_t
read_list(reading_t *reading, const range_t *row, uint64_t max, piece_t *ret_piece,
          slice_t *ret_bytes)
{
    uint8_t *list = NULL;
    size_t total = 0;

    TRY(store_list(reading->store, &row->object, &list, &total, &reading->fault));
    size_t from = row->from < total ? (size_t) row->from : total;
    size_t size = total - from < max ? total - from : (size_t) max;
    memcpy(reading->bytes, size > 0 ? list + from : reading->bytes, size);
    free(list);
    *ret_piece = (piece_t){.object = row->object, .from = from, .total = total, .list = true};
    *ret_bytes = (slice_t){(const char *) reading->bytes, size};
    ret_piece->size = size;
    return OK;
}

static err_t
read_and_pack(reading_t *reading, const range_t *row, uint64_t max, piece_t *ret_piece,
              slice_t *ret_bytes)
{
    transfer_range_t range = {.object = row->object, .from = row->from, .size = row->size};
    size_t size = 0;
    uint64_t total = 0;

    if (row->list) {
        return read_list(reading, row, max, ret_piece, ret_bytes);
    }
    TRY(transfer_read(reading->store, &range, reading->bytes, (size_t) max, &size, &total,
                      &reading->fault));
    *ret_piece = (piece_t){.object = row->object, .from = row->from, .total = total, .size = size};
    return pack_piece(reading, size, ret_piece, ret_bytes);
}

/* ---- a whole object, as it is stored or as a delta ---- */

static err_t
expand_to(reading_t *reading, const stored_object_t *its, uint8_t *bytes, slice_t *ret_bytes)
{
    *ret_bytes = its->bytes;
    if (!its->packed) {
        return OK;
    }
    *ret_bytes = (slice_t){(const char *) bytes, (size_t) its->size};
    return expand(&reading->alone, its->bytes.data, its->bytes.size, bytes, (size_t) its->size);
}

/* One that is kept otherwise than in one piece. */
static err_t
read_pieces(reading_t *reading, const digest_t *base, slice_t *ret_bytes)
{
    size_t size = 0;
    uint64_t total = 0;

    TRY(transfer_read(reading->store, &(transfer_range_t){.object = *base}, reading->before,
                      DELTA_BYTES_MAX, &size, &total, NULL));
    *ret_bytes = (slice_t){(const char *) reading->before, size};
    return size == total ? OK : ERR_TOO_LARGE;
}

/* No bytes: it is not there any more, or damaged. It is held against its record's check, not its
 * digest: what an agent makes of it is held against one. To hash the bases took 0.16 of 3.2 CPU
 * seconds (a browser of 297 MB, four agents). */
static err_t
read_base(reading_t *reading, const digest_t *base, slice_t *ret_bytes)
{
    stored_object_t its;
    err_t err = transfer_stored(reading->store, base, &its, NULL);

    if (err == OK && its.size > DELTA_BYTES_MAX) {
        err = ERR_TOO_LARGE;
    }
    if (err == OK) {
        err = its.size == 0 ? read_pieces(reading, base, ret_bytes)
                            : expand_to(reading, &its, reading->before, ret_bytes);
    }
    if (err != OK) {
        *ret_bytes = (slice_t){NULL, 0};
    }
    return err == ERR_CANCELLED || err == ERR_NO_MEMORY ? err : OK;
}

/* The object and its base in memory, and the one packed against the other. No bytes: the base is
 * of no use, or too little is saved. */
static err_t
make_delta(reading_t *reading, const range_t *row, const stored_object_t *its, slice_t *ret_delta)
{
    const uint8_t *packed = NULL;
    size_t packed_size = 0;
    slice_t bytes, before;

    *ret_delta = (slice_t){NULL, 0};
    err_t err = expand_to(reading, its, reading->bytes, &bytes);
    TRY(err == ERR_DAMAGED ? ERR_DIGEST : err);
    TRY(read_base(reading, &row->base, &before));
    if (before.data == NULL) {
        return OK;
    }
    err = squeeze_against(&reading->against, before, bytes.data, bytes.size, &packed, &packed_size);
    if (packed_size > 0 && packed_size < its->bytes.size - its->bytes.size / DELTA_GAIN) {
        *ret_delta = (slice_t){(const char *) packed, packed_size};
    }
    return err;
}

/* Agents that had the same version need the same deltas, and ask for them one soon after the other:
 * to make each for each of four agents took the site 12.6 CPU seconds for 297 MB, and 5.6 now. */
static err_t
delta_of(reading_t *reading, const range_t *row, const stored_object_t *its, slice_t *ret_delta)
{
    world_key_t key;
    size_t size = 0;

    memcpy(key.whole, row->object.byte, sizeof key.whole);
    memcpy(key.before, row->base.byte, sizeof key.before);
    world_share_t share =
        world_memo_take(reading->world, &key, reading->delta, AGENT_DATA_BYTES_MAX, &size);
    if (share == WORLD_THERE) {
        *ret_delta = (slice_t){(const char *) reading->delta, size};
        return OK;
    }
    err_t err = make_delta(reading, row, its, ret_delta);
    if (share == WORLD_MAKE && err == OK) {
        world_memo_put(reading->world, &key, ret_delta->data, ret_delta->size);
    } else if (share == WORLD_MAKE) {
        world_memo_give_up(reading->world, &key);
    }
    return err == OK ? OK : RAISE(&reading->fault, err, 0, "pack", "an object of the store");
}

/* What is borrowed from the store is copied: the base is read before it goes. */
static err_t
add_delta(reading_t *reading, const range_t *row, stored_object_t *its, piece_t *piece)
{
    slice_t delta;

    memcpy(reading->stored, its->bytes.data, its->bytes.size);
    its->bytes.data = (const char *) reading->stored;
    TRY(delta_of(reading, row, its, &delta));
    if (delta.size > 0) {
        its->bytes = delta;
        piece->packing = PACKING_DELTA;
        piece->base = row->base;
    }
    return OK;
}

/* What had to be read, as a file that is kept in chunks, may be a delta, too, when it is whole. */
static err_t
against_base(reading_t *reading, const range_t *row, piece_t *piece, slice_t *bytes)
{
    stored_object_t its = {*bytes, piece->packing == PACKING_ZSTD, piece->size};

    if (row->list || digest_is_none(&row->base) || piece->from > 0 || piece->size == 0 ||
        piece->size != piece->total) {
        return OK;
    }
    TRY(add_delta(reading, row, &its, piece));
    *bytes = its.bytes;
    return OK;
}

/* A whole object goes as it is stored: to expand, hash and pack it anew for each agent took the
 * site 6.4 CPU seconds for 297 MB to four, and 1.5 now. The agent holds it against its digest. */
static err_t
read_as_stored(reading_t *reading, const range_t *row, piece_t *ret_piece, slice_t *ret_bytes,
               bool *ret_stored)
{
    stored_object_t its;

    *ret_stored = false;
    if (row->list || row->from > 0) {
        return OK;
    }
    TRY(transfer_stored(reading->store, &row->object, &its, &reading->fault));
    *ret_stored = its.size > 0 && its.size <= AGENT_DATA_BYTES_MAX &&
                  (row->size == 0 || row->size == its.size);
    *ret_piece = (piece_t){.object = row->object, .total = its.size, .size = its.size};
    ret_piece->packing = its.packed ? PACKING_ZSTD : PACKING_PLAIN;
    if (*ret_stored && !digest_is_none(&row->base)) {
        TRY(add_delta(reading, row, &its, ret_piece));
    }
    *ret_bytes = its.bytes;
    return OK;
}

/* ---- a message ---- */

/* One piece; *ret_rest: it does not reach the range's end. What has a base is read whole; when that
 * does not fit packed, it waits for the next message (no object), or in an empty one, as much of it
 * as fits goes without: half a chunk is staged in a file of its own, and synced. */
static err_t
read_piece(job_t *job, reading_t *reading, const range_t *row, uint64_t room, bool first,
           piece_t *ret_piece, bool *ret_rest)
{
    bool whole = !digest_is_none(&row->base) ||
                 (!first && row->size > 0 && row->size <= AGENT_DATA_BYTES_MAX);
    bool as_stored = false;
    slice_t bytes;

    TRY(read_as_stored(reading, row, ret_piece, &bytes, &as_stored));
    if (!as_stored) {
        TRY(read_and_pack(reading, row, whole ? AGENT_DATA_BYTES_MAX : room, ret_piece, &bytes));
        TRY(against_base(reading, row, ret_piece, &bytes));
    }
    *ret_rest = bytes.size > room;
    if (bytes.size > room && !first) {
        ret_piece->object = (digest_t){{0}};
        return OK;
    }
    if (bytes.size > room) {
        range_t plain = *row;
        plain.base = (digest_t){{0}};
        TRY(read_and_pack(reading, &plain, room, ret_piece, &bytes));
    }
    ret_piece->bytes = draft_text(job_draft(job), bytes);
    uint64_t content = ret_piece->size;
    uint64_t end = row->size > 0 ? row->from + row->size : ret_piece->total;
    *ret_rest = row->from + content < end;
    ret_piece->size = ret_piece->packing == PACKING_PLAIN ? 0 : content;
    return OK;
}

/* As many ranges as fit; what is over is read by the next job. */
static err_t
read_ranges(job_t *job, reading_t *reading, const read_order_t *order, agent_data_t *m)
{
    uint64_t room =
        order->bytes_max < AGENT_DATA_BYTES_MAX ? order->bytes_max : AGENT_DATA_BYTES_MAX;
    uint32_t count = 0;
    bool rest = false;

    m->pieces = draft_rows(job_draft(job), order->ranges.count, sizeof(piece_t));
    for (uint32_t i = 0; i < order->ranges.count && i < PIECES_MAX && !rest && (room > 0 || i == 0);
         i++) {
        piece_t piece;
        const range_t *row = ROW(order, order->ranges, i, range_t);
        if (i > 0 && row->size <= AGENT_DATA_BYTES_MAX && row->size / NEVER_SMALLER > room) {
            break;
        }
        TRY(read_piece(job, reading, row, room, i == 0, &piece, &rest));
        if (digest_is_none(&piece.object)) {
            break;
        }
        piece_t *into = draft_row(job_draft(job), m->pieces, i, sizeof *into);
        if (!into || job_draft(job)->full) {
            return RAISE(&reading->fault, ERR_TOO_LARGE, 0, "read", "what an agent lacks");
        }
        *into = piece;
        room -= piece.bytes.size;
        count++;
    }
    m->pieces.count = count;
    return OK;
}

static err_t
open_and_read(job_t *job, world_t *world, reading_t *reading, const read_order_t *order,
              agent_data_t *m)
{
    char path[PATH_BYTES_MAX + 1];

    if (!slice_copy(record_slice(order, order->store), path, sizeof path)) {
        return RAISE(&reading->fault, ERR_NAME_TOO_LONG, 0, "open", "the store");
    }
    TRY(store_open(world, path, &reading->store, &reading->fault));
    m->order = order->order;
    reading->stored = reading->bytes + AGENT_DATA_BYTES_MAX;
    reading->delta = reading->stored + AGENT_DATA_BYTES_MAX;
    reading->before = reading->delta + AGENT_DATA_BYTES_MAX;
    return read_ranges(job, reading, order, m);
}

void
job_read(job_t *job, world_t *world, const void *input, void *resource)
{
    const read_order_t *order = input;
    char text[TEXT_BYTES_MAX];
    reading_t reading = {.world = world, .bytes = malloc(4 * AGENT_DATA_BYTES_MAX)};
    agent_data_t *m = JOB_OUTPUT(job, agent_data);
    err_t err =
        resource || !reading.bytes ? ERR_NO_MEMORY : open_and_read(job, world, &reading, order, m);

    if (err != OK) {
        m = JOB_OUTPUT(job, agent_data);
        m->order = order->order;
        m->err = err;
        m->text =
            draft_text(job_draft(job), slice_of(fault_text(&reading.fault, text, sizeof text)));
    }
    store_close(&reading.store);
    squeeze_release(&reading.alone);
    squeeze_release(&reading.against);
    free(reading.bytes);
}
