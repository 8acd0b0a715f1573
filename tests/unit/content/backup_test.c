/* backup_test.c - claims about what a backup begins on, what comes while it is made, and what it
 * takes away when it fails. */
#include "yard.h"

#include "actors/content/backup.h"

Test(backup, a_store_of_the_first_release_is_no_backup_until_it_was_moved)
{
    yard_t yard;
    yard_begin(&yard, AS_STARTED);
    make_directory(yard_path(&yard, "data/store/objects"), 0700);
    make_directory(yard_path(&yard, "data/store/objects/ab"), 0700);
    const char *dir = yard_path(&yard, "backup");
    EXPECT_ERR(&yard, ERR_NOT_MOVED, backup_begin(yard.world, yard.data, dir, false, &yard.fault));
    cr_expect(!exists(dir), "a refused backup makes nothing");
    run("rmdir %s", yard_path(&yard, "data/store/objects/ab"));
    EXPECT_OK(&yard, backup_begin(yard.world, yard.data, dir, false, &yard.fault));
    cr_expect(exists(dir));
    yard_end(&yard);
}

Test(backup, one_that_fails_takes_away_what_it_wrote_and_nothing_else)
{
    yard_t yard;
    yard_begin(&yard, AS_STARTED);
    const char *dir = yard_path(&yard, "backup");
    EXPECT_OK(&yard, backup_begin(yard.world, yard.data, dir, false, &yard.fault));
    make_file(yard_path(&yard, "backup/site.db"), "rows", 0600);
    make_file(yard_path(&yard, "backup/files"), "", 0600);
    make_directory(yard_path(&yard, "backup/store"), 0700);
    make_file(yard_path(&yard, "backup/store/part"), "half", 0600);
    make_file(yard_path(&yard, "backup/of_others"), "theirs", 0600);
    EXPECT_OK(&yard, backup_abandon(yard.world, yard_path(&yard, "backup"), &yard.fault));
    cr_expect(exists(yard_path(&yard, "backup/of_others")), "what others put there is gone");
    run("rm %s && rmdir %s", yard_path(&yard, "backup/of_others"), yard_path(&yard, "backup"));
    yard_end(&yard);
}

Test(backup, a_dry_run_makes_nothing_and_refuses_the_same)
{
    yard_t yard;
    yard_begin(&yard, AS_STARTED);
    const char *dir = yard_path(&yard, "backup");
    EXPECT_OK(&yard, backup_begin(yard.world, yard.data, dir, true, &yard.fault));
    cr_expect(!exists(dir));
    make_directory(dir, 0700);
    make_file(yard_path(&yard, "backup/of_others"), "theirs", 0600);
    EXPECT_ERR(&yard, ERR_NOT_EMPTY, backup_begin(yard.world, yard.data, dir, true, &yard.fault));
    yard_end(&yard);
}

/* The text and the hint are those of a path, not of a point. */
Test(backup, a_directory_that_cannot_be_made_is_told_as_a_path)
{
    yard_t yard;
    yard_begin(&yard, AS_STARTED);
    const char *dir = yard_path(&yard, "nowhere/backup");
    EXPECT_ERR(&yard, ERR_NO_PATH, backup_begin(yard.world, yard.data, dir, false, &yard.fault));
    make_file(yard_path(&yard, "file"), "", 0600);
    dir = yard_path(&yard, "file");
    EXPECT_ERR(&yard, ERR_PATH_TAKEN, backup_begin(yard.world, yard.data, dir, false, &yard.fault));
    yard_end(&yard);
}

typedef struct beside {
    yard_t *yard;
    uint32_t calls;
} beside_t;

/* Another job puts something, in a pack of its own, when the first run of the index is copied: the
 * database was before that, and the packs are to come. */
static void
put_more(void *context, uint64_t bytes)
{
    static const char more[] = "what came meanwhile";
    beside_t *beside = context;
    yard_t *yard = beside->yard;
    store_t *other = NULL;
    store_put_t put;
    (void) bytes;
    if (++beside->calls == 2) {
        const char *path = yard_path(yard, "data/store");
        EXPECT_OK(yard, store_open(yard->world, path, &other, &yard->fault));
        EXPECT_OK(yard, store_put_bytes(other, more, sizeof more, &put, &yard->fault));
        EXPECT_OK(yard, store_commit(other, &yard->fault));
        store_close(&other);
    }
}

static void
back_up_while_more_comes(yard_t *yard)
{
    const backup_about_t about = {.last_event = 7};
    beside_t beside = {.yard = yard};
    backup_result_t result;
    const char *dir = yard_path(yard, "backup");
    EXPECT_OK(yard, backup_begin(yard->world, yard->data, dir, false, &yard->fault));
    make_file(yard_path(yard, "backup/site.db"), "rows", 0600);
    EXPECT_OK(yard, backup_fill(yard->world, yard->data, yard_path(yard, "backup"), &about,
                                put_more, &beside, &result, &yard->fault));
    run("test $(ls %s | wc -l) = 1", yard_path(yard, "backup/store/index"));
    run("test $(ls %s | wc -l) = 2", yard_path(yard, "backup/store/packs"));
}

Test(backup, a_store_that_was_restored_lacks_no_run_although_more_came_while_it_was_copied)
{
    yard_t yard;
    backup_result_t result;
    store_checked_t checked;
    yard_begin(&yard, AS_STARTED);
    make_tree(&yard);
    take(&yard);
    back_up_while_more_comes(&yard);
    const char *to = yard_path(&yard, "restored");
    EXPECT_OK(&yard,
              backup_restore(yard.world, yard_path(&yard, "backup"), to, &result, &yard.fault));
    store_close(&yard.store);
    EXPECT_OK(&yard,
              store_open(yard.world, yard_path(&yard, "restored/store"), &yard.store, &yard.fault));
    EXPECT_OK(&yard, store_check(yard.store, &yard.order.root, 1, false, NULL, NULL, &checked,
                                 &yard.fault));
    EXPECT_COUNT(checked.missing, 0);
    EXPECT_COUNT(checked.pages_damaged, 0);
    yard_end(&yard);
}
