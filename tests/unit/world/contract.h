/* contract.h - one claim for both worlds: against the real machine, in a new directory below
 * TMPDIR, and against the simulated one.
 *
 * Shape    CLAIM(name) { ... } is handed a world and a directory of its own; GIVES holds a result
 *          against what it must be; put writes a file.
 * Threads  one.
 */
#pragma once

#include <criterion/criterion.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "runtime/world_os.h"
#include "runtime/world_sim.h"

#define SECOND INT64_C(1000000000)

typedef void claim_fn(world_t *w, int root);

static void
against_real(claim_fn *claim)
{
    const char *base = getenv("TMPDIR");
    char path[256];
    snprintf(path, sizeof path, "%s/despool-world-XXXXXX", base == NULL ? "/tmp" : base);
    cr_assert_not_null(mkdtemp(path));
    world_os_t os;
    world_t *w = world_os_init(&os, NULL);
    int root = world_open(w, AT_FDCWD, path, O_RDONLY | O_DIRECTORY, 0, 0);
    cr_assert_geq(root, 0);
    claim(w, root);
    cr_assert_eq(world_close(w, root), 0);
    char command[300];
    snprintf(command, sizeof command, "rm -rf '%s'", path);
    cr_assert_eq(system(command), 0);
}

static void
against_simulated(claim_fn *claim)
{
    world_sim_t *sim =
        world_sim_new(&(world_sim_options_t){.seed = 7, .wall_start_ns = 1700000000 * SECOND});
    world_t *w = world_sim_job_new(sim, NULL, NULL);
    cr_assert_eq(world_make_dir(w, AT_FDCWD, "/top", 0755), 0);
    int root = world_open(w, AT_FDCWD, "/top", O_RDONLY | O_DIRECTORY, 0, 0);
    cr_assert_geq(root, 0);
    claim(w, root);
    cr_assert_eq(world_close(w, root), 0);
    cr_assert_eq(world_sim_open_count(sim), 0u, "descriptors leaked");
    world_sim_job_destroy(&w);
    world_sim_destroy(&sim);
}

#define CLAIM(name)                                                                                \
    static void name(world_t *w, int root);                                                        \
    Test(real_world, name)                                                                         \
    {                                                                                              \
        against_real(name);                                                                        \
    }                                                                                              \
    Test(simulated_world, name)                                                                    \
    {                                                                                              \
        against_simulated(name);                                                                   \
    }                                                                                              \
    static void name(world_t *w, int root)

/* Expected and got, in this order, with the word of the claim. */
#define GIVES(expected, call)                                                                      \
    do {                                                                                           \
        long long want_ = (long long) (expected);                                                  \
        long long got_ = (long long) (call);                                                       \
        cr_expect_eq(got_, want_, "%s: expected %lld, got %lld", #call, want_, got_);              \
    } while (0)

static void
put(world_t *w, int dir, const char *name, const char *text)
{
    int fd = world_open(w, dir, name, O_RDWR | O_CREAT | O_TRUNC, 0644, 0);
    cr_assert_geq(fd, 0, "cannot create %s: %d", name, fd);
    GIVES(strlen(text), world_write(w, fd, text, strlen(text), 0));
    GIVES(0, world_close(w, fd));
}
