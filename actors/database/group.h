/* group.h - many messages, one transaction, then the answers.
 *
 * Shape    a group_order of encoded messages in, a group_answers of encoded answers out.
 * Promises each message is done whole or not at all: a group in which one is to be taken back after
 *          it has changed something is run again, each message in a savepoint of its own. All that
 *          are answered as done are durable before group_run returns; when the commit fails, none
 *          is done and all are refused. On a full disk changes are refused (site-full) and what is
 *          vital is done from the reserve. Answers that do not fit are left for the next group.
 * Costs    one sync of the log per group that changes something.
 * Errors   in each answer, and for all of them in `err`.
 * Threads  one job.
 */
#pragma once

#include "actors/database/connection.h"

#define GROUP_MESSAGES_MAX 256u       /* messages of a group; more wait for the next */
#define GROUP_BYTES_MAX    (4u << 20) /* bytes of them */

/* Appends a record as an 8-aligned run of bytes; absent when it does not fit. */
bytes_t group_bytes(draft_t *draft, const void *record, uint32_t size);
/* Runs the group on a connection that was lent its world; fills the draft with the answers. */
void group_run(connection_t *connection, const group_order_t *order, draft_t *ret_answers);
