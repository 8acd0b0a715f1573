/* stage.c - makes the machine and the site on it, lets time pass, and looks at what is where. */
#include "tests/sim/stage_inside.h"

#include <assert.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "actors/roster.h"
#include "tests/sim/machine.h"
#include "tests/sim/stage_poison.h"
#include "tests/placement.h"

#define WALL_START_NS INT64_C(1790000000000000000) /* a day in 2026 */
#define STEPS_MAX     20000000u /* of one wait; more is a run that does not end */
#define RECOUNT_STEPS 1000u     /* between two full recounts */
#define SETTLE_STEPS  64u       /* of many points, until the mark is settled */

static const char *const point_names[STAGE_POINTS_MAX] = {"a", "b", "c", "d"};

/* ---- the machine ---- */

void
stage_make_tree(const stage_t *stage, world_t *w, const char *path, uint32_t version)
{
    machine_make_tree(w, path, stage->options.files, version);
    if (stage->options.edited) {
        machine_make_edited(w, path, stage->options.large, version);
    }
}

/* What the source has now, where the oracles find it. */
static void
keep_version(stage_t *stage, world_t *w, uint32_t version)
{
    char path[64];

    snprintf(path, sizeof path, "/versions/%u", version);
    stage_make_tree(stage, w, path, version);
    stage->versions = version > stage->versions ? version : stage->versions;
}

static void
make_machine(stage_t *stage)
{
    world_sim_t *machine = sim_world(stage->sim);
    world_t *w = world_sim_job_new(machine, NULL, NULL);

    if (!stage->options.fresh_data) {
        machine_make_dir(w, "/data");
    }
    machine_make_dir(w, "/points");
    for (uint32_t i = 0; i < stage->options.points; i++) {
        char path[64];
        snprintf(path, sizeof path, "/points/%s", point_names[i]);
        machine_make_dir(w, path);
        world_sim_mount_t mount = {path, UINT64_C(1) << 30, 100000};
        world_sim_mount(machine, &mount);
        world_sim_set_type(machine, path, stage->options.plain_disks ? 1 : 0);
    }
    stage_make_tree(stage, w, "/source", 1);
    machine_make_dir(w, "/versions");
    keep_version(stage, w, 1);
    world_sim_set_type(machine, "/", stage->options.plain_disks ? 1 : 0);
    machine_sync(w, "/");
    machine_make_dir(w, "/data");
    world_sim_job_destroy(&w);
}

static host_options_t
host_options(stage_t *stage)
{
    draft_over(&stage->args, stage->args_memory, sizeof stage->args_memory);
    site_args_t *args = draft_begin(&stage->args, &site_args_type);

    args->data = draft_text(&stage->args, slice_of("/data"));
    args->site = draft_text(&stage->args, slice_of("S01"));
    args->grace_ms = 1000;
    if (stage->options.agents.step) {
        args->listen = draft_text(&stage->args, slice_of("tcp://site:1"));
        args->plain = draft_text(&stage->args, slice_of("tcp://site:2"));
    }
    return (host_options_t){
        .classes = stage->options.classes ? stage->options.classes : roster,
        .root = stage->options.root ? stage->options.root : &executive_class,
        .root_args_type = &site_args_type,
        .root_args = args,
        .root_args_bytes = stage->args.size,
        .notes_to = "alarm_manager",
        .placement = placement_wanted(),
    };
}

stage_t *
stage_new(const stage_options_t *options)
{
    stage_t *stage = calloc(1, sizeof *stage);
    char why[512] = "";
    err_t err = OK;

    poison_prepare();
    assert(stage && options->points <= STAGE_POINTS_MAX);
    stage->options = *options;
    stage->ledger = ledger_new(stage);
    stage->chance = options->seed;
    host_options_t host = host_options(stage);
    sim_options_t sim = {
        .seed = options->seed,
        .strategy = options->strategy,
        .rounds = options->rounds,
        .host = &host,
        .world = {.wall_start_ns = WALL_START_NS, .latency_ns_max = options->bare ? 0 : 200000},
        .delay_ns_max = options->bare ? 0 : 300000,
        .saw = options->bare ? options->saw : oracle_saw,
        .saw_context = options->bare ? options->saw_context : stage,
        .commands_to = "provider",
        .publishes = "status_link",
        .heard = stage_heard,
        .published = options->bare ? NULL : oracle_published,
        .outside_context = stage,
        .places = options->places,
        .over_sockets = options->over_sockets,
    };
    if (options->agents.step) {
        sim.peers = "agent_link";
        sim.peers_to = "agent_gateway";
        sim.peer_sent = options->agents.sent;
        sim.plain = "plain_link";
        sim.plain_sent = options->agents.plain_sent;
        sim.peer_knocked = options->agents.knocked;
        sim.peers_context = options->agents.context;
    }
    stage->sim = sim_new(&sim, &err, why, sizeof why);
    if (!stage->sim) {
        stage_note_fault(stage, "cannot make the host: %s: %s", err_word(err), why);
        return stage;
    }
    make_machine(stage);
    sim_start(stage->sim);
    return stage;
}

void
stage_destroy(stage_t **stage)
{
    if (!*stage) {
        return;
    }
    sim_destroy(&(*stage)->sim);
    free((*stage)->answer);
    said_free(*stage);
    ledger_destroy(&(*stage)->ledger);
    free(*stage);
    *stage = NULL;
}

sim_t *
stage_sim(stage_t *stage)
{
    return stage->sim;
}

world_sim_t *
stage_world(stage_t *stage)
{
    return sim_world(stage->sim);
}

/* ---- time ---- */

static void
step(stage_t *stage, int64_t until)
{
    const stage_agents_t *agents = &stage->options.agents;

    if (agents->step) {
        agents->step(agents->context, until);
    } else {
        sim_run_for(stage->sim, until - sim_now_ns(stage->sim), 1);
    }
}

/* What is never synced is kept as an effect that a power cut may lose, one for each commit, and all
 * of them are gone through at each sync: where thousands are made they are settled now and then. */
static void
settle_mark(stage_t *stage)
{
    world_t *look = world_sim_look_new(stage_world(stage));
    int fd = world_open(look, AT_FDCWD, "/data/site.mark", O_RDWR, 0, 0);

    if (fd >= 0) {
        (void) world_sync_data(look, fd);
        world_close(look, fd);
    }
    world_sim_job_destroy(&look);
}

/* A step at a time: a power cut at a named point is the end of that step, and every so many steps
 * everything is counted anew. */
void
stage_run(stage_t *stage, uint32_t virtual_ms)
{
    int64_t until = stage->sim ? sim_now_ns(stage->sim) + (int64_t) virtual_ms * 1000000 : 0;

    for (uint64_t i = 0; i < STEPS_MAX && stage->sim && sim_now_ns(stage->sim) < until; i++) {
        step(stage, until);
        if (world_sim_is_cut(sim_world(stage->sim))) {
            stage_crash(stage);
        }
        if (stage->options.bare) {
            if (i % SETTLE_STEPS == 0) {
                settle_mark(stage);
            }
            continue;
        }
        ledger_look(stage->ledger);
        if (sim_steps(stage->sim) - stage->recounted >= RECOUNT_STEPS) {
            stage->recounted = sim_steps(stage->sim);
            oracle_recount(stage);
        }
    }
}

bool
stage_ready(stage_t *stage, uint32_t virtual_ms)
{
    for (uint32_t waited = 0; stage->sim && waited <= virtual_ms; waited += 10) {
        if (sim_is_ready(stage->sim, NULL, 0)) {
            return true;
        }
        stage_run(stage, 10);
    }
    return false;
}

void
stage_crash(stage_t *stage)
{
    story_note(stage, "power cut");
    oracle_crashed(stage);
    stage->power_cuts++;
    if (!sim_crash(stage->sim)) {
        stage_note_fault(stage, "no host could be made after a power cut");
    }
    oracle_recount(stage);
}

void
stage_cut_in_retry(stage_t *stage, uint32_t operations)
{
    stage->cut_in_retry = operations;
}

void
stage_rots(stage_t *stage, uint32_t point, bool rotten)
{
    stage->rotten[point] = rotten;
}

void
stage_plug(stage_t *stage, const char *point, bool plugged)
{
    char path[64];

    snprintf(path, sizeof path, "/points/%s", point);
    if (plugged) {
        world_sim_plug(stage_world(stage), path);
    } else {
        world_sim_unplug(stage_world(stage), path);
    }
}

/* ---- what is where ---- */

static bool
target_word(const wire_value_t *targets, const char *point, char *ret_word, size_t size)
{
    const uint8_t *at = targets->body;

    for (uint32_t i = 0; i < targets->count; i++) {
        wire_value_t target, dp, state;
        wire_next(targets, &at, &target);
        if (wire_find(&target, "dp", &dp) && slice_equal(dp.bytes, slice_of(point)) &&
            wire_find(&target, "state", &state)) {
            return slice_copy(state.bytes, ret_word, size);
        }
    }
    return false;
}

const char *
stage_target(stage_t *stage, const char *package, const char *point)
{
    char id[80];
    wire_value_t targets;

    snprintf(id, sizeof id, "id=%s", package);
    stage->word[0] = 0;
    if (stage_do(stage, 5000, "status", id, NULL) == OK &&
        wire_find(&stage->result, "targets", &targets)) {
        target_word(&targets, point, stage->word, sizeof stage->word);
    }
    return stage->word;
}

bool
stage_tree_is_whole(stage_t *stage, const char *package, const char *point, char *ret_why,
                    size_t why_size)
{
    world_t *w = world_sim_job_new(stage_world(stage), NULL, NULL);
    char path[512], version[128];

    snprintf(path, sizeof path, "/points/%s/%s/current", point, package);
    int64_t size = world_read_link(w, -100, path, version, sizeof version - 1);
    if (size < 0) {
        snprintf(ret_why, why_size, "%s: %s", path, strerror((int) -size));
        world_sim_job_destroy(&w);
        return false;
    }
    version[size] = 0;
    snprintf(path, sizeof path, "/points/%s/%s/%s", point, package, version);
    bool whole = machine_trees_equal(w, "/source", path, ret_why, why_size);
    world_sim_job_destroy(&w);
    return whole;
}

void
stage_change_source(stage_t *stage, uint32_t version)
{
    world_t *w = world_sim_look_new(stage_world(stage));

    stage_make_tree(stage, w, "/source", version);
    keep_version(stage, w, version);
    world_sim_job_destroy(&w);
}

uint64_t
stage_commits(const stage_t *stage)
{
    return ledger_commits(stage->ledger);
}

uint32_t
stage_power_cuts(const stage_t *stage)
{
    return stage->power_cuts;
}

uint64_t
stage_last_seq(const stage_t *stage)
{
    return stage->last_seq;
}
