/* roster.c - the classes of roster.h as one list. */
#include "actors/roster.h"

#include <string.h>

#define ROSTER_ROW(name, sentence) &name##_class,

const actor_class_t *const roster[] = {&executive_class,
                                       COMPONENTS(ROSTER_ROW) POOLED(ROSTER_ROW) NULL};

bool
roster_is_component(const char *class_name)
{
#define ROSTER_NAME(name, sentence) #name,
    static const char *const names[] = {COMPONENTS(ROSTER_NAME)};
#undef ROSTER_NAME
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (strcmp(names[i], class_name) == 0) {
            return true;
        }
    }
    return false;
}
