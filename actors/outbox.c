/* outbox.c - see outbox.h. */
#include "actors/outbox.h"

#include <assert.h>
#include <stdlib.h>

#include "actors/answer.h"
#include "runtime/notes.h"

struct outbox_frame {
    outbox_frame_t *next;
    kept_t *send; /* peer_send */
};

void
outbox_init(outbox_t *outbox)
{
    *outbox = (outbox_t){.scratch = malloc(PEER_FRAME_BYTES_MAX)};
    assert(outbox->scratch);
}

static kept_t *
take_first(outbox_t *outbox)
{
    outbox_frame_t *first = outbox->first;
    kept_t *send = first->send;

    outbox->first = first->next;
    outbox->last = outbox->first ? outbox->last : NULL;
    outbox->waiting--;
    free(first);
    return send;
}

void
outbox_clear(outbox_t *outbox)
{
    while (outbox->first) {
        kept_t *send = take_first(outbox);
        kept_destroy(&send);
    }
}

void
outbox_drop(outbox_t *outbox)
{
    outbox_clear(outbox);
    free(outbox->scratch);
    outbox->scratch = NULL;
}

static request_t
take_ask(outbox_t *outbox, uint32_t at)
{
    request_t ask = outbox->ask[at];

    outbox->asks--;
    for (uint32_t i = at; i < outbox->asks; i++) {
        outbox->ask[i] = outbox->ask[i + 1];
        outbox->number[i] = outbox->number[i + 1];
    }
    return ask;
}

static void
forget_ended(actor_ctx_t *ctx, outbox_t *outbox, uint32_t number)
{
    for (uint32_t i = 0; i < outbox->asks; i++) {
        if (outbox->number[i] == number) {
            actor_refuse_to(ctx, take_ask(outbox, i), ERR_SUPERSEDED);
            return;
        }
    }
}

void
outbox_asked(actor_ctx_t *ctx, outbox_t *outbox, uint32_t number)
{
    forget_ended(ctx, outbox, number);
    if (outbox->asks == OUTBOX_ASKS_MAX) {
        actor_refuse(ctx, ERR_FULL);
        return;
    }
    outbox->number[outbox->asks] = number;
    outbox->ask[outbox->asks++] = actor_defer(ctx, "something to send");
    if (outbox->first) {
        kept_t *send = take_first(outbox);
        request_t ask = take_ask(outbox, 0);
        answer_unheard(REPLY_TO(ctx, ask, peer_send, kept_record(send)));
        kept_destroy(&send);
    }
}

static void
keep(actor_ctx_t *ctx, outbox_t *outbox, const peer_send_t *m)
{
    outbox_frame_t *frame = calloc(1, sizeof *frame);

    assert(frame);
    frame->send = actor_keep(ctx, &peer_send_type, m);
    if (outbox->last) {
        outbox->last->next = frame;
    } else {
        outbox->first = frame;
    }
    outbox->last = frame;
    outbox->waiting++;
}

static void
send(actor_ctx_t *ctx, outbox_t *outbox, const peer_send_t *m)
{
    if (outbox->asks > 0 && !outbox->first) {
        answer_unheard(REPLY_TO(ctx, take_ask(outbox, 0), peer_send, m));
    } else {
        keep(ctx, outbox, m);
    }
}

bool
outbox_put(actor_ctx_t *ctx, outbox_t *outbox, slice_t peer, bool dial, const record_type_t *type,
           const void *record)
{
    size_t size = type ? agent_frame_write(type, record, outbox->scratch, PEER_FRAME_BYTES_MAX) : 0;

    if ((type && size == 0) || outbox->waiting == OUTBOX_FRAMES_MAX) {
        return false;
    }
    peer_send_t *m = DRAFT(ctx, peer_send);
    m->peer = actor_text(ctx, peer);
    m->dial = dial;
    m->body = actor_text(ctx, (slice_t){(const char *) outbox->scratch, size});
    send(ctx, outbox, m);
    return true;
}

void
outbox_hang_up(actor_ctx_t *ctx, outbox_t *outbox)
{
    peer_send_t *m = DRAFT(ctx, peer_send);

    m->ends = true;
    send(ctx, outbox, m);
}

kept_t *
outbox_keep_heard(actor_ctx_t *ctx, const record_type_t *type, const void *record)
{
    void *copy = actor_draft(ctx, type);
    draft_t *draft = actor_draft_open(ctx);
    err_t err = draft_copy(draft, type, copy, record, record);

    draft->full |= err != OK;
    return actor_keep(ctx, type, copy);
}
