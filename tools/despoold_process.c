/* despoold_process.c - see despoold_process.h. */
#include "tools/despoold_process.h"

#include <malloc.h>
#include <sys/resource.h>

/* Given back and asked for anew with each block of a megabyte, pages cost more than all that is
 * done with what is in them: 297 MB to four agents took 37 s, and 10 since. One heap for all
 * threads, because a block is freed by another thread than took it, and each heap would keep its
 * own peak: 22 MiB at an agent in place of 50. What is kept at its top goes back when no job runs
 * (runtime/worker_seat.c), which only a process's first heap can do. */
#define HEAPS            1
#define HEAP_BLOCK_BYTES (32 << 20) /* the largest block that is cut from it: malloc's bound */
#define HEAP_KEEPS_BYTES (32 << 20) /* free bytes at its top, before they go back */

void
process_raise_descriptors(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        (void) setrlimit(RLIMIT_NOFILE, &limit);
    }
}

void
process_keep_memory(void)
{
    (void) mallopt(M_ARENA_MAX, HEAPS);
    (void) mallopt(M_MMAP_THRESHOLD, HEAP_BLOCK_BYTES);
    (void) mallopt(M_TRIM_THRESHOLD, HEAP_KEEPS_BYTES);
}
