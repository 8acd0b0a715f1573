/* world_kill.c - counts disk-changing calls and named points, and kills the process at one. */
#include "runtime/world_kill.h"

#ifdef FAULT_POINTS
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static world_kill_t own_state;
static world_kill_t *state = &own_state;

static _Noreturn void
refuse(const char *variable)
{
    fprintf(stderr, "despool: %s is not of the form that kill tests use\n", variable);
    exit(2);
}

/* The file stays mapped for the life of the process. */
static void
share(const char *path)
{
    struct stat found;
    int fd = open(path, O_RDWR | O_CLOEXEC);
    bool whole = fd >= 0 && fstat(fd, &found) == 0 && found.st_size >= (off_t) sizeof *state;
    void *shared =
        whole ? mmap(NULL, sizeof *state, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0) : MAP_FAILED;
    if (shared == MAP_FAILED) {
        refuse("DESPOOL_KILL_FILE");
    }
    close(fd);
    state = shared;
}

static uint64_t
ordinal_of(const char *text, const char *variable)
{
    char *end = NULL;
    errno = 0;
    unsigned long long value = strtoull(text, &end, 10);
    if (errno != 0 || end == text || *end != '\0' || value == 0 || *text == '-') {
        refuse(variable);
    }
    return value;
}

/* Before main, when there is one thread only. */
__attribute__((constructor)) static void
arm(void)
{
    const char *file = getenv("DESPOOL_KILL_FILE");
    const char *at = getenv("DESPOOL_KILL_AT");
    if (file != NULL) {
        share(file);
    }
    if (at != NULL) {
        state->kill_at = ordinal_of(at, "DESPOOL_KILL_AT");
    }
    const char *point = getenv("DESPOOL_KILL_POINT");
    if (point == NULL) {
        return;
    }
    const char *colon = strrchr(point, ':');
    size_t length = colon == NULL ? 0 : (size_t) (colon - point);
    if (length == 0 || length >= sizeof state->point) {
        length = 0;
    }
    memcpy(state->point, point, length);
    state->point_at = ordinal_of(length == 0 ? "" : colon + 1, "DESPOOL_KILL_POINT");
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
    uint64_t ordinal = atomic_fetch_add(&state->calls, 1) + 1;
    if (ordinal == state->kill_at && ordinal % 2 == 1) {
        die();
    }
    return ordinal;
}

size_t
world_kill_part(uint64_t ordinal, size_t size)
{
    return ordinal == state->kill_at ? size - size / 2 : size;
}

void
world_kill_after(uint64_t ordinal)
{
    if (ordinal == state->kill_at && ordinal % 2 == 0) {
        die();
    }
}

void
world_kill_point(const char *name)
{
    uint64_t point_at = state->point_at;
    if (point_at == 0 || strncmp(name, state->point, sizeof state->point) != 0) {
        return;
    }
    if (atomic_fetch_add(&state->passed, 1) + 1 == point_at) {
        die();
    }
}
#else
/* ISO C wants a declaration in every translation unit. */
typedef int world_kill_is_not_built;
#endif
