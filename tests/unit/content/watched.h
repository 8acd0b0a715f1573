/* watched.h - the real disk with somebody who looks on, and who can stand in the way.
 *
 * Shape    a world whose calls are those of the yard's; before each call that changes names or
 *          bytes `look` is called, and what is set here makes calls fail or answer otherwise.
 * Threads  one.
 */
#pragma once

#include "yard.h"

typedef struct watched watched_t;
struct watched {
    world_t world; /* first: what is watched is given this one */
    world_calls_t calls;
    world_t *real;
    yard_t *yard;
    void (*look)(watched_t *watched, const char *call); /* NULL: nobody looks */
    uint64_t writes;                                    /* calls so far */
    uint64_t reads;
    uint64_t outs;       /* those that begin to bring bytes to the disk */
    int outs_fail;       /* errno of every such call from now on, 0: none */
    int write_fails;     /* errno of every write from now on, 0: none */
    uint64_t free_bytes; /* what the file system says to have, 0: the truth */
    int64_t coarse_ns;   /* by which it keeps times, 0: exactly */
    uint32_t mode_mask;  /* bits of modes that it does not keep */
    const char *folds;   /* end of the paths of directories that tell no difference of case when a
                            name is looked up; "": all, NULL: none */
};

/* All that the yard does from now on goes through here. */
void watch(watched_t *watched, yard_t *yard);
