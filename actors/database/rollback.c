/* rollback.c - an older version becomes the newest again: a new epoch with the old root. */
#include <stdio.h>
#include <string.h>

#include "actors/database/handlers.h"
#include "actors/database/rollouts.h"
#include "actors/database/switchovers.h"
#include "actors/database/views.h"

#define LISTED_MAX 8u /* versions named in a hint; of more the newest */

/* The epoch that a text is, 0 when it is none. */
static uint64_t
epoch_of(slice_t text)
{
    uint64_t epoch = 0;
    for (size_t i = 0; i < text.size; i++) {
        bool digit = text.data[i] >= '0' && text.data[i] <= '9';
        if (!digit || epoch > (uint64_t) INT64_MAX / 10 - 1) {
            return 0;
        }
        epoch = epoch * 10 + (uint64_t) (text.data[i] - '0');
    }
    return epoch;
}

static bool
read_version(cursor_t row, package_t *ret)
{
    if (!cursor_next(&row)) {
        return false;
    }
    ret->epoch = cursor_u64(&row, 0);
    cursor_copy(&row, 1, ret->root.byte, sizeof ret->root.byte);
    ret->label_size = cursor_text(&row, 2, ret->label, sizeof ret->label);
    ret->files = cursor_u64(&row, 3);
    ret->directories = cursor_u64(&row, 4);
    ret->links = cursor_u64(&row, 5);
    ret->bytes = cursor_u64(&row, 6);
    ret->not_carried = cursor_u64(&row, 7);
    cursor_close(&row);
    return true;
}

/* "1 'a', 2 'b'": what can be gone back to. */
static void
list_versions(tx_t *tx, const package_t *package, char *text, size_t size)
{
    package_t version = *package;
    uint64_t below = (uint64_t) INT64_MAX;
    size_t used = 0;
    text[0] = 0;
    for (uint32_t i = 0; i < LISTED_MAX && used + 1 < size; i++) {
        if (!read_version(OPEN(tx, SQL_VERSION_BELOW, v_int(package->row), v_u64(below)),
                          &version)) {
            return;
        }
        below = version.epoch;
        used += (size_t) snprintf(text + used, size - used, "%s%llu '%.*s'", i == 0 ? "" : ", ",
                                  (unsigned long long) below, SHOWN(SLICE_OF(&version, label)));
    }
}

static void
refuse_version(tx_t *tx, const package_t *package, const char *verb, const char *joint, slice_t to)
{
    char stored[512], hint[640];
    uint64_t epoch = epoch_of(to);
    bool was = epoch > 0 && epoch < package->next_epoch;
    list_versions(tx, package, stored, sizeof stored);
    snprintf(hint, sizeof hint, "stored are %s; despool package update stores another tree",
             stored[0] == 0 ? "none" : stored);
    tx_refuse(tx, was ? ERR_NOT_STORED : ERR_NOT_FOUND, hint, "cannot %s '%s' %s '%.*s': %s", verb,
              package->id, joint, SHOWN(to),
              was ? "no point held this version any more, and it was collected"
                  : "it has no such version");
}

/* By its label, of several with the same the newest; else by its epoch. */
static bool
find_version(tx_t *tx, const package_t *package, slice_t to, package_t *ret)
{
    return read_version(OPEN(tx, SQL_VERSION_BY_LABEL, v_int(package->row), v_text(to)), ret) ||
           read_version(OPEN(tx, SQL_VERSION_OF, v_int(package->row), v_u64(epoch_of(to))), ret);
}

bool
rollback_find(tx_t *tx, const package_t *package, const char *verb, const char *joint, slice_t to,
              package_t *ret)
{
    bool found = find_version(tx, package, to, ret);
    if (!found) {
        refuse_version(tx, package, verb, joint, to);
    }
    return found;
}

static void
tell(tx_t *tx, const package_t *package, uint64_t as)
{
    event_draft_t event;
    event_of_package(&event, package, STATUS_PACKAGE_ROLLED_BACK);
    event_text(&event, "package %s: version %llu is version %llu '%.*s' again", package->id,
               (unsigned long long) package->epoch, (unsigned long long) as,
               SHOWN(SLICE_OF(package, label)));
    event_attr_number(&event, "as", as);
    event_write(tx, &event);
}

void
handle_rollback(tx_t *tx, const rollback_t *m)
{
    package_t package;
    slice_t to = record_slice(m, m->version);
    if (!package_need(tx, "roll back", record_slice(m, m->id), &package)) {
        return;
    }
    if (package.removing) {
        tx_refuse(tx, ERR_BUSY, "wait until package list no longer shows it",
                  "cannot roll back '%s': the package is being removed", package.id);
        return;
    }
    package_t again = package;
    if (!rollback_find(tx, &package, "roll back", "to", to, &again)) {
        return;
    }
    bool changed = memcmp(&again.root, &package.root, sizeof again.root) != 0;
    if (changed) {
        uint64_t as = again.epoch;
        again.epoch = package.next_epoch;
        again.unique_bytes = again.stored_bytes = 0; /* it brings nothing */
        package_keep_version(tx, &again);
        tell(tx, &again, as);
        rollout_anew(tx, &again, true);
        switchover_overtaken(tx, &again);
        package_move_targets(tx, &again);
    }
    (void) package_answer_version(tx, changed ? &again : &package, changed);
}
