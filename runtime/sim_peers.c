/* sim_peers.c - a peer link's end in a simulated host: frames come from who drives the simulation,
 * and what the role has to send goes to it. As link_peers.c, without a socket, and without a door:
 * who drives asks the role itself whether a key may come in (sim_peer_knock). */
#include "runtime/sim_inside.h"

#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "runtime/inside.h"

#define NEXT_OPEN 32u       /* asks for what to send */
#define NEXT_MS   86400000u /* of one of them */
#define KNOCK_MS  5000u
#define AGAIN_MS  100u /* after the role was not there */

enum { EDGE_CAME, EDGE_GONE, EDGE_NEXT, EDGE_KNOCK, EDGE_COUNT };

typedef struct peers_end {
    sim_peers_t *peers;
} peers_end_t;

static sim_peers_t *
peers_of_ctx(const actor_ctx_t *ctx)
{
    return (sim_peers_t *) ((uintptr_t) ctx->actor->class->class - offsetof(sim_peers_t, class));
}

static actor_next_t next_came(actor_ctx_t *ctx, void *state, const actor_answer_t *answer);

static actor_next_t
ask_next(actor_ctx_t *ctx, uint64_t which)
{
    peer_next_t *m = DRAFT(ctx, peer_next);

    m->number = (uint32_t) which;
    m->plain = peers_of_ctx(ctx)->plain;
    if (actor_ask_role(ctx, EDGE_NEXT, m, NEXT_MS, next_came, which) == VERDICT_OK) {
        return ACTOR_CONTINUE;
    }
    return actor_timer(ctx, which, AGAIN_MS) == VERDICT_OK ? ACTOR_CONTINUE : ACTOR_FAIL;
}

static actor_next_t
next_came(actor_ctx_t *ctx, void *state, const actor_answer_t *answer)
{
    sim_peers_t *peers = ((peers_end_t *) state)->peers;
    const peer_send_t *m = ANSWER_AS(answer, peer_send);

    if (!m) {
        return actor_timer(ctx, answer->tag, AGAIN_MS) == VERDICT_OK ? ACTOR_CONTINUE : ACTOR_FAIL;
    }
    claim(ctx, !m->ends || (!m->dial && m->body.size == 0));
    peers->sent(peers->sim->options.peers_context, m->dial, record_slice(m, m->peer),
                record_slice(m, m->body));
    return ask_next(ctx, answer->tag);
}

static actor_next_t
peers_end_init(actor_ctx_t *ctx, void *state, const void *args)
{
    sim_peers_t *peers = peers_of_ctx(ctx);
    peer_gone_t *all = DRAFT(ctx, peer_gone); /* what was asked before is answered to nobody */

    ((peers_end_t *) state)->peers = peers;
    peers->end = actor_self(ctx);
    all->plain = peers->plain;
    if (actor_tell_role(ctx, EDGE_GONE, all) == VERDICT_FULL || args) {
        return ACTOR_FAIL;
    }
    for (uint64_t i = 0; i < NEXT_OPEN; i++) {
        claim(ctx, ask_next(ctx, i) == ACTOR_CONTINUE);
    }
    return ACTOR_CONTINUE;
}

static actor_next_t
peers_end_timer(actor_ctx_t *ctx, void *state, uint64_t key)
{
    return state ? ask_next(ctx, key) : ACTOR_FAIL;
}

/* ---- what comes ---- */

typedef struct coming {
    slice_t peer, user, body;
    uint64_t tag;
    verdict_t verdict;
} coming_t;

static actor_next_t
come(actor_ctx_t *ctx, void *state, const void *argument)
{
    coming_t *coming = *(coming_t *const *) argument;
    peer_came_t *m = DRAFT(ctx, peer_came);

    m->plain = ((peers_end_t *) state)->peers->plain;
    m->peer = actor_text(ctx, coming->peer);
    m->user = actor_text(ctx, coming->user);
    m->body = actor_text(ctx, coming->body);
    coming->verdict = actor_tell_role(ctx, EDGE_CAME, m);
    return ACTOR_CONTINUE;
}

static actor_next_t
go(actor_ctx_t *ctx, void *state, const void *argument)
{
    coming_t *coming = *(coming_t *const *) argument;
    peer_gone_t *m = DRAFT(ctx, peer_gone);

    m->plain = ((peers_end_t *) state)->peers->plain;
    m->peer = actor_text(ctx, coming->peer);
    coming->verdict = actor_tell_role(ctx, EDGE_GONE, m);
    return ACTOR_CONTINUE;
}

static actor_next_t
knocked(actor_ctx_t *ctx, void *state, const actor_answer_t *answer)
{
    const sim_options_t *options = &((peers_end_t *) state)->peers->sim->options;
    const door_opens_t *m = ANSWER_AS(answer, door_opens);

    claim(ctx, options->peer_knocked);
    options->peer_knocked(options->peers_context, answer->tag, m && m->open);
    return ACTOR_CONTINUE;
}

static actor_next_t
knock(actor_ctx_t *ctx, void *state, const void *argument)
{
    coming_t *coming = *(coming_t *const *) argument;
    door_knock_t *m = DRAFT(ctx, door_knock);

    assert(!((peers_end_t *) state)->peers->plain);
    m->key = actor_text(ctx, coming->user);
    coming->verdict = actor_ask_role(ctx, EDGE_KNOCK, m, KNOCK_MS, knocked, coming->tag);
    return ACTOR_CONTINUE;
}

static verdict_t
do_at_end(const sim_peers_t *peers, const char *name,
          actor_next_t (*what)(actor_ctx_t *, void *, const void *), coming_t *coming)
{
    const sim_t *sim = peers->sim;
    coming_t *argument = coming;

    if (peers->end.index == 0 || !cell_holds(sim->core, peers->end)) {
        return VERDICT_DOWN;
    }
    actor_t *end = atomic_load(&cell_at(sim->core, peers->end.index)->actor);
    if (!end || end->stage != STAGE_OPEN) {
        return VERDICT_DOWN;
    }
    core_run(end, name, what, &argument);
    return coming->verdict;
}

static sim_came_t
came(const sim_peers_t *peers, coming_t *coming)
{
    verdict_t verdict = do_at_end(peers, "sim_peer_came", come, coming);

    return verdict == VERDICT_OK     ? SIM_CAME
           : verdict == VERDICT_FULL ? SIM_CAME_LATER
                                     : SIM_CAME_NOBODY;
}

static bool
gone(const sim_peers_t *peers, slice_t peer)
{
    coming_t coming = {peer, slice_of(""), slice_of(""), 0, VERDICT_DOWN};

    return do_at_end(peers, "sim_peer_gone", go, &coming) == VERDICT_OK;
}

sim_came_t
sim_peer_came(sim_t *sim, slice_t peer, slice_t user, slice_t body)
{
    return came(&sim->peers, &(coming_t){peer, user, body, 0, VERDICT_DOWN});
}

bool
sim_peer_gone(sim_t *sim, slice_t peer)
{
    return gone(&sim->peers, peer);
}

sim_came_t
sim_plain_came(sim_t *sim, slice_t peer, slice_t body)
{
    return came(&sim->plain, &(coming_t){peer, slice_of(""), body, 0, VERDICT_DOWN});
}

bool
sim_plain_gone(sim_t *sim, slice_t peer)
{
    return gone(&sim->plain, peer);
}

bool
sim_peer_knock(sim_t *sim, slice_t key, uint64_t tag)
{
    coming_t coming = {slice_of(""), key, slice_of(""), tag, VERDICT_DOWN};

    return do_at_end(&sim->peers, "sim_peer_knock", knock, &coming) == VERDICT_OK;
}

/* ---- the class ---- */

/* knocked: who drives asks whether a key may come in. */
static void
class_make(sim_peers_t *peers, const char *name, const char *role, bool knocked)
{
    peers->edge[EDGE_CAME] = (actor_edge_t){EDGE_TELL, role, &peer_came_type};
    peers->edge[EDGE_GONE] = (actor_edge_t){EDGE_TELL, role, &peer_gone_type};
    peers->edge[EDGE_NEXT] = (actor_edge_t){EDGE_ASK, role, &peer_next_type};
    peers->edge[EDGE_KNOCK] = (actor_edge_t){EDGE_ASK, role, &door_knock_type};
    peers->class = (actor_class_t){.name = name,
                                   .state_bytes = sizeof(peers_end_t),
                                   .init = peers_end_init,
                                   .on_timer = peers_end_timer,
                                   .edges = peers->edge,
                                   .edge_count = knocked ? EDGE_COUNT : EDGE_KNOCK,
                                   .placement = ACTOR_BESIDE_THE_POOL,
                                   .role = true};
}

bool
sim_peers_class(sim_t *sim)
{
    const sim_options_t *options = &sim->options;

    sim->peers.sim = sim;
    sim->peers.sent = options->peer_sent;
    if (options->peers_to) {
        class_make(&sim->peers, options->peers, options->peers_to, options->peer_knocked != NULL);
    }
    return options->peers_to != NULL;
}

bool
sim_plain_class(sim_t *sim)
{
    const sim_options_t *options = &sim->options;

    sim->plain.sim = sim;
    sim->plain.plain = true;
    sim->plain.sent = options->plain_sent;
    if (options->plain) {
        class_make(&sim->plain, options->plain, options->peers_to, false);
    }
    return options->plain != NULL;
}
