/* yard.h - a site and its agents, each a simulated machine of its own, and the lines between them.
 *
 * Shape    a stage (stage.h) is the site; a far is a machine with /data and /point on which the
 *          roster of an agent runs. Each has a connection to the site, of one number at a time:
 *          frames pass in their order, after a delay, with the key that the connection has proved;
 *          a handshake asks the site's door. The machine whose time comes first goes on.
 * Promises everything follows from the seed. What goes against an invariant is the stage's fault:
 *          `current` of an agent is a whole version and never goes back; what an agent said to be
 *          durable is not asked for again after its power went, and no bytes that were changed on
 *          the way are durable anywhere; no agent has a version that the site never had, nor
 *          believes that its point was removed before it was; one whose point was hears that before
 *          anything else, ends, and does not forget it. What stands in the place of a package has
 *          its record, and nothing is left of what was withdrawn. What a seed holds is not sent.
 *          Beside it an agent may have a plain connection: nothing that was changed there is
 *          placed, nothing but content passes there, and none where nobody wants that.
 * Not here CURVE, ZeroMQ's sockets and their limits (tests/scenario/agents.py, hostile.py): a
 *          frame that was changed on the way comes with its sender's key, as from a bad peer.
 * Threads  one.
 * Owner    yard_new -> caller, yard_destroy(&yard), before its stage.
 */
#pragma once

#include "actors/content/keys.h"
#include "actors/content/sync_points.h"
#include "actors/content/token.h"
#include "proto/messages.h"
#include "tests/sim/stage.h"

#define FARS_MAX  50u
#define TOLD_MAX  512u /* objects, or their lists, that an agent said to be durable */
#define NEVER_NS  INT64_MAX
#define DELAY_NS  INT64_C(20000000) /* a frame takes up to so long */
#define REDIAL_NS INT64_C(500000000)

typedef struct flight flight_t;
typedef struct line {
    flight_t *first, *last;
} line_t;

typedef enum tamper {
    TAMPER_NOTHING,
    TAMPER_FLIP,    /* a bit of the next content */
    TAMPER_ORDER,   /* the next order to place is for an epoch that the site never had */
    TAMPER_RECEIPT, /* the next order to place is answered by a receipt of before */
    TAMPER_OLD,     /* an order to place an older version, signed by the site, comes again: in place
                     * of one to collect it, or of the next to place one */
    TAMPER_TWICE,   /* the next frame comes twice */
    TAMPER_REMOVED, /* the next sign of life says that the point is no more, and nobody signed it */
    TAMPER_NUMBER,  /* the next content in the clear is for an order that there was not */
    TAMPER_COUNT
} tamper_t;

/* A tree that is on an agent's machine before anything is sent to it. */
typedef enum yard_seed {
    YARD_SEED_NONE,
    YARD_SEED_WHOLE,  /* the first version */
    YARD_SEED_STALE,  /* one that the site never had; some of its files are in others */
    YARD_SEED_ROTTEN, /* the first one, and in each second file a bit has turned */
    YARD_SEED_COUNT
} yard_seed_t;
#define SEED_FILES_MAX 32u

/* An object on its way to an agent. */
typedef struct sent_object {
    digest_t object; /* none: it is not known what becomes of it */
    bool list;       /* the list of its chunks, and not its bytes */
    bool wrong;      /* other bytes were sent under its name */
    uint64_t bytes;
} sent_object_t;

typedef struct yard yard_t;
typedef struct far {
    yard_t *yard;
    char name[8];
    sim_t *sim;
    int64_t due_ns;
    draft_t args;
    uint64_t args_memory[512];
    token_t token;
    keys_t keys;
    char user[65];
    bool started;
    /* the connection */
    uint64_t connection; /* 0: none */
    bool open, dead;     /* dead: what is sent goes nowhere, and nobody is told */
    bool apart;          /* nothing passes until it is together again */
    int64_t knock_ns;    /* of the next handshake */
    line_t up, down;
    tamper_t tamper;
    uint64_t plain; /* its plain connection; 0: none */
    line_t plain_up, plain_down;
    uint64_t stranger; /* the connection of who said its ticket again */
    bool wants_plain;  /* content may go in the clear */
    /* the oracles */
    uint64_t epoch;
    id128_t visit;
    uint64_t last_order;
    bool placing;       /* that is to place or to stage a version: what is sent for it is content */
    bool lacking;       /* or that looks for what it would take */
    uint64_t content;   /* bytes of it that were sent, as they are unpacked */
    uint64_t all;       /* and of what was sent for any order: manifests and lists, too */
    uint64_t stored_ms; /* the longest that it said its disk took */
    sent_object_t sent[TOLD_MAX];
    uint32_t sent_count;
    digest_t told[TOLD_MAX];
    uint32_t told_count;
    uint64_t done_order;    /* that has ended last */
    uint64_t deltas, lists; /* pieces of them that were sent */
    bool cut;               /* its power went since */
    uint32_t cut_at_list;   /* it goes so many changes of its disk after it said to have a list */
    bool flips;  /* what it reads of its store was wrong at times, so it may lack what it had */
    bool failed; /* calls to its disk have */
    bool astray; /* in this visit something came that is not what was sent, whatever it was */
    digest_t seed[SEED_FILES_MAX]; /* of its files, as they are */
    uint32_t seed_count;
    bool rotten;                       /* what readers see has a wrong bit, and the test did it */
    bool gone;                         /* its point was, or is about to be, removed */
    bool told_gone, buried;            /* it was told so; it has said that it knows */
    uint64_t gone_connection;          /* the last one that it had before */
    uint8_t *order, *recent, *receipt; /* recent: an order of the last version; order: of before */
    size_t order_size, recent_size, receipt_size;
    uint64_t recent_epoch;
} far_t;

struct yard {
    stage_t *stage;
    bool (*shut)(const far_t *far, int64_t wall_ns); /* no content may be sent then; NULL: it may */
    uint64_t chance;
    uint32_t count;
    far_t far[FARS_MAX];
    int64_t site_due_ns;
    uint64_t connections, steps, frames, tampered, cuts;
    uint64_t clear;  /* messages of content that went unencrypted */
    bool between;    /* who is between changes some of them */
    uint64_t seeded; /* files that agents took of their seeds */
    uint64_t
        above; /* epochs that the site may have gone above its own: a point refused an order that
                     * was older than the one that the site knows to have given */
    sync_point_t without; /* of the agents' syncs, the one that is left out */
    sim_rounds_t rounds;
    sim_places_t *places; /* as those of sim_options_t */
    bool over_sockets;    /* the same */
    uint64_t gone[64];    /* connections that a frame was for and that are over */
    uint32_t gone_count;
    uint64_t plain_gone[64]; /* the same of plain ones */
    uint32_t plain_gone_count;
    keys_t site_keys;
    bool enrolled;
    digest_t site_signing;
    uint64_t *memory; /* of the frame in hand */
};

yard_t *yard_new(uint64_t seed, uint32_t agents);
void yard_destroy(yard_t **yard);
/* What a stage needs to know of it. */
stage_agents_t yard_agents(yard_t *yard);
/* Makes the machine of an agent and has it join; the site runs. */
bool yard_join(yard_t *yard, stage_t *stage, uint32_t number);
uint64_t yard_drawn(yard_t *yard, uint64_t bound);
void far_cut(far_t *far);
/* Its host ends by itself. */
void far_ended(far_t *far);
void yard_site_was_cut(yard_t *yard);
void yard_heal(yard_t *yard);
uint64_t yard_hash(const yard_t *yard); /* of all decisions of all machines */

/* yard_seed.c */
void yard_give_seed(far_t *far, yard_seed_t kind, uint64_t value);
void yard_see_seed_sent(far_t *far, const piece_t *piece);
void yard_see_seeded(far_t *far, const agent_seeded_t *m);

/* yard_look.c */
void yard_note_version(yard_t *yard, uint32_t version);
/* What `current` names, and the epoch in its record; false: there is none. */
bool far_current(far_t *far, char *ret_path, size_t size, unsigned long *ret_epoch);
bool far_is_whole(far_t *far, uint32_t version, char *ret_why, size_t why_size);
/* Whether anything of the package is left there; which. */
bool far_has_package(far_t *far, char *ret_left, size_t size);
/* Whole: half a text is none. */
bool far_has_tombstone(far_t *far);
/* Everything on the disks of the agents that must hold at any instant. */
void yard_recount(yard_t *yard);

/* yard_lines.c */
void lines_step(void *context, int64_t until_ns);
void lines_sent_by_site(void *context, bool dial, slice_t peer, slice_t body);
void lines_knocked(void *context, uint64_t tag, bool open);
void lines_sent_by_far(void *context, bool dial, slice_t peer, slice_t body);
void lines_drop(far_t *far); /* the connection breaks, and both ends may try again */
void lines_free(line_t *line);

void lines_plain_by_site(void *context, bool dial, slice_t peer, slice_t body);
void lines_plain_by_far(void *context, bool dial, slice_t peer, slice_t body);

/* yard_frames.c: looks at a frame that is sent, and may change it. False: it does not leave. */
typedef struct frame {
    uint8_t *bytes; /* owned by who sends */
    size_t size;
    bool twice;
} frame_t;
bool frames_down(far_t *far, frame_t *frame);
bool frames_up(far_t *far, frame_t *frame);
/* It says this instead. */
void frames_write_anew(frame_t *frame, const record_type_t *type, const void *record);
/* Of a message of content, wherever it goes; changed where that is its turn. */
void frames_see_data(far_t *far, frame_t *frame, const agent_data_t *m);

/* yard_plain.c */
void yard_set_bulk(far_t *far, bool plain);
void yard_end_plain(far_t *far); /* without a word to either end */
bool frames_plain_down(far_t *far, frame_t *frame);
bool frames_plain_up(far_t *far, frame_t *frame);
void yard_repeat_ticket(far_t *far, slice_t body);
