/* here_test.c - what is told to a neighbour of the same worker is told at no call when a place and
 * a block are at hand: that way answers as any other does. */
#include <criterion/criterion.h>
#include <stdio.h>

#include "proto/record_table.h"
#include "tests/unit/lanes/by_test.h"

#define WORD(F, R) F(R, u64, number, 0, OPTIONAL) F(R, text, name, 0, OPTIONAL)
RECORD(word, 0x7501, WORD)

#define BLOCKS 8u /* of memory, more than a claim needs */

/* ---- the cast: a mill that tells, a sink, and a stranger to whom only the sink may speak ---- */

enum { TO_SINK, ASK_SINK };
static actor_ref_t stranger_ref;
static verdict_t (*says)(actor_ctx_t *ctx); /* the mill, at its next messages */
static verdict_t said;
static char heard[2 * LANE_MESSAGES_MAX]; /* who had a message, by its first letter */

HANDLE(void, word)
{
    const char *who = ctx->actor->class->class->name;
    snprintf(heard + strlen(heard), sizeof heard - strlen(heard), "%c", who[0]);
    if (who[0] == 'm') {
        said = says(ctx);
    }
    if (who[0] == 's' && m->number == 1) { /* the sink: hands it on */
        claim(ctx, actor_tell(ctx, TO_SINK, stranger_ref, DRAFT(ctx, word)) == VERDICT_OK);
    }
    return ACTOR_CONTINUE;
}

static const actor_edge_t mill_edges[] = {{EDGE_TELL, "sink", &word_type},
                                          {EDGE_ASK, "sink", &word_type}};
static const actor_edge_t sink_edges[] = {{EDGE_TELL, "other", &word_type}};
static const actor_class_t mill = {.name = "mill",
                                   .role = true,
                                   .placement = ACTOR_POOL,
                                   ACTOR_HEARS(ON(word)),
                                   .edges = mill_edges,
                                   .edge_count = 2};
static const actor_class_t sink = {.name = "sink",
                                   .role = true,
                                   .placement = ACTOR_POOL,
                                   ACTOR_HEARS(ON(word)),
                                   .edges = sink_edges,
                                   .edge_count = 1};
static const actor_class_t other = {
    .name = "other", .placement = ACTOR_WITH_PARENT, ACTOR_HEARS(ON(word))};

HANDLE_INIT(void, boss_init)
{
    claim(ctx, actor_spawn(ctx, &mill, slice_of(""), NULL, NULL, 0, NULL) == VERDICT_OK);
    claim(ctx, actor_spawn(ctx, &sink, slice_of(""), NULL, NULL, 0, NULL) == VERDICT_OK);
    claim(ctx, actor_spawn(ctx, &other, slice_of(""), NULL, NULL, 0, &stranger_ref) == VERDICT_OK);
    return ACTOR_CONTINUE;
}
static const actor_class_t boss = {
    .name = "boss", .role = true, .placement = ACTOR_POOL, .init = boss_init};

static void
give(const actor_class_t *to, uint64_t number)
{
    word_t m = {.number = number};
    envelope_t *given =
        envelope_new(ENV_TELL, (actor_ref_t){0}, test_actor(to)->self, &word_type, &m, sizeof m);
    given->lane = LANE_NORMAL;
    worker_deliver(test_actor(to)->worker, given);
}

/* First the sink speaks to the stranger, then the mill to whom it wants, and nobody rests in
 * between: the places that the worker took ahead are there, and blocks that were freed. */
static void
run_both(void)
{
    const _Atomic uint32_t bell = 0;

    heard[0] = '\0';
    give(&sink, 1);
    give(&mill, 0);
    worker_run(test_actor(&mill)->worker, &bell, 0, LANE_MESSAGES_MAX + 8);
}

static verdict_t
says_to_sink(actor_ctx_t *ctx)
{
    return actor_tell(ctx, TO_SINK, test_actor(&sink)->self, DRAFT(ctx, word));
}

static void
begin(void)
{
    static const actor_class_t *const classes[] = {&boss, &mill, &sink, &other, NULL};

    test_begin(classes);
    test_settle();
    says = says_to_sink;
    for (uint32_t i = 0; i < BLOCKS; i++) { /* that are kept when they were handled */
        give(&sink, 0);
    }
    test_settle();
    run_both();
    cr_assert_str_eq(heard, "smos", "heard: %s", heard);
}

static void
end(void)
{
    core_stop(test_core);
    test_settle();
    cr_expect(core_is_ended(test_core));
    core_destroy(&test_core);
}

/* ---- claims ---- */

static verdict_t
says_to_stranger(actor_ctx_t *ctx)
{
    return actor_tell(ctx, TO_SINK, stranger_ref, DRAFT(ctx, word));
}

Test(here, a_neighbour_of_another_class_is_not_reached_through_the_edge)
{
    begin();
    says = says_to_stranger;
    run_both();
    cr_expect_eq(said, VERDICT_UNDECLARED, "verdict %d, expected undeclared", (int) said);
    cr_expect_str_eq(heard, "smo", "heard: %s, expected nobody after the mill spoke", heard);
    end();
}

static verdict_t
says_too_much(actor_ctx_t *ctx)
{
    static char name[MESSAGE_BYTES_MAX]; /* with the record it is more than a message may have */

    verdict_t first = says_to_sink(ctx); /* it takes places ahead */
    if (first != VERDICT_OK) {
        return first;
    }
    word_t *m = DRAFT(ctx, word);
    memset(name, 'x', sizeof name);
    m->name = actor_text(ctx, (slice_t){name, sizeof name});
    return actor_tell(ctx, TO_SINK, test_actor(&sink)->self, m);
}

Test(here, a_draft_in_which_something_did_not_fit_is_not_told_to_a_neighbour)
{
    begin();
    says = says_too_much;
    run_both();
    cr_expect_eq(said, VERDICT_TOO_LARGE, "verdict %d, expected too large", (int) said);
    cr_expect_str_eq(heard, "smos", "heard: %s, expected smos", heard);
    end();
}

static uint32_t told;
static verdict_t
says_until_full(actor_ctx_t *ctx)
{
    verdict_t verdict = VERDICT_OK;

    while (told <= LANE_MESSAGES_MAX && verdict == VERDICT_OK) {
        verdict = says_to_sink(ctx);
        told += verdict == VERDICT_OK;
    }
    return verdict;
}

Test(here, a_neighbours_lane_takes_its_count_and_not_one_more)
{
    begin();
    says = says_until_full;
    const actor_t *to = test_actor(&sink);
    for (uint32_t i = 0; i < 3; i++) { /* what was given back is taken again */
        told = 0;
        run_both();
        cr_expect_eq(said, VERDICT_FULL, "verdict %d, expected full", (int) said);
        cr_expect_eq(told, to->class->messages_max, "%u were told, expected %u", told,
                     to->class->messages_max);
    }
    end();
}

/* The mill's next messages find the sink paused: what is told stays in its lane. So does its block:
 * others are made, that it is told the short way. The first one takes places ahead, which are given
 * back when the worker rests. */
static void
run_mill(uint32_t messages)
{
    const _Atomic uint32_t bell = 0;
    envelope_t *block[2];

    for (uint32_t i = 0; i < messages; i++) {
        give(&mill, 0);
        block[i] = envelope_head(ENV_TELL, (actor_ref_t){0}, (actor_ref_t){0}, NULL, 1);
    }
    for (uint32_t i = 0; i < messages; i++) {
        envelope_free(block[i]);
    }
    worker_run(test_actor(&mill)->worker, &bell, 0, messages);
}
static verdict_t
says_and_counts(actor_ctx_t *ctx)
{
    verdict_t verdict = says_to_sink(ctx);
    told += verdict == VERDICT_OK;
    return verdict;
}
static void
fill(uint32_t most)
{
    test_actor(&sink)->paused = true;
    for (told = 0, said = VERDICT_OK; told < most && said == VERDICT_OK;) {
        run_mill(2);
    }
}
static void
goes_on(void)
{
    test_actor(&sink)->paused = false;
    lane_wake(test_actor(&sink));
    test_settle();
}

Test(here, what_is_told_alone_has_its_place_in_the_lane_as_any_other)
{
    begin();
    says = says_and_counts;
    const actor_t *to = test_actor(&sink);
    for (uint32_t i = 0; i < 3; i++) {
        fill(2 * LANE_MESSAGES_MAX);
        cr_expect_eq(said, VERDICT_FULL, "verdict %d, expected full", (int) said);
        cr_expect_eq(told, to->class->messages_max, "%u were told, expected %u", told,
                     to->class->messages_max);
        cr_expect_eq(to->lane_depth[LANE_NORMAL], told, "%u wait, expected %u",
                     to->lane_depth[LANE_NORMAL], told);
        heard[0] = '\0';
        goes_on();
        cr_expect_eq(to->lane_depth[LANE_NORMAL], 0, "%u wait, expected none",
                     to->lane_depth[LANE_NORMAL]);
    }
    end();
}

static actor_next_t
no_answer(actor_ctx_t *ctx, void *self, const actor_answer_t *answer)
{
    claim(ctx, self == NULL || answer != NULL);
    return ACTOR_CONTINUE;
}
static verdict_t
says_more_to_sink(actor_ctx_t *ctx) /* as much as is lent a place for */
{
    static const char name[LENDS_BYTES - sizeof(word_t)] = "a long one";

    word_t *m = DRAFT(ctx, word);
    m->name = actor_text(ctx, (slice_t){name, sizeof name});
    return actor_tell(ctx, TO_SINK, test_actor(&sink)->self, m);
}
static verdict_t first;
static verdict_t
tells_and_asks(actor_ctx_t *ctx)
{
    first = says_more_to_sink(ctx);
    return actor_ask(ctx, ASK_SINK, test_actor(&sink)->self, DRAFT(ctx, word), 0, no_answer, 0);
}

Test(here, what_is_asked_finds_the_place_taken_that_was_lent_to_what_was_told)
{
    const _Atomic uint32_t bell = 0;

    begin();
    says = says_more_to_sink;
    fill(2 * LANE_MESSAGES_MAX);
    test_actor(&sink)->paused = false;
    lane_wake(test_actor(&sink));
    worker_run(test_actor(&sink)->worker, &bell, 0, 1); /* one place is there again */
    test_actor(&sink)->paused = true;
    says = tells_and_asks;
    run_mill(1);
    cr_expect_eq(first, VERDICT_OK, "verdict %d, expected ok", (int) first);
    cr_expect_eq(said, VERDICT_FULL, "verdict %d, expected full", (int) said);
    says = says_to_sink;
    heard[0] = '\0';
    goes_on();
    end();
}
