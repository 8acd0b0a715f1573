/* executive_view.c - see executive_view.h. */
#include "actors/executive_view.h"

#include <stdlib.h>

static const component_state_t state_of[] = {
    [ACTOR_STARTING] = COMPONENT_STARTING,       [ACTOR_READY] = COMPONENT_READY,
    [ACTOR_DEGRADED] = COMPONENT_DEGRADED,       [ACTOR_PAUSED] = COMPONENT_PAUSED,
    [ACTOR_STOPPING] = COMPONENT_STOPPING,       [ACTOR_STOPPED] = COMPONENT_STOPPED,
    [ACTOR_BACKING_OFF] = COMPONENT_BACKING_OFF,
};

/* The figures of one actor; false when it is gone. */
static bool
figures_of(const actor_ctx_t *ctx, actor_ref_t who, actor_figures_t *ret)
{
    uint32_t next = who.index;

    return who.index != 0 && actor_watch(ctx, who.index, ret, 1, &next) == 1 &&
           ret->who.index == who.index;
}

static text_t
text_or_absent(actor_ctx_t *ctx, const char *text)
{
    return text[0] ? actor_text(ctx, slice_of(text)) : (text_t){0, 0};
}

static uint64_t
ms_of(int64_t ns)
{
    return ns > 0 ? (uint64_t) ns / 1000000u : 0;
}

static component_row_t
row_of(actor_ctx_t *ctx, const component_view_t *view)
{
    actor_figures_t f = {0};
    component_row_t row = {.name = actor_text(ctx, slice_of(view->name)),
                           .state = COMPONENT_STOPPED,
                           .requested = actor_text(ctx, slice_of(view->requested))};

    if (!figures_of(ctx, view->who, &f)) {
        return row;
    }
    row.state = f.state == ACTOR_STARTING && view->late ? COMPONENT_LATE : state_of[f.state];
    row.worker = text_or_absent(ctx, f.worker);
    for (uint32_t lane = 0; lane < LANE_COUNT; lane++) {
        row.waiting += f.depth[lane];
    }
    row.waiting_system = f.depth[LANE_SYSTEM];
    row.waiting_reply = f.depth[LANE_REPLY];
    row.waiting_urgent = f.depth[LANE_URGENT];
    row.waiting_normal = f.depth[LANE_NORMAL];
    row.oldest_ms = ms_of(f.oldest_age_ns);
    row.handling = text_or_absent(ctx, f.handling);
    row.handling_ms = ms_of(f.handling_since_ns);
    row.handled = f.handled;
    row.asks_open = f.asks_open;
    row.jobs_open = f.jobs_open;
    row.timers = f.timers;
    row.restarts = f.restarts;
    row.waits_for = text_or_absent(ctx, f.waits_for);
    row.why = text_or_absent(ctx, f.why);
    row.describes = text_or_absent(ctx, f.describes);
    return row;
}

static void
put_pair(actor_ctx_t *ctx, rows_t pairs, uint32_t which, const char *name, uint64_t value)
{
    text_t text = actor_text(ctx, slice_of(name));
    text_t number = actor_textf(ctx, "%llu", (unsigned long long) value);
    pair_t *pair = draft_row(actor_draft_open(ctx), pairs, which, sizeof(pair_t));

    if (pair) {
        *pair = (pair_t){text, number};
    }
}

static rows_t
host_pairs(actor_ctx_t *ctx)
{
    host_figures_t h = {0};

    actor_host_figures(ctx, &h);
    const struct {
        const char *name;
        uint64_t value;
    } figures[] = {
        {"actors", h.actors},
        {"actors_max", h.actors_max},
        {"workers", h.workers},
        {"threads", h.threads},
        {"threads_max", h.threads_max},
        {"job_threads", h.job_threads},
        {"job_threads_lost", h.job_threads_lost},
        {"job_threads_max", h.job_threads_max},
        {"jobs_queued", h.jobs_queued},
        {"sockets", h.sockets},
        {"sockets_max", h.sockets_max},
        {"descriptors", h.descriptors},
        {"descriptors_max", h.descriptors_max},
        {"quarantined", h.quarantined},
        {"late_replies", h.late_replies},
        {"delivered", h.delivered},
        {"up_ms", ms_of(h.up_ns)},
        {"handler_longest_us", (uint64_t) h.longest_ns / 1000u},
    };
    uint32_t count = sizeof figures / sizeof figures[0];
    rows_t pairs = draft_rows(actor_draft_open(ctx), count, sizeof(pair_t));
    for (uint32_t i = 0; i < count; i++) {
        put_pair(ctx, pairs, i, figures[i].name, figures[i].value);
    }
    return pairs;
}

const components_t *
view_components(actor_ctx_t *ctx, const component_view_t *view, uint32_t count)
{
    components_t *m = DRAFT(ctx, components);

    m->components = draft_rows(actor_draft_open(ctx), count, sizeof(component_row_t));
    for (uint32_t i = 0; i < count; i++) {
        component_row_t row = row_of(ctx, &view[i]);
        component_row_t *into =
            draft_row(actor_draft_open(ctx), m->components, i, sizeof(component_row_t));
        if (into) {
            *into = row;
        }
    }
    m->host = host_pairs(ctx);
    return m;
}

const component_shown_t *
view_component(actor_ctx_t *ctx, const component_view_t *view)
{
    component_shown_t *m = DRAFT(ctx, component_shown);

    m->component = draft_rows(actor_draft_open(ctx), 1, sizeof(component_row_t));
    component_row_t row = row_of(ctx, view);
    component_row_t *into =
        draft_row(actor_draft_open(ctx), m->component, 0, sizeof(component_row_t));
    if (into) {
        *into = row;
    }
    return m;
}

static void
put_quarantined(actor_ctx_t *ctx, rows_t rows, uint32_t which, const quarantined_t *q)
{
    quarantine_row_t row = {.number = q->number,
                            .actor = actor_text(ctx, slice_of(q->actor)),
                            .message = actor_text(ctx, slice_of(q->message)),
                            .reason = actor_text(ctx, slice_of(q->reason)),
                            .attempts = q->attempts,
                            .since = q->wall_ns,
                            .shown = actor_text(ctx, slice_of(q->shown))};
    quarantine_row_t *into = draft_row(actor_draft_open(ctx), rows, which, sizeof row);

    if (into) {
        *into = row;
    }
}

/* Targets set aside behind the messages; returns how many rows there are then. */
static uint32_t
put_aside(draft_t *draft, rows_t rows, uint32_t count, uint64_t number, const quarantine_t *aside)
{
    for (uint32_t i = 0; aside && i < aside->messages.count; i++) {
        const quarantine_row_t *from = ROW(aside, aside->messages, i, quarantine_row_t);
        quarantine_row_t *row = draft_row(draft, rows, count, sizeof *row);
        if ((number == 0 || from->number == number) && row &&
            draft_copy(draft, &quarantine_row_type, row, aside, from) == OK) {
            count++;
        }
    }
    return count;
}

const quarantine_t *
view_quarantine(actor_ctx_t *ctx, uint64_t number, const quarantine_t *aside)
{
    quarantined_t *list = calloc(QUARANTINE_MAX, sizeof *list);
    uint32_t count = list ? actor_quarantine_list(ctx, number ? number - 1 : 0, list,
                                                  number ? 1 : QUARANTINE_MAX)
                          : 0;

    count = number && count > 0 && list[0].number != number ? 0 : count;
    quarantine_t *m = DRAFT(ctx, quarantine);
    rows_t rows = draft_rows(actor_draft_open(ctx), count + (aside ? aside->messages.count : 0),
                             sizeof(quarantine_row_t));
    for (uint32_t i = 0; i < count; i++) {
        put_quarantined(ctx, rows, i, &list[i]);
    }
    free(list);
    rows.count = put_aside(actor_draft_open(ctx), rows, count, number, aside);
    rows.at = rows.count == 0 ? 0 : rows.at;
    m->messages = rows;
    return number && rows.count == 0 ? NULL : m;
}

bool
view_is_ready(const actor_ctx_t *ctx, const component_view_t *view)
{
    actor_figures_t f = {0};

    return figures_of(ctx, view->who, &f) && (f.state == ACTOR_READY || f.state == ACTOR_DEGRADED);
}
