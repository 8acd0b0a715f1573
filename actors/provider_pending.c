/* provider_pending.c - see provider_pending.h. */
#include "actors/provider_pending.h"

#include <assert.h>
#include <stdio.h>
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

/* What the command means for who answers it. */
static void
mark(pending_t *pending, const void *command)
{
    const component_restart_t *restart =
        pending->command->type->number == MSG_component_restart ? command : NULL;
    const stop_t *stop = pending->command->type->number == MSG_stop ? command : NULL;

    pending->stops = stop != NULL && !stop->dry_run;
    pending->looks = pending->command->type->number == MSG_verify ||
                     pending->command->type->number == MSG_distribute_plan;
    pending->restarts = restart != NULL && !restart->dry_run &&
                        slice_equal(record_slice(restart, restart->name), slice_of("provider"));
}

pending_t *
pending_take(pendings_t *pendings, const client_request_t *request, const void *command)
{
    assert(pendings->free_count > 0 && request->id.size <= COMMAND_ID_BYTES_MAX);
    pending_t *pending = &pendings->pending[pendings->free[--pendings->free_count]];
    pending->command = request->command;
    pending->used = true;
    pending->turn++;
    pending->parked = false;
    pending->key_size = 0;
    pending->id_size = (uint16_t) request->id.size;
    memcpy(pending->id, request->id.data, request->id.size);
    mark(pending, command);
    return pending;
}

void
pending_forget(pendings_t *pendings, pending_t *pending)
{
    kept_destroy(&pending->kept);
    pending->used = false;
    pendings->free[pendings->free_count++] = (uint16_t) (pending - pendings->pending);
}

uint64_t
pending_tag(const pendings_t *pendings, const pending_t *pending)
{
    return (uint64_t) pending->turn << 32 | (uint64_t) (pending - pendings->pending);
}

pending_t *
pending_of(pendings_t *pendings, uint64_t tag)
{
    pending_t *pending = &pendings->pending[tag & UINT32_MAX];

    return pending->used && pending->turn == tag >> 32 ? pending : NULL;
}

slice_t
pending_id(const pending_t *pending)
{
    return (slice_t){(const char *) pending->id, pending->id_size};
}

slice_t
pending_key(const pending_t *pending)
{
    return (slice_t){(const char *) pending->key, pending->key_size};
}

static pending_t *
find_key(pendings_t *pendings, const pending_t *other_than, bool parked)
{
    for (uint32_t i = 0; i < PENDING_MAX; i++) {
        pending_t *pending = &pendings->pending[i];
        if (pending->used && pending != other_than && pending->parked == parked &&
            pending->key_size > 0 && slice_equal(pending_key(pending), pending_key(other_than))) {
            return pending;
        }
    }
    return NULL;
}

bool
pending_park(pendings_t *pendings, pending_t *pending, slice_t key)
{
    assert(key.size > 0 && key.size <= KEY_BYTES_MAX);
    memcpy(pending->key, key.data, key.size);
    pending->key_size = (uint16_t) key.size;
    pending->parked = find_key(pendings, pending, false) != NULL;
    return pending->parked;
}

pending_t *
pending_unpark(pendings_t *pendings, const pending_t *pending)
{
    pending_t *next = find_key(pendings, pending, true);

    if (next) {
        next->parked = false;
    }
    return next;
}

/* It is answered by who minds the door, too, each time that it comes. */
static bool
revokes(const client_request_t *request)
{
    wire_value_t revoke;

    return wire_find(&request->args, "revoke", &revoke) && revoke.boolean;
}

bool
pending_must_recall(const client_request_t *request)
{
    uint32_t number = request->command->type->number;
    bool source =
        number == MSG_package_add || number == MSG_package_update || number == MSG_package_set;
    bool root = number == MSG_dp_add || number == MSG_dp_adopt ||
                (number == MSG_dp_set && !revokes(request));

    return request->key.size > 0 && (source || root || number == MSG_verify);
}

void
pendings_describe(const pendings_t *pendings, bool opened, char *text, size_t size)
{
    snprintf(text, size, "%scommands in hand: %u of %u", opened ? "" : "waits for the database, ",
             PENDING_MAX - pendings->free_count, PENDING_MAX);
}
