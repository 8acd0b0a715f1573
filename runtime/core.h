/* core.h - the actor machinery without threads or sockets: what an executor drives.
 *
 * Shape    a core holds the directory of actors and a fixed number of workers. An executor hands
 *          envelopes to a worker by worker_deliver and lets it run one handler by worker_step.
 * Promises one handler per step; nothing here waits, sleeps, starts a thread or opens a socket;
 *          two runs with the same executor answers, deliveries and steps do the same.
 * Costs    ACTORS_MAX cells of address space, touched when used; MESSAGE_BYTES_MAX of address
 *          space per worker for the draft in hand.
 * Errors   core_new: ERR_CYCLE, ERR_UNDECLARED, ERR_TOO_LARGE (too many workers, or too long a
 *          lane), ERR_EXISTS (two classes of one name), ERR_BAD_VALUE (a message that is heard in a
 *          lane of the runtime's own), with a sentence.
 * Threads  a worker is driven by one thread at a time; core_look and the figures from any one
 *          other.
 * Owner    core_new -> caller, core_destroy(&core), after all driving has ended.
 */
#pragma once

#include <stdatomic.h>
#include "runtime/executor.h"
#include "runtime/host.h"

struct black_box_file; /* black_box.h */

/* Where a post that no worker made comes from: one number past the workers for each. */
#define CORE_FROM_WATCH(core) (core_worker_count(core) + 0u)
#define CORE_FROM_HOST(core)  (core_worker_count(core) + 1u)
#define CORE_OUTSIDERS        2u

typedef struct core_options {
    const actor_class_t *const *classes; /* NULL at the end */
    const actor_class_t *root;
    const record_type_t *root_args_type;
    const void *root_args;  /* a record; copied. fixed_bytes long, or made by kept_new */
    size_t root_args_bytes; /* 0: root_args_type->fixed_bytes */
    const char *notes_to;
    host_placement_t placement;
    uint32_t pool_workers;   /* 0: POOL_WORKERS */
    uint32_t takeover_ms;    /* 0: TAKEOVER_MS */
    const char *about_field; /* see host_options_t */
    /* Each message is handled at an address of its own, which is spoilt afterwards, so that an
     * actor that keeps a borrowed pointer is found. The simulator sets it. */
    bool fresh_messages;
} core_options_t;

core_t *core_new(const core_options_t *options, const executor_t *executor, err_t *ret_err,
                 char *ret_why, size_t why_size);
void core_destroy(core_t **core);

/* Workers 0..count-1, fixed at load: one for each class with a worker of its own, then the pool. */
uint32_t core_worker_count(const core_t *core);
worker_t *core_worker(core_t *core, uint32_t index);
const char *worker_name(const worker_t *worker);
uint32_t worker_index(const worker_t *worker);

/* Every handler is noted there from now on (NULL: nowhere); before the start. */
void core_note_in(core_t *core, struct black_box_file *file);
/* Where job threads note what they have in hand; NULL: nowhere. */
struct black_box_file *core_notes(const core_t *core);
/* Spawns the root: posts its start to its worker, from CORE_FROM_HOST. */
void core_start(core_t *core);
/* Asks the root to end in order (its children first, the last one started first). */
void core_stop(core_t *core);
/* Marks that a stop is wanted and calls executor->changed; the executor's owner calls core_stop. */
void core_request_stop(core_t *core);
/* Tells a role, from CORE_FROM_HOST, that the host is to stop; false: it does not hear of it. */
bool core_tell_stopping(core_t *core, const char *role, uint32_t within_ms);
/* Marks the same, by an actor: the first one's reason is kept. */
void core_want_stop(core_t *core, err_t err, const char *why);
/* What an actor that wanted the stop said; OK and "" when none did. */
err_t core_stop_reason(const core_t *core, const char **ret_why);
bool core_stop_requested(const core_t *core);
bool core_is_ended(const core_t *core);  /* the root and everything below it has ended */
bool core_is_failed(const core_t *core); /* the root ended badly */
/* Every actor spawned so far is ready or degraded. ret_why, when not NULL, names who is not. */
bool core_is_ready(const core_t *core, char *ret_why, size_t why_size);
/* Whether something is late, given up or stopped, so that readiness will not come by waiting. */
bool core_is_late(const core_t *core);
/* Names of the actors that have not ended; returns their count. */
uint32_t core_left(const core_t *core, char *ret_left, size_t size);

/* Puts an envelope into the lane of its receiver. Takes it. */
void worker_deliver(worker_t *worker, envelope_t *take_envelope);
/* The same with all that are in the chunk, in their order; what is told may be handled in place. */
void worker_bring(worker_t *worker, chunk_t *take_chunk);
/* Expires timers that are due, then runs one handler. False: there was nothing to run. */
bool worker_step(worker_t *worker);
/* Up to so many of them in a row, as a thread does; how many ran. */
uint32_t worker_round(worker_t *worker, uint32_t most);
/* What is watched is told, and places taken ahead are given back, at the end of a step or run; this
 * does it for what deliveries have changed. */
void worker_settle(worker_t *worker);
/* Whether more has come than was taken. What has come is counted after it can be taken, so `taken`
 * may be ahead for a while: who waited for the count would burn the processor that the sender
 * needs. */
static inline bool
bell_rang(const _Atomic uint32_t *bell, uint32_t taken)
{
    return (int32_t) (atomic_load_explicit(bell, memory_order_acquire) - taken) > 0;
}
/* Runs up to `most` handlers, and no more once the bell rang; false when there was nothing to
 * run. */
bool worker_run(worker_t *worker, const _Atomic uint32_t *bell, uint32_t heard, uint32_t most);
/* When the next timer is due (monotonic), INT64_MAX when none. */
int64_t worker_next_due(const worker_t *worker);
bool worker_is_idle(const worker_t *worker); /* nothing to run now, timers aside */

/* What the watchdog does every WATCH_MS: raises stalled, late and settled notes. Posts from
 * CORE_FROM_WATCH; reads atomics only, so it works while every worker is stuck. False: nothing was
 * in hand, and nobody was starting. */
bool core_look(core_t *core);
/* Names the actor that a job works for, and the job. */
void core_job_names(const core_t *core, const job_t *job, char *ret_actor, size_t actor_size,
                    char *ret_job, size_t job_size);
/* As core_look: says that the thread of this actor's job is lost, or that it has come back. */
void core_job_lost(core_t *core, const char *actor, const char *job, bool lost);
void core_figures(const core_t *core, host_figures_t *ret);
uint32_t core_watch(const core_t *core, uint32_t from, actor_figures_t *ret, uint32_t count,
                    uint32_t *ret_next);
/* Open asks of all actors; for "quiescence with an unresolved ask" in the simulator. Only while no
 * worker is being stepped. ret_text names each: asker, message, target. */
uint32_t core_open_asks(const core_t *core, char *ret_text, size_t size);
uint32_t core_open_jobs(const core_t *core);
/* Messages waiting in all lanes, poison held back included. Only while no worker is being
 * stepped. */
uint64_t core_queued(const core_t *core);

/* ---- envelopes, as an executor sees them ----------------------------------------------------- */

/* The receiver's worker. */
uint32_t envelope_worker(const core_t *core, const envelope_t *envelope);
/* A number that says what the envelope is (kind, type, sender, receiver, bytes), equal in two runs
 * that do the same: for trace hashes. */
uint64_t envelope_hash(const envelope_t *envelope);
/* One line, for traces: "tell instruction distribution_manager -> despooler". */
const char *envelope_print(const core_t *core, const envelope_t *envelope, char *text, size_t size);
void envelope_destroy(envelope_t **envelope);
