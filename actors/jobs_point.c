/* jobs_point.c - see jobs_point.h. */
#include "actors/jobs_point.h"

#include <stdlib.h>
#include <string.h>

#include "actors/content/place.h"
#include "actors/content/removal.h"
#include "actors/content/verify.h"
#include "actors/jobs_kept.h"
#include "actors/outcome.h"
#include "proto/messages.h"

/* A sync brings all that was written to the disk in one call; nobody sees how far it is. */
#define SYNC_EXTRA_MS     60000u /* for what others have written */
#define SYNC_BYTES_PER_MS 4096u  /* of ours, on the slowest disk that is not called hung */

#define FOREIGN_SHOWN_MAX 100u /* paths that are not ours, told with a removal; all are counted */
#define FOREIGN_BYTES_MAX 900u /* of the first of them in a sentence */

/* A work with its sides as C strings, its point and the store. */
typedef struct task {
    const work_t *work;
    world_t *world;
    point_t point;
    store_t *store;
    bool reached; /* the point was met */
    char package[NAME_BYTES_MAX + 1], label[LABEL_BYTES_MAX + 1];
    char root[PATH_BYTES_MAX + 1], path[PATH_BYTES_MAX + 1];
    fault_t fault;
} task_t;

static place_order_t
order_of(const task_t *task)
{
    return (place_order_t){.package = task->package,
                           .incarnation = task->work->package_incarnation,
                           .epoch = task->work->epoch,
                           .root = task->work->root,
                           .stage = task->work->action == ACTION_STAGE,
                           .read_only = task->work->read_only,
                           .label = task->label[0] ? task->label : NULL};
}

static void
beat(void *context, uint64_t bytes)
{
    job_beat(context, bytes == 0 ? 0 : SYNC_EXTRA_MS + bytes / SYNC_BYTES_PER_MS);
}

/* Opens the point first: an absent one is told as such, whatever else is wrong. */
static err_t
task_open(task_t *task, job_t *job, world_t *world, const work_t *work)
{
    *task = (task_t){.work = work, .world = world};
    task->fault.need = task->fault.have = UINT64_MAX;
    if (!slice_copy(record_slice(work, work->package), task->package, sizeof task->package) ||
        !slice_copy(record_slice(work, work->label), task->label, sizeof task->label) ||
        !slice_copy(record_slice(work, work->dp_root), task->root, sizeof task->root) ||
        !slice_copy(record_slice(work, work->store), task->path, sizeof task->path)) {
        return RAISE(&task->fault, ERR_NAME_TOO_LONG, 0, "open", "the point");
    }
    TRY(point_open(world, task->root, &work->site, &work->dp_incarnation, &task->point,
                   &task->fault));
    task->reached = true;
    task->point.beat = beat;
    task->point.beat_context = job;
    err_t err = store_open(world, task->path, &task->store, &task->fault);
    if (err != OK) {
        point_close(&task->point);
    }
    return err;
}

static void
task_close(task_t *task)
{
    if (task->store) {
        store_close(&task->store);
        point_close(&task->point);
    }
}

static text_t
fault_in(job_t *job, const task_t *task)
{
    char text[TEXT_BYTES_MAX];

    return draft_text(job_draft(job), slice_of(fault_text(&task->fault, text, sizeof text)));
}

/* Of an order that is older than what the point knows: how far ahead that is. */
static uint64_t
held_by(task_t *task, err_t err)
{
    uint64_t epoch = 0;
    bool known = err == ERR_SUPERSEDED &&
                 place_highest(&task->point, task->package, &task->work->package_incarnation,
                               &epoch, NULL) == OK;

    return known ? epoch : 0;
}

/* ---- measure ---- */

void
job_measure(job_t *job, world_t *world, const void *input, void *resource)
{
    task_t task = {0};
    place_plan_t plan = {0};
    err_t err = resource ? ERR_INTERNAL : task_open(&task, job, world, input);

    if (err == OK && action_places(task.work->action)) {
        place_order_t order = order_of(&task);
        err = place_plan(world, task.store, &task.point, &order, &plan, &task.fault);
    }
    measured_t *m = JOB_OUTPUT(job, measured);
    m->err = err;
    m->reached = task.reached;
    m->text = err == OK ? (text_t){0, 0} : fault_in(job, &task);
    m->holds = held_by(&task, err);
    m->already = plan.already;
    m->device = plan.device;
    m->need_bytes = plan.need_bytes;
    m->need_inodes = plan.need_inodes;
    m->have_bytes = plan.free_bytes;
    m->have_inodes = plan.free_inodes;
    m->bytes = plan.write_bytes;
    task_close(&task);
}

/* ---- work ---- */

static void
tell_progress(void *context, uint64_t bytes_done, uint64_t bytes_total)
{
    job_progress(context, bytes_done, bytes_total);
}

static err_t
install(job_t *job, task_t *task, place_ahead_t *ahead, outcome_t *m)
{
    place_order_t order = order_of(task);
    order.ahead = ahead;
    order.reads_before = ahead != NULL; /* an agent's: its store has one point */
    place_result_t result = {0};
    err_t err = place_version(task->world, task->store, &task->point, &order, tell_progress, job,
                              &result, &task->fault);

    if (err == OK) {
        m->root = result.receipt.root;
        m->already = result.already;
        m->files = result.files;
        m->bytes = result.bytes;
        m->sent = result.bytes_written;
    }
    return err;
}

/* The texts of one kind of path, at most max of them. */
static texts_t
paths_in(job_t *job, const paths_t *paths, path_kind_t kind, uint32_t max)
{
    uint32_t count = 0, row = 0;

    for (uint32_t i = 0; i < paths->kept; i++) {
        count += paths->item[i].kind == kind && count < max;
    }
    texts_t texts = draft_rows(job_draft(job), count, sizeof(text_t));
    for (uint32_t i = 0; i < paths->kept && row < count; i++) {
        const path_item_t *item = &paths->item[i];
        if (item->kind != kind) {
            continue;
        }
        text_t text = draft_text(job_draft(job), (slice_t){paths->text + item->at, item->size});
        text_t *into = draft_row(job_draft(job), texts, row++, sizeof(text_t));
        if (into) {
            *into = text;
        }
    }
    return texts;
}

static text_t
foreign_in(job_t *job, const removal_result_t *result)
{
    const paths_t *paths = &result->paths;
    bool any = paths->kept > 0;
    uint32_t size = any ? paths->item[0].size : 0;

    return draft_textf(job_draft(job), "%llu %s of somebody else stay%s%.*s",
                       (unsigned long long) result->foreign,
                       result->foreign == 1 ? "path" : "paths", any ? ", the first is " : "",
                       (int) (size < FOREIGN_BYTES_MAX ? size : FOREIGN_BYTES_MAX),
                       any ? paths->text + paths->item[0].at : "");
}

static err_t
take_away(job_t *job, task_t *task, outcome_t *m)
{
    removal_result_t result;
    err_t err = removal_package(task->world, task->store, &task->point, task->package,
                                &task->work->package_incarnation, &result, &task->fault);

    if (err != OK) {
        m->lacks = result.unread;
        return err;
    }
    m->files = result.removed;
    m->foreign = paths_in(job, &result.paths, PATH_EXTRA, FOREIGN_SHOWN_MAX);
    if (result.foreign > 0) {
        m->text = foreign_in(job, &result);
    }
    removal_result_release(&result);
    return OK;
}

static void
fill_verified(job_t *job, const task_t *task, const verify_result_t *result, verify_row_t *row)
{
    uint64_t unread = result->paths.count[PATH_UNREADABLE];

    row->dp = draft_copy_text(job_draft(job), task->work, task->work->dp);
    row->ok = result->whole && unread == 0;
    row->files = result->files;
    row->bytes = result->bytes;
    row->missing_count = result->paths.count[PATH_MISSING];
    row->changed_count = result->paths.count[PATH_CHANGED];
    row->extra_count = result->paths.count[PATH_EXTRA];
    row->missing = paths_in(job, &result->paths, PATH_MISSING, VERIFY_PATHS_MAX);
    row->changed = paths_in(job, &result->paths, PATH_CHANGED, VERIFY_PATHS_MAX);
    row->extra = paths_in(job, &result->paths, PATH_EXTRA, VERIFY_PATHS_MAX);
    if (result->whole && unread > 0) {
        row->cause =
            outcome_cause(job_draft(job), ERR_PERMISSION,
                          "files whose mode keeps their bytes from this user were not read");
    }
}

/* The receipt of what is damaged goes, so that the repair is a placement like any other. What is
 * staged has none: that which is there is of the version before. */
static err_t
take_verified(job_t *job, task_t *task, const verify_result_t *result, outcome_t *m)
{
    verify_row_t row = {0};
    bool keeps = result->whole || task->work->action == ACTION_STAGE;
    err_t err = keeps ? OK : receipt_remove(&task->point, task->package, &task->fault);

    m->files = result->files;
    m->bytes = result->bytes;
    fill_verified(job, task, result, &row);
    m->verify = draft_rows(job_draft(job), 1, sizeof row);
    verify_row_t *into = draft_row(job_draft(job), m->verify, 0, sizeof row);
    if (into) {
        *into = row;
    }
    return err == ERR_NOT_FOUND ? OK : err;
}

static err_t
look(job_t *job, task_t *task, outcome_t *m)
{
    place_order_t order = order_of(task);
    verify_result_t result;

    TRY(verify_version(task->world, task->store, &task->point, &order, tell_progress, job, &result,
                       &task->fault));
    err_t err = take_verified(job, task, &result, m);
    verify_result_release(&result);
    return err;
}

/* An agent's own store along with it; what lies at the point is read first, as clients read it. */
static err_t
look_at_kept(task_t *task, kept_place_t *place, const char *from, outcome_t *m)
{
    kept_found_t found;
    err_t err =
        kept_read(task->world, task->store, task->work, *from == '\0', place, &found, &task->fault);

    m->scrub_bytes += found.bytes;
    m->indexed = found.indexed;
    return err;
}

/* Of a scrub: a portion; where it ended is told, so that the next one goes on there. place: of an
 * agent's store, NULL: the site's is read elsewhere. */
static err_t
look_at_portion(job_t *job, task_t *task, kept_place_t *place, outcome_t *m)
{
    char from[PATH_BYTES_MAX + 1];
    place_order_t order = order_of(task);
    verify_portion_t portion = {.from = from, .cost_max = task->work->scrub_bytes};
    verify_result_t result;

    if (!slice_copy(record_slice(task->work, task->work->scrub_from), from, sizeof from)) {
        return RAISE(&task->fault, ERR_NAME_TOO_LONG, 0, "go on at", "a path");
    }
    TRY(verify_portion(task->world, task->store, &task->point, &order, tell_progress, job, &portion,
                       &result, &task->fault));
    err_t err = take_verified(job, task, &result, m);
    m->scrub_next = draft_text(job_draft(job), slice_of(portion.next ? portion.next : ""));
    m->scrub_bytes = portion.cost;
    err = err == OK && place && result.whole ? look_at_kept(task, place, from, m) : err;
    free(portion.next);
    verify_result_release(&result);
    return err;
}

static void
end_work(job_t *job, task_t *task, err_t err, outcome_t *m)
{
    m->err = err;
    m->reached = task->reached;
    if (err != OK) {
        m->text = fault_in(job, task);
        m->need = task->fault.need;
        m->have = task->fault.have;
        m->holds = held_by(task, err);
    }
    task_close(task);
}

void
job_scrub(job_t *job, world_t *world, const void *input, void *resource)
{
    task_t task = {0};
    err_t err = task_open(&task, job, world, input);
    outcome_t *m = JOB_OUTPUT(job, outcome);

    outcome_fill(job_draft(job), m, input);
    err = err == OK ? look_at_portion(job, &task, resource, m) : err;
    end_work(job, &task, err, m);
}

void
job_work(job_t *job, world_t *world, const void *input, void *resource)
{
    task_t task = {0};
    err_t err = task_open(&task, job, world, input);
    outcome_t *m = JOB_OUTPUT(job, outcome);

    outcome_fill(job_draft(job), m, input);
    if (err == OK) {
        switch ((action_t) task.work->action) {
        case ACTION_INSTALL:
        case ACTION_STAGE:
            err = install(job, &task, resource, m);
            break;
        case ACTION_REMOVE:
            err = take_away(job, &task, m);
            break;
        default:
            err = look(job, &task, m);
            break;
        }
    }
    end_work(job, &task, err, m);
}

/* ---- probe and collect ---- */

void
job_probe(job_t *job, world_t *world, const void *input, void *resource)
{
    const probe_point_t *probe = input;
    char root[PATH_BYTES_MAX + 1];
    point_t point;
    fault_t fault = {0};
    err_t err = ERR_NAME_TOO_LONG;

    if (!resource && slice_copy(record_slice(probe, probe->dp_root), root, sizeof root)) {
        err = point_open(world, root, &probe->site, &probe->dp_incarnation, &point, &fault);
    }
    if (err == OK) {
        point_close(&point);
    }
    claimed_t *m = JOB_OUTPUT(job, claimed);
    m->err = err;
}

void
job_collect_point(job_t *job, world_t *world, const void *input, void *resource)
{
    task_t task = {0};
    place_collected_t result = {0};
    err_t err = resource ? ERR_INTERNAL : task_open(&task, job, world, input);

    if (err == OK) {
        place_collect_order_t order = {.package = task.package,
                                       .incarnation = task.work->package_incarnation,
                                       .keep_epoch = task.work->epoch,
                                       .grace_ns = (int64_t) task.work->grace_ms * 1000000,
                                       .now_ns = world_wall_ns(world)};
        err = place_collect(world, task.store, &task.point, &order, &result, &task.fault);
    }
    collected_t *m = JOB_OUTPUT(job, collected);
    m->err = err;
    m->objects = result.versions_removed;
    m->waiting = result.versions_waiting;
    m->lacks = result.unread;
    m->text = err == OK ? (text_t){0, 0} : fault_in(job, &task);
    task_close(&task);
}
