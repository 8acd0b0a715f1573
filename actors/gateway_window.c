/* gateway_window.c - in which hours an agent may be sent content: nothing leaves before or after.
 *
 * The database says of each agent until when it is shut and when that ends, by the wall clock of
 * this machine, which is looked at before each block. A clock that shows what it was not told of is
 * no leave to send: it is asked anew. Lists, so that a version can be measured, are no content. */
#include "actors/gateway.h"

typedef enum stand { STANDS_OPEN, STANDS_SHUT, STANDS_UNKNOWN } stand_t;

void
window_know(agent_t *agent, const agent_row_t *row)
{
    agent->window = (window_t){.is = row->windowed,
                               .known_ns = row->window_known,
                               .opens_ns = row->window_opens,
                               .closes_ns = row->window_closes};
}

static stand_t
stand_of(const agent_t *agent, int64_t wall_ns)
{
    const window_t *window = &agent->window;

    return !window->is                                                  ? STANDS_OPEN
           : wall_ns < window->known_ns || wall_ns >= window->closes_ns ? STANDS_UNKNOWN
           : wall_ns < window->opens_ns                                 ? STANDS_SHUT
                                                                        : STANDS_OPEN;
}

bool
window_shuts_out(const actor_ctx_t *ctx, const agent_t *agent, const order_t *order)
{
    return order && orders_is_work(order) && stand_of(agent, actor_wall_ns(ctx)) != STANDS_OPEN;
}

bool
window_has_closed(const actor_ctx_t *ctx, const agent_t *agent, const order_t *order)
{
    return order && orders_is_work(order) && stand_of(agent, actor_wall_ns(ctx)) == STANDS_SHUT;
}

bool
window_is_to_be_asked(const actor_ctx_t *ctx, const agent_gateway_t *self)
{
    int64_t wall_ns = actor_wall_ns(ctx);

    for (const agent_t *agent = zhashx_first(self->agent); agent;
         agent = zhashx_next(self->agent)) {
        if (stand_of(agent, wall_ns) == STANDS_UNKNOWN) {
            return true;
        }
    }
    return false;
}
