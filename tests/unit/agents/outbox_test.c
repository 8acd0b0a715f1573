/* outbox_test.c - claims about frames on their way to a peer link that asks for each. */
#include <criterion/criterion.h>

#include "actors/answer.h"
#include "actors/outbox.h"
#include "runtime/notes.h"
#include "tests/unit/alone.h"

#define ASKS      4u
#define SOON_MS   10u /* the first asks of the link end then; it asks anew */
#define LATE_MS   60000u
#define PUT_MS    100u
#define STEPS_MAX 100000u

static uint32_t heard; /* frames that the link has got */

/* ---- who has something to send ---- */

typedef struct box {
    outbox_t outbox;
} box_t;

HEARS(box_t, peer_next)
static actor_next_t
on_peer_next(actor_ctx_t *ctx, box_t *self, const peer_next_t *m)
{
    outbox_asked(ctx, &self->outbox, m->number);
    return ACTOR_CONTINUE;
}

static actor_next_t
box_init(actor_ctx_t *ctx, void *state, const void *args)
{
    outbox_init(&((box_t *) state)->outbox);
    return !args && actor_timer(ctx, 1, PUT_MS) == VERDICT_OK ? ACTOR_CONTINUE : ACTOR_FAIL;
}

static actor_next_t
box_timer(actor_ctx_t *ctx, void *state, uint64_t key)
{
    for (uint64_t i = key; i <= ASKS; i++) {
        agent_beat_t *m = DRAFT(ctx, agent_beat);
        m->number = i;
        cr_assert(outbox_put(ctx, &((box_t *) state)->outbox, slice_of("peer"), false,
                             &agent_beat_type, m));
    }
    return ACTOR_CONTINUE;
}

static void
box_drop(void *state)
{
    outbox_drop(&((box_t *) state)->outbox);
}

static const actor_hears_t box_hears[] = {ON(peer_next)};
static const actor_class_t box_class = {.name = "box",
                                        .state_bytes = sizeof(box_t),
                                        .init = box_init,
                                        .on_timer = box_timer,
                                        .drop = box_drop,
                                        .hears = box_hears,
                                        .hears_count = 1,
                                        .role = true};

/* ---- the link ---- */

static actor_next_t next_came(actor_ctx_t *ctx, void *state, const actor_answer_t *answer);

static void
ask_next(actor_ctx_t *ctx, uint64_t which, uint32_t deadline_ms)
{
    peer_next_t *m = DRAFT(ctx, peer_next);

    m->number = (uint32_t) which;
    cr_assert_eq(actor_ask_role(ctx, 0, m, deadline_ms, next_came, which), VERDICT_OK);
}

static actor_next_t
next_came(actor_ctx_t *ctx, void *state, const actor_answer_t *answer)
{
    cr_assert_not_null(state);
    if (answer->err == OK) {
        heard++;
    } else {
        ask_next(ctx, answer->tag, LATE_MS);
    }
    return ACTOR_CONTINUE;
}

static actor_next_t
link_timer(actor_ctx_t *ctx, void *state, uint64_t key)
{
    cr_assert_not_null(state);
    for (uint64_t i = key; i <= ASKS; i++) {
        ask_next(ctx, i, SOON_MS);
    }
    return ACTOR_CONTINUE;
}

static actor_next_t
link_init(actor_ctx_t *ctx, void *state, const void *args)
{
    actor_ref_t box;

    cr_assert_not_null(state);
    return !args &&
                   actor_spawn(ctx, &box_class, slice_of("box"), NULL, NULL, 1, &box) ==
                       VERDICT_OK &&
                   actor_timer(ctx, 1, SOON_MS) == VERDICT_OK
               ? ACTOR_CONTINUE
               : ACTOR_FAIL;
}

static const actor_edge_t link_edges[] = {{EDGE_ASK, "box", &peer_next_type}};
static const actor_class_t link_double = {.name = "link",
                                          .state_bytes = 8,
                                          .init = link_init,
                                          .on_timer = link_timer,
                                          .on_down = ended,
                                          .edges = link_edges,
                                          .edge_count = 1};
static const actor_class_t *const cast[] = {&link_double, &box_class, NULL};

/* A site whose agents are away for a day: each ask of its link has ended by then. */
Test(outbox, no_frame_goes_to_an_ask_that_has_ended)
{
    sim_t *sim = alone_new(cast);

    heard = 0;
    sim_start(sim);
    sim_run_for(sim, INT64_C(2) * PUT_MS * 1000000, STEPS_MAX);
    cr_expect_eq(heard, ASKS, "expected %u frames, the link has got %u", ASKS, heard);
    cr_assert(sim_stop(sim, INT64_C(10000000000)));
    sim_destroy(&sim);
}
