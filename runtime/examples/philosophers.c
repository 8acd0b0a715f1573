/* philosophers.c - five dine, each with a fork of their own, and each needs the right neighbour's.
 *
 * All have their own fork in hand when they call for the other, so the calls close a circle. The
 * runtime refuses the call that closes it, at once and without a clock: its caller hears
 * ERR_CYCLE, puts the fork down and tries again later; the table hears the circle, name by name. */
#include <stdio.h>

#include "proto/record_table.h"
#include "runtime/host.h"
#include "runtime/notes.h"

#define SEATS      5u
#define LATER_MS   1u
#define PATIENT_MS 60000u

#define FIELDS_seat(F, R) F(R, u32, index, 0, REQUIRED) F(R, u32, incarnation, 0, REQUIRED)
#define FIELDS_none(F, R) F(R, flag, nothing, 0, OPTIONAL)
RECORD(seat, 1, FIELDS_seat) /* who sits on your right; take your fork */
RECORD(dine, 2, FIELDS_none) /* answered when you have eaten */
RECORD(lend, 3, FIELDS_none) /* answered when the fork is yours */
RECORD(back, 4, FIELDS_none) /* here is your fork again */
RECORD(done, 5, FIELDS_none)

/* ---- philosopher ---- */

typedef struct philosopher {
    actor_ref_t right;
    bool holds, lent, hungry; /* own fork: in hand, at the left neighbour's */
    bool wanted;
    request_t dine, lend; /* the lend that waits while wanted */
} philosopher_t;

#define EDGES(E) E(DYNAMIC_TO, philosopher, lend) E(TELL_TO, philosopher, back)
ACTOR_EDGES_OF(philosopher, EDGES)
THEN(philosopher_t, heard)

static actor_next_t
reach(actor_ctx_t *ctx, philosopher_t *self)
{
    if (self->hungry && !self->lent) {
        self->holds = true;
        claim(ctx, call_philosopher_lend(ctx, self->right, DRAFT(ctx, lend), PATIENT_MS, heard_then,
                                         0) == VERDICT_OK);
    }
    return ACTOR_CONTINUE;
}

static actor_next_t
put_down(actor_ctx_t *ctx, philosopher_t *self)
{
    self->holds = false;
    if (self->wanted) {
        self->wanted = false;
        self->lent = true;
        claim(ctx, REPLY_TO(ctx, self->lend, done, DRAFT(ctx, done)) == VERDICT_OK);
    }
    return ACTOR_CONTINUE;
}

static actor_next_t
heard(actor_ctx_t *ctx, philosopher_t *self, const actor_answer_t *answer)
{
    if (answer->err == ERR_CYCLE) {
        printf("%s puts the fork down\n", actor_name(ctx));
        claim(ctx, actor_timer(ctx, 0, LATER_MS) == VERDICT_OK);
        return put_down(ctx, self);
    }
    claim(ctx, answer->err == OK && self->holds);
    printf("%s eats\n", actor_name(ctx));
    self->hungry = false;
    claim(ctx, tell_philosopher_back(ctx, self->right, DRAFT(ctx, back)) == VERDICT_OK);
    claim(ctx, REPLY_TO(ctx, self->dine, done, DRAFT(ctx, done)) == VERDICT_OK);
    return put_down(ctx, self);
}

HANDLE_TIMER(philosopher_t, later)
{
    return reach(ctx, self);
}

HANDLE(philosopher_t, seat)
{
    self->right = (actor_ref_t){m->index, m->incarnation};
    self->holds = true;
    claim(ctx, REPLY(ctx, done, DRAFT(ctx, done)) == VERDICT_OK);
    return ACTOR_CONTINUE;
}

HANDLE(philosopher_t, dine)
{
    self->dine = actor_defer(ctx, "its neighbour's fork");
    self->hungry = true;
    return reach(ctx, self);
}

/* One who holds the fork lends it after eating: the lender waits for its own turn, and says so. */
HANDLE(philosopher_t, lend)
{
    if (self->holds) {
        self->lend = actor_defer(ctx, "philosopher");
        self->wanted = true;
        return ACTOR_CONTINUE;
    }
    self->lent = true;
    claim(ctx, REPLY(ctx, done, DRAFT(ctx, done)) == VERDICT_OK);
    return ACTOR_CONTINUE;
}

HANDLE(philosopher_t, back)
{
    self->lent = false;
    return reach(ctx, self);
}
static const actor_class_t philosopher = {.name = "philosopher",
                                          .state_bytes = sizeof(philosopher_t),
                                          .placement = ACTOR_POOL,
                                          .on_timer = later,
                                          ACTOR_HEARS(ON(seat), ON(dine), ON(lend), ON(back)),
                                          ACTOR_SPEAKS(philosopher)};

/* ---- table: seats them, bids them dine, hears of circles ---- */

typedef struct table {
    actor_ref_t at[SEATS];
    uint32_t seated, eaten, circles;
} table_t;

#define TABLE_EDGES(E) E(ASK_TO, philosopher, seat) E(ASK_TO, philosopher, dine)
ACTOR_EDGES_OF(table, TABLE_EDGES)

static actor_next_t
end_when_all_is_seen(actor_ctx_t *ctx, const table_t *self)
{
    if (self->eaten == SEATS && self->circles > 0) {
        printf("all have eaten\n");
        actor_host_stop(ctx, "dinner is over");
    }
    return ACTOR_CONTINUE;
}

HANDLE_ANSWER(table_t, ate)
{
    claim(ctx, answer->err == OK);
    self->eaten++;
    return end_when_all_is_seen(ctx, self);
}

HANDLE_ANSWER(table_t, sits)
{
    claim(ctx, answer->err == OK);
    self->seated++;
    for (uint32_t i = 0; self->seated == SEATS && i < SEATS; i++) {
        claim(ctx, ask_philosopher_dine(ctx, self->at[i], DRAFT(ctx, dine), PATIENT_MS, ate_then,
                                        i) == VERDICT_OK);
    }
    return ACTOR_CONTINUE;
}

HANDLE(table_t, actor_trouble)
{
    if (slice_equal(record_slice(m, m->what), slice_of("cycle"))) {
        printf("a circle is refused: %.*s\n", RECORD_SHOWN(m, m->why));
        self->circles++;
    }
    return end_when_all_is_seen(ctx, self);
}

HANDLE_INIT(table_t, lay)
{
    for (uint32_t i = 0; i < SEATS; i++) {
        static const char *const name[SEATS] = {"Plato", "Hypatia", "Zeno", "Diotima", "Thales"};
        claim(ctx, actor_spawn(ctx, &philosopher, slice_of(name[i]), NULL, NULL, i, &self->at[i]) ==
                       VERDICT_OK);
    }
    for (uint32_t i = 0; i < SEATS; i++) {
        actor_ref_t right = self->at[(i + 1) % SEATS];
        seat_t *m = DRAFT(ctx, seat);
        m->index = right.index;
        m->incarnation = right.incarnation;
        claim(ctx,
              ask_philosopher_seat(ctx, self->at[i], m, PATIENT_MS, sits_then, i) == VERDICT_OK);
    }
    return ACTOR_CONTINUE;
}
static const actor_class_t table = {.name = "table",
                                    .state_bytes = sizeof(table_t),
                                    .role = true,
                                    .init = lay,
                                    ACTOR_HEARS(ON(actor_trouble)),
                                    ACTOR_SPEAKS(table)};

int
main(void)
{
    const host_options_t options = {.classes =
                                        (const actor_class_t *const[]){&table, &philosopher, NULL},
                                    .root = &table,
                                    .notes_to = "table"};
    return host_main(&options);
}
