/* world_sim_names.c - the simulated calls that work on paths, and directory listings. */
#include "runtime/world_sim_machine.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define SIM_UMASK 022

int64_t
sim_call_place(sim_job_t *job, int dir_fd, const char *path, unsigned how, bool follow,
               sim_place_t *ret)
{
    sim_node_t *trouble = NULL;
    int result = sim_path_find(job->sim, dir_fd, path, how, follow, ret, &trouble);
    if (result == SIM_HANGS) {
        job->hangs_at = trouble;
    }
    return result;
}

static bool
is_changeable(const sim_node_t *dir)
{
    return (dir->live.mode & 0300) == 0300;
}

/* The place of a name that is to be made; its directory can be changed and it is free. */
static int64_t
free_place(sim_job_t *job, int dir_fd, const char *path, sim_place_t *ret)
{
    int64_t result = sim_call_place(job, dir_fd, path, 0, false, ret);
    if (result != 0) {
        return result;
    }
    if (ret->node != NULL) {
        return -EEXIST;
    }
    return is_changeable(ret->dir) ? 0 : -EACCES;
}

/* The place of a name that is to go. */
static int64_t
taken_place(sim_job_t *job, int dir_fd, const char *path, sim_place_t *ret)
{
    int64_t result = sim_call_place(job, dir_fd, path, 0, false, ret);
    if (result != 0) {
        return result;
    }
    if (ret->node == NULL) {
        return -ENOENT;
    }
    if (ret->name[0] == '\0' || ret->node->device != ret->dir->device) {
        return -EBUSY;
    }
    return is_changeable(ret->dir) ? 0 : -EACCES;
}

static int64_t
open_new(sim_job_t *job, const sim_call_t *call, const sim_place_t *place)
{
    if ((call->flags & O_CREAT) == 0) {
        return -ENOENT;
    }
    if ((call->flags & O_DIRECTORY) != 0) {
        return -EINVAL;
    }
    if (place->slash) {
        return -EISDIR;
    }
    if (!is_changeable(place->dir)) {
        return -EACCES;
    }
    sim_node_t *made = NULL;
    uint32_t mode = S_IFREG | (call->mode & 07777 & ~(uint32_t) SIM_UMASK);
    int result = sim_disk_create(&job->sim->disk, place->dir, place->name, mode, NULL, &made);
    return result != 0 ? result : sim_fd_open(job->sim, made, place->dir, call->flags);
}

static int
open_refusal(const sim_call_t *call, const sim_node_t *node)
{
    bool writes = (call->flags & O_ACCMODE) != O_RDONLY;
    bool reads = (call->flags & O_ACCMODE) != O_WRONLY;
    if ((call->flags & O_CREAT) != 0 && (call->flags & O_EXCL) != 0) {
        return -EEXIST;
    }
    if ((call->flags & O_DIRECTORY) != 0 && !sim_is_dir(node)) {
        return -ENOTDIR;
    }
    if ((call->flags & O_PATH) != 0) {
        return 0;
    }
    if (sim_is_link(node)) {
        return -ELOOP;
    }
    if (sim_is_dir(node) && (writes || (call->flags & (O_CREAT | O_TRUNC)) != 0)) {
        return -EISDIR;
    }
    if ((reads && (node->live.mode & 0400) == 0) || (writes && (node->live.mode & 0200) == 0)) {
        return -EACCES;
    }
    return 0;
}

static int64_t
do_open(sim_job_t *job, const sim_call_t *call)
{
    sim_place_t place;
    bool exclusive = (call->flags & O_CREAT) != 0 && (call->flags & O_EXCL) != 0;
    bool follow = (call->flags & O_NOFOLLOW) == 0 && !exclusive;
    int64_t result = sim_call_place(job, call->fd, call->path, call->how, follow, &place);
    if (result != 0) {
        return result;
    }
    if (place.node == NULL) {
        return open_new(job, call, &place);
    }
    int refusal = open_refusal(call, place.node);
    if (refusal != 0) {
        return refusal;
    }
    if ((call->flags & O_TRUNC) != 0 && sim_is_file(place.node)) {
        result = sim_disk_resize(&job->sim->disk, place.node, 0);
    }
    return result != 0 ? result : sim_fd_open(job->sim, place.node, place.dir, call->flags);
}

int
sim_open(world_t *world, int dir, const char *path, int flags, uint32_t mode, unsigned how)
{
    sim_call_t call = {.operation = "open",
                       .fd = dir,
                       .path = path,
                       .flags = flags,
                       .mode = mode,
                       .how = how,
                       .changes = (flags & (O_CREAT | O_TRUNC)) != 0};
    return (int) sim_call(world, &call, do_open);
}

static int64_t
do_make_dir(sim_job_t *job, const sim_call_t *call)
{
    sim_place_t place;
    int64_t result = free_place(job, call->fd, call->path, &place);
    if (result != 0) {
        return result;
    }
    sim_node_t *made = NULL;
    uint32_t mode = S_IFDIR | (call->mode & 01777 & ~(uint32_t) SIM_UMASK);
    mode |= place.dir->live.mode & S_ISGID;
    return sim_disk_create(&job->sim->disk, place.dir, place.name, mode, NULL, &made);
}

int
sim_make_dir(world_t *world, int dir, const char *path, uint32_t mode)
{
    sim_call_t call = {
        .operation = "make_dir", .fd = dir, .path = path, .mode = mode, .changes = true};
    return (int) sim_call(world, &call, do_make_dir);
}

static int64_t
do_make_link(sim_job_t *job, const sim_call_t *call)
{
    if (call->other_path[0] == '\0') {
        return -ENOENT;
    }
    if (strlen(call->other_path) > SIM_PATH_MAX) {
        return -ENAMETOOLONG;
    }
    sim_place_t place;
    int64_t result = free_place(job, call->fd, call->path, &place);
    if (result != 0) {
        return result;
    }
    sim_node_t *made = NULL;
    return place.slash ? -ENOENT
                       : sim_disk_create(&job->sim->disk, place.dir, place.name, S_IFLNK | 0777,
                                         call->other_path, &made);
}

int
sim_make_link(world_t *world, const char *target, int dir, const char *path)
{
    sim_call_t call = {
        .operation = "make_link", .fd = dir, .path = path, .other_path = target, .changes = true};
    return (int) sim_call(world, &call, do_make_link);
}

static int64_t
do_read_link(sim_job_t *job, const sim_call_t *call)
{
    sim_place_t place;
    int64_t result = sim_call_place(job, call->fd, call->path, 0, false, &place);
    if (result != 0) {
        return result;
    }
    if (place.node == NULL) {
        return -ENOENT;
    }
    if (!sim_is_link(place.node) || call->size == 0) {
        return -EINVAL;
    }
    size_t length = strlen(place.node->target);
    length = length < call->size ? length : call->size;
    memcpy(call->to, place.node->target, length);
    return (int64_t) length;
}

int64_t
sim_read_link(world_t *world, int dir, const char *path, char *text, size_t size)
{
    sim_call_t call = {.operation = "read_link", .fd = dir, .path = path, .to = text, .size = size};
    return sim_call(world, &call, do_read_link);
}

static int64_t
do_hard_link(sim_job_t *job, const sim_call_t *call)
{
    sim_place_t from;
    int64_t result = sim_call_place(job, call->fd, call->path, 0, false, &from);
    if (result != 0) {
        return result;
    }
    if (from.node == NULL) {
        return -ENOENT;
    }
    sim_place_t to;
    result = free_place(job, call->other_fd, call->other_path, &to);
    if (result != 0) {
        return result;
    }
    return to.slash ? -ENOENT : sim_disk_link(&job->sim->disk, from.node, to.dir, to.name);
}

int
sim_hard_link(world_t *world, int from_dir, const char *from, int to_dir, const char *to)
{
    sim_call_t call = {.operation = "hard_link",
                       .fd = from_dir,
                       .path = from,
                       .other_fd = to_dir,
                       .other_path = to,
                       .changes = true};
    return (int) sim_call(world, &call, do_hard_link);
}

static int64_t
do_rename(sim_job_t *job, const sim_call_t *call)
{
    sim_place_t from;
    int64_t result = taken_place(job, call->fd, call->path, &from);
    if (result != 0) {
        return result;
    }
    sim_place_t to;
    result = sim_call_place(job, call->other_fd, call->other_path, 0, false, &to);
    if (result != 0) {
        return result;
    }
    if (to.name[0] == '\0' || (to.node != NULL && to.node->device != to.dir->device)) {
        return -EBUSY;
    }
    if (to.slash && !sim_is_dir(from.node)) {
        return -ENOTDIR;
    }
    if (!is_changeable(to.dir)) {
        return -EACCES;
    }
    return sim_disk_rename(&job->sim->disk, from.dir, from.name, to.dir, to.name);
}

int
sim_rename(world_t *world, int from_dir, const char *from, int to_dir, const char *to)
{
    sim_call_t call = {.operation = "rename",
                       .fd = from_dir,
                       .path = from,
                       .other_fd = to_dir,
                       .other_path = to,
                       .changes = true};
    return (int) sim_call(world, &call, do_rename);
}

static int64_t
do_remove(sim_job_t *job, const sim_call_t *call)
{
    sim_place_t place;
    int64_t result = taken_place(job, call->fd, call->path, &place);
    bool directory = (call->flags & AT_REMOVEDIR) != 0;
    return result != 0 ? result
                       : sim_disk_remove(&job->sim->disk, place.dir, place.name, directory);
}

int
sim_remove(world_t *world, int dir, const char *path)
{
    sim_call_t call = {.operation = "remove", .fd = dir, .path = path, .changes = true};
    return (int) sim_call(world, &call, do_remove);
}

int
sim_remove_dir(world_t *world, int dir, const char *path)
{
    sim_call_t call = {
        .operation = "remove_dir", .fd = dir, .path = path, .flags = AT_REMOVEDIR, .changes = true};
    return (int) sim_call(world, &call, do_remove);
}

static int64_t
do_stat_at(sim_job_t *job, const sim_call_t *call)
{
    sim_place_t place;
    int64_t result = sim_call_place(job, call->fd, call->path, 0, false, &place);
    if (result != 0) {
        return result;
    }
    if (place.node == NULL) {
        return -ENOENT;
    }
    sim_stat_copy(place.node, call->to);
    return 0;
}

int
sim_stat_at(world_t *world, int dir, const char *path, world_stat_t *ret)
{
    sim_call_t call = {.operation = "stat_at", .fd = dir, .path = path, .to = ret};
    return (int) sim_call(world, &call, do_stat_at);
}

static int64_t
do_set_mtime(sim_job_t *job, const sim_call_t *call)
{
    sim_place_t place;
    int64_t result = sim_call_place(job, call->fd, call->path, 0, false, &place);
    if (result != 0) {
        return result;
    }
    if (place.node == NULL) {
        return -ENOENT;
    }
    sim_disk_set_mtime(&job->sim->disk, place.node, call->time_ns);
    return 0;
}

int
sim_set_mtime(world_t *world, int dir, const char *path, int64_t mtime_ns)
{
    sim_call_t call = {
        .operation = "set_mtime", .fd = dir, .path = path, .time_ns = mtime_ns, .changes = true};
    return (int) sim_call(world, &call, do_set_mtime);
}

static int64_t
do_chmod_at(sim_job_t *job, const sim_call_t *call)
{
    sim_place_t place;
    int64_t result = sim_call_place(job, call->fd, call->path, 0, false, &place);
    if (result != 0) {
        return result;
    }
    if (place.node == NULL) {
        return -ENOENT;
    }
    if (sim_is_link(place.node)) {
        return -EOPNOTSUPP;
    }
    sim_disk_chmod(&job->sim->disk, place.node, call->mode);
    return 0;
}

int
sim_chmod_at(world_t *world, int dir, const char *path, uint32_t mode)
{
    sim_call_t call = {
        .operation = "chmod_at", .fd = dir, .path = path, .mode = mode, .changes = true};
    return (int) sim_call(world, &call, do_chmod_at);
}

/* The names at the time of the listing, in an order of chance: nobody may count on one. */
struct world_listing {
    size_t count, next;
    struct {
        char *name;
        uint64_t inode;
        uint8_t type;
    } at[];
};

static world_listing_t *
listing_new(const sim_names_t *names, sim_rng_t *chance)
{
    world_listing_t *made = sim_alloc(sizeof *made + names->count * sizeof made->at[0]);
    for (size_t i = 0; i < names->count; i++) {
        size_t put = (size_t) sim_rng_below(chance, i + 1);
        const sim_node_t *node = names->at[i].node;
        made->at[i] = made->at[put];
        made->at[put].name = sim_copy_text(names->at[i].name);
        made->at[put].inode = node->number;
        made->at[put].type = (uint8_t) IFTODT(node->live.mode);
    }
    made->count = names->count;
    return made;
}

static int64_t
do_list(sim_job_t *job, const sim_call_t *call)
{
    sim_fd_t *fd = NULL;
    int64_t result = sim_call_fd(job, call->fd, &fd);
    if (result != 0) {
        return result;
    }
    if (!sim_is_dir(fd->node)) {
        return -ENOTDIR;
    }
    if ((fd->node->live.mode & 0500) != 0500) {
        return -EACCES;
    }
    *(world_listing_t **) call->to = listing_new(&fd->node->live.names, &job->sim->chance);
    return 0;
}

int
sim_list(world_t *world, int fd, world_listing_t **ret_listing)
{
    sim_call_t call = {.operation = "list", .fd = fd, .to = ret_listing};
    return (int) sim_call(world, &call, do_list);
}

static int64_t
do_list_next(sim_job_t *job, const sim_call_t *call)
{
    (void) job;
    world_listing_t *listing = *(world_listing_t *const *) call->from;
    world_name_t *ret = call->to;
    if (listing->next == listing->count) {
        return 0;
    }
    size_t at = listing->next++;
    *ret = (world_name_t){
        .name = listing->at[at].name, .inode = listing->at[at].inode, .type = listing->at[at].type};
    return 1;
}

int
sim_list_next(world_t *world, world_listing_t *listing, world_name_t *ret_name)
{
    sim_call_t call = {.operation = "list_next", .from = &listing, .to = ret_name};
    return (int) sim_call(world, &call, do_list_next);
}

void
sim_list_end(world_t *world, world_listing_t **listing)
{
    (void) world;
    if (*listing == NULL) {
        return;
    }
    for (size_t i = 0; i < (*listing)->count; i++) {
        free((*listing)->at[i].name);
    }
    free(*listing);
    *listing = NULL;
}
