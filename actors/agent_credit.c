/* agent_credit.c - see agent_credit.h. */
#include "actors/agent_credit.h"

#include <assert.h>

static uint64_t
room_in(const credit_t *credit)
{
    return credit->window > credit->under_way ? credit->window - credit->under_way : 0;
}

uint64_t
credit_room(const credit_t *mine, const credit_t *all)
{
    uint64_t own = room_in(mine), of_all = room_in(all);
    uint64_t part = of_all > mine->under_way ? (of_all - mine->under_way) / 2 : 0;

    return own < part ? own : part;
}

void
credit_send(credit_t *mine, credit_t *all, uint64_t bytes)
{
    assert(bytes <= room_in(mine) && bytes <= room_in(all) && "nothing is sent without credit");
    mine->under_way += bytes;
    all->under_way += bytes;
}

bool
credit_return(credit_t *mine, credit_t *all, uint64_t bytes)
{
    if (bytes > mine->under_way) {
        return false;
    }
    assert(bytes <= all->under_way && "what one has under way is in the sum");
    mine->under_way -= bytes;
    all->under_way -= bytes;
    return true;
}

void
credit_end(credit_t *mine, credit_t *all)
{
    bool whole = credit_return(mine, all, mine->under_way);

    assert(whole && "all of it can be given back");
    mine->window = 0;
}
