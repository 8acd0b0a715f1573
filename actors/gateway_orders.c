/* gateway_orders.c - what an agent is asked for, signed, and what it says became of it.
 *
 * An outcome is made of our own work: the agent says what happened, not to what. That it holds a
 * version it has to sign. */
#include "actors/agent_order.h"
#include "actors/gateway.h"
#include "actors/outcome.h"

static const work_t *
work_of(const agent_call_t *call)
{
    return ROW(call, call->work, 0, work_t);
}

static const agent_call_t *
call_of(const order_t *order)
{
    return kept_record(order->call);
}

void
order_free(order_t *order)
{
    kept_destroy(&order->call);
    *order = (order_t){.number = 0};
}

order_t *
orders_of(agent_t *agent, uint64_t number)
{
    for (uint32_t i = 0; i < AGENT_ORDERS_MAX; i++) {
        if (number != 0 && agent->order[i].number == number) {
            return &agent->order[i];
        }
    }
    return NULL;
}

bool
orders_needs(const order_t *order)
{
    agent_task_t task = (agent_task_t) call_of(order)->task;

    return task == AGENT_TASK_WORK || task == AGENT_TASK_SCRUB || task == AGENT_TASK_COLLECT ||
           (task == AGENT_TASK_MEASURE && action_places(work_of(call_of(order))->action));
}

bool
orders_is_work(const order_t *order)
{
    return call_of(order)->task == AGENT_TASK_WORK &&
           action_places(work_of(call_of(order))->action);
}

static order_t *
free_order(agent_t *agent)
{
    for (uint32_t i = 0; i < AGENT_ORDERS_MAX; i++) {
        if (agent->order[i].number == 0) {
            return &agent->order[i];
        }
    }
    return NULL;
}

/* ---- out ---- */

static signed_version_t
version_of(const agent_gateway_t *self, const agent_call_t *call)
{
    const work_t *work = work_of(call);

    return (signed_version_t){.site = self->site,
                              .point = work->dp_incarnation,
                              .package_incarnation = work->package_incarnation,
                              .action = work->action,
                              .epoch = work->epoch,
                              .root = work->root,
                              .package = record_slice(call, work->package)};
}

static const agent_order_t *
draft_order(actor_ctx_t *ctx, const agent_gateway_t *self, const agent_t *agent,
            const order_t *order)
{
    const agent_call_t *call = call_of(order);
    uint8_t signature[SIGN_BYTES] = {0};
    agent_order_said_t said = {self->site,    agent->incarnation, agent->visit,
                               order->number, call->task,         call,
                               work_of(call)};
    agent_order_t *m = DRAFT(ctx, agent_order);
    draft_t *draft = actor_draft_open(ctx);

    draft->full |= agent_order_sign(&self->keys.signing, &said, signature) != OK;
    m->order = order->number;
    m->task = call->task;
    m->work = draft_rows(draft, 1, sizeof(work_t));
    work_t *work = draft_row(draft, m->work, 0, sizeof *work);
    err_t err = work ? draft_copy(draft, &work_type, work, call, work_of(call)) : ERR_TOO_LARGE;
    draft->full |= err != OK;
    m->signature = actor_text(ctx, (slice_t){(const char *) signature, sizeof signature});
    return m;
}

static bool
is_for(const agent_t *agent, const work_t *work)
{
    return memcmp(&agent->incarnation, &work->dp_incarnation, sizeof agent->incarnation) == 0;
}

actor_next_t
orders_call(actor_ctx_t *ctx, agent_gateway_t *self, const agent_call_t *m)
{
    claim(ctx, m->work.count == 1);
    const work_t *work = work_of(m);
    agent_t *agent = table_by_name(self, record_slice(m, work->dp));
    order_t *order = agent ? free_order(agent) : NULL;
    bool known = agent && is_for(agent, work);

    if (!known || !agent->here) { /* of whom the news may be under way */
        self->in_vain++;
        actor_refuse(ctx,
                     known || !self->listed || list_is_open(self) || m->task != AGENT_TASK_PROBE
                         ? ERR_ABSENT
                         : ERR_NOT_FOUND);
        return ACTOR_CONTINUE;
    }
    if (!order || work->package.size > NAME_BYTES_MAX) {
        actor_refuse(ctx, ERR_BUSY);
        return ACTOR_CONTINUE;
    }
    *order = (order_t){.number = ++self->numbers,
                       .request = actor_defer(ctx, "an agent"),
                       .call = actor_keep(ctx, &agent_call_type, m)};
    visit_say(ctx, self, agent, &agent_order_type, draft_order(ctx, self, agent, order));
    return ACTOR_CONTINUE;
}

actor_next_t
orders_end(actor_ctx_t *ctx, agent_gateway_t *self, const agent_end_t *m)
{
    agent_t *agent = table_by_name(self, record_slice(m, m->dp));

    for (uint32_t i = 0; agent && i < AGENT_ORDERS_MAX; i++) {
        order_t *order = &agent->order[i];
        const work_t *work = order->number != 0 ? work_of(call_of(order)) : NULL;
        if (work && work->target == m->target && work->revision <= m->revision) {
            agent_stop_t *stop = DRAFT(ctx, agent_stop);
            stop->order = order->number;
            visit_say(ctx, self, agent, &agent_stop_type, stop);
        }
    }
    return ACTOR_CONTINUE;
}

/* ---- turns ---- */

actor_next_t
orders_make_way(actor_ctx_t *ctx, agent_gateway_t *self, const make_way_t *m)
{
    agent_t *agent = table_by_name(self, record_slice(m, m->dp));

    for (uint32_t i = 0; agent && i < AGENT_ORDERS_MAX; i++) {
        order_t *order = &agent->order[i];
        if (order->number != 0 && orders_is_work(order) &&
            work_of(call_of(order))->target == m->target) {
            order->turn = m->at_once ? 1 : AGENT_TURN_BYTES;
        }
    }
    if (agent) {
        orders_look_at_turn(ctx, self, agent);
    }
    return ACTOR_CONTINUE;
}

bool
order_had_its_turn(const order_t *order)
{
    return order && order->turn > 0 && order->sent >= order->turn;
}

/* The agent keeps what it has, and says what it lacks when the work comes again. */
static void
end_turn(actor_ctx_t *ctx, agent_gateway_t *self, agent_t *agent, order_t *order, err_t why)
{
    const agent_call_t *call = call_of(order);
    uint64_t number = order->number;
    outcome_t *outcome = DRAFT(ctx, outcome);

    outcome_fill_of(actor_draft_open(ctx), outcome, call, work_of(call));
    outcome->err = why;
    outcome->reached = true;
    outcome->sent = order->sent;
    answer_unheard(REPLY_TO(ctx, order->request, outcome, outcome));
    order_free(order);
    kept_destroy(&agent->need);
    named_leave(self, agent);
    line_settle(self, agent);
    agent_stop_t *stop = DRAFT(ctx, agent_stop);
    stop->order = number;
    visit_say(ctx, self, agent, &agent_stop_type, stop);
}

void
orders_look_at_turn(actor_ctx_t *ctx, agent_gateway_t *self, agent_t *agent)
{
    const agent_need_t *need = agent->need ? kept_record(agent->need) : NULL;
    order_t *order = need ? orders_of(agent, need->order) : NULL;

    if (!order || agent->job != 0 || agent->credit.under_way > 0) {
        return;
    }
    if (window_has_closed(ctx, agent, order)) {
        end_turn(ctx, self, agent, order, ERR_WINDOW);
    } else if (order_had_its_turn(order)) {
        end_turn(ctx, self, agent, order, ERR_QUEUED);
    }
}

/* Whoever asked has heard that no answer came in time: the agent ends its work, and its place is
 * another's. */
void
orders_look(actor_ctx_t *ctx, agent_gateway_t *self, agent_t *agent)
{
    int64_t now = actor_now_ns(ctx);

    for (uint32_t i = 0; i < AGENT_ORDERS_MAX; i++) {
        order_t *order = &agent->order[i];
        if (order->number != 0 && order->request.deadline_ns <= now) {
            agent_stop_t *stop = DRAFT(ctx, agent_stop);
            stop->order = order->number;
            actor_refuse_to(ctx, order->request, ERR_DEADLINE);
            order_free(order);
            visit_say(ctx, self, agent, &agent_stop_type, stop);
        }
    }
}

/* ---- back ---- */

/* A point on another machine shares its device with none. What the agent calls it does not matter:
 * it could be made to look like another's, whose space would then be held back. */
static uint64_t
device_of(const agent_t *agent)
{
    uint64_t half = 0;

    memcpy(&half, agent->incarnation.byte, sizeof half);
    return half;
}

static void
pass_measured(actor_ctx_t *ctx, const agent_t *agent, const order_t *order, const agent_done_t *m)
{
    measured_t *measured = DRAFT(ctx, measured);
    draft_t *draft = actor_draft_open(ctx);
    err_t err = draft_copy(draft, &measured_type, measured, m, ROW(m, m->measured, 0, measured_t));

    draft->full |= err != OK;
    measured->device = device_of(agent);
    answer_unheard(REPLY_TO(ctx, order->request, measured, measured));
}

static err_t
receipt_holds(const agent_gateway_t *self, const agent_t *agent, const order_t *order,
              const agent_done_t *m)
{
    signed_version_t version = version_of(self, call_of(order));

    return sign_check(&agent->signing, SIGN_RECEIPT, &version, record_slice(m, m->signature));
}

static void
pass_outcome(actor_ctx_t *ctx, const agent_gateway_t *self, const agent_t *agent,
             const order_t *order, const agent_done_t *m)
{
    const outcome_t *said = ROW(m, m->outcome, 0, outcome_t);
    const agent_call_t *call = call_of(order);
    const work_t *work = work_of(call);
    outcome_t *outcome = DRAFT(ctx, outcome);
    draft_t *draft = actor_draft_open(ctx);
    err_t copied = draft_copy(draft, &outcome_type, outcome, m, said);
    uint64_t need = outcome->need, have = outcome->have;

    draft->full |= copied != OK;
    outcome_fill_of(draft, outcome, call, work);
    outcome->need = need;
    outcome->have = have;
    bool places = orders_is_work(order);
    outcome->sent = places ? order->sent : RECORD_NONE;
    outcome->reached = true;
    outcome->root = (digest_t){{0}};
    if (said->err == OK && places) {
        outcome->err = receipt_holds(self, agent, order, m);
        outcome->root = outcome->err == OK ? work->root : outcome->root;
    }
    if (outcome->err == ERR_SIGNATURE) {
        outcome->text = actor_text(ctx, slice_of(err_sentence(ERR_SIGNATURE)));
    }
    outcome->reached = !err_is_absence((err_t) outcome->err);
    answer_unheard(REPLY_TO(ctx, order->request, outcome, outcome));
}

#define PASS(record)                                                                               \
    static void pass_##record(actor_ctx_t *ctx, const order_t *order, const agent_done_t *m)       \
    {                                                                                              \
        record##_t *said = DRAFT(ctx, record);                                                     \
        draft_t *draft = actor_draft_open(ctx);                                                    \
        err_t err = draft_copy(draft, &record##_type, said, m, ROW(m, m->record, 0, record##_t));  \
        draft->full |= err != OK;                                                                  \
        answer_unheard(REPLY_TO(ctx, order->request, record, said));                               \
    }
PASS(claimed)
PASS(collected)

/* What only a site says would be taken for its own word: that a point is paused, or that a target
 * waits for its turn, and then for ever. */
static bool
may_end_so(uint32_t err)
{
    return !err_is_of_site((err_t) err);
}

static bool
pass_on(actor_ctx_t *ctx, const agent_gateway_t *self, const agent_t *agent, const order_t *order,
        const agent_done_t *m)
{
    switch ((agent_task_t) call_of(order)->task) {
    case AGENT_TASK_MEASURE:
        return m->measured.count == 1 && may_end_so(ROW(m, m->measured, 0, measured_t)->err) &&
               (pass_measured(ctx, agent, order, m), true);
    case AGENT_TASK_WORK:
    case AGENT_TASK_SCRUB:
        return m->outcome.count == 1 && may_end_so(ROW(m, m->outcome, 0, outcome_t)->err) &&
               (pass_outcome(ctx, self, agent, order, m), true);
    case AGENT_TASK_PROBE:
        return m->claimed.count == 1 && (pass_claimed(ctx, order, m), true);
    default:
        return m->collected.count == 1 && (pass_collected(ctx, order, m), true);
    }
}

/* The order may have ended meanwhile; what does not answer it is refused. */
bool
orders_done(actor_ctx_t *ctx, agent_gateway_t *self, agent_t *agent, const agent_done_t *m)
{
    order_t *order = orders_of(agent, m->order);

    if (!order) {
        return m->order <= self->numbers;
    }
    if (!pass_on(ctx, self, agent, order, m)) {
        return false;
    }
    plain_judge(ctx, agent, m);
    order_free(order);
    return true;
}

bool
orders_progress(actor_ctx_t *ctx, agent_gateway_t *self, agent_t *agent, const agent_progress_t *m)
{
    const order_t *order = orders_of(agent, m->order);
    const agent_call_t *call = order ? call_of(order) : NULL;

    for (int to = 0; call && to < 2; to++) {
        const work_t *work = work_of(call);
        progress_t *progress = DRAFT(ctx, progress);
        progress->target = work->target;
        progress->package = actor_text(ctx, record_slice(call, work->package));
        progress->dp = actor_text(ctx, record_slice(call, work->dp));
        progress->bytes_done = m->bytes_done;
        progress->bytes_total = m->bytes_total;
        answer_unheard(to ? tell_status_manager_progress(ctx, progress)
                          : tell_site_database_progress(ctx, progress));
    }
    return order || m->order <= self->numbers;
}
