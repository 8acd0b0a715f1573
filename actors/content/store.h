/* store.h - the site's own copy of every version: objects by digest, in packs.
 *
 * Shape    an object is bytes with their SHA-256: a manifest node, a link's text, a chunk, or a
 *          file; a file over CHUNK_BYTES_WHOLE is a list of chunks. DATA/store/packs/ holds packs
 *          (pack.h), which hold the objects, DATA/store/index/ runs (run.h), which say where. A
 *          store_t is one job's view of it: open files, and what it has appended to a pack of its
 *          own. DATA/store/objects/ is the store of the first release, one file for each object: it
 *          is read as long as it is there; store_migrate moves it into packs.
 * Promises an object is there when a run names it, and a run has its name only after the pack's
 *          bytes are durable. What store_commit returned OK for survives a power cut; before it,
 *          nothing was promised. A pack is appended to by one job at a time, a run is written at
 *          once; so readers need no lock. Bytes are handed out only after they were held against
 *          their digest; a list's last block only after the whole was.
 * Costs    finding: one page of 4 KiB is read, seldom two; what is not there is found in memory, in
 *          at most STORE_RUNS_MAX sieves. Memory: 5 MiB to read, 4 MiB to write, and 13 bits for
 *          each object of the store. A commit is three to six syncs of single files; it comes by
 *          itself after STORE_BATCH_MAX objects or STORE_PACK_BYTES.
 * Errors   ERR_SITE_FULL with need and have, ERR_DIGEST, ERR_NOT_STORED, ERR_DAMAGED (the index:
 *          `despool store rebuild`), ERR_IO, ERR_CANCELLED ...
 * Threads  one store_t for each job; several may be open at once on one directory.
 *          store_recover, store_migrate, store_collect and store_rebuild need that nobody else
 *          puts; readers may be there: the caller sees to that.
 * Owner    who opened it closes it; closing drops what was not committed.
 */
#pragma once

#include "proto/record.h"
#include "runtime/world.h"

#define STORE_BATCH_MAX  16384u     /* objects written but not yet named */
#define STORE_PACK_BYTES 134217728u /* a pack that has reached this is ended */
#define STORE_RUNS_MAX   12u        /* more are merged */

typedef struct store store_t;

/* Opens path (DATA/store), making it and its directories where they are missing; the first commit
 * makes them durable. */
err_t store_open(world_t *world, const char *path, store_t **ret_store, fault_t *fault) must_use;
/* A store without files, for dry runs: what is put is hashed, is never new and goes nowhere;
 * nothing can be read from it. */
err_t store_open_dry(world_t *world, store_t **ret_store, fault_t *fault) must_use;
void store_close(store_t **store);
/* Removes what earlier runs left unfinished, and has no name of its own yet. */
err_t store_recover(store_t *store, uint64_t *ret_removed, fault_t *fault) must_use;

/* Puts the file open on fd, read once. The bytes are promised by the next store_commit only. path
 * is for faults. */
typedef struct store_put {
    digest_t digest;
    uint64_t size;      /* bytes read */
    uint64_t new_bytes; /* of them, those that were not in the store */
    digest_t list;      /* of the list of a file's chunks; none: it is one chunk */
} store_put_t;
err_t store_put_file(store_t *store, int fd, const char *path, store_put_t *ret_put,
                     fault_t *fault) must_use;
err_t store_put_bytes(store_t *store, const void *bytes, size_t size, store_put_t *ret_put,
                      fault_t *fault) must_use;
/* What this store_t has put into packs so far, as bytes with their heads; all of it after a
 * commit. */
uint64_t store_appended(const store_t *store);
/* Bytes that must have this digest, or nothing is put: ERR_DIGEST. */
typedef struct store_object {
    digest_t digest;
    slice_t bytes;
    slice_t packed; /* what zstd made of them, which is kept as it is; none: packed where it pays */
    bool plain;     /* kept as they are: packing them again takes more than it saves */
} store_object_t;
err_t store_put_object(store_t *store, const store_object_t *object, fault_t *fault) must_use;
/* Puts a file by the list of its chunks, which are there. They are not read: who hands the file out
 * holds it against its digest. When it was set aside before, they are, and are held against the
 * file's digest first; when that says no, each against its own. ERR_NOT_STORED, ERR_DIGEST with
 * *ret_bad: this chunk is not there, or was damaged and is set aside; without: the list is not the
 * file's. */
err_t store_put_list(store_t *store, const digest_t *file, slice_t list, digest_t *ret_bad,
                     fault_t *fault) must_use;
/* Makes all that was put, or was found to be there already, durable. After a failure what was put
 * since the last commit is dropped. */
err_t store_commit(store_t *store, fault_t *fault) must_use;
/* What this store_t leaves to one that is opened when it is closed, in the same process and with no
 * collection in between: its commits sync no directories that are durable, with all that stood in
 * DATA then, unless it had to make one; and it appends to the same pack, so that few are made. A
 * pack that has gone, or is not as it was left, is left alone. */
typedef struct store_left {
    bool laid_out;
    uint64_t pack, pack_bytes; /* as it was committed; 0 bytes: none */
} store_left_t;
store_left_t store_left(const store_t *store);
err_t store_go_on(store_t *store, const store_left_t *left, fault_t *fault) must_use;
bool store_is_laid_out(const store_t *store); /* its directories are durable */

/* Whether the object is there by name (its bytes are not read), as of when this store was opened or
 * last committed: what another job has put since may count as not there. A file that is a list is
 * when each of its chunks is, at a look for each. */
err_t store_has(store_t *store, const digest_t *digest, bool *ret_has, fault_t *fault) must_use;
/* Reads a whole object of at most max bytes into memory that the caller frees with free(). One that
 * proves damaged is set aside. */
err_t store_read(store_t *store, const digest_t *digest, size_t max, void **ret_bytes,
                 size_t *ret_size, fault_t *fault) must_use;
/* The same, and what is read may be damaged, which nobody has looked at: for bytes of which others
 * are made that are held against a digest. ERR_DIGEST only where it cannot be read at all; nothing
 * is set aside. */
err_t store_read_unchecked(store_t *store, const digest_t *digest, size_t max, void **ret_bytes,
                           size_t *ret_size, fault_t *fault) must_use;
/* Reads at most max bytes of an object from an offset on; fewer, where it ends, and none behind its
 * end. Of a list the chunks that it touches are held against their digests, of anything else the
 * whole; each costs a read of its own. *ret_total is the object's size. */
err_t store_read_part(store_t *store, const digest_t *digest, uint64_t from, uint8_t *bytes,
                      size_t max, size_t *ret_size, uint64_t *ret_total, fault_t *fault) must_use;
/* An object's bytes as they are stored, borrowed until the next call on this store: of a list of at
 * most CONTENT_BLOCK_BYTES what zstd made of each chunk, one behind the other. None: it is a longer
 * list, or not all of its chunks are there and packed. Their check agrees (a rotten record is
 * ERR_DIGEST); who expands them holds them against the digest. */
typedef struct stored_object {
    slice_t bytes;
    bool packed;   /* by zstd */
    uint64_t size; /* expanded */
} stored_object_t;
err_t store_as_stored(store_t *store, const digest_t *digest, stored_object_t *ret_stored,
                      fault_t *fault) must_use;
/* The same, held against nothing at all, and none where the object is a list: as
 * store_read_unchecked, for who expands it elsewhere. */
err_t store_as_stored_unchecked(store_t *store, const digest_t *digest, stored_object_t *ret_stored,
                                fault_t *fault) must_use;
/* The list of an object's chunks (rows of pack.h), which the caller frees; no bytes: it is none. */
err_t store_list(store_t *store, const digest_t *digest, uint8_t **ret_list, size_t *ret_size,
                 fault_t *fault) must_use;
/* Begins to read an object block by block; one at a time. Objects that were put one behind the
 * other are fastest read in that order. */
err_t store_begin(store_t *store, const digest_t *digest, uint64_t *ret_size,
                  fault_t *fault) must_use;
/* The next block, at most CONTENT_BLOCK_BYTES of a list and the whole of anything else; borrowed
 * until the next call on this store. No bytes: the object has ended, and its digest agreed; what
 * came before is not to be relied on until then. */
err_t store_next(store_t *store, const void **ret_bytes, size_t *ret_size, fault_t *fault) must_use;
/* Where else chunks of an object may be. fill: the bytes of one that it has; false: they cannot be
 * had after all. */
typedef struct store_lender {
    bool (*has)(void *context, const digest_t *chunk, uint32_t size);
    bool (*fill)(void *context, const digest_t *chunk, uint8_t *bytes, uint32_t size);
    void *context;
} store_lender_t;
/* Until the end of the object that was begun, a chunk is taken from there if it has it. It is held
 * against the digest of the whole alone, like every chunk: at ERR_DIGEST either may be wrong, and
 * whoever lent reads the object again without. */
void store_lend(store_t *store, store_lender_t lender);
/* From now on chunks that other jobs of this group read, too, are read, expanded and hashed by one
 * of them for all; until store_leave, or the closing. What is handed out has been held against its
 * object's digest all the same. */
void store_join(store_t *store, const digest_t *group);
void store_leave(store_t *store);
/* Notes what proved damaged of an object (in DATA/store/damaged/), so that it counts as not there
 * and can be put again: its record, chunks of it, or a list whose chunks do not come to it. */
err_t store_set_aside(store_t *store, const digest_t *digest, fault_t *fault) must_use;
/* Whether anything was, of packs that are still there. */
bool store_has_damage(const store_t *store);
world_t *store_world(store_t *store);

/* Called now and then in long work, with the bytes it has gone over; may be NULL. */
typedef void store_progress_fn(void *context, uint64_t bytes);

/* Moves the objects of the first release into packs and removes them, object by object; goes on
 * where a run that was cut had come to. *ret_moved tells how many. One that proves damaged is set
 * aside. */
err_t store_migrate(store_t *store, store_progress_fn *progress, void *context, uint64_t *ret_moved,
                    fault_t *fault) must_use;

/* Makes the index anew from the records that are right in the packs. A run that was cut leaves the
 * index as it was. */
err_t store_rebuild(store_t *store, store_progress_fn *progress, void *context,
                    uint64_t *ret_objects, fault_t *fault) must_use;

/* Whether this store_t has met a part of the index that went bad: what it names counts as not
 * there, whatever is in the packs. */
bool store_index_is_damaged(const store_t *store);
/* Rebuilds the index, as store_rebuild does, where it is; reads: all of it is read first, and what
 * a run named that is gone is named again. Nobody else may put. *ret_objects: those of the new one,
 * or that are named again; 0: it was right. */
err_t store_mend_index(store_t *store, bool reads, uint64_t *ret_objects, fault_t *fault) must_use;

/* Finds the objects that a run named which is gone, and names them again where it is said so; who
 * puts may be there. ERR_DAMAGED: what is there of the index went bad. Costs a look at all entries,
 * and the reading of packs that are not named as far as they should be. What the last commit of a
 * pack has put is not found: who was killed before he named it leaves the same. Who was killed
 * between the first name of a pack and that of its run leaves what is named here too. */
err_t store_find_lost(store_t *store, bool names, uint64_t *ret_objects, fault_t *fault) must_use;

typedef struct store_checked {
    uint64_t packs, objects, bytes; /* objects that are right, and their stored bytes */
    uint64_t damaged;               /* records that the index names and that are not right */
    uint64_t heads_damaged;         /* of packs: their records are read all the same */
    uint64_t pages_damaged;         /* of the index, and runs that cannot be read, or are gone */
    uint64_t missing;               /* objects that versions need and that cannot be had */
    uint64_t versions_damaged;      /* versions that miss something */
} store_checked_t;
/* Reads every byte of the store. repair: what proved damaged is set aside, so that it can be put
 * again; heads are written anew, and so is an index that went bad. The counts are of before. */
err_t store_check(store_t *store, const digest_t *roots, size_t root_count, bool repair,
                  store_progress_fn *progress, void *context, store_checked_t *ret_checked,
                  fault_t *fault) must_use;

/* The same; ret_missing has a place for each root, for the objects that it misses. */
err_t store_check_explained(store_t *store, const digest_t *roots, size_t root_count, bool repair,
                            store_progress_fn *progress, void *context,
                            store_checked_t *ret_checked, uint64_t *ret_missing,
                            fault_t *fault) must_use;

typedef struct store_scrubbed {
    uint64_t pack, offset; /* where the next portion begins; 0, 0: the last pack was read */
    uint64_t bytes;        /* of packs that were read */
    uint64_t damaged;      /* records that the index names and that are not right: set aside */
} store_scrubbed_t;
/* Reads packs again, from a place on (0, 0: the first one), until this many bytes are read or there
 * are no more; readers and who puts may be there. A pack that has gone is passed over. After a
 * failure *ret_scrubbed tells what was found before it, and the pack that comes after the one that
 * could not be read. */
err_t store_scrub(store_t *store, uint64_t pack, uint64_t offset, uint64_t bytes,
                  store_scrubbed_t *ret_scrubbed, fault_t *fault) must_use;

/* What one root needs, or may need, and none before it does. */
typedef struct store_kept {
    uint64_t objects, bytes; /* bytes as they are stored, with their heads */
} store_kept_t;
typedef struct store_collected {
    uint64_t live_objects, live_bytes;       /* reached by a live root; bytes as they are stored */
    uint64_t removed_objects, removed_bytes; /* in a dry run: that would be removed */
    uint64_t kept_objects, kept_bytes; /* reached by none, in packs that are not worth rewriting, or
                                          have what is damaged and needed */
    uint64_t held_objects, held_bytes; /* of the live ones: reached by none, and yet a file may need
                                          them whose list of chunks is damaged */
    uint64_t packs, packs_rewritten;
} store_collected_t;
/* Removes what no live root reaches, by writing packs that are a quarter dead anew without it. A
 * root that cannot be read ends it with nothing removed; an object that proves damaged keeps its
 * pack. Where that is a list of chunks, what may be one of them stays until the list is put again
 * or its version has gone. What was put and not committed is dropped. Memory: 2 bits for each
 * object of the store. */
err_t store_collect(store_t *store, const digest_t *roots, size_t root_count, bool dry_run,
                    store_progress_fn *progress, void *context, store_collected_t *ret_collected,
                    fault_t *fault) must_use;
/* Which root it was that ended the last collection, because a part of its manifest is damaged or
 * gone. False: none was. */
bool store_collect_lacked(const store_t *store, size_t *ret_root);
/* The same; ret_kept has a place for each root. */
err_t store_collect_explained(store_t *store, const digest_t *roots, size_t root_count,
                              bool dry_run, store_progress_fn *progress, void *context,
                              store_collected_t *ret_collected, store_kept_t *ret_kept,
                              fault_t *fault) must_use;
