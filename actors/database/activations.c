/* activations.c - how the on-activate programs of agents ended.
 *
 * The agent says it until it hears that it is durable here, and again after a crash: the same again
 * changes nothing. What it says of a version that the target has not is kept and not shown: the
 * outcome that says so may be behind it. */
#include "actors/database/handlers.h"
#include "actors/database/views.h"

typedef struct activation {
    uint64_t epoch;
    uint32_t attempt, result, code;
    int64_t at;
    uint32_t text_size;
    char text[TEXT_BYTES_MAX];
} activation_t;

static bool
activation_of(tx_t *tx, int64_t target, activation_t *ret)
{
    cursor_t row = OPEN(tx, SQL_ACTIVATION_OF, v_int(target));
    bool there = cursor_next(&row);
    if (there) {
        *ret = (activation_t){.epoch = cursor_u64(&row, 0),
                              .attempt = cursor_u32(&row, 1),
                              .result = cursor_u32(&row, 2),
                              .code = cursor_u32(&row, 3),
                              .at = cursor_int(&row, 4)};
        ret->text_size = cursor_text(&row, 5, ret->text, sizeof ret->text);
    }
    cursor_close(&row);
    return there;
}

rows_t
view_activation(tx_t *tx, const target_t *target)
{
    activation_t kept;
    bool shown = point_is_agent(SLICE_OF(target, dp_root)) &&
                 activation_of(tx, target->row, &kept) && kept.epoch == target->have;
    rows_t maybe = draft_rows(&tx->answer, shown ? 1 : 0, sizeof(activation_row_t));
    activation_row_t *row = draft_row(&tx->answer, maybe, 0, sizeof *row);
    if (row != NULL) {
        *row = (activation_row_t){.result = kept.result,
                                  .code = kept.code,
                                  .attempt = kept.attempt,
                                  .at = kept.at,
                                  .text = tx_text(tx, SLICE_OF(&kept, text))};
    }
    return maybe;
}

static void
tell(tx_t *tx, const activation_note_t *m, const agent_activated_t *said)
{
    event_draft_t event;
    bool well = said->result == ACTIVATION_RESULT_OK;
    slice_t text = record_slice(m, said->text);
    event_begin(&event, "agent_gateway", well ? STATUS_ACTIVATED : STATUS_ACTIVATION_FAILED);
    event.package = record_slice(m, said->package);
    event.dp = record_slice(m, m->dp);
    event.epoch = said->epoch;
    event_text(&event, "on-activate of %.*s at %.*s: %s %u%s%.*s", SHOWN(event.package),
               SHOWN(event.dp), activation_result_words.word[said->result], said->code,
               text.size > 0 && !well ? ": " : "", well ? 0 : (int) text.size, text.data);
    event_attr(&event, "result", slice_of(activation_result_words.word[said->result]));
    event_attr_number(&event, "code", said->code);
    event_attr_number(&event, "attempt", said->attempt);
    event_write(tx, &event);
}

static bool
is_news(tx_t *tx, const target_t *target, const agent_activated_t *said)
{
    activation_t kept;
    bool there = activation_of(tx, target->row, &kept);
    return !there || said->epoch > kept.epoch ||
           (said->epoch == kept.epoch &&
            (said->attempt != kept.attempt || said->result != kept.result ||
             said->code != kept.code || said->at != kept.at));
}

static bool
find_target(tx_t *tx, const activation_note_t *m, const agent_activated_t *said, target_t *ret)
{
    package_t package;
    point_t point;
    return package_by_id(tx, record_slice(m, said->package), &package) &&
           memcmp(&package.incarnation, &said->package_incarnation, sizeof(id128_t)) == 0 &&
           point_by_name(tx, record_slice(m, m->dp), &point) &&
           memcmp(&point.incarnation, &m->dp_incarnation, sizeof(id128_t)) == 0 &&
           target_of(tx, package.row, point.row, ret);
}

void
handle_activation_note(tx_t *tx, const activation_note_t *m)
{
    const agent_activated_t *said = ROW(m, m->said, 0, agent_activated_t);
    target_t target;
    if (find_target(tx, m, said, &target) && is_news(tx, &target, said)) {
        RUN(tx, SQL_ACTIVATION_SET, v_int(target.row), v_u64(said->epoch), v_int(said->attempt),
            v_int(said->result), v_int(said->code), v_int(said->at),
            v_text(record_slice(m, said->text)));
        tell(tx, m, said);
    }
    activation_noted_t *noted = ANSWER(tx, activation_noted);
    noted->dp = tx_text(tx, record_slice(m, m->dp));
    noted->package = tx_text(tx, record_slice(m, said->package));
    noted->package_incarnation = said->package_incarnation;
    noted->epoch = said->epoch;
    noted->attempt = said->attempt;
}
