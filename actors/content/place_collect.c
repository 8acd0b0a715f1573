/* place_collect.c - takes superseded versions away when their readers had time to leave.
 *
 * Bytes    the record of a superseded version says since when, by the local wall clock.
 * A crash  leaves a version partly removed with its record: the next run ends it. A clock that
 *          jumped back starts the grace time anew; none is ever longer than that.
 */
#include <stdlib.h>
#include <string.h>
#include "actors/content/clear.h"
#include "actors/content/fail.h"
#include "actors/content/listing.h"
#include "actors/content/place.h"
#include "actors/content/place_inner.h"
#include "actors/content/removal.h"

typedef struct collect {
    world_t *world;
    store_t *store;
    point_t *point;
    const place_collect_order_t *order;
    place_collected_t *collected;
    fault_t *fault;
} collect_t;

static err_t
wait(collect_t *collect, receipt_t *record)
{
    const place_collect_order_t *order = collect->order;
    bool unmarked = record->superseded_ns <= 0 || record->superseded_ns > order->now_ns;
    if (unmarked) {
        record->superseded_ns = order->now_ns;
        TRY(receipt_version_write(collect->point, record, collect->fault));
    }
    int64_t due = record->superseded_ns + order->grace_ns;
    place_collected_t *collected = collect->collected;
    collected->versions_waiting++;
    if (collected->next_due_ns == 0 || due < collected->next_due_ns) {
        collected->next_due_ns = due;
    }
    return OK;
}

/* A version of which nobody knows what is of it, because its manifest is lost, stays for itself:
 * the others go, or a point would be full of what one of them keeps. */
static bool
is_unread(err_t err)
{
    return err == ERR_NOT_STORED || err == ERR_DIGEST;
}

static err_t
take_away(collect_t *collect, const receipt_t *record)
{
    removal_result_t result = {0};
    paths_init(&result.paths);
    err_t err = removal_version(collect->world, collect->store, collect->point, record, &result,
                                collect->fault);
    collect->collected->foreign += result.foreign;
    removal_result_release(&result);
    if (is_unread(err)) {
        collect->collected->unread = result.unread;
    }
    TRY(err);
    collect->collected->versions_removed++;
    return receipt_version_remove(collect->point, record, collect->fault);
}

static bool
is_over(const collect_t *collect, const receipt_t *record)
{
    int64_t now = collect->order->now_ns;
    return record->superseded_ns > 0 && record->superseded_ns <= now &&
           now - record->superseded_ns >= collect->order->grace_ns;
}

/* Staging of versions before the kept one is of work that is over: also where it was cancelled or
 * superseded before there was a record. */
static err_t
clear_former(collect_t *collect)
{
    const place_collect_order_t *order = collect->order;
    listing_t names = {0};
    int staging = -1;
    TRY(place_open_staging(collect->point, &staging, collect->fault));
    err_t err = listing_read(collect->world, staging, "staging", &names, collect->fault);
    for (uint32_t i = 0; i < names.count && err == OK; i++) {
        uint64_t epoch = 0;
        if (place_is_staged(names.name[i], order->package, &epoch) && epoch < order->keep_epoch) {
            err = clear_name(collect->world, staging, names.name[i], collect->fault);
        }
    }
    listing_release(&names);
    world_close(collect->world, staging);
    return err;
}

/* Of a version that has a record, also of another copy of the kept one. */
static err_t
clear_staging(collect_t *collect, const receipt_t *record)
{
    char name[PLACE_NAME_BYTES];
    int staging = -1;
    place_staging_name(record, name);
    TRY(place_open_staging(collect->point, &staging, collect->fault));
    err_t err = clear_name(collect->world, staging, name, collect->fault);
    world_close(collect->world, staging);
    return err;
}

static err_t
collect_one(collect_t *collect, receipt_t *record, const char *current)
{
    char name[RECEIPT_DIRECTORY_BYTES];
    const place_collect_order_t *order = collect->order;
    bool ours = memcmp(record->incarnation.byte, order->incarnation.byte,
                       sizeof order->incarnation.byte) == 0;
    bool is_current = strcmp(receipt_directory(record, name), current) == 0;
    if (!ours || is_current || record->epoch > order->keep_epoch) {
        return OK;
    }
    TRY(clear_staging(collect, record));
    return is_over(collect, record) ? take_away(collect, record) : wait(collect, record);
}

static err_t
collect_records(collect_t *collect, receipt_t *records)
{
    char current[RECEIPT_DIRECTORY_BYTES];
    size_t count = 0, damaged = 0;
    const char *package = collect->order->package;
    TRY(point_check(collect->point, collect->fault));
    TRY(place_current(collect->point, package, current, collect->fault));
    TRY(receipt_whole_versions(collect->point, package, records, RECEIPT_VERSIONS_MAX, &count,
                               &damaged, collect->fault));
    err_t err = OK;
    for (size_t i = 0; i < count; i++) {
        err_t one = collect_one(collect, &records[i], current);
        if (one != OK && !is_unread(one)) {
            return one;
        }
        err = one != OK ? one : err;
    }
    TRY(clear_former(collect));
    return err == OK && damaged > 0
               ? RAISE(collect->fault, ERR_DAMAGED, 0, "read a record of", package)
               : err;
}

err_t
place_collect(world_t *world, store_t *store, point_t *point, const place_collect_order_t *order,
              place_collected_t *ret_collected, fault_t *fault)
{
    place_collected_t collected = {0};
    collect_t collect = {.world = world,
                         .store = store,
                         .point = point,
                         .order = order,
                         .collected = &collected,
                         .fault = fault};
    receipt_t *records = malloc(RECEIPT_VERSIONS_MAX * sizeof records[0]);
    if (records == NULL) {
        return NO_MEMORY(fault, order->package);
    }
    err_t err = collect_records(&collect, records);
    free(records);
    *ret_collected = err == OK ? collected : (place_collected_t){.unread = collected.unread};
    return err;
}
