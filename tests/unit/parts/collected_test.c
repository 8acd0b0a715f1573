/* collected_test.c - claims about a collection of the site's store that removes nothing: the real
 * distribution manager, among others that stand in for the site. */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <string.h>

#include "tests/unit/parts/stand_in.h"

#define STEPS_MAX 200000u
#define SECOND    INT64_C(1000000000)
#define HOUR      (3600 * SECOND)

static uint32_t asked, told; /* for the versions to be kept; that nothing was collected */
static uint32_t small_at;    /* the answer that is no larger than a message; the others are */
static bool reads;           /* the store is to be read again */

/* The store is not there: a collection that has its roots fails in another way. */
static actor_next_t
roots(actor_ctx_t *ctx)
{
    if (++asked == small_at) {
        answer_unheard(REPLY(ctx, roots, DRAFT(ctx, roots)));
    } else {
        refusal_t *m = DRAFT(ctx, refusal);
        m->code = ERR_TOO_LARGE;
        answer_unheard(REPLY(ctx, refusal, m));
    }
    return ACTOR_CONTINUE;
}

static actor_next_t
database(actor_ctx_t *ctx, stand_in_t *self, const record_type_t *type)
{
    claim(ctx, self != NULL);
    if (!actor_is_asked(ctx)) {
        told += type == &note_event_type;
        return ACTOR_CONTINUE;
    }
    if (type == &site_open_type) {
        return stand_in_opened(ctx);
    }
    if (type == &live_roots_type) {
        return roots(ctx);
    }
    if (type == &scrub_next_type && reads) {
        scrub_due_t *m = DRAFT(ctx, scrub_due);
        m->rate = SCRUB_RATE_DEFAULT;
        answer_unheard(REPLY(ctx, scrub_due, m));
        return ACTOR_CONTINUE;
    }
    actor_refuse(ctx, ERR_STARTING);
    return ACTOR_CONTINUE;
}

static actor_next_t
nobody(actor_ctx_t *ctx, stand_in_t *self, const record_type_t *type)
{
    claim(ctx, !self || !type);
    return ACTOR_FAIL;
}

static actor_next_t
despooler(actor_ctx_t *ctx, stand_in_t *self, const record_type_t *type)
{
    return nobody(ctx, self, type);
}

static actor_next_t
worker(actor_ctx_t *ctx, stand_in_t *self, const record_type_t *type)
{
    return nobody(ctx, self, type);
}

HEARS(stand_in_t, agent_shut)
static actor_next_t
on_agent_shut(actor_ctx_t *ctx, stand_in_t *self, const agent_shut_t *m)
{
    claim(ctx, !self || !m);
    return ACTOR_FAIL;
}

static const actor_hears_t gateway_hears[] = {ON_URGENT(agent_shut)};
static const actor_class_t gateway_class = {STANDS_IN("agent_gateway", gateway_hears),
                                            .role = true};
static const actor_class_t queue_class = {STANDS_IN("despooler", despooler_hears), .role = true};

static actor_next_t
host_init(actor_ctx_t *ctx, void *state, const void *args)
{
    cr_assert(state && !args);
    return stand_in_site(ctx) ? ACTOR_CONTINUE : ACTOR_FAIL;
}

static const actor_class_t host_class = {
    .name = "asker", .state_bytes = 8, .init = host_init, .on_down = ended};
static const actor_class_t *const cast[] = {&host_class,
                                            &distribution_manager_class,
                                            &database_class,
                                            &queue_class,
                                            &snapshots_class,
                                            &gateway_class,
                                            NULL};

/* It is tried every few minutes; an operator is told when it begins, and each time that why it is
 * so has changed. */
Test(collected, more_versions_than_a_message_can_name_are_told_once_while_that_lasts)
{
    small_at = 3;
    sim_t *sim = alone_new(cast);
    sim_start(sim);
    sim_run_for(sim, HOUR, STEPS_MAX);
    uint32_t by_then = told;
    cr_assert(sim_stop(sim, HOUR));
    sim_destroy(&sim);
    cr_assert_gt(asked, 6, "%u questions", asked);
    cr_expect_eq(by_then, 3, "%u messages: for want of room, of a store, and of room", by_then);
}

/* Else what the one lets go would look to the other like what a run that is gone had named. */
Test(collected, no_collection_begins_while_the_store_is_being_read_again)
{
    reads = true;
    sim_t *sim = alone_new(cast);
    world_sim_t *machine = sim_world(sim);
    world_t *outside = world_sim_look_new(machine);
    cr_assert_eq(world_make_dir(outside, AT_FDCWD, "/data", 0700), 0);
    world_sim_job_destroy(&outside);
    world_sim_hang(machine, "/data", true);
    sim_start(sim);
    sim_run_for(sim, HOUR, STEPS_MAX);
    cr_expect_eq(asked, 0, "%u collections began", asked);
    world_sim_hang(machine, "/data", false);
    sim_run_for(sim, SECOND, STEPS_MAX);
    cr_expect_eq(asked, 1, "%u collections began when it was read", asked);
    cr_assert(sim_stop(sim, HOUR));
    sim_destroy(&sim);
}
