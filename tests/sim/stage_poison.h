/* stage_poison.h - one message that fails whoever handles it, in a site that is whole otherwise.
 *
 *   inv7  a poison message delays other senders by at most one attempt, and ends in quarantine with
 *         its reason
 *
 * Shape    the linker puts a class of ours for distribution_manager_class: the same, but
 *          its handlers of what is told to it (outcome, work_changed, inbox_lost) go past ours.
 *          Armed, the next of one sender claims in vain. All else goes on to the real handler.
 * Promises what others told is counted when it is delivered and again when it is handled: between
 *          the two at most one attempt of the poison message begins.
 * Errors   a delay is the stage's fault.
 * Threads  one stage at a time.
 */
#pragma once
#include "tests/sim/stage.h"

/* Before the first host is made. */
void poison_prepare(void);
/* What this sender tells distribution_manager next is poison from now on; NULL: none any more. */
void poison_arm(stage_t *stage, const char *sender);
void poison_saw(stage_t *stage, const sim_sight_t *sight);
void poison_crashed(void); /* what was under way is gone, and the message with it */
uint32_t poison_attempts(void);
