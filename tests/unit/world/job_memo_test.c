/* job_memo_test.c - claims about what jobs find out for each other. */
#include "runtime/job_memo.h"

#include <criterion/criterion.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LONG_NS INT64_C(3600000000000)
#define ROOM    64u

static world_key_t
key_of(uint32_t number)
{
    world_key_t key = {.whole = {7}};
    memcpy(key.before, &number, sizeof number);
    return key;
}

static world_share_t
take(world_t *world, uint32_t number, char text[ROOM])
{
    world_key_t key = key_of(number);
    size_t size = 0;
    world_share_t share = world_memo_take(world, &key, text, ROOM - 1, &size);
    text[share == WORLD_THERE ? size : 0] = '\0';
    return share;
}

static void
put(world_t *world, uint32_t number, const char *text)
{
    world_key_t key = key_of(number);
    world_memo_put(world, &key, text, strlen(text));
}

#define EXPECT_SHARE(expected, call)                                                               \
    do {                                                                                           \
        world_share_t got_ = (call);                                                               \
        cr_expect(got_ == (expected), "%s: got %d, expected %s", #call, (int) got_, #expected);    \
    } while (0)

Test(job_memo, what_one_has_made_others_find)
{
    memo_t *memo = memo_new(LONG_NS);
    world_t world = {.memo = memo_of(memo)};
    char text[ROOM];
    EXPECT_SHARE(WORLD_MAKE, take(&world, 1, text));
    put(&world, 1, "one");
    EXPECT_SHARE(WORLD_MAKE, take(&world, 2, text));
    put(&world, 2, ""); /* nothing came of it, and that is known, too */
    EXPECT_SHARE(WORLD_THERE, take(&world, 1, text));
    cr_expect_str_eq(text, "one");
    EXPECT_SHARE(WORLD_THERE, take(&world, 2, text));
    cr_expect_str_eq(text, "");
    memo_destroy(&memo);
}

Test(job_memo, without_a_memo_everybody_makes_it_alone)
{
    world_t world = {.memo = NULL};
    char text[ROOM];
    EXPECT_SHARE(WORLD_ALONE, take(&world, 1, text));
}

Test(job_memo, what_was_given_up_or_is_late_is_made_by_the_next)
{
    memo_t *memo = memo_new(0);
    world_t world = {.memo = memo_of(memo)};
    world_key_t key = key_of(1);
    char text[ROOM];
    EXPECT_SHARE(WORLD_MAKE, take(&world, 1, text));
    EXPECT_SHARE(WORLD_MAKE, take(&world, 1, text)); /* in place of one who is late */
    put(&world, 1, "made");
    world_memo_give_up(&world, &key); /* that one has failed at last */
    put(&world, 1, "late");           /* or comes to its end */
    EXPECT_SHARE(WORLD_THERE, take(&world, 1, text));
    cr_expect_str_eq(text, "made");
    EXPECT_SHARE(WORLD_MAKE, take(&world, 2, text));
    key = key_of(2);
    world_memo_give_up(&world, &key);
    EXPECT_SHARE(WORLD_MAKE, take(&world, 2, text));
    memo_destroy(&memo);
}

Test(job_memo, the_one_used_least_lately_goes_first)
{
    memo_t *memo = memo_new(0);
    world_t world = {.memo = memo_of(memo)};
    char text[ROOM];
    for (uint32_t i = 0; i < MEMO_KEYS_MAX; i++) {
        EXPECT_SHARE(WORLD_MAKE, take(&world, i, text));
        put(&world, i, "kept");
    }
    EXPECT_SHARE(WORLD_THERE, take(&world, 0, text));
    EXPECT_SHARE(WORLD_MAKE, take(&world, MEMO_KEYS_MAX, text));
    put(&world, MEMO_KEYS_MAX, "kept");
    EXPECT_SHARE(WORLD_THERE, take(&world, 0, text));
    EXPECT_SHARE(WORLD_MAKE, take(&world, 1, text));
    memo_destroy(&memo);
}

/* However many are put, no more than MEMO_BYTES_MAX of them can be found. */
Test(job_memo, keeps_so_many_bytes_and_no_more)
{
    enum { EACH = MEMO_BYTES_MAX / 4 };
    memo_t *memo = memo_new(0);
    world_t world = {.memo = memo_of(memo)};
    uint8_t *bytes = calloc(1, EACH), *copy = malloc(EACH);
    uint32_t found = 0;
    size_t size = 0;
    for (uint32_t i = 0; i < 9; i++) {
        world_key_t key = key_of(i);
        EXPECT_SHARE(WORLD_MAKE, world_memo_take(&world, &key, copy, EACH, &size));
        world_memo_put(&world, &key, bytes, EACH);
    }
    for (uint32_t i = 0; i < 9; i++) {
        world_key_t key = key_of(8 - i);
        found += world_memo_take(&world, &key, copy, EACH, &size) == WORLD_THERE;
    }
    cr_expect_eq(found, 4, "%u of a quarter each are there, expected 4", found);
    free(bytes);
    free(copy);
    memo_destroy(&memo);
}

typedef struct waiter {
    world_t world;
    world_share_t share;
    char text[ROOM];
} waiter_t;

static void *
wait_for_it(void *context)
{
    waiter_t *waiter = context;
    waiter->share = take(&waiter->world, 1, waiter->text);
    return NULL;
}

Test(job_memo, who_asks_while_it_is_made_waits_for_it)
{
    memo_t *memo = memo_new(LONG_NS);
    waiter_t waiter = {.world = {.memo = memo_of(memo)}};
    pthread_t thread;
    char text[ROOM];
    EXPECT_SHARE(WORLD_MAKE, take(&waiter.world, 1, text));
    cr_assert_eq(pthread_create(&thread, NULL, wait_for_it, &waiter), 0);
    put(&waiter.world, 1, "made");
    cr_assert_eq(pthread_join(thread, NULL), 0);
    EXPECT_SHARE(WORLD_THERE, waiter.share);
    cr_expect_str_eq(waiter.text, "made");
    memo_destroy(&memo);
}
