/* world_sim_run.c - programs of a simulated machine: a file that may be executed, whose text says
 * what it does.
 *
 * "sleep MS" passes time, "say TEXT" is its output, "exit N" and "signal N" are its end; one word
 * and its value a line. A crash ends it, as it does all.
 */
#include "runtime/world_sim_machine.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TEXT_BYTES 512u
#define STEP_NS    INT64_C(100000000)
#define NS_PER_MS  INT64_C(1000000)

static int64_t
do_run(sim_job_t *job, const sim_call_t *call)
{
    job->sim->runs += call->fails == 0;
    return call->fails;
}

/* 0, or -errno: it cannot be executed. */
static int
read_text(world_t *world, const char *path, char text[TEXT_BYTES])
{
    world_stat_t stat;
    int fd = world_open(world, AT_FDCWD, path, O_RDONLY, 0, 0);
    int result = fd < 0 ? fd : world_stat(world, fd, &stat);
    int64_t got = result < 0 ? result : world_read(world, fd, text, TEXT_BYTES - 1, 0);

    text[got < 0 ? 0 : got] = '\0';
    if (fd >= 0) {
        world_close(world, fd);
    }
    return got < 0 ? (int) got : (stat.mode & 0111) == 0 ? -EACCES : 0;
}

/* The rest of the line that begins with the word, NULL where there is none. */
static const char *
value_of(const char *text, const char *word)
{
    const char *at = strstr(text, word);

    return at ? at + strlen(word) : NULL;
}

static void
say(const world_program_t *program, world_ended_t *ret, const char *line)
{
    size_t size = line ? strcspn(line, "\n") : 0;

    ret->said = size;
    ret->size = size < program->room ? size : program->room;
    if (ret->size > 0) {
        memcpy(program->output, line, ret->size);
    }
}

/* It runs until its time has come, in steps between which it can be cancelled or the power go. */
static int
pass_time(world_t *world, const world_program_t *program, int64_t sleeps_ns, bool *ret_in_time)
{
    int64_t began = world_monotonic_ns(world);
    int64_t most = (int64_t) program->time_ms * NS_PER_MS;
    int64_t until = began + (sleeps_ns < most ? sleeps_ns : most);
    sim_job_t *job = world->self;
    int result = 0;

    while (result == 0 && world_monotonic_ns(world) < until) {
        int64_t left = until - world_monotonic_ns(world);
        int64_t step = left < STEP_NS ? left : STEP_NS;
        int64_t after = world_monotonic_ns(world) + step;
        if (job->pause != NULL) {
            job->pause(job->context, step, "run");
        }
        if (world_monotonic_ns(world) < after) { /* nobody else lets time pass */
            world_sim_advance(job->sim, after - world_monotonic_ns(world));
        }
        result = world_point(world, "run.goes");
    }
    *ret_in_time = sleeps_ns < most;
    return result;
}

int
sim_run(world_t *world, const world_program_t *program, world_ended_t *ret)
{
    char text[TEXT_BYTES];
    bool in_time = true;
    sim_call_t call = {.operation = "run", .path = program->path};
    int result = read_text(world, program->path, text);

    *ret = (world_ended_t){.how = WORLD_OUT_OF_TIME};
    result = result < 0 ? result : (int) sim_call(world, &call, do_run);
    if (result < 0) {
        return result;
    }
    const char *sleeps = value_of(text, "sleep "), *exits = value_of(text, "exit ");
    const char *signal = value_of(text, "signal ");
    result = pass_time(world, program, sleeps ? atoll(sleeps) * NS_PER_MS : 0, &in_time);
    if (result == 0 && in_time) {
        say(program, ret, value_of(text, "say "));
        ret->how = signal ? WORLD_SIGNALLED : WORLD_EXITED;
        ret->code = signal ? atoi(signal) : exits ? atoi(exits) : 0;
    }
    return result;
}

uint64_t
world_sim_runs(const world_sim_t *sim)
{
    return sim->runs;
}
