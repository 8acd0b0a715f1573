/* busy.c - a process that works all the time, for N milliseconds, and counts what it got done. */
#include "tools/bench.d/bench.h"

#define UNIT 1000u /* steps of a unit of work */

static uint64_t
work(uint64_t seed)
{
    for (uint32_t i = 0; i < UNIT; i++) {
        seed = seed * UINT64_C(6364136223846793005) + 1442695040888963407u;
    }
    return seed;
}

int
main(int argc, char **argv)
{
    meter_t meter;
    uint64_t units = 0;
    volatile uint64_t seed = 1;

    if (argc != 4) {
        return bench_usage(argv[0]);
    }
    meter_begin(&meter);
    int64_t until = meter_clock(CLOCK_MONOTONIC) + strtoll(argv[3], NULL, 10) * 1000000;
    while (meter_clock(CLOCK_MONOTONIC) < until) {
        seed = work(seed);
        units++;
    }
    meter_end(&meter);
    meter_print(&meter, units, units, "");
    return EXIT_SUCCESS;
}
