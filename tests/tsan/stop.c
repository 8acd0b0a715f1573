/* stop.c - hosts that are stopped, or just destroyed, while their actors talk and a job runs; a
 * plain program, because it runs under ThreadSanitizer.
 *
 * It passes when every host ended in its time and the sanitizer had nothing to say. */
#include <stdio.h>

#include "proto/record_table.h"
#include "runtime/host.h"
#include "tests/placement.h"

#define ROUNDS  30
#define STOP_MS 60000u

#define FIELDS_ball(F, R) F(R, u64, round, 0, REQUIRED)
RECORD_STRUCT(ball, FIELDS_ball)
RECORD_DEFINE(ball, 1, FIELDS_ball)

typedef struct player {
    uint64_t heard;
} player_t;

static verdict_t
throw_ball(actor_ctx_t *ctx, uint64_t round)
{
    ball_t *m = DRAFT(ctx, ball);
    m->round = round;
    return actor_tell_role(ctx, 0, m);
}

/* Until it is cancelled. */
static void
work(job_t *job, world_t *world, const void *input, void *resource)
{
    while (!world_cancelled(world) && input == NULL && resource == NULL) {
        job_progress(job, 1, 2);
    }
}

static actor_next_t
worked(actor_ctx_t *ctx, void *self, const actor_answer_t *answer)
{
    claim(ctx, self != NULL && answer != NULL);
    return ACTOR_CONTINUE;
}

static actor_next_t
player_init(actor_ctx_t *ctx, void *self, const void *args)
{
    job_spec_t job = {.name = "work", .run = work, .then = worked};
    claim(ctx, self != NULL && args == NULL);
    claim(ctx, actor_job(ctx, &job, NULL) == VERDICT_OK);
    for (uint64_t i = 0; i < 10; i++) {
        claim(ctx, throw_ball(ctx, i) == VERDICT_OK);
    }
    return ACTOR_CONTINUE;
}

static actor_next_t
on_ball(actor_ctx_t *ctx, void *state, const void *message)
{
    const ball_t *m = message;
    player_t *self = state;
    verdict_t verdict = throw_ball(ctx, m->round + 1);
    self->heard++;
    claim(ctx, verdict == VERDICT_OK || verdict == VERDICT_DOWN);
    return ACTOR_CONTINUE;
}

static const actor_hears_t hears[] = {{&ball_type, LANE_NORMAL, on_ball}};
#define PLAYER(self, other)                                                                        \
    static const actor_edge_t self##_edges[] = {{EDGE_TELL, #other, &ball_type}};                  \
    static const actor_class_t self##_class = {.name = #self,                                      \
                                               .state_bytes = sizeof(player_t),                    \
                                               .init = player_init,                                \
                                               .hears = hears,                                     \
                                               .hears_count = 1,                                   \
                                               .edges = self##_edges,                              \
                                               .edge_count = 1,                                    \
                                               .role = true};
PLAYER(left, right)
PLAYER(right, left)
static const actor_class_t *const players[] = {&left_class, &right_class, NULL};

static actor_next_t
root_init(actor_ctx_t *ctx, void *state, const void *args)
{
    claim(ctx, state != NULL && args == NULL);
    for (int i = 0; players[i] != NULL; i++) {
        claim(ctx, actor_spawn(ctx, players[i], slice_of(players[i]->name), NULL, NULL, 0, NULL) ==
                       VERDICT_OK);
    }
    return ACTOR_CONTINUE;
}
static const actor_class_t root_class = {.name = "root", .state_bytes = 8, .init = root_init};

int
main(void)
{
    host_options_t options = {
        .classes = players, .root = &root_class, .placement = placement_wanted()};
    int wrong = 0;
    for (int round = 0; round < ROUNDS; round++) {
        char left[256] = "";
        host_t *host = host_new(&options);
        wrong += host_start(host) != OK;
        wrong += round % 2 == 0 && !host_wait_ready(host, STOP_MS);
        if (round % 3 != 0 && !host_stop(host, STOP_MS, left, sizeof left)) {
            printf("round %d: expected an orderly end, left: %s\n", round, left);
            wrong++;
        }
        host_destroy(&host);
    }
    printf("%s\n", wrong == 0 ? "ok" : "not ok");
    return wrong == 0 ? 0 : 1;
}
