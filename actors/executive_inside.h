/* executive_inside.h - what the files of the executive share: its state and its edges. */
#pragma once

#include "actors/answer.h"
#include "actors/executive_components.h"
#include "actors/executive_desk.h"
#include "proto/status.h"
#include "runtime/notes.h"

#define EDGES(E)                                                                                   \
    E(TELL, site_database, note_event)                                                             \
    E(ASK, site_database, note_event)                                                              \
    E(ASK, site_database, setting_set)                                                             \
    E(ASK, site_database, site_open)                                                               \
    E(ASK, site_database, aside_list)                                                              \
    E(ASK, site_database, aside_order)                                                             \
    E(TELL, despooler, slots_set)
ACTOR_EDGES(EDGES)

#define ASIDE_OPEN_MAX 16u /* looks into the quarantine that wait for the database */

/* A look into the quarantine, or an order about it, that waits for the database. */
typedef struct aside_ask {
    request_t request;
    uint64_t number; /* 0: all */
    const char *verb;
    bool open;
} aside_ask_t;

typedef struct executive {
    component_table_t table;
    request_t setting; /* a component_set in hand */
    kept_t *done;      /* its answer, until the despooler was told */
    bool setting_open;
    request_t stop; /* of a client, while stop_open and not stop_outside */
    bool stop_open, stop_outside;
    aside_ask_t aside[ASIDE_OPEN_MAX];
} executive_t;

actor_next_t setting_change(actor_ctx_t *ctx, executive_t *self, const component_set_t *m);
/* Events of the stream: about a component (name "": about the site), and of those that are held. */
void events_note(actor_ctx_t *ctx, status_id_t id, const char *name, const char *what);
void events_held(actor_ctx_t *ctx, const executive_t *self);
/* A stop, of a client or from outside: it goes on when its event is durable. */
actor_next_t events_stop(actor_ctx_t *ctx, executive_t *self, const stop_t *m);
actor_next_t events_host_stopping(actor_ctx_t *ctx, executive_t *self, const host_stopping_t *m);

/* Messages set aside are the runtime's, work set aside is the database's; a list shows both. */
actor_next_t aside_list(actor_ctx_t *ctx, executive_t *self);
actor_next_t aside_show(actor_ctx_t *ctx, executive_t *self, const quarantine_show_t *m);
actor_next_t aside_retry(actor_ctx_t *ctx, executive_t *self, const quarantine_retry_t *m);
actor_next_t aside_drop(actor_ctx_t *ctx, executive_t *self, const quarantine_drop_t *m);
