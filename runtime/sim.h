/* sim.h - a host in one thread and virtual time: the same core and actors, driven by a seed.
 *
 * Shape    a sim is an executor over a simulated machine (world_sim.h). Each step is one decision
 *          of the seed: hand one envelope that is under way to its worker, let one worker run one
 *          handler, resume one job (a fiber, suspended at each world call), or, when nothing else
 *          can be done, let virtual time pass to the next thing due.
 * Promises same seed, same options: same trace hash, in any process and build, over_sockets or
 *          not. Envelopes from one worker to another stay in order; all other orders are possible.
 *          Each sim_crash is a power cut of the machine between two world calls.
 * Costs    one step is some 100 ns to 1 us without a database; a job costs a stack (fiber.h).
 * Errors   sim_new: those of core_new. What is wrong with a run itself is sim_fault: an ask that
 *          nothing but its deadline can end, or an answer `cycle` to who is in no circle.
 * Threads  one.
 * Owner    sim_new -> caller, sim_destroy(&sim).
 */
#pragma once

#include "runtime/host.h"
#include "runtime/sim_places.h"
#include "runtime/world_sim.h"

#pragma GCC visibility push(default) /* what a shared library of it exports */
#ifdef __cplusplus
extern "C" {
#endif

typedef struct sim sim_t;

/* Which of the things that can be done is done next.
 *
 * uniform     each is as likely as the others: finds what many orders show, soon and everywhere.
 * starve-one  one worker, drawn by the seed, runs only when nothing else can be done, for
 *             SIM_STRETCH decisions; then another one is drawn. Lanes fill, answers come late, and
 *             still all ends well, since time does not pass while somebody can run.
 * burst       a worker runs on while it can, and what is under way to another one arrives at one
 *             go: no two take turns, at most for SIM_STRETCH decisions.
 * pct1..pct3  PCT of depth d (Burckhardt, Kothari, Musuvathi, Nagarakatte: A Randomized Scheduler
 *             with Probabilistic Guarantees of Finding Bugs, ASPLOS 2010). Each worker, each
 *             channel between two of them and each job has a priority drawn by the seed, and the
 *             highest goes on. At d - 1 decisions, drawn among the first pct_steps, the one whose
 *             turn it is falls below all that did not. What d orders between steps bring about
 *             (depth d) is met by a seed with a probability of at least 1 / (n k^(d-1)) for n
 *             things and k = pct_steps decisions; for small d that beats uniform by far. After
 *             pct_steps decisions everything is drawn anew, so that long runs go on being new. */
typedef enum sim_strategy {
    SIM_UNIFORM = 0,
    SIM_STARVE_ONE,
    SIM_BURST,
    SIM_PCT1,
    SIM_PCT2,
    SIM_PCT3,
    SIM_STRATEGY_COUNT
} sim_strategy_t;
#define SIM_STRETCH   1000u /* decisions that starve-one and burst keep to one worker */
#define SIM_PCT_STEPS 1000u /* decisions of a run of PCT, unless told */

/* "uniform", "starve-one", "burst", "pct1", "pct2", "pct3"; false: no such strategy. */
const char *sim_strategy_name(sim_strategy_t strategy);
bool sim_strategy_parse(const char *name, sim_strategy_t *ret_strategy);

/* What a watcher of a run sees: each message when it is delivered. type is NULL for the runtime's
 * own orders; from and to are names, borrowed. */
typedef struct sim_sight {
    int64_t now_ns;
    const char *from, *to;
    const record_type_t *type;
    const void *record;
    uint32_t bytes;
    bool is_ask, is_reply;
} sim_sight_t;
typedef void sim_saw_fn(void *context, const sim_sight_t *sight);

/* The answer to a sim_say: err OK and the reply's bytes, or why there is none. */
typedef void sim_heard_fn(void *context, uint64_t tag, err_t err, slice_t body);
/* What the host publishes on its status link. */
typedef void sim_published_fn(void *context, slice_t topic, slice_t body);

/* One frame for a peer, or for none (empty); dial: the connection is made anew first, to peer where
 * that is not empty. */
typedef void sim_peer_sent_fn(void *context, bool dial, slice_t peer, slice_t body);
typedef void sim_peer_knocked_fn(void *context, uint64_t tag, bool open);

/* How much happens at one step. */
typedef enum sim_rounds {
    SIM_ALONE,  /* one message comes, or one handler runs */
    SIM_ROUNDS, /* up to eight at a time, as on threads: what was told in a row comes in one batch,
                 * and what was told alone is handled without having been in a lane */
    SIM_IN_PLACE, /* the same, and what has come is handled where it lies: a borrowed pointer that
                   * was kept may go unseen */
    SIM_ROUNDS_COUNT
} sim_rounds_t;

typedef struct sim_options {
    uint64_t seed;
    sim_strategy_t strategy;
    uint32_t pct_steps; /* 0: SIM_PCT_STEPS */
    sim_rounds_t rounds;
    const host_options_t *host;
    world_sim_options_t world; /* its seed is replaced by one drawn from ours */
    uint32_t delay_ns_max;     /* an envelope between two workers takes up to this long */
    sim_saw_fn *saw;           /* may be NULL */
    void *saw_context;
    bool over_sockets; /* between workers all goes through the real mailboxes, on this thread */
    bool alone;        /* nothing is said to this host, and it publishes nothing */
    const char *commands_to;     /* role that link_request is asked of; NULL: none */
    const char *publishes;       /* role name of the status link; NULL: none */
    sim_heard_fn *heard;         /* may be NULL */
    sim_published_fn *published; /* may be NULL */
    void *outside_context;
    /* A peer link of the host, to other simulated hosts or whatever stands for them. */
    const char *peers, *peers_to;      /* its name, and the role that it speaks to; NULL: none */
    sim_peer_sent_fn *peer_sent;       /* what the role has to send */
    sim_peer_knocked_fn *peer_knocked; /* whether a key may come in; NULL: it dials */
    void *peers_context;
    const char *plain;            /* of its plain link to the same role; NULL: none */
    sim_peer_sent_fn *plain_sent; /* the same; neither a dial nor a body: the connection ends */
    sim_places_t *places; /* where crash points are noted, of many runs; NULL: of this one alone */
} sim_options_t;

/* Makes the machine and, on it, a host that has not started. */
sim_t *sim_new(const sim_options_t *options, err_t *ret_err, char *ret_why, size_t why_size);
void sim_destroy(sim_t **sim);
world_sim_t *sim_world(sim_t *sim);

void sim_start(sim_t *sim);
/* One decision. False: nothing is under way, nothing is due, ever (quiescence). */
bool sim_step(sim_t *sim);
/* Steps until done (context) holds, nothing is left to do, or steps_max steps; whether it held. */
bool sim_run_until(sim_t *sim, bool (*done)(void *context), void *context, uint64_t steps_max);
/* Steps until ns of virtual time have passed or steps_max steps were made. */
void sim_run_for(sim_t *sim, int64_t ns, uint64_t steps_max);
/* The host has asked to end, or failed: on a real machine the service manager starts it anew. */
bool sim_wants_stop(const sim_t *sim);
bool sim_is_ready(const sim_t *sim, char *ret_why, size_t why_size);

/* Says one command frame to the role commands_to, as a client of a command link does; the answer
 * comes in a later step, exactly once unless a crash comes first. Before the outside is up, and
 * when the role's lane is full, false: say it again later. */
bool sim_say(sim_t *sim, slice_t body, uint64_t tag);

typedef enum sim_came {
    SIM_CAME,
    SIM_CAME_LATER, /* the role has no room: say it again later, as a link that does not read */
    SIM_CAME_NOBODY /* the role, or the link, is not there: it is lost, as on a real link */
} sim_came_t;
/* A frame of a peer, with the hex of the key that its connection has proved. */
sim_came_t sim_peer_came(sim_t *sim, slice_t peer, slice_t user, slice_t body);
bool sim_peer_gone(sim_t *sim, slice_t peer);
/* The same at the plain link, where nobody has a key. */
sim_came_t sim_plain_came(sim_t *sim, slice_t peer, slice_t body);
bool sim_plain_gone(sim_t *sim, slice_t peer);
/* Whether this key (32 bytes) may come in: peer_knocked tells. False: nobody is there to ask. */
bool sim_peer_knock(sim_t *sim, slice_t key, uint64_t tag);
/* When this host has something to do next: now or later, INT64_MAX never. Who drives several lets
 * the one go on whose time comes first. */
int64_t sim_due_ns(sim_t *sim);

/* Power cut and a new host on what the disk kept. false: the new host could not be made. */
bool sim_crash(sim_t *sim);
/* An orderly stop; false when virtual deadline_ns passed first. */
bool sim_stop(sim_t *sim, int64_t deadline_ns);

uint64_t sim_hash(const sim_t *sim); /* of all decisions so far */
uint64_t sim_steps(const sim_t *sim);
/* Distinct places where a crash could fall so far: job, last named point it passed, world call,
 * file, and how many of the same came before it in a row; over all runs that note them together. */
uint64_t sim_crash_points(const sim_t *sim);
/* NULL, or the first of these, in words, over all hosts of this machine:
 *   deadlock     nothing is left to do but to let time pass, and an ask waits for ever: for another
 *                one that does, or for an answer that was lost; with the graph of who waits for
 *                whom. Deadlines would end it, and must not have to.
 *   false alarm  the runtime answered `cycle`, and a search of all that is open finds no circle.
 * What is open is looked at before each passing of time, so a circle that the runtime did not see
 * is a deadlock here. */
const char *sim_fault(const sim_t *sim);
uint64_t sim_alarms(const sim_t *sim); /* answers `cycle` that were checked */
/* Who waits for whom now, by name, a line for each open ask; returns how many. */
uint32_t sim_wait_graph(sim_t *sim, char *ret_text, size_t size);
uint32_t sim_open_asks(const sim_t *sim, char *ret_text, size_t size);
/* Jobs that hang in a world call past their deadline. */
uint32_t sim_threads_lost(const sim_t *sim);
int64_t sim_now_ns(const sim_t *sim);

#ifdef __cplusplus
}
#endif
#pragma GCC visibility pop
