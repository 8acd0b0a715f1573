/* stage.h - a whole site on a simulated machine, and what a test says to it and sees of it.
 *
 * Shape    a stage has a machine with /data, a source tree at /source and points at /points/<name>,
 *          each a file system of its own; on it runs the roster that despoold links.
 * Promises everything follows from the seed; what goes against an invariant of DESIGN is noted in
 *          stage_fault (the first one), with the story that led to it.
 * Threads  one.
 * Owner    stage_new -> caller, stage_destroy(&stage).
 */
#pragma once

#include "proto/messages.h"
#include "proto/wire.h"
#include "runtime/sim.h"

#define STAGE_POINTS_MAX 4u

/* How bad the link between the client and the site is, in per cent of the commands. A message of
 * ZeroMQ arrives whole or not at all, so a connection that is reset in mid-message loses it, or its
 * answer; half a message is what a bad peer says. */
typedef struct stage_link {
    uint32_t lose;  /* the answer is lost with the connection: the client says it again */
    uint32_t twice; /* the command arrives twice */
    uint32_t half;  /* the first half of it arrives first, as a message */
} stage_link_t;

/* Who drives the machines of agents together with the site's. */
typedef struct stage_agents {
    sim_peer_sent_fn *sent, *plain_sent;
    sim_peer_knocked_fn *knocked;
    void (*step)(void *context, int64_t until_ns); /* NULL: the site listens to nobody */
    void *context;
} stage_agents_t;

typedef struct stage_options {
    uint64_t seed;
    sim_strategy_t strategy;
    sim_rounds_t rounds;
    uint32_t points;                     /* at most STAGE_POINTS_MAX: a, b, c, d */
    uint32_t files;                      /* of the source tree */
    bool edited, large;                  /* with those of machine_make_edited beside them */
    const actor_class_t *const *classes; /* NULL: the roster */
    const actor_class_t *root;           /* NULL: the executive */
    stage_link_t link;
    sim_places_t *places; /* as those of sim_options_t */
    bool over_sockets;    /* the same */
    bool fresh_data;      /* the name of the data directory is not durable when the host starts */
    bool plain_disks;     /* file systems of a type that syncfs is not trusted on */
    stage_agents_t agents;
    bool story; /* keep what passes, for stage_story; costs time */
    /* No oracle looks on, which would take a million targets in at each step, and no time passes in
     * messages and calls to the disk, as the simulator looks at all actors whenever it does. */
    bool bare;
    sim_saw_fn *saw; /* looks on instead */
    void *saw_context;
} stage_options_t;

typedef struct stage stage_t;

stage_t *stage_new(const stage_options_t *options);
void stage_destroy(stage_t **stage);
sim_t *stage_sim(stage_t *stage);
world_sim_t *stage_world(stage_t *stage);

/* Until the host is ready; false after virtual_ms. */
bool stage_ready(stage_t *stage, uint32_t virtual_ms);
/* Says a command and waits for its answer, at most virtual_ms; says it again, with the same key,
 * after a crash, a full lane or `starting`, `restarting`, `down`. Arguments are "name=text",
 * "name[]=a,b", "name:7" and "name!" (true), NULL at
 * the end. OK or the refusal; the answer is
 * stage_answer. */
err_t stage_do(stage_t *stage, uint32_t virtual_ms, const char *command, ...);
err_t stage_do_list(stage_t *stage, uint32_t virtual_ms, const char *command,
                    const char *const *arguments);
/* As stage_do without waiting: the answer, if any, is thrown away. */
void stage_say(stage_t *stage, const char *command, const char *const *arguments);
const wire_value_t *stage_answer(const stage_t *stage);
/* The word of a point's target of this package ("installed"), or "" when there is none. */
const char *stage_target(stage_t *stage, const char *package, const char *point);
/* Whether ROOT/package/current at the point is the source tree, whole; else ret_why says what
 * not. */
bool stage_tree_is_whole(stage_t *stage, const char *package, const char *point, char *ret_why,
                         size_t why_size);
void stage_change_source(stage_t *stage, uint32_t version); /* another content, same names */
/* The tree of a version, on any machine. */
void stage_make_tree(const stage_t *stage, world_t *w, const char *path, uint32_t version);
void stage_run(stage_t *stage, uint32_t virtual_ms);
void stage_crash(stage_t *stage);
/* The power goes in the next work that is a try again, after so many changes of the disk; 0: no. */
void stage_cut_in_retry(stage_t *stage, uint32_t operations);
/* What readers see at this point is damaged, and the test did it: the oracles do not look. */
void stage_rots(stage_t *stage, uint32_t point, bool rotten);
void stage_plug(stage_t *stage, const char *point, bool plugged);

/* What the oracles saw: NULL, or the first violation. */
const char *stage_fault(const stage_t *stage);
void stage_note_fault(stage_t *stage, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* How many instructions named this point so far. */
uint32_t stage_instructions(const stage_t *stage, const char *point);
/* The last messages between actors, one a line, for the story of a failure; and as a sequence
 * diagram in Mermaid. Both on stderr, and empty unless the option `story` is set. */
void stage_story(const stage_t *stage, uint32_t lines);
void stage_diagram(const stage_t *stage, uint32_t lines);
uint64_t stage_recounts(const stage_t *stage);
uint64_t stage_commits(const stage_t *stage);    /* of the database, each looked at */
uint32_t stage_power_cuts(const stage_t *stage); /* those of stage_crash, and at named points */
/* Says every accepted command once more with its key: each answer must be the same, and nothing is
 * to change. */
void stage_repeat_all(stage_t *stage);
/* Whether anything of the package is left at the point: ret_left names some of it. */
bool stage_has_package(stage_t *stage, const char *package, const char *point, char *ret_left,
                       size_t left_size);
/* The number of the last event that was published. */
uint64_t stage_last_seq(const stage_t *stage);
