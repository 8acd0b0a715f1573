/* schema.h - the tables of site.db, and the way from one version of them to the next.
 *
 * Shape    PRAGMA user_version is the version; a step brings a database from one version to the
 *          next. Version 0 is an empty file.
 * Promises all steps that are needed run in one transaction; a database of a newer version is
 *          refused untouched; before an older one that holds something is changed, it is copied.
 * Errors   ERR_NEWER_SCHEMA, ERR_DAMAGED, ERR_SITE_FULL, and those of the world.
 * Threads  the job that holds the connection.
 */
#pragma once
#include "actors/database/connection.h"

/* steps[i] leads from version i to version i + 1. */
typedef struct schema_steps {
    const char *const *step;
    int64_t count;
} schema_steps_t;
extern const schema_steps_t schema_steps;

/* The version of the open database. */
err_t schema_version(connection_t *connection, int64_t *ret_version, fault_t *fault) must_use;
/* Brings it to version steps->count. */
err_t schema_migrate(connection_t *connection, const schema_steps_t *steps,
                     fault_t *fault) must_use;
