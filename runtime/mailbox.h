/* mailbox.h - envelopes from thread to thread over inproc ZeroMQ sockets.
 *
 * Shape    a mailbox is the PULL socket of one worker; an outlet is a set of PUSH sockets that
 *          one thread owns, one for each worker it has ever sent to.
 * Promises an envelope that was sent is received once, in the order of one sender; no bound of
 *          ZeroMQ's is in force (HWM 0): the bounds are the lanes'. What nobody received is freed
 *          with the context.
 * Costs    one pointer-sized copy and one small allocation per message; two descriptors per
 *          mailbox.
 * Errors   mailbox_open: NULL when the context has no more sockets; everything else is asserted.
 * Threads  each mailbox and outlet belongs to one thread at a time.
 * Owner    mailbox_open -> caller, mailbox_close; outlet_new -> caller, outlet_destroy.
 */
#pragma once

#include "runtime/core.h"

typedef struct outlet outlet_t;

void *mailbox_context_new(uint32_t sockets_max);
void mailbox_context_end(void *context); /* frees what was never received; all sockets are closed */
void *mailbox_open(void *context, uint64_t host, uint32_t worker, uint32_t *count);
void mailbox_close(void **mailbox, uint32_t *count);
envelope_t *mailbox_take(void *mailbox); /* NULL: empty */
/* Sleeps until something came, also on the socket `other` (NULL: none) or a stop; ms < 0: for ever.
 * True when `other` can be read. */
bool mailbox_wait(void *mailbox, void *other, int64_t ms);

outlet_t *outlet_new(void *context, uint64_t host, uint32_t workers);
void outlet_send(outlet_t *outlet, uint32_t to, envelope_t *take_envelope);
void outlet_rouse(outlet_t *outlet, uint32_t to); /* its mailbox_wait returns; nothing is taken */
uint32_t outlet_sockets(const outlet_t *outlet);
void outlet_destroy(outlet_t **outlet);

uint64_t descriptors_open(void); /* of the process, and how many it may have */
uint64_t descriptors_max(void);
