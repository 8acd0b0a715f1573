/* pack_test.c - claims about chunks, packs and runs of the index. */
#include "watched.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "actors/content/check64.h"
#include "actors/content/sieve.h"
#include "actors/content/store_inner.h"

#define MIB 1048576u

static size_t
cuts_of(const uint8_t *bytes, size_t size, size_t cut[], size_t max)
{
    chunker_t chunker;
    size_t count = 0;
    chunker_init(&chunker);
    for (size_t at = 0; at < size; cut[count - 1] = at) {
        cr_assert(count < max);
        size_t chunk = chunker_cut(&chunker, bytes + at, size - at);
        cr_expect(chunk <= CHUNK_BYTES_MAX, "a chunk has %zu bytes", chunk);
        cr_expect(chunk >= CHUNK_BYTES_MIN || at + chunk == size, "a chunk has %zu bytes", chunk);
        at += chunk;
        count++;
    }
    return count;
}

Test(chunker, cuts_the_same_bytes_at_the_same_places_in_every_release)
{
    static const size_t expected[] = {352544,  566524,  876364,  1168996, 1487638, 1897169,
                                      1990839, 2266278, 2548445, 2810723, 3170341, 3511209,
                                      3814720, 3917708, 4019489, 4194304};
    uint8_t *bytes = bytes_of_seed(4 * MIB, 1);
    size_t cut[128];
    size_t count = cuts_of(bytes, 4 * MIB, cut, 128);
    EXPECT_COUNT(count, sizeof expected / sizeof expected[0]);
    for (size_t i = 0; i < count && i < sizeof expected / sizeof expected[0]; i++) {
        EXPECT_COUNT(cut[i], expected[i]);
    }
    free(bytes);
}

Test(chunker, finds_its_cuts_again_behind_bytes_that_were_put_in)
{
    uint8_t *bytes = bytes_of_seed(16 * MIB, 2);
    uint8_t *longer = malloc(16 * MIB + 1);
    size_t cut[512];
    size_t moved[512];
    longer[0] = 'x';
    memcpy(longer + 1, bytes, 16 * MIB);
    size_t count = cuts_of(bytes, 16 * MIB, cut, 512);
    size_t others = cuts_of(longer, 16 * MIB + 1, moved, 512);
    size_t same = 0;
    for (size_t i = 0, j = 0; i < count && j < others;) {
        same += cut[i] + 1 == moved[j];
        *(cut[i] + 1 < moved[j] ? &i : &j) += 1;
    }
    cr_expect(same + 4 >= count, "%zu of %zu cuts were found again", same, count);
    cr_expect(count > 40 && count < 110, "%zu chunks in 16 MiB", count);
    free(bytes);
    free(longer);
}

Test(pack, no_flipped_bit_of_a_head_is_believed)
{
    pack_record_t record = {.kind = PACK_BYTES, .stored = 7, .size = 7, .body_check = 5};
    pack_record_t found;
    uint64_t id;
    uint8_t head[PACK_HEAD_BYTES];
    uint8_t bytes[RECORD_HEAD_BYTES];
    pack_record_encode(&record, bytes);
    pack_head_encode(77, head);
    cr_expect_eq(pack_record_decode(bytes, &found), OK);
    cr_expect_eq(pack_head_decode(head, &id), OK);
    EXPECT_COUNT(id, 77);
    for (unsigned bit = 0; bit < 8 * sizeof bytes; bit++) {
        bytes[bit / 8] ^= (uint8_t) (1u << bit % 8);
        cr_expect(pack_record_decode(bytes, &found) != OK, "bit %u of a record's head", bit);
        bytes[bit / 8] ^= (uint8_t) (1u << bit % 8);
    }
    for (unsigned bit = 0; bit < 8 * sizeof head; bit++) {
        head[bit / 8] ^= (uint8_t) (1u << bit % 8);
        cr_expect(pack_head_decode(head, &id) != OK, "bit %u of a pack's head", bit);
        head[bit / 8] ^= (uint8_t) (1u << bit % 8);
    }
}

Test(pack, sizes_that_cannot_be_are_refused)
{
    static const pack_record_t wrong[] = {
        {.kind = PACK_BYTES, .stored = 7, .size = 8},
        {.kind = PACK_BYTES, .packing = PACKED_ZSTD, .stored = 8, .size = 8},
        {.kind = PACK_BYTES, .packing = PACKED_ZSTD, .stored = 8, .size = (uint64_t) 1 << 40},
        {.kind = PACK_BYTES, .stored = UINT32_MAX, .size = UINT32_MAX},
        {.kind = PACK_LIST, .stored = LIST_ROW_BYTES + 1, .size = 1},
        {.kind = PACK_LIST, .packing = PACKED_ZSTD, .stored = LIST_ROW_BYTES, .size = 99},
        {.kind = 3, .stored = 8, .size = 8}};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        uint8_t bytes[RECORD_HEAD_BYTES];
        pack_record_t found;
        pack_record_encode(&wrong[i], bytes);
        cr_expect_eq(pack_record_decode(bytes, &found), ERR_DAMAGED, "record %zu", i);
    }
}

static run_entry_t
entry_of(uint64_t number, uint64_t pack)
{
    run_entry_t entry = {.pack = pack, .offset = number, .stored = 1, .size = 1, .kind = 1};
    uint64_t word = check64(&number, sizeof number);
    memcpy(entry.digest.byte, &word, sizeof word);
    return entry;
}

Test(run, no_flipped_bit_of_a_page_is_believed)
{
    run_entry_t entry[RUN_PAGE_ENTRIES];
    uint8_t page[RUN_PAGE_BYTES];
    uint32_t count;
    run_entry_t one = entry_of(1, 1);
    run_page_encode(&one, 1, 5, page);
    cr_expect_eq(run_page_decode(page, 5, entry, &count), OK);
    cr_expect_eq(run_page_decode(page, 6, entry, &count), ERR_DAMAGED);
    for (unsigned bit = 0; bit < 8 * sizeof page; bit++) {
        page[bit / 8] ^= (uint8_t) (1u << bit % 8);
        cr_expect(run_page_decode(page, 5, entry, &count) != OK, "bit %u", bit);
        page[bit / 8] ^= (uint8_t) (1u << bit % 8);
    }
}

Test(sieve, forgets_nothing_and_lets_little_else_through_in_every_release)
{
    enum { COUNT = 5000 };
    uint32_t words = sieve_words(COUNT);
    uint64_t *word = calloc(words, sizeof word[0]);
    uint32_t others = 0;
    for (uint32_t i = 0; i < COUNT; i++) {
        run_entry_t entry = entry_of(i, 1);
        sieve_add(word, words, &entry.digest);
    }
    for (uint32_t i = 0; i < COUNT; i++) {
        run_entry_t there = entry_of(i, 1);
        run_entry_t absent = entry_of(i + COUNT, 1);
        cr_expect(sieve_may_have(word, words, &there.digest), "%u is forgotten", i);
        others += sieve_may_have(word, words, &absent.digest);
    }
    cr_expect(others < COUNT / 20, "%u of %d that are not there", others, COUNT);
    EXPECT_COUNT(words, 938);
    EXPECT_COUNT(word[0], 15183953377063458530u);
    EXPECT_COUNT(word[937], 2739877992963802882u);
    free(word);
}

static int
in_order(const void *a, const void *b)
{
    return run_entry_order(a, b);
}

static run_file_t *
run_of(yard_t *yard, const run_entry_t *entry, uint32_t count)
{
    run_writer_t writer;
    run_file_t *file = NULL;
    bool missing = true;
    int dir = world_open(yard->world, AT_FDCWD, yard->data, O_RDONLY | O_DIRECTORY, 0, 0);
    EXPECT_OK(yard, run_writer_begin(&writer, yard->world, dir, 7, count, &yard->fault));
    for (uint32_t i = 0; i < count; i++) {
        EXPECT_OK(yard, run_writer_add(&writer, &entry[i], &yard->fault));
    }
    EXPECT_OK(yard, run_writer_finish(&writer, &yard->fault));
    EXPECT_OK(yard,
              run_open(yard->world, dir, "0000000000000007.run", &file, &missing, &yard->fault));
    cr_assert(!missing);
    world_close(yard->world, dir);
    return file;
}

static uint32_t
found_in(yard_t *yard, run_file_t *file, const digest_t *digest)
{
    run_search_t search;
    uint32_t count = 0;
    bool found = true;
    for (run_search_begin(&search, file, digest); found; count += found) {
        const run_entry_t *entry = NULL;
        uint64_t ordinal;
        EXPECT_OK(yard, run_search_next(&search, &entry, &ordinal, &found, &yard->fault));
    }
    return count;
}

Test(run, finds_each_entry_and_nothing_else)
{
    enum { COUNT = 5000, DOUBLED = 100 };
    static run_entry_t entry[COUNT + DOUBLED];
    yard_t yard;
    yard_begin(&yard, AS_STARTED);
    for (uint32_t i = 0; i < COUNT; i++) {
        entry[i] = entry_of(i, 1);
    }
    for (uint32_t i = 0; i < DOUBLED; i++) { /* one digest in so many packs: over a page's end */
        entry[COUNT + i] = entry_of(17, i + 2);
    }
    qsort(entry, COUNT + DOUBLED, sizeof entry[0], in_order);
    run_file_t *file = run_of(&yard, entry, COUNT + DOUBLED);
    EXPECT_COUNT(file->entries, COUNT + DOUBLED);
    for (uint32_t i = 0; i < 2 * COUNT; i++) {
        run_entry_t one = entry_of(i, 1);
        uint32_t expected = i == 17 ? DOUBLED + 1 : i < COUNT;
        EXPECT_COUNT(found_in(&yard, file, &one.digest), expected);
    }
    run_close(&file);
    yard_end(&yard);
}

/* A run of full pages, in files of the yard. */
static run_file_t *
run_of_pages(yard_t *yard, run_entry_t *entry, uint32_t pages)
{
    for (uint32_t i = 0; i < pages * RUN_PAGE_ENTRIES; i++) {
        entry[i] = entry_of(i, 1);
    }
    qsort(entry, pages * RUN_PAGE_ENTRIES, sizeof entry[0], in_order);
    return run_of(yard, entry, pages * RUN_PAGE_ENTRIES);
}

Test(run, reads_each_page_once_however_often_it_is_searched)
{
    enum { PAGES = 100, COUNT = PAGES * RUN_PAGE_ENTRIES };
    static run_entry_t entry[COUNT];
    yard_t yard;
    watched_t watched;
    yard_begin(&yard, AS_STARTED);
    watch(&watched, &yard);
    run_file_t *file = run_of_pages(&yard, entry, PAGES);
    uint64_t before = watched.reads;
    for (uint32_t i = 0; i < 3 * COUNT; i++) { /* in no order */
        run_entry_t one = entry_of(i % COUNT, 1);
        EXPECT_COUNT(found_in(&yard, file, &one.digest), 1);
    }
    EXPECT_COUNT(watched.reads - before, PAGES);
    run_close(&file);
    yard_end(&yard);
}

Test(run, keeps_so_many_pages_and_finds_what_is_in_the_others)
{
    enum { PAGES = RUN_PAGES_KEPT + 9, COUNT = PAGES * RUN_PAGE_ENTRIES };
    static run_entry_t entry[COUNT];
    yard_t yard;
    yard_begin(&yard, AS_STARTED);
    run_file_t *file = run_of_pages(&yard, entry, PAGES);
    for (uint32_t i = 0; i < COUNT; i++) {
        EXPECT_COUNT(found_in(&yard, file, &entry[i].digest), 1);
    }
    EXPECT_COUNT(file->kept_count, RUN_PAGES_KEPT);
    run_close(&file);
    yard_end(&yard);
}

/* Writes over one byte of the only run. */
static void
write_over(const yard_t *yard, uint64_t offset, uint8_t byte)
{
    char path[128];
    snprintf(path, sizeof path, "%s/0000000000000007.run", yard->data);
    int fd = open(path, O_WRONLY);
    cr_assert(fd >= 0 && pwrite(fd, &byte, 1, (off_t) offset) == 1);
    close(fd);
}

static err_t
search_for(const run_entry_t *entry, run_file_t *file)
{
    run_search_t search;
    const run_entry_t *found = NULL;
    uint64_t ordinal = 0;
    bool is_there = false;
    run_search_begin(&search, file, &entry->digest);
    err_t err = run_search_next(&search, &found, &ordinal, &is_there, NULL);
    cr_expect(err != OK || (is_there && ordinal == 0));
    return err;
}

Test(run, a_page_that_went_bad_is_damaged_each_time_until_it_is_right)
{
    static run_entry_t entry[2 * RUN_PAGE_ENTRIES];
    yard_t yard;
    yard_begin(&yard, AS_STARTED);
    run_file_t *file = run_of_pages(&yard, entry, 2);
    write_over(&yard, 5, 0); /* of 63 entries on the first page it says none */
    cr_expect_eq(search_for(&entry[0], file), ERR_DAMAGED);
    cr_expect_eq(search_for(&entry[0], file), ERR_DAMAGED);
    write_over(&yard, 5, RUN_PAGE_ENTRIES);
    cr_expect_eq(search_for(&entry[0], file), OK);
    run_close(&file);
    yard_end(&yard);
}
