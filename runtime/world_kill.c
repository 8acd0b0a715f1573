/* world_kill.c - counts disk-changing calls and named points, and kills the process at one. */
#include "runtime/world_kill.h"

#ifdef FAULT_POINTS
#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct {
    atomic_uint_fast64_t calls;  /* so far */
    atomic_uint_fast64_t passed; /* of the armed point, so far */
    uint64_t kill_at;            /* 0: not armed */
    uint64_t point_at;           /* 0: not armed */
    char point[64];
} kill_state;

static uint64_t
ordinal_of(const char *text, const char *variable)
{
    char *end = NULL;
    errno = 0;
    unsigned long long value = strtoull(text, &end, 10);
    if (errno != 0 || end == text || *end != '\0' || value == 0 || *text == '-') {
        fprintf(stderr, "despool: %s is not of the form that kill tests use\n", variable);
        exit(2);
    }
    return value;
}

/* Before main, when there is one thread only. */
__attribute__((constructor)) static void
arm(void)
{
    const char *at = getenv("DESPOOL_KILL_AT");
    if (at != NULL) {
        kill_state.kill_at = ordinal_of(at, "DESPOOL_KILL_AT");
    }
    const char *point = getenv("DESPOOL_KILL_POINT");
    if (point == NULL) {
        return;
    }
    const char *colon = strrchr(point, ':');
    size_t length = colon == NULL ? 0 : (size_t) (colon - point);
    if (length == 0 || length >= sizeof kill_state.point) {
        length = 0;
    }
    memcpy(kill_state.point, point, length);
    kill_state.point_at = ordinal_of(length == 0 ? "" : colon + 1, "DESPOOL_KILL_POINT");
}

static void
die(void)
{
    raise(SIGKILL);
    abort();
}

uint64_t
world_kill_before(void)
{
    uint64_t ordinal = atomic_fetch_add(&kill_state.calls, 1) + 1;
    if (ordinal == kill_state.kill_at && ordinal % 2 == 1) {
        die();
    }
    return ordinal;
}

void
world_kill_after(uint64_t ordinal)
{
    if (ordinal == kill_state.kill_at && ordinal % 2 == 0) {
        die();
    }
}

void
world_kill_point(const char *name)
{
    if (kill_state.point_at == 0 || strcmp(name, kill_state.point) != 0) {
        return;
    }
    if (atomic_fetch_add(&kill_state.passed, 1) + 1 == kill_state.point_at) {
        die();
    }
}
#else
/* ISO C wants a declaration in every translation unit. */
typedef int world_kill_is_not_built;
#endif
