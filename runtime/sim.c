/* sim.c - one decision of the seed after the other: deliver, run a handler, resume a job, wait. */
#include "runtime/sim_inside.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/inside.h"

void
sim_absorb(sim_t *sim, uint64_t number)
{
    sim->hash ^= number + UINT64_C(0x9e3779b97f4a7c15) + (sim->hash << 6) + (sim->hash >> 2);
    sim->hash *= UINT64_C(0xff51afd7ed558ccd);
    sim->hash ^= sim->hash >> 33;
}

/* splitmix64: one number of state, so that a run is its seed. */
uint64_t
sim_drawn(uint64_t *state)
{
    uint64_t z = (*state += UINT64_C(0x9e3779b97f4a7c15));

    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

uint64_t
sim_drawn_below(sim_t *sim, uint64_t bound)
{
    return bound < 2 ? 0 : sim_drawn(&sim->chance) % bound;
}

int64_t
sim_now_ns(const sim_t *sim)
{
    return world_sim_now_ns(sim->world);
}

/* ---- the executor ---- */

static int64_t
now_ns(void *self)
{
    return sim_now_ns(self);
}

static int64_t
wall_ns(void *self)
{
    sim_t *sim = self;

    return world_wall_ns(sim->clock);
}

static uint64_t
chance(void *self, uint32_t worker)
{
    sim_t *sim = self;

    sim_absorb(sim, worker);
    return sim_drawn(&sim->worker_chance[worker]);
}

static void
post_of_job(void *context, uint32_t to_worker, envelope_t *take_envelope)
{
    sim_t *sim = context;

    sim_post(sim, sim->senders - 1, to_worker, take_envelope);
}

static bool
job_reserve(void *self)
{
    return sim_jobs_reserve(((sim_t *) self)->jobs);
}

static void
job_release(void *self)
{
    sim_jobs_release(((sim_t *) self)->jobs);
}

static err_t
job_submit(void *self, uint32_t from, job_t *job)
{
    sim_t *sim = self;

    sim_absorb(sim, from);
    return sim_jobs_submit(sim->jobs, job);
}

static void
job_cancel(void *self, uint32_t from, job_t *job)
{
    sim_t *sim = self;

    sim_absorb(sim, from);
    sim_jobs_cancel(sim->jobs, job);
}

/* Whether a stop is wanted is looked at after each step, so there is nobody to wake. */
static void
changed(void *self)
{
    sim_absorb(self, 1);
}

static void
figures(void *self, host_figures_t *ret)
{
    sim_t *sim = self;

    ret->threads = 1;
    ret->job_threads = JOB_THREADS;
    ret->job_threads_lost = sim_jobs_lost(sim->jobs);
    ret->jobs_queued = sim_jobs_open(sim->jobs);
}

/* ---- a host on the machine ---- */

static bool
host_make(sim_t *sim, err_t *ret_err, char *ret_why, size_t why_size)
{
    sim->executor = (executor_t){sim,
                                 now_ns,
                                 wall_ns,
                                 chance,
                                 sim_post,
                                 job_reserve,
                                 job_release,
                                 job_submit,
                                 job_cancel,
                                 changed,
                                 figures,
                                 NULL,
                                 sim->options.rounds != SIM_ALONE};
    sim->core = core_new(&sim->core_options, &sim->executor, ret_err, ret_why, why_size);
    if (!sim->core) {
        return false;
    }
    sim->workers = core_worker_count(sim->core);
    sim->senders = sim->workers + CORE_OUTSIDERS + 1; /* the last one: jobs */
    sim->core->judge = sim_judge_alarm;
    sim->core->judge_context = sim;
    sim_channels_new(sim);
    sim->worker_chance = calloc(sim->workers, sizeof *sim->worker_chance);
    assert(sim->worker_chance);
    for (uint32_t i = 0; i < sim->workers; i++) {
        sim->worker_chance[i] = sim_drawn(&sim->chance);
    }
    sim->jobs = sim_jobs_new(sim->world, sim->places, post_of_job, sim);
    sim_strategy_begin(sim);
    sim->client = sim->peers.end = sim->plain.end = (actor_ref_t){0, 0};
    return true;
}

/* The machine has lost its power: nothing that still runs can do anything any more. */
static void
host_drop(sim_t *sim)
{
    if (!sim->core) {
        return;
    }
    sim_absorb(sim, sim_jobs_hash(sim->jobs));
    sim_jobs_cut(sim->jobs);
    sim_channels_destroy(sim);
    free(sim->worker_chance);
    sim->worker_chance = NULL;
    core_destroy(&sim->core);
    sim_jobs_destroy(&sim->jobs);
}

sim_t *
sim_new(const sim_options_t *options, err_t *ret_err, char *ret_why, size_t why_size)
{
    sim_t *sim = calloc(1, sizeof *sim);

    assert(sim);
    sim->options = *options;
    sim->chance = options->seed;
    sim->graph = sim_graph_new();
    sim->own_places = options->places ? NULL : sim_places_new();
    sim->places = options->places ? options->places : sim->own_places;
    sim->core_options = sim_core_options(sim, options->host);
    sim->options.world.seed = sim_drawn(&sim->chance);
    sim->world = world_sim_new(&sim->options.world);
    sim->clock = world_sim_job_new(sim->world, NULL, NULL);
    if (!host_make(sim, ret_err, ret_why, why_size)) {
        sim_destroy(&sim);
    }
    return sim;
}

void
sim_destroy(sim_t **sim)
{
    if (!*sim) {
        return;
    }
    world_sim_crash((*sim)->world);
    host_drop(*sim);
    world_sim_job_destroy(&(*sim)->clock);
    world_sim_destroy(&(*sim)->world);
    sim_outside_fini(*sim);
    sim_graph_destroy(&(*sim)->graph);
    sim_places_destroy(&(*sim)->own_places);
    free(*sim);
    *sim = NULL;
}

world_sim_t *
sim_world(sim_t *sim)
{
    return sim->world;
}

void
sim_start(sim_t *sim)
{
    core_start(sim->core);
}

bool
sim_crash(sim_t *sim)
{
    err_t err = OK;
    char why[256];

    world_sim_crash(sim->world);
    host_drop(sim);
    world_sim_job_destroy(&sim->clock);
    sim->clock = world_sim_job_new(sim->world, NULL, NULL);
    if (!host_make(sim, &err, why, sizeof why)) {
        return false;
    }
    sim_start(sim);
    return true;
}

/* ---- one decision ---- */

static bool
worker_can_run(sim_t *sim, uint32_t index, int64_t now)
{
    worker_t *worker = core_worker(sim->core, index);

    return !worker_is_idle(worker) || worker_next_due(worker) <= now;
}

static void
deliver(sim_t *sim, uint32_t which, int64_t now)
{
    envelope_t *envelope = sim_channel_take(sim, which);

    if (sim->sockets) {
        envelope =
            sim_sockets_pass(sim->sockets, which / sim->workers, which % sim->workers, envelope);
    }
    sim_absorb(sim, envelope_hash(envelope));
    if (sim->options.saw) {
        sim_show(sim, envelope, now);
    }
    worker_deliver(core_worker(sim->core, which % sim->workers), envelope);
    worker_settle(core_worker(sim->core, which % sim->workers));
}

/* Everything that can be done now, as numbers: channels, then workers, then jobs. */
static uint32_t
choices(sim_t *sim, int64_t now)
{
    uint32_t channels = sim_channel_count(sim);
    uint32_t count = sim_channels_ready(sim, now, sim->choice);

    for (uint32_t i = 0; i < sim->workers; i++) {
        if (worker_can_run(sim, i, now)) {
            sim->choice[count++] = channels + i;
        }
    }
    uint32_t jobs = sim_jobs_runnable(sim->jobs);
    for (uint32_t i = 0; i < jobs && count < SIM_CHOICES_MAX; i++) {
        sim->choice[count++] = channels + sim->workers + i;
    }
    return count;
}

static int64_t
next_due(sim_t *sim)
{
    int64_t due = sim_jobs_next_due(sim->jobs);
    int64_t arrival = sim_channels_due(sim);

    due = arrival < due ? arrival : due;
    for (uint32_t i = 0; i < sim->workers; i++) {
        int64_t timer = worker_next_due(core_worker(sim->core, i));
        if (timer < due) {
            due = timer;
        }
    }
    return due;
}

int64_t
sim_due_ns(sim_t *sim)
{
    int64_t now = sim_now_ns(sim);

    return choices(sim, now) > 0 ? now : next_due(sim);
}

/* Nothing can be done now: time passes to the next thing due, at most to until. The watchdog looks
 * on the way. */
static bool
wait(sim_t *sim, int64_t now, int64_t until)
{
    int64_t due = next_due(sim);

    if (sim->busy_count == 0) {
        sim_judge_rest(sim);
    }
    if (due == INT64_MAX && until == INT64_MAX) {
        return false;
    }
    due = due < until ? due : until;
    if (due > now) {
        sim_absorb(sim, (uint64_t) due);
        world_sim_advance(sim->world, due - now);
    }
    sim_jobs_expire(sim->jobs);
    (void) core_look(sim->core);
    return true;
}

static void
do_choice(sim_t *sim, uint32_t which, int64_t now)
{
    uint32_t channels = sim_channel_count(sim);

    sim_absorb(sim, which);
    bool rounds = sim->options.rounds != SIM_ALONE;
    if (which < channels && rounds) {
        sim_rounds_deliver(sim, which, now);
    } else if (which < channels) {
        deliver(sim, which, now);
    } else if (which < channels + sim->workers && rounds) {
        sim_rounds_run(sim, which - channels);
    } else if (which < channels + sim->workers) {
        worker_step(core_worker(sim->core, which - channels));
    } else {
        sim_jobs_resume(sim->jobs, which - channels - sim->workers);
    }
}

bool
sim_step_until(sim_t *sim, int64_t until)
{
    int64_t now = sim_now_ns(sim);
    uint32_t count = choices(sim, now);

    sim->steps++;
    sim->choices = count;
    if (count == 0) {
        return wait(sim, now, until);
    }
    sim->chosen = sim->decide ? sim->decide(sim->decide_context, sim, count)
                              : sim_strategy_choose(sim, count);
    do_choice(sim, sim->chosen, now);
    return true;
}

bool
sim_step(sim_t *sim)
{
    return sim_step_until(sim, INT64_MAX);
}

bool
sim_run_until(sim_t *sim, bool (*done)(void *context), void *context, uint64_t steps_max)
{
    for (uint64_t i = 0; i < steps_max; i++) {
        if (done(context)) {
            return true;
        }
        if (!sim_step(sim)) {
            break;
        }
    }
    return done(context);
}

void
sim_run_for(sim_t *sim, int64_t ns, uint64_t steps_max)
{
    int64_t until = sim_now_ns(sim) + ns;

    for (uint64_t i = 0; i < steps_max && sim_now_ns(sim) < until; i++) {
        sim_step_until(sim, until);
    }
}

bool
sim_stop(sim_t *sim, int64_t deadline_ns)
{
    int64_t until = sim_now_ns(sim) + deadline_ns;

    core_stop(sim->core);
    while (!core_is_ended(sim->core) && sim_now_ns(sim) < until && sim_step(sim)) {
    }
    return core_is_ended(sim->core);
}

bool
sim_wants_stop(const sim_t *sim)
{
    return core_stop_requested(sim->core) || core_is_ended(sim->core);
}

bool
sim_is_ready(const sim_t *sim, char *ret_why, size_t why_size)
{
    return core_is_ready(sim->core, ret_why, why_size);
}

/* ---- what a run was ---- */

uint64_t
sim_hash(const sim_t *sim)
{
    return sim->hash ^ world_sim_hash(sim->world) ^ sim_jobs_hash(sim->jobs);
}

uint64_t
sim_steps(const sim_t *sim)
{
    return sim->steps;
}

uint64_t
sim_crash_points(const sim_t *sim)
{
    return sim_places_count(sim->places);
}

uint32_t
sim_open_asks(const sim_t *sim, char *ret_text, size_t size)
{
    return core_open_asks(sim->core, ret_text, size);
}

uint32_t
sim_threads_lost(const sim_t *sim)
{
    return sim_jobs_lost(sim->jobs);
}
