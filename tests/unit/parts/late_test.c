/* late_test.c - claims about a snapshot that takes longer than somebody waits for it: the real
 * package_worker, among others that stand in for the site. */
#include <criterion/criterion.h>
#include <fcntl.h>

#include "actors/answer.h"
#include "actors/package_orders.h"
#include "actors/roster.h"
#include "tests/unit/alone.h"

#define STEPS_MAX 200000u
#define SECOND    INT64_C(1000000000)
#define ASK_MS    200000u /* that somebody waits for two commands, one after the other */

static uint32_t answers, commits;
static err_t code[2];

HEARS(void, package_lookup)
static actor_next_t
on_package_lookup(actor_ctx_t *ctx, void *state, const package_lookup_t *m)
{
    claim(ctx, state && m);
    package_found_t *found = DRAFT(ctx, package_found);
    found->id = actor_text(ctx, slice_of("P1"));
    answer_unheard(REPLY(ctx, package_found, found));
    return ACTOR_CONTINUE;
}

HEARS(void, version_commit)
static actor_next_t
on_version_commit(actor_ctx_t *ctx, void *state, const version_commit_t *m)
{
    claim(ctx, state && m);
    commits++;
    answer_unheard(REPLY(ctx, done, DRAFT(ctx, done)));
    return ACTOR_CONTINUE;
}

HEARS(void, package_remove)
static actor_next_t
on_package_remove(actor_ctx_t *ctx, void *state, const package_remove_t *m)
{
    claim(ctx, !state || !m);
    return ACTOR_FAIL;
}

static const actor_hears_t database_hears[] = {ON(package_lookup), ON(version_commit),
                                               ON(package_remove)};
static const actor_class_t database_class = {.name = "site_database",
                                             .state_bytes = 8,
                                             .hears = database_hears,
                                             .hears_count = 3,
                                             .role = true};

/* ---- who asks ---- */

static actor_next_t
answered(actor_ctx_t *ctx, void *state, const actor_answer_t *answer)
{
    claim(ctx, state && answer->tag < 2);
    answers++;
    code[answer->tag] = answer_err(answer);
    return ACTOR_CONTINUE;
}

static actor_next_t
asker_init(actor_ctx_t *ctx, void *state, const void *args)
{
    actor_ref_t other, worker;
    package_worker_args_t *m = DRAFT(ctx, package_worker_args);

    claim(ctx, state && !args);
    m->id = actor_text(ctx, slice_of("p1"));
    m->data = actor_text(ctx, slice_of("/data"));
    claim(ctx, actor_spawn(ctx, &package_worker_class, slice_of("package_worker p1"),
                           &package_worker_args_type, m, 1, &worker) == VERDICT_OK &&
                   actor_spawn(ctx, &database_class, slice_of("site_database"), NULL, NULL, 2,
                               &other) == VERDICT_OK);
    for (uint64_t i = 0; i < 2; i++) {
        package_add_t *add = DRAFT(ctx, package_add);
        add->id = actor_text(ctx, slice_of("P1"));
        add->source = actor_text(ctx, slice_of("/source"));
        claim(ctx, actor_ask(ctx, 0, worker, add, ASK_MS, answered, i) == VERDICT_OK);
    }
    return ACTOR_CONTINUE;
}

static const actor_edge_t asker_edges[] = {{EDGE_ASK, "package_worker", &package_add_type}};
static const actor_class_t asker_class = {.name = "asker",
                                          .state_bytes = 8,
                                          .init = asker_init,
                                          .on_down = ended,
                                          .edges = asker_edges,
                                          .edge_count = 1};
static const actor_class_t *const cast[] = {&asker_class, &package_worker_class, &database_class,
                                            NULL};

/* The first snapshot is held up, the second one waits for it. */
static void
run(int64_t first_ns, int64_t second_ns)
{
    sim_t *sim = alone_new(cast);
    world_sim_t *machine = sim_world(sim);
    world_t *outside = world_sim_look_new(machine);
    cr_assert_eq(world_make_dir(outside, AT_FDCWD, "/data", 0700), 0);
    cr_assert_eq(world_make_dir(outside, AT_FDCWD, "/source", 0700), 0);
    world_sim_job_destroy(&outside);
    sim_start(sim);
    int64_t times[] = {first_ns, second_ns};
    for (int i = 0; i < 2; i++) {
        world_sim_hang(machine, "/source", true);
        sim_run_for(sim, times[i], STEPS_MAX);
        world_sim_hang(machine, "/source", false);
        for (uint32_t step = 0; step < STEPS_MAX && commits == (uint32_t) i; step++) {
            sim_run_for(sim, SECOND, 1);
        }
    }
    sim_run_for(sim, SECOND, STEPS_MAX);
    cr_assert(sim_stop(sim, 600 * SECOND));
    sim_destroy(&sim);
}

Test(late, a_version_whose_asker_waits_is_committed)
{
    run(60 * SECOND, 60 * SECOND);
    cr_expect_eq(commits, 2, "%u versions", commits);
    cr_expect(answers == 2 && code[0] == OK && code[1] == OK);
}

/* It was queued behind another one: its own time is what that has left of it. */
Test(late, no_version_comes_when_its_asker_has_been_told_that_it_was_late)
{
    run(100 * SECOND, 300 * SECOND);
    cr_expect_eq(commits, 1, "%u versions", commits);
    cr_expect(answers == 2 && code[0] == OK && code[1] == ERR_DEADLINE, "%s, then %s",
              err_word(code[0]), err_word(code[1]));
}
