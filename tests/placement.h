/* placement.h - where the hosts of the tests put their actors: $DESPOOL_PLACEMENT, component when
 * there is none. So the whole suite runs under both: DESPOOL_PLACEMENT=pool meson test. */
#pragma once

#include <stdlib.h>
#include <string.h>

#include "runtime/host.h"

static inline host_placement_t
placement_wanted(void)
{
    const char *word = getenv("DESPOOL_PLACEMENT");

    return word && strcmp(word, "pool") == 0 ? HOST_POOL : HOST_BY_CLASS;
}
