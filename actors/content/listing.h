/* listing.h - the names of one directory, in memory, in rising order of their bytes.
 *
 * Shape    one block of text and an array of pointers into it.
 * Promises each name once, valid as tree_name_is_valid says, at most TREE_ENTRIES_MAX.
 * Costs    the names' bytes and 8 a name; one sort.
 * Errors   ERR_TOO_LARGE (too many names), ERR_NAME_TOO_LONG, ERR_NO_MEMORY, those of the world.
 * Threads  one.
 */
#pragma once

#include "actors/content/tree.h"

typedef struct listing {
    char **name;
    uint32_t count;
    char *text;
    size_t text_size, text_capacity;
} listing_t;

/* path is for the fault. */
err_t listing_read(world_t *world, int fd, const char *path, listing_t *ret_listing,
                   fault_t *fault) must_use;
void listing_release(listing_t *listing);
