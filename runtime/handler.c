/* handler.c - what follows a handler that did more than to tell or to answer: it failed, asked, put
 * off, spawned or stops. Most go the short ways of handler_inside.h and core.c.
 */
#include "runtime/brought_inside.h"
#include "runtime/handler_inside.h"

#include <stdio.h>
#include <string.h>

uint64_t
core_about(const core_t *core, const record_type_t *type, const void *record)
{
    uint64_t about = 0;
    for (uint32_t i = 0; core->about_field != NULL && type != NULL && i < type->field_count; i++) {
        const record_field_t *field = &type->field[i];
        if (field->kind == RECORD_u64 && strcmp(field->name, core->about_field) == 0) {
            memcpy(&about, (const uint8_t *) record + field->offset, sizeof about);
        }
    }
    return about;
}

void
core_note_delivery(const actor_t *actor, const envelope_t *in_hand, const char *what)
{
    const core_t *core = actor->core;
    black_box_note(actor->worker->black_box,
                   &(delivery_t){
                       .class_name = actor->class->class->name,
                       .actor = watch_called(actor),
                       .message = what,
                       .about = in_hand ? core_about(core, in_hand->type, in_hand->record) : 0,
                       .attempt = in_hand ? in_hand->attempt : 0,
                       .now_ns = actor->worker->ctx.now_ns,
                   });
}

static void
fail(actor_ctx_t *ctx, bool *ret_kept)
{
    actor_t *actor = ctx->actor;
    envelope_t *in_hand = ctx->in_hand;
    char why[160];
    bool tell = in_hand != NULL && in_hand->kind == ENV_TELL;
    bool first = !tell || in_hand->attempt == 1;
    bool final = actor->class->class->restart == ACTOR_TEMPORARY;
    snprintf(why, sizeof why, "%s", ctx->claim[0] != '\0' ? ctx->claim : "its handler said so");
    tray_abort(ctx);
    watch_failed(actor);
    if (tell && !final) {
        poison_hold(actor, brought_own(actor->worker), why);
        *ret_kept = true;
    }
    if (ctx->is_at_once) { /* it is refused with the others */
        ctx->at_once.answered = false;
        ask_puts_off(ctx);
    }
    life_end(actor, ACTOR_FAILED, final, first, why);
}

static void
ends_well(actor_t *actor, actor_next_t next)
{
    actor_ctx_t *ctx = &actor->worker->ctx;
    if (actor->rare->trying != NULL) {
        poison_passed(actor);
    }
    if (ctx->asked != NULL && !ctx->deferred) {
        actor_refuse(ctx, ERR_INTERNAL);
    }
    if ((ctx->out_kinds & (1u << ENV_ASK | 1u << ENV_JOB)) != 0) {
        ask_show(actor); /* its next handler may not return */
    }
    tray_only_joins(ctx);
    bool host_stop = ctx->host_stop;
    if (ctx->asked != NULL || ctx->served != NULL ||
        (ctx->out_kinds & (1u << ENV_ASK | 1u << ENV_REPLY)) != 0) {
        wait_commit(ctx);
    }
    tray_commit(ctx);
    if (host_stop) {
        core_want_stop(actor->core, ctx->host_err, ctx->host_why);
    }
    if (next == ACTOR_STOP) {
        life_end(actor, ACTOR_ENDED, actor->class->class->restart != ACTOR_PERMANENT, true, NULL);
    }
}

static bool
handler_end(actor_t *actor, actor_next_t next)
{
    worker_t *worker = actor->worker;
    actor_ctx_t *ctx = &worker->ctx;
    bool kept = false;
    if (handler_returns(worker, actor)) {
        return takeover_returned(actor);
    }
    if (ctx->is_at_once) {
        ask_whole(ctx);
    }
    if (next == ACTOR_FAIL) {
        fail(ctx, &kept);
    } else {
        ends_well(actor, next);
    }
    handler_rests(ctx);
    hand_down(worker, true);
    return kept;
}

void
core_handler_begin(actor_t *actor, envelope_t *in_hand, const char *what)
{
    handler_begin(actor->worker, actor, in_hand, hand_says(actor->worker, what), true);
}

bool
core_handler_end(actor_t *actor, actor_next_t next)
{
    worker_enters(actor->worker); /* its list is not ours while somebody may take it over */
    watch_touch(actor);           /* it need not have come out of a lane */
    return handler_end(actor, next);
}

void
core_run(actor_t *actor, const char *what, run_fn *fn, const void *argument)
{
    core_handler_begin(actor, NULL, what);
    core_handler_end(actor, fn(&actor->worker->ctx, actor->state, argument));
}
