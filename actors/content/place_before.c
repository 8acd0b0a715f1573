/* place_before.c - see place_before.h.
 *
 * Bytes    those of ROOT/PACKAGE/<version>, which was placed and may have drifted since.
 * A crash  changes nothing here: this reads only.
 */
#include "actors/content/place_before.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "actors/content/chunker.h"
#include "actors/content/lack_before.h"
#include "actors/content/pack.h"

#define NAME_BYTES 256u /* of a name in a directory, with the closing NUL */

typedef struct chunk {
    digest_t digest;
    uint64_t at;
    uint32_t size;
} chunk_t;

struct place_before {
    world_t *world;
    store_t *store;
    int tree;     /* the directory of the version in place */
    digest_t top; /* its node */
    int file;     /* the one that was found; -1: none */
    chunk_t *chunk;
    size_t count; /* rising by digest */
};

/* ---- what stands at the point ---- */

static int
open_version(const place_job_t *job, const receipt_t *receipt)
{
    char name[RECEIPT_DIRECTORY_BYTES];
    int package = -1;
    if (place_open_package(job->point, receipt->package, &package, NULL) != OK) {
        return -1;
    }
    int tree = world_open(job->world, package, receipt_directory(receipt, name), PLACE_DIRECTORY, 0,
                          PLACE_HOW);
    world_close(job->world, package);
    return tree;
}

place_before_t *
place_before_new(const place_job_t *job, const char *package)
{
    receipt_t receipt;
    if (receipt_read(job->point, package, &receipt, NULL) != OK) {
        return NULL;
    }
    digest_t top = lack_before_top(job->store, &receipt.root);
    int tree = digest_is_none(&top) ? -1 : open_version(job, &receipt);
    place_before_t *before = tree < 0 ? NULL : calloc(1, sizeof *before);
    if (before == NULL) {
        if (tree >= 0) {
            world_close(job->world, tree);
        }
        return NULL;
    }
    *before = (place_before_t){
        .world = job->world, .store = job->store, .tree = tree, .top = top, .file = -1};
    return before;
}

static void
forget_file(place_before_t *before)
{
    if (before->file >= 0) {
        world_close(before->world, before->file);
    }
    free(before->chunk);
    before->file = -1;
    before->chunk = NULL;
    before->count = 0;
}

void
place_before_destroy(place_before_t **before)
{
    place_before_t *old = *before;
    if (old != NULL) {
        forget_file(old);
        world_close(old->world, old->tree);
        free(old);
        *before = NULL;
    }
}

/* ---- a file of it ---- */

/* The object of the file of this path; no digest: there is none. */
static digest_t
object_of(const place_before_t *before, const char *path, const tree_entry_t *entry)
{
    digest_t at = before->top;
    for (;;) {
        size_t length = strcspn(path, "/");
        bool last = path[length] == '\0';
        char name[NAME_BYTES] = "";
        tree_entry_t wanted = *entry;
        lack_before_t node;
        memcpy(name, path, length < sizeof name ? length : 0);
        wanted.name = name;
        wanted.kind = last ? TREE_FILE : TREE_DIRECTORY;
        lack_before_begin(before->store, &at, &node);
        at = *lack_before_of(&node, &wanted);
        free(node.node);
        if (last || digest_is_none(&at)) {
            return at;
        }
        path += length + 1;
    }
}

static int
by_digest(const void *a, const void *b)
{
    return memcmp(&((const chunk_t *) a)->digest, &((const chunk_t *) b)->digest, sizeof(digest_t));
}

static bool
read_list(place_before_t *before, const digest_t *object)
{
    uint8_t *list = NULL;
    size_t size = 0;
    bool reads = store_list(before->store, object, &list, &size, NULL) == OK;
    size_t count = reads ? size / LIST_ROW_BYTES : 0;
    before->chunk =
        count == 0 || count > BEFORE_CHUNKS_MAX ? NULL : calloc(count, sizeof before->chunk[0]);
    uint64_t at = 0;
    for (size_t i = 0; before->chunk != NULL && i < count; i++) {
        list_row_t row = list_row_decode(list + i * LIST_ROW_BYTES);
        before->chunk[before->count++] = (chunk_t){row.digest, at, row.size};
        at += row.size;
    }
    free(list);
    if (before->count > 0) {
        qsort(before->chunk, before->count, sizeof before->chunk[0], by_digest);
    }
    return before->count > 0;
}

/* O_NONBLOCK: a fifo that took the file's place must not hold us. */
static bool
open_file(place_before_t *before, const char *path)
{
    world_stat_t stat;
    before->file = world_open(before->world, before->tree, path,
                              O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY, 0, PLACE_HOW);
    return before->file >= 0 && world_stat(before->world, before->file, &stat) == 0 &&
           S_ISREG(stat.mode);
}

bool
place_before_find(place_before_t *before, const char *path, const tree_entry_t *entry)
{
    if (before == NULL || entry->size <= CHUNK_BYTES_MAX) {
        return false;
    }
    forget_file(before);
    digest_t object = object_of(before, path, entry);
    bool found = !digest_is_none(&object) && read_list(before, &object) && open_file(before, path);
    if (!found) {
        forget_file(before);
    }
    return found;
}

/* ---- lending ---- */

static const chunk_t *
chunk_of(const place_before_t *before, const digest_t *digest, uint32_t size)
{
    const chunk_t wanted = {.digest = *digest};
    const chunk_t *chunk =
        bsearch(&wanted, before->chunk, before->count, sizeof before->chunk[0], by_digest);
    return chunk != NULL && chunk->size == size ? chunk : NULL;
}

static bool
has_chunk(void *context, const digest_t *digest, uint32_t size)
{
    return chunk_of(context, digest, size) != NULL;
}

/* The file may have become shorter. */
static bool
fill_chunk(void *context, const digest_t *digest, uint8_t *bytes, uint32_t size)
{
    const place_before_t *before = context;
    const chunk_t *chunk = chunk_of(before, digest, size);
    uint32_t done = 0;
    for (int64_t got = 1; done < size && got > 0; done += got > 0 ? (uint32_t) got : 0) {
        got = world_read(before->world, before->file, bytes + done, size - done, chunk->at + done);
    }
    return done == size;
}

void
place_before_lend(place_before_t *before, store_t *store)
{
    store_lend(store, (store_lender_t){has_chunk, fill_chunk, before});
}
