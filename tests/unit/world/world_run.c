/* world_run.c - what both worlds promise alike of programs, and what the real one does with their
 * output. */
#include "contract.h"

/* ---- programs ---- */

/* One text for both: a shell runs it, and the simulated machine reads its words. */
#define WORDS                                                                                      \
    "#!/bin/sh\nsay() { echo \"$@\"; echo \"$WORD\" >&2; }\n"                                      \
    "signal() { kill -$1 $$; }\n"

static void
path_of(world_t *w, int root, const char *name, char path[300])
{
    char link[64];
    snprintf(link, sizeof link, "/proc/self/fd/%d", root);
    int64_t size = world_read_link(w, AT_FDCWD, link, path, 256);
    snprintf(path + (size > 0 ? size : 0), 40, "%s/%s", size > 0 ? "" : "/top", name);
}

static int
run_text(world_t *w, int root, const char *text, world_program_t *program, world_ended_t *ret)
{
    static const char *const env[] = {"WORD=of the environment", NULL};
    char path[300];
    put(w, root, "program", text);
    int fd = world_open(w, root, "program", O_RDONLY, 0, 0);
    GIVES(0, world_chmod(w, fd, 0700));
    GIVES(0, world_close(w, fd));
    path_of(w, root, "program", path);
    program->path = path;
    program->env = env;
    return world_run(w, program, ret);
}

CLAIM(a_program_runs_to_its_end_which_is_told_with_what_it_said)
{
    char output[64];
    world_ended_t ended;
    world_program_t program = {.time_ms = 60000, .output = output, .room = sizeof output};
    GIVES(0, run_text(w, root, WORDS "say hello\nexit 3\n", &program, &ended));
    GIVES(WORLD_EXITED, ended.how);
    GIVES(3, ended.code);
    cr_assert_geq(ended.size, 5u);
    cr_expect_eq(memcmp(output, "hello", 5), 0);
    GIVES(0, run_text(w, root, WORDS "signal 9\n", &program, &ended));
    GIVES(WORLD_SIGNALLED, ended.how);
    GIVES(9, ended.code);
}

CLAIM(a_program_whose_time_is_over_is_ended)
{
    world_ended_t ended;
    world_program_t program = {.time_ms = 200};
    int64_t began = world_monotonic_ns(w);
    GIVES(0, run_text(w, root, WORDS "sleep 600\n", &program, &ended));
    GIVES(WORLD_OUT_OF_TIME, ended.how);
    cr_expect_geq(world_monotonic_ns(w) - began, 200 * (SECOND / 1000));
}

CLAIM(what_cannot_be_executed_is_not_begun)
{
    char path[300];
    world_ended_t ended;
    world_program_t program = {.path = path, .time_ms = 1000, .env = (const char *[]){NULL}};
    path_of(w, root, "nothing", path);
    GIVES(-ENOENT, world_run(w, &program, &ended));
    put(w, root, "plain", "text");
    path_of(w, root, "plain", path);
    GIVES(-EACCES, world_run(w, &program, &ended));
}

Test(real_world, of_a_flood_of_output_the_last_is_kept_and_all_is_counted)
{
    char output[1000];
    world_os_t os;
    world_ended_t ended;
    const char *const env[] = {"PATH=/usr/bin:/bin", NULL};
    char path[] = "/tmp/despool-flood-XXXXXX";
    int fd = mkstemp(path);
    cr_assert_geq(fd, 0);
    dprintf(fd, "#!/bin/sh\nhead -c 3000000 /dev/zero\necho the end\n");
    fchmod(fd, 0700);
    close(fd);
    world_program_t program = {path, env, 60000, output, sizeof output};
    GIVES(0, world_run(world_os_init(&os, NULL), &program, &ended));
    unlink(path);
    GIVES(3000008, ended.said);
    cr_assert(ended.size >= 500 && ended.size <= 1000);
    cr_expect_eq(memcmp(output + ended.size - 8, "the end\n", 8), 0);
}
