/* takeover.c - on real threads a handler that does not return keeps nobody but its own actor: the
 * others of its worker go on, and when it does return nothing that it said leaves.
 *
 *   takeover [all]     TAP on stdout; all: also one that never returns, whose host is left
 *
 * A plain program, because it runs under ThreadSanitizer, too. */
#include <fcntl.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

#include "proto/record_table.h"
#include "runtime/host.h"
#include "tests/tsan/tap.h"

#define TAKEOVER 100u /* milliseconds, here */
#define ROUNDS   50u  /* of another actor of the worker, while the handler is stuck */

#define WORD(F, R) F(R, u64, number, 0, REQUIRED)
RECORD_STRUCT(word, WORD)
RECORD_DEFINE(word, 0x7401, WORD)

static sem_t stuck, answered, resolved, back;
static int pipe_of[2];
static atomic_uint rounds, said, inits;
static err_t first_err, queued_err;

/* ---- one that is stuck in a handler until the test writes to the pipe ---- */

enum { TELL_PEER = 0 };
static const actor_edge_t stuck_edges[] = {{EDGE_TELL, "peer", &word_type}};

static actor_next_t
stuck_init(actor_ctx_t *ctx, void *self, const void *args)
{
    claim(ctx, self != NULL && args == NULL && actor_timer(ctx, 7, 3600000) == VERDICT_OK);
    if (atomic_fetch_add(&inits, 1) > 0) {
        sem_post(&back);
    }
    return ACTOR_CONTINUE;
}

static actor_next_t
stuck_word(actor_ctx_t *ctx, void *self, const void *message)
{
    const word_t *m = message;
    char byte = 0;
    claim(ctx, self != NULL);
    if (m->number != 1) {
        return ACTOR_CONTINUE;
    }
    word_t *before = DRAFT(ctx, word);
    before->number = 100;
    claim(ctx, actor_tell_role(ctx, TELL_PEER, before) == VERDICT_OK);
    sem_post(&stuck);
    while (read(pipe_of[0], &byte, 1) != 1) {
    }
    /* All that a handler may do it may do now, too, and nothing of it comes to be. */
    word_t *after = DRAFT(ctx, word);
    after->number = 101;
    claim(ctx, actor_tell_role(ctx, TELL_PEER, after) == VERDICT_OK);
    claim(ctx, actor_timer(ctx, 8, 0) == VERDICT_OK);
    actor_timer_cancel(ctx, 7);
    if (actor_is_asked(ctx)) {
        word_t *reply = DRAFT(ctx, word);
        reply->number = 102;
        claim(ctx, REPLY(ctx, word, reply) == VERDICT_OK);
    }
    return ACTOR_CONTINUE;
}

static actor_next_t
stuck_timer(actor_ctx_t *ctx, void *self, uint64_t key)
{
    claim(ctx, self != NULL && key == 8);
    atomic_fetch_add(&said, 1);
    return ACTOR_CONTINUE;
}
static const actor_hears_t stuck_hears[] = {{&word_type, LANE_NORMAL, stuck_word}};
static const actor_class_t stuck_class = {.name = "stuck",
                                          .state_bytes = 8,
                                          .init = stuck_init,
                                          .on_timer = stuck_timer,
                                          .hears = stuck_hears,
                                          .hears_count = 1,
                                          .edges = stuck_edges,
                                          .edge_count = 1,
                                          .handler_limit_ms = 20,
                                          .placement = ACTOR_POOL,
                                          .role = true};

/* ---- its neighbour on the worker ---- */

static actor_next_t
peer_word(actor_ctx_t *ctx, void *self, const void *message)
{
    const word_t *m = message;
    claim(ctx, self != NULL);
    if (m->number >= 100) {
        atomic_fetch_add(&said, 1);
    }
    if (actor_is_asked(ctx)) {
        word_t *reply = DRAFT(ctx, word);
        reply->number = m->number;
        claim(ctx, REPLY(ctx, word, reply) == VERDICT_OK);
    }
    return ACTOR_CONTINUE;
}
static const actor_hears_t peer_hears[] = {{&word_type, LANE_NORMAL, peer_word}};
static const actor_class_t peer_class = {.name = "peer",
                                         .state_bytes = 8,
                                         .hears = peer_hears,
                                         .hears_count = 1,
                                         .placement = ACTOR_POOL,
                                         .role = true};

/* ---- who asks both, from a worker of its own ---- */

enum { ASK_STUCK = 0, ASK_PEER, TELL_STUCK };
static const actor_edge_t boss_edges[] = {{EDGE_ASK, "stuck", &word_type},
                                          {EDGE_ASK, "peer", &word_type},
                                          {EDGE_TELL, "stuck", &word_type}};

static actor_next_t
boss_heard(actor_ctx_t *ctx, void *self, const actor_answer_t *answer)
{
    claim(ctx, self != NULL && answer->tag <= 2);
    *(answer->tag == 1 ? &first_err : &queued_err) = answer->err;
    sem_post(&resolved);
    return ACTOR_CONTINUE;
}

static actor_next_t ask_peer(actor_ctx_t *ctx);

static actor_next_t
peer_heard(actor_ctx_t *ctx, void *self, const actor_answer_t *answer)
{
    claim(ctx, self != NULL && answer->err == OK);
    if (atomic_fetch_add(&rounds, 1) + 1 == ROUNDS) {
        sem_post(&answered);
        return ACTOR_CONTINUE;
    }
    return ask_peer(ctx);
}

static actor_next_t
ask_peer(actor_ctx_t *ctx)
{
    word_t *m = DRAFT(ctx, word);
    m->number = 5;
    claim(ctx, actor_ask_role(ctx, ASK_PEER, m, 0, peer_heard, 0) == VERDICT_OK);
    return ACTOR_CONTINUE;
}

static verdict_t
ask_stuck(actor_ctx_t *ctx, uint64_t number)
{
    word_t *m = DRAFT(ctx, word);
    m->number = number;
    return actor_ask_role(ctx, ASK_STUCK, m, 600000, boss_heard, number);
}

static actor_next_t
boss_init(actor_ctx_t *ctx, void *self, const void *args)
{
    claim(ctx, self != NULL && args == NULL && ask_stuck(ctx, 1) == VERDICT_OK &&
                   actor_timer(ctx, 1, 1) == VERDICT_OK);
    return ACTOR_CONTINUE;
}

/* The worker is stuck by now: what is asked here is answered by whoever has it next. */
static actor_next_t
boss_timer(actor_ctx_t *ctx, void *self, uint64_t key)
{
    claim(ctx, self != NULL && key == 1 && ask_stuck(ctx, 2) == VERDICT_OK);
    return ask_peer(ctx);
}
static const actor_class_t boss_class = {.name = "boss",
                                         .state_bytes = 8,
                                         .init = boss_init,
                                         .on_timer = boss_timer,
                                         .edges = boss_edges,
                                         .edge_count = 3,
                                         .placement = ACTOR_BESIDE_THE_POOL,
                                         .role = true};

static actor_next_t
root_init(actor_ctx_t *ctx, void *self, const void *args)
{
    static const actor_class_t *const children[] = {&peer_class, &stuck_class, &boss_class};
    claim(ctx, self != NULL && args == NULL);
    for (uint32_t i = 0; i < 3; i++) {
        claim(ctx, actor_spawn(ctx, children[i], slice_of(children[i]->name), NULL, NULL, 0,
                               NULL) == VERDICT_OK);
    }
    return ACTOR_CONTINUE;
}
static const actor_class_t root_class = {
    .name = "root", .state_bytes = 8, .init = root_init, .role = true};

/* computes: the stuck one does not sleep, it looks into the pipe again and again. */
static host_t *
start(bool computes)
{
    static const actor_class_t *const classes[] = {&peer_class, &stuck_class, &boss_class, NULL};
    static const host_options_t options = {.classes = classes,
                                           .root = &root_class,
                                           .placement = HOST_POOL,
                                           .pool_workers = 1,
                                           .takeover_ms = TAKEOVER};
    sem_t *const all[] = {&stuck, &answered, &resolved, &back};
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        need(sem_init(all[i], 0, 0) == 0, "a semaphore");
    }
    atomic_store(&rounds, 0);
    atomic_store(&inits, 0);
    need(pipe2(pipe_of, computes ? O_NONBLOCK : 0) == 0, "a pipe");
    host_t *host = host_new(&options);
    need(host_start(host) == OK, "the host to start");
    wait_for(&stuck, "the handler blocks");
    return host;
}

static void
one_that_returns(void)
{
    char left[256] = "", said_text[64];
    host_t *host = start(false);
    wait_for(&answered, "the other actor of its worker answers while it is stuck");
    claim_that(true, "the other actor of its worker answers while it is stuck", "");
    claim_that(sem_trywait(&resolved) != 0, "the stuck one answers nothing", "an answer");
    need(write(pipe_of[1], "x", 1) == 1, "the pipe takes a byte");
    wait_for(&resolved, "the ask in hand is resolved");
    wait_for(&resolved, "the ask behind it is resolved");
    claim_that(first_err == ERR_RESTARTING, "who asked it is told restarting", err_word(first_err));
    claim_that(queued_err == ERR_RESTARTING, "and so is who asked it meanwhile",
               err_word(queued_err));
    wait_for(&back, "it is started again");
    claim_that(host_stop(host, WAIT_S * 1000, left, sizeof left), "the host ends in order", left);
    snprintf(said_text, sizeof said_text, "%u things", atomic_load(&said));
    claim_that(atomic_load(&said) == 0, "nothing that it said comes to be", said_text);
    host_destroy(&host);
}

static void
one_that_computes(void)
{
    char left[256] = "";
    host_t *host = start(true);
    wait_for(&answered, "one that computes without end is taken over as well");
    claim_that(true, "one that computes without end is taken over as well", "");
    need(write(pipe_of[1], "x", 1) == 1, "the pipe takes a byte");
    wait_for(&resolved, "the ask in hand is resolved");
    wait_for(&resolved, "the ask behind it is resolved");
    wait_for(&back, "it is started again");
    claim_that(host_stop(host, WAIT_S * 1000, left, sizeof left), "and its host ends in order",
               left);
    host_destroy(&host);
}

static void
one_that_never_returns(void)
{
    char left[256] = "";
    host_t *host = start(false);
    wait_for(&answered, "the other actor of its worker answers while it is stuck");
    bool ended = host_stop(host, 3000, left, sizeof left);
    claim_that(!ended && strstr(left, "thread pool-1, left by stuck in word") != NULL,
               "one that never returns is named at the stop, with its message", left);
    host_destroy(&host);
}

int
main(int argc, char **argv)
{
    bool all = argc > 1 && strcmp(argv[1], "all") == 0;
    one_that_returns();
    one_that_computes();
    if (all) {
        one_that_never_returns();
    }
    int code = claims_end();
    if (all) { /* a thread of the host that was left is still there */
        _exit(code);
    }
    return code;
}
