/* revoked_test.c - claims about when who revokes the key of an agent is answered: the real
 * distribution manager, between a database and a gateway that stand in for the site. */
#include <criterion/criterion.h>
#include <string.h>

#include "tests/unit/parts/stand_in.h"

#define STEPS_MAX 200000u
#define SECOND    INT64_C(1000000000)
#define ASKED_MS  1000u /* the command, */
#define SHUT_MS   3000u /* and the gateway's answer */

typedef enum gateway_does { SHUTS, FAILS, PAUSED, NOBODY } gateway_does_t;

static gateway_does_t does;
static bool dry_run;
static uint32_t answers, orders; /* to the asker; to the gateway */
static int64_t answered_ns;
static err_t code;
static char text[TEXT_BYTES_MAX + 1];

/* ---- who stands in ---- */

static actor_next_t
database(actor_ctx_t *ctx, stand_in_t *self, const record_type_t *type)
{
    claim(ctx, self != NULL);
    if (actor_is_asked(ctx) && type == &site_open_type) {
        return stand_in_opened(ctx);
    }
    if (actor_is_asked(ctx) && type == &agent_revoke_type) {
        done_t *m = DRAFT(ctx, done);
        m->changed = true;
        answer_unheard(REPLY(ctx, done, m));
    } else if (actor_is_asked(ctx)) {
        actor_refuse(ctx, ERR_STARTING);
    }
    return ACTOR_CONTINUE;
}

static actor_next_t
despooler(actor_ctx_t *ctx, stand_in_t *self, const record_type_t *type)
{
    return database(ctx, self, type);
}

static actor_next_t
worker(actor_ctx_t *ctx, stand_in_t *self, const record_type_t *type)
{
    return database(ctx, self, type);
}

static const actor_class_t queue_class = {STANDS_IN("despooler", despooler_hears), .role = true};

HEARS(stand_in_t, agent_shut)
static actor_next_t
on_agent_shut(actor_ctx_t *ctx, stand_in_t *self, const agent_shut_t *m)
{
    cr_assert(slice_equal(record_slice(m, m->dp), slice_of("shop")));
    orders++;
    self->request = actor_defer(ctx, "the test");
    self->asked = true;
    return ACTOR_CONTINUE;
}

static actor_next_t
gateway_init(actor_ctx_t *ctx, void *state, const void *args)
{
    claim(ctx, state && !args);
    return actor_timer(ctx, 1, SHUT_MS) == VERDICT_OK ? ACTOR_CONTINUE : ACTOR_FAIL;
}

static actor_next_t
gateway_timer(actor_ctx_t *ctx, void *state, uint64_t key)
{
    stand_in_t *self = state;

    claim(ctx, key == 1);
    if (self->asked && does == FAILS) {
        actor_refuse_to(ctx, self->request, ERR_BUSY);
    } else if (self->asked) {
        answer_unheard(REPLY_TO(ctx, self->request, agent_is_shut, DRAFT(ctx, agent_is_shut)));
    }
    return ACTOR_CONTINUE;
}

static const actor_hears_t gateway_hears[] = {ON_URGENT(agent_shut)};
static const actor_class_t gateway_class = {STANDS_IN("agent_gateway", gateway_hears),
                                            .init = gateway_init, .on_timer = gateway_timer,
                                            .role = true};

/* ---- who asks ---- */

static actor_next_t
answered(actor_ctx_t *ctx, void *state, const actor_answer_t *answer)
{
    const refusal_t *m = ANSWER_AS(answer, refusal);

    cr_assert_not_null(state);
    answers++;
    answered_ns = actor_now_ns(ctx);
    code = answer_err(answer);
    text[0] = '\0';
    if (m) {
        cr_assert(slice_copy(record_slice(m, m->message), text, sizeof text));
    }
    return ACTOR_CONTINUE;
}

static actor_next_t
asker_timer(actor_ctx_t *ctx, void *state, uint64_t key)
{
    dp_set_t *m = DRAFT(ctx, dp_set);

    cr_assert(state && key == 1);
    m->name = actor_text(ctx, slice_of("shop"));
    m->revoke = true;
    m->dry_run = dry_run;
    return actor_ask_role(ctx, 0, m, DM_SLOW_MS, answered, 0) == VERDICT_OK ? ACTOR_CONTINUE
                                                                            : ACTOR_FAIL;
}

static actor_next_t
asker_init(actor_ctx_t *ctx, void *state, const void *args)
{
    actor_ref_t other;

    cr_assert(state && !args);
    claim(ctx, stand_in_site(ctx));
    if (does != NOBODY) {
        claim(ctx, actor_spawn(ctx, &gateway_class, slice_of("agent_gateway"), NULL, NULL, 3,
                               &other) == VERDICT_OK);
    }
    if (does == PAUSED) {
        actor_pause(ctx, other);
    }
    return actor_timer(ctx, 1, ASKED_MS) == VERDICT_OK ? ACTOR_CONTINUE : ACTOR_FAIL;
}

static const actor_edge_t asker_edges[] = {{EDGE_ASK, "distribution_manager", &dp_set_type}};
static const actor_class_t asker_class = {.name = "asker",
                                          .state_bytes = 8,
                                          .init = asker_init,
                                          .on_timer = asker_timer,
                                          .on_down = ended,
                                          .edges = asker_edges,
                                          .edge_count = 1};
static const actor_class_t *const cast[] = {&asker_class,
                                            &distribution_manager_class,
                                            &database_class,
                                            &queue_class,
                                            &snapshots_class,
                                            &gateway_class,
                                            NULL};

static void
run(gateway_does_t gateway, bool dry)
{

    does = gateway;
    dry_run = dry;
    answers = orders = 0;
    code = OK;
    sim_t *sim = alone_new(cast);
    sim_start(sim);
    sim_run_for(sim, 5 * SECOND, STEPS_MAX);
    uint32_t by_then = answers;
    cr_assert(sim_stop(sim, 10 * SECOND));
    sim_destroy(&sim);
    cr_assert_eq(by_then, 1, "%u answers", by_then);
}

Test(revoked, who_revokes_is_answered_when_the_gateway_shuts_the_agent_out)
{
    run(SHUTS, false);
    cr_expect(code == OK && orders == 1, "%s after %u orders", err_word(code), orders);
    cr_expect_geq(answered_ns, (int64_t) SHUT_MS * 1000000, "it was answered before");
}

Test(revoked, who_revokes_is_told_when_the_gateway_cannot)
{
    run(FAILS, false);
    cr_expect_eq(code, ERR_BUSY, "got %s", err_word(code));
    cr_expect_not_null(strstr(text, "cannot set 'shop': its key is revoked, but"), "%s", text);
}

/* Nobody takes anything from the agent meanwhile. */
Test(revoked, a_gateway_that_is_paused_or_not_there_is_not_waited_for)
{
    run(PAUSED, false);
    cr_expect(code == OK && answered_ns < (int64_t) SHUT_MS * 1000000, "%s", err_word(code));
    run(NOBODY, false);
    cr_expect(code == OK && answered_ns < (int64_t) SHUT_MS * 1000000, "%s", err_word(code));
}

Test(revoked, a_dry_run_shuts_nobody_out)
{
    run(SHUTS, true);
    cr_expect(code == OK && orders == 0, "%s after %u orders", err_word(code), orders);
}
