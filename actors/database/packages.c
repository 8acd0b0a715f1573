/* packages.c - versions, settings and removal of packages. */
#include <string.h>

#include "actors/database/handlers.h"
#include "actors/database/rollouts.h"
#include "actors/database/switchovers.h"
#include "actors/database/views.h"

/* ---- excludes ---- */

static bool
excludes_equal(tx_t *tx, int64_t row, const void *record, texts_t globs)
{
    uint32_t i = 0;
    bool equal = true;
    cursor_t glob = OPEN(tx, SQL_EXCLUDES, v_int(row));
    while (cursor_next(&glob)) {
        equal = equal && i < globs.count &&
                slice_equal(cursor_bytes(&glob, 0),
                            record_slice(record, *ROW(record, globs, i, text_t)));
        i++;
    }
    return equal && i == globs.count;
}

static void
excludes_set(tx_t *tx, int64_t row, const void *record, texts_t globs)
{
    RUN(tx, SQL_EXCLUDE_CLEAR, v_int(row));
    for (uint32_t i = 0; i < globs.count; i++) {
        slice_t glob = record_slice(record, *ROW(record, globs, i, text_t));
        RUN(tx, SQL_EXCLUDE_ADD, v_int(row), v_int(i), v_text(glob));
    }
}

/* ---- a stored version becomes the package's ---- */

static bool
may_add(tx_t *tx, const version_commit_t *m)
{
    slice_t id = record_slice(m, m->id);
    package_t package;
    if (!name_is_valid(id)) {
        tx_refuse(tx, ERR_BAD_NAME, NULL, "cannot add '%.*s': %s", SHOWN(id),
                  err_sentence(ERR_BAD_NAME));
    } else if (m->source.size == 0 || record_slice(m, m->source).data[0] != '/') {
        tx_refuse(tx, ERR_NOT_ABSOLUTE, NULL, "cannot add '%.*s': its source is not absolute",
                  SHOWN(id));
    } else if (package_by_id(tx, id, &package)) {
        tx_refuse(tx, ERR_EXISTS, NULL, "cannot add '%.*s': package '%s' exists%s", SHOWN(id),
                  package.id, package.removing ? " until its removal is done" : "");
    }
    return tx_ok(tx);
}

static void
add_package(tx_t *tx, const version_commit_t *m)
{
    id128_t incarnation;
    world_random(tx->db->world, incarnation.byte, sizeof incarnation.byte);
    RUN(tx, SQL_PACKAGE_ADD, v_text(record_slice(m, m->id)), v_id(&incarnation),
        v_maybe(record_slice(m, m->name)), v_text(record_slice(m, m->source)),
        v_int(m->link_rule == LINK_RULE_INSIDE));
    package_t package;
    if (package_by_id(tx, record_slice(m, m->id), &package)) {
        excludes_set(tx, package.row, m, m->exclude);
    }
}

static void
label_of(const version_commit_t *m, uint64_t epoch, package_t *ret)
{
    slice_t label = record_slice(m, m->label);
    if (label.size > 0) {
        ret->label_size = (uint32_t) label.size;
        memcpy(ret->label, label.data, label.size);
        return;
    }
    char digits[24];
    uint32_t count = 0;
    do {
        digits[count++] = (char) ('0' + epoch % 10);
        epoch /= 10;
    } while (epoch > 0);
    ret->label_size = count;
    for (uint32_t i = 0; i < count; i++) {
        ret->label[i] = digits[count - 1 - i];
    }
}

static void
take_version(const version_commit_t *m, package_t *package)
{
    package->epoch = package->next_epoch;
    package->root = m->root;
    label_of(m, package->epoch, package);
    package->files = m->files;
    package->directories = m->directories;
    package->links = m->links;
    package->bytes = m->bytes;
    package->unique_bytes = m->unique_bytes;
    package->stored_bytes = m->stored_bytes;
    package->not_carried = m->not_carried;
}

void
package_keep_version(tx_t *tx, const package_t *p)
{
    RUN(tx, SQL_VERSION_ADD, v_int(p->row), v_u64(p->epoch), v_digest(&p->root),
        v_text(SLICE_OF(p, label)), v_u64(p->files), v_u64(p->directories), v_u64(p->links),
        v_u64(p->bytes), v_u64(p->not_carried), v_int(tx->now_ns), v_u64(p->unique_bytes),
        v_u64(p->stored_bytes));
    RUN(tx, SQL_PACKAGE_VERSION, v_int(p->row), v_u64(p->epoch));
}

static void
tell_version(tx_t *tx, const package_t *p)
{
    event_draft_t event;
    event_of_package(&event, p, STATUS_PACKAGE_STORED);
    event_text(&event, "package %s: version %llu '%.*s' is stored, %llu files, %llu bytes", p->id,
               (unsigned long long) p->epoch, SHOWN(SLICE_OF(p, label)),
               (unsigned long long) p->files, (unsigned long long) p->bytes);
    event_attr_number(&event, "files", p->files);
    event_attr_number(&event, "bytes", p->bytes);
    event_write(tx, &event);
}

/* Refused is it only at a point that cannot have both. */
static void
tell_clashes(tx_t *tx, const version_commit_t *m, const package_t *p)
{
    event_draft_t event;
    if (m->clashes == 0) {
        return;
    }
    event_of_package(&event, p, STATUS_NAMES_CLASH);
    event_text(&event, "package %s: %s: %llu of version %llu, the first is '%.*s'", p->id,
               status_sentence(STATUS_NAMES_CLASH), (unsigned long long) m->clashes,
               (unsigned long long) p->epoch, SHOWN(record_slice(m, m->clash)));
    event_attr_number(&event, "clashes", m->clashes);
    event_attr(&event, "clash", record_slice(m, m->clash));
    event_write(tx, &event);
}

void
package_move_targets(tx_t *tx, const package_t *package)
{
    target_t target = {.row = 0};
    tx_watch_package(tx, package->row);
    while (tx->err == OK && target_next_of_package(tx, package->row, target.point, &target)) {
        if (target_follows(&target)) {
            target_want(tx, &target, package);
            target_save(tx, &target, STATUS_TARGET_PENDING);
        }
    }
}

package_done_t *
package_answer_version(tx_t *tx, const package_t *package, bool changed)
{
    package_done_t *done = ANSWER(tx, package_done);
    done->id = tx_text(tx, slice_of(package->id));
    done->changed = changed;
    done->version = view_version(tx, package->epoch, SLICE_OF(package, label), &package->root);
    done->files = package->files;
    done->directories = package->directories;
    done->links = package->links;
    done->bytes = package->bytes;
    done->not_carried = package->not_carried;
    return done;
}

static void
change_source(tx_t *tx, const version_commit_t *m, const package_t *package)
{
    slice_t source = record_slice(m, m->source);
    if (!m->add && source.size > 0 && !slice_equal(source, SLICE_OF(package, source))) {
        RUN(tx, SQL_PACKAGE_SET, v_int(package->row), v_maybe(SLICE_OF(package, name)),
            v_text(source), v_int(package->links_inside));
    }
}

void
handle_version_commit(tx_t *tx, const version_commit_t *m)
{
    package_t package;
    if (m->add) {
        if (!may_add(tx, m)) {
            return;
        }
        add_package(tx, m);
    }
    if (!package_need(tx, "update", record_slice(m, m->id), &package)) {
        return;
    }
    if (package.removing) {
        tx_refuse(tx, ERR_BUSY, NULL, "cannot update '%s': it is being removed", package.id);
        return;
    }
    change_source(tx, m, &package);
    bool changed = package.epoch == 0 || memcmp(&package.root, &m->root, sizeof m->root) != 0;
    switch_wish_t later = {m->barrier, m->activate_at, m->deadline};
    if (changed && !switchover_may(tx, &package, false, &later)) {
        return;
    }
    if (changed) {
        take_version(m, &package);
        package_keep_version(tx, &package);
        tell_version(tx, &package);
        tell_clashes(tx, m, &package);
        rollout_anew(tx, &package, false);
        switch_is_asked(&later) ? switchover_of_all(tx, &package, &later)
                                : switchover_anew(tx, &package);
        package_move_targets(tx, &package);
    }
    package_done_t *done = package_answer_version(tx, &package, changed);
    done->clashes = m->clashes;
    done->clash = tx_text(tx, record_slice(m, m->clash));
}

/* ---- settings ---- */

static bool
apply_set(tx_t *tx, const package_set_t *m, const package_t *package)
{
    slice_t name = m->name.at == 0 ? SLICE_OF(package, name) : record_slice(m, m->name);
    slice_t source = m->source.at == 0 ? SLICE_OF(package, source) : record_slice(m, m->source);
    bool texts = !slice_equal(name, SLICE_OF(package, name)) ||
                 !slice_equal(source, SLICE_OF(package, source));
    bool globs = m->set_exclude && !excludes_equal(tx, package->row, m, m->exclude);
    bool inside = m->links == LINK_RULE_NONE ? package->links_inside : m->links == LINK_RULE_INSIDE;
    bool links = inside != package->links_inside;
    if (texts || links) {
        RUN(tx, SQL_PACKAGE_SET, v_int(package->row), v_maybe(name), v_text(source), v_int(inside));
    }
    if (globs) {
        excludes_set(tx, package->row, m, m->exclude);
    }
    return texts || globs || links;
}

void
handle_package_set(tx_t *tx, const package_set_t *m)
{
    package_t package;
    if (!package_need(tx, "set", record_slice(m, m->id), &package)) {
        return;
    }
    if (m->source.at != 0 && (m->source.size == 0 || record_slice(m, m->source).data[0] != '/')) {
        tx_refuse(tx, ERR_NOT_ABSOLUTE, NULL, "cannot set '%s': its source is not absolute",
                  package.id);
        return;
    }
    bool changed = apply_set(tx, m, &package);
    if (changed) {
        event_draft_t event;
        event_of_package(&event, &package, STATUS_PACKAGE_CHANGED);
        event_text(&event, "package %s: its settings were changed", package.id);
        event_write(tx, &event);
    }
    tx_done(tx, changed, NULL);
}

/* ---- removal ---- */

static void
remove_targets(tx_t *tx, int64_t package)
{
    target_t target = {.row = 0};
    while (tx->err == OK && target_next_of_package(tx, package, target.point, &target)) {
        if (target.state != TARGET_REMOVING && target.state != TARGET_REMOVED) {
            target_remove(tx, &target);
            target_save(tx, &target, STATUS_TARGET_REMOVING);
        }
    }
}

void
handle_package_remove(tx_t *tx, const package_remove_t *m)
{
    package_t package;
    if (!package_need(tx, "remove", record_slice(m, m->id), &package)) {
        return;
    }
    int64_t holds = NUMBER(tx, SQL_PACKAGE_HOLDS, 0, v_int(package.row));
    if (holds > 0 && !m->withdraw && !package.removing) {
        tx_refuse(tx, ERR_IN_USE, NULL, "cannot remove '%s': %lld distribution points hold it",
                  package.id, (long long) holds);
        return;
    }
    if (package.removing) {
        tx_done(tx, false, "it is being removed");
        return;
    }
    RUN(tx, SQL_PACKAGE_REMOVING, v_int(package.row), v_int(1));
    if (holds > 0) {
        remove_targets(tx, package.row);
        tx_done(tx, true, "it goes when the last distribution point is done");
        return;
    }
    RUN(tx, SQL_TARGETS_OF_PACKAGE_DELETE, v_int(package.row));
    package_finish(tx, package.row);
    tx_done(tx, true, NULL);
}

/* ---- what others need to know ---- */

void
handle_package_lookup(tx_t *tx, const package_lookup_t *m)
{
    package_t package;
    slice_t id = record_slice(m, m->id), version = record_slice(m, m->version);
    bool exists = package_by_id(tx, id, &package);
    if (exists && version.size > 0 &&
        !rollback_find(tx, &package, "export", "in version", version, &package)) {
        return;
    }
    package_found_t *found = ANSWER(tx, package_found);
    found->exists = exists;
    found->id = tx_text(tx, exists ? slice_of(package.id) : id);
    if (exists) {
        found->source = tx_text(tx, SLICE_OF(&package, source));
        found->exclude = view_excludes(tx, package.row);
        found->link_rule = package.links_inside ? LINK_RULE_INSIDE : LINK_RULE_ANY;
        found->root = package.root;
        found->epoch = package.epoch;
    }
    found->points = point_refs(tx);
}

void
handle_live_roots(tx_t *tx, const live_roots_t *m)
{
    tx_run(tx, SQL_ALL_VERSIONS_PRUNE, NULL, 0);
    int64_t count =
        tx_number(tx, m->named ? SQL_ALL_VERSIONS_COUNT : SQL_ALL_ROOTS_COUNT, 0, NULL, 0);
    roots_t *roots = ANSWER(tx, roots);
    roots->roots = draft_rows(&tx->answer, (uint32_t) count, sizeof(root_ref_t));
    uint32_t i = 0;
    cursor_t row = tx_open(tx, m->named ? SQL_ALL_VERSIONS : SQL_ALL_ROOTS, NULL, 0);
    while (cursor_next(&row)) {
        root_ref_t *root = draft_row(&tx->answer, roots->roots, i++, sizeof *root);
        if (root != NULL) {
            cursor_copy(&row, 0, root->root.byte, sizeof root->root.byte);
            root->epoch = RECORD_NONE;
            if (m->named) {
                char id[NAME_BYTES_MAX + 1];
                cursor_name(&row, 1, id);
                root->id = tx_text(tx, slice_of(id));
                root->epoch = cursor_u64(&row, 2);
            }
        }
    }
}
