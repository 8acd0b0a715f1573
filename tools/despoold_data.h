/* despoold_data.h - the data directory of a host: made, found to be ours, locked.
 *
 * Shape    data_make, then data_lock; data_unmake after a refused start.
 * Promises a refused start leaves nothing behind; two hosts never have one directory.
 * Errors   each is told on stderr, with what to do.
 * Threads  the program's, before the host starts.
 * Owner    who called data_make frees path; data_lock's descriptor is closed by who has it.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "proto/record.h"

typedef struct data_dir {
    char *path;    /* as given, then absolute */
    uint32_t made; /* directories at its end that this start made */
} data_dir_t;

/* Absolute, made, and ours to write to; given NULL: the default. False: it was said why not. */
bool data_make(const char *given, data_dir_t *ret_dir);
/* A refused start leaves nothing behind: what was made is taken away, as far as it is empty. */
void data_unmake(data_dir_t *dir);
/* Whether it comes from a backup (the restore's id, else none); one that was not finished is
 * refused: it was said. */
err_t data_restored(const char *data, id128_t *ret_restore) must_use;
/* -1: another host runs, also after it was given some time to end, or it cannot be opened; it was
 * said. */
int data_lock(const char *data);
