/* defects_test.c - what went wrong with content in SMS (tests/DEFECTS.md), under the conditions of
 * the articles, as root and as an unprivileged user. */
#include "watched.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* The text of a file, "" when it cannot be read. */
static const char *
text_of(const char *path)
{
    static char text[64];
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t got = fd < 0 ? 0 : read(fd, text, sizeof text - 1);
    text[got < 0 ? 0 : got] = '\0';
    if (fd >= 0) {
        close(fd);
    }
    return text;
}

static void
update(yard_t *yard, const char *text)
{
    make_file(yard_path(yard, "source/a"), text, 0644);
    make_file(yard_path(yard, "source/b"), text, 0644);
    take(yard);
}

static bool
is_empty(const char *path)
{
    char command[600];
    snprintf(command, sizeof command, "test -z \"$(ls -A '%s')\"", path);
    return system(command) == 0;
}

/* ---- Q190135: what cannot be read was counted as success ---- */

static void
spoil(yard_t *yard, size_t at, int bit)
{
    const char *path = yard_path(yard, "root/.despool/receipts/P1");
    int fd = open(path, O_RDWR | O_CLOEXEC);
    char byte = 0;
    cr_assert(fd >= 0 && pread(fd, &byte, 1, (off_t) at) == 1, "no byte %zu", at);
    byte = (char) (byte ^ bit);
    cr_assert_eq(pwrite(fd, &byte, 1, (off_t) at), 1);
    close(fd);
}

static void
expect_no_success(yard_t *yard, const char *what, size_t at)
{
    verify_result_t found = looked(yard);
    cr_expect(!found.has_receipt && !found.whole, "%s at byte %zu: got whole, expected not", what,
              at);
    verify_result_release(&found);
    place_result_t again = placed(yard);
    cr_expect(!again.already, "%s at byte %zu: got 'already there', expected bytes read", what, at);
    EXPECT_COUNT(again.files_resumed, 2);
    cr_expect(verified(yard));
}

CLAIM_OF_BOTH(receipt, q190135_one_that_cannot_be_read_is_never_success)
{
    yard_t yard;
    struct stat stat;
    yard_begin(&yard, user);
    update(&yard, "one");
    placed(&yard);
    cr_assert_eq(lstat(yard_path(&yard, "root/.despool/receipts/P1"), &stat), 0);
    for (size_t at = 0; at < (size_t) stat.st_size; at += 5) {
        spoil(&yard, at, 1 << (at % 8));
        expect_no_success(&yard, "a flipped bit", at);
    }
    for (long size = 0; size < stat.st_size; size += 23) {
        cr_assert_eq(truncate(yard_path(&yard, "root/.despool/receipts/P1"), size), 0);
        expect_no_success(&yard, "a receipt cut", (size_t) size);
    }
    yard_end(&yard);
}

/* ---- Q184489: the old version was deleted, then the new one could not be copied ---- */

static const char *now_whole; /* which version readers have to see, NULL: old or new */

static void
read_as_a_client(watched_t *watched, const char *call)
{
    char first[64];
    strcpy(first, text_of(yard_path(watched->yard, "root/P1/current/a")));
    const char *second = text_of(yard_path(watched->yard, "root/P1/current/b"));
    bool whole = strcmp(first, second) == 0 &&
                 (now_whole == NULL ? strcmp(first, "one") == 0 || strcmp(first, "two") == 0
                                    : strcmp(first, now_whole) == 0);
    cr_assert(whole, "before a %s readers got '%s' and '%s', expected one whole version", call,
              first, second);
}

CLAIM_OF_BOTH(place, q184489_the_old_version_is_readable_at_every_step_of_the_new_one)
{
    yard_t yard;
    watched_t watched;
    place_result_t result;
    yard_begin(&yard, user);
    watch(&watched, &yard);
    update(&yard, "one");
    placed(&yard);
    watched.look = read_as_a_client;
    now_whole = "one";
    update(&yard, "two");
    watched.write_fails = ETXTBSY; /* the article's copy: files are in use */
    EXPECT_ERR(&yard, ERR_BUSY, place(&yard, &result));
    read_as_a_client(&watched, "retry");
    watched.write_fails = 0;
    now_whole = NULL;
    placed(&yard);
    now_whole = "two";
    read_as_a_client(&watched, "return");
    cr_expect(verified(&yard));
    cr_expect(watched.writes > 0);
    yard_end(&yard);
}

/* ---- Q161043: a file that another program held was given up ---- */

CLAIM_OF_BOTH(place, q161043_a_file_in_use_is_tried_again_and_never_taken_for_damaged)
{
    yard_t yard;
    watched_t watched;
    place_result_t result;
    static const int in_use[] = {EBUSY, ETXTBSY, EAGAIN, EACCES};
    yard_begin(&yard, user);
    watch(&watched, &yard);
    update(&yard, "one");
    for (size_t i = 0; i < sizeof in_use / sizeof in_use[0]; i++) {
        watched.write_fails = in_use[i];
        err_t err = place(&yard, &result);
        cr_expect(err_class(err) == CLASS_RETRY, "%s: got %s, expected an error to try again",
                  strerror(in_use[i]), err_word(err));
        cr_expect(err != ERR_DIGEST && err != ERR_DAMAGED, "in use was taken for damaged");
    }
    watched.write_fails = 0;
    EXPECT_COUNT(placed(&yard).files, 2);
    cr_expect(verified(&yard));
    cr_expect(is_empty(yard_path(&yard, "data/store/damaged")), "an object was set aside");
    yard_end(&yard);
}

/* ---- Q182419: paths of more than 200 characters overwrote memory ---- */

/* A file whose path below the source has exactly so many bytes, in directories of 50. */
static void
make_long_path(yard_t *yard, size_t bytes)
{
    char name[256];
    int fd = open(yard->source, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    for (; bytes > 200; bytes -= 51) {
        snprintf(name, sizeof name, "%050zu", bytes);
        cr_assert_eq(mkdirat(fd, name, 0755), 0);
        int next = openat(fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        close(fd);
        fd = next;
    }
    snprintf(name, sizeof name, "%0*zu", (int) bytes, bytes);
    int file = openat(fd, name, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
    cr_assert(file >= 0, "cannot create a path: %s", strerror(errno));
    close(file);
    close(fd);
}

CLAIM_OF_BOTH(place, q182419_paths_of_every_length_arrive_and_a_root_too_long_is_refused)
{
    yard_t yard;
    char root[6000];
    static const size_t lengths[] = {199,  200,  201,  254,  255,  256,  257,  259,  260, 261,
                                     1022, 1023, 1024, 1025, 4094, 4095, 4096, 4097, 9000};
    yard_begin(&yard, user);
    for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
        make_long_path(&yard, lengths[i]);
    }
    take(&yard);
    EXPECT_COUNT(placed(&yard).files, sizeof lengths / sizeof lengths[0]);
    cr_expect(verified(&yard));
    for (size_t bytes = 4090; bytes < 4105; bytes++) {
        memset(root, 'r', bytes);
        for (size_t i = 0; i < bytes; i += 200) {
            root[i] = '/';
        }
        root[bytes] = '\0';
        err_t err = point_claim(yard.world, root, &yard.identity, NULL, 0, false, &yard.fault);
        cr_expect(err == (bytes < 4096 ? ERR_ABSENT : ERR_NAME_TOO_LONG),
                  "a root of %zu bytes: got %s", bytes, err_word(err));
    }
    yard_end(&yard);
}

/* ---- Q137610: space was not asked for, the copy was tried until it failed ---- */

CLAIM_OF_BOTH(place, q137610_space_is_asked_for_before_the_first_byte)
{
    yard_t yard;
    watched_t watched;
    place_result_t result;
    yard_begin(&yard, user);
    watch(&watched, &yard);
    run("head -c 3000000 /dev/zero > %s", yard_path(&yard, "source/large"));
    take(&yard);
    uint64_t writes = watched.writes;
    watched.free_bytes = SPACE_RESERVE_BYTES + 2999999;
    EXPECT_ERR(&yard, ERR_SPACE, place(&yard, &result));
    cr_expect(yard.fault.need >= 3000000 && yard.fault.need < 4000000, "need: got %llu",
              (unsigned long long) yard.fault.need);
    EXPECT_COUNT(yard.fault.have, 2999999);
    EXPECT_COUNT(watched.writes, writes);
    cr_expect(is_empty(yard_path(&yard, "root/.despool/staging")), "something was staged");
    watched.free_bytes = 0;
    placed(&yard);
    cr_expect(verified(&yard));
    yard_end(&yard);
}

/* ---- Q256880: a clean-up took paths for files, and deleted those in use ---- */

CLAIM_OF_BOTH(store, q256880_what_any_live_root_reaches_stays_whatever_path_leads_to_it)
{
    yard_t yard;
    digest_t roots[3];
    store_collected_t collected;
    yard_begin(&yard, user);
    for (unsigned i = 0; i < 3; i++) { /* the same bytes under other names, and some of its own */
        run("rm -rf %s/*; mkdir %s/d%u", yard.source, yard.source, i);
        make_file(yard_path(&yard, "source/d%u/shared-%u", i, i), "bytes that all have", 0644);
        make_file(yard_path(&yard, "source/own"), i == 0 ? "0" : i == 1 ? "1" : "2", 0644);
        take(&yard);
        roots[i] = yard.order.root;
    }
    make_symlink("data", yard_path(&yard, "other-name"));
    store_close(&yard.store);
    EXPECT_OK(&yard, store_open(yard.world, yard_path(&yard, "other-name/../data//store/."),
                                &yard.store, &yard.fault));
    EXPECT_OK(&yard,
              store_collect(yard.store, roots, 3, false, NULL, NULL, &collected, &yard.fault));
    EXPECT_COUNT(collected.removed_objects, 0);
    EXPECT_OK(&yard,
              store_collect(yard.store, roots, 2, false, NULL, NULL, &collected, &yard.fault));
    cr_expect(collected.removed_objects > 0, "what nobody wants stays");
    for (unsigned i = 0; i < 2; i++) {
        yard.order.package = i == 0 ? "P1" : "P2";
        yard.order.root = roots[i];
        placed(&yard);
        cr_expect(verified(&yard));
    }
    yard_end(&yard);
}

/* ---- Q316316, Q267977, Q319427: zones, times and empty files altered what was carried ---- */

static void
set_zone(const char *zone)
{
    cr_assert_eq(setenv("TZ", zone, 1), 0);
    tzset();
}

CLAIM_OF_BOTH(place, q319427_times_are_utc_in_every_zone_and_empty_files_stay)
{
    yard_t yard;
    static const char *const zones[] = {"UTC0", "IST-5:30", "EST5EDT,M3.2.0,M11.1.0",
                                        "AEST-10AEDT,M10.1.0,M4.1.0/3"};
    static const long times[] = {-86400,    -1,         0,          1,         954032400,
                                 972781200, 2147483647, 2147483648, 4102444800};
    digest_t first = {0};
    yard_begin(&yard, user);
    for (size_t i = 0; i < sizeof times / sizeof times[0]; i++) {
        struct timespec when[2] = {{.tv_nsec = UTIME_OMIT}, {times[i], (long) i * 111111111}};
        const char *path = yard_path(&yard, "source/empty-%zu", i);
        make_file(path, "", 0644);
        cr_assert_eq(utimensat(AT_FDCWD, path, when, 0), 0);
    }
    for (size_t i = 0; i < sizeof zones / sizeof zones[0]; i++) {
        set_zone(zones[i]);
        take(&yard);
        first = i == 0 ? yard.order.root : first;
        cr_expect(memcmp(&first, &yard.order.root, sizeof first) == 0, "the root differs in %s",
                  zones[i]);
        placed(&yard);
        cr_expect(same_tree(yard.source, yard_path(&yard, "root/P1/current")), "in %s", zones[i]);
        EXPECT_COUNT(yard.snapshot.files, sizeof times / sizeof times[0]);
    }
    yard_end(&yard);
}

/* ---- Q311212, Q303279: a reader took a half-copied file, called it corrupt and deleted it ---- */

/* Another program still writes to the file while it is read. */
static void
go_on_writing(watched_t *watched, const char *call)
{
    if (strcmp(call, "read") == 0 && watched->reads == 1) {
        int fd = open(yard_path(watched->yard, "source/b"), O_WRONLY | O_APPEND | O_CLOEXEC);
        cr_assert_eq(write(fd, " half", 5), 5);
        close(fd);
    }
}

CLAIM_OF_BOTH(snapshot, q311212_a_file_still_written_is_refused_by_name_and_nothing_is_left)
{
    yard_t yard;
    watched_t watched;
    yard_begin(&yard, user);
    watch(&watched, &yard);
    make_file(yard_path(&yard, "source/b"), "first", 0644);
    watched.look = go_on_writing;
    EXPECT_ERR(&yard, ERR_SOURCE_CHANGED,
               snapshot_take(yard.world, yard.store, yard.source, NULL, NULL, NULL, &yard.snapshot,
                             &yard.fault));
    EXPECT_SUBJECT(&yard, "b");
    watched.look = NULL;
    store_close(&yard.store);
    cr_expect(is_empty(yard_path(&yard, "data/store/packs")), "something is left in packs/");
    cr_expect(is_empty(yard_path(&yard, "data/store/index")), "something is left in index/");
    EXPECT_OK(&yard,
              store_open(yard.world, yard_path(&yard, "data/store"), &yard.store, &yard.fault));
    take(&yard); /* the writer is done */
    placed(&yard);
    const char *text = text_of(yard_path(&yard, "root/P1/current/b"));
    cr_expect(strcmp(text, "first half") == 0, "got '%s', expected 'first half'", text);
    yard_end(&yard);
}

/* ---- work that goes on is told from work that hangs ---- */

typedef struct pulse {
    watched_t watched; /* first */
    unsigned silent;   /* calls since the last sign of life */
    unsigned longest;
    uint64_t announced; /* the most that one call was said to bring to the disk */
} pulse_t;

static void
count_silence(watched_t *watched, const char *call)
{
    pulse_t *pulse = (pulse_t *) (void *) watched;
    (void) call;
    pulse->silent++;
    pulse->longest = pulse->silent > pulse->longest ? pulse->silent : pulse->longest;
}

static void
feel(void *context, uint64_t bytes)
{
    pulse_t *pulse = context;
    pulse->silent = 0;
    pulse->announced = bytes > pulse->announced ? bytes : pulse->announced;
}

static void
feel_progress(void *context, uint64_t done, uint64_t total)
{
    (void) done;
    (void) total;
    feel(context, 0);
}

static void
expect_pulse(pulse_t *pulse, const char *work)
{
    cr_expect(pulse->longest <= 30, "%s made %u calls without a sign of life, expected 30 at most",
              work, pulse->longest);
    pulse->longest = pulse->silent = 0;
}

CLAIM_OF_BOTH(point, work_at_it_gives_a_sign_of_life_at_every_name_and_block)
{
    yard_t yard;
    pulse_t pulse = {.silent = 0};
    place_plan_t plan;
    place_result_t result;
    verify_result_t found;
    removal_result_t removed;
    yard_begin(&yard, user);
    run("cd %s && head -c 40000000 /dev/zero > large && mkdir d && cd d && touch $(seq 200) && "
        "mkdir $(seq 201 300) && for n in $(seq 301 400); do ln -s x $n; done",
        yard.source);
    take(&yard);
    watch(&pulse.watched, &yard);
    pulse.watched.look = count_silence;
    yard.point.beat = feel;
    yard.point.beat_context = &pulse;
    for (unsigned i = 0; i < 2; i++) { /* anew, then resumed from what stands there */
        EXPECT_OK(&yard, place_version(yard.world, yard.store, &yard.point, &yard.order,
                                       feel_progress, &pulse, &result, &yard.fault));
        expect_pulse(&pulse, "a placement");
        EXPECT_OK(&yard, receipt_remove(&yard.point, "P1", &yard.fault));
    }
    cr_expect(pulse.announced >= 40000000, "a sync of %llu bytes was announced",
              (unsigned long long) pulse.announced);
    EXPECT_OK(&yard,
              place_plan(yard.world, yard.store, &yard.point, &yard.order, &plan, &yard.fault));
    expect_pulse(&pulse, "a plan");
    EXPECT_OK(&yard, verify_version(yard.world, yard.store, &yard.point, &yard.order, feel_progress,
                                    &pulse, &found, &yard.fault));
    verify_result_release(&found);
    expect_pulse(&pulse, "a look");
    EXPECT_OK(&yard, removal_package(yard.world, yard.store, &yard.point, "P1",
                                     &yard.order.incarnation, &removed, &yard.fault));
    removal_result_release(&removed);
    expect_pulse(&pulse, "a removal");
    yard_end(&yard);
}
