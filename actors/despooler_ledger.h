/* despooler_ledger.h - space that work in hand has reserved, per file system.
 *
 * Shape    one row for each admitted work: device, bytes, inodes. At most SLOTS_MAX rows.
 * Promises two works on one device are never both admitted when only one fits what was measured,
 *          over all points and packages. A measure that is older than the end of another work on
 *          its device is stale, and is told so: what that work wrote is missing in it.
 * Costs    linear in SLOTS_MAX.
 * Threads  one actor's state.
 */
#pragma once

#include "proto/limits.h"

#include <stdbool.h>
#include <stdint.h>

typedef struct ledger_space {
    uint64_t bytes;
    uint64_t inodes;
} ledger_space_t;

typedef struct ledger_row {
    uint64_t who; /* the work */
    uint64_t device;
    ledger_space_t need;
} ledger_row_t;

typedef struct ledger_end {
    uint64_t device;
    uint64_t mark;
} ledger_end_t;

typedef struct ledger {
    ledger_row_t row[SLOTS_MAX];
    uint32_t count;
    ledger_end_t end[SLOTS_MAX]; /* the last end of a work on a device */
    uint32_t end_count;
    uint64_t mark;      /* rises with every end */
    uint64_t forgotten; /* a device that is not listed had its last end at this mark or before */
} ledger_t;

typedef struct ledger_wish {
    uint64_t who;
    uint64_t device;
    ledger_space_t need;
    ledger_space_t have; /* measured: free beyond the reserve, UINT64_MAX: not counted there */
    uint64_t mark;       /* ledger_mark when the measure was asked for */
} ledger_wish_t;

typedef enum ledger_verdict { LEDGER_ADMITTED = 0, LEDGER_NO_ROOM, LEDGER_STALE } ledger_verdict_t;

uint64_t ledger_mark(const ledger_t *ledger);
ledger_verdict_t ledger_admit(ledger_t *ledger, const ledger_wish_t *wish);
/* What others on this device have reserved. */
ledger_space_t ledger_reserved(const ledger_t *ledger, uint64_t device, uint64_t but_who);
/* The end of a work, however it ended; none of that name: nothing. */
void ledger_release(ledger_t *ledger, uint64_t who);
