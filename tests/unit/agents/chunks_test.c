/* chunks_test.c - claims about large files, of which an agent is sent the chunks that it lacks. */
#include "both.h"

#include "actors/content/kin.h"
#include "runtime/job_hands.h"

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
    pair_close_agent();
    pair_open_agent();
    cr_expect_eq(lacks(1), 0, "what was durable came again");
    pair_close_agent();
    pair_open_agent();
    expect_file(1);
}

Test(chunks, an_edit_has_the_chunk_that_stood_there_for_its_base, .init = begin, .fini = end)
{
    kin_t kin;

    fetch_list_of_new();
    lacks(1);
    expect_ok(kin_find(pair.site, (kin_files_t){&both.file[1], 1}, (kin_files_t){both.file, 1},
                       &kin, &pair.fault),
              "kin");
    cr_assert_eq(kin.count, 1, "one chunk is new, and %zu have a base", kin.count);
    const digest_t *base = kin_base(&kin, &both.range[0].object);
    cr_assert_not_null(base, "the new chunk has no base");
    void *bytes = NULL;
    size_t size = 0;
    expect_ok(store_read(pair.site, base, CHUNK, &bytes, &size, &pair.fault), "read the base");
    const uint8_t *at = memmem(both.bytes[0], SIZE, bytes, size);
    cr_expect(at && at <= both.bytes[0] + EDIT && at + size > both.bytes[0] + EDIT,
              "the base is another chunk");
    free(bytes);
    kin_release(&kin);
}

/* Nothing in it is as it was for more than some hundred bytes, and half of it has moved. */
static digest_t
put_moved(void)
{
    uint8_t *now = both.bytes[1];

    memcpy(now, both.bytes[0] + SIZE / 2, SIZE / 2);
    memcpy(now + SIZE / 2, both.bytes[0], SIZE / 2);
    for (size_t i = 0; i < SIZE; i += 700) {
        now[i] ^= 0x55;
    }
    digest_t file = put_file(pair.site, now);
    expect_ok(store_commit(pair.site, &pair.fault), "commit");
    return file;
}

static kin_t
find_kin(const digest_t *file)
{
    kin_t kin;

    expect_ok(
        kin_find(pair.site, (kin_files_t){file, 1}, (kin_files_t){both.file, 1}, &kin, &pair.fault),
        "kin");
    return kin;
}

Test(chunks, what_has_no_neighbour_in_common_has_the_one_most_like_it, .init = begin, .fini = end)
{
    unsigned right = 0, count = 0;
    digest_t file = put_moved();
    kin_t kin = find_kin(&file);
    const uint8_t *now = both.bytes[1];

    for (size_t i = 0; i < kin.count; i++) {
        void *chunk = NULL, *base = NULL;
        size_t size = 0, base_size = 0;
        expect_ok(store_read(pair.site, &kin.pair[i].chunk, CHUNK, &chunk, &size, &pair.fault),
                  "chunk");
        expect_ok(store_read(pair.site, &kin.pair[i].base, CHUNK, &base, &base_size, &pair.fault),
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

Test(chunks, many_hands_find_the_bases_that_one_finds, .init = begin, .fini = end)
{
    digest_t file = put_moved();
    kin_t alone = find_kin(&file);
    hands_t *hands = hands_new(3);

    pair.os.world.hands = hands_of(hands);
    for (unsigned round = 0; round < 5; round++) {
        kin_t kin = find_kin(&file);
        cr_assert_eq(kin.count, alone.count);
        for (size_t i = 0; i < kin.count; i++) {
            cr_expect(digest_equal(&kin.pair[i].chunk, &alone.pair[i].chunk));
            cr_expect(digest_equal(&kin.pair[i].base, &alone.pair[i].base),
                      "in round %u chunk %zu has another base", round, i);
        }
        kin_release(&kin);
    }
    pair.os.world.hands = NULL;
    hands_destroy(&hands);
    kin_release(&alone);
}
