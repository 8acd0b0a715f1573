/* answer_test.c - what a neighbour of the same worker answers stays on hand and runs next: no
 * answer is lost or late by that, and none goes to somebody who has gone. */
#include <criterion/criterion.h>
#include <stdio.h>

#include "proto/record_table.h"
#include "tests/unit/lanes/by_test.h"

#define WORD(F, R) F(R, u64, number, 0, OPTIONAL) F(R, text, name, 0, OPTIONAL)
RECORD(word, 0x7501, WORD)

#define ASKS 3u
#define MANY 64u /* handlers, more than a claim needs */

/* ---- the cast: one that asks, one that answers, on the pool's one worker ---- */

enum { ASK_SINK };
static actor_next_t (*answers)(actor_ctx_t *ctx, const word_t *m); /* the sink */
static actor_next_t (*hears)(actor_ctx_t *ctx);                    /* the asker, of each answer */
static char ran[64]; /* q: it asks, a: it answers, t: the answer is heard, x: an error is */

static void
note(char what)
{
    snprintf(ran + strlen(ran), sizeof ran - strlen(ran), "%c", what);
}

THEN(void, answered)
static actor_next_t
answered(actor_ctx_t *ctx, void *self, const actor_answer_t *answer)
{
    (void) self;
    note(answer->err == OK ? 't' : 'x');
    const word_t *m = answer->err == OK ? ANSWER_AS(answer, word) : NULL;
    claim(ctx, m == NULL || m->number == answer->tag);
    return hears == NULL ? ACTOR_CONTINUE : hears(ctx);
}

static actor_next_t
ask_all(actor_ctx_t *ctx)
{
    note('q');
    for (uint32_t i = 0; i < ASKS; i++) {
        word_t *m = DRAFT(ctx, word);
        m->number = i;
        claim(ctx, actor_ask_role(ctx, ASK_SINK, m, 0, answered_then, i) == VERDICT_OK);
    }
    return ACTOR_CONTINUE;
}

HANDLE(void, word)
{
    bool asked = actor_is_asked(ctx);
    if (asked) {
        note('a');
    }
    return asked ? answers(ctx, m) : ask_all(ctx);
}

static const actor_class_t guest = {.name = "guest", .placement = ACTOR_OWN_WORKER};

/* With a child elsewhere: the end of it takes a while. */
HANDLE_INIT(void, asker_init)
{
    claim(ctx, actor_spawn(ctx, &guest, slice_of(""), NULL, NULL, 0, NULL) == VERDICT_OK);
    return ACTOR_CONTINUE;
}

static const actor_edge_t edges[] = {{EDGE_ASK, "sink", &word_type}};
static const actor_class_t asker = {.name = "asker",
                                    .role = true,
                                    .placement = ACTOR_POOL,
                                    .restart = ACTOR_TEMPORARY,
                                    .init = asker_init,
                                    ACTOR_HEARS(ON(word)),
                                    .edges = edges,
                                    .edge_count = 1};
static const actor_class_t sink = {
    .name = "sink", .role = true, .placement = ACTOR_POOL, ACTOR_HEARS(ON(word))};

HANDLE_INIT(void, boss_init)
{
    claim(ctx, actor_spawn(ctx, &asker, slice_of(""), NULL, NULL, 0, NULL) == VERDICT_OK);
    claim(ctx, actor_spawn(ctx, &sink, slice_of(""), NULL, NULL, 0, NULL) == VERDICT_OK);
    return ACTOR_CONTINUE;
}
static const actor_class_t boss = {
    .name = "boss", .role = true, .placement = ACTOR_POOL, .init = boss_init};

static actor_next_t
reply_number(actor_ctx_t *ctx, const word_t *m)
{
    word_t *answer = DRAFT(ctx, word);
    answer->number = m->number;
    claim(ctx, REPLY(ctx, word, answer) == VERDICT_OK);
    return ACTOR_CONTINUE;
}

static void
begin(void)
{
    static const actor_class_t *const classes[] = {&boss, &asker, &sink, &guest, NULL};
    word_t m = {0};

    test_begin(classes);
    test_settle();
    answers = reply_number;
    hears = NULL;
    envelope_t *given = envelope_new(ENV_TELL, (actor_ref_t){0}, test_actor(&asker)->self,
                                     &word_type, &m, sizeof m);
    given->lane = LANE_NORMAL;
    worker_deliver(test_actor(&asker)->worker, given);
}

static void
run(uint32_t most, uint32_t rung)
{
    const _Atomic uint32_t bell = rung;

    worker_run(core_worker(test_core, test_actor(&sink)->worker->index), &bell, 0, most);
}

static void
runs(const char *expected)
{
    cr_expect_str_eq(ran, expected, "it ran '%s', expected '%s'", ran, expected);
}

static void
end(void)
{
    core_stop(test_core);
    test_settle();
    cr_expect(core_is_ended(test_core));
    core_destroy(&test_core);
    ran[0] = '\0';
}

/* ---- claims ---- */

Test(answer, each_is_heard_before_the_next_ask_is_answered)
{
    begin();
    run(MANY, 0);
    runs("qatatat");
    cr_expect_eq(test_actor(&asker)->asks_open, 0, "%u are open still",
                 (unsigned) test_actor(&asker)->asks_open);
    end();
}

Test(answer, what_is_on_hand_when_a_quantum_ends_or_mail_comes_is_in_its_lane)
{
    for (uint32_t rung = 0; rung < 2; rung++) {
        begin();
        run(1, 0);
        run(rung == 0 ? 1 : MANY, rung);
        runs("qa");
        const worker_t *worker = test_actor(&asker)->worker;
        cr_expect(worker->answer_on_hand == NULL &&
                      test_actor(&asker)->lane_depth[LANE_REPLY] == 1 && !worker_is_idle(worker),
                  "the worker would sleep on it");
        cr_expect_eq(lane_first(test_actor(&asker), LANE_REPLY)->sent_ns, worker->ctx.now_ns,
                     "it waits, and nobody sees since when");
        run(MANY, 0);
        runs("qatatat");
        end();
    }
}

/* The first answer ends it, which waits for its child: what it asked besides is heard by nobody. */
static actor_next_t
stops(actor_ctx_t *ctx)
{
    (void) ctx;
    return ACTOR_STOP;
}

Test(answer, who_is_about_to_go_hears_no_more_of_them)
{
    begin();
    hears = stops;
    const actor_t *ends = test_actor(&asker);
    uint64_t late = atomic_load(&test_core->late_replies);
    run(MANY, 0);
    runs("qataa");
    cr_expect_eq(ends->stage, STAGE_ENDING, "the claim was about one that waits for its child");
    cr_expect_eq(atomic_load(&test_core->late_replies) - late, ASKS - 1, "%lu came too late",
                 (unsigned long) (atomic_load(&test_core->late_replies) - late));
    end();
}

Test(answer, one_who_is_paused_hears_what_he_has_asked)
{
    begin();
    run(1, 0);
    test_actor(&asker)->paused = true;
    run(MANY, 0);
    runs("qatatat");
    test_actor(&asker)->paused = false;
    end();
}

/* What did not fit is no answer: its asker hears that, and nothing of the draft. */
static actor_next_t
reply_too_much(actor_ctx_t *ctx, const word_t *m)
{
    (void) m;
    word_t *answer = DRAFT(ctx, word);
    actor_draft_open(ctx)->full = true;
    claim(ctx, REPLY(ctx, word, answer) == VERDICT_TOO_LARGE);
    return ACTOR_CONTINUE;
}

Test(answer, a_draft_in_which_something_did_not_fit_is_no_answer)
{
    begin();
    answers = reply_too_much;
    run(MANY, 0);
    runs("qaxaxax");
    end();
}

static actor_next_t
reply_put_off(actor_ctx_t *ctx, const word_t *m)
{
    (void) actor_defer(ctx, "itself");
    return reply_number(ctx, m);
}

Test(answer, one_that_was_put_off_and_given_after_all_is_put_off_no_more)
{
    begin();
    answers = reply_put_off;
    run(MANY, 0);
    runs("qatatat");
    cr_expect_null(test_actor(&sink)->accepted, "it owes an answer still");
    end();
}
