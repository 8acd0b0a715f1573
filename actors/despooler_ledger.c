/* despooler_ledger.c - see despooler_ledger.h. */
#include "actors/despooler_ledger.h"

uint64_t
ledger_mark(const ledger_t *ledger)
{
    return ledger->mark;
}

static uint64_t
add_up(uint64_t a, uint64_t b)
{
    return a > UINT64_MAX - b ? UINT64_MAX : a + b;
}

ledger_space_t
ledger_reserved(const ledger_t *ledger, uint64_t device, uint64_t but_who)
{
    ledger_space_t sum = {0, 0};
    for (uint32_t i = 0; i < ledger->count; i++) {
        const ledger_row_t *row = &ledger->row[i];
        if (row->device == device && row->who != but_who) {
            sum.bytes = add_up(sum.bytes, row->need.bytes);
            sum.inodes = add_up(sum.inodes, row->need.inodes);
        }
    }
    return sum;
}

static uint64_t
last_end(const ledger_t *ledger, uint64_t device)
{
    for (uint32_t i = 0; i < ledger->end_count; i++) {
        if (ledger->end[i].device == device) {
            return ledger->end[i].mark;
        }
    }
    return ledger->forgotten;
}

/* The place of a device's last end; of the device whose last end is the oldest when all are taken.
 */
static ledger_end_t *
end_place(ledger_t *ledger, uint64_t device)
{
    ledger_end_t *oldest = &ledger->end[0];
    for (uint32_t i = 0; i < ledger->end_count; i++) {
        if (ledger->end[i].device == device) {
            return &ledger->end[i];
        }
        oldest = ledger->end[i].mark < oldest->mark ? &ledger->end[i] : oldest;
    }
    if (ledger->end_count < SLOTS_MAX) {
        return &ledger->end[ledger->end_count++];
    }
    ledger->forgotten = oldest->mark;
    return oldest;
}

static bool
fits(uint64_t need, uint64_t reserved, uint64_t have)
{
    return have == UINT64_MAX || add_up(need, reserved) <= have;
}

ledger_verdict_t
ledger_admit(ledger_t *ledger, const ledger_wish_t *wish)
{
    if (last_end(ledger, wish->device) > wish->mark) {
        return LEDGER_STALE;
    }
    ledger_space_t reserved = ledger_reserved(ledger, wish->device, wish->who);
    /* Work that needs nothing may go on, however full it is: its bytes are there already. */
    bool needs = wish->need.bytes > 0 || wish->need.inodes > 0;
    if (needs && (!fits(wish->need.bytes, reserved.bytes, wish->have.bytes) ||
                  !fits(wish->need.inodes, reserved.inodes, wish->have.inodes))) {
        return LEDGER_NO_ROOM;
    }
    ledger_release(ledger, wish->who);
    if (ledger->count == SLOTS_MAX) {
        return LEDGER_NO_ROOM;
    }
    ledger->row[ledger->count++] = (ledger_row_t){wish->who, wish->device, wish->need};
    return LEDGER_ADMITTED;
}

void
ledger_release(ledger_t *ledger, uint64_t who)
{
    for (uint32_t i = 0; i < ledger->count; i++) {
        if (ledger->row[i].who == who) {
            ledger_end_t *end = end_place(ledger, ledger->row[i].device);
            *end = (ledger_end_t){ledger->row[i].device, ++ledger->mark};
            ledger->row[i] = ledger->row[--ledger->count];
            return;
        }
    }
}
