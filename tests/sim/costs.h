/* costs.h - what each statement of the site's database costs, counted from outside of the product.
 *
 * Shape    from costs_begin on every database that is opened in this process is listened to;
 *          statements are known by their texts (actors/database/statements.h).
 * Promises steps of SQLite's machine are the same on every machine, whatever else it does. The last
 *          run of each statement is not counted yet.
 * Threads  one.
 */
#pragma once

#include "actors/database/statements.h"

typedef struct cost {
    uint64_t runs, steps; /* of SQLite's machine */
    uint64_t most;        /* in one run */
    uint64_t walked;      /* rows come to by walking a table or an index from end to end */
} cost_t;

void costs_begin(void);
const cost_t *costs_of(sql_t which);
cost_t costs_sum(void);
