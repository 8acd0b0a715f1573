/* provider_inside.h - what the files of the provider share: its edges, and the way of a command.
 *
 * Shape    the state; a route is a row of provider_routes.h: whom a command is asked of, and how.
 * Threads  constant data; the handler in hand.
 */
#pragma once

#include "actors/provider_pending.h"
#include "actors/provider_reply.h"
#include "actors/provider_routes.h"
#include "actors/provider_wire.h"
#include "proto/messages.h"
#include "runtime/actor.h"

#define EDGES(E)                                                                                   \
    ROUTES(E)                                                                                      \
    E(ASK, site_database, site_open)                                                               \
    E(ASK, site_database, recall)                                                                  \
    E(TELL, executive, component_restart)
ACTOR_EDGES(EDGES)

enum { TIMER_OPEN = 1, TIMER_HELD };

typedef struct provider {
    kept_t *site; /* site_args */
    bool opened;  /* the database has answered site_open */
    bool watched; /* the next look at who is held has its timer */
    pendings_t pendings;
} provider_t;

/* Answers and forgets it. A client that has left hears nothing. */
actor_next_t pending_end(actor_ctx_t *ctx, provider_t *self, pending_t *pending,
                         const link_reply_t *reply);
/* provider_held.c */
/* Ends it: whom it is asked of is in this state, which a person gave it. */
actor_next_t hold_answer(actor_ctx_t *ctx, provider_t *self, pending_t *pending,
                         actor_state_t state);
/* The next look whether that has happened to one that was asked, while there are any. */
actor_next_t hold_look_in(actor_ctx_t *ctx, provider_t *self);
actor_next_t hold_look(actor_ctx_t *ctx, provider_t *self);
/* Who is paused and keeps a command that was asked before; NULL: nobody. */
const char *hold_keeper(const actor_ctx_t *ctx, const provider_t *self);

typedef verdict_t route_fn(actor_ctx_t *ctx, const void *m, uint32_t deadline_ms,
                           actor_answer_fn *then, uint64_t tag);
typedef struct route {
    const char *whom;
    uint32_t edge;
    route_fn *ask;
} route_t;

const route_t *route_of(const command_t *command);
/* Whom the command is asked of keeps it, or is not there: the state that a person gave it. False:
 * neither. */
bool route_is_held(const actor_ctx_t *ctx, const route_t *route, actor_state_t *ret_state);
/* The same of the database, which everything but the executive's commands needs. */
bool route_lacks_database(const actor_ctx_t *ctx, const route_t *route, actor_state_t *ret_state);
