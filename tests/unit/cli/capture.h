/* capture.h - what a piece of the command line prints, as text, for tests.
 *
 * Shape    capture_begin sends stdout and stderr to files, capture_end brings them back.
 * Threads  one; each test has a process of its own.
 */
#pragma once

#include <stdio.h>

typedef struct capture {
    FILE *file[2];
    int kept[2];
    char out[65536], err[16384];
} capture_t;

void capture_begin(capture_t *capture);
void capture_end(capture_t *capture); /* fills out and err */
