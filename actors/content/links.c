/* links.c - see links.h. */
#include "actors/content/links.h"

#include <string.h>

bool
link_may_lead_out(const char *text, size_t depth)
{
    bool down = false;
    if (text[0] == '/') {
        return true;
    }
    for (const char *at = text; *at != '\0'; at += strspn(at, "/")) {
        size_t size = strcspn(at, "/");
        bool up = size == 2 && memcmp(at, "..", 2) == 0;
        if (up && (down || depth == 0)) {
            return true;
        }
        depth -= up;
        down = down || !(up || (size == 1 && at[0] == '.'));
        at += size;
    }
    return false;
}
