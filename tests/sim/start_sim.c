/* start_sim.c - Q304381: whatever the order and the delays, a site starts, or says who does not.
 *
 *   start_sim [SEEDS]     TAP on stdout; 10,000 seeds unless told otherwise
 *
 * The article's two threads waited for each other at start-up. Here the real roster starts under
 * many seeds with shuffled order and delays; a component whose init never becomes ready is named
 * while the others work; and a pair of actors that starts the old way (the parent waits for its
 * child, the child asks its parent) is caught by the same check. */
#include <assert.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/notes.h"
#include "tests/sim/stage.h"

#define READY_MS 10000u /* virtual: a healthy start takes some milliseconds */

static int failures, claims;

static void
claim_that(bool truth, const char *sentence, const char *detail)
{
    printf("%sok %d - %s\n", truth ? "" : "not ", ++claims, sentence);
    if (!truth) {
        printf("# %s\n", detail);
        failures++;
    }
}

static stage_t *
started(uint64_t seed, const actor_class_t *const *classes, const actor_class_t *root)
{
    stage_options_t options = {.seed = seed,
                               .strategy = (sim_strategy_t) (seed % SIM_STRATEGY_COUNT),
                               .points = 1,
                               .files = 1,
                               .classes = classes,
                               .root = root};

    sqlite3_randomness(0, NULL);
    return stage_new(&options);
}

/* ---- the check: ready in bounded time, or told why not ---- */

static bool
starts_well(uint64_t seed, const actor_class_t *const *classes, const actor_class_t *root,
            char *ret_why, size_t why_size)
{
    stage_t *stage = started(seed, classes, root);
    bool ready = !stage_fault(stage) && stage_ready(stage, READY_MS);

    if (stage_fault(stage)) {
        snprintf(ret_why, why_size, "seed %lu: %s", (unsigned long) seed, stage_fault(stage));
    } else if (!ready) {
        char who[256] = "";
        sim_is_ready(stage_sim(stage), who, sizeof who);
        snprintf(ret_why, why_size, "seed %lu: not ready: %s", (unsigned long) seed, who);
    }
    stage_destroy(&stage);
    return ready;
}

static void
every_order_starts(uint64_t seeds)
{
    char why[512] = "", sentence[128];
    bool well = true;

    for (uint64_t seed = 1; seed <= seeds && well; seed++) {
        well = starts_well(seed, NULL, NULL, why, sizeof why);
    }
    snprintf(sentence, sizeof sentence, "the roster starts in any order (%lu seeds)",
             (unsigned long) seeds);
    claim_that(well, sentence, why);
}

/* ---- an init that never becomes ready ---- */

static void
one_that_hangs_is_named(void)
{
    char who[256] = "";
    stage_t *stage = started(1, NULL, NULL);

    world_sim_hang(stage_world(stage), "/data", true);
    bool ready = stage_ready(stage, READY_MS);
    sim_is_ready(stage_sim(stage), who, sizeof who);
    claim_that(!ready && strstr(who, "site_database") != NULL,
               "a component whose init never returns is named", who);
    err_t err = stage_do(stage, 5000, "ping", NULL);
    claim_that(err == OK, "the others work meanwhile", err_word(err));
    world_sim_heal(stage_world(stage));
    claim_that(stage_ready(stage, 60000), "healed, it becomes ready unaided", who);
    stage_destroy(&stage);
}

/* ---- the old way ---- */

typedef struct old_parent {
    request_t waiting;
    bool asked;
} old_parent_t;

#define CHILD_EDGES(E) E(ASK, old_parent, link_request)
ACTOR_EDGES(CHILD_EDGES)

static actor_next_t
child_heard(actor_ctx_t *ctx, void *self, const actor_answer_t *answer)
{
    assert(self && answer);
    actor_ready(ctx);
    return ACTOR_CONTINUE;
}

static actor_next_t
child_init(actor_ctx_t *ctx, void *self, const void *args)
{
    link_request_t *m = DRAFT(ctx, link_request);

    assert(self && !args);
    m->body = actor_text(ctx, slice_of("may I?"));
    return ask_old_parent_link_request(ctx, m, 86400000, child_heard, 0) == VERDICT_OK
               ? ACTOR_CONTINUE
               : ACTOR_FAIL;
}

static const actor_class_t child_class = {.name = "old_child",
                                          .state_bytes = 1,
                                          .init = child_init,
                                          .edges = actor_edges,
                                          .edge_count = ACTOR_EDGE_COUNT,
                                          .role = true,
                                          .starts_later = true};

HEARS(old_parent_t, link_request)

/* It answers nobody before it is ready, and is ready when its child is: the article's two threads.
 */
static actor_next_t
on_link_request(actor_ctx_t *ctx, old_parent_t *self, const link_request_t *m)
{
    claim(ctx, m->body.size > 0);
    self->waiting = actor_defer(ctx, "old_child");
    self->asked = true;
    return ACTOR_CONTINUE;
}

static actor_next_t
parent_init(actor_ctx_t *ctx, void *self, const void *args)
{
    actor_ref_t child;

    assert(self && args);
    return actor_spawn(ctx, &child_class, slice_of("old_child"), NULL, NULL, 0, &child) ==
                   VERDICT_OK
               ? ACTOR_CONTINUE
               : ACTOR_FAIL;
}

static const actor_hears_t parent_hears[] = {ON(link_request)};
static const actor_class_t parent_class = {.name = "old_parent",
                                           .state_bytes = sizeof(old_parent_t),
                                           .init = parent_init,
                                           .hears = parent_hears,
                                           .hears_count = 1,
                                           .role = true,
                                           .starts_later = true};

/* The commands of the stage go to a role of this name, which here is never used. */
static const actor_class_t provider_double = {
    .name = "provider", .state_bytes = 1, .hears = parent_hears, .hears_count = 1, .role = true};
static const actor_class_t alarm_double = {.name = "alarm_manager", .state_bytes = 1, .role = true};

static void
the_old_way_is_caught(void)
{
    static const actor_class_t *const old_way[] = {&parent_class, &child_class, &provider_double,
                                                   &alarm_double, NULL};
    char why[512] = "";
    bool well = starts_well(1, old_way, &parent_class, why, sizeof why);

    claim_that(!well && strstr(why, "old_") != NULL,
               "a pair that starts the old way is caught by the same check", why);
}

int
main(int argc, char **argv)
{
    uint64_t seeds = argc > 1 ? strtoull(argv[1], NULL, 10) : 10000;

    printf("TAP version 13\n");
    every_order_starts(seeds);
    one_that_hangs_is_named();
    the_old_way_is_caught();
    printf("1..%d\n", claims);
    return failures ? 1 : 0;
}
