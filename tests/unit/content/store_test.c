/* store_test.c - claims about objects in packs, and what goes over the whole store. */
#include "watched.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "actors/content/store_inner.h"

#define MIB 1048576u

/* ---- the store ---- */

static void
expect_object(yard_t *yard, const digest_t *digest, const void *bytes, size_t size)
{
    void *found = NULL;
    size_t found_size = 0;
    EXPECT_OK(yard, store_read(yard->store, digest, size, &found, &found_size, &yard->fault));
    EXPECT_COUNT(found_size, size);
    cr_expect(found_size == size && memcmp(found, bytes, size) == 0, "the bytes differ");
    free(found);
}

static unsigned long
bytes_in_packs(yard_t *yard)
{
    char command[200];
    unsigned long bytes = 0;
    snprintf(command, sizeof command, "cat %s/store/packs/* | wc -c", yard->data);
    FILE *pipe = popen(command, "r");
    cr_assert_eq(fscanf(pipe, "%lu", &bytes), 1);
    pclose(pipe);
    return bytes;
}

CLAIM_OF_BOTH(store, keeps_each_chunk_of_large_files_once)
{
    yard_t yard;
    yard_begin(&yard, user);
    uint8_t *bytes = bytes_of_seed(12 * MIB, 3);
    store_put_t first = yard_put_file(&yard, "big", bytes, 12 * MIB);
    EXPECT_COUNT(first.new_bytes, 12 * MIB);
    bytes[6 * MIB] ^= 1;
    store_put_t second = yard_put_file(&yard, "big", bytes, 12 * MIB);
    EXPECT_COUNT(second.size, 12 * MIB);
    cr_expect(second.new_bytes <= 2 * CHUNK_BYTES_MAX, "%llu new bytes after one edit",
              (unsigned long long) second.new_bytes);
    EXPECT_OK(&yard, store_commit(yard.store, &yard.fault));
    cr_expect(bytes_in_packs(&yard) < 15 * MIB);
    yard_reopen(&yard);
    expect_object(&yard, &second.digest, bytes, 12 * MIB);
    bytes[6 * MIB] ^= 1;
    expect_object(&yard, &first.digest, bytes, 12 * MIB);
    free(bytes);
    yard_end(&yard);
}

/* Every part that begins at a drawn place is that of the bytes, and none is behind their end. */
static void
expect_parts(yard_t *yard, const digest_t *digest, const uint8_t *bytes, size_t size)
{
    enum { MOST = 700000 };
    uint8_t *part = malloc(MOST);
    uint64_t total = 0;
    size_t got = 0;
    for (uint64_t i = 0; i < 24; i++) {
        uint64_t from = i * 2654435761u % (size + 1);
        size_t max = (size_t) (i * 40503u % MOST);
        size_t left = size - from < max ? (size_t) (size - from) : max;
        EXPECT_OK(yard, store_read_part(yard->store, digest, from, part, max, &got, &total,
                                        &yard->fault));
        EXPECT_COUNT(total, size);
        EXPECT_COUNT(got, left);
        cr_expect(got == left && memcmp(part, bytes + from, left) == 0, "the bytes differ");
    }
    EXPECT_OK(yard, store_read_part(yard->store, digest, size + 9, part, MOST, &got, &total,
                                    &yard->fault));
    EXPECT_COUNT(got, 0);
    free(part);
}

CLAIM_OF_BOTH(store, reads_any_part_of_an_object)
{
    yard_t yard;
    yard_begin(&yard, user);
    uint8_t *bytes = bytes_of_seed(3 * MIB, 8);
    store_put_t large = yard_put_file(&yard, "large", bytes, 3 * MIB);
    digest_t small = yard_put_bytes(&yard, bytes, 5000);
    char old[] = "of the first release";
    EXPECT_OK(&yard, store_commit(yard.store, &yard.fault));
    expect_parts(&yard, &large.digest, bytes, 3 * MIB);
    expect_parts(&yard, &small, bytes, 5000);
    run("mkdir -p %s/store/objects && cd %s/store/objects && printf '%s' > x && "
        "d=$(sha256sum < x | cut -c1-64) && mkdir $(echo $d | cut -c1-2) && "
        "mv x $(echo $d | cut -c1-2)/$d",
        yard.data, yard.data, old);
    yard_reopen(&yard);
    digest_t digest;
    hash_bytes(yard.store->hash, old, strlen(old), &digest);
    expect_parts(&yard, &digest, (const uint8_t *) old, strlen(old));
    free(bytes);
    yard_end(&yard);
}

CLAIM_OF_BOTH(store, squeezes_what_that_makes_smaller_and_nothing_else)
{
    yard_t yard;
    yard_begin(&yard, user);
    uint8_t *noise = bytes_of_seed(200000, 4);
    digest_t hard = yard_put_bytes(&yard, noise, 200000);
    static char text[200000];
    memset(text, 'x', sizeof text);
    digest_t soft = yard_put_bytes(&yard, text, sizeof text);
    digest_t empty = yard_put_bytes(&yard, "", 0);
    EXPECT_OK(&yard, store_commit(yard.store, &yard.fault));
    unsigned long bytes = bytes_in_packs(&yard);
    cr_expect(bytes > 200000 && bytes < 210000, "%lu bytes are stored", bytes);
    yard_reopen(&yard);
    expect_object(&yard, &hard, noise, 200000);
    expect_object(&yard, &soft, text, sizeof text);
    expect_object(&yard, &empty, "", 0);
    free(noise);
    yard_end(&yard);
}

CLAIM_OF_BOTH(store, ends_packs_at_their_size_and_keeps_few_runs)
{
    enum { OBJECTS = 400 };
    yard_t yard;
    digest_t digest[OBJECTS];
    yard_begin(&yard, user);
    yard.store->pack_bytes = 65536;
    uint8_t *noise = bytes_of_seed(OBJECTS * 2000, 5);
    for (size_t i = 0; i < OBJECTS; i++) {
        digest[i] = yard_put_bytes(&yard, noise + i * 2000, 2000);
        if (i % 10 == 0) {
            EXPECT_OK(&yard, store_commit(yard.store, &yard.fault));
        }
    }
    EXPECT_OK(&yard, store_commit(yard.store, &yard.fault));
    run("test $(ls %s/store/packs | wc -l) -gt 8", yard.data);
    run("test $(ls %s/store/index | wc -l) -le %u", yard.data, STORE_RUNS_MAX + 1);
    yard_reopen(&yard);
    for (size_t i = 0; i < OBJECTS; i++) {
        expect_object(&yard, &digest[i], noise + i * 2000, 2000);
    }
    free(noise);
    yard_end(&yard);
}

/* The sieves are read at the first look; each lets about one digest in forty through. */
Test(store, what_is_not_there_is_found_out_in_memory)
{
    enum { RUNS = 8, ABSENT = 1000 };
    yard_t yard;
    watched_t watched;
    digest_t there[RUNS];
    yard_begin(&yard, AS_STARTED);
    for (uint32_t i = 0; i < RUNS; i++) {
        there[i] = yard_put_bytes(&yard, &i, sizeof i);
        EXPECT_OK(&yard, store_commit(yard.store, &yard.fault));
    }
    watch(&watched, &yard);
    bool has = false;
    EXPECT_OK(&yard, store_has(yard.store, &there[0], &has, &yard.fault));
    uint64_t before = watched.reads;
    for (uint32_t i = 0; i < ABSENT; i++) {
        digest_t absent;
        uint32_t other = i + RUNS;
        hash_bytes(yard.store->hash, &other, sizeof other, &absent);
        EXPECT_OK(&yard, store_has(yard.store, &absent, &has, &yard.fault));
        cr_expect(!has);
    }
    cr_expect(watched.reads - before < ABSENT / 2, "%llu reads",
              (unsigned long long) (watched.reads - before));
    for (uint32_t i = 0; i < RUNS; i++) {
        EXPECT_OK(&yard, store_has(yard.store, &there[i], &has, &yard.fault));
        cr_expect(has);
    }
    yard_end(&yard);
}

CLAIM_OF_BOTH(store, never_believes_a_flipped_bit_of_a_pack)
{
    yard_t yard;
    yard_begin(&yard, user);
    digest_t digest = yard_put_bytes(&yard, "some bytes", 10);
    EXPECT_OK(&yard, store_commit(yard.store, &yard.fault));
    for (unsigned at = PACK_HEAD_BYTES; at < PACK_HEAD_BYTES + RECORD_HEAD_BYTES + 10; at++) {
        run("f=$(ls %s/store/packs/*) && printf '\\x5a' | dd of=$f conv=notrunc bs=1 seek=%u "
            "2>/dev/null",
            yard.data, at);
    }
    void *found = NULL;
    size_t size = 0;
    yard_reopen(&yard);
    EXPECT_ERR(&yard, ERR_DIGEST, store_read(yard.store, &digest, 10, &found, &size, &yard.fault));
    EXPECT_OK(&yard, store_set_aside(yard.store, &digest, &yard.fault));
    EXPECT_ERR(&yard, ERR_NOT_STORED,
               store_read(yard.store, &digest, 10, &found, &size, &yard.fault));
    yard_reopen(&yard);
    EXPECT_ERR(&yard, ERR_NOT_STORED,
               store_read(yard.store, &digest, 10, &found, &size, &yard.fault));
    yard_put_bytes(&yard, "some bytes", 10);
    EXPECT_OK(&yard, store_commit(yard.store, &yard.fault));
    expect_object(&yard, &digest, "some bytes", 10);
    yard_end(&yard);
}

/* The bytes of a chunk are handed out before the whole is known: the end must say it. */
CLAIM_OF_BOTH(store, never_ends_well_on_an_object_with_a_flipped_bit_in_one_chunk)
{
    yard_t yard;
    yard_begin(&yard, user);
    uint8_t *noise = bytes_of_seed(3 * MIB, 9);
    digest_t digest = yard_put_file(&yard, "source/big", noise, 3 * MIB).digest;
    EXPECT_OK(&yard, store_commit(yard.store, &yard.fault));
    run("f=$(ls %s/store/packs/*) && test $(od -An -tu1 -j%u -N1 $f) != 90 && "
        "printf '\x5a' | dd of=$f conv=notrunc bs=1 seek=%u 2>/dev/null",
        yard.data, 2 * MIB + 7, 2 * MIB + 7);
    void *found = NULL;
    size_t size = 0;
    yard_reopen(&yard);
    EXPECT_ERR(&yard, ERR_DIGEST,
               store_read(yard.store, &digest, 3 * MIB, &found, &size, &yard.fault));
    EXPECT_ERR(&yard, ERR_NOT_STORED,
               store_read(yard.store, &digest, 3 * MIB, &found, &size, &yard.fault));
    yard_put_file(&yard, "source/big", noise, 3 * MIB);
    EXPECT_OK(&yard, store_commit(yard.store, &yard.fault));
    expect_object(&yard, &digest, noise, 3 * MIB);
    free(noise);
    yard_end(&yard);
}

/* Two versions with large and small files; both in the store. */
static void
two_versions(yard_t *yard, digest_t roots[2])
{
    uint8_t *bytes = bytes_of_seed(3 * MIB, 6);
    make_tree(yard);
    yard_put_file(yard, "source/big", bytes, 3 * MIB);
    store_close(&yard->store);
    yard_reopen(yard);
    take(yard);
    roots[0] = yard->snapshot.root;
    yard_put_file(yard, "source/big", bytes + MIB, 2 * MIB);
    store_close(&yard->store);
    yard_reopen(yard);
    make_file(yard_path(yard, "source/plain"), "other text", 0644);
    take(yard);
    roots[1] = yard->snapshot.root;
    free(bytes);
}

CLAIM_OF_BOTH(store, does_what_its_dry_run_told_and_a_reader_goes_on_meanwhile)
{
    yard_t yard;
    digest_t roots[2];
    store_collected_t dry = {0};
    store_collected_t wet = {0};
    yard_begin(&yard, user);
    two_versions(&yard, roots);
    store_t *reader = yard.store;
    yard.store = NULL;
    yard_reopen(&yard);
    unsigned long before = bytes_in_packs(&yard);
    EXPECT_OK(&yard, store_collect(yard.store, &roots[1], 1, true, NULL, NULL, &dry, &yard.fault));
    EXPECT_COUNT(bytes_in_packs(&yard), before);
    EXPECT_OK(&yard, store_collect(yard.store, &roots[1], 1, false, NULL, NULL, &wet, &yard.fault));
    cr_expect_arr_eq((char *) &dry, (char *) &wet, sizeof dry);
    cr_expect(wet.removed_objects > 0 && wet.removed_bytes > 500000, "%llu bytes were removed",
              (unsigned long long) wet.removed_bytes);
    cr_expect(before - bytes_in_packs(&yard) >= wet.removed_bytes - 100);
    store_close(&yard.store);
    yard.store = reader;
    placed(&yard);
    cr_expect(verified(&yard));
    cr_expect(same_tree(yard.source, yard_path(&yard, "root/P1/current")));
    yard_end(&yard);
}

/* The store as the first release would have left it. */
static err_t
write_old(void *context, const run_entry_t *entry, size_t index, uint64_t ordinal, fault_t *fault)
{
    yard_t *yard = context;
    char hex[65];
    void *bytes = NULL;
    size_t size = 0;
    (void) index;
    (void) ordinal;
    TRY(store_read(yard->store, &entry->digest, 8 * MIB, &bytes, &size, fault));
    hex_of_bytes(entry->digest.byte, sizeof entry->digest.byte, hex);
    run("mkdir -p %s/store/objects/%.2s", yard->data, hex);
    int fd = open(yard_path(yard, "data/store/objects/%.2s/%s", hex, hex),
                  O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    cr_assert_eq(write(fd, bytes, size), (ssize_t) size);
    close(fd);
    free(bytes);
    return OK;
}

static void
make_old(yard_t *yard)
{
    EXPECT_OK(yard, store_each_entry(yard->store, write_old, yard, &yard->fault));
    store_close(&yard->store);
    run("cd %s/store && rm -r packs index && mkdir tmp && echo left > tmp/left", yard->data);
    yard_reopen(yard);
}

CLAIM_OF_BOTH(store, of_the_first_release_is_read_as_it_is_and_becomes_packs)
{
    yard_t yard;
    digest_t roots[2];
    uint64_t moved = 0;
    store_collected_t collected = {0};
    yard_begin(&yard, user);
    two_versions(&yard, roots);
    make_old(&yard);
    placed(&yard);
    cr_expect(verified(&yard));
    EXPECT_ERR(&yard, ERR_BUSY,
               store_collect(yard.store, roots, 2, true, NULL, NULL, &collected, &yard.fault));
    EXPECT_OK(&yard, store_migrate(yard.store, NULL, NULL, &moved, &yard.fault));
    cr_expect(moved > 10, "%llu objects were moved", (unsigned long long) moved);
    cr_expect(!exists(yard_path(&yard, "data/store/objects")));
    cr_expect(!exists(yard_path(&yard, "data/store/tmp")));
    EXPECT_OK(&yard, store_migrate(yard.store, NULL, NULL, &moved, &yard.fault));
    EXPECT_COUNT(moved, 0);
    yard.order.package = "P2";
    yard.order.root = roots[0];
    yard_reopen(&yard);
    placed(&yard);
    cr_expect(verified(&yard));
    EXPECT_OK(&yard,
              store_collect(yard.store, roots, 2, false, NULL, NULL, &collected, &yard.fault));
    take(&yard);
    EXPECT_COUNT(yard.snapshot.unique_bytes, 0);
    yard_end(&yard);
}

/* ---- damage ---- */

static void
flip(yard_t *yard, const char *kind, unsigned long at)
{
    char path[400];
    char command[300];
    snprintf(command, sizeof command, "ls -S %s/store/%s/* | head -1", yard->data, kind);
    FILE *pipe = popen(command, "r");
    cr_assert_eq(fscanf(pipe, "%399s", path), 1);
    pclose(pipe);
    int fd = open(path, O_RDWR | O_CLOEXEC);
    uint8_t byte;
    cr_assert_eq(pread(fd, &byte, 1, (off_t) at), 1);
    byte ^= 4;
    cr_assert_eq(pwrite(fd, &byte, 1, (off_t) at), 1);
    close(fd);
}

static store_checked_t
checked(yard_t *yard, bool repair)
{
    store_checked_t result = {0};
    yard_reopen(yard);
    EXPECT_OK(yard, store_check(yard->store, &yard->snapshot.root, 1, repair, NULL, NULL, &result,
                                &yard->fault));
    return result;
}

static uint64_t
findings(const store_checked_t *result)
{
    return result->damaged + result->heads_damaged + result->pages_damaged + result->missing;
}

/* Repaired, then the source stored again: the version is whole, and nothing is found any more. */
static void
expect_mended(yard_t *yard, const char *what)
{
    yard_reopen(yard);
    checked(yard, true);
    yard_reopen(yard);
    take(yard);
    store_checked_t result = checked(yard, false);
    cr_expect(result.versions_damaged == 0, "%s: the version is not whole", what);
    yard->order.package = what;
    placed(yard);
    cr_expect(verified(yard));
}

CLAIM_OF_BOTH(store, check_finds_a_flipped_bit_in_every_kind_of_file_and_repairs_it)
{
    static const struct {
        const char *name, *kind;
        unsigned long at;
    } cases[] = {{"head-of-a-pack", "packs", 9},
                 {"head-of-a-record", "packs", 40},
                 {"bytes-of-a-record", "packs", 150000},
                 {"page-of-the-index", "index", 300},
                 {"directory-of-the-index", "index", 0},
                 {"sieve-of-the-index", "index", RUN_PAGE_BYTES + 8 + 2}};
    yard_t yard;
    yard_begin(&yard, user);
    make_tree(&yard);
    uint8_t *bytes = bytes_of_seed(MIB, 8);
    make_file(yard_path(&yard, "source/big"), "", 0644);
    yard_put_file(&yard, "source/big", bytes, MIB);
    free(bytes);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        store_close(&yard.store);
        run("rm -rf %s/store", yard.data);
        yard_reopen(&yard);
        take(&yard);
        store_checked_t before = checked(&yard, false);
        EXPECT_COUNT(findings(&before), 0);
        cr_expect(before.objects > 10 && before.packs == 1);
        unsigned long at = cases[i].at;
        flip(&yard, cases[i].kind, at == 0 ? RUN_PAGE_BYTES + 2 : at);
        store_checked_t after = checked(&yard, false);
        cr_expect(findings(&after) > 0, "%s: nothing was found", cases[i].name);
        cr_expect(after.damaged == after.missing || after.pages_damaged > 0,
                  "%s: %llu damaged, %llu missing", cases[i].name,
                  (unsigned long long) after.damaged, (unsigned long long) after.missing);
        expect_mended(&yard, cases[i].name);
    }
    yard_end(&yard);
}

CLAIM_OF_BOTH(store, index_is_made_anew_from_the_packs_alone)
{
    yard_t yard;
    digest_t roots[2];
    uint64_t objects = 0;
    yard_begin(&yard, user);
    two_versions(&yard, roots);
    uint64_t before = 0;
    for (size_t i = 0; i < yard.store->runs; i++) {
        before += yard.store->run[i]->entries;
    }
    store_close(&yard.store);
    run("rm %s/store/index/*", yard.data);
    yard_reopen(&yard);
    EXPECT_OK(&yard, store_rebuild(yard.store, NULL, NULL, &objects, &yard.fault));
    EXPECT_COUNT(objects, before);
    run("test $(ls %s/store/index | wc -l) = 1 && test ! -e %s/store/rebuild", yard.data,
        yard.data);
    take(&yard);
    EXPECT_COUNT(yard.snapshot.unique_bytes, 0);
    for (size_t i = 0; i < 2; i++) {
        yard.order.package = i == 0 ? "P1" : "P2";
        yard.order.root = roots[i];
        placed(&yard);
        cr_expect(verified(&yard));
    }
    yard_end(&yard);
}

CLAIM_OF_BOTH(store, index_that_went_bad_is_noticed_by_who_uses_it_and_is_mended_without_loss)
{
    static const unsigned long at[] = {300, RUN_PAGE_BYTES + 2, RUN_PAGE_BYTES + 8 + 2};
    for (size_t i = 0; i < sizeof at / sizeof at[0]; i++) {
        yard_t yard;
        uint64_t objects = 0;
        bool has = true;
        yard_begin(&yard, user);
        make_tree(&yard);
        take(&yard);
        flip(&yard, "index", at[i]);
        yard_reopen(&yard);
        EXPECT_OK(&yard, store_has(yard.store, &yard.snapshot.root, &has, &yard.fault));
        cr_expect(store_index_is_damaged(yard.store), "bit at %lu", at[i]);
        yard_reopen(&yard);
        EXPECT_OK(&yard, store_mend_index(yard.store, true, &objects, &yard.fault));
        cr_expect_gt(objects, 10, "bit at %lu: %u objects", at[i], (unsigned) objects);
        placed(&yard);
        cr_expect(verified(&yard));
        yard_end(&yard);
    }
}
