/* place_look.c - what a point holds of a package, and whether it is ours. */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include "actors/content/fail.h"
#include "actors/content/hash.h"
#include "actors/content/place_inner.h"

uint32_t
place_mode(uint32_t mode, bool read_only)
{
    return read_only ? mode & ~PLACE_WRITE : mode;
}

err_t
place_open_package(point_t *point, const char *package, int *ret_fd, fault_t *fault)
{
    int fd = world_open(point->world, point->fd, package, PLACE_DIRECTORY, 0, PLACE_HOW);
    if (fd == -ENOENT) {
        return RAISE(fault, ERR_NOT_FOUND, -fd, "open", package);
    }
    if (fd < 0) {
        return FAIL(fault, fd, "open", package);
    }
    *ret_fd = fd;
    return OK;
}

err_t
place_current(point_t *point, const char *package, char text[RECEIPT_DIRECTORY_BYTES],
              fault_t *fault)
{
    int dir = -1;
    text[0] = '\0';
    err_t err = place_open_package(point, package, &dir, fault);
    if (err != OK) {
        return err == ERR_NOT_FOUND ? OK : err;
    }
    int64_t size = world_read_link(point->world, dir, "current", text, RECEIPT_DIRECTORY_BYTES);
    world_close(point->world, dir);
    if (size == -EINVAL) {
        return RAISE(fault, ERR_NOT_OURS, EINVAL, "read current of", package);
    }
    if (size < 0 && size != -ENOENT) {
        return FAIL(fault, size, "read current of", package);
    }
    bool fits = size > 0 && size < (int64_t) RECEIPT_DIRECTORY_BYTES;
    text[fits ? size : 0] = '\0';
    return OK;
}

static bool
is_of(const receipt_t *receipt, const place_order_t *order)
{
    return memcmp(receipt->incarnation.byte, order->incarnation.byte,
                  sizeof order->incarnation.byte) == 0;
}

/* A receipt or record of this epoch must have the order's root, for no epoch is used again; a site
 * that comes from a backup does not know which it has used: it is behind. */
static err_t
judge(const receipt_t *there, const place_order_t *order, fault_t *fault)
{
    if (!is_of(there, order)) {
        return RAISE(fault, ERR_NOT_OURS, 0, "place", order->package);
    }
    if (there->epoch == order->epoch && !digest_equal(&there->root, &order->root)) {
        return RAISE(fault, ERR_SUPERSEDED, 0, "place", order->package);
    }
    return OK;
}

static err_t
look_at_receipt(point_t *point, const place_order_t *order, const char *current, place_look_t *look,
                bool *ret_ours, fault_t *fault)
{
    receipt_t receipt;
    err_t err = receipt_read(point, order->package, &receipt, fault);
    if (err == ERR_NOT_FOUND || err == ERR_DAMAGED) {
        return OK; /* the records decide */
    }
    TRY(err);
    TRY(judge(&receipt, order, fault));
    *ret_ours = true;
    if (receipt.epoch > order->epoch) {
        return RAISE(fault, ERR_SUPERSEDED, 0, "place", order->package);
    }
    char name[RECEIPT_DIRECTORY_BYTES];
    if (receipt.epoch == order->epoch && strcmp(receipt_directory(&receipt, name), current) == 0) {
        look->already = true;
        look->receipt = receipt;
    }
    return OK;
}

/* What the records say of the version that is ordered. */
typedef struct recorded {
    bool own;         /* it has one: look->record */
    receipt_t former; /* the latest of an older epoch with the same root and modes as are ordered;
                       * epoch 0: none */
} recorded_t;

/* What is looked for, and what `current` leads to. */
typedef struct looked {
    const place_order_t *order;
    const char *current;
} looked_t;

/* The records rise by epoch, home and copy, so the last one of our epoch is its latest copy. */
static err_t
look_at_records(const receipt_t *records, size_t count, const place_order_t *order,
                const char *current, place_look_t *look, recorded_t *recorded, fault_t *fault)
{
    for (size_t i = 0; i < count; i++) {
        char name[RECEIPT_DIRECTORY_BYTES];
        TRY(judge(&records[i], order, fault));
        bool is_current = strcmp(receipt_directory(&records[i], name), current) == 0;
        if (is_current && records[i].epoch > order->epoch) {
            return RAISE(fault, ERR_SUPERSEDED, 0, "place", order->package);
        }
        if (records[i].epoch == order->epoch) {
            look->record = records[i];
            recorded->own = true;
        } else if (records[i].epoch < order->epoch && records[i].read_only == order->read_only &&
                   digest_equal(&records[i].root, &order->root)) {
            recorded->former = records[i];
        }
    }
    return OK;
}

/* Of a record that is damaged nobody knows how new its version is: so it is passed over only where
 * the receipt says which one is current, and may say what that record did. */
static err_t
list_records(point_t *point, const place_order_t *order, bool has_receipt, receipt_t *records,
             size_t *ret_count, fault_t *fault)
{
    size_t damaged = 0;
    return has_receipt ? receipt_whole_versions(point, order->package, records,
                                                RECEIPT_VERSIONS_MAX, ret_count, &damaged, fault)
                       : receipt_versions(point, order->package, records, RECEIPT_VERSIONS_MAX,
                                          ret_count, fault);
}

static err_t
read_records(point_t *point, const place_order_t *order, const char *current, place_look_t *look,
             bool *ret_ours, recorded_t *recorded, fault_t *fault)
{
    receipt_t *records = malloc(RECEIPT_VERSIONS_MAX * sizeof records[0]);
    if (records == NULL) {
        return NO_MEMORY(fault, order->package);
    }
    size_t count = 0;
    err_t err = list_records(point, order, *ret_ours, records, &count, fault);
    if (err == OK) {
        err = look_at_records(records, count, order, current, look, recorded, fault);
    }
    if (err == OK && look->already && !recorded->own) {
        look->record = look->receipt;
        recorded->own = true;
    }
    *ret_ours = *ret_ours || count > 0;
    free(records);
    return err;
}

/* An older epoch's directory with the same root is this version already: it is taken over. One that
 * is not current would be collected before what is staged is switched to. */
static void
look_at_former(point_t *point, int dir, const receipt_t *former, const looked_t *looked,
               place_look_t *look)
{
    world_stat_t stat;
    char name[RECEIPT_DIRECTORY_BYTES];
    if (former->epoch == 0 ||
        (looked->order->stage && strcmp(receipt_directory(former, name), looked->current) != 0) ||
        world_stat_at(point->world, dir, receipt_directory(former, name), &stat) != 0 ||
        !S_ISDIR(stat.mode)) {
        return;
    }
    look->record.home = former->home == 0 ? former->epoch : former->home;
    look->record.copy = former->copy;
    look->in_place = look->takes_over = true;
}

/* What stands at our version's name must have a record. */
static err_t
look_at_name(point_t *point, int dir, const looked_t *looked, const recorded_t *recorded,
             place_look_t *look, fault_t *fault)
{
    const char *package = looked->order->package;
    world_stat_t stat;
    char name[RECEIPT_DIRECTORY_BYTES];
    int result = world_stat_at(point->world, dir, receipt_directory(&look->record, name), &stat);
    if (result < 0 && result != -ENOENT) {
        return FAIL(fault, result, "stat", package);
    }
    if (result == 0 && (!recorded->own || !S_ISDIR(stat.mode))) {
        return RAISE(fault, ERR_NOT_OURS, 0, "place", package);
    }
    look->in_place = result == 0;
    if (!recorded->own) {
        look_at_former(point, dir, &recorded->former, looked, look);
    }
    return OK;
}

/* What stands at ROOT/PACKAGE must be ours. */
static err_t
look_at_directory(point_t *point, const looked_t *looked, bool ours, const recorded_t *recorded,
                  place_look_t *look, fault_t *fault)
{
    const place_order_t *order = looked->order;
    world_stat_t stat;
    int result = world_stat_at(point->world, point->fd, order->package, &stat);
    if (result == -ENOENT) {
        return OK;
    }
    if (result < 0) {
        return FAIL(fault, result, "stat", order->package);
    }
    if (!ours || !S_ISDIR(stat.mode)) {
        return RAISE(fault, ERR_NOT_OURS, 0, "place", order->package);
    }
    int dir = -1;
    TRY(place_open_package(point, order->package, &dir, fault));
    err_t err = look_at_name(point, dir, looked, recorded, look, fault);
    world_close(point->world, dir);
    return err;
}

static void
fill_record(const place_order_t *order, receipt_t *record)
{
    *record = (receipt_t){.incarnation = order->incarnation,
                          .epoch = order->epoch,
                          .root = order->root,
                          .read_only = order->read_only};
    memcpy(record->package, order->package, strlen(order->package));
    const char *label = order->label == NULL ? "" : order->label;
    memcpy(record->label, label, strnlen(label, sizeof record->label - 1));
}

err_t
place_look(point_t *point, const place_order_t *order, place_look_t *ret_look, fault_t *fault)
{
    assert(strlen(order->package) < RECEIPT_PACKAGE_BYTES);
    assert(tree_name_is_valid(order->package, strlen(order->package)));
    assert(order->package[0] != '.');
    place_look_t look = {0};
    bool ours = false;
    recorded_t recorded = {0};
    char current[RECEIPT_DIRECTORY_BYTES];
    fill_record(order, &look.record);
    TRY(place_current(point, order->package, current, fault));
    TRY(look_at_receipt(point, order, current, &look, &ours, fault));
    TRY(read_records(point, order, current, &look, &ours, &recorded, fault));
    looked_t looked = {.order = order, .current = current};
    TRY(look_at_directory(point, &looked, ours, &recorded, &look, fault));
    look.already = look.already && look.in_place;
    look.record.read_only = look.in_place ? look.record.read_only : order->read_only;
    *ret_look = look;
    return OK;
}

err_t
place_highest(point_t *point, const char *package, const id128_t *incarnation, uint64_t *ret_epoch,
              fault_t *fault)
{
    receipt_t receipt = {.epoch = 0};
    size_t count = 0;
    uint64_t epoch = 0;
    err_t err = receipt_read(point, package, &receipt, fault);
    if (err == OK && memcmp(&receipt.incarnation, incarnation, sizeof *incarnation) == 0) {
        epoch = receipt.epoch;
    }
    receipt_t *records = malloc(RECEIPT_VERSIONS_MAX * sizeof records[0]);
    if (records == NULL) {
        return NO_MEMORY(fault, package);
    }
    err = receipt_versions(point, package, records, RECEIPT_VERSIONS_MAX, &count, fault);
    for (size_t i = 0; err == OK && i < count; i++) {
        bool same = memcmp(&records[i].incarnation, incarnation, sizeof *incarnation) == 0;
        epoch = same && records[i].epoch > epoch ? records[i].epoch : epoch;
    }
    free(records);
    *ret_epoch = epoch;
    return err;
}
