/* held_test.c - claims about a plan or a verify whose despooler is paused, stopped or begins anew
 * while it is in hand: the real distribution manager, among others that stand in for the site. */
#include <criterion/criterion.h>
#include <string.h>

#include "tests/unit/parts/stand_in.h"

#define STEPS_MAX 200000u
#define SECOND    INT64_C(1000000000)
#define ASKED_MS  1000u        /* the command, */
#define HELD_MS   2000u        /* what happens to the despooler, */
#define LOOK_NS   (4 * SECOND) /* and until when its asker is to know */

typedef enum fate {
    FATE_NONE,
    FATE_PAUSED,
    FATE_STOPPED,
    FATE_LOST_ALL,
    FATE_LOST_ONE,
    FATE_NO_SLOTS
} fate_t;

static fate_t fate;
static bool takes;    /* the despooler takes instructions; else they stay in front of it */
static bool verifies; /* verify; else plan */
static uint32_t answers, instructions;
static err_t code;
static char hint[TEXT_BYTES_MAX + 1];

/* ---- who stands in: each hears what the manager may say, and refuses what it does not know -- */

static const due_t *
one_row(actor_ctx_t *ctx)
{
    due_t *due = DRAFT(ctx, due);
    draft_t *draft = actor_draft_open(ctx);

    due->targets = draft_rows(draft, 1, sizeof(due_row_t));
    due_row_t *row = draft_row(draft, due->targets, 0, sizeof *row);
    *row =
        (due_row_t){.target = 1, .revision = 1, .action = verifies ? ACTION_VERIFY : ACTION_PLAN};
    row->package = draft_text(draft, slice_of("P1"));
    row->dp = draft_text(draft, slice_of("shop"));
    row->dp_root = draft_text(draft, slice_of("/shop"));
    return due;
}

static actor_next_t
database(actor_ctx_t *ctx, stand_in_t *self, const record_type_t *type)
{
    claim(ctx, self != NULL);
    if (!actor_is_asked(ctx)) {
        return ACTOR_CONTINUE;
    }
    if (type == &site_open_type) {
        return stand_in_opened(ctx);
    }
    if (type == &verify_plan_type || type == &plan_targets_type) {
        answer_unheard(REPLY(ctx, due, one_row(ctx)));
    } else {
        actor_refuse(ctx, ERR_STARTING);
    }
    return ACTOR_CONTINUE;
}

static actor_next_t
despooler(actor_ctx_t *ctx, stand_in_t *self, const record_type_t *type)
{
    if (type != &instruction_type) {
        return ACTOR_CONTINUE;
    }
    instructions++;
    if (takes) {
        answer_unheard(REPLY(ctx, accepted, DRAFT(ctx, accepted)));
    } else {
        self->request = actor_defer(ctx, "the test");
    }
    return ACTOR_CONTINUE;
}

static actor_next_t
worker(actor_ctx_t *ctx, stand_in_t *self, const record_type_t *type)
{
    claim(ctx, !self || !type);
    return ACTOR_FAIL;
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

/* What it had is lost at the same time at which it would be paused. */
static actor_next_t
despooler_init(actor_ctx_t *ctx, void *state, const void *args)
{
    claim(ctx, state && !args);
    actor_ready(ctx);
    return actor_timer(ctx, 1, HELD_MS) == VERDICT_OK ? ACTOR_CONTINUE : ACTOR_FAIL;
}

static actor_next_t
despooler_timer(actor_ctx_t *ctx, void *state, uint64_t key)
{
    claim(ctx, state && key == 1);
    if (fate == FATE_LOST_ALL || fate == FATE_LOST_ONE) {
        inbox_lost_t *m = DRAFT(ctx, inbox_lost);
        m->all = fate == FATE_LOST_ALL;
        answer_unheard(actor_tell_role(ctx, 0, m));
    }
    if (fate == FATE_NO_SLOTS) {
        outcome_t *m = DRAFT(ctx, outcome);
        m->target = 1;
        m->action = verifies ? ACTION_VERIFY : ACTION_PLAN;
        m->err = ERR_PAUSED;
        answer_unheard(actor_tell_role(ctx, 1, m));
    }
    return ACTOR_CONTINUE;
}

static const actor_edge_t despooler_edges[] = {
    {EDGE_TELL, "distribution_manager", &inbox_lost_type},
    {EDGE_TELL, "distribution_manager", &outcome_type}};
static const actor_class_t queue_class = {STANDS_IN("despooler", despooler_hears),
                                          .init = despooler_init,
                                          .on_timer = despooler_timer,
                                          .edges = despooler_edges,
                                          .edge_count = 2,
                                          .role = true};

/* ---- who asks, and holds ---- */

typedef struct asker {
    actor_ref_t despooler;
} asker_t;

static actor_next_t
answered(actor_ctx_t *ctx, void *state, const actor_answer_t *answer)
{
    const refusal_t *m = ANSWER_AS(answer, refusal);

    cr_assert(ctx && state);
    answers++;
    code = answer_err(answer);
    hint[0] = '\0';
    if (m) {
        cr_assert(slice_copy(record_slice(m, m->hint), hint, sizeof hint));
    }
    return ACTOR_CONTINUE;
}

static actor_next_t
ask(actor_ctx_t *ctx)
{
    if (verifies) {
        verify_t *m = DRAFT(ctx, verify);
        m->id = actor_text(ctx, slice_of("P1"));
        return actor_ask_role(ctx, 0, m, DM_SLOW_MS, answered, 0) == VERDICT_OK ? ACTOR_CONTINUE
                                                                                : ACTOR_FAIL;
    }
    distribute_plan_t *m = DRAFT(ctx, distribute_plan);
    m->id = actor_text(ctx, slice_of("P1"));
    m->all = true;
    return actor_ask_role(ctx, 1, m, DM_SLOW_MS, answered, 0) == VERDICT_OK ? ACTOR_CONTINUE
                                                                            : ACTOR_FAIL;
}

static actor_next_t
asker_timer(actor_ctx_t *ctx, void *state, uint64_t key)
{
    asker_t *self = state;

    if (key == ASKED_MS) {
        return ask(ctx);
    }
    if (fate == FATE_PAUSED) {
        actor_pause(ctx, self->despooler);
    } else if (fate == FATE_STOPPED) {
        actor_stop(ctx, self->despooler);
    }
    return ACTOR_CONTINUE;
}

static actor_next_t
asker_init(actor_ctx_t *ctx, void *state, const void *args)
{
    asker_t *self = state;

    return !args && stand_in_site(ctx) &&
                   actor_spawn(ctx, &queue_class, slice_of("despooler"), NULL, NULL, 3,
                               &self->despooler) == VERDICT_OK &&
                   actor_timer(ctx, ASKED_MS, ASKED_MS) == VERDICT_OK &&
                   actor_timer(ctx, HELD_MS, HELD_MS) == VERDICT_OK
               ? ACTOR_CONTINUE
               : ACTOR_FAIL;
}

static const actor_edge_t asker_edges[] = {
    {EDGE_ASK, "distribution_manager", &verify_type},
    {EDGE_ASK, "distribution_manager", &distribute_plan_type}};
static const actor_class_t asker_class = {.name = "asker",
                                          .state_bytes = sizeof(asker_t),
                                          .init = asker_init,
                                          .on_timer = asker_timer,
                                          .on_down = ended,
                                          .edges = asker_edges,
                                          .edge_count = 2};
static const actor_class_t *const cast[] = {&asker_class,
                                            &distribution_manager_class,
                                            &database_class,
                                            &queue_class,
                                            &snapshots_class,
                                            &gateway_class,
                                            NULL};

static void
run(fate_t of, bool taken, bool verify)
{

    fate = of;
    takes = taken;
    verifies = verify;
    answers = instructions = 0;
    code = OK;
    sim_t *sim = alone_new(cast);
    sim_start(sim);
    sim_run_for(sim, LOOK_NS, STEPS_MAX);
    uint32_t by_then = answers;
    cr_assert(sim_stop(sim, 10 * SECOND));
    sim_destroy(&sim);
    answers = by_then;
    cr_assert_eq(instructions, 1, "%u instructions", instructions);
}

static void
expect_refusal(err_t expected, const char *next_step)
{
    cr_expect_eq(answers, 1, "%u answers within two seconds", answers);
    cr_expect_eq(code, expected, "expected %s, got %s", err_word(expected), err_word(code));
    cr_expect(strstr(hint, next_step), "the hint is '%s'", hint);
}

Test(held, what_a_paused_despooler_has_not_taken_is_refused_at_once)
{
    for (int verify = 0; verify < 2; verify++) {
        run(FATE_PAUSED, false, verify);
        expect_refusal(ERR_PAUSED, "component resume despooler");
    }
}

Test(held, what_a_paused_despooler_has_taken_is_waited_for)
{
    run(FATE_PAUSED, true, false);
    cr_expect_eq(answers, 0, "it is answered with %s", err_word(code));
}

Test(held, what_a_stopped_despooler_had_is_refused_at_once)
{
    for (int verify = 0; verify < 2; verify++) {
        run(FATE_STOPPED, true, verify);
        expect_refusal(ERR_DOWN, "component start despooler");
    }
}

Test(held, what_a_despooler_that_begins_anew_had_is_refused_at_once)
{
    run(FATE_LOST_ALL, true, true);
    expect_refusal(ERR_RESTARTING, "");
    run(FATE_LOST_ONE, true, true);
    cr_expect_eq(answers, 0, "an entry of other work is lost, and it is told %s", err_word(code));
}

Test(held, what_waits_for_a_slot_when_there_are_none_is_refused_at_once)
{
    for (int verify = 0; verify < 2; verify++) {
        run(FATE_NO_SLOTS, true, verify);
        expect_refusal(ERR_PAUSED, "despooler --slots N");
    }
}

Test(held, nobody_is_refused_while_the_despooler_works)
{
    run(FATE_NONE, true, true);
    cr_expect_eq(answers, 0, "it is answered with %s", err_word(code));
}
