/* both.h - a site's store and an agent's, for claims about large files.
 *
 * Shape    `both` has the two stores in a directory of its own, and two versions of one large file;
 *          begin and end are a claim's first and last step.
 * Threads  one claim, in a process of its own.
 */
#pragma once

#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "actors/content/manifest.h"
#include "actors/content/pack.h"
#include "proto/limits.h"
#include "tests/unit/agents/pair.h"

#define SIZE  (6u << 20)
#define EDIT  (3u << 20) /* where the new version differs */
#define CHUNK 1048576u   /* bytes of a chunk at most */

/* A site's store with one large file in two versions, and an agent's store with the old one. */
typedef struct both {
    digest_t root[2], file[2];
    uint8_t *bytes[2];
    transfer_range_t range[64];
    lack_t lack;
} both_t;

static both_t both;

static inline digest_t
put_file(store_t *store, const uint8_t *bytes)
{
    char path[96];
    store_put_t put;

    snprintf(path, sizeof path, "%s/file", pair.path);
    FILE *file = fopen(path, "w");
    cr_assert(file && fwrite(bytes, SIZE, 1, file) == 1 && fclose(file) == 0);
    int fd = open(path, O_RDONLY);
    expect_ok(store_put_file(store, fd, path, &put, &pair.fault), "put a file");
    close(fd);
    return put.digest;
}

static inline digest_t
put_bytes(const void *bytes, size_t size)
{
    store_put_t put;

    expect_ok(store_put_bytes(pair.site, bytes, size, &put, &pair.fault), "put");
    return put.digest;
}

static inline void
make_version(unsigned i)
{
    manifest_builder_t builder;
    manifest_version_t version = {.mode = 0755, .files = 1, .bytes = SIZE};
    uint8_t encoded[MANIFEST_VERSION_BYTES];
    const uint8_t *node = NULL;
    size_t size = 0;

    both.file[i] = put_file(pair.site, both.bytes[i]);
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
    expect_ok(store_commit(pair.site, &pair.fault), "commit");
}

static inline void
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

static inline uint32_t
lacks(unsigned version)
{
    expect_ok(lack_find(pair.agent, pair.staging, &both.root[version], &both.lack, &pair.fault),
              "lack");
    return both.lack.count;
}

static inline void
fetch_list(const digest_t *object)
{
    uint8_t *list = NULL;
    staging_part_t part = {.object = *object};
    size_t size = 0;

    expect_ok(store_list(pair.site, object, &list, &size, &pair.fault), "read a list");
    part.bytes = (slice_t){(const char *) list, size};
    part.total = size;
    expect_ok(staging_put_list(pair.staging, &part, &pair.fault), "stage a list");
    free(list);
}

/* Bytes of content that came, lists not counted. */
static inline uint64_t
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
        expect_ok(transfer_read(pair.site, &both.range[i], bytes, SIZE, &part.bytes.size,
                                &part.total, &pair.fault),
                  "read");
        expect_ok(staging_put(pair.staging, &part, &pair.fault), "stage");
        came += part.bytes.size;
    }
    expect_ok(staging_commit(pair.staging, &pair.fault), "commit");
    free(bytes);
    return came;
}

static inline void
begin(void)
{
    pair_open();
    make_bytes();
    both.lack = (lack_t){.range = both.range, .max = 64, .bytes_max = UINT64_MAX};
    make_version(0);
    make_version(1);
    while (lacks(0) > 0) {
        fetch();
    }
    both.lack.have = both.root[0];
}

static inline void
end(void)
{
    free(both.bytes[0]);
    free(both.bytes[1]);
    pair_close();
}

/* The new version's nodes and its list are there; what else is lacking was looked for. */
static inline void
fetch_list_of_new(void)
{
    both.lack.nodes = true;
    while (lacks(1) > 0) {
        fetch();
    }
    both.lack.nodes = false;
}

static inline void
expect_file(unsigned i)
{
    void *bytes = NULL;
    size_t size = 0;

    expect_ok(store_read(pair.agent, &both.file[i], SIZE, &bytes, &size, &pair.fault), "read");
    cr_expect(size == SIZE && memcmp(bytes, both.bytes[i], SIZE) == 0, "it has other bytes");
    free(bytes);
}

static inline bool
has(const digest_t *object)
{
    bool there = false;

    expect_ok(store_has(pair.agent, object, &there, &pair.fault), "has");
    return there;
}
