#include <pthread.h>
void *wrong_thread(void *p);
int wrong_function(int a);
int
wrong_function(int a)
{
    pthread_t t;
    return a + pthread_create(&t, NULL, wrong_thread, NULL);
}
