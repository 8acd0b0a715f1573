/* due.h - what is due on one worker: nodes that sit in what they time.
 *
 * Shape    a node is set in queue or heap of one worker, or in none.
 * Promises nodes fire in the order of their time, and those of one time in the order in which they
 *          were set; each is set once.
 * Costs    to set and to unset: O(1) behind a queue, else O(log n); a node has 72 bytes.
 * Errors   out of memory ends the process.
 * Threads  those of the worker alone.
 * Owner    of a node is whoever has it in him; he unsets it before he goes.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define DUE_QUEUES 4u
#define DUE_QUEUED (UINT32_MAX - DUE_QUEUES) /* place of the nodes of queue 0, and so on */

struct actor;
struct worker;
typedef struct timer timer_node_t;
typedef void timer_fire_fn(struct worker *worker, timer_node_t *timer);
struct timer {
    int64_t due_ns;
    uint64_t order; /* ties go to the one set first */
    timer_fire_fn *fire;
    struct actor *actor;
    timer_node_t *next, *previous; /* of its queue */
    uint32_t place; /* in the heap, from 1; of its queue, from DUE_QUEUED; 0: not set */
};
typedef struct due_queue {
    timer_node_t *first, *last;
} due_queue_t;
typedef struct due {
    due_queue_t queue[DUE_QUEUES];
    timer_node_t **heap;
    uint32_t recent;          /* the queue that was added to last */
    uint32_t count, capacity; /* of the heap */
    uint64_t order;
} due_t;

static inline bool
timer_is_set(const timer_node_t *timer)
{
    return timer->place != 0;
}
void timer_set(due_t *due, timer_node_t *timer, int64_t due_ns);
void timer_unset(due_t *due, timer_node_t *timer);

/* ---- the deadlines of asks, which are most of them, at no call ---- */

/* Deadlines of one kind follow each other this close, where there are many; those of another kind
 * are whole milliseconds away, and behind this one they would leave no queue to the next of its own
 * kind. 107 to 20 instructions. */
#define DUE_ALIKE_NS 500000

static inline void
due_queue_add(due_t *due, uint32_t number, timer_node_t *timer)
{
    due_queue_t *queue = &due->queue[number];
    timer_node_t *last = queue->last;
    timer->place = DUE_QUEUED + number;
    timer->next = NULL;
    timer->previous = last;
    *(last == NULL ? &queue->first : &last->next) = timer;
    queue->last = timer;
}
void timer_set_else(due_t *due, timer_node_t *timer); /* its due_ns and order are there: due.c */
/* One that is in none. */
static inline void
timer_set_first(due_t *due, timer_node_t *timer, int64_t due_ns)
{
    uint32_t recent = due->recent;
    const timer_node_t *last = due->queue[recent].last;
    timer->due_ns = due_ns;
    timer->order = due->order++;
    if (last != NULL && (uint64_t) (due_ns - last->due_ns) < DUE_ALIKE_NS) {
        due_queue_add(due, recent, timer);
    } else {
        timer_set_else(due, timer);
    }
}
static inline void
due_queue_remove(due_t *due, timer_node_t *timer)
{
    due_queue_t *queue = &due->queue[timer->place - DUE_QUEUED];
    timer_node_t *previous = timer->previous, *next = timer->next;
    *(previous == NULL ? &queue->first : &previous->next) = next;
    *(next == NULL ? &queue->last : &next->previous) = previous;
}
/* One that goes, whose place is not looked at any more. */
static inline void
timer_unset_last(due_t *due, timer_node_t *timer)
{
    if (timer->place >= DUE_QUEUED) {
        due_queue_remove(due, timer);
    } else {
        timer_unset(due, timer);
    }
}
timer_node_t *timer_due(due_t *due, int64_t now_ns); /* unset now; NULL: none */
int64_t timer_next(const due_t *due);                /* INT64_MAX: none is set */
void due_free(due_t *due);
