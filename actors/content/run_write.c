/* run_write.c - making one run, entry by entry.
 *
 * Bytes    ".<name>.new" until it is whole and synced; see run.h.
 * A crash  leaves a ".new" file, which store_recover removes, or the whole run.
 */
#include <assert.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include "actors/content/big_endian.h"
#include "actors/content/check64.h"
#include "actors/content/fail.h"
#include "actors/content/run.h"
#include "actors/content/run_inner.h"
#include "actors/content/sieve.h"
#include "actors/content/sync_points.h"
#include "actors/content/write_all.h"

#define BUFFER_PAGES 64u
#define FIRST_PAGES  64u

static void
name_new(const run_writer_t *writer, char name[RUN_NAME_BYTES + 8])
{
    snprintf(name, RUN_NAME_BYTES + 8, ".%s.new", writer->name);
}

bool
run_name_is(const char *name)
{
    size_t size = strlen(name);
    return size == 20 && strspn(name, "0123456789abcdef") == 16 && strcmp(name + 16, ".run") == 0;
}

bool
run_name_is_new(const char *name)
{
    size_t size = strlen(name);
    return size > 5 && name[0] == '.' && strcmp(name + size - 4, ".new") == 0;
}

err_t
run_writer_begin(run_writer_t *writer, world_t *world, int dir, uint64_t id, uint64_t most,
                 fault_t *fault)
{
    *writer =
        (run_writer_t){.world = world, .dir = dir, .fd = -1, .sieve_words = sieve_words(most)};
    snprintf(writer->name, sizeof writer->name, "%016llx.run", (unsigned long long) id);
    writer->buffer = malloc(BUFFER_PAGES * RUN_PAGE_BYTES);
    writer->sieve = calloc(writer->sieve_words, sizeof writer->sieve[0]);
    if (writer->buffer == NULL || writer->sieve == NULL) {
        run_writer_drop(writer);
        return NO_MEMORY(fault, "a run of the store");
    }
    char name[RUN_NAME_BYTES + 8];
    name_new(writer, name);
    writer->fd =
        world_open(world, dir, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0600, WORLD_BENEATH);
    if (writer->fd < 0) {
        err_t err = FAIL(fault, writer->fd, "create", writer->name);
        run_writer_drop(writer);
        return err;
    }
    return OK;
}

static err_t
write_buffered(run_writer_t *writer, fault_t *fault)
{
    uint64_t at = (uint64_t) (writer->pages - writer->buffered) * RUN_PAGE_BYTES;
    size_t size = (size_t) writer->buffered * RUN_PAGE_BYTES;
    int result = write_all(writer->world, writer->fd, writer->buffer, size, at);
    writer->buffered = 0;
    return result < 0 ? FAIL(fault, result, "write", writer->name) : OK;
}

static err_t
note_first(run_writer_t *writer, fault_t *fault)
{
    if (writer->pages == writer->capacity) {
        size_t capacity = writer->capacity == 0 ? FIRST_PAGES : writer->capacity * 2;
        uint64_t *first = realloc(writer->first, capacity * sizeof first[0]);
        if (first == NULL) {
            return NO_MEMORY(fault, writer->name);
        }
        writer->first = first;
        writer->capacity = capacity;
    }
    memcpy(&writer->first[writer->pages], writer->entry[0].digest.byte, sizeof writer->first[0]);
    return OK;
}

static err_t
end_page(run_writer_t *writer, fault_t *fault)
{
    if (writer->count == 0) {
        return OK;
    }
    TRY(note_first(writer, fault));
    run_page_encode(writer->entry, writer->count, writer->pages,
                    writer->buffer + (size_t) writer->buffered * RUN_PAGE_BYTES);
    writer->count = 0;
    writer->pages++;
    writer->buffered++;
    return writer->buffered == BUFFER_PAGES ? write_buffered(writer, fault) : OK;
}

err_t
run_writer_add(run_writer_t *writer, const run_entry_t *entry, fault_t *fault)
{
    /* The last entry stays in entry[] when its page has been written. */
    if (writer->entries > 0) {
        uint32_t last = writer->count == 0 ? RUN_PAGE_ENTRIES - 1 : writer->count - 1;
        int order = run_entry_order(&writer->entry[last], entry);
        assert(order <= 0);
        if (order == 0) {
            return OK;
        }
    }
    writer->entry[writer->count++] = *entry;
    writer->entries++;
    sieve_add(writer->sieve, writer->sieve_words, &entry->digest);
    return writer->count == RUN_PAGE_ENTRIES ? end_page(writer, fault) : OK;
}

static void
encode_sieve(run_writer_t *writer)
{
    for (uint32_t i = 0; i < writer->sieve_words; i++) {
        put_u64((uint8_t *) &writer->sieve[i], writer->sieve[i]);
    }
}

static void
encode_tail(const run_writer_t *writer, uint8_t tail[RUN_TAIL_BYTES])
{
    memset(tail, 0, RUN_TAIL_BYTES);
    memcpy(tail, RUN_TAIL_MARK, 6);
    put_u16(tail + 6, RUN_FORMAT);
    put_u64(tail + 8, writer->entries);
    put_u64(tail + 16, writer->pages);
    put_u64(tail + 24, check64(writer->first, writer->pages * sizeof writer->first[0]));
    put_u64(tail + 32, writer->sieve_words);
    put_u64(tail + 40, check64(writer->sieve, writer->sieve_words * sizeof writer->sieve[0]));
    put_u64(tail + 56, check64(tail, 56));
}

static int
write_next(run_writer_t *writer, const void *bytes, size_t size, uint64_t *at)
{
    int result = write_all(writer->world, writer->fd, bytes, size, *at);
    *at += size;
    return result;
}

static err_t
write_rest(run_writer_t *writer, fault_t *fault)
{
    uint8_t tail[RUN_TAIL_BYTES];
    TRY(end_page(writer, fault));
    TRY(write_buffered(writer, fault));
    uint64_t at = (uint64_t) writer->pages * RUN_PAGE_BYTES;
    encode_sieve(writer);
    encode_tail(writer, tail);
    int result = write_next(writer, writer->first, writer->pages * sizeof writer->first[0], &at);
    result = result < 0 ? result
                        : write_next(writer, writer->sieve,
                                     writer->sieve_words * sizeof writer->sieve[0], &at);
    result = result < 0 ? result : write_next(writer, tail, sizeof tail, &at);
    result = result < 0 ? result : sync_point_file(writer->world, SYNC_RUN_DATA, writer->fd);
    return result < 0 ? FAIL(fault, result, "write", writer->name) : OK;
}

err_t
run_writer_finish(run_writer_t *writer, fault_t *fault)
{
    err_t err = write_rest(writer, fault);
    char name[RUN_NAME_BYTES + 8];
    name_new(writer, name);
    if (err == OK) {
        int result = world_rename(writer->world, writer->dir, name, writer->dir, writer->name);
        err = result < 0 ? FAIL(fault, result, "rename", writer->name) : OK;
    }
    if (err == OK) {
        world_close(writer->world, writer->fd);
        writer->fd = -1;
    }
    run_writer_drop(writer);
    return err;
}

void
run_writer_drop(run_writer_t *writer)
{
    char name[RUN_NAME_BYTES + 8];
    if (writer->fd >= 0) {
        name_new(writer, name);
        world_close(writer->world, writer->fd);
        (void) world_remove(writer->world, writer->dir, name);
    }
    free(writer->first);
    free(writer->sieve);
    free(writer->buffer);
    writer->first = NULL;
    writer->sieve = NULL;
    writer->buffer = NULL;
    writer->fd = -1;
}
