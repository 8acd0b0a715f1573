/* package_orders.c - see package_orders.h. */
#include "actors/package_orders.h"

static texts_t
copy_texts(actor_ctx_t *ctx, const void *record, texts_t from)
{
    draft_t *draft = actor_draft_open(ctx);
    texts_t to = draft_rows(draft, from.count, sizeof(text_t));

    for (uint32_t i = 0; i < from.count && !draft->full; i++) {
        text_t text = actor_text(ctx, record_slice(record, *ROW(record, from, i, text_t)));
        text_t *row = draft_row(draft, to, i, sizeof(text_t));
        if (row) {
            *row = text;
        }
    }
    return to;
}

static rows_t
copy_points(actor_ctx_t *ctx, const package_found_t *found)
{
    draft_t *draft = actor_draft_open(ctx);
    rows_t to = draft_rows(draft, found->points.count, sizeof(point_ref_t));

    for (uint32_t i = 0; i < found->points.count && !draft->full; i++) {
        const point_ref_t *from = ROW(found, found->points, i, point_ref_t);
        point_ref_t *row = draft_row(draft, to, i, sizeof *row);
        if (!row || draft_copy(draft, &point_ref_type, row, found, from) != OK) {
            draft->full = true;
        }
    }
    return to;
}

#define SLOW_MS 86400000 /* a source is read for as long as it takes: one day */

/* Who asked hears `deadline` in the end, and from then on holds up no collection for its sake: a
 * version that came after that would lack what was collected. It may have waited for others. */
uint32_t
package_snapshot_ms(const actor_ctx_t *ctx, const request_t *request)
{
    int64_t left_ms =
        (request->deadline_ns - actor_now_ns(ctx)) / 1000000 - (int64_t) PACKAGE_COMMIT_MS;

    return left_ms < 1 ? 1 : left_ms > SLOW_MS ? SLOW_MS : (uint32_t) left_ms;
}

const package_lookup_t *
package_lookup_of(actor_ctx_t *ctx, bool add, const void *command)
{
    text_t id =
        add ? ((const package_add_t *) command)->id : ((const package_update_t *) command)->id;
    package_lookup_t *m = DRAFT(ctx, package_lookup);

    m->id = actor_text(ctx, record_slice(command, id));
    return m;
}

const snapshot_order_t *
package_snapshot_order(actor_ctx_t *ctx, bool add, const void *command,
                       const package_found_t *found, slice_t data)
{
    const package_add_t *of_add = command;
    const package_update_t *of_update = command;
    const void *holder = add ? command : (const void *) found;
    snapshot_order_t *m = DRAFT(ctx, snapshot_order);

    m->dry_run = add ? of_add->dry_run : of_update->dry_run;
    m->data = actor_text(ctx, data);
    m->store = actor_textf(ctx, "%.*s/store", (int) data.size, data.data);
    m->source = actor_text(ctx, record_slice(holder, add ? of_add->source : found->source));
    m->exclude = copy_texts(ctx, holder, add ? of_add->exclude : found->exclude);
    m->link_rule = add ? of_add->links : found->link_rule;
    m->points = copy_points(ctx, found);
    return m;
}

const snapshot_order_t *
package_look_order(actor_ctx_t *ctx, const package_set_t *command, const package_found_t *found,
                   slice_t data)
{
    snapshot_order_t *m = DRAFT(ctx, snapshot_order);

    m->dry_run = true;
    m->data = actor_text(ctx, data);
    m->store = actor_textf(ctx, "%.*s/store", (int) data.size, data.data);
    m->source = actor_text(ctx, record_slice(command, command->source));
    m->points = copy_points(ctx, found);
    return m;
}

static void
fill_from_add(actor_ctx_t *ctx, version_commit_t *m, const package_add_t *add)
{
    m->add = 1;
    m->dry_run = add->dry_run;
    m->key = actor_text(ctx, record_slice(add, add->key));
    m->principal = actor_text(ctx, record_slice(add, add->principal));
    m->id = actor_text(ctx, record_slice(add, add->id));
    m->source = actor_text(ctx, record_slice(add, add->source));
    m->name = actor_text(ctx, record_slice(add, add->name));
    m->label = actor_text(ctx, record_slice(add, add->version));
    m->exclude = copy_texts(ctx, add, add->exclude);
    m->link_rule = add->links;
}

static void
fill_from_update(actor_ctx_t *ctx, version_commit_t *m, const package_update_t *update)
{
    m->dry_run = update->dry_run;
    m->key = actor_text(ctx, record_slice(update, update->key));
    m->principal = actor_text(ctx, record_slice(update, update->principal));
    m->id = actor_text(ctx, record_slice(update, update->id));
    m->label = actor_text(ctx, record_slice(update, update->version));
    m->activate_at = update->activate_at;
    m->barrier = update->barrier;
    m->deadline = update->deadline;
}

const version_commit_t *
package_version_commit(actor_ctx_t *ctx, bool add, const void *command,
                       const snapshot_taken_t *taken)
{
    version_commit_t *m = DRAFT(ctx, version_commit);

    if (add) {
        fill_from_add(ctx, m, command);
    } else {
        fill_from_update(ctx, m, command);
    }
    m->root = taken->root;
    m->files = taken->files;
    m->directories = taken->directories;
    m->links = taken->links;
    m->bytes = taken->bytes;
    m->unique_bytes = taken->unique_bytes;
    m->stored_bytes = taken->stored_bytes;
    m->not_carried = taken->not_carried;
    m->clashes = taken->clashes;
    m->clash = actor_text(ctx, record_slice(taken, taken->clash));
    return m;
}

const refusal_t *
package_refusal(actor_ctx_t *ctx, const snapshot_taken_t *taken)
{
    refusal_t *m = DRAFT(ctx, refusal);

    m->code = taken->err;
    m->message = actor_text(ctx, record_slice(taken, taken->text));
    m->hint = actor_text(ctx, slice_of(err_hint((err_t) taken->err)));
    m->need = taken->need;
    m->have = taken->have;
    return m;
}
