/* trace_hash.c - what a seed of a small cast does, as one number: the same from every build of this
 * program.
 *
 *   trace_hash --hashes [--seeds A..B] [--strategy S] [--sockets]
 *   trace_hash --rate   how many steps and deliveries a second of CPU makes
 *
 * The cast has asks and tells over channels and the pool, timers, jobs on the simulated disk,
 * chance, and a component that fails and is restarted; no database, and no content.
 */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "runtime/inside.h"
#include "runtime/notes.h"
#include "runtime/sim.h"
#include "runtime/sim_inside.h"
#include "tests/sim/seeds.h"

#define ASKERS     4
#define FAILS_EACH 97u /* requests */

static uint64_t rounds = 60; /* of each asker */
static bool plain;           /* neither jobs nor failures nor pauses: for the rate */

typedef struct asker {
    uint64_t answered;
} asker_t;

#define EDGES(E) E(ASK, echo, link_request) E(TELL, echo, link_publish)
ACTOR_EDGES(EDGES)
THEN(asker_t, heard)
THEN(asker_t, worked)

/* Some in a row, which may go in one batch. */
static bool
tell_some(actor_ctx_t *ctx)
{
    bool well = true;

    for (uint64_t left = plain ? 0 : actor_random(ctx) % 5; left > 0; left--) {
        link_publish_t *m = DRAFT(ctx, link_publish);
        m->body = actor_textf(ctx, "%lu", (unsigned long) left);
        verdict_t verdict = tell_echo_link_publish(ctx, m);
        well = well && (verdict == VERDICT_OK || verdict == VERDICT_DOWN);
    }
    return well; /* echo may be on its way up again */
}

static actor_next_t
ask_again(actor_ctx_t *ctx)
{
    claim(ctx, tell_some(ctx));
    link_request_t *m = DRAFT(ctx, link_request);

    m->body = actor_textf(ctx, "is %lu there", (unsigned long) (actor_random(ctx) % 1000));
    return ask_echo_link_request(ctx, m, 1000, heard_then, 0) == VERDICT_OK ? ACTOR_CONTINUE
                                                                            : ACTOR_FAIL;
}

static void
work(job_t *job, world_t *world, const void *input, void *resource)
{
    world_stat_t stat;
    uint32_t found = 0;

    assert(input && !resource);
    for (int i = 0; i < 3; i++) {
        found += world_stat_at(world, -100, "/", &stat) == 0;
    }
    link_reply_t *reply = JOB_OUTPUT(job, link_reply);
    reply->body = draft_text(job_draft(job), slice_of(found == 3 ? "all" : "some"));
}

static actor_next_t
begin_work(actor_ctx_t *ctx)
{
    link_request_t *m = DRAFT(ctx, link_request);

    m->body = actor_text(ctx, slice_of("work"));
    job_spec_t spec = {.name = "work",
                       .run = work,
                       .input_type = &link_request_type,
                       .input = m,
                       .then = worked_then};
    return actor_job(ctx, &spec, NULL) == VERDICT_OK ? ACTOR_CONTINUE : ACTOR_FAIL;
}

static actor_next_t
go_on(actor_ctx_t *ctx, asker_t *self)
{
    if (++self->answered >= rounds) {
        return ACTOR_CONTINUE;
    }
    switch (plain ? 0 : actor_random(ctx) % 4) {
    case 1:
        return actor_timer(ctx, 1, 1 + actor_random(ctx) % 50) == VERDICT_OK ? ACTOR_CONTINUE
                                                                             : ACTOR_FAIL;
    case 2:
        return begin_work(ctx);
    default:
        return ask_again(ctx);
    }
}

static actor_next_t
heard(actor_ctx_t *ctx, asker_t *self, const actor_answer_t *answer)
{
    /* Echo may be on its way up again. */
    return answer->err == OK                        ? go_on(ctx, self)
           : actor_timer(ctx, 1, 200) == VERDICT_OK ? ACTOR_CONTINUE
                                                    : ACTOR_FAIL;
}

static actor_next_t
worked(actor_ctx_t *ctx, asker_t *self, const actor_answer_t *answer)
{
    claim(ctx, answer->err == OK);
    return go_on(ctx, self);
}

static actor_next_t
asker_timer(actor_ctx_t *ctx, void *self, uint64_t key)
{
    claim(ctx, self && key == 1);
    if (ask_again(ctx) == ACTOR_CONTINUE) {
        return ACTOR_CONTINUE;
    }
    return actor_timer(ctx, 1, 200) == VERDICT_OK ? ACTOR_CONTINUE : ACTOR_FAIL;
}

static actor_next_t
asker_init(actor_ctx_t *ctx, void *self, const void *args)
{
    claim(ctx, self && !args);
    return actor_timer(ctx, 1, 1 + actor_random(ctx) % 50) == VERDICT_OK ? ACTOR_CONTINUE
                                                                         : ACTOR_FAIL;
}

static const actor_class_t asker_class = {.name = "asker",
                                          .state_bytes = sizeof(asker_t),
                                          .init = asker_init,
                                          .on_timer = asker_timer,
                                          .edges = actor_edges,
                                          .edge_count = ACTOR_EDGE_COUNT,
                                          .placement = ACTOR_POOL};

typedef struct echo {
    uint64_t heard, told;
} echo_t;
HEARS(echo_t, link_request)
HEARS(echo_t, link_publish)

static actor_next_t
on_link_publish(actor_ctx_t *ctx, echo_t *self, const link_publish_t *m)
{
    claim(ctx, m->body.size == 1);
    self->told += (uint64_t) (record_slice(m, m->body).data[0] - '0');
    return ACTOR_CONTINUE;
}

static actor_next_t
on_link_request(actor_ctx_t *ctx, echo_t *self, const link_request_t *m)
{
    claim(ctx, plain || ++self->heard % FAILS_EACH != 0);
    link_reply_t *reply = DRAFT(ctx, link_reply);
    reply->body = actor_text(ctx, record_slice(m, m->body));
    return REPLY(ctx, link_reply, reply) == VERDICT_OK ? ACTOR_CONTINUE : ACTOR_FAIL;
}
static const actor_hears_t echo_hears[] = {ON(link_request), ON(link_publish)};
static const actor_class_t echo_class = {.name = "echo",
                                         .state_bytes = sizeof(echo_t),
                                         .hears = echo_hears,
                                         .hears_count = 2,
                                         .role = true};

static actor_next_t
root_init(actor_ctx_t *ctx, void *self, const void *args)
{
    actor_ref_t child;
    bool well =
        self && !args &&
        actor_spawn(ctx, &echo_class, slice_of("echo"), NULL, NULL, 0, &child) == VERDICT_OK;

    for (int i = 0; i < ASKERS; i++) {
        well = well && actor_spawn(ctx, &asker_class, slice_of("asker"), NULL, NULL, 0, &child) ==
                           VERDICT_OK;
    }
    return well ? ACTOR_CONTINUE : ACTOR_FAIL;
}
static const actor_class_t root_class = {
    .name = "root", .state_bytes = 1, .init = root_init, .role = true};
static const actor_class_t *const cast[] = {&root_class, &asker_class, &echo_class, NULL};

/* ---- runs ---- */

static sim_t *
started(const seeds_t *seeds, uint64_t seed)
{
    host_options_t host = {.classes = cast, .root = &root_class, .pool_workers = 2};
    sim_options_t options = {
        .seed = seed,
        .strategy = seeds_strategy(seeds, seed),
        .rounds = plain ? SIM_ALONE : seeds_rounds(seed),
        .host = &host,
        .delay_ns_max = plain ? 0 : 1000,
        .over_sockets = seeds->over_sockets,
        .world = {.wall_start_ns = INT64_C(1600000000000000000), .latency_ns_max = 100000}};
    char why[256] = "";
    err_t err = OK;
    sim_t *sim = sim_new(&options, &err, why, sizeof why);

    if (!sim) {
        fprintf(stderr, "cannot simulate: %s: %s\n", err_word(err), why);
        exit(1);
    }
    sim_start(sim);
    return sim;
}

static bool
run_seed(const seeds_t *seeds, uint64_t seed)
{
    sim_t *sim = started(seeds, seed);
    bool well;

    while (sim_step(sim)) {
    }
    well = sim_stop(sim, INT64_C(10000000000)) && !sim_fault(sim);
    if (seeds->hashes) {
        seeds_tell_trace(seeds, seed, sim_hash(sim), sim_steps(sim));
    }
    if (!well) {
        fprintf(stderr, "seed %lu: %s\n", (unsigned long) seed,
                sim_fault(sim) ? sim_fault(sim) : "it did not stop");
    }
    sim_destroy(&sim);
    return well;
}

static double
cpu_seconds(void)
{
    struct timespec now;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double) now.tv_sec + (double) now.tv_nsec / 1e9;
}

static void
print_rate(void)
{
    plain = true;
    rounds = 400000;
    sim_t *sim = started(&(seeds_t){0}, 6);
    uint64_t steps = 0, deliveries = 0;
    double before = cpu_seconds();

    while (steps < 3000000 && sim_step(sim)) {
        steps++;
        deliveries += sim->choices > 0 && sim->chosen < sim_channel_count(sim);
    }
    double seconds = cpu_seconds() - before;
    printf("%.0f steps/s, %.0f deliveries/s (%lu steps in %.2f s of CPU)\n",
           (double) steps / seconds, (double) deliveries / seconds, (unsigned long) steps, seconds);
    sim_destroy(&sim);
}

int
main(int argc, char **argv)
{
    seeds_t seeds = {.first = 1, .last = 24};
    bool well = true;

    if (argc == 2 && strcmp(argv[1], "--rate") == 0) {
        print_rate();
        return 0;
    }
    if (!seeds_parse(argc, argv, "trace_hash", &seeds)) {
        return 2;
    }
    for (uint64_t seed = seeds.first; seed <= seeds.last; seed++) {
        well = run_seed(&seeds, seed) && well;
    }
    return well ? 0 : 1;
}
