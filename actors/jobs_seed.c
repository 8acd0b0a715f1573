/* jobs_seed.c - the job of an agent that goes through a seed; see jobs_agent.h. */
#include "actors/content/seed.h"
#include "actors/jobs_agent.h"
#include "actors/jobs_shelf.h"
#include "proto/messages.h"

static void
beat(void *context)
{
    job_beat(context, 0);
}

typedef struct seeding {
    char seed[AGENT_PATH_BYTES_MAX + 1], root[AGENT_PATH_BYTES_MAX + 1], data[PATH_BYTES_MAX + 1];
    shelf_t shelf;
    seed_result_t result;
} seeding_t;

static err_t
take(seeding_t *seeding, job_t *job, world_t *world, const seed_order_t *m)
{
    seed_way_t way = {.seed = seeding->seed,
                      .data = seeding->data,
                      .root = seeding->root,
                      .version = m->root,
                      .beat = beat,
                      .context = job};

    if (!slice_copy(record_slice(m, m->seed), seeding->seed, sizeof seeding->seed) ||
        !slice_copy(record_slice(m, m->dp_root), seeding->root, sizeof seeding->root) ||
        !slice_copy(record_slice(m, m->data), seeding->data, sizeof seeding->data)) {
        return RAISE(&seeding->shelf.fault, ERR_NAME_TOO_LONG, 0, "open", "the seed");
    }
    TRY(shelf_open(&seeding->shelf, world, slice_of(seeding->data)));
    return seed_take(world, seeding->shelf.store, seeding->shelf.staging, &way, &seeding->result,
                     &seeding->shelf.fault);
}

void
job_seed(job_t *job, world_t *world, const void *input, void *resource)
{
    seeding_t seeding = {.result = {.files = 0}};
    const seed_order_t *order = input;
    err_t err = resource ? ERR_INTERNAL : take(&seeding, job, world, order);
    agent_seeded_t *m = JOB_OUTPUT(job, agent_seeded);

    m->order = order->order;
    m->err = shelf_err(&seeding.shelf, err);
    m->files = seeding.result.files;
    m->bytes = seeding.result.bytes;
    m->skipped = seeding.result.skipped;
    if (err != OK || m->skipped > 0) {
        m->text = shelf_text(job, err != OK ? &seeding.shelf.fault : &seeding.result.why);
    }
    shelf_close(&seeding.shelf);
}
