/* fold.h - names of one directory that are one name to whom tells no difference of case.
 *
 * Shape    a letter of ASCII, Latin-1, Latin Extended-A, Greek or Cyrillic is folded by adding to
 *          its number; every other one, and of a name that is not UTF-8 every byte above ASCII,
 *          stays as it is. No locale is asked.
 * Promises the same answer on every machine. vfat, exFAT, NTFS, APFS and ext4 fold all of these
 *          letters, and more (accents that stand apart, letters of other scripts): a clash that
 *          is missed here is met by who places it, as an error.
 * Costs    nothing but a look at the names where none has a letter to be folded; else 24 bytes and
 *          the name for each name of the directory, and one sort of them.
 * Errors   ERR_NO_MEMORY.
 * Threads  pure.
 */
#pragma once

#include "actors/content/descent.h"
#include "actors/content/manifest.h"

/* Folds a name, which keeps its size; whether that changed it. */
bool fold_name(const char *name, size_t size, char *ret_folded);

typedef struct fold_clashes {
    uint64_t count; /* names that are that of an entry before theirs when both are folded */
    char first[FAULT_SUBJECT_BYTES]; /* path of the first that was met, cut where it is longer */
} fold_clashes_t;
/* Adds those of the directory that the way leads to. */
err_t fold_count(const void *checked_node, descent_t *way, fold_clashes_t *clashes,
                 fault_t *fault) must_use;
