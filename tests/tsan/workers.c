/* workers.c - four actors on threads of their own, who tell, ask and give jobs in a ring, while
 * figures are read from outside; a plain program, because it runs under ThreadSanitizer.
 *
 * It passes when every ask was answered, every tell arrived, every job came back, the host ended
 * in its time, and the sanitizer had nothing to say. */
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "proto/record_table.h"
#include "runtime/host.h"
#include "tests/placement.h"

#define ROUNDS       2000u
#define STOP_MS      60000u
#define FIGURES_ROOM 16u

#define FIELDS_hand(F, R)   F(R, u64, round, 0, REQUIRED) F(R, text, note, 64, OPTIONAL)
#define FIELDS_handed(F, R) F(R, u64, round, 0, REQUIRED)
RECORD_STRUCT(hand, FIELDS_hand)
RECORD_STRUCT(handed, FIELDS_handed)
RECORD_DEFINE(hand, 1, FIELDS_hand)
RECORD_DEFINE(handed, 2, FIELDS_handed)

enum { TELL_NEXT = 0, ASK_NEXT };

typedef struct ring {
    uint64_t rounds, told, answered, worked;
} ring_t;

static _Atomic uint64_t all_told, all_answered, all_worked, all_done;

static actor_next_t
go_on(actor_ctx_t *ctx, ring_t *self)
{
    if (self->answered < ROUNDS || self->worked < ROUNDS / 10) {
        return ACTOR_CONTINUE;
    }
    atomic_fetch_add(&all_answered, self->answered);
    atomic_fetch_add(&all_worked, self->worked);
    self->answered = 0;
    self->worked = 0;
    if (atomic_fetch_add(&all_done, 1) + 1 == 4) {
        actor_host_stop(ctx, "all rounds are done");
    }
    return ACTOR_CONTINUE;
}

THEN(ring_t, answered)
static void work(job_t *job, world_t *world, const void *input, void *resource);
THEN(ring_t, worked)

static actor_next_t
next_round(actor_ctx_t *ctx, ring_t *self)
{
    hand_t *m = DRAFT(ctx, hand);
    m->round = self->rounds++;
    m->note = actor_textf(ctx, "round %llu", (unsigned long long) m->round);
    claim(ctx, actor_tell_role(ctx, TELL_NEXT, m) == VERDICT_OK);
    claim(ctx, actor_ask_role(ctx, ASK_NEXT, m, 0, answered_then, m->round) == VERDICT_OK);
    if (m->round % 10 == 0) {
        job_spec_t job = {
            .name = "work", .run = work, .input_type = &hand_type, .input = m, .then = worked_then};
        claim(ctx, actor_job(ctx, &job, NULL) == VERDICT_OK);
    }
    return ACTOR_CONTINUE;
}

static actor_next_t
answered(actor_ctx_t *ctx, ring_t *self, const actor_answer_t *answer)
{
    const handed_t *handed = ANSWER_AS(answer, handed);
    claim(ctx, handed != NULL && handed->round == answer->tag);
    self->answered++;
    if (self->rounds < ROUNDS) {
        return next_round(ctx, self);
    }
    return go_on(ctx, self);
}

static void
work(job_t *job, world_t *world, const void *input, void *resource)
{
    const hand_t *m = input;
    handed_t *out = JOB_OUTPUT(job, handed);
    out->round = resource == NULL && !world_cancelled(world) ? m->round : 0;
    job_progress(job, 1, 1);
}

static actor_next_t
worked(actor_ctx_t *ctx, ring_t *self, const actor_answer_t *answer)
{
    claim(ctx, ANSWER_AS(answer, handed) != NULL);
    self->worked++;
    return go_on(ctx, self);
}

static actor_next_t
on_tell(actor_ctx_t *ctx, void *state, const void *message)
{
    const hand_t *m = message;
    ring_t *self = state;
    if (!actor_is_asked(ctx)) {
        self->told++;
        atomic_fetch_add(&all_told, 1);
        return ACTOR_CONTINUE;
    }
    handed_t *out = DRAFT(ctx, handed);
    out->round = m->round;
    return REPLY(ctx, handed, out) == VERDICT_OK ? ACTOR_CONTINUE : ACTOR_FAIL;
}

static actor_next_t
begin(actor_ctx_t *ctx, void *state, uint64_t key)
{
    claim(ctx, key == 1);
    return next_round(ctx, state);
}

static actor_next_t
ring_init(actor_ctx_t *ctx, void *state, const void *args)
{
    claim(ctx, state != NULL && args == NULL);
    return actor_timer(ctx, 1, 20) == VERDICT_OK ? ACTOR_CONTINUE : ACTOR_FAIL;
}

static const actor_hears_t hears[] = {{&hand_type, LANE_NORMAL, on_tell}};
#define RING(self, next)                                                                           \
    static const actor_edge_t self##_edges[] = {{EDGE_TELL, #next, &hand_type},                    \
                                                {EDGE_ASK, #next, &hand_type}};                    \
    static const actor_class_t self##_class = {.name = #self,                                      \
                                               .state_bytes = sizeof(ring_t),                      \
                                               .init = ring_init,                                  \
                                               .on_timer = begin,                                  \
                                               .hears = hears,                                     \
                                               .hears_count = 1,                                   \
                                               .edges = self##_edges,                              \
                                               .edge_count = 2,                                    \
                                               .role = true};
RING(north, east)
RING(east, south)
RING(south, west)
RING(west, north)
static const actor_class_t *const cast[] = {&north_class, &east_class, &south_class, &west_class,
                                            NULL};

static actor_next_t
root_init(actor_ctx_t *ctx, void *state, const void *args)
{
    claim(ctx, state != NULL && args == NULL);
    for (int i = 0; cast[i] != NULL; i++) {
        claim(ctx, actor_spawn(ctx, cast[i], slice_of(cast[i]->name), NULL, NULL, 0, NULL) ==
                       VERDICT_OK);
    }
    return ACTOR_CONTINUE;
}
static const actor_class_t root_class = {.name = "root", .state_bytes = 8, .init = root_init};

static int
expect(const char *what, uint64_t got, uint64_t expected)
{
    if (got != expected) {
        printf("%s: expected %llu, got %llu\n", what, (unsigned long long) expected,
               (unsigned long long) got);
    }
    return got == expected ? 0 : 1;
}

int
main(void)
{
    char left[256] = "";
    actor_figures_t figures[FIGURES_ROOM];
    uint32_t next = 0;
    host_options_t options = {
        .classes = cast, .root = &root_class, .placement = placement_wanted()};
    host_t *host = host_new(&options);
    int wrong = expect("start", host_start(host), OK);
    wrong += expect("ready", host_wait_ready(host, STOP_MS), true);
    for (int i = 0; i < 1000; i++) { /* looking, while they work */
        wrong += host_watch(host, 0, figures, FIGURES_ROOM, &next) == 0;
    }
    host_wait_stop(host);
    wrong += expect("stop in time", host_stop(host, STOP_MS, left, sizeof left), true);
    wrong += expect("answered asks", atomic_load(&all_answered), 4 * ROUNDS);
    wrong += expect("finished jobs", atomic_load(&all_worked), 4 * ROUNDS / 10);
    wrong += expect("heard tells", atomic_load(&all_told), 4 * ROUNDS);
    host_destroy(&host);
    printf("%s\n", wrong == 0 ? "ok" : "not ok");
    return wrong == 0 ? 0 : 1;
}
