/* agent_roster.c - see agent_roster.h. */
#include "actors/agent_roster.h"

#include <stddef.h>

const actor_class_t *const agent_roster[] = {&agent_class, NULL};
