/* jobs_text.c - see jobs_text.h. */
#include "actors/jobs_text.h"

text_t
job_fault_text(job_t *job, const fault_t *fault)
{
    char text[TEXT_BYTES_MAX];

    return draft_text(job_draft(job), slice_of(fault_text(fault, text, sizeof text)));
}
