/* jobs_snapshot.c - see jobs_snapshot.h. */
#include "actors/jobs_snapshot.h"

#include <stdlib.h>
#include <string.h>

#include "actors/content/mounts.h"
#include "actors/content/point.h"
#include "actors/content/snapshot.h"
#include "proto/messages.h"

#define FAULT_TEXT_BYTES TEXT_BYTES_MAX

/* The sides of an order as C strings, in one piece of memory. */
typedef struct order {
    char source[PATH_BYTES_MAX + 1], store[PATH_BYTES_MAX + 1], data[PATH_BYTES_MAX + 1];
    char other[PATH_BYTES_MAX + 1]; /* that the source overlaps; "": none, or not known by name */
    const char *exclude[GLOB_COUNT_MAX];
    size_t excludes;
    char *globs; /* all of them, each with its NUL; owned */
} order_t;

static err_t
read_globs(const snapshot_order_t *m, order_t *order, fault_t *fault)
{
    size_t bytes = 1;

    for (uint32_t i = 0; i < m->exclude.count; i++) {
        bytes += ROW(m, m->exclude, i, text_t)->size + 1u;
    }
    order->globs = malloc(bytes);
    if (!order->globs || m->exclude.count > GLOB_COUNT_MAX) {
        return RAISE(fault, ERR_NO_MEMORY, 0, "read", "exclude");
    }
    char *at = order->globs;
    for (uint32_t i = 0; i < m->exclude.count; i++) {
        slice_t glob = record_slice(m, *ROW(m, m->exclude, i, text_t));
        if (!slice_copy(glob, at, glob.size + 1)) {
            return RAISE(fault, ERR_BAD_VALUE, 0, "read", "exclude");
        }
        order->exclude[order->excludes++] = at;
        at += glob.size + 1;
    }
    return OK;
}

static err_t
read_order(const snapshot_order_t *m, order_t *order, fault_t *fault)
{
    if (!slice_copy(record_slice(m, m->source), order->source, sizeof order->source) ||
        !slice_copy(record_slice(m, m->store), order->store, sizeof order->store) ||
        !slice_copy(record_slice(m, m->data), order->data, sizeof order->data)) {
        return RAISE(fault, ERR_NAME_TOO_LONG, 0, "read", "source");
    }
    return read_globs(m, order, fault);
}

static err_t
refuse_overlap(world_t *world, const char *source, const char *other, fault_t *fault)
{
    bool overlaps = false;

    TRY(point_overlaps(world, source, other, &overlaps, fault));
    return overlaps ? RAISE(fault, ERR_OVERLAP, 0, "store", source) : OK;
}

/* By the identities of what the source lies in, so that no other name of a root is believed. */
static err_t
refuse_inside_point(world_t *world, const snapshot_order_t *m, const order_t *order, fault_t *fault)
{
    bool lies = false;
    id128_t *known = calloc(m->points.count + 1u, sizeof *known);

    if (!known) {
        return RAISE(fault, ERR_NO_MEMORY, 0, "store", order->source);
    }
    for (uint32_t i = 0; i < m->points.count; i++) {
        known[i] = ROW(m, m->points, i, point_ref_t)->dp_incarnation;
    }
    err_t err = point_lies_above(world, order->source, known, m->points.count, &lies, fault);
    free(known);
    return err == OK && lies ? RAISE(fault, ERR_OVERLAP, 0, "store", order->source) : err;
}

/* Whether the source overlaps a root by their texts, or by what mounts show of them: in other. */
static bool
overlaps_a_root(const mounts_t *mounts, const snapshot_order_t *m, order_t *order)
{
    const char *source = order->source, *root = order->other;
    bool overlaps = false;

    for (uint32_t i = 0; !overlaps && i < m->points.count; i++) {
        const point_ref_t *point = ROW(m, m->points, i, point_ref_t);
        overlaps = slice_copy(record_slice(m, point->dp_root), order->other, sizeof order->other) &&
                   (mounts_text_lies_above(source, root) || mounts_text_lies_above(root, source) ||
                    mounts_overlap(mounts, source, root));
    }
    return overlaps;
}

/* A package that holds its own copies, or a point's, would grow for ever (Q263376). Points are held
 * against the source by their texts, by the mounts, and by the identities that stand above and
 * (while it is read) below the source: a point that fails or hangs must not hold up a snapshot. */
static err_t
check_overlaps(world_t *world, const snapshot_order_t *m, order_t *order, fault_t *fault)
{
    memcpy(order->other, order->data, sizeof order->other);
    TRY(refuse_overlap(world, order->source, order->data, fault));
    mounts_t *mounts = mounts_read(world);
    bool overlaps = overlaps_a_root(mounts, m, order);
    mounts_destroy(&mounts);
    if (overlaps) {
        return RAISE(fault, ERR_OVERLAP, 0, "store", order->source);
    }
    order->other[0] = '\0';
    return refuse_inside_point(world, m, order, fault);
}

static void
tell_progress(void *context, uint64_t files, uint64_t bytes)
{
    job_progress(context, bytes, files);
}

static err_t
take(job_t *job, world_t *world, const snapshot_order_t *m, order_t *order, snapshot_t *ret,
     fault_t *fault)
{
    store_t *store = NULL;

    TRY(read_order(m, order, fault));
    TRY(check_overlaps(world, m, order, fault));
    TRY(m->dry_run ? store_open_dry(world, &store, fault)
                   : store_open(world, order->store, &store, fault));
    snapshot_rules_t rules = {order->exclude, order->excludes, m->link_rule == LINK_RULE_INSIDE};
    err_t err = snapshot_take(world, store, order->source, &rules, tell_progress, job, ret, fault);
    store_close(&store);
    return err;
}

/* What package add would refuse at once. */
static err_t
look(world_t *world, const snapshot_order_t *m, order_t *order, fault_t *fault)
{
    TRY(read_order(m, order, fault));
    TRY(check_overlaps(world, m, order, fault));
    return snapshot_look(world, order->source, fault);
}

/* The sentence of what went wrong; an overlap names what it is with, where that has a name. */
static text_t
reason_of(job_t *job, const order_t *order, const fault_t *fault)
{
    char text[FAULT_TEXT_BYTES];
    bool named = fault->err == ERR_OVERLAP && order && order->other[0];

    fault_text(fault, text, sizeof text);
    return named ? draft_textf(job_draft(job), "%s: '%s'", text, order->other)
                 : draft_text(job_draft(job), slice_of(text));
}

static void
answer(job_t *job, err_t err, const order_t *order, const snapshot_t *snapshot,
       const fault_t *fault)
{
    snapshot_taken_t *taken = JOB_OUTPUT(job, snapshot_taken);

    taken->err = err;
    taken->need = fault->need;
    taken->have = fault->have;
    if (err != OK) {
        taken->text = reason_of(job, order, fault);
    }
    taken->root = snapshot->root;
    taken->files = snapshot->files;
    taken->directories = snapshot->directories;
    taken->links = snapshot->links;
    taken->bytes = snapshot->bytes;
    taken->unique_bytes = snapshot->unique_bytes;
    taken->stored_bytes = snapshot->stored_bytes;
    taken->not_carried = snapshot->files_with_attributes;
    taken->clashes = snapshot->clashes.count;
    taken->clash = draft_text(job_draft(job), slice_of(snapshot->clashes.first));
}

static void
run(job_t *job, world_t *world, const snapshot_order_t *m, void *resource, bool only_look)
{
    snapshot_t snapshot = {0};
    fault_t fault = {.need = UINT64_MAX, .have = UINT64_MAX};
    order_t *order = calloc(1, sizeof *order);
    err_t err = !order || resource ? RAISE(&fault, ERR_NO_MEMORY, 0, "store", "source")
                : only_look        ? look(world, m, order, &fault)
                                   : take(job, world, m, order, &snapshot, &fault);

    answer(job, err, order, &snapshot, &fault);
    if (order) {
        free(order->globs);
    }
    free(order);
}

void
job_snapshot(job_t *job, world_t *world, const void *input, void *resource)
{
    run(job, world, input, resource, false);
}

void
job_look_at_source(job_t *job, world_t *world, const void *input, void *resource)
{
    run(job, world, input, resource, true);
}
