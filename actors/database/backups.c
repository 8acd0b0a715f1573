/* backups.c - see backups.h. */
#include "actors/database/backups.h"

#include <string.h>

void
copy_take(actor_ctx_t *ctx, copy_wish_t *wish, const void *m, bool stopped)
{
    if (stopped || wish->kept) {
        actor_refuse(ctx, stopped ? ERR_DOWN : ERR_BUSY);
        return;
    }
    wish->kept = actor_keep(ctx, &database_copy_type, m);
    wish->request = actor_defer(ctx, "site.db");
}

void
copy_answer(actor_ctx_t *ctx, copy_wish_t *wish, const actor_answer_t *answer)
{
    err_t err = answer->err;
    if (err == OK) {
        err = verdict_err(actor_reply_to(ctx, wish->request, answer->type, answer->record));
    }
    if (err != OK) {
        actor_refuse_to(ctx, wish->request, err);
    }
    kept_destroy(&wish->kept);
}

bool
restore_note(actor_ctx_t *ctx, pending_t *pending, const site_args_t *args)
{
    static const id128_t none;
    if (memcmp(&args->restored, &none, sizeof none) == 0) {
        return true;
    }
    site_restored_t *m = DRAFT(ctx, site_restored);
    m->restore = args->restored;
    return pending_add(pending, &site_restored_type, m, false, (request_t){.ask = 0}) == OK;
}
