/* place_ahead.h - what comes of a version is written into its tree under way at once.
 *
 * Shape    made for one order to place. Each look at what is lacking names where in the tree what
 *          it lists belongs (lack.h); a job that stores puts there what it has just held against
 *          its digest; the placement finds it, and the store has it, too. A small file is put
 *          whole; a large one by its chunks, wherever they are in it, if none was there before.
 * Promises all of it is a help and no more: what fails, is in the way or has no room is left to the
 *          placement, which makes it from the store. Nothing is written where a placement would not
 *          write: the point's identity and the room are looked at first, and of a version that
 *          stands in place already nothing is written.
 *          A file that this order has written is kept unread by the placement, if what stat says
 *          of it is what it was then, time of change included; a large one only if what its chunks
 *          came to had its digest as a whole, or each chunk of the list that its version names was
 *          put once and none is missing. That is known in memory alone: after a restart, or for
 *          another order, its bytes decide. One with a gap is removed before the placement
 *          measures.
 *          The tree's descriptor is open from before the first write until it is synced.
 * Costs    a file: create, write, set its time, stat, close. Memory: names of the directories of
 *          a look (AHEAD_DIRECTORIES_MAX), of what it lists, 24 to 48 bytes for each file written
 *          (AHEAD_FILES_MAX). The tree's descriptor, which keeps its file system mounted.
 * Errors   none.
 * Threads  the handlers of its owner while no job has it; else that job.
 * Owner    place_ahead_new -> lent from job to job -> place_ahead_drop. All but new take NULL.
 */
#pragma once

#include "actors/content/pack.h"
#include "actors/content/place.h"
#include "actors/content/transfer.h"

#define AHEAD_TOP     0u         /* the topmost directory of the version */
#define AHEAD_NOWHERE UINT32_MAX /* one that is not known here */

/* All is copied. */
typedef struct place_ahead_order {
    slice_t root; /* of the point */
    id128_t site, point;
    slice_t package;
    id128_t incarnation; /* of the package */
    uint64_t epoch;
    digest_t version; /* its root */
    bool read_only;   /* as of the order to place */
} place_ahead_order_t;

/* NULL: there is no memory, or a name is too long. */
place_ahead_t *place_ahead_new(const place_ahead_order_t *order);
void place_ahead_drop(void *ahead);

/* A look begins: what was listed by the one before is forgotten. */
void place_ahead_look(place_ahead_t *ahead);
/* A directory below another one; AHEAD_NOWHERE: there is no room for it. */
uint32_t place_ahead_directory(place_ahead_t *ahead, uint32_t parent, const char *name);
/* What is listed from now on is of this entry, which stays where it is meanwhile. */
void place_ahead_look_at(place_ahead_t *ahead, uint32_t directory, const tree_entry_t *entry);
void place_ahead_listed(place_ahead_t *ahead, const transfer_range_t *range);
/* Whether the chunks that follow are of the list that the version names for the entry. */
void place_ahead_sealed(place_ahead_t *ahead, bool sealed);
/* The next chunk of a large file, after it was listed, or is there already. */
void place_ahead_chunk(place_ahead_t *ahead, const list_row_t *row, uint64_t at, bool is_there);
/* Bytes that are still to come into the store: the tree is to leave room for them. */
void place_ahead_lacks(place_ahead_t *ahead, uint64_t bytes);

/* A job has it: who is told at each step of work at the point, as in point.h; bytes: 1, there is
 * none until the next put. */
void place_ahead_watch(place_ahead_t *ahead, void (*beat)(void *context, uint64_t bytes),
                       void *context);
/* An object whole, which has its digest. */
void place_ahead_put(place_ahead_t *ahead, store_t *store, const digest_t *object, slice_t bytes);
/* The end of a job that has put. */
void place_ahead_rest(place_ahead_t *ahead, world_t *world);
/* Nothing is put any more: what is not whole is removed. */
void place_ahead_end(place_ahead_t *ahead, world_t *world);
