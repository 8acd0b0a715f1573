/* store_inner.h - what the files of the store share; nobody else includes it.
 *
 * Shape    view (which runs and packs there are), read (records, then objects), put (a pack of its
 *          own), and what goes over everything: merge, collect, check.
 * Threads  as store.h.
 */
#pragma once

#include "actors/content/chunker.h"
#include "actors/content/hash.h"
#include "actors/content/pack.h"
#include "actors/content/run.h"
#include "actors/content/squeeze.h"
#include "actors/content/store.h"
#include "actors/content/tree.h"

#define STORE_SLOTS        (STORE_BATCH_MAX * 2) /* of the pending index; a power of two */
#define STORE_PACKS_OPEN   32u                   /* descriptors of packs that are kept open */
#define STORE_WINDOW       1048576u              /* bytes read ahead */
#define STORE_WINDOWS      4u                    /* of packs that are read in turns */
#define STORE_LOTS_MAX     4u                    /* that are squeezed while the next one comes */
#define LOT_OBJECTS_MAX    64u
#define STORE_EARLY_CHUNKS 4u /* that are expanded while the first is used */
#define STORE_PATH_BYTES   128u
#define STORE_BUFFER_KEPT  2097152u /* a buffer that has grown beyond this is given back */

typedef struct buffer {
    uint8_t *bytes;
    size_t capacity;
} buffer_t;
/* Makes room for size bytes; what was in it is lost. */
err_t buffer_reserve(buffer_t *buffer, size_t size) must_use;
void buffer_release(buffer_t *buffer);
void buffer_shrink(buffer_t *buffer); /* to nothing, when it is large */

typedef struct pack_file {
    uint64_t id;
    int fd;
    uint64_t used; /* when, by the store's count */
} pack_file_t;

/* Bytes of a pack that were read ahead, from `at` on. */
typedef struct window {
    uint8_t *bytes; /* STORE_WINDOW; NULL: none yet */
    uint64_t pack, at;
    size_t size;
    uint64_t used; /* when, by the store's count */
} window_t;

/* A place where a record proved damaged. */
typedef struct damage {
    digest_t digest;
    uint64_t pack, offset;
    bool needed; /* by a version that was marked last: the object is nowhere else */
} damage_t;

/* Objects that were put one behind the other, and whose records are made together. */
typedef struct lot_object {
    digest_t digest;
    uint32_t at, size, squeezed; /* bytes, in the lot's; squeezed 0: it did not pay */
} lot_object_t;
typedef struct lot {
    world_work_t work; /* first: squeezes all of them */
    bool begun;        /* nothing is added to it any more */
    buffer_t bytes;
    size_t size;
    uint32_t count;
    lot_object_t object[LOT_OBJECTS_MAX];
    squeeze_t squeeze;
    err_t err;
} lot_t;

/* The pack that this job appends to. */
typedef struct pack_writer {
    int fd; /* -1: none */
    uint64_t id;
    bool named;         /* it has its own name, no longer that of one under way */
    uint64_t length;    /* with what is still in the buffer */
    uint64_t committed; /* of it */
    uint64_t appended;  /* bytes of records, in all packs of this job */
    uint8_t *buffer;    /* STORE_WINDOW */
    size_t buffered;
    uint32_t pending; /* entries of records that no run names yet */
    run_entry_t *entry;
    uint32_t *slot; /* index of the entries by digest, +1 */
    lot_t *lot;     /* STORE_LOTS_MAX, a ring; NULL: nothing was put yet */
    uint32_t lot_first, lots;
} pack_writer_t;

typedef struct early_chunk early_chunk_t;

/* The object that is being read. */
typedef struct object {
    bool open, ahead;
    run_entry_t entry;
    uint8_t *list; /* of a PACK_LIST */
    uint32_t row;
    bool ended; /* all was handed out */
    int old_fd; /* of the first release's file, -1: none */
    uint64_t done;
    store_lender_t lender; /* has NULL: nobody lends */
} object_t;

struct store {
    world_t *world;
    int fd, parent_fd;      /* of DATA/store and of DATA */
    int packs_fd, index_fd; /* of DATA/store/packs and index */
    int old_fd;             /* of DATA/store/objects, -1 when there is none */
    bool dirty;             /* put or relied on since the last commit */
    bool laid_out;          /* the directories have been synced */
    bool made;              /* one of them was not there when this was opened */
    size_t lacking;         /* root, from 1 on, not read by the last collection; 0: none */
    bool holds_runs;        /* no merging or other view now: somebody counts on their order */
    bool index_damaged;     /* a page of it was met that went bad */
    bool met_void;          /* the index named a pack that is not there (any more) */
    bool shares;            /* chunks with jobs of the same group */
    bool dry;               /* it has no files: what is put is hashed and forgotten */
    uint64_t pack_bytes;    /* at which a pack is ended */
    chunker_t chunker;
    hash_t *hash, *whole; /* of a block or record, and of a list's object */
    squeeze_t squeeze;
    run_file_t **run;
    size_t runs, runs_damaged; /* those cannot be read at all */
    pack_file_t pack[STORE_PACKS_OPEN];
    uint32_t packs;
    uint64_t count;   /* of uses of packs and windows */
    damage_t *damage; /* in rising order of digest, pack and offset */
    size_t damages;
    buffer_t block;  /* of a file that is put; expanded bytes of a record */
    buffer_t record; /* of one that is read alone */
    window_t window[STORE_WINDOWS];
    object_t object;
    early_chunk_t *early; /* STORE_EARLY_CHUNKS, a row of the object at its place; NULL: none yet */
    pack_writer_t writer;
    run_search_t search;
};

/* The fault of a world call in the store: a full disk is the site's. */
err_t store_fail(store_t *store, int64_t result, const char *verb, const char *subject,
                 fault_t *fault) must_use;
err_t store_not_stored(const digest_t *digest, fault_t *fault) must_use;
uint64_t store_new_id(store_t *store);
void store_pack_name(uint64_t id, char name[RUN_NAME_BYTES]);
/* That of a pack of which nothing was committed yet. */
void store_pack_name_new(uint64_t id, char name[RUN_NAME_BYTES]);
/* Whether a name of packs/ is a pack's, and its id. */
bool store_pack_id(const char *name, uint64_t *ret_id);

/* ---- view ---- */
err_t store_view_open(store_t *store, fault_t *fault) must_use;
void store_view_close(store_t *store);
/* Opens what runs there are now. */
err_t store_view_refresh(store_t *store, fault_t *fault) must_use;
/* The descriptor of a pack, kept by the store; -ENOENT: there is none. */
int store_pack_fd(store_t *store, uint64_t id);
typedef struct store_place {
    run_entry_t entry;
    size_t run; /* and where the entry stands in the index */
    uint64_t ordinal;
} store_place_t;
/* The first record of the object that can be used. again: looks at the disk once more before it
 * says no. */
err_t store_find(store_t *store, const digest_t *digest, bool again, store_place_t *ret_place,
                 bool *ret_found, fault_t *fault) must_use;
/* The same, of what was there when the runs were looked at last. */
err_t store_find_in_view(store_t *store, const digest_t *digest, store_place_t *ret_place,
                         bool *ret_found, fault_t *fault) must_use;
bool store_is_damaged(const store_t *store, const run_entry_t *entry);
/* The notes of an object, one after the other; last NULL: the first one. NULL: there is none. */
damage_t *store_damage_of(const store_t *store, const digest_t *digest, const damage_t *last);
/* Whether a record of the object was, as far as its pack is still there. */
bool store_was_set_aside(const store_t *store, const digest_t *digest);
void store_damage_name(const damage_t *damage, char name[STORE_PATH_BYTES]);
/* Drops the notes of packs that are gone. */
err_t store_forget_damage(store_t *store, fault_t *fault) must_use;
/* Until this store is closed; the other one for good. */
err_t store_remember_damage(store_t *store, const run_entry_t *entry, fault_t *fault) must_use;
err_t store_note_damage(store_t *store, const run_entry_t *entry, fault_t *fault) must_use;

/* ---- read ---- */
/* The record's stored bytes, borrowed; its head and their check agree with the entry. ahead: what
 * stands behind it will be asked for next. */
err_t store_stored(store_t *store, const run_entry_t *entry, bool ahead, const uint8_t **ret_bytes,
                   fault_t *fault) must_use;
/* The object's bytes, borrowed, held against the digest. Not of a list. */
err_t store_bytes(store_t *store, const run_entry_t *entry, bool ahead, const uint8_t **ret_bytes,
                  fault_t *fault) must_use;
/* Reads the record of an entry from the disk, alone: ERR_DIGEST, it is not right. Of a list only
 * its own bytes. */
err_t store_look_again(store_t *store, const run_entry_t *entry, fault_t *fault) must_use;
/* Up to size bytes of a pack, and what stands behind them is read along; fewer where it ends. */
err_t store_raw(store_t *store, uint64_t pack, uint64_t offset, size_t size,
                const uint8_t **ret_bytes, int64_t *ret_got, fault_t *fault) must_use;
/* The same, read for itself, and nothing along. */
err_t store_raw_alone(store_t *store, uint64_t pack, uint64_t offset, size_t size,
                      const uint8_t **ret_bytes, int64_t *ret_got, fault_t *fault) must_use;
/* What was read ahead goes: it is the disk that is to be looked at. */
void store_forget_ahead(store_t *store);
/* The object's bytes, not held against its digest: who takes them holds more against another. */
err_t store_unchecked(store_t *store, const run_entry_t *entry, const uint8_t **ret_bytes,
                      fault_t *fault) must_use;
/* Stored bytes become the object's, held against the digest. */
err_t store_check_bytes(store_t *store, const run_entry_t *entry, const uint8_t **bytes,
                        fault_t *fault) must_use;
void store_end(store_t *store);
/* Opens an object of the first release; -ENOENT. */
int store_old_open(store_t *store, const digest_t *digest);

/* ---- read: chunks that are expanded before their turn (store_expand.c) ---- */
/* Whether a chunk of the object that is being read can be had from who lends. */
bool store_is_lent(const store_t *store, const list_row_t *row);
/* Begins with those from the row in hand on, which nobody else makes; what is borrowed from this
 * store is of no use any more, unless it was taken early. */
void store_expand_early(store_t *store);
/* The chunk of the row in hand, if it was begun and could be expanded; borrowed until the next row
 * is. Its length is that of the row. */
bool store_take_early(store_t *store, const uint8_t **ret_bytes);
void store_drop_early(store_t *store);
void store_release_early(store_t *store);

/* ---- put: objects that wait for their records (store_queue.c) ---- */
/* Takes a copy of an object that is not there yet; its record follows those that were put before,
 * when there is no room any more, or by store_settle. */
err_t store_queue(store_t *store, const digest_t *digest, const void *bytes, size_t size,
                  fault_t *fault) must_use;
bool store_is_queued(const store_t *store, const digest_t *digest);
/* Appends the records of all that waits. */
err_t store_settle(store_t *store, fault_t *fault) must_use;
void store_queue_drop(store_t *store); /* what waits was not put */
void store_queue_release(store_t *store);

/* ---- put ---- */
bool store_is_pending(const store_t *store, const digest_t *digest);
/* Appends a record, which is then pending, behind those of all that was put before. */
err_t store_append(store_t *store, const pack_record_t *record, const void *stored,
                   fault_t *fault) must_use;
/* The same, of what waited: nothing that was put before it does any more. */
err_t store_append_next(store_t *store, const pack_record_t *record, const void *stored,
                        fault_t *fault) must_use;
/* Commits what was appended; what waits stays. */
err_t store_commit_appended(store_t *store, fault_t *fault) must_use;
/* Writes what is still in the buffer. */
err_t store_flush(store_t *store, fault_t *fault) must_use;
/* What was appended and not committed goes. */
void store_abandon(store_t *store);

/* Makes room for pending entries. */
err_t store_ready_to_put(store_t *store, fault_t *fault) must_use;
/* Writes the pending entries as a run, and has it in view. */
err_t store_write_run(store_t *store, fault_t *fault) must_use;

/* ---- over everything ---- */
/* Writes the entries of all runs (or of the small ones) into one, leaving out those of some packs,
 * and removes the runs. */
typedef bool store_keep_fn(void *context, const run_entry_t *entry);
err_t store_merge(store_t *store, bool all, store_keep_fn *keep, void *context,
                  fault_t *fault) must_use;

/* Removes what a rebuilding that was cut has left. */
err_t store_clear_rebuild(store_t *store, fault_t *fault) must_use;

typedef struct pack_count {
    uint64_t id;
    uint64_t size;             /* of the file */
    uint64_t entries;          /* that the index has of it */
    uint64_t live, live_bytes; /* of them, reached by a root; bytes with their heads */
    uint64_t copied;           /* live ones that stand elsewhere now */
    uint64_t end;              /* of the last record that the index has of it */
    bool holds;                /* what proved damaged and is needed: it stays */
    bool victim;               /* to be written anew, then to go */
} pack_count_t;
typedef struct pack_counts {
    pack_count_t *pack;
    size_t count;
} pack_counts_t;
/* The packs that are there, by rising id. */
err_t store_list_packs(store_t *store, pack_counts_t *ret_counts, fault_t *fault) must_use;
pack_count_t *pack_counts_find(const pack_counts_t *counts, uint64_t id);
/* Called for every entry of the index. */
typedef err_t store_entry_fn(void *context, const run_entry_t *entry, size_t run, uint64_t ordinal,
                             fault_t *fault);
err_t store_each_entry(store_t *store, store_entry_fn *each, void *context,
                       fault_t *fault) must_use;
err_t store_remove_pack(store_t *store, uint64_t id, fault_t *fault) must_use;
/* The pack of which the first commit was cut when it had its name and this run, to come, had not:
 * nobody was promised any of it. Nothing is done where some run names it. */
err_t store_remove_cut(store_t *store, const char *run_new, fault_t *fault) must_use;
