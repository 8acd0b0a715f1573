/* tap.h - claims of a plain program, one line of TAP each. */
#pragma once

#include <semaphore.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define WAIT_S 60 /* for what has to come */

static uint32_t claims, failures;

static inline void
claim_that(bool truth, const char *sentence, const char *got)
{
    printf("%sok %u - %s\n", truth ? "" : "not ", ++claims, sentence);
    if (!truth) {
        printf("# got: %s\n", got);
        failures++;
    }
}

/* Without it nothing that follows makes sense. */
static inline void
need(bool truth, const char *what)
{
    if (!truth) {
        claim_that(false, what, "it did not come");
        exit(1);
    }
}

static inline void
wait_for(sem_t *what, const char *name)
{
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += WAIT_S;
    need(sem_timedwait(what, &until) == 0, name);
}

/* The number of claims; the program's exit code. */
static inline int
claims_end(void)
{
    printf("1..%u\n", claims);
    fflush(stdout);
    return failures == 0 ? 0 : 1;
}
