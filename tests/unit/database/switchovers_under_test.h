/* switchovers_under_test.h - short ways to say what switches later, for claims about that.
 *
 * Shape    a site with P1 and the points a, b, c; promises and switches carry out what is due.
 * Threads  one.
 */
#pragma once

#include "site_under_test.h"

#include <string.h>

#define S       INT64_C(1000000000)
#define BARRIER true
#define ALONE   false

static inline void
make_later(site_t *site, const char *to, bool barrier, int64_t at_s, int64_t deadline_s)
{
    make_distribute(site, "P1", to);
    distribute_t *m = (distribute_t *) site->message.base;
    m->barrier = barrier;
    m->activate_at = at_s == 0 ? 0 : WALL_START + at_s * S;
    m->deadline = deadline_s == 0 ? 0 : WALL_START + deadline_s * S;
}

static inline void
later(site_t *site, const char *to, bool barrier, int64_t at_s, int64_t deadline_s)
{
    make_later(site, to, barrier, at_s, deadline_s);
    cr_assert(ASK(site, distribute, targets_changed)->changed);
}

static inline void
clock_is(site_t *site, int64_t seconds)
{
    world_sim_set_wall(site->sim, WALL_START + seconds * S);
    site->run.byte[0]++;
    (void) due(site);
}

static inline switchover_row_t
switchover(site_t *site)
{
    status_t *m = MAKE(site, status);
    HEAD(site, m);
    m->id = site_text(site, "P1");
    const status_of_t *answer = ASK(site, status, status_of);
    cr_assert_eq(answer->switchover.count, 1u);
    return *ROW(answer, answer->switchover, 0, switchover_row_t);
}

#define is_in(site, s)                                                                             \
    do {                                                                                           \
        switchover_row_t is_ = switchover(site);                                                   \
        cr_assert_eq(is_.state, (uint32_t) (s), "it is %s, expected %s",                           \
                     switchover_state_words.word[is_.state], switchover_state_words.word[s]);      \
    } while (0)

#define state_is(site, dp, s)                                                                      \
    do {                                                                                           \
        shown_t is_ = shown((site), "P1", (dp));                                                   \
        cr_assert_eq(is_.state, (s), "%s is %s, expected %s", (dp),                                \
                     target_state_words.word[is_.state], target_state_words.word[s]);              \
    } while (0)

/* Of all that is due, this: a run of before has forgotten what it took up. */
static inline due_row_t
next_on(site_t *site, const char *dp)
{
    site->run.byte[0]++;
    return due_on(site, dp);
}

static inline bool
is_due(site_t *site, const char *dp)
{
    site->run.byte[0]++;
    const due_t *taken = due(site);
    for (uint32_t i = 0; i < taken->targets.count; i++) {
        const due_row_t *row = ROW(taken, taken->targets, i, due_row_t);
        if (slice_equal(record_slice(taken, row->dp), slice_of(dp))) {
            return true;
        }
    }
    return false;
}

static inline void
promises(site_t *site, const char *dp)
{
    due_row_t row = next_on(site, dp);
    cr_assert_eq(row.action, ACTION_STAGE, "%s is told to %s", dp, action_words.word[row.action]);
    begun(site, &row);
    cr_assert_eq(outcome(site, &row, OK, TARGET_PROMISED, 1, RECORD_NONE), OK);
}

static inline void
switches(site_t *site, const char *dp)
{
    due_row_t row = next_on(site, dp);
    cr_assert_eq(row.action, ACTION_INSTALL, "%s is told to %s", dp, action_words.word[row.action]);
    begun(site, &row);
    cr_assert_eq(outcome(site, &row, OK, TARGET_INSTALLED, 1, RECORD_NONE), OK);
}

/* P1, and points a, b, c on which it is wanted nowhere. */
static inline site_t *
three_points(void)
{
    site_t *site = site_start();
    package_is(site, "P1", 1);
    for (const char *name = "abc"; *name; name++) {
        point_is(site, (char[]){*name, 0});
    }
    return site;
}
