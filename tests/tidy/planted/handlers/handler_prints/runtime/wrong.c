/* wrong.c - a handler that prints: stdio may be in the middle of a line, and holds a lock. */
#include <signal.h>
#include <stdio.h>

static void
on_signal(int number)
{
    printf("signal %d\n", number);
}

void
catch_it(void)
{
    struct sigaction action = {.sa_handler = on_signal};
    sigaction(SIGTERM, &action, NULL);
}
