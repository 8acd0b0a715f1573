/* ahead.c - a point that knows a later version than the site: the site goes on above it.
 *
 * That is so after a restore from a backup, by whatever means. The point answers `superseded` and
 * tells the highest epoch that it knows; the package's present version gets the epoch after that
 * one, for all its targets. What only the lost site knew is lost, and nobody has to go to a point.
 * A point may say so once in each incarnation of the site, and not more than EPOCHS_AHEAD_MAX
 * ahead: one that lies cannot use up the epochs, nor keep the others busy.
 */
#include "actors/database/handlers.h"
#include "actors/database/rows.h"

static void
tell(tx_t *tx, const target_t *target, const package_t *package, uint64_t holds)
{
    event_draft_t event;
    event_of_package(&event, package, STATUS_POINT_AHEAD);
    event.dp = slice_of(target->dp);
    event_text(&event,
               "%s on %s: the point knows version %llu, which this site did not give; the site's "
               "own is version %llu from now on",
               package->id, target->dp, (unsigned long long) holds,
               (unsigned long long) package->epoch);
    event_attr_number(&event, "holds", holds);
    event_write(tx, &event);
}

bool
target_is_ahead(tx_t *tx, const target_t *target, const target_outcome_t *m)
{
    package_t package;
    bool says = m->err == ERR_SUPERSEDED && action_places(m->action) && m->reached &&
                m->epoch == target->wanted && m->holds >= target->wanted;
    if (!says || !package_by_row(tx, target->package, &package) ||
        package.epoch != target->wanted || m->holds < package.next_epoch - 1 ||
        m->holds - package.epoch > EPOCHS_AHEAD_MAX) {
        return false;
    }
    return RUN(tx, SQL_TARGET_LEARN, v_int(target->row), v_u64(site_incarnation(tx))) > 0;
}

void
target_go_above(tx_t *tx, const target_t *target, uint64_t holds)
{
    package_t package;
    if (package_by_row(tx, target->package, &package)) {
        package.epoch = holds + 1;
        package.unique_bytes = package.stored_bytes = 0;
        package_keep_version(tx, &package);
        tell(tx, target, &package, holds);
        package_move_targets(tx, &package);
    }
}
