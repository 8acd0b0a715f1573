/* incoming.c - see incoming.h; staging.c tells of the bytes. */
#include "actors/content/incoming.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "actors/content/fail.h"
#include "actors/content/listing.h"
#include "proto/limits.h"

#define HEX_BYTES 64u

typedef struct incoming {
    world_t *world;
    int dir;
    char path[PATH_BYTES_MAX + 16];
    listing_t names;
} incoming_t;

/* On failure there is nothing to be closed. */
static err_t
open_incoming(incoming_t *incoming, world_t *world, slice_t data, fault_t *fault)
{
    *incoming = (incoming_t){.world = world};
    snprintf(incoming->path, sizeof incoming->path, "%.*s/incoming", (int) data.size, data.data);
    incoming->dir =
        world_open(world, AT_FDCWD, incoming->path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0, 0);
    return incoming->dir < 0 ? FAIL(fault, incoming->dir, "open", incoming->path) : OK;
}

static err_t
read_names(incoming_t *incoming, fault_t *fault)
{
    listing_release(&incoming->names);
    return listing_read(incoming->world, incoming->dir, incoming->path, &incoming->names, fault);
}

static void
close_incoming(incoming_t *incoming)
{
    listing_release(&incoming->names);
    world_close(incoming->world, incoming->dir);
}

static bool
is_list(const char *name)
{
    return strchr(name, '.') != NULL;
}

static uint32_t
count_of(const incoming_t *incoming, bool lists)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < incoming->names.count; i++) {
        count += is_list(incoming->names.name[i]) == lists;
    }
    return count;
}

static err_t
remove_name(incoming_t *incoming, const char *name, fault_t *fault)
{
    int result = world_remove(incoming->world, incoming->dir, name);
    return result < 0 ? FAIL(fault, result, "remove", name) : OK;
}

/* ---- few are kept ---- */

/* Each transfer that was broken off may leave an object that is not whole. That of the one in hand
 * is the youngest, unless the clock was set back; it stays whatever its date. */
static err_t
remove_oldest(incoming_t *incoming, bool lists, const char *in_hand, fault_t *fault)
{
    const char *oldest = "";
    int64_t oldest_ns = INT64_MAX;
    for (uint32_t i = 0; i < incoming->names.count; i++) {
        const char *name = incoming->names.name[i];
        world_stat_t stat;
        if (is_list(name) == lists && strncmp(name, in_hand, HEX_BYTES) != 0 &&
            world_stat_at(incoming->world, incoming->dir, name, &stat) == 0 &&
            stat.mtime_ns < oldest_ns) {
            oldest = name;
            oldest_ns = stat.mtime_ns;
        }
    }
    return remove_name(incoming, oldest, fault);
}

err_t
incoming_keep_few(world_t *world, slice_t data, const digest_t *in_hand, fault_t *fault)
{
    incoming_t incoming;
    char hex[HEX_BYTES + 1];
    bool many = true;
    hex_of_bytes(in_hand->byte, sizeof in_hand->byte, hex);
    TRY(open_incoming(&incoming, world, data, fault));
    err_t err = OK;
    while (err == OK && many) {
        err = read_names(&incoming, fault);
        bool lists = err == OK && count_of(&incoming, true) > AGENT_LISTS_KEPT;
        many = err == OK && (lists || count_of(&incoming, false) > AGENT_STAGED_MAX);
        err = many ? remove_oldest(&incoming, lists, hex, fault) : err;
    }
    close_incoming(&incoming);
    return err;
}

bool
incoming_has_lists(world_t *world, slice_t data)
{
    incoming_t incoming;
    if (open_incoming(&incoming, world, data, NULL) != OK) {
        return false;
    }
    bool lists = read_names(&incoming, NULL) == OK && count_of(&incoming, true) > 0;
    close_incoming(&incoming);
    return lists;
}

/* ---- what the store has ---- */

static err_t
settle(incoming_t *incoming, store_t *store, const char *name, fault_t *fault)
{
    digest_t object;
    bool has = false;
    slice_t hex = {name, strcspn(name, ".")};
    if (hex.size != HEX_BYTES || !bytes_of_hex(hex, object.byte, sizeof object.byte)) {
        return OK; /* nobody's; it counts as one of the few */
    }
    TRY(store_has(store, &object, &has, fault));
    return has ? remove_name(incoming, name, fault) : OK;
}

err_t
incoming_settle(store_t *store, slice_t data, fault_t *fault)
{
    incoming_t incoming;
    TRY(open_incoming(&incoming, store_world(store), data, fault));
    err_t err = read_names(&incoming, fault);
    for (uint32_t i = 0; err == OK && i < incoming.names.count; i++) {
        err = settle(&incoming, store, incoming.names.name[i], fault);
    }
    close_incoming(&incoming);
    return err;
}
