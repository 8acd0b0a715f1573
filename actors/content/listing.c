/* listing.c - reads a directory once and sorts its names. */
#include "actors/content/listing.h"

#include <stdlib.h>
#include <string.h>
#include "actors/content/fail.h"

static err_t
keep(listing_t *listing, const char *name, const char *path, fault_t *fault)
{
    size_t size = strlen(name) + 1;
    if (!tree_name_is_valid(name, size - 1)) {
        return RAISE(fault, ERR_NAME_TOO_LONG, 0, "list", path);
    }
    if (listing->count == TREE_ENTRIES_MAX) {
        return RAISE(fault, ERR_TOO_LARGE, 0, "list", path);
    }
    if (listing->text_size + size > listing->text_capacity) {
        size_t capacity = listing->text_capacity * 2 + 1024;
        char *text = realloc(listing->text, capacity);
        if (text == NULL) {
            return NO_MEMORY(fault, path);
        }
        listing->text = text;
        listing->text_capacity = capacity;
    }
    memcpy(listing->text + listing->text_size, name, size);
    listing->text_size += size;
    listing->count++;
    return OK;
}

static err_t
collect(world_t *world, world_listing_t *names, const char *path, listing_t *listing,
        fault_t *fault)
{
    for (;;) {
        world_name_t name;
        int result = world_list_next(world, names, &name);
        if (result == 0) {
            return OK;
        }
        if (result < 0) {
            return FAIL(fault, result, "list", path);
        }
        TRY(keep(listing, name.name, path, fault));
    }
}

static int
by_bytes(const void *a, const void *b)
{
    return strcmp(*(const char *const *) a, *(const char *const *) b);
}

/* The text no longer moves: now its names can be pointed at. */
static err_t
sort(listing_t *listing, const char *path, fault_t *fault)
{
    if (listing->count == 0) {
        return OK;
    }
    listing->name = malloc(listing->count * sizeof listing->name[0]);
    if (listing->name == NULL) {
        return NO_MEMORY(fault, path);
    }
    char *at = listing->text;
    for (uint32_t i = 0; i < listing->count; i++) {
        listing->name[i] = at;
        at += strlen(at) + 1;
    }
    qsort(listing->name, listing->count, sizeof listing->name[0], by_bytes);
    return OK;
}

err_t
listing_read(world_t *world, int fd, const char *path, listing_t *ret_listing, fault_t *fault)
{
    world_listing_t *names = NULL;
    int result = world_list(world, fd, &names);
    if (result < 0) {
        return FAIL(fault, result, "list", path);
    }
    listing_t listing = {0};
    err_t err = collect(world, names, path, &listing, fault);
    world_list_end(world, &names);
    err = err == OK ? sort(&listing, path, fault) : err;
    if (err != OK) {
        listing_release(&listing);
        return err;
    }
    *ret_listing = listing;
    return OK;
}

void
listing_release(listing_t *listing)
{
    free(listing->name);
    free(listing->text);
    *listing = (listing_t){0};
}
