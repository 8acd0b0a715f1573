/* jobs_activate.c - see jobs_activate.h. */
#include "actors/jobs_activate.h"

#include <string.h>

#include "actors/content/activation.h"
#include "actors/jobs_text.h"
#include "proto/messages.h"

/* An order with its sides as C strings, and its point. */
typedef struct errand {
    world_t *world;
    const activation_order_t *order;
    point_t point;
    char data[PATH_BYTES_MAX + 1], root[AGENT_PATH_BYTES_MAX + 1];
    char program[AGENT_PATH_BYTES_MAX + 1];
    char package[NAME_BYTES_MAX + 1], dp[NAME_BYTES_MAX + 1];
    fault_t fault;
} errand_t;

static err_t
errand_begin(errand_t *errand, world_t *world, const activation_order_t *order)
{
    *errand = (errand_t){.world = world, .order = order};
    return slice_copy(record_slice(order, order->data), errand->data, sizeof errand->data) &&
                   slice_copy(record_slice(order, order->root), errand->root,
                              sizeof errand->root) &&
                   slice_copy(record_slice(order, order->program), errand->program,
                              sizeof errand->program) &&
                   slice_copy(record_slice(order, order->package), errand->package,
                              sizeof errand->package) &&
                   slice_copy(record_slice(order, order->dp), errand->dp, sizeof errand->dp)
               ? OK
               : RAISE(&errand->fault, ERR_NAME_TOO_LONG, 0, "open", "the agent");
}

static err_t
errand_open(errand_t *errand)
{
    return point_open(errand->world, errand->root, &errand->order->site,
                      &errand->order->dp_incarnation, &errand->point, &errand->fault);
}

static void
claim_of(job_t *job, const errand_t *errand, err_t err)
{
    claimed_t *m = JOB_OUTPUT(job, claimed);

    m->err = err;
    if (err != OK) {
        m->text = job_fault_text(job, &errand->fault);
    }
}

/* ---- before a placement, and a removal ---- */

static err_t
intend(errand_t *errand)
{
    if (errand->order->removes) {
        return activation_forget(errand->world, errand->data, errand->package, &errand->fault);
    }
    TRY(errand_open(errand));
    err_t err = activation_intend(errand->world, errand->data, &errand->point, errand->package,
                                  &errand->order->package_incarnation, errand->order->epoch,
                                  &errand->fault);
    point_close(&errand->point);
    return err;
}

void
job_activation_intend(job_t *job, world_t *world, const void *input, void *resource)
{
    errand_t errand;
    err_t err = errand_begin(&errand, world, input);

    err = resource ? ERR_INTERNAL : err == OK ? intend(&errand) : err;
    claim_of(job, &errand, err);
}

/* ---- the run, and what the site hears of it ---- */

static activation_result_t
result_of(const activation_t *ended)
{
    return ended->how == WORLD_EXITED
               ? ended->code == 0 ? ACTIVATION_RESULT_OK : ACTIVATION_RESULT_EXIT
           : ended->how == WORLD_SIGNALLED   ? ACTIVATION_RESULT_SIGNAL
           : ended->how == WORLD_OUT_OF_TIME ? ACTIVATION_RESULT_TIMEOUT
                                             : ACTIVATION_RESULT_NOT_BEGUN;
}

static void
put_ended(job_t *job, const errand_t *errand, err_t err, const activation_t *ended, uint32_t count)
{
    activated_t *m = JOB_OUTPUT(job, activated);
    draft_t *draft = job_draft(job);

    m->err = err;
    if (err != OK) {
        m->text = job_fault_text(job, &errand->fault);
    }
    m->ended = draft_rows(draft, err == OK ? count : 0, sizeof(agent_activated_t));
    for (uint32_t i = 0; i < m->ended.count; i++) {
        text_t package = draft_text(draft, slice_of(ended[i].package));
        text_t text = draft_text(draft, slice_of(ended[i].text));
        agent_activated_t *row = draft_row(draft, m->ended, i, sizeof *row);
        if (row) {
            *row = (agent_activated_t){.package = package,
                                       .package_incarnation = ended[i].incarnation,
                                       .epoch = ended[i].epoch,
                                       .result = result_of(&ended[i]),
                                       .code = (uint32_t) ended[i].code,
                                       .attempt = (uint32_t) ended[i].attempt,
                                       .at = (int64_t) ended[i].ended_ns,
                                       .text = text};
        }
    }
}

void
job_activate(job_t *job, world_t *world, const void *input, void *resource)
{
    errand_t errand;
    activation_t ended = {.how = 0};
    bool ran = false;
    err_t err = errand_begin(&errand, world, input);
    activation_run_t run = {.program = errand.program,
                            .data = errand.data,
                            .root = errand.root,
                            .point = errand.dp,
                            .time_ms = errand.order->program_ms};

    err = resource ? ERR_INTERNAL : err == OK ? errand_open(&errand) : err;
    if (err == OK) {
        err = activation_run(world, &errand.point, &run, &ended, &ran, &errand.fault);
        point_close(&errand.point);
    }
    put_ended(job, &errand, err, &ended, ran ? 1 : 0);
}

void
job_activation_told(job_t *job, world_t *world, const void *input, void *resource)
{
    errand_t errand;
    err_t err = errand_begin(&errand, world, input);
    activation_t told = {.incarnation = errand.order->package_incarnation,
                         .epoch = errand.order->epoch,
                         .attempt = errand.order->attempt};

    memcpy(told.package, errand.package, sizeof told.package);
    err = resource    ? ERR_INTERNAL
          : err == OK ? activation_told(world, errand.data, &told, &errand.fault)
                      : err;
    claim_of(job, &errand, err);
}

void
job_activation_untold(job_t *job, world_t *world, const void *input, void *resource)
{
    errand_t errand;
    activation_t ended[ON_ACTIVATE_TOLD_MAX];
    uint32_t count = 0;
    err_t err = errand_begin(&errand, world, input);

    err = resource    ? ERR_INTERNAL
          : err == OK ? activation_untold(world, errand.data, ended, ON_ACTIVATE_TOLD_MAX, &count,
                                          &errand.fault)
                      : err;
    put_ended(job, &errand, err, ended, count);
}
