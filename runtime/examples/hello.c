/* hello.c - two actors on threads of their own: one asks, the other answers, the host stops. */
#include <stdio.h>
#include <stdlib.h>

#include "proto/record_table.h"
#include "runtime/host.h"

/* ---- the words: each message once, as a table ---- */

#define FIELDS_greeting(F, R) F(R, text, name, 64, REQUIRED)
#define FIELDS_answer(F, R)   F(R, text, words, 128, REQUIRED)
RECORD_STRUCT(greeting, FIELDS_greeting)
RECORD_STRUCT(answer, FIELDS_answer)
RECORD_DEFINE(greeting, 1, FIELDS_greeting)
RECORD_DEFINE(answer, 2, FIELDS_answer)

/* ---- greeter: hears greeting, answers it ---- */

typedef struct greeter {
    unsigned count;
} greeter_t;

HEARS(greeter_t, greeting)
static actor_next_t
on_greeting(actor_ctx_t *ctx, greeter_t *self, const greeting_t *m)
{
    slice_t name = record_slice(m, m->name);
    answer_t *answer = DRAFT(ctx, answer);
    answer->words = actor_textf(ctx, "hello %.*s, you are number %u", (int) name.size, name.data,
                                ++self->count);
    claim(ctx, REPLY(ctx, answer, answer) == VERDICT_OK);
    return ACTOR_CONTINUE;
}
static const actor_hears_t greeter_hears[] = {ON(greeting)};
static const actor_class_t greeter_class = {.name = "greeter",
                                            .state_bytes = sizeof(greeter_t),
                                            .hears = greeter_hears,
                                            .hears_count = 1,
                                            .role = true};

/* ---- visitor: starts the greeter, greets it, prints what it hears ---- */

typedef struct visitor {
    unsigned heard;
} visitor_t;

#define EDGES(E) E(ASK, greeter, greeting)
ACTOR_EDGES(EDGES)

THEN(visitor_t, heard)
static actor_next_t
heard(actor_ctx_t *ctx, visitor_t *self, const actor_answer_t *answer)
{
    const answer_t *m = ANSWER_AS(answer, answer);
    slice_t words = m == NULL ? slice_of(err_sentence(answer->err)) : record_slice(m, m->words);
    printf("%.*s\n", (int) words.size, words.data);
    self->heard++;
    actor_host_stop(ctx, "all is said");
    return ACTOR_CONTINUE;
}

/* The greeter is not there before this handler has returned, so it is greeted in the next one. */
static actor_next_t
visitor_timer(actor_ctx_t *ctx, void *self, uint64_t key)
{
    (void) key;
    claim(ctx, self != NULL);
    greeting_t *m = DRAFT(ctx, greeting);
    m->name = actor_text(ctx, slice_of("world"));
    claim(ctx, ask_greeter_greeting(ctx, m, 1000, heard_then, 0) == VERDICT_OK);
    return ACTOR_CONTINUE;
}

static actor_next_t
visitor_init(actor_ctx_t *ctx, void *self, const void *args)
{
    claim(ctx, self != NULL && args == NULL);
    claim(ctx,
          actor_spawn(ctx, &greeter_class, slice_of("greeter"), NULL, NULL, 0, NULL) == VERDICT_OK);
    claim(ctx, actor_timer(ctx, 0, 0) == VERDICT_OK);
    return ACTOR_CONTINUE;
}
static const actor_class_t visitor_class = {.name = "visitor",
                                            .state_bytes = sizeof(visitor_t),
                                            .init = visitor_init,
                                            .on_timer = visitor_timer,
                                            .edges = actor_edges,
                                            .edge_count = ACTOR_EDGE_COUNT,
                                            .role = true};

int
main(void)
{
    static const actor_class_t *const classes[] = {&visitor_class, &greeter_class, NULL};
    host_options_t options = {.classes = classes, .root = &visitor_class};
    char left[256] = "";
    host_t *host = host_new(&options);
    if (host_start(host) != OK) {
        fprintf(stderr, "%s\n", host_why(host));
        return EXIT_FAILURE;
    }
    host_wait_stop(host);
    bool ended = host_stop(host, 1000, left, sizeof left);
    host_destroy(&host);
    return ended ? EXIT_SUCCESS : EXIT_FAILURE;
}
