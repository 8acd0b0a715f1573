/* retry.c - see retry.h. */
#include "actors/retry.h"

uint64_t
retry_backoff_ms(uint32_t attempts, uint64_t random)
{
    uint64_t wait = RETRY_FIRST_MS;
    for (uint32_t i = 1; i < attempts && wait < RETRY_MAX_MS; i++) {
        wait *= 2;
    }
    wait = wait > RETRY_MAX_MS ? RETRY_MAX_MS : wait;
    return wait - random % (wait / 4 + 1);
}

/* How a try that failed is counted and followed up, before the kind of work is looked at. */
typedef enum follow {
    FOLLOW_ABSENCE, /* not counted: the point's return decides */
    FOLLOW_SPACE,   /* not counted: looked at again often, or when its window opens */
    FOLLOW_AGAIN,   /* not counted: it says nothing about the point */
    FOLLOW_COUNT,   /* counted: tried again after a while, until there were too many */
    FOLLOW_PERSON   /* only a person can help */
} follow_t;

static follow_t
follow_of(const outcome_t *outcome)
{
    err_t err = outcome->err;
    if (err_is_absence(err)) {
        return FOLLOW_ABSENCE;
    }
    if (err == ERR_SPACE || err == ERR_WINDOW) {
        return FOLLOW_SPACE;
    }
    /* Work that was stopped on purpose is superseded in the database; a stop of our own is not the
     * point's fault. */
    if (err == ERR_CANCELLED || err_class(err) == CLASS_RESOURCE) {
        return FOLLOW_AGAIN;
    }
    if (err_class(err) == CLASS_RETRY) {
        return outcome->reached ? FOLLOW_COUNT : FOLLOW_AGAIN;
    }
    return FOLLOW_PERSON;
}

static retry_next_t
fail(retry_next_t follows)
{
    follows.next = TARGET_FAILED;
    follows.due_ms = RECORD_NONE;
    return follows;
}

static retry_next_t
count(retry_next_t follows, const outcome_t *outcome, uint64_t random)
{
    uint32_t of = outcome->of == 0 ? ATTEMPTS_MAX : outcome->of;
    follows.integrity = outcome->err == ERR_DIGEST ? outcome->integrity + 1 : 0;
    follows.due_ms = retry_backoff_ms(follows.attempts, random);
    bool removes = outcome->action == ACTION_REMOVE;
    bool ends = follows.attempts >= of || follows.integrity >= INTEGRITY_ATTEMPTS_MAX;
    return ends && !removes ? fail(follows) : follows;
}

static retry_next_t
follow_up(retry_next_t follows, const outcome_t *outcome, uint64_t random)
{
    bool removes = outcome->action == ACTION_REMOVE;
    switch (follow_of(outcome)) {
    case FOLLOW_ABSENCE:
        follows.look_out = true;
        follows.due_ms = RETRY_MAX_MS;
        return follows;
    case FOLLOW_SPACE:
        follows.next = removes ? TARGET_REMOVING : TARGET_WAITING;
        follows.due_ms = SPACE_PERIOD_MS;
        return follows;
    case FOLLOW_AGAIN:
        follows.due_ms = SPACE_PERIOD_MS;
        return follows;
    case FOLLOW_COUNT:
        return count(follows, outcome, random);
    default:
        follows.due_ms = RETRY_MAX_MS;
        return removes ? follows : fail(follows);
    }
}

retry_next_t
retry_decide(const outcome_t *outcome, uint64_t random)
{
    bool removes = outcome->action == ACTION_REMOVE;
    follow_t follow = follow_of(outcome);
    bool counts = outcome->err == OK || follow == FOLLOW_COUNT || follow == FOLLOW_PERSON;
    uint32_t before = outcome->attempt == 0 ? 0 : outcome->attempt - 1;
    retry_next_t follows = {
        .next = removes ? TARGET_REMOVING : TARGET_RETRYING,
        .attempts = counts && outcome->reached ? before + 1 : before,
        .integrity = outcome->integrity,
        .due_ms = RECORD_NONE,
    };
    if (outcome->err == OK) {
        follows.next = removes                           ? TARGET_REMOVED
                       : outcome->action == ACTION_STAGE ? TARGET_PROMISED
                                                         : TARGET_INSTALLED;
        follows.integrity = 0;
        return follows;
    }
    return follow_up(follows, outcome, random);
}
