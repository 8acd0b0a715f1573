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

/* ---- memory: what a thread has freed it uses again ---- */

_Thread_local block_cache_t block_cache;

void *
memory_new(size_t size)
{
    size_t which = block_size(size);
    if (which >= BLOCK_SIZES) {
        return got(malloc(size), size);
    }
    return block_open(got(malloc(block_bytes(which)), size), size);
}

void
memory_thread_ends(void)
{
    chunks_thread_ends();
    for (uint32_t which = 0; which < BLOCK_SIZES; which++) {
        for (block_t *block; (block = block_cache.first[which]) != NULL;) {
            block_cache.first[which] = block->next;
            free(block);
        }
    }
}

envelope_t *
envelope_new(envelope_kind_t kind, actor_ref_t from, actor_ref_t to, const record_type_t *type,
             const void *record, uint32_t size)
{
    envelope_t head = {.kind = (uint8_t) kind, .size = size};
    if (!envelope_has_more(&head)) {
        return envelope_plain(kind, from, to, type, record, size);
    }
    head.type = type;
    head.from = from;
    head.to = to;
    head.attempt = 1;
    envelope_t *envelope = envelope_take(envelope_bytes(&head));
    memcpy(envelope, &head, sizeof head);
    if (size > 0) {
        memcpy(envelope->record, record, size);
    }
    *envelope_more(envelope) = (envelope_more_t){0};
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
    size_t bytes = envelope_bytes(take_envelope);
    envelope_t *moved = envelope_take(bytes);
    memcpy(moved, take_envelope, bytes);
    envelope_spoil(take_envelope->record, bytes - sizeof *take_envelope);
    envelope_give(take_envelope, bytes);
    return moved;
}

void
envelope_drop_packed(envelope_t *packed)
{
    if (packed->kind == ENV_DONE) {
        envelope_more_t *more = envelope_more(packed);
        if (more->done.resource != NULL && more->done.drop != NULL) {
            more->done.drop(more->done.resource);
        }
    }
}

void
envelope_free_more(envelope_t *envelope)
{
    if (envelope != NULL) {
        envelope_drop_packed(envelope);
        envelope_give(envelope, envelope_bytes(envelope));
    }
}

void
envelope_destroy(envelope_t **envelope)
{
    envelope_free(*envelope);
    *envelope = NULL;
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
    hash =
        mix(hash, envelope->kind == ENV_TIMER || envelope->kind == ENV_DOWN ? envelope->number : 0);
    for (const char *c = envelope->type == NULL ? "" : envelope->type->name; *c != '\0'; c++) {
        hash = mix(hash, (uint8_t) *c);
    }
    return envelope->type == NULL ? hash : record_hash(envelope->type, envelope->record, hash);
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
        "tell",    "ask",   "reply", "done",    "timer",   "down",  "job",
        "init",    "stop",  "cycle", "restart", "give-up", "pause", "resume",
        "monitor", "ended", "late",  "takes",   "back",    "batch"};
    snprintf(text, size, "%s %s %s#%u -> %s#%u%s%s", kinds[envelope->kind],
             envelope->type == NULL ? "" : envelope->type->name,
             class_name_at(core, envelope->from), envelope->from.index,
             class_name_at(core, envelope->to), envelope->to.index, envelope->err == OK ? "" : " ",
             envelope->err == OK ? "" : err_word(envelope->err));
    return text;
}
