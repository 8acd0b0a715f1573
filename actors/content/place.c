/* place.c - the order of a placement: stage, sync, record, rename, switch, receipt.
 *
 * Bytes    ROOT/PACKAGE/v<epoch>[-<copy>]/ and the link `current`; valid when a record of ours in
 *          .despool/packages/ names the directory. An older directory with the same root is read,
 *          gets the new epoch into its record, and is switched to.
 *          What was staged is such a directory with its record, which nothing leads to yet.
 * A crash  before the record leaves staging only; before the rename a record without a directory;
 *          before the switch a whole version that nobody reads yet; before the receipt a version
 *          that is read but not promised. Each is where the next run goes on.
 */
#include "actors/content/place.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "actors/content/clear.h"
#include "actors/content/fail.h"
#include "actors/content/place_before.h"
#include "actors/content/sync_points.h"
#include "actors/content/verify_tree.h"

#define SYNC_ENTRY_BYTES 4096u /* what the entry of a name takes on the disk, at a guess */
#define CLEAR_TRIES      3u    /* of what a failed sync has left */

typedef struct order_run {
    place_job_t job;
    bool stage; /* the switch is another order's */
    bool reads_before;
    place_look_t look;
    manifest_version_t version;
    char name[PLACE_NAME_BYTES];             /* in staging/ */
    char directory[RECEIPT_DIRECTORY_BYTES]; /* in ROOT/PACKAGE */
    int staging;                             /* of .despool/staging */
    int tree;                                /* of the version's directory */
    int package;                             /* of ROOT/PACKAGE */
} order_run_t;

static err_t
fail(order_run_t *run, int result, const char *verb, const char *what)
{
    return FAIL(run->job.fault, result, verb, what);
}

static err_t
at_point(order_run_t *run, const char *name)
{
    int result = world_point(run->job.world, name);
    return result < 0 ? fail(run, result, "pass", name) : OK;
}

static err_t
open_staged(order_run_t *run, bool *ret_existed)
{
    place_job_t *job = &run->job;
    int fd = place_open_staged(job->world, run->staging, run->name, ret_existed);
    if (fd < 0) {
        return fail(run, fd, "stage", run->name);
    }
    run->tree = fd;
    if (job->ahead != NULL && !place_ahead_is_of(job->ahead, job->world, fd)) {
        job->ahead = NULL; /* another tree, or nothing was written */
    }
    return OK;
}

/* By the descriptor that was open before the first write. */
static int
sync_tree(order_run_t *run)
{
    const place_job_t *job = &run->job;
    int fd = job->ahead != NULL ? place_ahead_tree(job->ahead) : run->tree;
    return sync_point_all(job->world, SYNC_PLACE_TREE, fd);
}

/* Who has written to the tree before has looked, when all of it was to be written. */
static err_t
look_for_room(const order_run_t *run)
{
    place_plan_t plan;
    const place_job_t *job = &run->job;
    if (job->ahead != NULL && place_ahead_has_looked(job->ahead)) {
        return OK;
    }
    TRY(place_measure(job->store, job->point, &run->look, &plan, job->fault));
    return place_check_space(&plan, job->point->root, job->fault);
}

static err_t
write_tree(order_run_t *run, bool existed)
{
    place_job_t *job = &run->job;
    job->before = run->reads_before ? place_before_new(job, run->look.record.package) : NULL;
    err_t err = place_tree(job, run->tree, existed, &run->look.record.root, &run->version);
    place_before_destroy(&job->before);
    return err;
}

/* Of names that differ only in case, in a directory of the point that has this name of ours. */
static err_t
look_for_clashes(const order_run_t *run, int dir, const char *name)
{
    const place_job_t *job = &run->job;
    return place_check_names(job->store, job->point, dir, name, &run->look.record.root, job->fault);
}

/* A directory alone may tell no difference (ext4), which its own name tells. */
static err_t
look_into_staged(order_run_t *run, bool existed)
{
    err_t err = look_for_clashes(run, run->staging, run->name);
    if (err != OK && !existed) {
        (void) world_remove_dir(run->job.world, run->staging, run->name);
    }
    return err;
}

/* Writes the tree and makes it durable, all but the mode of its topmost directory. */
static err_t
stage(order_run_t *run)
{
    place_job_t *job = &run->job;
    bool existed = false;
    place_ahead_end(job->ahead, job->world);
    TRY(look_for_clashes(run, job->point->own_fd, "staging"));
    TRY(look_for_room(run));
    TRY(open_staged(run, &existed));
    TRY(look_into_staged(run, existed));
    TRY(write_tree(run, existed));
    TRY(at_point(run, "place.staged"));
    TRY(point_check(job->point, job->fault));
    const manifest_version_t *version = &run->version;
    point_beat(job->point, version->bytes + SYNC_ENTRY_BYTES * (version->files + version->links +
                                                                version->directories + 1));
    int result = job->syncs_whole ? sync_tree(run)
                                  : sync_point_file(job->world, SYNC_PLACE_TREE, run->staging);
    if (result >= 0 && !job->syncs_whole && version->links > 0) {
        /* A symlink's own time cannot be synced alone. */
        result = sync_point_all(job->world, SYNC_PLACE_TREE, run->tree);
    }
    if (result < 0) {
        job->sync_failed = true;
        return fail(run, result, "sync", run->name);
    }
    point_beat(job->point, 0);
    return at_point(run, "place.synced");
}

static err_t
open_package(order_run_t *run, bool make)
{
    place_job_t *job = &run->job;
    const char *package = run->look.record.package;
    int result = make ? world_make_dir(job->world, job->point->fd, package, 0755) : -EEXIST;
    if (result == 0) {
        result = world_chmod_at(job->world, job->point->fd, package, 0755);
    }
    if (result < 0 && result != -EEXIST) {
        return fail(run, result, "make", package);
    }
    return place_open_package(job->point, package, &run->package, job->fault);
}

/* The record goes first: a directory at our name without one would not be ours. */
static err_t
move_into_place(order_run_t *run)
{
    place_job_t *job = &run->job;
    run->look.record.when_ns = world_wall_ns(job->world);
    TRY(receipt_version_write(job->point, &run->look.record, job->fault));
    TRY(point_check(job->point, job->fault));
    TRY(open_package(run, true));
    int result = world_rename(job->world, run->staging, run->name, run->package, run->directory);
    return result < 0 ? fail(run, result, "rename", run->name) : OK;
}

/* As of what is below it (place_tree.c). */
static err_t
look_at_kept(order_run_t *run)
{
    world_stat_t stat;
    int result = world_stat(run->job.world, run->tree, &stat);
    if (result < 0) {
        return fail(run, result, "stat", run->directory);
    }
    bool kept = stat.mtime_ns == run->version.mtime_ns && (stat.mode & 07777u) == run->version.mode;
    return kept ? OK : RAISE(run->job.fault, ERR_NOT_KEPT, 0, "place", run->directory);
}

/* Mode and mtime of the version's directory are set when it is in place, because a directory that
 * we may not write to cannot be moved. Then all names on the way to it are made durable. */
static err_t
settle(order_run_t *run)
{
    place_job_t *job = &run->job;
    world_t *world = job->world;
    int result = world_set_mtime(world, run->tree, ".", run->version.mtime_ns);
    result = result < 0 ? result : world_chmod(world, run->tree, run->version.mode);
    result = result < 0 ? result : sync_point_file(world, SYNC_PLACE_MODE, run->tree);
    result = result < 0 ? result : sync_point_file(world, SYNC_PLACE_VERSION, run->package);
    result = result < 0 ? result : sync_point_file(world, SYNC_PLACE_ROOT, job->point->fd);
    if (result < 0) {
        return fail(run, result, "settle", run->directory);
    }
    TRY(look_at_kept(run));
    return at_point(run, "place.renamed");
}

/* A link made beside and renamed over the old one: readers see the one or the other. */
static err_t
switch_readers(order_run_t *run)
{
    place_job_t *job = &run->job;
    world_t *world = job->world;
    char link[PLACE_NAME_BYTES];
    snprintf(link, sizeof link, "%s.current", run->look.record.package);
    TRY(point_check(job->point, job->fault));
    TRY(clear_name(world, run->staging, link, job->fault));
    int result = world_make_link(world, run->directory, run->staging, link);
    result = result < 0 ? result : world_rename(world, run->staging, link, run->package, "current");
    result = result < 0 ? result : sync_point_file(world, SYNC_PLACE_CURRENT, run->package);
    if (result < 0) {
        return fail(run, result, "switch", run->look.record.package);
    }
    return at_point(run, "place.switched");
}

static err_t
promise(order_run_t *run)
{
    place_job_t *job = &run->job;
    run->look.record.when_ns = world_wall_ns(job->world);
    TRY(receipt_write(job->point, &run->look.record, job->fault));
    job->result->receipt = run->look.record;
    return at_point(run, "place.receipted");
}

/* A version that stands in place without its receipt: from a run that was cut, found damaged by
 * verify, or of an older epoch. Either way its bytes decide. */
static err_t
try_in_place(order_run_t *run, bool *ret_whole)
{
    place_job_t *job = &run->job;
    *ret_whole = false;
    TRY(open_package(run, false));
    int fd = world_open(job->world, run->package, run->directory, PLACE_DIRECTORY, 0, PLACE_HOW);
    if (fd == -EACCES) {
        return OK; /* its mode hides it from us: it is placed again beside */
    }
    if (fd < 0) {
        return fail(run, fd, "open", run->directory);
    }
    run->tree = fd;
    verify_tree_t found = {.progress = job->progress,
                           .context = job->context,
                           .read_only = run->look.record.read_only};
    paths_init(&found.paths);
    err_t err = verify_tree(job->world, job->store, fd, &run->look.record.root, &found, job->fault);
    run->version = found.version;
    *ret_whole = err == OK && found.is_whole;
    job->result->files_resumed = *ret_whole ? found.files : 0;
    job->result->bytes_resumed = *ret_whole ? found.bytes : 0;
    paths_release(&found.paths);
    return err;
}

static void
close_all(order_run_t *run)
{
    int *fds[] = {&run->staging, &run->tree, &run->package};
    for (size_t i = 0; i < sizeof fds / sizeof fds[0]; i++) {
        if (*fds[i] >= 0) {
            world_close(run->job.world, *fds[i]);
            *fds[i] = -1;
        }
    }
}

static void
name_version(order_run_t *run)
{
    place_staging_name(&run->look.record, run->name);
    receipt_directory(&run->look.record, run->directory);
}

/* The directory's record names the new epoch from now on: cut here, the next run goes on with it as
 * with a version of its own, and no collection takes it for one that was superseded. */
static err_t
take_over(order_run_t *run)
{
    place_job_t *job = &run->job;
    run->look.record.when_ns = world_wall_ns(job->world);
    TRY(point_check(job->point, job->fault));
    TRY(receipt_version_write(job->point, &run->look.record, job->fault));
    return at_point(run, "place.taken");
}

/* An order to stage takes nothing over: until the switch the directory is the older version's. */
static err_t
take_as_ours(order_run_t *run)
{
    TRY(run->look.takes_over ? take_over(run) : OK);
    return settle(run);
}

/* What stands in place is damaged: the version gets another directory. */
static void
place_beside(order_run_t *run)
{
    receipt_t *record = &run->look.record;
    bool from_home = record->home != 0;
    record->home = 0;
    record->copy = from_home ? 0 : record->copy + 1;
    record->read_only = run->job.read_only;
    run->look.in_place = run->look.takes_over = false;
    name_version(run);
}

/* Makes the version stand in place, whole and durable. */
static err_t
bring_in_place(order_run_t *run)
{
    place_job_t *job = &run->job;
    name_version(run);
    if (run->look.in_place) {
        bool whole = false;
        TRY(try_in_place(run, &whole));
        if (whole) {
            return run->stage && run->look.takes_over ? OK : take_as_ours(run);
        }
        close_all(run);
        place_beside(run);
    }
    TRY(place_open_staging(job->point, &run->staging, job->fault));
    TRY(stage(run));
    TRY(move_into_place(run));
    return settle(run);
}

static err_t
carry_out(order_run_t *run)
{
    TRY(bring_in_place(run));
    if (run->stage) {
        run->job.result->receipt = run->look.record;
        return at_point(run, "place.promised");
    }
    if (run->staging < 0) {
        TRY(place_open_staging(run->job.point, &run->staging, run->job.fault));
    }
    TRY(switch_readers(run));
    return promise(run);
}

/* After a failed sync the system calls pages clean that it never wrote: they read well, and the
 * next sync says nothing. So such a tree is not resumed but removed. */
static err_t
drop_unsynced(order_run_t *run, err_t err)
{
    if (!run->job.sync_failed || run->staging < 0) {
        return err;
    }
    /* Not given up at the first failure: what stays would be taken for written. */
    err_t cleared = ERR_IO;
    for (unsigned i = 0; i < CLEAR_TRIES && cleared != OK; i++) {
        cleared = clear_name(run->job.world, run->staging, run->name, NULL);
    }
    return err != OK ? err : cleared;
}

static err_t
place_missing(place_job_t *job, const place_look_t *look, const place_order_t *order)
{
    world_space_t space;
    int result = world_space(job->world, job->point->fd, &space);
    if (result < 0) {
        return FAIL(job->fault, result, "measure", job->point->root);
    }
    job->syncs_whole = sync_type_is_tested(space.type);
    order_run_t run = {.job = *job,
                       .stage = order->stage,
                       .reads_before = order->reads_before,
                       .look = *look,
                       .staging = -1,
                       .tree = -1,
                       .package = -1};
    err_t err = drop_unsynced(&run, carry_out(&run));
    job->result->files = run.version.files;
    job->result->bytes = run.version.bytes;
    close_all(&run);
    return err;
}

/* With its receipt there nothing is written, and only the version node is read. */
static err_t
tell_already(store_t *store, point_t *point, const place_look_t *look, place_result_t *result,
             fault_t *fault)
{
    TRY(receipt_settle(point, fault));
    void *bytes = NULL;
    size_t size = 0;
    manifest_version_t version = {0};
    result->already = true;
    result->receipt = look->receipt;
    if (store_read(store, &look->receipt.root, MANIFEST_VERSION_BYTES, &bytes, &size, NULL) == OK) {
        if (manifest_version_decode(bytes, size, &version) == OK) {
            result->files = version.files;
            result->bytes = version.bytes;
        }
        free(bytes);
    }
    return OK;
}

err_t
place_version(world_t *world, store_t *store, point_t *point, const place_order_t *order,
              place_progress_fn *progress, void *context, place_result_t *ret_result,
              fault_t *fault)
{
    place_look_t look;
    place_result_t result = {0};
    TRY(point_check(point, fault));
    TRY(place_look(point, order, &look, fault));
    place_job_t job = {.world = world,
                       .store = store,
                       .point = point,
                       .ahead = order->ahead,
                       .read_only = order->read_only,
                       .progress = progress,
                       .context = context,
                       .result = &result,
                       .fault = fault};
    TRY(look.already ? tell_already(store, point, &look, &result, fault)
                     : place_missing(&job, &look, order));
    *ret_result = result;
    return OK;
}
