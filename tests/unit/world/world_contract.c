/* world_contract.c - what both worlds promise alike: each claim runs against the real machine, in a
 * new directory below TMPDIR, and against the simulated one. */
#include "contract.h"

static void
expect_text(world_t *w, int dir, const char *name, const char *text)
{
    char got[256] = "";
    int fd = world_open(w, dir, name, O_RDONLY, 0, 0);
    cr_assert_geq(fd, 0, "cannot open %s: %d", name, fd);
    int64_t size = world_read(w, fd, got, sizeof got - 1, 0);
    cr_expect_str_eq(got, text, "%s: expected '%s', got '%s'", name, text, got);
    GIVES(strlen(text), size);
    GIVES(0, world_close(w, fd));
}

CLAIM(what_is_written_is_read_at_any_offset)
{
    put(w, root, "f", "hello world");
    int fd = world_open(w, root, "f", O_RDWR, 0, 0);
    GIVES(3, world_write(w, fd, "XYZ", 3, 20));
    char got[32] = {0};
    GIVES(23, world_read(w, fd, got, sizeof got, 0));
    cr_expect_arr_eq(got, "hello world\0\0\0\0\0\0\0\0\0XYZ", 23);
    GIVES(0, world_read(w, fd, got, sizeof got, 23));
    GIVES(0, world_read(w, fd, got, sizeof got, 1000));
    GIVES(0, world_write(w, fd, "", 0, 5));
    GIVES(0, world_close(w, fd));
}

CLAIM(truncating_cuts_and_growing_fills_with_zeros)
{
    put(w, root, "f", "abcdef");
    int fd = world_open(w, root, "f", O_RDWR, 0, 0);
    GIVES(0, world_truncate(w, fd, 2));
    GIVES(0, world_truncate(w, fd, 5));
    char got[8];
    GIVES(5, world_read(w, fd, got, sizeof got, 0));
    cr_expect_arr_eq(got, "ab\0\0\0", 5);
    GIVES(0, world_allocate(w, fd, 9000));
    GIVES(0, world_allocate(w, fd, 100));
    world_stat_t stat;
    GIVES(0, world_stat(w, fd, &stat));
    GIVES(9000, stat.size);
    GIVES(0, world_close(w, fd));
}

CLAIM(a_range_on_its_way_to_the_disk_reads_as_it_was_written)
{
    put(w, root, "f", "abcdef");
    int fd = world_open(w, root, "f", O_RDWR, 0, 0);
    GIVES(0, world_write_out(w, fd, 0, 6));
    GIVES(0, world_write_out(w, fd, 4, 100));
    GIVES(0, world_close(w, fd));
    GIVES(-EBADF, world_write_out(w, fd, 0, 6));
    expect_text(w, root, "f", "abcdef");
}

CLAIM(open_flags_decide_what_is_made_and_refused)
{
    put(w, root, "f", "text");
    GIVES(0, world_make_dir(w, root, "d", 0755));
    GIVES(-EEXIST, world_open(w, root, "f", O_RDWR | O_CREAT | O_EXCL, 0644, 0));
    GIVES(-ENOENT, world_open(w, root, "g", O_RDWR, 0, 0));
    GIVES(-ENOTDIR, world_open(w, root, "f", O_RDONLY | O_DIRECTORY, 0, 0));
    GIVES(-EISDIR, world_open(w, root, "d", O_RDWR, 0, 0));
    GIVES(-ENOTDIR, world_open(w, root, "f/g", O_RDWR | O_CREAT, 0644, 0));
    GIVES(-EISDIR, world_open(w, root, "g/", O_RDWR | O_CREAT, 0644, 0));
    GIVES(-ENOENT, world_open(w, root, "", O_RDONLY, 0, 0));
    int fd = world_open(w, root, "f", O_WRONLY | O_TRUNC, 0, 0);
    char byte;
    GIVES(-EBADF, world_read(w, fd, &byte, 1, 0));
    GIVES(0, world_close(w, fd));
    GIVES(-EBADF, world_close(w, fd));
    expect_text(w, root, "f", "");
}

CLAIM(a_descriptor_for_reading_cannot_write)
{
    put(w, root, "f", "text");
    int fd = world_open(w, root, "f", O_RDONLY, 0, 0);
    GIVES(-EBADF, world_write(w, fd, "x", 1, 0));
    GIVES(-EINVAL, world_truncate(w, fd, 0));
    GIVES(0, world_close(w, fd));
    char byte;
    GIVES(-EISDIR, world_read(w, root, &byte, 1, 0));
}

CLAIM(names_are_at_most_255_bytes)
{
    char name[258];
    memset(name, 'n', sizeof name);
    name[255] = '\0';
    put(w, root, name, "long");
    expect_text(w, root, name, "long");
    name[255] = 'n';
    name[256] = '\0';
    GIVES(-ENAMETOOLONG, world_open(w, root, name, O_RDWR | O_CREAT, 0644, 0));
}

CLAIM(a_renamed_file_keeps_its_inode_and_replaces_the_other)
{
    put(w, root, "a", "new");
    put(w, root, "b", "old");
    world_stat_t before, after;
    GIVES(0, world_stat_at(w, root, "a", &before));
    GIVES(0, world_rename(w, root, "a", root, "b"));
    GIVES(-ENOENT, world_stat_at(w, root, "a", &after));
    GIVES(0, world_stat_at(w, root, "b", &after));
    GIVES(before.inode, after.inode);
    expect_text(w, root, "b", "new");
    GIVES(-ENOENT, world_rename(w, root, "a", root, "c"));
}

CLAIM(a_directory_is_renamed_with_what_it_holds_but_not_into_itself)
{
    GIVES(0, world_make_dir(w, root, "d", 0755));
    GIVES(0, world_make_dir(w, root, "d/e", 0755));
    put(w, root, "d/e/f", "deep");
    GIVES(-EINVAL, world_rename(w, root, "d", root, "d/e/x"));
    GIVES(0, world_make_dir(w, root, "empty", 0755));
    GIVES(0, world_rename(w, root, "d", root, "empty"));
    expect_text(w, root, "empty/e/f", "deep");
    GIVES(0, world_make_dir(w, root, "g", 0755));
    GIVES(-ENOTEMPTY, world_rename(w, root, "g", root, "empty"));
    put(w, root, "file", "");
    GIVES(-ENOTDIR, world_rename(w, root, "g", root, "file"));
    GIVES(-EISDIR, world_rename(w, root, "file", root, "g"));
    int e = world_open(w, root, "empty/e", O_RDONLY | O_DIRECTORY, 0, 0);
    world_stat_t up, there;
    GIVES(0, world_stat_at(w, e, "..", &up));
    GIVES(0, world_stat_at(w, root, "empty", &there));
    GIVES(there.inode, up.inode);
    GIVES(0, world_close(w, e));
}

CLAIM(a_removed_file_lives_while_it_is_open)
{
    put(w, root, "f", "still here");
    int fd = world_open(w, root, "f", O_RDONLY, 0, 0);
    GIVES(0, world_remove(w, root, "f"));
    GIVES(-ENOENT, world_remove(w, root, "f"));
    char got[16] = "";
    GIVES(10, world_read(w, fd, got, sizeof got, 0));
    world_stat_t stat;
    GIVES(0, world_stat(w, fd, &stat));
    GIVES(0, stat.links);
    GIVES(0, world_close(w, fd));
}

CLAIM(only_an_empty_directory_is_removed_as_one)
{
    GIVES(0, world_make_dir(w, root, "d", 0755));
    GIVES(-EEXIST, world_make_dir(w, root, "d", 0755));
    put(w, root, "d/f", "");
    GIVES(-ENOTEMPTY, world_remove_dir(w, root, "d"));
    GIVES(-EISDIR, world_remove(w, root, "d"));
    GIVES(-ENOTDIR, world_remove_dir(w, root, "d/f"));
    GIVES(0, world_remove(w, root, "d/f"));
    GIVES(0, world_remove_dir(w, root, "d"));
    GIVES(-ENOENT, world_make_dir(w, root, "d/e", 0755));
}

CLAIM(nothing_is_made_in_a_directory_that_is_gone)
{
    GIVES(0, world_make_dir(w, root, "d", 0755));
    int d = world_open(w, root, "d", O_RDONLY | O_DIRECTORY, 0, 0);
    GIVES(0, world_remove_dir(w, root, "d"));
    GIVES(-ENOENT, world_open(w, d, "f", O_RDWR | O_CREAT, 0644, 0));
    GIVES(-ENOENT, world_make_dir(w, d, "e", 0755));
    GIVES(0, world_close(w, d));
}

CLAIM(a_hard_link_is_the_same_file)
{
    put(w, root, "a", "one");
    GIVES(0, world_hard_link(w, root, "a", root, "b"));
    GIVES(-EEXIST, world_hard_link(w, root, "a", root, "b"));
    world_stat_t a, b;
    GIVES(0, world_stat_at(w, root, "a", &a));
    GIVES(0, world_stat_at(w, root, "b", &b));
    GIVES(a.inode, b.inode);
    GIVES(2, b.links);
    GIVES(0, world_rename(w, root, "a", root, "b"));
    expect_text(w, root, "a", "one");
    GIVES(0, world_remove(w, root, "a"));
    expect_text(w, root, "b", "one");
    GIVES(0, world_make_dir(w, root, "d", 0755));
    GIVES(-EPERM, world_hard_link(w, root, "d", root, "e"));
}

CLAIM(a_symlink_is_read_and_never_followed_by_stat)
{
    put(w, root, "f", "behind");
    GIVES(0, world_make_link(w, "f", root, "l"));
    GIVES(-EEXIST, world_make_link(w, "g", root, "l"));
    char text[16] = "";
    GIVES(1, world_read_link(w, root, "l", text, sizeof text));
    cr_expect_str_eq(text, "f");
    GIVES(-EINVAL, world_read_link(w, root, "f", text, sizeof text));
    world_stat_t stat;
    GIVES(0, world_stat_at(w, root, "l", &stat));
    GIVES(S_IFLNK, stat.mode & S_IFMT);
    GIVES(1, stat.size);
    expect_text(w, root, "l", "behind");
    GIVES(-ELOOP, world_open(w, root, "l", O_RDONLY | O_NOFOLLOW, 0, 0));
    int fd = world_open(w, root, "l", O_PATH | O_NOFOLLOW, 0, 0);
    GIVES(0, world_stat(w, fd, &stat));
    GIVES(S_IFLNK, stat.mode & S_IFMT);
    GIVES(0, world_attribute_count(w, fd));
    GIVES(-EBADF, world_read(w, fd, text, 1, 0));
    GIVES(0, world_close(w, fd));
}

CLAIM(links_that_go_in_a_circle_end_with_eloop)
{
    GIVES(0, world_make_link(w, "b", root, "a"));
    GIVES(0, world_make_link(w, "a", root, "b"));
    GIVES(-ELOOP, world_open(w, root, "a", O_RDONLY, 0, 0));
    GIVES(0, world_make_dir(w, root, "d", 0755));
    GIVES(0, world_make_link(w, "../d/./", root, "d/round"));
    put(w, root, "d/f", "found");
    expect_text(w, root, "d/round/round/f", "found");
    GIVES(-EEXIST, world_open(w, root, "a", O_RDWR | O_CREAT | O_EXCL, 0644, 0));
}

CLAIM(beneath_refuses_to_leave_and_to_follow)
{
    GIVES(0, world_make_dir(w, root, "d", 0755));
    put(w, root, "d/f", "in");
    put(w, root, "out", "out");
    GIVES(0, world_make_link(w, "f", root, "d/l"));
    GIVES(0, world_make_link(w, ".", root, "d/here"));
    int d = world_open(w, root, "d", O_RDONLY | O_DIRECTORY, 0, WORLD_BENEATH | WORLD_NO_XDEV);
    cr_assert_geq(d, 0);
    GIVES(-EXDEV, world_open(w, d, "..", O_RDONLY, 0, WORLD_BENEATH));
    GIVES(-EXDEV, world_open(w, d, "../out", O_RDONLY, 0, WORLD_BENEATH));
    GIVES(-EXDEV, world_open(w, d, "/etc", O_RDONLY, 0, WORLD_BENEATH));
    GIVES(-ELOOP, world_open(w, d, "l", O_RDONLY, 0, WORLD_BENEATH));
    GIVES(-ELOOP, world_open(w, d, "here/f", O_RDONLY, 0, WORLD_BENEATH));
    GIVES(-ELOOP, world_open(w, d, "l", O_RDWR | O_CREAT, 0644, WORLD_BENEATH));
    int fd = world_open(w, d, "f", O_RDONLY, 0, WORLD_BENEATH | WORLD_NO_XDEV);
    cr_expect_geq(fd, 0, "got %d", fd);
    GIVES(0, world_close(w, fd));
    fd = world_open(w, d, "made", O_RDWR | O_CREAT | O_EXCL, 0644, WORLD_BENEATH);
    cr_expect_geq(fd, 0, "got %d", fd);
    GIVES(0, world_close(w, fd));
    GIVES(0, world_close(w, d));
}

CLAIM(modes_and_times_are_kept_exactly)
{
    put(w, root, "f", "x");
    int fd = world_open(w, root, "f", O_RDWR, 0, 0);
    world_stat_t stat;
    GIVES(0, world_chmod(w, fd, 01640));
    GIVES(0, world_stat(w, fd, &stat));
    GIVES(S_IFREG | 01640, stat.mode);
    GIVES(0, world_chmod(w, root, 0750));
    GIVES(0, world_stat(w, root, &stat));
    GIVES(S_IFDIR | 0750, stat.mode);
    const int64_t times[] = {0, 1, 123456789 * SECOND + 987654321, -5 * SECOND + 1};
    for (size_t i = 0; i < sizeof times / sizeof times[0]; i++) {
        GIVES(0, world_set_mtime(w, root, "f", times[i]));
        GIVES(0, world_stat(w, fd, &stat));
        GIVES(times[i], stat.mtime_ns);
    }
    GIVES(0, world_close(w, fd));
    GIVES(0, world_make_link(w, "f", root, "l"));
    GIVES(0, world_set_mtime(w, root, "l", 5 * SECOND));
    GIVES(0, world_stat_at(w, root, "l", &stat));
    GIVES(5 * SECOND, stat.mtime_ns);
    GIVES(0, world_stat_at(w, root, "f", &stat));
    GIVES(times[3], stat.mtime_ns);
}

CLAIM(a_listing_shows_every_name_once_with_its_type)
{
    char name[16];
    for (int i = 0; i < 40; i++) {
        snprintf(name, sizeof name, "f%d", i);
        put(w, root, name, "");
    }
    GIVES(0, world_make_dir(w, root, "d", 0755));
    GIVES(0, world_make_link(w, "d", root, "l"));
    for (int round = 0; round < 2; round++) {
        world_listing_t *listing = NULL;
        cr_assert_eq(world_list(w, root, &listing), 0);
        int files = 0, others = 0;
        world_name_t found;
        while (world_list_next(w, listing, &found) == 1) {
            files += found.type == DT_REG && found.name[0] == 'f';
            others += (found.type == DT_DIR && strcmp(found.name, "d") == 0) ||
                      (found.type == DT_LNK && strcmp(found.name, "l") == 0);
        }
        GIVES(0, world_list_next(w, listing, &found));
        GIVES(40, files);
        GIVES(2, others);
        world_list_end(w, &listing);
        cr_expect_null(listing);
    }
    put(w, root, "d/f", "");
    int fd = world_open(w, root, "d/f", O_RDONLY, 0, 0);
    world_listing_t *listing = NULL;
    GIVES(-ENOTDIR, world_list(w, fd, &listing));
    cr_expect_null(listing);
    GIVES(0, world_close(w, fd));
}

CLAIM(space_is_told_in_bytes_and_inodes)
{
    world_space_t space;
    GIVES(0, world_space(w, root, &space));
    cr_expect_geq(space.bytes_all, space.bytes_free);
    cr_expect_gt(space.bytes_free, 0u);
    cr_expect_gt(space.inodes_free, 0u);
    cr_expect_geq(space.block_bytes, 512u);
}

CLAIM(a_lock_is_had_by_one_and_given_back_by_closing)
{
    put(w, root, "lock", "");
    int one = world_open(w, root, "lock", O_RDWR, 0, 0);
    int two = world_open(w, root, "lock", O_RDWR, 0, 0);
    GIVES(0, world_lock(w, one));
    GIVES(0, world_lock(w, one));
    GIVES(-EWOULDBLOCK, world_lock(w, two));
    GIVES(0, world_close(w, one));
    GIVES(0, world_lock(w, two));
    GIVES(0, world_close(w, two));
}

CLAIM(syncs_of_files_and_directories_succeed)
{
    put(w, root, "f", "x");
    int fd = world_open(w, root, "f", O_RDWR, 0, 0);
    GIVES(0, world_sync(w, fd));
    GIVES(0, world_sync_data(w, fd));
    GIVES(0, world_sync(w, root));
    GIVES(0, world_sync_all(w, root));
    GIVES(0, world_close(w, fd));
    GIVES(-EBADF, world_sync(w, fd));
}

CLAIM(clocks_and_chance_go_on)
{
    (void) root;
    int64_t before = world_monotonic_ns(w);
    cr_expect_geq(world_monotonic_ns(w), before);
    cr_expect_gt(world_wall_ns(w), 1600000000 * SECOND);
    unsigned char one[32] = {0}, two[32] = {0};
    world_random(w, one, sizeof one);
    world_random(w, two, sizeof two);
    cr_expect_arr_neq(one, two, sizeof one);
    GIVES(0, world_point(w, "a point"));
    cr_expect_not(world_cancelled(w));
}

Test(real_world, a_cancelled_job_can_only_close)
{
    atomic_bool cancel = false;
    world_os_t os;
    world_t *w = world_os_init(&os, &cancel);
    int fd = world_open(w, AT_FDCWD, "/", O_RDONLY, 0, 0);
    cr_assert_geq(fd, 0);
    atomic_store(&cancel, true);
    world_stat_t stat;
    GIVES(-ECANCELED, world_stat(w, fd, &stat));
    GIVES(-ECANCELED, world_open(w, AT_FDCWD, "/", O_RDONLY, 0, 0));
    GIVES(-ECANCELED, world_point(w, "a point"));
    GIVES(1, world_cancelled(w));
    GIVES(0, world_close(w, fd));
}

Test(simulated_world, a_cancelled_job_can_only_close)
{
    world_sim_t *sim = world_sim_new(&(world_sim_options_t){.seed = 1});
    world_t *w = world_sim_job_new(sim, NULL, NULL);
    int fd = world_open(w, AT_FDCWD, "/", O_RDONLY, 0, 0);
    cr_assert_geq(fd, 0);
    world_sim_job_cancel(w);
    world_stat_t stat;
    GIVES(-ECANCELED, world_stat(w, fd, &stat));
    GIVES(-ECANCELED, world_open(w, AT_FDCWD, "/", O_RDONLY, 0, 0));
    GIVES(-ECANCELED, world_point(w, "a point"));
    GIVES(1, world_cancelled(w));
    GIVES(0, world_close(w, fd));
    world_sim_job_destroy(&w);
    world_sim_destroy(&sim);
}
