/* sim_graph.c - the whole truth about who waits for whom, from the actors themselves.
 *
 * wait.c follows one word for each caller while threads run; here everything stands still, so each
 * open ask is looked for wherever it can be: on its way, in a lane, accepted and put off, or
 * answered. An ask has hope when something is left that can answer it. Hope is what is found by
 * going from one ask to what it waits for, until nothing new is found; what then has none is in a
 * deadlock, since only its deadline would end it. */
#include "runtime/sim_graph.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

actor_t *
sim_actor_at(const sim_t *sim, uint32_t index)
{
    const cell_t *cell = cell_at(sim->core, index);

    return atomic_load(&cell->life) >> 32 == 0 ? NULL : atomic_load(&cell->actor);
}

/* ---- where an ask is ---- */

static bool
is_it(const envelope_t *e, envelope_kind_t kind, const actor_t *asker, uint64_t id)
{
    actor_ref_t whose = kind == ENV_ASK ? e->from : e->to;
    return e->kind == kind && e->number == id && whose.index == asker->self.index;
}

static bool
fifo_has(const fifo_t *fifo, envelope_kind_t kind, const actor_t *asker, uint64_t id)
{
    const envelope_t *e = fifo->head;
    while (e && !is_it(e, kind, asker, id)) {
        e = e->next;
    }
    return e;
}

static bool
waits_in(const actor_t *at, lane_t lane, envelope_kind_t kind, const actor_t *asker, uint64_t id)
{
    const envelope_t *e = lane_first(at, lane);
    while (e && !is_it(e, kind, asker, id)) {
        e = lane_after(at, lane, e);
    }
    return e;
}

/* Between two workers, or in the tray of the handler in hand. */
static bool
is_under_way(const sim_t *sim, envelope_kind_t kind, const actor_t *asker, uint64_t id)
{
    for (uint32_t i = 0; i < sim->busy_count; i++) {
        for (const flight_t *f = sim->channel[sim->busy[i]].head; f; f = f->next) {
            if (is_it(f->envelope, kind, asker, id)) {
                return true;
            }
        }
    }
    for (uint32_t i = 0; i < sim->workers; i++) {
        if (fifo_has(&core_worker(sim->core, i)->ctx.out, kind, asker, id)) {
            return true;
        }
    }
    return false;
}

static place_t
place_at(const waiting_t *waiting, actor_t *at)
{
    const actor_t *asker = waiting->asker;
    uint64_t id = waiting->ask->id;

    for (const accepted_t *a = at->accepted; a; a = a->next) {
        if (a->request.ask == id && a->request.asker.index == asker->self.index) {
            return (place_t){a->answered ? PLACE_ANSWERED : PLACE_ACCEPTED, at, a};
        }
    }
    for (int lane = LANE_URGENT; lane < LANE_COUNT; lane++) {
        if (waits_in(at, (lane_t) lane, ENV_ASK, asker, id)) {
            return (place_t){PLACE_LANE, at, NULL};
        }
    }
    for (const held_t *held = at->held; held; held = held->next) {
        if (fifo_has(&held->later, ENV_ASK, asker, id)) {
            return (place_t){PLACE_HELD, at, NULL};
        }
    }
    return (place_t){PLACE_LOST, at, NULL};
}

static place_t
place_of(const sim_t *sim, const waiting_t *waiting)
{
    const actor_t *asker = waiting->asker;
    uint64_t id = waiting->ask->id;
    actor_t *at = sim_actor_at(sim, waiting->ask->to.index);

    if (waits_in(asker, LANE_REPLY, ENV_REPLY, asker, id)) {
        return (place_t){PLACE_ANSWERED, at, NULL};
    }
    place_t place = at ? place_at(waiting, at) : (place_t){PLACE_LOST, NULL, NULL};
    if (place.kind == PLACE_LOST && is_under_way(sim, ENV_ASK, asker, id)) {
        place.kind = at ? PLACE_LANE : PLACE_ANSWERED; /* nobody is there: it will come back */
    } else if (place.kind == PLACE_LOST && is_under_way(sim, ENV_REPLY, asker, id)) {
        place.kind = PLACE_ANSWERED;
    }
    return place;
}

/* ---- what it waits for ---- */

const open_ask_t *
sim_call_of(const actor_t *actor)
{
    for (uint32_t i = 0; actor->calls_open > 0 && i < actor->rare->ask_capacity; i++) {
        if (actor->rare->ask[i] && actor->rare->ask[i]->call) {
            return actor->rare->ask[i];
        }
    }
    return NULL;
}

static bool
waits_for_itself(const place_t *place)
{
    return strcmp(place->accepted->waits_for, place->at->class->class->name) == 0;
}

static bool
is_asked_of(const open_ask_t *ask, const sim_t *sim, const char *class_name)
{
    const loaded_class_t *class = class_at(sim->core, ask->to);

    return !ask->job && class && strcmp(class->class->name, class_name) == 0;
}

/* ---- the whole graph ---- */

static void
node_add(sim_graph_t *graph, actor_t *asker, const open_ask_t *ask)
{
    if (graph->count == graph->room) {
        graph->room = graph->room ? 2 * graph->room : 64;
        graph->node = realloc(graph->node, graph->room * sizeof *graph->node);
        assert(graph->node && "memory for the graph of who waits for whom");
    }
    graph->node[graph->count++] = (waiting_t){.asker = asker, .ask = ask};
}

void
sim_graph_fill(sim_t *sim, sim_graph_t *graph)
{
    graph->count = 0;
    for (uint32_t i = 1; i < atomic_load(&sim->core->cells_used); i++) {
        actor_t *actor = sim_actor_at(sim, i);
        bool asks = actor && actor->asks_open > actor->jobs_open;
        for (uint32_t a = 0; asks && a < actor->rare->ask_capacity; a++) {
            if (actor->rare->ask[a] && !actor->rare->ask[a]->job) {
                node_add(graph, actor, actor->rare->ask[a]);
            }
        }
    }
    for (uint32_t i = 0; i < graph->count; i++) {
        graph->node[i].place = place_of(sim, &graph->node[i]);
    }
}

static waiting_t *
node_of(const sim_graph_t *graph, const open_ask_t *ask)
{
    for (uint32_t i = 0; i < graph->count; i++) {
        if (graph->node[i].ask == ask) {
            return &graph->node[i];
        }
    }
    return NULL;
}

/* ---- circles ---- */

/* Whether this ask of the one who put off may be what the deferral waits for. Of what serves a call
 * the runtime knows which it is. */
static bool
serves(const sim_t *sim, const place_t *place, const open_ask_t *ask)
{
    const accepted_t *accepted = place->accepted;

    if (accepted->chain.head.asker.index != 0) {
        return ask == accepted->asked;
    }
    return is_asked_of(ask, sim, accepted->waits_for);
}

static bool
meet(const sim_graph_t *graph, const open_ask_t *ask, const open_ask_t *wanted)
{
    waiting_t *node = ask ? node_of(graph, ask) : NULL;

    if (node) {
        node->met = true;
    }
    return ask == wanted;
}

/* Meets all that this one may wait for; true: wanted is among them. */
static bool
follow(const sim_t *sim, const sim_graph_t *graph, waiting_t *from, const open_ask_t *wanted)
{
    const place_t *place = &from->place;
    bool found = false, any = false;

    from->followed = true;
    if (place->kind == PLACE_LANE) {
        return meet(graph, sim_call_of(place->at), wanted);
    }
    if (place->kind != PLACE_ACCEPTED) {
        return false;
    }
    for (uint32_t i = 0; i < place->at->rare->ask_capacity; i++) {
        const open_ask_t *ask = place->at->rare->ask[i];
        if (ask && serves(sim, place, ask)) {
            any = true;
            found = meet(graph, ask, wanted) || found;
        }
    }
    return found ||
           (!any && waits_for_itself(place) && meet(graph, sim_call_of(place->at), wanted));
}

bool
sim_graph_has_circle(sim_t *sim, const actor_t *caller)
{
    sim_graph_t *graph = sim->graph;
    const open_ask_t *call = sim_call_of(caller);

    sim_graph_fill(sim, graph);
    if (!call || meet(graph, call, NULL)) {
        return false;
    }
    for (bool more = true; more;) {
        more = false;
        for (uint32_t i = 0; i < graph->count; i++) {
            waiting_t *node = &graph->node[i];
            if (node->met && !node->followed) {
                more = true;
                if (follow(sim, graph, node, call)) {
                    return true;
                }
            }
        }
    }
    return false;
}

/* ---- hope ---- */

static bool
ask_has_hope(const sim_graph_t *graph, const open_ask_t *ask)
{
    const waiting_t *node = node_of(graph, ask);

    return !node || node->hope;
}

/* An actor without anything to wait for but its asks, and none of these has hope. */
static bool
actor_has_hope(const sim_graph_t *graph, const actor_t *actor)
{
    bool all_without = actor->asks_open > 0 && actor->rare->timers == 0 && actor->jobs_open == 0 &&
                       actor->stage == STAGE_OPEN && !actor->rare->children;

    for (int lane = 0; lane < LANE_COUNT; lane++) {
        all_without = all_without && (actor->lane_depth[lane] == 0 || actor->calls_open > 0);
    }
    for (uint32_t i = 0; all_without && i < actor->rare->ask_capacity; i++) {
        all_without = !actor->rare->ask[i] || !ask_has_hope(graph, actor->rare->ask[i]);
    }
    return !all_without;
}

/* Whether what waits in its normal lane will be handled. */
static bool
lane_has_hope(const sim_graph_t *graph, const actor_t *actor)
{
    const open_ask_t *call = sim_call_of(actor);

    return !call || actor->stage != STAGE_OPEN || ask_has_hope(graph, call);
}

/* A deferral names a class: asks to it, or else what it does of its own accord. */
static bool
deferral_has_hope(const sim_t *sim, const sim_graph_t *graph, const place_t *place)
{
    const char *name = place->accepted->waits_for;
    uint32_t asked = 0;

    for (uint32_t i = 0; i < place->at->rare->ask_capacity; i++) {
        const open_ask_t *ask = place->at->rare->ask[i];
        if (ask && serves(sim, place, ask)) {
            asked++;
            if (ask_has_hope(graph, ask)) {
                return true;
            }
        }
    }
    if (asked > 0) {
        return false;
    }
    if (waits_for_itself(place)) {
        return lane_has_hope(graph, place->at);
    }
    const loaded_class_t *class = load_find(sim->core, name);
    actor_ref_t role = ref_of_word(class ? atomic_load(&class->role) : 0);
    const actor_t *itself = role.index == 0 ? NULL : sim_actor_at(sim, role.index);
    return !itself || actor_has_hope(graph, itself);
}

static bool
node_has_hope(const sim_t *sim, const sim_graph_t *graph, const waiting_t *node)
{
    const place_t *place = &node->place;

    switch (place->kind) {
    case PLACE_ANSWERED:
    case PLACE_HELD:
        return true;
    case PLACE_LANE:
        return lane_has_hope(graph, place->at);
    case PLACE_ACCEPTED:
        return deferral_has_hope(sim, graph, place);
    case PLACE_LOST:
        break;
    }
    return false;
}

uint32_t
sim_graph_judge(const sim_t *sim, sim_graph_t *graph)
{
    uint32_t without = graph->count;

    for (bool changed = true; changed;) {
        changed = false;
        for (uint32_t i = 0; i < graph->count; i++) {
            waiting_t *node = &graph->node[i];
            if (!node->hope && node_has_hope(sim, graph, node)) {
                node->hope = changed = true;
                without--;
            }
        }
    }
    return without;
}
