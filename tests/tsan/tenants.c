/* tenants.c - what watching shows of an actor is of that actor, while it is restarted, ends and its
 * slot is reused; and an idle actor takes no more memory than is promised.
 *
 *   tenants [all]      TAP on stdout; all: also the memory, where malloc is not a sanitizer's
 *
 * One thread watches what another one fills: a tenant at a time, in the same slot, of two classes
 * in turn, each of which shows nothing but the letter of its class. A plain program, because it
 * runs under ThreadSanitizer, too. */
#include <malloc.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "proto/limits.h"
#include "runtime/host.h"
#include "runtime/inside.h"
#include "tests/placement.h"

#define LOOKS   200000u /* at tenants; so long one follows the other */
#define IDLE    100000u /* at once; a thread's freed blocks are divided by them */
#define WAVE    1000u
#define MOST    400 /* bytes of an idle actor */
#define STOP_MS 60000u

static atomic_bool over;
static atomic_uint slot;     /* of all tenants */
static atomic_uint looks;    /* that met one of them */
static atomic_size_t before; /* the first of the idle: what malloc had given out */
static unsigned claims;
static bool all_well = true;

static void
told(bool truth, const char *sentence, const char *got)
{
    printf("%sok %u - %s\n", truth ? "" : "not ", ++claims, sentence);
    if (!truth) {
        printf("# got: %s\n", got);
        all_well = false;
    }
}

/* ---- tenants ---- */

static void
fill(char *text, size_t size, char letter)
{
    memset(text, letter, size - 1);
    text[size - 1] = '\0';
}

static actor_next_t
tenant_init(actor_ctx_t *ctx, void *self, const void *args)
{
    char why[120];
    claim(ctx, args == NULL);
    *(char *) self = actor_name(ctx)[0];
    fill(why, sizeof why, *(char *) self);
    actor_degraded(ctx, why);
    return ACTOR_CONTINUE;
}

static void
tenant_describe(const void *self, char *text, size_t size)
{
    if (*(const char *) self != '\0') {
        fill(text, size, *(const char *) self);
    }
}

#define TENANT(letter)                                                                             \
    {                                                                                              \
        .name = letter, .state_bytes = 1, .init = tenant_init, .describe = tenant_describe,        \
        .restart = ACTOR_TRANSIENT, .placement = ACTOR_WITH_PARENT                                 \
    }
static const actor_class_t red_class = TENANT("r");
static const actor_class_t blue_class = TENANT("b");

typedef struct landlord {
    uint32_t spawned;
} landlord_t;

/* Each third one has the name of its class. */
static actor_next_t
next_tenant(actor_ctx_t *ctx, landlord_t *self)
{
    if (atomic_load(&looks) >= LOOKS) {
        atomic_store(&over, true);
        actor_host_stop(ctx, "they were looked at");
        return ACTOR_CONTINUE;
    }
    const actor_class_t *class = self->spawned % 2 == 0 ? &red_class : &blue_class;
    char name[ACTOR_NAME_BYTES_MAX + 1];
    actor_ref_t who;
    fill(name, sizeof name, class->name[0]);
    slice_t own = self->spawned % 3 == 0 ? (slice_t){0} : slice_of(name);
    claim(ctx, actor_spawn(ctx, class, own, NULL, NULL, 0, &who) == VERDICT_OK);
    atomic_store(&slot, who.index);
    actor_restart_child(ctx, who);
    self->spawned++;
    return ACTOR_CONTINUE;
}

static actor_next_t
landlord_init(actor_ctx_t *ctx, void *self, const void *args)
{
    claim(ctx, args == NULL);
    return next_tenant(ctx, self);
}

static actor_next_t
landlord_down(actor_ctx_t *ctx, void *self, const actor_down_t *down)
{
    if (down->reason == ACTOR_RESTARTED) {
        actor_stop(ctx, down->next);
        return ACTOR_CONTINUE;
    }
    return next_tenant(ctx, self);
}

static const actor_class_t landlord_class = {.name = "landlord",
                                             .state_bytes = sizeof(landlord_t),
                                             .init = landlord_init,
                                             .on_down = landlord_down,
                                             .role = true};
static const actor_class_t *const town[] = {&landlord_class, &red_class, &blue_class, NULL};

static bool
is_of(char letter, const char *text)
{
    while (*text == letter) {
        text++;
    }
    return *text == '\0';
}

/* False: a text that is not the tenant's. */
static bool
is_one_tenant(const actor_figures_t *f)
{
    char letter = f->class_name[0];
    return letter != '\0' && f->name[0] != '\0' && is_of(letter, f->class_name) &&
           is_of(letter, f->name) && is_of(letter, f->why) && is_of(letter, f->describes);
}

static void
watch_tenants(const host_t *host)
{
    char got[640] = "";
    uint32_t next = 0;
    while (!atomic_load(&over)) {
        actor_figures_t f;
        uint32_t at = atomic_load(&slot);
        if (at == 0 || host_watch(host, at, &f, 1, &next) == 0) {
            continue;
        }
        atomic_fetch_add(&looks, 1);
        if (!is_one_tenant(&f)) {
            snprintf(got, sizeof got, "class %s, name %s, why %s, describes %s", f.class_name,
                     f.name, f.why, f.describes);
        }
    }
    told(got[0] == '\0',
         "what is shown is of one actor, while it is restarted and its slot is reused", got);
}

/* ---- the idle ---- */

static const actor_class_t idler_class = {
    .name = "idler", .state_bytes = 16, .placement = ACTOR_WITH_PARENT};

/* Init of those of the wave before has run when the timer is heard. */
static actor_next_t
crowd_timer(actor_ctx_t *ctx, void *self, uint64_t key)
{
    uint32_t *spawned = self;
    for (uint32_t i = 0; i < WAVE && *spawned < IDLE; i++, ++*spawned) {
        claim(ctx, actor_spawn(ctx, &idler_class, (slice_t){0}, NULL, NULL, 0, NULL) == VERDICT_OK);
    }
    if (key == 1) {
        actor_host_stop(ctx, "all are idle");
    } else {
        claim(ctx, actor_timer(ctx, *spawned == IDLE, 0) == VERDICT_OK);
    }
    return ACTOR_CONTINUE;
}

static actor_next_t
crowd_init(actor_ctx_t *ctx, void *self, const void *args)
{
    claim(ctx, self != NULL && args == NULL);
    atomic_store(&before, mallinfo2().uordblks);
    claim(ctx, actor_timer(ctx, 0, 0) == VERDICT_OK);
    return ACTOR_CONTINUE;
}

static const actor_class_t crowd_class = {.name = "crowd",
                                          .state_bytes = sizeof(uint32_t),
                                          .init = crowd_init,
                                          .on_timer = crowd_timer,
                                          .role = true};
static const actor_class_t *const crowd[] = {&crowd_class, &idler_class, NULL};

/* What malloc has given out, with its own bytes of each; a cell is none of it. */
static void
count_idle(void)
{
    size_t each = sizeof(cell_t) + (mallinfo2().uordblks - atomic_load(&before)) / IDLE;
    char got[64];
    snprintf(got, sizeof got, "%zu bytes", each);
    told(each > sizeof(cell_t) + sizeof(actor_t) && each <= MOST,
         "an idle actor takes 400 bytes at most", got);
    printf("# %s\n", got);
}

/* ---- both ---- */

static void
run(const actor_class_t *root, const actor_class_t *const *classes, bool idle)
{
    host_options_t options = {.classes = classes, .root = root, .placement = placement_wanted()};
    char left[256];
    host_t *host = host_new(&options);
    atomic_store(&over, false);
    if (host_start(host) != OK) {
        told(false, "the host starts", host_why(host));
    } else if (idle) {
        host_wait_stop(host);
        count_idle();
    } else {
        watch_tenants(host);
    }
    told(host_stop(host, STOP_MS, left, sizeof left), "the host stops in time", left);
    host_destroy(&host);
}

int
main(int argc, char **argv)
{
    run(&landlord_class, town, false);
    if (argc > 1 && strcmp(argv[1], "all") == 0) { /* a sanitizer has a malloc of its own */
        run(&crowd_class, crowd, true);
    }
    printf("1..%u\n", claims);
    return all_well ? 0 : 1;
}
