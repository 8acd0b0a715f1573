/* lacks_test.c - claims about what an agent lacks, and how it comes to have it. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/unit/agents/nodes.h"
#include "tests/unit/agents/pair.h"

#define BIG   3000000u
#define PART  1000000u
#define SMALL "a small file"

/* The site's store has one version of two files, the agent's has nothing. */
typedef struct both {
    const world_calls_t *real;
    world_calls_t calls; /* those, one of them counted */
    uint32_t stats;
    digest_t root, big, node;
    uint8_t *bytes;
    transfer_range_t range[16];
    lack_t lack;
} both_t;

static both_t both;

static void
make_version(void)
{
    manifest_builder_t builder;
    manifest_version_t version = {.mode = 0755, .files = 2, .bytes = BIG + strlen(SMALL)};

    both.big = put_bytes_into(pair.site, both.bytes, BIG);
    manifest_builder_init(&builder);
    add_entry(&builder, TREE_FILE, "big", both.big, BIG);
    add_entry(&builder, TREE_FILE, "small", put_bytes_into(pair.site, SMALL, strlen(SMALL)),
              strlen(SMALL));
    both.node = version.node = put_node_into(pair.site, &builder);
    both.root = put_version_into(pair.site, &version);
    expect_ok(store_commit(pair.site, &pair.fault), "commit");
}

static int
counted_stat_at(world_t *world, int dir, const char *path, world_stat_t *ret_stat)
{
    both.stats++;
    return both.real->stat_at(world, dir, path, ret_stat);
}

static void
begin(void)
{
    pair_open();
    both.real = pair.os.world.call;
    both.calls = *both.real;
    both.calls.stat_at = counted_stat_at;
    pair.os.world.call = &both.calls;
    both.bytes = malloc(BIG);
    for (size_t i = 0; i < BIG; i++) {
        both.bytes[i] = (uint8_t) (i * 2654435761u >> 13);
    }
    both.lack = (lack_t){.range = both.range, .max = 16, .bytes_max = UINT64_MAX};
    make_version();
}

static void
end(void)
{
    free(both.bytes);
    pair_close();
}

static uint32_t
lacks(void)
{
    expect_ok(lack_find(pair.agent, pair.staging, &both.root, &both.lack, &pair.fault), "lack");
    return both.lack.count;
}

/* As a site and an agent do it; at most max bytes of each range. */
static void
fetch(size_t max)
{
    uint8_t *bytes = malloc(BIG);

    for (uint32_t i = 0; i < both.lack.count; i++) {
        staging_part_t part = {.object = both.range[i].object, .from = both.range[i].from};
        if (both.range[i].list) { /* it is stored as one here, and has none */
            expect_ok(staging_put_list(pair.staging, &part, &pair.fault), "no list");
            continue;
        }
        part.bytes.data = (const char *) bytes;
        expect_ok(transfer_read(pair.site, &both.range[i], bytes, max, &part.bytes.size,
                                &part.total, &pair.fault),
                  "read");
        expect_ok(staging_put(pair.staging, &part, &pair.fault), "stage");
    }
    expect_ok(staging_commit(pair.staging, &pair.fault), "commit");
    free(bytes);
}

Test(lacks, a_version_comes_node_by_node_and_then_nothing_is_lacking, .init = begin, .fini = end)
{
    cr_assert_eq(lacks(), 1, "expected the version's node alone, got %u", both.lack.count);
    fetch(BIG);
    cr_assert_eq(lacks(), 1, "expected the directory's node alone, got %u", both.lack.count);
    cr_expect_eq(both.range[0].size, 0, "nobody has said how large the directory's node is");
    fetch(BIG);
    cr_assert_eq(lacks(), 2, "expected two files, got %u", both.lack.count);
    cr_expect_eq(both.lack.bytes, BIG + strlen(SMALL));
    fetch(BIG);
    cr_expect_eq(lacks(), 1, "expected the file that has no list, as a whole");
    fetch(BIG);
    cr_expect_eq(lacks(), 0);
}

Test(lacks, the_manifest_alone_is_not_its_files, .init = begin, .fini = end)
{
    both.lack.nodes = true;
    lacks();
    fetch(BIG);
    lacks();
    fetch(BIG);
    cr_expect_eq(lacks(), 1, "expected the list of a large file alone");
    fetch(BIG);
    cr_expect_eq(lacks(), 0, "files are lacking of a manifest");
}

static void
fetch_nodes(void)
{
    both.lack.nodes = true;
    while (lacks() > 0) {
        fetch(BIG);
    }
    both.lack.nodes = false;
}

Test(lacks, what_is_staged_of_a_file_is_not_asked_for_again, .init = begin, .fini = end)
{
    fetch_nodes();
    lacks();
    fetch(PART);
    cr_assert_eq(lacks(), 1, "expected the rest of one file, got %u ranges", both.lack.count);
    cr_expect_eq(both.range[0].from, PART, "expected from %u, got %llu", PART,
                 (unsigned long long) both.range[0].from);
    cr_expect_eq(both.range[0].size, BIG - PART);
    fetch(BIG);
    cr_expect_eq(lacks(), 0);
}

Test(lacks, where_nothing_is_staged_nothing_is_asked_for_by_its_name, .init = begin, .fini = end)
{
    cr_assert_eq(lacks(), 1);
    cr_expect_eq(both.stats, 0, "%u looks for an object that nobody staged", both.stats);
    fetch(BIG);
    cr_assert_eq(lacks(), 1);
    cr_expect_eq(both.stats, 0, "%u looks for a node that nobody staged", both.stats);
}

Test(lacks, bytes_of_another_digest_are_refused_and_come_again, .init = begin, .fini = end)
{
    fetch_nodes();
    staging_part_t part = {both.big, 0, BIG, {(const char *) both.bytes, PART}, {NULL, 0}, 0};
    expect_ok(staging_put(pair.staging, &part, &pair.fault), "the first part");
    both.bytes[PART] ^= 1;
    part = (staging_part_t){both.big,  PART, BIG, {(const char *) both.bytes + PART, BIG - PART},
                            {NULL, 0}, 0};
    err_t err = staging_put(pair.staging, &part, &pair.fault);
    cr_expect_eq(err, ERR_DIGEST, "expected digest, got %s", err_word(err));
    lacks();
    cr_expect_eq(both.range[0].from, 0, "damaged bytes were kept");
    part = (staging_part_t){both.big, 0, BIG, {(const char *) both.bytes, BIG}, {NULL, 0}, 0};
    err = staging_put(pair.staging, &part, &pair.fault);
    cr_expect_eq(err, ERR_DIGEST, "in one piece: expected digest, got %s", err_word(err));
}

Test(lacks, a_part_that_leaves_a_gap_is_refused, .init = begin, .fini = end)
{
    staging_part_t part = {both.big, 1, BIG, {(const char *) both.bytes, PART}, {NULL, 0}, 0};
    err_t err = staging_put(pair.staging, &part, &pair.fault);

    cr_expect_eq(err, ERR_BAD_VALUE, "expected bad-value, got %s", err_word(err));
    part = (staging_part_t){both.big, 0, PART - 1, {(const char *) both.bytes, PART}, {NULL, 0}, 0};
    err = staging_put(pair.staging, &part, &pair.fault);
    cr_expect_eq(err, ERR_BAD_VALUE, "longer than its object: expected bad-value, got %s",
                 err_word(err));
}

Test(lacks, ranges_are_bounded_and_the_rest_is_found_by_the_next_look, .init = begin, .fini = end)
{
    fetch_nodes();
    both.lack.max = 1;
    cr_assert_eq(lacks(), 1);
    fetch(BIG);
    cr_assert_eq(lacks(), 1);
    fetch(BIG);
    cr_expect_eq(lacks(), 0);
}

/* Flips a bit in the last record of the only pack: the version's node, which is 96 bytes or so. */
static void
rot_last_record(void)
{
    char command[300];

    snprintf(command, sizeof command,
             "p=$(ls %s/packs/*.pack) && s=$(stat -c %%s $p) && printf '\\377' | "
             "dd of=$p bs=1 seek=$((s - 30)) conv=notrunc status=none",
             pair.site_path);
    cr_assert_eq(system(command), 0);
}

Test(lacks, what_goes_as_it_is_stored_was_held_against_its_check, .init = begin, .fini = end)
{
    stored_object_t stored;
    bool has = true;

    expect_ok(transfer_stored(pair.site, &both.root, &stored, &pair.fault), "as it is stored");
    cr_expect_gt(stored.size, 0);
    rot_last_record();
    store_close(&pair.site);
    expect_ok(store_open(&pair.os.world, pair.site_path, &pair.site, &pair.fault), "site");
    err_t err = transfer_stored(pair.site, &both.root, &stored, &pair.fault);
    cr_expect_eq(err, ERR_DIGEST, "rotten: expected digest, got %s", err_word(err));
    expect_ok(store_has(pair.site, &both.root, &has, &pair.fault), "has");
    cr_expect_not(has, "what is rotten counts as there");
}

/* Of a directory with so many names the node is larger than a piece, and it is no file. */
#define NAMES 20000u

static digest_t
make_wide_version(void)
{
    char name[16];
    manifest_builder_t builder;
    manifest_version_t version = {.mode = 0755, .files = NAMES, .bytes = NAMES * strlen(SMALL)};
    digest_t small = put_bytes_into(pair.site, SMALL, strlen(SMALL));

    manifest_builder_init(&builder);
    for (uint32_t i = 0; i < NAMES; i++) {
        snprintf(name, sizeof name, "f%08u", i);
        add_entry(&builder, TREE_FILE, name, small, strlen(SMALL));
    }
    digest_t wide = put_node_into(pair.site, &builder);
    uint64_t size = MANIFEST_HEAD_BYTES + NAMES * (MANIFEST_ENTRY_BYTES + strlen("f00000000") + 1);
    cr_assert_gt(size, DELTA_BYTES_MAX);
    manifest_builder_init(&builder);
    add_entry(&builder, TREE_DIRECTORY, "wide", wide, size);
    version.node = put_node_into(pair.site, &builder);
    both.root = put_version_into(pair.site, &version);
    expect_ok(store_commit(pair.site, &pair.fault), "commit");
    return wide;
}

Test(lacks, a_manifest_is_whole_when_the_nodes_of_its_large_directories_are_there, .init = begin,
     .fini = end)
{
    uint32_t looks = 0;
    bool has = false;

    digest_t wide = make_wide_version();
    both.lack.nodes = true;
    for (; lacks() > 0 && looks < 16; looks++) {
        fetch(PART);
    }
    expect_ok(store_has(pair.agent, &wide, &has, &pair.fault), "has");
    cr_expect(has, "after %u looks nothing is lacking, and the node of 'wide' is not there", looks);
}

static digest_t
put_directory_of(digest_t child, uint32_t names)
{
    manifest_builder_t builder;
    char name[16];

    manifest_builder_init(&builder);
    for (uint32_t i = 0; i < names; i++) {
        snprintf(name, sizeof name, "%06u", i);
        add_entry(&builder, TREE_DIRECTORY, name, child, 0);
    }
    return put_node_into(pair.agent, &builder);
}

/* Of a hundred nodes, each with twice the one below it: 2 to the power of 100 directories. */
Test(lacks, a_manifest_that_leads_to_more_than_there_can_be_is_refused, .init = begin, .fini = end)
{
    manifest_version_t version = {.mode = 0755};
    manifest_builder_t builder;
    manifest_builder_init(&builder);
    digest_t node = put_node_into(pair.agent, &builder);

    for (uint32_t depth = 0; depth < 100; depth++) {
        node = put_directory_of(node, depth < 98 ? 2 : 1000);
    }
    version.node = node;
    both.root = put_version_into(pair.agent, &version);
    expect_ok(store_commit(pair.agent, &pair.fault), "commit");
    err_t err = lack_find(pair.agent, pair.staging, &both.root, &both.lack, &pair.fault);
    cr_expect_eq(err, ERR_TOO_LARGE, "got %s", err_word(err));
}
