/* gateway_activate.c - how an agent's own program ended: noted durably, then the agent hears so.
 *
 * Whose note failed, or is one too many, hears nothing, and says it again. */
#include "actors/gateway.h"

static activation_note_t *
draft_note(actor_ctx_t *ctx, const agent_t *agent, const agent_activated_t *m)
{
    activation_note_t *note = DRAFT(ctx, activation_note);
    draft_t *draft = actor_draft_open(ctx);

    note->dp = actor_text(ctx, slice_of(agent->dp));
    note->dp_incarnation = agent->incarnation;
    note->said = draft_rows(draft, 1, sizeof(agent_activated_t));
    agent_activated_t *row = draft_row(draft, note->said, 0, sizeof *row);
    err_t err = row ? draft_copy(draft, &agent_activated_type, row, m, m) : ERR_TOO_LARGE;
    draft->full |= err != OK;
    return note;
}

/* The answer names the agent and the version again. */
static actor_next_t
noted(actor_ctx_t *ctx, void *state, const actor_answer_t *answer)
{
    agent_gateway_t *self = state;
    const activation_noted_t *m = ANSWER_AS(answer, activation_noted);
    agent_t *agent = m ? table_by_name(self, record_slice(m, m->dp)) : NULL;

    if (agent && agent->here) {
        agent_activation_known_t *known = DRAFT(ctx, agent_activation_known);
        known->package = actor_text(ctx, record_slice(m, m->package));
        known->package_incarnation = m->package_incarnation;
        known->epoch = m->epoch;
        known->attempt = m->attempt;
        visit_say(ctx, self, agent, &agent_activation_known_type, known);
    }
    return ACTOR_CONTINUE;
}

bool
activate_heard(actor_ctx_t *ctx, agent_t *agent, const agent_activated_t *m)
{
    if (!name_is_valid(record_slice(m, m->package)) || m->attempt == 0 || m->epoch == 0) {
        return false;
    }
    if (seeds_may_note(ctx, agent)) {
        answer_unheard(ask_site_database_activation_note(ctx, draft_note(ctx, agent, m),
                                                         GATEWAY_ASK_MS, noted, 0));
    }
    return true;
}
