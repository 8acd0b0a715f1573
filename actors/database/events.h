/* events.h - status messages as rows of the transaction that they report.
 *
 * Shape    event_begin, fields and event_attr as there are, event_write.
 * Promises a sequence number is given once, in the order of commits; the newest history_max are
 *          kept.
 * Threads  one job.
 */
#pragma once

#include "actors/database/transaction.h"
#include "proto/show.h"
#include "proto/status.h"

#define EVENT_ATTRS_MAX   32u
#define EVENT_ATTRS_BYTES 4096u
/* Noted events in a minute; further ones are only counted, and the next one that is told carries
 * the count: a loop somewhere is to fill neither the history nor the stream. */
#define EVENTS_ALIKE_MAX  30u   /* the same words from the same component */
#define EVENTS_SOURCE_MAX 1000u /* of one component and one id */

typedef struct event_draft {
    const char *component;
    uint32_t id, severity;
    slice_t package, dp, label;
    uint64_t epoch; /* 0: no version */
    digest_t root;
    char text[TEXT_BYTES_MAX];
    uint32_t attr_bytes;
    uint8_t attrs[EVENT_ATTRS_BYTES]; /* per pair: size (u16), name, size (u16), value */
} event_draft_t;

void event_begin(event_draft_t *event, const char *component, uint32_t id);
void event_text(event_draft_t *event, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* An attribute that does not fit is left out. */
void event_attr(event_draft_t *event, const char *name, slice_t value);
void event_attr_bytes(event_draft_t *event, slice_t name, slice_t value);
void event_attr_number(event_draft_t *event, const char *name, uint64_t value);
void event_write(tx_t *tx, const event_draft_t *event);

/* Fills an `events` answer with up to count after since. */
void events_answer(tx_t *tx, uint64_t since, uint32_t count);
uint64_t events_last(tx_t *tx);
/* One slice of what is older than history_max: called once per transaction that wrote. */
void events_trim(tx_t *tx);
/* The event of an accepted command. */
void event_command(tx_t *tx, const char *word, slice_t subject);
