/* dial_test.c - claims about an agent whose site cannot be dialled at all. */
#include <criterion/criterion.h>

#include "actors/agent_roster.h"
#include "actors/answer.h"
#include "proto/messages.h"
#include "runtime/notes.h"
#include "runtime/sim.h"

#define SECONDS   60u
#define STEPS_MAX 1000000u

static uint32_t dials; /* that the link was asked for */

/* ---- the link: each try to dial fails at once ---- */

enum { EDGE_NEXT, EDGE_GONE };

static actor_next_t asked(actor_ctx_t *ctx, void *state, const actor_answer_t *answer);

static actor_next_t
ask_next(actor_ctx_t *ctx)
{
    peer_next_t *m = DRAFT(ctx, peer_next);

    m->number = 1;
    return actor_ask_role(ctx, EDGE_NEXT, m, SECONDS * 1000u, asked, 0) == VERDICT_OK
               ? ACTOR_CONTINUE
               : ACTOR_FAIL;
}

static actor_next_t
asked(actor_ctx_t *ctx, void *state, const actor_answer_t *answer)
{
    const peer_send_t *m = ANSWER_AS(answer, peer_send);

    cr_assert_not_null(state);
    if (m && m->dial) {
        dials++;
        peer_gone_t *gone = DRAFT(ctx, peer_gone);
        cr_assert_eq(actor_tell_role(ctx, EDGE_GONE, gone), VERDICT_OK);
    }
    return ask_next(ctx);
}

static actor_next_t
link_timer(actor_ctx_t *ctx, void *state, uint64_t key)
{
    cr_assert(state && key == 1);
    return ask_next(ctx);
}

static actor_next_t
link_init(actor_ctx_t *ctx, void *state, const void *args)
{
    actor_ref_t agent;
    agent_args_t *m = DRAFT(ctx, agent_args);

    cr_assert(state && !args);
    m->data = actor_text(ctx, slice_of("/data"));
    m->root = actor_text(ctx, slice_of("/root"));
    m->dp = actor_text(ctx, slice_of("shop"));
    m->address = actor_text(ctx, slice_of("tcp://nowhere"));
    return actor_spawn(ctx, &agent_class, slice_of("agent"), &agent_args_type, m, 1, &agent) ==
                       VERDICT_OK &&
                   actor_timer(ctx, 1, 10) == VERDICT_OK
               ? ACTOR_CONTINUE
               : ACTOR_FAIL;
}

static actor_next_t
link_down(actor_ctx_t *ctx, void *state, const actor_down_t *down)
{
    cr_assert(ctx && state && down);
    return ACTOR_CONTINUE;
}

static const actor_edge_t link_edges[] = {{EDGE_ASK, "agent", &peer_next_type},
                                          {EDGE_TELL, "agent", &peer_gone_type}};
static const actor_class_t link_double = {.name = "link",
                                          .state_bytes = 8,
                                          .init = link_init,
                                          .on_timer = link_timer,
                                          .on_down = link_down,
                                          .edges = link_edges,
                                          .edge_count = 2};
static const actor_class_t *const cast[] = {&link_double, &agent_class, NULL};

static void
make_data(sim_t *sim)
{
    world_t *look = world_sim_look_new(sim_world(sim));

    cr_assert_eq(world_make_dir(look, -100, "/data", 0700), 0); /* AT_FDCWD */
    world_sim_job_destroy(&look);
}

Test(dial, an_address_that_cannot_be_dialled_is_tried_once_a_second)
{
    const host_options_t host = {.classes = cast, .root = &link_double};
    sim_options_t options = {.seed = 1, .host = &host, .alone = true};
    err_t err = OK;
    char why[200] = "";
    sim_t *sim = sim_new(&options, &err, why, sizeof why);

    cr_assert_not_null(sim, "%s: %s", err_word(err), why);
    make_data(sim);
    dials = 0;
    sim_start(sim);
    sim_run_for(sim, INT64_C(1000000000) * SECONDS, STEPS_MAX);
    cr_expect(dials >= SECONDS / 2 && dials <= SECONDS + 2,
              "expected about %u tries in %u s, the link was asked for %u", SECONDS, SECONDS,
              dials);
    cr_assert(sim_stop(sim, INT64_C(10000000000)));
    sim_destroy(&sim);
}
