/* core_lane_test.c - lanes, order, bounds, and what a failed handler said. */
#include "tests/placement.h"
#include "tests/sim/core_cast.h"

static actor_next_t
note_say(actor_ctx_t *ctx, puppet_t *self, const say_t *m)
{
    cr_assert(ctx != NULL);
    self->count++;
    note("say-%lu", (unsigned long) m->number);
    return ACTOR_CONTINUE;
}
static actor_next_t
note_press(actor_ctx_t *ctx, puppet_t *self, const press_t *m)
{
    cr_assert(ctx != NULL && self != NULL);
    note("press-%lu", (unsigned long) m->number);
    return ACTOR_CONTINUE;
}
static actor_next_t
want_replied(actor_ctx_t *ctx, puppet_t *self, const want_t *m)
{
    cr_assert(self != NULL);
    answer(ctx, m->number + 1);
    return ACTOR_CONTINUE;
}

/* ---- lanes ---- */

static actor_next_t
fill_lanes(actor_ctx_t *ctx, puppet_t *self)
{
    cr_assert(self != NULL);
    expect(tell(ctx, A, 1) == VERDICT_OK && tell_urgent(ctx, A, 2) == VERDICT_OK &&
           ask(ctx, D, 3, 1000) == VERDICT_OK);
    actor_monitor(ctx, (actor_ref_t){0}, 9);
    return ACTOR_CONTINUE;
}
static actor_next_t
note_down(actor_ctx_t *ctx, puppet_t *self, const actor_down_t *down)
{
    static const char *const reasons[] = {"ended", "failed", "restarted", "given-up", "late"};
    cr_assert(ctx != NULL && self != NULL);
    note("down-%s-%lu", reasons[down->reason], (unsigned long) down->tag);
    return ACTOR_CONTINUE;
}
/* Whether one of each lane waits at a: the monitor of nobody, the answer, urgent, normal. */
static bool
all_wait(void)
{
    const actor_t *a = cast_actor(A);
    for (int lane = 0; lane < LANE_COUNT; lane++) {
        if (a->lane_depth[lane] == 0) {
            return false;
        }
    }
    return true;
}

/* Steps everything but the worker of a. */
static void
step_others(void)
{
    sim_t *sim = cast->sim;
    for (uint32_t round = 0; round < 100; round++) {
        for (uint32_t w = 0; w < sim->workers; w++) {
            while (w != cast_actor(A)->worker->index && worker_step(core_worker(sim->core, w))) {
            }
        }
        for (uint32_t i = 0; i < sim->senders * sim->workers; i++) {
            while (sim->channel[i].head != NULL) {
                worker_deliver(core_worker(sim->core, i % sim->workers), sim_channel_take(sim, i));
            }
        }
    }
}

Test(core_lanes, system_runs_before_reply_before_urgent_before_normal)
{
    cast_hook[A] = (cast_hooks_t){.say = note_say, .press = note_press, .down = note_down};
    cast_hook[D].want = want_replied;
    for (cast_run_t run = {0}; cast_next(&run);) {
        poke(A, fill_lanes);
        step_others();
        expect(all_wait(), "a message waits in each lane");
        settle();
        expect_log("down-ended-9 3=4 press-2 say-1 ");
    }
}

/* ---- order ---- */

static actor_next_t
tell_a_row(actor_ctx_t *ctx, puppet_t *self)
{
    for (uint64_t i = 0; i < 10; i++) {
        uint64_t number = (uint64_t) self->who * 1000 + self->count++;
        expect(tell(ctx, D, number) == VERDICT_OK);
        expect(tell_urgent(ctx, D, number) == VERDICT_OK);
    }
    return ACTOR_CONTINUE;
}
static uint64_t last_say[CAST_COUNT], last_press[CAST_COUNT];
static actor_next_t
order_say(actor_ctx_t *ctx, puppet_t *self, const say_t *m)
{
    cr_assert(ctx != NULL && self != NULL);
    expect(m->number % 1000 == last_say[m->number / 1000]++, "say %lu is in order",
           (unsigned long) m->number);
    return ACTOR_CONTINUE;
}
static actor_next_t
order_press(actor_ctx_t *ctx, puppet_t *self, const press_t *m)
{
    cr_assert(ctx != NULL && self != NULL);
    expect(m->number % 1000 == last_press[m->number / 1000]++, "press %lu is in order",
           (unsigned long) m->number);
    return ACTOR_CONTINUE;
}

Test(core_lanes, order_is_kept_per_sender_receiver_and_lane)
{
    cast_hook[D] = (cast_hooks_t){.say = order_say, .press = order_press};
    for (cast_run_t run = {0}; cast_next(&run);) {
        memset(last_say, 0, sizeof last_say);
        memset(last_press, 0, sizeof last_press);
        for (int i = 0; i < 5; i++) {
            poke(A, tell_a_row);
            poke(B, tell_a_row);
            poke(C, tell_a_row);
            settle_ms(i % 2);
        }
        settle();
        for (int who = A; who <= C; who++) {
            expect(last_say[who] == 50 && last_press[who] == 50, "all of %d arrived", who);
        }
    }
}

/* ---- a down comes last ---- */

static actor_next_t
spawn_talker(actor_ctx_t *ctx, puppet_t *self)
{
    expect(actor_spawn(ctx, &cast_class[KID], slice_of("talker"), NULL, NULL, 7, &self->kid[0]) ==
           VERDICT_OK);
    return ACTOR_CONTINUE;
}
static actor_next_t
talk_and_end(actor_ctx_t *ctx, puppet_t *self)
{
    cr_assert(self != NULL);
    for (uint64_t i = 0; i < 3; i++) {
        expect(tell(ctx, A, i) == VERDICT_OK && tell_urgent(ctx, A, i) == VERDICT_OK);
    }
    return ACTOR_STOP;
}
static actor_next_t
monitor_nobody(actor_ctx_t *ctx, puppet_t *self, const say_t *m)
{
    note("say-%lu", (unsigned long) m->number);
    self->count++;
    expect(ask(ctx, D, 50, 1000) == VERDICT_OK);
    return ACTOR_CONTINUE;
}

Test(core_lanes, a_down_follows_every_message_that_the_dead_one_sent)
{
    cast_class[KID].restart = ACTOR_TEMPORARY;
    cast_hook[KID].init = talk_and_end;
    cast_hook[A] = (cast_hooks_t){.say = monitor_nobody, .press = note_press, .down = note_down};
    for (cast_run_t run = {0}; cast_next(&run);) {
        poke(A, spawn_talker);
        settle();
        expect(strstr(noted(), "say-0 ") < strstr(noted(), "say-1 "));
        expect(strstr(noted(), "say-2 ") < strstr(noted(), "down-ended-7 "), "the down is last");
        expect(strstr(noted(), "press-2 ") < strstr(noted(), "down-ended-7 "), "the down is last");
        expect(noted_count("down-ended-7") == 1);
    }
}

/* ---- bounds ---- */

static actor_next_t
tell_until_full(actor_ctx_t *ctx, puppet_t *self)
{
    while (tell(ctx, D, self->count) == VERDICT_OK) {
        self->count++;
    }
    expect(tell(ctx, D, 1) == VERDICT_FULL);
    return ACTOR_CONTINUE;
}
static actor_next_t
start_over(actor_ctx_t *ctx, puppet_t *self)
{
    cr_assert(ctx != NULL);
    self->count = 0;
    return ACTOR_CONTINUE;
}

Test(core_bounds, a_lane_takes_its_count_and_not_one_more)
{
    cast_class[D].lane_messages_max = 40;
    for (cast_run_t run = {0}; cast_next(&run);) {
        poke(A, tell_until_full);
        expect(cast_figures(A).handled > 0 && ((puppet_t *) cast_actor(A)->state)->count == 40,
               "40 fit");
        poke(B, tell_until_full);
        expect(((puppet_t *) cast_actor(B)->state)->count == 0, "none fits after them");
        expect(cast_figures(D).depth[LANE_NORMAL] == 40);
        settle();
        expect(cast_figures(D).depth[LANE_NORMAL] == 0);
        poke(A, start_over);
        poke(A, tell_until_full);
        expect(((puppet_t *) cast_actor(A)->state)->count == 40, "handled places are free again");
        settle();
    }
}

static actor_next_t
tell_big_until_full(actor_ctx_t *ctx, puppet_t *self)
{
    while (tell_bytes(ctx, D, 1000) == VERDICT_OK) {
        self->count++;
    }
    return ACTOR_CONTINUE;
}

Test(core_bounds, a_lane_takes_its_bytes_and_not_one_message_more)
{
    cast_class[D].lane_bytes_max = 10240;
    uint64_t each = (sizeof(say_t) + 1000 + 15) / 16 * 16;
    for (cast_run_t run = {0}; cast_next(&run);) {
        poke(A, tell_big_until_full);
        uint64_t count = ((puppet_t *) cast_actor(A)->state)->count;
        expect(count * each <= 10240 && (count + 1) * each > 10240, "%lu messages of %lu bytes",
               (unsigned long) count, (unsigned long) each);
        settle();
    }
}

static actor_next_t
say_all_and_fail(actor_ctx_t *ctx, puppet_t *self)
{
    expect(tell(ctx, D, 1) == VERDICT_OK && tell_urgent(ctx, D, 2) == VERDICT_OK);
    expect(ask(ctx, D, 3, 500) == VERDICT_OK && actor_timer(ctx, 5, 1) == VERDICT_OK);
    expect(actor_spawn(ctx, &cast_class[KID], slice_of("never"), NULL, NULL, 7, &self->kid[0]) ==
           VERDICT_OK);
    while (tell(ctx, D, 4) == VERDICT_OK) {
    }
    return ACTOR_FAIL;
}
static actor_next_t
want_noted(actor_ctx_t *ctx, puppet_t *self, const want_t *m)
{
    note("want-%lu", (unsigned long) m->number);
    return want_replied(ctx, self, m);
}
static actor_next_t
init_noted(actor_ctx_t *ctx, puppet_t *self)
{
    cr_assert(ctx != NULL);
    note("init-%s", cast_class[self->who].name);
    return ACTOR_CONTINUE;
}

Test(core_bounds, what_a_failed_handler_said_never_leaves_and_its_places_come_back)
{
    cast_class[D].lane_messages_max = 20;
    cast_hook[D] = (cast_hooks_t){.say = note_say, .press = note_press, .want = want_noted};
    cast_hook[KID].init = init_noted;
    cast_hook[A] = (cast_hooks_t){.init = init_noted, .down = note_down};
    for (cast_run_t run = {0}; cast_next(&run);) {
        forget();
        int64_t before = cast_ms();
        poke(A, say_all_and_fail);
        expect(cast_figures(D).depth[LANE_NORMAL] == 0, "the places are free at once");
        expect(cast_figures(D).depth[LANE_URGENT] == 0, "the places are free at once");
        settle();
        expect_log("init-a ");
        expect(cast_ms() - before < 1000, "the restart waited for nobody: %ld ms",
               (long) (cast_ms() - before));
        poke(A, tell_until_full);
        expect(((puppet_t *) cast_actor(A)->state)->count == 20, "20 places are there");
        settle();
    }
}

/* ---- who may be spoken to ---- */

static actor_ref_t mute_ref;
static actor_next_t
remember_self(actor_ctx_t *ctx, puppet_t *self)
{
    cr_assert(self != NULL);
    mute_ref = actor_self(ctx);
    return ACTOR_CONTINUE;
}
static actor_next_t
speak_to_mute(actor_ctx_t *ctx, puppet_t *self)
{
    cr_assert(self != NULL);
    expect(tell_ref(ctx, D, mute_ref, 1) == VERDICT_UNDECLARED, "no edge of a leads to mute");
    expect(tell_ref(ctx, D, (actor_ref_t){0}, 1) == VERDICT_DOWN, "nobody is down");
    actor_ref_t future = {mute_ref.index, mute_ref.incarnation + 1};
    expect(tell_ref(ctx, D, future, 1) == VERDICT_DOWN, "an incarnation to come is down");
    return ACTOR_CONTINUE;
}

Test(core_bounds, an_address_that_came_in_a_message_is_checked_when_used)
{
    cast_hook[MUTE] = (cast_hooks_t){.init = remember_self, .say = note_say};
    for (cast_run_t run = {0}; cast_next(&run);) {
        poke(A, speak_to_mute);
        settle();
        expect_log("");
    }
}

static actor_next_t
tell_too_large(actor_ctx_t *ctx, puppet_t *self)
{
    cr_assert(self != NULL);
    expect(tell_bytes(ctx, D, MESSAGE_BYTES_MAX) == VERDICT_TOO_LARGE);
    expect(tell(ctx, D, 8) == VERDICT_OK, "the next draft is a new one");
    return ACTOR_CONTINUE;
}

Test(core_bounds, a_draft_that_does_not_fit_is_too_large_and_takes_no_place)
{
    cast_hook[D].say = note_say;
    cast_run_t run = {0};
    cr_assert(cast_next(&run));
    poke(A, tell_too_large);
    expect(cast_figures(D).depth[LANE_NORMAL] == 1);
    settle();
    expect_log("say-8 ");
    sim_destroy(&run.sim);
}

/* ---- load ---- */

static const actor_edge_t to_nobody[] = {{EDGE_TELL, "ghost", &say_type}};
static const actor_edge_t to_deaf[] = {{EDGE_TELL, "a", &got_type}};
static const actor_edge_t one_two[] = {{EDGE_CALL, "two", &say_type}};
static const actor_edge_t two_three[] = {{EDGE_NEED, "three", &say_type}};
static const actor_edge_t three_one[] = {{EDGE_CALL, "one", &say_type}};
static const actor_edge_t three_two_dynamic[] = {{EDGE_DYNAMIC, "one", &say_type},
                                                 {EDGE_ASK, "two", &say_type}};

static err_t
load(const actor_class_t *const *classes, char *why, size_t size)
{
    host_options_t host = {.classes = classes, .root = classes[0], .placement = placement_wanted()};
    sim_options_t options = {.seed = 1, .host = &host};
    err_t err = OK;
    sim_t *sim = sim_new(&options, &err, why, size);
    sim_destroy(&sim);
    return err;
}

Test(core_load, an_edge_to_nobody_or_to_one_that_does_not_hear_is_refused_by_name)
{
    char why[256] = "";
    actor_class_t one = {.name = "one", .edges = to_nobody, .edge_count = 1, .role = true};
    const actor_class_t *const classes[] = {
        &one, &cast_class[A], &cast_class[B], &cast_class[C], &cast_class[D], &cast_class[KID],
        NULL};
    cr_assert_eq(load(classes, why, sizeof why), ERR_UNDECLARED);
    cr_assert(strstr(why, "one") != NULL && strstr(why, "ghost") != NULL, "%s", why);
    one.edges = to_deaf;
    cr_assert_eq(load(classes, why, sizeof why), ERR_UNDECLARED);
    cr_assert(strstr(why, "a does not hear got") != NULL, "%s", why);
}

Test(core_load, a_circle_of_needs_and_calls_is_refused_with_its_path)
{
    char why[256] = "";
    const actor_hears_t *hears = cast_class[A].hears;
    actor_class_t one = {
        .name = "one", .edges = one_two, .edge_count = 1, .hears = hears, .hears_count = 3};
    actor_class_t two = {
        .name = "two", .edges = two_three, .edge_count = 1, .hears = hears, .hears_count = 3};
    actor_class_t three = {
        .name = "three", .edges = three_one, .edge_count = 1, .hears = hears, .hears_count = 3};
    const actor_class_t *const classes[] = {&one, &two, &three, NULL};
    cr_assert_eq(load(classes, why, sizeof why), ERR_CYCLE);
    cr_assert(strstr(why, "one -> two -> three -> one") != NULL, "%s", why);
    three.edges = three_two_dynamic;
    three.edge_count = 2;
    cr_assert_eq(load(classes, why, sizeof why), OK, "asks and dynamic calls may form circles: %s",
                 why);
}

Test(core_load, a_class_that_no_worker_can_run_is_refused_by_name)
{
    char why[256] = "";
    static const actor_hears_t in_reply_lane[] = {{&say_type, LANE_REPLY, NULL}};
    actor_class_t one = {.name = "one", .role = true}, same = {.name = "one"};
    const actor_class_t *const classes[] = {&one, &same, NULL}, *const alone[] = {&one, &one, NULL};
    cr_assert_eq(load(classes, why, sizeof why), ERR_EXISTS);
    cr_assert(strstr(why, "'one'") != NULL, "%s", why);
    cr_assert_eq(load(alone, why, sizeof why), OK, "listed twice it is loaded once: %s", why);
    one.lane_messages_max = 1u << 20;
    cr_assert_eq(load(alone, why, sizeof why), ERR_TOO_LARGE);
    cr_assert(strstr(why, "1048575") != NULL && strstr(why, "1048576") != NULL, "%s", why);
    one.lane_messages_max = (1u << 20) - 1;
    cr_assert_eq(load(alone, why, sizeof why), OK, "%s", why);
    one.hears = in_reply_lane;
    one.hears_count = 1;
    cr_assert_eq(load(alone, why, sizeof why), ERR_BAD_VALUE);
    cr_assert(strstr(why, "say") != NULL, "%s", why);
}
