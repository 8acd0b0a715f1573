/* black_box.c - what the run before this one did last. */
#include "runtime/inside.h"

#include <stdio.h>

size_t
actor_black_box(const actor_ctx_t *ctx, char *text, size_t size)
{
    (void) ctx;
    return size > 0 ? (size_t) snprintf(text, size, "%s", "") : 0;
}
