/* receipt.h - what a distribution point says it holds: only this makes a target installed.
 *
 * Shape    ROOT/.despool/receipts/<package>, a sealed text: package, its incarnation, epoch, root,
 *          label, when. ROOT/.despool/packages/<package>/v<epoch>, a sealed text for every version
 *          directory that was ever put in place and not yet removed: what it holds, and since when
 *          it is superseded. The second is how we know which directories are ours. A version that
 *          was found damaged is placed again beside the damaged one, as v<epoch>-<copy>. A version
 *          whose root an older directory has already keeps the name of that one: its record is
 *          written anew, with the new epoch in it.
 * Promises a receipt is written (file and name synced) only after its version is whole, durable and
 *          under `current`; both kinds are read with their digest checked.
 * Costs    one small file each.
 * Errors   ERR_NOT_FOUND (none there), ERR_DAMAGED, and those of the world.
 * Threads  one job.
 */
#pragma once

#include "actors/content/point.h"

#define RECEIPT_PACKAGE_BYTES 65u  /* with the closing NUL */
#define RECEIPT_LABEL_BYTES   257u /* with the closing NUL; a longer label is cut */

typedef struct receipt {
    id128_t incarnation; /* of the package */
    uint64_t epoch;
    uint64_t home;  /* the epoch in the name of its directory; 0: its own */
    uint32_t copy;  /* 0; counts up when the same epoch is placed again after damage */
    bool read_only; /* with the modes of its source less the right to write */
    digest_t root;
    int64_t when_ns;       /* wall clock at which it was placed; shown, never a reason */
    int64_t superseded_ns; /* of version records: 0 while it is current */
    char package[RECEIPT_PACKAGE_BYTES];
    char label[RECEIPT_LABEL_BYTES];
} receipt_t;

/* The name of the version's directory in ROOT/PACKAGE and of its record. Returns name. */
#define RECEIPT_DIRECTORY_BYTES 40u
const char *receipt_directory(const receipt_t *receipt, char name[RECEIPT_DIRECTORY_BYTES]);

err_t receipt_read(point_t *point, const char *package, receipt_t *ret_receipt,
                   fault_t *fault) must_use;
err_t receipt_write(point_t *point, const receipt_t *receipt, fault_t *fault) must_use;
/* Makes the names of receipts durable: one that is read may be of a run that was cut just before
 * its last sync. */
err_t receipt_settle(point_t *point, fault_t *fault) must_use;
err_t receipt_remove(point_t *point, const char *package, fault_t *fault) must_use;

#define RECEIPT_VERSIONS_MAX 1024u /* version directories of one package at one point */
/* The records of a package's versions, in rising order of epoch, home and copy; *ret_count of at
 * most max. A name in packages/ that is no record of ours is ERR_DAMAGED. */
err_t receipt_versions(point_t *point, const char *package, receipt_t *ret_records, size_t max,
                       size_t *ret_count, fault_t *fault) must_use;
/* The same, without those that are damaged, which are counted: for who has a receipt that says what
 * is current. What they were of stays, until a person removes it. */
err_t receipt_whole_versions(point_t *point, const char *package, receipt_t *ret_records,
                             size_t max, size_t *ret_count, size_t *ret_damaged,
                             fault_t *fault) must_use;
err_t receipt_version_write(point_t *point, const receipt_t *record, fault_t *fault) must_use;
err_t receipt_version_remove(point_t *point, const receipt_t *record, fault_t *fault) must_use;
