/* job_common_blocks.c - see job_common_inside.h. */
#include "runtime/job_common_inside.h"

#include <string.h>

void
common_empty(common_t *common, block_t *block)
{
    if (block->note) {
        block->drop_note(block->note);
    }
    block->note = NULL;
    block->state = BLOCK_FREE;
    block->wanted = 0;
    pthread_cond_broadcast(&common->changed);
}

/* The seats of a team. */
uint64_t
common_members(const common_t *common, uint64_t team)
{
    uint64_t found = 0;

    for (uint32_t i = 0; i < COMMON_SEATS_MAX; i++) {
        uint64_t bit = UINT64_C(1) << i;
        found |= (common->joined & bit) != 0 && common->team[i] == team ? bit : 0;
    }
    return found;
}

/* Who comes now can still have all that the team has made. */
static bool
is_open(const common_t *common, uint64_t team)
{
    return (common_members(common, team) & ~common->closed) != 0;
}

static bool
is_spare(const block_t *block)
{
    return block->state == BLOCK_THERE && block->wanted == 0 && block->holders == 0;
}

/* A block that all have taken stays for who may still come, while its team is open. */
void
common_look(common_t *common, block_t *block)
{
    if (is_spare(block) && !is_open(common, block->team)) {
        common_empty(common, block);
    }
}

/* What it keeps for who may still come goes. */
void
common_close(common_t *common, uint64_t team)
{
    common->closed |= common_members(common, team);
    for (uint32_t i = 0; i < COMMON_BLOCKS_MAX; i++) {
        common_look(common, &common->block[i]);
    }
}

block_t *
common_find(common_t *common, const world_key_t *key)
{
    for (uint32_t i = 0; i < COMMON_BLOCKS_MAX; i++) {
        block_t *block = &common->block[i];
        if (block->state != BLOCK_FREE && memcmp(&block->key, key, sizeof *key) == 0) {
            return block;
        }
    }
    return NULL;
}

block_t *
common_unused(common_t *common)
{
    block_t *found = NULL;

    for (uint32_t i = 0; i < COMMON_BLOCKS_MAX; i++) {
        block_t *block = &common->block[i];
        /* One that has memory already is the better one. */
        if (block->state == BLOCK_FREE && (!found || block->capacity > found->capacity)) {
            found = block;
        }
    }
    return found;
}

/* Room is made by what is kept for who may still come: its team is closed then. */
block_t *
common_free(common_t *common)
{
    block_t *found = common_unused(common);

    for (uint32_t i = 0; i < COMMON_BLOCKS_MAX && !found; i++) {
        if (is_spare(&common->block[i])) {
            common_close(common, common->block[i].team);
            found = common_unused(common);
        }
    }
    return found;
}

/* The one that was put first and that nobody has in hand. */
block_t *
common_oldest(common_t *common)
{
    block_t *found = NULL;

    for (uint32_t i = 0; i < COMMON_BLOCKS_MAX; i++) {
        block_t *block = &common->block[i];
        if (block->state == BLOCK_THERE && block->holders == 0 &&
            (!found || block->order < found->order)) {
            found = block;
        }
    }
    return found;
}

/* Nothing is kept for these seats any more. */
void
common_keep_nothing(common_t *common, uint64_t bits)
{
    for (uint32_t i = 0; i < COMMON_BLOCKS_MAX; i++) {
        common->block[i].wanted &= ~bits;
        common_look(common, &common->block[i]);
    }
}
