/* cell_inside.h - what all threads may look at: cells, made of atomics only, and classes as
 * loaded. */
#pragma once

#include <stdatomic.h>
#include "runtime/envelope_inside.h"

typedef struct loaded_class loaded_class_t;

typedef struct shown {
    char class_name[48], name[96], why[128], waits_for[96], describes[256];
} shown_t;
#define SHOWN_WORDS (sizeof(shown_t) / sizeof(uint64_t))

/* Places in a lane, and their bytes, a multiple of what they are counted in (room_bytes). */
typedef struct room {
    uint32_t messages, bytes;
} room_t;

typedef struct cell {
    _Atomic uint64_t life;    /* first incarnation << 32 | present incarnation; first 0: free */
    _Atomic uint64_t room[2]; /* urgent, normal: generation 16 | messages 20 | units of bytes 28 */
    _Atomic uint64_t waits;   /* an open call: turn << 32 | index of who has to act next */
    _Atomic uint32_t call;    /* sequence of the last call */
    _Atomic uint32_t worker;
    _Atomic uint32_t next_free;
    _Atomic(loaded_class_t *) class;
    _Atomic(actor_t *) actor;
    /* figures, written by the actor's worker */
    _Atomic uint64_t parent; /* incarnation << 32 | index */
    _Atomic uint32_t state;
    _Atomic int64_t oldest_ns, started_ns;
    _Atomic uint64_t depth[2]; /* system, reply */
    _Atomic uint64_t handled, asks, jobs, timers, restarts, failures;
    _Atomic bool reported_late;
    _Atomic bool begun; /* its worker has it: the spawner does not touch it any more */
    _Atomic uint32_t shown_sequence;
    _Atomic uint64_t shown[SHOWN_WORDS];
} cell_t;

typedef struct loaded_edge {
    actor_edge_kind_t kind;
    loaded_class_t *target;
    const record_type_t *type;
    uint16_t hears; /* row of the target's class */
    lane_t lane;
} loaded_edge_t;
struct loaded_class {
    const actor_class_t *class;
    loaded_edge_t *edge;
    uint32_t edge_count;
    uint32_t index;
    uint32_t worker; /* its own; UINT32_MAX: pool or parent's */
    bool with_parent;
    uint32_t messages_max, bytes_max;
    bool leases;           /* its lanes have so many places that some may be taken ahead */
    _Atomic uint64_t role; /* incarnation << 32 | index; 0: nobody */
};
err_t load_classes(core_t *core, const core_options_t *options, char *why, size_t why_size);
void load_free(core_t *core);
loaded_class_t *load_find(const core_t *core, const char *name);
