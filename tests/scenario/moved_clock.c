/* moved_clock.c - another wall clock for a real host, put before it with LD_PRELOAD.
 *
 * $MOVED_CLOCK names a file of one number: so many seconds the wall clock shows more than it does.
 * Whoever writes another number moves the clock of the running host. Its other clocks stay.
 */
#include <dlfcn.h>
#include <fcntl.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

static long long
seconds_more(void)
{
    char text[32];
    const char *path = getenv("MOVED_CLOCK");
    int fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    ssize_t size = fd >= 0 ? read(fd, text, sizeof text - 1) : 0;

    if (fd >= 0) {
        close(fd);
    }
    text[size > 0 ? size : 0] = '\0';
    return strtoll(text, NULL, 10);
}

int
clock_gettime(clockid_t clock, struct timespec *ret_now)
{
    int (*next)(clockid_t, struct timespec *) = dlsym(RTLD_NEXT, "clock_gettime");
    int failed = next(clock, ret_now);

    if (!failed && clock == CLOCK_REALTIME) {
        ret_now->tv_sec += (time_t) seconds_more();
    }
    return failed;
}
