/* executive_aside.c - the quarantine: messages that the runtime set aside, and targets that the
 * database did. Numbers from ASIDE_NUMBER_FIRST on are those of targets. */
#include <stdio.h>

#include "actors/executive_inside.h"
#include "actors/refuse.h"

#define ASIDE_MS  30000u
#define LIST_HINT "despool quarantine list"

THEN(executive_t, listed)
THEN(executive_t, ordered)

/* A free place; NULL: ASIDE_OPEN_MAX wait already. */
static aside_ask_t *
place(executive_t *self, uint64_t number, const char *verb)
{
    for (uint32_t i = 0; i < ASIDE_OPEN_MAX; i++) {
        if (!self->aside[i].open) {
            self->aside[i] = (aside_ask_t){.number = number, .verb = verb};
            return &self->aside[i];
        }
    }
    return NULL;
}

static slice_t
number_text(uint64_t number, char *text, size_t size)
{
    snprintf(text, size, "%llu", (unsigned long long) number);
    return slice_of(text);
}

static actor_next_t
refuse_number(actor_ctx_t *ctx, err_t err, const char *verb, uint64_t number)
{
    char text[32];

    return desk_refuse(ctx, err, err == ERR_NOT_FOUND ? LIST_HINT : NULL, verb,
                       number_text(number, text, sizeof text));
}

static actor_next_t
wait(actor_ctx_t *ctx, aside_ask_t *ask, verdict_t verdict)
{
    if (verdict != VERDICT_OK) {
        return refuse_number(ctx, verdict_err(verdict), ask->verb, ask->number);
    }
    ask->open = true;
    ask->request = actor_defer(ctx, "site_database");
    return ACTOR_CONTINUE;
}

/* ---- looking ---- */

static actor_next_t
look(actor_ctx_t *ctx, executive_t *self, uint64_t number, const char *verb)
{
    aside_ask_t *ask = place(self, number, verb);

    if (!ask) {
        return refuse_number(ctx, ERR_BUSY, verb, number);
    }
    return wait(ctx, ask,
                ask_site_database_aside_list(ctx, DRAFT(ctx, aside_list), ASIDE_MS, listed_then,
                                             (uint64_t) (ask - self->aside)));
}

actor_next_t
aside_list(actor_ctx_t *ctx, executive_t *self)
{
    return look(ctx, self, 0, "list");
}

actor_next_t
aside_show(actor_ctx_t *ctx, executive_t *self, const quarantine_show_t *m)
{
    return m->number == 0 ? refuse_number(ctx, ERR_NOT_FOUND, "show", 0)
                          : look(ctx, self, m->number, "show");
}

/* Without the database the runtime's messages are shown all the same: they may be why. */
static actor_next_t
listed(actor_ctx_t *ctx, executive_t *self, const actor_answer_t *answer)
{
    aside_ask_t *ask = &self->aside[answer->tag];
    const quarantine_t *rows = view_quarantine(ctx, ask->number, ANSWER_AS(answer, quarantine));
    char text[32];

    ask->open = false;
    if (!rows) {
        answer_unheard(REPLY_TO(ctx, ask->request, refusal,
                                refuse_draft(ctx, ERR_NOT_FOUND, LIST_HINT, ask->verb,
                                             number_text(ask->number, text, sizeof text),
                                             err_sentence(ERR_NOT_FOUND))));
    } else {
        answer_unheard(REPLY_TO(ctx, ask->request, quarantine, rows));
    }
    return ACTOR_CONTINUE;
}

/* ---- orders ---- */

static actor_next_t
order_target(actor_ctx_t *ctx, executive_t *self, const quarantine_retry_t *m, bool drop)
{
    aside_ask_t *ask = place(self, m->number, drop ? "drop" : "retry");

    if (!ask) {
        return refuse_number(ctx, ERR_BUSY, drop ? "drop" : "retry", m->number);
    }
    aside_order_t *order = DRAFT(ctx, aside_order);
    order->key = actor_text(ctx, record_slice(m, m->key));
    order->principal = actor_text(ctx, record_slice(m, m->principal));
    order->dry_run = m->dry_run;
    order->id = actor_textf(ctx, "%llu", (unsigned long long) m->number);
    order->target = m->number - ASIDE_NUMBER_FIRST;
    order->drop = drop;
    return wait(ctx, ask,
                ask_site_database_aside_order(ctx, order, ASIDE_MS, ordered_then,
                                              (uint64_t) (ask - self->aside)));
}

static actor_next_t
ordered(actor_ctx_t *ctx, executive_t *self, const actor_answer_t *answer)
{
    aside_ask_t *ask = &self->aside[answer->tag];
    char text[32];

    ask->open = false;
    answer_pass_on(ctx, ask->request, answer, ask->verb,
                   number_text(ask->number, text, sizeof text));
    return ACTOR_CONTINUE;
}

static actor_next_t
order_message(actor_ctx_t *ctx, uint64_t number, err_t err, const char *verb)
{
    return err == OK ? desk_done(ctx, true) : refuse_number(ctx, err, verb, number);
}

/* What an order about this message would answer. */
static err_t
would(const actor_ctx_t *ctx, uint64_t number)
{
    quarantined_t there;
    bool found = number > 0 && actor_quarantine_list(ctx, number - 1, &there, 1) == 1 &&
                 there.number == number;

    return found ? OK : ERR_NOT_FOUND;
}

actor_next_t
aside_retry(actor_ctx_t *ctx, executive_t *self, const quarantine_retry_t *m)
{
    if (m->number >= ASIDE_NUMBER_FIRST) {
        return order_target(ctx, self, m, false);
    }
    return order_message(
        ctx, m->number, m->dry_run ? would(ctx, m->number) : actor_quarantine_retry(ctx, m->number),
        "retry");
}

actor_next_t
aside_drop(actor_ctx_t *ctx, executive_t *self, const quarantine_drop_t *m)
{
    _Static_assert(sizeof(quarantine_drop_t) == sizeof(quarantine_retry_t),
                   "both are a number and what every command begins with");
    if (m->number >= ASIDE_NUMBER_FIRST) {
        return order_target(ctx, self, (const quarantine_retry_t *) (const void *) m, true);
    }
    return order_message(ctx, m->number,
                         m->dry_run ? would(ctx, m->number) : actor_quarantine_drop(ctx, m->number),
                         "drop");
}
