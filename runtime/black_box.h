/* black_box.h - what every thread did last, in a file that survives the process.
 *
 * Shape    a mapped file: for each worker the message in hand and a ring of its last
 *          BLACK_BOX_DELIVERIES deliveries, for each job thread the job in hand, and a table of
 *          what ended the process how often. Making it reads what the run before left.
 * Promises what a thread noted before it died is in the file, whatever killed the process; a power
 *          cut may lose it. A fatal signal (SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT) is counted
 *          against what its own thread had in hand, until it is forgotten, CRASH_KEPT_MS are over,
 *          or a run ends in order; SIGKILL is nobody's fault and is not counted.
 * Costs    128 bytes written per delivery, no system call; 256 KiB of file per worker.
 * Errors   none: a box that cannot be kept notes nothing, and its text says why.
 * Threads  each thread writes its own part; the text never changes.
 * Owner    black_box_new -> host, black_box_destroy(&file) after the last handler.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct black_box black_box_t;           /* one thread's part; NULL: nothing is noted */
typedef struct black_box_file black_box_file_t; /* the whole */
typedef struct actor_crash actor_crash_t;       /* actor.h */

typedef struct delivery {
    const char *class_name, *actor, *message; /* message: or the job */
    uint64_t about;                           /* what its work is for; 0: not known */
    uint32_t attempt;                         /* 0: a message of the runtime's own */
    int64_t now_ns;
} delivery_t;

/* path NULL: none is wanted. names: of the workers, copied. */
black_box_file_t *black_box_new(const char *path, const char *const *names, uint32_t workers);
black_box_t *black_box_of(black_box_file_t *file, uint32_t worker);
/* Of a job thread; file may be NULL. */
black_box_t *black_box_of_job(black_box_file_t *file, uint32_t thread);
/* Before a handler or job, on the thread that runs it. */
void black_box_note(black_box_t *box, const delivery_t *delivery);
void black_box_about(uint64_t about);  /* what the present thread has in hand is about this */
void black_box_done(black_box_t *box); /* it returned */
/* The run before this one, rendered. */
const char *black_box_text(const black_box_file_t *file);
/* What has ended the process CRASH_ATTEMPTS_MAX times. */
uint32_t black_box_crashes(const black_box_file_t *file, actor_crash_t *ret, uint32_t count);
void black_box_forget(black_box_file_t *file, uint32_t number);
/* in_order: the next run is told that this one ended well. */
void black_box_destroy(black_box_file_t **file, bool in_order);
