/* brought_test.c - chunks that a worker was brought, by hand: what is handled where it lies keeps
 * its order, survives the failure of its handler and a takeover, and is not kept for long. */
#include <criterion/criterion.h>
#include <stdio.h>

#include "proto/record_table.h"
#include "tests/unit/lanes/by_test.h"

#define US 1000

#define WORD(F, R) F(R, u64, number, 0, OPTIONAL)
RECORD(word, 0x7501, WORD)

/* ---- the cast: two neighbours on one worker, and a boss on his own ---- */

static char heard[512];     /* who had which message: its first letter and the number */
static uint64_t fails_on;   /* the first time; 0: none */
static uint64_t hangs_on;   /* the same */
static int64_t handler_ns;  /* a handler takes so long */
static uint64_t after_hang; /* what the message in hand said then */
static uint32_t boss_tells; /* at its next message, so many to the sink */

static void
be_deposed(const actor_ctx_t *ctx)
{
    test_depose(ctx);
    chunk_t *taken[4]; /* what was freed meanwhile is filled anew */
    for (uint32_t i = 0; i < 4; i++) {
        taken[i] = chunk_new();
        memset(taken[i]->bytes, 0xff, CHUNK_BYTES);
    }
    for (uint32_t i = 0; i < 4; i++) {
        chunk_free(taken[i]);
    }
}

HANDLE(void, word)
{
    const char *who = ctx->actor->class->class->name;
    snprintf(heard + strlen(heard), sizeof heard - strlen(heard), "%c%lu ", who[0],
             (unsigned long) m->number);
    test_now_ns += handler_ns;
    if (m->number != 0 && m->number == fails_on) {
        fails_on = 0;
        return ACTOR_FAIL;
    }
    if (m->number != 0 && m->number == hangs_on) {
        hangs_on = 0;
        be_deposed(ctx);
        after_hang = m->number;
    }
    for (; who[0] == 'b' && boss_tells > 0; boss_tells--) {
        claim(ctx, actor_tell_role(ctx, 0, DRAFT(ctx, word)) == VERDICT_OK);
    }
    return ACTOR_CONTINUE;
}

HANDLE_DOWN(void, any_down)
{
    snprintf(heard + strlen(heard), sizeof heard - strlen(heard), "%cdown ", down->class_name[0]);
    return ACTOR_CONTINUE;
}

#define NEIGHBOUR(its_name)                                                                        \
    {                                                                                              \
        .name = its_name, .role = true, .placement = ACTOR_POOL, .on_down = any_down,              \
        ACTOR_HEARS(ON(word))                                                                      \
    }
static const actor_class_t mill = NEIGHBOUR("mill"), sink = NEIGHBOUR("sink");
static const actor_edge_t boss_edges[] = {{EDGE_TELL, "sink", &word_type}};

HANDLE_INIT(void, boss_init)
{
    claim(ctx, actor_spawn(ctx, &mill, slice_of(""), NULL, NULL, 0, NULL) == VERDICT_OK);
    claim(ctx, actor_spawn(ctx, &sink, slice_of(""), NULL, NULL, 0, NULL) == VERDICT_OK);
    return ACTOR_CONTINUE;
}
static const actor_class_t boss = {.name = "boss",
                                   .role = true,
                                   .placement = ACTOR_OWN_WORKER,
                                   .init = boss_init,
                                   ACTOR_HEARS(ON(word)),
                                   .edges = boss_edges,
                                   .edge_count = 1};

static void
begin(void)
{
    static const actor_class_t *const classes[] = {&boss, &mill, &sink, NULL};
    test_begin(classes);
    test_settle();
    heard[0] = '\0';
}

static void
end(void)
{
    core_stop(test_core);
    for (uint32_t i = 0; i < 40; i++) {
        test_now_ns += NS_PER_MS * 1000;
        test_settle();
    }
    cr_expect(core_is_ended(test_core));
    core_destroy(&test_core);
}

static worker_t *
pool(void)
{
    return core_worker(test_core, test_actor(&sink)->worker->index);
}

/* From the boss, so that all have one sender. */
static envelope_t *
word(const actor_class_t *to, lane_t lane, uint64_t number)
{
    word_t m = {.number = number};
    envelope_t *told = envelope_new(ENV_TELL, test_actor(&boss)->self, test_actor(to)->self,
                                    &word_type, &m, (uint32_t) sizeof m);
    told->lane = (uint8_t) lane;
    told->sent_ns = test_now_ns;
    return told;
}

static void
put(chunk_t *chunk, envelope_t *take_envelope)
{
    size_t bytes = envelope_bytes(take_envelope);
    cr_assert(chunk_fits(chunk, bytes));
    chunk_put(chunk, take_envelope, bytes);
}

/* To the sink, from one number to another. */
static chunk_t *
words(uint64_t from, uint64_t to)
{
    chunk_t *chunk = chunk_new();
    for (uint64_t number = from; number <= to; number++) {
        put(chunk, word(&sink, LANE_NORMAL, number));
    }
    return chunk;
}

static void
expect_heard(const char *expected)
{
    cr_expect_str_eq(heard, expected, "heard: %s\nexpected: %s", heard, expected);
}

/* ---- order ---- */

Test(brought, what_is_in_place_waits_for_what_its_sender_has_in_the_lane)
{
    begin();
    chunk_t *first = words(1, 2);
    first->mixed = true; /* it goes into lanes */
    worker_bring(pool(), first);
    worker_bring(pool(), words(3, 4));
    test_run(pool());
    expect_heard("s1 s2 s3 s4 ");
    end();
}

Test(brought, what_is_urgent_goes_before_what_came_earlier)
{
    begin();
    worker_bring(pool(), words(1, 2));
    chunk_t *urgent = words(3, 3);
    put(urgent, word(&sink, LANE_URGENT, 9));
    worker_bring(pool(), urgent);
    test_run(pool());
    expect_heard("s9 s1 s2 s3 ");
    end();
}

Test(brought, it_has_its_turns_with_what_is_in_lanes)
{
    begin();
    for (uint64_t number = 1; number <= 3; number++) {
        worker_deliver(pool(), word(&mill, LANE_NORMAL, number));
    }
    worker_bring(pool(), words(4, 6));
    test_run(pool());
    expect_heard("s4 m1 s5 m2 s6 m3 ");
    end();
}

Test(brought, a_large_message_is_not_copied_and_keeps_its_order)
{
    begin();
    worker_bring(pool(), words(1, 2));
    static const uint64_t record[CHUNK_BYTES / sizeof(uint64_t)] = {3};
    envelope_t *large = envelope_new(ENV_TELL, test_actor(&boss)->self, test_actor(&sink)->self,
                                     &word_type, record, sizeof record);
    large->lane = LANE_NORMAL;
    chunk_t *chunk = chunk_new();
    chunk_put(chunk, large, envelope_bytes(large));
    cr_expect_eq(chunk->large, large);
    cr_expect_not(chunk_fits(chunk, 1));
    worker_bring(pool(), chunk);
    worker_bring(pool(), words(4, 4));
    test_run(pool());
    expect_heard("s1 s2 s3 s4 ");
    end();
}

Test(brought, what_an_incarnation_says_is_not_heard_before_the_end_of_the_one_before)
{
    begin();
    chunk_t *before = words(1, 2);
    before->mixed = true; /* it goes into lanes */
    worker_bring(pool(), before);
    envelope_t *down = envelope_new(ENV_DOWN, test_actor(&boss)->self, test_actor(&sink)->self,
                                    NULL, "boss", sizeof "boss");
    down->reason = ACTOR_RESTARTED;
    envelope_more(down)->down.class_name = "boss";
    worker_deliver(pool(), down);
    worker_bring(pool(), words(3, 4));
    test_run(pool());
    expect_heard("s1 s2 bdown s3 s4 ");
    end();
}

/* What was asked of it leaves the lane when it is restarted: nothing is before what comes then. */
Test(brought, what_has_left_the_lane_unhandled_is_waited_for_by_nobody)
{
    begin();
    envelope_t *asked = envelope_new(ENV_ASK, test_actor(&boss)->self, test_actor(&sink)->self,
                                     &word_type, &(word_t){.number = 1}, sizeof(word_t));
    asked->lane = LANE_NORMAL;
    worker_deliver(pool(), asked);
    worker_deliver(pool(), envelope_new(ENV_CYCLE, test_actor(&boss)->self, test_actor(&sink)->self,
                                        NULL, NULL, 0));
    for (uint32_t i = 0; i < 5; i++) {
        test_now_ns += NS_PER_MS * 1000;
        test_settle();
    }
    cr_assert_eq(test_actor(&sink)->stage, STAGE_OPEN, "it is back");
    worker_bring(pool(), words(1, 2));
    test_run(pool());
    expect_heard("s1 s2 ");
    end();
}

/* The same of an ask that comes while it is away, and is refused. */
Test(brought, what_was_refused_at_the_lane_is_waited_for_by_nobody)
{
    begin();
    worker_deliver(pool(), envelope_new(ENV_CYCLE, test_actor(&boss)->self, test_actor(&sink)->self,
                                        NULL, NULL, 0));
    test_run(pool());
    envelope_t *asked = envelope_new(ENV_ASK, test_actor(&boss)->self, test_actor(&sink)->self,
                                     &word_type, &(word_t){.number = 1}, sizeof(word_t));
    asked->lane = LANE_NORMAL;
    worker_deliver(pool(), asked);
    for (uint32_t i = 0; i < 5; i++) {
        test_now_ns += NS_PER_MS * 1000;
        test_settle();
    }
    worker_bring(pool(), words(1, 2));
    test_run(pool());
    expect_heard("s1 s2 ");
    end();
}

/* ---- what must survive the chunk ---- */

Test(brought, a_message_that_fails_in_its_chunk_is_tried_again_whole_and_in_its_order)
{
    begin();
    fails_on = 1;
    worker_bring(pool(), words(1, 1));
    test_run(pool());
    worker_bring(pool(), words(2, 4)); /* most likely where the first chunk was */
    test_run(pool());
    expect_heard("s1 ");
    for (uint32_t i = 0; i < 5; i++) {
        test_now_ns += NS_PER_MS * 1000;
        test_settle();
    }
    worker_bring(pool(), words(5, 5));
    test_run(pool());
    expect_heard("s1 s1 s2 s3 s4 s5 ");
    end();
}

Test(brought, one_that_hangs_keeps_its_message_and_no_other)
{
    begin();
    hangs_on = 1;
    chunk_t *chunk = chunk_new();
    put(chunk, word(&mill, LANE_NORMAL, 1));
    put(chunk, word(&sink, LANE_NORMAL, 2));
    put(chunk, word(&mill, LANE_NORMAL, 3));
    worker_t *stuck = pool();
    worker_bring(stuck, chunk);
    worker_bring(stuck, words(4, 4));
    test_run(stuck);
    cr_expect_eq(after_hang, 1, "its message said %lu, expected 1", (unsigned long) after_hang);
    expect_heard("m1 s2 s4 ");
    cr_expect_eq(stuck->brought_count, 0);
    worker_deliver(pool(), takeover_back(stuck));
    for (uint32_t i = 0; i < 5; i++) {
        test_now_ns += NS_PER_MS * 1000;
        test_settle();
    }
    expect_heard("m1 s2 s4 m1 m3 ");
    end();
}

/* ---- bounds ---- */

Test(brought, no_more_than_so_many_chunks_are_kept)
{
    char expected[512] = "";
    begin();
    for (uint64_t number = 1; number <= BROUGHT_MAX + 3; number++) {
        chunk_t *full = words(number, number);
        full->size = full->used; /* it has no room for others */
        worker_bring(pool(), full);
        cr_expect_leq(pool()->brought_count, BROUGHT_MAX, "%u chunks, expected %u at most",
                      pool()->brought_count, BROUGHT_MAX);
        snprintf(expected + strlen(expected), sizeof expected - strlen(expected), "s%lu ",
                 (unsigned long) number);
    }
    test_run(pool());
    test_run(pool());
    expect_heard(expected);
    end();
}

Test(brought, small_chunks_are_put_together_in_their_order_but_not_into_the_first)
{
    begin();
    for (uint64_t number = 1; number <= 9; number += 2) {
        worker_bring(pool(), words(number, number + 1));
    }
    cr_expect_eq(pool()->brought_count, 2, "%u chunks are kept, expected 2", pool()->brought_count);
    const _Atomic uint32_t bell = 0;
    worker_run(pool(), &bell, 0, 3);
    expect_heard("s1 s2 s3 ");
    worker_bring(pool(), words(11, 11)); /* the last is the first now, and is being emptied */
    cr_expect_eq(pool()->brought_count, 2, "%u chunks are kept, expected 2", pool()->brought_count);
    test_run(pool());
    expect_heard("s1 s2 s3 s4 s5 s6 s7 s8 s9 s10 s11 ");
    end();
}

Test(brought, what_waits_for_a_millisecond_is_in_its_lane_and_its_age_is_told)
{
    begin();
    int64_t sent_ns = test_now_ns;
    handler_ns = 300 * US;
    worker_bring(pool(), words(1, 20));
    const _Atomic uint32_t bell = 0;
    for (uint32_t i = 0; i < 8; i++) { /* 2.4 ms */
        worker_run(pool(), &bell, 0, 1);
    }
    const actor_t *actor = test_actor(&sink);
    cr_expect_eq(pool()->brought_count, 0, "a chunk of %u is kept", pool()->brought_count);
    cr_expect_eq(actor->lane_depth[LANE_NORMAL], 12, "%u wait, expected 12",
                 actor->lane_depth[LANE_NORMAL]);
    cr_expect_eq(atomic_load(&actor->cell->oldest_ns), sent_ns, "its age is not told");
    end();
}

Test(brought, what_is_handled_in_place_gives_its_place_back)
{
    begin();
    for (uint32_t batch = 0; batch < 20; batch++) {
        boss_tells = 40;
        worker_deliver(test_actor(&boss)->worker, word(&boss, LANE_NORMAL, 7));
        test_run(test_actor(&boss)->worker);
        chunk_t *chunk = chunk_new();
        for (uint32_t i = 0; i < test_posts; i++) {
            put(chunk, test_posted[i].envelope);
        }
        cr_assert_eq(test_posts, 40, "%u were told, expected 40", test_posts);
        test_posts = 0;
        worker_bring(pool(), chunk);
        test_run(pool());
    }
    test_settle();
    uint64_t taken = room_messages(test_actor(&sink)->cell, LANE_NORMAL);
    cr_expect_eq(taken, 0, "%lu places are taken, expected none", (unsigned long) taken);
    end();
}

Test(brought, what_comes_after_what_waited_too_long_stays_where_it_lies)
{
    begin();
    chunk_t *first = words(1, 2);
    first->mixed = true; /* it goes into lanes, as what has waited too long does */
    worker_bring(pool(), first);
    worker_bring(pool(), words(3, 4));
    const _Atomic uint32_t bell = 0;
    worker_run(pool(), &bell, 0, 2);
    const actor_t *actor = test_actor(&sink);
    expect_heard("s1 s2 ");
    cr_expect_eq(actor->lane_depth[LANE_NORMAL], 0, "%u more were put into the lane, expected none",
                 actor->lane_depth[LANE_NORMAL]);
    test_run(pool());
    expect_heard("s1 s2 s3 s4 ");
    end();
}
