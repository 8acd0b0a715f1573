/* removal_version.c - removes the paths of one version and nothing else. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include "actors/content/descent.h"
#include "actors/content/fail.h"
#include "actors/content/listing.h"
#include "actors/content/place_inner.h"
#include "actors/content/removal.h"
#include "actors/content/sync_points.h"
#include "actors/content/walk.h"

#define RIGHT 0700u /* what we need of a directory to take names out of it */

typedef struct take_down {
    world_t *world;
    const point_t *point;
    walk_t *walk;
    descent_t way; /* from ROOT/PACKAGE */
    removal_result_t *result;
    fault_t *fault;
} take_down_t;

static err_t
fail_at(take_down_t *down, int result, const char *name)
{
    return FAIL(down->fault, result, "remove", descent_path(&down->way, name));
}

static err_t
tell_foreign(take_down_t *down, const char *name)
{
    down->result->foreign++;
    err_t err = paths_add(&down->result->paths, PATH_EXTRA, descent_path(&down->way, name));
    return err == OK ? OK : NO_MEMORY(down->fault, name);
}

/* What the manifest calls a file or link and is a directory now is somebody else's. */
static err_t
remove_entry(take_down_t *down, const char *name)
{
    int dir = descent_fd(&down->way);
    world_stat_t stat;
    int result = world_stat_at(down->world, dir, name, &stat);
    if (result == -ENOENT) {
        return OK;
    }
    if (result == 0 && S_ISDIR(stat.mode)) {
        return tell_foreign(down, name);
    }
    result = result < 0 ? result : world_remove(down->world, dir, name);
    down->result->removed += result == 0;
    return result < 0 && result != -ENOENT ? fail_at(down, result, name) : OK;
}

/* Goes into a directory with the right to empty it; *ret_there is false when it is not there, or
 * is something else now. */
static err_t
enter(take_down_t *down, const char *name, bool *ret_there)
{
    int dir = descent_fd(&down->way);
    world_stat_t stat;
    int result = world_stat_at(down->world, dir, name, &stat);
    *ret_there = result == 0 && S_ISDIR(stat.mode);
    if (result == 0 && *ret_there && (stat.mode & RIGHT) != RIGHT) {
        result = world_chmod_at(down->world, dir, name, RIGHT);
    }
    if (result < 0) {
        return result == -ENOENT ? OK : fail_at(down, result, name);
    }
    if (!*ret_there) {
        return tell_foreign(down, name);
    }
    return descent_enter(&down->way, name, down->fault);
}

/* Tells the names that the version does not have; what became of its own is seen one by one. */
static err_t
tell_unlisted(take_down_t *down, const listing_t *names, const void *node)
{
    manifest_cursor_t cursor = manifest_cursor(node);
    tree_entry_t entry;
    bool more = manifest_next(&cursor, &entry);
    for (uint32_t i = 0; i < names->count; i++) {
        const char *name = names->name[i];
        while (more && strcmp(entry.name, name) < 0) {
            more = manifest_next(&cursor, &entry);
        }
        if (!more || strcmp(entry.name, name) != 0) {
            TRY(tell_foreign(down, name));
        }
    }
    return OK;
}

static err_t
look_for_foreign(take_down_t *down)
{
    const void *node = NULL;
    listing_t names;
    TRY(walk_node(down->walk, &node, down->fault));
    TRY(listing_read(down->world, descent_fd(&down->way), descent_path(&down->way, NULL), &names,
                     down->fault));
    err_t err = tell_unlisted(down, &names, node);
    listing_release(&names);
    return err;
}

/* Leaves a directory whose entries of ours are gone, and removes it when nothing is left. */
static err_t
leave(take_down_t *down, const char *name)
{
    TRY(descent_leave(&down->way, down->fault));
    int result = world_remove_dir(down->world, descent_fd(&down->way), name);
    down->result->removed += result == 0;
    bool stays = result == -ENOTEMPTY || result == -EEXIST || result == -ENOENT;
    return result < 0 && !stays ? fail_at(down, result, name) : OK;
}

static err_t
remove_entries(take_down_t *down)
{
    for (;;) {
        walk_event_t event;
        bool there = false;
        TRY(walk_next(down->walk, &event, down->fault));
        point_beat(down->point, 0);
        switch (event.step) {
        case WALK_END:
            return OK;
        case WALK_ENTRY:
            TRY(remove_entry(down, event.entry.name));
            break;
        case WALK_ENTER:
            TRY(enter(down, event.entry.name, &there));
            if (there) {
                TRY(look_for_foreign(down));
            } else {
                walk_skip(down->walk);
            }
            break;
        case WALK_LEAVE:
            TRY(leave(down, event.entry.name));
            break;
        }
    }
}

static err_t
remove_in_package(take_down_t *down, const char *directory)
{
    bool there = false;
    TRY(enter(down, directory, &there));
    if (!there) {
        return OK;
    }
    TRY(look_for_foreign(down));
    TRY(remove_entries(down));
    return leave(down, directory);
}

static err_t
remove_below(take_down_t *down, store_t *store, int package, const receipt_t *record)
{
    char directory[RECEIPT_DIRECTORY_BYTES];
    world_stat_t stat;
    int result = world_stat_at(down->world, package, receipt_directory(record, directory), &stat);
    if (result < 0) {
        return result == -ENOENT ? OK : FAIL(down->fault, result, "stat", directory);
    }
    TRY(walk_new(store, &record->root, &down->walk, down->fault));
    err_t err = descent_init(&down->way, down->world, package, PLACE_HOW, ERR_BUSY, down->fault);
    err = err == OK ? remove_in_package(down, directory) : err;
    descent_release(&down->way);
    walk_destroy(&down->walk);
    return err;
}

/* Durable before anything is told, and before the record goes: what came back after a power cut
 * would be nobody's. Names go in directories that may stay, for what is not ours in them. */
err_t
removal_version(world_t *world, store_t *store, point_t *point, const receipt_t *record,
                removal_result_t *result, fault_t *fault)
{
    take_down_t down = {.world = world, .point = point, .result = result, .fault = fault};
    int package = -1;
    err_t err = place_open_package(point, record->package, &package, fault);
    if (err != OK) {
        return err == ERR_NOT_FOUND ? OK : err;
    }
    err = remove_below(&down, store, package, record);
    if (err == ERR_NOT_STORED || err == ERR_DIGEST) {
        result->unread = record->root;
    }
    int synced = err == OK ? sync_point_all(world, SYNC_REMOVE_VERSION, package) : 0;
    world_close(world, package);
    return synced < 0 ? FAIL(fault, synced, "sync", record->package) : err;
}
