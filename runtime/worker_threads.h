/* worker_threads.h - the executor of a real host: a thread and a mailbox socket per worker.
 *
 * Shape    worker threads, a watchdog that looks every WATCH_MS (every
 *          WATCH_QUIET_MS while nothing goes on), a pool of job threads; links
 *          ride on the workers of their classes.
 * Promises all mailboxes are bound before any thread runs. A thread that does not come back at
 *          the end is left alone and counted, and then nothing it may still use is freed.
 * Costs    two descriptors for each mailbox; see mailbox.h.
 * Threads  threads_* by the thread that made it; threads_changed_* as they say.
 * Owner    threads_new -> host, threads_destroy(&threads).
 */
#pragma once

#include "runtime/core.h"
#include "runtime/link.h"

#define WATCH_MS       100  /* between looks of the watchdog */
#define WATCH_QUIET_MS 400  /* the same, of a quiet host */
#define WATCH_QUIET    20u  /* looks in a row that found nothing under way, and it is quiet */
#define REST_MS        2000 /* without a job: then what jobs have freed goes back to the machine */
#define LINKS_MAX      8u   /* of one host; a further one is refused (full) */

typedef struct threads threads_t;

/* stop_to: the role that is told of a stop from outside before it begins. */
threads_t *threads_new(uint32_t job_threads, link_t *const *links, uint32_t link_count,
                       const char *stop_to);
const executor_t *threads_executor(threads_t *threads);
/* Opens mailboxes and links, then starts every thread. On an error nothing runs. */
err_t threads_start(threads_t *threads, core_t *core, char *ret_why, size_t why_size) must_use;
/* Waits until done (core) holds or time is up (ms < 0: for ever); looks when a stop is wanted or
 * the root has ended. */
bool threads_wait(threads_t *threads, bool (*done)(const core_t *core), int64_t ms);
/* The same; looks also when an actor changed its state. */
bool threads_wait_ready(threads_t *threads, bool (*done)(const core_t *core), int64_t ms);
/* Async-signal-safe: asks for a stop, as core_request_stop. */
void threads_signal_stop(threads_t *threads);
/* Ends all threads; the number of those that did not come back by then, named in ret_left. */
uint32_t threads_stop(threads_t *threads, int64_t until_ns, char *ret_left, size_t left_size);
/* After threads_stop found none left. */
void threads_destroy(threads_t **threads);
