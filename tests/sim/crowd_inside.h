/* crowd_inside.h - what the files of the crowd know of each other. */
#pragma once

#include "actors/agent_wire.h"
#include "actors/content/sign.h"
#include "actors/content/token.h"
#include "tests/sim/crowd.h"

#define CROWD_DRAFT_WORDS 4096u

typedef struct member {
    token_t token;
    char user[65];
    digest_t key;
    uint64_t connection; /* 0: it is away */
    bool welcome, dropped;
    bool comes_back; /* with its next turn */
} member_t;

typedef struct flight {
    struct flight *next;
    int64_t ready_ns;
    uint32_t member;
    uint64_t connection;
    size_t size;
    uint8_t bytes[];
} flight_t;

struct crowd {
    stage_t *stage;
    uint32_t count, packages;
    member_t *member;
    uint8_t *tries, *has; /* by member and package */
    secret_t signing;
    digest_t signing_key;
    flight_t *first, *last;
    uint64_t flights, connections;
    int64_t beat_ns;
    uint32_t beats; /* whose turn it is */
    bool joined;    /* all; before that none says hello */
    bool enrolled;
    uint64_t *memory, *draft_memory; /* of the frame in hand, of the answer to it */
    crowd_counts_t counts;
};

/* A byte of a member and a package, of tries or has. */
uint8_t *crowd_of_target(const crowd_t *crowd, uint8_t *all, uint32_t member, uint32_t package);
void crowd_say(crowd_t *crowd, uint32_t member, const record_type_t *type, const void *record);
draft_t crowd_draft(crowd_t *crowd);
/* crowd_orders.c: the number of the package that an order is for; what is said to an order. */
uint32_t crowd_package(crowd_t *crowd, const agent_order_t *order);
void crowd_answer(crowd_t *crowd, uint32_t member, const agent_order_t *order);
