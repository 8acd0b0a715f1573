/* stage_inside.h - what the files of the stage know of each other. */
#pragma once

#include "tests/sim/ledger.h"
#include "tests/sim/stage.h"

#define STORY_LINES 256u /* last messages kept for the story of a failure */

typedef struct story_line {
    int64_t now_ns;
    char from[40], to[40];
    char text[900];
    bool answer;
} story_line_t;

/* A command that was accepted and changed something, with its answer: the key makes it safe to
 * repeat. */
typedef struct said {
    uint8_t *frame;
    size_t frame_size;
    char *answer;
    size_t answer_size;
} said_t;
#define SAID_MAX 32u

typedef struct seen_target {
    char package[65], point[65];
    uint32_t instructions;
    uint32_t attempt; /* of the last instruction */
    uint64_t epoch;
    uint64_t number; /* of the last instruction, and what else it said */
    digest_t root;
    uint64_t bytes;
    bool in_work;      /* a work is in hand */
    int64_t failed_ns; /* when a try that counts failed last; 0: not since the last power cut */
    uint64_t failed_epoch;
    uint64_t staged_epoch;   /* that it was told to stage last */
    uint64_t promised_epoch; /* that it has staged well */
} seen_target_t;

struct stage {
    stage_options_t options;
    sim_t *sim;
    draft_t args;
    uint64_t args_memory[128];
    uint8_t frame[4096];
    uint64_t keys, tags, awaited, unsaid;
    bool heard, crashed;
    err_t heard_err;
    char *answer;
    size_t answer_size;
    wire_value_t root, result;
    char word[32];
    /* the oracles */
    char fault[1024];
    seen_target_t seen[64];
    uint32_t seen_count;
    uint64_t last_seq;
    ledger_t *ledger;
    uint32_t empty_refused, empty_accepted; /* instructions without targets, by their answer */
    story_line_t story[STORY_LINES];
    uint32_t story_next;
    bool story_over;    /* the fault is its last line */
    uint64_t recounted; /* steps at the last full recount */
    uint64_t recounts;
    uint64_t epoch[STAGE_POINTS_MAX]; /* of what `current` named at the last recount */
    uint32_t versions;                /* trees that were ever at /source */
    uint64_t chance;                  /* of the link */
    said_t said[SAID_MAX];
    uint32_t said_count;
    uint32_t power_cuts;
    uint32_t cut_in_retry;         /* changes of the disk; 0: no such cut is wanted */
    bool rotten[STAGE_POINTS_MAX]; /* what readers see there has a wrong bit */
    bool gives_back; /* a root was given back: its directories go before its identity */
};

void stage_heard(void *context, uint64_t tag, err_t err, slice_t body);
void oracle_saw(void *context, const sim_sight_t *sight);
void oracle_published(void *context, slice_t topic, slice_t body);
void oracle_crashed(stage_t *stage);
/* What failed may be tried at once: the clock jumped; or as well, counted anew: an operator said
 * retry. */
void oracle_forgets_pace(stage_t *stage);
void oracle_forgets_attempts(stage_t *stage);
/* Everything on the machine's disks that must hold at any instant. */
void oracle_recount(stage_t *stage);
void story_tell(stage_t *stage, const sim_sight_t *sight);
/* Something that happened to the machine. */
void story_note(stage_t *stage, const char *text);
/* An answer to a key was given: the first is kept, any later one must be the same. */
void said_answer(stage_t *stage, const char *command, slice_t frame, slice_t answer);
void said_free(stage_t *stage);
