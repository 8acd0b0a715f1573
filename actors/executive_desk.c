/* executive_desk.c - see executive_desk.h. */
#include "actors/executive_desk.h"

#include <stdio.h>
#include <stdlib.h>

#include "actors/answer.h"
#include "actors/executive_view.h"
#include "actors/refuse.h"

void
desk_component_list(actor_ctx_t *ctx, component_table_t *table)
{
    component_view_t view[COMPONENTS_COUNT + 1] = {{"executive", "run", actor_self(ctx), false}};

    for (uint32_t i = 0; i < COMPONENTS_COUNT; i++) {
        view[i + 1] = component_view(&table->component[i]);
    }
    answer_unheard(REPLY(ctx, components, view_components(ctx, view, COMPONENTS_COUNT + 1)));
}

void
desk_component_show(actor_ctx_t *ctx, component_table_t *table, const component_show_t *m)
{
    slice_t name = record_slice(m, m->name);
    const component_t *component = component_of(table, name);
    component_view_t view = {"executive", "run", actor_self(ctx), false};

    if (component) {
        view = component_view(component);
    } else if (!slice_equal(name, slice_of("executive"))) {
        answer_unheard(REPLY(ctx, refusal,
                             refuse_draft(ctx, ERR_NOT_FOUND, "despool component list", "show",
                                          name, err_sentence(ERR_NOT_FOUND))));
        return;
    }
    answer_unheard(REPLY(ctx, component_shown, view_component(ctx, &view)));
}

static void
answer_number(actor_ctx_t *ctx, uint64_t number, err_t err, const char *verb)
{
    char text[32];

    if (err == OK) {
        done_t *m = DRAFT(ctx, done);
        m->changed = true;
        answer_unheard(REPLY(ctx, done, m));
        return;
    }
    snprintf(text, sizeof text, "%llu", (unsigned long long) number);
    answer_unheard(REPLY(ctx, refusal,
                         refuse_draft(ctx, err, "despool quarantine list", verb, slice_of(text),
                                      err_sentence(err))));
}

/* A number that is 0 or unknown is refused; the commands' numbers begin with 1. */
static const quarantine_t *
shown(actor_ctx_t *ctx, uint64_t number)
{
    return number == 0 ? NULL : view_quarantine(ctx, number);
}

void
desk_quarantine_list(actor_ctx_t *ctx)
{
    answer_unheard(REPLY(ctx, quarantine, view_quarantine(ctx, 0)));
}

void
desk_quarantine_show(actor_ctx_t *ctx, const quarantine_show_t *m)
{
    const quarantine_t *rows = shown(ctx, m->number);

    if (rows) {
        answer_unheard(REPLY(ctx, quarantine, rows));
    } else {
        answer_number(ctx, m->number, ERR_NOT_FOUND, "show");
    }
}

void
desk_quarantine_retry(actor_ctx_t *ctx, const quarantine_retry_t *m)
{
    answer_number(ctx, m->number, m->dry_run ? OK : actor_quarantine_retry(ctx, m->number),
                  "retry");
}

void
desk_quarantine_drop(actor_ctx_t *ctx, const quarantine_drop_t *m)
{
    answer_number(ctx, m->number, m->dry_run ? OK : actor_quarantine_drop(ctx, m->number), "drop");
}

void
desk_blackbox(actor_ctx_t *ctx)
{
    char *text = malloc(BLACK_BOX_BYTES);
    size_t size = text ? actor_black_box(ctx, text, BLACK_BOX_BYTES) : 0;
    black_box_t *box = DRAFT(ctx, black_box);

    box->text = actor_text(ctx, (slice_t){text ? text : "", size});
    answer_unheard(REPLY(ctx, black_box, box));
    free(text);
}
