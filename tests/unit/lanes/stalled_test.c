/* stalled_test.c - on real threads a handler that does not return is told while it is stuck, and
 * the others go on (Q227021: a thread hung on an empty file, nobody was told, all traffic stopped).
 */
#include <criterion/criterion.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "proto/record_table.h"
#include "runtime/host.h"
#include "runtime/notes.h"
#include "tests/placement.h"

#define LIMIT_MS 20
#define BEATS    20 /* of another actor, while the handler is stuck */

#define NUDGE(F, R) F(R, u64, number, 0, REQUIRED)
RECORD_STRUCT(nudge, NUDGE)
RECORD_DEFINE(nudge, 0x7301, NUDGE)

static sem_t go_on, told, over, beaten;
static char actor[96], message[48];
static atomic_uint stuck_notes;

/* ---- one that is stuck until the test lets it go on ---- */

static actor_next_t
on_nudge(actor_ctx_t *ctx, void *self, const void *m)
{
    claim(ctx, self != NULL && m != NULL);
    sem_wait(&go_on);
    return ACTOR_CONTINUE;
}

static const actor_hears_t stuck_hears[] = {{&nudge_type, LANE_NORMAL, on_nudge}};
static const actor_class_t stuck_class = {.name = "stuck",
                                          .state_bytes = 8,
                                          .hears = stuck_hears,
                                          .hears_count = 1,
                                          .handler_limit_ms = LIMIT_MS,
                                          .role = true};

/* ---- another one, that has work all the time ---- */

static actor_next_t
beat_init(actor_ctx_t *ctx, void *self, const void *args)
{
    claim(ctx, self != NULL && args == NULL && actor_timer(ctx, 1, 1) == VERDICT_OK);
    return ACTOR_CONTINUE;
}

static actor_next_t
beat(actor_ctx_t *ctx, void *self, uint64_t key)
{
    claim(ctx, self != NULL && actor_timer(ctx, key, 1) == VERDICT_OK);
    sem_post(&beaten);
    return ACTOR_CONTINUE;
}

static const actor_class_t beat_class = {
    .name = "beat", .state_bytes = 8, .init = beat_init, .on_timer = beat, .role = true};

/* ---- who hears the notes ---- */

static actor_next_t
on_stalled(actor_ctx_t *ctx, void *self, const void *note)
{
    const actor_stalled_t *m = note;

    claim(ctx, self != NULL);
    if (!m->over) {
        claim(ctx, slice_copy(record_slice(m, m->actor), actor, sizeof actor));
        claim(ctx, slice_copy(record_slice(m, m->message), message, sizeof message));
        atomic_fetch_add(&stuck_notes, 1);
    }
    sem_post(m->over ? &over : &told);
    return ACTOR_CONTINUE;
}

static const actor_hears_t boss_hears[] = {{&actor_stalled_type, LANE_NORMAL, on_stalled}};
static const actor_edge_t boss_edges[] = {{EDGE_TELL, "stuck", &nudge_type}};

static actor_next_t
boss_init(actor_ctx_t *ctx, void *self, const void *args)
{
    claim(ctx, self != NULL && args == NULL);
    claim(ctx,
          actor_spawn(ctx, &stuck_class, slice_of("stuck"), NULL, NULL, 0, NULL) == VERDICT_OK);
    claim(ctx, actor_spawn(ctx, &beat_class, slice_of("beat"), NULL, NULL, 0, NULL) == VERDICT_OK);
    claim(ctx, actor_timer(ctx, 1, 1) == VERDICT_OK);
    return ACTOR_CONTINUE;
}

static actor_next_t
boss_timer(actor_ctx_t *ctx, void *self, uint64_t key)
{
    nudge_t *m = actor_draft(ctx, &nudge_type);

    m->number = key;
    claim(ctx, self != NULL && actor_tell_role(ctx, 0, m) == VERDICT_OK);
    return ACTOR_CONTINUE;
}

static const actor_class_t boss_class = {.name = "boss",
                                         .state_bytes = 8,
                                         .init = boss_init,
                                         .on_timer = boss_timer,
                                         .hears = boss_hears,
                                         .hears_count = 1,
                                         .edges = boss_edges,
                                         .edge_count = 1,
                                         .role = true};

Test(stalled, q227021_a_handler_that_hangs_is_told_while_it_hangs_and_the_others_go_on,
     .timeout = 60)
{
    static const actor_class_t *const classes[] = {&boss_class, &stuck_class, &beat_class, NULL};
    const host_options_t options = {.classes = classes,
                                    .root = &boss_class,
                                    .notes_to = "boss",
                                    .placement = placement_wanted()};
    char left[256] = "";

    sem_init(&go_on, 0, 0);
    sem_init(&told, 0, 0);
    sem_init(&over, 0, 0);
    sem_init(&beaten, 0, 0);
    host_t *host = host_new(&options);
    cr_assert_eq(host_start(host), OK);
    sem_wait(&told); /* it hangs: nothing has let it go on yet */
    cr_expect_str_eq(actor, "stuck");
    cr_expect_str_eq(message, "nudge");
    for (int i = 0; i < BEATS; i++) {
        sem_wait(&beaten);
    }
    cr_expect_eq(stuck_notes, 1, "told %u times while it hangs", stuck_notes);
    sem_post(&go_on);
    sem_wait(&over);
    cr_expect(host_stop(host, 10000, left, sizeof left), "left: %s", left);
    host_destroy(&host);
}
