/* actor_test.c - the actor itself, in the simulator: start, groups, hints, restart, no opening.
 * The cast is small: a root, somebody who asks, and those who hear the hints. */
#include <criterion/criterion.h>

#include <fcntl.h>
#include <string.h>

#include "actors/roster.h"
#include "proto/messages.h"
#include "proto/status.h"
#include "runtime/sim.h"
#include "tests/placement.h"

#define ASKS 60u

/* What the test sees of its cast; a run is one thread. */
static struct {
    uint32_t answered, failed, changed;
    uint64_t last_event, hints;
    bool restart, restarted;
} seen;

/* ---- somebody who asks ---- */

typedef struct asker {
    uint32_t asked;
} asker_t;

#define EDGES(E) E(ASK, site_database, note_event)
ACTOR_EDGES(EDGES)
THEN(asker_t, noted)

static verdict_t
ask_one(actor_ctx_t *ctx, uint64_t number)
{
    note_event_t *m = DRAFT(ctx, note_event);
    m->component = actor_text(ctx, slice_of("asker"));
    m->id = STATUS_ALARM_RAISED;
    m->text = actor_textf(ctx, "number %u", (unsigned) number);
    return ask_site_database_note_event(ctx, m, ASK_DEADLINE_MS, noted_then, number);
}

static actor_next_t
noted(actor_ctx_t *ctx, asker_t *self, const actor_answer_t *answer)
{
    const done_t *done = ANSWER_AS(answer, done);
    (void) self;
    if (answer->err == ERR_RESTARTING || answer->err == ERR_DOWN) {
        return actor_timer(ctx, answer->tag, 10) == VERDICT_OK ? ACTOR_CONTINUE : ACTOR_FAIL;
    }
    seen.answered += done != NULL;
    seen.failed += done == NULL;
    return ACTOR_CONTINUE;
}

static actor_next_t
asker_timer(actor_ctx_t *ctx, void *self, uint64_t key)
{
    (void) self;
    return ask_one(ctx, key) == VERDICT_OK || actor_timer(ctx, key, 10) == VERDICT_OK
               ? ACTOR_CONTINUE
               : ACTOR_FAIL;
}

static actor_next_t
asker_init(actor_ctx_t *ctx, void *self, const void *args)
{
    (void) self;
    (void) args;
    for (uint64_t i = 1; i <= ASKS; i++) {
        if (actor_timer(ctx, i, 1 + actor_random(ctx) % 20) != VERDICT_OK) {
            return ACTOR_FAIL;
        }
    }
    return ACTOR_CONTINUE;
}

static const actor_class_t asker_class = {.name = "asker",
                                          .state_bytes = sizeof(asker_t),
                                          .init = asker_init,
                                          .on_timer = asker_timer,
                                          .edges = actor_edges,
                                          .edge_count = ACTOR_EDGE_COUNT,
                                          .role = true};

/* ---- those who hear the hints ---- */

static actor_next_t
hear_work(actor_ctx_t *ctx, void *self, const void *m)
{
    (void) ctx;
    (void) self;
    (void) m;
    seen.changed++;
    return ACTOR_CONTINUE;
}

static actor_next_t
hear_events(actor_ctx_t *ctx, void *self, const void *m)
{
    const events_committed_t *news = m;
    (void) ctx;
    (void) self;
    cr_assert_gt(news->last, seen.last_event, "a hint tells what is new");
    seen.last_event = news->last;
    seen.hints++;
    return ACTOR_CONTINUE;
}

static actor_next_t
no_init(actor_ctx_t *ctx, void *self, const void *args)
{
    (void) ctx;
    (void) self;
    (void) args;
    return ACTOR_CONTINUE;
}

static const actor_hears_t work_hears[] = {{&work_changed_type, LANE_NORMAL, hear_work}};
static const actor_class_t manager_double = {.name = "distribution_manager",
                                             .state_bytes = 8,
                                             .init = no_init,
                                             .hears = work_hears,
                                             .hears_count = 1,
                                             .role = true};
static const actor_hears_t events_hears[] = {{&events_committed_type, LANE_NORMAL, hear_events}};
static const actor_class_t status_double = {.name = "status_manager",
                                            .state_bytes = 8,
                                            .init = no_init,
                                            .hears = events_hears,
                                            .hears_count = 1,
                                            .role = true};

static actor_next_t
hear_agents(actor_ctx_t *ctx, void *self, const void *m)
{
    (void) ctx;
    (void) self;
    (void) m;
    return ACTOR_CONTINUE;
}

static const actor_hears_t agents_hears[] = {{&agents_changed_type, LANE_NORMAL, hear_agents}};
static const actor_class_t gateway_double = {.name = "agent_gateway",
                                             .state_bytes = 8,
                                             .init = no_init,
                                             .hears = agents_hears,
                                             .hears_count = 1,
                                             .role = true};

/* ---- their root ---- */

typedef struct director {
    actor_ref_t database;
} director_t;

static actor_next_t
director_init(actor_ctx_t *ctx, void *state, const void *args)
{
    director_t *self = state;
    actor_ref_t other;
    (void) args;
    site_args_t *site = DRAFT(ctx, site_args);
    site->data = actor_text(ctx, slice_of("/data"));
    site->site = actor_text(ctx, slice_of("S01"));
    bool ok =
        actor_spawn(ctx, &site_database_class, slice_of("site_database"), &site_args_type, site, 1,
                    &self->database) == VERDICT_OK &&
        actor_spawn(ctx, &manager_double, slice_of("distribution_manager"), NULL, NULL, 2,
                    &other) == VERDICT_OK &&
        actor_spawn(ctx, &status_double, slice_of("status_manager"), NULL, NULL, 3, &other) ==
            VERDICT_OK &&
        actor_spawn(ctx, &asker_class, slice_of("asker"), NULL, NULL, 4, &other) == VERDICT_OK;
    return ok && (!seen.restart || actor_timer(ctx, 1, 12) == VERDICT_OK) ? ACTOR_CONTINUE
                                                                          : ACTOR_FAIL;
}

static actor_next_t
director_timer(actor_ctx_t *ctx, void *state, uint64_t key)
{
    (void) key;
    actor_restart_child(ctx, ((director_t *) state)->database);
    seen.restarted = true;
    return ACTOR_CONTINUE;
}

static actor_next_t
director_down(actor_ctx_t *ctx, void *state, const actor_down_t *down)
{
    (void) ctx;
    if (down->tag == 1 && down->reason == ACTOR_RESTARTED) {
        ((director_t *) state)->database = down->next;
    }
    return ACTOR_CONTINUE;
}

static const actor_class_t director_class = {.name = "director",
                                             .state_bytes = sizeof(director_t),
                                             .init = director_init,
                                             .on_timer = director_timer,
                                             .on_down = director_down};

/* ---- runs ---- */

static const actor_class_t *const cast[] = {&director_class,
                                            &site_database_class,
                                            &manager_double,
                                            &status_double,
                                            &gateway_double,
                                            &asker_class,
                                            NULL};

static sim_t *
run_new(uint64_t seed)
{
    const host_options_t host = {
        .classes = cast, .root = &director_class, .placement = placement_wanted()};
    sim_options_t options = {.seed = seed,
                             .strategy = (sim_strategy_t) (seed % SIM_STRATEGY_COUNT),
                             .host = &host,
                             .delay_ns_max = 2000000,
                             .world = {.wall_start_ns = INT64_C(1790000000000000000)}};
    err_t err = OK;
    char why[200] = "";
    memset(&seen, 0, sizeof seen);
    sim_t *sim = sim_new(&options, &err, why, sizeof why);
    cr_assert_not_null(sim, "%s: %s", err_word(err), why);
    return sim;
}

static bool
all_answered(void *context)
{
    (void) context;
    return seen.answered + seen.failed == ASKS;
}

#define STEPS_MAX 400000u

Test(site_database, everyone_who_asks_is_answered_and_the_news_are_told)
{
    for (uint64_t seed = 1; seed <= 12; seed++) {
        sim_t *sim = run_new(seed);
        sim_start(sim);
        cr_assert(sim_run_until(sim, all_answered, NULL, STEPS_MAX), "seed %d: %u answered",
                  (int) seed, seen.answered);
        sim_run_for(sim, 1000000000, STEPS_MAX);
        cr_assert_eq(seen.failed, 0u);
        cr_assert_eq(seen.last_event, ASKS, "seed %d", (int) seed);
        cr_assert_lt(seen.hints, ASKS, "messages that wait for a job become one group");
        cr_assert(sim_stop(sim, INT64_C(10000000000)));
        sim_destroy(&sim);
    }
}

Test(site_database, restarted_it_opens_its_database_again_and_goes_on)
{
    for (uint64_t seed = 1; seed <= 12; seed++) {
        sim_t *sim = run_new(seed);
        seen.restart = true;
        sim_start(sim);
        cr_assert(sim_run_until(sim, all_answered, NULL, STEPS_MAX),
                  "seed %d: %u answered, restarted: %d", (int) seed, seen.answered, seen.restarted);
        cr_assert(seen.restarted);
        cr_assert_eq(seen.failed, 0u);
        char why[200] = "";
        cr_assert(sim_is_ready(sim, why, sizeof why), "seed %d: %s", (int) seed, why);
        cr_assert(sim_stop(sim, INT64_C(10000000000)));
        sim_destroy(&sim);
    }
}

Test(site_database, after_a_power_cut_it_has_all_that_was_told)
{
    for (uint64_t seed = 1; seed <= 12; seed++) {
        sim_t *sim = run_new(seed);
        sim_start(sim);
        sim_run_for(sim, (int64_t) (5 + seed) * 1000000, STEPS_MAX);
        uint32_t before = seen.answered;
        uint64_t told = seen.last_event;
        cr_assert(sim_crash(sim));
        seen.last_event = 0;
        seen.answered = 0;
        cr_assert(sim_run_until(sim, all_answered, NULL, STEPS_MAX));
        sim_run_for(sim, 1000000000, STEPS_MAX);
        cr_assert_geq(seen.last_event, before + ASKS, "seed %d", (int) seed);
        cr_assert_geq(seen.last_event, told + ASKS, "seed %d", (int) seed);
        sim_destroy(&sim);
    }
}

Test(site_database, one_that_cannot_open_says_why_and_has_the_host_stop)
{
    sim_t *sim = run_new(1);
    world_t *world = world_sim_job_new(sim_world(sim), NULL, NULL);
    cr_assert_eq(world_make_dir(world, AT_FDCWD, "/data", 0700), 0);
    cr_assert_eq(world_make_dir(world, AT_FDCWD, "/data/store", 0700), 0);
    world_sim_job_destroy(&world);
    sim_start(sim);
    sim_run_for(sim, INT64_C(2000000000), STEPS_MAX);
    cr_assert_eq(seen.answered, 0u, "no silent new database beside a store");
    cr_assert_eq(seen.hints, 0u);
    sim_destroy(&sim);
}
