/* sim_outside.c - what is outside of a simulated host: a client, a subscriber, a watcher.
 *
 * The host's root becomes a child of a root of ours, beside the two ends of its links, so that a
 * command takes the way it takes in a real host: asked of its role by an actor. */
#include "runtime/sim_inside.h"

#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/inside.h"

#define SAY_DEADLINE_MS 86400000u /* of a command: one day, as on a real link */

typedef struct outside {
    sim_t *sim;
} outside_t;

/* The classes are members of one sim, so an actor finds its sim by its class. A pointer in an
 * argument would be part of the trace, and differ from run to run. */
static actor_next_t client_init(actor_ctx_t *ctx, void *self, const void *args);
static actor_next_t publisher_init(actor_ctx_t *ctx, void *self, const void *args);

static sim_t *
sim_of_ctx(const actor_ctx_t *ctx)
{
    const actor_class_t *class = ctx->actor->class->class;
    size_t offset = class->init == client_init      ? offsetof(sim_t, client_class)
                    : class->init == publisher_init ? offsetof(sim_t, publisher_class)
                                                    : offsetof(sim_t, outside_class);

    return (sim_t *) ((uintptr_t) class - offset);
}

static actor_next_t
client_init(actor_ctx_t *ctx, void *self, const void *args)
{
    outside_t *outside = self;

    outside->sim = sim_of_ctx(ctx);
    outside->sim->client = actor_self(ctx);
    return args ? ACTOR_FAIL : ACTOR_CONTINUE;
}

static actor_next_t
publisher_init(actor_ctx_t *ctx, void *self, const void *args)
{
    outside_t *outside = self;

    outside->sim = sim_of_ctx(ctx);
    return args ? ACTOR_FAIL : ACTOR_CONTINUE;
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
spawn_end(actor_ctx_t *ctx, const actor_class_t *class)
{
    actor_ref_t child;

    return actor_spawn(ctx, class, slice_of(class->name), NULL, NULL, 0, &child);
}

static actor_next_t
outside_init(actor_ctx_t *ctx, void *self, const void *args)
{
    outside_t *outside = self;
    sim_t *sim = sim_of_ctx(ctx);
    actor_ref_t root;

    outside->sim = sim;
    verdict_t verdict = sim->options.publishes ? spawn_end(ctx, &sim->publisher_class) : VERDICT_OK;
    if (verdict == VERDICT_OK && !sim->options.alone) {
        verdict = spawn_end(ctx, &sim->client_class);
    }
    if (verdict == VERDICT_OK && sim->options.peers_to) {
        verdict = spawn_end(ctx, &sim->peers.class);
    }
    if (verdict == VERDICT_OK && sim->options.plain) {
        verdict = spawn_end(ctx, &sim->plain.class);
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
    return verdict == VERDICT_OK && !args ? ACTOR_CONTINUE : ACTOR_FAIL;
}

/* ---- the client ---- */

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

/* ---- the watcher ---- */

static const char *
name_of(const sim_t *sim, actor_ref_t who)
{
    if (who.index == 0 || !cell_holds(sim->core, who)) {
        return "";
    }
    const actor_t *actor = atomic_load(&cell_at(sim->core, who.index)->actor);
    return actor ? watch_called(actor) : "";
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
                         envelope->kind == ENV_REPLY || envelope->kind == ENV_DONE};

    sim->options.saw(sim->options.saw_context, &sight);
}

/* ---- the classes ---- */

static void
classes_make(sim_t *sim, const char *commands_to, const char *publishes)
{
    sim->client_edge = (actor_edge_t){EDGE_ASK, commands_to, &link_request_type};
    sim->client_class = (actor_class_t){.name = "command_link",
                                        .state_bytes = sizeof(outside_t),
                                        .init = client_init,
                                        .edges = &sim->client_edge,
                                        .edge_count = commands_to ? 1 : 0,
                                        .placement = ACTOR_BESIDE_THE_POOL,
                                        .role = true};
    sim->publisher_class = (actor_class_t){.name = publishes ? publishes : "status_link",
                                           .state_bytes = sizeof(outside_t),
                                           .init = publisher_init,
                                           .hears = publisher_hears,
                                           .hears_count = 1,
                                           .placement = ACTOR_BESIDE_THE_POOL,
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
    sim->classes = calloc(count + 6u, sizeof(actor_class_t *));
    assert(sim->classes);
    memcpy(sim->classes, host->classes, count * sizeof(actor_class_t *));
    classes_make(sim, sim->options.commands_to, sim->options.publishes);
    sim->classes[count++] = &sim->outside_class;
    sim->classes[count++] = &sim->client_class;
    sim->classes[count++] = &sim->publisher_class;
    if (sim_peers_class(sim)) {
        sim->classes[count++] = &sim->peers.class;
    }
    if (sim_plain_class(sim)) {
        sim->classes[count++] = &sim->plain.class;
    }
    sim->root = host->root;
    sim->root_args_type = host->root_args_type;
    sim->root_args = host->root_args;
    sim->root_args_bytes = host->root_args_bytes  ? host->root_args_bytes
                           : host->root_args_type ? host->root_args_type->fixed_bytes
                                                  : 0;
    return (core_options_t){.classes = sim->classes,
                            .root = &sim->outside_class,
                            .notes_to = host->notes_to,
                            .fresh_messages = sim->options.rounds != SIM_IN_PLACE,
                            .placement = host->placement,
                            .pool_workers = host->pool_workers};
}

void
sim_outside_fini(sim_t *sim)
{
    free(sim->classes);
    sim->classes = NULL;
}
