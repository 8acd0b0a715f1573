/* context.c - what a handler may ask about itself: names, time, chance, readiness. */
#include "runtime/inside.h"

#include <stdio.h>
#include <string.h>

actor_ref_t
actor_self(const actor_ctx_t *ctx)
{
    return ctx->actor->self;
}

actor_ref_t
actor_sender(const actor_ctx_t *ctx)
{
    return ctx->in_hand == NULL ? (actor_ref_t){0} : ctx->in_hand->from;
}

const char *
actor_name(const actor_ctx_t *ctx)
{
    return watch_called(ctx->actor);
}

uint32_t
actor_attempt(const actor_ctx_t *ctx)
{
    return ctx->in_hand == NULL ? 1 : ctx->in_hand->attempt;
}

int64_t
actor_now_ns(const actor_ctx_t *ctx)
{
    const executor_t *executor = &ctx->worker->core->executor;
    return executor->now_ns(executor->self);
}

int64_t
actor_wall_ns(const actor_ctx_t *ctx)
{
    const executor_t *executor = &ctx->worker->core->executor;
    return executor->wall_ns(executor->self);
}

uint64_t
actor_random(actor_ctx_t *ctx)
{
    const executor_t *executor = &ctx->worker->core->executor;
    return executor->random(executor->self, ctx->worker->index);
}

static void
become(actor_ctx_t *ctx, actor_state_t state, const char *why)
{
    actor_t *actor = ctx->actor;
    bool told = strcmp(actor->rare->why, why) == 0;
    actor->is_ready = true;
    if (!told) {
        text_put(life_rare(actor)->why, sizeof actor->rare->why, why);
    }
    life_set_state(actor, actor->paused ? ACTOR_PAUSED : state);
    if (!told) {
        watch_show(actor);
    }
}

void
actor_ready(actor_ctx_t *ctx)
{
    become(ctx, ACTOR_READY, "");
}

void
actor_degraded(actor_ctx_t *ctx, const char *why)
{
    become(ctx, ACTOR_DEGRADED, why);
}

/* Which path the compiler was given depends on where the build is, and a seed does the same in all
 * of them: the name of the file is enough. */
void
actor_claim_failed(actor_ctx_t *ctx, const char *truth, const char *file, int line)
{
    const char *slash = strrchr(file, '/');

    ctx->out_kinds |= OUT_MORE;
    snprintf(ctx->claim, sizeof ctx->claim, "%s:%d: %s does not hold",
             slash == NULL ? file : slash + 1, line, truth);
}

void
actor_host_stop(actor_ctx_t *ctx, const char *why)
{
    actor_host_fail(ctx, OK, why);
}

void
actor_host_fail(actor_ctx_t *ctx, err_t err, const char *why)
{
    ctx->out_kinds |= OUT_MORE;
    ctx->host_stop = true;
    ctx->host_err = err;
    snprintf(ctx->host_why, sizeof ctx->host_why, "%s", why);
}

uint32_t
actor_crashes(const actor_ctx_t *ctx, actor_crash_t *ret, uint32_t count)
{
    const black_box_file_t *file = ctx->worker->core->black_box;
    return file == NULL ? 0 : black_box_crashes(file, ret, count);
}

void
actor_crash_forget(const actor_ctx_t *ctx, uint32_t number)
{
    black_box_file_t *file = ctx->worker->core->black_box;
    if (file != NULL) {
        black_box_forget(file, number);
    }
}

void
actor_about(uint64_t about)
{
    black_box_about(about);
}

size_t
actor_black_box(const actor_ctx_t *ctx, char *text, size_t size)
{
    const black_box_file_t *file = ctx->worker->core->black_box;
    const char *said = file == NULL ? "" : black_box_text(file);
    size_t length = strnlen(said, size);
    memcpy(text, said, length);
    return length;
}
