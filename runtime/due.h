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
timer_node_t *timer_due(due_t *due, int64_t now_ns); /* unset now; NULL: none */
int64_t timer_next(const due_t *due);                /* INT64_MAX: none is set */
void due_free(due_t *due);
