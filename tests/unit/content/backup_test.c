/* backup_test.c - claims about what a backup begins on, and what it takes away when it fails. */
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
