/* place_names.c - names that a root would take for one another.
 *
 * Bytes    none are written: a name of ours is looked up in another case. Where both are the same
 *          directory, two names of a version that differ only in case would be one, and the
 *          second would be refused, or be written into the first.
 */
#include <stdlib.h>
#include <string.h>
#include "actors/content/descent.h"
#include "actors/content/fail.h"
#include "actors/content/fold.h"
#include "actors/content/place_inner.h"
#include "actors/content/walk.h"

bool
place_folds(world_t *world, int dir, const char *name)
{
    world_stat_t ours, other;
    char capitals[PLACE_NAME_BYTES];
    size_t size = strlen(name) + 1;
    for (size_t i = 0; i < size; i++) {
        bool small = name[i] >= 'a' && name[i] <= 'z';
        capitals[i] = small ? (char) (name[i] - 'a' + 'A') : name[i];
    }
    return world_stat_at(world, dir, name, &ours) == 0 &&
           world_stat_at(world, dir, capitals, &other) == 0 && ours.device == other.device &&
           ours.inode == other.inode;
}

/* Of the directory that the way leads to, whose entries come next. */
static err_t
check_directory(walk_t *walk, descent_t *way, fault_t *fault)
{
    const void *node = NULL;
    fold_clashes_t clashes = {0};
    TRY(walk_node(walk, &node, fault));
    TRY(fold_count(node, way, &clashes, fault));
    return clashes.count == 0 ? OK : RAISE(fault, ERR_NAMES_CLASH, 0, "place", clashes.first);
}

static err_t
check_all(walk_t *walk, descent_t *way, fault_t *fault)
{
    walk_event_t event = {.step = WALK_ENTER};
    while (event.step != WALK_END) {
        if (event.step == WALK_ENTER) {
            TRY(check_directory(walk, way, fault));
        }
        TRY(walk_next(walk, &event, fault));
        if (event.step == WALK_ENTER) {
            TRY(descent_pretend(way, event.entry.name, fault));
        } else if (event.step == WALK_LEAVE) {
            TRY(descent_leave(way, fault));
        }
    }
    return OK;
}

err_t
place_check_names(store_t *store, const point_t *point, int dir, const char *name,
                  const digest_t *root, fault_t *fault)
{
    walk_t *walk = NULL;
    descent_t way;
    if (!place_folds(point->world, dir, name)) {
        return OK;
    }
    TRY(walk_new(store, root, &walk, fault));
    err_t err = descent_init(&way, point->world, DESCENT_NOWHERE, PLACE_HOW, ERR_IO, fault);
    if (err == OK) {
        err = check_all(walk, &way, fault);
        descent_release(&way);
    }
    walk_destroy(&walk);
    return err;
}
