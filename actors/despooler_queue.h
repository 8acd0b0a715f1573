/* despooler_queue.h - the despooler's inbox: what waits, for which point, since when, and what
 * is in hand.
 *
 * Shape    one entry for each target and kind of work. Points with waiting entries and none in
 *          hand stand in one line; a slot goes to the first of the line, whose oldest entry it
 *          takes; a point whose work ended goes to the end of the line. There is a line for each
 *          priority, and one for work that can wait: the first gets the slots, and one slot in
 *          QUEUE_LATER_TURN goes to those behind it, in turn.
 * Promises at most `slots` entries in hand, at most one of a point; a slow point holds up nobody
 *          else, and a backlog that can wait no other work; an entry that comes again replaces the
 *          waiting one and keeps its age.
 * Costs    O(1) for each call; of entries at most QUEUE_ENTRIES_MAX.
 * Errors   ERR_FULL (QUEUE_ENTRIES_MAX).
 * Threads  one actor's state.
 * Owner    queue_new -> caller, queue_destroy(&queue). Loads are the caller's, given back by
 *          queue_add (the replaced one), queue_stop, queue_done and queue_destroy's drop.
 */
#pragma once

#include "proto/limits.h"
#include "proto/messages.h"

#define QUEUE_ENTRIES_MAX 100000u /* entries, in hand or waiting; a further one is ERR_FULL */
_Static_assert(QUEUE_ENTRIES_MAX > INSTRUCTION_TARGETS_MAX, "an instruction finds room at last");
#define QUEUE_LATER_TURN                                                                           \
    4u /* one slot in so many is for what comes later, however much comes first */

typedef struct queue queue_t;

typedef struct queue_entry {
    uint64_t key; /* target and kind of work */
    uint64_t revision;
    int64_t since_ns; /* when it came, monotonic */
    void *load;       /* the caller's */
    priority_t priority;
    bool later;    /* it can wait: a backlog of such work delays no other */
    uint32_t slot; /* 1..slots_max while it is in hand, 0 while it waits */
} queue_entry_t;

/* What waits for the point of an entry in hand. */
typedef enum queue_rival { QUEUE_NONE, QUEUE_EQUAL, QUEUE_HIGHER } queue_rival_t;

typedef struct queue_figures {
    uint32_t slots, busy;
    uint64_t waiting;          /* all that is not in hand */
    uint64_t waiting_for_slot; /* points that could start, if there were a slot */
    int64_t oldest_ns;         /* since when the oldest waiting entry is here; 0: none waits */
} queue_figures_t;

queue_t *queue_new(uint32_t slots);
void queue_destroy(queue_t **queue, void (*drop)(void *load));
void queue_slots(queue_t *queue,
                 uint32_t slots); /* what is in hand goes on, also when it is more */

/* Takes load. What it replaced, or load itself when the same revision is in hand already, is in
 * *ret_unused (NULL: nothing). On ERR_FULL nothing was taken. */
err_t queue_add(queue_t *queue, slice_t point, const queue_entry_t *entry,
                void **ret_unused) must_use;
/* The next entry that gets a slot, now in hand; NULL when none may. */
queue_entry_t *queue_take(queue_t *queue);
/* An entry in hand is done; returns its load. */
void *queue_done(queue_t *queue, queue_entry_t *entry);
/* The entry of this key that waits; NULL: none. */
const queue_entry_t *queue_waits(queue_t *queue, uint64_t key);
/* The entry that waits and came next after that one; NULL: the oldest, and none. */
const queue_entry_t *queue_after(const queue_t *queue, const queue_entry_t *before);
/* Takes a waiting entry out; returns its load, NULL when none of this key waits. */
void *queue_stop(queue_t *queue, uint64_t key);
queue_entry_t *queue_in_hand(queue_t *queue, uint64_t key);
/* The entry in this slot, NULL: free. */
queue_entry_t *queue_slot(queue_t *queue, uint32_t slot);
queue_rival_t queue_rival(const queue_entry_t *in_hand);
void queue_look(const queue_t *queue, queue_figures_t *ret);
