/* job_common_inside.h - blocks and teams of job_common.c, with its lock held.
 *
 * Shape    a block is free, being made, or there; its team is that of the seat that made it.
 * Threads  whoever holds the lock.
 */
#pragma once

#include <pthread.h>

#include "runtime/job_common.h"

typedef enum block_state { BLOCK_FREE, BLOCK_MADE_NOW, BLOCK_THERE } block_state_t;

typedef struct block {
    block_state_t state;
    world_key_t key;
    uint64_t team;    /* that made it */
    uint64_t wanted;  /* bits of the seats that have still to take it */
    uint32_t holders; /* that have it in hand */
    uint64_t order;   /* of all that were put */
    uint8_t *bytes;
    size_t size, capacity;
    void *note;
    void (*drop_note)(void *note);
} block_t;

struct common {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    int64_t patience_ns;
    uint64_t joined, moved;          /* bits of seats; moved: was late */
    uint64_t closed;                 /* the same: of a team that has lost a block */
    uint64_t team[COMMON_SEATS_MAX]; /* of a group: those who go on side by side */
    uint64_t teams;
    int64_t waited_ns[COMMON_SEATS_MAX]; /* by others, for this seat */
    uint64_t puts;
    uint8_t group[COMMON_SEATS_MAX][32];
    block_t block[COMMON_BLOCKS_MAX];
};

/* The seats of a team. */
uint64_t common_members(const common_t *common, uint64_t team);
void common_empty(common_t *common, block_t *block);
/* A block that nobody has to take any more goes, or stays for who may still come. */
void common_look(common_t *common, block_t *block);
/* Nothing is kept for who may still come to this team. */
void common_close(common_t *common, uint64_t team);
/* NULL: nobody has made or makes it. */
block_t *common_find(common_t *common, const world_key_t *key);
/* Room that nothing has to go for; NULL: there is none. */
block_t *common_unused(common_t *common);
/* Room for a block, made by what is kept for who may still come; NULL: there is none. */
block_t *common_free(common_t *common);
/* The one that was put first and that nobody has in hand; NULL: there is none. */
block_t *common_oldest(common_t *common);
/* Nothing is kept for these seats any more. */
void common_keep_nothing(common_t *common, uint64_t bits);
