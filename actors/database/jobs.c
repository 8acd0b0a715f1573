/* jobs.c - opening and groups, off the actor; see jobs.h. */
#include "actors/database/jobs.h"

#include "actors/database/group.h"

static void
database_drop(void *resource)
{
    connection_t *connection = resource;
    connection_destroy(&connection);
}

static void
refuse(job_t *job, err_t err, const fault_t *fault)
{
    char text[TEXT_BYTES_MAX];
    refusal_t *refusal = JOB_OUTPUT(job, refusal);
    refusal->code = err;
    refusal->message = draft_text(job_draft(job), slice_of(fault_text(fault, text, sizeof text)));
    refusal->hint = draft_text(job_draft(job), slice_of(err_hint(err)));
}

void
database_open(job_t *job, world_t *world, const void *input, void *resource)
{
    const site_args_t *args = input;
    connection_t *connection = resource;
    fault_t fault;
    err_t err = connection_open(connection, world, record_slice(args, args->data),
                                record_slice(args, args->site), &fault);
    if (err == OK) {
        connection_return(connection);
        JOB_OUTPUT(job, done)->changed = true;
        return;
    }
    connection_close(connection);
    refuse(job, err, &fault);
}

void
database_copy_out(job_t *job, world_t *world, const void *input, void *resource)
{
    const database_copy_t *order = input;
    connection_t *connection = resource;
    int64_t last = 0;
    fault_t fault = {0};
    connection_lend(connection, world);
    err_t err = connection_copy_to(connection, record_slice(order, order->dir), &last, &fault);
    connection_return(connection);
    if (err != OK) {
        refuse(job, err, &fault);
        return;
    }
    JOB_OUTPUT(job, database_copied)->last_event = (uint64_t) last;
}

void
database_group(job_t *job, world_t *world, const void *input, void *resource)
{
    connection_t *connection = resource;
    (void) JOB_OUTPUT(job, group_answers);
    connection_lend(connection, world);
    group_run(connection, input, job_draft(job));
    connection_return(connection);
}

rows_t
database_stopped(draft_t *draft, const group_answers_t *answers)
{
    rows_t rows = draft_rows(draft, answers->stopped.count, sizeof(stopped_row_t));
    for (uint32_t i = 0; i < rows.count; i++) {
        stopped_row_t *row = draft_row(draft, rows, i, sizeof *row);
        const stopped_row_t *from = ROW(answers, answers->stopped, i, stopped_row_t);
        if (row == NULL || draft_copy(draft, &stopped_row_type, row, answers, from) != OK) {
            break;
        }
    }
    return rows;
}

bool
database_start(actor_ctx_t *ctx, const database_job_t *job, connection_t *take_connection)
{
    uint64_t number = 0;
    const job_spec_t spec = {
        .name = job->name,
        .run = job->run,
        .input_type = job->input_type,
        .input = job->input,
        .subject = slice_of("site.db"),
        .deadline_ms = job->deadline_ms,
        .resource = take_connection,
        .drop = database_drop,
        .then = job->then,
    };
    return actor_job(ctx, &spec, &number) == VERDICT_OK;
}
