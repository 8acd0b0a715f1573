/* site_database.c - the one owner of SQLite: every durable change is a message to it.
 *
 * Hears    all of HANDLED (handlers.h): commands that are only rows, what other actors keep and
 * ask. Tells    work_changed to distribution_manager, events_committed to status_manager, after the
 * commit. Asks     nobody; runs one job at a time, which has the connection. Keeps    messages that
 * arrived while a job runs: they are the next group, one transaction. Survives everything: its rows
 * are the site. What was asked and not answered is told to its asker as restarting; an answer that
 * was given is durable.
 */
#include <string.h>

#include "actors/database/handlers.h"
#include "actors/database/jobs.h"
#include "actors/database/pending.h"
#include "actors/roster.h"

#define EDGES(E)                                                                                   \
    E(TELL, distribution_manager, work_changed)                                                    \
    E(TELL, status_manager, events_committed)
ACTOR_EDGES(EDGES)

enum { TIMER_TELL_AGAIN = 1, TIMER_JOB_AGAIN = 2 };
#define AGAIN_MS       50     /* until a hint or job that found no room is tried again */
#define GROUP_MAX_MS   120000 /* of one group; then the disk of the site does not answer */
#define OPENING_MAX_MS 600000 /* of the check of a large database */

typedef struct site_database {
    connection_t *connection; /* NULL while a job has it */
    bool open, stopped, in_hand;
    pending_t pending;
    bool tell_work, tell_events; /* hints that found no room */
    uint64_t last_event;
} site_database_t;

THEN(site_database_t, opened)
THEN(site_database_t, answered)

/* ---- jobs
 * ------------------------------------------------------------------------------------------- */

static void
start_group(actor_ctx_t *ctx, site_database_t *self)
{
    if (!self->open || self->in_hand || self->pending.count == 0) {
        return;
    }
    group_order_t *order = DRAFT(ctx, group_order);
    pending_group(&self->pending, actor_draft_open(ctx), order);
    const database_job_t job = {"group", database_group, &group_order_type,
                                order,   GROUP_MAX_MS,   answered_then};
    if (database_start(ctx, &job, self->connection)) {
        self->in_hand = true;
        self->connection = NULL;
    } else if (actor_timer(ctx, TIMER_JOB_AGAIN, AGAIN_MS) != VERDICT_OK) {
        actor_degraded(ctx, "no room for a job or a timer");
    }
}

/* ---- hints
 * ---------------------------------------------------------------------------------------------- */

/* The answers in hand may list targets to stop; NULL: their list found no room, only the news. */
static void
tell_work(actor_ctx_t *ctx, site_database_t *self, const group_answers_t *answers)
{
    work_changed_t *news = DRAFT(ctx, work_changed);
    if (answers != NULL) {
        news->stopped = database_stopped(actor_draft_open(ctx), answers);
    }
    self->tell_work = tell_distribution_manager_work_changed(ctx, news) != VERDICT_OK;
}

static void
tell_events(actor_ctx_t *ctx, site_database_t *self)
{
    events_committed_t *news = DRAFT(ctx, events_committed);
    news->last = self->last_event;
    self->tell_events = tell_status_manager_events_committed(ctx, news) != VERDICT_OK;
}

static void
tell_again_later(actor_ctx_t *ctx, const site_database_t *self)
{
    if ((self->tell_work || self->tell_events) &&
        actor_timer(ctx, TIMER_TELL_AGAIN, AGAIN_MS) != VERDICT_OK) {
        actor_degraded(ctx, "no room for a timer");
    }
}

/* ---- answers
 * ---------------------------------------------------------------------------------------------- */

static void
answer_group(actor_ctx_t *ctx, site_database_t *self, const group_answers_t *answers)
{
    pending_answer(ctx, &self->pending, answers);
    if (answers->targets_changed || answers->stopped.count > 0) {
        tell_work(ctx, self, answers);
    }
    if (answers->last_event > 0) {
        self->last_event = answers->last_event;
        tell_events(ctx, self);
    }
    tell_again_later(ctx, self);
}

static void
give_up(actor_ctx_t *ctx, site_database_t *self, err_t err, const char *why)
{
    self->open = false;
    self->stopped = true;
    pending_refuse(ctx, &self->pending, err);
    actor_degraded(ctx, why);
    actor_host_stop(ctx, why);
}

static actor_next_t
answered(actor_ctx_t *ctx, site_database_t *self, const actor_answer_t *answer)
{
    const group_answers_t *answers = ANSWER_AS(answer, group_answers);
    self->in_hand = false;
    self->connection = answer->resource;
    if (self->connection == NULL) {
        give_up(ctx, self, ERR_HUNG, "the site's disk does not answer");
    } else if (answers == NULL || answers->answers.count == 0) {
        give_up(ctx, self, ERR_INTERNAL, "the site's database could not answer");
    } else {
        answer_group(ctx, self, answers);
        if (answers->err == ERR_DAMAGED) {
            give_up(ctx, self, ERR_DAMAGED, "the site's database is damaged");
        }
    }
    start_group(ctx, self);
    return ACTOR_CONTINUE;
}

/* ---- opening
 * ------------------------------------------------------------------------------------------------
 */

static actor_next_t
opened(actor_ctx_t *ctx, site_database_t *self, const actor_answer_t *answer)
{
    const refusal_t *refusal = ANSWER_AS(answer, refusal);
    char why[TEXT_BYTES_MAX];
    self->in_hand = false;
    self->connection = answer->resource;
    if (ANSWER_AS(answer, done) != NULL && self->connection != NULL) {
        self->open = true;
        actor_ready(ctx);
        start_group(ctx, self);
        return ACTOR_CONTINUE;
    }
    slice_t text = slice_of(err_sentence(answer->err == OK ? ERR_INTERNAL : answer->err));
    text = refusal == NULL ? text : record_slice(refusal, refusal->message);
    if (!slice_copy(text, why, sizeof why)) {
        strcpy(why, "the site's database cannot be opened");
    }
    give_up(ctx, self, refusal == NULL ? ERR_DOWN : (err_t) refusal->code, why);
    return ACTOR_CONTINUE;
}

static actor_next_t
init(actor_ctx_t *ctx, void *state, const void *args)
{
    site_database_t *self = state;
    connection_t *connection = connection_new(actor_random(ctx));
    claim(ctx, args != NULL && connection != NULL);
    site_args_t *input = DRAFT(ctx, site_args);
    if (draft_copy(actor_draft_open(ctx), &site_args_type, input, args, args) != OK) {
        connection_destroy(&connection);
        return ACTOR_FAIL;
    }
    const database_job_t job = {"open", database_open,  &site_args_type,
                                input,  OPENING_MAX_MS, opened_then};
    if (!database_start(ctx, &job, connection)) {
        self->connection = connection; /* drop frees it */
        return ACTOR_FAIL;
    }
    self->in_hand = true;
    return ACTOR_CONTINUE;
}

/* ---- messages
 * ------------------------------------------------------------------------------------------------
 */

static actor_next_t
take(actor_ctx_t *ctx, site_database_t *self, const record_type_t *type, const void *message)
{
    bool asked = actor_is_asked(ctx);
    if (self->stopped) {
        actor_refuse(ctx, ERR_DOWN);
        return ACTOR_CONTINUE;
    }
    request_t request = asked ? actor_defer(ctx, "site.db") : (request_t){.ask = 0};
    err_t err = pending_add(&self->pending, type, message, asked, request);
    if (err != OK && asked) {
        actor_refuse_to(ctx, request, err);
    }
    start_group(ctx, self);
    return ACTOR_CONTINUE;
}

static actor_next_t
on_timer(actor_ctx_t *ctx, void *state, uint64_t key)
{
    site_database_t *self = state;
    if (key == TIMER_TELL_AGAIN && self->tell_work) {
        tell_work(ctx, self, NULL);
    }
    if (key == TIMER_TELL_AGAIN && self->tell_events) {
        tell_events(ctx, self);
    }
    tell_again_later(ctx, self);
    start_group(ctx, self);
    return ACTOR_CONTINUE;
}

static void
drop(void *state)
{
    site_database_t *self = state;
    connection_destroy(&self->connection);
    pending_clear(&self->pending);
}

#define HEAR(message, how)                                                                         \
    static actor_next_t on_##message(actor_ctx_t *ctx, void *self, const void *m)                  \
    {                                                                                              \
        return take(ctx, self, &message##_type, m);                                                \
    }
HANDLED(HEAR)
#define HEAR_ROW(message, how)                                                                     \
    {&message##_type, ((how) &HOW_VITAL) ? LANE_URGENT : LANE_NORMAL, on_##message},
static const actor_hears_t actor_hears[] = {HANDLED(HEAR_ROW)};

const actor_class_t site_database_class = {
    .name = "site_database",
    .state_bytes = sizeof(site_database_t),
    .init = init,
    .on_timer = on_timer,
    .drop = drop,
    ACTOR_LIST(hears),
    .edges = actor_edges,
    .edge_count = ACTOR_EDGE_COUNT,
    .role = true,
    .starts_later = true,
};
