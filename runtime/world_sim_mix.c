/* world_sim_mix.c - faults that are drawn below one path: what a seed's own mix switches on, slow
 * devices, and bits that rot. */
#include "runtime/world_sim_machine.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#define MILLION 1000000

void
world_sim_mix(world_sim_t *sim, const char *path, const world_sim_mix_t *mix)
{
    sim_mix_t *place = NULL;

    for (uint32_t i = 0; i < WORLD_SIM_MIXES_MAX && !place; i++) {
        if (sim->mix[i].path[0] == '\0' || strcmp(sim->mix[i].path, path) == 0) {
            place = &sim->mix[i];
        }
    }
    assert(place && strlen(path) < sizeof place->path);
    strcpy(place->path, path);
    place->chances = *mix;
    sim->mixed = true;
}

uint64_t
world_sim_struck(const world_sim_t *sim)
{
    return sim->struck;
}

void
sim_mixes_end(world_sim_t *sim)
{
    memset(sim->mix, 0, sizeof sim->mix);
    sim->mixed = false;
}

bool
world_sim_rot(world_sim_t *sim, const char *path, uint64_t offset)
{
    sim_node_t *node = sim_path_look(sim, path);

    if (node == NULL || sim_is_dir(node) || sim_is_link(node) || node->live.size == 0) {
        return false;
    }
    uint64_t at = offset % node->live.size;
    uint8_t bit = (uint8_t) (1u << (offset % 8));
    uint8_t byte = 0;
    sim_state_read(&node->live, at, &byte, 1);
    byte ^= bit;
    sim_state_write(&node->live, at, &byte, 1);
    if (at < node->durable.size) {
        sim_state_read(&node->durable, at, &byte, 1);
        byte ^= bit;
        sim_state_write(&node->durable, at, &byte, 1);
    }
    return true;
}

/* The deepest node on the way to what the call is about; NULL for a call about nothing. */
static sim_node_t *
where_of(const world_sim_t *sim, const sim_call_t *call)
{
    sim_place_t place;
    sim_node_t *trouble = NULL;

    if (call->path != NULL && call->path[0] == '/') {
        int found = sim_path_find(sim, call->fd, call->path, 0, false, &place, &trouble);
        return found < 0 ? trouble : place.node != NULL ? place.node : place.dir;
    }
    if (call->fd < 0 || call->fd >= SIM_FDS_MAX || sim->fds[call->fd].node == NULL) {
        return NULL;
    }
    const sim_fd_t *fd = &sim->fds[call->fd];
    return sim_is_dir(fd->node) ? fd->node : fd->via;
}

static bool
is_below(const sim_node_t *node, const sim_node_t *top)
{
    while (node != NULL && node != top) {
        node = node->parent;
    }
    return node != NULL && top != NULL;
}

int64_t
sim_slowness(world_sim_t *sim, const sim_call_t *call)
{
    uint32_t most = 0;

    if (!sim->mixed) {
        return 0;
    }
    const sim_node_t *where = where_of(sim, call);
    for (uint32_t i = 0; i < WORLD_SIM_MIXES_MAX && where != NULL; i++) {
        const sim_mix_t *mix = &sim->mix[i];
        if (mix->chances.slow_ns > most && is_below(where, sim_path_look(sim, mix->path))) {
            most = mix->chances.slow_ns;
        }
    }
    return most == 0 ? 0 : (int64_t) sim_rng_below(&sim->chance, (uint64_t) most + 1);
}

/* Draws one chance of a mix, and counts what struck toward its most. */
static bool
strikes(world_sim_t *sim, sim_mix_t *mix, uint32_t per_million)
{
    bool spent = mix->chances.most > 0 && mix->struck >= mix->chances.most;

    if (per_million == 0 || spent || sim_rng_below(&sim->chance, MILLION) >= per_million) {
        return false;
    }
    mix->struck++;
    sim->struck++;
    return true;
}

static sim_drawn_t
drawn_of(world_sim_t *sim, sim_mix_t *mix, sim_call_t *call)
{
    const world_sim_mix_t *chances = &mix->chances;
    bool writes = strcmp(call->operation, "write") == 0;

    if (strikes(sim, mix, chances->hang)) {
        return SIM_DRAWN_HANG;
    }
    if (strikes(sim, mix, chances->io)) {
        call->fails = -EIO;
    } else if (call->changes && strikes(sim, mix, chances->full)) {
        call->fails = -ENOSPC;
    } else if (call->changes && strikes(sim, mix, chances->quota)) {
        call->fails = -EDQUOT;
    } else if (writes && call->size > 1 && strikes(sim, mix, chances->part)) {
        call->size = 1 + sim_rng_below(&sim->chance, call->size - 1);
    } else if (strcmp(call->operation, "read") == 0 && strikes(sim, mix, chances->flip)) {
        call->flips = true;
    }
    return SIM_DRAWN_NOTHING;
}

/* A named point belongs to no place: the first mix that draws on points has them. */
static sim_drawn_t
drawn_at_point(world_sim_t *sim, sim_call_t *call)
{
    for (uint32_t i = 0; i < WORLD_SIM_MIXES_MAX; i++) {
        sim_mix_t *mix = &sim->mix[i];
        if (strikes(sim, mix, mix->chances.cut)) {
            sim->is_cut = true;
            return SIM_DRAWN_CUT;
        }
        if (strikes(sim, mix, mix->chances.point)) {
            call->fails = -EIO;
            return SIM_DRAWN_NOTHING;
        }
    }
    return SIM_DRAWN_NOTHING;
}

/* A mix whose path is no path at all is about every rename; else the new name must be there. */
static bool
is_renamed_below(const world_sim_t *sim, const sim_mix_t *mix, const sim_call_t *call)
{
    sim_place_t place;
    sim_node_t *trouble = NULL;

    if (mix->path[0] != '/') {
        return true;
    }
    int found = sim_path_find(sim, call->other_fd, call->other_path, 0, false, &place, &trouble);
    const sim_node_t *top = sim_path_look(sim, mix->path);
    return found == 0 && place.node != NULL && (place.node == top || is_below(place.dir, top));
}

void
sim_cut_by_mix(world_sim_t *sim, const sim_call_t *call)
{
    if (!sim->mixed || strcmp(call->operation, "rename") != 0) {
        return;
    }
    for (uint32_t i = 0; i < WORLD_SIM_MIXES_MAX && !sim->is_cut; i++) {
        sim_mix_t *mix = &sim->mix[i];
        sim->is_cut = mix->chances.cut_rename > 0 && is_renamed_below(sim, mix, call) &&
                      strikes(sim, mix, mix->chances.cut_rename);
    }
}

sim_drawn_t
sim_draw_mix(world_sim_t *sim, sim_call_t *call)
{
    if (!sim->mixed) {
        return SIM_DRAWN_NOTHING;
    }
    if (strcmp(call->operation, "point") == 0) {
        return drawn_at_point(sim, call);
    }
    const sim_node_t *where = call->safe ? NULL : where_of(sim, call);
    for (uint32_t i = 0; i < WORLD_SIM_MIXES_MAX && where != NULL; i++) {
        sim_mix_t *mix = &sim->mix[i];
        if (mix->path[0] != '\0' && is_below(where, sim_path_look(sim, mix->path))) {
            return drawn_of(sim, mix, call);
        }
    }
    return SIM_DRAWN_NOTHING;
}
