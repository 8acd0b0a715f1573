/* stage_inside.h - what the files of the stage know of each other. */
#pragma once

#include "tests/sim/stage.h"

#define STORY_LINES 256u /* last messages kept for the story of a failure */

typedef struct seen_target {
    char package[65], point[65];
    uint32_t instructions, works;
    uint32_t attempt; /* of the last instruction */
    uint64_t epoch;
    bool in_work; /* a work is in hand */
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
    wire_value_t root, result;
    char word[32];
    /* the oracles */
    char fault[1024];
    seen_target_t seen[64];
    uint32_t seen_count;
    uint64_t last_seq;
    uint32_t empty_refused, empty_accepted; /* instructions without targets, by their answer */
    char story[STORY_LINES][192];
    uint32_t story_next;
};

void stage_heard(void *context, uint64_t tag, err_t err, slice_t body);
void oracle_saw(void *context, const sim_sight_t *sight);
void oracle_published(void *context, slice_t topic, slice_t body);
void oracle_crashed(stage_t *stage);
