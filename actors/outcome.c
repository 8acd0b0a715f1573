/* outcome.c - see outcome.h. */
#include "actors/outcome.h"

#include <stdio.h>

void
outcome_fill(draft_t *draft, outcome_t *outcome, const work_t *work)
{
    outcome_fill_of(draft, outcome, work, work);
}

void
outcome_fill_of(draft_t *draft, outcome_t *outcome, const void *record, const work_t *work)
{
    outcome->target = work->target;
    outcome->revision = work->revision;
    outcome->action = work->action;
    outcome->package = draft_copy_text(draft, record, work->package);
    outcome->package_incarnation = work->package_incarnation;
    outcome->dp = draft_copy_text(draft, record, work->dp);
    outcome->dp_incarnation = work->dp_incarnation;
    outcome->dp_root = draft_copy_text(draft, record, work->dp_root);
    outcome->epoch = work->epoch;
    outcome->attempt = work->attempt;
    outcome->of = work->of;
    outcome->integrity = work->integrity;
    outcome->need = RECORD_NONE;
    outcome->have = RECORD_NONE;
    outcome->sent = RECORD_NONE;
}

void
outcome_fail(draft_t *draft, outcome_t *outcome, const work_t *work, err_t err, slice_t text)
{
    outcome_fill(draft, outcome, work);
    outcome->err = err;
    outcome->text = draft_text(draft, text.size ? text : slice_of(err_sentence(err)));
}

bool
outcome_is_stopped(const stopped_row_t *stopped, uint64_t target, uint64_t revision)
{
    return stopped->target == target && revision <= stopped->revision;
}

rows_t
outcome_cause(draft_t *draft, err_t err, const char *text)
{
    cause_t cause = {.code = err,
                     .class = err_class(err),
                     .text = draft_text(draft, slice_of(text)),
                     .hint = draft_text(draft, slice_of(err_hint(err))),
                     .need = RECORD_NONE,
                     .have = RECORD_NONE};
    rows_t rows = draft_rows(draft, 1, sizeof cause);
    cause_t *into = draft_row(draft, rows, 0, sizeof cause);

    if (into) {
        *into = cause;
    }
    return rows;
}

void
outcome_found_nothing(draft_t *draft, const outcome_t *outcome, text_t *ret_dp, rows_t *ret_cause)
{
    char text[TEXT_BYTES_MAX];

    if (!slice_copy(record_slice(outcome, outcome->text), text, sizeof text) || !text[0]) {
        snprintf(text, sizeof text, "%s", err_sentence((err_t) outcome->err));
    }
    *ret_dp = draft_copy_text(draft, outcome, outcome->dp);
    *ret_cause = outcome_cause(draft, (err_t) outcome->err, text);
}
