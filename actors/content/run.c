/* run.c - finding and reading in one run of the index.
 *
 * Bytes    see run.h; valid page by page, by their checks.
 * A crash  leaves runs that are whole; see run_write.c for those under way.
 */
#include "actors/content/run.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include "actors/content/big_endian.h"
#include "actors/content/check64.h"
#include "actors/content/fail.h"
#include "actors/content/run_inner.h"
#include "actors/content/sieve.h"

#define OPEN_HOW WORLD_BENEATH

int
run_entry_order(const run_entry_t *a, const run_entry_t *b)
{
    int order = memcmp(a->digest.byte, b->digest.byte, sizeof a->digest.byte);
    if (order != 0) {
        return order;
    }
    if (a->pack != b->pack) {
        return a->pack < b->pack ? -1 : 1;
    }
    return a->offset < b->offset ? -1 : a->offset > b->offset;
}

static void
entry_encode(const run_entry_t *entry, uint8_t *at)
{
    memcpy(at, entry->digest.byte, sizeof entry->digest.byte);
    put_u64(at + 32, entry->pack);
    put_u64(at + 40, entry->offset);
    put_u32(at + 48, entry->stored);
    at[52] = (uint8_t) entry->kind;
    at[53] = (uint8_t) entry->packing;
    put_u64(at + 56, entry->size);
}

static run_entry_t
entry_decode(const uint8_t *at)
{
    run_entry_t entry = {.pack = get_u64(at + 32),
                         .offset = get_u64(at + 40),
                         .size = get_u64(at + 56),
                         .stored = get_u32(at + 48),
                         .kind = at[52],
                         .packing = at[53]};
    memcpy(entry.digest.byte, at, sizeof entry.digest.byte);
    return entry;
}

static uint64_t
page_check(const uint8_t page[RUN_PAGE_BYTES])
{
    return check64_more(check64(page, 56), page + 64, RUN_PAGE_BYTES - 64);
}

void
run_page_encode(const run_entry_t *entries, uint32_t count, uint32_t number,
                uint8_t ret_page[RUN_PAGE_BYTES])
{
    assert(count <= RUN_PAGE_ENTRIES);
    memset(ret_page, 0, RUN_PAGE_BYTES);
    memcpy(ret_page, RUN_PAGE_MARK, 4);
    put_u16(ret_page + 4, (uint16_t) count);
    put_u32(ret_page + 8, number);
    for (uint32_t i = 0; i < count; i++) {
        entry_encode(&entries[i], ret_page + RUN_ENTRY_BYTES * (i + 1));
    }
    put_u64(ret_page + 56, page_check(ret_page));
}

/* Whether it is this page as it was written. */
static err_t
look_at_page(const uint8_t page[RUN_PAGE_BYTES], uint32_t number, uint32_t *ret_count)
{
    *ret_count = get_u16(page + 4);
    return memcmp(page, RUN_PAGE_MARK, 4) != 0 || get_u64(page + 56) != page_check(page) ||
                   get_u32(page + 8) != number || *ret_count == 0 || *ret_count > RUN_PAGE_ENTRIES
               ? ERR_DAMAGED
               : OK;
}

err_t
run_page_decode(const uint8_t page[RUN_PAGE_BYTES], uint32_t number,
                run_entry_t ret_entries[RUN_PAGE_ENTRIES], uint32_t *ret_count)
{
    uint32_t count = 0;
    TRY(look_at_page(page, number, &count));
    for (uint32_t i = 0; i < count; i++) {
        ret_entries[i] = entry_decode(page + RUN_ENTRY_BYTES * (i + 1));
        if (i > 0 && run_entry_order(&ret_entries[i - 1], &ret_entries[i]) >= 0) {
            return ERR_DAMAGED;
        }
    }
    *ret_count = count;
    return OK;
}

/* Reads size bytes at an offset; a file that ends before is damaged. */
static err_t
read_exact(run_file_t *run, void *bytes, size_t size, uint64_t offset, fault_t *fault)
{
    for (size_t done = 0; done < size;) {
        int64_t got =
            world_read(run->world, run->fd, (uint8_t *) bytes + done, size - done, offset + done);
        if (got < 0) {
            return FAIL(fault, got, "read", run->name);
        }
        if (got == 0) {
            return RAISE(fault, ERR_DAMAGED, 0, "read", run->name);
        }
        done += (size_t) got;
    }
    return OK;
}

static err_t
read_directory(run_file_t *run, uint64_t check, fault_t *fault)
{
    size_t size = run->pages * sizeof run->first[0];
    run->first = malloc(size + 1);
    if (run->first == NULL) {
        return NO_MEMORY(fault, run->name);
    }
    TRY(read_exact(run, run->first, size, (uint64_t) run->pages * RUN_PAGE_BYTES, fault));
    bool sound = check64(run->first, size) == check;
    for (uint32_t i = 0; i < run->pages; i++) {
        run->first[i] = get_u64((const uint8_t *) &run->first[i]);
        sound = sound && (i == 0 || run->first[i - 1] <= run->first[i]);
    }
    return sound ? OK : RAISE(fault, ERR_DAMAGED, 0, "read", run->name);
}

static uint64_t
sieve_at(const run_file_t *run)
{
    return run->pages * (uint64_t) (RUN_PAGE_BYTES + sizeof run->first[0]);
}

err_t
run_read_sieve(run_file_t *run, fault_t *fault)
{
    size_t size = run->sieve_words * sizeof run->sieve[0];
    if (run->sieve != NULL || run->sieve_damaged) {
        return OK;
    }
    uint64_t *sieve = malloc(size);
    err_t err = sieve == NULL ? NO_MEMORY(fault, run->name)
                              : read_exact(run, sieve, size, sieve_at(run), fault);
    bool sound = err == OK && check64(sieve, size) == run->sieve_check;
    run->sieve_damaged = err == ERR_DAMAGED || (err == OK && !sound);
    if (!sound) {
        free(sieve);
        return run->sieve_damaged ? OK : err;
    }
    for (uint32_t i = 0; i < run->sieve_words; i++) {
        sieve[i] = get_u64((const uint8_t *) &sieve[i]);
    }
    run->sieve = sieve;
    return OK;
}

err_t
run_may_have(run_file_t *run, const digest_t *digest, bool *ret_may, fault_t *fault)
{
    TRY(run_read_sieve(run, fault));
    *ret_may = run->sieve == NULL || sieve_may_have(run->sieve, run->sieve_words, digest);
    return OK;
}

static err_t
read_tail(run_file_t *run, fault_t *fault)
{
    world_stat_t stat;
    uint8_t tail[RUN_TAIL_BYTES];
    int result = world_stat(run->world, run->fd, &stat);
    if (result < 0) {
        return FAIL(fault, result, "stat", run->name);
    }
    if (stat.size < RUN_TAIL_BYTES) {
        return RAISE(fault, ERR_DAMAGED, 0, "read", run->name);
    }
    TRY(read_exact(run, tail, sizeof tail, stat.size - RUN_TAIL_BYTES, fault));
    if (memcmp(tail, RUN_TAIL_MARK, 6) != 0 || get_u64(tail + 56) != check64(tail, 56)) {
        return RAISE(fault, ERR_DAMAGED, 0, "read", run->name);
    }
    if (get_u16(tail + 6) != RUN_FORMAT) {
        return RAISE(fault, ERR_UNSUPPORTED, 0, "read", run->name);
    }
    uint64_t pages = get_u64(tail + 16);
    uint64_t words = get_u64(tail + 32);
    run->entries = get_u64(tail + 8);
    run->sieve_check = get_u64(tail + 40);
    run->pages = (uint32_t) pages;
    run->sieve_words = (uint32_t) words;
    if (pages > UINT32_MAX || words == 0 || words > UINT32_MAX ||
        stat.size != sieve_at(run) + words * sizeof run->sieve[0] + RUN_TAIL_BYTES) {
        return RAISE(fault, ERR_DAMAGED, 0, "read", run->name);
    }
    return read_directory(run, get_u64(tail + 24), fault);
}

err_t
run_open(world_t *world, int dir, const char *name, run_file_t **ret_run, bool *ret_missing,
         fault_t *fault)
{
    *ret_missing = false;
    int fd = world_open(world, dir, name, O_RDONLY | O_NOFOLLOW, 0, OPEN_HOW);
    if (fd < 0) {
        *ret_missing = fd == -ENOENT;
        return *ret_missing ? OK : FAIL(fault, fd, "open", name);
    }
    run_file_t *run = calloc(1, sizeof *run);
    if (run == NULL) {
        world_close(world, fd);
        return NO_MEMORY(fault, name);
    }
    run->world = world;
    run->fd = fd;
    strncpy(run->name, name, sizeof run->name - 1);
    err_t err = read_tail(run, fault);
    if (err != OK) {
        run_close(&run);
        return err;
    }
    *ret_run = run;
    return OK;
}

static void
free_kept(run_file_t *run)
{
    for (uint32_t i = 0; run->kept != NULL && i < run->pages; i++) {
        free(run->kept[i]);
    }
    free(run->kept);
}

void
run_close(run_file_t **run)
{
    if (*run != NULL) {
        world_close((*run)->world, (*run)->fd);
        free_kept(*run);
        free((*run)->first);
        free((*run)->sieve);
        free(*run);
        *run = NULL;
    }
}

err_t
run_read_page(run_file_t *run, uint32_t number, run_entry_t ret_entries[RUN_PAGE_ENTRIES],
              uint32_t *ret_count, fault_t *fault)
{
    assert(number < run->pages);
    TRY(read_exact(run, run->page, RUN_PAGE_BYTES, (uint64_t) number * RUN_PAGE_BYTES, fault));
    err_t err = run_page_decode(run->page, number, ret_entries, ret_count);
    return err == OK ? OK : RAISE(fault, err, 0, "read", run->name);
}

/* The last page that begins before the digest; the one that begins with its bytes may be the one
 * behind it. */
static uint32_t
page_of(const run_file_t *run, uint64_t prefix)
{
    uint32_t low = 0;
    uint32_t high = run->pages;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (run->first[middle] < prefix) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low == 0 ? 0 : low - 1;
}

void
run_search_begin(run_search_t *search, run_file_t *run, const digest_t *digest)
{
    search->run = run;
    search->digest = *digest;
    search->page = page_of(run, get_u64(digest->byte));
    search->next = search->count = 0;
}

/* Where the page is to be read to: it is kept, while there is room for it. */
static uint8_t *
room_for_page(run_search_t *search, uint32_t number)
{
    run_file_t *run = search->run;
    uint8_t *room = run->kept_count < RUN_PAGES_KEPT ? malloc(RUN_PAGE_BYTES) : NULL;
    run->kept[number] = room;
    run->kept_count += room != NULL;
    return room != NULL ? room : search->own;
}

static void
forget_page(run_file_t *run, uint32_t number)
{
    run->kept_count -= run->kept[number] != NULL;
    free(run->kept[number]);
    run->kept[number] = NULL;
}

static err_t
read_page(run_search_t *search, uint32_t number, fault_t *fault)
{
    run_file_t *run = search->run;
    uint8_t *page = room_for_page(search, number);
    err_t err = read_exact(run, page, RUN_PAGE_BYTES, (uint64_t) number * RUN_PAGE_BYTES, fault);
    if (err == OK && look_at_page(page, number, &search->count) != OK) {
        err = RAISE(fault, ERR_DAMAGED, 0, "read", run->name);
    }
    if (err != OK) {
        forget_page(run, number);
    }
    search->at = page;
    return err;
}

/* Names of a tree lie all over a run, and each of its pages is asked for some sixty times: read and
 * decoded each time they were a quarter of what 16,851 files cost an agent. */
static err_t
bring_page(run_search_t *search, uint32_t number, fault_t *fault)
{
    run_file_t *run = search->run;
    if (run->kept == NULL && (run->kept = calloc(run->pages, sizeof run->kept[0])) == NULL) {
        return NO_MEMORY(fault, run->name);
    }
    if (run->kept[number] == NULL) {
        return read_page(search, number, fault);
    }
    search->at = run->kept[number];
    search->count = get_u16(search->at + 4);
    return OK;
}

/* Brings the next page that may have the digest; *ret_more: there is one. */
static err_t
next_page(run_search_t *search, bool *ret_more, fault_t *fault)
{
    run_file_t *run = search->run;
    *ret_more =
        search->page < run->pages && run->first[search->page] <= get_u64(search->digest.byte);
    if (*ret_more) {
        search->next = 0;
        TRY(bring_page(search, search->page++, fault));
    }
    return OK;
}

static const uint8_t *
entry_at(const run_search_t *search, uint32_t which)
{
    return search->at + RUN_ENTRY_BYTES * (which + 1);
}

/* The first entry from `next` on that is not before the digest. */
static uint32_t
seek(const run_search_t *search)
{
    uint32_t low = search->next;
    uint32_t high = search->count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (memcmp(entry_at(search, middle), search->digest.byte, sizeof search->digest.byte) < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

err_t
run_search_next(run_search_t *search, const run_entry_t **ret_entry, uint64_t *ret_ordinal,
                bool *ret_found, fault_t *fault)
{
    *ret_found = false;
    for (;;) {
        uint32_t at = seek(search);
        if (at < search->count) {
            search->next = at + 1;
            search->entry = entry_decode(entry_at(search, at));
            *ret_found = digest_equal(&search->entry.digest, &search->digest);
            *ret_entry = &search->entry;
            *ret_ordinal = (uint64_t) (search->page - 1) * RUN_PAGE_ENTRIES + at;
            return OK;
        }
        bool more = false;
        TRY(next_page(search, &more, fault));
        if (!more) {
            return OK;
        }
    }
}
