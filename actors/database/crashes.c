/* crashes.c - see crashes.h, and docs/decisions/0007. */
#include "actors/database/crashes.h"

_Static_assert(CRASHES_COUNTED_MAX <= 64, "each has a bit");

uint64_t
crashes_set_aside(actor_ctx_t *ctx, pending_t *pending)
{
    actor_crash_t crash[CRASHES_COUNTED_MAX];
    uint32_t count = actor_crashes(ctx, crash, CRASHES_COUNTED_MAX);
    uint64_t crashes = 0;
    for (uint32_t i = 0; i < count; i++) {
        if (crash[i].about == 0) {
            continue;
        }
        set_aside_t *m = DRAFT(ctx, set_aside);
        m->target = crash[i].about;
        m->why =
            actor_textf(ctx, "work on it ended the host %u times (signal %d in %s, %s)",
                        crash[i].times, crash[i].signal, crash[i].class_name, crash[i].message);
        if (pending_add(pending, &set_aside_type, m, false, (request_t){.ask = 0}) == OK) {
            crashes |= UINT64_C(1) << crash[i].number;
        }
    }
    return crashes;
}

void
crashes_forget(const actor_ctx_t *ctx, const group_answers_t *answers, uint64_t *crashes)
{
    for (uint32_t i = 0; answers->err == OK && *crashes != 0; i++, *crashes >>= 1) {
        if (*crashes & 1) {
            actor_crash_forget(ctx, i);
        }
    }
}
