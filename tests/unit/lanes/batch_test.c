/* batch_test.c - what one handler tells one actor elsewhere, time and again: it leaves in batches,
 * and nobody but the chunk can tell. */
#include <criterion/criterion.h>
#include <stdio.h>

#include "proto/record_table.h"
#include "tests/unit/lanes/by_test.h"

#define MANY        50u
#define SINK_PLACES 60u /* too few to be leased from: its bound is exact */

#define WORD(F, R) F(R, u64, number, 0, OPTIONAL) F(R, text, said, 40, OPTIONAL)
RECORD(word, 0x7502, WORD)

/* ---- the cast: a boss on his own worker, who tells two neighbours on another ---- */

static char heard[2048];  /* who had which message: its first letter, the number, what it said */
static uint64_t fails_on; /* the first time; 0: none */
static uint64_t hangs_on; /* the same */
static uint64_t after_hang;
static verdict_t refused; /* the last that was not OK */

/* What the boss does at his next message: "s" and "m" tell the sink and the mill the next number,
 * "S" the sink with some text, "!" fails. */
static const char *plan = "";

/* As planned: true, it is to fail. */
static bool
boss_tells(actor_ctx_t *ctx)
{
    for (uint64_t number = 1; *plan != '\0'; plan++, number++) {
        if (*plan == '!') {
            plan = "";
            return true;
        }
        word_t *draft = DRAFT(ctx, word);
        draft->number = number;
        if (*plan == 'S') {
            draft->said = actor_text(ctx, slice_of("so"));
        }
        verdict_t verdict = actor_tell_role(ctx, *plan == 'm', draft);
        refused = verdict == VERDICT_OK ? refused : verdict;
    }
    return false;
}

HANDLE(void, word)
{
    const char *who = ctx->actor->class->class->name;
    if (who[0] == 'b') {
        return boss_tells(ctx) ? ACTOR_FAIL : ACTOR_CONTINUE;
    }
    snprintf(heard + strlen(heard), sizeof heard - strlen(heard), "%c%lu%.*s ", who[0],
             (unsigned long) m->number, RECORD_SHOWN(m, m->said));
    if (m->number != 0 && m->number == fails_on) {
        fails_on = 0;
        return ACTOR_FAIL;
    }
    if (m->number != 0 && m->number == hangs_on) {
        hangs_on = 0;
        test_depose(ctx);
        after_hang = m->number;
    }
    return ACTOR_CONTINUE;
}

#define NEIGHBOUR(its_name, places)                                                                \
    {                                                                                              \
        .name = its_name, .role = true, .placement = ACTOR_POOL, ACTOR_HEARS(ON(word)),            \
        .lane_messages_max = places                                                                \
    }
static const actor_class_t mill = NEIGHBOUR("mill", 0), sink = NEIGHBOUR("sink", SINK_PLACES);
static const actor_edge_t boss_edges[] = {{EDGE_TELL, "sink", &word_type},
                                          {EDGE_TELL, "mill", &word_type}};

static const actor_class_t boss = {.name = "boss",
                                   .role = true,
                                   .placement = ACTOR_OWN_WORKER,
                                   ACTOR_HEARS(ON(word)),
                                   .edges = boss_edges,
                                   .edge_count = 2};

HANDLE_INIT(void, root_init)
{
    claim(ctx, actor_spawn(ctx, &boss, slice_of(""), NULL, NULL, 0, NULL) == VERDICT_OK);
    claim(ctx, actor_spawn(ctx, &mill, slice_of(""), NULL, NULL, 0, NULL) == VERDICT_OK);
    claim(ctx, actor_spawn(ctx, &sink, slice_of(""), NULL, NULL, 0, NULL) == VERDICT_OK);
    return ACTOR_CONTINUE;
}
static const actor_class_t root = {.name = "root", .role = true, .init = root_init};

/* ---- by hand ---- */

static worker_t *
pool(void)
{
    return core_worker(test_core, test_actor(&sink)->worker->index);
}

static void
later(void)
{
    for (uint32_t i = 0; i < 5; i++) {
        test_now_ns += NS_PER_MS * 1000;
        test_settle();
    }
}

static void
begin(void)
{
    static const actor_class_t *const classes[] = {&root, &boss, &mill, &sink, NULL};
    test_batches = true;
    test_begin(classes);
    test_settle();
    heard[0] = '\0';
    refused = VERDICT_OK;
}

static void
end(void)
{
    uint64_t taken = room_messages(test_actor(&sink)->cell, LANE_NORMAL);
    cr_expect_eq(taken, 0, "%lu places of the sink are taken, expected none",
                 (unsigned long) taken);
    core_stop(test_core);
    for (uint32_t i = 0; i < 40; i++) {
        test_now_ns += NS_PER_MS * 1000;
        test_settle();
    }
    cr_expect(core_is_ended(test_core));
    core_destroy(&test_core);
}

/* The boss does it, and all that he told is in one chunk; NULL: there is nothing. */
static chunk_t *
told(const char *what)
{
    worker_t *his = test_actor(&boss)->worker;
    word_t m = {.number = 0};
    plan = what;
    worker_deliver(his, envelope_new(ENV_TELL, (actor_ref_t){0}, test_actor(&boss)->self,
                                     &word_type, &m, (uint32_t) sizeof m));
    test_run(his);
    chunk_t *chunk = NULL;
    uint32_t others = 0;
    for (uint32_t i = 0; i < test_posts; i++) {
        envelope_t *envelope = test_posted[i].envelope;
        if (envelope->kind != ENV_TELL && envelope->kind != ENV_BATCH) {
            test_posted[others++] = test_posted[i]; /* an order of the runtime's */
            continue;
        }
        size_t bytes = envelope_bytes(envelope);
        chunk = chunk == NULL ? chunk_new() : chunk;
        cr_assert(chunk_fits(chunk, bytes));
        chunk_put(chunk, envelope, bytes);
    }
    test_posts = others;
    return chunk;
}

static void
expect_heard(const char *expected)
{
    cr_expect_str_eq(heard, expected, "heard: %s\nexpected: %s", heard, expected);
}

/* ---- what is in one ---- */

Test(batch, what_is_told_in_a_row_is_heard_one_by_one_and_takes_a_fraction_of_the_chunk)
{
    char plan_of_many[MANY + 1] = "", expected[2048] = "";
    begin();
    memset(plan_of_many, 's', MANY);
    for (uint32_t number = 1; number <= MANY; number++) {
        snprintf(expected + strlen(expected), sizeof expected - strlen(expected), "s%u ", number);
    }
    chunk_t *chunk = told(plan_of_many);
    uint32_t alone = MANY * (uint32_t) (sizeof(envelope_t) + sizeof(word_t));
    cr_expect_lt(chunk->used, alone / 2, "%u bytes, and %u if each were alone", chunk->used, alone);
    uint64_t before = atomic_load(&pool()->handlers);
    worker_bring(pool(), chunk);
    test_run(pool());
    expect_heard(expected);
    cr_expect_eq(atomic_load(&pool()->handlers) - before, MANY);
    end();
}

Test(batch, one_that_no_chunk_carried_is_heard_the_same)
{
    begin();
    word_t m = {.number = 0};
    plan = "sssm";
    worker_deliver(test_actor(&boss)->worker,
                   envelope_new(ENV_TELL, (actor_ref_t){0}, test_actor(&boss)->self, &word_type, &m,
                                (uint32_t) sizeof m));
    test_settle();
    expect_heard("s1 m4 s2 s3 "); /* two lanes, by turns */
    end();
}

Test(batch, what_is_told_to_two_by_turns_is_heard_by_each_in_its_order)
{
    begin();
    worker_bring(pool(), told("ssmsmmss"));
    test_run(pool());
    expect_heard("s1 s2 m3 s4 m5 m6 s7 s8 ");
    end();
}

Test(batch, messages_of_different_lengths_are_each_whole)
{
    begin();
    worker_bring(pool(), told("ssSSSss"));
    test_run(pool());
    expect_heard("s1 s2 s3so s4so s5so s6 s7 ");
    end();
}

Test(batch, what_is_spilt_into_lanes_is_the_same)
{
    begin();
    worker_bring(pool(), told("ssss"));
    const _Atomic uint32_t bell = 0;
    worker_run(pool(), &bell, 0, 3); /* the first, and two of the batch */
    expect_heard("s1 s2 s3 ");
    brought_spill(pool());
    worker_bring(pool(), told("sss"));
    brought_spill(pool());
    test_run(pool());
    expect_heard("s1 s2 s3 s4 s1 s2 s3 ");
    end();
}

/* ---- what must hold for each ---- */

Test(batch, nothing_of_a_handler_that_fails_leaves_and_each_place_is_given_back)
{
    begin();
    chunk_t *chunk = told("sssss!");
    cr_expect_null(chunk, "something left");
    later();
    lease_rest(test_actor(&boss)->worker);
    expect_heard("");
    end();
}

Test(batch, a_lane_is_full_at_the_same_message)
{
    begin();
    char plan_of_many[SINK_PLACES + 2] = "";
    memset(plan_of_many, 's', SINK_PLACES);
    worker_bring(pool(), told(plan_of_many));
    cr_expect_eq(refused, VERDICT_OK, "verdict %d before the lane was full", (int) refused);
    cr_expect_null(told("s"), "one was told beyond the places");
    cr_expect_eq(refused, VERDICT_FULL, "verdict %d, expected full", (int) refused);
    test_run(pool());
    end();
}

Test(batch, one_that_fails_is_tried_again_and_the_others_behind_it_wait)
{
    begin();
    fails_on = 2;
    worker_bring(pool(), told("ssss"));
    test_run(pool());
    expect_heard("s1 s2 ");
    later();
    expect_heard("s1 s2 s2 s3 s4 ");
    end();
}

Test(batch, one_that_hangs_keeps_its_message_and_no_other_of_the_batch)
{
    begin();
    hangs_on = 2;
    worker_t *stuck = pool();
    worker_bring(stuck, told("sssm"));
    test_run(stuck);
    cr_expect_eq(after_hang, 2, "its message said %lu, expected 2", (unsigned long) after_hang);
    expect_heard("s1 s2 m4 ");
    worker_deliver(pool(), takeover_back(stuck));
    later();
    expect_heard("s1 s2 m4 s2 s3 ");
    end();
}

Test(batch, one_for_who_has_gone_is_refused_message_by_message)
{
    begin();
    chunk_t *chunk = told("sss");
    test_actor(&sink)->self.incarnation++; /* the slot has another tenant by now */
    uint64_t before = atomic_load(&test_core->dead_letters);
    atomic_fetch_add(&test_actor(&sink)->cell->life, UINT64_C(1) << 32 | 1);
    worker_bring(pool(), chunk);
    test_run(pool());
    uint64_t letters = atomic_load(&test_core->dead_letters) - before;
    cr_expect_eq(letters, 3, "%lu dead letters, expected 3", (unsigned long) letters);
    expect_heard("");
}
