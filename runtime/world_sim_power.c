/* world_sim_power.c - what of the simulated disk outlives a power cut.
 *
 * Bytes    the durable states of the nodes; the list of effects stands for the page cache.
 * Valid    a file's sync makes its bytes, size, mode and time durable, not its name; a directory's
 *          sync its names, mode and time, not what the names stand for. A rename is made durable
 *          by a sync of the directory it went to (so a program that syncs only the one it came
 *          from is caught). What touches the same name of the same directory keeps its order.
 * Crash    every effect left is kept or dropped for itself, writes are also torn between sectors;
 *          a rename whose old name is not there has never happened; a name of a file that was
 *          never synced shows what writes happened to be kept.
 */
#include "runtime/world_sim_disk.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

static void
effect_free(sim_disk_t *disk, sim_effect_t *effect)
{
    if (effect->before == NULL) {
        disk->first = effect->after;
    } else {
        effect->before->after = effect->after;
    }
    if (effect->after == NULL) {
        disk->last = effect->before;
    } else {
        effect->after->before = effect->before;
    }
    disk->effects--;
    free(effect->name);
    free(effect->from_name);
    free(effect->bytes);
    free(effect);
}

static void
leave(sim_node_t *dir, const char *name, const sim_node_t *child)
{
    if (sim_names_get(&dir->durable.names, name) == child) {
        sim_names_take(&dir->durable.names, name);
    }
}

static void
apply(const sim_effect_t *effect)
{
    sim_state_t *durable = &effect->node->durable;
    switch (effect->kind) {
    case EFFECT_WRITE:
        sim_state_write(durable, effect->offset, effect->bytes, effect->size);
        durable->mtime_ns = effect->mtime_ns;
        break;
    case EFFECT_SIZE:
        sim_state_resize(durable, effect->size);
        durable->mtime_ns = effect->mtime_ns;
        break;
    case EFFECT_MODE:
        durable->mode = effect->mode;
        break;
    case EFFECT_MTIME:
        durable->mtime_ns = effect->mtime_ns;
        break;
    case EFFECT_RENAME:
        leave(effect->from_dir, effect->from_name, effect->child);
        effect->from_dir->durable.mtime_ns = effect->mtime_ns;
        sim_names_put(&durable->names, effect->name, effect->child);
        durable->mtime_ns = effect->mtime_ns;
        break;
    case EFFECT_ENTER:
        sim_names_put(&durable->names, effect->name, effect->child);
        durable->mtime_ns = effect->mtime_ns;
        break;
    case EFFECT_LEAVE:
        leave(effect->node, effect->name, effect->child);
        durable->mtime_ns = effect->mtime_ns;
        break;
    }
}

static bool
is_of_names(const sim_effect_t *effect)
{
    return effect->kind == EFFECT_ENTER || effect->kind == EFFECT_LEAVE ||
           effect->kind == EFFECT_RENAME;
}

static bool
touches(const sim_effect_t *effect, const sim_node_t *dir, const char *name)
{
    return (effect->node == dir && strcmp(effect->name, name) == 0) ||
           (effect->from_dir == dir && strcmp(effect->from_name, name) == 0);
}

static bool
meet(const sim_effect_t *one, const sim_effect_t *other)
{
    return is_of_names(one) && is_of_names(other) &&
           (touches(one, other->node, other->name) ||
            (other->from_dir != NULL && touches(one, other->from_dir, other->from_name)));
}

/* Makes an effect durable, and before it what has touched the same names. */
static void
settle(sim_disk_t *disk, sim_effect_t *effect)
{
    sim_effect_t *earlier = disk->first;
    while (earlier != effect) {
        if (meet(earlier, effect)) {
            settle(disk, earlier);
            earlier = disk->first; /* the list has changed */
        } else {
            earlier = earlier->after;
        }
    }
    apply(effect);
    effect_free(disk, effect);
}

static bool
is_synced_by(const sim_effect_t *effect, const sim_node_t *node, bool data_only)
{
    if (effect->node != node) {
        return false;
    }
    return !data_only || effect->kind == EFFECT_WRITE || effect->kind == EFFECT_SIZE;
}

void
sim_power_sync(sim_disk_t *disk, sim_node_t *node, bool data_only)
{
    data_only = data_only && sim_is_file(node);
    sim_effect_t *effect = disk->first;
    while (effect != NULL) {
        if (!is_synced_by(effect, node, data_only)) {
            effect = effect->after;
        } else if (is_of_names(effect)) {
            settle(disk, effect);
            effect = disk->first;
        } else {
            sim_effect_t *after = effect->after;
            apply(effect);
            effect_free(disk, effect);
            effect = after;
        }
    }
}

void
sim_power_sync_device(sim_disk_t *disk, const sim_device_t *device)
{
    sim_effect_t *after;
    for (sim_effect_t *effect = disk->first; effect != NULL; effect = after) {
        after = effect->after;
        if (effect->node->device == device) {
            apply(effect);
            effect_free(disk, effect);
        }
    }
}

/* What a crash does with the effects: each crash has one manner, so that "nothing was kept" and
 * "all was kept" occur however many effects there are. */
typedef enum cut_manner {
    CUT_DROPS,
    CUT_KEEPS,
    CUT_AT_ONE,
    CUT_FROM_ONE, /* what came later was written first: a disk may take its own order */
    CUT_EACH,
    CUT_MANNERS
} cut_manner_t;

typedef struct cut {
    sim_rng_t *chance;
    const uint64_t *keep;
    cut_manner_t manner;
    uint64_t kept_before; /* for CUT_AT_ONE; with CUT_FROM_ONE it is dropped before */
    uint64_t index;
} cut_t;

typedef enum fate { FATE_DROPPED, FATE_KEPT, FATE_TORN } fate_t;

static fate_t
draw_fate(cut_t *cut)
{
    uint64_t index = cut->index++;
    if (cut->keep != NULL) {
        return ((*cut->keep >> (index % 64)) & 1) != 0 ? FATE_KEPT : FATE_DROPPED;
    }
    switch (cut->manner) {
    case CUT_DROPS:
        return FATE_DROPPED;
    case CUT_KEEPS:
        return FATE_KEPT;
    case CUT_AT_ONE:
        return index < cut->kept_before    ? FATE_KEPT
               : index == cut->kept_before ? FATE_TORN
                                           : FATE_DROPPED;
    case CUT_FROM_ONE:
        return index < cut->kept_before ? FATE_DROPPED : FATE_KEPT;
    case CUT_EACH:
    case CUT_MANNERS:
        break;
    }
    uint64_t drawn = sim_rng_below(cut->chance, 8);
    return drawn < 3 ? FATE_DROPPED : drawn < 6 ? FATE_KEPT : FATE_TORN;
}

/* Sectors of the file, not of the write: a write that begins inside one splits there. */
static void
apply_torn(const sim_effect_t *effect, sim_rng_t *chance)
{
    uint64_t at = 0;
    while (at < effect->size) {
        uint64_t size = SIM_SECTOR_BYTES - (effect->offset + at) % SIM_SECTOR_BYTES;
        size = size < effect->size - at ? size : effect->size - at;
        if (sim_rng_below(chance, 2) == 0) {
            sim_state_write(&effect->node->durable, effect->offset + at, effect->bytes + at, size);
        }
        at += size;
    }
}

/* Whether child is dir or holds it, by durable names. Small trees: the search is plain. */
static bool
holds(const sim_node_t *child, const sim_node_t *dir)
{
    if (child == dir) {
        return true;
    }
    for (size_t i = 0; i < child->durable.names.count; i++) {
        const sim_node_t *below = child->durable.names.at[i].node;
        if (sim_is_dir(below) && holds(below, dir)) {
            return true;
        }
    }
    return false;
}

static bool
is_possible(const sim_effect_t *effect)
{
    if (effect->kind != EFFECT_RENAME) {
        return true;
    }
    if (sim_names_get(&effect->from_dir->durable.names, effect->from_name) != effect->child) {
        return false;
    }
    return !sim_is_dir(effect->child) || !holds(effect->child, effect->node);
}

static void
end_effect(sim_effect_t *effect, cut_t *cut)
{
    fate_t fate = draw_fate(cut);
    if (fate == FATE_TORN && effect->kind == EFFECT_WRITE) {
        apply_torn(effect, cut->chance);
    } else if (fate != FATE_DROPPED && is_possible(effect)) {
        apply(effect);
    }
}

/* A name that outlived the removal of its file's other state is found here: links are counted anew,
 * and space is what is reachable. */
static void
revive(sim_node_t *node, sim_node_t *parent)
{
    node->links++;
    if (node->links > 1) {
        return;
    }
    sim_state_assign(&node->live, &node->durable);
    node->device->inodes_used++;
    node->device->bytes_used += sim_blocks_bytes(node->live.size);
    if (!sim_is_dir(node)) {
        return;
    }
    node->parent = parent;
    for (size_t i = 0; i < node->live.names.count; i++) {
        revive(node->live.names.at[i].node, node);
    }
}

static void
start_anew(sim_disk_t *disk)
{
    for (sim_node_t *node = disk->nodes; node != NULL; node = node->next) {
        node->links = node->opens = node->pins = 0;
    }
    for (sim_device_t *device = disk->devices; device != NULL; device = device->next) {
        device->bytes_used = device->inodes_used = 0;
        revive(device->root, device->root->parent);
    }
    for (sim_node_t *node = disk->nodes; node != NULL; node = node->next) {
        if (node->links == 0) {
            sim_state_assign(&node->live, &(sim_state_t){.mode = node->durable.mode});
            sim_state_assign(&node->durable, &node->live);
            node->hangs = node->unplugged = false;
            node->fails = 0;
        }
    }
}

/* Linux marks pages clean whose write-back failed: the next sync says well done without them.
 * Here their fate is decided at once, while the live state goes on showing them. */
void
sim_power_sync_fails(sim_disk_t *disk, const sim_device_t *device, const sim_node_t *node,
                     sim_rng_t *chance)
{
    cut_t cut = {.chance = chance, .manner = CUT_EACH};
    sim_effect_t *after;
    for (sim_effect_t *effect = disk->first; effect != NULL; effect = after) {
        after = effect->after;
        bool meant = node == NULL ? effect->node->device == device : effect->node == node;
        if (meant && effect->kind == EFFECT_WRITE) {
            end_effect(effect, &cut);
            effect_free(disk, effect);
        }
    }
}

void
sim_power_cut(sim_disk_t *disk, sim_rng_t *chance, const uint64_t *keep)
{
    cut_t cut = {.chance = chance, .keep = keep};
    if (keep == NULL) {
        cut.manner = (cut_manner_t) sim_rng_below(chance, CUT_MANNERS);
        cut.kept_before = sim_rng_below(chance, disk->effects + 1);
    }
    while (disk->first != NULL) {
        end_effect(disk->first, &cut);
        effect_free(disk, disk->first);
    }
    start_anew(disk);
    disk->nodes_after_sweep = 0;
    sim_power_sweep(disk);
}

static void
mark(sim_node_t *node)
{
    if (node == NULL || node->marked) {
        return;
    }
    node->marked = true;
    mark(node->parent);
    for (size_t i = 0; i < node->live.names.count; i++) {
        mark(node->live.names.at[i].node);
    }
    for (size_t i = 0; i < node->durable.names.count; i++) {
        mark(node->durable.names.at[i].node);
    }
}

static void
mark_all(sim_disk_t *disk)
{
    for (sim_device_t *device = disk->devices; device != NULL; device = device->next) {
        mark(device->root);
    }
    for (sim_effect_t *effect = disk->first; effect != NULL; effect = effect->after) {
        mark(effect->node);
        mark(effect->child);
        mark(effect->from_dir);
    }
    for (sim_node_t *node = disk->nodes; node != NULL; node = node->next) {
        if (node->opens > 0 || node->pins > 0) {
            mark(node);
        }
    }
}

void
sim_power_sweep(sim_disk_t *disk)
{
    if (disk->nodes_now < disk->nodes_after_sweep * 2 + 64 && disk->nodes_after_sweep > 0) {
        return;
    }
    mark_all(disk);
    sim_node_t **at = &disk->nodes;
    while (*at != NULL) {
        sim_node_t *node = *at;
        if (node->marked) {
            node->marked = false;
            at = &node->next;
        } else {
            *at = node->next;
            disk->nodes_now--;
            sim_node_free(node);
        }
    }
    disk->nodes_after_sweep = disk->nodes_now;
}
