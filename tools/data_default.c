/* data_default.c - see data_default.h. */
#include "tools/data_default.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

char *
data_default(void)
{
    const char *state = getenv("XDG_STATE_HOME"), *home = getenv("HOME");
    char *data = NULL;
    int made;

    if (geteuid() == 0) {
        return strdup("/var/lib/despool");
    }
    if (state && state[0] == '/') {
        made = asprintf(&data, "%s/despool", state);
    } else {
        made = asprintf(&data, "%s/.local/state/despool", home ? home : "");
    }
    return made < 0 ? NULL : data;
}
