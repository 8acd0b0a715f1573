/* store_ahead.c - bytes of packs, read ahead where they lie behind one another.
 *
 * Bytes    as they stand in packs/; what they mean is held against their digests in store_read.c.
 * A crash  changes nothing here: this reads only.
 */
#include <stdlib.h>
#include "actors/content/fail.h"
#include "actors/content/store_inner.h"

/* How much is read at once. What is large is read alone: most of what was read behind a chunk was
 * read again with the next one, or by nobody, a third of the site's reading for agents. */
#define READ_AHEAD (256u << 10)
#define LARGE      (64u << 10)

/* Reads up to size bytes of a pack; fewer where it ends. */
static int64_t
read_pack(store_t *store, uint64_t pack, uint8_t *bytes, size_t size, uint64_t offset)
{
    int fd = store_pack_fd(store, pack);
    size_t done = 0;
    if (fd < 0) {
        return fd;
    }
    while (done < size) {
        int64_t got = world_read(store->world, fd, bytes + done, size - done, offset + done);
        if (got < 0) {
            return got;
        }
        if (got == 0) {
            break;
        }
        done += (size_t) got;
    }
    return (int64_t) done;
}

void
store_forget_ahead(store_t *store)
{
    for (size_t i = 0; i < STORE_WINDOWS; i++) {
        store->window[i].size = 0;
    }
}

static bool
is_in(const window_t *window, uint64_t pack, uint64_t offset, size_t size)
{
    return window->size > 0 && window->pack == pack && offset >= window->at &&
           offset - window->at + size <= window->size;
}

/* The window that has these bytes; else the one that was used least lately, which is to be filled.
 * A version is spread over the packs of those before it: one window, filled anew at each change of
 * the pack, read 4,000 MB to place a tree of 160 MB that had changed. */
static window_t *
window_for(store_t *store, uint64_t pack, uint64_t offset, size_t size)
{
    window_t *oldest = &store->window[0];
    for (size_t i = 0; i < STORE_WINDOWS; i++) {
        window_t *window = &store->window[i];
        if (is_in(window, pack, offset, size)) {
            return window;
        }
        oldest = window->used < oldest->used ? window : oldest;
    }
    oldest->size = 0;
    return oldest;
}

/* Bytes that lie in a window already, or a window that begins with them. */
static err_t
look_ahead(store_t *store, uint64_t pack, uint64_t offset, size_t size, const uint8_t **ret_bytes,
           int64_t *ret_got, fault_t *fault)
{
    window_t *window = window_for(store, pack, offset, size);
    if (window->bytes == NULL && (window->bytes = malloc(STORE_WINDOW)) == NULL) {
        return NO_MEMORY(fault, "the store's window");
    }
    if (window->size == 0) {
        size_t most = size >= LARGE ? size : READ_AHEAD;
        int64_t got = read_pack(store, pack, window->bytes, most, offset);
        if (got < 0) {
            return store_fail(store, got, "read", "a pack of the store", fault);
        }
        window->pack = pack;
        window->at = offset;
        window->size = (size_t) got;
    }
    window->used = ++store->count;
    uint64_t at = offset - window->at;
    *ret_got = (int64_t) (window->size - at);
    *ret_bytes = window->bytes + at;
    return OK;
}

err_t
store_raw_alone(store_t *store, uint64_t pack, uint64_t offset, size_t size,
                const uint8_t **ret_bytes, int64_t *ret_got, fault_t *fault)
{
    if (buffer_reserve(&store->record, size) != OK) {
        return NO_MEMORY(fault, "a record of the store");
    }
    *ret_got = read_pack(store, pack, store->record.bytes, size, offset);
    *ret_bytes = store->record.bytes;
    return *ret_got < 0 ? store_fail(store, *ret_got, "read", "a pack of the store", fault) : OK;
}

err_t
store_raw(store_t *store, uint64_t pack, uint64_t offset, size_t size, const uint8_t **ret_bytes,
          int64_t *ret_got, fault_t *fault)
{
    return size <= STORE_WINDOW
               ? look_ahead(store, pack, offset, size, ret_bytes, ret_got, fault)
               : store_raw_alone(store, pack, offset, size, ret_bytes, ret_got, fault);
}
