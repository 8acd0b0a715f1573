/* world_sim_node.c - the matter of the simulated disk: states, names, nodes, devices. */
#include "runtime/world_sim_disk.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

uint64_t
sim_rng_next(sim_rng_t *rng)
{
    rng->state += UINT64_C(0x9e3779b97f4a7c15);
    uint64_t z = rng->state;
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

uint64_t
sim_rng_below(sim_rng_t *rng, uint64_t bound)
{
    assert(bound >= 1);
    return sim_rng_next(rng) % bound;
}

void *
sim_alloc(size_t size)
{
    void *made = calloc(1, size == 0 ? 1 : size);
    if (made == NULL) {
        abort();
    }
    return made;
}

char *
sim_copy_text(const char *text)
{
    size_t size = strlen(text) + 1;
    return memcpy(sim_alloc(size), text, size);
}

static sim_entry_t *
names_find(const sim_names_t *names, const char *name)
{
    for (size_t i = 0; i < names->count; i++) {
        if (strcmp(names->at[i].name, name) == 0) {
            return &names->at[i];
        }
    }
    return NULL;
}

sim_node_t *
sim_names_get(const sim_names_t *names, const char *name)
{
    const sim_entry_t *entry = names_find(names, name);
    return entry == NULL ? NULL : entry->node;
}

void
sim_names_put(sim_names_t *names, const char *name, sim_node_t *node)
{
    sim_entry_t *entry = names_find(names, name);
    if (entry != NULL) {
        entry->node = node;
        return;
    }
    if (names->count == names->room) {
        names->room = names->room == 0 ? 8 : names->room * 2;
        names->at = realloc(names->at, names->room * sizeof *names->at);
        if (names->at == NULL) {
            abort();
        }
    }
    names->at[names->count++] = (sim_entry_t){.name = sim_copy_text(name), .node = node};
}

void
sim_names_take(sim_names_t *names, const char *name)
{
    sim_entry_t *entry = names_find(names, name);
    assert(entry != NULL);
    free(entry->name);
    *entry = names->at[--names->count];
}

static void
names_clear(sim_names_t *names)
{
    for (size_t i = 0; i < names->count; i++) {
        free(names->at[i].name);
    }
    free(names->at);
    *names = (sim_names_t){0};
}

/* Bytes are held as far as they were written; what lies beyond reads as zero, so that a file may
 * be large and cost nothing. What is held beyond the size is kept zero. */
static void
state_hold(sim_state_t *state, uint64_t size)
{
    if (size <= state->room) {
        return;
    }
    uint64_t room = size < 256 ? 256 : size + size / 2;
    uint8_t *bytes = realloc(state->bytes, room);
    if (bytes == NULL) {
        abort();
    }
    memset(bytes + state->room, 0, room - state->room);
    state->bytes = bytes;
    state->room = room;
}

void
sim_state_resize(sim_state_t *state, uint64_t size)
{
    if (size < state->room) {
        memset(state->bytes + size, 0, state->room - size);
    }
    state->size = size;
}

void
sim_state_write(sim_state_t *state, uint64_t offset, const uint8_t *bytes, uint64_t size)
{
    state_hold(state, offset + size);
    if (offset + size > state->size) {
        state->size = offset + size;
    }
    if (size > 0) {
        memcpy(state->bytes + offset, bytes, size);
    }
}

void
sim_state_read(const sim_state_t *state, uint64_t offset, uint8_t *ret_bytes, uint64_t size)
{
    uint64_t held = offset < state->room ? state->room - offset : 0;

    held = held < size ? held : size;
    if (held > 0) {
        memcpy(ret_bytes, state->bytes + offset, held);
    }
    memset(ret_bytes + held, 0, size - held);
}

static void
state_clear(sim_state_t *state)
{
    free(state->bytes);
    names_clear(&state->names);
    *state = (sim_state_t){0};
}

void
sim_state_assign(sim_state_t *to, const sim_state_t *from)
{
    state_clear(to);
    sim_state_write(to, 0, from->bytes, from->room < from->size ? from->room : from->size);
    to->size = from->size;
    for (size_t i = 0; i < from->names.count; i++) {
        sim_names_put(&to->names, from->names.at[i].name, from->names.at[i].node);
    }
    to->mode = from->mode;
    to->mtime_ns = from->mtime_ns;
}

bool
sim_is_dir(const sim_node_t *node)
{
    return S_ISDIR(node->live.mode);
}

bool
sim_is_file(const sim_node_t *node)
{
    return S_ISREG(node->live.mode);
}

bool
sim_is_link(const sim_node_t *node)
{
    return S_ISLNK(node->live.mode);
}

uint64_t
sim_blocks_bytes(uint64_t size)
{
    return (size + SIM_BLOCK_BYTES - 1) / SIM_BLOCK_BYTES * SIM_BLOCK_BYTES;
}

sim_node_t *
sim_node_new(sim_disk_t *disk, sim_device_t *device, uint32_t mode)
{
    sim_node_t *node = sim_alloc(sizeof *node);
    node->number = ++disk->nodes_made;
    node->device = device;
    node->live.mode = node->durable.mode = mode;
    node->live.mtime_ns = node->durable.mtime_ns = node->ctime_ns = disk->wall_ns;
    node->next = disk->nodes;
    disk->nodes = node;
    disk->nodes_now++;
    device->inodes_used++;
    return node;
}

void
sim_node_free(sim_node_t *node)
{
    state_clear(&node->live);
    state_clear(&node->durable);
    free(node->target);
    free(node);
}

static void
give_space_back(sim_node_t *node)
{
    if (node->links == 0 && node->opens == 0) {
        node->device->bytes_used -= sim_blocks_bytes(node->live.size);
        node->device->inodes_used--;
    }
}

void
sim_node_opened(sim_node_t *node)
{
    node->opens++;
}

void
sim_node_closed(sim_node_t *node)
{
    assert(node->opens > 0);
    node->opens--;
    give_space_back(node);
}

void
sim_node_unlinked(sim_node_t *node)
{
    assert(node->links > 0);
    node->links--;
    give_space_back(node);
}

sim_device_t *
sim_device_new(sim_disk_t *disk, uint64_t bytes_max, uint64_t inodes_max)
{
    sim_device_t *device = sim_alloc(sizeof *device);
    sim_device_t **end = &disk->devices;
    uint64_t number = 1;
    while (*end != NULL) {
        number++;
        end = &(*end)->next;
    }
    *end = device;
    device->number = number;
    device->bytes_max = bytes_max;
    device->inodes_max = inodes_max;
    device->root = sim_node_new(disk, device, S_IFDIR | 0755);
    device->root->links = 1;
    return device;
}

void
sim_disk_init(sim_disk_t *disk)
{
    sim_device_new(disk, SIM_DEVICE_BYTES, SIM_DEVICE_INODES);
}

void
sim_disk_free(sim_disk_t *disk)
{
    while (disk->first != NULL) {
        sim_effect_t *effect = disk->first;
        disk->first = effect->after;
        free(effect->name);
        free(effect->from_name);
        free(effect->bytes);
        free(effect);
    }
    while (disk->nodes != NULL) {
        sim_node_t *node = disk->nodes;
        disk->nodes = node->next;
        sim_node_free(node);
    }
    while (disk->devices != NULL) {
        sim_device_t *device = disk->devices;
        disk->devices = device->next;
        free(device);
    }
}
