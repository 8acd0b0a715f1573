/* ahead_test.c - claims about a version whose tree is written while its content comes. */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ahead.h"

CLAIM_OF_BOTH(ahead, what_came_is_in_the_tree_and_is_not_made_from_the_store)
{
    ahead_t ahead;
    ahead_begin(&ahead, user);
    ahead_fetch(&ahead);
    cr_expect(ahead_is_staged(&ahead, "large"));
    place_result_t result = ahead_placed(&ahead);
    EXPECT_COUNT(result.files_written, 0);
    EXPECT_COUNT(result.files_resumed, result.files);
    ahead_expect_placed(&ahead);
    ahead_end(&ahead);
}

Test(ahead, what_this_order_has_written_is_not_read_again)
{
    ahead_t ahead;
    ahead_begin(&ahead, AS_STARTED);
    ahead_fetch(&ahead);
    ahead_placed(&ahead);
    cr_expect(ahead.seen.read < MORE, "%llu bytes were read", (unsigned long long) ahead.seen.read);
    ahead_expect_placed(&ahead);
    ahead_end(&ahead);
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
    ahead_begin(&ahead, AS_STARTED);
    ahead_fetch(&ahead);
    change(yard_path(&ahead.yard, STAGED "/plain"));
    place_result_t result = ahead_placed(&ahead);
    EXPECT_COUNT(result.files_written, 1);
    ahead_expect_placed(&ahead);
    ahead_end(&ahead);
}

Test(ahead, what_another_order_has_written_is_held_against_its_digest)
{
    ahead_t ahead;
    ahead_begin(&ahead, AS_STARTED);
    ahead_fetch(&ahead);
    ahead_begin_order(&ahead);
    place_result_t result = ahead_placed(&ahead);
    EXPECT_COUNT(result.files_resumed, result.files);
    cr_expect(ahead.seen.read >= LARGE + MORE, "it was not read");
    ahead_expect_placed(&ahead);
    ahead_end(&ahead);
}

Test(ahead, a_file_of_which_chunks_were_there_is_left_to_the_placement)
{
    ahead_t ahead;
    ahead_begin(&ahead, AS_STARTED);
    ahead_fetch(&ahead);
    placed(&ahead.yard);
    uint8_t *bytes = bytes_of_seed(LARGE, 1);
    memcpy(bytes + LARGE / 2, "an edit", 7);
    ahead_write_file(&ahead, "large", bytes, LARGE);
    ahead_take_again(&ahead);
    ahead_fetch(&ahead);
    cr_expect_not(exists(yard_path(&ahead.yard, "root/.despool/staging/P1.v2/large")));
    ahead_placed(&ahead);
    ahead_expect_placed(&ahead);
    free(bytes);
    ahead_end(&ahead);
}

Test(ahead, where_there_is_no_room_nothing_is_written)
{
    ahead_t ahead;
    ahead_begin(&ahead, AS_STARTED);
    ahead.seen.free_bytes = SPACE_RESERVE_BYTES + LARGE + (LARGE / 2); /* for one of the two */
    ahead_fetch(&ahead);
    cr_expect_not(exists(yard_path(&ahead.yard, STAGED)));
    ahead.seen.free_bytes = 0;
    ahead_placed(&ahead);
    ahead_expect_placed(&ahead);
    ahead_end(&ahead);
}

Test(ahead, where_each_file_is_synced_by_itself_nothing_is_written)
{
    ahead_t ahead;
    ahead_begin(&ahead, AS_STARTED);
    ahead.seen.type = OTHER_TYPE;
    ahead_fetch(&ahead);
    cr_expect_not(exists(yard_path(&ahead.yard, STAGED)));
    ahead_placed(&ahead);
    ahead_expect_placed(&ahead);
    ahead_end(&ahead);
}

Test(ahead, where_case_is_no_difference_nothing_is_written)
{
    ahead_t ahead;
    ahead_begin(&ahead, AS_STARTED);
    ahead.seen.folds = true;
    ahead_fetch(&ahead);
    cr_expect_not(exists(yard_path(&ahead.yard, STAGED)));
    ahead_placed(&ahead);
    ahead_expect_placed(&ahead);
    ahead_end(&ahead);
}

Test(ahead, beside_a_version_that_stands_in_place_nothing_is_written)
{
    ahead_t ahead;
    ahead_begin(&ahead, AS_STARTED);
    store_t *agent = ahead.yard.store;
    ahead.yard.store = ahead.site;
    placed(&ahead.yard);
    ahead.yard.store = agent;
    ahead_begin_order(&ahead);
    ahead_fetch(&ahead);
    cr_expect_not(exists(yard_path(&ahead.yard, STAGED)));
    cr_expect(ahead_placed(&ahead).already);
    ahead_expect_placed(&ahead);
    ahead_end(&ahead);
}

Test(ahead, another_points_root_is_not_written_to)
{
    ahead_t ahead;
    ahead_begin(&ahead, AS_STARTED);
    run("rm %s", yard_path(&ahead.yard, "root/.despool/point"));
    ahead_fetch(&ahead);
    cr_expect_not(exists(yard_path(&ahead.yard, STAGED)));
    ahead_end(&ahead);
}

Test(ahead, the_tree_is_synced_by_a_descriptor_from_before_its_first_write)
{
    ahead_t ahead;
    ahead_begin(&ahead, AS_STARTED);
    ahead_fetch_nodes(&ahead);
    uint64_t before = ahead.seen.written;
    ahead_fetch(&ahead);
    uint64_t after = ahead.seen.written;
    ahead.yard.order.ahead = ahead.tree;
    placed(&ahead.yard);
    uint64_t since = ahead.seen.open_since[ahead.seen.synced];
    cr_expect(since >= before && since < after - LARGE, "opened when %llu of %llu were written",
              (unsigned long long) since, (unsigned long long) after);
    ahead_expect_placed(&ahead);
    ahead_end(&ahead);
}
