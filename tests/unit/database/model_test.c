/* model_test.c - random stories of a site: commands, work, late and lost outcomes, restarts, clocks
 * that jump. After every step the stream folded in its order is what status shows, and every target
 * has a date, a holder or a reason; in the end all are at the last version. */
#include "site_under_test.h"

#include <stdio.h>
#include <string.h>

#define STORIES  80
#define STEPS    80
#define KNOWN    8
#define PACKAGES 2
#define POINTS   3

static const char *const packages[PACKAGES] = {"P1", "P2"};
static const char *const points[POINTS] = {"DP1", "DP2", "DP3"};

typedef struct story {
    site_t *site;
    uint64_t chance, seen;        /* seen: the last event that was folded */
    int folded[PACKAGES][POINTS]; /* -1: no target */
    int disks;                    /* identities drawn so far */
    due_row_t known[KNOWN];       /* work that was taken up at any time: what comes may be late */
    uint32_t known_count;
    char did[64];
} story_t;

static uint32_t
draw(story_t *story, uint32_t bound)
{
    uint64_t z = (story->chance += UINT64_C(0x9e3779b97f4a7c15));
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    return (uint32_t) ((z ^ (z >> 31)) % bound);
}

/* ---- the stream, folded ---- */

static int
place_of(const char *const *names, int count, slice_t name)
{
    for (int i = 0; i < count; i++) {
        if (slice_equal(name, slice_of(names[i]))) {
            return i;
        }
    }
    return -1;
}

static int
state_told(const events_t *events, const event_t *event)
{
    for (uint32_t i = 0; i < event->attrs.count; i++) {
        const pair_t *pair = ROW(events, event->attrs, i, pair_t);
        if (slice_equal(said(events, pair->name), slice_of("state"))) {
            return place_of(target_state_words.word, TARGET_COUNT, said(events, pair->value));
        }
    }
    return -1;
}

static void
fold_one(story_t *story, const events_t *events, const event_t *event)
{
    int package = place_of(packages, PACKAGES, said(events, event->package));
    int point = place_of(points, POINTS, said(events, event->dp));
    for (int i = 0; event->id == STATUS_POINT_REMOVED && i < PACKAGES; i++) {
        story->folded[i][point] = -1;
    }
    if (package >= 0 && point >= 0 && state_told(events, event) >= 0) {
        story->folded[package][point] = state_told(events, event);
    }
    story->seen = event->seq;
}

static void
fold(story_t *story)
{
    status_since_t *m = MAKE(story->site, status_since);
    m->since = story->seen;
    const events_t *events = ASK(story->site, status_since, events);
    for (uint32_t i = 0; i < events->events.count; i++) {
        fold_one(story, events, ROW(events, events->events, i, event_t));
    }
    cr_assert_eq(story->seen, events->last, "the stream has a gap");
}

static int64_t
count_of(story_t *story, const char *text)
{
    int64_t count = 0;
    fault_t fault;
    cr_assert_eq(connection_pragma(story->site->db, text, &count, &fault), OK);
    return count;
}

static void
judge(story_t *story)
{
    fold(story);
    for (int i = 0; i < PACKAGES; i++) {
        for (int j = 0; j < POINTS; j++) {
            shown_t target = shown(story->site, packages[i], points[j]);
            int state = target.there ? (int) target.state : -1;
            cr_assert_eq(state, story->folded[i][j],
                         "after %s: %s on %s is %d in the database and %d in the stream",
                         story->did, packages[i], points[j], state, story->folded[i][j]);
        }
    }
    cr_assert_eq(count_of(story, "SELECT count(*) FROM target WHERE state NOT IN (2, 5, 6, 8) AND "
                                 "NOT (taken = 1 OR look IS NOT NULL OR cause IS 'paused')"),
                 0, "after %s: nothing will look at a target again", story->did);
    cr_assert_eq(count_of(story, "SELECT count(*) FROM target WHERE state IN (2, 5, 6, 8) AND "
                                 "(taken = 1 OR look IS NOT NULL)"),
                 0, "after %s: what is final has work in hand", story->did);
    cr_assert_eq(count_of(story, "SELECT count(*) FROM target WHERE state = 2 AND have IS NOT "
                                 "wanted"),
                 0, "after %s: installed without what is wanted", story->did);
}

/* ---- steps ---- */

static void
take_up(story_t *story)
{
    const due_t *taken = due(story->site);
    for (uint32_t i = 0; i < taken->targets.count; i++) {
        story->known[story->known_count++ % KNOWN] = *ROW(taken, taken->targets, i, due_row_t);
    }
}

static const due_row_t *
some_work(story_t *story)
{
    uint32_t count = story->known_count < KNOWN ? story->known_count : KNOWN;
    return count == 0 ? NULL : &story->known[draw(story, count)];
}

static void
begin(story_t *story, const due_row_t *row)
{
    target_begin_t *m = MAKE(story->site, target_begin);
    m->target = row->target;
    m->revision = row->revision;
    m->action = row->action;
    m->slot = 1;
    REFUSED(story->site, target_begin);
}

static void
end(story_t *story, const due_row_t *row)
{
    static const struct {
        err_t err;
        target_state_t next;
    } ends[] = {{OK, TARGET_INSTALLED},      {ERR_ABSENT, TARGET_RETRYING},
                {ERR_SPACE, TARGET_WAITING}, {ERR_IO, TARGET_RETRYING},
                {ERR_IO, TARGET_FAILED},     {ERR_NOT_OURS, TARGET_FAILED}};
    uint32_t i = draw(story, 6);
    target_state_t next = ends[i].next;
    if (row->action == ACTION_REMOVE) {
        next = ends[i].err == OK ? TARGET_REMOVED : TARGET_REMOVING;
    }
    due_row_t told = *row;
    told.root.byte[0] ^= draw(story, 8) == 0; /* at times of a version that nobody knows */
    outcome(story->site, &told, ends[i].err, next, row->attempt, 1 + draw(story, 100000));
}

static void
pause_or_resume(story_t *story, const char *dp, bool paused)
{
    if (paused) {
        dp_pause_t *m = MAKE(story->site, dp_pause);
        HEAD(story->site, m);
        m->name = site_text(story->site, dp);
        REFUSED(story->site, dp_pause);
        return;
    }
    dp_resume_t *m = MAKE(story->site, dp_resume);
    HEAD(story->site, m);
    m->name = site_text(story->site, dp);
    REFUSED(story->site, dp_resume);
}

static void
forget(story_t *story, const char *dp)
{
    dp_remove_t *m = MAKE(story->site, dp_remove);
    HEAD(story->site, m);
    m->name = site_text(story->site, dp);
    m->forget = true;
    cr_assert_eq(REFUSED(story->site, dp_remove), OK);
    make_point(story->site, true, dp, ++story->disks);
    cr_assert_eq(REFUSED(story->site, point_commit), OK);
}

static void
command(story_t *story, uint32_t what, const char *id, const char *dp)
{
    site_t *site = story->site;
    switch (what) {
    case 0:
        package_updated(site, id, 1 + (int) draw(story, 200));
        break;
    case 1:
    case 2:
        distributed(site, id, draw(story, 2) ? dp : NULL);
        break;
    case 3:
        make_withdraw(site, id, dp);
        REFUSED(site, withdraw);
        break;
    case 4:
        make_cancel(site, id, dp);
        REFUSED(site, cancel);
        break;
    case 5:
        make_retry(site, id, dp);
        REFUSED(site, retry);
        break;
    case 6:
        pause_or_resume(story, dp, draw(story, 2));
        break;
    case 7:
        make_point(site, false, dp, ++story->disks);
        REFUSED(site, point_commit);
        break;
    default:
        forget(story, dp);
        break;
    }
}

static void
pass_time(story_t *story)
{
    site_t *site = story->site;
    switch (draw(story, 4)) {
    case 0:
        world_sim_set_wall(site->sim,
                           WALL_START + (int64_t) draw(story, 1000) * 86400 * 1000000000);
        break;
    case 1:
        site->run.byte[0]++;
        break;
    case 2:
        site_reopen(site);
        break;
    default:
        world_sim_advance(site->sim, (int64_t) draw(story, 1800) * 1000000000);
        break;
    }
}

static void
step(story_t *story)
{
    const char *id = packages[draw(story, PACKAGES)], *dp = points[draw(story, POINTS)];
    uint32_t what = draw(story, 20);
    snprintf(story->did, sizeof story->did, "step %u on %s, %s", what, id, dp);
    if (what < 9) {
        command(story, what, id, dp);
    } else if (what < 12) {
        take_up(story);
    } else if (what < 19) {
        const due_row_t *row = some_work(story);
        if (row != NULL) {
            what < 15 ? begin(story, row) : end(story, row);
        }
    } else {
        pass_time(story);
    }
}

/* ---- the end of a story ---- */

static bool
work_off(story_t *story)
{
    site_t *site = story->site;
    due_row_t rows[PACKAGES * POINTS];
    const due_t *work = due(site);
    uint32_t count = work->targets.count;
    for (uint32_t i = 0; i < count; i++) {
        rows[i] = *ROW(work, work->targets, i, due_row_t);
    }
    for (uint32_t i = 0; i < count; i++) {
        bool removes = rows[i].action == ACTION_REMOVE;
        begun(site, &rows[i]);
        cr_assert_eq(outcome(site, &rows[i], OK, removes ? TARGET_REMOVED : TARGET_INSTALLED, 1,
                             RECORD_NONE),
                     OK);
    }
    return count > 0;
}

static void
ends_at_the_last_version(story_t *story, const char *id, const char *dp)
{
    shown_t target = shown(story->site, id, dp);
    bool final = target.state == TARGET_INSTALLED || target.state == TARGET_CANCELLED ||
                 target.state == TARGET_REMOVED;
    cr_assert(!target.there || final, "%s on %s ends %s", id, dp,
              target_state_words.word[target.state]);
    if (target.there && target.state == TARGET_INSTALLED) {
        MAKE(story->site, package_show)->id = site_text(story->site, id);
        package_show_t *m = MAKE(story->site, package_show);
        m->id = site_text(story->site, id);
        const package_shown_t *package = ASK(story->site, package_show, package_shown);
        const package_row_t *row = ROW(package, package->package, 0, package_row_t);
        cr_assert_eq(target.have, ROW(package, row->version, 0, version_ref_t)->epoch);
    }
}

static void
converge(story_t *story)
{
    site_t *site = story->site;
    for (int i = 0; i < POINTS; i++) {
        pause_or_resume(story, points[i], false);
    }
    for (int i = 0; i < PACKAGES; i++) {
        make_retry(site, packages[i], NULL);
        REFUSED(site, retry);
    }
    for (int look = 0; look < 4; look++) { /* what was cancelled and retried is due at once */
        site->run.byte[0]++;
        work_off(story);
        world_sim_advance(site->sim, INT64_C(1801000000000));
    }
    cr_assert(!work_off(story), "there is always more to do");
    for (int i = 0; i < PACKAGES * POINTS; i++) {
        ends_at_the_last_version(story, packages[i / POINTS], points[i % POINTS]);
    }
    judge(story);
}

Test(model, d17_d46_d60_the_stream_is_the_database_and_any_interleaving_ends_at_the_last_version,
     .timeout = 120)
{
    for (uint64_t seed = 1; seed <= STORIES; seed++) {
        story_t story = {.site = site_start(), .chance = seed, .disks = 1};
        memset(story.folded, 0xff, sizeof story.folded);
        for (int i = 0; i < POINTS; i++) {
            make_point(story.site, true, points[i], ++story.disks);
            cr_assert_eq(REFUSED(story.site, point_commit), OK);
        }
        for (int i = 0; i < PACKAGES; i++) {
            package_is(story.site, packages[i], 1);
        }
        for (int i = 0; i < STEPS; i++) {
            step(&story);
            judge(&story);
        }
        converge(&story);
        site_end(story.site);
    }
}
