/* join.h - what an agent knows of the site that it serves, and the root that it serves it with.
 *
 * Shape    DATA/agent, a sealed text (seal.h); a data directory that has one is an agent's.
 * Promises written when the site has taken the agent in, and when it says where else it is; durable
 *          before it is believed.
 * Costs    a few calls, one of them a sync of the directory.
 * Errors   ERR_NOT_FOUND (it is no agent's data directory), ERR_DAMAGED, ERR_TOO_LARGE, those of
 *          the world.
 * Threads  the program, before its host starts; one job.
 */
#pragma once

#include "actors/content/token.h"
#include "runtime/world.h"

typedef struct join {
    char address[TOKEN_ADDRESS_BYTES_MAX + 1]; /* of the site */
    char former[TOKEN_ADDRESS_BYTES_MAX + 1];  /* tried where that does not answer; "": none */
    char name[NAME_BYTES_MAX + 1];
    char root[AGENT_PATH_BYTES_MAX + 1];
    digest_t site_key, site_signing;
    id128_t site, incarnation;
} join_t;

err_t join_read(world_t *world, const char *data, join_t *ret_join, fault_t *fault) must_use;
/* Another address is tried first from now on, the one that was first after it. */
err_t join_move(world_t *world, const char *data, const char *address, fault_t *fault) must_use;
err_t join_write(world_t *world, const char *data, const join_t *join, fault_t *fault) must_use;
