/* alarm_manager.c - says when something is stuck, absent, late or full, and when that has ended.
 *
 *   hears    the notes of the runtime: actor_stalled, actor_trouble, actor_settled.
 *   tells    site_database `note_event`: STATUS_ALARM_RAISED and STATUS_ALARM_CLEARED with the
 *            alarm's name in attrs, and what the notes say of messages set aside and handlers
 *            stalled.
 *   asks     every LOOK_MS the despooler `backlog_query` and site_database `alarm_query`.
 *   keeps    the alarms that are raised, at most ALARMS_MAX.
 *   survives nothing: what still holds is raised again by the next look.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "actors/alarms.h"
#include "proto/status.h"
#include "runtime/actor.h"
#include "runtime/notes.h"

#define LOOK_MS 5000u
#define ASK_MS  4000u /* less than LOOK_MS: one look at a time */

#define EDGES(E)                                                                                   \
    E(ASK, despooler, backlog_query)                                                               \
    E(ASK, site_database, alarm_query)                                                             \
    E(TELL, site_database, note_event)
ACTOR_EDGES(EDGES)

enum { TIMER_LOOK = 1 };

typedef struct alarm_manager {
    uint64_t unasked;    /* asks that were refused at once */
    uint64_t untold;     /* notes that the database did not take */
    uint32_t backlog_ms; /* an entry older than this raises the alarm */
    alarms_t alarms;
} alarm_manager_t;

HEARS(alarm_manager_t, actor_stalled)
HEARS(alarm_manager_t, actor_trouble)
HEARS(alarm_manager_t, actor_settled)
THEN(alarm_manager_t, backlog_answer)
THEN(alarm_manager_t, facts_answer)

static const actor_hears_t actor_hears[] = {ON(actor_stalled), ON(actor_trouble),
                                            ON(actor_settled)};

/* ---- telling ---- */

static void
put_attr(actor_ctx_t *ctx, rows_t attrs, uint32_t at, const char *name, slice_t value)
{
    pair_t *pair = draft_row(actor_draft_open(ctx), attrs, at, sizeof(pair_t));
    pair->name = actor_text(ctx, slice_of(name));
    pair->value = actor_text(ctx, value);
}

/* about is an alarm's name, "absent:berlin" or "backlog", else the name of an actor. */
static verdict_t
note(actor_ctx_t *ctx, uint32_t id, const char *about, const char *text)
{
    note_event_t *event = DRAFT(ctx, note_event);
    bool is_alarm = id == STATUS_ALARM_RAISED || id == STATUS_ALARM_CLEARED;
    const char *colon = is_alarm ? strchr(about, ':') : NULL;
    slice_t kind = {about, colon != NULL ? (size_t) (colon - about) : strlen(about)};
    bool of_point = colon != NULL &&
                    (slice_equal(kind, slice_of("absent")) || slice_equal(kind, slice_of("space")));
    event->component = actor_text(ctx, slice_of("alarm_manager"));
    event->id = id;
    event->severity = status_severity(id);
    event->text = actor_text(ctx, slice_of(text));
    event->dp = of_point ? actor_text(ctx, slice_of(colon + 1)) : (text_t){0, 0};
    event->attrs = draft_rows(actor_draft_open(ctx), colon != NULL ? 2 : 1, sizeof(pair_t));
    put_attr(ctx, event->attrs, 0, is_alarm ? "alarm" : "actor", kind);
    if (colon != NULL) {
        put_attr(ctx, event->attrs, 1, "of", slice_of(colon + 1));
    }
    return tell_site_database_note_event(ctx, event);
}

/* Tells what is untold, as far as the database takes it. */
static actor_next_t
tell_untold(actor_ctx_t *ctx, alarm_manager_t *self)
{
    alarm_t *alarm = NULL;
    while ((alarm = alarms_untold(&self->alarms, alarm)) != NULL) {
        uint32_t id = alarm->raised ? STATUS_ALARM_RAISED : STATUS_ALARM_CLEARED;
        char text[ALARM_TEXT_BYTES + 16];
        snprintf(text, sizeof text, "%s%s", alarm->raised ? "" : "ended: ", alarm->text);
        if (note(ctx, id, alarm->name, text) != VERDICT_OK) {
            break;
        }
        alarms_told(&self->alarms, alarm);
    }
    return ACTOR_CONTINUE;
}

/* ---- what is looked at ---- */

static actor_next_t
backlog_answer(actor_ctx_t *ctx, alarm_manager_t *self, const actor_answer_t *answer)
{
    const backlog_t *backlog = ANSWER_AS(answer, backlog);
    if (backlog != NULL) {
        alarms_of_backlog(&self->alarms, backlog, self->backlog_ms);
    }
    return tell_untold(ctx, self);
}

static actor_next_t
facts_answer(actor_ctx_t *ctx, alarm_manager_t *self, const actor_answer_t *answer)
{
    const alarm_facts_t *facts = ANSWER_AS(answer, alarm_facts);
    if (facts != NULL) {
        alarms_of_site(&self->alarms, facts);
    }
    return tell_untold(ctx, self);
}

/* Who does not answer is named by the notes of the runtime, so a refused ask is no news. */
static actor_next_t
look(actor_ctx_t *ctx, alarm_manager_t *self)
{
    verdict_t asked[] = {
        ask_despooler_backlog_query(ctx, DRAFT(ctx, backlog_query), ASK_MS, backlog_answer_then, 0),
        ask_site_database_alarm_query(ctx, DRAFT(ctx, alarm_query), ASK_MS, facts_answer_then, 0),
    };
    self->unasked += asked[0] != VERDICT_OK;
    self->unasked += asked[1] != VERDICT_OK;
    claim(ctx, actor_timer(ctx, TIMER_LOOK, LOOK_MS) == VERDICT_OK);
    return ACTOR_CONTINUE;
}

/* ---- what the runtime notes ---- */

static void
name_of(char *ret_name, const char *kind, slice_t actor)
{
    snprintf(ret_name, ALARM_NAME_BYTES, "%s:%.*s", kind, (int) actor.size, actor.data);
}

static actor_next_t
on_actor_stalled(actor_ctx_t *ctx, alarm_manager_t *self, const actor_stalled_t *m)
{
    char name[ALARM_NAME_BYTES], text[ALARM_TEXT_BYTES];
    slice_t actor = record_slice(m, m->actor), message = record_slice(m, m->message);
    name_of(name, "stalled", actor);
    snprintf(text, sizeof text, "'%.*s' has been handling '%.*s' for %" PRIu64 " ms",
             (int) actor.size, actor.data, (int) message.size, message.data, m->running_ms);
    if (m->over) {
        alarms_clear(&self->alarms, ALARM_OF_STALLED, name);
    } else {
        alarms_raise(&self->alarms, ALARM_OF_STALLED, name, text);
        self->untold +=
            note(ctx, STATUS_COMPONENT_STALLED, name + strlen("stalled:"), text) != VERDICT_OK;
    }
    return tell_untold(ctx, self);
}

static actor_next_t
on_actor_trouble(actor_ctx_t *ctx, alarm_manager_t *self, const actor_trouble_t *m)
{
    char name[ALARM_NAME_BYTES], text[ALARM_TEXT_BYTES];
    slice_t actor = record_slice(m, m->actor), what = record_slice(m, m->what);
    slice_t why = record_slice(m, m->why);
    snprintf(text, sizeof text, "'%.*s' is %.*s: %.*s", (int) actor.size, actor.data,
             (int) what.size, what.data, (int) why.size, why.data);
    if (slice_equal(what, slice_of("late")) || slice_equal(what, slice_of("given-up"))) {
        name_of(name, "late", actor);
        alarms_raise(&self->alarms, ALARM_OF_LATE, name, text);
    }
    if (slice_equal(what, slice_of("job-lost"))) {
        snprintf(text, sizeof text, "a thread of '%.*s' is lost: %.*s", (int) actor.size,
                 actor.data, (int) why.size, why.data);
        name_of(name, "lost", actor);
        alarms_raise(&self->alarms, ALARM_OF_LOST, name, text);
    } else if (slice_equal(what, slice_of("job-back"))) {
        name_of(name, "lost", actor);
        alarms_clear(&self->alarms, ALARM_OF_LOST, name);
    }
    if (slice_equal(what, slice_of("quarantined"))) {
        char of[ALARM_NAME_BYTES];
        snprintf(of, sizeof of, "%.*s", (int) actor.size, actor.data);
        self->untold += note(ctx, STATUS_QUARANTINED, of, text) != VERDICT_OK;
    }
    return tell_untold(ctx, self);
}

static actor_next_t
on_actor_settled(actor_ctx_t *ctx, alarm_manager_t *self, const actor_settled_t *m)
{
    if (m->ready) {
        alarms_look(&self->alarms, ALARM_OF_LATE);
        alarms_looked(&self->alarms, ALARM_OF_LATE);
    }
    return tell_untold(ctx, self);
}

/* ---- life ---- */

static actor_next_t
alarm_manager_init(actor_ctx_t *ctx, void *state, const void *args)
{
    alarm_manager_t *self = state;
    const site_args_t *site = args;
    self->backlog_ms =
        site != NULL && site->backlog_alarm_ms > 0 ? site->backlog_alarm_ms : BACKLOG_ALARM_MS;
    claim(ctx, actor_timer(ctx, TIMER_LOOK, LOOK_MS) == VERDICT_OK);
    return ACTOR_CONTINUE;
}

static actor_next_t
alarm_manager_on_timer(actor_ctx_t *ctx, void *state, uint64_t key)
{
    claim(ctx, key == TIMER_LOOK);
    return look(ctx, state);
}

static void
alarm_manager_describe(const void *state, char *text, size_t size)
{
    const alarm_manager_t *self = state;
    snprintf(text, size, "alarms raised: %u, asks refused: %" PRIu64 ", notes untold: %" PRIu64,
             alarms_raised(&self->alarms), self->unasked, self->untold);
}

const actor_class_t alarm_manager_class = {
    .name = "alarm_manager",
    .state_bytes = sizeof(alarm_manager_t),
    .init = alarm_manager_init,
    .on_timer = alarm_manager_on_timer,
    .describe = alarm_manager_describe,
    ACTOR_LIST(hears),
    .edges = actor_edges,
    .edge_count = ACTOR_EDGE_COUNT,
    .role = true,
};
