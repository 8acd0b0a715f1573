/* executive_components.h - the components as the executive has them: requested against present.
 *
 * Shape    one row for each of COMPONENTS, in order.
 * Promises an order that changes nothing does nothing.
 * Costs    O(1) each.
 * Threads  the executive's state.
 */
#pragma once

#include "actors/executive_view.h"
#include "actors/roster.h"

typedef struct component {
    const actor_class_t *class;
    const char *requested; /* run, pause or stop */
    actor_ref_t who;       /* index 0: it does not run */
    bool late;
    bool held; /* not started, for it ended the host again and again */
} component_t;

#define COMPONENT_ONE(name, sentence) +1
enum { COMPONENTS_COUNT = COMPONENTS(COMPONENT_ONE) };

typedef struct component_table {
    component_t component[COMPONENTS_COUNT];
    kept_t *args; /* site_args, for each of them */
} component_table_t;

/* Starts all of them, but for those that ended the host again and again: they are held in this
 * run. */
verdict_t components_start(actor_ctx_t *ctx, component_table_t *table,
                           const void *site_args) must_use;
/* NULL: there is none of this name. */
component_t *component_of(component_table_t *table, slice_t name);
component_view_t component_view(const component_t *component);
/* Whether start, stop, pause, resume or restart finds something to do. */
bool component_would_change(const component_t *component, const char *order);
/* Does it; false when it is so already. */
bool component_obey(actor_ctx_t *ctx, component_table_t *table, component_t *component,
                    const char *order);
/* A child is no longer what it was; the row is brought up to date and returned. */
component_t *component_down(component_table_t *table, const actor_down_t *down);
/* Every component that is wanted is ready or degraded. */
bool components_ready(actor_ctx_t *ctx, const component_table_t *table);
/* Not the provider: without it nobody could ever say `start` again. */
bool component_may_stop(const component_t *component);
