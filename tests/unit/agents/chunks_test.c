/* chunks_test.c - claims about large files, of which an agent is sent the chunks that it lacks. */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "actors/content/kin.h"
#include "actors/content/lack.h"
#include "actors/content/manifest.h"
#include "actors/content/pack.h"
#include "proto/limits.h"
#include "runtime/world_os.h"

#define SIZE  (6u << 20)
#define EDIT  (3u << 20) /* where the new version differs */
#define CHUNK 1048576u   /* bytes of a chunk at most */

/* A site's store with one large file in two versions, and an agent's store with the old one. */
typedef struct both {
    char path[64];
    world_os_t os;
    store_t *site, *agent;
    staging_t *staging;
    digest_t root[2], file[2];
    uint8_t *bytes[2];
    transfer_range_t range[64];
    lack_t lack;
    fault_t fault;
} both_t;

static both_t both;

static void
expect_ok(err_t err, const char *what)
{
    char text[1024];

    cr_assert_eq(err, OK, "%s: %s", what, fault_text(&both.fault, text, sizeof text));
}

static digest_t
put_file(store_t *store, const uint8_t *bytes)
{
    char path[96];
    store_put_t put;

    snprintf(path, sizeof path, "%s/file", both.path);
    FILE *file = fopen(path, "w");
    cr_assert(file && fwrite(bytes, SIZE, 1, file) == 1 && fclose(file) == 0);
    int fd = open(path, O_RDONLY);
    expect_ok(store_put_file(store, fd, path, &put, &both.fault), "put a file");
    close(fd);
    return put.digest;
}

static digest_t
put_bytes(const void *bytes, size_t size)
{
    store_put_t put;

    expect_ok(store_put_bytes(both.site, bytes, size, &put, &both.fault), "put");
    return put.digest;
}

static void
make_version(unsigned i)
{
    manifest_builder_t builder;
    manifest_version_t version = {.mode = 0755, .files = 1, .bytes = SIZE};
    uint8_t encoded[MANIFEST_VERSION_BYTES];
    const uint8_t *node = NULL;
    size_t size = 0;

    both.file[i] = put_file(both.site, both.bytes[i]);
    tree_entry_t entry = {.kind = TREE_FILE,
                          .mode = 0644,
                          .size = SIZE,
                          .digest = both.file[i],
                          .name = "large",
                          .name_size = 5};
    manifest_builder_init(&builder);
    cr_assert_eq(manifest_builder_add(&builder, &entry), OK);
    cr_assert_eq(manifest_builder_finish(&builder, &node, &size), OK);
    version.node = put_bytes(node, size);
    manifest_version_encode(&version, encoded);
    both.root[i] = put_bytes(encoded, sizeof encoded);
    manifest_builder_release(&builder);
    expect_ok(store_commit(both.site, &both.fault), "commit");
}

static void
make_bytes(void)
{
    uint64_t word = 88172645463325252u;

    both.bytes[0] = malloc(SIZE);
    both.bytes[1] = malloc(SIZE);
    cr_assert(both.bytes[0] && both.bytes[1]);
    for (size_t i = 0; i < SIZE; i++) {
        word ^= word << 13;
        word ^= word >> 7;
        word ^= word << 17;
        both.bytes[0][i] = both.bytes[1][i] = (uint8_t) word;
    }
    memcpy(both.bytes[1] + EDIT, "an edit", 7);
}

static void
open_agent(void)
{
    char data[96], path[112];

    snprintf(data, sizeof data, "%s/agent", both.path);
    snprintf(path, sizeof path, "%s/store", data);
    (void) world_make_dir(&both.os.world, -100, data, 0700);
    expect_ok(store_open(&both.os.world, path, &both.agent, &both.fault), "agent");
    expect_ok(staging_open(&both.os.world, data, both.agent, &both.staging, &both.fault),
              "staging");
}

static void
close_agent(void)
{
    staging_close(&both.staging);
    store_close(&both.agent);
}

static uint32_t
lacks(unsigned version)
{
    expect_ok(lack_find(both.agent, both.staging, &both.root[version], &both.lack, &both.fault),
              "lack");
    return both.lack.count;
}

static void
fetch_list(const digest_t *object)
{
    uint8_t *list = NULL;
    staging_part_t part = {.object = *object};
    size_t size = 0;

    expect_ok(store_list(both.site, object, &list, &size, &both.fault), "read a list");
    part.bytes = (slice_t){(const char *) list, size};
    part.total = size;
    expect_ok(staging_put_list(both.staging, &part, &both.fault), "stage a list");
    free(list);
}

/* Bytes of content that came, lists not counted. */
static uint64_t
fetch(void)
{
    uint8_t *bytes = malloc(SIZE);
    uint64_t came = 0;

    for (uint32_t i = 0; i < both.lack.count; i++) {
        staging_part_t part = {.object = both.range[i].object, .from = both.range[i].from};
        if (both.range[i].list) {
            fetch_list(&part.object);
            continue;
        }
        part.bytes.data = (const char *) bytes;
        expect_ok(transfer_read(both.site, &both.range[i], bytes, SIZE, &part.bytes.size,
                                &part.total, &both.fault),
                  "read");
        expect_ok(staging_put(both.staging, &part, &both.fault), "stage");
        came += part.bytes.size;
    }
    expect_ok(staging_commit(both.staging, &both.fault), "commit");
    free(bytes);
    return came;
}

static void
begin(void)
{
    char site[96];

    snprintf(both.path, sizeof both.path, "/tmp/chunks-test-XXXXXX");
    cr_assert_not_null(mkdtemp(both.path));
    snprintf(site, sizeof site, "%s/site", both.path);
    world_os_init(&both.os, NULL);
    make_bytes();
    expect_ok(store_open(&both.os.world, site, &both.site, &both.fault), "site");
    open_agent();
    both.lack = (lack_t){.range = both.range, .max = 64, .bytes_max = UINT64_MAX};
    make_version(0);
    make_version(1);
    while (lacks(0) > 0) {
        fetch();
    }
    both.lack.have = both.root[0];
}

static void
end(void)
{
    char command[128];

    close_agent();
    store_close(&both.site);
    free(both.bytes[0]);
    free(both.bytes[1]);
    snprintf(command, sizeof command, "rm -rf '%s'", both.path);
    cr_assert_eq(system(command), 0);
}

/* The new version's nodes and its list are there; what else is lacking was looked for. */
static void
fetch_list_of_new(void)
{
    both.lack.nodes = true;
    while (lacks(1) > 0) {
        fetch();
    }
    both.lack.nodes = false;
}

static void
expect_file(unsigned i)
{
    void *bytes = NULL;
    size_t size = 0;

    expect_ok(store_read(both.agent, &both.file[i], SIZE, &bytes, &size, &both.fault), "read");
    cr_expect(size == SIZE && memcmp(bytes, both.bytes[i], SIZE) == 0, "it has other bytes");
    free(bytes);
}

static bool
has(const digest_t *object)
{
    bool there = false;

    expect_ok(store_has(both.agent, object, &there, &both.fault), "has");
    return there;
}

Test(chunks, of_a_large_file_that_changed_the_changed_chunk_comes, .init = begin, .fini = end)
{
    fetch_list_of_new();
    lacks(1);
    cr_assert_eq(both.lack.count, 1, "one edit, and %u chunks are lacking", both.lack.count);
    cr_expect_leq(both.lack.bytes, CHUNK);
    cr_expect(digest_equal(&both.range[0].base, &both.file[0]), "no base was named");
    cr_expect_leq(fetch(), CHUNK);
    cr_expect_eq(lacks(1), 0);
    expect_file(1);
}

Test(chunks, a_file_that_was_fetched_by_chunks_is_there_after_a_kill, .init = begin, .fini = end)
{
    fetch_list_of_new();
    lacks(1);
    fetch();
    close_agent();
    open_agent();
    cr_expect_eq(lacks(1), 0, "what was durable came again");
    close_agent();
    open_agent();
    expect_file(1);
}

/* A list of the site's, with two chunks of it in each other's place. */
static void
stage_lying_list(void)
{
    uint8_t *list = NULL, row[LIST_ROW_BYTES];
    size_t size = 0;

    expect_ok(store_list(both.site, &both.file[1], &list, &size, &both.fault), "read a list");
    memcpy(row, list, sizeof row);
    memmove(list, list + sizeof row, sizeof row);
    memcpy(list + sizeof row, row, sizeof row);
    staging_part_t part = {
        .object = both.file[1], .total = size, .bytes = {(const char *) list, size}};
    expect_ok(staging_put_list(both.staging, &part, &both.fault), "stage a list");
    free(list);
}

/* Reads the new file, as a placement would: it is found damaged. */
static void
expect_damaged(void)
{
    void *bytes = NULL;
    size_t size = 0;
    err_t err = store_read(both.agent, &both.file[1], SIZE, &bytes, &size, &both.fault);

    cr_assert_eq(err, ERR_DIGEST, "expected digest, got %s", err_word(err));
    cr_expect_not(has(&both.file[1]), "a file that proved damaged is there");
}

/* It is put unread, and found out by who reads it; the next list of that file is read first. */
Test(chunks, a_list_that_lies_gives_no_file_and_the_whole_comes, .init = begin, .fini = end)
{
    fetch_list_of_new();
    stage_lying_list();
    lacks(1);
    fetch();
    cr_expect_eq(lacks(1), 0);
    expect_damaged();
    lacks(1);
    cr_assert(both.lack.count == 1 && both.range[0].list, "expected that its list is asked for");
    stage_lying_list();
    cr_assert_eq(lacks(1), 1, "expected the whole file, got %u ranges", both.lack.count);
    cr_expect_not(has(&both.file[1]), "a file of a list that lied twice is there");
    cr_expect(digest_equal(&both.range[0].object, &both.file[1]), "a chunk is asked for");
    cr_expect_eq(both.range[0].size, SIZE, "expected the whole file");
    fetch();
    cr_expect_eq(lacks(1), 0);
    expect_file(1);
}

Test(chunks, a_list_of_another_size_is_not_believed, .init = begin, .fini = end)
{
    uint8_t *list = NULL;
    size_t size = 0;

    fetch_list_of_new();
    expect_ok(store_list(both.site, &both.file[1], &list, &size, &both.fault), "read a list");
    staging_part_t part = {.object = both.file[1],
                           .total = size - LIST_ROW_BYTES,
                           .bytes = {(const char *) list, size - LIST_ROW_BYTES}};
    expect_ok(staging_put_list(both.staging, &part, &both.fault), "stage a list");
    free(list);
    cr_assert_eq(lacks(1), 1);
    cr_expect_eq(both.range[0].size, SIZE, "expected the whole file");
}

Test(chunks, a_list_that_is_damaged_or_half_there_comes_again, .init = begin, .fini = end)
{
    uint8_t *list = NULL;
    size_t size = 0;
    char path[96], command[256];

    fetch_list_of_new();
    snprintf(path, sizeof path, "%s/agent/incoming", both.path);
    snprintf(command, sizeof command, "printf x | dd of=$(echo %s/*.list) conv=notrunc status=none",
             path);
    cr_assert_eq(system(command), 0);
    lacks(1);
    cr_assert(both.lack.count == 1 && both.range[0].list, "a damaged list was believed");
    expect_ok(store_list(both.site, &both.file[1], &list, &size, &both.fault), "read a list");
    staging_part_t part = {.object = both.file[1],
                           .total = size,
                           .bytes = {(const char *) list, size - LIST_ROW_BYTES}};
    expect_ok(staging_put_list(both.staging, &part, &both.fault), "half a list");
    lacks(1);
    cr_assert(both.lack.count == 1 && both.range[0].list, "half a list was believed");
    part = (staging_part_t){.object = both.file[1],
                            .from = size - LIST_ROW_BYTES,
                            .total = size,
                            .bytes = {(const char *) list + size - LIST_ROW_BYTES, LIST_ROW_BYTES}};
    expect_ok(staging_put_list(both.staging, &part, &both.fault), "the rest");
    lacks(1);
    cr_assert(both.lack.count == 1 && !both.range[0].list, "the list was not believed");
    free(list);
}

Test(chunks, a_list_that_is_too_long_is_none, .init = begin, .fini = end)
{
    fetch_list_of_new();
    staging_part_t part = {.object = both.file[1],
                           .total = AGENT_LIST_BYTES_MAX + LIST_ROW_BYTES,
                           .bytes = {(const char *) both.bytes[0], LIST_ROW_BYTES}};
    expect_ok(staging_put_list(both.staging, &part, &both.fault), "a long list");
    lacks(1);
    cr_assert_eq(both.lack.count, 1);
    cr_expect(!both.range[0].list && both.range[0].size == SIZE, "expected the whole file");
    part.total = 2 * LIST_ROW_BYTES;
    part.from = LIST_ROW_BYTES + 1;
    err_t err = staging_put_list(both.staging, &part, &both.fault);
    cr_expect_eq(err, ERR_BAD_VALUE, "behind its end: expected bad-value, got %s", err_word(err));
}

static void
damage_packs(void)
{
    char command[256];

    snprintf(command, sizeof command,
             "for pack in %s/agent/store/packs/*; do printf damaged | "
             "dd of=$pack bs=1 seek=1500000 conv=notrunc status=none; done",
             both.path);
    cr_assert_eq(system(command), 0);
}

Test(chunks, a_chunk_that_was_damaged_here_comes_again, .init = begin, .fini = end)
{
    fetch_list_of_new();
    lacks(1);
    fetch();
    close_agent();
    damage_packs();
    open_agent();
    cr_expect_eq(lacks(1), 0);
    expect_damaged();
    close_agent();
    open_agent();
    fetch_list_of_new();
    lacks(1);
    cr_assert_gt(both.lack.count, 0, "a damaged chunk was believed");
    cr_expect_leq(both.lack.bytes, 2 * CHUNK, "more is asked for than what was damaged");
    while (lacks(1) > 0) {
        fetch();
    }
    expect_file(1);
}

/* The same list stands there twice now; neither hides the other. */
Test(chunks, a_chunk_that_was_damaged_before_comes_again, .init = begin, .fini = end)
{
    fetch_list_of_new();
    lacks(1);
    fetch();
    cr_assert_eq(lacks(1), 0);
    expect_file(1);
    damage_packs();
    close_agent();
    open_agent();
    expect_damaged();
    while (lacks(1) > 0) {
        fetch();
    }
    cr_expect(has(&both.file[1]), "a file whose chunk came again is not there");
    expect_file(1);
    close_agent();
    open_agent();
    cr_expect_eq(lacks(1), 0, "what came again came once more");
    expect_file(1);
}

static list_row_t
put_half(const char *bytes, size_t size)
{
    store_put_t put;

    expect_ok(store_put_bytes(both.agent, bytes, size, &put, &both.fault), "put half a chunk");
    return (list_row_t){put.digest, (uint32_t) size};
}

/* The site cuts the new file elsewhere than it did: each chunk in two, which the agent has. */
static void
stage_other_list(void)
{
    uint8_t *list = NULL, other[64 * LIST_ROW_BYTES];
    size_t size = 0, rows = 0;
    const char *at = (const char *) both.bytes[1];

    expect_ok(store_list(both.site, &both.file[1], &list, &size, &both.fault), "read a list");
    cr_assert_leq(2 * size, sizeof other);
    for (size_t i = 0; i < size; i += LIST_ROW_BYTES) {
        uint32_t bytes = list_row_decode(list + i).size, half = bytes / 2;
        list_row_t row[] = {put_half(at, half), put_half(at + half, bytes - half)};
        list_row_encode(&row[0], other + rows++ * LIST_ROW_BYTES);
        list_row_encode(&row[1], other + rows++ * LIST_ROW_BYTES);
        at += bytes;
    }
    free(list);
    expect_ok(store_commit(both.agent, &both.fault), "commit");
    staging_part_t part = {.object = both.file[1],
                           .total = rows * LIST_ROW_BYTES,
                           .bytes = {(const char *) other, rows * LIST_ROW_BYTES}};
    expect_ok(staging_put_list(both.staging, &part, &both.fault), "stage a list");
}

/* Which of two lists is found first is nobody's choice: the one that names what is gone goes. */
Test(chunks, a_list_in_other_chunks_takes_the_place_of_the_one_before, .init = begin, .fini = end)
{
    char hex[65], command[256];

    fetch_list_of_new();
    lacks(1);
    fetch();
    cr_assert_eq(lacks(1), 0);
    damage_packs();
    close_agent();
    open_agent();
    expect_damaged();
    stage_other_list();
    cr_assert_eq(lacks(1), 0);
    hex_of_bytes(both.file[1].byte, sizeof both.file[1].byte, hex);
    snprintf(command, sizeof command, "ls %s/agent/store/damaged | grep -q ^%s", both.path, hex);
    cr_expect_eq(system(command), 0, "the list that names a damaged chunk was not put aside");
    close_agent();
    open_agent();
    expect_file(1);
}

Test(chunks, an_edit_has_the_chunk_that_stood_there_for_its_base, .init = begin, .fini = end)
{
    kin_t kin;

    fetch_list_of_new();
    lacks(1);
    expect_ok(kin_find(both.site, (kin_files_t){&both.file[1], 1}, (kin_files_t){both.file, 1},
                       &kin, &both.fault),
              "kin");
    cr_assert_eq(kin.count, 1, "one chunk is new, and %zu have a base", kin.count);
    const digest_t *base = kin_base(&kin, &both.range[0].object);
    cr_assert_not_null(base, "the new chunk has no base");
    void *bytes = NULL;
    size_t size = 0;
    expect_ok(store_read(both.site, base, CHUNK, &bytes, &size, &both.fault), "read the base");
    const uint8_t *at = memmem(both.bytes[0], SIZE, bytes, size);
    cr_expect(at && at <= both.bytes[0] + EDIT && at + size > both.bytes[0] + EDIT,
              "the base is another chunk");
    free(bytes);
    kin_release(&kin);
}

/* Nothing in it is as it was for more than some hundred bytes, and half of it has moved. */
Test(chunks, what_has_no_neighbour_in_common_has_the_one_most_like_it, .init = begin, .fini = end)
{
    kin_t kin;
    uint8_t *now = both.bytes[1];
    unsigned right = 0, count = 0;

    memcpy(now, both.bytes[0] + SIZE / 2, SIZE / 2);
    memcpy(now + SIZE / 2, both.bytes[0], SIZE / 2);
    for (size_t i = 0; i < SIZE; i += 700) {
        now[i] ^= 0x55;
    }
    digest_t file = put_file(both.site, now);
    expect_ok(store_commit(both.site, &both.fault), "commit");
    expect_ok(kin_find(both.site, (kin_files_t){&file, 1}, (kin_files_t){both.file, 1}, &kin,
                       &both.fault),
              "kin");
    for (size_t i = 0; i < kin.count; i++) {
        void *chunk = NULL, *base = NULL;
        size_t size = 0, base_size = 0;
        expect_ok(store_read(both.site, &kin.pair[i].chunk, CHUNK, &chunk, &size, &both.fault),
                  "chunk");
        expect_ok(store_read(both.site, &kin.pair[i].base, CHUNK, &base, &base_size, &both.fault),
                  "base");
        size_t at = (size_t) ((uint8_t *) memmem(now, SIZE, chunk, size) - now);
        size_t was =
            (size_t) ((uint8_t *) memmem(both.bytes[0], SIZE, base, base_size) - both.bytes[0]);
        size_t middle = (at + size / 2 + SIZE / 2) % SIZE;
        bool halves = at < SIZE / 2 && at + size > SIZE / 2; /* the end of the file and its begin */
        right += halves || (was <= middle + CHUNK && middle <= was + base_size + CHUNK);
        count++;
        free(chunk);
        free(base);
    }
    cr_expect_gt(count, 8, "only %u chunks have a base", count);
    cr_expect_eq(right, count, "%u of %u bases are from elsewhere", count - right, count);
    kin_release(&kin);
}
