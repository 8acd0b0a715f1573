/* executive_components.c - see executive_components.h. */
#include "actors/executive_components.h"

#include <string.h>

#include "proto/messages.h"

component_t *
component_of(component_table_t *table, slice_t name)
{
    for (uint32_t i = 0; i < COMPONENTS_COUNT; i++) {
        if (slice_equal(name, slice_of(table->component[i].class->name))) {
            return &table->component[i];
        }
    }
    return NULL;
}

component_view_t
component_view(const component_t *component)
{
    return (component_view_t){component->class->name, component->requested, component->who,
                              component->late};
}

static verdict_t
spawn(actor_ctx_t *ctx, component_table_t *table, component_t *component)
{
    uint64_t tag = (uint64_t) (component - table->component);

    component->late = false;
    return actor_spawn(ctx, component->class, slice_of(component->class->name), &site_args_type,
                       kept_record(table->args), tag, &component->who);
}

/* What is requested of a component after this order. */
static const char *
requested_by(const char *order)
{
    return strcmp(order, "stop") == 0 ? "stop" : strcmp(order, "pause") == 0 ? "pause" : "run";
}

bool
component_would_change(const component_t *component, const char *order)
{
    const char *requested = requested_by(order);
    bool runs = component->who.index != 0;

    if (strcmp(requested, "run") == 0 && !runs) {
        return true;
    }
    return runs && (strcmp(order, "restart") == 0 || strcmp(component->requested, requested) != 0);
}

bool
component_obey(actor_ctx_t *ctx, component_table_t *table, component_t *component,
               const char *order)
{
    bool changes = component_would_change(component, order);

    component->requested = requested_by(order);
    if (!changes) {
        return false;
    }
    if (component->who.index == 0) {
        return spawn(ctx, table, component) == VERDICT_OK;
    }
    if (strcmp(order, "restart") == 0) {
        actor_restart_child(ctx, component->who);
    } else if (strcmp(order, "stop") == 0) {
        actor_stop(ctx, component->who);
    } else if (strcmp(order, "pause") == 0) {
        actor_pause(ctx, component->who);
    } else {
        actor_resume(ctx, component->who);
    }
    return true;
}

/* Whose work a class does, as a component sees it. */
static slice_t
component_to_blame(const actor_crash_t *crash)
{
    static const char *const child[][2] = {{"point_worker", "despooler"},
                                           {"package_worker", "distribution_manager"}};

    for (size_t i = 0; i < sizeof child / sizeof child[0]; i++) {
        if (strcmp(crash->class_name, child[i][0]) == 0) {
            return slice_of(child[i][1]);
        }
    }
    return slice_of(crash->class_name);
}

/* What ended the host again and again, and is about no target: whoever had it in hand is held. The
 * site is nothing without its database and its provider: those are tried for ever. */
static void
hold(actor_ctx_t *ctx, component_table_t *table)
{
    actor_crash_t crash[CRASHES_COUNTED_MAX];
    uint32_t count = actor_crashes(ctx, crash, CRASHES_COUNTED_MAX);

    for (uint32_t i = 0; i < count; i++) {
        component_t *component = component_of(table, component_to_blame(&crash[i]));
        if (crash[i].about != 0) {
            continue;
        }
        if (component && component_may_stop(component) &&
            component->class != &site_database_class) {
            component->held = true;
            component->requested = "stop";
        }
        actor_crash_forget(ctx, crash[i].number);
    }
}

verdict_t
components_start(actor_ctx_t *ctx, component_table_t *table, const void *site_args)
{
#define COMPONENT_CLASS(name, sentence) &name##_class,
    static const actor_class_t *const classes[] = {COMPONENTS(COMPONENT_CLASS)};

    table->args = actor_keep(ctx, &site_args_type, site_args);
    for (uint32_t i = 0; i < COMPONENTS_COUNT; i++) {
        table->component[i] = (component_t){.class = classes[i], .requested = "run"};
    }
    hold(ctx, table);
    for (uint32_t i = 0; i < COMPONENTS_COUNT; i++) {
        component_t *component = &table->component[i];
        verdict_t verdict = component->held ? VERDICT_OK : spawn(ctx, table, component);
        if (verdict != VERDICT_OK) {
            return verdict;
        }
    }
    return VERDICT_OK;
}

component_t *
component_down(component_table_t *table, const actor_down_t *down)
{
    component_t *component = down->tag < COMPONENTS_COUNT ? &table->component[down->tag] : NULL;

    if (!component || component->who.index != down->who.index) {
        return NULL;
    }
    if (down->reason == ACTOR_RESTARTED) {
        component->who = down->next;
        component->late = false;
    } else if (down->reason == ACTOR_LATE) {
        component->late = true;
    } else if (down->reason != ACTOR_FAILED) {
        component->who = (actor_ref_t){0, 0};
    }
    return component;
}

bool
components_ready(actor_ctx_t *ctx, const component_table_t *table)
{
    for (uint32_t i = 0; i < COMPONENTS_COUNT; i++) {
        component_view_t view = component_view(&table->component[i]);
        if (strcmp(view.requested, "run") == 0 && !view_is_ready(ctx, &view)) {
            return false;
        }
    }
    return true;
}

bool
component_may_stop(const component_t *component)
{
    return component->class != &provider_class;
}
