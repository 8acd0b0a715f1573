/* world_sim.c - the simulated machine: clocks, mounts, faults, descriptors, jobs, power. */
#include "runtime/world_sim_machine.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

world_sim_t *
world_sim_new(const world_sim_options_t *options)
{
    world_sim_t *sim = sim_alloc(sizeof *sim);
    sim->options = *options;
    sim->chance.state = options->seed;
    sim->entropy.state = options->seed ^ UINT64_C(0x5851f42d4c957f2d);
    sim->wall_offset_ns = options->wall_start_ns;
    sim->disk.wall_ns = options->wall_start_ns;
    sim->hash = UINT64_C(0xcbf29ce484222325);
    sim_disk_init(&sim->disk);
    sim->common = common_new(0);
    return sim;
}

void
world_sim_destroy(world_sim_t **sim)
{
    if (*sim != NULL) {
        sim_disk_free(&(*sim)->disk);
        common_destroy(&(*sim)->common);
        free((*sim)->lasting);
        free(*sim);
        *sim = NULL;
    }
}

world_t *
world_sim_job_new(world_sim_t *sim, world_sim_pause_fn *pause, void *context)
{
    sim_job_t *job = sim_alloc(sizeof *job);
    job->world =
        (world_t){.call = &sim_calls, .self = job, .common = common_seat(sim->common, &job->seat)};
    job->sim = sim;
    job->pause = pause;
    job->context = context;
    job->boot = sim->boot;
    return &job->world;
}

world_t *
world_sim_look_new(world_sim_t *sim)
{
    world_t *look = world_sim_job_new(sim, NULL, NULL);

    ((sim_job_t *) look->self)->looks = true;
    return look;
}

void
world_sim_job_cancel(world_t *job)
{
    ((sim_job_t *) job->self)->cancelled = true;
}

void
world_sim_job_destroy(world_t **job)
{
    if (*job == NULL) {
        return;
    }
    sim_job_t *self = (*job)->self;
    world_common_leave(*job);
    if (self->hangs_at != NULL && self->boot == self->sim->boot) {
        self->hangs_at->pins--; /* the job was abandoned in its call */
    }
    free(self);
    *job = NULL;
}

int64_t
world_sim_now_ns(const world_sim_t *sim)
{
    return sim->now_ns;
}

void
world_sim_advance(world_sim_t *sim, int64_t ns)
{
    assert(ns >= 0);
    sim->now_ns += ns;
    sim->disk.wall_ns = sim->wall_offset_ns + sim->now_ns;
}

void
world_sim_set_wall(world_sim_t *sim, int64_t wall_ns)
{
    sim->wall_offset_ns = wall_ns - sim->now_ns;
    sim->disk.wall_ns = wall_ns;
}

/* A test that names a path which is not there has a mistake in it. */
static sim_node_t *
must_look(const world_sim_t *sim, const char *path)
{
    sim_node_t *node = sim_path_look(sim, path);
    assert(node != NULL);
    return node;
}

/* What is mounted is in the machine's own table, so the way to it is durable. */
void
world_sim_mount(world_sim_t *sim, const world_sim_mount_t *mount)
{
    sim_node_t *over = must_look(sim, mount->path);
    assert(sim_is_dir(over) && over->device->root != over);
    for (sim_device_t *at = sim->disk.devices; at != NULL; at = at->next) {
        sim_power_sync_device(&sim->disk, at);
    }
    over->mounted =
        sim_device_new(&sim->disk, mount->bytes_max == 0 ? SIM_DEVICE_BYTES : mount->bytes_max,
                       mount->inodes_max == 0 ? SIM_DEVICE_INODES : mount->inodes_max);
    over->mounted->root->parent = over;
}

void
world_sim_unplug(world_sim_t *sim, const char *path)
{
    must_look(sim, path)->unplugged = true;
}

void
world_sim_plug(world_sim_t *sim, const char *path)
{
    must_look(sim, path)->unplugged = false;
}

void
world_sim_fail(world_sim_t *sim, const char *path, int os_error)
{
    assert(os_error >= 0);
    must_look(sim, path)->fails = os_error;
}

void
world_sim_hang(world_sim_t *sim, const char *path, bool hang)
{
    must_look(sim, path)->hangs = hang;
}

bool
world_sim_hangs(const world_t *job)
{
    const sim_job_t *self = job->self;
    if (self->boot != self->sim->boot || self->sim->is_cut) {
        return false;
    }
    if (self->hang_drawn) {
        return self->hang_heals == self->sim->heals;
    }
    sim_node_t *trouble = NULL;
    return self->hangs_at != NULL && sim_path_trouble(self->hangs_at, &trouble) == SIM_HANGS;
}

void
world_sim_set_space(world_sim_t *sim, const char *path, uint64_t bytes_max, uint64_t inodes_max)
{
    sim_device_t *device = must_look(sim, path)->device;
    device->bytes_max = bytes_max;
    device->inodes_max = inodes_max;
}

void
world_sim_set_type(world_sim_t *sim, const char *path, uint32_t type)
{
    must_look(sim, path)->device->type = type;
}

/* Space is not healed: a disk that is full is not broken. */
void
world_sim_heal(world_sim_t *sim)
{
    sim->heals++;
    sim->quiet = true;
    sim_mixes_end(sim);
    for (sim_node_t *node = sim->disk.nodes; node != NULL; node = node->next) {
        node->unplugged = node->hangs = false;
        node->fails = 0;
    }
}

void
world_sim_draw_faults(world_sim_t *sim, uint32_t fault_per_million, uint32_t hang_per_million)
{
    sim->options.fault_per_million = fault_per_million;
    sim->options.hang_per_million = hang_per_million;
    sim->quiet = false;
}

static void
crash(world_sim_t *sim, const uint64_t *keep)
{
    memset(sim->fds, 0, sizeof sim->fds);
    memset(sim->locked, 0, sizeof sim->locked);
    sim_power_cut(&sim->disk, &sim->chance, keep);
    sim->boot++;
    sim->is_cut = false;
    sim->cut_left = 0;
}

void
world_sim_crash(world_sim_t *sim)
{
    crash(sim, NULL);
}

void
world_sim_crash_keeping(world_sim_t *sim, uint64_t keep)
{
    crash(sim, &keep);
}

uint64_t
world_sim_unsynced_count(const world_sim_t *sim)
{
    return sim->disk.effects;
}

uint64_t
world_sim_operation_count(const world_sim_t *sim)
{
    return sim->operations;
}

void
world_sim_cut_after(world_sim_t *sim, uint64_t operations)
{
    sim->cut_left = operations;
}

bool
world_sim_is_cut(const world_sim_t *sim)
{
    return sim->is_cut;
}

uint64_t
world_sim_hash(const world_sim_t *sim)
{
    return sim->hash;
}

uint64_t
world_sim_open_count(const world_sim_t *sim)
{
    uint64_t count = 0;
    for (int fd = 0; fd < SIM_FDS_MAX; fd++) {
        count += sim->fds[fd].node != NULL;
    }
    return count;
}

sim_fd_t *
sim_fd_find(world_sim_t *sim, int fd, sim_node_t **trouble, int *ret_error)
{
    if (fd < 0 || fd >= SIM_FDS_MAX || sim->fds[fd].node == NULL) {
        *ret_error = -EBADF;
        return NULL;
    }
    sim_fd_t *found = &sim->fds[fd];
    *ret_error = sim_path_trouble(sim_is_dir(found->node) ? found->node : found->via, trouble);
    if (*ret_error == 0) {
        *ret_error = found->node->hangs ? SIM_HANGS : -found->node->fails;
        *trouble = found->node->hangs ? found->node : *trouble;
    }
    return *ret_error == 0 ? found : NULL;
}

/* 0 to 2 stay free, so that a descriptor that was never set is not a valid one. */
int
sim_fd_open(world_sim_t *sim, sim_node_t *node, sim_node_t *via, int flags)
{
    int fd = 3;
    while (fd < SIM_FDS_MAX && sim->fds[fd].node != NULL) {
        fd++;
    }
    if (fd == SIM_FDS_MAX) {
        return -EMFILE;
    }
    sim->fds[fd] = (sim_fd_t){.node = node, .via = via, .flags = flags};
    sim_node_opened(node);
    via->pins++;
    return fd;
}

void
sim_fd_close(world_sim_t *sim, int fd)
{
    sim->fds[fd].via->pins--;
    sim_node_closed(sim->fds[fd].node);
    sim->fds[fd] = (sim_fd_t){0};
    sim->locked[fd] = NULL;
}
