/* job_pool.c - see job_pool.h. Threads are detached: each frees its own seat when it ends, a
 * lost one when it returns and is not needed any more. */
#include "runtime/job_pool.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "runtime/job_cond.h"
#include "runtime/inside.h"
#include "runtime/job_shares.h"
#include "runtime/world_os.h"

#define LOST_AGAIN_MS 60000 /* between notes that a thread is still lost */

/* One thread's place; unlinked and freed by its thread, with the lock held. */
typedef struct seat {
    struct seat *next;
    job_pool_t *pool;
    pthread_t thread;
    outlet_t *outlet;
    job_t *job; /* in hand */
    atomic_bool cancel;
    bool lost;
    char subject[256];
    char owner[96], job_text[160]; /* for the notes, of a job that is lost */
    int64_t noted_ns;
    uint32_t number;
} seat_t;

/* A lost thread that is back, which the watchdog has still to say. */
typedef struct back {
    char owner[96], job_text[160];
} back_t;

typedef struct waiting {
    struct waiting *next;
    job_t *job;
} waiting_t;

struct job_pool {
    pthread_mutex_t lock;
    pthread_cond_t more, idle;
    mail_t *mail;
    struct black_box_file *notes;
    shares_t shares;
    seat_t *seats;
    waiting_t *head, *tail;
    uint64_t queued, reserved, moves;
    uint32_t wanted, threads, lost, numbers;
    back_t back[JOB_THREADS_LOST_MAX];
    uint32_t backs;
    bool stopping;
};

static void
lock(job_pool_t *pool)
{
    pthread_mutex_lock(&pool->lock);
}

static void
unlock(job_pool_t *pool)
{
    pthread_mutex_unlock(&pool->lock);
}

static bool
subject_is(const char *subject, slice_t name)
{
    return name.size > 0 && strlen(subject) == name.size &&
           memcmp(subject, name.data, name.size) == 0;
}

static bool
subject_is_lost(const job_pool_t *pool, slice_t subject)
{
    for (const seat_t *seat = pool->seats; seat; seat = seat->next) {
        if (seat->lost && subject_is(seat->subject, subject)) {
            return true;
        }
    }
    return false;
}

/* ---- a thread's life ---- */

/* The next job for this seat; NULL when the pool stops. Called and returns with the lock held. */
static job_t *
take(job_pool_t *pool, seat_t *seat)
{
    while (!pool->head && !pool->stopping) {
        pthread_cond_wait(&pool->more, &pool->lock);
    }
    waiting_t *waiting = pool->head;
    if (!waiting) {
        return NULL;
    }
    pool->head = waiting->next;
    pool->tail = pool->head ? pool->tail : NULL;
    pool->queued--;
    pool->moves++;
    seat->job = waiting->job;
    free(waiting);
    atomic_store(&seat->cancel, pool->stopping || job_is_cancelled(seat->job));
    if (!slice_copy(job_subject(seat->job), seat->subject, sizeof seat->subject)) {
        seat->subject[0] = 0;
    }
    return seat->job;
}

static void
seat_unlink(job_pool_t *pool, const seat_t *seat)
{
    seat_t **at = &pool->seats;

    while (*at != seat) {
        at = &(*at)->next;
    }
    *at = seat->next;
}

/* The seat lets go of the job before its answer is made: from then on the job may be gone at any
 * moment, and the watchdog must not look at it. */
static void
run(seat_t *seat, job_t *job)
{
    world_os_t os;
    common_seat_t own;
    uint32_t worker = job_worker(job);
    world_t *world = world_os_init(&os, &seat->cancel);
    black_box_t *notes = black_box_of_job(seat->pool->notes, seat->number);
    delivery_t delivery = job_delivery(job, world_monotonic_ns(world));

    shares_lend(&seat->pool->shares, &own, world);
    black_box_note(notes, &delivery);
    job_begin(job, world);
    black_box_done(notes);
    lock(seat->pool);
    seat->pool->moves++;
    seat->job = NULL;
    unlock(seat->pool);
    outlet_send(seat->outlet, worker, job_finish(job));
    outlet_flush(seat->outlet);
}

/* The watchdog alone has an outlet to whoever hears the notes, so it says this, too. */
static void
note_back(job_pool_t *pool, const seat_t *seat)
{
    if (pool->backs < JOB_THREADS_LOST_MAX) {
        back_t *back = &pool->back[pool->backs++];
        memcpy(back->owner, seat->owner, sizeof back->owner);
        memcpy(back->job_text, seat->job_text, sizeof back->job_text);
    }
}

/* Back from a job: whether this thread goes on. One that was lost takes the place of its
 * replacement when there is none. Called with the lock held. */
static bool
goes_on(job_pool_t *pool, seat_t *seat)
{
    if (seat->lost) {
        pool->lost--;
        seat->lost = false;
        note_back(pool, seat);
        if (pool->threads >= pool->wanted || pool->stopping) {
            return false;
        }
        pool->threads++;
    }
    return true;
}

static void *
seat_main(void *context)
{
    seat_t *seat = context;
    job_pool_t *pool = seat->pool;
    char name[16];

    snprintf(name, sizeof name, "job-%u", seat->number % 1000);
    pthread_setname_np(pthread_self(), name);
    lock(pool);
    bool on = true;
    for (job_t *job; on && (job = take(pool, seat));) {
        unlock(pool);
        run(seat, job);
        lock(pool);
        on = goes_on(pool, seat);
    }
    pool->threads -= on;
    seat_unlink(pool, seat);
    outlet_destroy(&seat->outlet);
    memory_thread_ends();
    free(seat);
    pthread_cond_broadcast(&pool->idle);
    unlock(pool);
    return NULL;
}

/* With the lock held. */
static void
seat_new(job_pool_t *pool)
{
    seat_t *seat = calloc(1, sizeof *seat);
    pthread_attr_t attributes;

    assert(seat && "memory for a job thread");
    seat->pool = pool;
    seat->number = pool->numbers++;
    seat->outlet = outlet_new(pool->mail);
    seat->next = pool->seats;
    pool->seats = seat;
    pool->threads++;
    pthread_attr_init(&attributes);
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    int failed = pthread_create(&seat->thread, &attributes, seat_main, seat);
    assert(failed == 0 && "a job thread can be started");
    pthread_attr_destroy(&attributes);
}

job_pool_t *
job_pool_new(mail_t *mail, uint32_t threads, struct black_box_file *notes)
{
    job_pool_t *pool = calloc(1, sizeof *pool);

    assert(pool && "memory for the job pool");
    pthread_mutex_init(&pool->lock, NULL);
    pthread_cond_init(&pool->more, NULL);
    cond_init_monotonic(&pool->idle);
    pool->mail = mail;
    pool->wanted = threads;
    pool->notes = notes;
    shares_open(&pool->shares);
    lock(pool);
    for (uint32_t i = 0; i < threads; i++) {
        seat_new(pool);
    }
    unlock(pool);
    return pool;
}

/* ---- the workers' side ---- */

bool
job_pool_reserve(job_pool_t *pool)
{
    lock(pool);
    bool room = pool->queued + pool->reserved < JOBS_QUEUED_MAX &&
                pool->lost < JOB_THREADS_LOST_MAX && !pool->stopping;
    pool->reserved += room;
    unlock(pool);
    return room;
}

void
job_pool_release(job_pool_t *pool)
{
    lock(pool);
    assert(pool->reserved > 0);
    pool->reserved--;
    unlock(pool);
}

err_t
job_pool_submit(job_pool_t *pool, job_t *job)
{
    waiting_t *waiting = calloc(1, sizeof *waiting);

    assert(waiting && "memory for a waiting job");
    waiting->job = job;
    lock(pool);
    assert(pool->reserved > 0);
    pool->reserved--;
    if (pool->stopping || subject_is_lost(pool, job_subject(job))) {
        err_t err = pool->stopping ? ERR_CANCELLED : ERR_HUNG;
        unlock(pool);
        free(waiting);
        return err;
    }
    if (pool->tail) {
        pool->tail->next = waiting;
    } else {
        pool->head = waiting;
    }
    pool->tail = waiting;
    pool->queued++;
    pthread_cond_signal(&pool->more);
    unlock(pool);
    return OK;
}

void
job_pool_cancel(job_pool_t *pool, const job_t *job)
{
    lock(pool);
    for (seat_t *seat = pool->seats; seat; seat = seat->next) {
        if (seat->job == job) {
            atomic_store(&seat->cancel, true);
        }
    }
    unlock(pool);
}

/* ---- the watchdog's side ---- */

/* An actor's threads are back when none of them is lost any more. */
static void
tell_backs(job_pool_t *pool, core_t *core)
{
    for (uint32_t i = 0; i < pool->backs; i++) {
        bool other = false;
        for (const seat_t *seat = pool->seats; seat; seat = seat->next) {
            other = other || (seat->lost && strcmp(seat->owner, pool->back[i].owner) == 0);
        }
        if (!other) {
            core_job_lost(core, pool->back[i].owner, pool->back[i].job_text, false);
        }
    }
    pool->backs = 0;
}

/* Said again and again while it lasts, for who hears it may have been restarted. */
static void
tell_lost(seat_t *seat, int64_t now_ns, core_t *core)
{
    if (now_ns - seat->noted_ns >= (int64_t) LOST_AGAIN_MS * NS_PER_MS) {
        seat->noted_ns = now_ns;
        core_job_lost(core, seat->owner, seat->job_text, true);
    }
}

static void
look_at_seat(job_pool_t *pool, seat_t *seat, int64_t now_ns, outlet_t *outlet, core_t *core)
{
    int64_t deadline_ns = job_deadline_ns(seat->job);

    if (now_ns >= deadline_ns) {
        job_expire(seat->job);
        atomic_store(&seat->cancel, true);
    }
    if (now_ns < deadline_ns + (int64_t) JOB_PATIENCE_MS * NS_PER_MS) {
        return;
    }
    if (seat->lost) {
        tell_lost(seat, now_ns, core);
        return;
    }
    seat->lost = true;
    pool->threads--;
    pool->lost++;
    core_job_names(core, seat->job, seat->owner, sizeof seat->owner, seat->job_text,
                   sizeof seat->job_text);
    seat->noted_ns = INT64_MIN / 2;
    tell_lost(seat, now_ns, core);
    outlet_send(outlet, job_worker(seat->job), job_abandon(seat->job, ERR_DEADLINE, true));
    if (pool->lost < JOB_THREADS_LOST_MAX && !pool->stopping) {
        seat_new(pool);
    }
}

/* A job that waits in the queue past its deadline never runs. */
static void
expire_waiting(job_pool_t *pool, int64_t now_ns, outlet_t *outlet)
{
    waiting_t *last = NULL;

    for (waiting_t **at = &pool->head; *at;) {
        waiting_t *waiting = *at;
        if (job_deadline_ns(waiting->job) > now_ns &&
            !subject_is_lost(pool, job_subject(waiting->job))) {
            last = waiting;
            at = &waiting->next;
            continue;
        }
        err_t err = job_deadline_ns(waiting->job) <= now_ns ? ERR_DEADLINE : ERR_HUNG;
        *at = waiting->next;
        pool->queued--;
        uint32_t worker = job_worker(waiting->job);
        outlet_send(outlet, worker, job_abandon(waiting->job, err, false));
        free(waiting);
    }
    pool->tail = last;
}

void
job_pool_look(job_pool_t *pool, int64_t now_ns, outlet_t *outlet, core_t *core)
{
    lock(pool);
    for (seat_t *seat = pool->seats, *next; seat; seat = next) {
        next = seat->next;
        if (seat->job) {
            look_at_seat(pool, seat, now_ns, outlet, core);
        }
    }
    expire_waiting(pool, now_ns, outlet);
    tell_backs(pool, core);
    outlet_flush(outlet);
    unlock(pool);
}

void
job_pool_figures(job_pool_t *pool, job_pool_figures_t *ret)
{
    lock(pool);
    *ret = (job_pool_figures_t){
        .threads = pool->threads, .lost = pool->lost, .queued = pool->queued, .moves = pool->moves};
    unlock(pool);
}

/* ---- the end ---- */

static void
drop_waiting(job_pool_t *pool)
{
    while (pool->head) {
        waiting_t *waiting = pool->head;
        envelope_t *envelope = job_abandon(waiting->job, ERR_CANCELLED, false);
        pool->head = waiting->next;
        envelope_destroy(&envelope);
        free(waiting);
    }
    pool->tail = NULL;
    pool->queued = 0;
}

void
job_pool_end(job_pool_t *pool)
{
    lock(pool);
    pool->stopping = true;
    drop_waiting(pool);
    for (seat_t *seat = pool->seats; seat; seat = seat->next) {
        atomic_store(&seat->cancel, true);
    }
    pthread_cond_broadcast(&pool->more);
    unlock(pool);
}

/* Names who is left; returns how many. With the lock held. */
static uint32_t
name_left(const job_pool_t *pool, char *ret_left, size_t left_size)
{
    size_t used = strlen(ret_left);
    uint32_t left = 0;

    for (const seat_t *seat = pool->seats; seat; seat = seat->next) {
        left++;
        if (used < left_size) {
            used += (size_t) snprintf(ret_left + used, left_size - used, "%sjob %s%s%s",
                                      used ? ", " : "", seat->job ? job_name(seat->job) : "thread",
                                      seat->subject[0] ? " for " : "", seat->subject);
        }
    }
    return left;
}

uint32_t
job_pool_wait(job_pool_t *pool, int64_t until_ns, char *ret_left, size_t left_size)
{
    struct timespec until = {.tv_sec = until_ns / 1000000000, .tv_nsec = until_ns % 1000000000};

    lock(pool);
    /* Nobody waits for the lost ones. */
    while (pool->threads > 0 &&
           pthread_cond_timedwait(&pool->idle, &pool->lock, &until) != ETIMEDOUT) {
    }
    uint32_t left = name_left(pool, ret_left, left_size);
    unlock(pool);
    return left;
}

void
job_pool_destroy(job_pool_t **pool)
{
    if (!*pool) {
        return;
    }
    assert(!(*pool)->seats && "a pool with lost threads is left alone");
    /* The last thread signals with the lock held and unlocks after it. */
    lock(*pool);
    unlock(*pool);
    pthread_cond_destroy(&(*pool)->more);
    pthread_cond_destroy(&(*pool)->idle);
    pthread_mutex_destroy(&(*pool)->lock);
    shares_close(&(*pool)->shares);
    free(*pool);
    *pool = NULL;
}
