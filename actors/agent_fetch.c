/* agent_fetch.c - what an agent lacks on its way: asked for, taken in the order in which it was
 * asked for, stored by jobs, and told when it is durable. */
#include <assert.h>
#include <stdlib.h>

#include "actors/agent_inside.h"
#include "actors/agent_wire.h"
#include "actors/content/hash.h"
#include "actors/content/manifest.h"

/* What comes is stored in groups, each of which costs the same syncs however large it is: so a
 * group is gathered, but no longer than nobody would notice. The rest of the window is under way
 * meanwhile. */
#define GROUP_BYTES (AGENT_WINDOW_BYTES / 2)
#define GROUP_MS    20u

THEN(agent_state_t, stored_came)

actor_next_t
agent_fetch(actor_ctx_t *ctx, agent_state_t *self, const lacking_t *m)
{
    const digest_t *ordered = &agent_work_of(self->order)->root;
    self->fetched_root = self->mends > 0 ? self->mended : *ordered;
    self->need = actor_keep(ctx, &lacking_type, m);
    self->came = 0;
    self->part = self->fetched = 0;
    self->phase = PHASE_FETCH;
    self->asked_ns = actor_now_ns(ctx);
    agent_need_t *need = DRAFT(ctx, agent_need);
    draft_t *draft = actor_draft_open(ctx);
    need->order = agent_order_of(self->order)->order;
    need->refused = self->refused;
    self->refused = 0;
    if (!digest_equal(&self->fetched_root, ordered)) {
        need->version = self->fetched_root;
    }
    need->ranges = draft_rows(draft, m->ranges.count, sizeof(range_t));
    for (uint32_t i = 0; i < need->ranges.count; i++) {
        range_t *row = draft_row(draft, need->ranges, i, sizeof *row);
        if (row) {
            *row = *ROW(m, m->ranges, i, range_t);
        }
    }
    agent_say(ctx, self, &agent_need_type, need);
    return ACTOR_CONTINUE;
}

/* ---- data ---- */

static actor_next_t
start_storing(actor_ctx_t *ctx, agent_state_t *self)
{
    lack_order_t *m = DRAFT(ctx, lack_order);

    m->data = agent_data_directory(ctx, self);
    m->laid_out = self->left.laid_out;
    m->pack = self->left.pack;
    m->pack_bytes = self->left.pack_bytes;
    job_spec_t spec = {.name = "store",
                       .run = job_store,
                       .input_type = &lack_order_type,
                       .input = m,
                       .subject = slice_of("store"),
                       .deadline_ms = self->ahead ? AGENT_WORK_MS : STORE_MS,
                       .resource = self->arrivals,
                       .drop = arrivals_drop,
                       .then = stored_came_then,
                       .tag = self->dials};
    self->arrivals->ahead = agent_ahead_lend(self);
    self->arrivals->ahead_of = self->ahead_of;
    bool watched = self->arrivals->ahead != NULL;
    claim(ctx, actor_job(ctx, &spec, &self->store_job) == VERDICT_OK);
    self->arrivals = NULL;
    self->left.pack_bytes = 0;
    self->storing = true;
    actor_timer_cancel(ctx, TIMER_STORE);
    self->gathering = false;
    return watched ? agent_watch_from_now(ctx, self) : ACTOR_CONTINUE;
}

actor_next_t
agent_store_due(actor_ctx_t *ctx, agent_state_t *self)
{
    self->gathering = false;
    return self->arrivals && !self->storing ? start_storing(ctx, self) : ACTOR_CONTINUE;
}

/* Nothing more is to come for the need in hand, or for nobody. */
static bool
is_all(const agent_state_t *self)
{
    const lacking_t *need =
        self->phase == PHASE_FETCH && self->need ? kept_record(self->need) : NULL;

    return !need || self->came == need->ranges.count;
}

static actor_next_t
gather(actor_ctx_t *ctx, agent_state_t *self)
{
    if (self->storing) {
        return ACTOR_CONTINUE;
    }
    if (is_all(self) || self->arrivals->bytes >= GROUP_BYTES ||
        self->arrivals->count == ARRIVALS_MAX) {
        return start_storing(ctx, self);
    }
    if (self->gathering) {
        return ACTOR_CONTINUE;
    }
    self->gathering = true;
    return actor_timer(ctx, TIMER_STORE, GROUP_MS) == VERDICT_OK ? ACTOR_CONTINUE : ACTOR_FAIL;
}

/* A delta is of a whole object, where a base was named for it. That of a chunk is a chunk that the
 * site has chosen of the file that was named: one not there, or of other bytes, is refused. */
static bool
is_packed_right(const range_t *range, const piece_t *piece)
{
    uint64_t content = agent_piece_content(piece);

    return content <= AGENT_DATA_BYTES_MAX &&
           (piece->packing != PACKING_DELTA ||
            (piece->from == 0 && content == piece->total && !digest_is_none(&range->base) &&
             !digest_is_none(&piece->base) && !range->list));
}

/* A piece that comes next in the need: of the object that was asked for, from where the one before
 * ended, and not more of it than there is. */
static bool
take_piece(agent_state_t *self, const lacking_t *need, const piece_t *piece)
{
    if (self->came == need->ranges.count) {
        return false;
    }
    const range_t *range = ROW(need, need->ranges, self->came, range_t);
    uint64_t from = range->from + self->part, bytes = agent_piece_content(piece);
    bool known = range->size > 0; /* else it is a node, of which only the digest was known */
    uint64_t end = known ? range->from + range->size : piece->total;

    if (!is_packed_right(range, piece) || piece->list != range->list ||
        !digest_equal(&piece->object, &range->object) || piece->from != from ||
        piece->total != end || (!known && end > MANIFEST_NODE_BYTES_MAX) || from > end ||
        bytes > end - from || (bytes == 0 && from < end)) {
        return false;
    }
    self->fetched += bytes;
    self->part += bytes;
    if (from + bytes == end) {
        self->came++;
        self->part = 0;
    }
    return true;
}

static bool
take_pieces(agent_state_t *self, const agent_data_t *m)
{
    const lacking_t *need = kept_record(self->need);
    bool asked = true;

    for (uint32_t i = 0; asked && i < m->pieces.count; i++) {
        asked = take_piece(self, need, ROW(m, m->pieces, i, piece_t));
    }
    return asked;
}

static actor_next_t
fetched(actor_ctx_t *ctx, agent_state_t *self)
{
    const lacking_t *need = self->need ? kept_record(self->need) : NULL;

    if (self->phase != PHASE_FETCH || self->storing || self->arrivals || !need ||
        self->came < need->ranges.count) {
        return ACTOR_CONTINUE;
    }
    return agent_look_for_lacks(ctx, self);
}

static uint64_t
bytes_of_data(const agent_data_t *m)
{
    uint64_t bytes = 0;

    for (uint32_t i = 0; i < m->pieces.count; i++) {
        bytes += ROW(m, m->pieces, i, piece_t)->bytes.size;
    }
    return bytes;
}

/* came_ns: when the last of it had come, so that a slow disk is not taken for a slow line. */
static void
tell_durable(actor_ctx_t *ctx, agent_state_t *self, uint64_t bytes, int64_t came_ns)
{
    agent_durable_t *m = DRAFT(ctx, agent_durable);

    m->order = self->order ? agent_order_of(self->order)->order : 0;
    m->bytes = bytes;
    m->stored_ms = (uint64_t) (actor_now_ns(ctx) - came_ns) / 1000000;
    agent_say(ctx, self, &agent_durable_type, m);
}

/* A need of which nothing came may have been too long for the line: the site has heard no sign of
 * life behind it, and waits for none. */
void
agent_shorten_need(agent_state_t *self)
{
    if (self->phase == PHASE_FETCH && self->need && self->fetched == 0) {
        uint32_t less = self->ranges_max / 4;
        self->ranges_max = less < AGENT_RANGES_MIN ? AGENT_RANGES_MIN : less;
    }
}

/* What came first after a need: if that was soon, the next need may be longer. */
static void
lengthen_need(actor_ctx_t *ctx, agent_state_t *self)
{
    int64_t soon_ns = (int64_t) AGENT_SILENCE_MS * 1000000 / 8;
    uint32_t more = self->ranges_max * 2;

    if (self->fetched == 0 && actor_now_ns(ctx) - self->asked_ns <= soon_ns) {
        self->ranges_max = more < AGENT_RANGES_MAX ? more : AGENT_RANGES_MAX;
    }
}

/* What comes for an order that has ended is let go, and its credit goes back: what is kept is what
 * a signed version names. A site that sends something else is not spoken to in this visit. */
actor_next_t
agent_take_data(actor_ctx_t *ctx, agent_state_t *self, const agent_data_t *m)
{
    bool in_hand = agent_has_in_hand(self, m->order, PHASE_FETCH) && self->need;

    if (m->err != OK) {
        return in_hand ? agent_fail_order(ctx, self, (err_t) m->err, record_slice(m, m->text))
                       : ACTOR_CONTINUE;
    }
    if (!in_hand) {
        tell_durable(ctx, self, bytes_of_data(m), actor_now_ns(ctx));
        return ACTOR_CONTINUE;
    }
    if (!self->arrivals) {
        self->arrivals = calloc(1, sizeof *self->arrivals);
        assert(self->arrivals);
    }
    lengthen_need(ctx, self);
    if (!take_pieces(self, m) || self->arrivals->count == ARRIVALS_MAX ||
        self->arrivals->bytes > AGENT_WINDOW_BYTES) {
        return agent_dial(ctx, self);
    }
    self->arrivals->bytes += bytes_of_data(m);
    self->arrivals->came_ns = actor_now_ns(ctx);
    self->arrivals->data[self->arrivals->count++] = outbox_keep_heard(ctx, &agent_data_type, m);
    return gather(ctx, self);
}

/* No disk takes so long, unless it hangs. */
static err_t
err_of_job(err_t err)
{
    return err == ERR_DEADLINE ? ERR_HUNG : err;
}

/* What failed ends its order before its credit goes back: nobody counts it as there. A job that is
 * lost with its thread never says what became of its bytes: the site is to forget them. */
static actor_next_t
stored_came(actor_ctx_t *ctx, agent_state_t *self, const actor_answer_t *answer)
{
    const stored_t *m = ANSWER_AS(answer, stored);
    bool failed = !m || m->err != OK;
    uint64_t bytes = 0;
    int64_t came_ns = 0;

    self->storing = false;
    agent_watch_end(ctx, self);
    if (!failed) {
        self->left = (store_left_t){m->laid_out, m->pack, m->pack_bytes};
    }
    self->refused += m ? m->refused : 0;
    self->whole_files |= m && m->refused > 0;
    if (answer->resource) {
        arrivals_t *arrivals = answer->resource;
        bytes = arrivals->bytes;
        came_ns = arrivals->came_ns;
        agent_ahead_back(self, arrivals->ahead, arrivals->ahead_of);
        arrivals->ahead = NULL;
        arrivals_drop(arrivals);
    }
    if (failed && self->order) {
        agent_fail(ctx, self, self->order, m ? (err_t) m->err : err_of_job(answer->err),
                   m ? record_slice(m, m->text) : slice_of(""));
        agent_forget_order(ctx, self);
    }
    if (!answer->resource) {
        return agent_dial(ctx, self);
    }
    if (answer->tag == self->dials) {
        tell_durable(ctx, self, bytes, came_ns);
    }
    if (self->arrivals) {
        return gather(ctx, self);
    }
    return failed || !self->order ? agent_go_on(ctx, self) : fetched(ctx, self);
}
