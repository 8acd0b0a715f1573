/* sim_sockets.c - see sim_sockets.h. */
#include "runtime/sim_sockets.h"

#include <assert.h>
#include <stdlib.h>

#include "runtime/inside.h"
#include "runtime/mailbox.h"

struct sim_sockets {
    mail_t *mail;
    uint32_t senders, workers;
    mailbox_t **mailbox;
    outlet_t **outlet;
    envelope_t *came;
    chunk_t **chunk; /* where those go that come */
    uint32_t chunks, most;
};

sim_sockets_t *
sim_sockets_new(uint32_t senders, uint32_t workers)
{
    sim_sockets_t *sockets = calloc(1, sizeof *sockets);

    assert(sockets);
    *sockets = (sim_sockets_t){.mail = mail_new(workers), .senders = senders, .workers = workers};
    sockets->mailbox = calloc(workers, sizeof *sockets->mailbox);
    sockets->outlet = calloc(senders, sizeof *sockets->outlet);
    assert(sockets->mailbox && sockets->outlet);
    for (uint32_t i = 0; i < workers; i++) {
        sockets->mailbox[i] = mailbox_open(sockets->mail, i);
        assert(sockets->mailbox[i] && "sockets for a simulated host");
    }
    for (uint32_t i = 0; i < senders; i++) {
        sockets->outlet[i] = outlet_new(sockets->mail);
    }
    return sockets;
}

void
sim_sockets_destroy(sim_sockets_t **sockets_at)
{
    sim_sockets_t *sockets = *sockets_at;

    if (!sockets) {
        return;
    }
    for (uint32_t i = 0; i < sockets->senders; i++) {
        outlet_destroy(&sockets->outlet[i]);
    }
    for (uint32_t i = 0; i < sockets->workers; i++) {
        mailbox_close(&sockets->mailbox[i]);
    }
    mail_end(&sockets->mail);
    free(sockets->mailbox);
    free(sockets->outlet);
    free(sockets);
    *sockets_at = NULL;
}

static void
take(void *self, chunk_t *take_chunk)
{
    sim_sockets_t *sockets = self;

    assert(!sockets->came && "one was sent");
    sockets->came = chunk_take_large(take_chunk);
    sockets->came = sockets->came ? sockets->came : envelope_unpack(chunk_next(take_chunk));
    assert(chunk_is_empty(take_chunk) && "by itself");
    chunk_free(take_chunk);
}

envelope_t *
sim_sockets_pass(sim_sockets_t *sockets, uint32_t from, uint32_t to, envelope_t *take_envelope)
{
    sockets->came = NULL;
    outlet_send(sockets->outlet[from], to, take_envelope);
    outlet_flush(sockets->outlet[from]);
    bool came = mailbox_empty(sockets->mailbox[to], take, sockets);
    assert(came && sockets->came && "a socket of the same thread has what was sent");
    (void) came;
    return sockets->came;
}

void
sim_sockets_send(sim_sockets_t *sockets, uint32_t from, uint32_t to, envelope_t *take_envelope)
{
    outlet_send(sockets->outlet[from], to, take_envelope);
}

static void
take_whole(void *self, chunk_t *take_chunk)
{
    sim_sockets_t *sockets = self;

    assert(sockets->chunks < sockets->most && "no more chunks than messages were sent");
    sockets->chunk[sockets->chunks++] = take_chunk;
}

uint32_t
sim_sockets_come(sim_sockets_t *sockets, uint32_t from, uint32_t to, chunk_t **ret_chunk,
                 uint32_t most)
{
    sockets->chunk = ret_chunk;
    sockets->chunks = 0;
    sockets->most = most;
    outlet_flush(sockets->outlet[from]);
    while (mailbox_empty(sockets->mailbox[to], take_whole, sockets)) {
    }
    return sockets->chunks;
}
