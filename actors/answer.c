/* answer.c - see answer.h. */
#include "actors/answer.h"

#include "actors/refuse.h"

void
answer_unheard(__attribute__((unused)) verdict_t verdict)
{
}

err_t
answer_err(const actor_answer_t *answer)
{
    const refusal_t *refusal = ANSWER_AS(answer, refusal);
    if (answer->err != OK) {
        return answer->err;
    }
    return refusal == NULL ? OK : (err_t) refusal->code;
}

void
answer_refuse(actor_ctx_t *ctx, request_t request, err_t err, const char *verb, slice_t subject)
{
    answer_unheard(REPLY_TO(ctx, request, refusal,
                            refuse_draft(ctx, err, NULL, verb, subject, err_sentence(err))));
}

void
answer_pass_on(actor_ctx_t *ctx, request_t request, const actor_answer_t *answer, const char *verb,
               slice_t subject)
{
    if (answer->err != OK) {
        answer_refuse(ctx, request, answer->err, verb, subject);
        return;
    }
    answer_unheard(actor_reply_to(ctx, request, answer->type, answer->record));
}
