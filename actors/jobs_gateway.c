/* jobs_gateway.c - see jobs_gateway.h. */
#include "actors/jobs_gateway.h"

#include <stdlib.h>
#include <string.h>

#include "actors/content/keys.h"
#include "actors/content/token.h"
#include "actors/content/transfer.h"
#include "proto/messages.h"

#define PIECES_MAX 4096u /* of one message, so that its frame has room for their names */

static text_t
text_of(job_t *job, const fault_t *fault)
{
    char text[TEXT_BYTES_MAX];

    return draft_text(job_draft(job), slice_of(fault_text(fault, text, sizeof text)));
}

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
        m->text = text_of(job, &fault);
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
        m->text = text_of(job, &fault);
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

/* ---- content ---- */

typedef struct reading {
    store_t *store;
    uint8_t *bytes; /* AGENT_DATA_BYTES_MAX */
    fault_t fault;
} reading_t;

/* One piece; false when there is no room for any of it. */
static err_t
read_piece(job_t *job, reading_t *reading, const range_t *row, uint64_t room, piece_t *ret_piece)
{
    transfer_range_t range = {row->object, row->from, row->size};
    size_t size = 0;
    uint64_t total = 0;

    TRY(transfer_read(reading->store, &range, reading->bytes, (size_t) room, &size, &total,
                      &reading->fault));
    *ret_piece = (piece_t){.object = row->object, .from = row->from, .total = total};
    ret_piece->bytes = draft_text(job_draft(job), (slice_t){(const char *) reading->bytes, size});
    return OK;
}

/* As many ranges as fit; what is over is read by the next job. */
static err_t
read_ranges(job_t *job, reading_t *reading, const read_order_t *order, agent_data_t *m)
{
    uint64_t room =
        order->bytes_max < AGENT_DATA_BYTES_MAX ? order->bytes_max : AGENT_DATA_BYTES_MAX;
    uint32_t count = 0;

    m->pieces = draft_rows(job_draft(job), order->ranges.count, sizeof(piece_t));
    for (uint32_t i = 0; i < order->ranges.count && i < PIECES_MAX && (room > 0 || i == 0); i++) {
        piece_t piece;
        TRY(read_piece(job, reading, ROW(order, order->ranges, i, range_t), room, &piece));
        piece_t *into = draft_row(job_draft(job), m->pieces, i, sizeof *into);
        if (!into || job_draft(job)->full) {
            return RAISE(&reading->fault, ERR_TOO_LARGE, 0, "read", "what an agent lacks");
        }
        *into = piece;
        room -= piece.bytes.size;
        count++;
    }
    m->pieces.count = count;
    return OK;
}

void
job_read(job_t *job, world_t *world, const void *input, void *resource)
{
    const read_order_t *order = input;
    char path[PATH_BYTES_MAX + 1];
    reading_t reading = {.bytes = malloc(AGENT_DATA_BYTES_MAX)};
    agent_data_t *m = JOB_OUTPUT(job, agent_data);
    err_t err = resource || !reading.bytes ? ERR_NO_MEMORY : OK;

    if (err == OK) {
        err = slice_copy(record_slice(order, order->store), path, sizeof path)
                  ? store_open(world, path, &reading.store, &reading.fault)
                  : ERR_NAME_TOO_LONG;
    }
    m->order = order->order;
    err = err == OK ? read_ranges(job, &reading, order, m) : err;
    if (err != OK) {
        m = JOB_OUTPUT(job, agent_data);
        m->order = order->order;
        m->err = err;
        m->text = text_of(job, &reading.fault);
    }
    store_close(&reading.store);
    free(reading.bytes);
}
