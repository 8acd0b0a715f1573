/* black_box_inside.h - the bytes of a black box, for the files that write and read it.
 *
 * Bytes    a head (magic, form, sizes, whether the run ended in order, crashes counted so far), a
 *          part per thread, then a ring of lines for each part: long ones of the workers, one line
 *          of each job thread. Native byte order and sizes: it is read on the machine that wrote
 *          it.
 * Valid    magic, form, sizes and the file's size agree; what else it says is never believed.
 * A crash  leaves lines in hand, the signal in the part of the thread that met it, and no mark of
 *          an orderly end. A line that was being written may be torn, and is shown as far as it
 *          goes.
 */
#pragma once

#include "proto/limits.h"
#include "runtime/actor.h"
#include "runtime/black_box.h"

#define BLACK_BOX_MAGIC "BLCKBOX2"
#define BLACK_BOX_TEXT  (256u << 10) /* of the rendered run; what is longer is cut */

typedef struct line {
    char actor[28], message[20];
    uint32_t attempt;
    uint32_t is_whole; /* written last */
    int64_t at_ns;
} line_t;

typedef struct part {
    char thread[32];
    char class_name[28];
    uint32_t signal; /* that ended the process while this line was in hand; 0: none */
    uint64_t about;
    uint64_t busy;  /* 1 + the line in hand; 0: idle */
    uint64_t count; /* lines ever written */
} part_t;

typedef struct counted {
    char class_name[28], message[20];
    uint32_t signal, times; /* times 0: free */
    uint64_t about;
    int64_t wall_ns; /* of the last time */
} counted_t;

typedef struct head {
    char magic[8];
    uint32_t form, workers, parts, ended_in_order;
    counted_t counted[CRASHES_COUNTED_MAX];
} head_t;

struct black_box {
    part_t *part;
    line_t *ring;
    uint32_t lines;
};

struct black_box_file {
    int fd; /* locked while the box is kept; -1: none */
    head_t *head;
    size_t bytes;
    black_box_t *box; /* one per part */
    char *text;
    size_t used;
    counted_t counted[CRASHES_COUNTED_MAX]; /* as carried over from the run before */
};

static inline uint64_t
black_box_lines(uint32_t workers, uint32_t part)
{
    return part < workers ? BLACK_BOX_DELIVERIES : 1;
}
static inline uint64_t
black_box_first_line(uint32_t workers, uint32_t part)
{
    uint64_t before = part < workers ? part : workers;
    return before * BLACK_BOX_DELIVERIES + (part - before);
}
static inline size_t
black_box_bytes(uint32_t workers, uint32_t parts)
{
    return sizeof(head_t) + parts * sizeof(part_t) +
           black_box_first_line(workers, parts) * sizeof(line_t);
}

/* Renders the run that the file holds, and counts the crash that ended it, if one did. */
void black_box_read(black_box_file_t *file);
void black_box_say(black_box_file_t *file, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
