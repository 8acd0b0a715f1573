/* agent_activate.c - the agent's own program, which runs after a version has become current.
 *
 * It is named by who owns the machine, never by the site. A version is noted before it is placed,
 * and its program runs at least once: one that was cut runs again. While one is to run, no other
 * version is placed and none is removed here, so that it finds what it is told of. Its end is told
 * until the site has it durably. One job is at the notes at a time. */
#include "actors/agent_inside.h"
#include "actors/jobs_activate.h"

#define NOTE_MS   60000u
#define NS_PER_MS INT64_C(1000000)

THEN(agent_state_t, intended)
THEN(agent_state_t, ran)
THEN(agent_state_t, told)
THEN(agent_state_t, untold)

static const agent_args_t *
args_of(const agent_state_t *self)
{
    return kept_record(self->args);
}

static bool
has_program(const agent_state_t *self)
{
    return args_of(self)->program.size > 0;
}

static activation_order_t *
draft_order(actor_ctx_t *ctx, const agent_state_t *self)
{
    const agent_args_t *args = args_of(self);
    activation_order_t *m = DRAFT(ctx, activation_order);

    m->data = agent_data_directory(ctx, self);
    m->dp = actor_text(ctx, record_slice(args, args->dp));
    m->root = actor_text(ctx, record_slice(args, args->root));
    m->site = args->site;
    m->dp_incarnation = args->dp_incarnation;
    m->program = actor_text(ctx, record_slice(args, args->program));
    m->program_ms = args->program_ms;
    m->package = actor_text(ctx, slice_of(""));
    return m;
}

/* false: it could not be begun, and is tried again in a while. */
static bool
begin(actor_ctx_t *ctx, agent_state_t *self, const char *name, job_fn *job,
      const activation_order_t *m, actor_answer_fn *then, uint64_t tag)
{
    bool runs = job == job_activate;
    job_spec_t spec = {.name = name,
                       .run = job,
                       .input_type = &activation_order_type,
                       .input = m,
                       .subject = slice_of("activation"),
                       .deadline_ms = NOTE_MS + (runs ? m->program_ms : 0),
                       .then = then,
                       .tag = tag};

    self->activation.busy = actor_job(ctx, &spec, NULL) == VERDICT_OK;
    return self->activation.busy;
}

/* ---- an order that waits ---- */

static bool
is_held(const agent_state_t *self)
{
    return self->order && self->phase == PHASE_HELD;
}

static actor_next_t
intend(actor_ctx_t *ctx, agent_state_t *self)
{
    const work_t *work = agent_work_of(self->order);
    activation_order_t *m = draft_order(ctx, self);

    m->package = actor_text(ctx, record_slice(kept_record(self->order), work->package));
    m->package_incarnation = work->package_incarnation;
    m->epoch = work->epoch;
    m->removes = work->action == ACTION_REMOVE;
    return begin(ctx, self, "intend", job_activation_intend, m, intended_then,
                 agent_order_of(self->order)->order)
               ? ACTOR_CONTINUE
               : agent_fail_order(ctx, self, ERR_BUSY, slice_of(""));
}

static actor_next_t
intended(actor_ctx_t *ctx, agent_state_t *self, const actor_answer_t *answer)
{
    const claimed_t *m = ANSWER_AS(answer, claimed);
    err_t err = m ? (err_t) m->err : answer->err;

    self->activation.busy = false;
    if (!agent_has_in_hand(self, answer->tag, PHASE_HELD)) {
        return agent_activation_go_on(ctx, self);
    }
    claim(ctx, (err == OK ? agent_run(ctx, self)
                          : agent_fail_order(ctx, self, err,
                                             m ? record_slice(m, m->text) : slice_of(""))) ==
                   ACTOR_CONTINUE);
    return agent_activation_go_on(ctx, self);
}

actor_next_t
agent_activation_prepare(actor_ctx_t *ctx, agent_state_t *self)
{
    action_t action = (action_t) agent_work_of(self->order)->action;
    bool noted = action == ACTION_REMOVE || (action == ACTION_INSTALL && has_program(self));

    if (agent_order_of(self->order)->task != AGENT_TASK_WORK || !noted) {
        return agent_run(ctx, self);
    }
    self->phase = PHASE_HELD;
    return agent_activation_go_on(ctx, self);
}

/* ---- what comes next ---- */

static actor_next_t
run_next(actor_ctx_t *ctx, agent_state_t *self)
{
    self->activation.due = false;
    return begin(ctx, self, "activate", job_activate, draft_order(ctx, self), ran_then, 0)
               ? ACTOR_CONTINUE
               : agent_activation_later(ctx, self);
}

static actor_next_t
tell_known(actor_ctx_t *ctx, agent_state_t *self)
{
    const agent_activation_known_t *known = kept_record(self->activation.known);
    activation_order_t *m = draft_order(ctx, self);

    m->package = actor_text(ctx, record_slice(known, known->package));
    m->package_incarnation = known->package_incarnation;
    m->epoch = known->epoch;
    m->attempt = known->attempt;
    (void) begin(ctx, self, "known", job_activation_told, m, told_then, 0);
    kept_destroy(&self->activation.known);
    return ACTOR_CONTINUE;
}

actor_next_t
agent_activation_go_on(actor_ctx_t *ctx, agent_state_t *self)
{
    activating_t *activation = &self->activation;

    if (activation->busy) {
        return ACTOR_CONTINUE;
    }
    if (activation->known) {
        return tell_known(ctx, self);
    }
    if (activation->due && has_program(self)) {
        return run_next(ctx, self);
    }
    if (is_held(self)) {
        return intend(ctx, self);
    }
    if (activation->tells && self->here) {
        activation->tells = false;
        (void) begin(ctx, self, "untold", job_activation_untold, draft_order(ctx, self),
                     untold_then, 0);
    }
    return ACTOR_CONTINUE;
}

actor_next_t
agent_activation_look(actor_ctx_t *ctx, agent_state_t *self)
{
    self->activation.due = true;
    return agent_activation_go_on(ctx, self);
}

actor_next_t
agent_activation_tell(actor_ctx_t *ctx, agent_state_t *self)
{
    self->activation.tells = true;
    return agent_activation_go_on(ctx, self);
}

/* What was not to be had now: the next look has it. */
actor_next_t
agent_activation_later(actor_ctx_t *ctx, agent_state_t *self)
{
    self->activation.later = true;
    return actor_timer(ctx, TIMER_ACTIVATE, ON_ACTIVATE_AGAIN_MS) == VERDICT_OK ? ACTOR_CONTINUE
                                                                                : ACTOR_FAIL;
}

actor_next_t
agent_activation_again(actor_ctx_t *ctx, agent_state_t *self)
{
    self->activation.due |= self->activation.later;
    self->activation.later = false;
    return agent_activation_tell(ctx, self);
}

/* ---- ends ---- */

static actor_next_t
say(actor_ctx_t *ctx, agent_state_t *self, const activated_t *m)
{
    for (uint32_t i = 0; i < m->ended.count; i++) {
        agent_activated_t *said = DRAFT(ctx, agent_activated);
        err_t err = draft_copy(actor_draft_open(ctx), &agent_activated_type, said, m,
                               ROW(m, m->ended, i, agent_activated_t));
        actor_draft_open(ctx)->full |= err != OK;
        agent_say(ctx, self, &agent_activated_type, said);
    }
    return m->ended.count == 0 ||
                   actor_timer(ctx, TIMER_ACTIVATE, ON_ACTIVATE_AGAIN_MS) == VERDICT_OK
               ? ACTOR_CONTINUE
               : ACTOR_FAIL;
}

/* After one there may be another; who could not be run now is tried in a while. */
static actor_next_t
ran(actor_ctx_t *ctx, agent_state_t *self, const actor_answer_t *answer)
{
    const activated_t *m = ANSWER_AS(answer, activated);

    self->activation.busy = false;
    if (!m || m->err != OK) {
        claim(ctx, agent_activation_later(ctx, self) == ACTOR_CONTINUE);
    } else {
        self->activation.due |= m->ended.count > 0;
        claim(ctx, say(ctx, self, m) == ACTOR_CONTINUE);
    }
    return agent_activation_go_on(ctx, self);
}

static actor_next_t
untold(actor_ctx_t *ctx, agent_state_t *self, const actor_answer_t *answer)
{
    const activated_t *m = ANSWER_AS(answer, activated);

    self->activation.busy = false;
    if (m && m->err == OK) {
        claim(ctx, say(ctx, self, m) == ACTOR_CONTINUE);
    }
    return agent_activation_go_on(ctx, self);
}

static actor_next_t
told(actor_ctx_t *ctx, agent_state_t *self, const actor_answer_t *answer)
{
    claim(ctx, answer != NULL); /* what could not be noted is told again, which changes nothing */
    self->activation.busy = false;
    return agent_activation_go_on(ctx, self);
}

/* One that comes while another waits is said again, and answered again. */
actor_next_t
agent_take_activation_known(actor_ctx_t *ctx, agent_state_t *self,
                            const agent_activation_known_t *m)
{
    kept_destroy(&self->activation.known);
    self->activation.known = outbox_keep_heard(ctx, &agent_activation_known_type, m);
    return agent_activation_go_on(ctx, self);
}
