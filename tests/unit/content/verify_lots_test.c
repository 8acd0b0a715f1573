/* verify_lots_test.c - claims about a tree of small files, which are hashed many at a time. */
#include "yard.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "runtime/job_hands.h"

#define FILES 560u /* more than four lots have room for */

/* One byte, and its time as it was. */
#define FLIPPED(name)                                                                              \
    "touch -r " name " ../ref && printf X | dd of=" name " conv=notrunc bs=1 status=none && "      \
    "touch -r ../ref " name

/* What is wrong in the tree, in the order of names. Files are f000..., of one byte to 2,796. */
static const struct {
    const char *name, *how;
    path_kind_t kind;
} wrong[] = {
    {"f000", FLIPPED("f000"), PATH_CHANGED}, {"f129", FLIPPED("f129"), PATH_CHANGED},
    {"f130", "rm f130", PATH_MISSING},       {"f130x", "touch f130x", PATH_EXTRA},
    {"f131", FLIPPED("f131"), PATH_CHANGED}, {"f500", "chmod 600 f500", PATH_CHANGED},
    {"f559", FLIPPED("f559"), PATH_CHANGED}, {"large", FLIPPED("large"), PATH_CHANGED},
};
#define WRONG (sizeof wrong / sizeof wrong[0])

static void
make_zeros(const char *path, size_t size)
{
    FILE *file = fopen(path, "wx");
    cr_assert(file != NULL && ftruncate(fileno(file), (off_t) size) == 0);
    cr_assert(fchmod(fileno(file), 0644) == 0 && fclose(file) == 0);
}

static void
make_many(yard_t *yard, unsigned files)
{
    for (unsigned i = 0; i < files; i++) {
        make_zeros(yard_path(yard, "source/f%03u", i), i * 5 + 1);
    }
    make_zeros(yard_path(yard, "source/large"), 200000);
}

/* The kind and the path below the version of each, one behind the other. */
static void
in_words(const verify_result_t *result, char *text, size_t size)
{
    size_t at = 0;
    for (uint32_t i = 0; i < result->paths.kept && at < size; i++) {
        const path_item_t *item = &result->paths.item[i];
        at += (size_t) snprintf(text + at, size - at, "%d %s\n", (int) item->kind,
                                result->paths.text + item->at + strlen("v1/"));
    }
}

/* Twice with many hands, twice with none. */
static void
look_with_and_without(yard_t *yard, const char *expected, uint64_t files)
{
    hands_t *hands = hands_new(3);
    for (unsigned round = 0; round < 4; round++) {
        char got[600] = "";
        yard->world->hands = round % 2 == 0 ? NULL : hands_of(hands);
        verify_result_t result = looked(yard);
        in_words(&result, got, sizeof got);
        cr_expect_str_eq(got, expected);
        cr_expect_eq(result.whole, *expected == '\0');
        EXPECT_COUNT(result.files, files);
        verify_result_release(&result);
    }
    yard->world->hands = NULL;
    hands_destroy(&hands);
}

Test(verify_lots, each_file_that_differs_is_told_in_the_order_of_names_whoever_hashes)
{
    yard_t yard;
    char expected[600] = "";
    yard_begin(&yard, AS_STARTED);
    make_many(&yard, FILES);
    take(&yard);
    placed(&yard);
    look_with_and_without(&yard, "", FILES + 1);
    for (size_t i = 0, at = 0; i < WRONG; i++) {
        run("cd %s/P1/v1 && %s", yard.root, wrong[i].how);
        at += (size_t) snprintf(expected + at, sizeof expected - at, "%d %s\n", (int) wrong[i].kind,
                                wrong[i].name);
    }
    run("cd %s/P1 && rm -f ref && touch -r %s v1", yard.root, yard.source);
    look_with_and_without(&yard, expected, FILES + 1 - (WRONG - 1));
    yard_end(&yard);
}

/* Whoever writes at a point while it is looked at: a byte more, between the look at the size and
 * that at the bytes. */
static const world_calls_t *real_calls;
static char grows[200];

static int
open_what_grows(world_t *world, int dir, const char *path, int flags, uint32_t mode, unsigned how)
{
    if (strcmp(path, "f007") == 0) {
        run("printf X >> %s", grows);
    }
    return real_calls->open(world, dir, path, flags, mode, how);
}

Test(verify_lots, a_file_that_grows_while_it_is_looked_at_is_changed)
{
    yard_t yard;
    char got[600] = "";
    yard_begin(&yard, AS_STARTED);
    make_many(&yard, 10);
    take(&yard);
    placed(&yard);
    snprintf(grows, sizeof grows, "%s/P1/v1/f007", yard.root);
    world_calls_t calls = *yard.world->call;
    real_calls = yard.world->call;
    calls.open = open_what_grows;
    yard.world->call = &calls;
    verify_result_t result = looked(&yard);
    yard.world->call = real_calls;
    in_words(&result, got, sizeof got);
    cr_expect_str_eq(got, "1 f007\n");
    EXPECT_COUNT(result.files, 10);
    verify_result_release(&result);
    yard_end(&yard);
}
