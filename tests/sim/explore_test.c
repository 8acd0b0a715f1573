/* explore_test.c - sim_explore runs every order that somebody could tell from the others.
 *
 * The start-up of four components, as an executive has it: all are started at once, and each asks
 * others before it is ready. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/inside.h"
#include "runtime/notes.h"
#include "runtime/sim_explore.h"

#if defined(__SANITIZE_ADDRESS__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SANITIZED 1
#endif
#endif
#ifndef SANITIZED
#define SANITIZED 0
#endif

/* ---- components: a test says whom each asks before it is ready ---- */

enum { STORE = 0, STATUS, AGENT, FRONT, PARENT, CHILD, COMPONENTS };
#define TO(who) (1u << (who))
static uint32_t asks[COMPONENTS], started; /* a bit for each */

typedef struct component {
    uint32_t needs; /* answers still to come */
    request_t waiting;
    bool asked_early; /* somebody asked before it was ready */
} component_t;

#define EDGES(E)                                                                                   \
    E(ASK, store, link_request)                                                                    \
    E(ASK, status, link_request)                                                                   \
    E(ASK, agent, link_request) E(ASK, front, link_request) E(ASK, parent, link_request)
ACTOR_EDGES(EDGES)
THEN(component_t, heard)
HEARS(component_t, link_request)

/* What is planted: an agent that answers `refused` while it is not ready makes who asks too early
 * give up. */
static bool refuses_early;

static bool
is_named(const actor_ctx_t *ctx, const char *name)
{
    return strcmp(ctx->actor->class->class->name, name) == 0;
}

static actor_next_t
reply_now(actor_ctx_t *ctx)
{
    link_reply_t *reply = DRAFT(ctx, link_reply);

    reply->body = actor_text(ctx, slice_of("here"));
    return REPLY(ctx, link_reply, reply) == VERDICT_OK ? ACTOR_CONTINUE : ACTOR_FAIL;
}

static actor_next_t
on_link_request(actor_ctx_t *ctx, component_t *self, const link_request_t *m)
{
    claim(ctx, m->body.size > 0);
    if (refuses_early && self->needs > 0 && is_named(ctx, "agent")) {
        actor_refuse(ctx, ERR_STARTING);
    } else if (is_named(ctx, "parent")) {
        self->waiting = actor_defer(ctx, "child");
    } else {
        return reply_now(ctx);
    }
    return ACTOR_CONTINUE;
}

static actor_next_t
heard(actor_ctx_t *ctx, component_t *self, const actor_answer_t *answer)
{
    if (answer->err == OK && --self->needs == 0) {
        actor_ready(ctx);
    }
    return ACTOR_CONTINUE;
}

static link_request_t *
question(actor_ctx_t *ctx)
{
    link_request_t *m = DRAFT(ctx, link_request);

    m->body = actor_text(ctx, slice_of("are you there"));
    return m;
}

static verdict_t
ask_one(actor_ctx_t *ctx, int whom)
{
    switch (whom) {
    case STORE:
        return ask_store_link_request(ctx, question(ctx), 86400000, heard_then, 0);
    case STATUS:
        return ask_status_link_request(ctx, question(ctx), 86400000, heard_then, 0);
    case AGENT:
        return ask_agent_link_request(ctx, question(ctx), 86400000, heard_then, 0);
    case FRONT:
        return ask_front_link_request(ctx, question(ctx), 86400000, heard_then, 0);
    default:
        return ask_parent_link_request(ctx, question(ctx), 86400000, heard_then, 0);
    }
}

static const actor_class_t component[COMPONENTS];

static actor_next_t
component_init(actor_ctx_t *ctx, void *self_, const void *args)
{
    component_t *self = self_;
    int who = 0;

    claim(ctx, !args);
    while (&component[who] != ctx->actor->class->class) {
        who++;
    }
    for (int whom = 0; whom < COMPONENTS; whom++) {
        if (asks[who] & TO(whom)) {
            self->needs++;
            claim(ctx, ask_one(ctx, whom) == VERDICT_OK);
        }
    }
    if (self->needs == 0) {
        actor_ready(ctx);
    }
    return ACTOR_CONTINUE;
}

static const actor_hears_t hears[] = {ON(link_request)};
#define COMPONENT(name_)                                                                           \
    {                                                                                              \
        .name = name_, .state_bytes = sizeof(component_t), .init = component_init, .hears = hears, \
        .hears_count = 1, .edges = actor_edges, .edge_count = ACTOR_EDGE_COUNT, .role = true,      \
        .starts_later = true                                                                       \
    }
static const actor_class_t component[COMPONENTS] = {COMPONENT("store"),  COMPONENT("status"),
                                                    COMPONENT("agent"),  COMPONENT("front"),
                                                    COMPONENT("parent"), COMPONENT("child")};

static actor_next_t
root_init(actor_ctx_t *ctx, void *self, const void *args)
{
    actor_ref_t child;

    claim(ctx, self && !args);
    for (int i = 0; i < COMPONENTS; i++) {
        claim(ctx,
              !(started & TO(i)) || actor_spawn(ctx, &component[i], slice_of(component[i].name),
                                                NULL, NULL, 0, &child) == VERDICT_OK);
    }
    return ACTOR_CONTINUE;
}
static const actor_class_t root_class = {
    .name = "executive", .state_bytes = 1, .init = root_init, .role = true};
static const actor_class_t *const cast[] = {&root_class,   &component[0], &component[1],
                                            &component[2], &component[3], &component[4],
                                            &component[5], NULL};

/* ---- what is judged ---- */

static bool
is_started(void *context, sim_t *sim, char *ret_why, size_t why_size)
{
    char who[256] = "";

    (*(uint64_t *) context)++;
    if (sim_fault(sim)) {
        snprintf(ret_why, why_size, "%s", sim_fault(sim));
        return false;
    }
    if (!sim_is_ready(sim, who, sizeof who)) {
        snprintf(ret_why, why_size, "not ready: %s", who);
        return false;
    }
    return true;
}

static sim_explored_t
explored(const char *what, bool all)
{
    host_options_t host = {.classes = cast, .root = &root_class};
    uint64_t judged = 0;
    sim_explore_options_t options = {.sim = {.seed = 1, .host = &host, .alone = true},
                                     .until_ns = 1000000,
                                     .runs_max = 2000000,
                                     .all = all,
                                     .judge = is_started,
                                     .context = &judged};
    sim_explored_t ret;

    sim_explore(&options, &ret);
    cr_assert_eq(judged, ret.runs, "%lu judged of %lu", (unsigned long) judged,
                 (unsigned long) ret.runs);
    fprintf(stderr, "%s%s: %lu runs and %lu cut, %lu steps, %lu orders\n", what,
            all ? ", without reduction" : "", (unsigned long) ret.runs, (unsigned long) ret.cut,
            (unsigned long) ret.steps, (unsigned long) ret.orders);
    return ret;
}

/* Status needs store, agent both, front all three. */
static sim_explored_t
start_of_four(void)
{
    started = TO(STORE) | TO(STATUS) | TO(AGENT) | TO(FRONT);
    asks[STATUS] = TO(STORE);
    asks[AGENT] = TO(STORE) | TO(STATUS);
    asks[FRONT] = TO(STORE) | TO(STATUS) | TO(AGENT);
    return explored("the start of four components", false);
}

/* ---- claims ---- */

Test(explore, the_start_of_four_components_is_well_in_every_order, .timeout = 900)
{
    sim_explored_t all = start_of_four();

    cr_expect_str_eq(all.why, "");
    cr_expect(all.complete, "every order was run");
    cr_expect_gt(all.orders, 100);
    cr_expect_eq(all.runs, all.orders, "%lu runs of %lu orders", (unsigned long) all.runs,
                 (unsigned long) all.orders);
    sim_explored_free(&all);
}

static void
same_orders(const char *what)
{
    sim_explored_t reduced = explored(what, false);
    sim_explored_t all = explored(what, true);

    cr_expect(reduced.complete && all.complete);
    cr_expect_gt(all.runs, 3 * reduced.runs, "%lu of %lu", (unsigned long) reduced.runs,
                 (unsigned long) all.runs);
    cr_assert_eq(reduced.orders, all.orders, "%s: %lu orders of %lu", what,
                 (unsigned long) reduced.orders, (unsigned long) all.orders);
    cr_expect_eq(memcmp(reduced.order, all.order, all.orders * sizeof *all.order), 0);
    sim_explored_free(&reduced);
    sim_explored_free(&all);
}

Test(explore, what_the_reduction_leaves_out_nobody_could_have_told_apart, .timeout = 900)
{
    started = TO(STORE) | TO(STATUS);
    asks[STATUS] = TO(STORE);
    same_orders("one asks another");
    asks[STORE] = TO(STATUS);
    same_orders("two ask each other");
}

/* 14,980 hosts, each of which a sanitizer watches being made: half of that build's search. */
Test(explore, nor_among_three, .timeout = 900)
{
    if (SANITIZED) {
        cr_skip_test("the plain build shows it");
    }
    started = TO(STORE) | TO(STATUS) | TO(AGENT);
    asks[STATUS] = TO(STORE);
    asks[AGENT] = TO(STORE);
    same_orders("two ask a third");
}

Test(explore, a_start_that_goes_wrong_in_some_orders_is_found_and_told_step_by_step, .timeout = 900)
{
    refuses_early = true;
    sim_explored_t found = start_of_four();

    cr_expect(strstr(found.why, "not ready: front") && strstr(found.why, "ask link_request") &&
                  strstr(found.why, "agent runs"),
              "told: %s", found.why);
    cr_expect(!found.complete);
    cr_expect_gt(found.runs, 1, "the first order is well");
    sim_explored_free(&found);
}

/* Q304381, the old way: the parent answers when its child is there, the child asks first. */
Test(explore, the_old_way_to_start_is_a_deadlock_in_its_first_order)
{
    started = TO(PARENT) | TO(CHILD);
    asks[CHILD] = TO(PARENT);
    sim_explored_t found = explored("the old way", false);

    cr_expect_eq(found.runs, 1);
    cr_expect(strstr(found.why, "deadlock") &&
                  strstr(found.why, "child asks parent: link_request is put off, waits for child"),
              "told: %s", found.why);
    sim_explored_free(&found);
}
