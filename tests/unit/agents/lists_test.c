/* lists_test.c - claims about lists of chunks that are wrong, and chunks that are damaged. */
#include "both.h"

/* A list of the site's, with two chunks of it in each other's place. */
static void
stage_lying_list(void)
{
    uint8_t *list = NULL, row[LIST_ROW_BYTES];
    size_t size = 0;

    expect_ok(store_list(pair.site, &both.file[1], &list, &size, &pair.fault), "read a list");
    memcpy(row, list, sizeof row);
    memmove(list, list + sizeof row, sizeof row);
    memcpy(list + sizeof row, row, sizeof row);
    staging_part_t part = {
        .object = both.file[1], .total = size, .bytes = {(const char *) list, size}};
    expect_ok(staging_put_list(pair.staging, &part, &pair.fault), "stage a list");
    free(list);
}

/* Reads the new file, as a placement would: it is found damaged. */
static void
expect_damaged(void)
{
    void *bytes = NULL;
    size_t size = 0;
    err_t err = store_read(pair.agent, &both.file[1], SIZE, &bytes, &size, &pair.fault);

    cr_assert_eq(err, ERR_DIGEST, "expected digest, got %s", err_word(err));
    cr_expect_not(has(&both.file[1]), "a file that proved damaged is there");
}

/* It is put unread, and found out by who reads it; the next list of that file is read first. */
Test(lists, a_list_that_lies_gives_no_file_and_the_whole_comes, .init = begin, .fini = end)
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

Test(lists, a_list_of_another_size_is_not_believed, .init = begin, .fini = end)
{
    uint8_t *list = NULL;
    size_t size = 0;

    fetch_list_of_new();
    expect_ok(store_list(pair.site, &both.file[1], &list, &size, &pair.fault), "read a list");
    staging_part_t part = {.object = both.file[1],
                           .total = size - LIST_ROW_BYTES,
                           .bytes = {(const char *) list, size - LIST_ROW_BYTES}};
    expect_ok(staging_put_list(pair.staging, &part, &pair.fault), "stage a list");
    free(list);
    cr_assert_eq(lacks(1), 1);
    cr_expect_eq(both.range[0].size, SIZE, "expected the whole file");
}

Test(lists, a_list_that_is_damaged_or_half_there_comes_again, .init = begin, .fini = end)
{
    uint8_t *list = NULL;
    size_t size = 0;
    char path[96], command[256];

    fetch_list_of_new();
    snprintf(path, sizeof path, "%s/agent/incoming", pair.path);
    snprintf(command, sizeof command, "printf x | dd of=$(echo %s/*.list) conv=notrunc status=none",
             path);
    cr_assert_eq(system(command), 0);
    lacks(1);
    cr_assert(both.lack.count == 1 && both.range[0].list, "a damaged list was believed");
    expect_ok(store_list(pair.site, &both.file[1], &list, &size, &pair.fault), "read a list");
    staging_part_t part = {.object = both.file[1],
                           .total = size,
                           .bytes = {(const char *) list, size - LIST_ROW_BYTES}};
    expect_ok(staging_put_list(pair.staging, &part, &pair.fault), "half a list");
    lacks(1);
    cr_assert(both.lack.count == 1 && both.range[0].list, "half a list was believed");
    part = (staging_part_t){.object = both.file[1],
                            .from = size - LIST_ROW_BYTES,
                            .total = size,
                            .bytes = {(const char *) list + size - LIST_ROW_BYTES, LIST_ROW_BYTES}};
    expect_ok(staging_put_list(pair.staging, &part, &pair.fault), "the rest");
    lacks(1);
    cr_assert(both.lack.count == 1 && !both.range[0].list, "the list was not believed");
    free(list);
}

Test(lists, a_list_that_is_too_long_is_none, .init = begin, .fini = end)
{
    fetch_list_of_new();
    staging_part_t part = {.object = both.file[1],
                           .total = AGENT_LIST_BYTES_MAX + LIST_ROW_BYTES,
                           .bytes = {(const char *) both.bytes[0], LIST_ROW_BYTES}};
    expect_ok(staging_put_list(pair.staging, &part, &pair.fault), "a long list");
    lacks(1);
    cr_assert_eq(both.lack.count, 1);
    cr_expect(!both.range[0].list && both.range[0].size == SIZE, "expected the whole file");
    part.total = 2 * LIST_ROW_BYTES;
    part.from = LIST_ROW_BYTES + 1;
    err_t err = staging_put_list(pair.staging, &part, &pair.fault);
    cr_expect_eq(err, ERR_BAD_VALUE, "behind its end: expected bad-value, got %s", err_word(err));
}

static void
damage_packs(void)
{
    char command[256];

    snprintf(command, sizeof command,
             "for pack in %s/agent/store/packs/*; do printf damaged | "
             "dd of=$pack bs=1 seek=1500000 conv=notrunc status=none; done",
             pair.path);
    cr_assert_eq(system(command), 0);
}

Test(lists, a_chunk_that_was_damaged_here_comes_again, .init = begin, .fini = end)
{
    fetch_list_of_new();
    lacks(1);
    fetch();
    pair_close_agent();
    damage_packs();
    pair_open_agent();
    cr_expect_eq(lacks(1), 0);
    expect_damaged();
    pair_close_agent();
    pair_open_agent();
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
Test(lists, a_chunk_that_was_damaged_before_comes_again, .init = begin, .fini = end)
{
    fetch_list_of_new();
    lacks(1);
    fetch();
    cr_assert_eq(lacks(1), 0);
    expect_file(1);
    damage_packs();
    pair_close_agent();
    pair_open_agent();
    expect_damaged();
    while (lacks(1) > 0) {
        fetch();
    }
    cr_expect(has(&both.file[1]), "a file whose chunk came again is not there");
    expect_file(1);
    pair_close_agent();
    pair_open_agent();
    cr_expect_eq(lacks(1), 0, "what came again came once more");
    expect_file(1);
}

static list_row_t
put_half(const char *bytes, size_t size)
{
    store_put_t put;

    expect_ok(store_put_bytes(pair.agent, bytes, size, &put, &pair.fault), "put half a chunk");
    return (list_row_t){put.digest, (uint32_t) size};
}

/* The site cuts the new file elsewhere than it did: each chunk in two, which the agent has. */
static void
stage_other_list(void)
{
    uint8_t *list = NULL, other[64 * LIST_ROW_BYTES];
    size_t size = 0, rows = 0;
    const char *at = (const char *) both.bytes[1];

    expect_ok(store_list(pair.site, &both.file[1], &list, &size, &pair.fault), "read a list");
    cr_assert_leq(2 * size, sizeof other);
    for (size_t i = 0; i < size; i += LIST_ROW_BYTES) {
        uint32_t bytes = list_row_decode(list + i).size, half = bytes / 2;
        list_row_t row[] = {put_half(at, half), put_half(at + half, bytes - half)};
        list_row_encode(&row[0], other + rows++ * LIST_ROW_BYTES);
        list_row_encode(&row[1], other + rows++ * LIST_ROW_BYTES);
        at += bytes;
    }
    free(list);
    expect_ok(store_commit(pair.agent, &pair.fault), "commit");
    staging_part_t part = {.object = both.file[1],
                           .total = rows * LIST_ROW_BYTES,
                           .bytes = {(const char *) other, rows * LIST_ROW_BYTES}};
    expect_ok(staging_put_list(pair.staging, &part, &pair.fault), "stage a list");
}

/* Which of two lists is found first is nobody's choice: the one that names what is gone goes. */
Test(lists, a_list_in_other_chunks_takes_the_place_of_the_one_before, .init = begin, .fini = end)
{
    char hex[65], command[256];

    fetch_list_of_new();
    lacks(1);
    fetch();
    cr_assert_eq(lacks(1), 0);
    damage_packs();
    pair_close_agent();
    pair_open_agent();
    expect_damaged();
    stage_other_list();
    cr_assert_eq(lacks(1), 0);
    hex_of_bytes(both.file[1].byte, sizeof both.file[1].byte, hex);
    snprintf(command, sizeof command, "ls %s/agent/store/damaged | grep -q ^%s", pair.path, hex);
    cr_expect_eq(system(command), 0, "the list that names a damaged chunk was not put aside");
    pair_close_agent();
    pair_open_agent();
    expect_file(1);
}
