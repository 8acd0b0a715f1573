/* provider_pending.c - see provider_pending.h. */
#include "actors/provider_pending.h"

#include <assert.h>
#include <string.h>

void
pendings_init(pendings_t *pendings)
{
    for (uint32_t i = 0; i < PENDING_MAX; i++) {
        pendings->free[i] = (uint16_t) (PENDING_MAX - 1u - i);
    }
    pendings->free_count = PENDING_MAX;
}

void
pendings_release(pendings_t *pendings)
{
    for (uint32_t i = 0; i < PENDING_MAX; i++) {
        kept_destroy(&pendings->pending[i].kept);
    }
}

pending_t *
pending_take(pendings_t *pendings, const client_request_t *request)
{
    assert(pendings->free_count > 0 && request->id.size <= COMMAND_ID_BYTES_MAX);
    pending_t *pending = &pendings->pending[pendings->free[--pendings->free_count]];
    pending->command = request->command;
    pending->id_size = (uint16_t) request->id.size;
    memcpy(pending->id, request->id.data, request->id.size);
    return pending;
}

void
pending_forget(pendings_t *pendings, pending_t *pending)
{
    kept_destroy(&pending->kept);
    pendings->free[pendings->free_count++] = (uint16_t) pending_tag(pendings, pending);
}

uint64_t
pending_tag(const pendings_t *pendings, const pending_t *pending)
{
    return (uint64_t) (pending - pendings->pending);
}

slice_t
pending_id(const pending_t *pending)
{
    return (slice_t){(const char *) pending->id, pending->id_size};
}
