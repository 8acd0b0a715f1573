/* worker_seat.c - a worker's thread: it empties its mailbox, runs handlers, and waits; and the
 * thread that watches them all. */
#include <malloc.h>
#include <stdio.h>
#include <unistd.h>

#include "runtime/worker_inside.h"

#define SLEEP_MS      10000 /* at most; what comes ends it */
#define RETRY_LINK_MS 5     /* between tries of a frame that found no room */
#define QUANTUM       512u  /* handlers that run before what they told to other workers leaves */
#define SPIN_TURNS    2500u /* looks at the bell before a worker sleeps: 50 us on a Xeon */
#define SPINS_LOST    3u    /* in a row, then a worker spins before every SPIN_EACH-th sleep only */
#define SPIN_EACH     64u
#define CROWD_EACH    64u      /* spins between looks at the clock */
#define CROWD_LOOK_NS 20000000 /* between looks at who else wants the processor */
#define CROWD_PART    6 /* of the time since then: who was kept off for more of it is in one */
#define CROWD_REST_NS 1000000000  /* the first time; twice as long each time it is in one still */
#define CROWD_MOST_NS 16000000000 /* at most */

static inline void
pause_a_moment(void)
{
#if defined(__x86_64__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

static void
name_thread(const char *name)
{
    char text[16];

    snprintf(text, sizeof text, "%.15s", name);
    pthread_setname_np(pthread_self(), text);
}

static int64_t
wait_ms(const worker_t *worker, const seat_t *seat)
{
    int64_t due_ns = worker_next_due(worker), left = due_ns - seat_now_ns(NULL);
    int64_t ms = due_ns == INT64_MAX ? SLEEP_MS : left <= 0 ? 0 : (left + 999999) / 1000000;

    if (seat->link && link_keeps(seat->link, worker) && ms > RETRY_LINK_MS) {
        ms = RETRY_LINK_MS;
    }
    return ms > SLEEP_MS ? SLEEP_MS : ms;
}

static void
bring(void *worker, chunk_t *take_chunk)
{
    worker_bring(worker, take_chunk);
}

/* The mailbox is emptied as soon as its bell rings, so that system waits for at most the handler in
 * hand; what was told to other workers leaves at the end. False: nothing was there to do. */
static bool
run_quantum(seat_t *seat, worker_t *worker)
{
    bool came = mailbox_empty(seat->mailbox, bring, worker);
    bool ran =
        worker_run(worker, mailbox_bell(seat->mailbox), mailbox_heard(seat->mailbox), QUANTUM);

    if (!worker_is_taken(worker)) { /* else neither mailbox nor outlet is ours any more */
        outlet_flush(seat->threads->outlet[seat->index]);
    }
    return came || ran;
}

static int64_t
next_rest_ns(int64_t rest_ns)
{
    if (rest_ns == 0) {
        return CROWD_REST_NS;
    }
    return rest_ns < CROWD_MOST_NS / 2 ? rest_ns * 2 : CROWD_MOST_NS;
}

/* Others want the processor: a thread that spins takes it from them. Then it waits for its turn,
 * ready to run, a third of the time; on a machine with room 3 of 100 parts, but where two of ours
 * are on one processor for a while. To try again takes 100 ms of spinning, so it is done ever less
 * often while the others stay. */
static bool
is_crowded(seat_t *seat)
{
    crowd_t *crowd = &seat->crowd;
    thread_times_t times = {.queued_ns = crowd->queued_ns};

    if (crowd->until_ns == 0 && ++seat->spins % CROWD_EACH != 0) {
        return false;
    }
    int64_t now_ns = seat_now_ns(NULL), since_ns = now_ns - crowd->looked_ns;
    if (now_ns < crowd->until_ns || since_ns < CROWD_LOOK_NS) {
        return now_ns < crowd->until_ns;
    }
    (void) relief_times(seat->threads, seat->index, &times); /* where it cannot be had: no crowd */
    bool judged = crowd->until_ns == 0 && crowd->looked_ns != 0; /* else it has slept since */
    bool kept_off = judged && times.queued_ns - crowd->queued_ns > since_ns / CROWD_PART;
    bool crowded = kept_off && !relief_has_room();
    int64_t rest_ns = crowded ? next_rest_ns(crowd->rest_ns) : judged ? 0 : crowd->rest_ns;
    *crowd = (crowd_t){now_ns, crowded ? now_ns + rest_ns : 0, rest_ns, times.queued_ns};
    return crowded;
}

/* An answer from another worker is often there within microseconds, while to sleep and be woken
 * costs tens of them. Who waited in vain some times tries it only now and then, so that an idle
 * host does not spin. */
static bool
spin(seat_t *seat)
{
    if (!seat->threads->spins || (seat->lost >= SPINS_LOST && ++seat->sleeps % SPIN_EACH != 0) ||
        is_crowded(seat)) {
        return false;
    }
    const _Atomic uint32_t *bell = mailbox_bell(seat->mailbox);
    uint32_t heard = mailbox_heard(seat->mailbox);
    for (uint32_t i = 0; i < SPIN_TURNS; i++) {
        if (bell_rang(bell, heard)) {
            seat->lost = 0;
            return true;
        }
        pause_a_moment();
    }
    seat->lost++;
    return false;
}

static void
rest(seat_t *seat, worker_t *worker)
{
    void *other = seat->link ? link_socket(seat->link, worker) : NULL;
    bool readable = mailbox_wait(seat->mailbox, other, wait_ms(worker, seat));

    worker_set_clock(worker, seat_now_ns(NULL)); /* the link acts as its actor, after a sleep */
    if (readable) {
        link_read(seat->link, worker);
    } else if (seat->link) {
        link_retry(seat->link, worker);
    }
}

void *
seat_main(void *context)
{
    seat_t *seat = context;
    threads_t *threads = seat->threads;
    worker_t *worker = core_worker(threads->core, seat->index);

    atomic_store(&seat->tid, gettid());
    name_thread(worker_name(worker));
    while (!atomic_load(&threads->stopping)) {
        bool busy = run_quantum(seat, worker) || worker_is_taken(worker) || spin(seat);
        /* Looked at again, because what came may have been the call to stop. */
        if (!busy && !atomic_load(&threads->stopping)) {
            rest(seat, worker);
        }
        if (worker_is_taken(worker)) { /* in a handler of the quantum, or of the link */
            relief_back(seat, worker);
            return NULL;
        }
    }
    memory_thread_ends();
    atomic_fetch_sub(&threads->threads_running, 1);
    atomic_store(&seat->ended, true);
    threads_ring(threads);
    return NULL;
}

/* Each thread has an arena of malloc's own, which keeps what its jobs have freed: an agent that had
 * placed 297 MB held 30 MiB at rest, and 16 when that was given back. */
typedef struct rest {
    uint64_t moves;   /* of jobs, by the last look */
    int64_t since_ns; /* no job has begun or ended */
    bool keeps;       /* what jobs have freed since was not given back yet */
} rest_t;

/* Gives back what jobs have freed, once none has begun or ended for a while. */
static void
rest_look(rest_t *rest, job_pool_t *jobs, int64_t now_ns)
{
    job_pool_figures_t figures;

    job_pool_figures(jobs, &figures);
    if (figures.moves != rest->moves) {
        *rest = (rest_t){.moves = figures.moves, .since_ns = now_ns, .keeps = true};
    } else if (rest->keeps && now_ns - rest->since_ns >= (int64_t) REST_MS * NS_PER_MS) {
        rest->keeps = false;
        jobs_rest();
        malloc_trim(0);
    }
}

/* A look costs 40 to 80 us, as its memory has left the caches meanwhile: ten a second were three
 * quarters of what an idle site used of a processor. What hangs in a quiet host is seen that much
 * later, and from then on is looked at as ever. Jobs do not count: their deadlines are of seconds,
 * and an idle site has one now and then. */
static void
nap(uint32_t *quiet, bool goes_on)
{
    *quiet = goes_on ? 0 : *quiet < WATCH_QUIET ? *quiet + 1 : WATCH_QUIET;
    seat_nap(*quiet == WATCH_QUIET ? WATCH_QUIET_MS : WATCH_MS);
}

void *
watchdog_main(void *context)
{
    threads_t *threads = context;
    rest_t rest = {.moves = 0};
    uint32_t quiet = 0;
    bool goes_on = true;

    name_thread("watchdog");
    while (!atomic_load(&threads->stopping)) {
        nap(&quiet, goes_on);
        goes_on = core_look(threads->core);
        outlet_t *outlet = threads->outlet[CORE_FROM_WATCH(threads->core)];
        job_pool_look(threads->jobs, seat_now_ns(NULL), outlet, threads->core);
        rest_look(&rest, threads->jobs, seat_now_ns(NULL));
        relief_look(threads);
    }
    memory_thread_ends();
    atomic_fetch_sub(&threads->threads_running, 1);
    atomic_store(&threads->watchdog_ended, true);
    threads_ring(threads);
    return NULL;
}
