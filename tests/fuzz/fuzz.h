/* fuzz.h - one entry point for libFuzzer and for the plain driver.
 *
 * Shape    each fuzz_*.c defines LLVMFuzzerTestOneInput; corpus.c calls it with every file of a
 *          directory, libFuzzer with what it makes of them.
 * Promises a broken promise of proto ends the program (abort), so that both see it.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

#define PROMISE(held)                                                                              \
    do {                                                                                           \
        if (!(held)) {                                                                             \
            fprintf(stderr, "%s:%d: broken promise: %s\n", __FILE__, __LINE__, #held);             \
            abort();                                                                               \
        }                                                                                          \
    } while (0)
