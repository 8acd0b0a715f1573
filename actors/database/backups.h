/* backups.h - what site_database has to do with backups: it gives a copy, and may come from one.
 *
 * Shape    a wish for a copy is kept until no group is in hand; one at a time.
 * Errors   ERR_BUSY (a second wish), ERR_DOWN.
 * Threads  the handlers of site_database.
 * Owner    site_database; kept_destroy(&wish.kept) drops a wish.
 */
#pragma once

#include "actors/database/pending.h"

typedef struct copy_wish {
    kept_t *kept; /* database_copy; NULL: none */
    request_t request;
} copy_wish_t;

/* Takes the ask in hand, or refuses it. */
void copy_take(actor_ctx_t *ctx, copy_wish_t *wish, const void *m, bool stopped);
void copy_answer(actor_ctx_t *ctx, copy_wish_t *wish, const actor_answer_t *answer);
/* Of a data directory that comes from a backup: the first message of its database. False: it found
 * no room, and nothing was before it. */
bool restore_note(actor_ctx_t *ctx, pending_t *pending, const site_args_t *args);
