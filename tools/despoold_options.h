/* despoold_options.h - the command line of the host.
 *
 * Shape    words as they were given; nothing is looked up.
 * Promises an unknown word, a value that is missing and a word that lacks others are told, with the
 *          exit code 2.
 * Errors   an exit code, 0 when all is right.
 * Threads  the program's first.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "proto/limits.h"

typedef struct options {
    const char *data, *config, *placement, *program, *plain;
    const char *listen[LISTEN_MAX + 1]; /* one more than there may be, to be refused */
    uint32_t listens;
    const char *token, *root; /* of join */
    const char *file;         /* of parcel */
    bool join, parcel;
    bool version, help;
} options_t;

int options_parse(int argc, char **argv, options_t *ret);
