/* load.c - classes are checked before anything runs: every edge leads to a class that hears it, and
 * nobody needs or calls in a circle.
 */
#include "runtime/inside.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

loaded_class_t *
load_find(const core_t *core, const char *name)
{
    for (uint32_t i = 0; i < core->class_count; i++) {
        if (strcmp(core->classes[i].class->name, name) == 0) {
            return &core->classes[i];
        }
    }
    return NULL;
}

loaded_class_t *
load_of(const core_t *core, const actor_class_t *class)
{
    for (uint32_t i = 0; i < core->class_count; i++) {
        if (core->classes[i].class == class) {
            return &core->classes[i];
        }
    }
    return NULL;
}

static void
edge_leads_to(const core_t *core, loaded_edge_t *edge, uint32_t row)
{
    envelope_t head;

    memset(&head, 0, sizeof head);
    head.hears = (uint16_t) row;
    head.attempt = 1;
    head.reserved = true;
    edge->lane = edge->target->class->hears[row].lane;
    head.lane = (uint8_t) edge->lane;
    edge->batches = core->executor.batches && edge->kind == EDGE_TELL && edge->lane == LANE_NORMAL;
    head.kind = edge->kind == EDGE_TELL ? ENV_TELL : ENV_ASK;
    memcpy(&edge->tail, (const uint8_t *) &head + ENVELOPE_TAIL, sizeof edge->tail);
}

static err_t
resolve_edge(core_t *core, const loaded_class_t *from, loaded_edge_t *edge,
             const actor_edge_t *as_listed, char *why, size_t why_size)
{
    edge->kind = as_listed->kind;
    edge->type = as_listed->type;
    edge->target = load_find(core, as_listed->target);
    if (edge->target == NULL) {
        snprintf(why, why_size, "cannot load '%s': it speaks to %s, which is no class of this host",
                 from->class->name, as_listed->target);
        return ERR_UNDECLARED;
    }
    const actor_class_t *target = edge->target->class;
    assert(target->hears_count <= UINT16_MAX && "a row is told by 16 bits");
    for (uint32_t i = 0; i < target->hears_count; i++) {
        if (target->hears[i].type == as_listed->type) {
            edge_leads_to(core, edge, i);
            return OK;
        }
    }
    snprintf(why, why_size, "cannot load '%s': %s does not hear %s", from->class->name,
             target->name, as_listed->type->name);
    return ERR_UNDECLARED;
}

static err_t
resolve_edges(core_t *core, char *why, size_t why_size)
{
    for (uint32_t i = 0; i < core->class_count; i++) {
        loaded_class_t *class = &core->classes[i];
        class->edge = xalloc(class->class->edge_count + 1, sizeof *class->edge);
        class->edge_count = class->class->edge_count;
        for (uint32_t e = 0; e < class->class->edge_count; e++) {
            TRY(resolve_edge(core, class, &class->edge[e], &class->class->edges[e], why, why_size));
        }
    }
    return OK;
}

typedef struct search {
    const core_t *core;
    uint8_t *seen; /* 0 not yet, 1 on the path, 2 done */
    uint32_t *path;
    uint32_t depth;
    char *why;
    size_t why_size;
} search_t;

static void
print_cycle(const search_t *search, uint32_t back_to)
{
    uint32_t from = 0;
    while (search->path[from] != back_to) {
        from++;
    }
    size_t used = (size_t) snprintf(search->why, search->why_size, "needs and calls in a circle: ");
    for (uint32_t i = from; i < search->depth && used < search->why_size; i++) {
        used += (size_t) snprintf(search->why + used, search->why_size - used, "%s -> ",
                                  search->core->classes[search->path[i]].class->name);
    }
    if (used < search->why_size) {
        snprintf(search->why + used, search->why_size - used, "%s",
                 search->core->classes[back_to].class->name);
    }
}

static err_t
visit(search_t *search, uint32_t index)
{
    const loaded_class_t *class = &search->core->classes[index];
    search->seen[index] = 1;
    search->path[search->depth++] = index;
    for (uint32_t e = 0; e < class->class->edge_count; e++) {
        const loaded_edge_t *edge = &class->edge[e];
        if (edge->kind != EDGE_NEED && edge->kind != EDGE_CALL) {
            continue;
        }
        if (search->seen[edge->target->index] == 1) {
            print_cycle(search, edge->target->index);
            return ERR_CYCLE;
        }
        if (search->seen[edge->target->index] == 0) {
            TRY(visit(search, edge->target->index));
        }
    }
    search->depth--;
    search->seen[index] = 2;
    return OK;
}

static err_t
refuse_cycles(const core_t *core, char *why, size_t why_size)
{
    search_t search = {
        .core = core,
        .seen = xalloc(core->class_count, 1),
        .path = xalloc(core->class_count, sizeof(uint32_t)),
        .why = why,
        .why_size = why_size,
    };
    err_t err = OK;
    for (uint32_t i = 0; i < core->class_count && err == OK; i++) {
        err = search.seen[i] == 0 ? visit(&search, i) : OK;
    }
    free(search.seen);
    free(search.path);
    return err;
}

static actor_placement_t
placement_of(const actor_class_t *class, host_placement_t wish)
{
    actor_placement_t placement = class->placement;
    if (placement == ACTOR_BY_ROLE) {
        placement = class->role ? ACTOR_OWN_WORKER : ACTOR_WITH_PARENT;
    }
    return placement == ACTOR_OWN_WORKER && wish == HOST_POOL ? ACTOR_POOL : placement;
}

/* What all else takes for granted of it; OK, or what is wrong. */
static err_t
look_at_class(const actor_class_t *class, const loaded_class_t *same, char *why, size_t why_size)
{
    const char *name = class->name;
    if (same != NULL && same->class != class) {
        snprintf(why, why_size, "cannot load '%s': another class has that name", name);
        return ERR_EXISTS;
    }
    if (class->lane_messages_max > ROOM_MESSAGES_MAX) {
        snprintf(why, why_size, "cannot load '%s': a lane has room for %u messages at most, not %u",
                 name, ROOM_MESSAGES_MAX, class->lane_messages_max);
        return ERR_TOO_LARGE;
    }
    for (uint32_t i = 0; i < class->hears_count; i++) {
        const actor_hears_t *row = &class->hears[i];
        if (row->lane != LANE_URGENT && row->lane != LANE_NORMAL) {
            snprintf(why, why_size, "cannot load '%s': it hears %s in a lane of the runtime's own",
                     name, row->type->name);
            return ERR_BAD_VALUE;
        }
    }
    return OK;
}

static err_t
add_class(core_t *core, const actor_class_t *class, host_placement_t wish, char *why,
          size_t why_size)
{
    const loaded_class_t *same = load_find(core, class->name);
    TRY(look_at_class(class, same, why, why_size));
    if (same != NULL) {
        return OK;
    }
    loaded_class_t *loaded = &core->classes[core->class_count];
    loaded->class = class;
    loaded->hears = class->hears;
    loaded->index = core->class_count++;
    loaded->messages_max =
        class->lane_messages_max == 0 ? LANE_MESSAGES_MAX : class->lane_messages_max;
    loaded->bytes_max = class->lane_bytes_max == 0 ? LANE_BYTES_MAX : class->lane_bytes_max;
    loaded->leases = loaded->messages_max >= LEASE_FROM && loaded->bytes_max >= LEASE_FROM_BYTES;
    actor_placement_t placement = placement_of(class, wish);
    bool own = placement == ACTOR_OWN_WORKER || placement == ACTOR_BESIDE_THE_POOL;
    loaded->with_parent = placement == ACTOR_WITH_PARENT;
    loaded->worker = own ? core->worker_count++ : UINT32_MAX;
    return OK;
}

err_t
load_classes(core_t *core, const core_options_t *options, char *why, size_t why_size)
{
    uint32_t count = 0;
    while (options->classes[count] != NULL) {
        count++;
    }
    core->classes = xalloc(count + 1, sizeof *core->classes);
    TRY(add_class(core, options->root, options->placement, why, why_size));
    for (uint32_t i = 0; i < count; i++) {
        TRY(add_class(core, options->classes[i], options->placement, why, why_size));
    }
    assert(core->class_count <= UINT16_MAX && "a class is told by 16 bits");
    core->root_class = load_find(core, options->root->name);
    core->pool_first = core->worker_count;
    core->pool_count = options->pool_workers == 0 ? POOL_WORKERS : options->pool_workers;
    core->worker_count += core->pool_count;
    if (core->worker_count > WORKERS_MAX) {
        snprintf(why, why_size, "cannot load '%u workers': the limit is %u", core->worker_count,
                 WORKERS_MAX);
        return ERR_TOO_LARGE;
    }
    if (options->notes_to != NULL) {
        core->notes_class = load_find(core, options->notes_to);
    }
    TRY(resolve_edges(core, why, why_size));
    return refuse_cycles(core, why, why_size);
}

void
load_free(core_t *core)
{
    for (uint32_t i = 0; i < core->class_count; i++) {
        free(core->classes[i].edge);
    }
    free(core->classes);
}
