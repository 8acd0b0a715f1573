/* place_tree.c - writes the files, links and directories of a version into staging.
 *
 * Bytes    .despool/staging/<package>.<directory>/: a tree under way, worth what its bytes hash to.
 * A crash  leaves any part of it; the next run hashes what it finds and keeps what is right.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include "actors/content/clear.h"
#include "actors/content/descent.h"
#include "actors/content/fail.h"
#include "actors/content/hash.h"
#include "actors/content/listing.h"
#include "actors/content/place_before.h"
#include "actors/content/sync_points.h"
#include "actors/content/walk.h"
#include "actors/content/write_all.h"

#define ALL_MODES 07777u /* as far as a version has them */
#define RIGHT     0700u  /* of a directory under way: we must be able to fill it */

/* Of a big file so many bytes at a time are sent to the disk while the next ones are expanded: the
 * sync at the end then waits for the last of them only. */
#define EARLY_BYTES (8u << 20)

#define HOLE_BYTES_MIN 65536u

/* Names of a tree that are looked at once more: what the file system does with them it does with
 * all. */
#define LOOKED_AT_MAX 32u

typedef struct work {
    place_job_t *job;
    world_t *world;
    walk_t *walk;
    descent_t way;
    hash_t *hash;
    uint8_t *block;
    uint32_t looked_at;
    bool existed[TREE_DEPTH_MAX + 1]; /* by level: the directory was there before this run */
} work_t;

/* The fault of a world call at the point; a full one tells how much is still to be written. */
static err_t
fail_at(work_t *work, int64_t result, const char *verb, const char *name)
{
    fault_t *fault = work->job->fault;
    err_t err = FAIL(fault, result, verb, descent_path(&work->way, name));
    world_space_t space;
    if (err == ERR_SPACE && fault != NULL &&
        world_space(work->world, work->job->point->fd, &space) == 0) {
        const place_result_t *result_so_far = work->job->result;
        uint64_t done = result_so_far->bytes_written + result_so_far->bytes_resumed;
        fault->inodes = space.inodes_free == 0;
        fault->need = fault->inodes ? 1 : result_so_far->bytes - done;
        fault->have = fault->inodes ? 0 : space.bytes_free;
    }
    return err;
}

static void
tell(work_t *work, uint64_t under_way)
{
    const place_job_t *job = work->job;
    if (job->progress != NULL) {
        uint64_t done = job->result->bytes_written + job->result->bytes_resumed;
        job->progress(job->context, done + under_way, job->result->bytes);
    }
}

static int
sync_here(work_t *work, int fd)
{
    int result = work->job->syncs_whole ? 0 : sync_point_file(work->world, SYNC_PLACE_TREE, fd);
    work->job->sync_failed = work->job->sync_failed || result < 0;
    return result;
}

/* It mostly has the mode that it was created with; to set it nonetheless took 4 % of what a tree of
 * 16,851 files cost an agent, to look a tenth of that. */
static int
set_mode(work_t *work, int fd, uint32_t mode)
{
    world_stat_t stat;
    int result = world_stat(work->world, fd, &stat);
    bool has = result == 0 && (stat.mode & ALL_MODES) == mode;
    return result < 0 || has ? result : world_chmod(work->world, fd, mode);
}

/* What is not kept as the version has it, times by the second, say, each verify would find changed,
 * and it would be placed anew for good. So no receipt is given for it. name NULL: the directory. */
static err_t
look_at_kept(work_t *work, const char *name, const tree_entry_t *entry)
{
    world_stat_t stat;
    int dir = descent_fd(&work->way);
    if (work->looked_at == LOOKED_AT_MAX) {
        return OK;
    }
    work->looked_at++;
    int result = name == NULL ? world_stat(work->world, dir, &stat)
                              : world_stat_at(work->world, dir, name, &stat);
    if (result < 0) {
        return fail_at(work, result, "stat", name);
    }
    bool kept = stat.mtime_ns == entry->mtime_ns &&
                (entry->kind == TREE_LINK || (stat.mode & ALL_MODES) == entry->mode);
    return kept ? OK
                : RAISE(work->job->fault, ERR_NOT_KEPT, 0, "place", descent_path(&work->way, name));
}

/* Mode and mtime last, then the sync where each file has its own; closes fd either way. */
static err_t
finish_file(work_t *work, int fd, int result, const tree_entry_t *entry)
{
    world_t *world = work->world;
    int dir = descent_fd(&work->way);
    result = result < 0 ? result : set_mode(work, fd, entry->mode);
    result = result < 0 ? result : world_set_mtime(world, dir, entry->name, entry->mtime_ns);
    result = result < 0 ? result : sync_here(work, fd);
    int closed = world_close(world, fd);
    result = result < 0 ? result : closed;
    return result < 0 ? fail_at(work, result, "write", entry->name)
                      : look_at_kept(work, entry->name, entry);
}

static size_t
block_of(uint64_t left)
{
    return left < CONTENT_BLOCK_BYTES ? (size_t) left : CONTENT_BLOCK_BYTES;
}

/* What fails here fails the sync, which decides; but a job that is to stop stops. */
static err_t
write_out(work_t *work, int to, uint64_t written, uint64_t *out, const tree_entry_t *entry)
{
    if (written - *out < EARLY_BYTES) {
        return OK;
    }
    int result = world_write_out(work->world, to, *out, written - *out);
    *out = written;
    return result == -ECANCELED ? fail_at(work, result, "write", entry->name) : OK;
}

/* The first byte decides, for nearly all that is none. */
bool
place_is_hole(const void *bytes, size_t size)
{
    const uint8_t *first = bytes;
    return size >= HOLE_BYTES_MIN && first[0] == 0 && memcmp(first, first + 1, size - 1) == 0;
}

/* A hole at the end of a file is made by its length. */
static err_t
set_length(work_t *work, int to, uint64_t size, bool ends_with_hole, const tree_entry_t *entry)
{
    int result = ends_with_hole ? world_truncate(work->world, to, size) : 0;
    return result < 0 ? fail_at(work, result, "write", entry->name) : OK;
}

/* Writes the object's bytes. The store tells at their end whether they are right: until then the
 * file is one of a tree under way, which the next run would hash. */
static err_t
copy_bytes(work_t *work, int to, const tree_entry_t *entry)
{
    const void *bytes = NULL;
    size_t size = 0;
    uint64_t out = 0;
    bool hole = false;
    for (uint64_t at = 0;; at += size) {
        err_t err = store_next(work->job->store, &bytes, &size, work->job->fault);
        if (err != OK || size == 0) {
            return err == OK ? set_length(work, to, at, hole, entry) : err;
        }
        hole = place_is_hole(bytes, size);
        int written = hole ? 0 : write_all(work->world, to, bytes, size, at);
        if (written < 0) {
            return fail_at(work, written, "write", entry->name);
        }
        TRY(write_out(work, to, at + size, &out, entry));
        tell(work, at + size);
    }
}

static err_t
create_and_copy(work_t *work, const tree_entry_t *entry)
{
    int to = world_open(work->world, descent_fd(&work->way), entry->name,
                        O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, entry->mode & 0777, PLACE_HOW);
    if (to < 0) {
        return fail_at(work, to, "create", entry->name);
    }
    err_t err = copy_bytes(work, to, entry);
    if (err != OK) {
        world_close(work->world, to);
        return err;
    }
    TRY(finish_file(work, to, 0, entry));
    work->job->result->files_written++;
    work->job->result->bytes_written += entry->size;
    tell(work, 0);
    return OK;
}

static err_t
write_from(work_t *work, const tree_entry_t *entry, bool lent)
{
    store_t *store = work->job->store;
    uint64_t size = 0;
    TRY(store_begin(store, &entry->digest, &size, work->job->fault));
    if (lent) {
        place_before_lend(work->job->before, store);
    }
    return size == entry->size ? create_and_copy(work, entry)
                               : RAISE(work->job->fault, ERR_DAMAGED, 0, "place",
                                       descent_path(&work->way, entry->name));
}

static err_t
write_file(work_t *work, const tree_entry_t *entry)
{
    place_job_t *job = work->job;
    bool lent = place_before_find(job->before, descent_path(&work->way, entry->name), entry);
    err_t err = write_from(work, entry, lent);
    if (err == ERR_DIGEST &&
        lent) { /* what stands at the point has drifted: from the store alone */
        TRY(clear_name(work->world, descent_fd(&work->way), entry->name, job->fault));
        err = write_from(work, entry, false);
    }
    if (err == ERR_DIGEST) {
        err_t aside = store_set_aside(job->store, &entry->digest, NULL);
        return aside == ERR_CANCELLED ? aside : err;
    }
    return err;
}

/* Whether the bytes open on fd are the entry's; an unreadable file is not. */
static bool
is_right(work_t *work, int fd, const tree_entry_t *entry)
{
    hash_begin(work->hash);
    int64_t got = 1;
    for (uint64_t at = 0; at < entry->size && got > 0; at += (uint64_t) got) {
        got = world_read(work->world, fd, work->block, block_of(entry->size - at), at);
        hash_add(work->hash, work->block, got > 0 ? (size_t) got : 0);
        point_beat(work->job->point, 0);
    }
    digest_t digest;
    hash_end(work->hash, &digest);
    return got >= 0 && digest_equal(&digest, &entry->digest);
}

static err_t
keep_file(work_t *work, const tree_entry_t *entry, bool *ret_kept)
{
    place_result_t *result = work->job->result;
    result->files_resumed++;
    result->bytes_resumed += entry->size;
    *ret_kept = true;
    tell(work, 0);
    return OK;
}

/* Keeps a file that an earlier run wrote whole; anything else at its name is removed. One that this
 * run has written, of bytes that it had just held against their digest, is not read again. */
static err_t
resume_file(work_t *work, const tree_entry_t *entry, bool *ret_kept)
{
    world_t *world = work->world;
    int dir = descent_fd(&work->way);
    world_stat_t stat;
    *ret_kept = false;
    int result = world_stat_at(world, dir, entry->name, &stat);
    int fd = -1;
    if (result == 0 && place_ahead_has(work->job->ahead, &stat, entry) == AHEAD_WHOLE) {
        return keep_file(work, entry, ret_kept);
    }
    if (result == 0 && S_ISREG(stat.mode) && stat.size == entry->size && stat.links == 1) {
        fd = world_open(world, dir, entry->name, O_RDONLY | O_NOFOLLOW, 0, PLACE_HOW);
    }
    if (fd >= 0 && is_right(work, fd, entry)) {
        TRY(finish_file(work, fd, 0, entry));
        return keep_file(work, entry, ret_kept);
    }
    if (fd >= 0) {
        world_close(world, fd);
    }
    return clear_name(world, dir, entry->name, work->job->fault);
}

static err_t
place_file(work_t *work, const tree_entry_t *entry)
{
    bool kept = false;
    if (work->existed[work->way.depth]) {
        TRY(resume_file(work, entry, &kept));
    }
    return kept ? OK : write_file(work, entry);
}

static err_t
place_link(work_t *work, const tree_entry_t *entry)
{
    int dir = descent_fd(&work->way);
    if (work->existed[work->way.depth]) {
        TRY(clear_name(work->world, dir, entry->name, work->job->fault));
    }
    void *text = NULL;
    size_t size = 0;
    TRY(store_read(work->job->store, &entry->digest, TREE_LINK_BYTES_MAX, &text, &size,
                   work->job->fault));
    int result = size == 0 || strlen(text) != size
                     ? -EINVAL
                     : world_make_link(work->world, text, dir, entry->name);
    free(text);
    result = result < 0 ? result : world_set_mtime(work->world, dir, entry->name, entry->mtime_ns);
    return result < 0 ? fail_at(work, result, "link", entry->name)
                      : look_at_kept(work, entry->name, entry);
}

/* Removes from the current directory what the version does not have there. */
static err_t
clear_extras(work_t *work, const listing_t *names, const void *node)
{
    manifest_cursor_t cursor = manifest_cursor(node);
    tree_entry_t entry;
    bool more = manifest_next(&cursor, &entry);
    for (uint32_t i = 0; i < names->count; i++) {
        while (more && strcmp(entry.name, names->name[i]) < 0) {
            more = manifest_next(&cursor, &entry);
        }
        if (!more || strcmp(entry.name, names->name[i]) != 0) {
            TRY(clear_name(work->world, descent_fd(&work->way), names->name[i], work->job->fault));
        }
    }
    return OK;
}

static err_t
begin_directory(work_t *work, bool existed)
{
    work->existed[work->way.depth] = existed;
    if (!existed) {
        return OK;
    }
    const void *node = NULL;
    listing_t names;
    TRY(walk_node(work->walk, &node, work->job->fault));
    TRY(listing_read(work->world, descent_fd(&work->way), descent_path(&work->way, NULL), &names,
                     work->job->fault));
    err_t err = clear_extras(work, &names, node);
    listing_release(&names);
    return err;
}

/* Makes the directory, or opens up the one that an earlier run left. */
static err_t
make_directory(work_t *work, const char *name, bool *ret_existed)
{
    world_t *world = work->world;
    int dir = descent_fd(&work->way);
    int result = world_make_dir(world, dir, name, RIGHT);
    *ret_existed = false;
    if (result == -EEXIST) {
        world_stat_t stat;
        result = world_stat_at(world, dir, name, &stat);
        *ret_existed = result == 0 && S_ISDIR(stat.mode);
        if (result == 0 && !*ret_existed) {
            TRY(clear_name(world, dir, name, work->job->fault));
            result = world_make_dir(world, dir, name, RIGHT);
        } else if (result == 0 && (stat.mode & ALL_MODES) != RIGHT) {
            result = world_chmod_at(world, dir, name, RIGHT);
        }
    }
    return result < 0 ? fail_at(work, result, "make", name) : OK;
}

static err_t
enter_directory(work_t *work, const tree_entry_t *entry)
{
    bool existed = false;
    TRY(make_directory(work, entry->name, &existed));
    TRY(descent_enter(&work->way, entry->name, work->job->fault));
    return begin_directory(work, existed);
}

/* mtime before mode: a directory of mode 0000 does not let its owner in any more. */
static err_t
leave_directory(work_t *work, const tree_entry_t *entry)
{
    int fd = descent_fd(&work->way);
    int result = world_set_mtime(work->world, fd, ".", entry->mtime_ns);
    result = result < 0 ? result : world_chmod(work->world, fd, entry->mode);
    result = result < 0 ? result : sync_here(work, fd);
    if (result < 0) {
        return fail_at(work, result, "finish", NULL);
    }
    TRY(look_at_kept(work, NULL, entry));
    return descent_leave(&work->way, work->job->fault);
}

static err_t
place_entries(work_t *work)
{
    for (;;) {
        walk_event_t event;
        TRY(walk_next(work->walk, &event, work->job->fault));
        event.entry.mode = place_mode(event.entry.mode, work->job->read_only);
        point_beat(work->job->point, 0);
        switch (event.step) {
        case WALK_END:
            return OK;
        case WALK_ENTRY:
            TRY(event.entry.kind == TREE_FILE ? place_file(work, &event.entry)
                                              : place_link(work, &event.entry));
            break;
        case WALK_ENTER:
            TRY(enter_directory(work, &event.entry));
            break;
        case WALK_LEAVE:
            TRY(leave_directory(work, &event.entry));
            break;
        }
    }
}

static err_t
place_with_way(work_t *work, int fd, bool existed)
{
    place_job_t *job = work->job;
    TRY(descent_init(&work->way, work->world, fd, PLACE_HOW, ERR_IO, job->fault));
    err_t err = begin_directory(work, existed);
    err = err == OK ? place_entries(work) : err;
    int result = err == OK ? sync_here(work, fd) : 0;
    if (result < 0) {
        err = fail_at(work, result, "sync", NULL);
    }
    descent_release(&work->way);
    return err;
}

static err_t
place_with_walk(work_t *work, int fd, bool existed, const digest_t *root,
                manifest_version_t *ret_version)
{
    place_job_t *job = work->job;
    TRY(walk_new(job->store, root, &work->walk, job->fault));
    *ret_version = *walk_version(work->walk);
    ret_version->mode = place_mode(ret_version->mode, job->read_only);
    job->result->files = ret_version->files;
    job->result->bytes = ret_version->bytes;
    store_join(job->store, root); /* with the placements of this version at other points */
    err_t err = place_with_way(work, fd, existed);
    store_leave(job->store);
    walk_destroy(&work->walk);
    return err;
}

err_t
place_tree(place_job_t *job, int fd, bool existed, const digest_t *root,
           manifest_version_t *ret_version)
{
    work_t *work = calloc(1, sizeof *work);
    if (work == NULL) {
        return NO_MEMORY(job->fault, "a placement");
    }
    work->job = job;
    work->world = job->world;
    work->block = malloc(CONTENT_BLOCK_BYTES);
    err_t err = work->block == NULL ? ERR_NO_MEMORY : hash_new(&work->hash);
    err = err == OK ? place_with_walk(work, fd, existed, root, ret_version)
                    : NO_MEMORY(job->fault, "a placement");
    hash_destroy(&work->hash);
    free(work->block);
    free(work);
    return err;
}
