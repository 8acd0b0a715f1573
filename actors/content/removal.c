/* removal.c - takes a whole package off a point, in the order that no reader is left with half.
 *
 * A crash  leaves fewer of our paths. The receipt goes first, so that it never names what is not
 *          whole; the records go last, so that a rerun knows what is ours.
 */
#include "actors/content/removal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "actors/content/clear.h"
#include "actors/content/fail.h"
#include "actors/content/listing.h"
#include "actors/content/place_inner.h"
#include "actors/content/sync_points.h"

typedef struct removal {
    world_t *world;
    store_t *store;
    point_t *point;
    const char *package;
    const id128_t *incarnation;
    receipt_t *records;
    size_t count;
    removal_result_t *result;
    fault_t *fault;
} removal_t;

static bool
is_ours(const removal_t *removal, const receipt_t *receipt)
{
    return memcmp(receipt->incarnation.byte, removal->incarnation->byte,
                  sizeof removal->incarnation->byte) == 0;
}

static err_t
read_records(removal_t *removal)
{
    receipt_t receipt;
    err_t err = receipt_read(removal->point, removal->package, &receipt, removal->fault);
    if (err != OK && err != ERR_NOT_FOUND && err != ERR_DAMAGED) {
        return err;
    }
    bool ours = err != OK || is_ours(removal, &receipt);
    TRY(receipt_versions(removal->point, removal->package, removal->records, RECEIPT_VERSIONS_MAX,
                         &removal->count, removal->fault));
    for (size_t i = 0; i < removal->count; i++) {
        ours = ours && is_ours(removal, &removal->records[i]);
    }
    return ours ? OK : RAISE(removal->fault, ERR_NOT_OURS, 0, "remove", removal->package);
}

/* `current` goes when it leads to a version of ours; somebody's own link or file stays. */
static err_t
remove_current(removal_t *removal)
{
    char text[RECEIPT_DIRECTORY_BYTES];
    char name[RECEIPT_DIRECTORY_BYTES];
    err_t err = place_current(removal->point, removal->package, text, removal->fault);
    if (err != OK) {
        return err == ERR_NOT_OURS ? OK : err;
    }
    bool ours = false;
    for (size_t i = 0; i < removal->count; i++) {
        ours = ours || strcmp(receipt_directory(&removal->records[i], name), text) == 0;
    }
    int dir = -1;
    if (!ours) {
        return OK;
    }
    TRY(place_open_package(removal->point, removal->package, &dir, removal->fault));
    int result = world_remove(removal->world, dir, "current");
    result = result < 0 ? result : sync_point_file(removal->world, SYNC_REMOVE_NAMES, dir);
    world_close(removal->world, dir);
    removal->result->removed += result == 0;
    return result < 0 ? FAIL(removal->fault, result, "remove current of", removal->package) : OK;
}

static err_t
remove_versions(removal_t *removal)
{
    for (size_t i = 0; i < removal->count; i++) {
        char name[PLACE_NAME_BYTES];
        int staging = -1;
        TRY(removal_version(removal->world, removal->store, removal->point, &removal->records[i],
                            removal->result, removal->fault));
        place_staging_name(&removal->records[i], name);
        TRY(place_open_staging(removal->point, &staging, removal->fault));
        err_t err = clear_name(removal->world, staging, name, removal->fault);
        world_close(removal->world, staging);
        TRY(err);
    }
    return OK;
}

static bool
is_staging_name(const char *name, const char *package)
{
    uint64_t epoch;
    size_t size = strlen(package);
    bool current = strncmp(name, package, size) == 0 && strcmp(name + size, ".current") == 0;
    return current || place_is_staged(name, package, &epoch);
}

/* Versions under way have no record yet. */
static err_t
clear_staging(removal_t *removal)
{
    int staging = -1;
    listing_t names = {0};
    TRY(place_open_staging(removal->point, &staging, removal->fault));
    err_t err = listing_read(removal->world, staging, "staging", &names, removal->fault);
    for (uint32_t i = 0; i < names.count && err == OK; i++) {
        if (is_staging_name(names.name[i], removal->package)) {
            err = clear_name(removal->world, staging, names.name[i], removal->fault);
        }
    }
    listing_release(&names);
    world_close(removal->world, staging);
    return err;
}

static bool
is_version_name(const removal_t *removal, const char *name)
{
    char own[RECEIPT_DIRECTORY_BYTES];
    for (size_t i = 0; i < removal->count; i++) {
        if (strcmp(receipt_directory(&removal->records[i], own), name) == 0) {
            return true;
        }
    }
    return false;
}

/* Version directories that stay have told their foreign paths themselves. */
static err_t
tell_left(removal_t *removal)
{
    int dir = -1;
    TRY(place_open_package(removal->point, removal->package, &dir, removal->fault));
    listing_t names = {0};
    err_t err = listing_read(removal->world, dir, removal->package, &names, removal->fault);
    world_close(removal->world, dir);
    for (uint32_t i = 0; i < names.count && err == OK; i++) {
        if (!is_version_name(removal, names.name[i])) {
            removal->result->foreign++;
            err = paths_add(&removal->result->paths, PATH_EXTRA, names.name[i]);
        }
    }
    listing_release(&names);
    return err;
}

static err_t
remove_package_directory(removal_t *removal)
{
    world_t *world = removal->world;
    int result = removal->count == 0
                     ? 0 /* no record: what may be there is not ours to remove */
                     : world_remove_dir(world, removal->point->fd, removal->package);
    removal->result->removed += removal->count > 0 && result == 0;
    bool stays = result == -ENOTEMPTY || result == -EEXIST || result == -ENOTDIR;
    if (result < 0 && result != -ENOENT && !stays) {
        return FAIL(removal->fault, result, "remove", removal->package);
    }
    result = sync_point_file(world, SYNC_REMOVE_NAMES, removal->point->fd);
    if (result < 0) {
        return FAIL(removal->fault, result, "sync", removal->point->root);
    }
    world_stat_t stat;
    result = world_stat_at(world, removal->point->fd, removal->package, &stat);
    if (result < 0 && result != -ENOENT) {
        return FAIL(removal->fault, result, "stat", removal->package);
    }
    removal->result->gone = result == -ENOENT;
    return OK;
}

static err_t
remove_records(removal_t *removal)
{
    for (size_t i = 0; i < removal->count; i++) {
        TRY(receipt_version_remove(removal->point, &removal->records[i], removal->fault));
    }
    int dir = world_open(removal->world, removal->point->own_fd, "packages", PLACE_DIRECTORY, 0,
                         PLACE_HOW);
    if (dir < 0) {
        return FAIL(removal->fault, dir, "open", "packages");
    }
    err_t err = clear_name(removal->world, dir, removal->package, removal->fault);
    int result = err == OK ? sync_point_file(removal->world, SYNC_REMOVE_NAMES, dir) : 0;
    world_close(removal->world, dir);
    return result < 0 ? FAIL(removal->fault, result, "sync", "packages") : err;
}

static err_t
at_point(removal_t *removal, const char *name)
{
    int result = world_point(removal->world, name);
    return result < 0 ? FAIL(removal->fault, result, "pass", name) : OK;
}

static err_t
remove_all(removal_t *removal)
{
    TRY(point_check(removal->point, removal->fault));
    TRY(read_records(removal));
    TRY(receipt_remove(removal->point, removal->package, removal->fault));
    TRY(at_point(removal, "removal.unpromised"));
    TRY(remove_current(removal));
    TRY(at_point(removal, "removal.unread"));
    TRY(remove_versions(removal));
    TRY(at_point(removal, "removal.emptied"));
    TRY(clear_staging(removal));
    TRY(remove_package_directory(removal));
    if (!removal->result->gone) {
        err_t err = tell_left(removal);
        if (err != OK && err != ERR_NOT_OURS) {
            return err;
        }
    }
    return remove_records(removal);
}

err_t
removal_package(world_t *world, store_t *store, point_t *point, const char *package,
                const id128_t *incarnation, removal_result_t *ret_result, fault_t *fault)
{
    removal_result_t result = {0};
    removal_t removal = {.world = world,
                         .store = store,
                         .point = point,
                         .package = package,
                         .incarnation = incarnation,
                         .records = malloc(RECEIPT_VERSIONS_MAX * sizeof removal.records[0]),
                         .result = &result,
                         .fault = fault};
    paths_init(&result.paths);
    err_t err = removal.records == NULL ? NO_MEMORY(fault, package) : remove_all(&removal);
    free(removal.records);
    if (err != OK) {
        removal_result_release(&result);
        *ret_result = (removal_result_t){.unread = result.unread};
        return err;
    }
    *ret_result = result;
    return OK;
}

void
removal_result_release(removal_result_t *result)
{
    paths_release(&result->paths);
}
