/* sim_inside.h - what the files of the simulator know of each other, and nobody else. */
#pragma once

#include "proto/limits.h"
#include "runtime/core.h"
#include "runtime/sim.h"
#include "runtime/sim_jobs.h"
#include "runtime/sim_sockets.h"

#define SIM_CHOICES_MAX 65536u /* that can be done at one step; more jobs wait */

typedef struct flight {
    struct flight *next;
    envelope_t *envelope;
    int64_t ready_ns;
    uint64_t sent_at; /* step */
} flight_t;
/* Envelopes under way from one sender to one worker, in order. */
typedef struct channel {
    flight_t *head, *tail;
    uint32_t position; /* among those that are not empty, from 1; 0: it is empty */
} channel_t;

#define PCT_DEPTH_MAX 3u
typedef struct scheduler {
    uint32_t favourite; /* of starve-one and burst; UINT32_MAX: none */
    uint64_t left;      /* decisions until all is drawn anew */
    /* PCT */
    uint64_t key;                       /* priorities are drawn from it */
    uint64_t change[PCT_DEPTH_MAX - 1]; /* decisions left at which a priority changes */
    uint64_t lowered[PCT_DEPTH_MAX - 1];
} scheduler_t;

typedef struct sim_graph sim_graph_t;

/* The host's end of one link to peers (sim_peers.c). */
typedef struct sim_peers {
    sim_t *sim;
    bool plain;
    sim_peer_sent_fn *sent;
    actor_class_t class;
    actor_edge_t edge[4];
    actor_ref_t end;
} sim_peers_t;

struct sim {
    sim_options_t options;
    core_options_t core_options;
    executor_t executor;
    world_sim_t *world;
    world_t *clock; /* a job's view of the machine, for the wall clock */
    core_t *core;
    sim_jobs_t *jobs;
    channel_t *channel; /* senders x workers */
    uint32_t workers, senders;
    sim_sockets_t *sockets;     /* NULL: none */
    uint32_t *busy, busy_count; /* channels that are not empty */
    scheduler_t scheduler;
    uint64_t chance;
    uint64_t *worker_chance; /* what its actors draw depends on no other worker */
    uint64_t hash, steps;
    sim_places_t *places; /* of the options, or own_places */
    sim_places_t *own_places;
    sim_graph_t *graph;
    uint64_t alarms;
    char fault[2048]; /* "": none */
    /* Instead of the strategy: one of the first count of choice (sim_explore.c); NULL: none. */
    uint32_t (*decide)(void *context, sim_t *sim, uint32_t count);
    void *decide_context;
    uint32_t choices, chosen; /* of the last step: how many there were, and which it was */
    uint32_t choice[SIM_CHOICES_MAX];
    /* the outside: the host's root and, beside it, the ends of its links (sim_outside.c) */
    const actor_class_t **classes;
    actor_class_t outside_class, client_class, publisher_class;
    actor_edge_t client_edge;
    const actor_class_t *root;
    const record_type_t *root_args_type;
    const void *root_args;
    size_t root_args_bytes;
    actor_ref_t client;
    sim_peers_t peers, plain; /* its links to peers */
};

/* The host's options with the outside as its root. */
core_options_t sim_core_options(sim_t *sim, const host_options_t *host);
void sim_outside_fini(sim_t *sim);
bool sim_peers_class(sim_t *sim); /* false: it has no peers */
bool sim_plain_class(sim_t *sim); /* false: it has no plain link */
/* Tells the watcher of the run. */
void sim_show(sim_t *sim, const envelope_t *envelope, int64_t now_ns);

/* Choices are numbers: channels first, then workers, then jobs that can go on. */
static inline uint32_t
sim_channel_count(const sim_t *sim)
{
    return sim->senders * sim->workers;
}

bool sim_step_until(sim_t *sim, int64_t until_ns);
uint64_t sim_drawn(uint64_t *state);
uint64_t sim_drawn_below(sim_t *sim, uint64_t bound);

void sim_absorb(sim_t *sim, uint64_t number); /* into the hash of the run */

/* sim_rounds.c: several at one step */
void sim_rounds_deliver(sim_t *sim, uint32_t which, int64_t now_ns); /* of a channel */
void sim_rounds_run(sim_t *sim, uint32_t worker);

/* sim_strategy.c: one of the first count of sim->choice */
void sim_strategy_begin(sim_t *sim);
uint32_t sim_strategy_choose(sim_t *sim, uint32_t count);

/* sim_graph.c, sim_judge.c */
sim_graph_t *sim_graph_new(void);
void sim_graph_destroy(sim_graph_t **graph);
void sim_judge_alarm(void *context, uint32_t caller); /* which was told `cycle` */
void sim_judge_rest(sim_t *sim);                      /* nothing can be done now */
void sim_note_fault(sim_t *sim, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* sim_channel.c */
void sim_channels_new(sim_t *sim);
void sim_channels_destroy(sim_t *sim); /* with what is under way */
void sim_post(void *self, uint32_t from, uint32_t to, envelope_t *take_envelope);
envelope_t *sim_channel_take(sim_t *sim, uint32_t which);
/* Those whose first envelope may arrive now go to ret_choice; returns how many. */
uint32_t sim_channels_ready(const sim_t *sim, int64_t now_ns, uint32_t *ret_choice);
int64_t sim_channels_due(const sim_t *sim); /* INT64_MAX: nothing is under way */
