/* spawn.c - a child is made: its slot, the worker that it is on, and its start in the tray. */
#include "runtime/inside.h"

#include <stdlib.h>
#include <string.h>

static worker_t *
place(const actor_ctx_t *ctx, const loaded_class_t *class)
{
    core_t *core = ctx->worker->core;
    if (class->worker != UINT32_MAX) {
        return core_worker(core, class->worker);
    }
    if (class->with_parent) {
        return ctx->worker;
    }
    uint32_t turn = atomic_fetch_add(&core->pool_next, 1) % core->pool_count;
    return core_worker(core, core->pool_first + turn);
}

/* Of no bytes when it is that of the class. */
static slice_t
own_name(const actor_class_t *class, slice_t name)
{
    name.size = name.size > ACTOR_NAME_BYTES_MAX ? ACTOR_NAME_BYTES_MAX : name.size;
    name.size = name.size == 0 ? 0 : strnlen(name.data, name.size);
    return slice_equal(name, slice_of(class->name)) ? (slice_t){0} : name;
}

/* One of a role has it from here on, though nobody finds it before its start leaves the tray: a
 * second one is refused also in the same handler. */
static bool
claim_slot(core_t *core, loaded_class_t *class, actor_ref_t *ret_child)
{
    uint32_t nobody = 0;
    bool role = class->class->role;
    if ((role && atomic_load(&class->role_of) != 0) || !cell_claim(core, ret_child)) {
        return false;
    }
    if (!role || atomic_compare_exchange_strong(&class->role_of, &nobody, ret_child->index)) {
        return true;
    }
    cell_give_back(core, ret_child->index);
    return false;
}

verdict_t
actor_spawn(actor_ctx_t *ctx, const actor_class_t *class, slice_t name,
            const record_type_t *args_type, const void *args, uint64_t tag, actor_ref_t *ret_child)
{
    actor_t *parent = ctx->actor;
    core_t *core = parent->core;
    loaded_class_t *loaded = load_of(core, class);
    if (loaded == NULL) {
        return VERDICT_UNDECLARED;
    }
    uint32_t size = 0;
    verdict_t verdict = args == NULL ? VERDICT_OK : record_source(ctx, args_type, args, &size);
    if (verdict != VERDICT_OK) {
        return verdict;
    }
    actor_ref_t child;
    if (!claim_slot(core, loaded, &child)) {
        return VERDICT_FULL;
    }
    name = own_name(class, name);
    life_new(core, loaded, child, parent->self, name, place(ctx, loaded));
    worker_enters(ctx->worker);
    supervisor_add(parent, child, loaded, name, tag);
    worker_leaves(ctx->worker);
    tray_add(ctx, envelope_new(ENV_INIT, parent->self, child, args == NULL ? NULL : args_type, args,
                               size));
    if (ret_child != NULL) {
        *ret_child = child;
    }
    return VERDICT_OK;
}

void
supervisor_child_leaves(actor_t *parent, actor_ref_t who)
{
    cell_t *cell = cell_at(parent->core, who.index);
    actor_t *child = atomic_load(&cell->actor);
    atomic_store_explicit(&cell->leaves, true, memory_order_release);
    if (child->class->class->role) {
        atomic_store(&child->class->role, ref_word(who));
    }
}
