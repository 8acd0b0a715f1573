/* core_cast.c - the puppets' side of core_cast.h. */
#include "tests/sim/core_cast.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/placement.h"
#define SEEDS     6u
#define STEPS_MAX 3000000u

RECORD_DEFINE(say, 0x7101, CAST_MESSAGE)
RECORD_DEFINE(press, 0x7102, CAST_MESSAGE)
RECORD_DEFINE(want, 0x7103, CAST_MESSAGE)
RECORD_DEFINE(got, 0x7104, CAST_MESSAGE)

cast_hooks_t cast_hook[CAST_COUNT];
uint64_t cast_delay_ns_max = 1000;
uint64_t cast_stalled_ms;
const char *cast_notes_to;
uint32_t cast_latency_ns_max;
uint32_t cast_kids;
cast_run_t *cast;
static char log_text[1 << 16];
static size_t log_used;

/* ---- classes ---- */

static actor_next_t
puppet_init(actor_ctx_t *ctx, void *self_, const void *args)
{
    puppet_t *self = self_;
    while (&cast_class[self->who] != ctx->actor->class->class) {
        self->who++;
    }
    cr_assert(args == NULL);
    return cast_hook[self->who].init == NULL ? ACTOR_CONTINUE
                                             : cast_hook[self->who].init(ctx, self);
}

static actor_next_t
puppet_timer(actor_ctx_t *ctx, void *self_, uint64_t key)
{
    puppet_t *self = self_;
    note("timer-%lu", (unsigned long) key);
    return cast_hook[self->who].timer == NULL ? ACTOR_CONTINUE
                                              : cast_hook[self->who].timer(ctx, self, key);
}

static actor_next_t
puppet_down(actor_ctx_t *ctx, void *self_, const actor_down_t *down)
{
    puppet_t *self = self_;
    return cast_hook[self->who].down == NULL ? ACTOR_CONTINUE
                                             : cast_hook[self->who].down(ctx, self, down);
}

static void
puppet_drop(void *self_)
{
    puppet_t *self = self_;
    free(self->owned);
}

static void
puppet_describe(const void *self_, char *text, size_t size)
{
    const puppet_t *self = self_;
    snprintf(text, size, "count %lu", (unsigned long) self->count);
}

#define HEARER(message)                                                                            \
    HEARS(puppet_t, message)                                                                       \
    static actor_next_t on_##message(actor_ctx_t *ctx, puppet_t *self, const message##_t *m)       \
    {                                                                                              \
        const cast_hooks_t *hook = &cast_hook[self->who];                                          \
        return hook->message == NULL ? ACTOR_CONTINUE : hook->message(ctx, self, m);               \
    }
HEARER(say)
HEARER(press)
HEARER(want)

HEARS(puppet_t, actor_trouble)
static actor_next_t
on_actor_trouble(actor_ctx_t *ctx, puppet_t *self, const actor_trouble_t *m)
{
    char what[32] = "", why[257] = "";
    cr_assert(slice_copy(record_slice(m, m->what), what, sizeof what));
    cr_assert(slice_copy(record_slice(m, m->why), why, sizeof why));
    return cast_hook[self->who].trouble == NULL
               ? ACTOR_CONTINUE
               : cast_hook[self->who].trouble(ctx, self, what, why);
}
HEARS(puppet_t, actor_stalled)
static actor_next_t
on_actor_stalled(actor_ctx_t *ctx, puppet_t *self, const actor_stalled_t *m)
{
    char name[96] = "", in[48] = "";
    cr_assert(ctx != NULL && self != NULL);
    cr_assert(slice_copy(record_slice(m, m->actor), name, sizeof name));
    cr_assert(slice_copy(record_slice(m, m->message), in, sizeof in));
    cast_stalled_ms = m->over ? cast_stalled_ms : m->running_ms;
    note("stalled-%s-%s-%s", name, m->over ? "over" : "still", in);
    return ACTOR_CONTINUE;
}
HEARS(puppet_t, actor_settled)
static actor_next_t
on_actor_settled(actor_ctx_t *ctx, puppet_t *self, const actor_settled_t *m)
{
    char who[512] = "";
    cr_assert(ctx != NULL && self != NULL);
    cr_assert(slice_copy(record_slice(m, m->waiting_for), who, sizeof who));
    note("settled-%s-%s", m->ready ? "ready" : "not", who);
    return ACTOR_CONTINUE;
}
static const actor_hears_t puppet_hears[] = {
    ON(say), ON_URGENT(press), ON(want), ON(actor_trouble), ON(actor_stalled), ON(actor_settled)};

#define EDGES_TO(name)                                                                             \
    {EDGE_TELL, name, &say_type}, {EDGE_TELL, name, &press_type}, {EDGE_ASK, name, &want_type},    \
    {                                                                                              \
        EDGE_DYNAMIC, name, &want_type                                                             \
    }
static const actor_edge_t puppet_edges[] = {EDGES_TO("a"), EDGES_TO("b"), EDGES_TO("c"),
                                            EDGES_TO("d"), EDGES_TO("kid")};
enum { EDGE_SAY = 0, EDGE_PRESS, EDGE_WANT, EDGE_WANT_CALL, EDGES_EACH };

static actor_next_t
root_init(actor_ctx_t *ctx, void *self_, const void *args)
{
    puppet_t *self = self_;
    self->who = ROOT;
    cr_assert(args == NULL);
    for (cast_who_t who = A; who <= D; who++) {
        verdict_t verdict = actor_spawn(ctx, &cast_class[who], slice_of(cast_class[who].name), NULL,
                                        NULL, who, &self->kid[who]);
        claim(ctx, verdict == VERDICT_OK);
    }
    verdict_t mute = actor_spawn(ctx, &cast_class[MUTE], slice_of("mute"), NULL, NULL, MUTE, NULL);
    claim(ctx, mute == VERDICT_OK);
    for (uint32_t i = 0; i < cast_kids; i++) {
        verdict_t verdict = actor_spawn(ctx, &cast_class[KID], slice_of("kid"), NULL, NULL, 100 + i,
                                        &self->kid[4 + i % 4]);
        claim(ctx, verdict == VERDICT_OK);
    }
    return cast_hook[ROOT].init == NULL ? ACTOR_CONTINUE : cast_hook[ROOT].init(ctx, self);
}

#define PUPPET(name_, role_, placement_)                                                           \
    {                                                                                              \
        .name = name_, .state_bytes = sizeof(puppet_t), .init = puppet_init,                       \
        .on_timer = puppet_timer, .on_down = puppet_down, .drop = puppet_drop,                     \
        .describe = puppet_describe, ACTOR_LIST_OF(hears, puppet_hears), .edges = puppet_edges,    \
        .edge_count = sizeof puppet_edges / sizeof puppet_edges[0], .role = role_,                 \
        .placement = placement_                                                                    \
    }
#define ACTOR_LIST_OF(list, table) .list = table, .list##_count = sizeof table / sizeof table[0]
actor_class_t cast_class[CAST_COUNT] = {
    [A] = PUPPET("a", true, ACTOR_OWN_WORKER),      [B] = PUPPET("b", true, ACTOR_OWN_WORKER),
    [C] = PUPPET("c", true, ACTOR_OWN_WORKER),      [D] = PUPPET("d", true, ACTOR_OWN_WORKER),
    [KID] = PUPPET("kid", false, ACTOR_POOL),       [MUTE] = PUPPET("mute", false, ACTOR_POOL),
    [ROOT] = PUPPET("root", true, ACTOR_OWN_WORKER)};

/* ---- runs ---- */

static void
run_end(cast_run_t *run)
{
    char left[512] = "";
    bool ended = sim_stop(run->sim, INT64_C(120000000000));
    cr_assert(ended, "seed %lu strategy %s: the cast did not stop", (unsigned long) run->seed,
              sim_strategy_name(run->strategy));
    cr_assert_eq(core_left(run->sim->core, left, sizeof left), 0, "seed %lu strategy %s: left: %s",
                 (unsigned long) run->seed, sim_strategy_name(run->strategy), left);
    cr_assert(sim_fault(run->sim) == NULL, "seed %lu strategy %s: %s", (unsigned long) run->seed,
              sim_strategy_name(run->strategy), sim_fault(run->sim));
    sim_destroy(&run->sim);
}

static void
run_begin(cast_run_t *run)
{
    static const actor_class_t *classes[CAST_COUNT + 1];
    for (int who = 0; who < CAST_COUNT; who++) {
        classes[who] = &cast_class[who];
    }
    cast_class[ROOT].init = root_init;
    host_options_t host = {.classes = classes,
                           .root = &cast_class[ROOT],
                           .notes_to = cast_notes_to,
                           .placement = placement_wanted()};
    sim_options_t options = {.seed = run->seed,
                             .strategy = run->strategy,
                             .host = &host,
                             .delay_ns_max = (uint32_t) cast_delay_ns_max,
                             .world = {.wall_start_ns = INT64_C(1600000000000000000),
                                       .latency_ns_max = cast_latency_ns_max}};
    char why[512] = "";
    err_t err = OK;
    run->sim = sim_new(&options, &err, why, sizeof why);
    cr_assert(run->sim != NULL, "%s: %s", err_word(err), why);
    sim_start(run->sim);
}

bool
cast_next(cast_run_t *run)
{
    if (run->sim != NULL) {
        run_end(run);
    }
    if (run->number == SEEDS * SIM_STRATEGY_COUNT) {
        return false;
    }
    cast = run;
    run->strategy = (sim_strategy_t) (run->number % SIM_STRATEGY_COUNT);
    run->seed = 1000 + run->number++;
    forget();
    run_begin(run);
    for (uint32_t i = 0; i < 5000 && !sim_is_ready(run->sim, NULL, 0); i++) {
        sim_step(run->sim);
    }
    return true;
}

actor_ref_t
cast_ref(cast_who_t who)
{
    const loaded_class_t *class = load_find(cast->sim->core, cast_class[who].name);
    return ref_of_word(atomic_load(&class->role));
}

actor_t *
cast_actor(cast_who_t who)
{
    actor_ref_t ref = cast_ref(who);
    return ref.index == 0 ? NULL : atomic_load(&cell_at(cast->sim->core, ref.index)->actor);
}

actor_figures_t
cast_figures(cast_who_t who)
{
    actor_figures_t figures = {0};
    uint32_t next = 0;
    uint32_t count = core_watch(cast->sim->core, cast_ref(who).index, &figures, 1, &next);
    cr_assert_eq(count, 1, "%s can be watched", cast_class[who].name);
    return figures;
}

int64_t
cast_ms(void)
{
    return sim_now_ns(cast->sim) / NS_PER_MS;
}

typedef actor_next_t poke_fn(actor_ctx_t *ctx, puppet_t *self);
static actor_next_t
run_poke(actor_ctx_t *ctx, void *self, const void *argument)
{
    poke_fn *const *fn = argument;
    return (*fn)(ctx, self);
}

void
poke(cast_who_t who, poke_fn *fn)
{
    actor_t *actor = cast_actor(who);
    expect(actor != NULL && actor->stage == STAGE_OPEN, "%s is open", cast_class[who].name);
    actor->worker->ctx.now_ns = sim_now_ns(cast->sim);
    worker_t *worker = actor->worker;
    core_run(actor, "poke", run_poke, &fn); /* the actor may be gone */
    worker_settle(worker);
}

void
settle(void)
{
    uint64_t steps = 0;
    while (sim_step(cast->sim)) {
        expect(++steps < STEPS_MAX, "the run comes to rest");
    }
}

/* Whether a step would not let time pass beyond until. */
static bool
something_is_due(int64_t until)
{
    const sim_t *sim = cast->sim;
    bool due = sim_jobs_runnable(sim->jobs) > 0 || sim_jobs_next_due(sim->jobs) <= until;
    for (uint32_t i = 0; i < sim->senders * sim->workers; i++) {
        due = due || (sim->channel[i].head != NULL && sim->channel[i].head->ready_ns <= until);
    }
    for (uint32_t i = 0; i < sim->workers; i++) {
        const worker_t *worker = core_worker(sim->core, i);
        due = due || !worker_is_idle(worker) || worker_next_due(worker) <= until;
    }
    return due;
}

bool
something_to_do(void)
{
    return something_is_due(sim_now_ns(cast->sim) + NS_PER_MS);
}

void
settle_ms(int64_t ms)
{
    int64_t until = sim_now_ns(cast->sim) + ms * NS_PER_MS;
    uint64_t steps = 0;
    while (something_is_due(until)) {
        sim_step(cast->sim);
        expect(++steps < STEPS_MAX, "the run comes to rest");
    }
    if (until > sim_now_ns(cast->sim)) {
        world_sim_advance(sim_world(cast->sim), until - sim_now_ns(cast->sim));
    }
}

/* ---- the log ---- */

void
note(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int used = vsnprintf(log_text + log_used, sizeof log_text - log_used, format, arguments);
    va_end(arguments);
    cr_assert(used >= 0 && log_used + (size_t) used + 2 < sizeof log_text,
              "the log is full: %.600s", log_text);
    log_used += (size_t) used;
    log_text[log_used++] = ' ';
    log_text[log_used] = '\0';
}

const char *
noted(void)
{
    return log_text;
}

void
forget(void)
{
    log_used = 0;
    log_text[0] = '\0';
}

uint32_t
noted_count(const char *line)
{
    uint32_t count = 0;
    size_t size = strlen(line);
    for (const char *at = log_text; *at != '\0'; at = strchr(at, ' ') + 1) {
        count += strncmp(at, line, size) == 0 && at[size] == ' ';
    }
    return count;
}

void
expect_log(const char *lines)
{
    cr_assert(strcmp(log_text, lines) == 0, "seed %lu strategy %s: expected [%s] got [%s]",
              (unsigned long) cast->seed, sim_strategy_name(cast->strategy), lines, log_text);
}

void
expect_that(bool holds, const char *truth, int line, const char *format, ...)
{
    char text[300];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    cr_assert(holds, "line %d: %s does not hold:%s [seed %lu, strategy %s; log: %s]", line, truth,
              text, (unsigned long) cast->seed, sim_strategy_name(cast->strategy), log_text);
}

/* ---- what puppets do ---- */

static uint32_t
edge_of(cast_who_t to, uint32_t kind)
{
    return (uint32_t) to * EDGES_EACH + kind;
}

verdict_t
tell(actor_ctx_t *ctx, cast_who_t to, uint64_t number)
{
    say_t *m = DRAFT(ctx, say);
    m->number = number;
    return actor_tell_role(ctx, edge_of(to, EDGE_SAY), m);
}

verdict_t
tell_urgent(actor_ctx_t *ctx, cast_who_t to, uint64_t number)
{
    press_t *m = DRAFT(ctx, press);
    m->number = number;
    return actor_tell_role(ctx, edge_of(to, EDGE_PRESS), m);
}

verdict_t
tell_ref(actor_ctx_t *ctx, cast_who_t class, actor_ref_t to, uint64_t number)
{
    say_t *m = DRAFT(ctx, say);
    m->number = number;
    return actor_tell(ctx, edge_of(class, EDGE_SAY), to, m);
}

verdict_t
tell_bytes(actor_ctx_t *ctx, cast_who_t to, uint32_t bytes)
{
    say_t *m = DRAFT(ctx, say);
    char *body = malloc(bytes + 1u);
    cr_assert(body != NULL);
    memset(body, 'x', bytes);
    m->number = bytes;
    m->body = actor_text(ctx, (slice_t){body, bytes});
    free(body);
    return actor_tell_role(ctx, edge_of(to, EDGE_SAY), m);
}

actor_next_t
cast_heard(actor_ctx_t *ctx, void *self, const actor_answer_t *answer_)
{
    const got_t *got = ANSWER_AS(answer_, got);
    cr_assert(ctx != NULL && self != NULL);
    if (got != NULL) {
        note("%lu=%lu", (unsigned long) answer_->tag, (unsigned long) got->number);
    } else {
        note("%lu=%s", (unsigned long) answer_->tag, err_word(answer_->err));
    }
    return ACTOR_CONTINUE;
}

static verdict_t
ask_by(actor_ctx_t *ctx, uint32_t edge, uint64_t number, uint32_t deadline_ms)
{
    want_t *m = DRAFT(ctx, want);
    m->number = number;
    return actor_ask_role(ctx, edge, m, deadline_ms, cast_heard, number);
}

verdict_t
ask(actor_ctx_t *ctx, cast_who_t to, uint64_t number, uint32_t deadline_ms)
{
    return ask_by(ctx, edge_of(to, EDGE_WANT), number, deadline_ms);
}

verdict_t
call(actor_ctx_t *ctx, cast_who_t to, uint64_t number, uint32_t deadline_ms)
{
    return ask_by(ctx, edge_of(to, EDGE_WANT_CALL), number, deadline_ms);
}

void
answer(actor_ctx_t *ctx, uint64_t number)
{
    got_t *got = DRAFT(ctx, got);
    got->number = number;
    cr_assert(REPLY(ctx, got, got) == VERDICT_OK);
}

void
answer_to(actor_ctx_t *ctx, request_t request, uint64_t number)
{
    got_t *got = DRAFT(ctx, got);
    got->number = number;
    verdict_t verdict = REPLY_TO(ctx, request, got, got);
    cr_assert(verdict == VERDICT_OK || verdict == VERDICT_DOWN);
}
