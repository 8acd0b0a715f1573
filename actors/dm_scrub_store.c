/* dm_scrub_store.c - the site's own store is read again: a portion in each round of the scrub, at
 * the same rate.
 *
 * Where it stands within a pack is kept here, the pack by the database: a restart reads at most one
 * pack twice. */
#include "actors/dm.h"
#include "actors/jobs_store.h"

THEN(distribution_manager_t, store_place_saved)

static actor_next_t
store_place_saved(actor_ctx_t *ctx, distribution_manager_t *self, const actor_answer_t *answer)
{
    claim(ctx, answer != NULL);
    self->scrub.store_open = false;
    return ACTOR_CONTINUE;
}

/* Who was not heard reads that portion again in a later round. */
static actor_next_t
portion_read(actor_ctx_t *ctx, void *state, const actor_answer_t *answer)
{
    scrub_state_t *scrub = &((distribution_manager_t *) state)->scrub;
    const store_read_again_t *found = ANSWER_AS(answer, store_read_again);

    scrub->store_open = scrub->store_reads = false;
    if (((distribution_manager_t *) state)->collect_wanted) {
        dm_collect(ctx, state);
    }
    if (!found) {
        return ACTOR_CONTINUE;
    }
    scrub->store_read += found->bytes;
    scrub->largest = found->bytes > scrub->largest ? found->bytes : scrub->largest;
    bool moved = found->pack == 0 || found->pack != scrub->store_pack;
    scrub->store_pack = found->pack;
    scrub->store_offset = found->offset;
    if (moved || found->damaged + found->named > 0 || found->err != OK) {
        store_read_again_t *m = DRAFT(ctx, store_read_again);
        err_t err = draft_copy(actor_draft_open(ctx), &store_read_again_type, m, found, found);
        actor_draft_open(ctx)->full |= err != OK;
        scrub->store_open = ask_site_database_store_read_again(
                                ctx, m, DM_ASK_MS, store_place_saved_then, 0) == VERDICT_OK;
    }
    return ACTOR_CONTINUE;
}

void
dm_scrub_store(actor_ctx_t *ctx, distribution_manager_t *self, const scrub_due_t *due,
               uint64_t bytes)
{
    scrub_state_t *scrub = &self->scrub;
    const site_args_t *site = kept_record(self->args);
    slice_t data = record_slice(site, site->data);

    if (due->rate == 0 || due->store_rests || scrub->store_open || self->collecting) {
        return;
    }
    if (due->store_pack != scrub->store_pack) {
        scrub->store_pack = due->store_pack;
        scrub->store_offset = 0;
    }
    store_portion_t *m = DRAFT(ctx, store_portion);
    m->store = actor_textf(ctx, "%.*s/store", (int) data.size, data.data);
    m->pack = scrub->store_pack;
    m->offset = scrub->store_offset;
    m->bytes = bytes;
    job_spec_t spec = {.name = "read store again",
                       .run = job_read_store,
                       .input_type = &store_portion_type,
                       .input = m,
                       .deadline_ms = DM_SLOW_MS,
                       .then = portion_read};
    scrub->store_open = scrub->store_reads = actor_job(ctx, &spec, NULL) == VERDICT_OK;
}
