/* jobs.c - opening and groups, off the actor; see jobs.h. */
#include "actors/database/jobs.h"

#include "actors/database/group.h"

void
database_drop(void *resource)
{
    connection_t *connection = resource;
    connection_destroy(&connection);
}

void
database_open(job_t *job, world_t *world, const void *input, void *resource)
{
    const site_args_t *args = input;
    connection_t *connection = resource;
    fault_t fault;
    char text[TEXT_BYTES_MAX];
    err_t err = connection_open(connection, world, record_slice(args, args->data),
                                record_slice(args, args->site), &fault);
    if (err == OK) {
        connection_return(connection);
        JOB_OUTPUT(job, done)->changed = true;
        return;
    }
    connection_close(connection);
    refusal_t *refusal = JOB_OUTPUT(job, refusal);
    refusal->code = err;
    refusal->message = draft_text(job_draft(job), slice_of(fault_text(&fault, text, sizeof text)));
    refusal->hint = draft_text(job_draft(job), slice_of(err_hint(err)));
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

const void *
database_answer(const group_answers_t *answers, const group_answer_t *answer,
                const record_type_t **ret_type)
{
    const record_type_t *type = message_type(answer->number);
    slice_t record = record_slice(answers, answer->record);
    if (type == NULL || record_check(type, record.data, record.size) != OK) {
        return NULL;
    }
    *ret_type = type;
    return record.data;
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
