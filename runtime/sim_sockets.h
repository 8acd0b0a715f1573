/* sim_sockets.h - what passes between the workers of a simulated host, through the real mailboxes.
 *
 * Shape    a mailbox for each worker and an outlet for each sender, all in one thread: an envelope
 *          that is due to arrive is packed, sent, received and unpacked as between threads.
 * Promises an envelope comes out at once, unchanged, alone or with those that were sent with it:
 *          the order is the simulator's.
 * Costs    some microseconds each; a context of ZeroMQ's and its two threads, which do nothing.
 * Threads  one.
 * Owner    sim_sockets_new -> the sim.
 */
#pragma once

#include "runtime/core.h"

typedef struct sim_sockets sim_sockets_t;

sim_sockets_t *sim_sockets_new(uint32_t senders, uint32_t workers);
void sim_sockets_destroy(sim_sockets_t **sockets);
envelope_t *sim_sockets_pass(sim_sockets_t *sockets, uint32_t from, uint32_t to,
                             envelope_t *take_envelope);
/* The same for several: each is sent, and then they come, in chunks, at most `most` of them. */
void sim_sockets_send(sim_sockets_t *sockets, uint32_t from, uint32_t to,
                      envelope_t *take_envelope);
uint32_t sim_sockets_come(sim_sockets_t *sockets, uint32_t from, uint32_t to, chunk_t **ret_chunk,
                          uint32_t most);
