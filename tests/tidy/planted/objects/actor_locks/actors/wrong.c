#include <pthread.h>
int wrong_function(pthread_mutex_t *m);
int
wrong_function(pthread_mutex_t *m)
{
    return pthread_mutex_lock(m);
}
