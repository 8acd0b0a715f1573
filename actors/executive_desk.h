/* executive_desk.h - the executive's answers about what is: its components and the
 * run before.
 *
 * Shape    each answers the ask in hand and returns ACTOR_CONTINUE.
 * Promises every one is answered, by its record or a refusal.
 * Costs    one draft.
 * Threads  the handler in hand.
 */
#pragma once

#include "actors/executive_components.h"
#include "proto/messages.h"

#define BLACK_BOX_BYTES (1u << 20) /* of a rendered black box; what is longer is cut */

actor_next_t desk_component_list(actor_ctx_t *ctx, component_table_t *table);
actor_next_t desk_component_show(actor_ctx_t *ctx, component_table_t *table,
                                 const component_show_t *m);
actor_next_t desk_blackbox(actor_ctx_t *ctx);
actor_next_t desk_graph(actor_ctx_t *ctx); /* executive_graph.c */
/* hint NULL: that of the error. */
actor_next_t desk_refuse(actor_ctx_t *ctx, err_t err, const char *hint, const char *verb,
                         slice_t subject);
/* An order about a name that is no component, or about one that the site cannot be without. */
actor_next_t desk_refuse_order(actor_ctx_t *ctx, const component_t *component, const char *verb,
                               slice_t name);
actor_next_t desk_done(actor_ctx_t *ctx, bool changed);
/* The number of slots that a command sets, for the database. */
const setting_set_t *desk_slots_setting(actor_ctx_t *ctx, const component_set_t *m);
