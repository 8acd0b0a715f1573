/* world_sim_gate.c - what every call of a simulated job passes: pause, power, cancellation, faults,
 * hangs, trace. */
#include "runtime/world_sim_machine.h"

#include <errno.h>
#include <string.h>

#define MILLION 1000000

static void
mix(world_sim_t *sim, const void *bytes, size_t size)
{
    const unsigned char *at = bytes;
    for (size_t i = 0; i < size; i++) {
        sim->hash = (sim->hash ^ at[i]) * UINT64_C(0x100000001b3);
    }
}

static void
mix_number(world_sim_t *sim, uint64_t number)
{
    sim->hash = (sim->hash ^ number) * UINT64_C(0x100000001b3);
    sim->hash ^= sim->hash >> 29;
}

static void
trace(world_sim_t *sim, const sim_call_t *call, int64_t result)
{
    mix(sim, call->operation, strlen(call->operation));
    if (call->path != NULL) {
        mix(sim, call->path, strlen(call->path));
    }
    if (call->other_path != NULL) {
        mix(sim, call->other_path, strlen(call->other_path));
    }
    mix_number(sim, (uint64_t) (int64_t) call->fd);
    mix_number(sim, call->size);
    mix_number(sim, call->offset);
    mix_number(sim, (uint64_t) result);
}

/* Whether the job can still have anything done. */
static int
standing(const sim_job_t *job, const sim_call_t *call)
{
    if (job->boot != job->sim->boot || job->sim->is_cut) {
        return -EIO;
    }
    return job->cancelled && !call->always ? -ECANCELED : 0;
}

static void
pause_for(sim_job_t *job, const sim_call_t *call)
{
    int64_t latency = 0;
    if (job->sim->options.latency_ns_max > 0) {
        latency = (int64_t) sim_rng_below(&job->sim->chance,
                                          (uint64_t) job->sim->options.latency_ns_max + 1);
    }
    latency += sim_slowness(job->sim, call);
    if (job->pause != NULL) {
        job->pause(job->context, latency, call->operation);
    } else {
        world_sim_advance(job->sim, latency);
    }
}

/* Suspends until the hang that was noted in the job is over. */
static int
wait_in_hang(sim_job_t *job, const sim_call_t *call)
{
    if (job->pause == NULL) {
        job->hang_drawn = false;
        job->hangs_at = NULL;
        return -EIO;
    }
    if (job->hangs_at != NULL) {
        job->hangs_at->pins++;
    }
    while (standing(job, call) == 0 && world_sim_hangs(&job->world)) {
        job->pause(job->context, 0, call->operation);
    }
    if (job->hangs_at != NULL && job->boot == job->sim->boot) {
        job->hangs_at->pins--;
    }
    job->hangs_at = NULL;
    job->hang_drawn = false;
    return standing(job, call);
}

static bool
strikes(world_sim_t *sim, uint32_t per_million)
{
    return per_million > 0 && !sim->quiet && sim_rng_below(&sim->chance, MILLION) < per_million;
}

static int
drawn_error(sim_job_t *job, const sim_call_t *call)
{
    static const int of_changes[] = {-EIO, -ENOSPC, -EDQUOT};
    world_sim_t *sim = job->sim;
    return call->changes ? of_changes[sim_rng_below(&sim->chance, 3)] : -EIO;
}

static int
hang_until_healed(sim_job_t *job, const sim_call_t *call)
{
    job->hang_drawn = true;
    job->hang_heals = job->sim->heals;
    return wait_in_hang(job, call);
}

/* Half of the faults of a write are short writes, which are no errors. */
static int
draw_fault(sim_job_t *job, sim_call_t *call)
{
    world_sim_t *sim = job->sim;
    sim_drawn_t drawn = sim_draw_mix(sim, call);
    if (drawn != SIM_DRAWN_NOTHING) {
        return drawn == SIM_DRAWN_CUT ? -EIO : hang_until_healed(job, call);
    }
    if (call->safe || call->fails != 0) {
        return 0;
    }
    if (strikes(sim, sim->options.hang_per_million)) {
        return hang_until_healed(job, call);
    }
    if (!strikes(sim, sim->options.fault_per_million)) {
        return 0;
    }
    bool is_write = strcmp(call->operation, "write") == 0;
    if (is_write && call->size > 1 && sim_rng_below(&sim->chance, 2) == 0) {
        call->size = 1 + sim_rng_below(&sim->chance, call->size - 1);
        return 0;
    }
    call->fails = drawn_error(job, call);
    return 0;
}

static void
count(world_sim_t *sim)
{
    sim->operations++;
    if (sim->cut_left > 0 && --sim->cut_left == 0) {
        sim->is_cut = true;
    }
}

static int64_t
run_until_it_returns(sim_job_t *job, const sim_call_t *call, sim_do_fn *run)
{
    for (;;) {
        /* A sync that fails has an effect of its own. */
        int64_t result = call->fails != 0 && !call->counts ? call->fails : run(job, call);
        if (result != SIM_HANGS) {
            return result;
        }
        int over = wait_in_hang(job, call);
        if (over != 0) {
            return over;
        }
    }
}

int64_t
sim_call(world_t *world, const sim_call_t *asked, sim_do_fn *run)
{
    sim_job_t *job = world->self;
    world_sim_t *sim = job->sim;
    sim_call_t call = *asked;
    if (job->looks) {
        int64_t seen = run(job, asked);
        job->hangs_at = NULL;
        return seen == SIM_HANGS ? -EIO : seen;
    }
    int64_t result = standing(job, &call);
    sim_place_enter(job, &call);
    if (result == 0) {
        pause_for(job, &call);
        result = standing(job, &call);
    }
    if (result == 0) {
        result = draw_fault(job, &call);
    }
    uint64_t recorded = sim->disk.recorded;
    if (result == 0) {
        result = run_until_it_returns(job, &call, run);
    }
    sim_place_leave(job, &call, result);
    trace(sim, &call, result);
    if (call.counts ? result == 0 : sim->disk.recorded != recorded) {
        count(sim);
        sim_cut_by_mix(sim, &call);
        sim_power_sweep(&sim->disk);
    }
    return result;
}
