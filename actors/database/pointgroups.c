/* pointgroups.c - groups of distribution points, used as @NAME where points are named. */
#include "actors/database/handlers.h"
#include "actors/database/names.h"

static void
note_group(tx_t *tx, slice_t name, const char *what)
{
    event_draft_t event;
    event_begin(&event, "distribution_manager", STATUS_GROUP_CHANGED);
    event_text(&event, "group %.*s was %s", SHOWN(name), what);
    event_attr(&event, "group", name);
    event_write(tx, &event);
}

static bool
has_members(tx_t *tx, int64_t group, const point_list_t *points)
{
    bool all = NUMBER(tx, SQL_MEMBER_COUNT, 0, v_int(group)) == points->count;
    for (uint32_t i = 0; all && i < points->count; i++) {
        all = NUMBER(tx, SQL_MEMBER_HAS, 0, v_int(group), v_int(points->row[i])) == 1;
    }
    return all;
}

static void
add_group(tx_t *tx, slice_t name, const point_list_t *points)
{
    int64_t group = NUMBER(tx, SQL_GROUP_BY_NAME, 0, v_text(name));
    if (group != 0) {
        if (has_members(tx, group, points)) {
            tx_done(tx, false, NULL);
        } else {
            tx_refuse(tx, ERR_EXISTS, "remove the group first, or choose another name",
                      "cannot add group '%.*s': it exists with other members", SHOWN(name));
        }
        return;
    }
    RUN(tx, SQL_GROUP_ADD, v_text(name));
    group = NUMBER(tx, SQL_GROUP_BY_NAME, 0, v_text(name));
    for (uint32_t i = 0; i < points->count && tx->err == OK; i++) {
        RUN(tx, SQL_MEMBER_ADD, v_int(group), v_int(points->row[i]));
    }
    note_group(tx, name, "added");
    tx_done(tx, true, NULL);
}

void
handle_group_add(tx_t *tx, const group_add_t *m)
{
    slice_t name = record_slice(m, m->name);
    point_list_t points = {NULL, 0, 0};
    if (!name_is_valid(name)) {
        tx_refuse(tx, ERR_BAD_NAME, NULL, "cannot add group '%.*s': %s", SHOWN(name),
                  err_sentence(ERR_BAD_NAME));
    } else if (names_resolve(tx, "take into the group", m, m->dps, &points)) {
        add_group(tx, name, &points);
    }
    point_list_free(&points);
}

void
handle_group_remove(tx_t *tx, const group_remove_t *m)
{
    slice_t name = record_slice(m, m->name);
    int64_t group = NUMBER(tx, SQL_GROUP_BY_NAME, 0, v_text(name));
    if (group == 0) {
        tx_refuse(tx, ERR_NOT_FOUND, "despool group list shows the groups",
                  "cannot remove group '%.*s': no group of this name is known", SHOWN(name));
        return;
    }
    RUN(tx, SQL_GROUP_DELETE, v_int(group));
    note_group(tx, name, "forgotten");
    tx_done(tx, true, NULL);
}

static texts_t
view_members(tx_t *tx, int64_t group)
{
    uint32_t i = 0;
    int64_t count = NUMBER(tx, SQL_MEMBER_COUNT, 0, v_int(group));
    texts_t names = draft_rows(&tx->answer, (uint32_t) count, sizeof(text_t));
    cursor_t row = OPEN(tx, SQL_MEMBERS, v_int(group));
    while (cursor_next(&row)) {
        text_t *name = draft_row(&tx->answer, names, i++, sizeof *name);
        if (name != NULL) {
            *name = tx_cursor_text(tx, &row, 0);
        }
    }
    return names;
}

void
handle_group_list(tx_t *tx, __attribute__((unused)) const group_list_t *m)
{
    slice_t after = {"", 0};
    int64_t count = tx_number(tx, SQL_ALL_GROUPS_COUNT, 0, NULL, 0);
    groups_t *answer = ANSWER(tx, groups);
    answer->groups = draft_rows(&tx->answer, (uint32_t) count, sizeof(group_row_t));
    for (uint32_t i = 0; i < answer->groups.count; i++) {
        group_row_t *row = draft_row(&tx->answer, answer->groups, i, sizeof *row);
        cursor_t next = OPEN(tx, SQL_GROUP_NEXT, v_text(after));
        if (row == NULL || !cursor_next(&next)) {
            cursor_close(&next);
            break;
        }
        int64_t group = cursor_int(&next, 0);
        row->name = tx_cursor_text(tx, &next, 1);
        cursor_close(&next);
        after = record_slice(tx->answer.base, row->name);
        row->dps = view_members(tx, group);
    }
}
