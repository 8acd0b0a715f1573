/* jobs.c - slow work as the core sees it: an open ask whose answer a job thread makes.
 *
 * A job has two holders: the open ask of its actor (for cancelling and progress) and whoever runs
 * it; it is freed by the second one that lets go.
 */
#include "runtime/ask_inside.h"
#include "runtime/inside.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

struct job {
    _Atomic uint32_t holders;
    _Atomic bool cancelled, expired;
    _Atomic uint64_t done, total, beats, patience_ms;
    const char *name;
    job_fn *run;
    envelope_t *input; /* NULL: none */
    char subject[128], owner_name[32];
    const char *class_name; /* of its owner */
    uint64_t about;
    int64_t deadline_ns;
    void *resource;
    void (*drop)(void *resource);
    actor_ref_t owner;
    uint64_t ask;
    uint32_t worker;
    uint32_t owner_index;
    draft_t draft;
    void *draft_memory; /* MESSAGE_BYTES_MAX of address space, while there is an output */
    const record_type_t *output_type;
};

/* ---- the memory of outputs ---- */

/* Drafts of jobs that have ended, for the next ones: to map, touch and unmap one took more time
 * than all else in most jobs (30 of 100 parts of a whole site in the simulator). They are the
 * process's: a lost thread may outlive its host. One that grew is given back to the system, and all
 * are when no job runs for a while. That of 1 MiB for an agent is kept: to have its pages zeroed
 * anew each time was a twentieth of what a site used that sends. */
#define SPARES_MAX      8u
#define SPARE_BYTES_MAX (2u << 20)
static _Atomic(void *) spare_drafts[SPARES_MAX];

static void *
take_draft(void)
{
    for (uint32_t i = 0; i < SPARES_MAX; i++) {
        void *spare = atomic_exchange(&spare_drafts[i], NULL);
        if (spare != NULL) {
            return spare;
        }
    }
    void *memory = mmap(NULL, MESSAGE_BYTES_MAX, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    assert(memory != MAP_FAILED && "address space for a draft");
    return memory;
}

void
jobs_rest(void)
{
    for (uint32_t i = 0; i < SPARES_MAX; i++) {
        void *spare = atomic_exchange(&spare_drafts[i], NULL);
        if (spare != NULL) {
            munmap(spare, MESSAGE_BYTES_MAX);
        }
    }
}

static void
release_output(job_t *job)
{
    void *memory = job->draft_memory;
    job->draft_memory = NULL;
    for (uint32_t i = 0; memory != NULL && job->draft.size <= SPARE_BYTES_MAX && i < SPARES_MAX;
         i++) {
        void *none = NULL;
        if (atomic_compare_exchange_strong(&spare_drafts[i], &none, memory)) {
            return;
        }
    }
    if (memory != NULL) {
        munmap(memory, MESSAGE_BYTES_MAX);
    }
}

/* ---- holders ---- */

void
job_unref(job_t *job)
{
    if (job == NULL || atomic_fetch_sub(&job->holders, 1) > 1) {
        return;
    }
    release_output(job);
    if (job->resource != NULL && job->drop != NULL) {
        job->drop(job->resource);
    }
    envelope_free(job->input);
    free(job);
}

/* ---- the actor's side ---- */

verdict_t
actor_job(actor_ctx_t *ctx, const job_spec_t *spec, uint64_t *ret_job)
{
    actor_t *actor = ctx->actor;
    core_t *core = actor->core;
    uint32_t size = 0;
    verdict_t verdict =
        spec->input == NULL ? VERDICT_OK : record_source(ctx, spec->input_type, spec->input, &size);
    if (verdict != VERDICT_OK) {
        return verdict;
    }
    if (actor->asks_open >= ASKS_OPEN_MAX || !core->executor.job_reserve(core->executor.self)) {
        return VERDICT_FULL;
    }
    uint32_t wait_ms = spec->deadline_ms == 0 ? JOB_DEADLINE_MS : spec->deadline_ms;
    job_t *job = xalloc(1, sizeof *job);
    job->holders = 2;
    job->name = spec->name;
    job->run = spec->run;
    job->deadline_ns = actor_now_ns(ctx) + (int64_t) wait_ms * NS_PER_MS;
    job->resource = spec->resource;
    job->drop = spec->drop;
    job->owner = actor->self;
    job->class_name = actor->class->class->name;
    snprintf(job->owner_name, sizeof job->owner_name, "%.31s", watch_called(actor));
    job->worker = ctx->worker->index;
    size_t kept =
        spec->subject.size < sizeof job->subject - 1 ? spec->subject.size : sizeof job->subject - 1;
    memcpy(job->subject, spec->subject.data == NULL ? "" : spec->subject.data, kept);
    if (spec->input != NULL) {
        job->input =
            envelope_new(ENV_JOB, actor->self, actor->self, spec->input_type, spec->input, size);
        job->about = core_about(core, spec->input_type, job->input->record);
    }
    open_ask_t *ask = memory_take(sizeof *ask);
    ask->then = spec->then;
    ask->tag = spec->tag;
    worker_enters(ctx->worker); /* who takes it over tells how many are open */
    ask_open_inside(ctx->worker, actor, ask, job->deadline_ns);
    ask->job = job;
    ask->to = actor->self;
    ask->type = spec->input_type;
    actor->jobs_open++;
    worker_leaves(ctx->worker);
    job->ask = ask->id;
    envelope_t *order = envelope_new(ENV_JOB, actor->self, actor->self, NULL, NULL, 0);
    order->mine = job;
    tray_add(ctx, order);
    if (ret_job != NULL) {
        *ret_job = ask->id;
    }
    return VERDICT_OK;
}

void
job_commit(actor_ctx_t *ctx, envelope_t *take_envelope)
{
    executor_t *executor = &ctx->worker->core->executor;
    job_t *job = take_envelope->mine;
    envelope_free(take_envelope);
    err_t err = executor->job_submit(executor->self, ctx->worker->index, job);
    if (err != OK) {
        worker_deliver(ctx->worker, job_abandon(job, err, false));
    }
}

void
job_throw_away(actor_ctx_t *ctx, envelope_t *take_envelope)
{
    executor_t *executor = &ctx->worker->core->executor;
    executor->job_release(executor->self);
    job_unref(take_envelope->mine);
    envelope_free(take_envelope);
}

void
job_ask_to_stop(worker_t *worker, job_t *job)
{
    executor_t *executor = &worker->core->executor;
    if (!atomic_exchange(&job->cancelled, true)) {
        executor->job_cancel(executor->self, worker->index, job);
    }
}

void
actor_job_cancel(actor_ctx_t *ctx, uint64_t job)
{
    open_ask_t *ask = ask_find(ctx->actor, job);
    if (ask != NULL && ask->job != NULL) {
        job_ask_to_stop(ctx->worker, ask->job);
    }
}

bool
actor_job_progress(const actor_ctx_t *ctx, uint64_t job, uint64_t *ret_done, uint64_t *ret_total)
{
    const open_ask_t *ask = ask_find(ctx->actor, job);
    if (ask == NULL || ask->job == NULL) {
        return false;
    }
    *ret_done = atomic_load_explicit(&ask->job->done, memory_order_relaxed);
    *ret_total = atomic_load_explicit(&ask->job->total, memory_order_relaxed);
    return true;
}

bool
actor_job_pulse(const actor_ctx_t *ctx, uint64_t job, uint64_t *ret_beats,
                uint64_t *ret_patience_ms)
{
    const open_ask_t *ask = ask_find(ctx->actor, job);
    if (ask == NULL || ask->job == NULL) {
        return false;
    }
    *ret_beats = atomic_load_explicit(&ask->job->beats, memory_order_relaxed);
    *ret_patience_ms = atomic_load_explicit(&ask->job->patience_ms, memory_order_relaxed);
    return true;
}

/* ---- the job's side ---- */

void *
job_output(job_t *job, const record_type_t *type)
{
    if (job->draft_memory == NULL) {
        job->draft_memory = take_draft();
    }
    draft_over(&job->draft, job->draft_memory, MESSAGE_BYTES_MAX);
    job->output_type = type;
    return draft_begin(&job->draft, type);
}

draft_t *
job_draft(job_t *job)
{
    return &job->draft;
}

void
job_progress(job_t *job, uint64_t done, uint64_t total)
{
    atomic_store_explicit(&job->done, done, memory_order_relaxed);
    atomic_store_explicit(&job->total, total, memory_order_relaxed);
    job_beat(job, 0);
}

void
job_beat(job_t *job, uint64_t patience_ms)
{
    atomic_store_explicit(&job->patience_ms, patience_ms, memory_order_relaxed);
    atomic_fetch_add_explicit(&job->beats, 1, memory_order_relaxed);
}

/* ---- the executor's side ---- */

delivery_t
job_delivery(const job_t *job, int64_t now_ns)
{
    return (delivery_t){.class_name = job->class_name,
                        .actor = job->owner_name,
                        .message = job->name,
                        .about = job->about,
                        .attempt = 1,
                        .now_ns = now_ns};
}

static envelope_t *
answer_of(job_t *job, err_t err, bool with_output)
{
    actor_ref_t owner = job->owner;
    envelope_t *reply = with_output ? envelope_new(ENV_DONE, owner, owner, job->output_type,
                                                   job->draft.base, job->draft.size)
                                    : envelope_new(ENV_DONE, owner, owner, NULL, NULL, 0);
    reply->number = job->ask;
    reply->err = (uint16_t) err;
    reply->lane = LANE_REPLY;
    return reply;
}

static void
lend_back(job_t *job, envelope_t *reply)
{
    envelope_more_t *more = envelope_more(reply);
    more->done.resource = job->resource;
    more->done.drop = job->drop;
    job->resource = NULL;
}

void
job_begin(job_t *job, world_t *world)
{
    job->run(job, world, job->input == NULL ? NULL : job->input->record, job->resource);
}

/* A job that made its answer is answered with it, cancelled or not: what it did is done. */
envelope_t *
job_finish(job_t *job)
{
    bool made = job->output_type != NULL && !job->draft.full;
    err_t err = OK;
    if (!made) {
        err = job->output_type != NULL       ? ERR_TOO_LARGE
              : atomic_load(&job->expired)   ? ERR_DEADLINE
              : atomic_load(&job->cancelled) ? ERR_CANCELLED
                                             : ERR_INTERNAL;
    }
    envelope_t *reply = answer_of(job, err, made);
    lend_back(job, reply);
    release_output(job);
    job_unref(job);
    return reply;
}

/* A lost job is not released either: its thread still uses it. */
envelope_t *
job_abandon(job_t *job, err_t err, bool lost)
{
    envelope_t *reply = answer_of(job, err, false);
    if (!lost) {
        lend_back(job, reply);
        job_unref(job);
    }
    return reply;
}

uint32_t
job_worker(const job_t *job)
{
    return job->worker;
}

const char *
job_name(const job_t *job)
{
    return job->name;
}

slice_t
job_subject(const job_t *job)
{
    return slice_of(job->subject);
}

int64_t
job_deadline_ns(const job_t *job)
{
    return job->deadline_ns;
}

void
job_expire(job_t *job)
{
    atomic_store(&job->expired, true);
}

bool
job_is_cancelled(const job_t *job)
{
    return atomic_load(&job->cancelled);
}

actor_ref_t
job_owner(const job_t *job)
{
    return job->owner;
}
