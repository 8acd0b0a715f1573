/* relief.c - a thread whose handler does not return loses its seat to another one.
 *
 * The core says whose handler it is and hands the worker over (takeover_inside.h); here are the
 * threads. A seat keeps its link, whoever has it: see link.c. */
#include <assert.h>
#include <inttypes.h>
#include <linux/membarrier.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "runtime/worker_inside.h"

#define ROOM_LOOKS 4u

static long
membarrier(int command)
{
    return syscall(SYS_membarrier, command, 0, 0);
}

void
relief_prepare(threads_t *threads)
{
    threads->may_relieve = membarrier(MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED) == 0;
}

/* Every thread of the process that runs passes a full fence before this returns. */
static void
fence_all(void)
{
    long failed = membarrier(MEMBARRIER_CMD_PRIVATE_EXPEDITED);

    assert(failed == 0 && "it was registered");
    (void) failed;
}

static relief_t *
find_free(threads_t *threads)
{
    for (uint32_t i = 0; i < TAKEOVERS_MAX; i++) {
        relief_t *relief = &threads->relief[i];
        if (atomic_load(&relief->worker) && atomic_load(&relief->back)) {
            pthread_join(relief->stuck, NULL);
            atomic_store(&relief->worker, NULL);
        }
        if (!atomic_load(&relief->worker)) {
            return relief;
        }
    }
    return NULL;
}

static void *
relief_main(void *context)
{
    relief_t *relief = context;
    threads_t *threads = relief->threads;

    while (sem_wait(&relief->go) != 0) {
    }
    return relief->won ? seat_main(&threads->seat[relief->seat]) : NULL;
}

static void
take_seat(threads_t *threads, relief_t *relief, const overdue_t *who)
{
    seat_t *seat = &threads->seat[who->worker];
    pthread_t thread;

    relief->threads = threads;
    relief->seat = who->worker;
    relief->stuck = seat->thread;
    atomic_store(&relief->back, false);
    sem_init(&relief->go, 0, 0);
    if (pthread_create(&thread, NULL, relief_main, relief) != 0) {
        return; /* it is tried again at the next look */
    }
    atomic_store(&relief->worker, core_worker(threads->core, who->worker));
    relief->won = core_take_over(threads->core, who, fence_all);
    if (relief->won) {
        seat->thread = thread;
        atomic_fetch_add(&threads->threads_running, 1);
    }
    sem_post(&relief->go);
    if (!relief->won) {
        pthread_join(thread, NULL);
        atomic_store(&relief->worker, NULL);
    }
}

void
relief_look(threads_t *threads)
{
    overdue_t who;

    if (!threads->may_relieve || !core_overdue(threads->core, &who)) {
        return;
    }
    const link_t *link = threads->seat[who.worker].link;
    if (link && !link_moves(link)) {
        return;
    }
    relief_t *relief = find_free(threads);
    if (relief) {
        take_seat(threads, relief, &who);
    }
}

/* A line of the system's about a thread; false: there is none. */
static bool
thread_line(pid_t tid, const char *what, char *ret_line, size_t size)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/self/task/%d/%s", (int) tid, what);
    FILE *file = fopen(path, "re");
    bool read = file != NULL && fgets(ret_line, (int) size, file) != NULL;

    if (file != NULL) {
        fclose(file);
    }
    return read;
}

bool
relief_times(void *context, uint32_t worker, thread_times_t *ret)
{
    const threads_t *threads = context;
    pid_t tid = atomic_load(&threads->seat[worker].tid);
    char line[512];

    if (tid == 0 || !thread_line(tid, "stat", line, sizeof line)) {
        return false;
    }
    const char *state = strrchr(line, ')'); /* its name is in brackets, and may have some itself */
    ret->is_ready = state != NULL && strncmp(state, ") R", 3) == 0;
    return thread_line(tid, "schedstat", line, sizeof line) &&
           sscanf(line, "%" SCNd64 " %" SCNd64, &ret->ran_ns, &ret->queued_ns) == 2;
}

/* Threads of the machine that want a processor just now, the one that asks among them; 0: it is not
 * known. */
static unsigned
ready_threads(void)
{
    unsigned ready = 0;
    FILE *file = fopen("/proc/loadavg", "re");
    bool known = file != NULL && fscanf(file, "%*f %*f %*f %u/", &ready) == 1;

    if (file != NULL) {
        fclose(file);
    }
    return known ? ready : 0;
}

/* What wants one for microseconds only, as the system's own threads do, is not there each time. */
bool
relief_has_room(void)
{
    cpu_set_t may;
    long online = sysconf(_SC_NPROCESSORS_ONLN);
    bool all = sched_getaffinity(0, sizeof may, &may) == 0 && CPU_COUNT(&may) == online;

    for (unsigned look = 0; all && look < ROOM_LOOKS; look++) {
        unsigned ready = ready_threads();
        if (ready > 0 && (long) ready <= online) {
            return true;
        }
    }
    return false;
}

void
relief_back(seat_t *seat, worker_t *worker)
{
    threads_t *threads = seat->threads;
    relief_t *relief = threads->relief;

    while (atomic_load(&relief->worker) != worker || atomic_load(&relief->back)) {
        relief++;
        assert(relief < threads->relief + TAKEOVERS_MAX && "who lost its seat lost it to somebody");
    }
    if (!relief->outlet) {
        relief->outlet = outlet_new(threads->mail);
    }
    outlet_send(relief->outlet, seat->index, takeover_back(worker));
    atomic_store(&relief->back, true); /* before the worker has another use */
    outlet_flush(relief->outlet);
    memory_thread_ends();
    atomic_fetch_sub(&threads->threads_running, 1);
    threads_ring(threads);
}

uint32_t
relief_away(const threads_t *threads, char *ret_left, size_t left_size)
{
    uint32_t away = 0;
    size_t used = strlen(ret_left);

    for (uint32_t i = 0; i < TAKEOVERS_MAX; i++) {
        const relief_t *relief = &threads->relief[i];
        const worker_t *worker = atomic_load(&relief->worker);
        if (worker && !atomic_load(&relief->back)) {
            char name[160];
            away++;
            takeover_name(worker, name, sizeof name);
            if (used < left_size) {
                used += (size_t) snprintf(ret_left + used, left_size - used, "%sthread %s",
                                          used ? ", " : "", name);
            }
        }
    }
    return away;
}

void
relief_join(threads_t *threads)
{
    for (uint32_t i = 0; i < TAKEOVERS_MAX; i++) {
        if (atomic_load(&threads->relief[i].worker)) {
            pthread_join(threads->relief[i].stuck, NULL);
            atomic_store(&threads->relief[i].worker, NULL);
        }
    }
}

void
relief_close(threads_t *threads)
{
    for (uint32_t i = 0; i < TAKEOVERS_MAX; i++) {
        outlet_destroy(&threads->relief[i].outlet);
    }
}
