/* ahead.h - an agent that fetches a version from a site, for the tests of trees under way.
 *
 * Shape    a yard whose store is the agent's; the site's is beside it. What is asked of the real
 *          disk is counted.
 * Threads  one; each test has a process of its own.
 */
#pragma once

#include "actors/content/lack.h"
#include "actors/content/place_ahead.h"
#include "yard.h"

#define LARGE      (5u << 20)
#define MORE       200000u /* of a smaller one */
#define CHUNK_MIN  65536u
#define RANGES     64u
#define STAGED     "root/.despool/staging/P1.v1"
#define CURRENT    "root/P1/current"
#define OTHER_TYPE 0x01021997u /* of a file system whose syncfs nobody has tried */

/* The real disk, and what is asked of it. */
typedef struct seen {
    world_t world; /* first */
    world_calls_t calls;
    world_t *real;
    uint64_t read, written;    /* bytes */
    uint64_t open_since[1024]; /* by descriptor: what was written when it was opened */
    int synced;                /* the descriptor of the last sync of a file system */
    uint32_t type;             /* of the file system, 0: the truth */
    uint64_t free_bytes;       /* the same */
    bool folds;                /* a name is found under capital letters, too */
} seen_t;

/* An agent that fetches a version from a site. */
typedef struct ahead {
    yard_t yard;
    seen_t seen;
    store_t *site;
    staging_t *staging;
    place_ahead_t *tree;
    transfer_range_t range[RANGES];
    lack_t lack;
    digest_t left_out; /* a chunk that comes, and is not put into the tree */
    bool lies;         /* the list of the large file has two chunks in each other's place */
    digest_t list_of;  /* the large file, once its list has come */
} ahead_t;

/* The source is a version of the site's; an order to place it is begun. */
void ahead_begin(ahead_t *ahead, user_t user);
void ahead_end(ahead_t *ahead);
void ahead_write_file(ahead_t *ahead, const char *name, const uint8_t *bytes, size_t size);
/* What the source is now, as the site's version. */
void ahead_take_again(ahead_t *ahead);
/* The version as one before lists were named in it. */
void ahead_forget_list(ahead_t *ahead);
/* Another order for the same version. */
void ahead_begin_order(ahead_t *ahead);
/* A look at what is lacking: ranges. */
uint32_t ahead_lacks(ahead_t *ahead);
/* What was listed comes. */
void ahead_come(ahead_t *ahead);
/* The manifest, as an agent has it before it is told to place. */
void ahead_fetch_nodes(ahead_t *ahead);
/* That, then all else. */
void ahead_fetch(ahead_t *ahead);
/* The list of the large file comes once more, and lies. */
void ahead_lie(ahead_t *ahead);
place_result_t ahead_placed(ahead_t *ahead);
void ahead_expect_placed(ahead_t *ahead);
bool ahead_is_staged(ahead_t *ahead, const char *name);
