/* keys.h - answers kept under the keys of their commands.
 *
 * Shape    key_answer finds one, key_store keeps one, keys_expire lets old ones go.
 * Promises key and answer are committed with the command; for KEY_KEPT_S a repeat gets the same
 *          answer and has no effect.
 * Errors   ERR_DAMAGED in tx->err when a stored answer is no record; refused (bad-value) when the
 *          key belongs to another command.
 * Threads  one job.
 */
#pragma once

#include "actors/database/transaction.h"

/* Whether the key is known; the answer in hand is then the stored one, or a refusal. */
bool key_answer(tx_t *tx, slice_t key, uint32_t command);
void key_store(tx_t *tx, slice_t key, uint32_t command);
void keys_expire(tx_t *tx); /* one slice */
