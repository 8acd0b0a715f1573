/* point_roots.c - see point_roots.h. */
#include "actors/content/point_roots.h"

#include <fcntl.h>
#include <stdlib.h>

#include "actors/content/fail.h"
#include "actors/content/listing.h"

typedef struct gathered {
    digest_t *root;
    size_t count, capacity;
    receipt_t *record; /* RECEIPT_VERSIONS_MAX, of the package in hand */
} gathered_t;

static err_t
add(gathered_t *all, const digest_t *root, fault_t *fault)
{
    if (all->count == all->capacity) {
        size_t capacity = all->capacity == 0 ? 64 : all->capacity * 2;
        digest_t *longer = realloc(all->root, capacity * sizeof *longer);
        if (longer == NULL) {
            return NO_MEMORY(fault, "the versions of a point");
        }
        all->root = longer;
        all->capacity = capacity;
    }
    all->root[all->count++] = *root;
    return OK;
}

static err_t
add_package(point_t *point, const char *package, gathered_t *all, fault_t *fault)
{
    size_t count = 0;
    TRY(receipt_versions(point, package, all->record, RECEIPT_VERSIONS_MAX, &count, fault));
    for (size_t i = 0; i < count; i++) {
        TRY(add(all, &all->record[i].root, fault));
    }
    return OK;
}

static err_t
add_all(point_t *point, gathered_t *all, fault_t *fault)
{
    listing_t names = {0};
    int dir = world_open(point->world, point->own_fd, "packages",
                         O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0, WORLD_BENEATH);
    if (dir < 0) {
        return FAIL(fault, dir, "open", "packages");
    }
    err_t err = listing_read(point->world, dir, "packages", &names, fault);
    for (uint32_t i = 0; err == OK && i < names.count; i++) {
        err = add_package(point, names.name[i], all, fault);
    }
    listing_release(&names);
    world_close(point->world, dir);
    return err;
}

err_t
point_roots(point_t *point, digest_t **ret_roots, size_t *ret_count, fault_t *fault)
{
    gathered_t all = {.record = calloc(RECEIPT_VERSIONS_MAX, sizeof(receipt_t))};
    err_t err = all.record == NULL ? NO_MEMORY(fault, "the versions of a point")
                                   : add_all(point, &all, fault);
    free(all.record);
    if (err != OK) {
        free(all.root);
        return err;
    }
    *ret_roots = all.root;
    *ret_count = all.count;
    return OK;
}
