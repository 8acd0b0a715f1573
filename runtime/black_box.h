/* black_box.h - what every worker did last, in a file that survives the process.
 *
 * Shape    a mapped file: for each worker the message in hand and a ring of its last
 *          BLACK_BOX_DELIVERIES deliveries. Making it reads what the run before left.
 * Promises what a worker noted before it died is in the file, whatever killed the process; a power
 *          cut may lose it.
 * Costs    64 bytes written per delivery, no system call; 256 KiB of file per worker.
 * Errors   none: a box that cannot be kept notes nothing, and its text says why.
 * Threads  each worker writes its own part; the text never changes.
 * Owner    black_box_new -> host, black_box_destroy(&file) after the last handler.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct black_box black_box_t;           /* one worker's part; NULL: nothing is noted */
typedef struct black_box_file black_box_file_t; /* the whole */

/* path NULL: none is wanted. names: of the workers, copied. */
black_box_file_t *black_box_new(const char *path, const char *const *names, uint32_t workers);
black_box_t *black_box_of(black_box_file_t *file, uint32_t worker);
/* Before a handler; attempt 0: a message of the runtime's own. */
void black_box_note(black_box_t *box, const char *actor, const char *message, uint32_t attempt,
                    int64_t now_ns);
void black_box_done(black_box_t *box); /* the handler returned */
/* The run before this one, rendered. */
const char *black_box_text(const black_box_file_t *file);
/* in_order: the next run is told that this one ended well. */
void black_box_destroy(black_box_file_t **file, bool in_order);
