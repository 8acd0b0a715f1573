/* store_damage.c - what proved damaged is set aside, and forgotten with its pack.
 *
 * Bytes    see store_view.c.
 * A crash  see store_view.c.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "actors/content/fail.h"
#include "actors/content/listing.h"
#include "actors/content/store_inner.h"

/* Notes each record of the digest that can be found and is not right. */
static err_t
look_at_records(store_t *store, const digest_t *digest, run_entry_t *ret_right, bool *ret_found,
                fault_t *fault)
{
    for (;;) {
        store_place_t place;
        TRY(store_find(store, digest, false, &place, ret_found, fault));
        if (!*ret_found) {
            return OK;
        }
        err_t err = store_look_again(store, &place.entry, fault);
        if (err != ERR_DIGEST) {
            *ret_right = place.entry;
            return err;
        }
        TRY(store_note_damage(store, &place.entry, fault));
    }
}

/* *ret_all: each is there, and right. */
static err_t
look_at_chunks(store_t *store, const run_entry_t *entry, bool *ret_all, fault_t *fault)
{
    const uint8_t *borrowed = NULL;
    TRY(store_stored(store, entry, false, &borrowed, fault));
    uint8_t *list = malloc(entry->stored + 1u);
    if (list == NULL) {
        return NO_MEMORY(fault, "a list of the store");
    }
    memcpy(list, borrowed, entry->stored);
    err_t err = OK;
    *ret_all = true;
    for (uint32_t at = 0; at < entry->stored && err == OK; at += LIST_ROW_BYTES) {
        digest_t digest = list_row_decode(list + at).digest;
        run_entry_t chunk;
        bool found = false;
        err = look_at_records(store, &digest, &chunk, &found, fault);
        *ret_all &= found;
    }
    free(list);
    return err;
}

/* A list whose chunks are right is put aside itself when they do not come to its file: one that was
 * put unread, and lied. */
static err_t
look_at_list(store_t *store, const run_entry_t *entry, fault_t *fault)
{
    const void *bytes = NULL;
    size_t size = 1;
    uint64_t total = 0;
    bool all = false;
    TRY(look_at_chunks(store, entry, &all, fault));
    if (!all) {
        return OK;
    }
    err_t err = store_begin(store, &entry->digest, &total, fault);
    while (err == OK && size > 0) {
        err = store_next(store, &bytes, &size, fault);
    }
    return err == ERR_DIGEST ? store_note_damage(store, entry, fault) : err;
}

/* An object of the first release: its file goes, when its bytes are not those of its name. */
static err_t
look_at_old(store_t *store, const digest_t *digest, fault_t *fault)
{
    char hex[65];
    char path[STORE_PATH_BYTES];
    int fd = store_old_open(store, digest);
    if (fd < 0) {
        return fd == -ENOENT ? OK : store_fail(store, fd, "open", "store/objects", fault);
    }
    digest_t found;
    int64_t got = 1;
    hash_begin(store->hash);
    for (uint64_t at = 0; got > 0; at += (uint64_t) got) {
        got = world_read(store->world, fd, store->block.bytes, CONTENT_BLOCK_BYTES, at);
        hash_add(store->hash, store->block.bytes, got > 0 ? (size_t) got : 0);
    }
    hash_end(store->hash, &found);
    world_close(store->world, fd);
    if (got < 0 || digest_equal(&found, digest)) {
        return got < 0 ? store_fail(store, got, "read", "store/objects", fault) : OK;
    }
    hex_of_bytes(digest->byte, sizeof digest->byte, hex);
    snprintf(path, sizeof path, "%.2s/%s", hex, hex);
    int result = world_remove(store->world, store->old_fd, path);
    return result < 0 ? store_fail(store, result, "set aside", path, fault) : OK;
}

err_t
store_set_aside(store_t *store, const digest_t *digest, fault_t *fault)
{
    run_entry_t entry;
    bool found = false;
    store_end(store);
    if (buffer_reserve(&store->block, CONTENT_BLOCK_BYTES) != OK) {
        return NO_MEMORY(fault, "an object of the store");
    }
    TRY(look_at_records(store, digest, &entry, &found, fault));
    if (!found) {
        return look_at_old(store, digest, fault);
    }
    return entry.kind == PACK_LIST ? look_at_list(store, &entry, fault) : OK;
}

bool
store_was_set_aside(const store_t *store, const digest_t *digest)
{
    return store_damage_of(store, digest, NULL) != NULL;
}

/* With its pack the note of it goes; *ret_gone: it did. */
static err_t
forget(store_t *store, const damage_t *damage, bool *ret_gone, fault_t *fault)
{
    char name[RUN_NAME_BYTES];
    world_stat_t stat;
    store_pack_name(damage->pack, name);
    int result = world_stat_at(store->world, store->packs_fd, name, &stat);
    *ret_gone = result == -ENOENT;
    if (*ret_gone) {
        char note[STORE_PATH_BYTES];
        store_damage_name(damage, note);
        result = world_remove(store->world, store->fd, note);
    }
    bool failed = result < 0 && result != -ENOENT;
    return failed ? store_fail(store, result, "clear", "store/damaged", fault) : OK;
}

err_t
store_forget_damage(store_t *store, fault_t *fault)
{
    size_t kept = 0;
    err_t err = OK;
    for (size_t i = 0; i < store->damages; i++) {
        bool gone = false;
        err = err == OK ? forget(store, &store->damage[i], &gone, fault) : err;
        store->damage[kept] = store->damage[i];
        kept += !gone;
    }
    store->damages = kept;
    return err;
}
