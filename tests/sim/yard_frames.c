/* yard_frames.c - every frame between a site and an agent, looked at as it is sent; and those that
 * a bad wire or a bad peer would change; see yard.h.
 *
 *   credit   what an agent said to be durable it does not lack after its power went
 *   index    its power damages no index of an agent
 *   hash     what an agent said to be durable are the bytes that have the digest, no others
 *   tombstone  an agent whose point was removed is told nothing else, before or after
 *   a bad wire changes a bit of content; a bad site orders a version that there never was, without
 *   the signing key, or an older one, with it; a bad point answers by a receipt of before */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "actors/agent_order.h"
#include "actors/agent_wire.h"
#include "actors/content/hash.h"
#include "tests/sim/stage_inside.h"
#include "tests/sim/yard.h"

#define FORGED_EPOCHS 1000u

static slice_t
bytes_of(const frame_t *frame)
{
    return (slice_t){(const char *) frame->bytes, frame->size};
}

void
frames_write_anew(frame_t *frame, const record_type_t *type, const void *record)
{
    size_t room = frame->size + 4096;
    uint8_t *bytes = malloc(room);

    assert(bytes);
    frame->size = agent_frame_write(type, record, bytes, room);
    assert(frame->size > 0);
    free(frame->bytes);
    frame->bytes = bytes;
}

static void
keep(uint8_t **into, size_t *into_size, const frame_t *frame)
{
    if (!*into) {
        *into = malloc(frame->size);
        assert(*into);
        memcpy(*into, frame->bytes, frame->size);
        *into_size = frame->size;
    }
}

/* ---- credit ---- */

static void
forget_sent(far_t *far)
{
    for (uint32_t i = 0; i < far->sent_count; i++) {
        far->sent[i] = (sent_object_t){.bytes = far->sent[i].bytes};
    }
}

/* Content that is sent when none may be. */
static void
see_time(far_t *far)
{
    stage_t *stage = far->yard->stage;
    world_t *look = world_sim_look_new(stage_world(stage));
    int64_t wall_ns = world_wall_ns(look);

    world_sim_job_destroy(&look);
    if (far->yard->shut && far->yard->shut(far, wall_ns)) {
        stage_note_fault(stage, "windows: content leaves for '%s' at %lld", far->name,
                         (long long) (wall_ns / 1000000000));
    }
}

static void
see_data(far_t *far, const agent_data_t *m)
{
    bool content = far->placing && m->order == far->last_order;

    if (content && m->pieces.count > 0) {
        see_time(far);
    }
    for (uint32_t i = 0; content && i < m->pieces.count; i++) {
        const piece_t *piece = ROW(m, m->pieces, i, piece_t);
        far->content += agent_piece_content(piece);
        far->deltas += piece->packing == PACKING_DELTA;
    }
    for (uint32_t i = 0; i < m->pieces.count; i++) {
        const piece_t *piece = ROW(m, m->pieces, i, piece_t);
        far->lists += piece->list;
        yard_see_seed_sent(far, piece);
        far->all += agent_piece_content(piece);
    }
    for (uint32_t i = 0; i < m->pieces.count && far->sent_count < TOLD_MAX; i++) {
        const piece_t *piece = ROW(m, m->pieces, i, piece_t);
        /* What was read for an order before the last one is let go where that has begun, and what
         * comes for one that has ended. Whose list is there needs no list, nor all of its bytes. */
        bool whole = m->order == far->last_order && m->order != far->done_order &&
                     piece->from == 0 && agent_piece_content(piece) == piece->total;
        far->sent[far->sent_count++] =
            (sent_object_t){.object = whole ? piece->object : (digest_t){{0}},
                            .list = piece->list,
                            .bytes = piece->bytes.size};
    }
}

static void
see_durable(far_t *far, const agent_durable_t *m)
{
    uint64_t bytes = m->bytes;
    uint32_t done = 0;

    far->stored_ms = m->stored_ms > far->stored_ms ? m->stored_ms : far->stored_ms;
    if (far->astray) {
        return; /* so many bytes may be others */
    }
    while (done < far->sent_count && far->sent[done].bytes <= bytes) {
        bytes -= far->sent[done].bytes;
        const sent_object_t *sent = &far->sent[done++];
        if (sent->wrong) {
            stage_note_fault(far->yard->stage,
                             "hash: '%s' said that bytes are durable that have another digest",
                             far->name);
        }
        if (sent->list && far->cut_at_list > 0) {
            world_sim_cut_after(sim_world(far->sim), far->cut_at_list);
            far->cut_at_list = 0;
        }
        if (!digest_is_none(&sent->object) && far->told_count < TOLD_MAX) {
            far->told[far->told_count++] = sent->object;
        }
    }
    far->sent_count -= done;
    memmove(far->sent, far->sent + done, far->sent_count * sizeof far->sent[0]);
}

static void
see_need(far_t *far, const agent_need_t *m)
{
    for (uint32_t i = 0; far->cut && !far->flips && i < m->ranges.count; i++) {
        const range_t *range = ROW(m, m->ranges, i, range_t);
        for (uint32_t at = 0; at < far->told_count; at++) {
            if (digest_equal(&far->told[at], &range->object)) {
                stage_note_fault(far->yard->stage,
                                 "credit: '%s' said that an object is durable, and lacks it after "
                                 "its power went",
                                 far->name);
            }
        }
    }
}

/* A run of the index has its name only when its bytes are durable, so a power cut damages none; it
 * would be made anew from the packs, and nothing be lost but the time. A run that is gone is named
 * again by who reads what it keeps, not by who looks for what he lacks. */
static void
see_indexed(far_t *far, const agent_indexed_t *m)
{
    if (far->cut && !far->flips && far->lacking && m->order == far->last_order) {
        stage_note_fault(far->yard->stage, "index: that of '%s' is damaged after its power went",
                         far->name);
    }
}

/* ---- orders ---- */

static work_t *
work_of(const agent_order_t *m)
{
    return m->work.count == 1 ? (work_t *) ROW(m, m->work, 0, work_t) : NULL;
}

static bool
places(const agent_order_t *m)
{
    const work_t *work = work_of(m);

    return work && m->task == AGENT_TASK_WORK && work->action == ACTION_INSTALL;
}

static bool
carries(const agent_order_t *m)
{
    const work_t *work = work_of(m);

    return work && m->task == AGENT_TASK_WORK && action_places(work->action);
}

static bool
removes(const agent_order_t *m)
{
    const work_t *work = work_of(m);

    return work && m->task == AGENT_TASK_WORK && work->action == ACTION_REMOVE;
}

static void
keep_order(far_t *far, const frame_t *frame, uint64_t epoch)
{
    if (epoch == far->recent_epoch) {
        return;
    }
    free(far->order);
    far->order = far->recent;
    far->order_size = far->recent_size;
    far->recent = NULL;
    far->recent_epoch = epoch;
    keep(&far->recent, &far->recent_size, frame);
}

/* An order of the version before, as the site would sign it now. */
static bool
order_old(far_t *far, frame_t *frame)
{
    const record_type_t *type = NULL;
    const void *record = NULL;
    slice_t kept = {(const char *) far->order, far->order_size};
    err_t err =
        agent_frame_read(kept, SITE_SAYS, far->yard->memory, AGENT_MEMORY_BYTES, &type, &record);
    agent_order_t *m = (agent_order_t *) record;
    uint8_t signature[SIGN_BYTES];

    assert(err == OK && type == &agent_order_type);
    m->order = far->last_order;
    agent_order_said_t said = {
        far->token.site, far->token.incarnation, far->visit, m->order, m->task, m, work_of(m)};
    err = agent_order_sign(&far->yard->site_keys.signing, &said, signature);
    assert(err == OK && m->signature.size == SIGN_BYTES);
    memcpy((char *) record_slice(m, m->signature).data, signature, SIGN_BYTES);
    frames_write_anew(frame, type, m);
    return true;
}

static bool
answer_by_receipt(far_t *far, uint64_t order)
{
    const record_type_t *type = NULL;
    const void *record = NULL;
    slice_t kept = {(const char *) far->receipt, far->receipt_size};
    err_t err =
        agent_frame_read(kept, AGENT_SAYS, far->yard->memory, AGENT_MEMORY_BYTES, &type, &record);
    frame_t frame = {malloc(1), 1, false};

    assert(err == OK && type == &agent_done_type && frame.bytes);
    ((agent_done_t *) record)->order = order;
    frames_write_anew(&frame, type, record);
    lines_sent_by_far(far, false, slice_of(""), bytes_of(&frame));
    free(frame.bytes);
    return false;
}

static bool
see_order(far_t *far, frame_t *frame, agent_order_t *m)
{
    tamper_t tamper = far->tamper;

    if (far->sent_count > 0) {
        forget_sent(far); /* it may be let go */
    }
    far->last_order = m->order;
    far->placing = carries(m);
    far->lacking = far->placing || m->task == AGENT_TASK_MEASURE;
    if (m->task == AGENT_TASK_COLLECT || removes(m)) {
        far->told_count = 0;
    }
    if (tamper == TAMPER_OLD && m->task == AGENT_TASK_COLLECT && far->order) {
        order_old(far, frame);
    } else if (!places(m)) {
        return true;
    } else if (tamper == TAMPER_ORDER) {
        work_of(m)->epoch += FORGED_EPOCHS;
        frames_write_anew(frame, &agent_order_type, m);
    } else if (tamper == TAMPER_OLD && far->order) {
        order_old(far, frame);
        far->yard->above++;
    } else if (tamper == TAMPER_RECEIPT && far->receipt) {
        far->tamper = TAMPER_NOTHING;
        far->yard->tampered++;
        return answer_by_receipt(far, m->order);
    } else {
        keep_order(far, frame, work_of(m)->epoch);
        return true;
    }
    far->tamper = TAMPER_NOTHING;
    far->yard->tampered++;
    return true;
}

/* A bit of content, or of a delta. What came whole under its own digest has another one now. */
static void
flip(far_t *far, frame_t *frame, const agent_data_t *m)
{
    for (uint32_t i = 0; i < m->pieces.count; i++) {
        const piece_t *piece = ROW(m, m->pieces, i, piece_t);
        if (piece->bytes.size == 0 || piece->packing == PACKING_ZSTD) {
            continue;
        }
        ((char *) record_slice(m, piece->bytes).data)[piece->bytes.size / 2] ^= 0x10;
        far->tamper = TAMPER_NOTHING;
        far->yard->tampered++;
        far->flips |= piece->list; /* one that lies is durable, and good for nothing */
        if (far->sent_count >= m->pieces.count && far->sent_count < TOLD_MAX) {
            sent_object_t *sent = &far->sent[far->sent_count - m->pieces.count + i];
            sent->wrong =
                piece->packing == PACKING_PLAIN && !piece->list && !digest_is_none(&sent->object);
            sent->object = (digest_t){{0}};
        }
        frames_write_anew(frame, &agent_data_type, m);
        return;
    }
}

/* ---- the end ---- */

static void
see_removal(far_t *far, const record_type_t *type)
{
    bool later = far->gone_connection > 0 && far->connection > far->gone_connection;

    if (type == &agent_removed_type) {
        far->told_gone = true;
    } else if (type && far->gone && (far->told_gone || later) && type != &agent_refused_type) {
        stage_note_fault(far->yard->stage, "tombstone: '%s' was removed, and is told %s first",
                         far->name, type->name);
    }
}

/* Whoever has the place of the site says it, without its key. */
static void
forge_removal(far_t *far, frame_t *frame)
{
    uint64_t memory[64];
    uint8_t signature[SIGN_BYTES];
    draft_t draft;

    memset(signature, 0x5a, sizeof signature);
    draft_over(&draft, memory, sizeof memory);
    agent_removed_t *m = draft_begin(&draft, &agent_removed_type);
    m->signature = draft_text(&draft, (slice_t){(const char *) signature, sizeof signature});
    frames_write_anew(frame, &agent_removed_type, m);
    far->tamper = TAMPER_NOTHING;
    far->yard->tampered++;
}

/* ---- frames ---- */

void
frames_see_data(far_t *far, frame_t *frame, const agent_data_t *m)
{
    see_data(far, m);
    if (far->tamper == TAMPER_FLIP) {
        flip(far, frame, m);
    }
}

static void
maybe_twice(far_t *far, frame_t *frame)
{
    if (far->tamper == TAMPER_TWICE) {
        far->tamper = TAMPER_NOTHING;
        far->yard->tampered++;
        frame->twice = true;
        forget_sent(far);
    }
}

static const void *
read_frame(far_t *far, const frame_t *frame, agent_side_t from, const record_type_t **ret_type)
{
    const void *record = NULL;
    err_t err = agent_frame_read(bytes_of(frame), from, far->yard->memory, AGENT_MEMORY_BYTES,
                                 ret_type, &record);

    if (err != OK) {
        stage_note_fault(far->yard->stage, "a frame for or of '%s' cannot be read", far->name);
    }
    return err == OK ? record : NULL;
}

bool
frames_down(far_t *far, frame_t *frame)
{
    const record_type_t *type = NULL;
    const void *m = read_frame(far, frame, SITE_SAYS, &type);

    see_removal(far, type);
    maybe_twice(far, frame);
    if (type == &agent_beat_type && far->tamper == TAMPER_REMOVED) {
        forge_removal(far, frame);
    }
    if (type == &agent_order_type) {
        return see_order(far, frame, (agent_order_t *) m);
    }
    if (type == &agent_stop_type) {
        forget_sent(far);
    }
    if (type == &agent_data_type) {
        frames_see_data(far, frame, m);
    }
    return true;
}

bool
frames_up(far_t *far, frame_t *frame)
{
    const record_type_t *type = NULL;
    const void *m = read_frame(far, frame, AGENT_SAYS, &type);

    maybe_twice(far, frame);
    if (type == &agent_hello_type) {
        far->visit = ((const agent_hello_t *) m)->visit;
        far->sent_count = 0;
        far->astray = false;
        far->done_order = 0; /* a site that was started anew may count anew */
    } else if (type == &agent_durable_type) {
        see_durable(far, m);
    } else if (type == &agent_need_type) {
        see_need(far, m);
    } else if (type == &agent_indexed_type) {
        see_indexed(far, m);
    } else if (type == &agent_seeded_type) {
        yard_see_seeded(far, m);
    } else if (type == &agent_buried_type) {
        far->buried = true; /* whatever it has still to write to know it, it does not */
        world_sim_cut_after(sim_world(far->sim), 1);
    } else if (type == &agent_done_type) {
        const agent_done_t *done = m;
        const outcome_t *outcome =
            done->outcome.count == 1 ? ROW(done, done->outcome, 0, outcome_t) : NULL;
        far->done_order = done->order;
        forget_sent(far); /* of an order that failed nobody counts it as there */
        if (outcome && outcome->err == OK && outcome->action == ACTION_INSTALL &&
            done->signature.size > 0) {
            keep(&far->receipt, &far->receipt_size, frame);
        }
    }
    return true;
}
