/* stand_in.h - who stands in for a site around the real distribution manager, for claims about it.
 *
 * Shape    database, despooler and worker are the claim's: what each does with a message of a type
 *          that the manager may say to it. The classes of the first and the last are here, and
 *          what the despooler hears; stand_in_site spawns the manager and its database.
 * Threads  one claim, in a process of its own.
 */
#pragma once

#include "actors/dm.h"
#include "tests/unit/alone.h"

typedef struct stand_in {
    request_t request;
    bool asked;
} stand_in_t;

typedef actor_next_t stand_in_fn(actor_ctx_t *ctx, stand_in_t *self, const record_type_t *type);
static stand_in_fn database, despooler, worker;

#define ROWS(kind, whom, message) ROWS_##kind##_##whom(message)
#define ROWS_NEED_site_database(message)
#define ROWS_ASK_site_database(message)     DATABASE(message)
#define ROWS_TELL_site_database(message)    DATABASE(message)
#define ROWS_ASK_despooler(message)         DESPOOLER(message)
#define ROWS_TELL_despooler(message)        DESPOOLER(message)
#define ROWS_ASK_TO_package_worker(message) WORKER(message)
#define ROWS_ASK_agent_gateway(message)
#define HEAR(how, message)                                                                         \
    static actor_next_t how##_##message(actor_ctx_t *ctx, void *state, const void *m)              \
    {                                                                                              \
        claim(ctx, state &&m);                                                                     \
        return how(ctx, state, &message##_type);                                                   \
    }

#define DATABASE(message)  HEAR(database, message)
#define DESPOOLER(message) HEAR(despooler, message)
#define WORKER(message)    HEAR(worker, message)
DM_EDGES(ROWS)
#undef DATABASE
#undef DESPOOLER
#undef WORKER

#define ROW_OF(how, message) {&message##_type, LANE_NORMAL, how##_##message},
#define DATABASE(message)    ROW_OF(database, message)
#define DESPOOLER(message)
#define WORKER(message)
static const actor_hears_t database_hears[] = {DM_EDGES(ROWS)};
#undef DATABASE
#undef DESPOOLER
#define DATABASE(message)
#define DESPOOLER(message) ROW_OF(despooler, message)
static const actor_hears_t despooler_hears[] = {DM_EDGES(ROWS)};
#undef DESPOOLER
#undef WORKER
#define DESPOOLER(message)
#define WORKER(message) ROW_OF(worker, message)
static const actor_hears_t worker_hears[] = {DM_EDGES(ROWS)};

#define STANDS_IN(name_, hears_)                                                                   \
    .name = (name_), .state_bytes = sizeof(stand_in_t), .hears = (hears_),                         \
    .hears_count = sizeof(hears_) / sizeof(hears_)[0]
static const actor_class_t database_class = {STANDS_IN("site_database", database_hears),
                                             .role = true};
static const actor_class_t snapshots_class = {STANDS_IN("package_worker", worker_hears)};

/* The site is opened with four slots. */
static inline actor_next_t
stand_in_opened(actor_ctx_t *ctx)
{
    site_opened_t *m = DRAFT(ctx, site_opened);

    m->slots = 4;
    answer_unheard(REPLY(ctx, site_opened, m));
    return ACTOR_CONTINUE;
}

static inline bool
stand_in_site(actor_ctx_t *ctx)
{
    actor_ref_t other;
    site_args_t *site = DRAFT(ctx, site_args);

    site->data = actor_text(ctx, slice_of("/data"));
    site->site = actor_text(ctx, slice_of("HQ"));
    return actor_spawn(ctx, &distribution_manager_class, slice_of("distribution_manager"),
                       &site_args_type, site, 1, &other) == VERDICT_OK &&
           actor_spawn(ctx, &database_class, slice_of("site_database"), NULL, NULL, 2, &other) ==
               VERDICT_OK;
}
