/* schema.c - the tables of site.db; see schema.h.
 *
 * Bytes    one SQLite file in WAL mode; user_version says which tables are in it.
 * Valid    when user_version is ours, quick_check finds nothing, and meta holds the site's id.
 * Crash    leaves the old version whole or the new one whole: the steps are one transaction. A copy
 *          (site.db.v<N>) is durable before the first step; half a copy is written over.
 */
#include "actors/database/schema.h"

#include <fcntl.h>
#include <stdio.h>

#include "proto/messages.h"

/* The numbers of states are in the tables and in the statements. */
_Static_assert(TARGET_PENDING == 0 && TARGET_INSTALLING == 1 && TARGET_INSTALLED == 2 &&
                   TARGET_RETRYING == 3 && TARGET_WAITING == 4 && TARGET_FAILED == 5 &&
                   TARGET_CANCELLED == 6 && TARGET_REMOVING == 7 && TARGET_REMOVED == 8 &&
                   TARGET_PROMISED == 9,
               "states of targets are stored by number");
_Static_assert(ROLLOUT_RUNS == 0 && ROLLOUT_STOPPED == 1 && ROLLOUT_DONE == 2 &&
                   ROLLOUT_CANCELLED == 3,
               "states of rollouts are stored by number");
_Static_assert(SWITCHOVER_STAGING == 0 && SWITCHOVER_DECIDED == 1 && SWITCHOVER_DONE == 2 &&
                   SWITCHOVER_CANCELLED == 3,
               "states of switchovers are stored by number");
_Static_assert(PRIORITY_HIGH == 1 && PRIORITY_MEDIUM == 2 && PRIORITY_LOW == 3,
               "priorities are stored by number");
_Static_assert(PACKAGE_IDLE == 0 && PACKAGE_ACTIVE == 1 && PACKAGE_COMPLETE == 2 &&
                   PACKAGE_FAILED == 3,
               "SQL_PACKAGE_STATE answers with these numbers");
_Static_assert(SEVERITY_INFO == 0 && SEVERITY_WARNING == 1 && SEVERITY_ERROR == 2,
               "severities are stored by number");

static const char *const steps[] = {
    "CREATE TABLE meta (name TEXT PRIMARY KEY, value) WITHOUT ROWID;"
    "CREATE TABLE setting (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE answer (key BLOB PRIMARY KEY, command INTEGER NOT NULL,"
    "  number INTEGER NOT NULL, record BLOB NOT NULL, at INTEGER NOT NULL) WITHOUT ROWID;"
    "CREATE INDEX answer_at ON answer (at);"
    "CREATE TABLE event (seq INTEGER PRIMARY KEY AUTOINCREMENT, time INTEGER NOT NULL,"
    "  component TEXT NOT NULL, id INTEGER NOT NULL, severity INTEGER NOT NULL,"
    "  package TEXT, dp TEXT, epoch INTEGER, label TEXT, root BLOB, text TEXT NOT NULL,"
    "  attrs BLOB);"
    "CREATE TABLE package (row INTEGER PRIMARY KEY AUTOINCREMENT,"
    "  id TEXT NOT NULL UNIQUE COLLATE NOCASE, incarnation BLOB NOT NULL, name TEXT,"
    "  source TEXT NOT NULL, epoch INTEGER NOT NULL, next_epoch INTEGER NOT NULL,"
    "  removing INTEGER NOT NULL DEFAULT 0);"
    "CREATE TABLE exclude (package INTEGER NOT NULL REFERENCES package ON DELETE CASCADE,"
    "  place INTEGER NOT NULL, glob TEXT NOT NULL, PRIMARY KEY (package, place)) WITHOUT ROWID;"
    "CREATE TABLE version (package INTEGER NOT NULL REFERENCES package ON DELETE CASCADE,"
    "  epoch INTEGER NOT NULL, root BLOB NOT NULL, label TEXT NOT NULL, files INTEGER NOT NULL,"
    "  directories INTEGER NOT NULL, links INTEGER NOT NULL, bytes INTEGER NOT NULL,"
    "  not_carried INTEGER NOT NULL, at INTEGER NOT NULL, PRIMARY KEY (package, epoch))"
    "  WITHOUT ROWID;"
    "CREATE TABLE point (row INTEGER PRIMARY KEY AUTOINCREMENT,"
    "  name TEXT NOT NULL UNIQUE COLLATE NOCASE, incarnation BLOB NOT NULL, root TEXT NOT NULL,"
    "  paused INTEGER NOT NULL DEFAULT 0, removing INTEGER NOT NULL DEFAULT 0,"
    "  absent_since INTEGER, added INTEGER NOT NULL);"
    "CREATE INDEX point_absent ON point (absent_since) WHERE absent_since IS NOT NULL;"
    "CREATE TABLE pointgroup (row INTEGER PRIMARY KEY AUTOINCREMENT,"
    "  name TEXT NOT NULL UNIQUE COLLATE NOCASE);"
    "CREATE TABLE member (pointgroup INTEGER NOT NULL REFERENCES pointgroup ON DELETE CASCADE,"
    "  point INTEGER NOT NULL REFERENCES point ON DELETE CASCADE,"
    "  PRIMARY KEY (pointgroup, point)) WITHOUT ROWID;"
    "CREATE INDEX member_point ON member (point);"
    "CREATE TABLE target (row INTEGER PRIMARY KEY AUTOINCREMENT,"
    "  package INTEGER NOT NULL REFERENCES package, point INTEGER NOT NULL REFERENCES point,"
    "  state INTEGER NOT NULL, wanted INTEGER NOT NULL, have INTEGER, have_root BLOB,"
    "  attempts INTEGER NOT NULL DEFAULT 0, of INTEGER NOT NULL,"
    "  integrity INTEGER NOT NULL DEFAULT 0, due INTEGER, since INTEGER NOT NULL, look INTEGER,"
    "  cause TEXT, cause_text TEXT, need INTEGER, space INTEGER,"
    "  revision INTEGER NOT NULL DEFAULT 0, taken INTEGER NOT NULL DEFAULT 0, slot INTEGER,"
    "  held_from INTEGER, held_to INTEGER," /* epochs whose files may be at the point */
    "  UNIQUE (package, point));"
    "CREATE INDEX target_point ON target (point);"
    "CREATE INDEX target_state ON target (package, state);"
    "CREATE INDEX target_look ON target (look) WHERE look IS NOT NULL;"
    "CREATE INDEX target_taken ON target (taken) WHERE taken = 1;"
    "CREATE INDEX target_failed ON target (state) WHERE state = 5;",
    "CREATE INDEX target_untidied ON target (row) WHERE state = 2 AND held_from < have;",
    "CREATE INDEX target_full ON target (state, point) WHERE state = 4 AND cause = 'space';",
    "CREATE INDEX target_aside ON target (row) WHERE cause = 'quarantined';",
    "CREATE INDEX point_removing ON point (removing) WHERE removing > 0;",
    /* token: the public half of the secret in it; key and signing: null until it has joined. */
    "CREATE TABLE agent (point INTEGER PRIMARY KEY REFERENCES point ON DELETE CASCADE,"
    "  token BLOB NOT NULL UNIQUE, expires INTEGER NOT NULL, key BLOB UNIQUE, signing BLOB,"
    "  revoked INTEGER NOT NULL DEFAULT 0);",
    /* Null: of a version that was stored before they were counted. */
    ("ALTER TABLE version ADD COLUMN unique_bytes INTEGER;"
     "ALTER TABLE version ADD COLUMN stored_bytes INTEGER;"),
    /* Removed points whose agents have not heard it. row: that of the point, never given again. */
    "CREATE TABLE tombstone (row INTEGER PRIMARY KEY, name TEXT NOT NULL,"
    "  incarnation BLOB NOT NULL, key BLOB NOT NULL UNIQUE);",
    /* Of the site, that the agent knows durably; null: of one that joined before. */
    "ALTER TABLE agent ADD COLUMN address TEXT;",
    /* The incarnation of the site in which its point last knew more than the site: see ahead.c. */
    "ALTER TABLE target ADD COLUMN learned INTEGER NOT NULL DEFAULT 0;",
    /* Rates are bytes a second; null: no limit. */
    ("CREATE TABLE link (name TEXT PRIMARY KEY COLLATE NOCASE, rate INTEGER) WITHOUT ROWID;"
     "ALTER TABLE point ADD COLUMN rate INTEGER;"
     "ALTER TABLE point ADD COLUMN link TEXT COLLATE NOCASE;"
     "CREATE INDEX point_link ON point (link) WHERE link IS NOT NULL;"),
    "ALTER TABLE target ADD COLUMN priority INTEGER NOT NULL DEFAULT 2;", /* medium */
    /* Of before, under numbers that other versions count otherwise: their keys may be used anew. */
    "DELETE FROM answer;",
    "ALTER TABLE point ADD COLUMN seed TEXT;", /* a directory on its agent's machine */
    /* How far what a point holds was read again; root, path: of the target in hand. Null: never. */
    "CREATE TABLE scrub (point INTEGER PRIMARY KEY REFERENCES point ON DELETE CASCADE,"
    "  began INTEGER NOT NULL, target INTEGER NOT NULL, root BLOB, path BLOB,"
    "  failed INTEGER NOT NULL, whole INTEGER NOT NULL);",
    /* Rings. look: when it is told for whom its ring waits; null: it does not run. */
    ("CREATE TABLE rollout (package INTEGER PRIMARY KEY REFERENCES package ON DELETE CASCADE,"
     "  rings TEXT NOT NULL, ring INTEGER NOT NULL, of INTEGER NOT NULL, state INTEGER NOT NULL,"
     "  stop_at INTEGER NOT NULL, forgiven INTEGER NOT NULL, since INTEGER NOT NULL, why TEXT,"
     "  look INTEGER);"
     "CREATE INDEX rollout_look ON rollout (look) WHERE look IS NOT NULL;"
     "ALTER TABLE target ADD COLUMN ring INTEGER NOT NULL DEFAULT 0;"
     "ALTER TABLE target ADD COLUMN held INTEGER NOT NULL DEFAULT 0;"
     "CREATE INDEX target_ring ON target (package, ring, state, attempts) WHERE ring <> 0;"
     "CREATE INDEX target_ring_row ON target (package, ring, row) WHERE ring <> 0;"),
    /* How the program of its agent ended, of the last version that it was told of. */
    "CREATE TABLE activation (target INTEGER PRIMARY KEY REFERENCES target ON DELETE CASCADE,"
    "  epoch INTEGER NOT NULL, attempt INTEGER NOT NULL, result INTEGER NOT NULL,"
    "  code INTEGER NOT NULL, at INTEGER NOT NULL, text TEXT NOT NULL);",
    /* Windows. at: when it was looked at last; look: when it is to be again, all wall ns; lost:
     * their zone could not be read then. told: of a target, the end of the window that was told to
     * be too short for it. */
    ("CREATE TABLE calendar (point INTEGER PRIMARY KEY REFERENCES point ON DELETE CASCADE,"
     "  windows TEXT NOT NULL, zone TEXT NOT NULL, at INTEGER NOT NULL, look INTEGER NOT NULL,"
     "  lost INTEGER NOT NULL DEFAULT 0);"
     "CREATE INDEX calendar_look ON calendar (look);"
     "CREATE INDEX calendar_at ON calendar (at);"
     "ALTER TABLE target ADD COLUMN told INTEGER;"
     "ALTER TABLE point ADD COLUMN measured INTEGER;"), /* bytes a second of its last transfer */
    /* turn of a target: 0 none, 1 it is staged and does not switch, 2 it may switch. promised:
     * since when promised_epoch is staged at its point. look: when the clock has a say. */
    ("CREATE TABLE switchover (package INTEGER PRIMARY KEY REFERENCES package ON DELETE CASCADE,"
     "  state INTEGER NOT NULL, since INTEGER NOT NULL, barrier INTEGER NOT NULL,"
     "  activate_at INTEGER, deadline INTEGER, why TEXT, look INTEGER);"
     "CREATE INDEX switchover_look ON switchover (look) WHERE look IS NOT NULL;"
     "ALTER TABLE target ADD COLUMN turn INTEGER NOT NULL DEFAULT 0;"
     "ALTER TABLE target ADD COLUMN promised INTEGER;"
     "ALTER TABLE target ADD COLUMN promised_epoch INTEGER;"
     "CREATE INDEX target_turn ON target (package, turn, state) WHERE turn <> 0;"
     "CREATE INDEX target_turn_row ON target (package, turn, row) WHERE turn <> 0;"),
    /* Whether its agent may be sent content unencrypted. */
    "ALTER TABLE point ADD COLUMN plain INTEGER NOT NULL DEFAULT 0;",
    /* Each target paid for them when it was made, and its package's other index finds as much. A
     * database that is made now never had them. */
    ("DROP INDEX IF EXISTS target_package; DROP INDEX IF EXISTS target_wanted;"
     "DROP INDEX IF EXISTS target_have;"),
    /* Whether symbolic links that lead out of a package's tree are refused. */
    "ALTER TABLE package ADD COLUMN links_inside INTEGER NOT NULL DEFAULT 0;",
    /* Whether versions are placed there less the right to write. */
    "ALTER TABLE point ADD COLUMN read_only INTEGER NOT NULL DEFAULT 0;",
};

const schema_steps_t schema_steps = {steps, sizeof steps / sizeof steps[0]};

err_t
schema_version(connection_t *connection, int64_t *ret_version, fault_t *fault)
{
    return connection_pragma(connection, "PRAGMA user_version", ret_version, fault);
}

/* The file is whole by itself then: its log was written back, and nobody else has it open. */
static err_t
keep_copy(connection_t *connection, int64_t version, fault_t *fault)
{
    char name[32];
    snprintf(name, sizeof name, "site.db.v%lld", (long long) version);
    TRY(connection_copy(connection, connection->data_fd, name, O_RDWR | O_CREAT, fault));
    if (world_sync(connection->world, connection->data_fd) < 0) {
        return RAISE(fault, ERR_IO, 0, "sync", "the data directory");
    }
    return OK;
}

static err_t
run_steps(connection_t *connection, const schema_steps_t *all, int64_t from, fault_t *fault)
{
    char pragma[64];
    for (int64_t version = from; version < all->count; version++) {
        TRY(connection_execute(connection, all->step[version], fault));
    }
    snprintf(pragma, sizeof pragma, "PRAGMA user_version = %lld", (long long) all->count);
    return connection_execute(connection, pragma, fault);
}

err_t
schema_migrate(connection_t *connection, const schema_steps_t *all, fault_t *fault)
{
    int64_t version = 0;
    TRY(schema_version(connection, &version, fault));
    if (version > all->count) {
        return RAISE(fault, ERR_NEWER_SCHEMA, 0, "open", "site.db");
    }
    if (version == all->count) {
        return OK;
    }
    if (version > 0) {
        TRY(keep_copy(connection, version, fault));
    }
    TRY(connection_execute(connection, "BEGIN IMMEDIATE", fault));
    err_t err = run_steps(connection, all, version, fault);
    if (err == OK && version == 0) {
        err = connection_name_site(connection, fault);
    }
    if (err == OK) {
        return connection_execute(connection, "COMMIT", fault);
    }
    fault_t ignored;
    err_t undone = connection_execute(connection, "ROLLBACK", &ignored);
    return undone == OK ? err : ERR_IO;
}
