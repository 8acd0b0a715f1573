/* jobs_claim.c - see jobs_claim.h. */
#include "actors/jobs_claim.h"

#include <stdlib.h>
#include <string.h>

#include "actors/content/point.h"
#include "actors/jobs_text.h"
#include "proto/messages.h"

typedef struct claim_task {
    const claim_order_t *order;
    world_t *world;
    char root[PATH_BYTES_MAX + 1];
    point_identity_t identity;
    id128_t *known;
    bool written;
    char other[PATH_BYTES_MAX + 1]; /* that the root overlaps; "": none */
    fault_t fault;
} claim_task_t;

static err_t
refuse_overlap(claim_task_t *task, slice_t other)
{
    bool overlaps = false;

    if (!slice_copy(other, task->other, sizeof task->other)) {
        return OK;
    }
    TRY(point_overlaps(task->world, task->root, task->other, &overlaps, &task->fault));
    return overlaps ? RAISE(&task->fault, ERR_OVERLAP, 0, "claim", task->root) : OK;
}

/* Against every other point, every source and the data directory. */
static err_t
check_overlaps(claim_task_t *task)
{
    const claim_order_t *m = task->order;

    TRY(refuse_overlap(task, record_slice(m, m->data)));
    for (uint32_t i = 0; i < m->points.count; i++) {
        const point_ref_t *point = ROW(m, m->points, i, point_ref_t);
        if (!slice_equal(record_slice(m, point->dp), record_slice(m, m->dp))) {
            TRY(refuse_overlap(task, record_slice(m, point->dp_root)));
        }
    }
    for (uint32_t i = 0; i < m->sources.count; i++) {
        TRY(refuse_overlap(task, record_slice(m, *ROW(m, m->sources, i, text_t))));
    }
    return OK;
}

static err_t
claim_new(claim_task_t *task)
{
    const claim_order_t *m = task->order;

    task->known = calloc(m->points.count + 1u, sizeof *task->known);
    if (!task->known) {
        return RAISE(&task->fault, ERR_NO_MEMORY, 0, "claim", task->root);
    }
    for (uint32_t i = 0; i < m->points.count; i++) {
        task->known[i] = ROW(m, m->points, i, point_ref_t)->dp_incarnation;
    }
    return point_claim(task->world, task->root, &task->identity, task->known, m->points.count,
                       m->dry_run, &task->fault);
}

static err_t
claim_by(claim_task_t *task)
{
    const claim_order_t *m = task->order;
    slice_t how = record_slice(m, m->how);
    point_t point;

    if (slice_equal(how, slice_of("adopt"))) {
        return point_adopt(task->world, task->root, &task->identity, m->dry_run, &task->written,
                           &task->fault);
    }
    if (slice_equal(how, slice_of("set"))) {
        /* A root that was moved carries the identity already. */
        err_t err =
            point_open(task->world, task->root, &m->site, &m->dp_incarnation, &point, &task->fault);
        if (err == OK) {
            point_close(&point);
            return OK;
        }
        if (err != ERR_ABSENT) {
            return err;
        }
    }
    return claim_new(task);
}

static err_t
run_claim(claim_task_t *task)
{
    const claim_order_t *m = task->order;

    task->identity.site = m->site;
    task->identity.incarnation = m->dp_incarnation;
    if (!slice_copy(record_slice(m, m->dp_root), task->root, sizeof task->root) ||
        !slice_copy(record_slice(m, m->dp), task->identity.name, sizeof task->identity.name)) {
        return RAISE(&task->fault, ERR_NAME_TOO_LONG, 0, "claim", "the root");
    }
    TRY(check_overlaps(task));
    return claim_by(task);
}

/* The sentence of what went wrong; an overlap names what it is with. */
static text_t
reason_of(job_t *job, const claim_task_t *task)
{
    char text[TEXT_BYTES_MAX];
    draft_t *draft = job_draft(job);

    fault_text(&task->fault, text, sizeof text);
    return task->fault.err == ERR_OVERLAP ? draft_textf(draft, "%s: '%s'", text, task->other)
                                          : draft_text(draft, slice_of(text));
}

void
job_claim(job_t *job, world_t *world, const void *input, void *resource)
{
    claim_task_t task = {.order = input, .world = world};
    err_t err = resource ? ERR_INTERNAL : run_claim(&task);
    claimed_t *m = JOB_OUTPUT(job, claimed);

    m->err = err;
    m->incarnation = task.identity.incarnation;
    m->written = task.written;
    m->root = draft_text(job_draft(job), slice_of(task.root));
    if (err != OK) {
        m->text = reason_of(job, &task);
    }
    free(task.known);
}

static err_t
release(world_t *world, const point_leave_t *m, fault_t *fault)
{
    char root[PATH_BYTES_MAX + 1];
    point_t point;

    if (!slice_copy(record_slice(m, m->dp_root), root, sizeof root)) {
        return RAISE(fault, ERR_NAME_TOO_LONG, 0, "release", "the root");
    }
    if (m->emptied) {
        return point_vacate(world, root, &m->site, &m->dp_incarnation, fault);
    }
    TRY(point_open(world, root, &m->site, &m->dp_incarnation, &point, fault));
    err_t err = point_empty(&point, fault);
    point_close(&point);
    return err;
}

void
job_release(job_t *job, world_t *world, const void *input, void *resource)
{
    fault_t fault = {0};
    err_t err = resource ? ERR_INTERNAL : release(world, input, &fault);
    claimed_t *m = JOB_OUTPUT(job, claimed);

    m->err = err;
    if (err != OK) {
        m->text = job_fault_text(job, &fault);
    }
}
