/* keeper_test.c - claims about a command whose keeper is paused while it is in hand: the real
 * provider, among others that stand in for the site. */
#include <criterion/criterion.h>
#include <string.h>

#include "actors/provider_inside.h"
#include "actors/roster.h"
#include "runtime/sim.h"

#define STEPS_MAX 200000u
#define SECOND    INT64_C(1000000000)
#define PAUSED_MS 2000u /* from when on the manager is paused */

static char held[NAME_BYTES_MAX + 1]; /* of the last pong */
static uint32_t answers, pongs;

/* ---- who stands in ---- */

typedef struct nothing {
    request_t request;
    actor_ref_t manager; /* of the executive, who pauses it */
} nothing_t;

/* A command is never answered. */
static actor_next_t
keep(actor_ctx_t *ctx, void *state, const void *m)
{
    nothing_t *self = state;

    claim(ctx, m != NULL);
    self->request = actor_defer(ctx, "the test");
    return ACTOR_CONTINUE;
}

static actor_next_t
open_site(actor_ctx_t *ctx, void *state, const void *m)
{
    claim(ctx, state && m);
    return REPLY(ctx, site_opened, DRAFT(ctx, site_opened)) == VERDICT_OK ? ACTOR_CONTINUE
                                                                          : ACTOR_FAIL;
}

#define HEARD(kind, whom, message)    HEARD_##whom(message)
#define HEARD_distribution_manager(m) {&m##_type, LANE_NORMAL, keep},
#define HEARD_site_database(m)
#define HEARD_executive(m)
static const actor_hears_t manager_hears[] = {ROUTES(HEARD)};
#undef HEARD_distribution_manager
#undef HEARD_site_database
#define HEARD_distribution_manager(m)
#define HEARD_site_database(m) {&m##_type, LANE_NORMAL, keep},
static const actor_hears_t database_hears[] = {ROUTES(HEARD){&recall_type, LANE_NORMAL, keep},
                                               {&site_open_type, LANE_NORMAL, open_site}};
#undef HEARD_site_database
#undef HEARD_executive
#define HEARD_site_database(m)
#define HEARD_executive(m) {&m##_type, LANE_NORMAL, keep},
static const actor_hears_t executive_hears[] = {ROUTES(HEARD)};

#define STANDS_IN(name_, hears_)                                                                   \
    .name = (name_), .state_bytes = sizeof(nothing_t), .hears = (hears_),                          \
    .hears_count = sizeof(hears_) / sizeof(hears_)[0], .role = true
static const actor_class_t manager_class = {STANDS_IN("distribution_manager", manager_hears)};
static const actor_class_t database_class = {STANDS_IN("site_database", database_hears)};

static actor_next_t
pause(actor_ctx_t *ctx, void *state, uint64_t key)
{
    claim(ctx, key == 1);
    actor_pause(ctx, ((nothing_t *) state)->manager);
    return ACTOR_CONTINUE;
}

static actor_next_t
begin(actor_ctx_t *ctx, void *state, const void *args)
{
    nothing_t *self = state;
    actor_ref_t other;
    site_args_t *site = DRAFT(ctx, site_args);

    site->data = actor_text(ctx, slice_of("/data"));
    site->site = actor_text(ctx, slice_of("HQ"));
    return !args &&
                   actor_spawn(ctx, &provider_class, slice_of("provider"), &site_args_type, site, 1,
                               &other) == VERDICT_OK &&
                   actor_spawn(ctx, &manager_class, slice_of("distribution_manager"), NULL, NULL, 2,
                               &self->manager) == VERDICT_OK &&
                   actor_spawn(ctx, &database_class, slice_of("site_database"), NULL, NULL, 3,
                               &other) == VERDICT_OK &&
                   actor_timer(ctx, 1, PAUSED_MS) == VERDICT_OK
               ? ACTOR_CONTINUE
               : ACTOR_FAIL;
}

static actor_next_t
nobody_ends(actor_ctx_t *ctx, void *state, const actor_down_t *down)
{
    cr_assert(ctx && state && down);
    return ACTOR_CONTINUE;
}

static const actor_class_t executive_double = {STANDS_IN("executive", executive_hears),
                                               .init = begin, .on_timer = pause,
                                               .on_down = nobody_ends};
static const actor_class_t *const cast[] = {&executive_double, &provider_class, &manager_class,
                                            &database_class, NULL};

/* ---- the client ---- */

static void
say(sim_t *sim, const char *command, const char *name, uint64_t tag)
{
    uint8_t memory[256];
    wire_writer_t w;

    wire_writer_over(&w, memory, sizeof memory);
    wire_put_map(&w, 4);
    wire_put_str(&w, slice_of("v"));
    wire_put_u64(&w, 1);
    wire_put_str(&w, slice_of("id"));
    wire_put_u64(&w, tag);
    wire_put_str(&w, slice_of("cmd"));
    wire_put_str(&w, slice_of(command));
    wire_put_str(&w, slice_of("args"));
    wire_put_map(&w, name ? 1 : 0);
    if (name) {
        wire_put_str(&w, slice_of("name"));
        wire_put_str(&w, slice_of(name));
    }
    cr_assert(sim_say(sim, (slice_t){(const char *) memory, w.size}, tag));
}

static void
hear(void *context, uint64_t tag, err_t err, slice_t body)
{
    wire_value_t reply, result, text;

    cr_assert(!context && err == OK && wire_check(body.data, body.size, &reply) == OK);
    answers += tag == 1;
    if (wire_find(&reply, "result", &result) && result.kind == WIRE_MAP &&
        wire_find(&result, "ready", &text)) {
        bool tells = wire_find(&result, "held", &text) && text.kind == WIRE_STR;
        cr_assert(slice_copy(tells ? text.bytes : slice_of(""), held, sizeof held));
        pongs++;
    }
}

/* A command is in hand, and the manager is paused; what a ping is told before and after. */
static void
run(const char *command, const char *name, const char *expected)
{
    const host_options_t host = {.classes = cast, .root = &executive_double};
    sim_options_t options = {.seed = 1, .host = &host, .commands_to = "provider", .heard = hear};
    err_t err = OK;
    char why[200] = "";

    answers = pongs = 0;
    sim_t *sim = sim_new(&options, &err, why, sizeof why);
    cr_assert_not_null(sim, "%s: %s", err_word(err), why);
    sim_start(sim);
    sim_run_for(sim, SECOND, STEPS_MAX);
    say(sim, command, name, 1);
    say(sim, "ping", NULL, 2);
    sim_run_for(sim, SECOND / 2, STEPS_MAX);
    cr_assert_eq(pongs, 1, "%u pongs", pongs);
    cr_expect_str_eq(held, "", "before it is paused a ping is told '%s'", held);
    sim_run_for(sim, SECOND, STEPS_MAX);
    say(sim, "ping", NULL, 3);
    sim_run_for(sim, SECOND / 2, STEPS_MAX);
    cr_assert_eq(pongs, 2, "%u pongs", pongs);
    cr_expect_str_eq(held, expected, "after that a ping is told '%s'", held);
    cr_expect_eq(answers, 0, "what changes something is refused, and may be done already");
    cr_assert(sim_stop(sim, 10 * SECOND));
    sim_destroy(&sim);
}

Test(keeper, a_ping_tells_of_a_paused_component_that_keeps_a_change_which_was_asked_before)
{
    run("dp.remove", "shop", "distribution_manager");
}

Test(keeper, a_paused_component_that_keeps_nothing_is_not_told_of)
{
    run("dp.pause", "shop", "");
}
