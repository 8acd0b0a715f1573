/* sim_race.h - which steps of a run could have been told from one another, and what to try instead.
 *
 * Shape    a run is a row of frames: what could be done, what is to be tried there, and the event
 *          that was. Each event has the set of those that happened before it: the earlier ones of
 *          its own process, those it could be told from, and the one that sent what it delivers.
 *          Two that could be told from one another, with none between them in that sense, are a
 *          race: what ran from the later one's side is tried before the earlier one, from the
 *          frame where that was chosen.
 * Threads  one.
 * Owner    the frames are the explorer's (sim_explore.c).
 */
#pragma once

#include "runtime/executor.h"
#include "runtime/sim_explore.h"

#define CHOICES 64u /* at one step */
#define WORDS   (SIM_EXPLORE_STEPS / 64u)

/* What a process does: a channel delivers into a lane of a worker, or a worker handles what waits
 * in a lane of its own. */
typedef struct deed {
    uint32_t process, worker;
    lane_t lane;
    bool delivers;
    bool strict; /* all that its worker does and gets depends on it */
    bool global; /* everything does */
} deed_t;

typedef struct event {
    deed_t deed;
    uint32_t epoch;             /* grows when time passes or a job goes on, which is seen by all */
    uint64_t step;              /* of the sim */
    const envelope_t *envelope; /* delivered, or handled */
    uint64_t before[WORDS];
} event_t;

typedef struct frame {
    uint32_t enabled[CHOICES], enabled_count;
    uint32_t todo[CHOICES], todo_count; /* those tried, in hand or to be tried */
    uint32_t tried;                     /* of todo, the one in hand included */
    deed_t asleep[CHOICES]; /* tried here, or in a frame below, and it commutes with all since */
    uint32_t asleep_count;
    event_t event;
} frame_t;

/* A new frame at the end of `at` others; false: nothing there is worth trying. */
bool frame_begin(frame_t *frames, uint32_t at, const uint32_t *choice, uint32_t count,
                 uint32_t epoch, bool all);
/* To the next one that is worth trying, the first time to the first; false: none is left. */
bool frame_next(frame_t *frame);
/* What this frame had in hand was tried to its end. */
void frame_tried(frame_t *frame);
bool frame_offers(const frame_t *frame, uint32_t process);
/* Sets what happened before event `to`, and adds what its races say should be tried (but for all,
 * where everything is). sent_at: the step that sent what it delivers; 0: none. */
void races_find(frame_t *frames, uint32_t to, uint64_t sent_at, bool all);
