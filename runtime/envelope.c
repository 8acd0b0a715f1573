/* envelope.c - one message on its way, as one block of memory; and queues of them. */
#include "runtime/inside.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The host cannot go on in a defined way without the few bytes of a message or a timer. */
static void *
got(void *memory, size_t size)
{
    if (memory == NULL) {
        fprintf(stderr, "cannot allocate '%zu bytes': out of memory\n", size);
        abort();
    }
    return memory;
}

void *
xalloc(size_t count, size_t size)
{
    return got(calloc(count, size), count * size);
}

/* ---- memory: what a thread has freed it uses again, without a lock or a system call ---- */

#if defined(__SANITIZE_ADDRESS__)
#define CACHED_MAX 0u /* a sanitizer is to see each of them freed */
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define CACHED_MAX 0u
#endif
#endif
#ifndef CACHED_MAX
#define CACHED_MAX 256u /* freed blocks of one size kept by a thread; a further one is freed */
#endif
#define SIZE_STEP  64u /* sizes are rounded up to multiples of this */
#define SIZE_COUNT 16u /* the largest kept is SIZE_STEP * SIZE_COUNT bytes */

typedef struct block {
    struct block *next;
} block_t;
typedef struct cache {
    block_t *first[SIZE_COUNT];
    uint32_t count[SIZE_COUNT];
} cache_t;
static _Thread_local cache_t cache;

void *
memory_take(size_t size)
{
    size_t which = (size - 1) / SIZE_STEP;
    if (which < SIZE_COUNT && cache.first[which] != NULL) {
        block_t *block = cache.first[which];
        cache.first[which] = block->next;
        cache.count[which]--;
        return block;
    }
    return got(malloc((which + 1) * SIZE_STEP), size);
}

void
memory_give(void *memory, size_t size)
{
    size_t which = (size - 1) / SIZE_STEP;
    if (which < SIZE_COUNT && cache.count[which] < CACHED_MAX) {
        block_t *block = memory;
        block->next = cache.first[which];
        cache.first[which] = block;
        cache.count[which]++;
    } else {
        free(memory);
    }
}

void
memory_thread_ends(void)
{
    for (uint32_t which = 0; which < SIZE_COUNT; which++) {
        for (block_t *block; (block = cache.first[which]) != NULL;) {
            cache.first[which] = block->next;
            free(block);
        }
        cache.count[which] = 0;
    }
}

static envelope_t *
take_memory(uint32_t record_bytes)
{
    return memory_take(sizeof(envelope_t) + record_bytes);
}

static void
give_memory(envelope_t *envelope)
{
    memory_give(envelope, sizeof *envelope + envelope->size);
}

envelope_t *
envelope_new(envelope_kind_t kind, actor_ref_t from, actor_ref_t to, const record_type_t *type,
             const void *record, uint32_t size)
{
    envelope_t *envelope = take_memory(size);
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
    envelope_t *moved = take_memory(take_envelope->size);
    memcpy(moved, take_envelope, sizeof *take_envelope + take_envelope->size);
    envelope_spoil(take_envelope->record, take_envelope->size);
    give_memory(take_envelope);
    return moved;
}

void
envelope_pack(envelope_t *take_envelope, void *memory)
{
    memcpy(memory, take_envelope, sizeof *take_envelope + take_envelope->size);
    give_memory(take_envelope);
}

envelope_t *
envelope_unpack(const envelope_t *packed)
{
    envelope_t *envelope = take_memory(packed->size);
    memcpy(envelope, packed, sizeof *packed + packed->size);
    return envelope;
}

void
envelope_drop_packed(envelope_t *packed)
{
    if (packed->resource != NULL && packed->drop != NULL) {
        packed->drop(packed->resource);
    }
}

void
envelope_free(envelope_t *envelope)
{
    if (envelope == NULL) {
        return;
    }
    envelope_drop_packed(envelope);
    give_memory(envelope);
}

void
envelope_destroy(envelope_t **envelope)
{
    envelope_free(*envelope);
    *envelope = NULL;
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
        "tell",    "ask",     "reply", "timer",  "down",    "job",   "init", "stop", "cycle",
        "restart", "give-up", "pause", "resume", "monitor", "ended", "late", "back"};
    snprintf(text, size, "%s %s %s#%u -> %s#%u%s%s", kinds[envelope->kind],
             envelope->type == NULL ? "" : envelope->type->name,
             class_name_at(core, envelope->from), envelope->from.index,
             class_name_at(core, envelope->to), envelope->to.index, envelope->err == OK ? "" : " ",
             envelope->err == OK ? "" : err_word(envelope->err));
    return text;
}
