/* store_view.c - which runs and packs there are, and where an object stands.
 *
 * Bytes    damaged/<digest>.<pack>.<offset>: an empty file; the record there is not to be used.
 * A crash  may forget such a note: who reads the record finds out again.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "actors/content/fail.h"
#include "actors/content/listing.h"
#include "actors/content/store_inner.h"

#define DIRECTORY (O_RDONLY | O_DIRECTORY | O_NOFOLLOW)
#define LOOKS     16u /* at runs that vanish under our eyes, because somebody merges them */

void
store_pack_name(uint64_t id, char name[RUN_NAME_BYTES])
{
    snprintf(name, RUN_NAME_BYTES, "%016llx.pack", (unsigned long long) id);
}

void
store_pack_name_new(uint64_t id, char name[RUN_NAME_BYTES])
{
    snprintf(name, RUN_NAME_BYTES, ".%016llx.pack.new", (unsigned long long) id);
}

static bool
id_of_hex(const char *text, uint64_t *ret_id)
{
    uint8_t bytes[8];
    if (!bytes_of_hex((slice_t){text, 16}, bytes, sizeof bytes)) {
        return false;
    }
    *ret_id = 0;
    for (size_t i = 0; i < sizeof bytes; i++) {
        *ret_id = *ret_id << 8 | bytes[i];
    }
    return true;
}

bool
store_pack_id(const char *name, uint64_t *ret_id)
{
    return strlen(name) == 21 && strcmp(name + 16, ".pack") == 0 && id_of_hex(name, ret_id);
}

static void
close_runs(store_t *store)
{
    for (size_t i = 0; i < store->runs; i++) {
        run_close(&store->run[i]);
    }
    free(store->run);
    store->run = NULL;
    store->runs = 0;
}

/* Opens the runs that a listing names; *ret_missing: one of them has gone meanwhile. */
static err_t
open_listed(store_t *store, const listing_t *names, bool *ret_missing, fault_t *fault)
{
    *ret_missing = false;
    store->run = calloc(names->count + 1u, sizeof store->run[0]);
    if (store->run == NULL) {
        return NO_MEMORY(fault, "store/index");
    }
    for (uint32_t i = 0; i < names->count && !*ret_missing; i++) {
        if (run_name_is(names->name[i])) {
            err_t err = run_open(store->world, store->index_fd, names->name[i],
                                 &store->run[store->runs], ret_missing, fault);
            if (err != ERR_DAMAGED) {
                TRY(err);
            }
            store->runs += err == OK && !*ret_missing;
            store->runs_damaged += err == ERR_DAMAGED;
        }
    }
    return OK;
}

static err_t
open_runs(store_t *store, bool *ret_missing, fault_t *fault)
{
    listing_t names = {0};
    close_runs(store);
    store->runs_damaged = 0;
    TRY(listing_read(store->world, store->index_fd, "store/index", &names, fault));
    err_t err = open_listed(store, &names, ret_missing, fault);
    listing_release(&names);
    return err;
}

err_t
store_view_refresh(store_t *store, fault_t *fault)
{
    bool missing = true;
    for (unsigned i = 0; i < LOOKS && missing; i++) {
        TRY(open_runs(store, &missing, fault));
    }
    return missing ? RAISE(fault, ERR_BUSY, 0, "open", "store/index") : OK;
}

static bool
read_damage(const char *name, damage_t *damage)
{
    uint64_t pack, offset;
    if (strlen(name) != 98 || name[64] != '.' || name[81] != '.' ||
        !bytes_of_hex((slice_t){name, 64}, damage->digest.byte, sizeof damage->digest.byte) ||
        !id_of_hex(name + 65, &pack) || !id_of_hex(name + 82, &offset)) {
        return false;
    }
    damage->pack = pack;
    damage->offset = offset;
    damage->needed = false;
    return true;
}

static int
damage_order(const damage_t *a, const damage_t *b)
{
    int order = memcmp(a->digest.byte, b->digest.byte, sizeof a->digest.byte);
    order = order != 0 ? order : a->pack < b->pack ? -1 : a->pack > b->pack;
    return order != 0 ? order : a->offset < b->offset ? -1 : a->offset > b->offset;
}

/* The first note that does not come before this one. */
static size_t
damage_from(const store_t *store, const damage_t *damage)
{
    size_t from = 0, to = store->damages;
    while (from < to) {
        size_t middle = from + (to - from) / 2;
        if (damage_order(&store->damage[middle], damage) < 0) {
            from = middle + 1;
        } else {
            to = middle;
        }
    }
    return from;
}

damage_t *
store_damage_of(const store_t *store, const digest_t *digest, const damage_t *last)
{
    damage_t first = {.digest = *digest};
    size_t at = last == NULL ? damage_from(store, &first) : (size_t) (last - store->damage) + 1;
    bool is_of = at < store->damages && digest_equal(&store->damage[at].digest, digest);
    return is_of ? &store->damage[at] : NULL;
}

/* They rise, as their names do. */
static err_t
add_damage(store_t *store, const damage_t *damage, fault_t *fault)
{
    damage_t *larger = realloc(store->damage, (store->damages + 1) * sizeof larger[0]);
    if (larger == NULL) {
        return NO_MEMORY(fault, "store/damaged");
    }
    store->damage = larger;
    size_t at = damage_from(store, damage);
    memmove(larger + at + 1, larger + at, (store->damages - at) * sizeof larger[0]);
    larger[at] = *damage;
    store->damages++;
    return OK;
}

static err_t
read_damages(store_t *store, fault_t *fault)
{
    listing_t names = {0};
    int fd = world_open(store->world, store->fd, "damaged", DIRECTORY, 0, WORLD_BENEATH);
    if (fd < 0) {
        return store_fail(store, fd, "open", "store/damaged", fault);
    }
    err_t err = listing_read(store->world, fd, "store/damaged", &names, fault);
    world_close(store->world, fd);
    for (uint32_t i = 0; i < names.count && err == OK; i++) {
        damage_t damage;
        err = read_damage(names.name[i], &damage) ? add_damage(store, &damage, fault) : OK;
    }
    listing_release(&names);
    return err;
}

err_t
store_view_open(store_t *store, fault_t *fault)
{
    TRY(read_damages(store, fault));
    return store_view_refresh(store, fault);
}

void
store_view_close(store_t *store)
{
    close_runs(store);
    for (uint32_t i = 0; i < store->packs; i++) {
        world_close(store->world, store->pack[i].fd);
    }
    store->packs = 0;
    free(store->damage);
    store->damage = NULL;
    store->damages = 0;
}

/* The place for one more: a free one, or that of the pack that was used longest ago. */
static pack_file_t *
make_room(store_t *store)
{
    if (store->packs < STORE_PACKS_OPEN) {
        return &store->pack[store->packs++];
    }
    pack_file_t *oldest = &store->pack[0];
    for (uint32_t i = 1; i < store->packs; i++) {
        oldest = store->pack[i].used < oldest->used ? &store->pack[i] : oldest;
    }
    world_close(store->world, oldest->fd);
    return oldest;
}

int
store_pack_fd(store_t *store, uint64_t id)
{
    store->count++;
    for (uint32_t i = 0; i < store->packs; i++) {
        if (store->pack[i].id == id) {
            store->pack[i].used = store->count;
            return store->pack[i].fd;
        }
    }
    char name[RUN_NAME_BYTES];
    store_pack_name(id, name);
    int fd =
        world_open(store->world, store->packs_fd, name, O_RDONLY | O_NOFOLLOW, 0, WORLD_BENEATH);
    if (fd >= 0) {
        *make_room(store) = (pack_file_t){.id = id, .fd = fd, .used = store->count};
    }
    return fd;
}

bool
store_is_damaged(const store_t *store, const run_entry_t *entry)
{
    damage_t damage = {entry->digest, entry->pack, entry->offset, false};
    size_t at = damage_from(store, &damage);
    return at < store->damages && damage_order(&store->damage[at], &damage) == 0;
}

void
store_damage_name(const damage_t *damage, char name[STORE_PATH_BYTES])
{
    char hex[65];
    hex_of_bytes(damage->digest.byte, sizeof damage->digest.byte, hex);
    snprintf(name, STORE_PATH_BYTES, "damaged/%s.%016llx.%016llx", hex,
             (unsigned long long) damage->pack, (unsigned long long) damage->offset);
}

err_t
store_remember_damage(store_t *store, const run_entry_t *entry, fault_t *fault)
{
    damage_t damage = {entry->digest, entry->pack, entry->offset, false};
    return store_is_damaged(store, entry) ? OK : add_damage(store, &damage, fault);
}

err_t
store_note_damage(store_t *store, const run_entry_t *entry, fault_t *fault)
{
    char name[STORE_PATH_BYTES];
    damage_t damage = {entry->digest, entry->pack, entry->offset, false};
    store_damage_name(&damage, name);
    int fd = world_open(store->world, store->fd, name, O_WRONLY | O_CREAT | O_NOFOLLOW, 0600,
                        WORLD_BENEATH);
    if (fd < 0) {
        return store_fail(store, fd, "set aside", name, fault);
    }
    world_close(store->world, fd);
    return store_remember_damage(store, entry, fault);
}

/* A page that went bad counts as if it had nothing: what it had is not found until it is put again
 * or the index is rebuilt. */
static err_t
find_in_run(store_t *store, size_t run, const digest_t *digest, store_place_t *ret_place,
            bool *ret_found, fault_t *fault)
{
    TRY(run_may_have(store->run[run], digest, ret_found, fault));
    if (!*ret_found) {
        return OK;
    }
    run_search_begin(&store->search, store->run[run], digest);
    for (;;) {
        const run_entry_t *entry = NULL;
        err_t err = run_search_next(&store->search, &entry, &ret_place->ordinal, ret_found, fault);
        if (err != OK || !*ret_found) {
            store->index_damaged |= err == ERR_DAMAGED;
            return err == ERR_DAMAGED ? OK : err;
        }
        bool damaged = store_is_damaged(store, entry);
        int fd = damaged ? -ENOENT : store_pack_fd(store, entry->pack);
        if (fd >= 0) {
            ret_place->entry = *entry;
            ret_place->run = run;
            return OK;
        }
        if (fd != -ENOENT) {
            return store_fail(store, fd, "open", "a pack of the store", fault);
        }
        store->met_void |= !damaged;
    }
}

static err_t
find_in_runs(store_t *store, const digest_t *digest, store_place_t *ret_place, bool *ret_found,
             fault_t *fault)
{
    *ret_found = false;
    for (size_t i = store->runs; i > 0 && !*ret_found; i--) {
        TRY(find_in_run(store, i - 1, digest, ret_place, ret_found, fault));
    }
    return OK;
}

err_t
store_find(store_t *store, const digest_t *digest, bool again, store_place_t *ret_place,
           bool *ret_found, fault_t *fault)
{
    TRY(find_in_runs(store, digest, ret_place, ret_found, fault));
    if (*ret_found || !again || store->holds_runs) {
        return OK;
    }
    TRY(store_view_refresh(store, fault));
    return find_in_runs(store, digest, ret_place, ret_found, fault);
}

/* What nobody had put when the runs were looked at last does not count as there. Only where a pack
 * has gone is the disk looked at once more: its objects stand elsewhere now. */
err_t
store_find_in_view(store_t *store, const digest_t *digest, store_place_t *ret_place,
                   bool *ret_found, fault_t *fault)
{
    store->met_void = false;
    TRY(store_find(store, digest, false, ret_place, ret_found, fault));
    return *ret_found || !store->met_void
               ? OK
               : store_find(store, digest, true, ret_place, ret_found, fault);
}
