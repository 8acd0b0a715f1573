/* cast.c - see cast.h. */
#include "tests/unit/runtime/cast.h"

#include <time.h>

#include "tests/placement.h"
RECORD_DEFINE(parcel, 0x7201, PARCEL)
RECORD_DEFINE(receipt, 0x7202, PARCEL)

hooks_t hook[WHO_COUNT];
uint32_t kids;
host_options_t cast_options;
_Atomic uint64_t heard, sent;
sem_t done;

static actor_next_t
part_init(actor_ctx_t *ctx, void *state, const void *args)
{
    part_t *self = state;
    char name[2] = "";

    claim(ctx, !args);
    memcpy(name, actor_name(ctx), 1);
    self->who = name[0] == 'k' ? KID : (who_t) (name[0] - 'a');
    return hook[self->who].init ? hook[self->who].init(ctx, self) : ACTOR_CONTINUE;
}

static actor_next_t
part_timer(actor_ctx_t *ctx, void *state, uint64_t key)
{
    part_t *self = state;

    return hook[self->who].timer ? hook[self->who].timer(ctx, self, key) : ACTOR_CONTINUE;
}

HEARS(part_t, parcel)
static actor_next_t
on_parcel(actor_ctx_t *ctx, part_t *self, const parcel_t *m)
{
    return hook[self->who].parcel ? hook[self->who].parcel(ctx, self, m) : ACTOR_CONTINUE;
}

HEARS(part_t, link_request)
static actor_next_t
on_link_request(actor_ctx_t *ctx, part_t *self, const link_request_t *m)
{
    return hook[self->who].request ? hook[self->who].request(ctx, self, m) : ACTOR_CONTINUE;
}

static const actor_hears_t hears[] = {ON(parcel), ON(link_request)};
static const actor_edge_t edges[] = {
    {EDGE_TELL, "a", &parcel_type},
    {EDGE_TELL, "b", &parcel_type},
    {EDGE_TELL, "c", &parcel_type},
    {EDGE_ASK, "a", &parcel_type},
    {EDGE_ASK, "b", &parcel_type},
    {EDGE_ASK, "c", &parcel_type},
    {EDGE_TELL, "status", &link_publish_type},
};
#define PART(name_, role_, placement_, edges_)                                                     \
    {                                                                                              \
        .name = name_, .state_bytes = sizeof(part_t), .init = part_init, .on_timer = part_timer,   \
        .hears = hears, .hears_count = 2, .edges = edges, .edge_count = edges_, .role = role_,     \
        .placement = placement_                                                                    \
    }
actor_class_t part_class[WHO_COUNT] = {
    [A] = PART("a", true, ACTOR_OWN_WORKER, 6),
    [B] = PART("b", true, ACTOR_OWN_WORKER, 6),
    [C] = PART("c", true, ACTOR_OWN_WORKER, 6),
    [KID] = PART("kid", false, ACTOR_POOL, 6),
};

static actor_next_t
stage_init(actor_ctx_t *ctx, void *state, const void *args)
{
    claim(ctx, state && !args);
    for (who_t who = A; who <= C; who++) {
        claim(ctx, actor_spawn(ctx, &part_class[who], slice_of(part_class[who].name), NULL, NULL, 0,
                               NULL) == VERDICT_OK);
    }
    for (uint32_t i = 0; i < kids; i++) {
        claim(ctx, actor_spawn(ctx, &part_class[KID], slice_of("kid"), NULL, NULL, 0, NULL) ==
                       VERDICT_OK);
    }
    return ACTOR_CONTINUE;
}
static const actor_class_t stage_class = {
    .name = "stage", .state_bytes = 1, .init = stage_init, .role = true};

host_t *
cast_new(const char *black_box)
{
    static const actor_class_t *const classes[] = {&part_class[A], &part_class[B], &part_class[C],
                                                   &part_class[KID], NULL};

    cr_assert_eq(sem_init(&done, 0, 0), 0);
    cast_options.classes = classes;
    cast_options.root = &stage_class;
    cast_options.black_box = black_box;
    cast_options.about_field = "number";
    return host_new(&cast_options);
}

/* Before main, so that a test may say otherwise. */
static void __attribute__((constructor)) place_as_told(void)
{
    cast_options.placement = placement_wanted();
}

host_t *
cast_start(void)
{
    host_t *host = cast_new(NULL);

    err_t err = host_start(host);
    cr_assert_eq(err, OK, "%s: %s", err_word(err), host_why(host));
    cr_assert(host_wait_ready(host, WAIT_S * 1000), "the cast is ready");
    return host;
}

void
cast_end(host_t *host)
{
    char left[256] = "";

    cr_assert(host_stop(host, WAIT_S * 1000, left, sizeof left), "left: %s", left);
    host_destroy(&host);
    cr_assert_null(host);
}

void
wait_done(void)
{
    struct timespec until;

    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += WAIT_S;
    cr_assert_eq(sem_timedwait(&done, &until), 0, "nothing came within %d s; heard %lu, sent %lu",
                 WAIT_S, (unsigned long) heard, (unsigned long) sent);
}

verdict_t
tell_parcel(actor_ctx_t *ctx, who_t to, uint64_t number, who_t sender)
{
    parcel_t *m = DRAFT(ctx, parcel);

    m->number = number;
    m->sender = sender;
    return actor_tell_role(ctx, EDGE_TELL_PARCEL + (uint32_t) to, m);
}

int64_t
clock_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t) now.tv_sec * 1000 + now.tv_nsec / 1000000;
}
