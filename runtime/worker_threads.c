/* worker_threads.c - see worker_threads.h. */
#include "runtime/worker_inside.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "runtime/host.h"

#define STOP_LOOK_MS  50 /* between looks whether a stop from outside is due */
#define OTHER_THREADS 4u /* the host's own, the watchdog, and two of the sockets' context */

/* ---- the executor ---- */

int64_t
seat_now_ns(void *unused)
{
    struct timespec now;

    (void) unused;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t) now.tv_sec * 1000000000 + now.tv_nsec;
}

void
seat_nap(uint32_t ms)
{
    nanosleep(&(struct timespec){.tv_nsec = ms * NS_PER_MS}, NULL);
}

static int64_t
wall_ns(void *self)
{
    struct timespec now;

    (void) self;
    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t) now.tv_sec * 1000000000 + now.tv_nsec;
}

/* Each thread draws for itself: two of them may have been on one seat. */
static uint64_t
chance(void *self, uint32_t worker)
{
    static _Thread_local uint64_t state;

    if (state == 0 && getrandom(&state, sizeof state, 0) != (ssize_t) sizeof state) {
        state = (uint64_t) seat_now_ns(self) + worker;
    }
    uint64_t z = (state += UINT64_C(0x9e3779b97f4a7c15));
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

static void
post(void *self, uint32_t from, uint32_t to, envelope_t *take_envelope)
{
    threads_t *threads = self;

    outlet_t *outlet = threads->outlet[from];
    outlet_send(outlet, to, take_envelope);
    if (from >= threads->workers) { /* a worker flushes at the end of its quantum */
        outlet_flush(outlet);
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

void
threads_ring(threads_t *threads)
{
    uint64_t one = 1;

    /* A full counter rings already; nothing else can go wrong with an eventfd that is open. */
    ssize_t wrote = write(threads->wake, &one, sizeof one);
    (void) wrote;
}

/* A state matters to who waits for all to be ready; anything else to whoever waits. */
static void
changed(void *self)
{
    threads_t *threads = self;

    if (threads->core == NULL || atomic_load(&threads->states_awaited) > 0 ||
        core_stop_requested(threads->core) || core_is_ended(threads->core)) {
        threads_ring(threads);
    }
}

static uint64_t
descriptors_open(void)
{
    DIR *dir = opendir("/proc/self/fd");
    uint64_t count = 0;

    while (dir && readdir(dir)) {
        count++;
    }
    if (dir) {
        closedir(dir);
    }
    return count > 3 ? count - 3 : 0; /* ., .. and the listing itself */
}

static uint64_t
descriptors_max(void)
{
    struct rlimit limit = {0};

    return getrlimit(RLIMIT_NOFILE, &limit) == 0 ? limit.rlim_cur : 0;
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

/* ---- start ---- */

threads_t *
threads_new(uint32_t job_threads, link_t *const *links, uint32_t link_count, const char *stop_to)
{
    threads_t *threads = calloc(1, sizeof *threads);

    assert(threads && link_count <= LINKS_MAX);
    threads->executor = (executor_t){threads,     seat_now_ns,  wall_ns,    chance,     post,
                                     job_reserve, job_release,  job_submit, job_cancel, changed,
                                     figures,     relief_times, true};
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
            const char *failed = link_failed(threads->link[i]);
            if (*failed) {
                snprintf(ret_why, why_size, "cannot listen at %s", failed);
            } else {
                snprintf(ret_why, why_size, "cannot listen for '%s': %s",
                         link_class(threads->link[i])->name, err_sentence(err));
            }
            return err;
        }
    }
    return OK;
}

static void
close_all(threads_t *threads)
{
    /* Last one first: without its door a link lets everybody in. */
    for (uint32_t i = threads->link_count; i > 0; i--) {
        link_close(threads->link[i - 1]);
    }
    for (uint32_t i = 0; i < OUTLETS_MAX; i++) {
        outlet_destroy(&threads->outlet[i]);
    }
    relief_close(threads);
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
    relief_prepare(threads);
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
    int64_t now = seat_now_ns(NULL);

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
threads_wait_ready(threads_t *threads, bool (*done)(const core_t *core), int64_t ms)
{
    atomic_fetch_add(&threads->states_awaited, 1);
    bool is_done = threads_wait(threads, done, ms);
    atomic_fetch_sub(&threads->states_awaited, 1);
    return is_done;
}

bool
threads_wait(threads_t *threads, bool (*done)(const core_t *core), int64_t ms)
{
    int64_t until = seat_now_ns(NULL) + ms * NS_PER_MS;

    for (;;) {
        drain_wake(threads);
        if (done(threads->core)) {
            return true;
        }
        int64_t left = ms < 0 ? 1000 : (until - seat_now_ns(NULL)) / NS_PER_MS;
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
    threads_ring(threads);
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
    left += relief_away(threads, ret_left, left_size);
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
    while (not_ended(threads, none, 0) > 0 && seat_now_ns(NULL) < until_ns) {
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
        relief_join(threads);
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
