/* tenant_test.c - a slot that is somebody else's by now: its next tenant is taken for nobody who
 * was there before, by hand; and the numbers of its tenants go round. */
#include <criterion/criterion.h>
#include <pthread.h>
#include <stdio.h>

#include "proto/record_table.h"
#include "tests/unit/lanes/by_test.h"

#define WORD(F, R) F(R, u64, number, 0, OPTIONAL)
RECORD(word, 0x7504, WORD)

/* ---- the cast: a boss; a kid and a twin, who come and go; an ear that hears them; a caller;
 * a mother, who fails once where she is told to ---- */

enum { ENDS = 1, FAILS, TELLS, TELLS_BAD_AND_ENDS, MONITORS, CALLS, HAS_TWO, HAS_ONE_AND_FAILS };
enum { KID_TAG = 1, TWIN_TAG, NEXT_TAG = 9 };

static actor_ref_t kid_ref, twin_ref, next_ref;
static const actor_class_t *next; /* the boss has it as soon as he hears of an end; NULL: nobody */
static char heard[128];           /* by the ear; and ends, by the boss, the mother and the ear */
static err_t called;              /* how the call of the late one was answered */
static bool answered;

static void
hear(const char *what, uint64_t number)
{
    snprintf(heard + strlen(heard), sizeof heard - strlen(heard), "%s%lu ", what,
             (unsigned long) number);
}

enum { EAR_EDGE };
HANDLE(void, word)
{
    uint64_t number = m->number == TELLS ? TELLS : TELLS_BAD_AND_ENDS;
    if (m->number == TELLS || m->number == TELLS_BAD_AND_ENDS) {
        word_t *w = DRAFT(ctx, word);
        w->number = number;
        claim(ctx, actor_tell_role(ctx, EAR_EDGE, w) == VERDICT_OK);
    }
    return m->number == ENDS || m->number == TELLS_BAD_AND_ENDS ? ACTOR_STOP : ACTOR_CONTINUE;
}
static const actor_edge_t ear_edges[] = {{EDGE_TELL, "ear", &word_type}};
#define CHILD(its_name, its_placement)                                                             \
    {                                                                                              \
        .name = its_name, .placement = its_placement, .restart = ACTOR_TEMPORARY,                  \
        ACTOR_HEARS(ON(word)), .edges = ear_edges, .edge_count = 1                                 \
    }
static const actor_class_t kid = CHILD("kid", ACTOR_POOL), twin = CHILD("twin", ACTOR_OWN_WORKER);

static actor_next_t
ear_word(actor_ctx_t *ctx, void *self, const void *message)
{
    const word_t *m = message;
    if (m->number == MONITORS) {
        actor_monitor(ctx, kid_ref, 3);
        return ACTOR_CONTINUE;
    }
    hear("e", m->number);
    claim(ctx, self != NULL && m->number != TELLS_BAD_AND_ENDS);
    return ACTOR_CONTINUE;
}
HANDLE_DOWN(void, ear_down)
{
    hear("down", down->tag);
    return ACTOR_CONTINUE;
}
static const actor_hears_t ear_hears[] = {{&word_type, LANE_NORMAL, ear_word}};
static const actor_class_t ear = {.name = "ear",
                                  .role = true,
                                  .state_bytes = 8,
                                  .on_down = ear_down,
                                  .hears = ear_hears,
                                  .hears_count = 1};

static const actor_class_t single = {.name = "single", .role = true, .restart = ACTOR_TEMPORARY};

/* Has one kid in each of its lives, under the same tag. */
HANDLE_INIT(void, mother_init)
{
    verdict_t had = actor_spawn(ctx, &kid, slice_of(""), NULL, NULL, KID_TAG, NULL);
    claim(ctx, had == VERDICT_OK);
    return ACTOR_CONTINUE;
}
HANDLE_DOWN(void, mother_down)
{
    hear("mother", down->tag);
    return ACTOR_CONTINUE;
}
static verdict_t had[2]; /* of those that she wanted to have */
static actor_ref_t had_ref;
static bool shown; /* while its spawn may still be taken back */

static bool
is_shown(actor_ref_t who)
{
    actor_figures_t told;
    uint32_t after;
    return core_watch(test_core, who.index, &told, 1, &after) == 1 && ref_equal(told.who, who);
}

static actor_next_t
mother_word(actor_ctx_t *ctx, void *self, const void *message)
{
    const word_t *m = message;
    claim(ctx, self != NULL && (m->number != FAILS || actor_attempt(ctx) > 1));
    for (size_t i = 0; m->number != FAILS && i < 2; i++) {
        had[i] = actor_spawn(ctx, &single, slice_of(""), NULL, NULL, 2, &had_ref);
    }
    shown = had[0] == VERDICT_OK && is_shown(had_ref);
    return m->number == HAS_ONE_AND_FAILS && actor_attempt(ctx) == 1 ? ACTOR_FAIL : ACTOR_CONTINUE;
}
static const actor_hears_t mother_hears[] = {{&word_type, LANE_NORMAL, mother_word}};
static const actor_class_t mother = {.name = "mother",
                                     .role = true,
                                     .state_bytes = 8,
                                     .init = mother_init,
                                     .on_down = mother_down,
                                     .hears = mother_hears,
                                     .hears_count = 1};

/* Calls the twin when it is told to, and answers whoever calls it. */
HANDLE_ANSWER(void, twin_answered)
{
    claim(ctx, answer->err == ERR_DOWN);
    return ACTOR_CONTINUE;
}
static actor_next_t
caller_word(actor_ctx_t *ctx, void *self, const void *message)
{
    claim(ctx, self != NULL);
    if (actor_is_asked(ctx)) {
        return REPLY(ctx, word, message) == VERDICT_OK ? ACTOR_CONTINUE : ACTOR_FAIL;
    }
    verdict_t asked = actor_ask(ctx, 0, twin_ref, DRAFT(ctx, word), 0, twin_answered_then, 0);
    claim(ctx, asked == VERDICT_OK);
    return ACTOR_CONTINUE;
}
static const actor_hears_t caller_hears[] = {{&word_type, LANE_NORMAL, caller_word}};
static const actor_edge_t caller_edges[] = {{EDGE_CALL, "twin", &word_type}};
static const actor_class_t caller = {.name = "caller",
                                     .role = true,
                                     .state_bytes = 8,
                                     .hears = caller_hears,
                                     .hears_count = 1,
                                     .edges = caller_edges,
                                     .edge_count = 1};

/* Calls the caller as soon as it is there. */
HANDLE_ANSWER(void, caller_answered)
{
    called = answer->err;
    answered = true;
    return ACTOR_CONTINUE;
}
HANDLE_INIT(void, late_init)
{
    verdict_t asked = actor_ask_role(ctx, 0, DRAFT(ctx, word), 0, caller_answered_then, 0);
    claim(ctx, asked == VERDICT_OK);
    return ACTOR_CONTINUE;
}
static const actor_edge_t late_edges[] = {{EDGE_CALL, "caller", &word_type}};
static const actor_class_t late = {.name = "late",
                                   .placement = ACTOR_OWN_WORKER,
                                   .init = late_init,
                                   .edges = late_edges,
                                   .edge_count = 1};

HANDLE_INIT(void, boss_init)
{
    static const actor_class_t *const parts[] = {&ear, &mother, &caller};
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        claim(ctx, actor_spawn(ctx, parts[i], slice_of(""), NULL, NULL, 0, NULL) == VERDICT_OK);
    }
    verdict_t kid_is = actor_spawn(ctx, &kid, slice_of(""), NULL, NULL, KID_TAG, &kid_ref);
    verdict_t twin_is = actor_spawn(ctx, &twin, slice_of(""), NULL, NULL, TWIN_TAG, &twin_ref);
    claim(ctx, kid_is == VERDICT_OK && twin_is == VERDICT_OK);
    return ACTOR_CONTINUE;
}
HANDLE_DOWN(void, boss_down)
{
    const actor_class_t *spawned = next;
    if (down->tag == 0) { /* a part of the cast */
        return ACTOR_CONTINUE;
    }
    hear("boss", down->tag);
    next = NULL;
    claim(ctx, spawned == NULL || actor_spawn(ctx, spawned, slice_of(""), NULL, NULL, NEXT_TAG,
                                              &next_ref) == VERDICT_OK);
    return ACTOR_CONTINUE;
}
static const actor_class_t boss = {
    .name = "boss", .role = true, .init = boss_init, .on_down = boss_down};

/* ---- by hand ---- */

static void
begin(void)
{
    static const actor_class_t *const classes[] = {&boss,   &ear,  &mother, &kid, &twin,
                                                   &caller, &late, &single, NULL};
    test_begin(classes);
    test_settle();
    cr_assert(next == NULL && heard[0] == '\0');
}

static void
wait_ms(int64_t ms)
{
    test_now_ns += ms * NS_PER_MS;
    test_settle();
}

static void
end(void)
{
    char left[256] = "";
    core_stop(test_core);
    for (uint32_t i = 0; i < 40; i++) {
        wait_ms(1000);
    }
    cr_expect(core_is_ended(test_core) && core_left(test_core, left, sizeof left) == 0, "left: %s",
              left);
    core_destroy(&test_core);
}

static worker_t *
worker_of(actor_ref_t who)
{
    return core_worker(test_core, atomic_load(&cell_at(test_core, who.index)->worker));
}

static actor_ref_t
role_ref(const actor_class_t *class)
{
    return test_actor(class)->self;
}

/* It has this message, and its worker a quantum. */
static void
give(actor_ref_t to, uint64_t number)
{
    word_t m = {.number = number};
    envelope_t *given = envelope_new(ENV_TELL, (actor_ref_t){0}, to, &word_type, &m, sizeof m);
    given->lane = LANE_NORMAL;
    worker_deliver(worker_of(to), given);
    test_run(worker_of(to));
}

/* The first of this kind that was posted arrives, and its receiver's worker has a quantum. */
static void
arrives(envelope_kind_t kind)
{
    uint32_t at = 0;
    while (at < test_posts && test_posted[at].envelope->kind != kind) {
        at++;
    }
    cr_assert(at < test_posts, "nothing of kind %d was posted", (int) kind);
    struct posted posted = test_posted[at];
    test_posts--;
    memmove(&test_posted[at], &test_posted[at + 1], (test_posts - at) * sizeof posted);
    worker_deliver(core_worker(test_core, posted.to), posted.envelope);
    test_run(core_worker(test_core, posted.to));
}

static void
expect_heard(const char *expected)
{
    cr_expect_str_eq(heard, expected, "heard: %s\nexpected: %s", heard, expected);
}

/* ---- claims ---- */

Test(tenant, the_end_of_a_child_is_not_that_of_the_next_one_in_its_slot)
{
    begin();
    give(kid_ref, ENDS);
    give(twin_ref, ENDS); /* it has gone, and its parent has not heard of it */
    next = &kid;
    arrives(ENV_ENDED);
    cr_assert_eq(next_ref.index, twin_ref.index, "the next one has the slot of the twin");
    test_settle();
    expect_heard("boss1 boss2 ");
    give(next_ref, ENDS);
    test_settle();
    expect_heard("boss1 boss2 boss9 ");
    end();
}

Test(tenant, a_child_is_stopped_by_an_older_reference_and_not_the_next_one_in_its_slot)
{
    begin();
    actor_t *parent = test_actor(&boss);
    give(kid_ref, ENDS);
    give(twin_ref, ENDS);
    next = &kid;
    arrives(ENV_ENDED);
    const child_t *first = supervisor_find(parent, twin_ref);
    const child_t *second = supervisor_find(parent, next_ref);
    cr_expect(first != NULL && second != NULL && first != second && first->tag == TWIN_TAG &&
              second->tag == NEXT_TAG);
    actor_ref_t mothers = role_ref(&mother);
    give(mothers, FAILS);
    for (uint32_t i = 0; i < 5; i++) {
        wait_ms(1000);
    }
    cr_assert(role_ref(&mother).incarnation != mothers.incarnation, "it was restarted");
    cr_expect(supervisor_find(parent, mothers) != NULL &&
                  supervisor_find(parent, mothers) == supervisor_find(parent, role_ref(&mother)),
              "a child is known by a reference of before its restart");
    end();
}

Test(tenant, a_new_life_does_not_hear_of_a_child_that_the_one_before_did_not_wait_for)
{
    begin();
    worker_t *pool = core_worker(test_core, test_core->pool_first);
    give(role_ref(&mother), FAILS);
    for (uint32_t i = 0; i < 5; i++) { /* the kid does not end in time, and is begun without */
        test_now_ns += 1000 * NS_PER_MS;
        test_settle_but(pool);
    }
    cr_assert(test_actor(&mother)->stage == STAGE_OPEN, "the mother is back");
    test_settle();
    expect_heard("");
    cr_expect(test_actor(&mother)->rare->children != NULL &&
                  test_actor(&mother)->rare->children->next == NULL,
              "she has her own kid, and no other");
    end();
}

Test(tenant, a_call_to_one_who_went_closes_no_circle_with_the_next_one_in_his_slot)
{
    begin();
    give(role_ref(&caller), CALLS); /* on its way to the twin */
    give(twin_ref, ENDS);
    next = &late;
    arrives(ENV_ENDED);
    cr_assert_eq(next_ref.index, twin_ref.index, "the next one has the slot of the twin");
    actor_figures_t told;
    uint32_t after;
    cr_assert_eq(core_watch(test_core, role_ref(&caller).index, &told, 1, &after), 1);
    cr_expect_eq(told.waits_on.index, 0, "who waits for one who went waits for nobody");
    arrives(ENV_INIT);
    test_settle();
    cr_expect(answered && called == OK, "the late one's call is answered %s, expected ok",
              answered ? err_word(called) : "never");
    end();
}

Test(tenant, a_bad_message_of_one_who_went_holds_up_nobody_who_has_his_slot)
{
    begin();
    give(twin_ref, TELLS_BAD_AND_ENDS);
    next = &kid;
    test_settle();
    cr_assert_eq(next_ref.index, twin_ref.index, "the next one has the slot of the twin");
    give(next_ref, TELLS);
    for (uint32_t i = 0; i < 5; i++) {
        wait_ms(100);
    }
    cr_expect_eq(strncmp(heard, "e4 boss2 e3 ", 12), 0, "heard: %s", heard);
    for (uint32_t i = 0; i < 40; i++) {
        wait_ms(1000);
    }
    end();
}

Test(tenant, who_monitors_one_that_went_need_not_handle_first_what_the_next_one_said)
{
    begin();
    give(role_ref(&ear), MONITORS);
    test_settle();
    give(kid_ref, ENDS);
    next = &twin;
    arrives(ENV_ENDED);
    cr_assert_eq(next_ref.index, kid_ref.index, "the next one has the slot of the kid");
    arrives(ENV_INIT);
    worker_t *worker = worker_of(role_ref(&ear));
    worker_deliver(worker, envelope_new(ENV_PAUSE, role_ref(&boss), role_ref(&ear), NULL, NULL, 0));
    test_run(worker);
    give(next_ref, TELLS);
    arrives(ENV_TELL);
    arrives(ENV_DOWN);
    expect_heard("boss1 down3 ");
    end();
}

Test(tenant, a_role_is_given_once_also_in_one_handler_and_again_when_that_failed)
{
    begin();
    give(role_ref(&mother), HAS_ONE_AND_FAILS);
    cr_expect(had[0] == VERDICT_OK && had[1] == VERDICT_FULL, "verdicts %d and %d", (int) had[0],
              (int) had[1]);
    had[0] = had[1] = VERDICT_DOWN;
    for (uint32_t i = 0; i < 5; i++) { /* it is tried again */
        wait_ms(1000);
    }
    cr_expect(had[0] == VERDICT_OK && had[1] == VERDICT_FULL, "verdicts %d and %d", (int) had[0],
              (int) had[1]);
    give(role_ref(&mother), HAS_TWO);
    cr_expect(had[0] == VERDICT_FULL, "verdict %d while there is one", (int) had[0]);
    end();
}

Test(tenant, one_whose_spawn_may_still_be_taken_back_is_shown_to_nobody)
{
    begin();
    give(role_ref(&mother), HAS_TWO);
    cr_assert_eq(had[0], VERDICT_OK);
    cr_expect_not(shown, "who looked just then could speak to it");
    cr_expect(is_shown(had_ref), "it has been spawned");
    end();
}

/* ---- numbers that go round ---- */

static cell_t cells[4];

static core_t *
core_of_one(uint32_t life)
{
    static core_t core;
    core = (core_t){.cells = cells, .cells_used = 2, .free_head = 1};
    cells[1] = (cell_t){.life = life};
    return &core;
}

Test(tenant, a_slot_has_a_tenant_also_after_its_four_billionth)
{
    core_t *core = core_of_one(UINT32_MAX);
    actor_ref_t who;
    cr_assert(cell_claim(core, &who));
    cell_open(core, who);
    cr_expect(cell_holds(core, who), "nobody is there: incarnation %u", who.incarnation);
}

Test(tenant, one_that_is_restarted_for_the_four_billionth_time_is_the_same)
{
    core_t *core = core_of_one(UINT32_MAX - 1);
    actor_ref_t first;
    cr_assert(cell_claim(core, &first));
    cell_open(core, first);
    uint64_t whose = lease_tenant(core, first.index);
    actor_ref_t after = cell_next_incarnation(&cells[1], first.index);
    cr_expect(cell_holds(core, first) && cell_holds(core, after), "nobody is there");
    cr_expect_eq(lease_tenant(core, first.index), whose, "another tenant is there");
}

#define CLAIMS 2000000u

/* Each looks whether another one is in the middle of it. */
static void *
claim_in_vain(void *context)
{
    core_t *core = context;
    actor_ref_t who;
    uint32_t most = 0;
    for (uint32_t i = 0; i < CLAIMS && most <= ACTORS_MAX; i++) {
        cr_assert_not(cell_claim(core, &who));
        uint32_t used = atomic_load(&core->cells_used);
        most = used > most ? used : most;
    }
    cr_expect_leq(most, ACTORS_MAX, "%u slots were used, there are %u", most, ACTORS_MAX);
    return NULL;
}

/* Who looks at all slots goes as far as they are used: beyond the last one there is nothing. */
Test(tenant, no_more_slots_are_used_than_there_are, .timeout = 60)
{
    core_t core = {.cells = cells, .cells_used = ACTORS_MAX};
    pthread_t thread[2];
    for (int i = 0; i < 2; i++) {
        cr_assert_eq(pthread_create(&thread[i], NULL, claim_in_vain, &core), 0);
    }
    for (int i = 0; i < 2; i++) {
        pthread_join(thread[i], NULL);
    }
}
