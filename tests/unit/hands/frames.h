/* frames.h - command frames made of short words, for the claims about the provider.
 *
 * Shape    args are words with blanks between: "id=P1" a text, "to:a,b" a list, "slots#2" a number,
 *          "all!" true, "id%" a map, which is the wrong type for everything, "id*65" a text of that
 *          many letters, "root/4096" a path of that many bytes.
 * Promises what it makes is valid msgpack.
 * Threads  each frame has memory of its own.
 */
#pragma once

#include "actors/provider_wire.h"

typedef struct frame {
    uint8_t bytes[32768];
    size_t size;
    _Alignas(8) uint8_t memory[65536];
    client_request_t request;
    request_fault_t fault;
    draft_t draft;
} frame_t;

/* The frame of a command, with id 7 and no key. */
void frame_make(frame_t *frame, const char *command, const char *args);
/* Reads and decodes what frame_make made. site may be NULL. */
err_t frame_run(frame_t *frame, const site_args_t *site);
