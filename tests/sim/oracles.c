/* oracles.c - what must hold of every message between the parts of a site, looked at as it passes.
 *
 *   D02  an instruction names at least one target, and a retry of one names only points that had
 *        not answered well (invariants 3 and 4)
 *   D15  the attempt of a target never goes back within one version, also over a power cut, and
 *        rises by one at a time; nothing is tried without end, and after a try that failed and
 *        counts none begins without a pause, unless the point came back in between
 *   D16  a retry is for the same version, root and bytes as the instruction it repeats
 *   a version that is staged for a barrier is switched to by no point that was told to stage it
 *        before all that were have promised it
 *   inv8 one point has at most one work in hand
 *   inv11 status messages are published in the order of their sequence numbers, without a gap */
#include "tests/sim/stage_inside.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "tests/sim/stage_poison.h"

#define PAUSE_NS         INT64_C(200000000) /* between two tries that count, at least */
#define INSTRUCTIONS_MAX 400u /* for one target in a run; a healthy one has some dozens, */
#define INSTRUCTED_EACH_NS                                                                         \
    (5 * (int64_t) 1000000000) /* and one that waits for space, say, goes on */

void
stage_note_fault(stage_t *stage, const char *format, ...)
{
    va_list list;

    if (stage->fault[0]) {
        return;
    }
    va_start(list, format);
    vsnprintf(stage->fault, sizeof stage->fault, format, list);
    va_end(list);
    story_note(stage, stage->fault);
    stage->story_over = true;
}

const char *
stage_fault(const stage_t *stage)
{
    return stage->fault[0] ? stage->fault : stage->sim ? sim_fault(stage->sim) : NULL;
}

static seen_target_t *
seen_of(stage_t *stage, slice_t package, slice_t point)
{
    for (uint32_t i = 0; i < stage->seen_count; i++) {
        if (slice_equal(package, slice_of(stage->seen[i].package)) &&
            slice_equal(point, slice_of(stage->seen[i].point))) {
            return &stage->seen[i];
        }
    }
    assert(stage->seen_count < sizeof stage->seen / sizeof stage->seen[0]);
    seen_target_t *seen = &stage->seen[stage->seen_count++];
    bool copied = slice_copy(package, seen->package, sizeof seen->package) &&
                  slice_copy(point, seen->point, sizeof seen->point);
    assert(copied);
    return seen;
}

/* Two instructions of one number are one instruction, but for attempt, due time and cause. */
static void
see_repeat(stage_t *stage, seen_target_t *seen, const instruction_t *m)
{
    bool same = seen->epoch == m->epoch && seen->bytes == m->bytes &&
                memcmp(&seen->root, &m->root, sizeof m->root) == 0;

    if (seen->number == m->number && !same) {
        stage_note_fault(stage, "D16: a retry for '%s' at '%s' is not the instruction it repeats",
                         seen->package, seen->point);
    }
    if (m->action != ACTION_INSTALL) {
        return;
    }
    if (seen->epoch == m->epoch && m->attempt < seen->attempt) {
        stage_note_fault(stage, "D15: the attempt of '%s' at '%s' went back from %u to %u",
                         seen->package, seen->point, seen->attempt, m->attempt);
    }
    if (seen->epoch == m->epoch && seen->attempt > 0 && m->attempt > seen->attempt + 1) {
        stage_note_fault(stage, "D15: the attempt of '%s' at '%s' went from %u to %u",
                         seen->package, seen->point, seen->attempt, m->attempt);
    }
    seen->attempt = m->attempt;
}

static void
see_instruction(stage_t *stage, const instruction_t *m)
{
    slice_t package = record_slice(m, m->package);

    if (m->targets.count == 0) {
        stage_note_fault(stage, "D02: an instruction for '%.*s' names no target",
                         (int) package.size, package.data);
    }
    for (uint32_t i = 0; i < m->targets.count; i++) {
        const target_ref_t *target = ROW(m, m->targets, i, target_ref_t);
        seen_target_t *seen = seen_of(stage, package, record_slice(m, target->dp));
        see_repeat(stage, seen, m);
        uint64_t waits = (uint64_t) (sim_now_ns(stage->sim) / INSTRUCTED_EACH_NS);
        if (++seen->instructions > INSTRUCTIONS_MAX + waits) {
            stage_note_fault(stage, "D15: '%s' at '%s' is tried without end", seen->package,
                             seen->point);
        }
        seen->staged_epoch = m->action == ACTION_STAGE ? m->epoch : seen->staged_epoch;
        seen->epoch = m->epoch;
        seen->number = m->number;
        seen->root = m->root;
        seen->bytes = m->bytes;
    }
}

/* An instruction may be said twice, and a point be looked at, as often as one likes: a try is what
 * has begun, and bytes are written. */
static void
see_try(stage_t *stage, const seen_target_t *seen, const work_t *m)
{
    if (m->action == ACTION_INSTALL && seen->failed_ns > 0 && seen->failed_epoch == m->epoch &&
        sim_now_ns(stage->sim) - seen->failed_ns < PAUSE_NS) {
        stage_note_fault(stage, "D15: '%s' at '%s' failed and is tried again without a pause",
                         seen->package, seen->point);
    }
}

static void
see_switch(stage_t *stage, const work_t *m)
{
    slice_t package = record_slice(m, m->package), point = record_slice(m, m->dp);
    bool staged = seen_of(stage, package, point)->staged_epoch == m->epoch;

    for (uint32_t i = 0; staged && m->action == ACTION_INSTALL && i < stage->seen_count; i++) {
        const seen_target_t *seen = &stage->seen[i];
        if (slice_equal(package, slice_of(seen->package)) && seen->staged_epoch == m->epoch &&
            seen->promised_epoch != m->epoch) {
            stage_note_fault(stage, "'%.*s' is to switch to version %lu, and '%s' has not promised",
                             (int) point.size, point.data, (unsigned long) m->epoch, seen->point);
        }
    }
}

static void
see_work(stage_t *stage, const work_t *m)
{
    slice_t point = record_slice(m, m->dp);

    see_switch(stage, m);

    for (uint32_t i = 0; i < stage->seen_count; i++) {
        if (stage->seen[i].in_work && slice_equal(point, slice_of(stage->seen[i].point))) {
            stage_note_fault(stage, "invariant 8: '%s' has two works in hand",
                             stage->seen[i].point);
        }
    }
    seen_target_t *seen = seen_of(stage, record_slice(m, m->package), point);
    see_try(stage, seen, m);
    seen->in_work = true;
    if (m->attempt > 1 && stage->cut_in_retry > 0) {
        world_sim_cut_after(sim_world(stage->sim), stage->cut_in_retry);
        stage->cut_in_retry = 0;
    }
}

static void
see_outcome(stage_t *stage, const outcome_t *m)
{
    seen_target_t *seen = seen_of(stage, record_slice(m, m->package), record_slice(m, m->dp));

    seen->in_work = false;
    if (m->err == OK && m->action == ACTION_STAGE) {
        seen->promised_epoch = m->epoch;
    }
    if (m->err == OK) {
        seen->attempt = 0; /* what comes later is counted anew */
    }
}

/* Of a look at the point or of a work: told when it counts. */
static void
see_told(stage_t *stage, const outcome_t *m)
{
    seen_target_t *seen = seen_of(stage, record_slice(m, m->package), record_slice(m, m->dp));
    bool counts = m->err != OK && m->reached && err_class(m->err) == CLASS_RETRY;

    seen->failed_ns = counts ? sim_now_ns(stage->sim) : 0;
    seen->failed_epoch = m->epoch;
}

/* What waits for a point is due when it is back. */
static void
see_returned(stage_t *stage, const point_returned_t *m)
{
    slice_t point = record_slice(m, m->dp);

    for (uint32_t i = 0; i < stage->seen_count; i++) {
        seen_target_t *seen = &stage->seen[i];
        seen->failed_ns = slice_equal(point, slice_of(seen->point)) ? 0 : seen->failed_ns;
    }
}

void
oracle_saw(void *context, const sim_sight_t *sight)
{
    stage_t *stage = context;

    if (!sight->type) {
        return;
    }
    story_tell(stage, sight);
    poison_saw(stage, sight);
    if (sight->type == &instruction_type && !sight->is_reply) {
        see_instruction(stage, sight->record);
    } else if (sight->type == &accepted_type && sight->is_reply) {
        stage->empty_accepted += ((const accepted_t *) sight->record)->queued == 0;
    } else if (sight->type == &refusal_type && sight->is_reply) {
        stage->empty_refused += ((const refusal_t *) sight->record)->code == ERR_NO_TARGETS;
    } else if (sight->type == &work_type && sight->is_ask) {
        see_work(stage, sight->record);
    } else if (sight->type == &outcome_type && sight->is_reply) {
        see_outcome(stage, sight->record);
    } else if (sight->type == &outcome_type) {
        see_told(stage, sight->record);
    } else if (sight->type == &point_returned_type && sight->is_ask) {
        see_returned(stage, sight->record);
    }
}

/* After a restart what was not known to be published is published again, so a number may repeat;
 * what must never happen is that one is skipped. */
void
oracle_published(void *context, slice_t topic, slice_t body)
{
    stage_t *stage = context;
    wire_value_t root, seq;

    if (!slice_equal(topic, slice_of("status"))) {
        return;
    }
    if (wire_check(body.data, body.size, &root) != OK || !wire_find(&root, "seq", &seq)) {
        stage_note_fault(stage, "a published status message has no sequence number");
        return;
    }
    if (seq.uint > stage->last_seq + 1) {
        stage_note_fault(stage, "invariant 11: status message %lu follows %lu",
                         (unsigned long) seq.uint, (unsigned long) stage->last_seq);
    }
    if (seq.uint > stage->last_seq) {
        stage->last_seq = seq.uint;
        ledger_hears(stage->ledger, seq.uint, &root);
    }
}

void
oracle_forgets_pace(stage_t *stage)
{
    for (uint32_t i = 0; i < stage->seen_count; i++) {
        stage->seen[i].failed_ns = 0;
    }
}

void
oracle_forgets_attempts(stage_t *stage)
{
    oracle_forgets_pace(stage);
    for (uint32_t i = 0; i < stage->seen_count; i++) {
        stage->seen[i].attempt = 0;
    }
}

/* Works in hand end with the power; attempts and sequence numbers do not. */
void
oracle_crashed(stage_t *stage)
{
    stage->crashed = true;
    ledger_forgets(stage->ledger);
    poison_crashed();
    oracle_forgets_pace(stage);
    for (uint32_t i = 0; i < stage->seen_count; i++) {
        stage->seen[i].in_work = false;
    }
}

uint32_t
stage_instructions(const stage_t *stage, const char *point)
{
    uint32_t count = 0;

    for (uint32_t i = 0; i < stage->seen_count; i++) {
        count += strcmp(stage->seen[i].point, point) == 0 ? stage->seen[i].instructions : 0;
    }
    return count;
}
