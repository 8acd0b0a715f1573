/* takeover_inside.h - a worker goes on without the one whose handler does not return.
 *
 * Shape    the worker's number, socket, timers and all its other actors go to a spare worker and a
 *          new thread; the stuck thread keeps the old worker with the one actor. What comes for
 *          that one is kept, in order. When its handler returns, nothing it said leaves: it is
 *          handed to the worker that goes on, and fails there as any other does.
 * Promises at the moment of the takeover the stuck thread is in its handler's own code: who enters
 *          the runtime notes it without a fence, and who takes over has all processors pass one
 *          (fence_all) before it looks; a thread that enters just then waits.
 * Costs    two stores and a load per handler; TAKEOVERS_MAX spare workers of address space.
 * Threads  core_take_over by the watchdog; takeover_returned by the stuck thread; the rest by the
 *          worker that goes on.
 */
#pragma once

#include "proto/limits.h"
#include "runtime/core_inside.h"

/* Of a worker: nobody wants it; somebody looks whether it can be had; it was taken over. */
enum { TAKING_NONE = 0, TAKING_ASKED, TAKING_DONE };

/* A handler that has run for longer than it may. */
typedef struct overdue {
    uint32_t worker; /* its number */
    uint64_t order;  /* of the handler among those of that worker */
} overdue_t;
bool core_overdue(const core_t *core, overdue_t *ret); /* as of the last core_look */

/* Until it is known; true: it was taken over. */
bool worker_asked(const worker_t *worker);

/* Into what the thread that takes over must find whole, while nobody wants the worker; false:
 * somebody may. */
static inline bool
worker_enters_at_once(worker_t *worker)
{
    atomic_store_explicit(&worker->inside, true, memory_order_relaxed);
    atomic_signal_fence(memory_order_seq_cst);
    return atomic_load_explicit(&worker->taking, memory_order_acquire) == TAKING_NONE;
}
/* The same, waiting until it is known; true: the worker was taken over. */
static inline bool
worker_enters(worker_t *worker)
{
    return !worker_enters_at_once(worker) && worker_asked(worker);
}
/* Back to the handler's own code. */
static inline void
worker_leaves(worker_t *worker)
{
    atomic_store_explicit(&worker->inside, false, memory_order_release);
}
static inline bool
worker_is_taken(const worker_t *worker)
{
    return atomic_load_explicit(&worker->taking, memory_order_acquire) == TAKING_DONE;
}

/* False: the handler has returned, or no worker is spare. After true, core_worker (core, number) is
 * the one that goes on, and needs a thread. */
bool core_take_over(core_t *core, const overdue_t *who, void (*fence_all)(void));
/* The handler has returned on a worker that was taken over: true, as core_handler_end. */
bool takeover_returned(actor_t *actor);
/* What the stuck thread sends to the worker's number as its last act. */
envelope_t *takeover_back(const worker_t *stuck);
/* An envelope for an actor that says it is on another worker than this. */
void takeover_deliver(worker_t *worker, actor_t *actor, envelope_t *take_envelope);
/* For reports: the worker that was taken over, its actor, and in what that is. */
void takeover_name(const worker_t *stuck, char *text, size_t size);
void takeover_free(core_t *core); /* before the actors are released */
