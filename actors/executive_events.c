/* executive_events.c - what the executive tells of components and of the stop, in the stream. */
#include "actors/executive_inside.h"
#include "proto/status.h"
#include "runtime/notes.h"

#define STOP_NOTE_MS 1000u /* that a stop waits for its event; then it goes on without */

THEN(executive_t, stop_noted)

/* ---- what is told of components ---- */

static const note_event_t *
draft_note(actor_ctx_t *ctx, status_id_t id, const char *name, const char *what)
{
    note_event_t *m = DRAFT(ctx, note_event);

    m->component = actor_text(ctx, slice_of("executive"));
    m->id = id;
    m->severity = status_severity(id);
    m->text = actor_textf(ctx, "%s%s%s", name, name[0] ? " " : "", what);
    return m;
}

/* The database may be the component in question; then the event has nowhere to go. */
void
events_note(actor_ctx_t *ctx, status_id_t id, const char *name, const char *what)
{
    answer_unheard(tell_site_database_note_event(ctx, draft_note(ctx, id, name, what)));
}

void
events_held(actor_ctx_t *ctx, const executive_t *self)
{
    for (uint32_t i = 0; i < COMPONENTS_COUNT; i++) {
        const component_t *component = &self->table.component[i];
        if (component->held) {
            events_note(
                ctx, STATUS_COMPONENT_FAILED, component->class->name,
                "ended the host again and again and stays stopped; despool component start starts"
                " it, despool blackbox tells more");
        }
    }
}

/* ---- the stop ---- */

/* The stop is durable in the stream before any component stops. Without the database it is not. */
static bool
note_stop(actor_ctx_t *ctx, executive_t *self, bool outside)
{
    const note_event_t *m =
        draft_note(ctx, STATUS_SITE_STOPPING, "", status_sentence(STATUS_SITE_STOPPING));

    if (self->stop_open ||
        ask_site_database_note_event(ctx, m, STOP_NOTE_MS, stop_noted_then, 0) != VERDICT_OK) {
        return false;
    }
    self->stop_open = true;
    self->stop_outside = outside;
    return true;
}

/* What became of the note changes nothing: the stop goes on. */
static actor_next_t
stop_noted(actor_ctx_t *ctx, executive_t *self, const actor_answer_t *answer)
{
    claim(ctx, answer->tag == 0);
    self->stop_open = false;
    if (self->stop_outside) {
        actor_host_stop(ctx, "it was told from outside to stop");
        return ACTOR_CONTINUE;
    }
    done_t *m = DRAFT(ctx, done);
    m->changed = true;
    answer_unheard(REPLY_TO(ctx, self->stop, done, m));
    return ACTOR_CONTINUE;
}

actor_next_t
events_stop(actor_ctx_t *ctx, executive_t *self, const stop_t *m)
{
    if (m->dry_run || !note_stop(ctx, self, false)) {
        return desk_done(ctx, true);
    }
    self->stop = actor_defer(ctx, "site_database");
    return ACTOR_CONTINUE;
}

actor_next_t
events_host_stopping(actor_ctx_t *ctx, executive_t *self, const host_stopping_t *m)
{
    claim(ctx, m->within_ms >= STOP_NOTE_MS);
    if (!note_stop(ctx, self, true)) {
        actor_host_stop(ctx, "it was told from outside to stop");
    }
    return ACTOR_CONTINUE;
}
