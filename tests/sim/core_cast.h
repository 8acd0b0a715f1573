/* core_cast.h - a cast of puppets for claims about the core of the runtime, in the simulator.
 *
 * Shape    roles a, b, c and d (a worker each), kid (many, in the pool) and mute (which nobody may
 *          speak to), children of a root whose strategy a test may choose. All hear the same four
 *          messages; what they do is the test's: one function per kind of handler and class.
 * Threads  one; a test is a process of its own, so the hooks and the log are static.
 */
#pragma once

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "proto/record_table.h"
#include "runtime/inside.h"
#include "runtime/sim.h"
#include "runtime/sim_inside.h"

#define CAST_MESSAGE(F, R) F(R, u64, number, 0, REQUIRED) F(R, bytes, body, 16777216, OPTIONAL)
RECORD_STRUCT(say, CAST_MESSAGE)   /* told, normal lane */
RECORD_STRUCT(press, CAST_MESSAGE) /* told, urgent lane */
RECORD_STRUCT(want, CAST_MESSAGE)  /* asked, normal lane */
RECORD_STRUCT(got, CAST_MESSAGE)   /* the answer */

typedef enum cast_who { A = 0, B, C, D, KID, MUTE, ROOT, CAST_COUNT } cast_who_t;

typedef struct puppet {
    cast_who_t who;
    uint64_t number, count;
    request_t request;
    uint64_t job;
    void *owned; /* freed by drop */
    const char *borrowed;
    actor_ref_t kid[8];
} puppet_t;

typedef struct cast_hooks {
    actor_next_t (*init)(actor_ctx_t *ctx, puppet_t *self);
    actor_next_t (*say)(actor_ctx_t *ctx, puppet_t *self, const say_t *m);
    actor_next_t (*press)(actor_ctx_t *ctx, puppet_t *self, const press_t *m);
    actor_next_t (*want)(actor_ctx_t *ctx, puppet_t *self, const want_t *m);
    actor_next_t (*timer)(actor_ctx_t *ctx, puppet_t *self, uint64_t key);
    actor_next_t (*down)(actor_ctx_t *ctx, puppet_t *self, const actor_down_t *down);
    actor_next_t (*trouble)(actor_ctx_t *ctx, puppet_t *self, const char *what, const char *why);
} cast_hooks_t;
extern cast_hooks_t cast_hook[CAST_COUNT];
/* A class may be changed before the first run; lists and names stay. */
extern actor_class_t cast_class[CAST_COUNT];
extern uint64_t cast_delay_ns_max; /* of the simulator; 0: messages may overtake nothing in time */
extern uint64_t cast_stalled_ms;   /* as the last note of one that is stuck told */
extern const char *cast_notes_to;  /* NULL: nobody hears the runtime's notes */
extern uint32_t cast_latency_ns_max; /* of a file call */
extern uint32_t cast_kids;           /* spawned by the root after a to d, with tags 100 and up */

/* ---- runs: for (cast_run_t run = {0}; cast_next(&run);), over seeds and all strategies ---- */

typedef struct cast_run {
    uint32_t number;
    uint64_t seed;
    sim_strategy_t strategy;
    sim_t *sim;
} cast_run_t;
bool cast_next(cast_run_t *run); /* ends the run before, in order; the next one is ready */
extern cast_run_t *cast;         /* the run in hand */

/* Runs fn as a handler of this role, between two steps. */
void poke(cast_who_t who, actor_next_t (*fn)(actor_ctx_t *ctx, puppet_t *self));
void settle(void); /* until nothing is left to do, timers included */
void settle_ms(int64_t ms);
bool something_to_do(void);          /* within the next millisecond */
actor_t *cast_actor(cast_who_t who); /* NULL: nobody has the role */
actor_ref_t cast_ref(cast_who_t who);
actor_figures_t cast_figures(cast_who_t who);
int64_t cast_ms(void); /* of virtual time */

/* ---- the log of a run ---- */

void note(const char *format, ...) __attribute__((format(printf, 1, 2)));
const char *noted(void); /* the lines so far, each closed by a blank */
void forget(void);
uint32_t noted_count(const char *line);
/* Fails the test with seed, strategy, expected and got unless the log is this. */
void expect_log(const char *lines);
#define expect(truth, ...) expect_that((truth), #truth, __LINE__, " " __VA_ARGS__)
void expect_that(bool holds, const char *truth, int line, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* ---- what puppets do ---- */

verdict_t tell(actor_ctx_t *ctx, cast_who_t to, uint64_t number);
verdict_t tell_urgent(actor_ctx_t *ctx, cast_who_t to, uint64_t number);
verdict_t tell_ref(actor_ctx_t *ctx, cast_who_t class, actor_ref_t to, uint64_t number);
verdict_t tell_bytes(actor_ctx_t *ctx, cast_who_t to, uint32_t bytes);
verdict_t ask(actor_ctx_t *ctx, cast_who_t to, uint64_t number, uint32_t deadline_ms);
verdict_t call(actor_ctx_t *ctx, cast_who_t to, uint64_t number, uint32_t deadline_ms);
/* Notes "<number>=<err or reply's number>" when it is answered. */
actor_next_t cast_heard(actor_ctx_t *ctx, void *self, const actor_answer_t *answer);
void answer(actor_ctx_t *ctx, uint64_t number);
void answer_to(actor_ctx_t *ctx, request_t request, uint64_t number);
