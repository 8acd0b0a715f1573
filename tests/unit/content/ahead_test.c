/* ahead_test.c - claims about a version whose tree is written while its content comes. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "actors/content/lack.h"
#include "actors/content/place_ahead.h"
#include "yard.h"

#define LARGE      (5u << 20)
#define MORE       200000u /* of a smaller one */
#define CHUNK_MIN  65536u
#define RANGES     64u
#define STAGED     "root/.despool/staging/P1.v1"
#define CURRENT    "root/P1/current"
#define OTHER_TYPE 0x01021997u /* of a file system whose syncfs nobody has tried */

/* The real disk, and what is asked of it. */
typedef struct seen {
    world_t world; /* first */
    world_calls_t calls;
    world_t *real;
    uint64_t read, written;    /* bytes */
    uint64_t open_since[1024]; /* by descriptor: what was written when it was opened */
    int synced;                /* the descriptor of the last sync of a file system */
    uint32_t type;             /* of the file system, 0: the truth */
    uint64_t free_bytes;       /* the same */
} seen_t;

/* An agent that fetches a version from a site. */
typedef struct ahead {
    yard_t yard;
    seen_t seen;
    store_t *site;
    staging_t *staging;
    place_ahead_t *tree;
    transfer_range_t range[RANGES];
    lack_t lack;
    digest_t left_out; /* a chunk that comes, and is not put into the tree */
    bool lies;         /* the list of the large file has two chunks in each other's place */
} ahead_t;

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
    seen->calls.space = seen_space;
    seen->world = (world_t){.call = &seen->calls, .self = yard->world->self};
    yard->world = yard->point.world = &seen->world;
}

static void
write_file(ahead_t *ahead, const char *name, const uint8_t *bytes, size_t size)
{
    FILE *file = fopen(yard_path(&ahead->yard, "source/%s", name), "w");
    cr_assert(file && fwrite(bytes, 1, size, file) == size && fclose(file) == 0);
}

static void
make_source(ahead_t *ahead)
{
    uint8_t *bytes = bytes_of_seed(LARGE, 1);
    make_tree(&ahead->yard);
    write_file(ahead, "large", bytes, LARGE);
    write_file(ahead, "dir/more", bytes, MORE);
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

static void
begin_order(ahead_t *ahead)
{
    yard_t *yard = &ahead->yard;
    place_ahead_order_t order = {.root = slice_of(yard->root),
                                 .site = yard->identity.site,
                                 .point = yard->identity.incarnation,
                                 .package = slice_of(yard->order.package),
                                 .incarnation = yard->order.incarnation,
                                 .epoch = yard->order.epoch,
                                 .version = yard->order.root};
    place_ahead_drop(ahead->tree);
    ahead->tree = place_ahead_new(&order);
    cr_assert(ahead->tree != NULL);
}

static void
begin(ahead_t *ahead, user_t user)
{
    *ahead = (ahead_t){.tree = NULL};
    yard_begin(&ahead->yard, user);
    make_source(ahead);
    publish(ahead);
    begin_order(ahead);
}

static void
end(ahead_t *ahead)
{
    place_ahead_drop(ahead->tree);
    staging_close(&ahead->staging);
    store_close(&ahead->site);
    yard_end(&ahead->yard);
}

static void
swap_rows(uint8_t *list)
{
    uint8_t row[LIST_ROW_BYTES];
    memcpy(row, list, sizeof row);
    memcpy(list, list + sizeof row, sizeof row);
    memcpy(list + sizeof row, row, sizeof row);
}

static void
fetch_one(ahead_t *ahead, const transfer_range_t *range, uint8_t *bytes)
{
    yard_t *yard = &ahead->yard;
    staging_part_t part = {.object = range->object, .from = range->from};
    if (range->list) {
        uint8_t *list = NULL;
        EXPECT_OK(yard,
                  store_list(ahead->site, &range->object, &list, &part.bytes.size, &yard->fault));
        if (ahead->lies) {
            swap_rows(list);
        }
        part.bytes.data = (const char *) list;
        part.total = part.bytes.size;
        EXPECT_OK(yard, staging_put_list(ahead->staging, &part, &yard->fault));
        free(list);
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

static uint32_t
lacks(ahead_t *ahead)
{
    yard_t *yard = &ahead->yard;
    ahead->lack.ahead = ahead->lack.nodes ? NULL : ahead->tree;
    EXPECT_OK(yard, lack_find(yard->store, ahead->staging, &yard->order.root, &ahead->lack,
                              &yard->fault));
    place_ahead_lacks(ahead->tree, ahead->lack.bytes);
    return ahead->lack.count;
}

/* What was listed comes. */
static void
come(ahead_t *ahead)
{
    uint8_t *bytes = malloc(LARGE);
    for (uint32_t i = 0; i < ahead->lack.count; i++) {
        fetch_one(ahead, &ahead->range[i], bytes);
    }
    place_ahead_rest(ahead->tree, ahead->yard.world);
    EXPECT_OK(&ahead->yard, staging_commit(ahead->staging, &ahead->yard.fault));
    free(bytes);
}

/* The manifest first, as an agent has it before it is told to place. */
static void
fetch(ahead_t *ahead)
{
    for (int files = 0; files < 2; files++) {
        ahead->lack.nodes = !files;
        while (lacks(ahead) > 0) {
            come(ahead);
        }
    }
}

static place_result_t
place_ahead(ahead_t *ahead)
{
    ahead->yard.order.ahead = ahead->tree;
    ahead->seen.read = ahead->seen.written = 0;
    return placed(&ahead->yard);
}

static void
expect_placed(ahead_t *ahead)
{
    cr_expect(same_tree(ahead->yard.source, yard_path(&ahead->yard, CURRENT)));
    cr_expect(verified(&ahead->yard));
}

static bool
is_staged(ahead_t *ahead, const char *name)
{
    return exists(yard_path(&ahead->yard, STAGED "/%s", name));
}

CLAIM_OF_BOTH(ahead, what_came_is_in_the_tree_and_is_not_made_from_the_store)
{
    ahead_t ahead;
    begin(&ahead, user);
    fetch(&ahead);
    cr_expect(is_staged(&ahead, "large"));
    place_result_t result = place_ahead(&ahead);
    EXPECT_COUNT(result.files_written, 0);
    EXPECT_COUNT(result.files_resumed, result.files);
    expect_placed(&ahead);
    end(&ahead);
}

Test(ahead, what_this_order_has_written_is_not_read_again)
{
    ahead_t ahead;
    begin(&ahead, AS_STARTED);
    fetch(&ahead);
    place_ahead(&ahead);
    cr_expect(ahead.seen.read < MORE, "%llu bytes were read", (unsigned long long) ahead.seen.read);
    expect_placed(&ahead);
    end(&ahead);
}

/* Other bytes of the same length, and the time of before. The system's clock of files is coarse:
 * they are written until it has gone on. */
static void
change(const char *path)
{
    struct stat before, now;
    cr_assert_eq(lstat(path, &before), 0);
    do {
        struct timespec times[2] = {before.st_atim, before.st_mtim};
        int fd = open(path, O_WRONLY | O_CLOEXEC);
        cr_assert_eq(write(fd, "PLAIN", 5), 5);
        close(fd);
        cr_assert_eq(utimensat(AT_FDCWD, path, times, 0), 0);
        cr_assert_eq(lstat(path, &now), 0);
    } while (now.st_ctim.tv_sec == before.st_ctim.tv_sec &&
             now.st_ctim.tv_nsec == before.st_ctim.tv_nsec);
}

Test(ahead, a_file_that_was_changed_since_is_read_and_made_anew)
{
    ahead_t ahead;
    begin(&ahead, AS_STARTED);
    fetch(&ahead);
    change(yard_path(&ahead.yard, STAGED "/plain"));
    place_result_t result = place_ahead(&ahead);
    EXPECT_COUNT(result.files_written, 1);
    expect_placed(&ahead);
    end(&ahead);
}

Test(ahead, what_another_order_has_written_is_held_against_its_digest)
{
    ahead_t ahead;
    begin(&ahead, AS_STARTED);
    fetch(&ahead);
    begin_order(&ahead);
    place_result_t result = place_ahead(&ahead);
    EXPECT_COUNT(result.files_resumed, result.files);
    cr_expect(ahead.seen.read >= LARGE + MORE, "it was not read");
    expect_placed(&ahead);
    end(&ahead);
}

Test(ahead, a_large_file_whose_list_lies_is_not_placed)
{
    ahead_t ahead;
    begin(&ahead, AS_STARTED);
    ahead.lies = true;
    fetch(&ahead);
    cr_expect(is_staged(&ahead, "large"));
    ahead.yard.order.ahead = ahead.tree;
    place_result_t result;
    EXPECT_ERR(&ahead.yard, ERR_DIGEST, place(&ahead.yard, &result));
    cr_expect_not(exists(yard_path(&ahead.yard, CURRENT)));
    end(&ahead);
}

Test(ahead, a_chunk_is_put_wherever_the_file_has_it_and_hashed_in_its_turn)
{
    ahead_t ahead;
    begin(&ahead, AS_STARTED);
    uint8_t *bytes = calloc(3, LARGE), *half = bytes_of_seed(LARGE, 3);
    memcpy(bytes, half, LARGE);
    memcpy(bytes + 2u * LARGE, half, LARGE);
    write_file(&ahead, "large", bytes, 3u * LARGE);
    store_t *agent = ahead.yard.store;
    ahead.yard.store = ahead.site;
    take(&ahead.yard);
    ahead.yard.store = agent;
    begin_order(&ahead);
    fetch(&ahead);
    place_result_t result = place_ahead(&ahead);
    EXPECT_COUNT(result.files_written, 0);
    cr_expect(ahead.seen.read < MORE, "%llu bytes were read", (unsigned long long) ahead.seen.read);
    expect_placed(&ahead);
    free(bytes);
    free(half);
    end(&ahead);
}

/* Leaves a chunk of the large file out of the tree. */
static void
fetch_with_gap(ahead_t *ahead)
{
    ahead->lack.nodes = true;
    while (lacks(ahead) > 0) {
        come(ahead);
    }
    ahead->lack.nodes = false;
    cr_assert_gt(lacks(ahead), 4);
    uint32_t chunk = 0; /* its second one: there are some behind it */
    for (uint32_t i = 0, chunks = 0; i < ahead->lack.count && chunks < 2; i++) {
        chunks += ahead->range[i].size >= CHUNK_MIN && ahead->range[i].size != MORE;
        chunk = i;
    }
    ahead->left_out = ahead->range[chunk].object;
    come(ahead);
    cr_assert_eq(lacks(ahead), 0);
}

Test(ahead, a_file_with_a_gap_is_not_read_but_made_from_the_store)
{
    ahead_t ahead;
    begin(&ahead, AS_STARTED);
    fetch_with_gap(&ahead);
    cr_expect(is_staged(&ahead, "large"));
    place_result_t result = place_ahead(&ahead);
    EXPECT_COUNT(result.files_written, 1);
    cr_expect(ahead.seen.read < LARGE + LARGE / 2, "the file with the gap was read");
    expect_placed(&ahead);
    end(&ahead);
}

Test(ahead, a_file_of_which_chunks_were_there_is_left_to_the_placement)
{
    ahead_t ahead;
    begin(&ahead, AS_STARTED);
    fetch(&ahead);
    placed(&ahead.yard);
    uint8_t *bytes = bytes_of_seed(LARGE, 1);
    memcpy(bytes + LARGE / 2, "an edit", 7);
    write_file(&ahead, "large", bytes, LARGE);
    store_t *agent = ahead.yard.store;
    ahead.yard.store = ahead.site;
    take(&ahead.yard);
    ahead.yard.store = agent;
    begin_order(&ahead);
    fetch(&ahead);
    cr_expect_not(exists(yard_path(&ahead.yard, "root/.despool/staging/P1.v2/large")));
    place_ahead(&ahead);
    expect_placed(&ahead);
    free(bytes);
    end(&ahead);
}

Test(ahead, where_there_is_no_room_nothing_is_written)
{
    ahead_t ahead;
    begin(&ahead, AS_STARTED);
    ahead.seen.free_bytes = SPACE_RESERVE_BYTES + LARGE + (LARGE / 2); /* for one of the two */
    fetch(&ahead);
    cr_expect_not(exists(yard_path(&ahead.yard, STAGED)));
    ahead.seen.free_bytes = 0;
    place_ahead(&ahead);
    expect_placed(&ahead);
    end(&ahead);
}

Test(ahead, where_each_file_is_synced_by_itself_nothing_is_written)
{
    ahead_t ahead;
    begin(&ahead, AS_STARTED);
    ahead.seen.type = OTHER_TYPE;
    fetch(&ahead);
    cr_expect_not(exists(yard_path(&ahead.yard, STAGED)));
    place_ahead(&ahead);
    expect_placed(&ahead);
    end(&ahead);
}

Test(ahead, beside_a_version_that_stands_in_place_nothing_is_written)
{
    ahead_t ahead;
    begin(&ahead, AS_STARTED);
    store_t *agent = ahead.yard.store;
    ahead.yard.store = ahead.site;
    placed(&ahead.yard);
    ahead.yard.store = agent;
    begin_order(&ahead);
    fetch(&ahead);
    cr_expect_not(exists(yard_path(&ahead.yard, STAGED)));
    cr_expect(place_ahead(&ahead).already);
    expect_placed(&ahead);
    end(&ahead);
}

Test(ahead, another_points_root_is_not_written_to)
{
    ahead_t ahead;
    begin(&ahead, AS_STARTED);
    run("rm %s", yard_path(&ahead.yard, "root/.despool/point"));
    fetch(&ahead);
    cr_expect_not(exists(yard_path(&ahead.yard, STAGED)));
    end(&ahead);
}

Test(ahead, the_tree_is_synced_by_a_descriptor_from_before_its_first_write)
{
    ahead_t ahead;
    begin(&ahead, AS_STARTED);
    ahead.lack.nodes = true;
    while (lacks(&ahead) > 0) {
        come(&ahead);
    }
    uint64_t before = ahead.seen.written;
    fetch(&ahead);
    uint64_t after = ahead.seen.written;
    ahead.yard.order.ahead = ahead.tree;
    placed(&ahead.yard);
    uint64_t since = ahead.seen.open_since[ahead.seen.synced];
    cr_expect(since >= before && since < after - LARGE, "opened when %llu of %llu were written",
              (unsigned long long) since, (unsigned long long) after);
    expect_placed(&ahead);
    end(&ahead);
}
