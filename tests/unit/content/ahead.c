/* ahead.c - see ahead.h. */
#include "ahead.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "actors/content/manifest.h"

static seen_t *
seen_of(world_t *world)
{
    return (seen_t *) (void *) world;
}

static int
seen_open(world_t *world, int dir, const char *path, int flags, uint32_t mode, unsigned how)
{
    seen_t *seen = seen_of(world);
    int fd = world_open(seen->real, dir, path, flags, mode, how);
    if (fd >= 0 && fd < 1024) {
        seen->open_since[fd] = seen->written;
    }
    return fd;
}

static int64_t
seen_read(world_t *world, int fd, void *bytes, size_t size, uint64_t offset)
{
    int64_t got = world_read(seen_of(world)->real, fd, bytes, size, offset);
    seen_of(world)->read += got > 0 ? (uint64_t) got : 0;
    return got;
}

static int64_t
seen_write(world_t *world, int fd, const void *bytes, size_t size, uint64_t offset)
{
    seen_of(world)->written += size;
    return world_write(seen_of(world)->real, fd, bytes, size, offset);
}

static int
seen_sync_all(world_t *world, int fd)
{
    seen_of(world)->synced = fd;
    return world_sync_all(seen_of(world)->real, fd);
}

static int
seen_stat_at(world_t *world, int dir, const char *path, world_stat_t *ret)
{
    seen_t *seen = seen_of(world);
    int result = world_stat_at(seen->real, dir, path, ret);
    return result == -ENOENT && seen->folds && strcmp(path, "STAGING") == 0
               ? world_stat_at(seen->real, dir, "staging", ret)
               : result;
}

static int
seen_space(world_t *world, int fd, world_space_t *ret)
{
    seen_t *seen = seen_of(world);
    int result = world_space(seen->real, fd, ret);
    ret->type = seen->type != 0 ? seen->type : 0xEF53;
    ret->bytes_free = seen->free_bytes != 0 ? seen->free_bytes : ret->bytes_free;
    return result;
}

static void
look_on(ahead_t *ahead)
{
    seen_t *seen = &ahead->seen;
    yard_t *yard = &ahead->yard;
    *seen = (seen_t){.real = yard->world, .calls = *yard->world->call};
    seen->calls.open = seen_open;
    seen->calls.read = seen_read;
    seen->calls.write = seen_write;
    seen->calls.sync_all = seen_sync_all;
    seen->calls.stat_at = seen_stat_at;
    seen->calls.space = seen_space;
    seen->world = (world_t){.call = &seen->calls, .self = yard->world->self};
    yard->world = yard->point.world = &seen->world;
}

void
ahead_write_file(ahead_t *ahead, const char *name, const uint8_t *bytes, size_t size)
{
    FILE *file = fopen(yard_path(&ahead->yard, "source/%s", name), "w");
    cr_assert(file && fwrite(bytes, 1, size, file) == size && fclose(file) == 0);
}

static void
make_source(ahead_t *ahead)
{
    uint8_t *bytes = bytes_of_seed(LARGE, 1);
    make_tree(&ahead->yard);
    ahead_write_file(ahead, "large", bytes, LARGE);
    ahead_write_file(ahead, "dir/more", bytes, MORE);
    free(bytes);
}

/* The source is a version of the site's; from here on the yard's store is the agent's. */
static void
publish(ahead_t *ahead)
{
    yard_t *yard = &ahead->yard;
    take(yard);
    ahead->site = yard->store;
    make_directory(yard_path(yard, "agent"), 0700);
    look_on(ahead);
    EXPECT_OK(yard,
              store_open(yard->world, yard_path(yard, "agent/store"), &yard->store, &yard->fault));
    EXPECT_OK(yard, staging_open(yard->world, yard_path(yard, "agent"), yard->store,
                                 &ahead->staging, &yard->fault));
    ahead->lack = (lack_t){.range = ahead->range, .max = RANGES, .bytes_max = UINT64_MAX};
}

void
ahead_begin_order(ahead_t *ahead)
{
    yard_t *yard = &ahead->yard;
    place_ahead_order_t order = {.root = slice_of(yard->root),
                                 .site = yard->identity.site,
                                 .point = yard->identity.incarnation,
                                 .package = slice_of(yard->order.package),
                                 .incarnation = yard->order.incarnation,
                                 .epoch = yard->order.epoch,
                                 .version = yard->order.root,
                                 .read_only = yard->order.read_only};
    place_ahead_drop(ahead->tree);
    ahead->tree = place_ahead_new(&order);
    cr_assert(ahead->tree != NULL);
}

void
ahead_begin(ahead_t *ahead, user_t user)
{
    *ahead = (ahead_t){.tree = NULL};
    yard_begin(&ahead->yard, user);
    make_source(ahead);
    publish(ahead);
    ahead_begin_order(ahead);
}

void
ahead_end(ahead_t *ahead)
{
    place_ahead_drop(ahead->tree);
    staging_close(&ahead->staging);
    store_close(&ahead->site);
    yard_end(&ahead->yard);
}

/* What the source is now, as the site's version. */
void
ahead_take_again(ahead_t *ahead)
{
    store_t *agent = ahead->yard.store;
    ahead->yard.store = ahead->site;
    take(&ahead->yard);
    ahead->yard.store = agent;
    ahead_begin_order(ahead);
}

/* The version as one before lists were named in it: the large file stands in its topmost node. */
void
ahead_forget_list(ahead_t *ahead)
{
    yard_t *yard = &ahead->yard;
    manifest_version_t version;
    manifest_builder_t builder;
    void *node = NULL, *top = NULL;
    const uint8_t *made = NULL;
    size_t size = 0;
    store_put_t put;
    EXPECT_OK(yard, store_read(ahead->site, &yard->order.root, LARGE, &top, &size, &yard->fault));
    cr_assert_eq(manifest_version_decode(top, size, &version), OK);
    EXPECT_OK(yard, store_read(ahead->site, &version.node, LARGE, &node, &size, &yard->fault));
    manifest_cursor_t cursor = manifest_cursor(node);
    manifest_builder_init(&builder);
    for (tree_entry_t entry; manifest_next(&cursor, &entry);) {
        entry.extension_size = 0;
        cr_assert_eq(manifest_builder_add(&builder, &entry), OK);
    }
    cr_assert_eq(manifest_builder_finish(&builder, &made, &size), OK);
    EXPECT_OK(yard, store_put_bytes(ahead->site, made, size, &put, &yard->fault));
    version.node = put.digest;
    manifest_version_encode(&version, top);
    EXPECT_OK(yard, store_put_bytes(ahead->site, top, MANIFEST_VERSION_BYTES, &put, &yard->fault));
    EXPECT_OK(yard, store_commit(ahead->site, &yard->fault));
    yard->order.root = put.digest;
    manifest_builder_release(&builder);
    free(node);
    free(top);
    ahead_begin_order(ahead);
}

/* Its last two. */
static void
swap_rows(uint8_t *list, size_t size)
{
    uint8_t row[LIST_ROW_BYTES], *last = list + size - sizeof row;
    memcpy(row, last, sizeof row);
    memcpy(last, last - sizeof row, sizeof row);
    memcpy(last - sizeof row, row, sizeof row);
}

static void
fetch_list(ahead_t *ahead, const digest_t *object)
{
    yard_t *yard = &ahead->yard;
    staging_part_t part = {.object = *object};
    uint8_t *list = NULL;
    EXPECT_OK(yard, store_list(ahead->site, object, &list, &part.bytes.size, &yard->fault));
    if (ahead->lies) {
        swap_rows(list, part.bytes.size);
    }
    part.bytes.data = (const char *) list;
    part.total = part.bytes.size;
    EXPECT_OK(yard, staging_put_list(ahead->staging, &part, &yard->fault));
    ahead->list_of = *object;
    free(list);
}

void
ahead_lie(ahead_t *ahead)
{
    ahead->lies = true;
    fetch_list(ahead, &ahead->list_of);
}

static void
fetch_one(ahead_t *ahead, const transfer_range_t *range, uint8_t *bytes)
{
    yard_t *yard = &ahead->yard;
    staging_part_t part = {.object = range->object, .from = range->from};
    if (range->list) {
        fetch_list(ahead, &range->object);
        return;
    }
    part.bytes.data = (const char *) bytes;
    EXPECT_OK(yard, transfer_read(ahead->site, range, bytes, LARGE, &part.bytes.size, &part.total,
                                  &yard->fault));
    EXPECT_OK(yard, staging_put(ahead->staging, &part, &yard->fault));
    if (memcmp(&range->object, &ahead->left_out, sizeof range->object) != 0) {
        place_ahead_put(ahead->tree, yard->store, &range->object, part.bytes);
    }
}

uint32_t
ahead_lacks(ahead_t *ahead)
{
    yard_t *yard = &ahead->yard;
    ahead->lack.ahead = ahead->lack.nodes ? NULL : ahead->tree;
    EXPECT_OK(yard, lack_find(yard->store, ahead->staging, &yard->order.root, &ahead->lack,
                              &yard->fault));
    place_ahead_lacks(ahead->tree, ahead->lack.bytes);
    return ahead->lack.count;
}

/* What was listed comes. */
void
ahead_come(ahead_t *ahead)
{
    uint8_t *bytes = malloc(LARGE);
    for (uint32_t i = 0; i < ahead->lack.count; i++) {
        fetch_one(ahead, &ahead->range[i], bytes);
    }
    place_ahead_rest(ahead->tree, ahead->yard.world);
    EXPECT_OK(&ahead->yard, staging_commit(ahead->staging, &ahead->yard.fault));
    free(bytes);
}

void
ahead_fetch_nodes(ahead_t *ahead)
{
    ahead->lack.nodes = true;
    while (ahead_lacks(ahead) > 0) {
        ahead_come(ahead);
    }
    ahead->lack.nodes = false;
}

void
ahead_fetch(ahead_t *ahead)
{
    ahead_fetch_nodes(ahead);
    while (ahead_lacks(ahead) > 0) {
        ahead_come(ahead);
    }
}

place_result_t
ahead_placed(ahead_t *ahead)
{
    ahead->yard.order.ahead = ahead->tree;
    ahead->seen.read = ahead->seen.written = 0;
    return placed(&ahead->yard);
}

void
ahead_expect_placed(ahead_t *ahead)
{
    cr_expect(same_tree(ahead->yard.source, yard_path(&ahead->yard, CURRENT)));
    cr_expect(verified(&ahead->yard));
}

bool
ahead_is_staged(ahead_t *ahead, const char *name)
{
    return exists(yard_path(&ahead->yard, STAGED "/%s", name));
}
