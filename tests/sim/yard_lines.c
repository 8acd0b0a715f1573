/* yard_lines.c - connections of a site and its agents: frames, delays, handshakes; see yard.h. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "tests/sim/yard.h"

#define AGAIN_NS INT64_C(5000000) /* after a side had no room */

struct flight {
    flight_t *next;
    int64_t ready_ns;
    size_t size;
    uint8_t bytes[];
};

void
lines_free(line_t *line)
{
    while (line->first) {
        flight_t *flight = line->first;
        line->first = flight->next;
        free(flight);
    }
    line->last = NULL;
}

static void
put(far_t *far, line_t *line, int64_t now_ns, const frame_t *frame)
{
    int64_t ready_ns = now_ns + (int64_t) yard_drawn(far->yard, DELAY_NS);
    flight_t *flight = malloc(sizeof *flight + frame->size);

    assert(flight);
    if (line->last && line->last->ready_ns > ready_ns) {
        ready_ns = line->last->ready_ns;
    }
    *flight = (flight_t){NULL, ready_ns, frame->size};
    memcpy(flight->bytes, frame->bytes, frame->size);
    if (line->last) {
        line->last->next = flight;
    } else {
        line->first = flight;
    }
    line->last = flight;
    far->yard->frames++;
}

typedef bool look_fn(far_t *far, frame_t *frame);

static void
send_frame(far_t *far, line_t *line, int64_t now_ns, slice_t body, look_fn *look)
{
    frame_t frame = {malloc(body.size + 1), body.size, false};

    assert(frame.bytes);
    memcpy(frame.bytes, body.data, body.size);
    bool leaves = look(far, &frame) && !far->dead;
    for (int i = 0; leaves && i < (frame.twice ? 2 : 1); i++) {
        put(far, line, now_ns, &frame);
    }
    free(frame.bytes);
}

static slice_t
name_of(const uint64_t *connection)
{
    return (slice_t){(const char *) connection, sizeof *connection};
}

static uint64_t
connection_of(slice_t peer)
{
    uint64_t connection = 0;

    if (peer.size == sizeof connection) {
        memcpy(&connection, peer.data, sizeof connection);
    }
    return connection;
}

static far_t *
far_of(yard_t *yard, slice_t peer)
{
    uint64_t connection = connection_of(peer);

    for (uint32_t i = 0; connection > 0 && i < yard->count; i++) {
        if (yard->far[i].connection == connection) {
            return &yard->far[i];
        }
    }
    return NULL;
}

/* ---- what the ends say ---- */

void
lines_sent_by_site(void *context, bool dial, slice_t peer, slice_t body)
{
    yard_t *yard = context;
    far_t *far = far_of(yard, peer);

    assert(!dial);
    if (far && far->open) {
        send_frame(far, &far->down, sim_now_ns(stage_sim(yard->stage)), body, frames_down);
    } else if (peer.size == sizeof yard->gone[0] &&
               yard->gone_count < sizeof yard->gone / sizeof yard->gone[0]) {
        memcpy(&yard->gone[yard->gone_count++], peer.data, sizeof yard->gone[0]);
    }
}

static void
begin(far_t *far, int64_t now_ns)
{
    far->connection = ++far->yard->connections;
    far->open = far->dead = false;
    far->knock_ns = now_ns + (int64_t) yard_drawn(far->yard, DELAY_NS);
    lines_free(&far->down);
}

void
lines_sent_by_far(void *context, bool dial, slice_t peer, slice_t body)
{
    far_t *far = context;
    int64_t now_ns = sim_now_ns(far->sim);

    assert(dial || peer.size == 0);
    if (dial) {
        begin(far, now_ns);
        lines_free(&far->up);
    }
    if (body.size > 0) {
        send_frame(far, &far->up, now_ns, body, frames_up);
    }
}

/* ---- the plain ones ---- */

void
lines_plain_by_site(void *context, bool dial, slice_t peer, slice_t body)
{
    yard_t *yard = context;
    uint64_t connection = connection_of(peer);

    assert(!dial && connection > 0);
    for (uint32_t i = 0; i < yard->count; i++) {
        far_t *far = &yard->far[i];
        if (far->plain == connection) {
            send_frame(far, &far->plain_down, sim_now_ns(stage_sim(yard->stage)), body,
                       frames_plain_down);
            return;
        }
        if (far->stranger == connection) {
            stage_note_fault(yard->stage, "plain: who says the ticket of '%s' again is told more",
                             far->name);
        }
    }
    if (yard->plain_gone_count < sizeof yard->plain_gone / sizeof yard->plain_gone[0]) {
        yard->plain_gone[yard->plain_gone_count++] = connection;
    }
}

void
lines_plain_by_far(void *context, bool dial, slice_t peer, slice_t body)
{
    far_t *far = context;

    assert(dial || peer.size == 0);
    if (dial || body.size == 0) {
        yard_end_plain(far);
    }
    if (dial) {
        far->plain = ++far->yard->connections;
    }
    if (far->plain > 0 && body.size > 0) {
        send_frame(far, &far->plain_up, sim_now_ns(far->sim), body, frames_plain_up);
    }
}

/* What was under way is lost; what is said from now on goes by a new connection. */
void
lines_drop(far_t *far)
{
    lines_free(&far->up);
    begin(far, sim_now_ns(stage_sim(far->yard->stage)) + REDIAL_NS);
}

void
lines_knocked(void *context, uint64_t tag, bool open)
{
    yard_t *yard = context;
    far_t *far = far_of(yard, name_of(&tag));
    int64_t now_ns = sim_now_ns(stage_sim(yard->stage));

    if (far) {
        far->open = open;
        far->knock_ns = open ? NEVER_NS : now_ns + REDIAL_NS;
    }
}

/* ---- time ---- */

/* A sync is left out at agents alone: site_sim does it at sites. */
static void
run_machine(const yard_t *yard, sim_t *sim, int64_t ns)
{
#ifdef DESPOOL_SYNC_MUTANTS
    sync_mutant = sim == stage_sim(yard->stage) ? SYNC_NONE : yard->without;
#else
    assert(yard->without == SYNC_NONE);
#endif
    sim_run_for(sim, ns, 1);
}

static void
pass_to(yard_t *yard, sim_t *sim, int64_t now_ns)
{
    if (sim_now_ns(sim) < now_ns) {
        run_machine(yard, sim, now_ns - sim_now_ns(sim));
    }
}

static void
take_first(line_t *line)
{
    flight_t *flight = line->first;

    line->first = flight->next;
    line->last = line->first ? line->last : NULL;
    free(flight);
}

static void
arrive(far_t *far, line_t *line, bool at_site)
{
    flight_t *flight = line->first;
    sim_t *sim = at_site ? stage_sim(far->yard->stage) : far->sim;
    slice_t body = {(const char *) flight->bytes, flight->size};
    int64_t now_ns = flight->ready_ns;

    pass_to(far->yard, sim, now_ns);
    sim_came_t came = sim_peer_came(sim, at_site ? name_of(&far->connection) : slice_of(""),
                                    slice_of(at_site ? far->user : ""), body);
    if (came == SIM_CAME_LATER) {
        flight->ready_ns = now_ns + AGAIN_NS;
    } else {
        take_first(line);
    }
}

static void
arrive_plain(far_t *far, line_t *line, bool at_site)
{
    flight_t *flight = line->first;
    sim_t *sim = at_site ? stage_sim(far->yard->stage) : far->sim;
    slice_t body = {(const char *) flight->bytes, flight->size};
    int64_t now_ns = flight->ready_ns;

    pass_to(far->yard, sim, now_ns);
    if (line->first != flight) {
        return; /* it was ended meanwhile */
    }
    sim_came_t came = at_site ? sim_plain_came(sim, name_of(&far->plain), body)
                              : sim_plain_came(sim, slice_of(""), body);
    if (came == SIM_CAME_LATER) {
        flight->ready_ns = now_ns + AGAIN_NS;
        return;
    }
    if (at_site && came == SIM_CAME && far->yard->between) {
        yard_repeat_ticket(far, body);
    }
    take_first(line);
}

static void
knock(far_t *far)
{
    sim_t *site = stage_sim(far->yard->stage);
    slice_t key = {(const char *) far->keys.transport_key.byte, 32};

    pass_to(far->yard, site, far->knock_ns);
    bool asked = !far->apart && sim_peer_knock(site, key, far->connection);
    far->knock_ns = asked ? NEVER_NS : far->knock_ns + REDIAL_NS;
}

typedef enum what {
    WHAT_SITE,
    WHAT_FAR,
    WHAT_UP,
    WHAT_DOWN,
    WHAT_PLAIN_UP,
    WHAT_PLAIN_DOWN,
    WHAT_KNOCK
} what_t;
typedef struct next {
    int64_t due_ns;
    what_t what;
    far_t *far;
} next_t;

static void
sooner(next_t *next, int64_t due_ns, what_t what, far_t *far)
{
    if (due_ns < next->due_ns) {
        *next = (next_t){due_ns, what, far};
    }
}

static void
sooner_on(next_t *next, const line_t *line, what_t what, far_t *far)
{
    if (line->first) {
        sooner(next, line->first->ready_ns, what, far);
    }
}

static next_t
next_of(yard_t *yard)
{
    next_t next = {yard->site_due_ns, WHAT_SITE, NULL};

    for (uint32_t i = 0; i < yard->count; i++) {
        far_t *far = &yard->far[i];
        if (!far->started) {
            continue;
        }
        sooner(&next, far->due_ns, WHAT_FAR, far);
        sooner(&next, far->knock_ns, WHAT_KNOCK, far);
        if (far->open && !far->apart) {
            sooner_on(&next, &far->up, WHAT_UP, far);
            sooner_on(&next, &far->down, WHAT_DOWN, far);
        }
        if (!far->apart) {
            sooner_on(&next, &far->plain_up, WHAT_PLAIN_UP, far);
            sooner_on(&next, &far->plain_down, WHAT_PLAIN_DOWN, far);
        }
    }
    return next;
}

static void
tell_gone(yard_t *yard)
{
    while (yard->gone_count > 0) {
        (void) sim_peer_gone(stage_sim(yard->stage), name_of(&yard->gone[--yard->gone_count]));
        yard->site_due_ns = sim_now_ns(stage_sim(yard->stage));
    }
    while (yard->plain_gone_count > 0) {
        (void) sim_plain_gone(stage_sim(yard->stage),
                              name_of(&yard->plain_gone[--yard->plain_gone_count]));
        yard->site_due_ns = sim_now_ns(stage_sim(yard->stage));
    }
}

static void
go_on(yard_t *yard, sim_t *sim, int64_t due_ns)
{
    run_machine(yard, sim, due_ns > sim_now_ns(sim) ? due_ns - sim_now_ns(sim) : 1);
}

static void
far_goes_on(far_t *far, int64_t due_ns)
{
    go_on(far->yard, far->sim, due_ns);
    if (world_sim_is_cut(sim_world(far->sim))) {
        far_cut(far);
    } else if (sim_wants_stop(far->sim)) {
        far_ended(far);
    }
}

static void
do_next(yard_t *yard, next_t next)
{
    switch (next.what) {
    case WHAT_SITE:
        go_on(yard, stage_sim(yard->stage), next.due_ns);
        break;
    case WHAT_FAR:
        far_goes_on(next.far, next.due_ns);
        break;
    case WHAT_UP:
        next.far->up.first->ready_ns = next.due_ns;
        arrive(next.far, &next.far->up, true);
        break;
    case WHAT_DOWN:
        next.far->down.first->ready_ns = next.due_ns;
        arrive(next.far, &next.far->down, false);
        break;
    case WHAT_PLAIN_UP:
        next.far->plain_up.first->ready_ns = next.due_ns;
        arrive_plain(next.far, &next.far->plain_up, true);
        break;
    case WHAT_PLAIN_DOWN:
        next.far->plain_down.first->ready_ns = next.due_ns;
        arrive_plain(next.far, &next.far->plain_down, false);
        break;
    default:
        next.far->knock_ns = next.due_ns;
        knock(next.far);
        break;
    }
}

/* One thing: of a machine, or on a line, whose time comes first. What waited for a line to be
 * together again is late, and comes now. */
void
lines_step(void *context, int64_t until_ns)
{
    yard_t *yard = context;
    sim_t *site = stage_sim(yard->stage);
    tell_gone(yard);
    next_t next = next_of(yard);
    int64_t now_ns = sim_now_ns(site);

    if (next.due_ns >= until_ns) {
        pass_to(yard, site, until_ns);
        yard->site_due_ns = sim_due_ns(site);
        return;
    }
    yard->steps++;
    next.due_ns = next.due_ns < now_ns && next.what != WHAT_FAR ? now_ns : next.due_ns;
    do_next(yard, next);
    if (next.far) {
        next.far->due_ns = sim_due_ns(next.far->sim);
    }
    if (next.what != WHAT_FAR && next.what != WHAT_DOWN && next.what != WHAT_PLAIN_DOWN) {
        yard->site_due_ns = sim_due_ns(site);
    }
}
