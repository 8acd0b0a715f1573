/* pieces_test.c - claims about what comes packed: it gives the object, or nothing. */
#include <criterion/criterion.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zstd.h>

#include "actors/content/manifest.h"
#include "actors/content/squeeze.h"
#include "actors/jobs_pieces.h"
#include "runtime/world_os.h"

#define SIZE 50000u
#define BOMB (256u << 20)

typedef struct agent {
    char path[64];
    world_os_t os;
    shelf_t shelf;
    hash_t *hash;
    squeeze_t squeeze;
    uint8_t before[SIZE], now[SIZE];
    digest_t base, object;
    uint64_t memory[1 << 18]; /* of a message: 2 MiB */
    uint64_t bytes, refused;
} agent_t;

static agent_t *agent;

static void
expect_ok(err_t err, const char *what)
{
    char text[1024];

    cr_assert_eq(err, OK, "%s: %s", what, fault_text(&agent->shelf.fault, text, sizeof text));
}

static void
begin(void)
{
    store_put_t put;

    agent = calloc(1, sizeof *agent);
    cr_assert_not_null(agent);
    snprintf(agent->path, sizeof agent->path, "/tmp/pieces-test-XXXXXX");
    cr_assert_not_null(mkdtemp(agent->path));
    world_os_init(&agent->os, NULL);
    for (uint32_t i = 0, word = 1; i < SIZE; i++) {
        word = word * 1664525u + 1013904223u;
        agent->before[i] = agent->now[i] = (uint8_t) (word >> 24);
    }
    memcpy(agent->now + 20000, "a line was changed", 18);
    expect_ok(hash_new(&agent->hash), "hash");
    expect_ok(shelf_open(&agent->shelf, &agent->os.world, slice_of(agent->path)), "open");
    expect_ok(store_put_bytes(agent->shelf.store, agent->before, SIZE, &put, &agent->shelf.fault),
              "put");
    expect_ok(store_commit(agent->shelf.store, &agent->shelf.fault), "commit");
    agent->base = put.digest;
    hash_bytes(agent->hash, agent->now, SIZE, &agent->object);
}

static void
end(void)
{
    char command[128];

    shelf_close(&agent->shelf);
    squeeze_release(&agent->squeeze);
    hash_destroy(&agent->hash);
    snprintf(command, sizeof command, "rm -rf '%s'", agent->path);
    cr_assert_eq(system(command), 0);
    free(agent);
}

static err_t
come(packing_t packing, slice_t bytes, uint64_t size)
{
    draft_t draft;

    draft_over(&draft, agent->memory, sizeof agent->memory);
    agent_data_t *m = draft_begin(&draft, &agent_data_type);
    m->pieces = draft_rows(&draft, 1, sizeof(piece_t));
    text_t text = draft_text(&draft, bytes);
    piece_t *piece = draft_row(&draft, m->pieces, 0, sizeof *piece);
    *piece = (piece_t){.object = agent->object,
                       .total = SIZE,
                       .bytes = text,
                       .packing = packing,
                       .size = size,
                       .base = agent->base};
    return pieces_put(&agent->shelf, m, &agent->bytes, &agent->refused);
}

static slice_t
delta_of(const uint8_t *bytes)
{
    const uint8_t *packed = NULL;
    size_t size = 0;

    expect_ok(squeeze_against(&agent->squeeze, (slice_t){(const char *) agent->before, SIZE}, bytes,
                              SIZE, &packed, &size),
              "pack");
    return (slice_t){(const char *) packed, size};
}

static bool
has(void)
{
    bool there = false;

    expect_ok(staging_commit(agent->shelf.staging, &agent->shelf.fault), "commit");
    expect_ok(store_has(agent->shelf.store, &agent->object, &there, &agent->shelf.fault), "has");
    return there;
}

Test(pieces, a_delta_gives_the_object, .init = begin, .fini = end)
{
    slice_t delta = delta_of(agent->now);

    cr_expect_lt(delta.size, 200, "%zu bytes for one line", delta.size);
    expect_ok(come(PACKING_DELTA, delta, SIZE), "a delta");
    cr_expect_eq(agent->refused, 0);
    cr_expect_eq(agent->bytes, SIZE);
    cr_expect(has(), "the object is not there");
}

Test(pieces, a_delta_that_gives_other_bytes_is_left_out_and_counted, .init = begin, .fini = end)
{
    uint8_t other[SIZE];

    memcpy(other, agent->now, SIZE);
    other[7] ^= 1;
    expect_ok(come(PACKING_DELTA, delta_of(other), SIZE), "other bytes");
    expect_ok(come(PACKING_DELTA, slice_of("no delta at all"), SIZE), "no delta");
    expect_ok(come(PACKING_DELTA, delta_of(agent->now), SIZE - 1), "another size");
    agent->base.byte[0] ^= 1;
    expect_ok(come(PACKING_DELTA, delta_of(agent->now), SIZE), "a base that is not there");
    cr_expect_eq(agent->refused, 4, "expected 4 refused, got %llu",
                 (unsigned long long) agent->refused);
    cr_expect_not(has(), "an object of other bytes is there");
    expect_ok(come(PACKING_PLAIN, (slice_t){(const char *) agent->now, SIZE}, 0), "the whole");
    cr_expect(has(), "the whole object was not taken");
}

/* One bit of the only pack, in the midst of the only object. */
static void
rot_base(void)
{
    char pattern[128];
    glob_t packs;

    snprintf(pattern, sizeof pattern, "%s/store/packs/*.pack", agent->path);
    cr_assert(glob(pattern, 0, NULL, &packs) == 0 && packs.gl_pathc == 1);
    FILE *file = fopen(packs.gl_pathv[0], "r+");
    cr_assert(file && fseek(file, SIZE / 2, SEEK_SET) == 0);
    int byte = fgetc(file);
    cr_assert(fseek(file, SIZE / 2, SEEK_SET) == 0 && fputc(byte ^ 1, file) != EOF);
    cr_assert_eq(fclose(file), 0);
    globfree(&packs);
}

Test(pieces, a_base_that_rotted_gives_nothing_and_counts_as_lacking, .init = begin, .fini = end)
{
    bool there = true;

    rot_base();
    expect_ok(come(PACKING_DELTA, delta_of(agent->now), SIZE), "a delta");
    cr_expect_eq(agent->refused, 1, "it was taken");
    cr_expect_not(has(), "an object of other bytes is there");
    expect_ok(store_has(agent->shelf.store, &agent->base, &there, &agent->shelf.fault), "has");
    cr_expect_not(there, "the rotten base counts as there");
}

Test(pieces, what_the_store_has_packed_is_sent_as_it_is_and_gives_the_object, .init = begin,
     .fini = end)
{
    uint8_t unpacked[SIZE];
    stored_object_t its;
    store_put_t put;
    store_t *store = agent->shelf.store;
    fault_t *fault = &agent->shelf.fault;

    expect_ok(store_as_stored(store, &agent->base, &its, fault), "plain");
    cr_expect(!its.packed && its.size == its.bytes.size, "what does not pay was packed");
    expect_ok(store_as_stored(store, &agent->object, &its, fault), "not there");
    cr_expect_eq(its.size, 0, "what is not there is stored");
    for (uint32_t i = 0; i < SIZE; i++) {
        agent->now[i] = (uint8_t) (i / 100);
    }
    expect_ok(store_put_bytes(store, agent->now, SIZE, &put, fault), "put");
    expect_ok(store_commit(store, fault), "commit");
    expect_ok(store_as_stored(store, &put.digest, &its, fault), "packed");
    cr_assert(its.packed && its.size == SIZE && its.bytes.size < SIZE / 2);
    expect_ok(expand(&agent->squeeze, its.bytes.data, its.bytes.size, unpacked, SIZE), "expand");
    cr_expect_arr_eq(unpacked, agent->now, SIZE);
}

Test(pieces, what_is_packed_gives_no_more_than_it_says, .init = begin, .fini = end)
{
    uint8_t *zeros = calloc(1, BOMB), *bomb = malloc(1 << 20);

    cr_assert(zeros && bomb);
    size_t size = ZSTD_compress(bomb, 1 << 20, zeros, BOMB, 1);
    cr_assert_not(ZSTD_isError(size));
    free(zeros);
    slice_t bytes = {(const char *) bomb, size};
    err_t err = come(PACKING_ZSTD, bytes, SIZE);
    cr_expect_eq(err, ERR_DIGEST, "expected digest, got %s", err_word(err));
    expect_ok(come(PACKING_DELTA, bytes, SIZE), "as a delta");
    cr_expect_eq(agent->refused, 1);
    cr_expect_not(has());
    free(bomb);
}

static digest_t
put(const void *bytes, size_t size)
{
    store_put_t put;

    expect_ok(store_put_bytes(agent->shelf.store, bytes, size, &put, &agent->shelf.fault), "put");
    return put.digest;
}

static digest_t
put_version(const tree_entry_t *entry)
{
    manifest_builder_t builder;
    manifest_version_t version = {.mode = 0755, .files = 1, .bytes = entry->size};
    uint8_t encoded[MANIFEST_VERSION_BYTES];
    const uint8_t *node = NULL;
    size_t size = 0;

    manifest_builder_init(&builder);
    cr_assert_eq(manifest_builder_add(&builder, entry), OK);
    cr_assert_eq(manifest_builder_finish(&builder, &node, &size), OK);
    version.node = put(node, size);
    manifest_version_encode(&version, encoded);
    digest_t root = put(encoded, sizeof encoded);
    manifest_builder_release(&builder);
    expect_ok(store_commit(agent->shelf.store, &agent->shelf.fault), "commit");
    return root;
}

/* A point, and the tree of a version of one file, which is lacking. */
static void
begin_tree(void)
{
    char root[80];
    point_identity_t identity = {.site = {{1}}, .incarnation = {{2}}, .name = "D1"};
    tree_entry_t entry = {.kind = TREE_FILE,
                          .mode = 0644,
                          .size = SIZE,
                          .digest = agent->object,
                          .name = "file",
                          .name_size = 4};
    place_ahead_order_t order = {.site = identity.site,
                                 .point = identity.incarnation,
                                 .package = slice_of("P1"),
                                 .incarnation = {{3}},
                                 .epoch = 1,
                                 .version = put_version(&entry)};

    snprintf(root, sizeof root, "%s/root", agent->path);
    cr_assert_eq(world_make_dir(&agent->os.world, -100, root, 0755), 0);
    expect_ok(point_claim(&agent->os.world, root, &identity, NULL, 0, false, &agent->shelf.fault),
              "claim");
    order.root = slice_of(root);
    agent->shelf.ahead = place_ahead_new(&order);
    place_ahead_look(agent->shelf.ahead);
    place_ahead_look_at(agent->shelf.ahead, AHEAD_TOP, &entry);
    place_ahead_listed(agent->shelf.ahead,
                       &(transfer_range_t){.object = entry.digest, .size = SIZE});
}

static bool
is_in_tree(void)
{
    char path[128];
    world_stat_t stat;

    snprintf(path, sizeof path, "%s/root/.despool/staging/P1.v1/file", agent->path);
    return world_stat_at(&agent->os.world, -100, path, &stat) == 0 && stat.size == SIZE;
}

Test(pieces, what_does_not_give_the_object_is_not_written_into_the_tree, .init = begin, .fini = end)
{
    begin_tree();
    agent->now[0] ^= 1;
    expect_ok(come(PACKING_DELTA, delta_of(agent->now), SIZE), "a wrong delta");
    cr_expect_eq(agent->refused, 1);
    cr_expect_not(is_in_tree());
    agent->now[0] ^= 1;
    expect_ok(come(PACKING_DELTA, delta_of(agent->now), SIZE), "a right delta");
    cr_expect(is_in_tree());
    place_ahead_drop(agent->shelf.ahead);
}
