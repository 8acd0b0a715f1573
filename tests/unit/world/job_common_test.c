/* job_common_test.c - claims about blocks that jobs have in common. */
#include "runtime/job_common.h"

#include <criterion/criterion.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#define LONG_NS INT64_C(3600000000000)

typedef struct room {
    common_t *common;
    common_seat_t seat[3];
    world_t world[3];
} room_t;

static const uint8_t GROUP[32] = {1};
static const uint8_t OTHER[32] = {2};

/* Three jobs; those of `groups` that are not NULL have joined. */
static void
room_begin(room_t *room, int64_t patience_ns, const uint8_t *groups[3])
{
    *room = (room_t){.common = common_new(patience_ns)};
    for (unsigned i = 0; i < 3; i++) {
        room->world[i].common = common_seat(room->common, &room->seat[i]);
        if (groups[i]) {
            world_common_join(&room->world[i], groups[i]);
        }
    }
}

static void
room_end(room_t *room)
{
    for (unsigned i = 0; i < 3; i++) {
        world_common_leave(&room->world[i]);
    }
    common_destroy(&room->common);
}

static world_key_t
key_of(uint32_t number)
{
    world_key_t key = {.whole = {7}};
    memcpy(key.before, &number, sizeof number);
    return key;
}

static world_share_t
take(room_t *room, unsigned who, uint32_t number, world_block_t *ret)
{
    world_key_t key = key_of(number);
    return world_common_take(&room->world[who], &key, ret);
}

static void
put(room_t *room, unsigned who, const char *text)
{
    world_common_put(&room->world[who], text, strlen(text), NULL, NULL);
}

#define EXPECT_SHARE(expected, call)                                                               \
    do {                                                                                           \
        world_share_t got_ = (call);                                                               \
        cr_expect(got_ == (expected), "%s: got %d, expected %s", #call, (int) got_, #expected);    \
    } while (0)
#define EXPECT_BYTES(block, text)                                                                  \
    cr_expect((block).size == strlen(text) && memcmp((block).bytes, text, (block).size) == 0,      \
              "the block: expected '%s'", text)

static void
count_drop(void *note)
{
    ++*(unsigned *) note;
}

Test(job_common, what_one_has_made_the_others_take)
{
    room_t room;
    world_block_t block = {0};
    unsigned dropped = 0;
    room_begin(&room, 0, (const uint8_t *[]){GROUP, GROUP, GROUP});
    EXPECT_SHARE(WORLD_MAKE, take(&room, 0, 1, &block));
    world_common_put(&room.world[0], "one", 3, &dropped, count_drop);
    EXPECT_SHARE(WORLD_THERE, take(&room, 1, 1, &block));
    EXPECT_BYTES(block, "one");
    cr_expect(block.note == &dropped);
    EXPECT_SHARE(WORLD_THERE, take(&room, 2, 1, &block));
    EXPECT_BYTES(block, "one");
    world_common_give(&room.world[1]);
    cr_expect_eq(dropped, 0, "the note went while a job had the block in hand");
    world_common_give(&room.world[2]);
    EXPECT_SHARE(WORLD_THERE, take(&room, 0, 1, &block)); /* it stays for who may still come */
    room_end(&room);
    cr_expect_eq(dropped, 1, "the note was dropped %u times, expected once", dropped);
}

/* Makes blocks until there is no room; the next one it makes alone. */
static void
make_all(room_t *room, unsigned who)
{
    world_block_t block;
    for (uint32_t i = 0; i < COMMON_BLOCKS_MAX; i++) {
        EXPECT_SHARE(WORLD_MAKE, take(room, who, i, &block));
        put(room, who, "block");
    }
    EXPECT_SHARE(WORLD_STAYS_ALONE, take(room, who, COMMON_BLOCKS_MAX, &block));
}

Test(job_common, who_has_no_company_keeps_what_there_is_room_for_and_goes_on_alone)
{
    room_t room;
    world_block_t block;
    room_begin(&room, LONG_NS, (const uint8_t *[]){GROUP, NULL, NULL});
    EXPECT_SHARE(WORLD_ALONE, take(&room, 1, 1, &block)); /* it has not joined */
    make_all(&room, 0);
    EXPECT_SHARE(WORLD_STAYS_ALONE, take(&room, 0, 0, &block)); /* nothing is kept any more */
    room_end(&room);
}

Test(job_common, who_joins_soon_finds_all_that_was_made_before)
{
    room_t room;
    world_block_t block;
    room_begin(&room, 0, (const uint8_t *[]){GROUP, NULL, OTHER});
    EXPECT_SHARE(WORLD_MAKE, take(&room, 0, 1, &block));
    put(&room, 0, "one");
    EXPECT_SHARE(WORLD_MAKE, take(&room, 0, 2, &block));
    put(&room, 0, "two");
    world_common_join(&room.world[1], GROUP);
    EXPECT_SHARE(WORLD_THERE, take(&room, 1, 1, &block));
    EXPECT_BYTES(block, "one");
    EXPECT_SHARE(WORLD_THERE, take(&room, 1, 2, &block));
    EXPECT_BYTES(block, "two");
    EXPECT_SHARE(WORLD_MAKE, take(&room, 1, 3, &block));
    put(&room, 1, "three");
    EXPECT_SHARE(WORLD_THERE, take(&room, 0, 3, &block));
    room_end(&room);
}

Test(job_common, who_joins_when_something_has_gone_goes_on_with_who_joins_then)
{
    room_t room;
    world_block_t block;
    room_begin(&room, 0, (const uint8_t *[]){GROUP, NULL, NULL});
    make_all(&room, 0);
    world_common_join(&room.world[1], GROUP);
    world_common_join(&room.world[2], GROUP);
    EXPECT_SHARE(WORLD_STAYS_ALONE, take(&room, 0, 1000, &block));
    EXPECT_SHARE(WORLD_MAKE, take(&room, 1, 1, &block));
    put(&room, 1, "one");
    EXPECT_SHARE(WORLD_THERE, take(&room, 2, 1, &block));
    room_end(&room);
}

Test(job_common, who_is_left_behind_goes_on_with_who_is_left_with_it)
{
    room_t room;
    world_block_t block;
    room_begin(&room, 0, (const uint8_t *[]){GROUP, GROUP, GROUP});
    for (uint32_t i = 0; i <= COMMON_BLOCKS_MAX; i++) {
        EXPECT_SHARE(WORLD_MAKE, take(&room, 0, i, &block));
        put(&room, 0, "block");
    }
    EXPECT_SHARE(WORLD_STAYS_ALONE, take(&room, 0, 1000, &block));
    EXPECT_SHARE(WORLD_MAKE, take(&room, 1, 0, &block));
    put(&room, 1, "block");
    EXPECT_SHARE(WORLD_THERE, take(&room, 2, 0, &block));
    room_end(&room);
}

Test(job_common, what_was_given_up_is_made_by_the_next)
{
    room_t room;
    world_block_t block;
    room_begin(&room, 0, (const uint8_t *[]){GROUP, GROUP, NULL});
    EXPECT_SHARE(WORLD_MAKE, take(&room, 0, 1, &block));
    EXPECT_SHARE(WORLD_ALONE, take(&room, 1, 1, &block)); /* without patience */
    world_common_give(&room.world[0]);
    EXPECT_SHARE(WORLD_MAKE, take(&room, 1, 1, &block));
    room_end(&room);
}

Test(job_common, who_does_not_come_is_left_behind_and_holds_nobody_up)
{
    room_t room;
    world_block_t block;
    room_begin(&room, 0, (const uint8_t *[]){GROUP, GROUP, NULL});
    for (uint32_t i = 0; i < COMMON_BLOCKS_MAX; i++) {
        EXPECT_SHARE(WORLD_MAKE, take(&room, 0, i, &block));
        put(&room, 0, "block");
    }
    EXPECT_SHARE(WORLD_MAKE, take(&room, 0, 1000, &block));
    put(&room, 0, "block");
    EXPECT_SHARE(WORLD_STAYS_ALONE, take(&room, 0, 1001, &block));
    EXPECT_SHARE(WORLD_STAYS_ALONE, take(&room, 1, 0, &block));
    room_end(&room);
}

Test(job_common, a_block_in_hand_stays_as_it_is)
{
    room_t room;
    world_block_t held;
    world_block_t block;
    room_begin(&room, 0, (const uint8_t *[]){GROUP, GROUP, GROUP});
    EXPECT_SHARE(WORLD_MAKE, take(&room, 0, 1, &block));
    put(&room, 0, "held");
    EXPECT_SHARE(WORLD_THERE, take(&room, 1, 1, &held));
    EXPECT_SHARE(WORLD_THERE, take(&room, 2, 1, &block)); /* nobody has still to take it */
    for (uint32_t i = 2; i < 3 * COMMON_BLOCKS_MAX; i++) {
        if (take(&room, 0, i, &block) == WORLD_MAKE) {
            put(&room, 0, "late");
        }
        if (take(&room, 2, i, &block) == WORLD_MAKE) {
            put(&room, 2, "late");
        }
    }
    EXPECT_BYTES(held, "held");
    room_end(&room);
}

typedef struct waiter {
    room_t *room;
    world_block_t block;
    world_share_t share;
} waiter_t;

static void *
wait_for_one(void *context)
{
    waiter_t *waiter = context;
    waiter->share = take(waiter->room, 1, 1, &waiter->block);
    return NULL;
}

/* Whether it comes before the block is there or after: it takes it, and makes none. */
Test(job_common, who_comes_while_a_block_is_made_waits_for_it)
{
    room_t room;
    world_block_t block;
    pthread_t thread;
    room_begin(&room, LONG_NS, (const uint8_t *[]){GROUP, GROUP, NULL});
    waiter_t waiter = {.room = &room};
    EXPECT_SHARE(WORLD_MAKE, take(&room, 0, 1, &block));
    cr_assert_eq(pthread_create(&thread, NULL, wait_for_one, &waiter), 0);
    put(&room, 0, "made");
    cr_assert_eq(pthread_join(thread, NULL), 0);
    EXPECT_SHARE(WORLD_THERE, waiter.share);
    EXPECT_BYTES(waiter.block, "made");
    room_end(&room);
}

/* Goes over all blocks, making what it is told to make; counts what it had to make alone. */
static uint32_t
go_over_all(room_t *room, unsigned who)
{
    uint32_t alone = 0;

    for (uint32_t i = 0; i < 3 * COMMON_BLOCKS_MAX; i++) {
        world_block_t block;
        world_share_t share = take(room, who, i, &block);
        if (share == WORLD_MAKE) {
            put(room, who, "block");
        }
        alone += share == WORLD_ALONE || share == WORLD_STAYS_ALONE;
    }
    return alone;
}

static void *
come_late(void *context)
{
    waiter_t *waiter = context;
    cr_expect_eq(go_over_all(waiter->room, 1), 0, "the other one made a block alone");
    return NULL;
}

/* However late the other one comes, what is kept for it stays until it has taken it. */
Test(job_common, who_makes_waits_for_room_until_others_have_taken)
{
    room_t room;
    pthread_t thread;
    room_begin(&room, LONG_NS, (const uint8_t *[]){GROUP, GROUP, NULL});
    waiter_t waiter = {.room = &room};
    cr_assert_eq(pthread_create(&thread, NULL, come_late, &waiter), 0);
    cr_expect_eq(go_over_all(&room, 0), 0, "a block was made alone");
    cr_assert_eq(pthread_join(thread, NULL), 0);
    room_end(&room);
}
