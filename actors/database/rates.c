/* rates.c - how fast agents are sent content: the rate of the site, of a link, of a point. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "actors/database/handlers.h"
#include "actors/database/rows.h"

#define NO_LINK "none" /* in the place of a link's name */
#define NO_SEED "none" /* in the place of a seed */

static int64_t
setting_number(tx_t *tx, const char *name)
{
    char text[24] = "";
    cursor_t row = OPEN(tx, SQL_SETTING_GET, v_text(slice_of(name)));
    bool kept = cursor_next(&row) && slice_copy(cursor_bytes(&row, 0), text, sizeof text);
    cursor_close(&row);
    return kept ? strtoll(text, NULL, 10) : 0;
}

uint64_t
site_rate(tx_t *tx)
{
    int64_t rate = setting_number(tx, "rate");
    return rate > 0 ? (uint64_t) rate : 0;
}

static uint64_t
lower(uint64_t a, uint64_t b)
{
    return a == 0 || (b > 0 && b < a) ? b : a;
}

uint64_t
rate_of_point(tx_t *tx, const point_t *point)
{
    if (!point_is_agent(SLICE_OF(point, root))) {
        return 0;
    }
    uint64_t link = (uint64_t) NUMBER(tx, SQL_LINK_OF_POINT, 0, v_int(point->row));
    return lower(lower(point->rate, link), site_rate(tx));
}

static void
note(tx_t *tx, const char *dp, const char *what, const char *name, uint64_t rate)
{
    event_draft_t event;
    event_begin(&event, "agent_gateway", STATUS_RATE_CHANGED);
    event.dp = slice_of(dp);
    if (rate == 0) {
        event_text(&event, "%s %s: no limit", what, name);
    } else {
        event_text(&event, "%s %s: at most %llu bytes a second", what, name,
                   (unsigned long long) rate);
    }
    event_attr_number(&event, "rate", rate);
    event_write(tx, &event);
    tx->agents_changed = true;
}

/* ---- links ---- */

typedef struct shared_link {
    char name[NAME_BYTES_MAX + 1]; /* as it is written in the database */
    uint64_t rate;
} shared_link_t;

static bool
link_read(cursor_t row, shared_link_t *ret)
{
    bool there = cursor_next(&row);
    if (there) {
        cursor_name(&row, 0, ret->name);
        ret->rate = cursor_u64(&row, 1);
    }
    cursor_close(&row);
    return there;
}

static bool
link_need(tx_t *tx, const char *verb, slice_t name, shared_link_t *ret)
{
    if (!link_read(OPEN(tx, SQL_LINK_BY_NAME, v_text(name)), ret)) {
        tx_refuse(tx, ERR_NOT_FOUND, "despool link list shows the links; link set NAME adds one",
                  "cannot %s '%.*s': no link of this name is known", verb, SHOWN(name));
    }
    return tx_ok(tx);
}

static void
set_link(tx_t *tx, slice_t name, const shared_link_t *known, uint64_t rate)
{
    shared_link_t link;
    RUN(tx, SQL_LINK_SET, v_text(name), rate > 0 ? v_u64(rate) : v_null());
    if (link_read(OPEN(tx, SQL_LINK_BY_NAME, v_text(name)), &link) &&
        (known == NULL || known->rate != rate)) {
        note(tx, "", "link", link.name, rate);
    }
}

void
handle_link_set(tx_t *tx, const link_set_t *m)
{
    shared_link_t link;
    slice_t name = record_slice(m, m->name);
    bool known = link_read(OPEN(tx, SQL_LINK_BY_NAME, v_text(name)), &link);
    uint64_t rate = m->rate != RECORD_NONE ? m->rate : known ? link.rate : 0;
    if (!name_is_valid(name) || slice_equal(name, slice_of(NO_LINK))) {
        tx_refuse(tx, ERR_BAD_NAME,
                  name_is_valid(name) ? "this word is for no link: choose another" : NULL,
                  "cannot set link '%.*s': %s", SHOWN(name), err_sentence(ERR_BAD_NAME));
        return;
    }
    if (!known && tx_number(tx, SQL_ALL_LINKS_COUNT, 0, NULL, 0) >= RATED_LINKS_MAX) {
        tx_refuse(tx, ERR_FULL, "remove links that no point shares", "cannot set link '%.*s': %s",
                  SHOWN(name), "there are as many as there may be");
        return;
    }
    bool changed = !known || link.rate != rate;
    if (changed) {
        set_link(tx, name, known ? &link : NULL, rate);
    }
    tx_done(tx, changed, NULL);
}

void
handle_link_remove(tx_t *tx, const link_remove_t *m)
{
    shared_link_t link;
    if (!link_need(tx, "remove link", record_slice(m, m->name), &link)) {
        return;
    }
    int64_t points = NUMBER(tx, SQL_LINK_POINTS, 0, v_text(slice_of(link.name)));
    if (points > 0) {
        tx_refuse(tx, ERR_IN_USE, "despool dp set NAME --link none takes a point off it",
                  "cannot remove link '%s': points that share it: %lld", link.name,
                  (long long) points);
        return;
    }
    RUN(tx, SQL_LINK_DELETE, v_text(slice_of(link.name)));
    note(tx, "", "forgotten link", link.name, 0);
    tx_done(tx, true, NULL);
}

static uint64_t
shown(uint64_t rate)
{
    return rate == 0 ? RECORD_NONE : rate;
}

void
handle_link_list(tx_t *tx, __attribute__((unused)) const link_list_t *m)
{
    shared_link_t link = {.name = ""};
    int64_t count = tx_number(tx, SQL_ALL_LINKS_COUNT, 0, NULL, 0);
    links_t *answer = ANSWER(tx, links);
    answer->site_rate = shown(site_rate(tx));
    answer->links = draft_rows(&tx->answer, (uint32_t) count, sizeof(link_row_t));
    for (uint32_t i = 0; i < answer->links.count; i++) {
        link_row_t *row = draft_row(&tx->answer, answer->links, i, sizeof *row);
        if (row == NULL ||
            !link_read(OPEN(tx, SQL_LINK_NEXT, v_text(slice_of(link.name))), &link)) {
            break;
        }
        row->name = tx_text(tx, slice_of(link.name));
        row->rate = shown(link.rate);
        row->points = (uint64_t) NUMBER(tx, SQL_LINK_POINTS, 0, v_text(slice_of(link.name)));
    }
}

/* ---- the site, and a point ---- */

/* One of them: provider_rules sees to that. */
void
handle_site_set(tx_t *tx, const site_set_t *m)
{
    char text[24];
    if (m->address.size > 0) {
        site_set_address(tx, m);
        return;
    }
    if (m->rate == RECORD_NONE) {
        tx_done(tx, site_set_scrub(tx, m->scrub), NULL);
        return;
    }
    bool changed = site_rate(tx) != m->rate;
    if (changed) {
        snprintf(text, sizeof text, "%llu", (unsigned long long) m->rate);
        RUN(tx, SQL_SETTING_SET, v_text(slice_of("rate")), v_text(slice_of(text)));
        note(tx, "", "the site", tx->db->name, m->rate);
    }
    tx_done(tx, changed, NULL);
}

/* The link that it is to share, as the database writes it. */
static bool
choose_link(tx_t *tx, slice_t name, char ret_link[NAME_BYTES_MAX + 1])
{
    shared_link_t link;
    if (name.size == 0) {
        return true;
    }
    ret_link[0] = 0;
    if (!slice_equal(name, slice_of(NO_LINK)) && link_need(tx, "share link", name, &link)) {
        memcpy(ret_link, link.name, sizeof link.name);
    }
    return tx_ok(tx);
}

/* Whether that is another one. */
static bool
set_seed(tx_t *tx, const point_t *point, slice_t seed)
{
    slice_t after = slice_equal(seed, slice_of(NO_SEED)) ? slice_of("") : seed;
    if (seed.size == 0 || slice_equal(after, SLICE_OF(point, seed))) {
        return false;
    }
    RUN(tx, SQL_POINT_SEED, v_int(point->row), v_maybe(after));
    event_draft_t event;
    event_begin(&event, "agent_gateway", STATUS_SEED_SET);
    event.dp = slice_of(point->name);
    event_text(&event, "seed of %s: %.*s", point->name,
               SHOWN(after.size > 0 ? after : slice_of(NO_SEED)));
    event_attr(&event, "seed", after);
    event_write(tx, &event);
    return true;
}

/* Whether that is another way. */
static bool
set_bulk(tx_t *tx, const point_t *point, uint32_t bulk)
{
    bool plain = bulk == BULK_PLAIN;
    if (bulk == BULK_NONE || plain == point->plain) {
        return false;
    }
    RUN(tx, SQL_POINT_PLAIN, v_int(point->row), v_int(plain));
    event_draft_t event;
    event_begin(&event, "agent_gateway", STATUS_BULK_SET);
    event.dp = slice_of(point->name);
    event_text(&event, "content goes to %s %s", point->name,
               plain ? "unencrypted: each object is still held against its signed digest"
                     : "by CURVE");
    event_attr(&event, "bulk", slice_of(bulk_words.word[bulk]));
    event_write(tx, &event);
    tx->agents_changed = true;
    return true;
}

/* Of any point: whether that is another one. What stands there keeps the modes that it has. */
static bool
set_read_only(tx_t *tx, const point_t *point, uint32_t choice)
{
    bool read_only = choice == CHOICE_YES;
    if (choice == CHOICE_NONE || read_only == point->read_only) {
        return false;
    }
    RUN(tx, SQL_POINT_READ_ONLY, v_int(point->row), v_int(read_only));
    event_draft_t event;
    event_begin(&event, "distribution_manager", STATUS_READ_ONLY_SET);
    event.dp = slice_of(point->name);
    event_text(&event, "from now on versions are placed at %s with the modes of their source%s",
               point->name, read_only ? ", less the right to write" : "");
    event_attr(&event, "read-only", slice_of(choice_words.word[choice]));
    event_write(tx, &event);
    return true;
}

void
handle_dp_set(tx_t *tx, const dp_set_t *m)
{
    point_t point;
    if (!point_need(tx, "set", record_slice(m, m->name), &point)) {
        return;
    }
    bool paces = m->rate != RECORD_NONE || m->link.size > 0;
    bool changed = windows_set(tx, &point, m);
    changed |= set_read_only(tx, &point, m->read_only);
    if (!tx_ok(tx)) {
        return;
    }
    if (!paces && m->seed.size == 0 && m->bulk == BULK_NONE) {
        tx_done(tx, changed, NULL);
        return;
    }
    if (!point_is_agent(SLICE_OF(&point, root))) {
        bool seeds = !paces && m->seed.size > 0;
        tx_refuse(tx, ERR_BAD_VALUE,
                  paces   ? "a rate is of what is sent to an agent"
                  : seeds ? "nothing is sent to a directory: it needs no seed"
                          : "nothing is sent to a directory: it needs no way",
                  "cannot %s '%s': it is a directory of this machine",
                  paces   ? "pace"
                  : seeds ? "seed"
                          : "set",
                  point.name);
        return;
    }
    point_t after = point;
    after.rate = m->rate != RECORD_NONE ? m->rate : point.rate;
    if (!choose_link(tx, record_slice(m, m->link), after.link)) {
        return;
    }
    if (strcmp(after.link, point.link) != 0 || after.rate != point.rate) {
        changed = true;
        RUN(tx, SQL_POINT_RATE, v_int(point.row), after.rate > 0 ? v_u64(after.rate) : v_null(),
            v_maybe(slice_of(after.link)));
        note(tx, point.name, "point", point.name, after.rate);
    }
    changed |= set_seed(tx, &point, record_slice(m, m->seed));
    changed |= set_bulk(tx, &point, m->bulk);
    tx_done(tx, changed, NULL);
}
