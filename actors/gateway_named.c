/* gateway_named.c - what an agent may be sent: what the manifest of its order's version names.
 *
 * A need waits until its version's names are known. One set serves all agents that are sent the
 * same version, and goes with the last of them. */
#include "actors/content/hash.h"
#include "actors/gateway.h"

#define NAMED_MS  600000u
#define KIN_NAMES (sizeof(kin_pair_t) / sizeof(uint64_t)) /* that take the room of a pair */

struct named_set {
    digest_t root, have;
    named_pair_t *names; /* NULL: a job is finding them */
    uint32_t users;
    uint64_t job;
};

THEN(agent_gateway_t, names_came)

static bool
is_of(const named_set_t *set, const digest_t *root, const digest_t *have)
{
    return digest_equal(&set->root, root) && digest_equal(&set->have, have);
}

static uint64_t
size_of(const named_pair_t *names)
{
    return names->now.count + names->before.count + names->kin.count * KIN_NAMES;
}

static named_set_t *
set_of(const agent_gateway_t *self, const digest_t *root, const digest_t *have)
{
    for (uint32_t i = 0; i < self->named_count; i++) {
        if (is_of(self->named[i], root, have)) {
            return self->named[i];
        }
    }
    return NULL;
}

static void
drop_set(agent_gateway_t *self, named_set_t *set)
{
    uint32_t i = 0;

    while (self->named[i] != set) {
        i++;
    }
    self->named[i] = self->named[--self->named_count];
    if (set->names) {
        self->named_names -= size_of(set->names);
        names_drop(set->names);
    }
    free(set);
}

/* A set whose job is at work stays until it has come. */
void
named_leave(agent_gateway_t *self, agent_t *agent)
{
    named_set_t *set = agent->named;

    agent->named = NULL;
    if (set && --set->users == 0 && set->names) {
        drop_set(self, set);
    }
}

void
named_drop(agent_gateway_t *self)
{
    while (self->named_count > 0) {
        drop_set(self, self->named[0]);
    }
}

static named_set_t *
find_names(actor_ctx_t *ctx, agent_gateway_t *self, slice_t store, const digest_t *root,
           const digest_t *have)
{
    named_pair_t *names =
        self->named_count < AGENT_NAMED_SETS_MAX ? calloc(1, sizeof *names) : NULL;
    named_set_t *set = names ? calloc(1, sizeof *set) : NULL;

    if (!set) {
        free(names);
        return NULL;
    }
    named_order_t *m = DRAFT(ctx, named_order);
    m->store = actor_text(ctx, store);
    m->root = *root;
    m->have = *have;
    job_spec_t spec = {.name = "named",
                       .run = job_named,
                       .input_type = &named_order_type,
                       .input = m,
                       .subject = slice_of("store"),
                       .deadline_ms = NAMED_MS,
                       .resource = names,
                       .drop = names_drop,
                       .then = names_came_then,
                       .tag = ++self->jobs};
    if (actor_job(ctx, &spec, NULL) != VERDICT_OK) {
        names_drop(names);
        free(set);
        return NULL;
    }
    set->root = *root;
    set->have = *have;
    set->job = self->jobs;
    self->named[self->named_count++] = set;
    return set;
}

bool
named_want(actor_ctx_t *ctx, agent_gateway_t *self, agent_t *agent, slice_t store,
           const digest_t *root, const digest_t *have)
{
    if (agent->named && is_of(agent->named, root, have)) {
        return true;
    }
    named_leave(self, agent);
    named_set_t *set = set_of(self, root, have);
    agent->named = set ? set : find_names(ctx, self, store, root, have);
    if (agent->named) {
        agent->named->users++;
    }
    return agent->named != NULL;
}

bool
named_known(const agent_t *agent)
{
    return agent->named && agent->named->names;
}

bool
named_all(const agent_t *agent, const agent_need_t *need)
{
    for (uint32_t i = 0; i < need->ranges.count; i++) {
        if (!names_have(&agent->named->names->now, &ROW(need, need->ranges, i, range_t)->object)) {
            return false;
        }
    }
    return true;
}

void
named_base(const agent_t *agent, range_t *range)
{
    const named_pair_t *names = agent->named->names;
    bool before = names_have(&names->before, &range->base);
    const digest_t *kin = before ? kin_base(&names->kin, &range->object) : NULL;

    range->base = kin ? *kin : before ? range->base : (digest_t){{0}};
}

static named_set_t *
set_of_job(const agent_gateway_t *self, uint64_t job)
{
    for (uint32_t i = 0; i < self->named_count; i++) {
        if (self->named[i]->job == job) {
            return self->named[i];
        }
    }
    return NULL;
}

/* Whoever waits for this set goes on, or hears why it does not. */
static actor_next_t
names_came(actor_ctx_t *ctx, agent_gateway_t *self, const actor_answer_t *answer)
{
    named_set_t *set = set_of_job(self, answer->tag);
    const named_t *m = ANSWER_AS(answer, named);
    named_pair_t *names = answer->resource;
    err_t err = !m ? answer->err : (err_t) m->err;

    claim(ctx, set != NULL);
    if (err == OK && (!names || size_of(names) > AGENT_NAMED_MAX - self->named_names)) {
        err = ERR_FULL;
    }
    if (err == OK) {
        set->names = names;
        self->named_names += size_of(names);
    } else if (names) {
        names_drop(names);
    }
    set->users++; /* it stays while we go on with it */
    for (agent_t *agent = zhashx_first(self->agent); agent; agent = zhashx_next(self->agent)) {
        if (agent->named == set) {
            content_named(ctx, self, agent, err);
        }
    }
    if (--set->users == 0) {
        drop_set(self, set);
    }
    return ACTOR_CONTINUE;
}
