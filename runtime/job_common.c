/* job_common.c - see job_common.h. */
#include "runtime/job_common_inside.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "runtime/job_cond.h"

common_t *
common_new(int64_t patience_ns)
{
    common_t *common = calloc(1, sizeof *common);

    assert(common && "memory for what jobs have in common");
    common->patience_ns = patience_ns;
    pthread_mutex_init(&common->lock, NULL);
    cond_init_monotonic(&common->changed);
    return common;
}

void
common_destroy(common_t **common)
{
    if (*common) {
        assert((*common)->joined == 0 && "all jobs have left");
        pthread_cond_destroy(&(*common)->changed);
        pthread_mutex_destroy(&(*common)->lock);
        free(*common);
        *common = NULL;
    }
}

/* Those who are late go on as a team of their own, and who is late again goes on alone. */
static void
leave_behind(common_t *common, uint64_t bits)
{
    uint64_t team = common->teams++;

    common_keep_nothing(common, bits);
    for (uint32_t i = 0; i < COMMON_SEATS_MAX; i++) {
        if ((bits >> i & 1) != 0) {
            common->team[i] = (common->moved >> i & 1) != 0 ? common->teams++ : team;
            common->waited_ns[i] = 0;
        }
    }
    common->moved |= bits;
    common->closed |= bits;
}

/* ---- seats ---- */

static common_seat_t *
seat_of(world_common_t *common)
{
    return (common_seat_t *) common;
}

static uint64_t
team_of(const common_t *common, const common_seat_t *seat)
{
    return common->team[__builtin_ctzll(seat->bit)];
}

/* Those of the same team, without this seat. */
static uint64_t
company(const common_t *common, const common_seat_t *seat)
{
    return common_members(common, team_of(common, seat)) & ~seat->bit;
}

/* The team of the group that who comes now can still go with, or a new one. All that it has made
 * is kept for him, too. */
static uint64_t
team_for(common_t *common, const uint8_t group[32], uint64_t bit)
{
    uint64_t open = common->joined & ~common->closed, team = common->teams;

    for (uint32_t i = 0; i < COMMON_SEATS_MAX && team == common->teams; i++) {
        bool same = (open >> i & 1) != 0 && memcmp(common->group[i], group, 32) == 0;
        team = same ? common->team[i] : team;
    }
    common->teams += team == common->teams;
    for (uint32_t i = 0; i < COMMON_BLOCKS_MAX; i++) {
        block_t *block = &common->block[i];
        block->wanted |= block->state == BLOCK_THERE && block->team == team ? bit : 0;
    }
    return team;
}

static void
seat_give(common_t *common, common_seat_t *seat)
{
    if (seat->taken) {
        block_t *block = &common->block[seat->taken - 1];
        block->holders--;
        common_look(common, block);
    }
    if (seat->made) {
        common_empty(common, &common->block[seat->made - 1]);
    }
    seat->taken = seat->made = 0;
}

static void
common_give(world_common_t *self)
{
    common_seat_t *seat = seat_of(self);

    if (seat->taken || seat->made) {
        pthread_mutex_lock(&seat->of->lock);
        seat_give(seat->of, seat);
        pthread_mutex_unlock(&seat->of->lock);
    }
}

static void
common_join(world_common_t *self, const uint8_t group[32])
{
    common_seat_t *seat = seat_of(self);
    common_t *common = seat->of;

    assert(!seat->bit && "a seat is left before it joins again");
    pthread_mutex_lock(&common->lock);
    if (common->joined != UINT64_MAX) {
        uint32_t place = (uint32_t) __builtin_ctzll(~common->joined);
        seat->bit = UINT64_C(1) << place;
        common->team[place] = team_for(common, group, seat->bit);
        memcpy(common->group[place], group, 32);
        common->joined |= seat->bit;
        common->moved &= ~seat->bit;
        common->closed &= ~seat->bit;
        common->waited_ns[place] = 0;
    }
    pthread_mutex_unlock(&common->lock);
}

/* Who has left has given back what it had, so with the last one all blocks are free. */
static void
common_leave(world_common_t *self)
{
    common_seat_t *seat = seat_of(self);
    common_t *common = seat->of;

    if (!seat->bit) {
        return;
    }
    pthread_mutex_lock(&common->lock);
    seat_give(common, seat);
    common_keep_nothing(common, seat->bit);
    common->joined &= ~seat->bit;
    if (common_members(common, team_of(common, seat)) == 0) {
        common_close(common, team_of(common, seat));
    }
    seat->bit = 0;
    for (uint32_t i = 0; i < COMMON_BLOCKS_MAX && common->joined == 0; i++) {
        free(common->block[i].bytes);
        common->block[i] = (block_t){0};
    }
    pthread_mutex_unlock(&common->lock);
}

/* ---- taking and putting ---- */

/* The most that others have waited for one of these seats. */
static int64_t
most_waited(const common_t *common, uint64_t bits)
{
    int64_t most = 0;

    for (uint32_t i = 0; i < COMMON_SEATS_MAX; i++) {
        bool is_longer = (bits >> i & 1) != 0 && common->waited_ns[i] > most;
        most = is_longer ? common->waited_ns[i] : most;
    }
    return most;
}

static void
note_waited(common_t *common, uint64_t bits, int64_t ns)
{
    for (uint32_t i = 0; i < COMMON_SEATS_MAX; i++) {
        common->waited_ns[i] += (bits >> i & 1) != 0 ? ns : 0;
    }
}

/* Waits for a block that is made now, or else for room, until something changes; false when the
 * patience is over. Waiting for room is waiting for those who have still to take the oldest block:
 * what others have waited for each of them is counted over its whole placement, so that a slow disk
 * does not slow the others down. */
static bool
wait_for(common_t *common, const block_t *block, int64_t begun_ns)
{
    const block_t *oldest = block ? NULL : common_oldest(common);
    uint64_t bits = oldest ? oldest->wanted : 0;
    int64_t now = cond_now_ns();
    int64_t gone = oldest ? most_waited(common, bits) : now - begun_ns;

    if (common->patience_ns - gone <= 0) {
        return false;
    }
    int64_t until = now + common->patience_ns - gone;
    struct timespec end = cond_at(until);
    pthread_cond_timedwait(&common->changed, &common->lock, &end);
    note_waited(common, bits, cond_now_ns() - now);
    return true;
}

/* Those of them for whom others have waited long enough. */
static uint64_t
late_of(const common_t *common, uint64_t bits)
{
    uint64_t late = 0;

    for (uint32_t i = 0; i < COMMON_SEATS_MAX; i++) {
        late |= common->waited_ns[i] >= common->patience_ns ? UINT64_C(1) << i : 0;
    }
    return late & bits;
}

/* After the patience nothing is kept for those who were waited for, and the oldest block goes. */
static block_t *
block_taken_away(common_t *common)
{
    block_t *oldest = common_oldest(common);

    if (oldest) {
        leave_behind(common, late_of(common, oldest->wanted));
    }
    return common_free(common);
}

static world_share_t
begin_to_make(common_seat_t *seat, block_t *block, const world_key_t *key)
{
    if (!block) {
        return WORLD_ALONE;
    }
    block->state = BLOCK_MADE_NOW;
    block->key = *key;
    block->team = team_of(seat->of, seat);
    seat->made = (uint32_t) (block - seat->of->block) + 1;
    return WORLD_MAKE;
}

static world_share_t
take_there(common_seat_t *seat, block_t *block, world_block_t *ret_block)
{
    block->holders++;
    block->wanted &= ~seat->bit;
    seat->taken = (uint32_t) (block - seat->of->block) + 1;
    *ret_block = (world_block_t){.bytes = block->bytes, .size = block->size, .note = block->note};
    return WORLD_THERE;
}

/* With the lock held. What is made for nobody is not put. */
static world_share_t
look_for(common_t *common, common_seat_t *seat, const world_key_t *key, world_block_t *ret_block)
{
    int64_t begun_ns = common->patience_ns == 0 ? 0 : cond_now_ns();

    for (;;) {
        block_t *block = common_find(common, key);
        if (block && block->state == BLOCK_THERE) {
            return take_there(seat, block, ret_block);
        }
        bool alone = company(common, seat) == 0;
        if (alone && (common->closed & seat->bit) != 0) {
            return WORLD_STAYS_ALONE;
        }
        block_t *place = block != NULL ? NULL : alone ? common_unused(common) : common_free(common);
        if (place) {
            return begin_to_make(seat, place, key);
        }
        if (alone) { /* nobody has come in time */
            common_close(common, team_of(common, seat));
            return WORLD_STAYS_ALONE;
        }
        if (common->patience_ns == 0 || !wait_for(common, block, begun_ns)) {
            return block ? WORLD_ALONE : begin_to_make(seat, block_taken_away(common), key);
        }
    }
}

static world_share_t
common_take(world_common_t *self, const world_key_t *key, world_block_t *ret_block)
{
    common_seat_t *seat = seat_of(self);
    common_t *common = seat->of;

    if (!seat->bit) {
        return WORLD_ALONE;
    }
    pthread_mutex_lock(&common->lock);
    seat_give(common, seat);
    world_share_t share = look_for(common, seat, key, ret_block);
    pthread_mutex_unlock(&common->lock);
    return share;
}

static bool
block_reserve(block_t *block, size_t size)
{
    if (block->capacity < size) {
        free(block->bytes);
        block->bytes = malloc(size);
        block->capacity = block->bytes ? size : 0;
    }
    return block->capacity >= size;
}

/* The block is this seat's alone until it is there, so its bytes are copied without the lock. */
static void
common_put(world_common_t *self, const void *bytes, size_t size, void *take_note,
           void (*drop_note)(void *note))
{
    common_seat_t *seat = seat_of(self);
    common_t *common = seat->of;

    assert(seat->made && "only what was to be made is put");
    block_t *block = &common->block[seat->made - 1];
    bool room = block_reserve(block, size);
    if (room) {
        memcpy(block->bytes, bytes, size);
    }
    pthread_mutex_lock(&common->lock);
    seat->made = 0;
    block->size = size;
    block->note = take_note;
    block->drop_note = drop_note;
    block->order = common->puts++;
    block->wanted = company(common, seat);
    block->state = BLOCK_THERE;
    if (!room) {
        common_empty(common, block);
    }
    common_look(common, block);
    pthread_cond_broadcast(&common->changed);
    pthread_mutex_unlock(&common->lock);
}

static const world_common_calls_t common_calls = {.join = common_join,
                                                  .leave = common_leave,
                                                  .take = common_take,
                                                  .put = common_put,
                                                  .give = common_give};

world_common_t *
common_seat(common_t *common, common_seat_t *seat)
{
    *seat = (common_seat_t){.common = {.call = &common_calls}, .of = common};
    return &seat->common;
}
