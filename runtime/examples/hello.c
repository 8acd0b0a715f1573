/* hello.c - two actors, each on a thread of its own: one asks, one answers, the host stops. */
#include <stdio.h>

#include "proto/record_table.h"
#include "runtime/host.h"

#define FIELDS_words(F, R) F(R, text, words, 128, REQUIRED)
RECORD(greeting, 1, FIELDS_words)
RECORD(answer, 2, FIELDS_words)

HANDLE(unsigned, greeting)
{
    answer_t *answer = DRAFT(ctx, answer);
    answer->words =
        actor_textf(ctx, "hello %.*s, you are number %u", RECORD_SHOWN(m, m->words), ++*self);
    claim(ctx, REPLY(ctx, answer, answer) == VERDICT_OK);
    return ACTOR_CONTINUE;
}
static const actor_class_t greeter = {
    .name = "greeter", .state_bytes = sizeof(unsigned), .role = true, ACTOR_HEARS(ON(greeting))};

#define EDGES(E) E(ASK_TO, greeter, greeting)
ACTOR_EDGES_OF(visitor, EDGES)

HANDLE_REPLY(void, heard, answer)
{
    printf("%.*s\n", RECORD_SHOWN(m, m->words));
    actor_host_stop(ctx, "all is said");
    return ACTOR_CONTINUE;
}

HANDLE_INIT(void, begin)
{
    actor_ref_t to;
    claim(ctx, actor_spawn(ctx, &greeter, slice_of(""), NULL, NULL, 0, &to) == VERDICT_OK);
    greeting_t *m = DRAFT(ctx, greeting);
    m->words = actor_text(ctx, slice_of("world"));
    claim(ctx, ask_greeter_greeting(ctx, to, m, 0, heard_then, 0) == VERDICT_OK);
    return ACTOR_CONTINUE;
}
static const actor_class_t visitor = {
    .name = "visitor", .role = true, .init = begin, ACTOR_SPEAKS(visitor)};

int
main(void)
{
    static const actor_class_t *const classes[] = {&visitor, &greeter, NULL};
    return host_main(&(host_options_t){.classes = classes, .root = &visitor});
}
