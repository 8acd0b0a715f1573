/* right.c - a handler that notes the signal, and gives it on. */
#include <signal.h>

static volatile sig_atomic_t told;
static struct sigaction before;

static void
on_other(int number)
{
    told = 1;
    sigaction(number, &before, NULL);
    raise(number);
}

void
catch_other(void)
{
    struct sigaction action = {.sa_handler = on_other};
    sigaction(SIGINT, &action, &before);
}
