/* status_manager.c - publishes committed status messages, in order.
 *
 *   hears    events_committed{last}: rows up to last are durable; progress: bytes placed so
 *            far.
 *   tells    status_link `link_publish`: topic "status" for each row, topic "progress" at most
 *            once for each target and second (latest only: what comes sooner is dropped).
 *   asks     site_database `site_open` before it is ready, and `events_after`, at most
 *            EVENTS_BATCH at a time, one ask open.
 *   keeps    up to where was published, up to where is committed, when each target's progress
 *            went out.
 *   survives nothing is lost: after a restart it goes on from what the database knows as
 *            published; what was published since then is published again, with the same
 *            sequence numbers.
 */
#include <stdio.h>

#include "proto/messages.h"
#include "proto/wire.h"
#include "runtime/actor.h"
#include "runtime/notes.h"

#define EVENTS_BATCH      256u /* events in one ask */
#define FULL_RETRY_MS     50u  /* before more is told to a link whose lane is full */
#define ASK_RETRY_MS      200u
#define TELL_PUBLISHED_MS 1000u /* after the last message, the database is told how far we came */
#define PROGRESS_PLACES   SLOTS_MAX
#define PROGRESS_NS       1000000000ll
#define OPEN_MS           86400000u

#define EDGES(E)                                                                                   \
    E(NEED, site_database, site_open)                                                              \
    E(ASK, site_database, site_open)                                                               \
    E(ASK, site_database, events_after)                                                            \
    E(TELL, status_link, link_publish)
ACTOR_EDGES(EDGES)

enum { TIMER_OPEN = 1, TIMER_MORE, TIMER_TELL };

typedef struct progress_place {
    uint64_t target;
    int64_t sent_ns;
} progress_place_t;

typedef struct status_manager {
    bool opened, asking;
    uint64_t published; /* the link has taken everything up to here */
    uint64_t told;      /* the database knows that everything up to here was published */
    uint64_t committed;
    progress_place_t progress[PROGRESS_PLACES];
} status_manager_t;

HEARS(status_manager_t, events_committed)
HEARS(status_manager_t, progress)
THEN(status_manager_t, site_is_open)
THEN(status_manager_t, events_came)

static const actor_hears_t actor_hears[] = {ON(events_committed), ON(progress)};

/* One record as the body of a published message. */
static verdict_t
publish(actor_ctx_t *ctx, const char *topic, const record_type_t *type, const void *whole,
        const void *part)
{
    wire_writer_t writer;
    link_publish_t *message = DRAFT(ctx, link_publish);
    message->topic = actor_text(ctx, slice_of(topic));
    draft_t *draft = actor_draft_open(ctx);
    wire_writer_over(&writer, draft->base + draft->size, draft->capacity - draft->size);
    if (record_encode_part(type, whole, part, &writer) != OK || writer.full) {
        return VERDICT_TOO_LARGE;
    }
    message->body = (bytes_t){draft->size, (uint32_t) writer.size};
    draft->size += (uint32_t) writer.size;
    return tell_status_link_link_publish(ctx, message);
}

/* ---- committed events ---- */

static actor_next_t
ask_events(actor_ctx_t *ctx, status_manager_t *self)
{
    if (self->asking || !self->opened) {
        return ACTOR_CONTINUE;
    }
    events_after_t *after = DRAFT(ctx, events_after);
    after->since = self->published;
    after->count = EVENTS_BATCH;
    after->published = self->published;
    verdict_t verdict = ask_site_database_events_after(ctx, after, ASK_DEADLINE_MS,
                                                       events_came_then, self->published);
    self->asking = verdict == VERDICT_OK;
    if (!self->asking) {
        claim(ctx, actor_timer(ctx, TIMER_MORE, ASK_RETRY_MS) == VERDICT_OK);
    }
    return ACTOR_CONTINUE;
}

static actor_next_t
on_events_committed(actor_ctx_t *ctx, status_manager_t *self, const events_committed_t *m)
{
    self->committed = m->last > self->committed ? m->last : self->committed;
    return self->committed > self->published ? ask_events(ctx, self) : ACTOR_CONTINUE;
}

/* Publishes in order until the link is full; what is left is asked for again. */
static bool
publish_events(actor_ctx_t *ctx, status_manager_t *self, const events_t *events)
{
    for (uint32_t i = 0; i < events->events.count; i++) {
        const event_t *event = ROW(events, events->events, i, event_t);
        if (event->seq <= self->published) {
            continue;
        }
        verdict_t verdict = publish(ctx, "status", &event_type, events, event);
        if (verdict == VERDICT_FULL || verdict == VERDICT_DOWN) {
            return false;
        }
        self->published = event->seq;
    }
    return true;
}

static actor_next_t
events_came(actor_ctx_t *ctx, status_manager_t *self, const actor_answer_t *answer)
{
    const events_t *events = ANSWER_AS(answer, events);
    self->asking = false;
    if (events == NULL) {
        claim(ctx, actor_timer(ctx, TIMER_MORE, ASK_RETRY_MS) == VERDICT_OK);
        return ACTOR_CONTINUE;
    }
    self->told = answer->tag;
    self->committed = events->last > self->committed ? events->last : self->committed;
    if (!publish_events(ctx, self, events)) {
        claim(ctx, actor_timer(ctx, TIMER_MORE, FULL_RETRY_MS) == VERDICT_OK);
        return ACTOR_CONTINUE;
    }
    if (events->events.count == 0 && self->published < self->committed) {
        self->published = self->committed; /* what is no longer kept cannot be published */
    }
    if (self->published < self->committed) {
        return ask_events(ctx, self);
    }
    if (self->told < self->published) {
        claim(ctx, actor_timer(ctx, TIMER_TELL, TELL_PUBLISHED_MS) == VERDICT_OK);
    }
    return ACTOR_CONTINUE;
}

/* ---- progress ---- */

/* The place of a target: its own, else that which was used longest ago. */
static progress_place_t *
place_of(status_manager_t *self, uint64_t target)
{
    progress_place_t *oldest = &self->progress[0];
    for (uint32_t i = 0; i < PROGRESS_PLACES; i++) {
        progress_place_t *place = &self->progress[i];
        if (place->target == target) {
            return place;
        }
        if (place->sent_ns < oldest->sent_ns) {
            oldest = place;
        }
    }
    return oldest;
}

static actor_next_t
on_progress(actor_ctx_t *ctx, status_manager_t *self, const progress_t *m)
{
    progress_place_t *place = place_of(self, m->target);
    int64_t now = actor_now_ns(ctx);
    if (place->target == m->target && place->sent_ns != 0 && now - place->sent_ns < PROGRESS_NS) {
        return ACTOR_CONTINUE;
    }
    if (publish(ctx, "progress", &progress_type, m, m) == VERDICT_OK) {
        *place = (progress_place_t){m->target, now};
    }
    return ACTOR_CONTINUE;
}

/* ---- life ---- */

static actor_next_t
ask_open(actor_ctx_t *ctx)
{
    site_open_t *open = DRAFT(ctx, site_open);
    open->asker = actor_text(ctx, slice_of("status_manager"));
    if (ask_site_database_site_open(ctx, open, OPEN_MS, site_is_open_then, 0) != VERDICT_OK) {
        claim(ctx, actor_timer(ctx, TIMER_OPEN, ASK_RETRY_MS) == VERDICT_OK);
    }
    return ACTOR_CONTINUE;
}

static actor_next_t
site_is_open(actor_ctx_t *ctx, status_manager_t *self, const actor_answer_t *answer)
{
    const site_opened_t *site = ANSWER_AS(answer, site_opened);
    if (site == NULL) {
        claim(ctx, actor_timer(ctx, TIMER_OPEN, ASK_RETRY_MS) == VERDICT_OK);
        return ACTOR_CONTINUE;
    }
    self->opened = true;
    self->published = site->published;
    self->told = site->published;
    self->committed = site->last_event > self->committed ? site->last_event : self->committed;
    actor_ready(ctx);
    return self->committed > self->published ? ask_events(ctx, self) : ACTOR_CONTINUE;
}

static actor_next_t
status_manager_init(actor_ctx_t *ctx, void *state, const void *args)
{
    (void) state;
    (void) args;
    return ask_open(ctx);
}

static actor_next_t
status_manager_on_timer(actor_ctx_t *ctx, void *state, uint64_t key)
{
    status_manager_t *self = state;
    if (key == TIMER_OPEN) {
        return ask_open(ctx);
    }
    return self->published < self->committed || self->told < self->published ? ask_events(ctx, self)
                                                                             : ACTOR_CONTINUE;
}

static void
status_manager_describe(const void *state, char *text, size_t size)
{
    const status_manager_t *self = state;
    snprintf(text, size, "published up to: %llu", (unsigned long long) self->published);
}

const actor_class_t status_manager_class = {
    .name = "status_manager",
    .state_bytes = sizeof(status_manager_t),
    .init = status_manager_init,
    .on_timer = status_manager_on_timer,
    ACTOR_LIST(hears),
    .edges = actor_edges,
    .edge_count = ACTOR_EDGE_COUNT,
    .describe = status_manager_describe,
    .role = true,
    .starts_later = true,
};
