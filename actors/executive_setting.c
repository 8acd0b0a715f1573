/* executive_setting.c - component.set: durable first, then live. The despooler is told what the
 * database has when the setting is done, for the answer to a key may be older than the setting. */
#include "actors/executive_inside.h"
#include "actors/roster.h"

#define SETTING_MS 30000u

THEN(executive_t, setting_done)
THEN(executive_t, present_came)

actor_next_t
setting_change(actor_ctx_t *ctx, executive_t *self, const component_set_t *m)
{
    slice_t name = record_slice(m, m->name);

    if (!slice_equal(name, slice_of("despooler")) || m->slots == RECORD_NONE) {
        return desk_refuse(ctx, ERR_NOT_FOUND, "despooler has the setting --slots", "set", name);
    }
    if (m->slots > SLOTS_MAX) {
        return desk_refuse(ctx, ERR_BAD_VALUE, "slots are 0 to 256", "set", name);
    }
    if (self->setting_open) {
        return desk_refuse(ctx, ERR_BUSY, NULL, "set", name);
    }
    verdict_t verdict = ask_site_database_setting_set(ctx, desk_slots_setting(ctx, m), SETTING_MS,
                                                      setting_done_then, m->dry_run);
    if (verdict != VERDICT_OK) {
        return desk_refuse(ctx, verdict_err(verdict), NULL, "set", name);
    }
    self->setting_open = true;
    self->setting = actor_defer(ctx, "site_database");
    return ACTOR_CONTINUE;
}

/* The answer waits until the despooler was told; the tag is set for what changes nothing. */
static actor_next_t
setting_done(actor_ctx_t *ctx, executive_t *self, const actor_answer_t *answer)
{
    if (answer_err(answer) == OK && !answer->tag) {
        site_open_t *m = DRAFT(ctx, site_open);
        m->asker = actor_text(ctx, slice_of("executive"));
        if (ask_site_database_site_open(ctx, m, SETTING_MS, present_came_then, 0) == VERDICT_OK) {
            self->done = actor_keep(ctx, answer->type, answer->record);
            return ACTOR_CONTINUE;
        }
    }
    self->setting_open = false;
    answer_pass_on(ctx, self->setting, answer, "set", slice_of("despooler"));
    return ACTOR_CONTINUE;
}

/* Without an answer the despooler reads the setting when both start again. */
static actor_next_t
present_came(actor_ctx_t *ctx, executive_t *self, const actor_answer_t *answer)
{
    const site_opened_t *present = ANSWER_AS(answer, site_opened);

    self->setting_open = false;
    if (present) {
        slots_set_t *m = DRAFT(ctx, slots_set);
        m->slots = present->slots;
        answer_unheard(tell_despooler_slots_set(ctx, m));
    }
    answer_unheard(actor_reply_to(ctx, self->setting, &done_type, kept_record(self->done)));
    kept_destroy(&self->done);
    return ACTOR_CONTINUE;
}
