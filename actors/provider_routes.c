/* provider_routes.c - the way of each command; see provider_inside.h and provider_routes.h. */
#include <string.h>

#include "actors/provider_inside.h"

#define ROUTE_THUNK(kind, whom, command)                                                           \
    static verdict_t route_##command(actor_ctx_t *ctx, const void *m, uint32_t deadline_ms,        \
                                     actor_answer_fn *then, uint64_t tag)                          \
    {                                                                                              \
        return ask_##whom##_##command(ctx, m, deadline_ms, then, tag);                             \
    }
ROUTES(ROUTE_THUNK)

#define ROUTE_ROW(kind, whom, command)                                                             \
    [MSG_##command] = {#whom, ACTOR_EDGE_ASK_##whom##_##command, route_##command},
static const route_t routes[MSG_COUNT] = {ROUTES(ROUTE_ROW)};

const route_t *
route_of(const command_t *command)
{
    return &routes[command->type->number];
}

static bool
is_held(const actor_ctx_t *ctx, uint32_t edge, actor_state_t *ret_state)
{
    *ret_state = actor_role_state(ctx, edge);
    return *ret_state == ACTOR_PAUSED || *ret_state == ACTOR_STOPPED;
}

bool
route_is_held(const actor_ctx_t *ctx, const route_t *route, actor_state_t *ret_state)
{
    return is_held(ctx, route->edge, ret_state);
}

bool
route_lacks_database(const actor_ctx_t *ctx, const route_t *route, actor_state_t *ret_state)
{
    return strcmp(route->whom, "executive") != 0 &&
           is_held(ctx, ACTOR_EDGE_ASK_site_database_site_open, ret_state);
}
