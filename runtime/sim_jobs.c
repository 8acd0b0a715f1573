/* sim_jobs.c - fibers for jobs: a queue, a bound on how many run, deadlines, lost ones. */
#include "runtime/sim_jobs.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "proto/limits.h"
#include "runtime/core.h"
#include "runtime/fiber.h"

#define SPARE_MAX   16u /* stacks kept for the next jobs */
#define REPEATS_MAX 16u /* calls of one place in a row that are told apart */

typedef struct sim_task {
    sim_jobs_t *jobs;
    job_t *job;
    world_t *world;
    fiber_t *fiber;      /* NULL: not begun */
    int64_t wake_ns;     /* when its world call returns */
    int64_t deadline_ns; /* INT64_MAX once answered */
    uint64_t number;     /* of all that were submitted */
    uint32_t worker;
    uint32_t calls; /* world calls so far */
    uint64_t place; /* of the last one, and how many there were of it in a row */
    uint32_t repeats;
    uint64_t name_hash;
    bool answered; /* its deadline has been told: its fiber is a lost thread */
    char subject[256];
} sim_task_t;

struct sim_jobs {
    world_sim_t *world;
    sim_jobs_post_fn *post;
    void *context;
    sim_task_t **task;
    uint32_t count, room; /* tasks */
    uint32_t reserved;    /* places promised */
    uint64_t submitted;
    uint32_t lost;
    bool cutting;
    uint64_t hash;
    sim_places_t *places;      /* borrowed */
    fiber_t *spare[SPARE_MAX]; /* that have returned */
    uint32_t spares;
};

static uint64_t
mixed(uint64_t hash, uint64_t number)
{
    hash ^= number + UINT64_C(0x9e3779b97f4a7c15) + (hash << 6) + (hash >> 2);
    hash *= UINT64_C(0xff51afd7ed558ccd);
    return hash ^ (hash >> 33);
}

static uint64_t
text_hash(const char *text)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325);

    for (; *text; text++) {
        hash = (hash ^ (uint8_t) *text) * UINT64_C(0x100000001b3);
    }
    return hash;
}

sim_jobs_t *
sim_jobs_new(world_sim_t *world, sim_places_t *places, sim_jobs_post_fn *post, void *context)
{
    sim_jobs_t *jobs = calloc(1, sizeof *jobs);

    assert(jobs);
    jobs->world = world;
    jobs->places = places;
    jobs->post = post;
    jobs->context = context;
    return jobs;
}

void
sim_jobs_destroy(sim_jobs_t **jobs)
{
    if (!*jobs) {
        return;
    }
    assert((*jobs)->count == 0);
    while ((*jobs)->spares > 0) {
        fiber_destroy(&(*jobs)->spare[--(*jobs)->spares]);
    }
    free((*jobs)->task);
    free(*jobs);
    *jobs = NULL;
}

bool
sim_jobs_reserve(sim_jobs_t *jobs)
{
    if (jobs->count + jobs->reserved >= JOBS_QUEUED_MAX || jobs->lost >= JOB_THREADS_LOST_MAX) {
        return false;
    }
    jobs->reserved++;
    return true;
}

void
sim_jobs_release(sim_jobs_t *jobs)
{
    assert(jobs->reserved > 0);
    jobs->reserved--;
}

static bool
subject_is_lost(const sim_jobs_t *jobs, slice_t subject)
{
    for (uint32_t i = 0; i < jobs->count && subject.size > 0; i++) {
        const sim_task_t *task = jobs->task[i];
        if (task->answered && strlen(task->subject) == subject.size &&
            memcmp(task->subject, subject.data, subject.size) == 0) {
            return true;
        }
    }
    return false;
}

err_t
sim_jobs_submit(sim_jobs_t *jobs, job_t *job)
{
    sim_jobs_release(jobs);
    if (subject_is_lost(jobs, job_subject(job))) {
        return ERR_HUNG;
    }
    if (jobs->count == jobs->room) {
        jobs->room = jobs->room ? 2 * jobs->room : 16;
        jobs->task = realloc(jobs->task, jobs->room * sizeof *jobs->task);
        assert(jobs->task);
    }
    sim_task_t *task = calloc(1, sizeof *task);
    assert(task);
    task->jobs = jobs;
    task->number = jobs->submitted++;
    task->job = job;
    task->worker = job_worker(job);
    task->deadline_ns = job_deadline_ns(job);
    task->name_hash = text_hash(job_name(job));
    if (!slice_copy(job_subject(job), task->subject, sizeof task->subject)) {
        task->subject[0] = 0;
    }
    jobs->task[jobs->count++] = task;
    return OK;
}

void
sim_jobs_cancel(sim_jobs_t *jobs, job_t *job)
{
    for (uint32_t i = 0; i < jobs->count; i++) {
        if (jobs->task[i]->job == job && jobs->task[i]->world) {
            world_sim_job_cancel(jobs->task[i]->world);
        }
    }
}

/* A crash can fall here: job, place in its code, file, and how often in a row. */
static void
note_place(sim_task_t *task)
{
    uint64_t place = world_sim_place(task->world);

    if (place != task->place) {
        task->place = place;
        task->repeats = 0;
    }
    task->repeats += task->repeats < REPEATS_MAX;
    sim_places_add(task->jobs->places, mixed(task->name_hash, mixed(task->repeats, place)) | 1);
}

/* A world call is about to take effect: others may run first, and a crash may fall here. */
static void
task_pauses(void *context, int64_t latency_ns, const char *operation)
{
    (void) operation;
    sim_task_t *task = context;
    sim_jobs_t *jobs = task->jobs;

    if (jobs->cutting) {
        return;
    }
    task->calls++;
    note_place(task);
    task->wake_ns = world_sim_now_ns(jobs->world) + latency_ns;
    fiber_pause(task->fiber);
}

static void
task_main(fiber_t *fiber, void *context)
{
    sim_task_t *task = context;

    assert(fiber == task->fiber);
    job_begin(task->job, task->world);
}

static void
task_forget(sim_jobs_t *jobs, uint32_t which)
{
    sim_task_t *task = jobs->task[which];

    if (task->answered) {
        jobs->lost--;
    }
    if (task->fiber && jobs->spares < SPARE_MAX) {
        jobs->spare[jobs->spares++] = task->fiber;
    } else {
        fiber_destroy(&task->fiber);
    }
    if (task->world) {
        world_sim_job_destroy(&task->world);
    }
    free(task);
    jobs->task[which] = jobs->task[--jobs->count];
}

/* A fiber has returned: its answer goes to its worker, unless the deadline answered for it. */
static void
task_returned(sim_jobs_t *jobs, uint32_t which)
{
    sim_task_t *task = jobs->task[which];
    uint32_t worker = task->worker;
    envelope_t *envelope = job_finish(task->job);

    task_forget(jobs, which);
    if (envelope) {
        jobs->post(jobs->context, worker, envelope);
    }
}

static uint32_t
running_count(const sim_jobs_t *jobs)
{
    uint32_t running = 0;

    for (uint32_t i = 0; i < jobs->count; i++) {
        running += jobs->task[i]->fiber && !jobs->task[i]->answered;
    }
    return running;
}

static bool
task_can_go(const sim_jobs_t *jobs, const sim_task_t *task, int64_t now_ns, bool may_begin)
{
    if (!task->fiber) {
        return may_begin && !task->answered && !subject_is_lost(jobs, slice_of(task->subject));
    }
    return task->wake_ns <= now_ns && !world_sim_hangs(task->world);
}

uint32_t
sim_jobs_runnable(const sim_jobs_t *jobs)
{
    int64_t now_ns = world_sim_now_ns(jobs->world);
    bool may_begin = running_count(jobs) < JOB_THREADS;
    uint32_t runnable = 0;

    for (uint32_t i = 0; i < jobs->count; i++) {
        runnable += task_can_go(jobs, jobs->task[i], now_ns, may_begin);
    }
    return runnable;
}

static void
task_begin(sim_jobs_t *jobs, sim_task_t *task)
{
    task->world = world_sim_job_new(jobs->world, task_pauses, task);
    if (jobs->spares > 0) {
        task->fiber = jobs->spare[--jobs->spares];
        fiber_again(task->fiber, task_main, task);
    } else {
        task->fiber = fiber_new(task_main, task);
    }
    if (job_is_cancelled(task->job)) {
        world_sim_job_cancel(task->world);
    }
}

static uint32_t
runnable_at(const sim_jobs_t *jobs, uint32_t which)
{
    int64_t now_ns = world_sim_now_ns(jobs->world);
    bool may_begin = running_count(jobs) < JOB_THREADS;
    uint32_t i = 0;

    while (!task_can_go(jobs, jobs->task[i], now_ns, may_begin) || which-- > 0) {
        i++;
    }
    return i;
}

uint64_t
sim_jobs_number(const sim_jobs_t *jobs, uint32_t which)
{
    return jobs->task[runnable_at(jobs, which)]->number;
}

void
sim_jobs_resume(sim_jobs_t *jobs, uint32_t which)
{
    uint32_t i = runnable_at(jobs, which);
    sim_task_t *task = jobs->task[i];

    jobs->hash = mixed(jobs->hash, mixed(task->name_hash, task->calls));
    if (!task->fiber) {
        task_begin(jobs, task);
    }
    if (fiber_resume(task->fiber)) {
        task_returned(jobs, i);
    }
}

/* Past its deadline the asker is answered at once. A fiber that has begun counts as a lost thread
 * until it comes back; one that never began is simply taken out of the queue. */
static void
task_expire(sim_jobs_t *jobs, uint32_t which)
{
    sim_task_t *task = jobs->task[which];
    bool begun = task->fiber != NULL;
    envelope_t *envelope = job_abandon(task->job, ERR_DEADLINE, begun);

    task->deadline_ns = INT64_MAX;
    jobs->post(jobs->context, task->worker, envelope);
    if (!begun) {
        task_forget(jobs, which);
        return;
    }
    task->answered = true;
    jobs->lost++;
    world_sim_job_cancel(task->world);
}

void
sim_jobs_expire(sim_jobs_t *jobs)
{
    int64_t now_ns = world_sim_now_ns(jobs->world);

    for (uint32_t i = jobs->count; i-- > 0;) {
        if (jobs->task[i]->deadline_ns <= now_ns) {
            task_expire(jobs, i);
        }
    }
}

int64_t
sim_jobs_next_due(const sim_jobs_t *jobs)
{
    int64_t due_ns = INT64_MAX;

    for (uint32_t i = 0; i < jobs->count; i++) {
        const sim_task_t *task = jobs->task[i];
        if (task->deadline_ns < due_ns) {
            due_ns = task->deadline_ns;
        }
        if (task->fiber && !world_sim_hangs(task->world) && task->wake_ns < due_ns) {
            due_ns = task->wake_ns;
        }
    }
    return due_ns;
}

uint32_t
sim_jobs_lost(const sim_jobs_t *jobs)
{
    return jobs->lost;
}

uint32_t
sim_jobs_open(const sim_jobs_t *jobs)
{
    return jobs->count;
}

uint64_t
sim_jobs_hash(const sim_jobs_t *jobs)
{
    return jobs->hash;
}

void
sim_jobs_cut(sim_jobs_t *jobs)
{
    jobs->cutting = true;
    while (jobs->count > 0) {
        sim_task_t *task = jobs->task[jobs->count - 1];
        if (!task->fiber) {
            envelope_t *envelope = job_abandon(task->job, ERR_CANCELLED, false);
            envelope_destroy(&envelope);
            task_forget(jobs, jobs->count - 1);
            continue;
        }
        bool returned = fiber_resume(task->fiber);
        assert(returned);
        envelope_t *envelope = job_finish(task->job);
        if (envelope) {
            envelope_destroy(&envelope);
        }
        task_forget(jobs, jobs->count - 1);
    }
    jobs->cutting = false;
}
