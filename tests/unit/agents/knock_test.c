/* knock_test.c - claims about who comes to the door with a key that the gateway was not told of. */
#include <criterion/criterion.h>
#include <string.h>

#include "actors/content/hash.h"
#include "tests/unit/agents/shop.h"
#include "tests/unit/alone.h"

#define KNOCK_MS  5000u
#define STEPS_MAX 100000u
#define KNOCKS    (2u * GATEWAY_LOOKS_MAX)

static digest_t made, key;             /* a token that was just made; with which one knocks */
static bool lists;                     /* the database says who there is; else it is silent */
static uint32_t opened, shut, put_off; /* as who knocked heard */
static uint32_t looks;                 /* of the gateway, at one key */
static uint32_t knocks;                /* that are made */

/* ---- the database, which tells of nobody unless it is asked ---- */

typedef struct database {
    request_t held[KNOCKS];
    uint32_t count;
} database_t;

static const agents_listed_t *
list_of(actor_ctx_t *ctx, bool has)
{
    agents_listed_t *listed = DRAFT(ctx, agents_listed);
    draft_t *draft = actor_draft_open(ctx);

    listed->agents = draft_rows(draft, has ? 1 : 0, sizeof(agent_row_t));
    agent_row_t *row = has ? draft_row(draft, listed->agents, 0, sizeof *row) : NULL;
    if (row) {
        row->dp = draft_text(draft, slice_of("shop"));
        row->token = made;
    }
    return listed;
}

HEARS(database_t, agents_known)
static actor_next_t
on_agents_known(actor_ctx_t *ctx, database_t *self, const agents_known_t *m)
{
    bool one = !digest_is_none(&m->key);

    looks += one;
    if (one && !lists) {
        cr_assert_lt(self->count, KNOCKS);
        self->held[self->count++] = actor_defer(ctx, "the test");
        return ACTOR_CONTINUE;
    }
    answer_unheard(REPLY(ctx, agents_listed, list_of(ctx, one && digest_equal(&m->key, &made))));
    return ACTOR_CONTINUE;
}

#define NEVER(message)                                                                             \
    HEARS(database_t, message)                                                                     \
    static actor_next_t on_##message(actor_ctx_t *ctx, database_t *self, const message##_t *m)     \
    {                                                                                              \
        claim(ctx, !self || !m);                                                                   \
        return ACTOR_FAIL;                                                                         \
    }
NEVER(agent_enrol)
NEVER(agent_told)
NEVER(beacon_next)
NEVER(agent_heard)
NEVER(version_held)
NEVER(activation_note)
NEVER(note_event)
NEVER(progress)
NEVER(beacon_seen)

static const actor_hears_t database_hears[] = {
    ON(agents_known), ON(agent_enrol),     ON(agent_told), ON(beacon_next), ON(agent_heard),
    ON(version_held), ON(activation_note), ON(note_event), ON(progress),    ON(beacon_seen)};
static const actor_class_t database_class = {.name = "site_database",
                                             .state_bytes = sizeof(database_t),
                                             .hears = database_hears,
                                             .hears_count = 10,
                                             .role = true};
static const actor_hears_t status_hears[] = {ON(progress)};
static const actor_class_t status_class = {.name = "status_manager",
                                           .state_bytes = sizeof(database_t),
                                           .hears = status_hears,
                                           .hears_count = 1,
                                           .role = true};

/* ---- the gateway: its list and its door ---- */

HEARS(agent_gateway_t, door_knock)
static actor_next_t
on_door_knock(actor_ctx_t *ctx, agent_gateway_t *self, const door_knock_t *m)
{
    return join_knock(ctx, self, m);
}

static actor_next_t
gateway_init(actor_ctx_t *ctx, void *state, const void *args)
{

    agent_gateway_t *self = state;

    table_init(self);
    self->listens = self->has_keys = true;
    return !args ? list_all(ctx, self) : ACTOR_FAIL;
}

static const actor_hears_t gateway_hears[] = {ON_URGENT(door_knock)};
static const actor_class_t gateway_class = {.name = "agent_gateway",
                                            .state_bytes = sizeof(agent_gateway_t),
                                            .init = gateway_init,
                                            .drop = gateway_drop,
                                            .hears = gateway_hears,
                                            .hears_count = 1,
                                            .edges = actor_edges,
                                            .edge_count = ACTOR_EDGE_COUNT,
                                            .role = true};

/* ---- who knocks, when the gateway knows the list ---- */

static actor_next_t
knocked(actor_ctx_t *ctx, void *state, const actor_answer_t *answer)
{
    const door_opens_t *m = ANSWER_AS(answer, door_opens);

    cr_assert(ctx && state);
    opened += m && m->open;
    shut += m && !m->open;
    put_off += !m;
    return ACTOR_CONTINUE;
}

static actor_next_t
guest_timer(actor_ctx_t *ctx, void *state, uint64_t number)
{
    cr_assert_not_null(state);
    for (uint32_t i = 0; i < knocks; i++) {
        door_knock_t *m = DRAFT(ctx, door_knock);
        m->key = actor_text(ctx, (slice_t){(const char *) key.byte, sizeof key.byte});
        cr_assert_eq(actor_ask_role(ctx, 0, m, KNOCK_MS, knocked, number), VERDICT_OK);
    }
    return ACTOR_CONTINUE;
}

static actor_next_t
guest_init(actor_ctx_t *ctx, void *state, const void *args)
{
    actor_ref_t ref;

    cr_assert(state && !args);
    return actor_spawn(ctx, &database_class, slice_of("site_database"), NULL, NULL, 1, &ref) ==
                       VERDICT_OK &&
                   actor_spawn(ctx, &gateway_class, slice_of("agent_gateway"), NULL, NULL, 2,
                               &ref) == VERDICT_OK &&
                   actor_timer(ctx, 1, 1000) == VERDICT_OK
               ? ACTOR_CONTINUE
               : ACTOR_FAIL;
}

static const actor_edge_t guest_edges[] = {{EDGE_ASK, "agent_gateway", &door_knock_type}};
static const actor_class_t guest_class = {.name = "guest",
                                          .state_bytes = 8,
                                          .init = guest_init,
                                          .on_timer = guest_timer,
                                          .on_down = ended,
                                          .edges = guest_edges,
                                          .edge_count = 1};
static const actor_class_t *const cast[] = {&guest_class, &database_class, &status_class,
                                            &gateway_class, NULL};

static void
run(uint32_t count, uint8_t with)
{

    knocks = count;
    opened = shut = put_off = looks = 0;
    memset(&key, with, sizeof key);
    sim_t *sim = alone_new(cast);
    sim_start(sim);
    sim_run_for(sim, INT64_C(20000000000), STEPS_MAX);
    cr_assert(sim_stop(sim, INT64_C(10000000000)));
    sim_destroy(&sim);
}

Test(knock, a_token_of_which_no_news_has_come_opens_the_door)
{
    lists = true;
    memset(&made, 7, sizeof made);
    run(3, 7);
    cr_expect_eq(opened, 3, "%u of 3 came in, %u were told that they are strangers", opened, shut);
}

Test(knock, who_is_in_no_list_is_refused_after_a_look)
{
    lists = true;
    memset(&made, 7, sizeof made);
    run(1, 8);
    cr_expect(shut == 1 && looks == 1, "%u were refused after %u looks", shut, looks);
}

/* However many knock: each look is work of the database. */
Test(knock, no_more_looks_than_there_are_places_are_open_at_one_time)
{
    lists = false;
    run(KNOCKS, 8);
    cr_expect_eq(looks, GATEWAY_LOOKS_MAX, "%u looks at one time", looks);
    cr_expect_eq(put_off, KNOCKS, "%u were put off, %u refused", put_off, shut);
}
