/* seat_test.c - the loop of a worker's thread alone, between doubles of what it calls: a stop that
 * comes at the worst moment, and a message that comes before its bell. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/worker_inside.h"

static threads_t threads;
static worker_t worker;
static uint32_t turns, sleeps, turns_before_stop, taken_before_bell, bells;
static int64_t clock_ns = 1, clock_step_ns, times_ns;
static int64_t queued_ns, queued_part; /* of what has passed, in a hundred parts */
static int64_t leave_ns = INT64_MAX, return_ns = INT64_MAX; /* of those who keep it off */
static int64_t stop_ns = INT64_MAX;
static _Atomic uint32_t bell;

/* ---- what the loop calls ---- */

/* The call to stop is among what came, and is taken with it: nothing rouses the seat again. */
bool
mailbox_empty(mailbox_t *mailbox, mailbox_take_fn *take, void *self)
{
    cr_assert(mailbox == NULL && take != NULL && self == &worker);
    atomic_store(&threads.stopping, ++turns > turns_before_stop || clock_ns > stop_ns);
    return false;
}

bool
mailbox_wait(mailbox_t *mailbox, void *other, int64_t ms)
{
    cr_assert(mailbox == NULL && other == NULL && ms > 0);
    sleeps++;
    return false;
}

const _Atomic uint32_t *
mailbox_bell(const mailbox_t *mailbox)
{
    cr_assert_null(mailbox);
    bells++; /* once a turn, and once a spin */
    return &bell;
}

uint32_t
mailbox_heard(const mailbox_t *mailbox)
{
    cr_assert_null(mailbox);
    return taken_before_bell;
}

worker_t *
core_worker(core_t *core, uint32_t index)
{
    cr_assert(core == NULL && index == 0);
    return &worker;
}

const char *
worker_name(const worker_t *self)
{
    return self->name;
}

int64_t
worker_next_due(const worker_t *self)
{
    cr_assert_eq(self, &worker);
    return INT64_MAX;
}

bool
worker_run(worker_t *self, const _Atomic uint32_t *rung, uint32_t heard, uint32_t most)
{
    cr_assert(self == &worker && rung == &bell && most > 0);
    cr_assert_eq(heard, taken_before_bell);
    return false;
}

int64_t
seat_now_ns(void *unused)
{
    cr_assert_null(unused);
    clock_ns += clock_step_ns;
    return clock_ns;
}

bool
relief_times(void *context, uint32_t which, thread_times_t *ret)
{
    cr_assert(context == &threads && which == 0);
    if (clock_ns < leave_ns || clock_ns > return_ns) {
        queued_ns += (clock_ns - times_ns) * queued_part / 100;
    }
    times_ns = clock_ns;
    ret->queued_ns = queued_ns;
    return true;
}

static bool has_room;

bool
relief_has_room(void)
{
    return has_room;
}

void
outlet_flush(outlet_t *outlet)
{
    cr_assert_null(outlet);
}

void
memory_thread_ends(void)
{
}

void
threads_ring(threads_t *of)
{
    cr_assert_eq(of, &threads);
}

/* ---- what the watchdog calls: time passes as it naps, and something goes on until then ---- */

#define GOES_ON_MS 5000
#define WATCHED_MS 60000

static int64_t watched_ms;
static bool time_passes;    /* as it naps */
static int64_t moves_ms[4]; /* a job begins or ends then; 0: there is none */
static int64_t rest_ms[4];  /* what jobs have freed was given back then */
static uint32_t rests;
static uint32_t looks_early, looks_late; /* until GOES_ON_MS, and from then on */

void
seat_nap(uint32_t ms)
{
    watched_ms += ms;
    clock_ns += time_passes ? (int64_t) ms * NS_PER_MS : 0;
    atomic_store(&threads.stopping, watched_ms >= WATCHED_MS);
}

uint32_t
core_worker_count(const core_t *core)
{
    cr_assert_null(core);
    return 1;
}

bool
core_look(core_t *core)
{
    cr_assert_null(core);
    looks_early += watched_ms <= GOES_ON_MS;
    looks_late += watched_ms > GOES_ON_MS;
    return watched_ms <= GOES_ON_MS;
}

void
job_pool_look(job_pool_t *pool, int64_t now_ns, outlet_t *outlet, core_t *core)
{
    cr_assert(pool == NULL && now_ns == clock_ns && outlet == NULL && core == NULL);
}

void
job_pool_figures(job_pool_t *pool, job_pool_figures_t *ret)
{
    cr_assert_null(pool);
    *ret = (job_pool_figures_t){0};
    for (size_t i = 0; i < sizeof moves_ms / sizeof moves_ms[0]; i++) {
        ret->moves += moves_ms[i] > 0 && moves_ms[i] <= watched_ms;
    }
}

void
jobs_rest(void)
{
    cr_assert_lt(rests, sizeof rest_ms / sizeof rest_ms[0], "it is given back over and over");
    rest_ms[rests++] = watched_ms;
}

void
relief_look(threads_t *of)
{
    cr_assert_eq(of, &threads);
}

/* ---- what it calls with a link or a message: never here ---- */

#define NEVER(type, name, ...)                                                                     \
    type name(__VA_ARGS__)                                                                         \
    {                                                                                              \
        abort();                                                                                   \
    }
#define NO __attribute__((unused))

NEVER(bool, worker_asked, NO const worker_t *self)
NEVER(void, relief_back, NO seat_t *seat, NO worker_t *self)
NEVER(void, worker_bring, NO worker_t *self, NO chunk_t *take_chunk)
NEVER(void *, link_socket, NO const link_t *link, NO const worker_t *self)
NEVER(void, link_read, NO link_t *link, NO worker_t *self)
NEVER(bool, link_keeps, NO const link_t *link, NO const worker_t *self)
NEVER(void, link_retry, NO link_t *link, NO worker_t *self)

Test(seat, who_takes_the_call_to_stop_among_what_came_does_not_sleep_after_it, .timeout = 30)
{
    seat_t *seat = &threads.seat[0];

    seat->threads = &threads;
    atomic_store(&threads.threads_running, 1);
    cr_assert_null(seat_main(seat));
    cr_expect_eq(turns, 1, "it looked for messages %u times, expected 1", turns);
    cr_expect_eq(sleeps, 0, "it slept %u times after the call, expected 0", sleeps);
    cr_expect(atomic_load(&seat->ended));
}

/* Its sender was taken off the processor between the two. To look for it would keep it off. */
Test(seat, who_has_taken_what_its_bell_does_not_count_yet_sleeps_all_the_same, .timeout = 30)
{
    seat_t *seat = &threads.seat[0];

    seat->threads = &threads;
    threads.spins = true;
    turns_before_stop = 3;
    taken_before_bell = 1;
    atomic_store(&threads.threads_running, 1);
    cr_assert_null(seat_main(seat));
    cr_expect_eq(sleeps, 3, "it slept %u times in 3 turns with nothing to do, expected 3", sleeps);
}

/* An idle host costs its machine next to nothing; one at work is looked at ten times a second. */
Test(seat, a_host_in_which_nothing_goes_on_is_looked_at_less_often, .timeout = 30)
{
    uint32_t most = WATCH_QUIET + (WATCHED_MS - GOES_ON_MS) / WATCH_QUIET_MS;

    atomic_store(&threads.threads_running, 1);
    cr_assert_null(watchdog_main(&threads));
    cr_expect_eq(looks_early, GOES_ON_MS / WATCH_MS,
                 "%u looks while something went on, expected %d", looks_early,
                 GOES_ON_MS / WATCH_MS);
    cr_expect(looks_late > 0 && looks_late <= most, "%u looks when nothing did, %u at most",
              looks_late, most);
    cr_expect(atomic_load(&threads.watchdog_ended));
}

/* Those of an idle site: it looks at its own disk, and whether work is due. */
Test(seat, a_host_with_a_job_now_and_then_is_looked_at_no_more_often_for_it, .timeout = 30)
{
    static const int64_t moves[] = {10000, 22000, 34000, 46000};

    memcpy(moves_ms, moves, sizeof moves);
    time_passes = true;
    atomic_store(&threads.threads_running, 1);
    cr_assert_null(watchdog_main(&threads));
    uint32_t most = WATCH_QUIET + (WATCHED_MS - GOES_ON_MS) / WATCH_QUIET_MS;
    cr_expect(looks_late > 0 && looks_late <= most, "%u looks, %u at most", looks_late, most);
}

/* The last jobs of both bursts end at 2,500 and at 20,000 ms. */
Test(seat, what_jobs_have_freed_is_given_back_once_when_none_has_moved_for_a_while, .timeout = 30)
{
    static const int64_t moves[] = {1000, 2500, 19000, 20000};

    memcpy(moves_ms, moves, sizeof moves);
    time_passes = true;
    atomic_store(&threads.threads_running, 1);
    cr_assert_null(watchdog_main(&threads));
    cr_expect_eq(rests, 2, "it was given back %u times", rests);
    for (uint32_t i = 0; i < 2; i++) {
        int64_t since_ms = rest_ms[i] - moves[2 * i + 1];
        cr_expect(since_ms >= REST_MS - WATCH_QUIET_MS && since_ms <= REST_MS + WATCH_QUIET_MS,
                  "%d ms after the last job", (int) since_ms);
    }
}

Test(seat, a_host_without_jobs_has_nothing_to_give_back, .timeout = 30)
{
    time_passes = true;
    atomic_store(&threads.threads_running, 1);
    cr_assert_null(watchdog_main(&threads));
    cr_expect_eq(rests, 0);
}

#define TRIAL 1280 /* spins: a look at the clock each 64th, until 20 ms have gone */

/* Each spin finds something at once, and a look at the clock finds a millisecond gone. */
static void
spin_for(uint32_t most_turns, int64_t queued)
{
    seat_t *seat = &threads.seat[0];

    seat->threads = &threads;
    threads.spins = true;
    atomic_store(&bell, 1);
    clock_step_ns = NS_PER_MS;
    queued_part = queued;
    turns_before_stop = most_turns;
    atomic_store(&threads.threads_running, 1);
    cr_assert_null(seat_main(seat));
}

Test(seat, who_has_the_processor_for_itself_looks_before_it_sleeps, .timeout = 30)
{
    spin_for(20000, 3);
    cr_expect_eq(sleeps, 0, "it slept %u times, expected 0", sleeps);
    cr_expect_geq(bells - turns, 20000, "it looked %u times only", bells - turns);
}

Test(seat, who_is_kept_off_its_processor_by_others_sleeps_at_once_for_a_while, .timeout = 30)
{
    spin_for(20000, 33);
    cr_expect_gt(sleeps, 1000, "it slept %u times only", sleeps);
    cr_expect_gt(bells - turns, TRIAL, "it looked %u times only: it does not try again",
                 bells - turns);
}

Test(seat, who_is_kept_off_by_its_own_kind_only_looks_before_it_sleeps, .timeout = 30)
{
    has_room = true;
    spin_for(20000, 50);
    cr_expect_eq(sleeps, 0, "it slept %u times, expected 0", sleeps);
}

/* A rest of 1, 2, 4, 8 and 16 s, and of 16 s each time from then on. */
Test(seat, who_stays_kept_off_tries_again_ever_less_often, .timeout = 30)
{
    spin_for(200000, 33);
    uint32_t tries = (bells - turns) / TRIAL;
    int64_t seconds = clock_ns / (1000 * NS_PER_MS);
    cr_expect(tries >= 5 + (seconds - 31) / 17 - 1 && tries <= 5 + (seconds - 31) / 16 + 1,
              "it tried %u times in %ld s", tries, (long) seconds);
}

/* They stay for rests of 1, 2 and 4 s, go for two seconds, and are there again at the end. */
Test(seat, who_had_room_in_between_rests_as_shortly_as_the_first_time, .timeout = 30)
{
    leave_ns = 7000 * (int64_t) NS_PER_MS;
    return_ns = leave_ns + 2000 * (int64_t) NS_PER_MS;
    stop_ns = return_ns + 500 * (int64_t) NS_PER_MS;
    spin_for(UINT32_MAX, 33);
    int64_t ms = threads.seat[0].crowd.rest_ns / NS_PER_MS;
    cr_expect_eq(ms, 1000, "it rests for %ld ms, expected 1000", (long) ms);
}
