/* core_graph_test.c - the simulator's own search of who waits for whom: what it calls a deadlock is
 * one, what it calls a false alarm is one, and under load there is neither. */
#include "tests/sim/core_cast.h"

#include <stdlib.h>

static const char *put_off_for;

static actor_next_t
want_put_off(actor_ctx_t *ctx, puppet_t *self, const want_t *m)
{
    self->number = m->number;
    self->request = actor_defer(ctx, put_off_for);
    return ACTOR_CONTINUE;
}
static actor_next_t
ask_b(actor_ctx_t *ctx, puppet_t *self)
{
    cr_assert(self != NULL);
    expect(ask(ctx, B, 1, 60000) == VERDICT_OK);
    return ACTOR_CONTINUE;
}
static actor_next_t
call_b(actor_ctx_t *ctx, puppet_t *self)
{
    cr_assert(self != NULL);
    expect(call(ctx, B, 1, 60000) == VERDICT_OK);
    return ACTOR_CONTINUE;
}
static actor_next_t
set_timer(actor_ctx_t *ctx, puppet_t *self)
{
    cr_assert(self != NULL);
    expect(actor_timer(ctx, 1, 1000) == VERDICT_OK);
    return ACTOR_CONTINUE;
}
static actor_next_t
answer_now(actor_ctx_t *ctx, puppet_t *self)
{
    answer_to(ctx, self->request, 1);
    return ACTOR_CONTINUE;
}

/* What the simulator has to say after some virtual milliseconds; said once. */
static char told[2048];
static bool
is_told(const char *what)
{
    sim_run_for(cast->sim, 5 * NS_PER_MS, 100000);
    snprintf(told, sizeof told, "%s", sim_fault(cast->sim) == NULL ? "" : sim_fault(cast->sim));
    cast->sim->fault[0] = '\0';
    return what == NULL ? told[0] == '\0' : strstr(told, what) != NULL;
}

/* ---- deadlocks ---- */

/* The article's two threads, as asks: a waits for b's answer, which waits for what a does. No call,
 * so no alarm: only a deadline would end it. */
Test(core_graph, a_deadlock_is_told_at_once_with_who_waits_for_whom)
{
    cast_hook[B].want = want_put_off;
    put_off_for = "a";
    for (cast_run_t run = {0}; cast_next(&run);) {
        poke(A, ask_b);
        expect(is_told("deadlock") && strstr(told, "a asks b: want is put off, waits for a"),
               "told: %s", told);
        expect(cast_ms() < 1000, "at once: %ld ms", (long) cast_ms());
        poke(B, answer_now);
        settle();
        expect(is_told(NULL), "told: %s", told);
    }
}

Test(core_graph, an_answer_that_was_lost_is_told)
{
    cast_hook[B].want = want_put_off;
    put_off_for = "outside";
    for (cast_run_t run = {0}; cast_next(&run);) {
        poke(A, ask_b);
        expect(is_told(NULL), "told: %s", told);
        ask_accepted_free(cast_actor(B), cast_actor(B)->accepted);
        expect(is_told("a asks b: want is nowhere"), "told: %s", told);
        settle();
        cast->sim->fault[0] = '\0';
    }
}

static actor_next_t
call_a(actor_ctx_t *ctx, puppet_t *self)
{
    cr_assert(self != NULL);
    expect(call(ctx, A, 2, 60000) == VERDICT_OK);
    return ACTOR_CONTINUE;
}
/* b puts a's call off for what comes into its own lane, and closes that by a call of a; the word
 * that tells of a's call was taken away, as if it had never been written. */
Test(core_graph, a_circle_that_the_runtime_did_not_see_is_told)
{
    cast_hook[B].want = want_put_off;
    put_off_for = "b";
    for (cast_run_t run = {0}; cast_next(&run);) {
        poke(A, call_b);
        expect(is_told(NULL), "told: %s", told);
        atomic_store(&cast_actor(A)->cell->waits, 0);
        poke(B, call_a);
        expect(is_told("deadlock") && strstr(told, "a calls b: want is put off, waits for b") &&
                   strstr(told, "b calls a: want is in its mailbox, closed by its own call"),
               "told: %s", told);
        poke(B, answer_now);
        settle();
    }
}

/* Put off for the outside, for a timer, for somebody with a timer; behind a call that has hope. */
Test(core_graph, what_may_still_be_answered_is_no_deadlock)
{
    static const char *const for_whom[] = {"outside", "b", "c", "nobody"};
    cast_hook[B].want = want_put_off;
    for (size_t i = 0; i < sizeof for_whom / sizeof for_whom[0]; i++) {
        put_off_for = for_whom[i];
        cast_run_t run = {0};
        cr_assert(cast_next(&run));
        poke(C, set_timer);
        poke(A, call_b);
        poke(D, ask_b);
        expect(is_told(NULL), "put off for %s, told: %s", for_whom[i], told);
        char graph[1024];
        expect(sim_wait_graph(run.sim, graph, sizeof graph) == 2 && strstr(graph, "a calls b") &&
                   strstr(graph, "d asks b") && !strstr(graph, "for ever"),
               "graph: %s", graph);
        while (cast_actor(B)->accepted != NULL) {
            puppet_t *b = cast_actor(B)->state;
            b->request = cast_actor(B)->accepted->request;
            poke(B, answer_now);
        }
        settle();
        cr_assert(sim_stop(run.sim, INT64_C(10000000000)));
        sim_destroy(&run.sim);
    }
}

/* ---- alarms ---- */

Test(core_graph, an_alarm_of_who_is_in_no_circle_is_false)
{
    cast_hook[B].want = want_put_off;
    put_off_for = "outside";
    for (cast_run_t run = {0}; cast_next(&run);) {
        poke(A, call_b);
        expect(is_told(NULL), "told: %s", told);
        run.sim->core->judge(run.sim->core->judge_context, cast_ref(A).index);
        expect(is_told("false alarm: a"), "told: %s", told);
        poke(B, answer_now);
        settle();
    }
}

/* ---- load: whoever is asked answers, or puts off and asks or calls somebody ---- */

#define PENDING 512u
static request_t pending[CAST_COUNT][PENDING];
static uint64_t next_number;
static uint32_t asked, circles;

static actor_next_t
heard_load(actor_ctx_t *ctx, void *self_, const actor_answer_t *answer_)
{
    const puppet_t *self = self_;
    request_t *served = &pending[self->who][answer_->tag % PENDING];
    circles += answer_->err == ERR_CYCLE;
    if (answer_->tag != 0 && answer_->err == OK) {
        answer_to(ctx, *served, 1);
    } else if (answer_->tag != 0) {
        actor_refuse_to(ctx, *served, answer_->err);
    }
    return ACTOR_CONTINUE;
}

/* An ask or a call of one of the four; false: it could not be said. */
static bool
say_load(actor_ctx_t *ctx, cast_who_t to, uint64_t depth, uint64_t tag)
{
    bool by_ask = actor_random(ctx) % 2 == 0;
    want_t *w = DRAFT(ctx, want);
    w->number = depth;
    uint32_t edge = (uint32_t) to * 4 + (by_ask ? 2 : 3);
    bool said = actor_ask_role(ctx, edge, w, 600000, heard_load, tag) == VERDICT_OK;
    asked += said;
    return said;
}

static actor_next_t
want_load(actor_ctx_t *ctx, puppet_t *self, const want_t *m)
{
    cast_who_t to = (cast_who_t) (actor_random(ctx) % 4);
    if (m->number == 0 || actor_random(ctx) % 4 == 0) {
        answer(ctx, 1);
        return ACTOR_CONTINUE;
    }
    uint64_t tag = 1 + next_number++ % (PENDING - 1);
    pending[self->who][tag] = actor_defer(ctx, cast_class[to].name);
    if (!say_load(ctx, to, m->number - 1, tag)) {
        actor_refuse(ctx, ERR_BUSY);
    }
    return ACTOR_CONTINUE;
}

static actor_next_t
begin_load(actor_ctx_t *ctx, puppet_t *self)
{
    cr_assert(self != NULL);
    say_load(ctx, (cast_who_t) (actor_random(ctx) % 4), 4, 0);
    return ACTOR_CONTINUE;
}

Test(core_graph, under_load_every_alarm_is_true_and_no_circle_is_missed)
{
    uint64_t alarms = 0;
    for (cast_who_t who = A; who <= D; who++) {
        cast_hook[who].want = want_load;
    }
    for (cast_run_t run = {0}; cast_next(&run);) {
        for (uint32_t step = 0; step < 4000 && sim_fault(run.sim) == NULL; step++) {
            if (step % 16 == 0) {
                poke((cast_who_t) (step / 16 % 4), begin_load);
            }
            if (something_to_do()) {
                sim_step(run.sim);
            } else {
                sim_run_for(run.sim, NS_PER_MS, 1000);
            }
        }
        expect(sim_fault(run.sim) == NULL, "%s", sim_fault(run.sim));
        settle();
        expect(sim_fault(run.sim) == NULL, "%s", sim_fault(run.sim));
        expect(cast_ms() < 60000, "nobody was freed by a deadline: %ld ms", (long) cast_ms());
        alarms += sim_alarms(run.sim);
    }
    cr_assert(alarms > 500 && circles >= alarms, "%u asked, %lu alarms", asked,
              (unsigned long) alarms);
    fprintf(stderr, "%u asks and calls, %lu alarms, each true\n", asked, (unsigned long) alarms);
}
