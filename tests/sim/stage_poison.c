/* stage_poison.c - see stage_poison.h. */
#include "tests/sim/stage_poison.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "tests/sim/stage_inside.h"

#define HEARS_MAX 96u
#define TOLD_MAX  1024u
#define ACTOR     "distribution_manager"

/* Handlers are plain functions, so what they look at is the process's. */
static struct {
    stage_t *stage;
    char sender[40];   /* empty: nothing is poison */
    bool found;        /* it has come: only another attempt of it fails from now on */
    uint32_t attempts; /* of it, that have begun */
    struct {
        char from[40];
        uint32_t attempts; /* when it was delivered */
    } told[TOLD_MAX];      /* by others, not handled yet, in the order of their delivery */
    uint32_t told_count;
} poison;

static actor_handler_fn *real_outcome, *real_changed, *real_lost;

void
poison_arm(stage_t *stage, const char *sender)
{
    poison.stage = stage;
    poison.found = false;
    poison.attempts = poison.told_count = 0;
    snprintf(poison.sender, sizeof poison.sender, "%s", sender ? sender : "");
}

void
poison_crashed(void)
{
    poison_arm(poison.stage, NULL);
}

uint32_t
poison_attempts(void)
{
    return poison.attempts;
}

static bool
is_told(const sim_sight_t *sight)
{
    return !sight->is_ask && !sight->is_reply && strcmp(sight->to, ACTOR) == 0 &&
           (sight->type == &outcome_type || sight->type == &work_changed_type ||
            sight->type == &inbox_lost_type);
}

void
poison_saw(stage_t *stage, const sim_sight_t *sight)
{
    if (poison.stage != stage || !poison.sender[0] || !is_told(sight) ||
        strcmp(sight->from, poison.sender) == 0) {
        return;
    }
    assert(poison.told_count < TOLD_MAX);
    snprintf(poison.told[poison.told_count].from, sizeof poison.told[0].from, "%s", sight->from);
    poison.told[poison.told_count++].attempts = poison.attempts;
}

/* The first of this sender that is not handled yet is handled now: senders keep their order. */
static void
judge_delay(const char *from)
{
    uint32_t i = 0;

    while (i < poison.told_count && strcmp(poison.told[i].from, from) != 0) {
        i++;
    }
    if (i == poison.told_count) {
        return; /* it came before the poison was armed */
    }
    uint32_t waited = poison.attempts - poison.told[i].attempts;
    if (waited > 1) {
        stage_note_fault(poison.stage,
                         "invariant 7: a message of '%s' waited for %u attempts of a poison one",
                         from, waited);
    }
    memmove(&poison.told[i], &poison.told[i + 1],
            (--poison.told_count - i) * sizeof poison.told[0]);
}

static bool
is_wholesome(actor_ctx_t *ctx)
{
    actor_figures_t from = {.name = ""};
    uint32_t next = 0;

    actor_watch(ctx, actor_sender(ctx).index, &from, 1, &next);
    if (strcmp(from.name, poison.sender) != 0) {
        judge_delay(from.name);
        return true;
    }
    if (poison.found && actor_attempt(ctx) == 1) {
        return true; /* another message of the same sender */
    }
    poison.found = true;
    poison.attempts++;
    return false;
}

static actor_next_t
hear_outcome(actor_ctx_t *ctx, void *self, const void *m)
{
    claim(ctx, !poison.sender[0] || is_wholesome(ctx));
    return real_outcome(ctx, self, m);
}

static actor_next_t
hear_changed(actor_ctx_t *ctx, void *self, const void *m)
{
    claim(ctx, !poison.sender[0] || is_wholesome(ctx));
    return real_changed(ctx, self, m);
}

static actor_next_t
hear_lost(actor_ctx_t *ctx, void *self, const void *m)
{
    claim(ctx, !poison.sender[0] || is_wholesome(ctx));
    return real_lost(ctx, self, m);
}

/* ---- the class ---- */

static void
stand_before(actor_hears_t *row, const record_type_t *type, actor_handler_fn *ours,
             actor_handler_fn **ret_real)
{
    if (row->type == type) {
        *ret_real = row->handler;
        row->handler = ours;
    }
}

/* The linker has everybody who means distribution_manager_class take this one (meson.build). */
extern const actor_class_t __real_distribution_manager_class;
actor_class_t __wrap_distribution_manager_class;

void
poison_prepare(void)
{
    static actor_hears_t hears[HEARS_MAX];
    actor_class_t *class = &__wrap_distribution_manager_class;

    if (class->hears) {
        return;
    }
    *class = __real_distribution_manager_class;
    assert(class->hears_count <= HEARS_MAX);
    memcpy(hears, class->hears, class->hears_count * sizeof hears[0]);
    for (uint32_t i = 0; i < class->hears_count; i++) {
        stand_before(&hears[i], &outcome_type, hear_outcome, &real_outcome);
        stand_before(&hears[i], &work_changed_type, hear_changed, &real_changed);
        stand_before(&hears[i], &inbox_lost_type, hear_lost, &real_lost);
    }
    class->hears = hears;
}
