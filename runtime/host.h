/* host.h - a program that owns actors: makes them, waits for them, stops them in order.
 *
 * Shape    one host per process: workers (a thread and an inproc PULL socket each), a pool of job
 *          threads, links to the outside, and a root actor whose children are the components.
 * Promises host_start returns at once: all mailboxes are bound before any init runs, all inits
 *          run concurrently. host_stop ends within its deadline and reports what was left. The
 *          host owns teardown (actors, jobs, sockets, context, pools): leaving main() with a live
 *          host is never left to an atexit handler.
 * Costs    threads: one per named component (none under HOST_POOL), POOL_WORKERS, JOB_THREADS, one
 *          per link, one watchdog.
 * Errors   ERR_CYCLE (needs and calls form a cycle; host_why has the path), ERR_UNDECLARED (an
 *          edge names a class or message that is not there), ERR_EXISTS (two classes have one
 *          name), ERR_TOO_LARGE (too many workers, or a lane with too many places), ERR_BAD_VALUE
 *          (a message is heard in the system or reply lane), ERR_LOCKED, ERR_IO.
 * Threads  host functions are called from the thread that made the host; host_request_stop and
 *          host_figures from any.
 * Owner    host_new -> caller, host_destroy(&host).
 */
#pragma once

#include "runtime/actor.h"

#pragma GCC visibility push(default) /* what a shared library of it exports */
#ifdef __cplusplus
extern "C" {
#endif

#define HOST_STOPPING_MS 1500u /* that the root has to make ready for a stop from outside */

typedef struct host host_t;

/* Where actors are put: as their classes say, or all on the pool of workers (but for links). */
typedef enum host_placement { HOST_BY_CLASS = 0, HOST_POOL } host_placement_t;

typedef struct host_options {
    /* Every class that may be spawned, NULL at the end: checked at load. */
    const actor_class_t *const *classes;
    const actor_class_t *root; /* spawned first; its children are the components */
    const record_type_t *root_args_type;
    const void *root_args;
    /* Of the record, tail included; 0: root_args_type->fixed_bytes. */
    size_t root_args_bytes;
    /* Role that hears actor_stalled, actor_trouble, actor_settled; NULL: none. */
    const char *notes_to;
    const char *black_box; /* file that survives the process, for crash notes; NULL: none */
    /* Field (u64) of messages and job inputs that says what they are about, for crash notes; NULL:
     * none has it. */
    const char *about_field;
    host_placement_t placement;
    uint32_t pool_workers; /* 0: POOL_WORKERS */
    uint32_t job_threads;  /* 0: JOB_THREADS */
    uint32_t takeover_ms;  /* 0: TAKEOVER_MS */
} host_options_t;

/* The options and what they point to must live as long as the host. */
host_t *host_new(const host_options_t *options);
/* What went wrong last, or why the host was asked to stop; borrowed, "" when nothing. */
const char *host_why(const host_t *host);
/* Writes the frame that answers a request which its role could not answer; returns its bytes (at
 * most size). The program gives it, because the runtime knows no wire. */
typedef size_t host_refuse_fn(slice_t request, err_t err, uint8_t *ret_frame, size_t size);
/* Adds, before start, a link: a ROUTER at endpoint whose frames are asked of role as link_request,
 * or a PUB that hears link_publish under the role name given. mode: permission bits of an ipc
 * socket. ERR_FULL: there are LINKS_MAX of them. */
err_t host_add_command_link(host_t *host, const char *name, const char *endpoint, const char *role,
                            uint32_t mode, host_refuse_fn *refuse) must_use;
err_t host_add_status_link(host_t *host, const char *name, const char *endpoint,
                           uint32_t mode) must_use;
/* Keys of CURVE, as bytes. */
typedef struct host_peers {
    const char *name, *role; /* of the link; the role hears peer_came, peer_gone and peer_next */
    const char *endpoint;    /* tcp://ADDRESS:PORT; of one that listens up to four, with blanks */
    bool dials;              /* it connects to one peer, whose key is peer_key; else it listens */
    uint8_t public_key[32], secret_key[32], peer_key[32];
    bool
        plain; /* without CURVE, and without keys; all that the role says and hears there says so */
} host_peers_t;
/* Adds, before start, a link to peers, encrypted unless it is plain. One that listens has a door, a
 * link named after it with "_door" behind: it asks the role door_knock at every handshake, and
 * whoever it does not open for gets nothing. Only one link of a host may have a door. A plain one
 * has none: of a connection there one word is heard (PEER_WORD_BYTES_MAX), and while the role has
 * said nothing to it, it is one that says nothing itself (PEERS_SILENT_MAX). A link that dials and
 * has no endpoint waits until it is told one. ERR_FULL as above. */
err_t host_add_peer_link(host_t *host, const host_peers_t *peers) must_use;
/* Loads the classes, opens sockets, starts threads. On an error nothing runs; host_why tells. */
err_t host_start(host_t *host) must_use;
/* Waits until every actor spawned by the root so far is ready or degraded (true), or late,
 * stopped or time is up. */
bool host_wait_ready(host_t *host, uint32_t timeout_ms);
/* After host_wait_ready was false: waits without end until all of them are ready after all (true),
 * or a stop is requested. */
bool host_wait_late(host_t *host);
/* Sleeps until a stop is requested (by an actor, by host_request_stop, or a failure of the
 * root). */
void host_wait_stop(host_t *host);
/* OK when it was to stop in order; else what an actor said is wrong, with host_why for a
 * sentence. */
err_t host_failed(const host_t *host);
/* Async-signal-safe, from host_new on: asked before its start it stops as soon as it has started.
 * A root that hears host_stopping (notes.h) is told first, and stops the host by actor_host_stop,
 * or is stopped after HOST_STOPPING_MS. */
void host_request_stop(host_t *host);
/* Stops in reverse order within deadline_ms; false when something was left, named in ret_left. */
bool host_stop(host_t *host, uint32_t deadline_ms, char *ret_left, size_t left_size);
void host_destroy(host_t **host);
/* All of it: makes a host, starts it, waits for its stop, stops and destroys it. OK when an actor
 * asked for the stop, which then was in order; else ret_why says why not. */
err_t host_run(const host_options_t *options, char *ret_why, size_t why_size) must_use;
/* host_run as a program's main: its exit code; why not goes to stderr. */
int host_main(const host_options_t *options) must_use;

/* From any thread, without blocking what is looked at. */
void host_figures(const host_t *host, host_figures_t *ret);
uint32_t host_watch(const host_t *host, uint32_t from, actor_figures_t *ret, uint32_t count,
                    uint32_t *ret_next);

#ifdef __cplusplus
}
#endif
#pragma GCC visibility pop
