/* world_sim_calls.c - the simulated calls that work on descriptors, clocks and chance, and the
 * table of all of them. */
#include "runtime/world_sim_machine.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#define SIM_UID         1000
#define SIM_DEVICE_TYPE 0xEF53 /* as ext4 */

static int64_t
sim_monotonic_ns(world_t *world)
{
    return ((sim_job_t *) world->self)->sim->now_ns;
}

static int64_t
sim_wall_ns(world_t *world)
{
    return ((sim_job_t *) world->self)->sim->disk.wall_ns;
}

static void
sim_random(world_t *world, void *bytes, size_t size)
{
    sim_job_t *job = world->self;
    unsigned char *at = bytes;
    for (size_t i = 0; i < size; i++) {
        at[i] = (unsigned char) (sim_rng_next(&job->sim->entropy) >> 56);
    }
}

int64_t
sim_call_fd(sim_job_t *job, int number, sim_fd_t **ret)
{
    sim_node_t *trouble = NULL;
    int error = 0;
    sim_fd_t *fd = sim_fd_find(job->sim, number, &trouble, &error);
    if (error == SIM_HANGS) {
        job->hangs_at = trouble;
    }
    if (fd != NULL) {
        *ret = fd;
    }
    return error;
}

/* A descriptor that can be read from or written to; not one of O_PATH. */
static int64_t
real_fd(sim_job_t *job, const sim_call_t *call, sim_fd_t **ret)
{
    int64_t result = sim_call_fd(job, call->fd, ret);
    return result == 0 && ((*ret)->flags & O_PATH) != 0 ? -EBADF : result;
}

/* Closing gives the number back whatever hangs or fails. */
static int64_t
do_close(sim_job_t *job, const sim_call_t *call)
{
    if (call->fd < 0 || call->fd >= SIM_FDS_MAX || job->sim->fds[call->fd].node == NULL) {
        return -EBADF;
    }
    sim_fd_close(job->sim, call->fd);
    return 0;
}

static int
sim_close(world_t *world, int fd)
{
    sim_call_t call = {.operation = "close", .fd = fd, .safe = true, .always = true};
    return (int) sim_call(world, &call, do_close);
}

static int64_t
do_read(sim_job_t *job, const sim_call_t *call)
{
    sim_fd_t *fd = NULL;
    int64_t result = real_fd(job, call, &fd);
    if (result != 0) {
        return result;
    }
    if ((fd->flags & O_ACCMODE) == O_WRONLY) {
        return -EBADF;
    }
    if (sim_is_dir(fd->node)) {
        return -EISDIR;
    }
    const sim_state_t *live = &fd->node->live;
    uint64_t left = call->offset < live->size ? live->size - call->offset : 0;
    uint64_t size = call->size < left ? call->size : left;
    if (size > 0) {
        sim_state_read(live, call->offset, call->to, size);
        if (call->flips) {
            uint64_t bit = sim_rng_below(&job->sim->chance, 8 * size);
            ((uint8_t *) call->to)[bit / 8] ^= (uint8_t) (1u << (bit % 8));
        }
    }
    return (int64_t) size;
}

static int64_t
sim_read(world_t *world, int fd, void *bytes, size_t size, uint64_t offset)
{
    sim_call_t call = {.operation = "read", .fd = fd, .to = bytes, .size = size, .offset = offset};
    return sim_call(world, &call, do_read);
}

static int64_t
do_write(sim_job_t *job, const sim_call_t *call)
{
    sim_fd_t *fd = NULL;
    int64_t result = real_fd(job, call, &fd);
    if (result != 0) {
        return result;
    }
    if ((fd->flags & O_ACCMODE) == O_RDONLY) {
        return -EBADF;
    }
    return sim_disk_write(&job->sim->disk, fd->node, call->offset, call->from, call->size);
}

static int64_t
sim_write(world_t *world, int fd, const void *bytes, size_t size, uint64_t offset)
{
    sim_call_t call = {.operation = "write",
                       .fd = fd,
                       .from = bytes,
                       .size = size,
                       .offset = offset,
                       .changes = true};
    return sim_call(world, &call, do_write);
}

static int64_t
do_truncate(sim_job_t *job, const sim_call_t *call)
{
    sim_fd_t *fd = NULL;
    int64_t result = real_fd(job, call, &fd);
    if (result != 0) {
        return result;
    }
    if ((fd->flags & O_ACCMODE) == O_RDONLY) {
        return -EINVAL;
    }
    return sim_disk_resize(&job->sim->disk, fd->node, call->size);
}

static int
sim_truncate(world_t *world, int fd, uint64_t size)
{
    sim_call_t call = {.operation = "truncate", .fd = fd, .size = size, .changes = true};
    return (int) sim_call(world, &call, do_truncate);
}

static int64_t
do_allocate(sim_job_t *job, const sim_call_t *call)
{
    sim_fd_t *fd = NULL;
    int64_t result = real_fd(job, call, &fd);
    if (result != 0) {
        return result;
    }
    if ((fd->flags & O_ACCMODE) == O_RDONLY) {
        return -EBADF;
    }
    bool grows = call->size > fd->node->live.size;
    return grows ? sim_disk_resize(&job->sim->disk, fd->node, call->size) : 0;
}

static int
sim_allocate(world_t *world, int fd, uint64_t size)
{
    sim_call_t call = {.operation = "allocate", .fd = fd, .size = size, .changes = true};
    return (int) sim_call(world, &call, do_allocate);
}

/* The disk writes what was not synced when it likes, so a hint changes nothing. */
static int64_t
do_write_out(sim_job_t *job, const sim_call_t *call)
{
    sim_fd_t *fd = NULL;
    return real_fd(job, call, &fd);
}

static int
sim_write_out(world_t *world, int fd, uint64_t offset, uint64_t size)
{
    sim_call_t call = {.operation = "write_out", .fd = fd, .offset = offset, .size = size};
    return (int) sim_call(world, &call, do_write_out);
}

static int64_t
do_sync(sim_job_t *job, const sim_call_t *call)
{
    sim_fd_t *fd = NULL;
    int64_t result = real_fd(job, call, &fd);
    if (result != 0) {
        return result;
    }
    world_sim_t *sim = job->sim;
    if (call->fails != 0) {
        sim_power_sync_fails(&sim->disk, fd->node->device, fd->node, &sim->chance);
        return call->fails;
    }
    sim_power_sync(&sim->disk, fd->node, (call->flags & O_DSYNC) != 0);
    return 0;
}

static int
sim_sync(world_t *world, int fd)
{
    sim_call_t call = {.operation = "sync", .fd = fd, .changes = true, .counts = true};
    return (int) sim_call(world, &call, do_sync);
}

static int
sim_sync_data(world_t *world, int fd)
{
    sim_call_t call = {
        .operation = "sync_data", .fd = fd, .flags = O_DSYNC, .changes = true, .counts = true};
    return (int) sim_call(world, &call, do_sync);
}

static int64_t
do_sync_all(sim_job_t *job, const sim_call_t *call)
{
    sim_fd_t *fd = NULL;
    int64_t result = real_fd(job, call, &fd);
    if (result != 0) {
        return result;
    }
    world_sim_t *sim = job->sim;
    if (call->fails != 0) {
        sim_power_sync_fails(&sim->disk, fd->node->device, NULL, &sim->chance);
        return call->fails;
    }
    sim_power_sync_device(&sim->disk, fd->node->device);
    return 0;
}

static int
sim_sync_all(world_t *world, int fd)
{
    sim_call_t call = {.operation = "sync_all", .fd = fd, .changes = true, .counts = true};
    return (int) sim_call(world, &call, do_sync_all);
}

static uint64_t
size_shown(const sim_node_t *node)
{
    if (sim_is_link(node)) {
        return strlen(node->target);
    }
    return sim_is_dir(node) ? SIM_BLOCK_BYTES : node->live.size;
}

void
sim_stat_copy(const sim_node_t *node, world_stat_t *ret)
{
    *ret = (world_stat_t){
        .device = node->device->number,
        .inode = node->number,
        .mode = node->live.mode,
        .uid = SIM_UID,
        .gid = SIM_UID,
        .links = node->links,
        .size = size_shown(node),
        .mtime_ns = node->live.mtime_ns,
        .ctime_ns = node->ctime_ns,
    };
}

static int64_t
do_stat(sim_job_t *job, const sim_call_t *call)
{
    sim_fd_t *fd = NULL;
    int64_t result = sim_call_fd(job, call->fd, &fd);
    if (result == 0) {
        sim_stat_copy(fd->node, call->to);
    }
    return result;
}

static int
sim_stat(world_t *world, int fd, world_stat_t *ret)
{
    sim_call_t call = {.operation = "stat", .fd = fd, .to = ret};
    return (int) sim_call(world, &call, do_stat);
}

static int64_t
do_chmod(sim_job_t *job, const sim_call_t *call)
{
    sim_fd_t *fd = NULL;
    int64_t result = real_fd(job, call, &fd);
    if (result == 0) {
        sim_disk_chmod(&job->sim->disk, fd->node, call->mode);
    }
    return result;
}

static int
sim_chmod(world_t *world, int fd, uint32_t mode)
{
    sim_call_t call = {.operation = "chmod", .fd = fd, .mode = mode, .changes = true};
    return (int) sim_call(world, &call, do_chmod);
}

static uint64_t
left_of(uint64_t most, uint64_t used)
{
    return most > used ? most - used : 0;
}

static int64_t
do_space(sim_job_t *job, const sim_call_t *call)
{
    sim_fd_t *fd = NULL;
    int64_t result = sim_call_fd(job, call->fd, &fd);
    if (result != 0) {
        return result;
    }
    const sim_device_t *device = fd->node->device;
    *(world_space_t *) call->to = (world_space_t){
        .bytes_free = left_of(device->bytes_max, device->bytes_used),
        .bytes_all = device->bytes_max,
        .inodes_free = left_of(device->inodes_max, device->inodes_used),
        .block_bytes = SIM_BLOCK_BYTES,
        .type = device->type == 0 ? SIM_DEVICE_TYPE : device->type,
    };
    return 0;
}

static int
sim_space(world_t *world, int fd, world_space_t *ret)
{
    sim_call_t call = {.operation = "space", .fd = fd, .to = ret};
    return (int) sim_call(world, &call, do_space);
}

static int64_t
do_lock(sim_job_t *job, const sim_call_t *call)
{
    sim_fd_t *fd = NULL;
    int64_t result = real_fd(job, call, &fd);
    if (result != 0) {
        return result;
    }
    for (int other = 0; other < SIM_FDS_MAX; other++) {
        if (other != call->fd && job->sim->locked[other] == fd->node) {
            return -EWOULDBLOCK;
        }
    }
    job->sim->locked[call->fd] = fd->node;
    return 0;
}

static int
sim_lock(world_t *world, int fd)
{
    sim_call_t call = {.operation = "lock", .fd = fd};
    return (int) sim_call(world, &call, do_lock);
}

/* Simulated files have none. */
static int64_t
do_attribute_count(sim_job_t *job, const sim_call_t *call)
{
    sim_fd_t *fd = NULL;
    return sim_call_fd(job, call->fd, &fd);
}

static int64_t
sim_attribute_count(world_t *world, int fd)
{
    sim_call_t call = {.operation = "attribute_count", .fd = fd};
    return sim_call(world, &call, do_attribute_count);
}

static bool
sim_cancelled(world_t *world)
{
    return ((sim_job_t *) world->self)->cancelled;
}

static int64_t
do_point(sim_job_t *job, const sim_call_t *call)
{
    (void) job;
    (void) call;
    return 0;
}

static int
sim_point(world_t *world, const char *name)
{
    sim_call_t call = {.operation = "point", .path = name, .safe = true};
    return (int) sim_call(world, &call, do_point);
}

/* Descriptors are the machine's, so any job can close them. */
static world_t *
sim_lasting(world_t *world)
{
    world_sim_t *sim = ((sim_job_t *) world->self)->sim;
    if (sim->lasting == NULL) {
        sim->lasting = world_sim_job_new(sim, NULL, NULL)->self;
    }
    sim->lasting->boot = sim->boot;
    return &sim->lasting->world;
}

const world_calls_t sim_calls = {
    .monotonic_ns = sim_monotonic_ns,
    .wall_ns = sim_wall_ns,
    .random = sim_random,
    .open = sim_open,
    .close = sim_close,
    .read = sim_read,
    .write = sim_write,
    .truncate = sim_truncate,
    .allocate = sim_allocate,
    .write_out = sim_write_out,
    .sync = sim_sync,
    .sync_data = sim_sync_data,
    .sync_all = sim_sync_all,
    .stat = sim_stat,
    .stat_at = sim_stat_at,
    .make_dir = sim_make_dir,
    .make_link = sim_make_link,
    .read_link = sim_read_link,
    .hard_link = sim_hard_link,
    .rename = sim_rename,
    .remove = sim_remove,
    .remove_dir = sim_remove_dir,
    .chmod = sim_chmod,
    .chmod_at = sim_chmod_at,
    .set_mtime = sim_set_mtime,
    .space = sim_space,
    .lock = sim_lock,
    .attribute_count = sim_attribute_count,
    .list = sim_list,
    .list_next = sim_list_next,
    .list_end = sim_list_end,
    .run = sim_run,
    .cancelled = sim_cancelled,
    .point = sim_point,
    .lasting = sim_lasting,
};
