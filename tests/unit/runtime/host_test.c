/* host_test.c - a host on real threads and sockets: starts, stops, what does not come back. */
#include "tests/unit/runtime/cast.h"

#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "runtime/inside.h"
#include "tests/placement.h"

/* ---- start and stop ---- */

static actor_next_t
start_talking(actor_ctx_t *ctx, part_t *self)
{
    for (uint64_t i = 0; i < 20; i++) {
        claim(ctx, tell_parcel(ctx, (self->who + 1) % 3, i, self->who) == VERDICT_OK);
    }
    return ACTOR_CONTINUE;
}

/* Never ends by itself: what is heard is told on. At a stop the next one may be gone. */
static actor_next_t
pass_on(actor_ctx_t *ctx, part_t *self, const parcel_t *m)
{
    verdict_t verdict = tell_parcel(ctx, (self->who + 1) % 3, m->number, self->who);

    claim(ctx, verdict == VERDICT_OK || verdict == VERDICT_DOWN);
    atomic_fetch_add(&heard, 1);
    return ACTOR_CONTINUE;
}

static void
talk_for_ever(void)
{
    for (who_t who = A; who <= C; who++) {
        hook[who] = (hooks_t){.init = start_talking, .parcel = pass_on};
    }
}

Test(host, starts_and_stops_200_times_with_messages_in_flight, .init = talk_for_ever)
{
    for (int i = 0; i < 200; i++) {
        cast_end(cast_start());
    }
    cr_assert_gt(heard, 0, "nobody spoke");
}

Test(host, stopped_at_once_after_its_start_it_ends_in_order, .init = talk_for_ever)
{
    for (int i = 0; i < 50; i++) {
        host_t *host = cast_new(NULL);
        cr_assert_eq(host_start(host), OK);
        cast_end(host);
    }
}

Test(host, destroyed_with_messages_in_flight_frees_them, .init = talk_for_ever)
{
    for (int i = 0; i < 50; i++) {
        host_t *host = cast_start();
        host_destroy(&host);
        cr_assert_null(host);
    }
}

Test(host, one_that_was_never_started_stops_and_is_destroyed)
{
    char left[64] = "x";
    host_t *host = cast_new(NULL);

    cr_assert(host_stop(host, 1000, left, sizeof left));
    cr_assert_str_empty(left);
    host_destroy(&host);
    host_destroy(&host);
}

static size_t
no_refusal(slice_t request, err_t err, uint8_t *ret_frame, size_t size)
{
    return request.size > 0 && err != OK && ret_frame && size > 0 ? 0 : 0;
}

Test(host, one_that_cannot_listen_says_so_and_is_destroyed)
{
    char left[64] = "";
    host_t *host = cast_new(NULL);

    cr_assert_eq(host_add_command_link(host, "commands", "ipc:///no/such/directory/socket", "a",
                                       0600, no_refusal),
                 OK);
    cr_assert_neq(host_start(host), OK);
    cr_assert(strstr(host_why(host), "commands"), "why: %s", host_why(host));
    cr_assert(host_stop(host, 1000, left, sizeof left));
    host_destroy(&host);
}

static actor_next_t
want_stop(actor_ctx_t *ctx, part_t *self)
{
    claim(ctx, self->who == B);
    actor_host_stop(ctx, "b has seen enough");
    return ACTOR_CONTINUE;
}

Test(host, tells_why_an_actor_stopped_it)
{
    hook[B].init = want_stop;
    host_t *host = cast_new(NULL);
    cr_assert_eq(host_start(host), OK);
    host_wait_stop(host);
    cr_assert_str_eq(host_why(host), "b has seen enough");
    cast_end(host);
}

/* A thread that owned a host may end, and who makes one in each of many threads keeps none. */
Test(host, what_it_had_is_not_kept_by_the_thread_that_destroyed_it, .init = talk_for_ever)
{
    uint32_t kept = 0;
    cast_end(cast_start());
    for (uint32_t size = 0; size < BLOCK_SIZES; size++) {
        kept += block_cache.first[size] != NULL;
    }
    cr_expect_eq(kept, 0, "blocks of %u sizes are kept", kept);
}

/* A signal comes when it comes. */
Test(host, one_that_is_asked_to_stop_before_its_start_stops, .timeout = 60)
{
    host_t *host = cast_new(NULL);
    host_request_stop(host);
    cr_assert_eq(host_start(host), OK);
    host_wait_stop(host);
    cast_end(host);
}

/* ---- an init that does not return (Q304381) ---- */

/* What a thread that never returns may still use is never freed, by design. Its host keeps it, but
 * actors stand in the mapped cells, where the leak sanitizer does not look; it asks for this by
 * name. */
const char *__lsan_default_suppressions(void);
const char *
__lsan_default_suppressions(void)
{
    return "leak:stage_init\n";
}

static sem_t never;

static actor_next_t
hang(actor_ctx_t *ctx, part_t *self)
{
    claim(ctx, self->who == B);
    while (sem_wait(&never) != 0) {
    }
    return ACTOR_CONTINUE;
}

/* The check: ready in time, or told who is not. */
static bool
starts_well(host_t *host, char *ret_who, size_t size)
{
    actor_figures_t figures[16];
    uint32_t next = 0;

    cr_assert_eq(host_start(host), OK);
    bool ready = host_wait_ready(host, 20000);
    uint32_t count = host_watch(host, 0, figures, 16, &next);
    size_t used = 0;
    for (uint32_t i = 0; i < count && used < size; i++) {
        if (figures[i].state == ACTOR_STARTING) {
            used += (size_t) snprintf(ret_who + used, size - used, "%s ", figures[i].name);
        }
    }
    return ready;
}

static void
hung_is_named_and_left(host_t *host, const char *who_not)
{
    char who[256] = "", left[256] = "";

    cr_assert_not(starts_well(host, who, sizeof who), "it was ready");
    cr_assert_str_eq(who, who_not, "only it is not ready, got: %s", who);
    int64_t began = clock_ms();
    cr_assert_not(host_stop(host, 1000, left, sizeof left), "it ended in order");
    int64_t took = clock_ms() - began;
    cr_assert_leq(took, 1500, "the stop has a deadline of 1,000 ms and took %ld", (long) took);
    bool pool = placement_wanted() == HOST_POOL;
    cr_assert(strstr(left, pool ? "left by b in init" : "thread b"), "who was left: %s", left);
    host_destroy(&host);
}

/* On threads of their own the others need no takeover to go on; on the pool they wait for it, and
 * nobody is late before it. */
static void
take_over_on_the_pool_only(void)
{
    bool pool = placement_wanted() == HOST_POOL;

    cast_options.takeover_ms = pool ? 200 : 3600000;
    part_class[B].init_deadline_ms = part_class[C].init_deadline_ms = pool ? 5000 : 200;
}

Test(host, an_init_that_never_returns_is_named_and_left_and_the_others_work)
{
    take_over_on_the_pool_only();
    cr_assert_eq(sem_init(&never, 0, 0), 0);
    hook[B].init = hang;
    hung_is_named_and_left(cast_new(NULL), "b ");
}

static sem_t child_ready;

/* The old way: it waits in its start for another one, which asks it before it is ready. */
static actor_next_t
wait_for_child(actor_ctx_t *ctx, part_t *self)
{
    claim(ctx, self->who == B);
    while (sem_wait(&child_ready) != 0) {
    }
    return ACTOR_CONTINUE;
}

static actor_next_t
parent_answered(actor_ctx_t *ctx, void *self, const actor_answer_t *answer)
{
    claim(ctx, self && answer);
    sem_post(&child_ready);
    actor_ready(ctx);
    return ACTOR_CONTINUE;
}

static actor_next_t
ask_parent(actor_ctx_t *ctx, part_t *self)
{
    parcel_t *m = DRAFT(ctx, parcel);

    m->sender = self->who;
    claim(ctx,
          actor_ask_role(ctx, EDGE_ASK_PARCEL + B, m, 86400000, parent_answered, 0) == VERDICT_OK);
    return ACTOR_CONTINUE;
}

Test(host, two_that_wait_for_each_other_in_their_starts_are_caught_by_the_same_check)
{
    take_over_on_the_pool_only();
    part_class[C].starts_later = true;
    cr_assert_eq(sem_init(&child_ready, 0, 0), 0);
    hook[B].init = wait_for_child;
    hook[C].init = ask_parent;
    hung_is_named_and_left(cast_new(NULL), "b c ");
}

/* ---- order and room ---- */

#define PARCELS 20000u

static actor_next_t
send_some(actor_ctx_t *ctx, part_t *self, uint64_t key)
{
    claim(ctx, key == 1);
    while (self->next < PARCELS && tell_parcel(ctx, B, self->next, self->who) == VERDICT_OK) {
        self->next++;
        atomic_fetch_add(&sent, 1);
    }
    claim(ctx, self->next == PARCELS || actor_timer(ctx, 1, 1) == VERDICT_OK);
    return ACTOR_CONTINUE;
}

static actor_next_t
send_later(actor_ctx_t *ctx, part_t *self)
{
    claim(ctx, self->next == 0 && actor_timer(ctx, 1, 1) == VERDICT_OK);
    return ACTOR_CONTINUE;
}

static actor_next_t
hear_in_order(actor_ctx_t *ctx, part_t *self, const parcel_t *m)
{
    claim(ctx, m->sender < WHO_COUNT);
    if (self->seen[m->sender]++ == m->number && atomic_fetch_add(&heard, 1) + 1 == 2 * PARCELS) {
        sem_post(&done);
    }
    return ACTOR_CONTINUE;
}

Test(host, order_is_kept_and_a_full_lane_loses_nothing_and_never_overflows)
{
    hook[A] = (hooks_t){.init = send_later, .timer = send_some};
    hook[C] = hook[A];
    hook[B].parcel = hear_in_order;
    part_class[B].lane_messages_max = 64;
    host_t *host = cast_start();
    while (sem_trywait(&done) != 0) {
        actor_figures_t figures[16];
        uint32_t next = 0, count = host_watch(host, 0, figures, 16, &next);
        for (uint32_t i = 0; i < count; i++) {
            cr_assert_leq(figures[i].depth[LANE_NORMAL], 64, "%s has %lu of 64", figures[i].name,
                          (unsigned long) figures[i].depth[LANE_NORMAL]);
        }
        sched_yield();
    }
    cr_assert_eq(sent, 2 * PARCELS);
    cr_assert_eq(heard, 2 * PARCELS, "in order: %lu of %u", (unsigned long) heard, 2 * PARCELS);
    cast_end(host);
}

Test(host, a_thousand_actors_of_the_pool_cost_no_thread)
{
    host_figures_t few, many;
    host_t *host = cast_start();

    host_figures(host, &few);
    cast_end(host);
    kids = 1000;
    host = cast_start();
    host_figures(host, &many);
    cr_assert_eq(many.actors, few.actors + 1000);
    cr_assert_eq(many.threads, few.threads, "threads: %lu and %lu", (unsigned long) few.threads,
                 (unsigned long) many.threads);
    cr_assert_eq(many.workers, few.workers);
    cast_end(host);
}

/* ---- the black box ---- */

static char shown[1 << 16];

static actor_next_t
die_of_13(actor_ctx_t *ctx, part_t *self, const parcel_t *m)
{
    claim(ctx, self->who == B);
    if (m->number == 13) {
        raise(SIGKILL);
    }
    return ACTOR_CONTINUE;
}

static actor_next_t
send_14(actor_ctx_t *ctx, part_t *self)
{
    for (uint64_t i = 0; i < 14; i++) {
        claim(ctx, tell_parcel(ctx, B, i, self->who) == VERDICT_OK);
    }
    return ACTOR_CONTINUE;
}

static actor_next_t
read_box(actor_ctx_t *ctx, part_t *self)
{
    size_t size = actor_black_box(ctx, shown, sizeof shown - 1);

    claim(ctx, self->who == A && size < sizeof shown);
    shown[size] = 0;
    sem_post(&done);
    return ACTOR_CONTINUE;
}

static void
read_run(const char *path)
{
    hook[A] = (hooks_t){.init = read_box};
    hook[B] = (hooks_t){.init = NULL};
    host_t *host = cast_new(path);
    cr_assert_eq(host_start(host), OK);
    wait_done();
    cast_end(host);
}

Test(host, the_message_in_hand_at_a_crash_is_read_by_the_next_run)
{
    char path[] = "/tmp/black-box-XXXXXX";
    int fd = mkstemp(path), status = 0;

    cr_assert_geq(fd, 0);
    close(fd);
    pid_t child = fork();
    if (child == 0) {
        hook[A].init = send_14;
        hook[B].parcel = die_of_13;
        host_t *host = cast_new(path);
        err_t err = host_start(host);
        host_wait_stop(host); /* it never stops */
        _exit(err == OK ? 1 : 2);
    }
    cr_assert_eq(waitpid(child, &status, 0), child);
    cr_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL, "status %d", status);
    read_run(path);
    cr_assert(strstr(shown, "did not end in order"), "%s", shown);
    bool pool = placement_wanted() == HOST_POOL; /* others are on b's worker, then */
    cr_assert(strstr(shown, pool ? ": b, message parcel, attempt 1"
                                 : "in hand on b: b, message parcel, attempt 1"),
              "%s", shown);
    cr_assert(pool || strstr(shown, "b: 15 deliveries"), "its start and 14 parcels: %s", shown);
    read_run(path);
    cr_assert(strstr(shown, "the run before this one ended in order"), "%s", shown);
    cr_assert_null(strstr(shown, "in hand on"), "%s", shown);
    unlink(path);
}
