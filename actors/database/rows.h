/* rows.h - packages, points and targets as structs: read, changed by rule, written back.
 *
 * Shape    x_by_...(tx, ..., &x) reads one and says whether it is there; targets are changed
 *          through target_want, target_remove, ... and written by target_save, with its event.
 * Promises a target is in exactly one state, with its due time, its lease, or its named cause;
 *          every change of it that obsoletes work in hand raises its revision and has that work
 *          stopped; the state of a package is package_state and nothing else.
 * Threads  one job.
 */
#pragma once

#include "actors/database/events.h"
#include "proto/limits.h"

typedef struct package {
    int64_t row;
    char id[NAME_BYTES_MAX + 1];
    id128_t incarnation;
    uint32_t name_size, source_size, label_size;
    char name[TEXT_BYTES_MAX], source[PATH_BYTES_MAX], label[LABEL_BYTES_MAX];
    uint64_t epoch, next_epoch;
    bool removing;
    bool links_inside; /* symbolic links that lead out of its tree are refused */
    digest_t root;
    uint64_t files, directories, links, bytes, not_carried;
    uint64_t unique_bytes, stored_bytes; /* RECORD_NONE: nobody counted them then */
} package_t;

/* How far a point is on its way out, as its row has it. */
enum { POINT_KEPT = 0, POINT_LEAVES = 1, POINT_EMPTIED = 2 };

typedef struct point {
    int64_t row;
    char name[NAME_BYTES_MAX + 1];
    id128_t incarnation;
    uint32_t root_size;
    char root[PATH_BYTES_MAX];
    bool paused, removing;
    bool emptied;                /* it is removing, and only its identity is still at its root */
    int64_t absent_since, added; /* wall ns; 0: it is there */
    uint64_t rate;               /* bytes a second; 0: no limit */
    uint64_t measured;           /* bytes a second of the last transfer there; 0: not known */
    char link[NAME_BYTES_MAX + 1];
    uint32_t seed_size;
    char seed[AGENT_PATH_BYTES_MAX]; /* a directory on its agent's machine */
    bool plain;                      /* content may go there unencrypted */
    bool read_only;                  /* versions are placed there less the right to write */
} point_t;

typedef struct target {
    int64_t row, package, point; /* row 0: it is new, and target_save makes the row */
    uint32_t state;
    uint64_t wanted, have; /* epochs; have 0: nothing */
    digest_t have_root;
    uint32_t attempts, of, integrity;
    int64_t due, since; /* wall ns */
    int64_t look;       /* when due_targets is to see it; 0: it is taken, or waits for a person */
    err_t cause;
    uint32_t cause_text_size;
    char cause_text[TEXT_BYTES_MAX];
    uint64_t need, space; /* RECORD_NONE: no matter of space */
    uint64_t sent; /* by the try that just ended; RECORD_NONE: none did. Only its event has it */
    uint64_t revision;
    bool taken; /* by distribution_manager's present run */
    uint32_t slot;
    uint32_t priority; /* priority_t */
    uint32_t ring;     /* of its package's rollout, from 1; 0: none */
    uint32_t turn;     /* turn_t: of its package's switchover */
    int64_t promised;  /* wall ns since when promised_epoch is staged at its point; 0: none is */
    uint64_t promised_epoch;
    bool held;     /* that ring has not begun, or was stopped */
    bool windowed; /* its point has windows */
    int64_t told;  /* wall ns: the end of the window that was told to be too short; 0: none was */
    /* of its package, point and versions */
    char package_id[NAME_BYTES_MAX + 1], dp[NAME_BYTES_MAX + 1];
    id128_t package_incarnation, dp_incarnation;
    uint32_t dp_root_size, label_size, have_label_size, seed_size;
    char seed[AGENT_PATH_BYTES_MAX];
    char dp_root[PATH_BYTES_MAX], label[LABEL_BYTES_MAX], have_label[LABEL_BYTES_MAX];
    bool paused, read_only;
    digest_t root;
    uint64_t bytes;
    int64_t absent_since; /* of its point, wall ns; 0: it is there */
    /* as it was read, to see what changed */
    uint32_t old_state, old_attempts;
    err_t old_cause;
} target_t;

typedef enum turn {
    TURN_NONE,
    TURN_STAGES, /* it is staged, and does not switch */
    TURN_GOES    /* the switch is decided */
} turn_t;

#define SLICE_OF(of, field) ((slice_t){(of)->field, (of)->field##_size})

/* ---- the site ---- */

uint32_t site_slots(tx_t *tx);                   /* of the despooler; 0: it is disabled */
bool site_set_scrub(tx_t *tx, uint64_t rate);    /* whether it changed */
int64_t point_scrubbed(tx_t *tx, int64_t point); /* wall ns; 0: never whole */
void store_reading_fill(tx_t *tx, uint64_t rest_ms, scrub_due_t *due);
uint64_t site_rate(tx_t *tx);                         /* bytes a second; 0: no limit */
void site_set_address(tx_t *tx, const site_set_t *m); /* agents.c */
uint64_t site_incarnation(tx_t *tx); /* 1, and one more for each restore from a backup */

/* ---- packages ---- */

bool package_by_id(tx_t *tx, slice_t id, package_t *ret);
bool package_by_row(tx_t *tx, int64_t row, package_t *ret);
bool package_next(tx_t *tx, slice_t after, package_t *ret); /* in the order of ids */
/* Refuses not-found when it is not there. */
bool package_need(tx_t *tx, const char *verb, slice_t id, package_t *ret);
/* A version of it by label or epoch; false: refused, with what there is. */
bool rollback_find(tx_t *tx, const package_t *package, const char *verb, const char *joint,
                   slice_t to, package_t *ret);
uint32_t package_state(tx_t *tx, int64_t row);
/* The epoch, root and figures in it are a version of it from now on, the newest. */
void package_keep_version(tx_t *tx, const package_t *package);
/* Every target that is to have the package wants that version from now on. */
void package_move_targets(tx_t *tx, const package_t *package);
/* The answer, for what its version's row does not have. */
package_done_t *package_answer_version(tx_t *tx, const package_t *package, bool changed);
/* A package being removed goes when nothing of it is left anywhere. */
void package_finish(tx_t *tx, int64_t row);
/* The events of packages whose state is no longer what it was when they were watched. */
void packages_announce(tx_t *tx);
void event_of_package(event_draft_t *event, const package_t *package, uint32_t id);

/* ---- points ---- */

bool point_by_name(tx_t *tx, slice_t name, point_t *ret);
bool point_by_row(tx_t *tx, int64_t row, point_t *ret);
/* That holds for it: its own, of its link, of the site; 0: no limit. */
uint64_t rate_of_point(tx_t *tx, const point_t *point);
bool point_next(tx_t *tx, slice_t after, point_t *ret); /* in the order of names */
bool point_need(tx_t *tx, const char *verb, slice_t name, point_t *ret);
/* Forgets a point and its targets, with its event; its agent is told when it comes. */
void point_delete(tx_t *tx, const point_t *point);
void agent_bury(tx_t *tx, const point_t *point);
/* That agents are told, into the answer; empty: none was set. */
text_t site_address(tx_t *tx);
/* Whether points leave that are there and hold nothing. */
bool points_leave(tx_t *tx);
/* Marks a point absent or present again, with its event; nothing when it is so already. */
/* absence: why it is not there; OK: it is, and `why` tells more (or NULL). */
void point_set_absent(tx_t *tx, int64_t row, err_t absence, const char *why);
/* It is back: its targets are due, also those that were tried too often. Tells whether one of those
 * was failed, so that it is wanted anew. */
bool point_welcome(tx_t *tx, const point_t *point);
void event_of_point(event_draft_t *event, const point_t *point, uint32_t id);
void point_fill_ref(tx_t *tx, const point_t *point, point_ref_t *ret);
rows_t point_refs(tx_t *tx); /* all points, into the answer */
/* A point that was added is another machine: its token is good for some time. */
void agent_expect(tx_t *tx, const point_t *point, const point_commit_t *m);
/* From a cursor over SQL_POINT_COLUMNS. */
void point_read(const cursor_t *row, point_t *ret);

/* ---- windows: windows.c ---- */

/* Until when a point's windows are as they are; INT64_MAX: for ever. */
typedef struct window_now {
    bool has;  /* there are any */
    bool open; /* also where there are none */
    bool lost; /* their time zone cannot be read: closed, and looked at again soon */
    int64_t until_ns;
    char zone[NAME_BYTES_MAX + 1];
} window_now_t;
window_now_t window_at(tx_t *tx, int64_t point, int64_t wall_ns);
bool point_has_windows(tx_t *tx, int64_t point);
/* The point's windows and their zone are these from now on; whether that is a change. Refuses what
 * is no window, or no zone. */
/* beacons.c */
void beacons_show(const tx_t *tx, const point_t *point, point_row_t *ret);
bool windows_set(tx_t *tx, const point_t *point, const dp_set_t *m);
/* What has opened or closed by now, or is not known by a clock that was set back: its targets go
 * on, or wait. */
void windows_turn(tx_t *tx);
void window_turn(tx_t *tx, int64_t point); /* the same of one point, whatever the time */
int64_t windows_next(tx_t *tx);            /* wall ns; INT64_MAX: there is nothing to come */
/* Whether content may not go to its point now; then it waits for that, and says until when. */
bool target_is_shut(tx_t *tx, const target_t *target, window_now_t *ret_now);
void target_wait_for_window(tx_t *tx, target_t *target, const window_now_t *now);
/* A wall clock's time as it is there. */
void window_text_of(tx_t *tx, const window_now_t *now, int64_t wall_ns, char *text, size_t size);
/* When so much time in which it is open has passed from then on; INT64_MAX: that is not known. */
int64_t window_after(tx_t *tx, int64_t point, int64_t wall_ns, int64_t open_ns);
/* windows_estimate.c */
/* When what is on its way to a point will be there, and whether that is after its window. */
void view_estimate(tx_t *tx, const target_t *target, target_status_t *ret);
/* Tells once for each window that it will not be. */
void estimate_tell(tx_t *tx, uint64_t target);
/* How fast its point is, by a transfer that has ended. */
void estimate_measure(tx_t *tx, const target_t *target);
rows_t window_rows(tx_t *tx, int64_t point); /* that come, into the answer */
void view_windows(tx_t *tx, const point_t *point, point_row_t *ret);
void list_window(tx_t *tx, int64_t point, agent_row_t *ret);

/* ---- targets ---- */

bool target_by_row(tx_t *tx, uint64_t row, target_t *ret);
bool target_of(tx_t *tx, int64_t package, int64_t point, target_t *ret);
/* One after the other, by row, those of a package by point: begin with after 0. Rows may be changed
 * in between. */
bool target_next_of_package(tx_t *tx, int64_t package, int64_t after_point, target_t *ret);
bool target_next_untidied(tx_t *tx, int64_t after, target_t *ret);
bool target_next_of_point(tx_t *tx, int64_t point, int64_t after, target_t *ret);
bool target_next_of_turn(tx_t *tx, int64_t package, turn_t turn, int64_t after, target_t *ret);
bool target_next_of_ring(tx_t *tx, int64_t package, uint32_t ring, int64_t after, target_t *ret);
bool target_next_aside(tx_t *tx, int64_t after, target_t *ret);
bool target_next_due(tx_t *tx, int64_t now_ns, target_t *ret);
void target_read(const cursor_t *row, target_t *ret);

bool
state_is_final(uint32_t state); /* no work is to be done: installed, failed, cancelled, removed */
/* What is in hand for it is to end, and is refused from now on. */
void target_supersede(tx_t *tx, target_t *target);
/* It is not what it was placed as: it leaves installed, and is repaired. */
void target_note_damage(tx_t *tx, target_t *target, slice_t text);
/* Of what its agent keeps: what is placed is as it should be. */
void target_note_kept_damage(tx_t *tx, target_t *target, slice_t text);
/* One that is no row yet: rules apply to it, and the first target_save writes it as it is then. */
void target_new(tx_t *tx, const package_t *package, const point_t *point, target_t *ret);
/* It wants this version, from the first try on. */
void target_want(tx_t *tx, target_t *target, const package_t *package);
/* Whether it wants the versions of its package, one after the other. */
bool target_follows(const target_t *target);
void target_remove(tx_t *tx, target_t *target);
/* Its part in a switchover; a promise stays with it unless it has none any more. */
void target_turn(tx_t *tx, target_t *target, turn_t turn);
/* The version that it wants is staged at its point from now on; and whether it is. */
void target_promise(tx_t *tx, target_t *target);
bool target_is_promised(const target_t *target);
/* What was staged is not there, or not what is wanted any more. */
void target_unpromise(tx_t *tx, target_t *target);
void target_due_now(tx_t *tx, target_t *target);
/* What is in hand for it is taken back and is due at once, in its new place; false: it is there. */
bool target_prioritize(tx_t *tx, target_t *target, uint32_t priority);
void target_set_cause(target_t *target, err_t cause, slice_t text);
/* Writes it, with the event of this id (STATUS_NONE: without). */
void target_save(tx_t *tx, target_t *target, uint32_t status_id);
uint32_t status_of_state(uint32_t state);
/* ahead.c: whether an outcome says that its point knows a later version, and may say so; then the
 * package's version gets the epoch after it. */
bool target_is_ahead(tx_t *tx, const target_t *target, const target_outcome_t *m);
void target_go_above(tx_t *tx, const target_t *target, uint64_t holds);
