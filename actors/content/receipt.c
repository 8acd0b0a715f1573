/* receipt.c - receipts and version records as sealed texts.
 *
 * Bytes    receipts/<package> and packages/<package>/v<epoch>[-<copy>], see receipt.h.
 * A crash  leaves the old text or the new one.
 */
#include "actors/content/receipt.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "actors/content/fail.h"
#include "actors/content/listing.h"
#include "actors/content/seal.h"

#define HOW       (WORLD_BENEATH | WORLD_NO_XDEV)
#define DIRECTORY (O_RDONLY | O_DIRECTORY | O_NOFOLLOW)

const char *
receipt_directory(const receipt_t *receipt, char name[RECEIPT_DIRECTORY_BYTES])
{
    uint64_t home = receipt->home == 0 ? receipt->epoch : receipt->home;
    if (receipt->copy == 0) {
        snprintf(name, RECEIPT_DIRECTORY_BYTES, "v%" PRIu64, home);
    } else {
        snprintf(name, RECEIPT_DIRECTORY_BYTES, "v%" PRIu64 "-%" PRIu32, home, receipt->copy);
    }
    return name;
}

static err_t
to_seal(const receipt_t *receipt, const char *kind, seal_t *seal)
{
    seal_begin(seal, kind);
    seal_put(seal, "package", receipt->package);
    seal_put_hex(seal, "incarnation", receipt->incarnation.byte, sizeof receipt->incarnation.byte);
    seal_put_number(seal, "epoch", receipt->epoch);
    seal_put_number(seal, "copy", receipt->copy);
    seal_put_hex(seal, "root", receipt->root.byte, sizeof receipt->root.byte);
    seal_put(seal, "label", receipt->label);
    seal_put_number(seal, "when", (uint64_t) receipt->when_ns);
    seal_put_number(seal, "superseded", (uint64_t) receipt->superseded_ns);
    if (receipt->home != 0) {
        seal_put_number(seal, "home", receipt->home);
    }
    if (receipt->read_only) {
        seal_put_number(seal, "read-only", 1);
    }
    return seal_close(seal);
}

static bool
of_seal(const seal_t *seal, receipt_t *ret)
{
    uint64_t copy = 0;
    uint64_t when = 0;
    uint64_t superseded = 0;
    uint64_t read_only = 0;
    receipt_t receipt = {0};
    bool whole = seal_get(seal, "package", receipt.package, sizeof receipt.package) &&
                 seal_get_hex(seal, "incarnation", receipt.incarnation.byte,
                              sizeof receipt.incarnation.byte) &&
                 seal_get_number(seal, "epoch", &receipt.epoch) &&
                 seal_get_number(seal, "copy", &copy) &&
                 seal_get_hex(seal, "root", receipt.root.byte, sizeof receipt.root.byte) &&
                 seal_get(seal, "label", receipt.label, sizeof receipt.label) &&
                 seal_get_number(seal, "when", &when) &&
                 seal_get_number(seal, "superseded", &superseded) && copy <= UINT32_MAX;
    if (!seal_get_number(seal, "home", &receipt.home)) {
        receipt.home = 0;
    }
    receipt.read_only = seal_get_number(seal, "read-only", &read_only) && read_only != 0;
    receipt.copy = (uint32_t) copy;
    receipt.when_ns = (int64_t) when;
    receipt.superseded_ns = (int64_t) superseded;
    if (whole) {
        *ret = receipt;
    }
    return whole;
}

/* Reads dir/name and sees that it speaks of this package. */
static err_t
read_text(world_t *world, int dir, const char *name, const char *kind, const char *package,
          receipt_t *ret_receipt, fault_t *fault)
{
    seal_t seal;
    TRY(seal_read(world, dir, name, kind, &seal, fault));
    receipt_t receipt;
    if (!of_seal(&seal, &receipt) || strcmp(receipt.package, package) != 0) {
        return RAISE(fault, ERR_DAMAGED, 0, "read", name);
    }
    *ret_receipt = receipt;
    return OK;
}

static err_t
open_inner(point_t *point, const char *name, int *ret_fd, fault_t *fault)
{
    int fd = world_open(point->world, point->own_fd, name, DIRECTORY, 0, HOW);
    if (fd < 0) {
        return FAIL(fault, fd, "open", name);
    }
    *ret_fd = fd;
    return OK;
}

err_t
receipt_read(point_t *point, const char *package, receipt_t *ret_receipt, fault_t *fault)
{
    int dir = -1;
    TRY(open_inner(point, "receipts", &dir, fault));
    err_t err = read_text(point->world, dir, package, "receipt", package, ret_receipt, fault);
    world_close(point->world, dir);
    return err;
}

err_t
receipt_write(point_t *point, const receipt_t *receipt, fault_t *fault)
{
    seal_t seal;
    if (to_seal(receipt, "receipt", &seal) != OK) {
        return RAISE(fault, ERR_TOO_LARGE, 0, "write the receipt of", receipt->package);
    }
    int dir = -1;
    TRY(open_inner(point, "receipts", &dir, fault));
    err_t err = seal_write(point->world, dir, receipt->package, &seal, SYNC_RECEIPT_FILE,
                           SYNC_RECEIPT_NAMES, fault);
    world_close(point->world, dir);
    return err;
}

err_t
receipt_settle(point_t *point, fault_t *fault)
{
    int dir = -1;
    TRY(open_inner(point, "receipts", &dir, fault));
    int result = sync_point_file(point->world, SYNC_RECEIPT_NAMES, dir);
    world_close(point->world, dir);
    return result < 0 ? FAIL(fault, result, "sync", "receipts") : OK;
}

static err_t
remove_and_sync(world_t *world, int dir, const char *name, fault_t *fault)
{
    int result = seal_remove(world, dir, name);
    result = result < 0 ? result : sync_point_file(world, SYNC_REMOVE_NAMES, dir);
    return result < 0 ? FAIL(fault, result, "remove", name) : OK;
}

err_t
receipt_remove(point_t *point, const char *package, fault_t *fault)
{
    int dir = -1;
    TRY(open_inner(point, "receipts", &dir, fault));
    err_t err = remove_and_sync(point->world, dir, package, fault);
    world_close(point->world, dir);
    return err;
}

/* packages/<package>, made when `make` is set; ERR_NOT_FOUND when it is not there. */
static err_t
open_records(point_t *point, const char *package, bool make, int *ret_fd, fault_t *fault)
{
    int packages = -1;
    TRY(open_inner(point, "packages", &packages, fault));
    int result = make ? world_make_dir(point->world, packages, package, 0755) : 0;
    result = result == -EEXIST ? 0 : result;
    result =
        result < 0 || !make ? result : sync_point_file(point->world, SYNC_RECORD_NAMES, packages);
    int fd = result < 0 ? result : world_open(point->world, packages, package, DIRECTORY, 0, HOW);
    world_close(point->world, packages);
    if (fd == -ENOENT) {
        return RAISE(fault, ERR_NOT_FOUND, -fd, "open the records of", package);
    }
    if (fd < 0) {
        return FAIL(fault, fd, "open the records of", package);
    }
    *ret_fd = fd;
    return OK;
}

err_t
receipt_version_write(point_t *point, const receipt_t *record, fault_t *fault)
{
    char name[RECEIPT_DIRECTORY_BYTES];
    seal_t seal;
    if (to_seal(record, "version", &seal) != OK) {
        return RAISE(fault, ERR_TOO_LARGE, 0, "write a record of", record->package);
    }
    int dir = -1;
    TRY(open_records(point, record->package, true, &dir, fault));
    err_t err = seal_write(point->world, dir, receipt_directory(record, name), &seal,
                           SYNC_RECORD_FILE, SYNC_RECORD_NAMES, fault);
    world_close(point->world, dir);
    return err;
}

/* The last record takes the package's directory with it. */
err_t
receipt_version_remove(point_t *point, const receipt_t *record, fault_t *fault)
{
    char name[RECEIPT_DIRECTORY_BYTES];
    int dir = -1;
    err_t err = open_records(point, record->package, false, &dir, fault);
    if (err != OK) {
        return err == ERR_NOT_FOUND ? OK : err;
    }
    err = remove_and_sync(point->world, dir, receipt_directory(record, name), fault);
    world_close(point->world, dir);
    TRY(err);
    char path[RECEIPT_PACKAGE_BYTES + sizeof "packages/"];
    snprintf(path, sizeof path, "packages/%s", record->package);
    int result = world_remove_dir(point->world, point->own_fd, path);
    bool stays = result == -ENOTEMPTY || result == -EEXIST || result == -ENOENT;
    return result < 0 && !stays ? FAIL(fault, result, "remove", path) : OK;
}

static int
by_epoch(const void *a, const void *b)
{
    const receipt_t *left = a;
    const receipt_t *right = b;
    if (left->epoch != right->epoch) {
        return left->epoch < right->epoch ? -1 : 1;
    }
    uint64_t left_home = left->home == 0 ? left->epoch : left->home;
    uint64_t right_home = right->home == 0 ? right->epoch : right->home;
    if (left_home != right_home) {
        return left_home < right_home ? -1 : 1;
    }
    return left->copy < right->copy ? -1 : left->copy > right->copy;
}

static err_t
read_record(point_t *point, int dir, const char *name, const char *package, receipt_t *ret_record,
            fault_t *fault)
{
    char own[RECEIPT_DIRECTORY_BYTES];
    TRY(read_text(point->world, dir, name, "version", package, ret_record, fault));
    return strcmp(receipt_directory(ret_record, own), name) == 0
               ? OK
               : RAISE(fault, ERR_DAMAGED, 0, "read the record", name);
}

/* Names that begin with a dot are texts that were not finished. */
static err_t
read_records(point_t *point, int dir, const listing_t *names, const char *package,
             receipt_t *ret_records, size_t max, size_t *ret_count, size_t *damaged, fault_t *fault)
{
    size_t count = 0;
    for (uint32_t i = 0; i < names->count; i++) {
        if (names->name[i][0] == '.') {
            continue;
        }
        if (count == max) {
            return RAISE(fault, ERR_TOO_LARGE, 0, "list the records of", package);
        }
        err_t err = read_record(point, dir, names->name[i], package, &ret_records[count], fault);
        if (err == ERR_DAMAGED && damaged != NULL) {
            (*damaged)++;
            continue;
        }
        TRY(err);
        count++;
    }
    qsort(ret_records, count, sizeof ret_records[0], by_epoch);
    *ret_count = count;
    return OK;
}

static err_t
list_records(point_t *point, const char *package, receipt_t *ret_records, size_t max,
             size_t *ret_count, size_t *damaged, fault_t *fault)
{
    int dir = -1;
    err_t err = open_records(point, package, false, &dir, fault);
    if (err == ERR_NOT_FOUND) {
        *ret_count = 0;
        return OK;
    }
    TRY(err);
    listing_t names = {0};
    err = listing_read(point->world, dir, package, &names, fault);
    err = err == OK ? read_records(point, dir, &names, package, ret_records, max, ret_count,
                                   damaged, fault)
                    : err;
    listing_release(&names);
    world_close(point->world, dir);
    return err;
}

err_t
receipt_versions(point_t *point, const char *package, receipt_t *ret_records, size_t max,
                 size_t *ret_count, fault_t *fault)
{
    return list_records(point, package, ret_records, max, ret_count, NULL, fault);
}

err_t
receipt_whole_versions(point_t *point, const char *package, receipt_t *ret_records, size_t max,
                       size_t *ret_count, size_t *ret_damaged, fault_t *fault)
{
    *ret_damaged = 0;
    return list_records(point, package, ret_records, max, ret_count, ret_damaged, fault);
}
