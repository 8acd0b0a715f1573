/* provider_reply.c - see provider_reply.h. */
#include "actors/provider_reply.h"

#include <stdio.h>

#include "actors/roster.h"

/* Begins a link_reply whose body is written through the writer. */
static link_reply_t *
reply_begin(actor_ctx_t *ctx, wire_writer_t *writer)
{
    link_reply_t *reply = DRAFT(ctx, link_reply);
    draft_t *draft = actor_draft_open(ctx);
    wire_writer_over(writer, draft->base + draft->size, draft->capacity - draft->size);
    return reply;
}

static void
reply_end(actor_ctx_t *ctx, link_reply_t *reply, const wire_writer_t *writer)
{
    draft_t *draft = actor_draft_open(ctx);
    reply->body = (bytes_t){draft->size, (uint32_t) writer->size};
    draft->size += (uint32_t) writer->size;
}

/* A reply with any record; one that does not fit is refused in its place. */
const link_reply_t *
reply_make(actor_ctx_t *ctx, slice_t id, const record_type_t *type, const void *record)
{
    wire_writer_t writer;
    link_reply_t *reply = reply_begin(ctx, &writer);
    if (reply_put_result(&writer, id, type, record) != OK || writer.full) {
        return reply_refusal(ctx, id, ERR_TOO_LARGE,
                             "cannot answer 'command': the answer is too large",
                             err_hint(ERR_TOO_LARGE));
    }
    reply_end(ctx, reply, &writer);
    return reply;
}

const link_reply_t *
reply_refusal(actor_ctx_t *ctx, slice_t id, err_t err, const char *message, const char *hint)
{
    wire_writer_t writer;
    link_reply_t *reply = reply_begin(ctx, &writer);
    reply_put_error(&writer, id, err, slice_of(message), slice_of(hint), RECORD_NONE, RECORD_NONE);
    reply_end(ctx, reply, &writer);
    return reply;
}

const link_reply_t *
reply_fault(actor_ctx_t *ctx, slice_t id, const request_fault_t *fault)
{
    return reply_refusal(ctx, id, fault->err, fault->message, fault->hint);
}

const link_reply_t *
reply_error(actor_ctx_t *ctx, slice_t id, const command_t *command, err_t err)
{
    request_fault_t fault;

    request_cannot(&fault, command, err);
    return reply_fault(ctx, id, &fault);
}

const link_reply_t *
reply_held(actor_ctx_t *ctx, slice_t id, const command_t *command, const char *whom,
           actor_state_t state)
{
    bool paused = state == ACTOR_PAUSED;
    request_fault_t fault = {.err = paused ? ERR_PAUSED : ERR_DOWN};

    snprintf(fault.message, sizeof fault.message, "cannot run '%s': the component %s is %s",
             command->word, whom, paused ? "paused" : "stopped");
    snprintf(fault.hint, sizeof fault.hint, "despool component %s %s, then repeat it",
             paused ? "resume" : "start", whom);
    return reply_fault(ctx, id, &fault);
}

const link_reply_t *
reply_recalled(actor_ctx_t *ctx, slice_t id, const recalled_t *recalled)
{
    wire_writer_t writer;
    link_reply_t *reply = reply_begin(ctx, &writer);
    reply_put_recalled(&writer, id, recalled->type == MSG_refusal,
                       record_slice(recalled, recalled->answer));
    reply_end(ctx, reply, &writer);
    return reply;
}

/* Whether every component that has not been stopped is up. */
static bool
site_is_ready(const actor_ctx_t *ctx)
{
    actor_figures_t figures[8];
    uint32_t next = 0, count;
    while ((count = actor_watch(ctx, next, figures, 8, &next)) > 0) {
        for (uint32_t i = 0; i < count; i++) {
            bool up = figures[i].state != ACTOR_STARTING && figures[i].state != ACTOR_BACKING_OFF;
            if (!up && roster_is_component(figures[i].class_name)) {
                return false;
            }
        }
    }
    return true;
}

const link_reply_t *
reply_pong(actor_ctx_t *ctx, slice_t id, const site_args_t *site, bool opened, const char *held)
{
    _Alignas(8) uint8_t memory[512];
    draft_t draft;
    host_figures_t host;
    actor_host_figures(ctx, &host);
    draft_over(&draft, memory, sizeof memory);
    pong_t *pong = draft_begin(&draft, &pong_type);
    pong->site = draft_copy_text(&draft, site, site->site);
    pong->version = draft_text(&draft, slice_of(DESPOOL_VERSION));
    pong->up_ms = (uint64_t) host.up_ns / 1000000u;
    pong->ready = opened && site_is_ready(ctx);
    pong->held = held ? draft_text(&draft, slice_of(held)) : (text_t){0};
    return reply_make(ctx, id, &pong_type, pong);
}
