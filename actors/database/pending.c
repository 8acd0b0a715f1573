/* pending.c - messages that wait for the next group; see pending.h. */
#include "actors/database/pending.h"

#include <stdlib.h>
#include <string.h>

/* A copy of the message without gaps, in scratch memory. */
static err_t
copy_record(pending_t *pending, const record_type_t *type, const void *message, draft_t *ret_copy)
{
    if (pending->scratch == NULL) {
        pending->scratch = malloc(GROUP_BYTES_MAX);
    }
    if (pending->scratch == NULL) {
        return ERR_NO_MEMORY;
    }
    draft_over(ret_copy, pending->scratch, GROUP_BYTES_MAX);
    void *fixed = draft_begin(ret_copy, type);
    return draft_copy(ret_copy, type, fixed, message, message);
}

err_t
pending_add(pending_t *pending, const record_type_t *type, const void *message, bool asked,
            request_t request)
{
    draft_t copy;
    TRY(copy_record(pending, type, message, &copy));
    if (pending->count >= PENDING_MAX || pending->bytes + copy.size > PENDING_BYTES_MAX) {
        return ERR_FULL;
    }
    pending_message_t *kept = malloc(sizeof *kept + ((size_t) copy.size + 7) / 8 * 8);
    if (kept == NULL) {
        return ERR_NO_MEMORY;
    }
    *kept = (pending_message_t){
        .request = request, .asked = asked, .number = type->number, .size = copy.size};
    memcpy(kept->record, copy.base, copy.size);
    if (pending->last == NULL) {
        pending->first = kept;
    } else {
        pending->last->next = kept;
    }
    pending->last = kept;
    pending->count++;
    pending->bytes += copy.size;
    return OK;
}

static uint32_t
front_count(const pending_t *pending)
{
    uint32_t count = 0;
    uint64_t bytes = 0;
    for (const pending_message_t *m = pending->first; m != NULL; m = m->next) {
        bytes += m->size;
        if (count == GROUP_MESSAGES_MAX || (count > 0 && bytes > GROUP_BYTES_MAX)) {
            break;
        }
        count++;
    }
    return count;
}

uint32_t
pending_group(const pending_t *pending, draft_t *draft, group_order_t *order)
{
    uint32_t count = front_count(pending);
    const pending_message_t *message = pending->first;
    order->messages = draft_rows(draft, count, sizeof(group_message_t));
    for (uint32_t i = 0; i < count; i++, message = message->next) {
        group_message_t *row = draft_row(draft, order->messages, i, sizeof *row);
        if (row != NULL) {
            row->number = message->number;
            row->record = group_bytes(draft, message->record, message->size);
        }
    }
    return count;
}

static void
take_first(pending_t *pending)
{
    pending_message_t *first = pending->first;
    pending->first = first->next;
    if (pending->first == NULL) {
        pending->last = NULL;
    }
    pending->count--;
    pending->bytes -= first->size;
    free(first);
}

static err_t
reply(actor_ctx_t *ctx, request_t request, const group_answers_t *answers,
      const group_answer_t *answer)
{
    const record_type_t *type = message_type(answer->number);
    slice_t record = record_slice(answers, answer->record);
    if (type == NULL || record_check(type, record.data, record.size) != OK) {
        return ERR_INTERNAL;
    }
    void *draft = actor_draft(ctx, type);
    TRY(draft_copy(actor_draft_open(ctx), type, draft, record.data, record.data));
    return verdict_err(actor_reply_to(ctx, request, type, draft));
}

void
pending_answer(actor_ctx_t *ctx, pending_t *pending, const group_answers_t *answers)
{
    for (uint32_t i = 0; i < answers->answers.count && pending->count > 0; i++) {
        const pending_message_t *first = pending->first;
        err_t err = OK;
        if (first->asked) {
            err = reply(ctx, first->request, answers,
                        ROW(answers, answers->answers, i, group_answer_t));
        }
        if (err != OK) {
            actor_refuse_to(ctx, first->request, err);
        }
        take_first(pending);
    }
}

void
pending_refuse(actor_ctx_t *ctx, pending_t *pending, err_t err)
{
    while (pending->count > 0) {
        if (pending->first->asked) {
            actor_refuse_to(ctx, pending->first->request, err);
        }
        take_first(pending);
    }
}

void
pending_clear(pending_t *pending)
{
    while (pending->first != NULL) {
        take_first(pending);
    }
    free(pending->scratch);
    pending->scratch = NULL;
}
