/* agent_ahead.c - what an agent has written of a version into its tree, lent from job to job. */
#include "actors/agent_inside.h"

/* For an order to place, once: what becomes of it, or that there is none, holds to its end. */
void
agent_ahead_begin(agent_state_t *self)
{
    const agent_args_t *args = kept_record(self->args);
    const agent_order_t *order = agent_order_of(self->order);
    const work_t *work = agent_work_of(self->order);
    place_ahead_order_t ahead = {.root = record_slice(args, args->root),
                                 .site = args->site,
                                 .point = args->dp_incarnation,
                                 .package = record_slice(order, work->package),
                                 .incarnation = work->package_incarnation,
                                 .epoch = work->epoch,
                                 .version = work->root,
                                 .read_only = work->read_only};

    if (order->task == AGENT_TASK_WORK && action_places(work->action) && !self->ahead_tried) {
        self->ahead = place_ahead_new(&ahead);
        self->ahead_of++;
        self->ahead_tried = true;
    }
}

place_ahead_t *
agent_ahead_lend(agent_state_t *self)
{
    place_ahead_t *ahead = self->ahead;

    self->ahead = NULL;
    return ahead;
}

void
agent_ahead_back(agent_state_t *self, place_ahead_t *ahead, uint64_t of)
{
    if (of == self->ahead_of && self->ahead_tried) {
        self->ahead = ahead;
    } else {
        place_ahead_drop(ahead);
    }
}

void
agent_ahead_end(agent_state_t *self)
{
    place_ahead_drop(self->ahead);
    self->ahead = NULL;
    self->ahead_tried = false;
}
