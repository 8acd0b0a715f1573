/* ledger.h - what the site's database says of its targets at each commit, and what the stream says.
 *
 *   inv2  every target is in exactly one state, with its due time, its lease, or its named reason
 *   inv11 the status stream folded up to sequence n equals the database as of the transaction of n
 *
 * Shape    ledger_look reads the database from the disk of the machine (look_database.h) whenever
 *          something was committed: its rows are judged there and then, and kept under the number
 *          of its last event until the stream has come that far. ledger_hears folds the stream.
 * Errors   what is wrong is the stage's fault.
 * Threads  one.
 * Owner    ledger_new -> the stage.
 */
#pragma once
#include "tests/sim/stage.h"

typedef struct ledger ledger_t;

ledger_t *ledger_new(stage_t *stage);
void ledger_destroy(ledger_t **ledger);
void ledger_look(ledger_t *ledger);
/* A published status message that has not been heard before. */
void ledger_hears(ledger_t *ledger, uint64_t seq, const wire_value_t *message);
/* After a power cut what was committed and not durable yet is gone; nobody has heard of it. */
void ledger_forgets(ledger_t *ledger);
uint64_t ledger_commits(const ledger_t *ledger); /* looked at so far */
