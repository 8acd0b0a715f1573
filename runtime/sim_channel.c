/* sim_channel.c - envelopes under way between the workers of a simulated host. */
#include "runtime/sim_inside.h"

#include <assert.h>
#include <stdlib.h>

#include "runtime/inside.h"

void
sim_channels_new(sim_t *sim)
{
    sim->channel = calloc(sim_channel_count(sim), sizeof *sim->channel);
    sim->busy = calloc(sim_channel_count(sim), sizeof *sim->busy);
    assert(sim->channel && sim->busy);
    sim->busy_count = 0;
    if (sim->options.over_sockets) {
        sim->sockets = sim_sockets_new(sim->senders, sim->workers);
    }
}

static void
busy_add(sim_t *sim, uint32_t which)
{
    sim->busy[sim->busy_count++] = which;
    sim->channel[which].position = sim->busy_count;
}

static void
busy_remove(sim_t *sim, uint32_t which)
{
    uint32_t last = sim->busy[--sim->busy_count];

    sim->busy[sim->channel[which].position - 1] = last;
    sim->channel[last].position = sim->channel[which].position;
    sim->channel[which].position = 0;
}

void
sim_post(void *self, uint32_t from, uint32_t to, envelope_t *take_envelope)
{
    sim_t *sim = self;
    uint32_t which = from * sim->workers + to;
    channel_t *channel = &sim->channel[which];
    flight_t *flight = memory_take(sizeof *flight);

    assert(from < sim->senders && to < sim->workers);
    flight->envelope = take_envelope;
    flight->sent_at = sim->steps;
    flight->ready_ns =
        sim_now_ns(sim) + (int64_t) sim_drawn_below(sim, sim->options.delay_ns_max + 1u);
    flight->next = NULL;
    if (channel->tail) {
        channel->tail->next = flight;
    } else {
        channel->head = flight;
        busy_add(sim, which);
    }
    channel->tail = flight;
}

envelope_t *
sim_channel_take(sim_t *sim, uint32_t which)
{
    channel_t *channel = &sim->channel[which];
    flight_t *flight = channel->head;
    envelope_t *envelope = flight->envelope;

    channel->head = flight->next;
    if (!channel->head) {
        channel->tail = NULL;
        busy_remove(sim, which);
    }
    memory_give(flight, sizeof *flight);
    return envelope;
}

uint32_t
sim_channels_ready(const sim_t *sim, int64_t now_ns, uint32_t *ret_choice)
{
    uint32_t count = 0;

    for (uint32_t i = 0; i < sim->busy_count; i++) {
        if (sim->channel[sim->busy[i]].head->ready_ns <= now_ns) {
            ret_choice[count++] = sim->busy[i];
        }
    }
    return count;
}

int64_t
sim_channels_due(const sim_t *sim)
{
    int64_t due_ns = INT64_MAX;

    for (uint32_t i = 0; i < sim->busy_count; i++) {
        const flight_t *first = sim->channel[sim->busy[i]].head;
        due_ns = first->ready_ns < due_ns ? first->ready_ns : due_ns;
    }
    return due_ns;
}

void
sim_channels_destroy(sim_t *sim)
{
    while (sim->busy_count > 0) {
        envelope_t *envelope = sim_channel_take(sim, sim->busy[0]);
        envelope_destroy(&envelope);
    }
    sim_sockets_destroy(&sim->sockets);
    free(sim->channel);
    free(sim->busy);
    sim->channel = NULL;
    sim->busy = NULL;
}
