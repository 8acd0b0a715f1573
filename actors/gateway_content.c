/* gateway_content.c - content on its way to agents: read by jobs, sent as far as credit goes.
 *
 * Credit is taken when a job begins to read, and what it did not read is given back; what was sent
 * comes back when the agent says that it is durable. */
#include "actors/agent_wire.h"
#include "actors/gateway.h"
#include "actors/jobs_gateway.h"

#define READ_MS       120000u
#define READ_AT_ONCE  2048u        /* ranges of one job */
#define READ_WORTH_IT (256u << 10) /* bytes; less is sent when nothing else is under way, */
#define WORTH_PART    4u           /* or it is such a part of a window that is small */

THEN(agent_gateway_t, content_read)

static const agent_need_t *
need_of(const agent_t *agent)
{
    return kept_record(agent->need);
}

static const work_t *
work_in(const agent_t *agent, uint64_t number, const agent_call_t **ret_call)
{
    const order_t *order = orders_of((agent_t *) agent, number);

    *ret_call = order ? kept_record(order->call) : NULL;
    return *ret_call ? ROW(*ret_call, (*ret_call)->work, 0, work_t) : NULL;
}

/* The need in hand from where it is. */
static void
put_ranges(actor_ctx_t *ctx, const agent_t *agent, read_order_t *m)
{
    const agent_need_t *need = need_of(agent);
    draft_t *draft = actor_draft_open(ctx);
    uint32_t left = need->ranges.count - agent->next;
    uint32_t count = left < READ_AT_ONCE ? left : READ_AT_ONCE;

    m->ranges = draft_rows(draft, count, sizeof(range_t));
    for (uint32_t i = 0; i < count; i++) {
        range_t *row = draft_row(draft, m->ranges, i, sizeof *row);
        if (!row) {
            return;
        }
        *row = *ROW(need, need->ranges, agent->next + i, range_t);
        named_base(agent, row);
        if (i == 0 && agent->sent > 0) {
            row->from += agent->sent;
            row->size -= row->size > 0 ? agent->sent : 0;
        }
    }
}

void
content_take(actor_ctx_t *ctx, agent_gateway_t *self, agent_t *agent, uint64_t bytes)
{
    if (agent->credit.under_way == 0) {
        pace_begin(&agent->pace, actor_now_ns(ctx));
    }
    credit_send(&agent->credit, &self->all, bytes);
    rates_take(self, agent, bytes);
    line_out(self, agent);
}

static void
start_read(actor_ctx_t *ctx, agent_gateway_t *self, agent_t *agent, uint64_t bytes)
{
    const agent_call_t *call = NULL;
    const work_t *work = work_in(agent, need_of(agent)->order, &call);
    read_order_t *m = DRAFT(ctx, read_order);

    if (!work) {
        kept_destroy(&agent->need); /* its order has ended */
        return;
    }
    m->order = need_of(agent)->order;
    m->store = actor_text(ctx, record_slice(call, work->store));
    m->bytes_max = bytes;
    put_ranges(ctx, agent, m);
    job_spec_t spec = {.name = "read",
                       .run = job_read,
                       .input_type = &read_order_type,
                       .input = m,
                       .subject = slice_of("store"),
                       .deadline_ms = READ_MS,
                       .then = content_read_then,
                       .tag = ++self->jobs};
    if (actor_job(ctx, &spec, NULL) == VERDICT_OK) {
        here_read_begins(self, agent, self->jobs);
        agent->taken = bytes;
        share_begin(self, agent, self->jobs);
        content_take(ctx, self, agent, bytes);
    }
}

void
content_set_window(agent_t *agent)
{
    agent->credit.window =
        agent->offered < agent->pace.window ? agent->offered : agent->pace.window;
}

/* Bytes of what comes next, where it is sent in one piece; half of it would be staged at the agent
 * in a file of its own, and cost two syncs more there. */
static uint64_t
next_piece(const agent_t *agent)
{
    const range_t *range = ROW(need_of(agent), need_of(agent)->ranges, agent->next, range_t);
    uint64_t rest = range->size > agent->sent ? range->size - agent->sent : 0;

    return rest <= AGENT_DATA_BYTES_MAX ? rest : 0;
}

static bool
is_worth_it(const agent_t *agent, uint64_t room)
{
    return (room >= READ_WORTH_IT && room >= next_piece(agent)) ||
           room >= agent->credit.window / WORTH_PART || agent->credit.under_way == 0;
}

/* Its credit may come back, or it lacks something else: then it is woken. */
static bool
waits_for_credit(const agent_t *agent)
{
    const credit_t *credit = &agent->credit;
    uint64_t own = credit->window > credit->under_way ? credit->window - credit->under_way : 0;

    return agent->need && !is_worth_it(agent, own);
}

uint64_t
content_room(const actor_ctx_t *ctx, agent_gateway_t *self, agent_t *agent, int64_t *wait_ns)
{
    uint64_t room = credit_room(&agent->credit, &self->all);
    const order_t *order = agent->need ? orders_of(agent, need_of(agent)->order) : NULL;

    if (agent->job != 0 || !agent->need || !named_known(agent) || room == 0 ||
        order_had_its_turn(order) || window_shuts_out(ctx, agent, order) ||
        !is_worth_it(agent, room)) {
        return 0;
    }
    uint64_t paced = rates_room(self, agent, actor_now_ns(ctx), wait_ns);
    room = room < paced ? room : paced;
    return room < AGENT_DATA_BYTES_MAX ? room : AGENT_DATA_BYTES_MAX;
}

void
content_go_on(actor_ctx_t *ctx, agent_gateway_t *self)
{
    int64_t wait_ns = INT64_MAX;

    for (agent_t *agent = self->first, *next; agent; agent = next) {
        next = agent->behind;
        if (waits_for_credit(agent)) {
            line_sleep(self, agent);
            continue;
        }
        uint64_t bytes = content_room(ctx, self, agent, &wait_ns);
        if (bytes > 0 && !share_waits(self, agent)) {
            start_read(ctx, self, agent, bytes);
            line_settle(self, agent);
        }
    }
    if (wait_ns < INT64_MAX) {
        uint64_t wait_ms = (uint64_t) wait_ns / 1000000 + 1;
        answer_unheard(actor_timer(ctx, TIMER_RATE, wait_ms)); /* else the next look goes on */
    }
}

static void
want_turn(actor_ctx_t *ctx, agent_gateway_t *self, agent_t *agent)
{
    line_in(self, agent);
    orders_look_at_turn(ctx, self, agent);
    content_go_on(ctx, self);
}

/* ---- what was read ---- */

/* Goes on in the need behind what was read; returns its bytes of content. */
static uint64_t
pass_pieces(agent_t *agent, const agent_data_t *m, uint64_t *ret_packed)
{
    const agent_need_t *need = need_of(agent);
    uint64_t bytes = 0;

    *ret_packed = 0;

    for (uint32_t i = 0; i < m->pieces.count && agent->next < need->ranges.count; i++) {
        const piece_t *piece = ROW(m, m->pieces, i, piece_t);
        const range_t *range = ROW(need, need->ranges, agent->next, range_t);
        uint64_t end = range->size > 0 ? range->from + range->size : piece->total;
        uint64_t content = agent_piece_content(piece);
        *ret_packed += piece->bytes.size;
        bytes += content;
        agent->sent += content;
        if (piece->from + content >= end || piece->from + content >= piece->total) {
            agent->next++;
            agent->sent = 0;
        }
    }
    if (agent->next == need->ranges.count) {
        kept_destroy(&agent->need);
    }
    return bytes;
}

uint64_t
content_pass(agent_gateway_t *self, agent_t *agent, const agent_data_t *m)
{
    order_t *order = orders_of(agent, need_of(agent)->order);
    uint64_t packed = 0, read = pass_pieces(agent, m, &packed);

    self->sent += read;
    self->packed += packed;
    self->in_plain += agent->plain.carries ? packed : 0;
    if (order) {
        order->sent += read;
    }
    return packed;
}

static void
fail_need(actor_ctx_t *ctx, agent_gateway_t *self, agent_t *agent, err_t err)
{
    agent_data_t *m = DRAFT(ctx, agent_data);

    m->order = need_of(agent)->order;
    m->err = err;
    m->text = actor_text(ctx, slice_of(err_sentence(err)));
    kept_destroy(&agent->need);
    visit_say(ctx, self, agent, &agent_data_type, m);
}

/* What was not read after all, and goes on with who is next. */
static actor_next_t
give_back(actor_ctx_t *ctx, agent_gateway_t *self, agent_t *agent, uint64_t bytes)
{
    if (agent->here) { /* else its credit has ended with its visit */
        claim(ctx, credit_return(&agent->credit, &self->all, bytes));
    }
    rates_give(self, agent, bytes);
    line_wake(self, agent);
    line_settle(self, agent);
    orders_look_at_turn(ctx, self, agent);
    content_go_on(ctx, self);
    return ACTOR_CONTINUE;
}

static actor_next_t
content_read(actor_ctx_t *ctx, agent_gateway_t *self, const actor_answer_t *answer)
{
    agent_t *agent = here_by_job(self, answer->tag);
    const agent_data_t *m = ANSWER_AS(answer, agent_data);

    share_end(self, answer->tag);
    if (!agent) {
        content_go_on(ctx, self); /* others may have waited for it */
        return ACTOR_CONTINUE;
    }
    here_read_ends(self, agent);
    if (agent->need) {
        line_in(self, agent);
    }
    const order_t *order = agent->need ? orders_of(agent, need_of(agent)->order) : NULL;
    if (agent->read_in_vain || window_shuts_out(ctx, agent, order)) { /* it closed meanwhile */
        agent->read_in_vain = false;
        return give_back(ctx, self, agent, agent->taken);
    }
    const named_set_t *named = agent->named;
    bool passes = m && m->err == OK && agent->need;
    uint64_t packed = passes ? content_pass(self, agent, m) : 0;
    claim(ctx, packed <= agent->taken);
    if (agent->need && (!m || m->err != OK)) {
        fail_need(ctx, self, agent, m ? (err_t) m->err : answer->err);
    } else if (m && m->pieces.count > 0) {
        plain_say(ctx, self, agent, m);
    }
    if (passes) {
        share_read(ctx, self, agent, named, m, packed);
    }
    return give_back(ctx, self, agent, agent->taken - packed);
}

/* ---- what the agent says ---- */

static void
want_names(actor_ctx_t *ctx, agent_gateway_t *self, agent_t *agent, const digest_t *root,
           const digest_t *have)
{
    const agent_call_t *call = NULL;
    const work_t *work = work_in(agent, need_of(agent)->order, &call);

    if (!named_want(ctx, self, agent, record_slice(call, work->store), root, have)) {
        fail_need(ctx, self, agent, ERR_FULL);
    }
}

/* One at a time: a further one takes the place of the one before. */
bool
content_need(actor_ctx_t *ctx, agent_gateway_t *self, agent_t *agent, const agent_need_t *m)
{
    if (m->ranges.count > AGENT_RANGES_MAX) {
        return false;
    }
    const order_t *order = orders_of(agent, m->order);
    if (!order) {
        return m->order <= self->numbers;
    }
    if (!orders_needs(order)) {
        return false;
    }
    seeds_delta_refused(ctx, agent, order, m->refused);
    kept_destroy(&agent->need);
    agent->next = 0;
    agent->sent = 0;
    agent->read_in_vain = agent->job != 0;
    agent->need = m->ranges.count > 0 ? outbox_keep_heard(ctx, &agent_need_type, m) : NULL;
    plain_choose(agent, m);
    agent->asked = 0;
    const agent_call_t *call = NULL;
    const work_t *work = work_in(agent, m->order, &call);
    if (agent->need && older_is(m, work)) {
        older_ask(ctx, self, agent, work);
    } else if (agent->need) {
        want_names(ctx, self, agent, &work->root, &work->have);
    }
    line_settle(self, agent);
    if (!agent->need || !named_known(agent)) {
        return true;
    }
    if (!named_all(agent, need_of(agent))) {
        return false;
    }
    want_turn(ctx, self, agent);
    return true;
}

void
content_named(actor_ctx_t *ctx, agent_gateway_t *self, agent_t *agent, err_t err)
{
    if (err != OK) {
        named_leave(self, agent);
    }
    if (!agent->need) {
        return;
    }
    if (err != OK) {
        fail_need(ctx, self, agent, err);
        line_settle(self, agent);
    } else if (!named_all(agent, need_of(agent))) {
        slice_t peer = {(const char *) agent->peer, agent->peer_size};
        hear_odd(ctx, self, agent, peer, ERR_BAD_REQUEST);
    } else {
        want_turn(ctx, self, agent);
    }
}

void
content_allowed(actor_ctx_t *ctx, agent_gateway_t *self, agent_t *agent, err_t err)
{
    const agent_need_t *need = agent->need ? need_of(agent) : NULL;
    digest_t older = need ? need->version : (digest_t){{0}}, none = {{0}};

    if (!need || !orders_of(agent, need->order)) {
        return;
    }
    if (err != OK) {
        fail_need(ctx, self, agent, err);
    } else {
        want_names(ctx, self, agent, &older, &none);
    }
    line_settle(self, agent);
    if (agent->need && named_known(agent)) {
        content_named(ctx, self, agent, OK);
    }
}

bool
content_durable(actor_ctx_t *ctx, agent_gateway_t *self, agent_t *agent, const agent_durable_t *m)
{
    uint64_t sent = agent->credit.under_way - (agent->job != 0 ? agent->taken : 0);

    if (m->bytes > sent || !credit_return(&agent->credit, &self->all, m->bytes)) {
        return false;
    }
    pace_return(&agent->pace, m->bytes, m->stored_ms, actor_now_ns(ctx));
    plain_arrived(agent);
    content_set_window(agent);
    line_wake(self, agent);
    line_settle(self, agent);
    orders_look_at_turn(ctx, self, agent);
    content_go_on(ctx, self);
    return true;
}
