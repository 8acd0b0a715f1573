/* verify.c - a version at a point: its tree, its link, its receipt. Nothing is written. */
#include "actors/content/verify.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include "actors/content/descent.h"
#include "actors/content/fail.h"
#include "actors/content/hash.h"
#include "actors/content/place_inner.h"
#include "actors/content/verify_tree.h"

#define HIDDEN (-1)

typedef struct check {
    point_t *point;
    const place_order_t *order;
    receipt_t record;                        /* of the copy that is looked at */
    char directory[RECEIPT_DIRECTORY_BYTES]; /* in ROOT/PACKAGE */
    verify_tree_t tree;
    verify_result_t *result;
    fault_t *fault;
} check_t;

static err_t
tell(check_t *check, path_kind_t kind, const char *path)
{
    err_t err = paths_add(&check->result->paths, kind, path);
    return err == OK ? OK : NO_MEMORY(check->fault, path);
}

/* The receipt, when it is of this version; it also says which copy is meant. */
static err_t
look_at_receipt(check_t *check)
{
    const place_order_t *order = check->order;
    receipt_t receipt;
    err_t err = receipt_read(check->point, order->package, &receipt, check->fault);
    if (err != OK) {
        return err == ERR_NOT_FOUND || err == ERR_DAMAGED ? OK : err;
    }
    bool same = memcmp(receipt.incarnation.byte, order->incarnation.byte,
                       sizeof order->incarnation.byte) == 0;
    check->result->has_receipt =
        same && receipt.epoch == order->epoch && digest_equal(&receipt.root, &order->root);
    if (check->result->has_receipt) {
        check->record = receipt;
    }
    return OK;
}

/* What was staged has no receipt yet: its record says which copy is meant. */
static err_t
look_at_record(check_t *check)
{
    place_look_t look;
    TRY(place_look(check->point, check->order, &look, check->fault));
    check->record = look.record;
    return OK;
}

static err_t
look_at_current(check_t *check)
{
    char current[RECEIPT_DIRECTORY_BYTES];
    err_t err = place_current(check->point, check->order->package, current, check->fault);
    if (err != OK && err != ERR_NOT_OURS) {
        return err;
    }
    check->result->is_current = err == OK && strcmp(current, check->directory) == 0;
    if (check->result->is_current) {
        return OK;
    }
    return tell(check, err == OK && current[0] == '\0' ? PATH_MISSING : PATH_CHANGED, "current");
}

/* Mode and mtime of the version's own directory, then all below it. */
static err_t
look_at_tree(check_t *check, world_t *world, store_t *store, int fd)
{
    verify_tree_t *tree = &check->tree;
    tree->prefix = check->directory;
    tree->read_only = check->record.read_only;
    tree->paths = check->result->paths;
    check->result->paths = (paths_t){0};
    err_t err = verify_tree(world, store, fd, &check->order->root, tree, check->fault);
    check->result->paths = tree->paths;
    check->result->files = tree->files;
    check->result->bytes = tree->bytes;
    if (err != OK || fd == DESCENT_NOWHERE) {
        return err;
    }
    world_stat_t stat;
    int result = world_stat(world, fd, &stat);
    if (result < 0) {
        return FAIL(check->fault, result, "stat", check->directory);
    }
    bool same =
        (stat.mode & 07777u) == tree->version.mode && stat.mtime_ns == tree->version.mtime_ns;
    return same ? OK : tell(check, PATH_CHANGED, check->directory);
}

/* The version's directory. One that is not there is told, and DESCENT_NOWHERE; one that may not be
 * read is told, and HIDDEN. */
static err_t
open_version(check_t *check, world_t *world, int *ret_fd)
{
    int package = -1;
    *ret_fd = DESCENT_NOWHERE;
    err_t err = place_open_package(check->point, check->order->package, &package, check->fault);
    if (err == ERR_NOT_FOUND || err == ERR_NOT_OURS) {
        return tell(check, PATH_MISSING, check->directory);
    }
    TRY(err);
    int fd = world_open(world, package, check->directory, PLACE_DIRECTORY, 0, PLACE_HOW);
    world_close(world, package);
    if (fd == -ENOENT) {
        return tell(check, PATH_MISSING, check->directory);
    }
    if (fd == -ENOTDIR || fd == -ELOOP) {
        return tell(check, PATH_CHANGED, check->directory);
    }
    if (fd == -EACCES) {
        *ret_fd = HIDDEN;
        return tell(check, PATH_UNREADABLE, check->directory);
    }
    if (fd < 0) {
        return FAIL(check->fault, fd, "open", check->directory);
    }
    *ret_fd = fd;
    return OK;
}

static err_t
check_all(check_t *check, world_t *world, store_t *store)
{
    TRY(check->order->stage ? look_at_record(check) : look_at_receipt(check));
    receipt_directory(&check->record, check->directory);
    TRY(check->order->stage ? OK : look_at_current(check));
    int fd = HIDDEN;
    TRY(open_version(check, world, &fd));
    if (fd == HIDDEN) {
        return OK;
    }
    err_t err = look_at_tree(check, world, store, fd);
    if (fd >= 0) {
        world_close(world, fd);
    }
    return err;
}

err_t
verify_version(world_t *world, store_t *store, point_t *point, const place_order_t *order,
               place_progress_fn *progress, void *context, verify_result_t *ret_result,
               fault_t *fault)
{
    verify_portion_t whole = {.cost_max = 0};
    return verify_portion(world, store, point, order, progress, context, &whole, ret_result, fault);
}

err_t
verify_portion(world_t *world, store_t *store, point_t *point, const place_order_t *order,
               place_progress_fn *progress, void *context, verify_portion_t *portion,
               verify_result_t *ret_result, fault_t *fault)
{
    verify_result_t result = {0};
    bool begins = portion->from == NULL || *portion->from == '\0';
    check_t check = {.point = point,
                     .order = order,
                     .record = {.epoch = order->epoch, .read_only = order->read_only},
                     .tree = {.progress = progress,
                              .context = context,
                              .from = begins ? NULL : portion->from,
                              .cost_max = portion->cost_max},
                     .result = &result,
                     .fault = fault};
    paths_init(&result.paths);
    err_t err = check_all(&check, world, store);
    if (err != OK) {
        free(check.tree.next);
        verify_result_release(&result);
        return err;
    }
    const uint64_t *count = result.paths.count;
    bool leads = order->stage || (result.has_receipt && result.is_current);
    result.whole =
        leads && count[PATH_MISSING] == 0 && count[PATH_CHANGED] == 0 && count[PATH_EXTRA] == 0;
    portion->cost = check.tree.cost;
    portion->next = check.tree.next;
    *ret_result = result;
    return OK;
}

void
verify_result_release(verify_result_t *result)
{
    paths_release(&result->paths);
}
