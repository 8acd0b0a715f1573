/* zone.h - a time zone: how far its local time is from UTC, and when that changes.
 *
 * Shape    read from the zone files of the machine (ZONE_DIRECTORY, RFC 8536) through the world:
 *          the changes that the file lists, and the rule in its footer for the time after them.
 * Promises what the file says, for any time; a file that is cut or odd is refused whole. "UTC" is
 *          there without a file.
 * Costs    a zone is some KiB, at most ZONE_FILE_BYTES_MAX; a look some steps of a search.
 * Errors   ERR_BAD_VALUE: no such name; ERR_UNSUPPORTED: it counts leap seconds; ERR_DAMAGED: it
 *          is no zone file; ERR_NO_MEMORY, and those of the world.
 * Threads  one job; a zone that was read is constant.
 * Owner    who read it; zone_destroy(&zone).
 */
#pragma once

#include "proto/record.h"
#include "runtime/world.h"

#define ZONE_DIRECTORY "/usr/share/zoneinfo"

typedef struct zone zone_t;

/* The offset that holds at a time, and since and until when; INT64_MIN and INT64_MAX: for ever. */
typedef struct zone_span {
    int32_t offset_s; /* local time less UTC */
    int64_t from_s, until_s;
} zone_span_t;

/* Whether it is a word for a zone at all: what else a path may be never leads to a file. */
bool zone_name_is_valid(slice_t name);
err_t zone_read(world_t *world, slice_t name, zone_t **ret_zone, fault_t *fault) must_use;
err_t zone_of_bytes(const void *bytes, size_t size, zone_t **ret_zone) must_use;
void zone_destroy(zone_t **zone);

zone_span_t zone_at(const zone_t *zone, int64_t utc_s);
