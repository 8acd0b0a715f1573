/* sim_race.c - frames, sleep sets and races: see sim_race.h. */
#include "runtime/sim_race.h"

#include <assert.h>
#include <string.h>

#include "runtime/inside.h"

/* ---- what commutes ---- */

/* A worker goes on with what it would have handled when more comes behind that, or into a lane that
 * comes later; of two that come into different lanes nobody can tell which was first. */
static bool
dependent(const deed_t *a, const deed_t *b)
{
    if (a->global || b->global) {
        return true;
    }
    if (a->worker != b->worker) {
        return false;
    }
    if (a->strict || b->strict || a->delivers == b->delivers) {
        return a->strict || b->strict || a->lane == b->lane;
    }
    return a->delivers ? a->lane < b->lane : b->lane < a->lane;
}

static bool
is_before(const event_t *event, uint32_t which)
{
    return (event->before[which / 64] >> which % 64 & 1) != 0;
}

static void
include(event_t *event, uint32_t which, const event_t *other)
{
    event->before[which / 64] |= UINT64_C(1) << which % 64;
    for (uint32_t i = 0; i < WORDS; i++) {
        event->before[i] |= other->before[i];
    }
}

/* ---- frames ---- */

static bool
holds(const uint32_t *list, uint32_t count, uint32_t wanted)
{
    for (uint32_t i = 0; i < count; i++) {
        if (list[i] == wanted) {
            return true;
        }
    }
    return false;
}

static bool
is_asleep(const frame_t *frame, uint32_t process)
{
    for (uint32_t i = 0; i < frame->asleep_count; i++) {
        if (frame->asleep[i].process == process) {
            return true;
        }
    }
    return false;
}

bool
frame_next(frame_t *frame)
{
    while (frame->tried < frame->todo_count) {
        if (!is_asleep(frame, frame->todo[frame->tried++])) {
            return true;
        }
    }
    return false;
}

bool
frame_begin(frame_t *frames, uint32_t at, const uint32_t *choice, uint32_t count, uint32_t epoch,
            bool all)
{
    frame_t *frame = &frames[at];
    const frame_t *last = at > 0 ? &frames[at - 1] : NULL;

    assert(count <= CHOICES && "a small cast");
    memset(frame, 0, sizeof *frame);
    frame->enabled_count = count;
    memcpy(frame->enabled, choice, count * sizeof *choice);
    for (uint32_t i = 0; last && last->event.epoch == epoch && i < last->asleep_count; i++) {
        if (!dependent(&last->event.deed, &last->asleep[i])) {
            frame->asleep[frame->asleep_count++] = last->asleep[i];
        }
    }
    for (uint32_t i = 0; i < count; i++) {
        if (all || (frame->todo_count == 0 && !is_asleep(frame, frame->enabled[i]))) {
            frame->todo[frame->todo_count++] = frame->enabled[i];
        }
    }
    return frame_next(frame);
}

void
frame_tried(frame_t *frame)
{
    frame->asleep[frame->asleep_count++] = frame->event.deed;
}

bool
frame_offers(const frame_t *frame, uint32_t process)
{
    return holds(frame->enabled, frame->enabled_count, process);
}

/* ---- races ---- */

/* The processes that can begin what came after event `from` and does not depend on it, up to and
 * with event `to`: one of them has to be tried in its place. */
static void
reverse(frame_t *frames, uint32_t from, uint32_t to)
{
    frame_t *frame = &frames[from];
    uint32_t wanted = UINT32_MAX;

    for (uint32_t k = from + 1; k <= to; k++) {
        const event_t *event = &frames[k].event;
        bool first = k == to || !is_before(event, from);
        for (uint32_t earlier = from + 1; first && earlier < k; earlier++) {
            first = !is_before(event, earlier) || is_before(&frames[earlier].event, from);
        }
        if (!first || !frame_offers(frame, event->deed.process)) {
            continue;
        }
        if (holds(frame->todo, frame->todo_count, event->deed.process)) {
            return;
        }
        wanted = wanted == UINT32_MAX ? event->deed.process : wanted;
    }
    if (wanted != UINT32_MAX) {
        frame->todo[frame->todo_count++] = wanted;
    }
}

/* Without `other`, `event` could not have been. */
static bool
enables(const event_t *other, const event_t *event, uint64_t sent_at)
{
    if (event->deed.delivers) {
        return sent_at != 0 && other->step == sent_at;
    }
    return other->deed.delivers && other->deed.worker == event->deed.worker && event->envelope &&
           other->envelope == event->envelope;
}

/* Before the message came that a worker handled, it could have handled another one. */
static void
before_it_came(frame_t *frame, const event_t *event)
{
    uint32_t process = event->deed.process;

    if (!event->deed.delivers && frame_offers(frame, process) &&
        !holds(frame->todo, frame->todo_count, process)) {
        frame->todo[frame->todo_count++] = process;
    }
}

void
races_find(frame_t *frames, uint32_t to, uint64_t sent_at, bool all)
{
    event_t *event = &frames[to].event;

    for (uint32_t i = to; i-- > 0 && frames[i].event.epoch == event->epoch;) {
        const event_t *other = &frames[i].event;
        bool needed = other->deed.process == event->deed.process || enables(other, event, sent_at);
        if (is_before(event, i) || !(needed || dependent(&other->deed, &event->deed))) {
            continue;
        }
        if (!needed && !all) {
            reverse(frames, i, to);
        } else if (other->deed.process != event->deed.process) {
            before_it_came(&frames[i], event);
        }
        include(event, i, other);
    }
}
