/* sim_inside.h - what the files of the simulator know of each other, and nobody else. */
#pragma once

#include "proto/limits.h"
#include "runtime/core.h"
#include "runtime/sim.h"
#include "runtime/sim_jobs.h"

#define SIM_CHOICES_MAX 65536u /* that can be done at one step; more jobs wait */

typedef struct flight {
    struct flight *next;
    envelope_t *envelope;
    int64_t ready_ns;
} flight_t;
/* Envelopes under way from one sender to one worker, in order. */
typedef struct channel {
    flight_t *head, *tail;
} channel_t;

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
    uint32_t favourite; /* of the strategies that have one */
    uint64_t chance;
    uint64_t hash, steps, crash_points;
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
};

/* The host's options with the outside as its root. */
core_options_t sim_core_options(sim_t *sim, const host_options_t *host);
void sim_outside_fini(sim_t *sim);
/* Tells the watcher of the run. */
void sim_show(sim_t *sim, const envelope_t *envelope, int64_t now_ns);

void sim_post(void *self, uint32_t from, uint32_t to, envelope_t *take_envelope);
