/* job_hands.c - see job_hands.h. */
#include "runtime/job_hands.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

struct hands {
    world_hands_t hands; /* first: the world's */
    pthread_mutex_t lock;
    pthread_cond_t more, done;
    world_work_t *head, *tail; /* begun, and in nobody's hand */
    uint32_t most, threads, idle;
    pthread_t thread[HANDS_MAX];
    bool stopping;
};

static hands_t *
hands_self(world_hands_t *hands)
{
    return (hands_t *) hands;
}

/* ---- one work, with the lock held ---- */

static world_work_t *
take(hands_t *hands)
{
    world_work_t *work = hands->head;

    if (work) {
        hands->head = work->next;
        hands->tail = hands->head ? hands->tail : NULL;
        work->state = WORK_IN_HAND;
    }
    return work;
}

static void
take_out(hands_t *hands, world_work_t *work)
{
    world_work_t *before = NULL;

    for (world_work_t *at = hands->head; at != work; at = at->next) {
        before = at;
    }
    *(before ? &before->next : &hands->head) = work->next;
    hands->tail = hands->tail == work ? before : hands->tail;
    work->state = WORK_IN_HAND;
}

/* The lock is let go while it is done. */
static void
carry_out(hands_t *hands, world_work_t *work)
{
    pthread_mutex_unlock(&hands->lock);
    work->run(work);
    pthread_mutex_lock(&hands->lock);
    work->state = WORK_DONE;
    pthread_cond_broadcast(&hands->done);
}

/* ---- the threads ---- */

static void *
hand_main(void *context)
{
    hands_t *hands = context;

    pthread_setname_np(pthread_self(), "hand");
    pthread_mutex_lock(&hands->lock);
    while (!hands->stopping) {
        world_work_t *work = take(hands);
        if (work) {
            carry_out(hands, work);
        } else {
            hands->idle++;
            pthread_cond_wait(&hands->more, &hands->lock);
            hands->idle--;
        }
    }
    pthread_mutex_unlock(&hands->lock);
    return NULL;
}

/* Without one more the others, or who awaits the work, will do it. */
static void
start_one(hands_t *hands)
{
    hands->threads += pthread_create(&hands->thread[hands->threads], NULL, hand_main, hands) == 0;
}

/* ---- what a job calls ---- */

static void
begin(world_hands_t *self, world_work_t *work)
{
    hands_t *hands = hands_self(self);

    work->next = NULL;
    pthread_mutex_lock(&hands->lock);
    work->state = WORK_WAITS;
    *(hands->tail ? &hands->tail->next : &hands->head) = work;
    hands->tail = work;
    if (hands->idle > 0) {
        pthread_cond_signal(&hands->more);
    } else if (hands->threads < hands->most) {
        start_one(hands);
    }
    pthread_mutex_unlock(&hands->lock);
}

static void
await(world_hands_t *self, world_work_t *work)
{
    hands_t *hands = hands_self(self);

    pthread_mutex_lock(&hands->lock);
    while (work->state != WORK_DONE) {
        if (work->state == WORK_WAITS) {
            take_out(hands, work);
            carry_out(hands, work);
            continue;
        }
        world_work_t *other = take(hands);
        if (other) {
            carry_out(hands, other);
        } else {
            pthread_cond_wait(&hands->done, &hands->lock);
        }
    }
    pthread_mutex_unlock(&hands->lock);
}

static const world_hands_calls_t hands_calls = {.begin = begin, .await = await};

/* ---- life ---- */

uint32_t
hands_useful(void)
{
    long processors = sysconf(_SC_NPROCESSORS_ONLN);

    return processors <= 1 ? 0 : processors - 1 > HANDS_MAX ? HANDS_MAX : (uint32_t) processors - 1;
}

hands_t *
hands_new(uint32_t threads)
{
    hands_t *hands = calloc(1, sizeof *hands);

    assert(hands && "memory for a host's hands");
    hands->hands.call = &hands_calls;
    hands->most = threads > HANDS_MAX ? HANDS_MAX : threads;
    pthread_mutex_init(&hands->lock, NULL);
    pthread_cond_init(&hands->more, NULL);
    pthread_cond_init(&hands->done, NULL);
    return hands;
}

world_hands_t *
hands_of(hands_t *hands)
{
    return &hands->hands;
}

void
hands_destroy(hands_t **hands)
{
    hands_t *old = *hands;

    if (!old) {
        return;
    }
    pthread_mutex_lock(&old->lock);
    assert(!old->head && "all works were awaited");
    old->stopping = true;
    pthread_cond_broadcast(&old->more);
    pthread_mutex_unlock(&old->lock);
    for (uint32_t i = 0; i < old->threads; i++) {
        pthread_join(old->thread[i], NULL);
    }
    pthread_cond_destroy(&old->more);
    pthread_cond_destroy(&old->done);
    pthread_mutex_destroy(&old->lock);
    free(old);
    *hands = NULL;
}
