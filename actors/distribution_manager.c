/* distribution_manager.c - which target wants which version; re-sends exactly the failed targets.
 *
 *   hears    commands; work_changed, outcome, inbox_lost, point_returned, looked, scrubbed
 *   tells    despooler stop_work, probe_point, collect_point, scrub_point; site_database note_event
 *   asks     site_database: what is due, what became of it; despooler, package_worker: orders
 *   keeps    its run, and the commands in hand
 *   survives a restart: what was taken up by another run is due again
 */
#include "actors/dm.h"

#define COLLECT_FIRST_MS 20000u /* after a start */

enum {
    TIMER_LOOK = DM_TIMER_LOOK,
    TIMER_COLLECT = DM_TIMER_COLLECT,
    TIMER_PATROL = DM_TIMER_PATROL
};
#define SELF distribution_manager_t
HEARS(SELF, work_changed)
HEARS(SELF, outcome)
HEARS(SELF, point_returned)
HEARS(SELF, inbox_lost)
THEN(SELF, opened)
THEN(SELF, outcome_saved)
THEN(SELF, point_is_due)

static actor_next_t
on_work_changed(actor_ctx_t *ctx, SELF *self, const work_changed_t *m)
{
    if (m->stopped.count > 0) {
        stop_work_t *stop = DRAFT(ctx, stop_work);
        err_t err = draft_copy(actor_draft_open(ctx), &stop_work_type, stop, m, m);
        actor_draft_open(ctx)->full |= err != OK;
        answer_unheard(tell_despooler_stop_work(ctx, stop));
    }
    return dm_look(ctx, self);
}

/* ---- outcomes ---- */

static actor_next_t
on_outcome(actor_ctx_t *ctx, SELF *self, const outcome_t *m)
{
    return dm_gather_outcome(ctx, self, m) ||
                   dm_outcome(ctx, self, m, outcome_saved_then) == VERDICT_OK
               ? ACTOR_CONTINUE
               : dm_new_run(ctx, self);
}

/* An outcome that was not saved is found out again: the point's receipt answers at the next try. */
static actor_next_t
outcome_saved(actor_ctx_t *ctx, SELF *self, const actor_answer_t *answer)
{
    err_t err = answer_err(answer);
    return err == OK || err == ERR_SUPERSEDED ? dm_look(ctx, self) : dm_new_run(ctx, self);
}

static actor_next_t
on_point_returned(actor_ctx_t *ctx, SELF *self, const point_returned_t *m)
{
    claim(ctx, self->args != NULL);
    answer_unheard(ask_site_database_point_returned(ctx, m, DM_ASK_MS, point_is_due_then, 0));
    return ACTOR_CONTINUE;
}

static actor_next_t
point_is_due(actor_ctx_t *ctx, SELF *self, const actor_answer_t *answer)
{
    return answer_err(answer) == OK ? dm_look(ctx, self) : dm_new_run(ctx, self);
}

/* ---- commands ---- */

#define GOES_TO(message, call)                                                                     \
    HEARS(SELF, message)                                                                           \
    static actor_next_t on_##message(actor_ctx_t *ctx, SELF *self, const message##_t *m)           \
    {                                                                                              \
        return call;                                                                               \
    }
GOES_TO(package_add, dm_package(ctx, self, &package_add_type, m))
GOES_TO(package_update, dm_package(ctx, self, &package_update_type, m))
GOES_TO(package_remove, dm_package(ctx, self, &package_remove_type, m))
GOES_TO(package_set, dm_package_set(ctx, self, m))
GOES_TO(dp_add, dm_point(ctx, self, &dp_add_type, m))
GOES_TO(dp_set, dm_point(ctx, self, &dp_set_type, m))
GOES_TO(dp_adopt, dm_point(ctx, self, &dp_adopt_type, m))
GOES_TO(dp_remove, dm_point_remove(ctx, self, m))
GOES_TO(verify, dm_verify(ctx, self, m))
GOES_TO(distribute_plan, dm_plan(ctx, self, m))
GOES_TO(store_check, dm_store(ctx, self, &store_check_type, m))
GOES_TO(store_rebuild, dm_store(ctx, self, &store_rebuild_type, m))
GOES_TO(store_collect, dm_store(ctx, self, &store_collect_type, m))
GOES_TO(package_export, dm_export(ctx, self, m))
GOES_TO(site_backup, dm_backup(ctx, self, m))
GOES_TO(scrubbed, dm_scrubbed(ctx, self, m))
GOES_TO(looked, dm_looked(ctx, self, m))

/* ---- the actor ---- */

static actor_next_t
opened(actor_ctx_t *ctx, SELF *self, const actor_answer_t *answer)
{
    const site_opened_t *m = ANSWER_AS(answer, site_opened);

    claim(ctx, m != NULL);
    self->site = m->site;
    self->opened = true;
    actor_ready(ctx);
    dm_ask_absent(ctx);
    claim(ctx, dm_collect_in(ctx, COLLECT_FIRST_MS) == ACTOR_CONTINUE &&
                   actor_timer(ctx, TIMER_PATROL, DM_AGAIN_MS) == VERDICT_OK &&
                   actor_timer(ctx, DM_TIMER_SCRUB, DM_AGAIN_MS) == VERDICT_OK);
    return dm_new_run(ctx, self) == ACTOR_CONTINUE ? dm_look(ctx, self) : ACTOR_FAIL;
}

static actor_next_t
on_inbox_lost(actor_ctx_t *ctx, SELF *self, const inbox_lost_t *m)
{
    claim(ctx, m->slots <= SLOTS_MAX);
    if (m->all) {
        dm_held_lost(ctx, self);
    }
    dm_ask_absent(ctx);
    return dm_new_run(ctx, self);
}

static actor_next_t
manager_init(actor_ctx_t *ctx, void *state, const void *args)
{
    SELF *self = state;

    self->args = actor_keep(ctx, &site_args_type, args);
    dm_package_init(self);
    dm_leave_init(self);
    site_open_t *m = DRAFT(ctx, site_open);
    m->asker = actor_text(ctx, slice_of("distribution_manager"));
    return ask_site_database_site_open(ctx, m, DM_SLOW_MS, opened_then, 0) == VERDICT_OK
               ? ACTOR_CONTINUE
               : ACTOR_FAIL;
}

static actor_next_t
manager_timer(actor_ctx_t *ctx, void *state, uint64_t key)
{
    if (key == TIMER_LOOK) {
        dm_ask_absent(ctx);
        return dm_look(ctx, state);
    }
    return key == TIMER_PATROL     ? dm_patrol(ctx, state)
           : key == DM_TIMER_SCRUB ? dm_scrub(ctx, state)
           : key == DM_TIMER_HELD  ? dm_held_look(ctx, state)
           : key == TIMER_COLLECT  ? dm_collect_due(ctx, state)
                                   : dm_collect_hold_ends(ctx, state);
}

static actor_next_t
manager_down(actor_ctx_t *ctx, void *state, const actor_down_t *down)
{
    claim(ctx, down != NULL);
    dm_package_down(state, down);
    return ACTOR_CONTINUE;
}

static void
manager_drop(void *state)
{
    SELF *self = state;

    dm_ops_drop(self);
    dm_leave_drop(self);
    zhashx_destroy(&self->package_worker);
    kept_destroy(&self->handed);
    kept_destroy(&self->args);
}

static const actor_hears_t actor_hears[] = {
    ON(package_add),   ON(package_update), ON(package_remove), ON(dp_add),          ON(dp_set),
    ON(dp_adopt),      ON(dp_remove),      ON(verify),         ON(work_changed),    ON(outcome),
    ON(inbox_lost),    ON(point_returned), ON(looked),         ON(package_set),     ON(store_check),
    ON(store_rebuild), ON(store_collect),  ON(site_backup),    ON(distribute_plan), ON(scrubbed),
    ON(package_export)};

const actor_class_t distribution_manager_class = {
    .name = "distribution_manager",
    .state_bytes = sizeof(SELF),
    .init = manager_init,
    .on_timer = manager_timer,
    .on_down = manager_down,
    .drop = manager_drop,
    .describe = dm_scrub_describe,
    ACTOR_LIST(hears),
    .edges = actor_edges,
    .edge_count = ACTOR_EDGE_COUNT,
    .role = true,
    .starts_later = true,
};
