/* jobs_gateway.c - see jobs_gateway.h. */
#include "actors/jobs_gateway.h"

#include <stdlib.h>
#include <string.h>

#include "actors/content/keys.h"
#include "actors/content/token.h"
#include "actors/jobs_text.h"
#include "proto/messages.h"

/* ---- a token ---- */

static err_t
make_token(world_t *world, const token_order_t *m, digest_t *ret_key, char *ret_text,
           fault_t *fault)
{
    char data[PATH_BYTES_MAX + 1];
    keys_t keys;
    token_t token = {.site = m->site, .incarnation = m->dp_incarnation};

    if (m->listen.size == 0) {
        return RAISE(fault, ERR_NOT_LISTENING, 0, "add", "the agent");
    }
    if (!slice_copy(record_slice(m, m->data), data, sizeof data) ||
        !slice_copy(record_slice(m, m->listen), token.address, sizeof token.address) ||
        !slice_copy(record_slice(m, m->dp), token.name, sizeof token.name)) {
        return RAISE(fault, ERR_NAME_TOO_LONG, 0, "make", "a token");
    }
    TRY(keys_open(world, data, &keys, fault));
    token.site_key = keys.transport_key;
    explicit_bzero(&keys, sizeof keys);
    keys_draw(world, &token.secret, ret_key);
    err_t err = token_write(&token, ret_text);
    explicit_bzero(&token, sizeof token);
    return err == OK ? OK : RAISE(fault, err, 0, "make", "a token");
}

void
job_token(job_t *job, world_t *world, const void *input, void *resource)
{
    const token_order_t *order = input;
    char text[TOKEN_BYTES_MAX] = "";
    fault_t fault = {0};
    digest_t key = {0};
    err_t err = resource ? ERR_INTERNAL : make_token(world, order, &key, text, &fault);
    token_made_t *m = JOB_OUTPUT(job, token_made);

    m->err = err;
    m->dp_incarnation = order->dp_incarnation;
    if (err == OK) {
        m->token = key;
        m->token_text = draft_text(job_draft(job), slice_of(text));
        m->address = draft_text(job_draft(job), record_slice(order, order->listen));
    } else {
        m->text = job_fault_text(job, &fault);
    }
    explicit_bzero(text, sizeof text);
}

/* ---- keys ---- */

void
job_keys(job_t *job, world_t *world, const void *input, void *resource)
{
    const keys_order_t *order = input;
    char data[PATH_BYTES_MAX + 1];
    fault_t fault = {0};
    err_t err = slice_copy(record_slice(order, order->data), data, sizeof data)
                    ? keys_open(world, data, resource, &fault)
                    : ERR_NAME_TOO_LONG;
    keys_read_t *m = JOB_OUTPUT(job, keys_read);

    m->err = err;
    if (err != OK) {
        m->text = job_fault_text(job, &fault);
    }
}

static void
keys_drop(void *resource)
{
    explicit_bzero(resource, sizeof(keys_t));
    free(resource);
}

actor_next_t
keys_ask(actor_ctx_t *ctx, slice_t data, actor_answer_fn *then)
{
    keys_t *keys = calloc(1, sizeof *keys);
    keys_order_t *m = (keys_order_t *) actor_draft(ctx, &keys_order_type);

    claim(ctx, keys != NULL);
    m->data = actor_text(ctx, data);
    job_spec_t spec = {.name = "keys",
                       .run = job_keys,
                       .input_type = &keys_order_type,
                       .input = m,
                       .subject = slice_of("keys"),
                       .resource = keys,
                       .drop = keys_drop,
                       .then = then};
    if (actor_job(ctx, &spec, NULL) == VERDICT_OK) {
        return ACTOR_CONTINUE;
    }
    keys_drop(keys);
    return ACTOR_FAIL;
}

void
keys_take(const actor_answer_t *answer, keys_t *ret_keys)
{
    if (answer->resource) {
        *ret_keys = *(const keys_t *) answer->resource;
        keys_drop(answer->resource);
    }
}
