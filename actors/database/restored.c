/* restored.c - a database that comes from a backup: what it believes is old, and the site another.
 *
 * Bytes    meta 'incarnation' (a number, 1 where there is none) and 'restored' (the id of the
 *          restore that it was raised for).
 * Crash    the incarnation is raised once for each restore, in one transaction.
 *
 * Points may have been given later versions since. So every target that is to hold something is
 * work again, from its first try on: the point's own receipt says what it has, before anything is
 * sent, and where that is ahead of the site (ahead.c) the site goes on above it. Readers of status
 * messages may have read later ones, too: the numbers of new ones begin so far above that nobody
 * takes one for another that it knows.
 */
#include <string.h>

#include "actors/database/handlers.h"
#include "actors/database/rows.h"

static bool
is_known(tx_t *tx, const id128_t *restore)
{
    cursor_t row = OPEN(tx, SQL_META_GET, v_text(slice_of("restored")));
    slice_t known = cursor_next(&row) ? cursor_bytes(&row, 0) : (slice_t){NULL, 0};
    bool same = known.size == sizeof restore->byte &&
                memcmp(known.data, restore->byte, sizeof restore->byte) == 0;
    cursor_close(&row);
    return same;
}

uint64_t
site_incarnation(tx_t *tx)
{
    return (uint64_t) NUMBER(tx, SQL_META_GET, 1, v_text(slice_of("incarnation")));
}

static void
begin_again(tx_t *tx, const package_t *package)
{
    target_t target = {.row = 0};
    while (tx->err == OK && target_next_of_package(tx, package->row, target.point, &target)) {
        bool holds = target.state != TARGET_REMOVED && target.state != TARGET_REMOVING &&
                     target.state != TARGET_CANCELLED && target.cause != ERR_QUARANTINED;
        if (holds) {
            target_want(tx, &target, package);
            target_save(tx, &target, STATUS_TARGET_PENDING);
        }
    }
}

void
handle_site_restored(tx_t *tx, const site_restored_t *m)
{
    package_t package;
    event_draft_t event;
    if (is_known(tx, &m->restore)) {
        tx_done(tx, false, NULL);
        return;
    }
    uint64_t incarnation = site_incarnation(tx) + 1;
    RUN(tx, SQL_META_SET, v_text(slice_of("restored")), v_id(&m->restore));
    RUN(tx, SQL_META_SET, v_text(slice_of("incarnation")), v_u64(incarnation));
    RUN(tx, SQL_ALL_SEQUENCES_SKIP, v_int(RESTORE_SKIPS_MESSAGES));
    event_begin(&event, "site_database", STATUS_SITE_RESTORED);
    event_text(&event, "%s: this is its incarnation %llu", status_sentence(STATUS_SITE_RESTORED),
               (unsigned long long) incarnation);
    event_attr_number(&event, "incarnation", incarnation);
    event_write(tx, &event);
    char last[NAME_BYTES_MAX + 1] = "";
    while (tx->err == OK && package_next(tx, slice_of(last), &package)) {
        memcpy(last, package.id, sizeof last);
        if (!package.removing && package.epoch > 0) {
            begin_again(tx, &package);
        }
    }
    tx_done(tx, true, NULL);
}
