/* quarantine_test.c - on a real host, a message that fails its actor again and again is set aside
 * while the others go on; it is listed, tried again, and thrown away. */
#include "proto/limits.h"
#include "tests/unit/runtime/cast.h"

#define POISON   13u
#define LOOK_MS  5
#define OTHERS_N 5u

static atomic_bool well; /* from now on it harms nobody */
static atomic_uint tries, passed, others;
static quarantined_t listed[4];
static uint32_t step, found;
static err_t retried, dropped, again;

static actor_next_t
fails_of_poison(actor_ctx_t *ctx, part_t *self, const parcel_t *m)
{
    claim(ctx, self->who == B);
    if (m->number != POISON) {
        atomic_fetch_add(&others, 1);
        return ACTOR_CONTINUE;
    }
    atomic_fetch_add(&tries, 1);
    claim(ctx, atomic_load(&well));
    atomic_fetch_add(&passed, 1);
    return ACTOR_CONTINUE;
}

static actor_next_t
say_poison(actor_ctx_t *ctx, part_t *self)
{
    claim(ctx, tell_parcel(ctx, B, POISON, self->who) == VERDICT_OK);
    claim(ctx, actor_timer(ctx, 1, LOOK_MS) == VERDICT_OK);
    return ACTOR_CONTINUE;
}

/* c is another sender: it is served all the time. */
static actor_next_t
say_others(actor_ctx_t *ctx, part_t *self)
{
    for (uint64_t i = 0; i < OTHERS_N; i++) {
        claim(ctx, tell_parcel(ctx, B, 100 + i, self->who) == VERDICT_OK);
    }
    return ACTOR_CONTINUE;
}

/* Looks until there is one; tries it again when it harms nobody, and then makes another one, which
 * it throws away. */
static actor_next_t
look(actor_ctx_t *ctx, part_t *self, uint64_t key)
{
    claim(ctx, self->who == A && actor_timer(ctx, key, LOOK_MS) == VERDICT_OK);
    found = actor_quarantine_list(ctx, 0, listed, 4);
    if (step == 0 && found == 1 && atomic_load(&others) >= OTHERS_N) {
        step = 1;
        atomic_store(&well, true);
        retried = actor_quarantine_retry(ctx, listed[0].number);
    } else if (step == 1 && atomic_load(&passed) == 1) {
        step = 2;
        atomic_store(&well, false);
        claim(ctx, found == 0 && tell_parcel(ctx, B, POISON, self->who) == VERDICT_OK);
    } else if (step == 2 && found == 1) {
        step = 3;
        dropped = actor_quarantine_drop(ctx, listed[0].number);
        again = actor_quarantine_retry(ctx, listed[0].number);
        found = actor_quarantine_list(ctx, 0, listed + 1, 3);
        sem_post(&done);
    }
    return ACTOR_CONTINUE;
}

Test(quarantine, q223755_on_a_real_host_it_is_listed_tried_again_and_thrown_away, .timeout = 60)
{
    hook[A] = (hooks_t){.init = say_poison, .timer = look};
    hook[B] = (hooks_t){.parcel = fails_of_poison};
    hook[C] = (hooks_t){.init = say_others};
    host_t *host = cast_start();
    wait_done();
    cr_expect_eq(retried, OK, "retry: %s", err_word(retried));
    cr_expect_eq(dropped, OK, "drop: %s", err_word(dropped));
    cr_expect_eq(again, ERR_NOT_FOUND, "what is gone was retried: %s", err_word(again));
    cr_expect_eq(found, 0, "%u are left", found);
    cr_expect_str_eq(listed[0].actor, "b");
    cr_expect_str_eq(listed[0].message, "parcel");
    cr_expect_eq(listed[0].attempts, DELIVERY_ATTEMPTS_MAX);
    cr_expect(strstr(listed[0].reason, "atomic_load(&well)"), "reason: %s", listed[0].reason);
    cr_expect(strstr(listed[0].shown, "13"), "shown: %s", listed[0].shown);
    cr_expect_eq(tries, 2 * DELIVERY_ATTEMPTS_MAX + 1, "%u tries", tries);
    cr_expect_eq(passed, 1, "passed %u times", passed);
    cast_end(host);
}
