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
stand_of(const window_t *window, int64_t wall_ns)
{
    return !window->is                                                  ? STANDS_OPEN
           : wall_ns < window->known_ns || wall_ns >= window->closes_ns ? STANDS_UNKNOWN
           : wall_ns < window->opens_ns                                 ? STANDS_SHUT
                                                                        : STANDS_OPEN;
}

bool
window_shuts_out(const actor_ctx_t *ctx, const agent_t *agent, const order_t *order)
{
    return order && orders_is_work(order) &&
           stand_of(&agent->window, actor_wall_ns(ctx)) != STANDS_OPEN;
}

bool
window_has_closed(const actor_ctx_t *ctx, const agent_t *agent, const order_t *order)
{
    return order && orders_is_work(order) &&
           stand_of(&agent->window, actor_wall_ns(ctx)) == STANDS_SHUT;
}

void
window_add(window_t *all, const window_t *window)
{
    if (window->is) {
        all->is = true;
        all->known_ns = window->known_ns > all->known_ns ? window->known_ns : all->known_ns;
        all->closes_ns = window->closes_ns < all->closes_ns ? window->closes_ns : all->closes_ns;
    }
}

bool
window_is_to_be_asked(const actor_ctx_t *ctx, const agent_gateway_t *self)
{
    return stand_of(&self->windows, actor_wall_ns(ctx)) == STANDS_UNKNOWN;
}
