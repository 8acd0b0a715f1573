/* core_stop_test.c - the orderly stop: in reverse order, each within a deadline; what was left is
 * named. */
#include "tests/sim/core_cast.h"

static void
drop_noted(void *self)
{
    note("end-%s", cast_class[((puppet_t *) self)->who].name);
}

static actor_next_t
arm_timer(actor_ctx_t *ctx, puppet_t *self)
{
    cr_assert(self != NULL);
    expect(actor_timer(ctx, 77, 50) == VERDICT_OK);
    return ACTOR_CONTINUE;
}
Test(core_stop, the_stop_is_in_the_reverse_order_of_the_start)
{
    for (cast_who_t who = A; who <= D; who++) {
        cast_class[who].drop = drop_noted;
    }
    for (cast_run_t run = {0}; cast_next(&run);) {
        forget();
        poke(B, arm_timer);
        cr_assert(sim_stop(run.sim, INT64_C(10000000000)));
        expect_log("end-d end-c end-b end-a ");
    }
}

static actor_next_t
stop_all(actor_ctx_t *ctx, puppet_t *self)
{
    cr_assert(self != NULL);
    actor_host_stop(ctx, "a test said so");
    return ACTOR_CONTINUE;
}
Test(core_stop, an_actor_may_ask_the_host_to_stop)
{
    cast_run_t run = {0};
    cr_assert(cast_next(&run));
    expect(!core_stop_requested(run.sim->core));
    poke(A, stop_all);
    expect(core_stop_requested(run.sim->core) && !core_is_ended(run.sim->core));
    expect(sim_stop(run.sim, INT64_C(10000000000)) && !core_is_failed(run.sim->core));
    sim_destroy(&run.sim);
}

/* A child that never takes its stop: its worker hangs. The others are stopped, it is named. */
Test(core_stop, one_that_does_not_end_is_left_by_name_and_the_others_end)
{
    cast_run_t run = {0};
    cast_class[C].placement = ACTOR_BESIDE_THE_POOL;
    cr_assert(cast_next(&run));
    actor_t *c = cast_actor(C);
    core_stop(run.sim->core);
    char left[256] = "";
    /* Who waits for c gives it up in the same tenth of a second as who waits for that one. */
    for (int i = 0; i < 100000 && core_left(run.sim->core, left, sizeof left) > 1; i++) {
        if (c->lane_depth[LANE_SYSTEM] == 0) {
            sim_step(run.sim);
            continue;
        }
        /* c has its stop and never runs again: only the other workers do */
        world_sim_advance(sim_world(run.sim), 100 * NS_PER_MS);
        for (uint32_t w = 0; w < run.sim->workers; w++) {
            while (w != c->worker->index && worker_step(core_worker(run.sim->core, w))) {
            }
        }
        for (uint32_t ch = 0; ch < run.sim->senders * run.sim->workers; ch++) {
            if (run.sim->channel[ch].head != NULL) {
                worker_deliver(core_worker(run.sim->core, ch % run.sim->workers),
                               sim_channel_take(run.sim, ch));
            }
        }
    }
    expect(core_is_ended(run.sim->core), "the rest has ended");
    expect(core_left(run.sim->core, left, sizeof left) == 1 && strcmp(left, "c") == 0, "left: %s",
           left);
    sim_destroy(&run.sim);
}
