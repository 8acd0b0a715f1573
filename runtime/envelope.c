/* envelope.c - one message on its way, as one block of memory; and queues of them. */
#include "runtime/inside.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The host cannot go on in a defined way without the few bytes of a message or a timer. */
void *
xalloc(size_t count, size_t size)
{
    void *memory = calloc(count, size);
    if (memory == NULL) {
        fprintf(stderr, "cannot allocate '%zu bytes': out of memory\n", count * size);
        abort();
    }
    return memory;
}

envelope_t *
envelope_new(envelope_kind_t kind, actor_ref_t from, actor_ref_t to, const record_type_t *type,
             const void *record, uint32_t size)
{
    envelope_t *envelope = malloc(sizeof *envelope + size);
    if (envelope == NULL) {
        fprintf(stderr, "cannot allocate '%u bytes': out of memory\n", size);
        abort();
    }
    memset(envelope, 0, sizeof *envelope);
    envelope->kind = (uint8_t) kind;
    envelope->from = from;
    envelope->to = to;
    envelope->type = type;
    envelope->size = size;
    envelope->attempt = 1;
    if (size > 0) {
        memcpy(envelope->record, record, size);
    }
    return envelope;
}

/* Called through a volatile pointer, because filling what is freed next would be left out. */
void
envelope_spoil(void *bytes, size_t size)
{
    static void *(*const volatile fill)(void *, int, size_t) = memset;
    if (size > 0) {
        fill(bytes, 0xa5, size);
    }
}

envelope_t *
envelope_moved(envelope_t *take_envelope)
{
    size_t size = sizeof *take_envelope + take_envelope->size;
    envelope_t *moved = malloc(size);
    assert(moved != NULL && "memory for a message");
    memcpy(moved, take_envelope, size);
    envelope_spoil(take_envelope->record, take_envelope->size);
    free(take_envelope);
    return moved;
}

void
envelope_free(envelope_t *envelope)
{
    if (envelope == NULL) {
        return;
    }
    if (envelope->resource != NULL && envelope->drop != NULL) {
        envelope->drop(envelope->resource);
    }
    free(envelope);
}

void
envelope_destroy(envelope_t **envelope)
{
    envelope_free(*envelope);
    *envelope = NULL;
}

void
fifo_push(fifo_t *fifo, envelope_t *envelope)
{
    envelope->next = NULL;
    if (fifo->tail != NULL) {
        fifo->tail->next = envelope;
    } else {
        fifo->head = envelope;
    }
    fifo->tail = envelope;
    fifo->count++;
}

envelope_t *
fifo_pop(fifo_t *fifo)
{
    envelope_t *envelope = fifo->head;
    if (envelope != NULL) {
        fifo->head = envelope->next;
        if (fifo->head == NULL) {
            fifo->tail = NULL;
        }
        envelope->next = NULL;
        fifo->count--;
    }
    return envelope;
}

void
fifo_splice_front(fifo_t *fifo, fifo_t *front)
{
    if (front->head == NULL) {
        return;
    }
    front->tail->next = fifo->head;
    if (fifo->tail == NULL) {
        fifo->tail = front->tail;
    }
    fifo->head = front->head;
    fifo->count += front->count;
    *front = (fifo_t){0};
}

static uint64_t
mix(uint64_t hash, uint64_t value)
{
    hash ^= value;
    hash *= 0x9e3779b97f4a7c15u;
    return hash ^ hash >> 29;
}

uint64_t
envelope_hash(const envelope_t *envelope)
{
    uint64_t hash = mix(0x5151, envelope->kind);
    hash = mix(hash, ref_word(envelope->from));
    hash = mix(hash, ref_word(envelope->to));
    hash = mix(hash, (uint64_t) envelope->err << 32 | envelope->attempt);
    hash = mix(hash, envelope->tag);
    for (const char *c = envelope->type == NULL ? "" : envelope->type->name; *c != '\0'; c++) {
        hash = mix(hash, (uint8_t) *c);
    }
    for (uint32_t i = 0; i < envelope->size; i++) {
        hash = mix(hash, envelope->record[i]);
    }
    return hash;
}

uint32_t
envelope_worker(const core_t *core, const envelope_t *envelope)
{
    return atomic_load(&cell_at(core, envelope->to.index)->worker);
}

static const char *
class_name_at(const core_t *core, actor_ref_t who)
{
    const loaded_class_t *class = atomic_load(&cell_at(core, who.index)->class);
    return who.index == 0 || class == NULL ? "nobody" : class->class->name;
}

const char *
envelope_print(const core_t *core, const envelope_t *envelope, char *text, size_t size)
{
    static const char *const kinds[ENV_KIND_COUNT] = {
        "tell",  "ask",     "reply",   "timer", "down",   "job",     "init",  "stop",
        "cycle", "restart", "give-up", "pause", "resume", "monitor", "ended", "late"};
    snprintf(text, size, "%s %s %s#%u -> %s#%u%s%s", kinds[envelope->kind],
             envelope->type == NULL ? "" : envelope->type->name,
             class_name_at(core, envelope->from), envelope->from.index,
             class_name_at(core, envelope->to), envelope->to.index, envelope->err == OK ? "" : " ",
             envelope->err == OK ? "" : err_word(envelope->err));
    return text;
}
