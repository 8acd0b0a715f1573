/* command_queue.c - see command_queue.h. */
#include "actors/command_queue.h"

#include "proto/messages.h"

#include <assert.h>

err_t
command_queue_add(actor_ctx_t *ctx, command_queue_t *queue, const record_type_t *type,
                  const void *m, const char *waits_for)
{
    if (queue->count == QUEUE_COMMANDS_MAX) {
        return ERR_FULL;
    }
    queue->command[(queue->first + queue->count++) % QUEUE_COMMANDS_MAX] =
        (queued_command_t){actor_keep(ctx, type, m), type, actor_defer(ctx, waits_for)};
    return OK;
}

const queued_command_t *
command_queue_first(const command_queue_t *queue)
{
    assert(queue->count > 0);
    return &queue->command[queue->first];
}

void
command_queue_done(command_queue_t *queue)
{
    assert(queue->count > 0);
    kept_destroy(&queue->command[queue->first].kept);
    queue->first = (queue->first + 1) % QUEUE_COMMANDS_MAX;
    queue->count--;
}

void
command_queue_drop(command_queue_t *queue)
{
    while (queue->count > 0) {
        command_queue_done(queue);
    }
}

/* The three commands begin alike. */
_Static_assert(offsetof(package_add_t, id) == offsetof(package_remove_t, id) &&
                   offsetof(package_update_t, id) == offsetof(package_remove_t, id),
               "command_queue_id");

slice_t
command_queue_id(const queued_command_t *command)
{
    const package_remove_t *m = kept_record(command->kept);

    return record_slice(m, m->id);
}
