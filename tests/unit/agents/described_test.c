/* described_test.c - claims about the figures of a site's agents. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "actors/gateway.h"

/* They are told after each sign of life of each agent: a look at all of them there would make what
 * the site does for its agents grow with the square of their number. */
Test(described, it_is_without_a_look_at_each_agent)
{
    agent_gateway_t *self = calloc(1, sizeof *self);
    char text[256];

    cr_assert_not_null(self);
    table_init(self);
    self->listens = true;
    self->here = 1;
    zhashx_update(self->agent, "one", calloc(1, sizeof(agent_t)));
    zhashx_update(self->agent, "two", calloc(1, sizeof(agent_t)));
    const void *first = zhashx_first(self->agent), *at = zhashx_cursor(self->agent);
    table_describe(self, text, sizeof text);
    cr_expect(strncmp(text, "agents: 2, here: 1,", 19) == 0, "%s", text);
    cr_expect(first && zhashx_cursor(self->agent) == at, "it went on from agent to agent");
    table_drop(self);
    free(self);
}
