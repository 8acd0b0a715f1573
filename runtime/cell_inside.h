/* cell_inside.h - what all threads may look at: cells, made of atomics only, and classes as
 * loaded.
 *
 * Shape    a cell of two cache lines for each slot of an actor: what senders look at, and what
 *          changes all the time, places in lanes and figures that its own worker writes. What only
 *          few have to show lies beside the cells, in arrays by the same number: a name of its own,
 *          and what it tells of itself.
 * Promises a reader finds one tenant whole: `life` says that there is none while a slot is filled,
 *          and tells the next one last; who finds it changed reads again. What is told changes
 *          while the tenant stays, and has a sequence of its own. None of it is freed before the
 *          core is, so no reader can be too late.
 * Costs    128 bytes for each slot that was ever used; 96 more where a tenant had a name of its
 *          own, 512 where one had something to tell. A slot keeps them for its next tenants.
 */
#pragma once

#include <stdalign.h>
#include <stdatomic.h>
#include "runtime/envelope_inside.h"

#define CACHE_LINE 64

typedef struct loaded_class loaded_class_t;

/* What lies beside the cell is that of its tenant. */
enum { SHOWS_NAME = 1, SHOWS_TOLD = 2 };

/* Places in a lane, and their bytes, a multiple of what they are counted in (room_bytes). */
typedef struct room {
    uint32_t messages, bytes;
} room_t;

typedef struct cell {
    /* First incarnation << 32 | present incarnation; first 0: free. */
    alignas(CACHE_LINE) _Atomic uint64_t life;
    _Atomic uint64_t waits; /* an open call: turn << 32 | who has to act next (wait.c) */
    _Atomic(loaded_class_t *) class;
    _Atomic(actor_t *) actor;
    _Atomic uint32_t worker;
    _Atomic uint32_t call; /* sequence of the last call */
    _Atomic uint32_t next_free;
    _Atomic uint8_t state, shows;
    _Atomic bool leaves; /* its spawn has taken effect: before, it is nobody that could be named */
    _Atomic bool begun;  /* its worker has it: the spawner does not touch it any more */
    _Atomic bool reported_late;
    _Atomic bool lends; /* its worker has a place in the normal lane spare, for a short message */
    /* What is written while messages come from other workers: each of them looks at the line above
     * for each message, which must not go from core to core for that (W3 spread: 41 to 39 ns). */
    alignas(CACHE_LINE) _Atomic uint64_t room[2]; /* urgent, normal: generation 16 | messages 20 |
                                                     units of bytes 28 */
    /* Figures, written by the actor's worker, when it rests or once a millisecond. */
    _Atomic uint64_t handled;
    _Atomic int64_t oldest_ns;
    _Atomic int64_t started_ns; /* 0: not begun, and no look has seen it yet */
    _Atomic uint64_t parent;    /* incarnation << 32 | index */
    _Atomic uint32_t depth_system, depth_reply, timers;
    _Atomic uint16_t asks, jobs;
} cell_t;
_Static_assert(sizeof(cell_t) == 2 * CACHE_LINE, "no two cells share a line");

typedef union own_name {
    _Atomic uint64_t word[(ACTOR_NAME_BYTES_MAX + 1) / sizeof(uint64_t)];
    char text[ACTOR_NAME_BYTES_MAX + 1]; /* for who knows that the tenant stays */
} own_name_t;

typedef struct told {
    char why[128], waits_for[96], describes[256];
} told_t;
#define TOLD_WORDS (sizeof(told_t) / sizeof(uint64_t))
typedef struct told_cell {
    alignas(CACHE_LINE) _Atomic uint32_t sequence; /* odd: it is being written */
    _Atomic uint32_t restarts, failures;
    _Atomic uint64_t word[TOLD_WORDS];
} told_cell_t;

typedef struct loaded_edge {
    actor_edge_kind_t kind;
    loaded_class_t *target;
    const record_type_t *type;
    lane_t lane;
    bool batches;         /* tells to one elsewhere may go in batches */
    envelope_tail_t tail; /* of what goes through it: the row of the target's class that hears it */
} loaded_edge_t;
struct loaded_class {
    const actor_class_t *class;
    const actor_hears_t *hears; /* as it says: all that is handled looks there */
    loaded_edge_t *edge;
    uint32_t edge_count;
    uint32_t index;
    uint32_t worker; /* its own; UINT32_MAX: pool or parent's */
    bool with_parent;
    uint32_t messages_max, bytes_max;
    bool leases;              /* its lanes have so many places that some may be taken ahead */
    _Atomic uint64_t role;    /* incarnation << 32 | index; 0: nobody */
    _Atomic uint32_t role_of; /* slot of whom it was given to, from his spawn on; 0: nobody */
};
err_t load_classes(core_t *core, const core_options_t *options, char *why, size_t why_size);
void load_free(core_t *core);
loaded_class_t *load_find(const core_t *core, const char *name);
loaded_class_t *load_of(const core_t *core, const actor_class_t *class); /* NULL: not loaded */
