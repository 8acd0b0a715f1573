/* connection.h - the one connection to site.db, carried from job to job.
 *
 * Shape    made by the first job (connection_new, connection_open), lent to every later one with
 *          that job's world (connection_lend, connection_return), closed at the end.
 * Promises one host per data directory (flock on DATA/lock); a database is made only where there is
 *          no sign of a former one; damage and newer schemas are refused and nothing is changed.
 * Costs    CONNECTION_CACHE_KIB of memory; opening reads the whole file once (quick_check).
 * Errors   ERR_LOCKED, ERR_DAMAGED, ERR_NEWER_SCHEMA, ERR_SITE_FULL, ERR_NO_MEMORY, and those of
 *          the world.
 * Threads  one job at a time.
 * Owner    who made it; connection_destroy(&connection).
 */
#pragma once

#include <sqlite3.h>

#include "actors/database/site_vfs.h"
#include "actors/database/statements.h"
#include "proto/messages.h"
#include "runtime/world.h"

#define CONNECTION_CACHE_KIB 32768 /* pages kept in memory; beyond it pages are read again */
#define PROGRESS_PLACES      1024u /* targets whose progress is kept; more share places */
#define KEY_ANSWER_BYTES_MAX                                                                       \
    (1u << 20) /* of an answer kept under a key; a larger one is refused  \
                                         */

typedef struct progress_place {
    uint64_t target, done, total;
    uint64_t first;            /* done, when it was first heard of */
    int64_t first_ns, last_ns; /* monotonic; when it was heard */
    int64_t judged_ns;         /* when its end was looked at last */
} progress_place_t;

/* How often a source was heard within its minute. */
#define RATE_PLACES 256u /* sources that are counted; more share places, and begin anew there */
typedef struct rate_place {
    uint64_t source;
    int64_t since_ns; /* monotonic */
    uint32_t told, held;
} rate_place_t;

/* A time zone that was read; it is read again when it is ZONE_KEPT_MS old. */
#define ZONES_KEPT   8u       /* at one time; a further one takes the place of the oldest */
#define ZONE_KEPT_MS 3600000u /* an hour: its file may have been changed */
typedef struct zone_place {
    char name[NAME_BYTES_MAX + 1];
    struct zone *zone; /* NULL: none */
    int64_t read_ns;   /* monotonic */
} zone_place_t;

/* The last beacon that the agent of a point has seen. */
typedef struct beacon_place {
    int64_t point;
    uint64_t sequence;
    int64_t seen_ns; /* monotonic; when that was heard */
} beacon_place_t;

typedef struct connection {
    site_vfs_t *vfs;
    sqlite3 *sql;
    sqlite3_stmt *statement[SQL_COUNT]; /* prepared when first used */
    world_t *world;                     /* of the job in hand; NULL between jobs */
    world_t *lasting;                   /* to close the files when no job is in hand */
    int data_fd, lock_fd, mark_fd;      /* -1: not open */
    bool full;                          /* the reserve was given up */
    uint64_t history_max;               /* status messages kept */
    int64_t clock_offset_ns;            /* wall minus monotonic, as last looked at */
    int64_t jump_ns, jumped_at;         /* its largest change within a day, and when, monotonic */
    id128_t site;
    char name[NAME_BYTES_MAX + 1];
    uint8_t *encoded; /* KEY_ANSWER_BYTES_MAX: an answer to be kept */
    uint8_t *scratch; /* MESSAGE_BYTES_MAX: the answer in hand */
    progress_place_t progress[PROGRESS_PLACES];
    beacon_place_t *beacon; /* by point, in their order */
    uint32_t beacons, beacons_room;
    rate_place_t alike[RATE_PLACES], source[RATE_PLACES];
    zone_place_t zones[ZONES_KEPT];
} connection_t;

/* NULL when there is no memory. serial makes the name of its VFS, one per process. */
connection_t *connection_new(uint64_t serial);
/* Takes the lock and opens or makes the database of this data directory. */
err_t connection_open(connection_t *connection, world_t *world, slice_t data, slice_t site,
                      fault_t *fault) must_use;
void connection_lend(connection_t *connection, world_t *world);
void connection_return(connection_t *connection);
/* Ends statements, database, lock and directory; writes nothing. The connection is as new then. */
void connection_close(connection_t *connection);
void connection_destroy(connection_t **connection);

/* One or more statements without values or rows; fixed texts only. */
err_t connection_execute(connection_t *connection, const char *text, fault_t *fault) must_use;
err_t connection_pragma(connection_t *connection, const char *text, int64_t *ret_number,
                        fault_t *fault) must_use;
/* Draws the site's id and stores it with the name: part of the transaction that makes the tables.
 */
err_t connection_name_site(connection_t *connection, fault_t *fault) must_use;
/* What an SQLite result stands for. */
err_t connection_err(const connection_t *connection, int result);

/* Either may be lost without the other. */
#define CONNECTION_LAST_EVENT                                                                      \
    "SELECT max(ifnull((SELECT seq FROM sqlite_sequence WHERE name = 'event'), 0), "               \
    "ifnull((SELECT max(seq) FROM event), 0))"

/* copy.c: the database as it is after the last transaction, in a file of its own, synced. */
err_t connection_copy(connection_t *connection, int dir, const char *name, int flags,
                      fault_t *fault) must_use;
/* As directory/site.db, which must not be there; *ret_last is its last status message. */
err_t connection_copy_to(connection_t *connection, slice_t directory, int64_t *ret_last,
                         fault_t *fault) must_use;

/* DATA/site.mark: ERR_DAMAGED when the database is behind it. */
err_t mark_check(connection_t *connection, fault_t *fault) must_use;
void mark_set(connection_t *connection, uint64_t last); /* after its commit is durable */

/* DATA/reserve: made when there is space, given up when there is none. */
bool reserve_make(connection_t *connection); /* whether it is there whole */
void reserve_release(connection_t *connection);
uint64_t connection_free_bytes(connection_t *connection); /* RECORD_NONE: not known */

/* zones.c: the zone of this name, until the next call; NULL: it cannot be read, nor was before. */
const struct zone *zones_get(connection_t *connection, slice_t name);
void zones_clear(connection_t *connection);

/* beacons.c: in memory alone; a start of the site knows of none. */
void beacons_set(connection_t *connection, int64_t point, uint64_t sequence);
/* NULL: it has seen none since the start, that we know of. */
const beacon_place_t *beacons_of(const connection_t *connection, int64_t point);
void beacons_forget(connection_t *connection, int64_t point);

void progress_set(connection_t *connection, uint64_t target, uint64_t done, uint64_t total);
/* NULL: none is known. */
progress_place_t *progress_of(connection_t *connection, uint64_t target);
uint64_t progress_done(const connection_t *connection, uint64_t target);
void progress_forget(connection_t *connection, uint64_t target);
