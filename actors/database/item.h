/* item.h - one message of a group: its handler, and what is said of it.
 *
 * Shape    item_read fills one from the order; the rest asks it.
 * Promises one whose bytes are no record of its type has no handler.
 * Threads  one job.
 * Owner    it points into the order.
 */
#pragma once

#include "actors/database/handlers.h"

/* What every command begins with. */
typedef struct command_head {
    text_t key;
    text_t principal;
    uint8_t dry_run;
} command_head_t;

typedef struct item {
    uint32_t index, number;
    const handler_t *handler;
    const void *record;
    command_head_t head; /* empty when it is no command */
} item_t;

void item_read(const group_order_t *order, uint32_t index, item_t *ret);
/* As the command line says it. */
const char *item_word(const item_t *item);
/* Of the command that a client gave, whatever the message that it became. */
uint32_t item_command(const item_t *item);
/* The id or name that a command is about. */
slice_t item_subject(const item_t *item);
/* Whether its answer is kept. */
bool item_has_key(const item_t *item);
/* For crash notes. */
void item_note(const item_t *item);
