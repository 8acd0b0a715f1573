/* sim_rounds.c - what threads do at one time: several messages come together, and several handlers
 * run before a worker looks for more. How many, the seed says. */
#include "runtime/sim_inside.h"

#include <assert.h>

#include "runtime/chunk_inside.h"
#include "runtime/inside.h"

#define ROUND_MAX 8u

static uint32_t
drawn(sim_t *sim)
{
    return 1 + (uint32_t) sim_drawn_below(sim, ROUND_MAX);
}

/* ---- what passes ---- */

static void
pass(sim_t *sim, const envelope_t *message, int64_t now_ns)
{
    sim_absorb(sim, envelope_hash(message));
    if (sim->options.saw) {
        sim_show(sim, message, now_ns);
    }
}

static void
pass_all(sim_t *sim, const envelope_t *envelope, int64_t now_ns)
{
    told_by_hand_t hand;

    if (envelope->kind != ENV_BATCH) {
        pass(sim, envelope, now_ns);
        return;
    }
    (void) told_head(&hand, envelope);
    for (uint32_t at = 0; at < envelope->size; at += batch_step(envelope->each)) {
        pass(sim, told_record(&hand, envelope, at), now_ns);
    }
}

/* ---- several come ---- */

/* As mailbox.c packs them. */
static uint32_t
pack(envelope_t *take_envelope, chunk_t **chunk, uint32_t count)
{
    size_t bytes = envelope_bytes(take_envelope);

    if (count == 0 || !chunk_fits(chunk[count - 1], bytes)) {
        chunk[count++] = chunk_new();
    }
    chunk_put(chunk[count - 1], take_envelope, bytes);
    return count;
}

void
sim_rounds_deliver(sim_t *sim, uint32_t which, int64_t now_ns)
{
    uint32_t from = which / sim->workers, to = which % sim->workers;
    worker_t *worker = core_worker(sim->core, to);
    const channel_t *channel = &sim->channel[which];
    chunk_t *chunk[ROUND_MAX];
    uint32_t count = 0;

    for (uint32_t left = drawn(sim); left > 0 && channel->head && channel->head->ready_ns <= now_ns;
         left--) {
        envelope_t *envelope = sim_channel_take(sim, which);
        pass_all(sim, envelope, now_ns);
        if (sim->sockets) {
            sim_sockets_send(sim->sockets, from, to, envelope);
        } else {
            count = pack(envelope, chunk, count);
        }
    }
    if (sim->sockets) {
        count = sim_sockets_come(sim->sockets, from, to, chunk, ROUND_MAX);
    }
    for (uint32_t i = 0; i < count; i++) {
        worker_bring(worker, chunk[i]);
    }
    worker_settle(worker);
}

/* ---- several run ---- */

void
sim_rounds_run(sim_t *sim, uint32_t worker)
{
    sim_absorb(sim, worker_round(core_worker(sim->core, worker), drawn(sim)));
}
