/* stage.c - makes the machine and the site on it, and says commands. */
#include "tests/sim/stage_inside.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "actors/roster.h"
#include "tests/sim/machine.h"
#include "tests/placement.h"

#define WALL_START_NS INT64_C(1790000000000000000) /* a day in 2026 */
#define STEPS_MAX     20000000u /* of one wait; more is a run that does not end */

static const char *const point_names[STAGE_POINTS_MAX] = {"a", "b", "c", "d"};

/* ---- the machine ---- */

static void
make_machine(stage_t *stage)
{
    world_sim_t *machine = sim_world(stage->sim);
    world_t *w = world_sim_job_new(machine, NULL, NULL);

    machine_make_dir(w, "/data");
    machine_make_dir(w, "/points");
    for (uint32_t i = 0; i < stage->options.points; i++) {
        char path[64];
        snprintf(path, sizeof path, "/points/%s", point_names[i]);
        machine_make_dir(w, path);
        world_sim_mount_t mount = {path, UINT64_C(1) << 30, 100000};
        world_sim_mount(machine, &mount);
    }
    machine_make_tree(w, "/source", stage->options.files, 1);
    machine_sync(w, "/");
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

    assert(stage && options->points <= STAGE_POINTS_MAX);
    stage->options = *options;
    host_options_t host = host_options(stage);
    sim_options_t sim = {
        .seed = options->seed,
        .strategy = options->strategy,
        .host = &host,
        .world = {.wall_start_ns = WALL_START_NS, .latency_ns_max = 200000},
        .delay_ns_max = 300000,
        .saw = oracle_saw,
        .saw_context = stage,
        .commands_to = "provider",
        .publishes = "status_link",
        .heard = stage_heard,
        .published = oracle_published,
        .outside_context = stage,
    };
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

void
stage_run(stage_t *stage, uint32_t virtual_ms)
{
    if (stage->sim) {
        sim_run_for(stage->sim, (int64_t) virtual_ms * 1000000, STEPS_MAX);
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
    oracle_crashed(stage);
    if (!sim_crash(stage->sim)) {
        stage_note_fault(stage, "no host could be made after a power cut");
    }
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

/* ---- commands ---- */

static void
put_list(wire_writer_t *w, const char *items)
{
    uint32_t count = *items ? 1 : 0;

    for (const char *at = items; *at; at++) {
        count += *at == ',';
    }
    wire_put_array(w, count);
    for (const char *at = items; count > 0; count--) {
        const char *end = strchr(at, ',');
        size_t size = end ? (size_t) (end - at) : strlen(at);
        wire_put_str(w, (slice_t){at, size});
        at += size + 1;
    }
}

static void
put_argument(wire_writer_t *w, const char *argument)
{
    size_t name = strcspn(argument, "=[!");

    wire_put_str(w, (slice_t){argument, name});
    if (argument[name] == '!') {
        wire_put_bool(w, true);
    } else if (argument[name] == '[') {
        put_list(w, argument + name + 3);
    } else {
        wire_put_str(w, slice_of(argument + name + 1));
    }
}

static slice_t
frame_of(stage_t *stage, const char *command, const char *const *arguments, uint64_t key)
{
    wire_writer_t w;
    char key_text[32];
    uint32_t count = 0;

    while (arguments[count]) {
        count++;
    }
    snprintf(key_text, sizeof key_text, "key-%lu", (unsigned long) key);
    wire_writer_over(&w, stage->frame, sizeof stage->frame);
    wire_put_map(&w, 5);
    wire_put_str(&w, slice_of("v"));
    wire_put_u64(&w, 1);
    wire_put_str(&w, slice_of("id"));
    wire_put_u64(&w, key);
    wire_put_str(&w, slice_of("key"));
    wire_put_str(&w, slice_of(key_text));
    wire_put_str(&w, slice_of("cmd"));
    wire_put_str(&w, slice_of(command));
    wire_put_str(&w, slice_of("args"));
    wire_put_map(&w, count);
    for (uint32_t i = 0; i < count; i++) {
        put_argument(&w, arguments[i]);
    }
    assert(!w.full);
    return (slice_t){(const char *) stage->frame, w.size};
}

void
stage_heard(void *context, uint64_t tag, err_t err, slice_t body)
{
    stage_t *stage = context;

    if (tag != stage->awaited) {
        return;
    }
    stage->heard = true;
    stage->heard_err = err;
    free(stage->answer);
    stage->answer = malloc(body.size + 1);
    assert(stage->answer);
    memcpy(stage->answer, body.data, body.size);
    if (err == OK && wire_check(stage->answer, body.size, &stage->root) != OK) {
        stage_note_fault(stage, "an answer of %zu bytes is not msgpack", body.size);
        stage->heard_err = ERR_INTERNAL;
    }
}

/* The refusal in the answer, OK when it is a result. */
static err_t
verdict_of_answer(stage_t *stage)
{
    wire_value_t ok, error, code;

    if (stage->heard_err != OK) {
        return stage->heard_err;
    }
    if (wire_find(&stage->root, "ok", &ok) && ok.boolean) {
        return wire_find(&stage->root, "result", &stage->result) ? OK : ERR_INTERNAL;
    }
    if (!wire_find(&stage->root, "error", &error) || !wire_find(&error, "code", &code)) {
        return ERR_INTERNAL;
    }
    return err_of_word(code.bytes.data, code.bytes.size);
}

static bool
is_passing(err_t err)
{
    return err == ERR_STARTING || err == ERR_RESTARTING || err == ERR_DOWN || err == ERR_FULL;
}

err_t
stage_do_list(stage_t *stage, uint32_t virtual_ms, const char *command,
              const char *const *arguments)
{
    uint64_t key = ++stage->keys;
    slice_t frame = frame_of(stage, command, arguments, key);
    err_t err = ERR_DEADLINE;
    bool under_way = false;

    for (uint32_t waited = 0; stage->sim && waited <= virtual_ms; waited += 5) {
        if (!under_way) {
            stage->awaited = ++stage->tags;
            stage->heard = false;
            stage->crashed = false;
            under_way = sim_say(stage->sim, frame, stage->awaited);
        }
        stage_run(stage, 5);
        if (under_way && stage->heard) {
            err = verdict_of_answer(stage);
            if (!is_passing(err)) {
                return err;
            }
        }
        if (stage->heard || stage->crashed) {
            under_way = false;
        }
    }
    return err;
}

err_t
stage_do(stage_t *stage, uint32_t virtual_ms, const char *command, ...)
{
    const char *arguments[16] = {NULL};
    va_list list;

    va_start(list, command);
    for (uint32_t i = 0; i < 15; i++) {
        arguments[i] = va_arg(list, const char *);
        if (!arguments[i]) {
            break;
        }
    }
    va_end(list);
    return stage_do_list(stage, virtual_ms, command, arguments);
}

void
stage_say(stage_t *stage, const char *command, const char *const *arguments)
{
    slice_t frame = frame_of(stage, command, arguments, ++stage->keys);

    if (stage->sim && !sim_say(stage->sim, frame, 0)) {
        stage->unsaid++;
    }
}

const wire_value_t *
stage_answer(const stage_t *stage)
{
    return &stage->result;
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
    world_t *w = world_sim_job_new(stage_world(stage), NULL, NULL);

    machine_make_tree(w, "/source", stage->options.files, version);
    world_sim_job_destroy(&w);
}
