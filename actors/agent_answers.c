/* agent_answers.c - what an agent says at the end of an order, and if an order is its site's. */
#include "actors/agent_inside.h"
#include "actors/agent_order.h"
#include "actors/outcome.h"

void
agent_say(actor_ctx_t *ctx, agent_state_t *self, const record_type_t *type, const void *m)
{
    if (self->here && !outbox_put(ctx, &self->outbox, slice_of(""), false, type, m)) {
        self->here = false; /* the next look dials anew */
        self->heard_ns = 0;
    }
}

static const work_t *
work_in(const agent_order_t *m)
{
    return ROW(m, m->work, 0, work_t);
}

static signed_version_t
version_of(const agent_state_t *self, const agent_order_t *m)
{
    const agent_args_t *args = kept_record(self->args);
    const work_t *work = work_in(m);

    return (signed_version_t){.site = args->site,
                              .point = args->dp_incarnation,
                              .package_incarnation = work->package_incarnation,
                              .action = work->action,
                              .epoch = work->epoch,
                              .root = work->root,
                              .package = record_slice(m, work->package)};
}

/* Numbers rise within a visit: one that was heard is not heard again. */
err_t
agent_check_order(agent_state_t *self, const agent_order_t *m)
{
    const agent_args_t *args = kept_record(self->args);
    const work_t *work = work_in(m);
    agent_order_said_t said = {args->site, args->dp_incarnation, self->visit, m->order, m->task, m,
                               work};

    TRY(agent_order_check(&args->site_signing, &said, record_slice(m, m->signature)));
    if (m->order <= self->last_order) {
        return ERR_SIGNATURE;
    }
    self->last_order = m->order;
    return m->task == AGENT_TASK_PROBE || name_is_valid(record_slice(m, work->package))
               ? OK
               : ERR_BAD_NAME;
}

/* ---- done ---- */

static bool
tells_outcome(const agent_order_t *order)
{
    return order->task == AGENT_TASK_WORK || order->task == AGENT_TASK_SCRUB;
}

/* A draft of the answer whose row of this type is filled by the caller. */
static void *
done_row(actor_ctx_t *ctx, const agent_order_t *order, size_t bytes, agent_done_t **ret_done,
         rows_t **ret_rows)
{
    agent_done_t *m = DRAFT(ctx, agent_done);
    draft_t *draft = actor_draft_open(ctx);
    rows_t *rows = order->task == AGENT_TASK_MEASURE ? &m->measured
                   : tells_outcome(order)            ? &m->outcome
                   : order->task == AGENT_TASK_PROBE ? &m->claimed
                                                     : &m->collected;

    m->order = order->order;
    *rows = draft_rows(draft, 1, bytes);
    *ret_done = m;
    *ret_rows = rows;
    return draft_row(draft, *rows, 0, bytes);
}

static void
fill_failed(actor_ctx_t *ctx, const agent_order_t *order, void *row, err_t err, slice_t text)
{
    draft_t *draft = actor_draft_open(ctx);
    text_t said = draft_text(draft, text.size > 0 ? text : slice_of(err_sentence(err)));

    switch ((agent_task_t) order->task) {
    case AGENT_TASK_MEASURE:
        *(measured_t *) row = (measured_t){.err = err, .text = said, .reached = true};
        break;
    case AGENT_TASK_WORK:
    case AGENT_TASK_SCRUB:
        outcome_fill_of(draft, row, order, work_in(order));
        ((outcome_t *) row)->err = err;
        ((outcome_t *) row)->text = said;
        ((outcome_t *) row)->reached = true;
        break;
    case AGENT_TASK_PROBE:
        *(claimed_t *) row = (claimed_t){.err = err, .text = said};
        break;
    default:
        *(collected_t *) row = (collected_t){.err = err, .text = said};
    }
}

static size_t
row_bytes(const agent_order_t *order)
{
    return order->task == AGENT_TASK_MEASURE ? sizeof(measured_t)
           : tells_outcome(order)            ? sizeof(outcome_t)
           : order->task == AGENT_TASK_PROBE ? sizeof(claimed_t)
                                             : sizeof(collected_t);
}

static const record_type_t *
row_type(const agent_order_t *order)
{
    return order->task == AGENT_TASK_MEASURE ? &measured_type
           : tells_outcome(order)            ? &outcome_type
           : order->task == AGENT_TASK_PROBE ? &claimed_type
                                             : &collected_type;
}

void
agent_fail(actor_ctx_t *ctx, agent_state_t *self, const kept_t *kept, err_t err, slice_t text)
{
    const agent_order_t *order = kept_record(kept);
    agent_done_t *m = NULL;
    rows_t *rows = NULL;
    void *row = done_row(ctx, order, row_bytes(order), &m, &rows);

    if (row) {
        fill_failed(ctx, order, row, err, text);
    }
    agent_say(ctx, self, &agent_done_type, m);
}

static bool
is_receipt(const agent_order_t *order, const actor_answer_t *answer)
{
    const outcome_t *outcome = ANSWER_AS(answer, outcome);

    return outcome && outcome->err == OK && action_places(outcome->action) &&
           order->task == AGENT_TASK_WORK;
}

static text_t
sign_receipt(actor_ctx_t *ctx, const agent_state_t *self, const agent_order_t *order)
{
    uint8_t signature[SIGN_BYTES];
    signed_version_t version = version_of(self, order);

    sign_version(&self->keys.signing, SIGN_RECEIPT, &version, signature);
    return actor_text(ctx, (slice_t){(const char *) signature, sizeof signature});
}

void
agent_finish(actor_ctx_t *ctx, agent_state_t *self, const kept_t *kept,
             const actor_answer_t *answer)
{
    const agent_order_t *order = kept_record(kept);
    const record_type_t *type = row_type(order);
    agent_done_t *m = NULL;
    rows_t *rows = NULL;

    if (answer->err != OK || answer->type != type) {
        agent_fail(ctx, self, kept, answer->err == OK ? ERR_INTERNAL : answer->err, slice_of(""));
        return;
    }
    void *row = done_row(ctx, order, row_bytes(order), &m, &rows);
    err_t err = row ? draft_copy(actor_draft_open(ctx), type, row, answer->record, answer->record)
                    : ERR_TOO_LARGE;
    actor_draft_open(ctx)->full |= err != OK;
    if (err == OK && order->task == AGENT_TASK_MEASURE) {
        ((measured_t *) row)->need_bytes += self->lacks;
        ((measured_t *) row)->bytes = self->lacks;
    }
    if (is_receipt(order, answer)) {
        m->signature = sign_receipt(ctx, self, order);
    }
    agent_say(ctx, self, &agent_done_type, m);
}

void
agent_tell_indexed(actor_ctx_t *ctx, agent_state_t *self, uint64_t objects)
{
    if (objects > 0) {
        agent_indexed_t *m = DRAFT(ctx, agent_indexed);
        m->order = agent_order_of(self->order)->order;
        m->objects = objects;
        agent_say(ctx, self, &agent_indexed_type, m);
    }
}
