/* dm_collect.c - content of the store that no target wants or has goes, between snapshots; and
 * superseded versions go from the points, however often an order to collect them was lost. */
#include "actors/dm.h"
#include "actors/jobs_store.h"

#include <string.h>

#define COLLECT_MS      300000u /* between collections */
#define COLLECT_HOLD_MS 15000u  /* that new snapshots wait for those in hand */

static void
tell_of_store(actor_ctx_t *ctx, status_id_t id, uint64_t objects, uint64_t bytes, const char *hint)
{
    note_event_t *event = DRAFT(ctx, note_event);

    event->component = actor_text(ctx, slice_of("distribution_manager"));
    event->id = id;
    event->severity = status_severity(id);
    event->text = actor_textf(ctx, "%s: %llu objects, %llu bytes%s", status_sentence(id),
                              (unsigned long long) objects, (unsigned long long) bytes, hint);
    answer_unheard(tell_site_database_note_event(ctx, event));
}

/* What passes by itself changes nothing of why the last collection removed nothing. */
static bool
passes(err_t err)
{
    return err == ERR_BUSY || err == ERR_CANCELLED;
}

/* Nothing was removed, and nothing will be while that lasts: so it is told once. lacks: for the
 * version for which that is; none: it is another reason. */
static void
note_not_collected(actor_ctx_t *ctx, distribution_manager_t *self, err_t err, const digest_t *lacks,
                   slice_t text, slice_t id)
{
    bool told =
        self->uncollected == (uint32_t) err && memcmp(&self->lacking, lacks, sizeof *lacks) == 0;

    if (passes(err) || told) {
        return;
    }
    self->uncollected = err;
    self->lacking = *lacks;
    note_event_t *event = DRAFT(ctx, note_event);
    event->component = actor_text(ctx, slice_of("distribution_manager"));
    event->id = STATUS_STORE_NOT_COLLECTED;
    event->severity = status_severity(STATUS_STORE_NOT_COLLECTED);
    event->package = actor_text(ctx, id);
    event->text = actor_textf(
        ctx, "%s: %.*s%s%.*s%s", status_sentence(STATUS_STORE_NOT_COLLECTED), (int) text.size,
        text.data, id.size > 0 ? "; store it again (despool package update " : "", (int) id.size,
        id.data, id.size > 0 ? "), or take that version from its points" : "");
    answer_unheard(tell_site_database_note_event(ctx, event));
}

/* What is held is told when it changes, not by each collection; so is why nothing was removed. */
static actor_next_t
collected(actor_ctx_t *ctx, void *state, const actor_answer_t *answer)
{
    distribution_manager_t *self = state;
    const collected_t *m = ANSWER_AS(answer, collected);
    bool done = m && m->err == OK;

    self->collecting = false;
    if (done && m->objects > 0) {
        tell_of_store(ctx, STATUS_STORE_COLLECTED, m->objects, m->bytes, "");
    }
    if (done && m->held_objects > 0 && m->held_bytes != self->held_bytes) {
        tell_of_store(ctx, STATUS_STORE_HOLDS, m->held_objects, m->held_bytes,
                      "; store the package again (despool package update)");
    }
    self->held_bytes = done ? m->held_bytes : self->held_bytes;
    if (done) {
        self->uncollected = OK;
        self->lacking = (digest_t){{0}};
    } else if (m) {
        note_not_collected(ctx, self, (err_t) m->err, &m->lacks, record_slice(m, m->text),
                           record_slice(m, m->lacks_id));
    }
    dm_package_go_on(ctx, self);
    return ACTOR_CONTINUE;
}

/* More versions than a message can name: that does not pass by itself, as other reasons do. */
static void
note_too_many(actor_ctx_t *ctx, distribution_manager_t *self)
{
    static const digest_t none;

    note_not_collected(ctx, self, ERR_TOO_LARGE, &none,
                       slice_of("the versions to be kept are more than one message can name; "
                                "withdraw or remove what is not needed"),
                       slice_of(""));
}

static actor_next_t
roots_came(actor_ctx_t *ctx, void *state, const actor_answer_t *answer)
{
    distribution_manager_t *self = state;
    const site_args_t *site = kept_record(self->args);
    const roots_t *roots = ANSWER_AS(answer, roots);
    slice_t data = record_slice(site, site->data);
    verdict_t verdict = answer_err(answer) == ERR_TOO_LARGE ? VERDICT_TOO_LARGE : VERDICT_DOWN;

    if (roots) {
        collect_order_t *m = DRAFT(ctx, collect_order);
        draft_t *draft = actor_draft_open(ctx);
        m->store = actor_textf(ctx, "%.*s/store", (int) data.size, data.data);
        m->roots = draft_rows(draft, roots->roots.count, sizeof(root_ref_t));
        for (uint32_t i = 0; i < roots->roots.count && !draft->full; i++) {
            const root_ref_t *root = ROW(roots, roots->roots, i, root_ref_t);
            root_ref_t *row = draft_row(draft, m->roots, i, sizeof(root_ref_t));
            *row = *root;
            row->id = actor_text(ctx, record_slice(roots, root->id));
        }
        job_spec_t spec = {.name = "collect store",
                           .run = job_collect_store,
                           .input_type = &collect_order_type,
                           .input = m,
                           .deadline_ms = DM_SLOW_MS,
                           .then = collected};
        verdict = actor_job(ctx, &spec, NULL);
    }
    if (verdict == VERDICT_TOO_LARGE) {
        note_too_many(ctx, self);
    }
    if (verdict != VERDICT_OK) {
        self->collecting = false;
        dm_package_go_on(ctx, self);
    }
    return ACTOR_CONTINUE;
}

/* The roots are asked for after the last snapshot was committed, so that all it stored is among
 * them; snapshots that come meanwhile wait. Who reads the store again names what a run that is gone
 * had named: what a collection lets go would look like that to him. */
void
dm_collect(actor_ctx_t *ctx, distribution_manager_t *self)
{
    self->collect_wanted = dm_ops_snapshots(self) > 0 || self->scrub.store_reads;
    if (self->collecting || self->store_held || self->collect_wanted || !self->opened) {
        return;
    }
    self->collect_holds = false; /* they wait for it now */
    live_roots_t *m = DRAFT(ctx, live_roots);
    m->all = true;
    m->named = true;
    self->collecting = ask_site_database_live_roots(ctx, m, DM_ASK_MS, roots_came, 0) == VERDICT_OK;
    if (!self->collecting) {
        dm_package_go_on(ctx, self);
    }
}

/* ---- at the points ---- */

THEN(distribution_manager_t, untidied_came)

static void
order_collect(actor_ctx_t *ctx, const due_t *due, const due_row_t *row)
{
    collect_point_t *m = DRAFT(ctx, collect_point);

    m->target = row->target;
    m->package = actor_text(ctx, record_slice(due, row->package));
    m->package_incarnation = row->package_incarnation;
    m->epoch = row->epoch;
    m->root = row->root;
    m->dp = actor_text(ctx, record_slice(due, row->dp));
    m->dp_incarnation = row->dp_incarnation;
    m->dp_root = actor_text(ctx, record_slice(due, row->dp_root));
    answer_unheard(tell_despooler_collect_point(ctx, m));
}

/* The next look goes on behind the last of them, and begins anew when there were no more. */
static actor_next_t
untidied_came(actor_ctx_t *ctx, distribution_manager_t *self, const actor_answer_t *answer)
{
    const due_t *due = ANSWER_AS(answer, due);

    for (uint32_t i = 0; due && i < due->targets.count; i++) {
        const due_row_t *row = ROW(due, due->targets, i, due_row_t);
        order_collect(ctx, due, row);
        self->tidied = row->target;
    }
    self->tidied = due && due->more ? self->tidied : 0;
    return ACTOR_CONTINUE;
}

static void
tidy(actor_ctx_t *ctx, const distribution_manager_t *self)
{
    untidied_t *m = DRAFT(ctx, untidied);

    m->after = self->tidied;
    m->limit = DM_TIDY_MAX;
    answer_unheard(ask_site_database_untidied(ctx, m, DM_ASK_MS, untidied_came_then, 0));
}

/* ---- when ---- */

actor_next_t
dm_collect_in(actor_ctx_t *ctx, uint64_t ms)
{
    return actor_timer(ctx, DM_TIMER_COLLECT, ms) == VERDICT_OK ? ACTOR_CONTINUE : ACTOR_FAIL;
}

/* Snapshots that follow each other without an end would postpone it for ever: those that come now
 * wait for it, but not for long, for one that is in hand may hang. */
actor_next_t
dm_collect_due(actor_ctx_t *ctx, distribution_manager_t *self)
{
    if (self->collect_wanted) {
        self->collect_holds = actor_timer(ctx, DM_TIMER_HOLD, COLLECT_HOLD_MS) == VERDICT_OK;
    }
    dm_collect(ctx, self);
    tidy(ctx, self);
    return dm_collect_in(ctx, COLLECT_MS);
}

actor_next_t
dm_collect_hold_ends(actor_ctx_t *ctx, distribution_manager_t *self)
{
    self->collect_holds = false;
    if (!self->collecting) {
        dm_package_go_on(ctx, self);
    }
    return ACTOR_CONTINUE;
}
