/* looks_test.c - claims about how often a store is looked into for what a large version lacks. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/unit/agents/nodes.h"
#include "tests/unit/agents/pair.h"

#define DIRECTORIES 4u
#define FILES       60u                               /* in each */
#define RANGES      8u                                /* of a need */
#define TEXT_BYTES  10u                               /* of a file */
#define NAMES       (1u + DIRECTORIES * (FILES + 1u)) /* that are looked for in one way through */

/* A site's store with one version of many small files, and an agent's with its directories. */
typedef struct many {
    digest_t root;
    transfer_range_t range[RANGES];
    lack_t lack;
} many_t;

static many_t many;

static void
add(manifest_builder_t *builder, tree_kind_t kind, unsigned number, digest_t digest)
{
    char name[16];

    snprintf(name, sizeof name, "%04u", number);
    add_entry(builder, kind, name, digest, kind == TREE_FILE ? TEXT_BYTES : 0);
}

static digest_t
make_directory(unsigned number)
{
    manifest_builder_t builder;

    manifest_builder_init(&builder);
    for (unsigned i = 0; i < FILES; i++) {
        char text[TEXT_BYTES + 1];
        snprintf(text, sizeof text, "%010u", number * FILES + i);
        add(&builder, TREE_FILE, i, put_bytes_into(pair.site, text, TEXT_BYTES));
    }
    return put_node_into(pair.site, &builder);
}

static void
make_version(void)
{
    manifest_builder_t builder;
    digest_t directory[DIRECTORIES];

    for (unsigned i = 0; i < DIRECTORIES; i++) {
        directory[i] = make_directory(i);
    }
    manifest_builder_init(&builder);
    for (unsigned i = 0; i < DIRECTORIES; i++) {
        add(&builder, TREE_DIRECTORY, i, directory[i]);
    }
    manifest_version_t version = {.mode = 0755,
                                  .files = DIRECTORIES * FILES,
                                  .bytes = (uint64_t) DIRECTORIES * FILES * TEXT_BYTES,
                                  .node = put_node_into(pair.site, &builder)};
    many.root = put_version_into(pair.site, &version);
    expect_ok(store_commit(pair.site, &pair.fault), "commit");
}

static uint32_t
lacks(void)
{
    expect_ok(lack_find(pair.agent, pair.staging, &many.root, &many.lack, &pair.fault), "lack");
    return many.lack.count;
}

/* All of a need but the one that is left out. */
static void
fetch_but(uint32_t left_out)
{
    for (uint32_t i = 0; i < many.lack.count; i++) {
        uint8_t bytes[8192];
        staging_part_t part = {.object = many.range[i].object};
        part.bytes.data = (const char *) bytes;
        expect_ok(transfer_read(pair.site, &many.range[i], bytes, sizeof bytes, &part.bytes.size,
                                &part.total, &pair.fault),
                  "read");
        if (i != left_out) {
            expect_ok(staging_put(pair.staging, &part, &pair.fault), "stage");
        }
    }
    expect_ok(staging_commit(pair.staging, &pair.fault), "commit");
}

static void
fetch(void)
{
    fetch_but(UINT32_MAX);
}

static void
begin(void)
{
    pair_open();
    make_version();
    many.lack =
        (lack_t){.range = many.range, .max = RANGES, .bytes_max = UINT64_MAX, .nodes = true};
    while (lacks() > 0) {
        fetch();
    }
    many.lack.nodes = false;
}

/* Thirty needs of eight files each: by a whole look for each of them it would be 7,590 names. */
Test(looks, needs_of_a_large_version_go_on_where_the_one_before_came_to, .init = begin,
     .fini = pair_close)
{
    uint64_t looks = 0;
    uint32_t needs = 0, most = 0;

    for (; lacks() > 0; needs++) {
        looks += many.lack.looks;
        most = needs > 0 && many.lack.looks > most ? (uint32_t) many.lack.looks : most;
        fetch();
    }
    looks += many.lack.looks;
    cr_expect_eq(needs, DIRECTORIES * FILES / RANGES, "%u needs", needs);
    cr_expect_leq(most, RANGES + 1 + DIRECTORIES + 2, "a need looked for %u names", most);
    cr_expect_leq(looks, 2 * NAMES + (uint64_t) needs * (RANGES + DIRECTORIES + 3),
                  "all needs looked for %llu names", (unsigned long long) looks);
}

Test(looks, each_need_tells_what_is_lacking_altogether, .init = begin, .fini = pair_close)
{
    uint64_t left = (uint64_t) DIRECTORIES * FILES * TEXT_BYTES;

    for (; lacks() > 0; left -= (uint64_t) many.lack.count * TEXT_BYTES) {
        cr_assert_eq(many.lack.bytes, left, "%llu bytes are told, %llu are lacking",
                     (unsigned long long) many.lack.bytes, (unsigned long long) left);
        fetch();
    }
    cr_expect_eq(left, 0);
}

Test(looks, what_did_not_come_is_asked_for_before_nothing_is_lacking, .init = begin,
     .fini = pair_close)
{
    uint32_t needs = 0;

    cr_assert_eq(lacks(), RANGES);
    digest_t left_out = many.range[3].object;
    fetch_but(3);
    for (; lacks() > 0 && !digest_equal(&many.range[0].object, &left_out); needs++) {
        fetch();
    }
    cr_assert_eq(many.lack.count, 1, "%u are lacking at the end", many.lack.count);
    fetch();
    cr_expect_eq(lacks(), 0);
}

Test(looks, a_directory_that_did_not_come_leaves_no_mark, .init = begin, .fini = pair_close)
{
    pair_renew_agent();
    lacks();
    fetch();
    lacks();
    fetch();
    cr_assert_eq(lacks(), DIRECTORIES, "expected the directories, got %u", many.lack.count);
    fetch_but(0);
    cr_assert_eq(lacks(), RANGES);
    cr_expect_eq(many.lack.mark.node + many.lack.mark.entry, 0, "what is in it is not known");
    uint64_t files = 0;
    for (; lacks() > 0; fetch()) {
        for (uint32_t i = 0; i < many.lack.count; i++) {
            files += many.range[i].size == TEXT_BYTES;
        }
    }
    cr_expect_eq(files, DIRECTORIES * FILES, "%llu files came", (unsigned long long) files);
}

/* ---- a manifest that comes level by level ---- */

#define DEPTH 30u

/* Directories in one another, each with one file beside the next one. */
static void
make_deep(void)
{
    digest_t below = put_bytes_into(pair.site, "deep", 4);

    for (unsigned i = 0; i < DEPTH; i++) {
        manifest_builder_t builder;
        manifest_builder_init(&builder);
        add_entry(&builder, i == 0 ? TREE_FILE : TREE_DIRECTORY, "a", below, i == 0 ? 4 : 0);
        add_entry(&builder, TREE_FILE, "b", put_bytes_into(pair.site, "b", 1), 1);
        below = put_node_into(pair.site, &builder);
    }
    manifest_version_t version = {.mode = 0755, .files = DEPTH + 1, .bytes = 4, .node = below};
    many.root = put_version_into(pair.site, &version);
    expect_ok(store_commit(pair.site, &pair.fault), "commit");
}

/* As an agent says it: what was listed has come, but for the version itself. */
static void
note_came(digest_t came[RANGES])
{
    many.lack.came = came;
    many.lack.came_count = 0;
    for (uint32_t i = 0; i < many.lack.count; i++) {
        if (!digest_equal(&many.range[i].object, &many.root)) {
            came[many.lack.came_count++] = many.range[i].object;
        }
    }
}

Test(looks, a_manifest_goes_on_with_the_directories_that_came, .init = begin, .fini = pair_close)
{
    uint64_t looks = 0;
    uint32_t needs = 0;
    digest_t came[RANGES];

    make_deep();
    many.lack.nodes = true;
    for (; lacks() > 0; needs++) {
        looks += many.lack.looks;
        fetch();
        note_came(came);
    }
    looks += many.lack.looks;
    cr_expect_eq(needs, DEPTH + 1);
    cr_expect_leq(looks, 6 * DEPTH, "looked for %llu names", (unsigned long long) looks);
    many.lack.came_count = 0;
    cr_expect_eq(lacks(), 0);
}

Test(looks, what_stands_beside_what_came_is_asked_for_before_a_manifest_is_whole, .init = begin,
     .fini = pair_close)
{
    digest_t came[RANGES];

    pair_renew_agent();
    many.lack.nodes = true;
    for (unsigned i = 0; i < 2; i++) {
        lacks();
        fetch();
    }
    cr_assert_eq(lacks(), DIRECTORIES);
    digest_t left_out = many.range[1].object;
    fetch_but(1);
    note_came(came);
    came[1] = came[0];
    cr_assert_eq(lacks(), 1, "a directory is lacking, and %u are asked for", many.lack.count);
    cr_expect(digest_equal(&many.range[0].object, &left_out));
}
