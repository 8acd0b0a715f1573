/* alone.h - a simulated host of a few classes to which nobody speaks, for claims about one actor.
 *
 * Shape    alone_new makes it; the claim starts it, runs it, stops it, and ends it by sim_destroy.
 *          ended is the on_down of an actor that does not care who ends.
 * Threads  one claim, in a process of its own.
 */
#pragma once

#include <criterion/criterion.h>

#include "runtime/sim.h"

/* The first of the classes is the host's root. */
static inline sim_t *
alone_new(const actor_class_t *const *classes)
{
    const host_options_t host = {.classes = classes, .root = classes[0]};
    const sim_options_t options = {.seed = 1, .host = &host, .alone = true};
    err_t err = OK;
    char why[200] = "";
    sim_t *sim = sim_new(&options, &err, why, sizeof why);

    cr_assert_not_null(sim, "%s: %s", err_word(err), why);
    return sim;
}

static inline actor_next_t
ended(actor_ctx_t *ctx, void *state, const actor_down_t *down)
{
    cr_assert(ctx && state && down);
    return ACTOR_CONTINUE;
}
