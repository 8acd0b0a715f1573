/* dial_test.c - claims about when an agent dials its site anew. */
#include <criterion/criterion.h>
#include <string.h>

#include "actors/agent_roster.h"
#include "actors/agent_wire.h"
#include "actors/answer.h"
#include "proto/messages.h"
#include "runtime/notes.h"
#include "runtime/sim.h"

#define SECONDS   60u
#define STEPS_MAX 1000000u

static uint32_t dials; /* that the link was asked for */

/* ---- the link: each try to dial fails at once, or all that is said comes with the first ---- */

typedef enum said { NOTHING, FILES, LISTS } said_t;
static said_t in_plain; /* NOTHING: the site cannot be dialled */

enum { EDGE_NEXT, EDGE_GONE, EDGE_CAME };

static uint8_t frame[4096];

static void
come(actor_ctx_t *ctx, bool plain, const record_type_t *type, const void *record)
{
    size_t size = agent_frame_write(type, record, frame, sizeof frame);
    peer_came_t *came = DRAFT(ctx, peer_came);

    cr_assert_gt(size, 0);
    came->body = actor_text(ctx, (slice_t){(const char *) frame, size});
    came->plain = plain;
    cr_assert_eq(actor_tell_role(ctx, EDGE_CAME, came), VERDICT_OK);
}

/* A site, its ticket, its first word on the plain connection, and data there. */
static void
site_speaks(actor_ctx_t *ctx)
{
    agent_welcome_t welcome = {.v = AGENT_WIRE_VERSION};
    agent_beat_t beat = {.number = 1};

    come(ctx, false, &agent_welcome_type, &welcome);
    agent_bulk_t *bulk = DRAFT(ctx, agent_bulk);
    bulk->number = beat.number;
    bulk->address = actor_text(ctx, slice_of("tcp://here"));
    come(ctx, false, &agent_bulk_type, bulk);
    come(ctx, true, &agent_beat_type, &beat);
    agent_data_t *data = DRAFT(ctx, agent_data);
    data->order = 1;
    data->pieces = draft_rows(actor_draft_open(ctx), 1, sizeof(piece_t));
    piece_t *piece = draft_row(actor_draft_open(ctx), data->pieces, 0, sizeof *piece);
    piece->total = 1;
    piece->bytes = actor_text(ctx, slice_of("x"));
    piece->list = in_plain == LISTS;
    come(ctx, true, &agent_data_type, data);
}

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
    bool to_site = m && m->dial && record_slice(m, m->peer).size != strlen("tcp://here");
    dials += to_site;
    if (to_site && in_plain != NOTHING && dials == 1) {
        site_speaks(ctx);
    } else if (to_site && in_plain == NOTHING) {
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
                                          {EDGE_TELL, "agent", &peer_gone_type},
                                          {EDGE_TELL, "agent", &peer_came_type}};
static const actor_class_t link_double = {.name = "link",
                                          .state_bytes = 8,
                                          .init = link_init,
                                          .on_timer = link_timer,
                                          .on_down = link_down,
                                          .edges = link_edges,
                                          .edge_count = 3};
static const actor_class_t *const cast[] = {&link_double, &agent_class, NULL};

static void
make_data(sim_t *sim)
{
    world_t *look = world_sim_look_new(sim_world(sim));

    cr_assert_eq(world_make_dir(look, -100, "/data", 0700), 0); /* AT_FDCWD */
    world_sim_job_destroy(&look);
}

static void
run_for(int64_t seconds)
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
    sim_run_for(sim, INT64_C(1000000000) * seconds, STEPS_MAX);
    cr_assert(sim_stop(sim, INT64_C(10000000000)));
    sim_destroy(&sim);
}

Test(dial, an_address_that_cannot_be_dialled_is_tried_once_a_second)
{
    in_plain = NOTHING;
    run_for(SECONDS);
    cr_expect(dials >= SECONDS / 2 && dials <= SECONDS + 2,
              "expected about %u tries in %u s, the link was asked for %u", SECONDS, SECONDS,
              dials);
}

/* It has no digest of its own: whoever is between could have the agent ask for what no version
 * names. Both runs are shorter than an agent is silent. */
Test(dial, a_list_of_chunks_on_a_plain_connection_ends_the_visit)
{
    in_plain = FILES;
    run_for(AGENT_SILENCE_MS / 2000);
    cr_expect_eq(dials, 1, "bytes of a file were refused");
    in_plain = LISTS;
    run_for(AGENT_SILENCE_MS / 2000);
    cr_expect_eq(dials, 2, "a list was taken from a plain connection");
}
