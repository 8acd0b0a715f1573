/* timer_inside.h - timers: a heap per worker, of nodes that sit in what they time. */
#pragma once

#include "runtime/core.h"

typedef struct actor actor_t;
typedef struct timer timer_node_t;
typedef void timer_fire_fn(worker_t *worker, timer_node_t *timer);
struct timer {
    int64_t due_ns;
    uint64_t order;    /* ties go to the one set first */
    uint32_t position; /* in the heap, from 1; 0: not set */
    timer_fire_fn *fire;
    actor_t *actor;
};
typedef struct timer_heap {
    timer_node_t **node;
    uint32_t count, capacity;
    uint64_t order;
} timer_heap_t;
static inline bool
timer_is_set(const timer_node_t *timer)
{
    return timer->position != 0;
}
void timer_set(timer_heap_t *heap, timer_node_t *timer, int64_t due_ns);
void timer_unset(timer_heap_t *heap, timer_node_t *timer);
timer_node_t *timer_due(timer_heap_t *heap, int64_t now_ns); /* taken off the heap; NULL: none */
int64_t timer_next(const timer_heap_t *heap);
void timer_heap_free(timer_heap_t *heap); /* no node is in it any more that will be used */
