/* executive_desk.c - see executive_desk.h. */
#include "actors/executive_desk.h"

#include <stdlib.h>

#include "actors/answer.h"
#include "actors/executive_view.h"
#include "actors/refuse.h"

actor_next_t
desk_refuse(actor_ctx_t *ctx, err_t err, const char *hint, const char *verb, slice_t subject)
{
    answer_unheard(
        REPLY(ctx, refusal, refuse_draft(ctx, err, hint, verb, subject, err_sentence(err))));
    return ACTOR_CONTINUE;
}

actor_next_t
desk_refuse_order(actor_ctx_t *ctx, const component_t *component, const char *verb, slice_t name)
{
    const char *reason =
        component ? "it carries the commands" : "it is the parent of all the others";
    const char *hint = component ? "despool component restart provider, or stop the host with"
                                   " despool stop"
                                 : "stop the host with despool stop";

    if (!component && !slice_equal(name, slice_of("executive"))) {
        return desk_refuse(ctx, ERR_NOT_FOUND, "despool component list", verb, name);
    }
    answer_unheard(REPLY(ctx, refusal, refuse_draft(ctx, ERR_NEEDED, hint, verb, name, reason)));
    return ACTOR_CONTINUE;
}

actor_next_t
desk_done(actor_ctx_t *ctx, bool changed)
{
    done_t *m = DRAFT(ctx, done);

    m->changed = changed;
    answer_unheard(REPLY(ctx, done, m));
    return ACTOR_CONTINUE;
}

actor_next_t
desk_component_list(actor_ctx_t *ctx, component_table_t *table)
{
    component_view_t view[COMPONENTS_COUNT + 1] = {{"executive", "run", actor_self(ctx), false}};

    for (uint32_t i = 0; i < COMPONENTS_COUNT; i++) {
        view[i + 1] = component_view(&table->component[i]);
    }
    answer_unheard(REPLY(ctx, components, view_components(ctx, view, COMPONENTS_COUNT + 1)));
    return ACTOR_CONTINUE;
}

actor_next_t
desk_component_show(actor_ctx_t *ctx, component_table_t *table, const component_show_t *m)
{
    slice_t name = record_slice(m, m->name);
    const component_t *component = component_of(table, name);
    component_view_t view = {"executive", "run", actor_self(ctx), false};

    if (component) {
        view = component_view(component);
    } else if (!slice_equal(name, slice_of("executive"))) {
        return desk_refuse(ctx, ERR_NOT_FOUND, "despool component list", "show", name);
    }
    answer_unheard(REPLY(ctx, component_shown, view_component(ctx, &view)));
    return ACTOR_CONTINUE;
}

actor_next_t
desk_blackbox(actor_ctx_t *ctx)
{
    char *text = malloc(BLACK_BOX_BYTES);
    size_t size = text ? actor_black_box(ctx, text, BLACK_BOX_BYTES) : 0;
    black_box_t *box = DRAFT(ctx, black_box);

    box->text = actor_text(ctx, (slice_t){text ? text : "", size});
    answer_unheard(REPLY(ctx, black_box, box));
    free(text);
    return ACTOR_CONTINUE;
}

const setting_set_t *
desk_slots_setting(actor_ctx_t *ctx, const component_set_t *m)
{
    setting_set_t *setting = DRAFT(ctx, setting_set);

    setting->key = actor_text(ctx, record_slice(m, m->key));
    setting->principal = actor_text(ctx, record_slice(m, m->principal));
    setting->dry_run = m->dry_run;
    setting->name = actor_text(ctx, slice_of("slots"));
    setting->value = actor_textf(ctx, "%u", (uint32_t) m->slots);
    return setting;
}
