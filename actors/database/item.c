/* item.c - one message of a group; see item.h. */
#include "actors/database/item.h"

#include <string.h>

#include "runtime/actor.h"

#define HEAD_STANDS(message)                                                                       \
    _Static_assert(offsetof(message##_t, key) == offsetof(command_head_t, key) &&                  \
                       offsetof(message##_t, principal) == offsetof(command_head_t, principal) &&  \
                       offsetof(message##_t, dry_run) == offsetof(command_head_t, dry_run),        \
                   "the arguments of every command come first");
HEAD_STANDS(distribute)
HEAD_STANDS(version_commit)
HEAD_STANDS(point_commit)
HEAD_STANDS(setting_set)
HEAD_STANDS(verify_plan)
HEAD_STANDS(aside_order)
HEAD_STANDS(agent_revoke)

const char *
item_word(const item_t *item)
{
    switch (item->number) {
    case MSG_version_commit:
        return ((const version_commit_t *) item->record)->add ? "package.add" : "package.update";
    case MSG_point_commit:
        return ((const point_commit_t *) item->record)->add     ? "dp.add"
               : ((const point_commit_t *) item->record)->adopt ? "dp.adopt"
                                                                : "dp.set";
    case MSG_setting_set:
        return "component.set";
    case MSG_aside_order:
        return ((const aside_order_t *) item->record)->drop ? "quarantine.drop"
                                                            : "quarantine.retry";
    case MSG_agent_revoke:
        return "dp.set";
    case MSG_verify_plan:
        return "verify";
    default:
        return item->number <= command_count ? commands[item->number - 1].word
                                             : item->handler->type->name;
    }
}

uint32_t
item_command(const item_t *item)
{
    const command_t *command = command_of_word(slice_of(item_word(item)));
    return command == NULL ? item->number : command->type->number;
}

slice_t
item_subject(const item_t *item)
{
    const record_type_t *type = item->handler->type;
    for (uint32_t i = 0; i < type->field_count; i++) {
        const record_field_t *field = &type->field[i];
        if (field->kind == RECORD_text &&
            (strcmp(field->name, "id") == 0 || strcmp(field->name, "name") == 0)) {
            text_t text;
            memcpy(&text, (const char *) item->record + field->offset, sizeof text);
            return record_slice(item->record, text);
        }
    }
    return (slice_t){"", 0};
}

void
item_read(const group_order_t *order, uint32_t index, item_t *ret)
{
    const group_message_t *message = ROW(order, order->messages, index, group_message_t);
    slice_t record = record_slice(order, message->record);
    *ret = (item_t){.index = index, .number = message->number, .record = record.data};
    const handler_t *handler = handler_of(message->number);
    if (handler == NULL || record_check(handler->type, record.data, record.size) != OK) {
        return;
    }
    ret->handler = handler;
    if (handler->how & HOW_COMMAND) {
        memcpy(&ret->head, record.data, sizeof ret->head);
    }
}

bool
item_has_key(const item_t *item)
{
    return (item->handler->how & HOW_KEYED) && item->head.key.size > 0 && !item->head.dry_run;
}

void
item_note(const item_t *item)
{
    const record_type_t *type = item->handler == NULL ? NULL : item->handler->type;
    uint64_t target = 0;
    for (uint32_t i = 0; type != NULL && i < type->field_count; i++) {
        if (type->field[i].kind == RECORD_u64 && strcmp(type->field[i].name, "target") == 0) {
            memcpy(&target, (const char *) item->record + type->field[i].offset, sizeof target);
        }
    }
    actor_about(target);
}
