/* roster.h - the one list of actors: every class that a site is made of.
 *
 * Shape    COMPONENTS lists those with a worker of their own, in the order in which the executive
 *          starts them (they all start at once; the order is that of the list and, reversed, of the
 *          stop); POOLED those of which there are many.
 * Promises no actor file includes another: whom an actor reaches it names in its edges.
 */
#pragma once
#include "runtime/actor.h"

#define COMPONENTS(C)                                                                              \
    C(site_database, "owns SQLite: every durable change is a message to it")                       \
    C(status_manager, "publishes committed status messages in order")                              \
    C(alarm_manager, "says when something is stuck, absent, late or full")                         \
    C(agent_gateway, "points that are other machines: who may come in, orders, content")           \
    C(despooler, "its inbox of instructions and a bounded number of despooling slots")             \
    C(distribution_manager, "which target wants which version; re-sends exactly the failed ones")  \
    C(provider, "commands: decodes, validates, answers")
#define POOLED(C)                                                                                  \
    C(package_worker, "one per package being changed: serialises its commands, reads its source")  \
    C(point_worker, "one per distribution point: place, verify, remove")

#define ROSTER_DECLARE(name, sentence) extern const actor_class_t name##_class;
ROSTER_DECLARE(executive, "which components run")
COMPONENTS(ROSTER_DECLARE)
POOLED(ROSTER_DECLARE)
#undef ROSTER_DECLARE

/* All of them, NULL at the end: for host_options. */
extern const actor_class_t *const roster[];
/* Whether a class is one of COMPONENTS. */
bool roster_is_component(const char *class_name);
