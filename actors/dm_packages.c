/* dm_packages.c - package.add, update and remove: each goes to its package's own package_worker. */
#include "actors/dm.h"

static void
ref_destroy(void **item)
{
    free(*item);
    *item = NULL;
}

void
dm_package_init(distribution_manager_t *self)
{
    self->package_worker = zhashx_new();
    assert(self->package_worker);
    zhashx_set_destructor(self->package_worker, ref_destroy);
}

static text_t
id_of(const dm_op_t *op, const void *m)
{
    return op->type == &package_add_type      ? ((const package_add_t *) m)->id
           : op->type == &package_update_type ? ((const package_update_t *) m)->id
                                              : ((const package_remove_t *) m)->id;
}

/* Ids are unique ignoring case, so one worker serves every way of writing one. */
static void
key_of(const dm_op_t *op, char key[NAME_BYTES_MAX + 1])
{
    const void *m = kept_record(op->command);

    if (!slice_copy(record_slice(m, id_of(op, m)), key, NAME_BYTES_MAX + 1)) {
        key[0] = 0;
    }
    for (char *at = key; *at; at++) {
        *at = *at >= 'A' && *at <= 'Z' ? (char) (*at + 32) : *at;
    }
}

static verdict_t
worker_of(actor_ctx_t *ctx, distribution_manager_t *self, const char *key, actor_ref_t *ret)
{
    const site_args_t *site = kept_record(self->args);
    actor_ref_t *known = zhashx_lookup(self->package_worker, key);

    if (known) {
        *ret = *known;
        return VERDICT_OK;
    }
    package_worker_args_t *args = DRAFT(ctx, package_worker_args);
    args->id = actor_text(ctx, slice_of(key));
    args->data = actor_text(ctx, record_slice(site, site->data));
    char name[NAME_BYTES_MAX + 32];
    snprintf(name, sizeof name, "package_worker %s", key);
    verdict_t verdict = actor_spawn(ctx, &package_worker_class, slice_of(name),
                                    &package_worker_args_type, args, 0, ret);
    if (verdict == VERDICT_OK) {
        known = malloc(sizeof *known);
        assert(known);
        *known = *ret;
        zhashx_update(self->package_worker, key, known);
    }
    return verdict;
}

static void try_op(actor_ctx_t *ctx, distribution_manager_t *self, dm_op_t *op);

/* A worker that was just ending has not begun: the command goes to the next one. */
static actor_next_t
answered(actor_ctx_t *ctx, void *state, const actor_answer_t *answer)
{
    distribution_manager_t *self = state;
    dm_op_t *op = dm_op_of(self, answer->tag);

    claim(ctx, op != NULL);
    if (answer->err == ERR_DOWN && op->tries++ < 3) {
        try_op(ctx, self, op);
        return ACTOR_CONTINUE;
    }
    dm_op_pass_on(ctx, op, answer);
    if (self->collect_wanted) {
        dm_collect(ctx, self);
    }
    return ACTOR_CONTINUE;
}

static verdict_t
ask_worker(actor_ctx_t *ctx, const distribution_manager_t *self, const dm_op_t *op,
           actor_ref_t worker)
{
    const void *m = kept_record(op->command);
    uint64_t tag = dm_op_tag(self, op);

    if (op->type == &package_add_type) {
        return ask_package_worker_package_add(ctx, worker, m, DM_SLOW_MS, answered, tag);
    }
    if (op->type == &package_update_type) {
        return ask_package_worker_package_update(ctx, worker, m, DM_SLOW_MS, answered, tag);
    }
    return ask_package_worker_package_remove(ctx, worker, m, DM_SLOW_MS, answered, tag);
}

static void
try_op(actor_ctx_t *ctx, distribution_manager_t *self, dm_op_t *op)
{
    char key[NAME_BYTES_MAX + 1];
    actor_ref_t worker;

    key_of(op, key);
    verdict_t verdict = worker_of(ctx, self, key, &worker);
    if (verdict == VERDICT_OK) {
        verdict = ask_worker(ctx, self, op, worker);
    }
    if (verdict == VERDICT_DOWN) {
        zhashx_delete(self->package_worker, key);
        verdict = worker_of(ctx, self, key, &worker);
        verdict = verdict == VERDICT_OK ? ask_worker(ctx, self, op, worker) : verdict;
    }
    op->snapshot = verdict == VERDICT_OK && op->type != &package_remove_type;
    if (verdict != VERDICT_OK) {
        dm_op_refuse(ctx, op, verdict_err(verdict), slice_of(""));
    }
}

actor_next_t
dm_package(actor_ctx_t *ctx, distribution_manager_t *self, const record_type_t *type, const void *m)
{
    dm_op_t *op = dm_op_take(ctx, self, type, m, "package_worker");

    /* While the store is collected, or about to be, a snapshot would find objects that go. */
    bool waits = self->collecting || self->collect_holds;
    if (op && (!waits || type == &package_remove_type)) {
        try_op(ctx, self, op);
    }
    return ACTOR_CONTINUE;
}

void
dm_package_go_on(actor_ctx_t *ctx, distribution_manager_t *self)
{
    dm_backup_go_on(ctx, self);
    for (uint32_t i = 0; i < DM_OPS_MAX; i++) {
        dm_op_t *op = &self->op[i];
        bool waits = op->used && !op->snapshot &&
                     (op->type == &package_add_type || op->type == &package_update_type);
        if (waits) {
            try_op(ctx, self, op);
        }
    }
}

void
dm_package_down(distribution_manager_t *self, const actor_down_t *down)
{
    const char *key = strchr(down->name, ' ');
    const actor_ref_t *known = key ? zhashx_lookup(self->package_worker, key + 1) : NULL;

    if (known && known->index == down->who.index && down->reason != ACTOR_LATE) {
        zhashx_delete(self->package_worker, key + 1);
    }
}
