/* bench.h - what the C programs of the bench share: clocks, memory, and the line they print.
 *
 * Shape    PROGRAM WORKLOAD VARIANT N prints one line of JSON; tools/bench-actors reads it.
 * Promises what is measured lies between meter_begin and meter_end, setup and teardown do not.
 */
#pragma once

#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

typedef struct meter {
    int64_t ns, cpu_ns;
    uint64_t rss;
} meter_t;

static inline int64_t
meter_clock(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return (int64_t) now.tv_sec * 1000000000 + now.tv_nsec;
}

static inline uint64_t
meter_rss(void)
{
    unsigned long size = 0, resident = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    if (file == NULL || fscanf(file, "%lu %lu", &size, &resident) != 2) {
        resident = 0;
    }
    if (file != NULL) {
        fclose(file);
    }
    return (uint64_t) resident * (uint64_t) sysconf(_SC_PAGESIZE);
}

static inline void
meter_begin(meter_t *meter)
{
    meter->cpu_ns = -meter_clock(CLOCK_PROCESS_CPUTIME_ID);
    meter->ns = -meter_clock(CLOCK_MONOTONIC);
}

static inline void
meter_end(meter_t *meter)
{
    meter->ns += meter_clock(CLOCK_MONOTONIC);
    meter->cpu_ns += meter_clock(CLOCK_PROCESS_CPUTIME_ID);
    meter->rss = meter_rss();
}

/* arrived: what the receivers counted. more: further fields, or "". */
static inline void
meter_print(const meter_t *meter, uint64_t ops, uint64_t arrived, const char *more)
{
    printf("{\"ops\": %" PRIu64
           ", \"seconds\": %.9f, \"cpu_seconds\": %.9f, \"rss_bytes\": %" PRIu64
           ", \"arrived\": %" PRIu64 "%s}\n",
           ops, (double) meter->ns / 1e9, (double) meter->cpu_ns / 1e9, meter->rss, arrived, more);
    fflush(stdout);
}

static inline int
bench_usage(const char *program)
{
    fprintf(stderr, "usage: %s WORKLOAD VARIANT N\n", program);
    return 2;
}

/* The workload is not one of this program's: the driver leaves its rows out. */
static inline int
bench_unknown(const char *workload, const char *variant)
{
    fprintf(stderr, "no workload '%s %s' here\n", workload, variant);
    return 3;
}

static inline int
bench_has(const char *variant, const char *word)
{
    return strstr(variant, word) != NULL;
}

#define W3_PRODUCERS 100u
#define W4_SEATS     500u
#define W5_WAVE      1000u
#define W6_ASKED     1000u
