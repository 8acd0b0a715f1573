/* executive.c - which components run: it is the parent of them all.
 *
 *   hears    component_list, component_show, component_start, component_stop, component_pause,
 *            component_resume, component_restart, component_set, quarantine_list, quarantine_show,
 *            quarantine_retry, quarantine_drop, blackbox, graph, stop: each an ask of the provider;
 *            host_stopping of the runtime
 *   tells    site_database note_event: what became of a component; despooler slots_set
 *   asks     site_database setting_set, site_open, aside_list, aside_order; note_event of the stop
 *   keeps    what is requested of each component, and its present incarnation
 *   survives it is the root: when it ends, the host ends. A component that fails is restarted by
 *            the runtime while the others work; after a start of the host all of them run, but for
 *            one that ended the host again and again
 */
#include <string.h>

#include "actors/executive_inside.h"
#include "actors/roster.h"
#include "proto/status.h"
#include "runtime/notes.h"

#define STARTED_LOOK_MS 50u /* between looks whether all components are ready, at the start */

enum { TIMER_STARTED = 1 };

/* ---- component commands ---- */

/* The provider asks for its own restart on behalf of a client, and would never hear the answer: it
 * is told that it will be done, and tells the order again when its client has been answered. */
static bool
is_answered_first(const actor_ctx_t *ctx, const component_t *component, const char *order_word)
{
    return !component_may_stop(component) && strcmp(order_word, "restart") == 0 &&
           actor_is_asked(ctx);
}

static actor_next_t
order(actor_ctx_t *ctx, executive_t *self, slice_t name, const char *order_word, bool dry_run)
{
    component_t *component = component_of(&self->table, name);
    bool still = strcmp(order_word, "stop") == 0 || strcmp(order_word, "pause") == 0;

    if (!component || (still && !component_may_stop(component))) {
        return desk_refuse_order(ctx, component, order_word, name);
    }
    if (dry_run || is_answered_first(ctx, component, order_word)) {
        return desk_done(ctx, component_would_change(component, order_word));
    }
    bool changed = component_obey(ctx, &self->table, component, order_word);
    if (changed && strcmp(order_word, "pause") == 0) {
        events_note(ctx, STATUS_COMPONENT_PAUSED, component->class->name, "was paused");
    } else if (changed && strcmp(order_word, "resume") == 0) {
        events_note(ctx, STATUS_COMPONENT_PAUSED, component->class->name, "goes on");
    } else if (changed && !still) {
        events_note(ctx, STATUS_COMPONENT_STARTED, component->class->name, "was started");
    }
    return desk_done(ctx, changed);
}

#define OBEYS(word)                                                                                \
    HEARS(executive_t, component_##word)                                                           \
    static actor_next_t on_component_##word(actor_ctx_t *ctx, executive_t *self,                   \
                                            const component_##word##_t *m)                         \
    {                                                                                              \
        return order(ctx, self, record_slice(m, m->name), #word, m->dry_run);                      \
    }
OBEYS(start)
OBEYS(stop)
OBEYS(pause)
OBEYS(resume)
OBEYS(restart)

/* ---- what is done elsewhere, and the end ---- */

#define DESK(message, answer)                                                                      \
    HEARS(executive_t, message)                                                                    \
    static actor_next_t on_##message(actor_ctx_t *ctx, executive_t *self, const message##_t *m)    \
    {                                                                                              \
        claim(ctx, self != NULL && m != NULL);                                                     \
        return answer;                                                                             \
    }
DESK(component_list, desk_component_list(ctx, &self->table))
DESK(component_show, desk_component_show(ctx, &self->table, m))
DESK(component_set, setting_change(ctx, self, m))
DESK(blackbox, desk_blackbox(ctx))
DESK(graph, desk_graph(ctx))
DESK(quarantine_list, aside_list(ctx, self))
DESK(quarantine_show, aside_show(ctx, self, m))
DESK(quarantine_retry, aside_retry(ctx, self, m))
DESK(quarantine_drop, aside_drop(ctx, self, m))

DESK(stop, events_stop(ctx, self, m))
DESK(host_stopping, events_host_stopping(ctx, self, m))

/* ---- the actor ---- */

static actor_next_t
executive_init(actor_ctx_t *ctx, void *state, const void *args)
{
    executive_t *self = state;

    claim(ctx, components_start(ctx, &self->table, args) == VERDICT_OK);
    claim(ctx, actor_timer(ctx, TIMER_STARTED, STARTED_LOOK_MS) == VERDICT_OK);
    return ACTOR_CONTINUE;
}

/* The start is told once every component is ready; who is not is the alarm manager's affair. */
static actor_next_t
executive_timer(actor_ctx_t *ctx, void *state, uint64_t key)
{
    const executive_t *self = state;

    claim(ctx, key == TIMER_STARTED);
    if (!components_ready(ctx, &self->table)) {
        return actor_timer(ctx, TIMER_STARTED, STARTED_LOOK_MS) == VERDICT_OK ? ACTOR_CONTINUE
                                                                              : ACTOR_FAIL;
    }
    events_held(ctx, self);
    events_note(ctx, STATUS_SITE_STARTED, "", status_sentence(STATUS_SITE_STARTED));
    return ACTOR_CONTINUE;
}

static actor_next_t
executive_down(actor_ctx_t *ctx, void *state, const actor_down_t *down)
{
    executive_t *self = state;
    const component_t *component = component_down(&self->table, down);

    if (!component) {
        return ACTOR_CONTINUE;
    }
    if (down->reason == ACTOR_ENDED) {
        events_note(ctx, STATUS_COMPONENT_STOPPED, down->class_name, "was stopped");
    } else if (down->reason == ACTOR_RESTARTED) {
        events_note(ctx, STATUS_COMPONENT_STARTED, down->class_name, "was restarted");
    } else if (down->reason == ACTOR_GIVEN_UP) {
        events_note(ctx, STATUS_COMPONENT_FAILED, down->class_name,
                    "failed too often and stays stopped; despool component start starts it");
    } else if (down->reason == ACTOR_LATE) {
        events_note(ctx, STATUS_COMPONENT_LATE, down->class_name, "is not ready by its deadline");
    }
    return ACTOR_CONTINUE;
}

static void
executive_drop(void *state)
{
    executive_t *self = state;

    kept_destroy(&self->table.args);
    kept_destroy(&self->done);
}

static const actor_hears_t actor_hears[] = {ON(component_list),
                                            ON(component_show),
                                            ON(component_start),
                                            ON(component_stop),
                                            ON(component_pause),
                                            ON(component_resume),
                                            ON(component_restart),
                                            ON(component_set),
                                            ON(quarantine_list),
                                            ON(quarantine_show),
                                            ON(quarantine_retry),
                                            ON(quarantine_drop),
                                            ON(blackbox),
                                            ON(graph),
                                            ON(stop),
                                            ON(host_stopping)};

const actor_class_t executive_class = {
    .name = "executive",
    .state_bytes = sizeof(executive_t),
    .init = executive_init,
    .on_timer = executive_timer,
    .on_down = executive_down,
    .drop = executive_drop,
    ACTOR_LIST(hears),
    .edges = actor_edges,
    .edge_count = ACTOR_EDGE_COUNT,
    .restart = ACTOR_PERMANENT,
    .strategy = ACTOR_ONE_FOR_ONE,
    .role = true,
};
