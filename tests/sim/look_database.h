/* look_database.h - the site's database as it is on the machine's disk at this instant.
 *
 * Shape    an image of site.db with the committed frames of its log applied, and SQLite on that
 *          image in memory.
 * Promises shares no code with the site's own database room; what the last commit frame in the log
 *          ends is seen, whether it is durable yet or not, and nothing of what follows it. The
 *          machine is only looked at.
 * Costs    new frames only: some microseconds a commit; a look after a power cut reads all.
 * Threads  one.
 * Owner    look_database_new -> caller, look_database_destroy(&look).
 */
#pragma once
#include <sqlite3.h>

#include "runtime/world_sim.h"

typedef struct look_database look_database_t;

look_database_t *look_database_new(void);
void look_database_destroy(look_database_t **look);
/* After a power cut: what was seen may be gone. */
void look_database_forget(look_database_t *look);
/* Takes up what was committed since the last time; whether there was anything. */
bool look_database_again(look_database_t *look, world_sim_t *machine);
/* A statement (the text is a constant, and is kept) ready to be stepped, good until the next look;
 * NULL: there is no database yet, or it is not what the text is about. */
sqlite3_stmt *look_database_ask(look_database_t *look, const char *text);
