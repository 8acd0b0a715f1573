/* names.c - the distribution points that a command names; see names.h. */
#include "actors/database/names.h"

#include <stdlib.h>
#include <string.h>

static void *
longer(tx_t *tx, void *list, uint32_t count, uint32_t *room, size_t bytes)
{
    if (count < *room) {
        return list;
    }
    uint32_t more = *room == 0 ? 16 : 2 * *room;
    void *grown = realloc(list, more * bytes);
    if (grown == NULL) {
        tx->err = tx->err == OK ? ERR_NO_MEMORY : tx->err;
        return list;
    }
    *room = more;
    return grown;
}

static void
list_add(tx_t *tx, point_list_t *list, int64_t row)
{
    list->row = longer(tx, list->row, list->count, &list->room, sizeof *list->row);
    if (list->count < list->room) {
        list->row[list->count++] = row;
    }
}

void
point_list_free(point_list_t *list)
{
    free(list->row);
    *list = (point_list_t){NULL, 0, 0};
}

static int
compare_rows(const void *a, const void *b)
{
    int64_t left = *(const int64_t *) a;
    int64_t right = *(const int64_t *) b;
    return left < right ? -1 : left > right;
}

/* Each once, in the order in which the points were added. */
static void
list_sort(point_list_t *list)
{
    uint32_t kept = 0;
    if (list->count > 1) {
        qsort(list->row, list->count, sizeof *list->row, compare_rows);
    }
    for (uint32_t i = 0; i < list->count; i++) {
        if (kept == 0 || list->row[kept - 1] != list->row[i]) {
            list->row[kept++] = list->row[i];
        }
    }
    list->count = kept;
}

static void
add_group(tx_t *tx, const char *verb, slice_t name, point_list_t *list)
{
    int64_t group = NUMBER(tx, SQL_GROUP_BY_NAME, 0, v_text(name));
    if (group == 0 && tx->err == OK) {
        tx_refuse(tx, ERR_NOT_FOUND, "despool group list shows the groups",
                  "cannot %s '@%.*s': no group of this name is known", verb, SHOWN(name));
        return;
    }
    int64_t point = 0;
    while ((point = NUMBER(tx, SQL_MEMBER_NEXT, 0, v_int(group), v_int(point))) != 0) {
        list_add(tx, list, point);
    }
}

static void
add_name(tx_t *tx, const char *verb, slice_t name, point_list_t *list)
{
    point_t point;
    if (name.size > 0 && name.data[0] == '@') {
        add_group(tx, verb, (slice_t){name.data + 1, name.size - 1}, list);
    } else if (point_need(tx, verb, name, &point)) {
        list_add(tx, list, point.row);
    }
}

/* Nobody can be meant by a group whose points were removed, and by all while there are none. */
static bool
list_end(tx_t *tx, const char *verb, slice_t named, const char *reason, const char *hint,
         point_list_t *list)
{
    list_sort(list);
    if (tx_ok(tx) && list->count == 0) {
        tx_refuse(tx, ERR_NO_TARGETS, hint, "cannot %s '%.*s': %s", verb, SHOWN(named), reason);
    }
    return tx_ok(tx);
}

bool
names_resolve(tx_t *tx, const char *verb, const void *record, texts_t names, point_list_t *ret_list)
{
    slice_t name = {"", 0};
    for (uint32_t i = 0; i < names.count && tx_ok(tx); i++) {
        name = record_slice(record, *ROW(record, names, i, text_t));
        add_name(tx, verb, name, ret_list);
    }
    return list_end(tx, verb, name, "it has no distribution point any more",
                    "despool group list shows who is in a group", ret_list);
}

bool
names_all_points(tx_t *tx, point_list_t *ret_list)
{
    point_t point = {.row = 0};
    while (tx_ok(tx) && point_next(tx, slice_of(point.name), &point)) {
        if (!point.removing) {
            list_add(tx, ret_list, point.row);
        }
    }
    return list_end(tx, "take", slice_of("all"), "there is no distribution point yet",
                    "despool dp add NAME ROOT adds one", ret_list);
}

void
changed_add_tried(tx_t *tx, changed_t *changed, const char *name, bool absent)
{
    changed->point =
        longer(tx, changed->point, changed->count, &changed->room, sizeof *changed->point);
    if (changed->count < changed->room) {
        changed_point_t *point = &changed->point[changed->count++];
        memcpy(point->name, name, sizeof point->name);
        point->absent = absent;
    }
}

void
changed_add(tx_t *tx, changed_t *changed, const char *name)
{
    changed_add_tried(tx, changed, name, false);
}

static uint32_t
count_of(const changed_t *changed, bool absent)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < changed->count && count < POINTS_PER_COMMAND_MAX; i++) {
        count += !absent || changed->point[i].absent;
    }
    return count;
}

/* Of all, or of those that are absent. */
static texts_t
list_names(tx_t *tx, const changed_t *changed, bool absent)
{
    texts_t names = draft_rows(&tx->answer, count_of(changed, absent), sizeof(text_t));
    for (uint32_t i = 0, at = 0; i < changed->count && at < names.count; i++) {
        if (absent && !changed->point[i].absent) {
            continue;
        }
        text_t *name = draft_row(&tx->answer, names, at++, sizeof *name);
        if (name != NULL) {
            *name = tx_text(tx, slice_of(changed->point[i].name));
        }
    }
    return names;
}

void
changed_answer(tx_t *tx, changed_t *changed)
{
    if (tx_ok(tx)) {
        targets_changed_t *answer = ANSWER(tx, targets_changed);
        answer->changed = changed->count > 0;
        answer->targets = list_names(tx, changed, false);
        answer->absent = list_names(tx, changed, true);
    }
    free(changed->point);
    *changed = (changed_t){NULL, 0, 0};
}
