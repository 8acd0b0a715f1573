/* yard.c - the machines of agents: made, joined, cut, looked at; see yard.h. */
#include "tests/sim/yard.h"

#include <assert.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "actors/agent_roster.h"
#include "actors/agent_wire.h"
#include "actors/content/hash.h"
#include "actors/content/join.h"
#include "actors/content/point.h"
#include "tests/sim/machine.h"
#include "tests/sim/stage_inside.h"

#define WALL_START_NS INT64_C(1790000000000000000)
#define ENROL_PEER    (UINT64_C(1) << 63)

uint64_t
yard_drawn(yard_t *yard, uint64_t bound)
{
    uint64_t z = (yard->chance += UINT64_C(0x9e3779b97f4a7c15));

    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    z ^= z >> 31;
    return bound < 2 ? 0 : z % bound;
}

yard_t *
yard_new(uint64_t seed, uint32_t agents)
{
    yard_t *yard = calloc(1, sizeof *yard);

    assert(yard && agents <= FARS_MAX);
    yard->chance = seed ^ UINT64_C(0x5eed);
    yard->count = agents;
    yard->memory = malloc(AGENT_MEMORY_BYTES);
    assert(yard->memory);
    return yard;
}

void
yard_destroy(yard_t **yard)
{
    for (uint32_t i = 0; i < (*yard)->count; i++) {
        far_t *far = &(*yard)->far[i];
        lines_free(&far->up);
        lines_free(&far->down);
        yard_end_plain(far);
        free(far->order);
        free(far->recent);
        free(far->receipt);
        sim_destroy(&far->sim);
    }
    free((*yard)->memory);
    free(*yard);
    *yard = NULL;
}

/* Until an agent has joined, what the site says to it is heard here. */
static void
sent_by_site(void *context, bool dial, slice_t peer, slice_t body)
{
    yard_t *yard = context;
    uint64_t connection = 0;
    const record_type_t *type = NULL;
    const void *record = NULL;

    if (peer.size == sizeof connection) {
        memcpy(&connection, peer.data, sizeof connection);
    }
    if (connection < ENROL_PEER) {
        lines_sent_by_site(context, dial, peer, body);
    } else if (agent_frame_read(body, SITE_SAYS, yard->memory, AGENT_MEMORY_BYTES, &type,
                                &record) == OK &&
               type == &agent_enrolled_type) {
        yard->enrolled = true;
        yard->site_signing = ((const agent_enrolled_t *) record)->site_signing;
    }
}

stage_agents_t
yard_agents(yard_t *yard)
{
    return (stage_agents_t){sent_by_site, lines_plain_by_site, lines_knocked, lines_step, yard};
}

/* ---- joining ---- */

static void *
draft_args(far_t *far)
{
    draft_over(&far->args, far->args_memory, sizeof far->args_memory);
    agent_args_t *args = draft_begin(&far->args, &agent_args_type);

    args->data = draft_text(&far->args, slice_of("/data"));
    args->dp = draft_text(&far->args, slice_of(far->name));
    args->root = draft_text(&far->args, slice_of("/point"));
    args->address = draft_text(&far->args, slice_of("tcp://site:1"));
    return args;
}

static agent_args_t *
make_host(far_t *far, sim_strategy_t strategy)
{
    char why[512] = "";
    err_t err = OK;
    agent_args_t *args = draft_args(far);
    host_options_t host = {.classes = agent_roster,
                           .root = &agent_class,
                           .root_args_type = &agent_args_type,
                           .root_args = args,
                           .root_args_bytes = far->args.size};
    sim_options_t options = {.seed = yard_drawn(far->yard, UINT64_MAX),
                             .strategy = strategy,
                             .rounds = far->yard->rounds,
                             .host = &host,
                             .world = {.wall_start_ns = WALL_START_NS, .latency_ns_max = 200000},
                             .delay_ns_max = 300000,
                             .alone = true,
                             .peers = "site_link",
                             .peers_to = "agent",
                             .peer_sent = lines_sent_by_far,
                             .plain = "plain_link",
                             .plain_sent = lines_plain_by_far,
                             .peers_context = far,
                             .places = far->yard->places,
                             .over_sockets = far->yard->over_sockets};

    far->sim = sim_new(&options, &err, why, sizeof why);
    if (!far->sim) {
        stage_note_fault(far->yard->stage, "cannot make an agent: %s: %s", err_word(err), why);
    }
    return far->sim ? args : NULL;
}

static bool
make_disk(far_t *far)
{
    world_t *w = world_sim_job_new(sim_world(far->sim), NULL, NULL);
    point_identity_t identity = {.site = far->token.site, .incarnation = far->token.incarnation};
    fault_t fault = {0};

    snprintf(identity.name, sizeof identity.name, "%s", far->name);
    machine_make_dir(w, "/data");
    machine_make_dir(w, "/point");
    machine_make_dir(w, "/versions");
    err_t err = point_claim(w, "/point", &identity, NULL, 0, false, &fault);
    err = err == OK ? keys_open(w, "/data", &far->keys, &fault) : err;
    machine_sync(w, "/");
    world_sim_job_destroy(&w);
    hex_of_bytes(far->keys.transport_key.byte, 32, far->user);
    return err == OK;
}

/* By the key of the token, as `despoold join` says it. */
static bool
enrol(far_t *far, uint32_t number)
{
    uint64_t memory[256], peer = ENROL_PEER + number;
    uint8_t bytes[2048];
    char user[65];
    draft_t draft;
    digest_t token_key;
    yard_t *yard = far->yard;

    draft_over(&draft, memory, sizeof memory);
    agent_enrol_t *m = draft_begin(&draft, &agent_enrol_type);
    m->v = AGENT_WIRE_VERSION;
    m->key = far->keys.transport_key;
    m->signing = far->keys.signing_key;
    m->root = draft_text(&draft, slice_of("/point"));
    size_t size = agent_frame_write(&agent_enrol_type, m, bytes, sizeof bytes);
    sign_transport_key(&far->token.secret, &token_key);
    hex_of_bytes(token_key.byte, 32, user);
    yard->enrolled = false;
    for (int i = 0; i < 1000 && !yard->enrolled; i++) {
        if (i % 100 == 0) {
            (void) sim_peer_came(stage_sim(yard->stage),
                                 (slice_t){(const char *) &peer, sizeof peer}, slice_of(user),
                                 (slice_t){(const char *) bytes, size});
            yard->site_due_ns = 0;
        }
        stage_run(yard->stage, 5);
    }
    return yard->enrolled;
}

static bool
take_token(far_t *far)
{
    char name[32], text[TOKEN_BYTES_MAX];
    wire_value_t token;
    stage_t *stage = far->yard->stage;

    snprintf(name, sizeof name, "name=%s", far->name);
    return stage_do(stage, 60000, "dp.add", name, "agent!", NULL) == OK &&
           wire_find(stage_answer(stage), "token", &token) &&
           slice_copy(token.bytes, text, sizeof text) && token_read(text, &far->token) == OK;
}

bool
yard_join(yard_t *yard, stage_t *stage, uint32_t number)
{
    far_t *far = &yard->far[number];

    far->yard = yard;
    far->knock_ns = NEVER_NS;
    yard->stage = stage;
    snprintf(far->name, sizeof far->name, "s%02u", number);
    agent_args_t *args = take_token(far)
                             ? make_host(far, (sim_strategy_t) yard_drawn(yard, SIM_STRATEGY_COUNT))
                             : NULL;
    if (!args || !make_disk(far) || !enrol(far, number)) {
        stage_note_fault(stage, "'%s' cannot join", far->name);
        return false;
    }
    args->site = far->token.site;
    args->dp_incarnation = far->token.incarnation;
    args->site_signing = yard->site_signing;
    world_t *look = world_sim_look_new(stage_world(stage));
    err_t err = keys_open(look, "/data", &yard->site_keys, NULL);
    world_sim_job_destroy(&look);
    sim_run_for(far->sim, sim_now_ns(stage_sim(stage)), 1);
    sim_start(far->sim);
    far->due_ns = sim_due_ns(far->sim);
    far->started = err == OK;
    return far->started;
}

/* ---- what happens to them ---- */

void
far_cut(far_t *far)
{
    far->yard->cuts++;
    far->cut = true;
    far->connection = 0;
    far->open = false;
    far->knock_ns = NEVER_NS;
    lines_free(&far->up);
    lines_free(&far->down);
    yard_end_plain(far);
    if (!sim_crash(far->sim)) {
        stage_note_fault(far->yard->stage, "no agent could be made after a power cut");
    }
    far->due_ns = sim_due_ns(far->sim);
    if (far->buried && !far_has_tombstone(far)) {
        stage_note_fault(far->yard->stage,
                         "tombstone: '%s' said that it knows of its removal, and has forgotten it "
                         "after its power went",
                         far->name);
    }
    far->started = far->started && !(far->gone && far_has_tombstone(far));
    yard_recount(far->yard);
}

/* It is started anew, as after a power cut; one that finds its tombstone does not run again. Whose
 * disk fails when it begins may end, too. */
void
far_ended(far_t *far)
{
    far_cut(far);
    if (far->gone && far->started) {
        stage_note_fault(far->yard->stage, "tombstone: '%s' has ended, and has not noted why",
                         far->name);
    }
}

void
yard_site_was_cut(yard_t *yard)
{
    for (uint32_t i = 0; i < yard->count; i++) {
        if (yard->far[i].connection > 0) {
            lines_drop(&yard->far[i]);
        }
        yard_end_plain(&yard->far[i]);
    }
    yard->gone_count = yard->plain_gone_count = 0;
    yard->site_due_ns = 0;
}

void
yard_heal(yard_t *yard)
{
    for (uint32_t i = 0; i < yard->count; i++) {
        far_t *far = &yard->far[i];
        if (!far->sim) {
            continue;
        }
        far->apart = false;
        far->tamper = TAMPER_NOTHING;
        yard->between = false;
        world_sim_cut_after(sim_world(far->sim), 0);
        world_sim_heal(sim_world(far->sim));
        far->due_ns = sim_due_ns(far->sim);
    }
}

uint64_t
yard_hash(const yard_t *yard)
{
    uint64_t hash = yard->frames + yard->chance;

    hash = hash * 31 + (stage_sim(yard->stage) ? sim_hash(stage_sim(yard->stage)) : 0);
    for (uint32_t i = 0; i < yard->count; i++) {
        hash = hash * 31 + (yard->far[i].sim ? sim_hash(yard->far[i].sim) : 0);
    }
    return hash;
}
