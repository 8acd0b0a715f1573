/* dial_test.c - claims about when an agent dials its site anew. */
#include <criterion/criterion.h>
#include <string.h>

#include "actors/agent_order.h"
#include "actors/agent_roster.h"
#include "actors/agent_wire.h"
#include "actors/answer.h"
#include "actors/content/manifest.h"
#include "proto/messages.h"
#include "runtime/notes.h"
#include "tests/unit/alone.h"

#define SECONDS   60u
#define STEPS_MAX 1000000u

static uint32_t dials; /* that the link was asked for */
static uint32_t needs; /* that the agent has said */

/* ---- the link: each try to dial fails at once, or all that is said comes with the first ---- */

typedef enum said { NOTHING, FILES, LISTS, ASTRAY, GIVEN_UP } said_t;
static said_t in_plain; /* NOTHING: the site cannot be dialled */

enum { EDGE_NEXT, EDGE_GONE, EDGE_CAME };

#define ORDER 8u

static const secret_t signing = {{5}};
static const id128_t site = {{1}}, point = {{2}}, package = {{3}};
static const digest_t root = {{4}};
static id128_t visit;
static uint8_t frame[4096];
static uint64_t memory[8192];

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

static void
order(actor_ctx_t *ctx)
{
    uint8_t signature[SIGN_BYTES];
    agent_order_t *m = DRAFT(ctx, agent_order);
    draft_t *draft = actor_draft_open(ctx);

    m->order = ORDER;
    m->task = AGENT_TASK_MEASURE;
    m->work = draft_rows(draft, 1, sizeof(work_t));
    work_t *work = draft_row(draft, m->work, 0, sizeof *work);
    work->action = ACTION_INSTALL;
    work->package = actor_text(ctx, slice_of("P1"));
    work->store = work->dp = work->dp_root = work->package;
    work->package_incarnation = package;
    work->epoch = 1;
    work->root = root;
    work->site = site;
    work->dp_incarnation = point;
    agent_order_said_t said = {site, point, visit, ORDER, m->task, m, work};
    cr_assert_eq(agent_order_sign(&signing, &said, signature), OK);
    m->signature = actor_text(ctx, (slice_t){(const char *) signature, sizeof signature});
    come(ctx, false, &agent_order_type, m);
}

/* A site, its ticket, its first word on the plain connection, and an order. */
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
    order(ctx);
}

/* Of what the agent has asked for; a list is none of it, and comes when the order was stopped. */
static void
data_comes(actor_ctx_t *ctx)
{
    agent_stop_t stop = {.order = ORDER};

    if (in_plain == GIVEN_UP || in_plain == LISTS) {
        come(ctx, false, &agent_stop_type, &stop);
    }
    agent_data_t *data = DRAFT(ctx, agent_data);
    data->order = in_plain == ASTRAY ? ORDER ^ 4u : ORDER;
    data->pieces = draft_rows(actor_draft_open(ctx), 1, sizeof(piece_t));
    piece_t *piece = draft_row(actor_draft_open(ctx), data->pieces, 0, sizeof *piece);
    piece->object = root;
    piece->total = MANIFEST_VERSION_BYTES;
    piece->bytes = actor_text(ctx, slice_of("xyz"));
    piece->list = in_plain == LISTS;
    come(ctx, true, &agent_data_type, data);
}

/* What the agent says to a site that can be dialled. */
static void
heard(actor_ctx_t *ctx, slice_t body)
{
    const record_type_t *type = NULL;
    const void *record = NULL;

    cr_assert_eq(agent_frame_read(body, AGENT_SAYS, memory, sizeof memory, &type, &record), OK);
    if (type == &agent_hello_type && dials == 1) {
        visit = ((const agent_hello_t *) record)->visit;
        site_speaks(ctx);
    } else if (type == &agent_need_type) {
        needs++;
        data_comes(ctx);
    }
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
    if (m && in_plain != NOTHING && m->body.size > 0 && (to_site || !m->dial)) {
        heard(ctx, record_slice(m, m->body));
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
    m->site = site;
    m->dp_incarnation = point;
    sign_signing_key(&signing, &m->site_signing);
    return actor_spawn(ctx, &agent_class, slice_of("agent"), &agent_args_type, m, 1, &agent) ==
                       VERDICT_OK &&
                   actor_timer(ctx, 1, 10) == VERDICT_OK
               ? ACTOR_CONTINUE
               : ACTOR_FAIL;
}

static const actor_edge_t link_edges[] = {{EDGE_ASK, "agent", &peer_next_type},
                                          {EDGE_TELL, "agent", &peer_gone_type},
                                          {EDGE_TELL, "agent", &peer_came_type}};
static const actor_class_t link_double = {.name = "link",
                                          .state_bytes = 8,
                                          .init = link_init,
                                          .on_timer = link_timer,
                                          .on_down = ended,
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
    sim_t *sim = alone_new(cast);

    make_data(sim);
    dials = needs = 0;
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

/* How often the site is dialled, in less time than an agent is silent. */
static uint32_t
dials_when(said_t said)
{
    in_plain = said;
    run_for(AGENT_SILENCE_MS / 2000);
    cr_expect_eq(needs, 1, "the agent has asked %u times", needs);
    return dials;
}

/* It has no digest of its own: whoever is between could have the agent ask for what no version
 * names. */
Test(dial, a_list_of_chunks_on_a_plain_connection_ends_the_visit)
{
    cr_expect_eq(dials_when(FILES), 1, "bytes of a file were refused");
    cr_expect_eq(dials_when(LISTS), 2, "a list was taken from a plain connection");
}

/* A bit of the order's number had turned: it was let go as of one that has ended, and the order
 * that did ask waited for ever. */
Test(dial, data_of_no_order_on_a_plain_connection_ends_the_visit)
{
    cr_expect_eq(dials_when(ASTRAY), 2, "the order that asked waits for ever");
    cr_expect_eq(dials_when(GIVEN_UP), 1, "what was on its way to an order that ended was refused");
}
