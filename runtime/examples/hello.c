/* hello.c - two actors, each on a thread of its own: one asks, one answers, the host stops. */
#include <stdio.h>

#include "proto/record_table.h"
#include "runtime/host.h"

#define FIELDS_greeting(F, R) F(R, text, name, 64, REQUIRED)
#define FIELDS_answer(F, R)   F(R, text, words, 128, REQUIRED)
RECORD(greeting, 1, FIELDS_greeting)
RECORD(answer, 2, FIELDS_answer)

typedef struct greeter {
    unsigned count;
} greeter_t;

HANDLE(greeter_t, greeting)
{
    answer_t *answer = DRAFT(ctx, answer);
    answer->words =
        actor_textf(ctx, "hello %.*s, you are number %u", RECORD_SHOWN(m, m->name), ++self->count);
    claim(ctx, REPLY(ctx, answer, answer) == VERDICT_OK);
    return ACTOR_CONTINUE;
}
static const actor_class_t greeter = {
    .name = "greeter", .state_bytes = sizeof(greeter_t), .role = true, ACTOR_HEARS(ON(greeting))};

#define EDGES(E) E(ASK_TO, greeter, greeting)
ACTOR_EDGES_OF(visitor, EDGES)

HANDLE_ANSWER(void, heard)
{
    const answer_t *m = ANSWER_AS(answer, answer);
    claim(ctx, m != NULL);
    printf("%.*s\n", RECORD_SHOWN(m, m->words));
    actor_host_stop(ctx, "all is said");
    return ACTOR_CONTINUE;
}

HANDLE_INIT(void, begin)
{
    actor_ref_t to;
    claim(ctx, actor_spawn(ctx, &greeter, slice_of("greeter"), NULL, NULL, 0, &to) == VERDICT_OK);
    greeting_t *m = DRAFT(ctx, greeting);
    m->name = actor_text(ctx, slice_of("world"));
    claim(ctx, ask_greeter_greeting(ctx, to, m, 0, heard_then, 0) == VERDICT_OK);
    return ACTOR_CONTINUE;
}
static const actor_class_t visitor = {
    .name = "visitor", .role = true, .init = begin, ACTOR_SPEAKS(visitor)};

int
main(void)
{
    char why[256];
    const host_options_t options = {
        .classes = (const actor_class_t *const[]){&visitor, &greeter, NULL}, .root = &visitor};
    if (host_run(&options, why, sizeof why) != OK) {
        fprintf(stderr, "%s\n", why);
        return 1;
    }
    return 0;
}
