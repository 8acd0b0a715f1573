/* package_worker.c - one per package being changed: serialises its commands, snapshots its source.
 *
 *   hears    package_add, package_update, package_remove, each an ask of distribution_manager
 *   tells    nobody
 *   asks     site_database: package_lookup, version_commit, package_remove
 *   keeps    the commands that wait, at most QUEUE_COMMANDS_MAX, in order; the one in hand
 *   survives a restart loses the snapshot in hand and nothing else: its asker is told `restarting`,
 *            the version is not the package's before version_commit, and what was stored of it is
 *            collected like any content that no version wants; as what comes too late is
 *
 * A client that leaves cancels nothing: the work is the site's once it was accepted.
 */
#include "actors/answer.h"
#include "actors/command_queue.h"
#include "actors/jobs_snapshot.h"
#include "actors/package_orders.h"
#include "actors/refuse.h"
#include "actors/roster.h"
#include "proto/messages.h"

#define IDLE_END_MS 10000u /* without work it ends */

enum { TIMER_IDLE = 1 };

#define EDGES(E)                                                                                   \
    E(ASK, site_database, package_lookup)                                                          \
    E(ASK, site_database, version_commit)                                                          \
    E(ASK, site_database, package_remove)
ACTOR_EDGES(EDGES)

typedef struct package_worker {
    kept_t *args;
    command_queue_t queue; /* the first one is in hand while busy */
    bool busy;
} package_worker_t;

HEARS(package_worker_t, package_add)
HEARS(package_worker_t, package_update)
HEARS(package_worker_t, package_remove)
THEN(package_worker_t, looked_up)
THEN(package_worker_t, snapshot_done)
THEN(package_worker_t, finish_passing_on)

static const queued_command_t *
in_hand(const package_worker_t *self)
{
    return command_queue_first(&self->queue);
}

static actor_next_t next_command(actor_ctx_t *ctx, package_worker_t *self);

/* The command in hand is answered: the next one's turn. */
static actor_next_t
finish(actor_ctx_t *ctx, package_worker_t *self)
{
    command_queue_done(&self->queue);
    self->busy = false;
    return next_command(ctx, self);
}

static bool
is_add(const package_worker_t *self)
{
    return in_hand(self)->type == &package_add_type;
}

static const char *
verb_in_hand(const package_worker_t *self)
{
    const record_type_t *type = in_hand(self)->type;

    return type == &package_add_type ? "add" : type == &package_update_type ? "update" : "remove";
}

static actor_next_t
finish_refused(actor_ctx_t *ctx, package_worker_t *self, err_t err)
{
    const char *hint = err == ERR_NOT_FOUND ? "despool package list shows the packages" : NULL;
    const refusal_t *refusal = refuse_draft(ctx, err, hint, verb_in_hand(self),
                                            command_queue_id(in_hand(self)), err_sentence(err));

    answer_unheard(REPLY_TO(ctx, in_hand(self)->request, refusal, refusal));
    return finish(ctx, self);
}

/* The answer in hand is that of the command. */
static actor_next_t
finish_passing_on(actor_ctx_t *ctx, package_worker_t *self, const actor_answer_t *answer)
{
    answer_pass_on(ctx, in_hand(self)->request, answer, verb_in_hand(self),
                   command_queue_id(in_hand(self)));
    return finish(ctx, self);
}

/* ---- add and update ---- */

static verdict_t
start_snapshot(actor_ctx_t *ctx, package_worker_t *self, const package_found_t *found)
{
    const package_worker_args_t *args = kept_record(self->args);
    job_spec_t spec = {.name = "snapshot",
                       .run = job_snapshot,
                       .input_type = &snapshot_order_type,
                       .input = package_snapshot_order(ctx, is_add(self),
                                                       kept_record(in_hand(self)->kept), found,
                                                       record_slice(args, args->data)),
                       .subject = slice_of(actor_name(ctx)),
                       .deadline_ms = package_snapshot_ms(ctx, &in_hand(self)->request),
                       .then = snapshot_done_then};

    return actor_job(ctx, &spec, NULL);
}

static actor_next_t
looked_up(actor_ctx_t *ctx, package_worker_t *self, const actor_answer_t *answer)
{
    const package_found_t *found = ANSWER_AS(answer, package_found);

    if (!found) {
        return finish_passing_on(ctx, self, answer);
    }
    if (is_add(self) == (found->exists != 0)) {
        return finish_refused(ctx, self, found->exists ? ERR_EXISTS : ERR_NOT_FOUND);
    }
    verdict_t verdict = start_snapshot(ctx, self, found);
    return verdict == VERDICT_OK ? ACTOR_CONTINUE : finish_refused(ctx, self, verdict_err(verdict));
}

static actor_next_t
snapshot_done(actor_ctx_t *ctx, package_worker_t *self, const actor_answer_t *answer)
{
    const snapshot_taken_t *taken = ANSWER_AS(answer, snapshot_taken);

    if (!taken) {
        return finish_refused(ctx, self, answer->err == OK ? ERR_INTERNAL : answer->err);
    }
    if (taken->err != OK) {
        answer_unheard(REPLY_TO(ctx, in_hand(self)->request, refusal, package_refusal(ctx, taken)));
        return finish(ctx, self);
    }
    const version_commit_t *m =
        package_version_commit(ctx, is_add(self), kept_record(in_hand(self)->kept), taken);
    verdict_t verdict =
        ask_site_database_version_commit(ctx, m, PACKAGE_COMMIT_MS, finish_passing_on_then, 0);
    return verdict == VERDICT_OK ? ACTOR_CONTINUE : finish_refused(ctx, self, verdict_err(verdict));
}

/* ---- the queue ---- */

static verdict_t
begin(actor_ctx_t *ctx, const queued_command_t *queued)
{
    const void *command = kept_record(queued->kept);

    if (queued->type == &package_remove_type) {
        return ask_site_database_package_remove(ctx, command, PACKAGE_COMMIT_MS,
                                                finish_passing_on_then, 0);
    }
    return ask_site_database_package_lookup(
        ctx, package_lookup_of(ctx, queued->type == &package_add_type, command), PACKAGE_COMMIT_MS,
        looked_up_then, 0);
}

static actor_next_t
next_command(actor_ctx_t *ctx, package_worker_t *self)
{
    if (self->busy) {
        return ACTOR_CONTINUE;
    }
    if (self->queue.count == 0) {
        return actor_timer(ctx, TIMER_IDLE, IDLE_END_MS) == VERDICT_OK ? ACTOR_CONTINUE
                                                                       : ACTOR_FAIL;
    }
    actor_timer_cancel(ctx, TIMER_IDLE);
    self->busy = true;
    verdict_t verdict = begin(ctx, in_hand(self));
    return verdict == VERDICT_OK ? ACTOR_CONTINUE : finish_refused(ctx, self, verdict_err(verdict));
}

static actor_next_t
take(actor_ctx_t *ctx, package_worker_t *self, const record_type_t *type, const void *m)
{
    err_t err = command_queue_add(ctx, &self->queue, type, m, "site_database");

    if (err != OK) {
        actor_refuse(ctx, err);
        return ACTOR_CONTINUE;
    }
    return next_command(ctx, self);
}

#define TAKES(message)                                                                             \
    static actor_next_t on_##message(actor_ctx_t *ctx, package_worker_t *self,                     \
                                     const message##_t *m)                                         \
    {                                                                                              \
        return take(ctx, self, &message##_type, m);                                                \
    }
TAKES(package_add)
TAKES(package_update)
TAKES(package_remove)

/* ---- the actor ---- */

static actor_next_t
package_worker_init(actor_ctx_t *ctx, void *state, const void *args)
{
    package_worker_t *self = state;

    self->args = actor_keep(ctx, &package_worker_args_type, args);
    return next_command(ctx, self);
}

static actor_next_t
package_worker_timer(actor_ctx_t *ctx, void *state, uint64_t key)
{
    const package_worker_t *self = state;

    claim(ctx, key == TIMER_IDLE);
    return self->queue.count == 0 ? ACTOR_STOP : ACTOR_CONTINUE;
}

static void
package_worker_drop(void *state)
{
    package_worker_t *self = state;

    kept_destroy(&self->args);
    command_queue_drop(&self->queue);
}

static const actor_hears_t actor_hears[] = {ON(package_add), ON(package_update),
                                            ON(package_remove)};

const actor_class_t package_worker_class = {
    .name = "package_worker",
    .state_bytes = sizeof(package_worker_t),
    .init = package_worker_init,
    .on_timer = package_worker_timer,
    .drop = package_worker_drop,
    ACTOR_LIST(hears),
    .edges = actor_edges,
    .edge_count = ACTOR_EDGE_COUNT,
    .restart = ACTOR_TEMPORARY,
    .placement = ACTOR_POOL,
};
