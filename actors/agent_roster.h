/* agent_roster.h - the actors of the far end: a host in the role of a distribution point.
 *
 * Shape    one class, the root; its link is added by the program.
 * Threads  constant data only.
 */
#pragma once
#include "runtime/actor.h"

extern const actor_class_t agent_class;
/* All of them, NULL at the end: for host_options. */
extern const actor_class_t *const agent_roster[];
