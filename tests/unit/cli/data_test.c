/* data_test.c - claims about the lock of a data directory. */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/unit/cli/capture.h"
#include "tools/despoold_data.h"

#define FEW_LOOKS 5

/* The lock is had by somebody else, for so many looks at it. */
static unsigned looks, looks_until_free;

int
flock(int fd, int operation)
{
    cr_assert(fd >= 0 && operation != 0);
    if (++looks > looks_until_free) {
        return 0;
    }
    errno = EWOULDBLOCK;
    return -1;
}

static capture_t capture;

/* Whether it was locked; what was said is in capture. */
static bool
lock(unsigned until_free)
{
    char directory[] = "data-test-XXXXXX";

    cr_assert_not_null(mkdtemp(directory));
    looks = 0;
    looks_until_free = until_free;
    capture_begin(&capture);
    int fd = data_lock(directory);
    capture_end(&capture);
    if (fd >= 0) {
        close(fd);
    }
    rmdir(directory);
    return fd >= 0;
}

Test(data, a_lock_that_a_killed_host_has_a_little_longer_is_waited_for)
{
    cr_expect(lock(0) && looks == 1, "a free one took %u looks", looks);
    cr_expect(lock(FEW_LOOKS), "refused after %u looks: %s", looks, capture.err);
    cr_expect_str_eq(capture.err, "", "it was said: %s", capture.err);
}

Test(data, a_lock_that_another_host_keeps_is_refused_and_said_once)
{
    cr_expect(!lock(UINT32_MAX), "taken from its owner after %u looks", looks);
    char *said = strstr(capture.err, "another host uses the data directory");
    cr_assert(said && strncmp(capture.err, "cannot start the host in '", 26) == 0, "%s",
              capture.err);
    cr_expect(!strstr(said + 1, "another host"), "said twice: %s", capture.err);
}
