/* gateway_gone.c - agents whose points were removed: what they hear before anything else, and all
 * that they hear.
 *
 * The database keeps a key as long as its agent has not said that it knows; then it is a
 * stranger's. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "actors/gateway.h"

#define HEX_BYTES 65u

static void
gone_destroy(void **item)
{
    free(*item);
    *item = NULL;
}

void
gone_init(agent_gateway_t *self)
{
    self->gone = zhashx_new();
    assert(self->gone);
    zhashx_set_destructor(self->gone, gone_destroy);
}

void
gone_drop(agent_gateway_t *self)
{
    zhashx_destroy(&self->gone);
}

/* ---- what the database lists ---- */

void
gone_begin(agent_gateway_t *self)
{
    for (gone_t *gone = zhashx_first(self->gone); gone; gone = zhashx_next(self->gone)) {
        gone->listed = false;
    }
}

void
gone_add(agent_gateway_t *self, const agent_row_t *row)
{
    char hex[HEX_BYTES];

    hex_of_bytes(row->key.byte, sizeof row->key.byte, hex);
    gone_t *gone = zhashx_lookup(self->gone, hex);
    if (!gone) {
        gone = calloc(1, sizeof *gone);
        assert(gone);
        zhashx_update(self->gone, hex, gone);
    }
    gone->incarnation = row->dp_incarnation;
    gone->key = row->key;
    gone->listed = true;
}

/* Who has said that it knows, and waits to hear that this was noted, does not wait any longer. */
void
gone_end(actor_ctx_t *ctx, agent_gateway_t *self)
{
    zlistx_t *keys = zhashx_keys(self->gone);

    assert(keys);
    for (const char *key = zlistx_first(keys); key; key = zlistx_next(keys)) {
        const gone_t *gone = zhashx_lookup(self->gone, key);
        if (!gone->listed) {
            if (gone->peer_size > 0) {
                slice_t peer = {(const char *) gone->peer, gone->peer_size};
                join_refuse(ctx, self, peer, ERR_POINT_REMOVED);
            }
            zhashx_delete(self->gone, key);
        }
    }
    zlistx_destroy(&keys);
}

gone_t *
gone_by_user(const agent_gateway_t *self, slice_t user)
{
    char key[HEX_BYTES];

    return slice_copy(user, key, sizeof key) ? zhashx_lookup(self->gone, key) : NULL;
}

/* ---- what is said ---- */

static void
tell(actor_ctx_t *ctx, agent_gateway_t *self, gone_t *gone, slice_t peer, const id128_t *visit)
{
    uint8_t signature[SIGN_BYTES];
    signed_version_t said = {.site = self->site,
                             .point = gone->incarnation,
                             .package_incarnation = *visit,
                             .package = slice_of("")};
    agent_removed_t *m = DRAFT(ctx, agent_removed);

    sign_version(&self->keys.signing, SIGN_REMOVED, &said, signature);
    m->signature = actor_text(ctx, (slice_t){(const char *) signature, sizeof signature});
    memcpy(gone->peer, peer.data, peer.size);
    gone->peer_size = (uint8_t) peer.size;
    join_say(ctx, self, peer, &agent_removed_type, m);
}

void
gone_tell_visitor(actor_ctx_t *ctx, agent_gateway_t *self, const agent_t *agent)
{
    char hex[HEX_BYTES];

    hex_of_bytes(agent->key.byte, sizeof agent->key.byte, hex);
    gone_t *gone = gone_by_user(self, slice_of(hex));
    if (gone && agent->here) {
        tell(ctx, self, gone, (slice_t){(const char *) agent->peer, agent->peer_size},
             &agent->visit);
    }
}

/* When it is deleted the list changes, and with it who is told that this was noted. */
static actor_next_t
noted(actor_ctx_t *ctx, void *state, const actor_answer_t *answer)
{
    claim(ctx, state && answer);
    return ACTOR_CONTINUE;
}

/* What is still on its way from a visit that has ended means nothing. */
void
gone_hear(actor_ctx_t *ctx, agent_gateway_t *self, gone_t *gone, const peer_came_t *m)
{
    const record_type_t *type = NULL;
    const void *record = NULL;
    err_t err = agent_frame_read(record_slice(m, m->body), AGENT_SAYS, self->memory,
                                 AGENT_MEMORY_BYTES, &type, &record);

    if (err == OK && type == &agent_hello_type) {
        tell(ctx, self, gone, record_slice(m, m->peer), &((const agent_hello_t *) record)->visit);
    } else if (err == OK && type == &agent_buried_type) {
        agent_told_t *told = DRAFT(ctx, agent_told);
        told->key = gone->key;
        answer_unheard(ask_site_database_agent_told(ctx, told, GATEWAY_ASK_MS, noted, 0));
    } else {
        self->odd += err != OK;
    }
}
