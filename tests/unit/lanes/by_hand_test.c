/* by_hand_test.c - a core whose executor is the test: what another thread does in between happens
 * at the worst moment, each time. */
#include <criterion/criterion.h>
#include <stdio.h>

#include "proto/record_table.h"
#include "runtime/inside.h"

#define AFTER_START_NS (INT64_C(1) << 50) /* a clock that is far from 0 */
#define POSTS_MAX      64u

#define WORD(F, R) F(R, u64, number, 0, OPTIONAL)
RECORD(word, 0x7501, WORD)

/* ---- the executor: what is posted waits until the test hands it on ---- */

static core_t *core;
static int64_t now_ns;
static void (*at_clock)(void); /* another thread does this whenever the clock is looked at */
static thread_times_t times;
static struct posted {
    uint32_t to;
    envelope_t *envelope;
} posted[POSTS_MAX];
static uint32_t posts, listed;
static bool is_held[POSTS_MAX]; /* a worker whose mail waits until the test lets it go */

static int64_t
now(void *self)
{
    void (*meanwhile)(void) = at_clock;
    at_clock = NULL; /* what it does looks at the clock, too */
    if (meanwhile != NULL && self == NULL) {
        meanwhile();
    }
    at_clock = meanwhile;
    return now_ns;
}

static void
post(void *self, uint32_t from, uint32_t to, envelope_t *take_envelope)
{
    cr_assert(self == NULL && posts < POSTS_MAX && from < core_worker_count(core) + CORE_OUTSIDERS);
    listed += take_envelope->next != NULL;
    posted[posts].to = to;
    posted[posts++].envelope = take_envelope;
}

static void
changed(void *self)
{
    cr_assert_null(self);
}

static bool
thread_times(void *self, uint32_t worker, thread_times_t *ret)
{
    *ret = times;
    return self == NULL && worker < core_worker_count(core);
}

/* Hands on what was posted, in its order. */
static bool
hand_on(void)
{
    uint32_t kept = 0, all = posts;
    for (uint32_t i = 0; i < all; i++) {
        if (is_held[posted[i].to]) {
            posted[kept++] = posted[i];
        } else {
            worker_deliver(core_worker(core, posted[i].to), posted[i].envelope);
        }
    }
    memmove(posted + kept, posted + all, (posts - all) * sizeof posted[0]);
    posts = kept + posts - all;
    return all > kept;
}

/* Hands on what was posted, and runs all, until nothing is left to do, also after the timers that
 * are due. */
static void
settle(void)
{
    for (uint32_t quiet = 0; quiet < 2; quiet++) {
        bool busy = hand_on();
        for (uint32_t i = 0; i < core_worker_count(core); i++) {
            busy = worker_step(core_worker(core, i)) || busy;
        }
        quiet = busy ? 0 : quiet;
    }
}

/* ---- the cast: each may call the other, and its boss hears what becomes of it ---- */

static uint32_t late, described, described_early, cycles, answers;
static actor_next_t then = ACTOR_CONTINUE; /* when an answer has been heard */

typedef struct part {
    bool begun;
} part_t;

HANDLE_INIT(part_t, part_init)
{
    self->begun = true;
    return ACTOR_CONTINUE;
}

HANDLE_TIMER(part_t, part_timer)
{
    return ACTOR_FAIL;
}

static void
part_describe(const void *state, char *text, size_t size)
{
    const part_t *self = state;
    described++;
    described_early += !self->begun;
    snprintf(text, size, "%s", "well");
}

HANDLE(part_t, word)
{
    claim(ctx, REPLY(ctx, word, m) == VERDICT_OK);
    return ACTOR_CONTINUE;
}

#define PART(part_name, others_edges)                                                              \
    {                                                                                              \
        .name = part_name, .role = true, .state_bytes = sizeof(part_t), .init = part_init,         \
        .on_timer = part_timer, .describe = part_describe, ACTOR_HEARS(ON(word)),                  \
        .edges = others_edges, .edge_count = 1                                                     \
    }
static const actor_edge_t ann_edges[] = {{EDGE_DYNAMIC, "bob", &word_type}};
static const actor_edge_t bob_edges[] = {{EDGE_DYNAMIC, "ann", &word_type}};
static const actor_class_t ann = PART("ann", ann_edges), bob = PART("bob", bob_edges);

HANDLE_INIT(void, boss_init)
{
    claim(ctx, actor_spawn(ctx, &ann, slice_of(""), NULL, NULL, 0, NULL) == VERDICT_OK);
    claim(ctx, actor_spawn(ctx, &bob, slice_of(""), NULL, NULL, 0, NULL) == VERDICT_OK);
    return ACTOR_CONTINUE;
}

HANDLE_DOWN(void, boss_down)
{
    late += down->reason == ACTOR_LATE;
    return ACTOR_CONTINUE;
}
static const actor_class_t boss = {
    .name = "boss", .role = true, .init = boss_init, .on_down = boss_down};

static void
begin_with(const actor_class_t *const *classes, void (*meanwhile)(void))
{
    const core_options_t options = {.classes = classes, .root = classes[0], .takeover_ms = 5000};
    const executor_t executor = {
        .now_ns = now, .wall_ns = now, .post = post, .changed = changed, .times = thread_times};
    char why[256];
    err_t err;

    now_ns = AFTER_START_NS;
    core = core_new(&options, &executor, &err, why, sizeof why);
    cr_assert_not_null(core);
    at_clock = meanwhile;
    core_start(core);
    settle();
    at_clock = NULL;
    cr_assert(core_is_ready(core, why, sizeof why), "not ready: %s", why);
}

static void
begin(void (*meanwhile)(void))
{
    static const actor_class_t *const classes[] = {&boss, &ann, &bob, NULL};
    begin_with(classes, meanwhile);
}

static void
end(void)
{
    core_stop(core);
    settle();
    cr_expect(core_is_ended(core));
    core_destroy(&core);
}

static actor_t *
of(const actor_class_t *class)
{
    return atomic_load(
        &cell_at(core, (uint32_t) atomic_load(&load_find(core, class->name)->role))->actor);
}

/* ---- who looks at the worst moment ---- */

static void
look(void)
{
    (void) core_look(core);
}

Test(by_hand, who_looks_while_a_child_is_made_does_not_tell_it_as_late)
{
    begin(look);
    cr_expect_eq(late, 0, "%u children were told as late, none has had any time", late);
    end();
}

static actor_next_t
set_timer(actor_ctx_t *ctx, void *self, const void *argument)
{
    cr_assert(self != NULL && argument == NULL);
    claim(ctx, actor_timer(ctx, 1, 0) == VERDICT_OK);
    return ACTOR_CONTINUE;
}

Test(by_hand, one_that_starts_again_is_not_asked_to_describe_itself_before_its_init)
{
    begin(NULL);
    core_run(of(&ann), "test", set_timer, NULL);
    settle();
    now_ns += INT64_C(60000) * NS_PER_MS; /* its backoff is over */
    settle();
    cr_assert(described > 0 && of(&ann)->stage == STAGE_OPEN);
    cr_expect_eq(described_early, 0, "it was asked %u times before its init", described_early);
    end();
}

Test(by_hand, a_message_that_leaves_is_in_no_list_any_more)
{
    listed = 0;
    begin(NULL); /* the boss starts two at once */
    cr_expect_eq(listed, 0, "%u of them left with a link to the next one", listed);
    end();
}

/* ---- a circle that opens between the two walks ---- */

static actor_next_t
heard(actor_ctx_t *ctx, void *self, const actor_answer_t *answer)
{
    claim(ctx, self != NULL);
    cycles += answer->err == ERR_CYCLE;
    answers += answer->err == OK;
    return then;
}

static actor_next_t
call_the_other(actor_ctx_t *ctx, void *self, const void *deadline_ms)
{
    const uint32_t *ms = deadline_ms;
    cr_assert_not_null(self);
    claim(ctx, actor_ask_role(ctx, 0, DRAFT(ctx, word), *ms, heard, 0) == VERDICT_OK);
    return ACTOR_CONTINUE;
}

static void
deadline_of_bob_passes(core_t *of_core)
{
    of_core->walked = NULL;
    now_ns += 20 * NS_PER_MS;
    worker_step(of(&bob)->worker);
}

Test(by_hand, a_circle_that_is_open_again_at_the_second_walk_fails_no_call)
{
    uint32_t soon_ms = 10, long_ms = 60000;
    begin(NULL);
    core_run(of(&bob), "test", call_the_other, &soon_ms); /* what he asks stays where it is */
    core->walked = deadline_of_bob_passes;
    core_run(of(&ann), "test", call_the_other, &long_ms);
    cr_assert_null(core->walked, "no circle was seen at all");
    settle();
    cr_expect_eq(cycles, 0, "a call was answered `cycle`, and nobody waits for it");
    cr_expect_eq(answers, 1, "%u answers, expected that to the second call", answers);
    end();
}

Test(by_hand, a_circle_that_both_walks_see_fails_the_call_that_closes_it)
{
    uint32_t long_ms = 60000;
    begin(NULL);
    core_run(of(&bob), "test", call_the_other, &long_ms);
    core_run(of(&ann), "test", call_the_other, &long_ms);
    settle();
    cr_expect(cycles == 1 && answers == 1, "%u `cycle` and %u answers", cycles, answers);
    end();
}

/* ---- who is stuck, and who only does not get on ---- */

static bool overdue;

/* Fifty looks in ten seconds, in a handler; argument: what each adds to its thread's times. */
static actor_next_t
work_long(actor_ctx_t *ctx, void *self, const void *argument)
{
    const thread_times_t *more = argument;
    overdue_t who;
    cr_assert(self != NULL && ctx != NULL);
    overdue = false;
    for (uint32_t i = 0; i < 50; i++) {
        now_ns += 200 * NS_PER_MS;
        times.ran_ns += more->ran_ns;
        times.queued_ns += more->queued_ns;
        times.is_ready = more->is_ready;
        core_look(core);
        overdue = overdue || core_overdue(core, &who);
    }
    return ACTOR_CONTINUE;
}

static bool
is_overdue(thread_times_t of_each_look)
{
    begin(NULL);
    core_run(of(&ann), "test", work_long, &of_each_look);
    settle();
    end();
    return overdue;
}

Test(by_hand, one_that_does_not_get_a_processor_is_not_taken_over)
{
    cr_expect(!is_overdue((thread_times_t){10 * NS_PER_MS, 0, true}), "it waits to run");
    cr_expect(!is_overdue((thread_times_t){10 * NS_PER_MS, 190 * NS_PER_MS, false}),
              "it waited to run most of the time");
}

Test(by_hand, one_that_waits_for_something_or_runs_all_the_time_is_taken_over)
{
    cr_expect(is_overdue((thread_times_t){0, 0, false}), "it waits");
    cr_expect(is_overdue((thread_times_t){200 * NS_PER_MS, 0, true}), "it runs");
}

/* ---- who waits for one whose own take their time ---- */

static char ended[64];

typedef struct leaf {
    char name[8];
} leaf_t;

HANDLE_INIT(leaf_t, leaf_init)
{
    snprintf(self->name, sizeof self->name, "%.7s", actor_name(ctx));
    return ACTOR_CONTINUE;
}

static void
leaf_drop(void *state)
{
    const leaf_t *self = state;
    size_t used = strlen(ended);
    snprintf(ended + used, sizeof ended - used, "%s ", self->name);
}
#define LEAF(leaf_name)                                                                            \
    {                                                                                              \
        .name = leaf_name, .role = true, .state_bytes = sizeof(leaf_t), .init = leaf_init,         \
        .drop = leaf_drop                                                                          \
    }
static const actor_class_t one = LEAF("one"), two = LEAF("two"), first = LEAF("first");

HANDLE_INIT(void, mid_init)
{
    claim(ctx, actor_spawn(ctx, &one, slice_of(""), NULL, NULL, 0, NULL) == VERDICT_OK);
    claim(ctx, actor_spawn(ctx, &two, slice_of(""), NULL, NULL, 0, NULL) == VERDICT_OK);
    return ACTOR_CONTINUE;
}
static const actor_class_t mid = {.name = "mid", .role = true, .init = mid_init};

HANDLE_INIT(void, top_init)
{
    claim(ctx, actor_spawn(ctx, &first, slice_of(""), NULL, NULL, 0, NULL) == VERDICT_OK);
    claim(ctx, actor_spawn(ctx, &mid, slice_of(""), NULL, NULL, 0, NULL) == VERDICT_OK);
    return ACTOR_CONTINUE;
}
static const actor_class_t top = {.name = "top", .role = true, .init = top_init};

static bool *
hold_of(const actor_class_t *class)
{
    return &is_held[of(class)->worker->index];
}

/* Each of the two takes less than it may, both together more than one may. */
Test(by_hand, a_parent_has_as_long_to_end_as_its_children_may_take)
{
    static const actor_class_t *const classes[] = {&top, &first, &mid, &one, &two, NULL};
    begin_with(classes, NULL);
    bool *held[] = {hold_of(&two), hold_of(&one)};
    *held[0] = *held[1] = true;
    core_stop(core);
    for (uint32_t i = 0; i < 2; i++) {
        settle();
        now_ns += 1500 * NS_PER_MS;
        settle();
        *held[i] = false;
    }
    cr_expect_str_eq(ended, "two ", "ended after 3 s: %s", ended);
    end();
    cr_expect_str_eq(ended, "two one first ", "ended: %s", ended);
}

/* It is left, and what was started before it ends all the same. */
Test(by_hand, one_that_takes_longer_than_it_may_keeps_nobody_from_his_end)
{
    static const actor_class_t *const classes[] = {&top, &first, &mid, &one, &two, NULL};
    begin_with(classes, NULL);
    bool *held = hold_of(&two);
    *held = true;
    core_stop(core);
    settle();
    now_ns += 2100 * NS_PER_MS;
    settle();
    cr_expect_str_eq(ended, "one first ", "ended: %s", ended);
    *held = false;
    settle();
    end();
}

/* ---- an end in order, with an answer in the lane ---- */

/* Ann's worker does not run until she has been told to end, and bob has answered and ended. */
static void
stop_before_the_answer_is_heard(void)
{
    static const uint32_t ms = 60000;
    answers = 0;
    core_run(of(&ann), "test", call_the_other, &ms);
    worker_t *bobs = of(&bob)->worker, *bosses = of(&boss)->worker;
    actor_t *asker = of(&ann);
    for (uint32_t round = 0; round < 20; round++) {
        hand_on();
        worker_step(bobs);
        if (round == 5) {
            core_stop(core);
        }
        worker_step(bosses);
    }
    cr_assert(asker->lane_depth[LANE_REPLY] == 1 && asker->lane_depth[LANE_SYSTEM] == 1);
    settle();
}

Test(by_hand, an_answer_that_is_there_is_heard_before_an_end_in_order)
{
    begin(NULL);
    stop_before_the_answer_is_heard();
    cr_expect_eq(answers, 1, "it heard %u answers, expected 1", answers);
    cr_expect(core_is_ended(core));
    core_destroy(&core);
}

Test(by_hand, one_that_fails_on_such_an_answer_ends_all_the_same)
{
    then = ACTOR_FAIL;
    begin(NULL);
    stop_before_the_answer_is_heard();
    cr_expect_eq(answers, 1);
    cr_expect(core_is_ended(core), "it waits to begin again, and its host for its end");
    core_destroy(&core);
}
