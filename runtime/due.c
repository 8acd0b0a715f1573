/* due.c - what is due on one worker: some queues, and a heap for the rest.
 *
 * Nodes sit in what they time and know their place, so that what is answered or cancelled leaves
 * at once: an ask with a long deadline costs nothing once it is answered. Most deadlines are set in
 * the order in which they are due, because those of one kind have one length: each goes to the end
 * of the queue whose last one is due latest before it, in O(1). What fits behind no queue goes to a
 * binary heap, in O(log n).
 */
#include "runtime/inside.h"

#include <assert.h>
#include <stdlib.h>

static bool
sooner(const timer_node_t *a, const timer_node_t *b)
{
    return a->due_ns != b->due_ns ? a->due_ns < b->due_ns : a->order < b->order;
}

/* ---- the heap ---- */

static void
put(due_t *due, uint32_t at, timer_node_t *timer)
{
    due->heap[at] = timer;
    timer->place = at;
}

static void
rise(due_t *due, timer_node_t *timer, uint32_t at)
{
    while (at > 1 && sooner(timer, due->heap[at / 2])) {
        put(due, at, due->heap[at / 2]);
        at /= 2;
    }
    put(due, at, timer);
}

static void
sink(due_t *due, timer_node_t *timer, uint32_t at)
{
    for (;;) {
        uint32_t child = at * 2;
        if (child < due->count && sooner(due->heap[child + 1], due->heap[child])) {
            child++;
        }
        if (child > due->count || !sooner(due->heap[child], timer)) {
            break;
        }
        put(due, at, due->heap[child]);
        at = child;
    }
    put(due, at, timer);
}

static void
heap_remove(due_t *due, const timer_node_t *timer)
{
    uint32_t at = timer->place;
    assert(at <= due->count && due->heap[at] == timer);
    timer_node_t *last = due->heap[due->count--];
    if (last == timer) {
        return;
    }
    if (at > 1 && sooner(last, due->heap[at / 2])) {
        rise(due, last, at);
    } else {
        sink(due, last, at);
    }
}

static void
heap_add(due_t *due, timer_node_t *timer)
{
    if (due->count + 1 >= due->capacity) {
        due->capacity = due->capacity == 0 ? 64 : due->capacity * 2;
        due->heap = realloc(due->heap, due->capacity * sizeof(timer_node_t *));
        assert(due->heap != NULL && "memory for timers");
    }
    rise(due, timer, ++due->count);
}

/* ---- the queues ---- */

/* The queue whose last one is due latest, but not after due_ns; DUE_QUEUES: none. */
static uint32_t
queue_for(const due_t *due, int64_t due_ns)
{
    uint32_t found = DUE_QUEUES;
    int64_t latest = INT64_MIN;
    for (uint32_t i = 0; i < DUE_QUEUES; i++) {
        const timer_node_t *last = due->queue[i].last;
        int64_t ends_ns = last == NULL ? INT64_MIN : last->due_ns;
        if (ends_ns <= due_ns && (found == DUE_QUEUES || ends_ns > latest)) {
            found = i;
            latest = ends_ns;
        }
    }
    return found;
}

/* ---- both ---- */

void
timer_unset(due_t *due, timer_node_t *timer)
{
    if (timer->place >= DUE_QUEUED) {
        due_queue_remove(due, timer);
    } else if (timer->place != 0) {
        heap_remove(due, timer);
    }
    timer->place = 0;
}

void
timer_set_else(due_t *due, timer_node_t *timer)
{
    uint32_t number = queue_for(due, timer->due_ns);
    if (number < DUE_QUEUES) {
        due->recent = number;
        due_queue_add(due, number, timer);
    } else {
        heap_add(due, timer);
    }
}

void
timer_set(due_t *due, timer_node_t *timer, int64_t due_ns)
{
    timer_unset(due, timer);
    timer_set_first(due, timer, due_ns);
}

static timer_node_t *
soonest(const due_t *due)
{
    timer_node_t *first = due->count == 0 ? NULL : due->heap[1];
    for (uint32_t i = 0; i < DUE_QUEUES; i++) {
        timer_node_t *head = due->queue[i].first;
        if (head != NULL && (first == NULL || sooner(head, first))) {
            first = head;
        }
    }
    return first;
}

timer_node_t *
timer_due(due_t *due, int64_t now_ns)
{
    timer_node_t *timer = soonest(due);
    if (timer == NULL || timer->due_ns > now_ns) {
        return NULL;
    }
    timer_unset(due, timer);
    return timer;
}

int64_t
timer_next(const due_t *due)
{
    const timer_node_t *timer = soonest(due);
    return timer == NULL ? INT64_MAX : timer->due_ns;
}

void
due_free(due_t *due)
{
    free(due->heap);
}
