/* executive_view.h - live figures as rows, for component list and show and the quarantine.
 *
 * Shape    reads the runtime's figures; makes the draft in hand.
 * Promises looking never blocks what is looked at; a component that does not run is a row, too.
 * Costs    one walk over the actors.
 * Threads  the handler in hand.
 */
#pragma once

#include "proto/messages.h"
#include "runtime/actor.h"

/* What the executive knows of a component beside the runtime's figures. */
typedef struct component_view {
    const char *name;
    const char *requested; /* run, pause or stop */
    actor_ref_t who;       /* index 0: it does not run */
    bool late;
} component_view_t;

const components_t *view_components(actor_ctx_t *ctx, const component_view_t *view, uint32_t count);
const component_shown_t *view_component(actor_ctx_t *ctx, const component_view_t *view);
/* Messages set aside and, from the database, targets (aside; NULL: not known). number 0: all. NULL:
 * there is none of this number. */
const quarantine_t *view_quarantine(actor_ctx_t *ctx, uint64_t number, const quarantine_t *aside);
/* Whether it is ready or degraded. */
bool view_is_ready(const actor_ctx_t *ctx, const component_view_t *view);
