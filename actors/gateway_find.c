/* gateway_find.c - which agent an answer, or the end of a connection, is for: found without a look
 * at the others. */
#include <assert.h>
#include <inttypes.h>
#include <stdio.h>

#include "actors/gateway.h"

#define NUMBER_BYTES 24u
#define PEER_BYTES   (2u * 255u + 2u)

void
find_init(agent_gateway_t *self)
{
    self->awaiting = zhashx_new();
    self->connected = zhashx_new();
    assert(self->awaiting && self->connected);
}

void
find_drop(agent_gateway_t *self)
{
    zhashx_destroy(&self->awaiting);
    zhashx_destroy(&self->connected);
}

/* ---- answers ---- */

static void
key_of_number(uint64_t number, char ret_key[NUMBER_BYTES])
{
    snprintf(ret_key, NUMBER_BYTES, "%" PRIu64, number);
}

void
find_await(agent_gateway_t *self, agent_t *agent, uint64_t *awaited, uint64_t number)
{
    char key[NUMBER_BYTES];

    if (*awaited != 0) {
        key_of_number(*awaited, key);
        zhashx_delete(self->awaiting, key);
    }
    *awaited = number;
    if (number != 0) {
        key_of_number(number, key);
        zhashx_update(self->awaiting, key, agent);
    }
}

agent_t *
find_by_number(const agent_gateway_t *self, uint64_t number)
{
    char key[NUMBER_BYTES];

    key_of_number(number, key);
    return zhashx_lookup(self->awaiting, key);
}

/* ---- connections ---- */

static void
key_of_peer(slice_t peer, bool plain, char ret_key[PEER_BYTES])
{
    ret_key[0] = plain ? 'p' : 'c';
    hex_of_bytes((const uint8_t *) peer.data, peer.size, ret_key + 1);
}

void
find_connect(agent_gateway_t *self, agent_t *agent, slice_t peer, bool plain)
{
    char key[PEER_BYTES];

    key_of_peer(peer, plain, key);
    zhashx_update(self->connected, key, agent);
}

void
find_part(agent_gateway_t *self, const agent_t *agent, slice_t peer, bool plain)
{
    if (peer.size > 0 && find_by_peer(self, peer, plain) == agent) {
        char key[PEER_BYTES];
        key_of_peer(peer, plain, key);
        zhashx_delete(self->connected, key);
    }
}

agent_t *
find_by_peer(const agent_gateway_t *self, slice_t peer, bool plain)
{
    char key[PEER_BYTES];

    key_of_peer(peer, plain, key);
    return zhashx_lookup(self->connected, key);
}
