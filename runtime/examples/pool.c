/* pool.c - a supervised pool: four workers share a hundred tasks, and one task fails who has it.
 *
 * The worker that fails is restarted by its parent, the crew; the task in its hand comes back as
 * `restarting`, and the crew decides: once more, then no more. Nobody else notices. */
#include <stdio.h>

#include "proto/record_table.h"
#include "runtime/host.h"

#define WORKERS 4u
#define TASKS   100u
#define BAD     13u /* the task that no worker survives */
#define TRIES   2u

#define FIELDS_task(F, R)   F(R, u32, number, 0, REQUIRED)
#define FIELDS_result(F, R) F(R, u64, square, 0, REQUIRED)
RECORD(task, 1, FIELDS_task)
RECORD(result, 2, FIELDS_result)

/* ---- worker: answers each task, or fails on it ---- */

HANDLE(void, task)
{
    claim(ctx, m->number != BAD);
    result_t *result = DRAFT(ctx, result);
    result->square = (uint64_t) m->number * m->number;
    claim(ctx, REPLY(ctx, result, result) == VERDICT_OK);
    return ACTOR_CONTINUE;
}
static const actor_class_t worker = {
    .name = "worker", .placement = ACTOR_POOL, ACTOR_HEARS(ON(task))};

/* ---- crew: their parent, with one task out at each ---- */

typedef struct crew {
    actor_ref_t worker[WORKERS];
    uint32_t task[WORKERS]; /* in hand; 0: none */
    uint32_t next, tries, done, given_up, restarts;
    uint64_t sum;
} crew_t;

#define EDGES(E) E(ASK_TO, worker, task)
ACTOR_EDGES_OF(crew, EDGES)

THEN(crew_t, answered)

static actor_next_t
hand_out(actor_ctx_t *ctx, crew_t *self, uint32_t which)
{
    if (self->task[which] == 0 && self->next <= TASKS) {
        self->task[which] = self->next++;
    }
    if (self->task[which] != 0) {
        task_t *m = DRAFT(ctx, task);
        m->number = self->task[which];
        claim(ctx,
              ask_worker_task(ctx, self->worker[which], m, 0, answered_then, which) == VERDICT_OK);
    }
    return ACTOR_CONTINUE;
}

static actor_next_t
settled(actor_ctx_t *ctx, crew_t *self)
{
    if (self->done + self->given_up == TASKS) {
        printf("%u tasks: %u done, sum of squares %llu; %u given up after %u tries; %u restarts\n",
               TASKS, self->done, (unsigned long long) self->sum, self->given_up, self->tries,
               self->restarts);
        actor_host_stop(ctx, "all tasks are settled");
    }
    return ACTOR_CONTINUE;
}

static actor_next_t
answered(actor_ctx_t *ctx, crew_t *self, const actor_answer_t *answer)
{
    uint32_t which = (uint32_t) answer->tag;
    const result_t *result = ANSWER_AS(answer, result);
    if (result == NULL) { /* it is being restarted: see restarted */
        claim(ctx, answer->err == ERR_RESTARTING);
        return ACTOR_CONTINUE;
    }
    self->sum += result->square;
    self->done++;
    self->task[which] = 0;
    return self->next <= TASKS ? hand_out(ctx, self, which) : settled(ctx, self);
}

/* A child's end, or here: its return, as a new incarnation. */
HANDLE_DOWN(crew_t, restarted)
{
    uint32_t which = (uint32_t) down->tag;
    claim(ctx, down->reason == ACTOR_RESTARTED);
    self->worker[which] = down->next;
    self->restarts++;
    if (++self->tries == TRIES) {
        self->given_up++;
        self->task[which] = 0;
    }
    claim(ctx, hand_out(ctx, self, which) == ACTOR_CONTINUE);
    return settled(ctx, self);
}

HANDLE_INIT(crew_t, begin)
{
    self->next = 1;
    for (uint32_t i = 0; i < WORKERS; i++) {
        char name[16];
        snprintf(name, sizeof name, "worker-%u", i + 1);
        claim(ctx, actor_spawn(ctx, &worker, slice_of(name), NULL, NULL, i, &self->worker[i]) ==
                       VERDICT_OK);
        claim(ctx, hand_out(ctx, self, i) == ACTOR_CONTINUE);
    }
    return ACTOR_CONTINUE;
}
static const actor_class_t crew = {.name = "crew",
                                   .state_bytes = sizeof(crew_t),
                                   .init = begin,
                                   .on_down = restarted,
                                   ACTOR_SPEAKS(crew)};

int
main(void)
{
    const host_options_t options = {.classes = (const actor_class_t *const[]){&crew, &worker, NULL},
                                    .root = &crew};
    return host_main(&options);
}
