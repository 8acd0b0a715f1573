/* crowd.c - see crowd.h. Each frame takes the same time, so those on their way are one line. */
#include "tests/sim/crowd_inside.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FRAME_NS     INT64_C(4000000)
#define SLICE_NS     INT64_C(2000000)    /* what arrives in it arrives at its end */
#define AGAIN_NS     INT64_C(1000000)    /* after the site had no room */
#define BEATS_NS     INT64_C(4000000000) /* between two signs of life of one member */
#define FRAME_BYTES  4096u
#define ENROL_PEER   (UINT64_C(1) << 63)
#define CREDIT_BYTES (1u << 20)

crowd_kind_t
crowd_kind(uint32_t member)
{
    return member % 20 == 7    ? CROWD_FAILS_TWICE
           : member % 50 == 11 ? CROWD_REFUSES
           : member % 40 == 13 ? CROWD_GOES
           : member % 60 == 29 ? CROWD_DROPS
                               : CROWD_WELL;
}

bool
crowd_refuses(uint32_t member, uint32_t package)
{
    return crowd_kind(member) == CROWD_REFUSES && package % 3 == 0;
}

void
crowd_name(uint32_t member, char ret_name[16])
{
    snprintf(ret_name, 16, "M%05u", member);
}

crowd_t *
crowd_new(uint32_t members, uint32_t packages)
{
    crowd_t *crowd = calloc(1, sizeof *crowd);

    assert(crowd);
    crowd->count = members;
    crowd->packages = packages;
    crowd->member = calloc(members, sizeof *crowd->member);
    crowd->tries = calloc((size_t) members * (packages + 1), 1);
    crowd->has = calloc((size_t) members * (packages + 1), 1);
    crowd->memory = malloc(AGENT_MEMORY_BYTES);
    crowd->draft_memory = malloc(CROWD_DRAFT_WORDS * sizeof *crowd->draft_memory);
    assert(crowd->member && crowd->tries && crowd->has && crowd->memory && crowd->draft_memory);
    memset(crowd->signing.byte, 7, sizeof crowd->signing.byte);
    sign_signing_key(&crowd->signing, &crowd->signing_key);
    return crowd;
}

void
crowd_destroy(crowd_t **crowd)
{
    while ((*crowd)->first) {
        flight_t *flight = (*crowd)->first;
        (*crowd)->first = flight->next;
        free(flight);
    }
    free((*crowd)->member);
    free((*crowd)->tries);
    free((*crowd)->has);
    free((*crowd)->memory);
    free((*crowd)->draft_memory);
    free(*crowd);
    *crowd = NULL;
}

uint8_t *
crowd_of_target(const crowd_t *crowd, uint8_t *all, uint32_t member, uint32_t package)
{
    return &all[(size_t) member * (crowd->packages + 1) + package];
}

draft_t
crowd_draft(crowd_t *crowd)
{
    draft_t draft;

    draft_over(&draft, crowd->draft_memory, CROWD_DRAFT_WORDS * sizeof *crowd->draft_memory);
    return draft;
}

bool
crowd_has(const crowd_t *crowd, uint32_t member, uint32_t package)
{
    return *crowd_of_target(crowd, crowd->has, member, package) != 0;
}

crowd_counts_t
crowd_counts(const crowd_t *crowd)
{
    return crowd->counts;
}

/* ---- what members say ---- */

void
crowd_say(crowd_t *crowd, uint32_t member, const record_type_t *type, const void *record)
{
    flight_t *flight = malloc(sizeof *flight + FRAME_BYTES);

    assert(flight);
    *flight = (flight_t){.ready_ns = sim_now_ns(stage_sim(crowd->stage)) + FRAME_NS,
                         .member = member,
                         .connection = crowd->member[member].connection};
    flight->size = agent_frame_write(type, record, flight->bytes, FRAME_BYTES);
    assert(flight->size > 0);
    if (crowd->last) {
        crowd->last->next = flight;
    } else {
        crowd->first = flight;
    }
    crowd->last = flight;
    crowd->flights++;
    crowd->counts.flights_most =
        crowd->flights > crowd->counts.flights_most ? crowd->flights : crowd->counts.flights_most;
}

static void
say_hello(crowd_t *crowd, uint32_t number)
{
    draft_t draft = crowd_draft(crowd);
    member_t *member = &crowd->member[number];

    agent_hello_t *m = draft_begin(&draft, &agent_hello_type);
    member->connection = ++crowd->connections * crowd->count + number;
    member->welcome = member->comes_back = false;
    m->v = AGENT_WIRE_VERSION;
    m->version = draft_text(&draft, slice_of("0"));
    m->credit = CREDIT_BYTES;
    memcpy(m->visit.byte, &member->connection, sizeof member->connection);
    crowd_say(crowd, number, &agent_hello_type, m);
}

static void
say_beat(crowd_t *crowd, uint32_t number)
{
    agent_beat_t m = {.number = 1};

    if (crowd->member[number].welcome) {
        crowd_say(crowd, number, &agent_beat_type, &m);
    }
}

void
crowd_arrive(crowd_t *crowd)
{
    for (uint32_t i = 0; i < crowd->count; i++) {
        if (crowd_kind(i) == CROWD_GOES) {
            say_hello(crowd, i);
        }
    }
}

/* The order in hand is lost with the connection. */
static void
drop(crowd_t *crowd, uint32_t number)
{
    member_t *member = &crowd->member[number];
    uint64_t connection = member->connection;

    member->connection = 0;
    member->welcome = false;
    crowd->counts.drops++;
    (void) sim_peer_gone(stage_sim(crowd->stage),
                         (slice_t){(const char *) &connection, sizeof connection});
}

void
crowd_leave(crowd_t *crowd)
{
    for (uint32_t i = 0; i < crowd->count; i++) {
        if (crowd_kind(i) == CROWD_GOES) {
            drop(crowd, i);
        }
    }
}

/* Once, and not with its first package. */
static bool
drops_with(crowd_t *crowd, uint32_t number, const agent_order_t *order)
{
    member_t *member = &crowd->member[number];

    if (crowd_kind(number) != CROWD_DROPS || member->dropped || order->task != AGENT_TASK_WORK ||
        crowd_package(crowd, order) == 1) {
        return false;
    }
    member->dropped = true;
    member->connection |= ENROL_PEER; /* nothing more is heard there, and its turn ends it */
    return true;
}

static bool
is_for(const member_t *member, const agent_order_t *order)
{
    return order->work.count == 1 &&
           memcmp(&ROW(order, order->work, 0, work_t)->dp_incarnation, &member->token.incarnation,
                  sizeof member->token.incarnation) == 0;
}

static void
hear(crowd_t *crowd, uint32_t number, const record_type_t *type, const void *record)
{
    member_t *member = &crowd->member[number];
    const agent_order_t *order = type == &agent_order_type ? record : NULL;

    member->welcome |= type == &agent_welcome_type;
    if (type == &agent_refused_type && !member->welcome) {
        member->connection = 0; /* the site has not heard yet that it has joined */
        member->comes_back = true;
    } else if (type == &agent_refused_type) {
        stage_note_fault(crowd->stage, "M%05u is refused: %s", number,
                         err_word((err_t) ((const agent_refused_t *) record)->err));
    }
    if (!order) {
        return;
    }
    if (!is_for(member, order)) {
        stage_note_fault(crowd->stage, "M%05u hears an order for somebody else", number);
    } else if (!drops_with(crowd, number, order)) {
        crowd_answer(crowd, number, order);
    }
}

static void
sent(void *context, bool dial, slice_t peer, slice_t body)
{
    crowd_t *crowd = context;
    uint64_t connection = 0;
    const record_type_t *type = NULL;
    const void *record = NULL;

    assert(!dial && peer.size == sizeof connection);
    memcpy(&connection, peer.data, sizeof connection);
    if (agent_frame_read(body, SITE_SAYS, crowd->memory, AGENT_MEMORY_BYTES, &type, &record) !=
        OK) {
        stage_note_fault(crowd->stage, "a frame of the site cannot be read");
        return;
    }
    crowd->counts.frames_down++;
    if (connection >= ENROL_PEER) {
        crowd->enrolled |= type == &agent_enrolled_type;
        return;
    }
    uint32_t number = (uint32_t) (connection % crowd->count);
    if (crowd->member[number].connection == connection) {
        hear(crowd, number, type, record);
    }
}

/* ---- time ---- */

/* False: the site has no room now. */
static bool
arrive(crowd_t *crowd)
{
    flight_t *flight = crowd->first;
    member_t *member = &crowd->member[flight->member];
    slice_t peer = {(const char *) &flight->connection, sizeof flight->connection};
    slice_t body = {(const char *) flight->bytes, flight->size};

    if (member->connection == flight->connection &&
        sim_peer_came(stage_sim(crowd->stage), peer, slice_of(member->user), body) ==
            SIM_CAME_LATER) {
        flight->ready_ns = sim_now_ns(stage_sim(crowd->stage)) + AGAIN_NS;
        return false;
    }
    crowd->counts.frames_up++;
    crowd->first = flight->next;
    crowd->last = crowd->first ? crowd->last : NULL;
    crowd->flights--;
    free(flight);
    return true;
}

/* One member after the other: each has its turn once in the time between two signs of life. */
static void
beat_next(crowd_t *crowd)
{
    uint32_t number = crowd->beats++ % crowd->count;
    member_t *member = &crowd->member[number];

    if (member->connection >= ENROL_PEER) {
        member->connection &= ~ENROL_PEER;
        drop(crowd, number);
        member->comes_back = true;
    } else if (member->connection > 0) {
        say_beat(crowd, number);
    } else if (member->comes_back) {
        say_hello(crowd, number);
    }
}

static void
step(void *context, int64_t until_ns)
{
    crowd_t *crowd = context;
    sim_t *site = stage_sim(crowd->stage);
    int64_t now_ns = sim_now_ns(site);

    while (crowd->first && crowd->first->ready_ns <= now_ns && arrive(crowd)) {
    }
    for (; crowd->beat_ns <= now_ns; crowd->beat_ns += BEATS_NS / crowd->count) {
        if (crowd->joined) {
            beat_next(crowd);
        }
    }
    int64_t next_ns = now_ns + SLICE_NS;
    next_ns = until_ns < next_ns ? until_ns : next_ns;
    sim_run_for(site, next_ns > now_ns ? next_ns - now_ns : 1, UINT64_MAX);
}

stage_agents_t
crowd_agents(crowd_t *crowd)
{
    return (stage_agents_t){sent, NULL, NULL, step, crowd};
}

/* ---- joining ---- */

static bool
take_token(crowd_t *crowd, uint32_t number)
{
    char argument[32] = "name=", text[TOKEN_BYTES_MAX];
    wire_value_t token;

    crowd_name(number, argument + strlen(argument));
    return stage_do(crowd->stage, 60000, "dp.add", argument, "agent!", NULL) == OK &&
           wire_find(stage_answer(crowd->stage), "token", &token) &&
           slice_copy(token.bytes, text, sizeof text) &&
           token_read(text, &crowd->member[number].token) == OK;
}

static bool
enrol(crowd_t *crowd, uint32_t number)
{
    uint64_t peer = ENROL_PEER + number;
    uint8_t bytes[1024];
    char user[65];
    draft_t draft;
    digest_t token_key;
    member_t *member = &crowd->member[number];

    memcpy(member->key.byte, &peer, sizeof peer);
    memset(member->key.byte + sizeof peer, 0x5a, sizeof member->key.byte - sizeof peer);
    hex_of_bytes(member->key.byte, 32, member->user);
    draft = crowd_draft(crowd);
    agent_enrol_t *m = draft_begin(&draft, &agent_enrol_type);
    m->v = AGENT_WIRE_VERSION;
    m->key = member->key;
    m->signing = crowd->signing_key;
    m->root = draft_text(&draft, slice_of("/point"));
    size_t size = agent_frame_write(&agent_enrol_type, m, bytes, sizeof bytes);
    sign_transport_key(&member->token.secret, &token_key);
    hex_of_bytes(token_key.byte, 32, user);
    crowd->enrolled = false;
    for (int i = 0; i < 1000 && !crowd->enrolled; i++) {
        if (i % 100 == 0) {
            (void) sim_peer_came(stage_sim(crowd->stage),
                                 (slice_t){(const char *) &peer, sizeof peer}, slice_of(user),
                                 (slice_t){(const char *) bytes, size});
        }
        stage_run(crowd->stage, 5);
    }
    return crowd->enrolled;
}

void
crowd_meet(crowd_t *crowd, stage_t *stage)
{
    crowd->stage = stage;
}

bool
crowd_join(crowd_t *crowd)
{
    for (uint32_t i = 0; i < crowd->count && !stage_fault(crowd->stage); i++) {
        if (!take_token(crowd, i) || !enrol(crowd, i)) {
            stage_note_fault(crowd->stage, "M%05u cannot join", i);
        }
        crowd->member[i].comes_back = true;
    }
    crowd->joined = true;
    return stage_fault(crowd->stage) == NULL;
}
