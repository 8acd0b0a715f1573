/* plan.h - what one seed does to a site: its own mix of faults, drawn before the run begins.
 *
 * Shape    a plan is a short list of acts, each some time after the one before it. A seed switches
 *          each kind of act on or off by a coin of its own (a swarm), so that runs differ in what
 *          goes wrong and not only in when.
 * Promises the same seed gives the same plan; acts can be left out one by one, so that the list
 *          behind a failure can be shrunk. What a plan breaks can be healed (a fault atlas): drawn
 *          faults have a bound, rotten bits strike only what can be fetched again (site_rot.c), and
 *          a power cut at a named point comes at most twice.
 * Threads  one.
 */
#pragma once
#include "tests/sim/stage.h"

#define PLAN_ACTS_MAX 12u

/* K(symbol, word) */
#define PLAN_KINDS(K)                                                                              \
    K(UNPLUG, "unplug")         /* a point is not there */                                         \
    K(FAIL, "fail")             /* every call at a point fails */                                  \
    K(HANG, "hang")             /* no call at a point returns */                                   \
    K(FULL, "full")             /* a point has no space left */                                    \
    K(ERRORS, "errors")         /* EIO, ENOSPC, EDQUOT and short writes at a point, by chance */   \
    K(SLOW, "slow")             /* a point is slow */                                              \
    K(FLIP, "flip")             /* what is read at a point or from the store has a wrong bit */    \
    K(ROT, "rot")               /* a bit of a file at a point, or on the way to one, is wrong */   \
    K(POINT, "named-point")     /* named points of the code fail */                                \
    K(CUT_AT, "cut-at")         /* the power goes at a named point */                              \
    K(CUT, "cut")               /* the power goes now */                                           \
    K(CUT_RENAME, "cut-rename") /* the power goes right after a rename */                          \
    K(CUT_AFTER, "cut-after")   /* the power goes after so many changes of the disk */             \
    K(RESTART, "restart")       /* a component is restarted */                                     \
    K(CLOCK, "clock")           /* the wall clock jumps */                                         \
    K(PLUG, "plug")             /* a point comes back before everything is healed */               \
    K(PAUSE, "pause")           /* an operator pauses a point */                                   \
    K(UPDATE, "update")         /* the source changes, and is stored again */

typedef enum plan_kind {
#define PLAN_SYMBOL(symbol, word) PLAN_##symbol,
    PLAN_KINDS(PLAN_SYMBOL)
#undef PLAN_SYMBOL
        PLAN_KIND_COUNT
} plan_kind_t;

typedef struct plan_act {
    plan_kind_t kind;
    uint32_t after_ms; /* virtual, since the act before */
    uint32_t point;
    uint64_t value; /* what else the kind needs */
} plan_act_t;

/* Names that must be durable at once, each with a sync of its own after it. */
typedef enum plan_name {
    PLAN_NAME_NONE,
    PLAN_NAME_IDENTITY,
    PLAN_NAME_CURRENT,
    PLAN_NAME_RECEIPT,
    PLAN_NAME_RECORD,
    PLAN_NAME_COUNT
} plan_name_t;

typedef enum plan_rots {
    PLAN_ROTS_NOTHING,
    PLAN_ROTS_PLACED,     /* a file that readers see */
    PLAN_ROTS_RECEIPT,    /* of a point */
    PLAN_ROTS_STORED,     /* an object of the store, before a late point is to have it */
    PLAN_ROTS_ON_THE_WAY, /* an object of the store as it is read, once */
    PLAN_ROTS_COUNT
} plan_rots_t;

typedef struct plan {
    uint64_t seed;
    uint32_t points, files;
    stage_link_t link;
    bool first_unplugged; /* a point is not there when the distribution is ordered */
    bool late;            /* one more point is added at the end: the store must still have it all */
    bool withdraws;       /* at the end the package is taken off a point */
    bool cut_at_end;      /* the power goes when all is told to be well */
    bool updates;         /* at the end there is one more version, and the old one is collected */
    bool verifies;        /* at the end every byte is looked at by the site itself */
    bool fresh_data;      /* the data directory was just made */
    bool plain_disks;     /* file systems on which each file is synced for itself */
    uint32_t cut_first;   /* the power goes when 1: the package, 2: the last point was added */
    uint32_t cut_start; /* or in the first start, after so many changes of the disk; 0: not there */
    plan_name_t cut_name; /* or right after this name changes at cut_point, once */
    uint32_t cut_retry;   /* the first try at cut_point fails, the power goes in the next one, after
                             so many changes of the disk; 0: neither */
    uint32_t cut_point;
    bool poison;      /* when all is well a message fails its handler each time that it is tried */
    plan_rots_t rots; /* what turns a bit when all is well, */
    uint64_t rot_value; /* and which */
    uint32_t acts;
    plan_act_t act[PLAN_ACTS_MAX];
} plan_t;

void plan_draw(plan_t *ret_plan, uint64_t seed);
/* Which of so many acts a list names ("0,3"; "none"); false: not a list of them. */
bool plan_chosen(const char *list, uint32_t acts, bool *ret_kept);
/* Leaves in only the acts whose numbers are listed ("0,3"; "none"); false: not a list of them. */
bool plan_keep(plan_t *plan, const char *list);
const char *plan_word(plan_kind_t kind);
/* One act in words. */
void plan_print_act(const plan_act_t *act, char *ret_text, size_t size);
