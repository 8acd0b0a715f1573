/* place_plan.c - what a placement still has to write, and whether it fits. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include "actors/content/descent.h"
#include "actors/content/fail.h"
#include "actors/content/place_inner.h"
#include "actors/content/walk.h"

/* What the order itself needs beside the tree: texts, links, directories. */
#define OWN_BLOCKS 16u
#define OWN_INODES 8u

void
place_staging_name(const receipt_t *record, char name[PLACE_NAME_BYTES])
{
    char directory[RECEIPT_DIRECTORY_BYTES];
    snprintf(name, PLACE_NAME_BYTES, "%s.%s", record->package,
             receipt_directory(record, directory));
}

bool
place_is_staged(const char *name, const char *package, uint64_t *ret_epoch)
{
    size_t size = strlen(package);
    if (strncmp(name, package, size) != 0 || name[size] != '.' || name[size + 1] != 'v') {
        return false;
    }
    const char *digits = name + size + 2;
    size_t count = strspn(digits, "0123456789-");
    *ret_epoch = strtoull(digits, NULL, 10);
    return count > 0 && digits[count] == '\0';
}

err_t
place_open_staging(point_t *point, int *ret_fd, fault_t *fault)
{
    int fd = world_open(point->world, point->own_fd, "staging", PLACE_DIRECTORY, 0, PLACE_HOW);
    if (fd < 0) {
        return FAIL(fault, fd, "open", "staging");
    }
    *ret_fd = fd;
    return OK;
}

int
place_open_staged(world_t *world, int staging, const char *name, bool *ret_existed)
{
    int result = world_make_dir(world, staging, name, 0700);
    *ret_existed = result == -EEXIST;
    if (*ret_existed) {
        result = world_chmod_at(world, staging, name, 0700);
    }
    return result < 0 ? result : world_open(world, staging, name, PLACE_DIRECTORY, 0, PLACE_HOW);
}

/* A walk over the version beside the staged tree, as far as that reaches. */
typedef struct measure {
    world_t *world;
    const point_t *point;
    walk_t *walk;
    descent_t way;
    size_t outside; /* levels below the last one that is staged */
    uint64_t block;
    place_plan_t *plan;
    fault_t *fault;
} measure_t;

static uint64_t
in_blocks(uint64_t bytes, uint64_t block)
{
    return bytes > UINT64_MAX - block ? UINT64_MAX : (bytes + block - 1) / block * block;
}

static void
measure_entry(measure_t *measure, const tree_entry_t *entry)
{
    world_stat_t stat;
    bool staged = measure->outside == 0 &&
                  world_stat_at(measure->world, descent_fd(&measure->way), entry->name, &stat) == 0;
    if (staged && S_ISREG(stat.mode) && entry->kind == TREE_FILE && stat.size == entry->size) {
        return;
    }
    measure->plan->need_bytes += in_blocks(entry->size, measure->block);
    measure->plan->write_bytes += entry->kind == TREE_FILE ? entry->size : 0;
    measure->plan->need_inodes += !staged;
}

static void
measure_enter(measure_t *measure, const tree_entry_t *entry)
{
    measure->plan->need_bytes += measure->block;
    measure->plan->need_inodes++;
    if (measure->outside > 0 || descent_enter(&measure->way, entry->name, NULL) != OK) {
        measure->outside++;
    }
}

static err_t
measure_leave(measure_t *measure)
{
    if (measure->outside > 0) {
        measure->outside--;
        return OK;
    }
    return descent_leave(&measure->way, measure->fault);
}

static err_t
measure_walk(measure_t *measure)
{
    for (;;) {
        walk_event_t event;
        TRY(walk_next(measure->walk, &event, measure->fault));
        point_beat(measure->point, 0);
        switch (event.step) {
        case WALK_END:
            return OK;
        case WALK_ENTRY:
            measure_entry(measure, &event.entry);
            break;
        case WALK_ENTER:
            measure_enter(measure, &event.entry);
            break;
        case WALK_LEAVE:
            TRY(measure_leave(measure));
            break;
        }
    }
}

/* staged is the version's directory in staging/, or negative. */
static err_t
measure_tree(measure_t *measure, store_t *store, const digest_t *root, int staged)
{
    TRY(walk_new(store, root, &measure->walk, measure->fault));
    const manifest_version_t *version = walk_version(measure->walk);
    measure->plan->files = version->files;
    measure->plan->bytes = version->bytes;
    measure->outside = staged < 0;
    err_t err =
        descent_init(&measure->way, measure->world, staged, PLACE_HOW, ERR_IO, measure->fault);
    err = err == OK ? measure_walk(measure) : err;
    descent_release(&measure->way);
    walk_destroy(&measure->walk);
    return err;
}

static err_t
measure_staging(measure_t *measure, store_t *store, point_t *point, const place_look_t *look)
{
    char name[PLACE_NAME_BYTES];
    int staging = -1;
    place_staging_name(&look->record, name);
    TRY(place_open_staging(point, &staging, measure->fault));
    int staged = world_open(point->world, staging, name, PLACE_DIRECTORY, 0, PLACE_HOW);
    world_close(point->world, staging);
    err_t err = measure_tree(measure, store, &look->record.root, staged);
    if (staged >= 0) {
        world_close(point->world, staged);
    }
    return err;
}

static uint64_t
less(uint64_t from, uint64_t what)
{
    return from > what ? from - what : 0;
}

err_t
place_measure(store_t *store, point_t *point, const place_look_t *look, place_plan_t *ret_plan,
              fault_t *fault)
{
    world_space_t space;
    int result = world_space(point->world, point->fd, &space);
    if (result < 0) {
        return FAIL(fault, result, "measure", point->root);
    }
    place_plan_t plan = {.device = point->device, .already = look->already};
    uint64_t block = space.block_bytes == 0 ? 4096 : space.block_bytes;
    measure_t measure = {
        .world = point->world, .point = point, .block = block, .plan = &plan, .fault = fault};
    TRY(measure_staging(&measure, store, point, look));
    bool nothing = look->already || look->in_place;
    plan.need_bytes = nothing ? 0 : plan.need_bytes + OWN_BLOCKS * block;
    plan.write_bytes = nothing ? 0 : plan.write_bytes;
    plan.need_inodes = nothing ? 0 : plan.need_inodes + OWN_INODES;
    plan.free_bytes = less(space.bytes_free, SPACE_RESERVE_BYTES);
    plan.free_inodes = space.inodes_free == UINT64_MAX
                           ? UINT64_MAX
                           : less(space.inodes_free, SPACE_RESERVE_INODES);
    *ret_plan = plan;
    return OK;
}

err_t
place_plan(world_t *world, store_t *store, point_t *point, const place_order_t *order,
           place_plan_t *ret_plan, fault_t *fault)
{
    (void) world;
    place_look_t look;
    TRY(place_look(point, order, &look, fault));
    TRY(place_measure(store, point, &look, ret_plan, fault));
    return look.already || look.in_place
               ? OK
               : place_check_names(store, point, point->own_fd, "staging", &order->root, fault);
}

err_t
place_check_space(const place_plan_t *plan, const char *root, fault_t *fault)
{
    bool inodes = plan->need_bytes <= plan->free_bytes;
    if (inodes && plan->need_inodes <= plan->free_inodes) {
        return OK;
    }
    err_t err = RAISE(fault, ERR_SPACE, 0, "place on", root);
    if (fault != NULL) {
        fault->inodes = inodes;
        fault->need = inodes ? plan->need_inodes : plan->need_bytes;
        fault->have = inodes ? plan->free_inodes : plan->free_bytes;
    }
    return err;
}
