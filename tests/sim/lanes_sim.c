/* lanes_sim.c - lanes, asks and their bounds through seeds of the simulator: three who ask more
 * than they may, and one who answers them all at once.
 *
 *   lanes_sim [--seeds A..B] [--most FAILURES]     TAP on stdout, one claim for the range
 *
 *   inv6  every ask is answered exactly once, in time; what was told arrives once and in order
 *   lanes an actor has at most ASKS_OPEN_MAX asks open, so its reply lane is bounded; a full lane
 *         says so, and takes more when it has room again */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "proto/limits.h"
#include "runtime/notes.h"
#include "runtime/sim.h"

#define ASKERS    3u
#define ASKS      1500u /* of each asker */
#define TOLD      400u  /* messages of each asker beside them */
#define LANE_MAX  300u  /* messages in the holder's lane */
#define STEPS_MAX 1000000u

typedef struct asker {
    uint32_t number, asked, answered, open, told;
    uint8_t times[ASKS];
} asker_t;

typedef struct holder {
    uint32_t held;
    request_t request[ASKERS * ASKS];
} holder_t;

/* What the run has come to, for who judges it from outside: one thread, one run at a time. */
static struct {
    char fault[256];
    uint32_t askers, answered, heard[ASKERS], told_next[ASKERS];
} seen;

static void
blame(const char *what, uint32_t number, uint32_t detail)
{
    if (!seen.fault[0]) {
        snprintf(seen.fault, sizeof seen.fault, "%s (asker %u: %u)", what, number, detail);
    }
}

/* ---- who asks ---- */

#define EDGES(E) E(ASK, holder, link_request) E(TELL, holder, link_publish)
ACTOR_EDGES(EDGES)
THEN(asker_t, heard)

static bool
ask_one(actor_ctx_t *ctx, asker_t *self)
{
    link_request_t *m = DRAFT(ctx, link_request);

    m->body = actor_text(ctx, slice_of("may I?"));
    if (ask_holder_link_request(ctx, m, 3600000, heard_then, self->asked) != VERDICT_OK) {
        return false;
    }
    self->asked++;
    self->open++;
    if (self->open > ASKS_OPEN_MAX) {
        blame("more asks are open than there are places in the reply lane", self->number,
              self->open);
    }
    return true;
}

static bool
tell_one(actor_ctx_t *ctx, asker_t *self)
{
    link_publish_t *m = DRAFT(ctx, link_publish);

    m->topic = actor_textf(ctx, "%u", self->number);
    m->body = actor_textf(ctx, "%u", self->told);
    if (tell_holder_link_publish(ctx, m) != VERDICT_OK) {
        return false;
    }
    self->told++;
    return true;
}

static actor_next_t
asker_timer(actor_ctx_t *ctx, void *state, uint64_t key)
{
    asker_t *self = state;

    claim(ctx, key == 1);
    while (self->asked < ASKS && ask_one(ctx, self)) {
    }
    for (uint32_t i = 0; i < 50 && self->told < TOLD && tell_one(ctx, self); i++) {
    }
    bool more = self->asked < ASKS || self->told < TOLD;
    claim(ctx, !more || actor_timer(ctx, 1, 1 + (uint32_t) (actor_random(ctx) % 3)) == VERDICT_OK);
    return ACTOR_CONTINUE;
}

static actor_next_t
heard(actor_ctx_t *ctx, asker_t *self, const actor_answer_t *answer)
{
    claim(ctx, self->open > 0 && answer->tag < ASKS);
    self->open--;
    self->answered++;
    seen.answered++;
    if (answer->err != OK) {
        blame(err_word(answer->err), self->number, (uint32_t) answer->tag);
    }
    if (self->times[answer->tag]++ > 0) {
        blame("an ask was answered twice", self->number, (uint32_t) answer->tag);
    }
    return ACTOR_CONTINUE;
}

static actor_next_t
asker_init(actor_ctx_t *ctx, void *state, const void *args)
{
    claim(ctx, !args && seen.askers < ASKERS);
    ((asker_t *) state)->number = seen.askers++;
    return actor_timer(ctx, 1, 1) == VERDICT_OK ? ACTOR_CONTINUE : ACTOR_FAIL;
}

static const actor_class_t asker_class = {.name = "asker",
                                          .state_bytes = sizeof(asker_t),
                                          .init = asker_init,
                                          .on_timer = asker_timer,
                                          .edges = actor_edges,
                                          .edge_count = ACTOR_EDGE_COUNT};

/* ---- who answers all at once, now and then ---- */

HEARS(holder_t, link_request)
HEARS(holder_t, link_publish)

static actor_next_t
on_link_request(actor_ctx_t *ctx, holder_t *self, const link_request_t *m)
{
    claim(ctx, m->body.size > 0 && self->held < ASKERS * ASKS);
    if (self->held == 0) {
        claim(ctx, actor_timer(ctx, 1, 1 + (uint32_t) (actor_random(ctx) % 20)) == VERDICT_OK);
    }
    self->request[self->held++] = actor_defer(ctx, "the time");
    return ACTOR_CONTINUE;
}

static actor_next_t
on_link_publish(actor_ctx_t *ctx, holder_t *self, const link_publish_t *m)
{
    char topic[16], body[16];

    claim(ctx, self != NULL && slice_copy(record_slice(m, m->topic), topic, sizeof topic) &&
                   slice_copy(record_slice(m, m->body), body, sizeof body));
    uint32_t number = (uint32_t) strtoul(topic, NULL, 10);
    uint32_t which = (uint32_t) strtoul(body, NULL, 10);
    if (which != seen.told_next[number]) {
        blame("what was told came out of order", number, which);
    }
    seen.told_next[number] = which + 1;
    return ACTOR_CONTINUE;
}

static actor_next_t
holder_timer(actor_ctx_t *ctx, void *state, uint64_t key)
{
    holder_t *self = state;

    claim(ctx, key == 1);
    while (self->held > 0) {
        link_reply_t *reply = DRAFT(ctx, link_reply);
        reply->body = actor_text(ctx, slice_of("you may"));
        claim(ctx, REPLY_TO(ctx, self->request[--self->held], link_reply, reply) == VERDICT_OK);
    }
    return ACTOR_CONTINUE;
}

static const actor_hears_t holder_hears[] = {ON(link_request), ON(link_publish)};
static const actor_class_t holder_class = {.name = "holder",
                                           .state_bytes = sizeof(holder_t),
                                           .on_timer = holder_timer,
                                           .hears = holder_hears,
                                           .hears_count = 2,
                                           .lane_messages_max = LANE_MAX,
                                           .role = true};

static actor_next_t
root_init(actor_ctx_t *ctx, void *state, const void *args)
{
    static const char *const names[ASKERS] = {"asker0", "asker1", "asker2"};
    actor_ref_t child;
    bool spawned =
        state && !args &&
        actor_spawn(ctx, &holder_class, slice_of("holder"), NULL, NULL, 0, &child) == VERDICT_OK;

    for (uint32_t i = 0; i < ASKERS; i++) {
        spawned = spawned && actor_spawn(ctx, &asker_class, slice_of(names[i]), NULL, NULL, 0,
                                         &child) == VERDICT_OK;
    }
    return spawned ? ACTOR_CONTINUE : ACTOR_FAIL;
}
static const actor_class_t root_class = {
    .name = "root", .state_bytes = 1, .init = root_init, .role = true};
static const actor_class_t *const cast[] = {&root_class, &asker_class, &holder_class, NULL};

/* ---- one seed ---- */

static void
judge(sim_t *sim)
{
    char why[256] = "";

    if (seen.answered != ASKERS * ASKS) {
        blame("an ask was never answered", 0, ASKERS * ASKS - seen.answered);
    }
    for (uint32_t i = 0; i < ASKERS; i++) {
        if (seen.told_next[i] != TOLD) {
            blame("what was told did not arrive", i, TOLD - seen.told_next[i]);
        }
    }
    if (sim_now_ns(sim) > INT64_C(60000000000)) {
        blame("it took more than a virtual minute", 0, (uint32_t) (sim_now_ns(sim) / 1000000000));
    }
    if (sim_open_asks(sim, why, sizeof why) > 0) {
        blame(why, 0, 0);
    }
    if (!sim_stop(sim, INT64_C(10000000000))) {
        blame("the host did not stop", 0, 0);
    }
}

static bool
all_arrived(void *context)
{
    bool all = context != NULL && seen.answered == ASKERS * ASKS;

    for (uint32_t i = 0; i < ASKERS; i++) {
        all = all && seen.told_next[i] == TOLD;
    }
    return all || seen.fault[0];
}

static uint64_t
run_seed(uint64_t seed)
{
    host_options_t host = {.classes = cast, .root = &root_class};
    sim_options_t options = {.seed = seed,
                             .strategy = (sim_strategy_t) (seed % SIM_STRATEGY_COUNT),
                             .rounds =
                                 (sim_rounds_t) (seed / SIM_STRATEGY_COUNT % SIM_ROUNDS_COUNT),
                             .host = &host,
                             .delay_ns_max = 100000};
    char why[256] = "";
    err_t err = OK;

    memset(&seen, 0, sizeof seen);
    sim_t *sim = sim_new(&options, &err, why, sizeof why);
    if (!sim) {
        blame(why, 0, 0);
        return 0;
    }
    sim_start(sim);
    sim_run_until(sim, all_arrived, sim, STEPS_MAX);
    judge(sim);
    uint64_t steps = sim_steps(sim);
    sim_destroy(&sim);
    return steps;
}

int
main(int argc, char **argv)
{
    uint64_t first = 1, last = 20, most = 5, failed = 0, steps = 0, seeds = 0;

    for (int i = 1; i + 1 < argc; i += 2) {
        bool known = strcmp(argv[i], "--seeds") == 0
                         ? sscanf(argv[i + 1], "%lu..%lu", &first, &last) == 2
                         : strcmp(argv[i], "--most") == 0 && sscanf(argv[i + 1], "%lu", &most) == 1;
        if (!known) {
            fprintf(stderr, "usage: lanes_sim [--seeds A..B] [--most FAILURES]\n");
            return 2;
        }
    }
    printf("TAP version 13\n1..1\n");
    for (uint64_t seed = first; seed <= last && failed < most; seed++, seeds++) {
        steps += run_seed(seed);
        if (seen.fault[0]) {
            failed++;
            fprintf(stderr, "# seed %lu: %s\n", (unsigned long) seed, seen.fault);
        }
    }
    printf("# %lu seeds, %lu failed; %lu steps, 0 distinct places a power cut could fall, 0 cuts, "
           "0 targets instructed, 0 recounts, 0 commits looked at, %lu ms\n",
           (unsigned long) seeds, (unsigned long) failed, (unsigned long) steps,
           (unsigned long) (clock() / (CLOCKS_PER_SEC / 1000)));
    printf("%sok 1 - every ask is answered once, what is told comes in order, no lane overflows\n",
           failed ? "not " : "");
    return failed ? 1 : 0;
}
