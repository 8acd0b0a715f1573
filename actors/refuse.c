/* refuse.c - see refuse.h. */
#include "actors/refuse.h"

#include "proto/show.h"

const refusal_t *
refuse_draft(actor_ctx_t *ctx, err_t err, const char *hint, const char *verb, slice_t subject,
             const char *reason)
{
    char shown[256];
    sheet_t sheet;
    sheet_over(&sheet, shown, sizeof shown);
    sheet_show_line(&sheet, subject.data, subject.size);
    refusal_t *refusal = DRAFT(ctx, refusal);
    refusal->code = err;
    refusal->message = actor_textf(ctx, "cannot %s '%s': %s", verb, shown, reason);
    refusal->hint = actor_text(ctx, slice_of(hint != NULL ? hint : err_hint(err)));
    refusal->need = RECORD_NONE;
    refusal->have = RECORD_NONE;
    return refusal;
}
