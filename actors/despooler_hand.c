/* despooler_hand.c - see despooler_hand.h. */
#include "actors/despooler_hand.h"

#include <assert.h>
#include <stdlib.h>

#include "actors/outcome.h"

#define NS_PER_MS 1000000

void
hand_destroy(hand_t **hand)
{
    if (*hand) {
        kept_destroy(&(*hand)->work);
        kept_destroy(&(*hand)->outcome);
        free(*hand);
        *hand = NULL;
    }
}

void
hand_drop(void *hand)
{
    hand_t *dropped = hand;

    hand_destroy(&dropped);
}

const work_t *
hand_work(const hand_t *hand)
{
    return kept_record(hand->work);
}

/* ---- from an instruction into the inbox ---- */

static void
work_of_instruction(actor_ctx_t *ctx, work_t *work, const instruction_t *m,
                    const target_ref_t *target)
{
    work->target = target->target;
    work->revision = target->revision;
    work->action = m->action;
    work->package = actor_text(ctx, record_slice(m, m->package));
    work->package_incarnation = m->package_incarnation;
    work->epoch = m->epoch;
    work->root = m->root;
    work->label = actor_text(ctx, record_slice(m, m->label));
    work->attempt = m->attempt;
    work->of = m->of;
    work->integrity = m->integrity;
    work->dp = actor_text(ctx, record_slice(m, target->dp));
    work->dp_incarnation = target->dp_incarnation;
    work->dp_root = actor_text(ctx, record_slice(m, target->dp_root));
    work->have = target->have;
    work->seed = actor_text(ctx, record_slice(m, target->seed));
    work->read_only = target->read_only;
}

err_t
hand_add(actor_ctx_t *ctx, despooler_t *self, const instruction_t *m, const target_ref_t *target)
{
    hand_t *hand = calloc(1, sizeof *hand);
    work_t *work = DRAFT(ctx, work);
    void *unused = NULL;

    assert(hand);
    work_of_instruction(ctx, work, m, target);
    hand->work = actor_keep(ctx, &work_type, work);
    queue_entry_t entry = {.key = hand_key(target->target, m->action),
                           .revision = target->revision,
                           .since_ns = actor_now_ns(ctx),
                           .load = hand,
                           .priority = (priority_t) m->priority,
                           .later = m->action == ACTION_REMOVE};
    err_t err = queue_add(self->queue, record_slice(m, target->dp), &entry, &unused);
    if (err != OK) {
        unused = hand;
    }
    hand_drop(unused);
    return err;
}

static bool
is_stopped(const queue_entry_t *entry, const stopped_row_t *stopped)
{
    return entry && outcome_is_stopped(stopped, entry->key / ACTION_COUNT, entry->revision);
}

queue_entry_t *
hand_stop(despooler_t *self, const stopped_row_t *stopped)
{
    queue_entry_t *in_hand = NULL;

    for (uint32_t action = 0; action < ACTION_COUNT; action++) {
        uint64_t key = hand_key(stopped->target, action);
        if (action_looks(action)) {
            continue;
        }
        if (is_stopped(queue_waits(self->queue, key), stopped)) {
            hand_drop(queue_stop(self->queue, key));
        }
        queue_entry_t *entry = queue_in_hand(self->queue, key);
        in_hand = is_stopped(entry, stopped) ? entry : in_hand;
    }
    return in_hand;
}

/* ---- from an entry in hand ---- */

ledger_verdict_t
hand_admit(despooler_t *self, const queue_entry_t *entry, const measured_t *m)
{
    const hand_t *hand = entry->load;
    ledger_wish_t wish = {.who = entry->key,
                          .device = m->device,
                          .need = {m->need_bytes, m->need_inodes},
                          .have = {m->have_bytes, m->have_inodes},
                          .mark = hand->mark};

    return ledger_admit(&self->ledger, &wish);
}

const work_t *
hand_draft_work(actor_ctx_t *ctx, const despooler_t *self, const queue_entry_t *entry,
                const record_type_t *type)
{
    const hand_t *hand = entry->load;
    const work_t *kept = hand_work(hand);
    const site_args_t *args = kept_record(self->args);
    slice_t data = record_slice(args, args->data);
    work_t *work = actor_draft(ctx, type);

    err_t err = draft_copy(actor_draft_open(ctx), type, work, kept, kept);
    actor_draft_open(ctx)->full |= err != OK;
    work->revision = hand->revision ? hand->revision : kept->revision;
    work->action = kept->action == ACTION_PLAN ? (uint32_t) ACTION_INSTALL : kept->action;
    work->site = self->site;
    work->store = actor_textf(ctx, "%.*s/store", (int) data.size, data.data);
    work->grace_ms = args->grace_ms ? args->grace_ms : GRACE_MS;
    return work;
}

const outcome_t *
hand_draft_space(actor_ctx_t *ctx, const queue_entry_t *entry, const measured_t *m)
{
    const work_t *work = hand_work(entry->load);
    slice_t package = record_slice(work, work->package);
    bool inodes = m->need_inodes > m->have_inodes;
    outcome_t *outcome = DRAFT(ctx, outcome);

    outcome_fill(actor_draft_open(ctx), outcome, work);
    outcome->err = ERR_SPACE;
    outcome->reached = true;
    outcome->need = inodes ? m->need_inodes : m->need_bytes;
    outcome->have = inodes ? m->have_inodes : m->have_bytes;
    outcome->text = actor_textf(ctx, "cannot place '%.*s': %s are wanting, other work counted in",
                                (int) package.size, package.data, inodes ? "inodes" : "bytes");
    return outcome;
}

const outcome_t *
hand_draft_whole(actor_ctx_t *ctx, const hand_t *hand, const outcome_t *m)
{
    outcome_t *whole = DRAFT(ctx, outcome);
    err_t err = draft_copy(actor_draft_open(ctx), &outcome_type, whole, m, m);

    actor_draft_open(ctx)->full |= err != OK;
    whole->sent += hand->sent;
    return whole;
}

static rows_t
draft_space_cause(draft_t *draft, const measured_t *m)
{
    bool inodes = m->need_bytes <= m->have_bytes;

    if (m->already || (inodes && m->need_inodes <= m->have_inodes)) {
        return (rows_t){0, 0};
    }
    rows_t rows = outcome_cause(draft, ERR_SPACE, err_sentence(ERR_SPACE));
    cause_t *cause = draft_row(draft, rows, 0, sizeof *cause);
    if (cause) {
        cause->need = inodes ? m->need_inodes : m->need_bytes;
        cause->have = inodes ? m->have_inodes : m->have_bytes;
    }
    return rows;
}

/* A plan is told as it was measured, whatever else waits for the same space. */
const outcome_t *
hand_draft_plan(actor_ctx_t *ctx, const queue_entry_t *entry, const measured_t *m)
{
    const work_t *work = hand_work(entry->load);
    outcome_t *outcome = DRAFT(ctx, outcome);
    draft_t *draft = actor_draft_open(ctx);

    outcome_fill(draft, outcome, work);
    outcome->reached = m->reached;
    outcome->already = m->already;
    plan_row_t row = {.dp = draft_copy_text(draft, work, work->dp),
                      .cause = draft_space_cause(draft, m),
                      .already = m->already,
                      .bytes = m->already ? 0 : m->bytes,
                      .need_bytes = m->need_bytes,
                      .need_inodes = m->need_inodes,
                      .have_bytes = m->have_bytes,
                      .have_inodes = m->have_inodes,
                      .rate = RECORD_NONE,
                      .measured = RECORD_NONE,
                      .least_ms = RECORD_NONE};
    outcome->plan = draft_rows(draft, 1, sizeof row);
    plan_row_t *into = draft_row(draft, outcome->plan, 0, sizeof row);
    if (into) {
        *into = row;
    }
    return outcome;
}

const probe_point_t *
hand_draft_probe(actor_ctx_t *ctx, const despooler_t *self, const probe_point_t *m)
{
    probe_point_t *copy = DRAFT(ctx, probe_point);
    err_t err = draft_copy(actor_draft_open(ctx), &probe_point_type, copy, m, m);

    actor_draft_open(ctx)->full |= err != OK;
    copy->site = self->site;
    return copy;
}

/* A collection names what stays: the version that was just placed. */
const collect_point_t *
hand_draft_collect(actor_ctx_t *ctx, const despooler_t *self, const collect_point_t *m)
{
    const site_args_t *args = kept_record(self->args);
    slice_t data = record_slice(args, args->data);
    collect_point_t *copy = DRAFT(ctx, collect_point);
    err_t err = draft_copy(actor_draft_open(ctx), &collect_point_type, copy, m, m);

    actor_draft_open(ctx)->full |= err != OK;
    copy->site = self->site;
    copy->store = actor_textf(ctx, "%.*s/store", (int) data.size, data.data);
    copy->grace_ms = args->grace_ms ? args->grace_ms : GRACE_MS;
    return copy;
}

const scrub_point_t *
hand_draft_scrub(actor_ctx_t *ctx, const despooler_t *self, const scrub_point_t *m)
{
    const site_args_t *args = kept_record(self->args);
    slice_t data = record_slice(args, args->data);
    scrub_point_t *copy = DRAFT(ctx, scrub_point);
    err_t err = draft_copy(actor_draft_open(ctx), &scrub_point_type, copy, m, m);

    actor_draft_open(ctx)->full |= err != OK;
    copy->site = self->site;
    copy->store = actor_textf(ctx, "%.*s/store", (int) data.size, data.data);
    return copy;
}

const backlog_t *
hand_draft_backlog(actor_ctx_t *ctx, const despooler_t *self)
{
    queue_figures_t figures;
    backlog_t *m = DRAFT(ctx, backlog);

    queue_look(self->queue, &figures);
    m->slots = figures.slots;
    m->busy = figures.busy;
    m->waiting = figures.waiting;
    if (figures.oldest_ns > 0) {
        m->oldest_ms = (uint64_t) (actor_now_ns(ctx) - figures.oldest_ns) / NS_PER_MS;
    }
    return m;
}
