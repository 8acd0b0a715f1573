/* store_collect.c - marks what live versions reach, then removes the rest, one directory at a
 * time.
 *
 * A crash  between two removals leaves garbage only; what is live is never touched.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include "actors/content/fail.h"
#include "actors/content/listing.h"
#include "actors/content/store_inner.h"
#include "actors/content/walk.h"

#define FIRST_SLOTS 1024u /* of the mark table; a power of two */

/* A set of digests; none is stored as all zero, which no object has. */
typedef struct marks {
    digest_t *slot;
    size_t slots, count;
} marks_t;

static digest_t *
find(const marks_t *marks, const digest_t *digest)
{
    uint64_t at;
    memcpy(&at, digest->byte, sizeof at);
    for (at &= marks->slots - 1;; at = (at + 1) & (marks->slots - 1)) {
        if (digest_is_none(&marks->slot[at]) || digest_equal(&marks->slot[at], digest)) {
            return &marks->slot[at];
        }
    }
}

static err_t
grow(marks_t *marks, fault_t *fault)
{
    marks_t larger = {.slots = marks->slots == 0 ? FIRST_SLOTS : marks->slots * 2};
    larger.slot = calloc(larger.slots, sizeof larger.slot[0]);
    if (larger.slot == NULL) {
        return NO_MEMORY(fault, "the marks of the store");
    }
    for (size_t i = 0; i < marks->slots; i++) {
        if (!digest_is_none(&marks->slot[i])) {
            *find(&larger, &marks->slot[i]) = marks->slot[i];
        }
    }
    free(marks->slot);
    marks->slot = larger.slot;
    marks->slots = larger.slots;
    return OK;
}

/* *ret_new: it was not marked before. */
static err_t
mark(marks_t *marks, const digest_t *digest, bool *ret_new, fault_t *fault)
{
    if (marks->count * 2 >= marks->slots) {
        TRY(grow(marks, fault));
    }
    digest_t *slot = find(marks, digest);
    *ret_new = digest_is_none(slot);
    marks->count += *ret_new;
    *slot = *digest;
    return OK;
}

/* Directories that another version has marked are not gone into again. */
static err_t
mark_entries(walk_t *walk, marks_t *marks, fault_t *fault)
{
    for (;;) {
        walk_event_t event;
        bool is_new = false;
        TRY(walk_next(walk, &event, fault));
        if (event.step == WALK_END) {
            return OK;
        }
        if (event.step != WALK_LEAVE) {
            TRY(mark(marks, &event.entry.digest, &is_new, fault));
        }
        if (event.step == WALK_ENTER && !is_new) {
            walk_skip(walk);
        }
    }
}

static err_t
mark_root(store_t *store, const digest_t *root, marks_t *marks, fault_t *fault)
{
    bool is_new = false;
    walk_t *walk = NULL;
    TRY(mark(marks, root, &is_new, fault));
    TRY(walk_new(store, root, &walk, fault));
    err_t err = mark(marks, &walk_version(walk)->node, &is_new, fault);
    err = err == OK ? mark_entries(walk, marks, fault) : err;
    walk_destroy(&walk);
    return err;
}

/* One object: kept and counted, or removed. Names that are no digest are not ours. */
static err_t
sweep_object(store_t *store, int dir, const char *name, const marks_t *marks, bool dry_run,
             store_collected_t *collected, fault_t *fault)
{
    digest_t digest;
    world_stat_t stat;
    if (!bytes_of_hex(slice_of(name), digest.byte, sizeof digest.byte)) {
        return OK;
    }
    int result = world_stat_at(store->world, dir, name, &stat);
    if (result < 0) {
        return result == -ENOENT ? OK : store_fail(store, result, "stat", name, fault);
    }
    if (!digest_is_none(find(marks, &digest))) {
        collected->live_objects++;
        collected->live_bytes += stat.size;
        return OK;
    }
    collected->removed_objects++;
    collected->removed_bytes += stat.size;
    result = dry_run ? 0 : world_remove(store->world, dir, name);
    return result < 0 ? store_fail(store, result, "remove", name, fault) : OK;
}

static err_t
sweep_directory(store_t *store, int objects, const char *name, const marks_t *marks, bool dry_run,
                store_collected_t *collected, fault_t *fault)
{
    int dir = world_open(store->world, objects, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0,
                         WORLD_BENEATH);
    if (dir < 0) {
        return store_fail(store, dir, "open", name, fault);
    }
    listing_t names = {0};
    err_t err = listing_read(store->world, dir, name, &names, fault);
    for (uint32_t i = 0; i < names.count && err == OK; i++) {
        err = sweep_object(store, dir, names.name[i], marks, dry_run, collected, fault);
    }
    listing_release(&names);
    world_close(store->world, dir);
    return err;
}

static err_t
sweep(store_t *store, const marks_t *marks, bool dry_run, store_collected_t *collected,
      fault_t *fault)
{
    int objects =
        world_open(store->world, store->fd, "objects", O_RDONLY | O_DIRECTORY, 0, WORLD_BENEATH);
    if (objects < 0) {
        return store_fail(store, objects, "open", "objects", fault);
    }
    listing_t names = {0};
    err_t err = listing_read(store->world, objects, "objects", &names, fault);
    for (uint32_t i = 0; i < names.count && err == OK; i++) {
        err = sweep_directory(store, objects, names.name[i], marks, dry_run, collected, fault);
    }
    listing_release(&names);
    world_close(store->world, objects);
    return err;
}

err_t
store_collect(store_t *store, const digest_t *roots, size_t root_count, bool dry_run,
              store_collected_t *ret_collected, fault_t *fault)
{
    marks_t marks = {0};
    store_collected_t collected = {0};
    err_t err = grow(&marks, fault);
    for (size_t i = 0; i < root_count && err == OK; i++) {
        err = mark_root(store, &roots[i], &marks, fault);
    }
    err = err == OK ? sweep(store, &marks, dry_run, &collected, fault) : err;
    free(marks.slot);
    if (err == OK) {
        *ret_collected = collected;
    }
    return err;
}
