/* yard_plan.h - what one seed does to a site and its agents: drawn before the run begins.
 *
 * Shape    a short list of acts, each some time after the one before it, and what is done when all
 *          is healed. What is changed on the lines is drawn as the frames pass (yard.h).
 * Promises the same seed gives the same plan; acts can be left out one by one.
 * Threads  one.
 */
#pragma once
#include "tests/sim/yard.h"

#define YARD_ACTS_FEW 10u /* of some agents, fewer than that, and half of one more for each agent */
#define YARD_ACTS_MAX (YARD_ACTS_FEW + FARS_MAX / 2)

/* K(symbol, word) */
#define YARD_ACTS(K)                                                                               \
    K(CUT, "cut")             /* the power of an agent goes now */                                 \
    K(CUT_AFTER, "cut-after") /* after so many changes of its disk */                              \
    K(CUT_SITE, "cut-site")                                                                        \
    K(DROP, "drop")     /* the connection breaks */                                                \
    K(DEAD, "dead")     /* it is cut, and neither end is told */                                   \
    K(APART, "apart")   /* nothing passes until later */                                           \
    K(TAMPER, "tamper") /* a frame is changed, forged, or said twice */                            \
    K(ERRORS, "errors") /* of the disk of an agent, by chance */                                   \
    K(FLIP, "flip")     /* what an agent reads of its store has a wrong bit, a few times */        \
    K(VERIFY, "verify") /* an operator has all bytes at the points read */                         \
    K(UPDATE, "update")

typedef enum yard_kind {
#define YARD_SYMBOL(symbol, word) YARD_##symbol,
    YARD_ACTS(YARD_SYMBOL)
#undef YARD_SYMBOL
        YARD_KIND_COUNT
} yard_kind_t;

typedef struct yard_act {
    yard_kind_t kind;
    uint32_t after_ms; /* virtual, since the act before */
    uint32_t far;
    uint64_t value; /* what else the kind needs */
} yard_act_t;

/* How a point is removed at the end. */
typedef enum yard_removal {
    YARD_REMOVES_NONE,
    YARD_REMOVES_HERE, /* its agent is here, and its content is withdrawn first */
    YARD_REMOVES_AWAY, /* it cannot be reached, and its content stays */
    YARD_REMOVES_DOWN, /* the same, and the power of the site goes before it is back */
    YARD_REMOVAL_COUNT
} yard_removal_t;

/* Names at agents that must be durable at once, each with a sync of its own after it. */
typedef enum yard_name {
    YARD_NAME_NONE,
    YARD_NAME_CURRENT,
    YARD_NAME_RECEIPT,
    YARD_NAME_RECORD,
    YARD_NAME_COUNT
} yard_name_t;

typedef struct yard_plan {
    uint64_t seed;
    uint32_t agents, files;
    bool large; /* the source has a file that travels by its chunks */
    bool flips; /* in the first transfer, what one of them reads of its store is wrong at times */
    uint32_t cut_first; /* or its power goes in it, after so many changes of its disk, and once more
                         * soon after a list came; 0: no */
    yard_name_t cut_name;  /* or in it, right after this name changes at some of them, once */
    bool updates;          /* another version comes as soon as all is healed */
    bool edits;            /* another one at rest, of which it is counted what it costs */
    bool scrubs;           /* a bit turns at rest, and is found by who reads everything again */
    bool rots_kept;        /* and one of the same file where the agent keeps it */
    yard_seed_t seed_kind; /* what each second one of them has */
    bool plain;            /* content may go in the clear to each second one of them, */
    bool between;          /* and somebody changes it */
    bool withdraws;        /* the package is taken off an agent, all of it, and given again */
    bool rots_older;       /* after one of its versions went, the manifest of which had rotted */
    uint32_t cut_withdraw; /* whose power goes in that, after so many changes of its disk; 0: no */
    yard_removal_t removes;
    uint64_t value; /* of what is done at rest */
    uint32_t acts;
    yard_act_t act[YARD_ACTS_MAX];
} yard_plan_t;

/* agents: so many; 0: drawn. */
void yard_plan_draw(yard_plan_t *ret_plan, uint64_t seed, uint32_t agents);
/* Leaves in only the acts whose numbers are listed ("0,3"; "none"); false: not a list of them. */
bool yard_plan_keep(yard_plan_t *plan, const char *list);
/* One act in words. */
void yard_plan_print_act(const yard_act_t *act, char *ret_text, size_t size);
/* All of them, and what is done at rest, on stderr. */
void yard_plan_print(const yard_plan_t *plan);
