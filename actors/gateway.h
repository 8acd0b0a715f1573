/* gateway.h - what the files of the agent gateway share: its state, its agents, its edges.
 *
 * Shape    an agent_t for each point that is another machine, by its name; while its agent is
 *          there it has a visit: an address at the link, credit, the need and the orders in hand.
 * Promises nothing here would be lost with the state: the database knows who may come in, a point's
 *          work is asked for again, and an agent that begins anew says what it lacks.
 * Threads  the gateway's handlers.
 */
#pragma once

#include <czmq.h>

#include "actors/agent_credit.h"
#include "actors/agent_pace.h"
#include "actors/answer.h"
#include "actors/jobs_gateway.h"
#include "actors/outbox.h"
#include "actors/rate.h"
#include "actors/roster.h"
#include "runtime/notes.h"

#define GATEWAY_ASK_MS   60000u
#define GATEWAY_AGAIN_MS 500u /* until what could not be asked is asked again */
enum { TIMER_LOOK = 1, TIMER_LIST, TIMER_KEYS, TIMER_RATE, TIMER_BEACON, TIMER_BEACON_NEXT };

#define GATEWAY_EDGES(E)                                                                           \
    E(NEED, site_database, agents_known)                                                           \
    E(ASK, site_database, agents_known)                                                            \
    E(ASK, site_database, agent_enrol)                                                             \
    E(ASK, site_database, agent_told)                                                              \
    E(ASK, site_database, beacon_next)                                                             \
    E(ASK, site_database, agent_heard)                                                             \
    E(ASK, site_database, version_held)                                                            \
    E(ASK, site_database, activation_note)                                                         \
    E(TELL, site_database, note_event)                                                             \
    E(TELL, site_database, progress)                                                               \
    E(TELL, site_database, beacon_seen)                                                            \
    E(TELL, status_manager, progress)
ACTOR_EDGES(GATEWAY_EDGES)

typedef struct order {
    uint64_t number; /* 0: none */
    request_t request;
    kept_t *call;  /* agent_call */
    uint64_t sent; /* bytes of content */
    uint64_t turn; /* it has a turn of so many; 0: all that it needs */
} order_t;

typedef struct gateway_link gateway_link_t; /* that agents share; see gateway_rates.c */
typedef struct named_set named_set_t;       /* what a version names; see gateway_named.c */

/* In which content may be sent, by the wall clock: shut from known to opens, open from there to
 * closes. What it shows beyond, nobody has said. Of many: what all of them are known for. */
typedef struct window {
    bool is;
    int64_t known_ns, opens_ns, closes_ns;
} window_t;

/* The plain connection of an agent, for bytes of data alone. */
typedef struct plain {
    bool wanted;      /* by the operator */
    uint32_t failed;  /* in a row; PLAIN_FAILURES_MAX: it is not tried any more */
    uint64_t number;  /* of the ticket that it was told in this visit; 0: none */
    digest_t ticket;  /* while nobody has said it */
    int64_t since_ns; /* it was told */
    uint8_t peer[255];
    uint8_t peer_size; /* 0: it has no plain connection */
    bool carries;      /* what is sent of the need in hand */
} plain_t;

typedef struct agent {
    char dp[NAME_BYTES_MAX + 1];
    id128_t incarnation;
    digest_t token, key, signing;
    bool revoked, listed;                    /* listed: by the last answer of the database */
    char knows[AGENT_ADDRESS_BYTES_MAX + 1]; /* of the site's addresses; "": that is not known */
    pace_t pace;
    /* the visit */
    bool here, told; /* told: the site's address, in this visit */
    int64_t told_ns;
    struct agent *earlier, *later; /* of those that are here */
    id128_t visit;                 /* the agent's own word for it */
    uint8_t peer[255];
    uint8_t peer_size;
    int64_t heard_ns;
    credit_t credit;
    uint64_t offered; /* by the agent: its window is no larger */
    order_t order[AGENT_ORDERS_MAX];
    kept_t *need;       /* agent_need in hand */
    named_set_t *named; /* of the version that it needs something of; NULL: none */
    uint64_t asked;     /* the database, whether it may have that version; 0: nothing */
    uint32_t next;      /* its first range that was not sent whole */
    uint64_t sent;      /* bytes of that range */
    uint64_t
        job; /* that reads for it; 0: none. An answer to another one is for a visit that ended */
    uint64_t taken;    /* bytes of credit that it has */
    bool read_in_vain; /* it reads for a need that another has taken the place of */
    bucket_t rate;
    gateway_link_t *link; /* that it shares; NULL: none */
    window_t window;
    plain_t plain;
    uint64_t beacon; /* the last one that it has seen; 0: that is not known */
    uint64_t beacon_told;
    uint32_t notes; /* that became events, since: */
    int64_t notes_ns;
    /* the line of those that wait for a turn, without those that sleep */
    struct agent *before, *behind;
    uint64_t place;
    bool in_line, asleep;
} agent_t;

/* The agent of a point that was removed, until it knows that: its key opens the door for nothing
 * else. */
typedef struct gone {
    id128_t incarnation; /* of the point */
    digest_t key;
    bool listed;
    uint8_t peer[255]; /* where it was heard last */
    uint8_t peer_size;
} gone_t;

/* Events of one agent's own words within GATEWAY_NOTES_MS; what is beyond is let go, and how a
 * program ended is said again. */
#define GATEWAY_NOTES_MAX 256u
#define GATEWAY_NOTES_MS  60000u

/* Who waits for the database's word. */
typedef struct joining {
    bool used;
    uint8_t peer[255];
    uint8_t peer_size;
} joining_t;
#define GATEWAY_JOINING_MAX 64u /* at one time; a further one is refused (busy) */

/* Who knocked with a key that the gateway does not know: the database is asked whose it is. */
typedef struct looked_for {
    bool used;
    request_t request;
    digest_t key;
} looked_for_t;
#define GATEWAY_LOOKS_MAX 16u /* at one time; a further one is refused (busy), and knocks again */

/* Who waits until an agent whose key was revoked is shut out: that the database says so, too. */
typedef struct shutting {
    bool used;
    request_t request;
    char dp[NAME_BYTES_MAX + 1];
} shutting_t;
#define GATEWAY_SHUTS_MAX 64u /* at one time; a further one is refused (busy) */

/* What a job reads at this moment, and for whom the same is to come next waits for it. */
typedef struct reading_now {
    uint64_t job;
    const named_set_t *named; /* compared alone: it may be gone */
    range_t range;
} reading_now_t;
#define GATEWAY_READS_MAX 64u /* at one time that others wait for; a further one is not shared */

typedef struct agent_gateway {
    kept_t *args;
    id128_t site;
    keys_t keys;
    bool listens, listed, has_keys;
    bool listing, changed; /* the database is telling its agents; some changed meanwhile */
    uint32_t ones;         /* that changed, and are being told one by one */
    uint64_t told_rows;    /* agents and tombstones that it has told so far */
    zhashx_t *agent;       /* lower-case name -> agent_t */
    zhashx_t *user;        /* hex of a key, or of a token's -> agent_t, borrowed */
    zhashx_t *gone;        /* hex of a key -> gone_t */
    zhashx_t *by_peer;     /* hex of a connection -> agent_t that is here by it, borrowed */
    zhashx_t *by_job;      /* number of a job that reads -> agent_t, borrowed */
    zhashx_t *ticket;      /* hex of one that nobody has said yet -> agent_t, borrowed */
    joining_t joining[GATEWAY_JOINING_MAX];
    looked_for_t looked_for[GATEWAY_LOOKS_MAX];
    shutting_t shutting[GATEWAY_SHUTS_MAX];
    outbox_t outbox, plain; /* plain: of the link whose connections are not encrypted */
    credit_t all;
    bucket_t rate;         /* of the site */
    zhashx_t *link;        /* lower-case name -> gateway_link_t */
    agent_t *first, *last; /* of the line */
    uint64_t places;       /* in it, that were given so far */
    uint64_t numbers;      /* of orders */
    uint64_t jobs;         /* that read, so far */
    uint64_t strangers;    /* knocks of those nobody knows */
    uint64_t odd;          /* frames that were refused */
    uint64_t in_vain;      /* orders for agents that are not here */
    reading_now_t read[GATEWAY_READS_MAX];
    uint32_t reads;
    uint32_t here, paired;           /* agents; and of them those with a plain connection */
    agent_t *here_first, *here_last; /* as they came */
    bool is_stale;                   /* what follows, by what the database has said since */
    uint64_t slowest; /* rate of an agent, or a link of one, at the last look; 0: none has any */
    window_t windows; /* of all agents that have some */
    uint64_t sent, packed;                     /* bytes of content, and as they were on the wire */
    uint64_t in_plain;                         /* of these, unencrypted */
    uint64_t unknown;                          /* words of strangers on plain connections */
    uint64_t beacon;                           /* the last one that was made; 0: none yet */
    kept_t *beacon_said;                       /* it, while not all that are here were told */
    agent_t *beacon_next;                      /* who is told next; NULL: nobody */
    char address[AGENT_ADDRESS_BYTES_MAX + 1]; /* that agents are told; "": none was set */
    bool stranded; /* who knows no address at which we listen was told about */
    void *memory;  /* AGENT_MEMORY_BYTES: the frame in hand */
    named_set_t *named[AGENT_NAMED_SETS_MAX];
    uint32_t named_count;
    uint64_t named_names; /* of all sets */
} agent_gateway_t;

/* gateway_list.c */
/* All of them, after the list in hand. */
actor_next_t list_anew(actor_ctx_t *ctx, agent_gateway_t *self);
/* When it knows the agents and its keys. */
void list_make_ready(actor_ctx_t *ctx, const agent_gateway_t *self);
/* News of some agent is under way: who is not known may be it. */
bool list_is_open(const agent_gateway_t *self);
actor_next_t list_all(actor_ctx_t *ctx, agent_gateway_t *self);
actor_next_t list_changed(actor_ctx_t *ctx, agent_gateway_t *self, const agents_changed_t *m);
/* What the database says of one agent, or of none. */
void list_take_one(actor_ctx_t *ctx, agent_gateway_t *self, const agents_listed_t *m);

/* gateway_shut.c: an agent whose key was revoked; answered when that key is good for nothing. */
actor_next_t shut_agent(actor_ctx_t *ctx, agent_gateway_t *self, const agent_shut_t *m);

/* gateway_table.c */
void table_init(agent_gateway_t *self);
void table_drop(agent_gateway_t *self);
void table_describe(const void *state, char *text, size_t size);
/* What the database lists, from table_begin to table_end: then the visits of those that may be here
 * no more have ended, and their keys open nothing. */
void table_begin(agent_gateway_t *self);
void table_add(actor_ctx_t *ctx, agent_gateway_t *self, const agents_listed_t *m);
/* Of one agent that has changed, outside of the list of all. */
void table_change(actor_ctx_t *ctx, agent_gateway_t *self, const agents_listed_t *m);
void table_end(actor_ctx_t *ctx, agent_gateway_t *self);
agent_t *table_by_name(const agent_gateway_t *self, slice_t dp);
bool table_key(slice_t name, char key[NAME_BYTES_MAX + 1]); /* in lower case; false: too long */
/* Whose key, or token, this is; NULL: a stranger's. */
agent_t *table_by_user(const agent_gateway_t *self, slice_t user);
bool table_is_token(const agent_t *agent, slice_t user);
/* Ends what is in hand for an agent: whoever waits hears this. */
void visit_end(actor_ctx_t *ctx, agent_gateway_t *self, agent_t *agent, err_t err);
void visit_begin(actor_ctx_t *ctx, agent_gateway_t *self, agent_t *agent, slice_t peer,
                 const agent_hello_t *hello);
/* Says something; an agent that cannot be told any more is gone. */
void visit_say(actor_ctx_t *ctx, agent_gateway_t *self, agent_t *agent, const record_type_t *type,
               const void *record);

/* gateway_here.c */
void here_init(agent_gateway_t *self);
void here_drop(agent_gateway_t *self);
/* A visit by agent->peer; and its end, also of the job that reads for it. */
void here_in(agent_gateway_t *self, agent_t *agent);
void here_out(agent_gateway_t *self, agent_t *agent);
agent_t *here_by_peer(const agent_gateway_t *self, slice_t peer); /* NULL: nobody */
void here_read_begins(agent_gateway_t *self, agent_t *agent, uint64_t job);
void here_read_ends(agent_gateway_t *self, agent_t *agent);
agent_t *here_by_job(const agent_gateway_t *self, uint64_t job); /* NULL: its visit has ended */
/* slowest and windows, when something was said of an agent since. */
void here_sum_up(agent_gateway_t *self);

/* gateway_gone.c */
void gone_init(agent_gateway_t *self);
void gone_drop(agent_gateway_t *self);
void gone_begin(agent_gateway_t *self);
void gone_add(agent_gateway_t *self, const agent_row_t *row);
void gone_end(actor_ctx_t *ctx, agent_gateway_t *self);
/* NULL: no agent of a removed point. */
gone_t *gone_by_user(const agent_gateway_t *self, slice_t user);
/* The agent is connected while its point goes: it is told at once. */
void gone_tell_visitor(actor_ctx_t *ctx, agent_gateway_t *self, const agent_t *agent);
void gone_hear(actor_ctx_t *ctx, agent_gateway_t *self, gone_t *gone, const peer_came_t *m);

/* gateway_address.c */
/* The database says where agents are to find the site. */
void address_set(agent_gateway_t *self, slice_t address);
/* Tells those who are here and do not know it. */
void address_tell(actor_ctx_t *ctx, agent_gateway_t *self, agent_t *agent);
void address_tell_all(actor_ctx_t *ctx, agent_gateway_t *self);
/* And again who was told a while ago, and has not said that it knows: its disk may be full. */
void address_look(actor_ctx_t *ctx, agent_gateway_t *self, agent_t *agent);
bool address_heard(actor_ctx_t *ctx, const agent_gateway_t *self, agent_t *agent,
                   const agent_moved_t *m);

/* gateway_beacon.c */
actor_next_t beacon_due(actor_ctx_t *ctx, agent_gateway_t *self);
/* Tells the next portion of those that are here. */
actor_next_t beacon_go_on(actor_ctx_t *ctx, agent_gateway_t *self);
/* What an agent says that it has seen, as far as it may be true. */
void beacon_heard(actor_ctx_t *ctx, const agent_gateway_t *self, agent_t *agent, uint64_t seen);

/* gateway_plain.c */
/* Whether the operator wants it for this agent: if not, at once. */
void plain_know(actor_ctx_t *ctx, agent_gateway_t *self, agent_t *agent, bool wanted);
/* Tells an agent that is here and has none where it may have a plain connection. */
void plain_offer(actor_ctx_t *ctx, agent_gateway_t *self, agent_t *agent);
void plain_end(actor_ctx_t *ctx, agent_gateway_t *self, agent_t *agent); /* with its visit */
void plain_hear(actor_ctx_t *ctx, agent_gateway_t *self, const peer_came_t *m);
/* A frame could not be sent there; "": none of them. */
void plain_gone(actor_ctx_t *ctx, agent_gateway_t *self, slice_t peer);
void plain_beat(actor_ctx_t *ctx, agent_gateway_t *self, agent_t *agent);
void plain_look(actor_ctx_t *ctx, agent_gateway_t *self, agent_t *agent);
/* What comes for a need goes one way, from its first byte to its last. */
void plain_choose(agent_t *agent, const agent_need_t *m);
void plain_arrived(agent_t *agent);
/* Bytes of data, by that way. */
void plain_say(actor_ctx_t *ctx, agent_gateway_t *self, agent_t *agent, const agent_data_t *m);
/* How an order ended of which bytes went that way. */
void plain_judge(actor_ctx_t *ctx, agent_t *agent, const agent_done_t *m);

/* gateway_join.c */
actor_next_t join_knock(actor_ctx_t *ctx, agent_gateway_t *self, const door_knock_t *m);
bool join_enrol(actor_ctx_t *ctx, agent_gateway_t *self, slice_t peer, const agent_t *agent,
                const agent_enrol_t *m);
void join_refuse(actor_ctx_t *ctx, agent_gateway_t *self, slice_t peer, err_t err);
/* To a peer that has no visit. */
void join_say(actor_ctx_t *ctx, agent_gateway_t *self, slice_t peer, const record_type_t *type,
              const void *record);

/* gateway_hear.c */
actor_next_t hear_frame(actor_ctx_t *ctx, agent_gateway_t *self, const peer_came_t *m);
bool hear_is_of_visit(const agent_t *agent, slice_t peer);

/* gateway_orders.c */
actor_next_t orders_call(actor_ctx_t *ctx, agent_gateway_t *self, const agent_call_t *m);
/* Others wait for the agent: the work on this target ends after its turn, with what was sent. */
actor_next_t orders_make_way(actor_ctx_t *ctx, agent_gateway_t *self, const make_way_t *m);
/* Ends the order of a need that had its turn, when all that was sent for it is durable. */
void orders_look_at_turn(actor_ctx_t *ctx, agent_gateway_t *self, agent_t *agent);
bool order_had_its_turn(const order_t *order);
actor_next_t orders_end(actor_ctx_t *ctx, agent_gateway_t *self, const agent_end_t *m);
/* Ends the orders whose answers nobody waits for any more. */
void orders_look(actor_ctx_t *ctx, agent_gateway_t *self, agent_t *agent);
order_t *orders_of(agent_t *agent, uint64_t number);
/* Whether what it lacks is sent: of a version that is placed or measured, or of the manifest of one
 * that is taken away or read again. What else there is has no store. */
bool orders_needs(const order_t *order);
bool orders_is_work(const order_t *order); /* what is sent for it is content, and no list alone */
/* False: the agent said what nobody asked. */
bool orders_done(actor_ctx_t *ctx, agent_gateway_t *self, agent_t *agent, const agent_done_t *m);
bool orders_progress(actor_ctx_t *ctx, agent_gateway_t *self, agent_t *agent,
                     const agent_progress_t *m);
/* gateway_activate.c: how its own program ended is noted. */
bool activate_heard(actor_ctx_t *ctx, agent_t *agent, const agent_activated_t *m);
/* gateway_seeds.c: what an agent says of its seed is told. */
bool orders_seeded(actor_ctx_t *ctx, const agent_gateway_t *self, agent_t *agent,
                   const agent_seeded_t *m);
bool orders_indexed(actor_ctx_t *ctx, const agent_gateway_t *self, agent_t *agent,
                    const agent_indexed_t *m);
/* Deltas gave other bytes at the agent: told once for each order that meets it. */
void seeds_delta_refused(actor_ctx_t *ctx, agent_t *agent, const order_t *order, uint64_t count);
/* Whether what the agent says may become an event now: then it counts as one. */
bool seeds_may_note(const actor_ctx_t *ctx, agent_t *agent);
void order_free(order_t *order);

/* gateway_window.c */
void window_know(agent_t *agent, const agent_row_t *row);
/* Whether nothing may be sent for this order now; whether that is because a window has closed. */
bool window_shuts_out(const actor_ctx_t *ctx, const agent_t *agent, const order_t *order);
bool window_has_closed(const actor_ctx_t *ctx, const agent_t *agent, const order_t *order);
void window_add(window_t *all, const window_t *window);
/* Whether the clock shows a time for which some agent's window is not known: after here_sum_up. */
bool window_is_to_be_asked(const actor_ctx_t *ctx, const agent_gateway_t *self);

/* An agent said what it may not: it is told so, and its visit ends. */
void hear_odd(actor_ctx_t *ctx, agent_gateway_t *self, agent_t *agent, slice_t peer, err_t err);

/* gateway_named.c */
/* The agent is sent something of this version, against what it has; false: no room for another one
 * now. */
bool named_want(actor_ctx_t *ctx, agent_gateway_t *self, agent_t *agent, slice_t store,
                const digest_t *root, const digest_t *have);
void named_leave(agent_gateway_t *self, agent_t *agent);
void named_drop(agent_gateway_t *self);
/* Whether what the agent's version names is known; whether that is all of the need. */
bool named_known(const agent_t *agent);
/* What a range may be sent against: what it names, when that is of the version that the agent has;
 * of a chunk, the chunk of that version which is most like it. */
void named_base(const agent_t *agent, range_t *range);
bool named_all(const agent_t *agent, const agent_need_t *need);

/* gateway_line.c: whoever has a turn goes to the end. One that is in line already is woken. */
void line_in(agent_gateway_t *self, agent_t *agent);
void line_out(agent_gateway_t *self, agent_t *agent);
/* Of one in line, awake: it is passed over until it wakes, and has its place then. */
void line_sleep(agent_gateway_t *self, agent_t *agent);
void line_wake(agent_gateway_t *self, agent_t *agent);
/* Who lacks nothing any more waits for no turn. */
void line_settle(agent_gateway_t *self, agent_t *agent);

/* gateway_rates.c */
void rates_init(agent_gateway_t *self);
/* What the database lists of rates, from rates_begin to rates_end. */
void rates_begin(agent_gateway_t *self);
void rates_end(agent_gateway_t *self);
uint64_t rates_of_link(const agent_t *agent); /* 0: no limit, or no link */
void rates_know(agent_gateway_t *self, agent_t *agent, const agents_listed_t *m,
                const agent_row_t *row, int64_t now_ns);
/* What may be sent to it now; 0: *wait_ns is no longer than until when. */
uint64_t rates_room(agent_gateway_t *self, agent_t *agent, int64_t now_ns, int64_t *wait_ns);
void rates_take(agent_gateway_t *self, agent_t *agent, uint64_t bytes);
void rates_give(agent_gateway_t *self, agent_t *agent, uint64_t bytes);

/* gateway_older.c: the need is of a version that its order does not name, so it waits until the
 * database says that the point may still hold that one. */
void older_ask(actor_ctx_t *ctx, agent_gateway_t *self, agent_t *agent, const work_t *work);
bool older_is(const agent_need_t *need, const work_t *work);

/* gateway_content.c */
/* What the agent needs is of a version that it may be sent, or not, and why. */
void content_allowed(actor_ctx_t *ctx, agent_gateway_t *self, agent_t *agent, err_t err);
/* The names of the agent's version have come, or why there are none. */
void content_named(actor_ctx_t *ctx, agent_gateway_t *self, agent_t *agent, err_t err);
bool content_need(actor_ctx_t *ctx, agent_gateway_t *self, agent_t *agent, const agent_need_t *m);
bool content_durable(actor_ctx_t *ctx, agent_gateway_t *self, agent_t *agent,
                     const agent_durable_t *m);
/* What may be sent to it at this moment; 0: nothing. */
uint64_t content_room(const actor_ctx_t *ctx, agent_gateway_t *self, agent_t *agent,
                      int64_t *wait_ns);
/* Goes on in its need behind what is sent; returns the bytes that that takes. */
uint64_t content_pass(agent_gateway_t *self, agent_t *agent, const agent_data_t *m);
/* gateway_share.c: a job begins to read what comes next for the agent, and has ended; whether one
 * reads the same at this moment. */
void share_begin(agent_gateway_t *self, const agent_t *agent, uint64_t job);
void share_end(agent_gateway_t *self, uint64_t job);
bool share_waits(const agent_gateway_t *self, const agent_t *agent);
/* What was read for one, to all others that lack it next; named is its set. */
void share_read(actor_ctx_t *ctx, agent_gateway_t *self, const agent_t *reader,
                const named_set_t *named, const agent_data_t *m, uint64_t bytes);
/* Sends to whom there is something to send, as far as credit goes. */
void content_go_on(actor_ctx_t *ctx, agent_gateway_t *self);
/* So many bytes are on their way to it from now on. */
void content_take(actor_ctx_t *ctx, agent_gateway_t *self, agent_t *agent, uint64_t bytes);
/* The window of its visit is what comes through in time, and no more than it offered. */
void content_set_window(agent_t *agent);
