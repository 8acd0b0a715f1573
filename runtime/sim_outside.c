/* sim_outside.c - what is outside of a simulated host: a client, a subscriber, a watcher.
 *
 * The host's root becomes a child of a root of ours, beside the two ends of its links, so that a
 * command takes the way it takes in a real host: asked of its role by an actor. */
#include "runtime/sim_inside.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/inside.h"

#define SAY_DEADLINE_MS 86400000u /* of a command: one day, as on a real link */

typedef struct outside {
    sim_t *sim;
} outside_t;

/* The classes are made for one sim, so each knows it by the argument it was spawned with: the
 * bytes of a pointer, in a record of the runtime's that has room for bytes. */
static sim_t *
sim_of_args(const void *args)
{
    const link_reply_t *reply = args;
    sim_t *sim = NULL;

    assert(reply->body.size == sizeof(sim_t *));
    memcpy(&sim, (const char *) args + reply->body.at, sizeof sim);
    return sim;
}

static link_reply_t *
args_of_sim(actor_ctx_t *ctx, sim_t *sim)
{
    link_reply_t *args = DRAFT(ctx, link_reply);

    args->body = actor_text(ctx, (slice_t){(const char *) &sim, sizeof(sim_t *)});
    return args;
}

static actor_next_t
client_init(actor_ctx_t *ctx, void *self, const void *args)
{
    outside_t *outside = self;

    outside->sim = sim_of_args(args);
    outside->sim->client = actor_self(ctx);
    return ACTOR_CONTINUE;
}

static actor_next_t
publisher_init(actor_ctx_t *ctx, void *self, const void *args)
{
    outside_t *outside = self;

    outside->sim = sim_of_args(args);
    return actor_name(ctx)[0] ? ACTOR_CONTINUE : ACTOR_FAIL;
}

HEARS(outside_t, link_publish)
static actor_next_t
on_link_publish(actor_ctx_t *ctx, outside_t *self, const link_publish_t *m)
{
    const sim_options_t *options = &self->sim->options;

    claim(ctx, m->body.size > 0);
    if (options->published) {
        options->published(options->outside_context, record_slice(m, m->topic),
                           record_slice(m, m->body));
    }
    return ACTOR_CONTINUE;
}
static const actor_hears_t publisher_hears[] = {ON(link_publish)};

static verdict_t
spawn_end(actor_ctx_t *ctx, sim_t *sim, const actor_class_t *class)
{
    actor_ref_t child;

    return actor_spawn(ctx, class, slice_of(class->name), &link_reply_type, args_of_sim(ctx, sim),
                       0, &child);
}

static actor_next_t
outside_init(actor_ctx_t *ctx, void *self, const void *args)
{
    outside_t *outside = self;
    sim_t *sim = sim_of_args(args);
    actor_ref_t root;

    outside->sim = sim;
    verdict_t verdict = spawn_end(ctx, sim, &sim->publisher_class);
    if (verdict == VERDICT_OK) {
        verdict = spawn_end(ctx, sim, &sim->client_class);
    }
    if (verdict == VERDICT_OK) {
        void *copy = NULL;
        if (sim->root_args) {
            copy = actor_draft(ctx, sim->root_args_type);
            memcpy(copy, sim->root_args, sim->root_args_bytes);
            actor_draft_open(ctx)->size = (uint32_t) sim->root_args_bytes;
        }
        verdict = actor_spawn(ctx, sim->root, slice_of(sim->root->name), sim->root_args_type, copy,
                              1, &root);
    }
    return verdict == VERDICT_OK ? ACTOR_CONTINUE : ACTOR_FAIL;
}

/* ---- the client
 * ---------------------------------------------------------------------------------- */

static actor_next_t
client_heard(actor_ctx_t *ctx, void *self, const actor_answer_t *answer)
{
    const sim_options_t *options = &((outside_t *) self)->sim->options;
    const link_reply_t *reply = ANSWER_AS(answer, link_reply);
    err_t err = answer->err;

    if (err == OK && !reply) {
        err = ERR_INTERNAL;
    }
    if (options->heard && actor_now_ns(ctx) >= 0) {
        options->heard(options->outside_context, answer->tag, err,
                       reply ? record_slice(reply, reply->body) : slice_of(""));
    }
    return ACTOR_CONTINUE;
}

typedef struct saying {
    slice_t body;
    uint64_t tag;
    bool said;
} saying_t;

static actor_next_t
client_says(actor_ctx_t *ctx, void *self, const void *argument)
{
    saying_t *saying = *(saying_t *const *) argument;
    link_request_t *m = DRAFT(ctx, link_request);

    assert(((outside_t *) self)->sim);
    m->body = actor_text(ctx, saying->body);
    m->principal = actor_text(ctx, slice_of("local"));
    saying->said =
        actor_ask_role(ctx, 0, m, SAY_DEADLINE_MS, client_heard, saying->tag) == VERDICT_OK;
    return ACTOR_CONTINUE;
}

bool
sim_say(sim_t *sim, slice_t body, uint64_t tag)
{
    saying_t saying = {body, tag, false};
    saying_t *argument = &saying;

    if (sim->client.index == 0 || !cell_holds(sim->core, sim->client)) {
        return false;
    }
    actor_t *client = atomic_load(&cell_at(sim->core, sim->client.index)->actor);
    if (!client || client->stage != STAGE_OPEN) {
        return false;
    }
    core_run(client, "sim_say", client_says, &argument);
    return saying.said;
}

/* ---- the watcher
 * ----------------------------------------------------------------------------------- */

static const char *
name_of(const sim_t *sim, actor_ref_t who)
{
    if (who.index == 0 || !cell_holds(sim->core, who)) {
        return "";
    }
    const actor_t *actor = atomic_load(&cell_at(sim->core, who.index)->actor);
    return actor ? actor->name : "";
}

void
sim_show(sim_t *sim, const envelope_t *envelope, int64_t now_ns)
{
    sim_sight_t sight = {now_ns,
                         name_of(sim, envelope->from),
                         name_of(sim, envelope->to),
                         envelope->type,
                         envelope->record,
                         envelope->size,
                         envelope->kind == ENV_ASK,
                         envelope->kind == ENV_REPLY};

    sim->options.saw(sim->options.saw_context, &sight);
}

/* ---- the classes
 * ------------------------------------------------------------------------------------- */

static void
classes_make(sim_t *sim, const char *commands_to, const char *publishes)
{
    sim->client_edge = (actor_edge_t){EDGE_ASK, commands_to, &link_request_type};
    sim->client_class = (actor_class_t){.name = "command_link",
                                        .state_bytes = sizeof(outside_t),
                                        .init = client_init,
                                        .edges = &sim->client_edge,
                                        .edge_count = commands_to ? 1 : 0,
                                        .role = true};
    sim->publisher_class = (actor_class_t){.name = publishes ? publishes : "status_link",
                                           .state_bytes = sizeof(outside_t),
                                           .init = publisher_init,
                                           .hears = publisher_hears,
                                           .hears_count = 1,
                                           .role = true};
    sim->outside_class = (actor_class_t){
        .name = "outside", .state_bytes = sizeof(outside_t), .init = outside_init, .role = true};
}

core_options_t
sim_core_options(sim_t *sim, const host_options_t *host)
{
    uint32_t count = 0;

    while (host->classes[count]) {
        count++;
    }
    sim->classes = calloc(count + 4u, sizeof(actor_class_t *));
    assert(sim->classes);
    memcpy(sim->classes, host->classes, count * sizeof(actor_class_t *));
    classes_make(sim, sim->options.commands_to, sim->options.publishes);
    sim->classes[count++] = &sim->outside_class;
    sim->classes[count++] = &sim->client_class;
    sim->classes[count++] = &sim->publisher_class;
    sim->root = host->root;
    sim->root_args_type = host->root_args_type;
    sim->root_args = host->root_args;
    sim->root_args_bytes = host->root_args_bytes  ? host->root_args_bytes
                           : host->root_args_type ? host->root_args_type->fixed_bytes
                                                  : 0;
    draft_over(&sim->args_draft, sim->args_memory, sizeof sim->args_memory);
    link_reply_t *args = draft_begin(&sim->args_draft, &link_reply_type);
    args->body = draft_text(&sim->args_draft, (slice_t){(const char *) &sim, sizeof(sim_t *)});
    return (core_options_t){.classes = sim->classes,
                            .root = &sim->outside_class,
                            .root_args_type = &link_reply_type,
                            .root_args = args,
                            .root_args_bytes = sim->args_draft.size,
                            .notes_to = host->notes_to,
                            .pool_workers = host->pool_workers};
}

void
sim_outside_fini(sim_t *sim)
{
    free(sim->classes);
    sim->classes = NULL;
}
