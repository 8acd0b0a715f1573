/* agents.c - points that are other machines: their tokens, and the keys by which they are known.
 *
 * A token is spent in the transaction that records the key of who had it. Whoever joins again with
 * the same token and the same keys did not hear the answer: it is given again.
 *
 * Of a point that was removed its agent's key stays, as a tombstone, until the agent has heard it:
 * it opens the door for that alone. A revoked key has none, and who joins anew needs none. */
#include <stdio.h>
#include <string.h>

#include "actors/database/handlers.h"
#include "actors/database/rows.h"

typedef struct agent {
    int64_t point, expires;
    digest_t key, signing;
    bool revoked;
} agent_t;

/* One that is new, or has a key now. Of many all are told. */
static void
agent_changed(tx_t *tx, int64_t point)
{
    if (tx->agent_count < AGENTS_NAMED_MAX) {
        tx->agent[tx->agent_count++] = (uint64_t) point;
    } else {
        tx->agents_changed = true;
    }
}

void
agent_expect(tx_t *tx, const point_t *point, const point_commit_t *m)
{
    uint64_t life_s = m->expires_s == 0 ? TOKEN_LIFE_S : m->expires_s;
    int64_t until = tx->now_ns + (int64_t) life_s * 1000000000;
    RUN(tx, SQL_AGENT_ADD, v_int(point->row), v_digest(&m->token), v_int(until),
        v_text(record_slice(m, m->address)));
    agent_changed(tx, point->row);
}

static void
agent_read(const cursor_t *row, agent_t *ret)
{
    ret->point = cursor_int(row, 0);
    ret->expires = cursor_int(row, 1);
    cursor_copy(row, 2, ret->key.byte, sizeof ret->key.byte);
    cursor_copy(row, 3, ret->signing.byte, sizeof ret->signing.byte);
    ret->revoked = cursor_int(row, 4) != 0;
}

static void
note_agent(tx_t *tx, const point_t *point, uint32_t id, const char *what)
{
    event_draft_t event;
    event_of_point(&event, point, id);
    event_text(&event, "the agent of distribution point %s %s", point->name, what);
    event_write(tx, &event);
}

static void
note_root(tx_t *tx, const agent_enrol_t *m, const point_t *point)
{
    char root[AGENT_PATH_BYTES_MAX + sizeof POINT_AGENT];
    snprintf(root, sizeof root, "%s%.*s", POINT_AGENT, RECORD_SHOWN(m, m->root));
    RUN(tx, SQL_POINT_ROOT, v_int(point->row), v_text(slice_of(root)));
}

static void
join_agent(tx_t *tx, const agent_enrol_t *m, const point_t *point)
{
    RUN(tx, SQL_AGENT_JOIN, v_int(point->row), v_digest(&m->key), v_digest(&m->signing));
    tx->agents_changed |= RUN(tx, SQL_TOMBSTONE_DELETE, v_digest(&m->key)) > 0;
    note_root(tx, m, point);
    note_agent(tx, point, STATUS_AGENT_JOINED, "has joined");
    agent_changed(tx, point->row);
}

/* Its root is another point's, and would be taken from that one. Of a point that was removed it is
 * free. */
static bool
takes_a_root(tx_t *tx, const agent_enrol_t *m)
{
    return !id128_is_none(&m->former) && NUMBER(tx, SQL_ALL_POINTS_AS, 0, v_id(&m->former)) > 0;
}

static err_t
judge(tx_t *tx, const agent_t *agent, const agent_enrol_t *m, bool *ret_again)
{
    bool joined = !digest_is_none(&agent->key);
    bool same = memcmp(&agent->key, &m->key, sizeof m->key) == 0 &&
                memcmp(&agent->signing, &m->signing, sizeof m->signing) == 0;
    *ret_again = joined && same;
    return agent->revoked                ? ERR_REVOKED
           : takes_a_root(tx, m)         ? ERR_NOT_THIS_POINT
           : *ret_again                  ? OK
           : joined                      ? ERR_TOKEN_SPENT
           : tx->now_ns > agent->expires ? ERR_TOKEN_EXPIRED
           : NUMBER(tx, SQL_AGENT_HAS_KEY, 0, v_digest(&m->key)) > 0
               ? ERR_KEY_TAKEN /* a data directory was copied */
               : OK;
}

void
handle_agent_enrol(tx_t *tx, const agent_enrol_t *m)
{
    agent_t agent;
    point_t point;
    bool again = false;
    cursor_t row = OPEN(tx, SQL_AGENT_BY_TOKEN, v_digest(&m->token));
    bool known = CURSOR_ONE(row, agent_read, &agent) && point_by_row(tx, agent.point, &point);
    err_t err = !known || digest_is_none(&m->key) || digest_is_none(&m->signing)
                    ? ERR_TOKEN
                    : judge(tx, &agent, m, &again);
    if (err != OK) {
        tx_refuse(tx, err, NULL, "cannot join '%s': %s", known ? point.name : "the site",
                  err_sentence(err));
        return;
    }
    if (again) {
        note_root(tx, m, &point); /* it may have been moved */
    } else {
        join_agent(tx, m, &point);
    }
    agent_enrolled_t *enrolled = ANSWER(tx, agent_enrolled);
    enrolled->dp = tx_text(tx, slice_of(point.name));
}

void
handle_agent_revoke(tx_t *tx, const agent_revoke_t *m)
{
    point_t point;
    if (!point_need(tx, "set", record_slice(m, m->name), &point)) {
        return;
    }
    if (NUMBER(tx, SQL_AGENT_HAS, 0, v_int(point.row)) == 0) {
        tx_refuse(tx, ERR_BAD_VALUE, "only a point that was added with --agent has a key",
                  "cannot set '%s': it is a directory of this machine", point.name);
        return;
    }
    bool changed = RUN(tx, SQL_AGENT_REVOKE, v_int(point.row)) > 0;
    if (changed) {
        tx->agents_changed = true;
        note_agent(tx, &point, STATUS_AGENT_REVOKED, "is locked out: its key was revoked");
    }
    tx_done(tx, changed, changed ? NULL : "it was revoked before");
}

/* ---- the site's address ---- */

text_t
site_address(tx_t *tx)
{
    cursor_t row = OPEN(tx, SQL_SETTING_GET, v_text(slice_of("address")));
    text_t address = cursor_next(&row) ? tx_cursor_text(tx, &row, 0) : tx_text(tx, slice_of(""));
    cursor_close(&row);
    return address;
}

void
handle_agent_heard(tx_t *tx, const agent_heard_t *m)
{
    tx_done(tx,
            RUN(tx, SQL_AGENT_HEARD, v_digest(&m->key), v_text(record_slice(m, m->address))) > 0,
            NULL);
}

/* Who does not know it yet, by the first names. */
static void
behind(tx_t *tx, slice_t address, char *text, size_t size)
{
    char name[NAME_BYTES_MAX + 1];
    uint64_t count = 0;
    size_t used = 0;
    char names[512] = "";
    cursor_t row = OPEN(tx, SQL_ALL_AGENTS_BEHIND, v_text(address));
    while (cursor_next(&row)) {
        cursor_name(&row, 0, name);
        if (used + strlen(name) + 8 < sizeof names) {
            used += (size_t) snprintf(names + used, sizeof names - used, "%s%s",
                                      used > 0 ? ", " : "", name);
        }
        count++;
    }
    cursor_close(&row);
    snprintf(text, size, "agents that do not know it yet: %llu%s%s", (unsigned long long) count,
             count > 0 ? ": " : "", names);
}

/* The same again changes nothing, and tells who is still behind. */
void
site_set_address(tx_t *tx, const site_set_t *m)
{
    char text[1024];
    slice_t address = record_slice(m, m->address);
    if (!address_is_valid(address)) {
        tx_refuse(tx, ERR_BAD_VALUE, "give tcp://ADDRESS:PORT, an address that agents can reach",
                  "cannot set the address '%.*s': nobody can dial that", SHOWN(address));
        return;
    }
    cursor_t row = OPEN(tx, SQL_SETTING_GET, v_text(slice_of("address")));
    bool changed = !cursor_next(&row) || !slice_equal(cursor_bytes(&row, 0), address);
    cursor_close(&row);
    if (changed) {
        event_draft_t event;
        RUN(tx, SQL_SETTING_SET, v_text(slice_of("address")), v_text(address));
        event_begin(&event, "agent_gateway", STATUS_SITE_ADDRESS);
        event_text(&event, "agents are told the address %.*s", SHOWN(address));
        event_write(tx, &event);
        tx->agents_changed = true;
    }
    behind(tx, address, text, sizeof text);
    tx_done(tx, changed, text);
}

/* ---- tombstones ---- */

void
agent_bury(tx_t *tx, const point_t *point)
{
    if (RUN(tx, SQL_TOMBSTONE_ADD, v_int(point->row)) > 0) {
        RUN(tx, SQL_TOMBSTONES_FEWER, v_int(INT64_MAX), v_int(AGENT_TOMBSTONES_MAX));
    }
}

void
handle_agent_told(tx_t *tx, const agent_told_t *m)
{
    char name[NAME_BYTES_MAX + 1] = "";
    event_draft_t event;
    cursor_t row = OPEN(tx, SQL_TOMBSTONE_NAME, v_digest(&m->key));
    if (cursor_next(&row)) {
        cursor_name(&row, 0, name);
    }
    cursor_close(&row);
    bool changed = RUN(tx, SQL_TOMBSTONE_DELETE, v_digest(&m->key)) > 0;
    if (changed) {
        tx->agents_changed = true;
        event_begin(&event, "agent_gateway", STATUS_AGENT_TOLD);
        event.dp = slice_of(name);
        event_text(&event, "the agent of %s, which was removed, serves nobody any more", name);
        event_write(tx, &event);
    }
    tx_done(tx, changed, NULL);
}

static void
list_tombstone(tx_t *tx, const cursor_t *row, agent_row_t *ret)
{
    ret->dp = tx_cursor_text(tx, row, 0);
    cursor_copy(row, 1, ret->dp_incarnation.byte, sizeof ret->dp_incarnation.byte);
    cursor_copy(row, 2, ret->key.byte, sizeof ret->key.byte);
    ret->removed = true;
}

/* ---- who may come in ---- */

static void
list_agent(tx_t *tx, const cursor_t *row, agent_row_t *ret)
{
    ret->dp = tx_cursor_text(tx, row, 0);
    cursor_copy(row, 1, ret->dp_incarnation.byte, sizeof ret->dp_incarnation.byte);
    cursor_copy(row, 2, ret->token.byte, sizeof ret->token.byte);
    cursor_copy(row, 3, ret->key.byte, sizeof ret->key.byte);
    cursor_copy(row, 4, ret->signing.byte, sizeof ret->signing.byte);
    ret->revoked = cursor_int(row, 5) != 0;
    ret->address = tx_cursor_text(tx, row, 7);
    ret->rate = cursor_u64(row, 8);
    ret->link = tx_cursor_text(tx, row, 9);
    ret->link_rate = cursor_u64(row, 10);
    ret->plain = cursor_int(row, 11) != 0;
    list_window(tx, cursor_int(row, 6), ret);
}

/* Tombstones follow the agents: their rows count from here. */
#define TOMBSTONES_FROM (UINT64_C(1) << 62)
#define NOBODY          (TOMBSTONES_FROM - 1) /* behind all agents */

static void
list_agents(tx_t *tx, agents_listed_t *listed, uint64_t after, uint32_t max)
{
    uint32_t i = 0;
    value_t from = v_u64(after), most = v_int(max);
    int64_t count = NUMBER(tx, SQL_AGENTS_COUNT, 0, from, most);
    listed->agents = draft_rows(&tx->answer, (uint32_t) count, sizeof(agent_row_t));
    listed->next = TOMBSTONES_FROM;
    cursor_t row = OPEN(tx, SQL_AGENTS_AFTER, from, most);
    while (cursor_next(&row)) {
        agent_row_t *agent = draft_row(&tx->answer, listed->agents, i++, sizeof *agent);
        if (agent != NULL) {
            list_agent(tx, &row, agent);
        }
        if (i == max) {
            listed->next = (uint64_t) cursor_int(&row, 6);
        }
    }
}

static void
list_tombstones(tx_t *tx, agents_listed_t *listed, uint64_t after)
{
    uint32_t i = 0;
    value_t from = v_u64(after), most = v_int(AGENTS_PER_ANSWER_MAX);
    int64_t count = NUMBER(tx, SQL_TOMBSTONES_COUNT, 0, from, most);
    listed->agents = draft_rows(&tx->answer, (uint32_t) count, sizeof(agent_row_t));
    cursor_t row = OPEN(tx, SQL_TOMBSTONES_AFTER, from, most);
    while (cursor_next(&row)) {
        agent_row_t *agent = draft_row(&tx->answer, listed->agents, i++, sizeof *agent);
        if (agent != NULL) {
            list_tombstone(tx, &row, agent);
        }
        if (i == AGENTS_PER_ANSWER_MAX) {
            listed->next = TOMBSTONES_FROM + (uint64_t) cursor_int(&row, 3);
        }
    }
}

/* Of one point, or of none. */
static void
list_agent_of(tx_t *tx, agents_listed_t *listed, int64_t point)
{
    list_agents(tx, listed, point > 0 ? (uint64_t) point - 1 : NOBODY, 1);
}

void
handle_agents_known(tx_t *tx, const agents_known_t *m)
{
    agents_listed_t *listed = ANSWER(tx, agents_listed);
    listed->site = tx->db->site;
    listed->address = site_address(tx);
    listed->rate = site_rate(tx);
    if (!digest_is_none(&m->key)) {
        list_agent_of(tx, listed, NUMBER(tx, SQL_AGENT_WITH, 0, v_digest(&m->key)));
    } else if (m->dp.at) {
        point_t point;
        bool known = point_by_name(tx, record_slice(m, m->dp), &point);
        list_agent_of(tx, listed, known ? point.row : 0);
    } else if (m->alone) {
        list_agents(tx, listed, m->after - 1, 1);
    } else if (m->after < TOMBSTONES_FROM) {
        list_agents(tx, listed, m->after, AGENTS_PER_ANSWER_MAX);
    } else {
        list_tombstones(tx, listed, m->after - TOMBSTONES_FROM);
    }
}

/* Above all that was given before, also of the site that a backup was made of. */
void
handle_beacon_next(tx_t *tx, __attribute__((unused)) const beacon_next_t *m)
{
    uint64_t last = (uint64_t) NUMBER(tx, SQL_META_GET, 0, v_text(slice_of("beacon")));
    uint64_t least = site_incarnation(tx) << 32;
    uint64_t sequence = (last > least ? last : least) + 1;
    RUN(tx, SQL_META_SET, v_text(slice_of("beacon")), v_u64(sequence));
    beacon_made_t *made = ANSWER(tx, beacon_made);
    made->sequence = sequence;
}
