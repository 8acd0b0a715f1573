/* deliver.c - where an envelope goes: into a lane of its receiver, or back to who waits for it. */
#include "runtime/inside.h"

/* Nobody takes it: an asker gets err, a monitor hears that whom it wanted to watch is gone. */
void
core_refuse_envelope(worker_t *worker, envelope_t *take_envelope, err_t err)
{
    core_t *core = worker->core;
    if (take_envelope->reserved) {
        lease_release(worker, take_envelope->to, take_envelope->lane, take_envelope->size);
    }
    if (take_envelope->kind == ENV_ASK) {
        const chain_t *chain = &envelope_more(take_envelope)->ask.chain;
        if (chain->head.asker.index != 0) {
            wait_refused(core, chain);
        }
        ask_reply_error(worker, take_envelope->to, take_envelope->from, take_envelope->number, err);
    } else if (take_envelope->kind == ENV_MONITOR) {
        envelope_t *down =
            envelope_new(ENV_DOWN, take_envelope->to, take_envelope->from, NULL, "", 1);
        down->number = take_envelope->number;
        down->reason = ACTOR_ENDED;
        envelope_more(down)->down.class_name = "";
        core_route(worker, down);
    } else if (take_envelope->kind == ENV_TELL) {
        atomic_fetch_add(&core->dead_letters, 1);
    } else if (take_envelope->kind == ENV_REPLY || take_envelope->kind == ENV_DONE) {
        atomic_fetch_add(&core->late_replies, 1);
    }
    envelope_free(take_envelope);
}

static void
deliver_to(actor_t *actor, envelope_t *take_envelope)
{
    bool for_next = (int32_t) (take_envelope->to.incarnation - actor->self.incarnation) > 0;
    bool ended = actor->stage == STAGE_ENDING || actor->stage == STAGE_WAITING;
    switch ((envelope_kind_t) take_envelope->kind) {
    case ENV_ASK:
        if (ended && !for_next) { /* the next one's start is on its way before this */
            err_t err = actor->end_final ? ERR_DOWN : ERR_RESTARTING;
            core_refuse_envelope(actor->worker, take_envelope, err);
            return;
        }
        lane_push(actor, take_envelope->lane, take_envelope);
        return;
    case ENV_REPLY:
    case ENV_DONE:
        if (actor->stage != STAGE_OPEN) {
            core_refuse_envelope(actor->worker, take_envelope, ERR_DOWN);
            return;
        }
        lane_push(actor, LANE_REPLY, take_envelope);
        return;
    case ENV_DOWN:
        lane_push_down(actor, take_envelope);
        return;
    default:
        lane_push(actor, LANE_SYSTEM, take_envelope);
    }
}

/* Its receiver was elsewhere when it was told, and has gone: somebody here has the slot. */
static void
deliver_batch(worker_t *worker, envelope_t *take_batch)
{
    told_by_hand_t hand;
    (void) told_head(&hand, take_batch);
    for (uint32_t at = 0; at < take_batch->size; at += batch_step(take_batch->each)) {
        worker_deliver(worker, envelope_unpack(told_record(&hand, take_batch, at)));
    }
    batch_free(take_batch);
}

void
worker_deliver(worker_t *worker, envelope_t *take_envelope)
{
    core_t *core = worker->core;
    cell_t *cell = cell_at(core, take_envelope->to.index);
    /* Only what this worker hosts is looked into: the slot may have a tenant elsewhere by now. */
    bool here = cell_holds(core, take_envelope->to) && atomic_load(&cell->worker) == worker->index;
    actor_t *actor = here ? atomic_load(&cell->actor) : NULL;
    if (actor != NULL && actor->worker == worker && core_goes_in(actor, take_envelope)) {
        lane_push(actor, take_envelope->lane, take_envelope);
        actor->far = actor->lane_depth[LANE_NORMAL];
        return;
    }
    if (take_envelope->kind == ENV_BATCH) {
        deliver_batch(worker, take_envelope);
        return;
    }
    if (actor == NULL) {
        core_refuse_envelope(worker, take_envelope, ERR_DOWN);
        return;
    }
    if (actor->worker != worker) {
        takeover_deliver(worker, actor, take_envelope);
        return;
    }
    bool normal = take_envelope->lane == LANE_NORMAL;
    deliver_to(actor, take_envelope);
    if (normal) {
        actor->far = actor->lane_depth[LANE_NORMAL];
    }
}
