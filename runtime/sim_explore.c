/* sim_explore.c - runs a small cast in one order after the other: see sim_explore.h. */
#include "runtime/sim_explore.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/inside.h"
#include "runtime/sim_inside.h"
#include "runtime/sim_race.h"

typedef struct explorer {
    const sim_explore_options_t *options;
    sim_explored_t *ret;
    sim_t *sim;
    frame_t *frame;
    uint32_t depth; /* frames */
    uint32_t at;    /* the next event of this run */
    uint32_t epoch;
    bool cut, too_long;
    /* of the step in hand: whether it is an event, what it does, and the step that sent that */
    bool decided;
    deed_t deed;
    const envelope_t *envelope;
    uint64_t sent_at;
    uint64_t *seen; /* what each worker handled: it tells one order from another */
    size_t order_room;
    char *story; /* of a run that is told */
    size_t story_used, story_size;
} explorer_t;

/* ---- what is seen by all ---- */

/* all: what every actor may look at, but for places in lanes. stages: what deliveries look at,
 * which is whether an actor has ended. */
typedef struct shared {
    uint64_t all, stages;
} shared_t;

static void
mix(uint64_t *sum, uint64_t number)
{
    *sum = (*sum ^ number) * UINT64_C(0x9e3779b97f4a7c15);
    *sum ^= *sum >> 29;
}

static shared_t
shared_state(const sim_t *sim)
{
    const core_t *core = sim->core;
    shared_t sum = {0, 0};

    mix(&sum.all, atomic_load(&core->free_head));
    mix(&sum.all, atomic_load(&core->cells_used));
    mix(&sum.all, atomic_load(&core->wait_sequence));
    mix(&sum.all, (uint64_t) atomic_load(&core->stop_requested) << 1 | atomic_load(&core->ended));
    for (uint32_t i = 1; i < atomic_load(&core->cells_used); i++) {
        const cell_t *cell = &core->cells[i];
        const actor_t *actor = atomic_load(&cell->actor);
        mix(&sum.all, atomic_load(&cell->life));
        mix(&sum.all, atomic_load(&cell->waits));
        mix(&sum.stages, actor && actor->stage <= STAGE_OPEN);
    }
    for (uint32_t i = 0; i < core->class_count; i++) {
        mix(&sum.all, atomic_load(&core->classes[i].role));
    }
    return sum;
}

/* ---- one run ---- */

static void
tell(explorer_t *explorer, const char *what)
{
    if (explorer->story && explorer->story_used < explorer->story_size) {
        int wrote = snprintf(explorer->story + explorer->story_used,
                             explorer->story_size - explorer->story_used, "\n%s", what);
        explorer->story_used += wrote > 0 ? (size_t) wrote : 0;
    }
}

/* More than one actor on a worker: which is next depends on more than lanes. */
static bool
is_shared(const sim_t *sim, uint32_t worker)
{
    uint32_t actors = 0;

    for (uint32_t i = 1; i < atomic_load(&sim->core->cells_used); i++) {
        const cell_t *cell = &sim->core->cells[i];
        actors += atomic_load(&cell->life) >> 32 != 0 && atomic_load(&cell->worker) == worker;
    }
    return actors > 1;
}

/* What the worker handles next, as lane.c finds it; NULL: that is not so simple. */
static const envelope_t *
next_of(const worker_t *worker)
{
    for (int lane = 0; lane < LANE_COUNT; lane++) {
        const actor_t *actor = lane_ready(worker, (lane_t) lane);
        if (actor && actor->held) {
            return NULL;
        }
        const envelope_t *first = actor ? lane_first(actor, (lane_t) lane) : NULL;
        if (first && lane_is_open(actor, (lane_t) lane)) {
            return first;
        }
    }
    return NULL;
}

static lane_t
lane_of(const envelope_t *envelope)
{
    switch ((envelope_kind_t) envelope->kind) {
    case ENV_TELL:
    case ENV_ASK:
    case ENV_TIMER:
        return (lane_t) envelope->lane;
    case ENV_REPLY:
        return LANE_REPLY;
    default:
        return LANE_SYSTEM;
    }
}

/* Looks at what is about to happen. */
static void
describe(explorer_t *explorer, sim_t *sim, uint32_t choice)
{
    char text[256];
    uint32_t channels = sim_channel_count(sim);
    bool delivers = choice < channels;
    uint32_t at = delivers ? choice % sim->workers : choice - channels;
    const worker_t *worker = core_worker(sim->core, at);
    const flight_t *flight = delivers ? sim->channel[choice].head : NULL;
    const envelope_t *envelope = delivers ? flight->envelope : next_of(worker);

    explorer->decided = true;
    explorer->envelope = envelope;
    explorer->sent_at = delivers ? flight->sent_at : 0;
    explorer->deed = (deed_t){.process = choice, .worker = at, .delivers = delivers};
    explorer->deed.strict = !envelope || envelope->kind == ENV_DOWN || is_shared(sim, at);
    explorer->deed.lane = envelope ? lane_of(envelope) : LANE_SYSTEM;
    if (!delivers) {
        uint64_t *seen = &explorer->seen[at];
        *seen = (*seen ^ (envelope ? envelope_hash(envelope) : 1)) * UINT64_C(0x9e3779b97f4a7c15);
        *seen ^= *seen >> 31;
        snprintf(text, sizeof text, "    %s runs", worker_name(worker));
    } else {
        envelope_print(sim->core, envelope, text, sizeof text);
    }
    tell(explorer, text);
}

static uint32_t
without_jobs(const sim_t *sim, uint32_t count)
{
    uint32_t first_job = sim_channel_count(sim) + sim->workers;

    while (count > 0 && sim->choice[count - 1] >= first_job) {
        count--;
    }
    return count;
}

static uint32_t
decide(void *context, sim_t *sim, uint32_t count)
{
    explorer_t *explorer = context;
    uint32_t choices = without_jobs(sim, count);

    if (choices == 0) {
        explorer->epoch++;
        return sim->choice[0];
    }
    explorer->too_long = explorer->at == SIM_EXPLORE_STEPS;
    if (explorer->at == explorer->depth && !explorer->too_long) {
        explorer->cut = !frame_begin(explorer->frame, explorer->depth++, sim->choice, choices,
                                     explorer->epoch, explorer->options->all);
    }
    if (explorer->cut || explorer->too_long) {
        return sim->choice[0]; /* the run is over */
    }
    const frame_t *frame = &explorer->frame[explorer->at];
    uint32_t chosen = frame->todo[frame->tried - 1];
    assert(frame_offers(frame, chosen) && "the same choices make the same run");
    describe(explorer, sim, chosen);
    return chosen;
}

static void
event_done(explorer_t *explorer)
{
    explorer->frame[explorer->at].event = (event_t){.deed = explorer->deed,
                                                    .epoch = explorer->epoch,
                                                    .step = sim_steps(explorer->sim),
                                                    .envelope = explorer->envelope};
    races_find(explorer->frame, explorer->at, explorer->sent_at, explorer->options->all);
    explorer->at++;
}

static void
steps(explorer_t *explorer, int64_t until_ns)
{
    sim_t *sim = explorer->sim;
    shared_t state = shared_state(sim);

    for (bool goes_on = true; goes_on && sim_now_ns(sim) < until_ns;) {
        explorer->decided = false;
        goes_on = sim_step_until(sim, until_ns) && !explorer->cut && !explorer->too_long;
        explorer->epoch += sim->choices == 0;
        shared_t after = shared_state(sim);
        if (explorer->decided) {
            explorer->deed.global = after.all != state.all;
            explorer->deed.strict = explorer->deed.strict || after.stages != state.stages;
            event_done(explorer);
        }
        state = after;
    }
}

static void
order_add(explorer_t *explorer)
{
    sim_explored_t *ret = explorer->ret;
    uint64_t order = 0;

    for (uint32_t i = 0; i < explorer->sim->workers; i++) {
        order = (order ^ explorer->seen[i]) * UINT64_C(0x9e3779b97f4a7c15) + i;
        order ^= order >> 29;
    }
    if (ret->orders == explorer->order_room) {
        explorer->order_room = explorer->order_room ? 2 * explorer->order_room : 1024;
        ret->order = realloc(ret->order, explorer->order_room * sizeof *ret->order);
        assert(ret->order && "memory for the orders that were run");
    }
    ret->order[ret->orders++] = order;
}

/* False: its end was judged badly. */
static bool
run_ends(explorer_t *explorer)
{
    const sim_explore_options_t *options = explorer->options;
    sim_explored_t *ret = explorer->ret;

    ret->steps += explorer->at;
    if (explorer->cut) {
        ret->cut++;
        return true;
    }
    if (explorer->too_long) {
        ret->complete = false;
        return true;
    }
    ret->runs++;
    order_add(explorer);
    return options->judge(options->context, explorer->sim, ret->why, sizeof ret->why);
}

static bool
run(explorer_t *explorer)
{
    sim_options_t options = explorer->options->sim;
    err_t err = OK;
    char why[256];

    options.delay_ns_max = 0;
    explorer->sim = sim_new(&options, &err, why, sizeof why);
    assert(explorer->sim && "a cast that a simulator takes");
    explorer->sim->decide = decide;
    explorer->sim->decide_context = explorer;
    explorer->seen = calloc(explorer->sim->workers, sizeof *explorer->seen);
    assert(explorer->seen);
    explorer->at = explorer->epoch = 0;
    explorer->cut = explorer->too_long = false;
    sim_start(explorer->sim);
    steps(explorer, sim_now_ns(explorer->sim) + explorer->options->until_ns);
    bool well = explorer->story || run_ends(explorer);
    free(explorer->seen);
    sim_destroy(&explorer->sim);
    return well;
}

/* ---- all of them ---- */

/* To the last frame at which something else is worth trying; false: all was tried. */
static bool
turn_back(explorer_t *explorer)
{
    for (; explorer->depth > 0; explorer->depth--) {
        frame_t *frame = &explorer->frame[explorer->depth - 1];
        if (frame->tried > 0 && !explorer->options->all) {
            frame_tried(frame);
        }
        if (frame_next(frame)) {
            return true;
        }
    }
    return false;
}

static int
ascending(const void *a_, const void *b_)
{
    const uint64_t *a = a_, *b = b_;

    return (*a > *b) - (*a < *b);
}

static void
orders_close(sim_explored_t *ret)
{
    uint64_t different = 0;

    if (ret->orders > 0) {
        qsort(ret->order, ret->orders, sizeof *ret->order, ascending);
    }
    for (uint64_t i = 0; i < ret->orders; i++) {
        if (different == 0 || ret->order[different - 1] != ret->order[i]) {
            ret->order[different++] = ret->order[i];
        }
    }
    ret->orders = different;
}

/* The run that was judged badly, once more, step by step. */
static void
story_add(explorer_t *explorer)
{
    sim_explored_t *ret = explorer->ret;
    size_t used = strlen(ret->why);

    explorer->story = ret->why + used;
    explorer->story_size = sizeof ret->why - used;
    run(explorer);
}

void
sim_explore(const sim_explore_options_t *options, sim_explored_t *ret)
{
    explorer_t explorer = {.options = options, .ret = ret};
    bool well, more;

    *ret = (sim_explored_t){.complete = true};
    explorer.frame = calloc(SIM_EXPLORE_STEPS, sizeof *explorer.frame);
    assert(explorer.frame);
    do {
        well = run(&explorer);
        if (!well) {
            story_add(&explorer);
        }
        more = well && turn_back(&explorer);
    } while (more && (options->runs_max == 0 || ret->runs < options->runs_max));
    ret->complete = ret->complete && !more && well;
    orders_close(ret);
    free(explorer.frame);
}

void
sim_explored_free(sim_explored_t *explored)
{
    free(explored->order);
    explored->order = NULL;
}
