/* place.h - puts one version at one distribution point and switches readers to it.
 *
 * Shape    ROOT/PACKAGE/v<epoch>/ is a version, ROOT/PACKAGE/current a relative link to the active
 *          one. Order: write to .despool/staging/ -> verify while writing -> sync the tree ->
 *          record the version -> rename it into place -> sync its directory and ROOT -> rename
 *          `current` -> sync -> receipt (file, name) -> OK.
 * Promises who opens `current` once and works from that descriptor sees one whole version. Cut at
 *          any point, `current` names the old version or the new one, whole; a rerun goes on where
 *          it was, hashing what it finds. With its receipt there and `current` on it, nothing is
 *          written. Modes are exact whatever the umask. A directory that is not ours is never
 *          written to. Epochs never go back: an order older than the receipt is ERR_SUPERSEDED.
 *          An order to stage ends before the switch: OK is then the promise that the version stands
 *          in place, whole, verified and durable. A later order without it reads that again, and
 *          switches.
 * Costs    one read of every object, one write, two syncs of the file system (where its type is on
 *          the tested list; else one of each file); one block and one node a level of memory.
 * Errors   ERR_ABSENT, ERR_NOT_OURS, ERR_SPACE (need, have), ERR_DIGEST (a damaged object of the
 *          store, set aside), ERR_NOT_STORED (an object is missing in the store), ERR_SUPERSEDED,
 *          ERR_CANCELLED, ERR_READ_ONLY, ERR_PERMISSION, ERR_NAME_TOO_LONG, ERR_IO, ERR_NOT_KEPT,
 *          ERR_NAMES_CLASH (with the path; nothing was written).
 * Threads  one job; one at a time for one package at one point.
 */
#pragma once

#include "actors/content/point.h"
#include "actors/content/receipt.h"
#include "actors/content/store.h"
#include "proto/limits.h"

/* Free space that placement leaves alone on a point's file system: SPACE_RESERVE_BYTES and
 * SPACE_RESERVE_INODES of proto/limits.h. */
/* Superseded versions stay so long. */
#define PLACE_GRACE_NS_DEFAULT ((int64_t) GRACE_MS * 1000000)

/* The right to write, of all: what stands at a read-only point has it not. A version's record and
 * its receipt say with which modes it was placed; it keeps them, whatever a later order wants. */
#define PLACE_WRITE 0222u
uint32_t place_mode(uint32_t mode, bool read_only);

typedef struct place_ahead place_ahead_t;

typedef struct place_order {
    const char *package;
    id128_t incarnation;
    uint64_t epoch;
    digest_t root;
    const char *label; /* NULL: none */
    bool stage;        /* all but the switch and the receipt: a promise */
    bool read_only;    /* what is placed now has modes less PLACE_WRITE */
    /* Chunks that the version in place has are read there. Not where others place the same version
     * from the same store: they expand and hash each chunk once for all. */
    bool reads_before;
    place_ahead_t *ahead; /* what was written while its content came, see place_ahead.h; or NULL */
} place_order_t;

typedef struct place_plan {
    uint64_t device;     /* the file system on which space is to be reserved */
    uint64_t need_bytes; /* still to be written, in whole blocks, without the reserve */
    uint64_t need_inodes;
    uint64_t free_bytes;   /* now, less the reserve */
    uint64_t free_inodes;  /* UINT64_MAX: not counted there */
    uint64_t files, bytes; /* of the version */
    uint64_t write_bytes;  /* of its files, less what an earlier run has staged whole by its size */
    bool already;          /* the receipt is there: nothing is to be done */
} place_plan_t;
err_t place_plan(world_t *world, store_t *store, point_t *point, const place_order_t *order,
                 place_plan_t *ret_plan, fault_t *fault) must_use;

/* The highest epoch of the package that the point knows, by its receipt and records; 0: none. */
err_t place_highest(point_t *point, const char *package, const id128_t *incarnation,
                    uint64_t *ret_epoch, fault_t *fault) must_use;

typedef struct place_result {
    bool already;          /* it was there, nothing was written */
    uint64_t files, bytes; /* of the version */
    uint64_t files_written, bytes_written;
    uint64_t files_resumed, bytes_resumed; /* found in staging, hashed and kept */
    receipt_t receipt;
} place_result_t;

/* Called after each file and block; may be NULL. */
typedef void place_progress_fn(void *context, uint64_t bytes_done, uint64_t bytes_total);
err_t place_version(world_t *world, store_t *store, point_t *point, const place_order_t *order,
                    place_progress_fn *progress, void *context, place_result_t *ret_result,
                    fault_t *fault) must_use;

typedef struct place_collect_order {
    const char *package;
    id128_t incarnation;
    uint64_t keep_epoch; /* the version that `current` names */
    int64_t grace_ns;
    int64_t now_ns; /* wall clock */
} place_collect_order_t;
typedef struct place_collected {
    uint64_t versions_removed, versions_waiting; /* waiting: their grace time is not over */
    uint64_t foreign;                            /* foreign files that stay in removed versions */
    int64_t next_due_ns; /* when the next grace time ends by the wall clock, 0: none waits */
    digest_t unread;     /* of an error: root of the version whose manifest could not be read */
} place_collected_t;
/* Removes versions of the package that were superseded more than the grace time ago, and stale
 * staging. A version whose manifest the store has lost stays, and is the error in the end: all
 * others go nonetheless. */
err_t place_collect(world_t *world, store_t *store, point_t *point,
                    const place_collect_order_t *order, place_collected_t *ret_collected,
                    fault_t *fault) must_use;
