/* run.h - the store's index: where the record of each object stands, as files of rising digests.
 *
 * Shape    a run is one file, written once and never changed:
 *          pages of 4096 bytes: "DSIP", count u16, 0 u16, number u32, 0, at 56 the check of all
 *              other bytes of the page u64; then up to 63 entries of 64 bytes: digest 32, pack
 *              u64, offset u64, stored u32, kind u8, packing u8, 0 u16, size u64; all in rising
 *              order of digest, pack, offset
 *          a directory: the first 8 bytes of the first digest of each page
 *          a sieve (sieve.h): words u64
 *          a tail of 64 bytes: "DSPRUN", format u16 = 1, entries u64, pages u64, check of the
 *              directory u64, words of the sieve u64, its check u64, 0, check of the tail u64
 *          Several runs together are the index; one digest may stand in several, or several times.
 * Promises a run is named when it is whole and synced. A page that went bad is ERR_DAMAGED, never
 *          believed. What a run says is a hint: the record itself carries its digest, and a pack
 *          that is not there any more makes the entry void. So runs may be merged, doubled, left
 *          behind by a cut, and made anew from the packs.
 * Costs    finding: a search in memory (8 bytes a page) and one page read, 6 us, or 0.3 us where
 *          that page was kept; what is not there: a look at one word of the sieve, which is read
 *          when it is first needed. Memory 1.7 MB for 1,000,000 entries, at most RUN_PAGES_KEPT
 *          pages of those that were searched, and one page for a reader or writer.
 * Errors   ERR_DAMAGED, ERR_UNSUPPORTED (a newer format), those of the world.
 * Threads  one.
 * Owner    run_open / run_close; run_writer_begin / run_writer_finish or run_writer_drop.
 */
#pragma once

#include "actors/content/pack.h"
#include "runtime/world.h"

#define RUN_PAGE_BYTES   4096u
#define RUN_PAGE_ENTRIES 63u
#define RUN_ENTRY_BYTES  64u
#define RUN_TAIL_BYTES   64u
#define RUN_PAGES_KEPT   256u /* in memory, of a run that is searched; others are read anew */
#define RUN_NAME_BYTES   32u  /* of a run's or pack's name with its NUL */

typedef struct run_entry {
    digest_t digest;
    uint64_t pack, offset; /* of the record's head */
    uint64_t size;         /* of the object */
    uint32_t stored;
    pack_kind_t kind;
    pack_packing_t packing;
} run_entry_t;

int run_entry_order(const run_entry_t *a, const run_entry_t *b);
/* A page of count entries, and back: how many there are. */
void run_page_encode(const run_entry_t *entries, uint32_t count, uint32_t number,
                     uint8_t ret_page[RUN_PAGE_BYTES]);
err_t run_page_decode(const uint8_t page[RUN_PAGE_BYTES], uint32_t number,
                      run_entry_t ret_entries[RUN_PAGE_ENTRIES], uint32_t *ret_count) must_use;

typedef struct run_file {
    world_t *world;
    int fd;
    char name[RUN_NAME_BYTES];
    uint64_t entries;
    uint32_t pages;
    uint64_t *first; /* of each page */
    uint64_t *sieve; /* NULL: not read yet, or it went bad */
    uint32_t sieve_words;
    uint64_t sieve_check;
    bool sieve_damaged;
    uint8_t **kept; /* by number: pages that were read and found right; NULL: no search yet */
    uint32_t kept_count;
    uint8_t page[RUN_PAGE_BYTES];
} run_file_t;

/* *ret_missing: there is no such file (any more), and no run. */
err_t run_open(world_t *world, int dir, const char *name, run_file_t **ret_run, bool *ret_missing,
               fault_t *fault) must_use;
void run_close(run_file_t **run);
/* Whether it is worth to search for the digest; where the sieve went bad, it always is. */
err_t run_may_have(run_file_t *run, const digest_t *digest, bool *ret_may, fault_t *fault) must_use;
/* Reads the sieve, when that was not done yet; one that went bad is no error. */
err_t run_read_sieve(run_file_t *run, fault_t *fault) must_use;
err_t run_read_page(run_file_t *run, uint32_t number, run_entry_t ret_entries[RUN_PAGE_ENTRIES],
                    uint32_t *ret_count, fault_t *fault) must_use;

/* Goes over the entries of one digest in one run. ordinal is the entry's number in its run. */
typedef struct run_search {
    run_file_t *run;
    digest_t digest;
    uint32_t page, next, count; /* of the page at `at` */
    const uint8_t *at;          /* the run's, or `own` */
    uint8_t own[RUN_PAGE_BYTES];
    run_entry_t entry; /* the one that was found */
} run_search_t;
void run_search_begin(run_search_t *search, run_file_t *run, const digest_t *digest);
/* false: there are no more. The entry is borrowed until the next call. */
err_t run_search_next(run_search_t *search, const run_entry_t **ret_entry, uint64_t *ret_ordinal,
                      bool *ret_found, fault_t *fault) must_use;

typedef struct run_writer {
    world_t *world;
    int dir, fd;
    char name[RUN_NAME_BYTES]; /* that it will have */
    uint64_t entries;
    uint32_t pages, count; /* entries of the page under way */
    uint64_t *first;
    size_t capacity;
    uint64_t *sieve;
    uint32_t sieve_words;
    run_entry_t entry[RUN_PAGE_ENTRIES];
    uint8_t *buffer; /* pages that are not written yet */
    uint32_t buffered;
} run_writer_t;

/* Makes a file that has a name of its own until it is finished. most: entries that may come; more
 * are taken, and its sieve lets more through. */
err_t run_writer_begin(run_writer_t *writer, world_t *world, int dir, uint64_t id, uint64_t most,
                       fault_t *fault) must_use;
/* In rising order; an entry that is the same as the last one is passed over. */
err_t run_writer_add(run_writer_t *writer, const run_entry_t *entry, fault_t *fault) must_use;
/* Syncs the file and gives it its name, which is durable when dir has been synced. The writer ends
 * in either case. */
err_t run_writer_finish(run_writer_t *writer, fault_t *fault) must_use;
void run_writer_drop(run_writer_t *writer);
/* Whether a name of the directory is a run's, and of a run under way. */
bool run_name_is(const char *name);
bool run_name_is_new(const char *name);
