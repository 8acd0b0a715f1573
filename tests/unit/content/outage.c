/* outage.c - the machine under the power cut tests. */
#include "outage.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <stddef.h>
#include <string.h>

static int
space_of_another_type(world_t *world, int fd, world_space_t *ret)
{
    run_t *run = (run_t *) ((char *) world - offsetof(run_t, world));
    int result = run->job->call->space(run->job, fd, ret);
    ret->type = 0;
    return result;
}

void
boot(run_t *run)
{
    run->job = world_sim_job_new(run->sim, NULL, NULL);
    run->calls = *run->job->call;
    if (run->each) {
        run->calls.space = space_of_another_type;
    }
    run->world = (world_t){.call = &run->calls, .self = run->job->self};
    run->store = NULL;
    run->point = (point_t){.fd = -1, .own_fd = -1};
}

void
shut(run_t *run)
{
    if (run->point.fd >= 0) {
        point_close(&run->point);
    }
    store_close(&run->store);
    world_sim_job_destroy(&run->job);
}

void
put_file(run_t *run, const char *path, const char *text)
{
    world_t *world = &run->world;
    int fd = world_open(world, AT_FDCWD, path, O_WRONLY | O_CREAT | O_TRUNC, 0644, 0);
    if (fd >= 0) {
        (void) world_write(world, fd, text, strlen(text), 0);
        world_close(world, fd);
    }
}

/* The source and the empty places, durable before anything is cut. */
void
furnish(run_t *run)
{
    world_t *world = &run->world;
    static const char *const directories[] = {"/data", "/root", "/source", "/source/d"};
    for (size_t i = 0; i < 4; i++) {
        cr_assert_eq(world_make_dir(world, AT_FDCWD, directories[i], 0755), 0);
    }
    put_file(run, "/source/a", "first bytes of a");
    put_file(run, "/source/d/b", "bytes of b");
    put_file(run, "/source/d/empty", "");
    cr_assert_eq(world_make_link(world, "d/b", AT_FDCWD, "/source/link"), 0);
    int fd = world_open(world, AT_FDCWD, "/source/d", O_RDONLY | O_DIRECTORY, 0, 0);
    cr_assert_eq(world_chmod(world, fd, 0555), 0);
    cr_assert_eq(world_sync_all(world, fd), 0);
    world_close(world, fd);
}

void
run_init(run_t *run, uint64_t seed, bool each)
{
    world_sim_options_t options = {.seed = seed, .wall_start_ns = 1000000000000};
    *run = (run_t){.each = each, .order = {.package = "P1"}};
    run->sim = world_sim_new(&options);
    strcpy(run->identity.name, "D1");
    run->identity.site.byte[0] = 1;
    run->identity.incarnation.byte[0] = 2;
    run->order.incarnation.byte[0] = 3;
}
