/* site_under_test.h - a database on a simulated machine, and short ways to say things to it.
 *
 * Shape    site_start, then SAY and say_* ask one message as a group of its own; add and run make
 *          larger groups; shown looks at one target as status shows it.
 * Promises every answer is checked to be a record before it is looked at.
 */
#pragma once

#include <criterion/criterion.h>

#include "actors/database/connection.h"
#include "actors/database/group.h"
#include "proto/limits.h"
#include "proto/status.h"
#include "runtime/world_sim.h"

#define MESSAGES_MAX 300

typedef struct site {
    world_sim_t *sim;
    world_t *world;
    connection_t *db;
    draft_t message, order, answers;
    uint32_t count; /* messages added to the next group */
    struct {
        uint32_t number, size;
        uint64_t *record;
    } added[MESSAGES_MAX];
    const char *key; /* of the next commands; NULL: none */
    bool dry_run;
    id128_t run;
} site_t;

#define WALL_START INT64_C(1790000000000000000)

site_t *site_start(void);          /* a new site on a new machine */
site_t *two_points(void);          /* a new site: P1 on DP1 and DP2, pending */
site_t *site_on(world_sim_t *sim); /* not opened */
err_t site_open(site_t *site, fault_t *fault);
void site_close(site_t *site); /* the connection and the job; the machine stays */
void site_reopen(site_t *site);
void site_end(site_t *site);

/* A message in the making. */
void *site_make(site_t *site, const record_type_t *type);
#define MAKE(site, message) ((message##_t *) site_make((site), &message##_type))
text_t site_text(site_t *site, const char *text);
texts_t site_texts(site_t *site, const char *names); /* separated by commas */
#define HEAD(site, m)                                                                              \
    do {                                                                                           \
        (m)->key = site_text((site), (site)->key);                                                 \
        (m)->principal = site_text((site), "tester");                                              \
        (m)->dry_run = (site)->dry_run;                                                            \
    } while (0)

void add(site_t *site,
         const record_type_t *type); /* the message in the making, to the next group */
const group_answers_t *run(site_t *site);
/* The i-th answer of the last group, as this message; fails the test when it is another. */
const void *answer(site_t *site, uint32_t index, const record_type_t *type);
#define ANSWERED(site, index, message)                                                             \
    ((const message##_t *) answer((site), (index), &message##_type))
const void *ask(site_t *site, const record_type_t *type, const record_type_t *answer_type);
#define ASK(site, message, answered)                                                               \
    ((const answered##_t *) ask((site), &message##_type, &answered##_type))
err_t refusal_of(site_t *site, const record_type_t *type); /* asks it; OK when it was not refused */
#define REFUSED(site, message) refusal_of((site), &message##_type)
/* A text of the last answer looked at. */
slice_t said(const void *record, text_t text);
#define eq_text(record, text, expected)                                                            \
    cr_assert(slice_equal(said((record), (text)), slice_of(expected)),                             \
              "got '%.*s', expected '%s'", (int) said((record), (text)).size,                      \
              said((record), (text)).data, (expected))

/* Commands, made but not asked. */
void make_version(site_t *site, bool is_new, const char *id, int root);
void make_point(site_t *site, bool is_new, const char *name, int incarnation);
void make_distribute(site_t *site, const char *id, const char *to);
void make_withdraw(site_t *site, const char *id, const char *from);
void make_cancel(site_t *site, const char *id, const char *dp);
void make_retry(site_t *site, const char *id, const char *dp);
void make_rollback(site_t *site, const char *id, const char *version);
target_outcome_t *make_outcome(site_t *site, const due_row_t *row, err_t err, target_state_t next,
                               uint32_t attempts, uint64_t due_ms);

/* Commands that must be accepted. */
void package_is(site_t *site, const char *id, int root);      /* added */
bool package_updated(site_t *site, const char *id, int root); /* whether it changed */
void point_is(site_t *site, const char *name);
bool distributed(site_t *site, const char *id, const char *to);
bool withdrawn(site_t *site, const char *id, const char *from);
bool cancelled(site_t *site, const char *id, const char *dp);
bool retried(site_t *site, const char *id, const char *dp);
const due_t *due(site_t *site); /* takes up what is due */
/* The due row of this package and point, copied; fails when it is not due. */
due_row_t due_on(site_t *site, const char *dp);
void begun(site_t *site, const due_row_t *row);
err_t outcome(site_t *site, const due_row_t *row, err_t err, target_state_t next, uint32_t attempts,
              uint64_t due_ms);
void installed(site_t *site, const char *dp); /* takes up, begins and ends it well */
void removed(site_t *site, const char *dp);

typedef struct shown {
    bool there;
    target_state_t state;
    uint64_t wanted, have;
    uint32_t attempts;
    int64_t due, unknown_since;
    err_t cause;
    uint64_t need, free, bytes_done;
} shown_t;
shown_t shown(site_t *site, const char *id, const char *dp);
package_state_t package_shown_state(site_t *site, const char *id);
uint64_t events_of(site_t *site, uint32_t id); /* how many there are */
uint64_t last_event(site_t *site);
digest_t root_of(int root);
