/* mailbox.h - envelopes from thread to thread over inproc ZeroMQ sockets.
 *
 * Shape    a mailbox is the PULL socket of one worker, with a bell beside it; an outlet is a set of
 *          PUSH sockets that one thread owns, one for each worker it has ever sent to. Envelopes to
 *          one worker are packed into a chunk, and a chunk is one message of ZeroMQ's.
 * Promises an envelope that was sent, and flushed, is received once, in the order of one sender; no
 *          bound of ZeroMQ's is in force (HWM 0): the bounds are the lanes'. What nobody received
 *          is freed by mail_end. A bell counts the chunks that were sent: as long as it has not
 *          moved, nothing has come, or its sender is just about to ring.
 * Costs    an envelope is copied into the chunk; a chunk is one allocation and one pointer handed
 *          over; two descriptors per mailbox.
 * Errors   mailbox_open: NULL when the context has no more sockets; everything else is asserted.
 * Threads  each mailbox and outlet belongs to one thread at a time; a mail_t to nobody.
 * Owner    mail_new -> caller, mail_end after all mailboxes and outlets; outlet_new -> caller.
 */
#pragma once

#include "runtime/core.h"

#define SOCKETS_MAX 65535u /* of one host; a further one is refused, and the host does not start */

typedef struct mail mail_t;
typedef struct mailbox mailbox_t;
typedef struct outlet outlet_t;

mail_t *mail_new(uint32_t workers);
void *mail_context(mail_t *mail);
uint32_t mail_sockets(const mail_t *mail);
void mail_end(mail_t **mail); /* frees what was never received; all sockets are closed */

/* The mailbox of this worker; NULL: no more sockets. */
mailbox_t *mailbox_open(mail_t *mail, uint32_t worker);
void mailbox_close(mailbox_t **mailbox);
/* The bell, and what it counted when the mailbox was last emptied. */
const _Atomic uint32_t *mailbox_bell(const mailbox_t *mailbox);
uint32_t mailbox_heard(const mailbox_t *mailbox);
/* Hands everything that came to take (NULL: it is dropped); false: there was nothing. */
typedef void mailbox_take_fn(void *self, chunk_t *take_chunk);
bool mailbox_empty(mailbox_t *mailbox, mailbox_take_fn *take, void *self);
/* Sleeps until something came, also on the socket `other` (NULL: none) or a stop; ms < 0: for ever.
 * True when `other` can be read. */
bool mailbox_wait(mailbox_t *mailbox, void *other, int64_t ms);

outlet_t *outlet_new(mail_t *mail);
/* Packs it; it leaves with outlet_flush, or when its chunk is full. */
void outlet_send(outlet_t *outlet, uint32_t to, envelope_t *take_envelope);
void outlet_flush(outlet_t *outlet);
void outlet_rouse(outlet_t *outlet, uint32_t to); /* its mailbox_wait returns; nothing is taken */
void outlet_destroy(outlet_t **outlet);
