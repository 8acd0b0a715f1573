/* wrong.c - a handler that takes a lock in another function, which its own thread may hold. */
#include <pthread.h>
#include <signal.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
int stopped;

__attribute__((noinline)) void
note_stop(int number)
{
    pthread_mutex_lock(&lock);
    stopped = number;
    pthread_mutex_unlock(&lock);
}

static void
on_signal(int number)
{
    note_stop(number);
}

void
catch_it(void)
{
    struct sigaction action = {.sa_handler = on_signal};
    sigaction(SIGTERM, &action, NULL);
}
