/* group.c - many messages, one transaction; see group.h. */
#include "actors/database/group.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "actors/database/events.h"
#include "actors/database/item.h"
#include "actors/database/keys.h"
#include "actors/database/rows.h"

/* ---- the table of handlers ---- */

#define HANDLER_THUNK(message, how)                                                                \
    static void message##_thunk(tx_t *tx, const void *m)                                           \
    {                                                                                              \
        handle_##message(tx, (const message##_t *) m);                                             \
    }
HANDLED(HANDLER_THUNK)

static const handler_t handlers[MSG_COUNT] = {
#define HANDLER_ROW(message, how) [MSG_##message] = {&message##_type, (how), message##_thunk},
    HANDLED(HANDLER_ROW)
#undef HANDLER_ROW
};

const handler_t *
handler_of(uint32_t number)
{
    return number < MSG_COUNT && handlers[number].type != NULL ? &handlers[number] : NULL;
}

typedef struct group {
    connection_t *db;
    const group_order_t *order;
    draft_t *out;
    tx_t tx;
    bool restricted; /* only what is vital may change anything */
    bool writes;     /* some message may */
    bool careful;    /* each message in a savepoint of its own */
    bool again;      /* one has to be taken back that was in none: all of them, carefully */
} group_t;

/* ---- the answer of one message ---- */

bytes_t
group_bytes(draft_t *draft, const void *record, uint32_t size)
{
    rows_t words = draft_rows(draft, (size + 7) / 8, 8);
    if (words.count == 0) {
        return (bytes_t){0, 0};
    }
    memcpy(draft->base + words.at, record, size);
    return (bytes_t){words.at, size};
}

/* What the effects listed so far will take in the answers, and a little for the next refusal. */
#define STOPPED_BYTES (sizeof(stopped_row_t) + 2 * NAME_BYTES_MAX)
#define SPARE_BYTES   4096u

static bool
has_room(const group_t *group)
{
    const draft_t *out = group->out;
    uint64_t need = (uint64_t) group->tx.answer.size + 8 + SPARE_BYTES +
                    (uint64_t) group->tx.stopped_count * STOPPED_BYTES;
    return need <= out->capacity - out->size;
}

static void
put_answer(group_t *group, uint32_t index)
{
    group_answers_t *answers = (group_answers_t *) group->out->base;
    tx_t *tx = &group->tx;
    group_answer_t *answer =
        draft_row(group->out, answers->answers, answers->done, sizeof(group_answer_t));
    if (answer != NULL) {
        answer->index = index;
        answer->number = tx->answer_type->number;
        answer->record = group_bytes(group->out, tx->answer.base, tx->answer.size);
        answers->done++;
    }
}

/* As the command line says it: its word, and what it is about. */
static void
refuse_error(group_t *group, const char *word, slice_t subject, err_t err)
{
    uint64_t have = err == ERR_SITE_FULL ? connection_free_bytes(group->db) : 0;
    char figures[80] = "";
    if (err == ERR_SITE_FULL) {
        snprintf(figures, sizeof figures, ", need %u bytes, have %" PRIu64 " bytes",
                 SITE_RESERVE_BYTES, have);
    }
    tx_refuse(&group->tx, err, NULL, "cannot run '%s%s%.*s': %s%s", word,
              subject.size > 0 ? " " : "", SHOWN(subject), err_sentence(err), figures);
    if (err == ERR_SITE_FULL) {
        refusal_t *refusal = group->tx.answer_fixed;
        refusal->need = SITE_RESERVE_BYTES;
        refusal->have = have;
    }
}

/* ---- one message ---- */

/* What an accepted message adds to its own effects. */
static void
accept(tx_t *tx, const item_t *item)
{
    if ((item->handler->how & HOW_COMMAND) && !item->head.dry_run) {
        event_command(tx, item_word(item), item_subject(item));
    }
    packages_announce(tx);
    if (item_has_key(item)) {
        key_store(tx, record_slice(item->record, item->head.key), item_command(item));
    }
}

static void
handle(group_t *group, const item_t *item)
{
    tx_t *tx = &group->tx;
    slice_t key = record_slice(item->record, item->head.key);
    tx->principal = record_slice(item->record, item->head.principal);
    if (item_has_key(item) && key_answer(tx, key, item_command(item))) {
        return;
    }
    item->handler->run(tx, item->record);
    if (tx->answer.full) {
        tx->err = tx->err == OK ? ERR_TOO_LARGE : tx->err;
    }
    if (tx->err == OK && (item->handler->how & HOW_WRITES) && (!tx->refused || tx->keep)) {
        tx->refused ? packages_announce(tx) : accept(tx, item);
    }
}

/* What a message leaves with the transaction, to be taken back when it is not done. */
typedef struct mark {
    uint32_t stopped_count;
    int64_t last_event;
    bool targets_changed, agents_changed;
    uint32_t agent_count;
} mark_t;

static void
undo(group_t *group, mark_t mark, bool saved)
{
    tx_t *tx = &group->tx;
    err_t err = tx->err;
    tx->err = OK;
    if (err != OK) {
        for (uint32_t i = 0; i < SQL_COUNT; i++) {
            sqlite3_reset(group->db->statement[i]);
        }
    }
    if (saved && !sqlite3_get_autocommit(group->db->sql)) {
        tx_run(tx, SQL_ROLLBACK_TO, NULL, 0);
    }
    tx->err = err != OK ? err : tx->err;
    tx->stopped_count = mark.stopped_count;
    tx->last_event = mark.last_event;
    tx->targets_changed = mark.targets_changed;
    tx->agents_changed = mark.agents_changed;
    tx->agent_count = mark.agent_count;
    tx->watched_count = 0;
    tx_know_nothing(tx);
}

static bool
ends_group(err_t err)
{
    return err == ERR_SITE_FULL || err == ERR_IO || err == ERR_DAMAGED;
}

/* Whether it is not done, or was only to be looked at. */
static bool
is_undone(const group_t *group, const item_t *item, bool fits)
{
    const tx_t *tx = &group->tx;
    return tx->err != OK || !fits || item->head.dry_run || (tx->refused && !tx->keep);
}

static bool
answer_fits(group_t *group)
{
    tx_t *tx = &group->tx;
    bool fits = has_room(group);
    bool alone = ((group_answers_t *) group->out->base)->done == 0;
    if (tx->err == OK && !fits && alone) {
        tx->err = ERR_TOO_LARGE;
    }
    return fits;
}

/* Runs it; false: its answer does not fit any more, or the group is to be run again, and it was not
 * done.
 *
 * In a savepoint SQLite keeps a copy of every page before it changes it, anew for each message:
 * 3 to 5 us of the 43 to 52 that a command took. What is refused has hardly ever changed anything,
 * so a message has a savepoint only where it surely is taken back, or one of its group was in the
 * run before. */
static bool
run_item(group_t *group, const item_t *item)
{
    tx_t *tx = &group->tx;
    mark_t mark = {tx->stopped_count, tx->last_event, tx->targets_changed, tx->agents_changed,
                   tx->agent_count};
    bool saved = group->careful || item->head.dry_run || !group->writes;
    int64_t changes = sqlite3_total_changes64(group->db->sql);
    if (saved) {
        tx_run(tx, SQL_SAVEPOINT, NULL, 0);
    }
    handle(group, item);
    bool fits = answer_fits(group);
    bool undone = is_undone(group, item, fits);
    if (undone) {
        undo(group, mark, saved);
    }
    if (ends_group(tx->err) || sqlite3_get_autocommit(group->db->sql)) {
        return true;
    }
    group->again = undone && !saved && sqlite3_total_changes64(group->db->sql) != changes;
    if (group->again) {
        return false;
    }
    err_t err = tx->err;
    tx->err = OK;
    if (saved) {
        tx_run(tx, SQL_RELEASE, NULL, 0);
    }
    if (err != OK) {
        refuse_error(group, item_word(item), item_subject(item), err);
        return true;
    }
    return fits;
}

/* False: the group ends before this message. */
static bool
run_message(group_t *group, uint32_t index)
{
    tx_t *tx = &group->tx;
    item_t item;
    item_read(group->order, index, &item);
    item_note(&item);
    tx->number = item.number;
    tx->refused = false;
    tx->keep = false;
    draft_over(&tx->answer, group->db->scratch, MESSAGE_BYTES_MAX - SPARE_BYTES);
    bool fits = true;
    if (item.handler == NULL) {
        tx_refuse(tx, ERR_BAD_REQUEST, NULL, "cannot read message %u of a group", index);
    } else if (group->restricted && (item.handler->how & HOW_WRITES) &&
               !(item.handler->how & HOW_VITAL)) {
        refuse_error(group, item_word(&item), item_subject(&item), ERR_SITE_FULL);
    } else {
        fits = run_item(group, &item);
    }
    if (fits && !ends_group(tx->err)) {
        put_answer(group, index);
    }
    return fits;
}

/* ---- the group ---- */

/* Of all messages. */
static unsigned
how_of(const group_order_t *order)
{
    unsigned how = HOW_READS;
    for (uint32_t i = 0; i < order->messages.count; i++) {
        const group_message_t *message = ROW(order, order->messages, i, group_message_t);
        const handler_t *handler = handler_of(message->number);
        how |= handler == NULL ? HOW_READS : handler->how;
    }
    return how;
}

static void
begin_answers(group_t *group)
{
    uint32_t count = group->order->messages.count;
    group_answers_t *answers = draft_begin(group->out, &group_answers_type);
    answers->answers = draft_rows(group->out, count, sizeof(group_answer_t));
}

static void
roll_back(group_t *group)
{
    if (!sqlite3_get_autocommit(group->db->sql)) {
        tx_t *tx = &group->tx;
        err_t err = tx->err;
        tx->err = OK;
        tx_run(tx, SQL_ROLLBACK, NULL, 0);
        tx->err = err;
    }
}

static void
commit(group_t *group)
{
    tx_t *tx = &group->tx;
    if (tx->err == OK && tx->last_event != 0) {
        events_trim(tx);
        keys_expire(tx);
    }
    if (tx->err == OK) {
        tx_run(tx, SQL_COMMIT, NULL, 0);
    }
    if (tx->err == OK) { /* done is done, also for a job that is cancelled now */
        (void) world_point(group->db->world, "database.committed");
        mark_set(group->db, (uint64_t) tx->last_event);
    }
    if (tx->err != OK) {
        roll_back(group);
    }
}

static err_t
run_once(group_t *group)
{
    tx_t *tx = &group->tx;
    tx_release(tx);
    *tx = (tx_t){.db = group->db, .now_ns = world_wall_ns(group->db->world)};
    begin_answers(group);
    if (group->writes) {
        tx_run(tx, SQL_BEGIN, NULL, 0);
    }
    bool more = true;
    for (uint32_t i = 0; more && tx->err == OK && i < group->order->messages.count; i++) {
        more = run_message(group, i);
    }
    if (group->again) {
        roll_back(group);
        tx->err = OK;
    } else if (group->writes) {
        commit(group);
    }
    return tx->err;
}

static err_t
run_all(group_t *group)
{
    err_t err = run_once(group);
    if (group->again) {
        group->again = false;
        group->careful = true;
        err = run_once(group);
    }
    return err;
}

static void
refuse_all(group_t *group, err_t err)
{
    tx_t *tx = &group->tx;
    tx_release(tx);
    *tx = (tx_t){.db = group->db};
    begin_answers(group);
    ((group_answers_t *) group->out->base)->err = err;
    draft_over(&tx->answer, group->db->scratch, MESSAGE_BYTES_MAX - SPARE_BYTES);
    for (uint32_t i = 0; i < group->order->messages.count; i++) {
        item_t item;
        item_read(group->order, i, &item);
        bool read = item.handler != NULL;
        refuse_error(group, read ? item_word(&item) : "a message of the group",
                     read ? item_subject(&item) : slice_of(""), err);
        put_answer(group, i);
    }
}

static void
put_effects(group_t *group)
{
    draft_t *out = group->out;
    const tx_t *tx = &group->tx;
    group_answers_t *answers = (group_answers_t *) out->base;
    answers->answers.count = answers->done;
    answers->answers.at = answers->done == 0 ? 0 : answers->answers.at;
    answers->last_event = (uint64_t) tx->last_event;
    answers->targets_changed = tx->targets_changed;
    answers->agents_changed = tx->agents_changed;
    answers->agents =
        draft_rows(out, tx->agents_changed ? 0 : tx->agent_count, sizeof(agent_ref_t));
    for (uint32_t i = 0; i < answers->agents.count; i++) {
        agent_ref_t *row = draft_row(out, answers->agents, i, sizeof *row);
        if (row != NULL) {
            row->row = tx->agent[i];
        }
    }
    answers->stopped = draft_rows(out, tx->stopped_count, sizeof(stopped_row_t));
    for (uint32_t i = 0; i < answers->stopped.count; i++) {
        stopped_row_t *row = draft_row(out, answers->stopped, i, sizeof *row);
        if (row != NULL) {
            row->target = tx->stopped[i].target;
            row->revision = tx->stopped[i].revision;
            row->dp = draft_text(out, slice_of(tx->stopped[i].dp));
            row->package = draft_text(out, slice_of(tx->stopped[i].package));
        }
    }
}

void
group_run(connection_t *connection, const group_order_t *order, draft_t *ret_answers)
{
    group_t group = {.db = connection, .order = order, .out = ret_answers};
    unsigned how = how_of(order);
    group.writes = (how & HOW_WRITES) != 0;
    group.careful = (how & HOW_COUNTS) != 0;
    if (connection->full && group.writes) {
        connection->full = !reserve_make(connection);
    }
    group.restricted = connection->full;
    err_t err = run_all(&group);
    if (err == ERR_SITE_FULL && !group.restricted) {
        group.restricted = true;
        err = run_all(&group);
    }
    if (err == ERR_SITE_FULL && !connection->full) {
        reserve_release(connection);
        err = run_all(&group);
    }
    if (err != OK) {
        refuse_all(&group, err);
    }
    put_effects(&group);
    tx_release(&group.tx);
}
