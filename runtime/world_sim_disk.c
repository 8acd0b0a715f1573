/* world_sim_disk.c - changes of the simulated disk: each acts on the live state and records what
 * a power cut could still take back. */
#include "runtime/world_sim_disk.h"

#include <assert.h>
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

static sim_effect_t *
record(sim_disk_t *disk, sim_effect_kind_t kind, sim_node_t *node)
{
    sim_effect_t *effect = sim_alloc(sizeof *effect);
    effect->kind = kind;
    effect->node = node;
    effect->mtime_ns = disk->wall_ns;
    effect->before = disk->last;
    if (disk->last == NULL) {
        disk->first = effect;
    } else {
        disk->last->after = effect;
    }
    disk->last = effect;
    disk->effects++;
    disk->recorded++;
    node->ctime_ns = disk->wall_ns;
    return effect;
}

/* How much of a growth to `wanted` bytes the device has room for: the size that can be had. */
static uint64_t
grant(const sim_node_t *file, uint64_t wanted)
{
    uint64_t has = sim_blocks_bytes(file->live.size);
    const sim_device_t *device = file->device;
    uint64_t free_bytes =
        device->bytes_max > device->bytes_used ? device->bytes_max - device->bytes_used : 0;
    uint64_t most = has + free_bytes / SIM_BLOCK_BYTES * SIM_BLOCK_BYTES;
    return wanted < most ? wanted : most;
}

static void
charge(sim_node_t *file, uint64_t size)
{
    file->device->bytes_used += sim_blocks_bytes(size) - sim_blocks_bytes(file->live.size);
}

int64_t
sim_disk_write(sim_disk_t *disk, sim_node_t *file, uint64_t offset, const uint8_t *bytes,
               uint64_t size)
{
    if (offset > SIM_FILE_BYTES || size > SIM_FILE_BYTES - offset) {
        return -EFBIG;
    }
    uint64_t end = grant(file, offset + size);
    if (size > 0 && end <= offset) {
        return -ENOSPC;
    }
    size = size > 0 ? end - offset : 0;
    if (size == 0) {
        return 0;
    }
    if (end > file->live.size) {
        charge(file, end);
    }
    sim_state_write(&file->live, offset, bytes, size);
    file->live.mtime_ns = disk->wall_ns;
    sim_effect_t *effect = record(disk, EFFECT_WRITE, file);
    effect->offset = offset;
    effect->size = size;
    effect->bytes = memcpy(sim_alloc(size), bytes, size);
    return (int64_t) size;
}

int
sim_disk_resize(sim_disk_t *disk, sim_node_t *file, uint64_t size)
{
    if (size > SIM_FILE_BYTES) {
        return -EFBIG;
    }
    if (size > file->live.size && grant(file, size) < size) {
        return -ENOSPC;
    }
    charge(file, size);
    sim_state_resize(&file->live, size);
    file->live.mtime_ns = disk->wall_ns;
    record(disk, EFFECT_SIZE, file)->size = size;
    return 0;
}

void
sim_disk_chmod(sim_disk_t *disk, sim_node_t *node, uint32_t mode)
{
    node->live.mode = (node->live.mode & S_IFMT) | (mode & 07777);
    record(disk, EFFECT_MODE, node)->mode = node->live.mode;
}

void
sim_disk_set_mtime(sim_disk_t *disk, sim_node_t *node, int64_t mtime_ns)
{
    node->live.mtime_ns = mtime_ns;
    record(disk, EFFECT_MTIME, node)->mtime_ns = mtime_ns;
}

/* A directory's own time changes with its names; that is not worth an effect of its own. */
static void
enter(sim_disk_t *disk, sim_node_t *dir, const char *name, sim_node_t *child)
{
    sim_names_put(&dir->live.names, name, child);
    dir->live.mtime_ns = disk->wall_ns;
    child->links++;
    sim_effect_t *effect = record(disk, EFFECT_ENTER, dir);
    effect->name = sim_copy_text(name);
    effect->child = child;
}

int
sim_disk_create(sim_disk_t *disk, sim_node_t *dir, const char *name, uint32_t mode,
                const char *target, sim_node_t **ret_node)
{
    if (dir->device->inodes_used >= dir->device->inodes_max) {
        return -ENOSPC;
    }
    if (dir->links == 0) {
        return -ENOENT; /* removed, and still open */
    }
    sim_node_t *node = sim_node_new(disk, dir->device, mode);
    if (target != NULL) {
        node->target = sim_copy_text(target);
    }
    if (S_ISDIR(mode)) {
        node->parent = dir;
    }
    enter(disk, dir, name, node);
    *ret_node = node;
    return 0;
}

int
sim_disk_link(sim_disk_t *disk, sim_node_t *node, sim_node_t *dir, const char *name)
{
    if (sim_is_dir(node)) {
        return -EPERM;
    }
    if (node->device != dir->device) {
        return -EXDEV;
    }
    if (dir->links == 0 || node->links == 0) {
        return -ENOENT;
    }
    node->ctime_ns = disk->wall_ns;
    enter(disk, dir, name, node);
    return 0;
}

static int
removable(const sim_node_t *node, bool directory)
{
    if (directory && !sim_is_dir(node)) {
        return -ENOTDIR;
    }
    if (!directory && sim_is_dir(node)) {
        return -EISDIR;
    }
    if (directory && node->mounted != NULL) {
        return -EBUSY;
    }
    return directory && node->live.names.count > 0 ? -ENOTEMPTY : 0;
}

int
sim_disk_remove(sim_disk_t *disk, sim_node_t *dir, const char *name, bool directory)
{
    sim_node_t *node = sim_names_get(&dir->live.names, name);
    assert(node != NULL);
    int refusal = removable(node, directory);
    if (refusal != 0) {
        return refusal;
    }
    sim_names_take(&dir->live.names, name);
    dir->live.mtime_ns = disk->wall_ns;
    sim_effect_t *effect = record(disk, EFFECT_LEAVE, dir);
    effect->name = sim_copy_text(name);
    effect->child = node;
    node->ctime_ns = disk->wall_ns;
    sim_node_unlinked(node);
    return 0;
}

static bool
is_above(const sim_node_t *node, const sim_node_t *dir)
{
    while (dir != NULL && dir != node) {
        dir = dir->parent;
    }
    return dir != NULL;
}

static int
rename_refusal(const sim_node_t *node, const sim_node_t *over, const sim_node_t *to_dir)
{
    if (node->device != to_dir->device) {
        return -EXDEV;
    }
    if (to_dir->links == 0) {
        return -ENOENT;
    }
    if (sim_is_dir(node) && is_above(node, to_dir)) {
        return -EINVAL;
    }
    if (node->mounted != NULL) {
        return -EBUSY;
    }
    return over == NULL ? 0 : removable(over, sim_is_dir(node));
}

static void
rename_live(sim_disk_t *disk, sim_node_t *from_dir, const char *from, sim_node_t *to_dir,
            const char *to)
{
    sim_node_t *node = sim_names_get(&from_dir->live.names, from);
    sim_node_t *over = sim_names_get(&to_dir->live.names, to);
    sim_names_take(&from_dir->live.names, from);
    sim_names_put(&to_dir->live.names, to, node);
    from_dir->live.mtime_ns = to_dir->live.mtime_ns = disk->wall_ns;
    node->ctime_ns = disk->wall_ns;
    if (sim_is_dir(node)) {
        node->parent = to_dir;
    }
    if (over != NULL) {
        sim_node_unlinked(over);
    }
}

/* Two names of one file: Linux does nothing and says well done. */
int
sim_disk_rename(sim_disk_t *disk, sim_node_t *from_dir, const char *from, sim_node_t *to_dir,
                const char *to)
{
    sim_node_t *node = sim_names_get(&from_dir->live.names, from);
    const sim_node_t *over = sim_names_get(&to_dir->live.names, to);
    assert(node != NULL);
    if (node == over) {
        return 0;
    }
    int refusal = rename_refusal(node, over, to_dir);
    if (refusal != 0) {
        return refusal;
    }
    rename_live(disk, from_dir, from, to_dir, to);
    sim_effect_t *effect = record(disk, EFFECT_RENAME, to_dir);
    effect->name = sim_copy_text(to);
    effect->child = node;
    effect->from_dir = from_dir;
    effect->from_name = sim_copy_text(from);
    return 0;
}
