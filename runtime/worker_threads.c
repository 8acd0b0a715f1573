/* worker_threads.c - see worker_threads.h. */
#include "runtime/worker_threads.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#include "runtime/host.h"
#include "runtime/inside.h"
#include "runtime/job_pool.h"
#include "runtime/mailbox.h"

#define RETRY_LINK_MS 5     /* between tries of a frame that found no room */
#define STOP_LOOK_MS  50    /* between looks whether a stop from outside is due */
#define QUANTUM       64u   /* handlers on one look at the clock, before what they told leaves */
#define SPIN_TURNS    1000u /* looks at the bell before a worker sleeps, some 40 us */
#define SPINS_LOST    3u    /* in a row, then a worker spins before every SPIN_EACH-th sleep only */
#define SPIN_EACH     64u
#define OUTLETS_MAX   (WORKERS_MAX + CORE_OUTSIDERS)
#define OTHER_THREADS 4u /* the host's own, the watchdog, and two of the sockets' context */

typedef struct seat {
    threads_t *threads;
    uint32_t index;
    pthread_t thread;
    mailbox_t *mailbox;
    link_t *link; /* NULL: none */
    uint64_t chance;
    uint32_t sleeps, lost; /* of spins in a row */
    _Atomic bool ended;
} seat_t;

struct threads {
    executor_t executor;
    core_t *core;
    mail_t *mail;
    uint32_t workers, job_threads, link_count;
    link_t *link[LINKS_MAX];
    seat_t seat[WORKERS_MAX];
    outlet_t *outlet[OUTLETS_MAX];
    job_pool_t *jobs;
    pthread_t watchdog;
    bool running, spins; /* spins: there is another processor that could ring meanwhile */
    _Atomic bool stopping, watchdog_ended;
    _Atomic uint32_t threads_running;
    int wake; /* eventfd: a stop was signalled, or something changed */
    _Atomic bool stop_signalled;
    const char *stop_to;
    int64_t stop_due_ns; /* 0: nobody was told yet */
};

static inline void
pause_a_moment(void)
{
#if defined(__x86_64__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

/* ---- the executor ---- */

static int64_t
now_ns(void *self)
{
    struct timespec now;

    (void) self;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t) now.tv_sec * 1000000000 + now.tv_nsec;
}

static int64_t
wall_ns(void *self)
{
    struct timespec now;

    (void) self;
    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t) now.tv_sec * 1000000000 + now.tv_nsec;
}

static uint64_t
chance(void *self, uint32_t worker)
{
    seat_t *seat = &((threads_t *) self)->seat[worker];
    uint64_t z = (seat->chance += UINT64_C(0x9e3779b97f4a7c15));

    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

static void
post(void *self, uint32_t from, uint32_t to, envelope_t *take_envelope)
{
    threads_t *threads = self;

    outlet_send(threads->outlet[from], to, take_envelope);
    if (from >= threads->workers) { /* a worker flushes at the end of its quantum */
        outlet_flush(threads->outlet[from]);
    }
}

static bool
job_reserve(void *self)
{
    return job_pool_reserve(((threads_t *) self)->jobs);
}

static void
job_release(void *self)
{
    job_pool_release(((threads_t *) self)->jobs);
}

static err_t
job_submit(void *self, uint32_t from, job_t *job)
{
    assert(from < ((threads_t *) self)->workers);
    return job_pool_submit(((threads_t *) self)->jobs, job);
}

static void
job_cancel(void *self, uint32_t from, job_t *job)
{
    assert(from < ((threads_t *) self)->workers);
    job_pool_cancel(((threads_t *) self)->jobs, job);
}

static void
ring(threads_t *threads)
{
    uint64_t one = 1;

    /* A full counter rings already; nothing else can go wrong with an eventfd that is open. */
    ssize_t wrote = write(threads->wake, &one, sizeof one);
    (void) wrote;
}

static void
changed(void *self)
{
    ring(self);
}

static void
figures(void *self, host_figures_t *ret)
{
    threads_t *threads = self;
    job_pool_figures_t jobs;

    job_pool_figures(threads->jobs, &jobs);
    ret->workers = threads->workers;
    ret->job_threads = jobs.threads;
    ret->job_threads_lost = jobs.lost;
    ret->job_threads_max = threads->job_threads + JOB_THREADS_LOST_MAX;
    ret->jobs_queued = jobs.queued;
    /* The watchdog is one of those that run. */
    ret->threads =
        atomic_load(&threads->threads_running) + jobs.threads + jobs.lost + OTHER_THREADS - 1;
    ret->threads_max = threads->workers + OTHER_THREADS + ret->job_threads_max;
    ret->sockets_max = SOCKETS_MAX;
    ret->descriptors_max = descriptors_max();
    ret->sockets = mail_sockets(threads->mail) + threads->link_count;
    ret->descriptors = descriptors_open();
}

/* ---- a worker's thread ---- */

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
    int64_t due_ns = worker_next_due(worker), left = due_ns - now_ns(NULL);
    int64_t ms = due_ns == INT64_MAX ? 1000 : left <= 0 ? 0 : (left + 999999) / 1000000;

    if (seat->link && link_keeps(seat->link) && ms > RETRY_LINK_MS) {
        ms = RETRY_LINK_MS;
    }
    return ms > 1000 ? 1000 : ms;
}

static void
deliver(void *worker, envelope_t *take_envelope)
{
    worker_deliver(worker, take_envelope);
}

/* The mailbox is emptied as soon as its bell rings, so that system waits for at most the handler in
 * hand; what was told to other workers leaves at the end. False: nothing was there to do. */
static bool
run_quantum(seat_t *seat, worker_t *worker)
{
    bool came = mailbox_empty(seat->mailbox, deliver, worker);
    bool ran =
        worker_run(worker, mailbox_bell(seat->mailbox), mailbox_heard(seat->mailbox), QUANTUM);

    outlet_flush(seat->threads->outlet[seat->index]);
    return came || ran;
}

/* An answer from another worker is often there within microseconds, while to sleep and be woken
 * costs tens of them: 18,000 round trips a second against 350,000. Who waited in vain some times
 * tries it only now and then, so that an idle host does not spin. */
static bool
spin(seat_t *seat)
{
    const _Atomic uint32_t *bell = mailbox_bell(seat->mailbox);
    uint32_t heard = mailbox_heard(seat->mailbox);

    if (!seat->threads->spins || (seat->lost >= SPINS_LOST && ++seat->sleeps % SPIN_EACH != 0)) {
        return false;
    }
    for (uint32_t i = 0; i < SPIN_TURNS; i++) {
        if (atomic_load_explicit(bell, memory_order_relaxed) != heard) {
            seat->lost = 0;
            return true;
        }
        pause_a_moment();
    }
    seat->lost++;
    return false;
}

static void *
seat_main(void *context)
{
    seat_t *seat = context;
    threads_t *threads = seat->threads;
    worker_t *worker = core_worker(threads->core, seat->index);

    name_thread(worker_name(worker));
    while (!atomic_load_explicit(&threads->stopping, memory_order_relaxed)) {
        if (run_quantum(seat, worker) || spin(seat)) {
            continue;
        }
        void *other = seat->link ? link_socket(seat->link) : NULL;
        bool readable = mailbox_wait(seat->mailbox, other, wait_ms(worker, seat));
        worker->ctx.now_ns = now_ns(NULL); /* the link acts as its actor, after a sleep */
        if (readable) {
            link_read(seat->link, threads->core);
        } else if (seat->link) {
            link_retry(seat->link, threads->core);
        }
    }
    memory_thread_ends();
    atomic_fetch_sub(&threads->threads_running, 1);
    atomic_store(&seat->ended, true);
    ring(threads);
    return NULL;
}

static void *
watchdog_main(void *context)
{
    threads_t *threads = context;
    const struct timespec nap = {.tv_nsec = WATCH_MS * 1000000L};

    name_thread("watchdog");
    while (!atomic_load(&threads->stopping)) {
        nanosleep(&nap, NULL);
        core_look(threads->core);
        outlet_t *outlet = threads->outlet[CORE_FROM_WATCH(threads->core)];
        job_pool_look(threads->jobs, now_ns(NULL), outlet, threads->core);
    }
    memory_thread_ends();
    atomic_fetch_sub(&threads->threads_running, 1);
    atomic_store(&threads->watchdog_ended, true);
    ring(threads);
    return NULL;
}

/* ---- start ---- */

threads_t *
threads_new(uint32_t job_threads, link_t *const *links, uint32_t link_count, const char *stop_to)
{
    threads_t *threads = calloc(1, sizeof *threads);

    assert(threads && link_count <= LINKS_MAX);
    threads->executor =
        (executor_t){threads,     now_ns,     wall_ns,    chance,  post,   job_reserve,
                     job_release, job_submit, job_cancel, changed, figures};
    threads->job_threads = job_threads ? job_threads : JOB_THREADS;
    threads->stop_to = stop_to;
    threads->link_count = link_count;
    memcpy(threads->link, links, link_count * sizeof *links);
    threads->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    assert(threads->wake >= 0 && "a descriptor for waking up");
    return threads;
}

const executor_t *
threads_executor(threads_t *threads)
{
    return &threads->executor;
}

static err_t
open_seat(threads_t *threads, uint32_t index, char *ret_why, size_t why_size)
{
    seat_t *seat = &threads->seat[index];
    const char *name = worker_name(core_worker(threads->core, index));

    *seat = (seat_t){.threads = threads, .index = index};
    if (getrandom(&seat->chance, sizeof seat->chance, 0) != (ssize_t) sizeof seat->chance) {
        seat->chance = (uint64_t) now_ns(NULL) + index;
    }
    seat->mailbox = mailbox_open(threads->mail, index);
    if (!seat->mailbox) {
        snprintf(ret_why, why_size, "cannot open the mailbox of '%s': no more sockets", name);
        return ERR_FULL;
    }
    for (uint32_t i = 0; i < threads->link_count; i++) {
        if (link_is_of(threads->link[i], name)) {
            seat->link = threads->link[i];
        }
    }
    return OK;
}

static err_t
open_links(threads_t *threads, char *ret_why, size_t why_size)
{
    for (uint32_t i = 0; i < threads->link_count; i++) {
        err_t err = link_open(threads->link[i], mail_context(threads->mail));
        if (err != OK) {
            snprintf(ret_why, why_size, "cannot listen for '%s': %s",
                     link_class(threads->link[i])->name, err_sentence(err));
            return err;
        }
    }
    return OK;
}

static void
close_all(threads_t *threads)
{
    for (uint32_t i = 0; i < threads->link_count; i++) {
        link_close(threads->link[i]);
    }
    for (uint32_t i = 0; i < OUTLETS_MAX; i++) {
        outlet_destroy(&threads->outlet[i]);
    }
    for (uint32_t i = 0; i < threads->workers; i++) {
        mailbox_close(&threads->seat[i].mailbox);
    }
}

static void
start_all(threads_t *threads)
{
    threads->jobs = job_pool_new(threads->mail, threads->job_threads, core_notes(threads->core));
    threads->running = true;
    atomic_store(&threads->threads_running, threads->workers + 1);
    for (uint32_t i = 0; i < threads->workers; i++) {
        int failed = pthread_create(&threads->seat[i].thread, NULL, seat_main, &threads->seat[i]);
        assert(failed == 0 && "a worker's thread can be started");
    }
    int failed = pthread_create(&threads->watchdog, NULL, watchdog_main, threads);
    assert(failed == 0 && "the watchdog's thread can be started");
}

err_t
threads_start(threads_t *threads, core_t *core, char *ret_why, size_t why_size)
{
    err_t err = OK;

    threads->core = core;
    threads->workers = core_worker_count(core);
    threads->mail = mail_new(threads->workers);
    threads->spins = sysconf(_SC_NPROCESSORS_ONLN) > 1;
    for (uint32_t i = 0; err == OK && i < threads->workers; i++) {
        err = open_seat(threads, i, ret_why, why_size);
    }
    if (err == OK) {
        err = open_links(threads, ret_why, why_size);
    }
    if (err != OK) {
        close_all(threads);
        return err;
    }
    for (uint32_t i = 0; i < threads->workers + CORE_OUTSIDERS; i++) {
        threads->outlet[i] = outlet_new(threads->mail);
    }
    start_all(threads);
    core_start(core);
    return OK;
}

/* ---- waiting ---- */

/* The root hears of it first, so that it can still say so while its components run; it has
 * HOST_STOPPING_MS for it. */
static void
stop_from_outside(threads_t *threads)
{
    int64_t now = now_ns(NULL);

    if (threads->stop_due_ns == 0) {
        bool told = core_tell_stopping(threads->core, threads->stop_to, HOST_STOPPING_MS);
        threads->stop_due_ns = now + (told ? HOST_STOPPING_MS * NS_PER_MS : 0);
    }
    if (now >= threads->stop_due_ns) {
        core_request_stop(threads->core);
    }
}

static void
drain_wake(threads_t *threads)
{
    uint64_t count;
    ssize_t got = read(threads->wake, &count, sizeof count);

    (void) got; /* nothing there: somebody else has read it */
    if (atomic_load(&threads->stop_signalled) && !core_stop_requested(threads->core)) {
        stop_from_outside(threads);
    }
}

bool
threads_wait(threads_t *threads, bool (*done)(const core_t *core), int64_t ms)
{
    int64_t until = now_ns(NULL) + ms * NS_PER_MS;

    for (;;) {
        drain_wake(threads);
        if (done(threads->core)) {
            return true;
        }
        int64_t left = ms < 0 ? 1000 : (until - now_ns(NULL)) / NS_PER_MS;
        left = threads->stop_due_ns && left > STOP_LOOK_MS ? STOP_LOOK_MS : left;
        if (left <= 0 && ms >= 0) {
            return false;
        }
        struct pollfd item = {.fd = threads->wake, .events = POLLIN};
        poll(&item, 1, (int) (left < 1000 ? left + 1 : 1000));
    }
}

void
threads_signal_stop(threads_t *threads)
{
    atomic_store(&threads->stop_signalled, true);
    ring(threads);
}

/* ---- the end ---- */

static uint32_t
not_ended(threads_t *threads, char *ret_left, size_t left_size)
{
    uint32_t left = 0;
    size_t used = strlen(ret_left);

    for (uint32_t i = 0; i < threads->workers; i++) {
        if (!atomic_load(&threads->seat[i].ended)) {
            left++;
            if (used < left_size) {
                used +=
                    (size_t) snprintf(ret_left + used, left_size - used, "%sthread %s",
                                      used ? ", " : "", worker_name(core_worker(threads->core, i)));
            }
        }
    }
    return left + !atomic_load(&threads->watchdog_ended);
}

uint32_t
threads_stop(threads_t *threads, int64_t until_ns, char *ret_left, size_t left_size)
{
    char none[1] = "";

    if (!threads->running) {
        return 0;
    }
    /* All are told first, so that each has the whole time. */
    job_pool_end(threads->jobs);
    atomic_store(&threads->stopping, true);
    for (uint32_t i = 0; i < threads->workers; i++) {
        outlet_rouse(threads->outlet[CORE_FROM_HOST(threads->core)], i);
    }
    while (not_ended(threads, none, 0) > 0 && now_ns(NULL) < until_ns) {
        uint64_t count;
        struct pollfd item = {.fd = threads->wake, .events = POLLIN};
        poll(&item, 1, 20);
        ssize_t got = read(threads->wake, &count, sizeof count);
        (void) got;
    }
    uint32_t left = not_ended(threads, ret_left, left_size);
    left += job_pool_wait(threads->jobs, until_ns, ret_left, left_size);
    if (left == 0) {
        for (uint32_t i = 0; i < threads->workers; i++) {
            pthread_join(threads->seat[i].thread, NULL);
        }
        pthread_join(threads->watchdog, NULL);
        threads->running = false;
    }
    return left;
}

void
threads_destroy(threads_t **threads_at)
{
    threads_t *threads = *threads_at;

    if (!threads) {
        return;
    }
    assert(!threads->running && "threads are stopped first");
    close_all(threads);
    job_pool_destroy(&threads->jobs);
    mail_end(&threads->mail);
    close(threads->wake);
    free(threads);
    *threads_at = NULL;
}
