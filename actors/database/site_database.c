/* site_database.c - the one owner of SQLite: every durable change is a message to it.
 *
 *   hears    all of HANDLED (handlers.h): commands that are only rows, what actors keep and ask.
 *   tells    after a commit: distribution_manager work_changed, status_manager events_committed,
 *            agent_gateway agents_changed.
 *   asks     nobody; runs one job at a time, which has the connection.
 *   keeps    messages that arrived while a job runs: they are the next group, one transaction; and
 *            who waits for a copy of the database, which is made between two groups
 *   survives everything: its rows are the site. What was asked and not answered is told to its
 *            asker as restarting; an answer that was given is durable.
 */
#include "actors/database/backups.h"
#include "actors/database/crashes.h"
#include "actors/database/handlers.h"
#include "actors/database/hints.h"
#include "actors/database/jobs.h"
#include "actors/roster.h"

enum { TIMER_TELL_AGAIN = HINTS_TIMER, TIMER_JOB_AGAIN };
#define AGAIN_MS       50     /* until a job that found no room is tried again */
#define LOCKED_TRIES   40     /* the last group of an incarnation that failed may still have it */
#define GROUP_MAX_MS   120000 /* of one group; then the disk of the site does not answer */
#define COPY_MAX_MS    600000 /* of a copy of the database; the same */
#define OPENING_MAX_MS 600000 /* of the check of a large database */

typedef struct site_database {
    connection_t *connection; /* NULL while a job has it */
    kept_t *args;
    bool open, stopped, in_hand;
    uint32_t tries; /* to open */
    pending_t pending;
    hints_t hints; /* that found no room */
    copy_wish_t copy;
    uint64_t crashes;
} site_database_t;

THEN(site_database_t, opened)
THEN(site_database_t, answered)
THEN(site_database_t, copied)

/* ---- jobs ---- */

static void
start_job(actor_ctx_t *ctx, site_database_t *self, const database_job_t *job)
{
    if (database_start(ctx, job, self->connection)) {
        self->in_hand = true;
        self->connection = NULL;
    } else if (actor_timer(ctx, TIMER_JOB_AGAIN, AGAIN_MS) != VERDICT_OK) {
        actor_degraded(ctx, "no room for a job or a timer");
    }
}

static void
start_group(actor_ctx_t *ctx, site_database_t *self)
{
    if (!self->open || self->in_hand) {
        return;
    }
    if (self->copy.kept) {
        start_job(ctx, self,
                  &(database_job_t){"copy", database_copy_out, &database_copy_type,
                                    kept_record(self->copy.kept), COPY_MAX_MS, copied_then});
        return;
    }
    if (self->pending.count == 0) {
        return;
    }
    group_order_t *order = DRAFT(ctx, group_order);
    pending_group(&self->pending, actor_draft_open(ctx), order);
    start_job(ctx, self,
              &(database_job_t){"group", database_group, &group_order_type, order, GROUP_MAX_MS,
                                answered_then});
}

static void
start_open(actor_ctx_t *ctx, site_database_t *self)
{
    if (!self->open && !self->in_hand && !self->stopped) {
        start_job(ctx, self,
                  &(database_job_t){"open", database_open, &site_args_type, kept_record(self->args),
                                    OPENING_MAX_MS, opened_then});
    }
}

/* ---- answers ---- */

static void
answer_group(actor_ctx_t *ctx, site_database_t *self, const group_answers_t *answers)
{
    pending_answer(ctx, &self->pending, answers);
    crashes_forget(ctx, answers, &self->crashes);
    hints_tell(ctx, &self->hints, answers);
}

static void
give_up(actor_ctx_t *ctx, site_database_t *self, err_t err, const char *why)
{
    self->open = false;
    self->stopped = true;
    pending_refuse(ctx, &self->pending, err);
    actor_degraded(ctx, why);
    actor_host_fail(ctx, err, why);
}

static actor_next_t
answered(actor_ctx_t *ctx, site_database_t *self, const actor_answer_t *answer)
{
    const group_answers_t *answers = ANSWER_AS(answer, group_answers);
    self->in_hand = false;
    self->connection = answer->resource;
    if (self->connection == NULL || answers == NULL || answers->answers.count == 0) {
        give_up(ctx, self, ERR_HUNG, "the site's disk does not answer");
        return ACTOR_CONTINUE;
    }
    answer_group(ctx, self, answers);
    if (answers->err == ERR_DAMAGED) {
        give_up(ctx, self, ERR_DAMAGED, "the site's database is damaged");
    }
    start_group(ctx, self);
    return ACTOR_CONTINUE;
}

static actor_next_t
copied(actor_ctx_t *ctx, site_database_t *self, const actor_answer_t *answer)
{
    self->in_hand = false;
    self->connection = answer->resource;
    copy_answer(ctx, &self->copy, answer);
    if (self->connection == NULL) {
        give_up(ctx, self, ERR_HUNG, "the site's disk does not answer");
        return ACTOR_CONTINUE;
    }
    start_group(ctx, self);
    return ACTOR_CONTINUE;
}

static actor_next_t
on_database_copy(actor_ctx_t *ctx, void *state, const void *m)
{
    site_database_t *self = state;
    copy_take(ctx, &self->copy, m, self->stopped);
    start_group(ctx, self);
    return ACTOR_CONTINUE;
}

/* ---- opening ---- */

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
    if (refusal != NULL && refusal->code == ERR_LOCKED && ++self->tries < LOCKED_TRIES &&
        actor_timer(ctx, TIMER_JOB_AGAIN, AGAIN_MS) == VERDICT_OK) {
        return ACTOR_CONTINUE;
    }
    bool said = refusal && slice_copy(record_slice(refusal, refusal->message), why, sizeof why);
    give_up(ctx, self, refusal == NULL ? ERR_DOWN : (err_t) refusal->code,
            said ? why : "the site's database cannot be opened");
    return ACTOR_CONTINUE;
}

static actor_next_t
init(actor_ctx_t *ctx, void *state, const void *args)
{
    site_database_t *self = state;
    claim(ctx, args != NULL);
    self->connection = connection_new(actor_random(ctx));
    self->args = actor_keep(ctx, &site_args_type, args);
    claim(ctx, self->connection != NULL);
    claim(ctx, restore_note(ctx, &self->pending, kept_record(self->args)));
    self->crashes = crashes_set_aside(ctx, &self->pending);
    start_open(ctx, self);
    return ACTOR_CONTINUE;
}

/* ---- messages ---- */

static actor_next_t
take(actor_ctx_t *ctx, site_database_t *self, const record_type_t *type, const void *message)
{
    bool asked = actor_is_asked(ctx);
    request_t request = asked ? actor_defer(ctx, "site.db") : (request_t){.ask = 0};
    err_t err =
        self->stopped ? ERR_DOWN : pending_add(&self->pending, type, message, asked, request);
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
    if (key == TIMER_TELL_AGAIN) {
        hints_again(ctx, &self->hints);
    }
    start_open(ctx, self);
    start_group(ctx, self);
    return ACTOR_CONTINUE;
}

static void
drop(void *state)
{
    site_database_t *self = state;
    connection_destroy(&self->connection);
    kept_destroy(&self->args);
    kept_destroy(&self->copy.kept);
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
static const actor_hears_t actor_hears[] = {
    HANDLED(HEAR_ROW){&database_copy_type, LANE_NORMAL, on_database_copy}};

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
