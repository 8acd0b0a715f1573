/* place_ahead_names.c - where in a tree under way belongs what is listed as lacking. */
#include <stdlib.h>
#include <string.h>

#include "actors/content/place_ahead_inner.h"

#define NAME_BYTES_MIN 64u

place_ahead_t *
place_ahead_new(const place_ahead_order_t *order)
{
    place_ahead_t *ahead = calloc(1, sizeof *ahead);
    if (ahead == NULL) {
        return NULL;
    }
    ahead->small = malloc(AGENT_RANGES_MAX * sizeof ahead->small[0]);
    ahead->row = malloc(AHEAD_ROWS * sizeof ahead->row[0]);
    ahead->slot = calloc(AHEAD_SLOTS, sizeof ahead->slot[0]);
    ahead->tree = ahead->dir = -1;
    if (ahead->small == NULL || ahead->row == NULL || ahead->slot == NULL ||
        !slice_copy(order->root, ahead->root, sizeof ahead->root) ||
        !slice_copy(order->package, ahead->package, sizeof ahead->package)) {
        place_ahead_drop(ahead);
        return NULL;
    }
    ahead->site = order->site;
    ahead->point = order->point;
    ahead->order = (place_order_t){.package = ahead->package,
                                   .incarnation = order->incarnation,
                                   .epoch = order->epoch,
                                   .root = order->version,
                                   .read_only = order->read_only};
    return ahead;
}

static void
free_large(ahead_file_t *file)
{
    hash_destroy(&file->hash);
    free(file->path);
    free(file);
}

void
place_ahead_drop(void *dropped)
{
    place_ahead_t *ahead = dropped;
    if (ahead == NULL) {
        return;
    }
    if (ahead->tree >= 0) {
        world_close(ahead->lasting, ahead->tree);
    }
    if (ahead->dir >= 0) {
        world_close(ahead->lasting, ahead->dir); /* of a job that was lost */
    }
    for (uint32_t i = 0; i < ahead->larges; i++) {
        free_large(ahead->large[i]);
    }
    free(ahead->directory);
    free(ahead->text);
    free(ahead->small);
    free(ahead->row);
    free(ahead->slot);
    free(ahead->written);
    free(ahead);
}

/* Of the large files those that were begun go on. */
static void
keep_begun(place_ahead_t *ahead)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < ahead->larges; i++) {
        ahead_file_t *file = ahead->large[i];
        if (file->begun && !file->over) {
            ahead->large[kept++] = file;
        } else {
            free_large(file);
        }
    }
    ahead->larges = kept;
}

void
place_ahead_look(place_ahead_t *ahead)
{
    if (ahead == NULL) {
        return;
    }
    keep_begun(ahead);
    ahead->directories = 1;
    ahead->text_size = ahead->smalls = ahead->rows = 0;
    ahead->entry = NULL;
    ahead->listed = (digest_t){{0}};
    memset(ahead->slot, 0, AHEAD_SLOTS * sizeof ahead->slot[0]);
}

void
place_ahead_lacks(place_ahead_t *ahead, uint64_t bytes)
{
    if (ahead != NULL) {
        ahead->lacks = bytes;
    }
}

/* ---- names ---- */

/* Room for more of them, while there may be. */
static bool
grow(void **items, uint32_t *room, uint64_t needed, size_t bytes, uint32_t max)
{
    if (needed <= *room) {
        return true;
    }
    uint64_t more = *room < NAME_BYTES_MIN ? NAME_BYTES_MIN : 2ull * *room;
    more = more < needed ? needed : more;
    more = more > max ? max : more;
    void *larger = needed <= max ? realloc(*items, more * bytes) : NULL;
    if (larger == NULL) {
        return false;
    }
    *items = larger;
    *room = (uint32_t) more;
    return true;
}

static bool
add_text(place_ahead_t *ahead, const char *name, uint32_t *ret_text)
{
    size_t size = strlen(name) + 1;
    if (!grow((void **) &ahead->text, &ahead->text_room, (uint64_t) ahead->text_size + size, 1,
              AHEAD_TEXT)) {
        return false;
    }
    memcpy(ahead->text + ahead->text_size, name, size);
    *ret_text = ahead->text_size;
    ahead->text_size += (uint32_t) size;
    return true;
}

uint32_t
place_ahead_directory(place_ahead_t *ahead, uint32_t parent, const char *name)
{
    uint32_t text = 0;
    if (ahead == NULL || ahead->over || parent == AHEAD_NOWHERE ||
        !grow((void **) &ahead->directory, &ahead->directories_room, ahead->directories + 1ull,
              sizeof ahead->directory[0], AHEAD_DIRECTORIES_MAX) ||
        !add_text(ahead, name, &text)) {
        return AHEAD_NOWHERE;
    }
    ahead->directory[ahead->directories] = (ahead_directory_t){.parent = parent, .text = text};
    return ahead->directories++;
}

bool
ahead_path(const place_ahead_t *ahead, uint32_t directory, char path[AHEAD_PATH_BYTES_MAX + 1])
{
    size_t at = AHEAD_PATH_BYTES_MAX; /* from its end to its begin */
    path[at] = '\0';
    for (; directory != AHEAD_TOP; directory = ahead->directory[directory].parent) {
        const char *name = ahead->text + ahead->directory[directory].text;
        size_t size = strlen(name);
        bool is_last = path[at] == '\0';
        if (size + !is_last > at) {
            return false;
        }
        at -= !is_last;
        path[at] = is_last ? path[at] : '/';
        at -= size;
        memcpy(path + at, name, size);
    }
    memmove(path, path + at, AHEAD_PATH_BYTES_MAX + 1 - at);
    return true;
}

/* ---- what is listed ---- */

static uint32_t *
slot_of(const place_ahead_t *ahead, const digest_t *digest)
{
    uint32_t at;
    memcpy(&at, digest->byte, sizeof at);
    for (at %= AHEAD_SLOTS;; at = (at + 1) % AHEAD_SLOTS) {
        uint32_t *slot = &ahead->slot[at];
        if (*slot == 0 || digest_equal(&ahead->row[*slot - 1].digest, digest)) {
            return slot;
        }
    }
}

ahead_row_t *
ahead_first(const place_ahead_t *ahead, const digest_t *object)
{
    uint32_t row = *slot_of(ahead, object);
    return row == 0 ? NULL : &ahead->row[row - 1];
}

ahead_row_t *
ahead_next(const place_ahead_t *ahead, const ahead_row_t *row)
{
    return row->next == 0 ? NULL : &ahead->row[row->next - 1];
}

/* Digests in use stay below AGENT_RANGES_MAX, half of the slots: one for each range. */
static bool
add_row(place_ahead_t *ahead, const digest_t *digest, uint64_t at, ahead_file_t *file)
{
    if (ahead->rows == AHEAD_ROWS) {
        return false;
    }
    uint32_t *slot = slot_of(ahead, digest);
    ahead->row[ahead->rows] =
        (ahead_row_t){.digest = *digest, .at = at, .file = file, .next = *slot};
    *slot = ++ahead->rows;
    return true;
}

void
place_ahead_look_at(place_ahead_t *ahead, uint32_t directory, const tree_entry_t *entry)
{
    if (ahead != NULL) {
        bool known = !ahead->over && directory != AHEAD_NOWHERE && entry->kind == TREE_FILE;
        ahead->entry = known ? entry : NULL;
        ahead->entry_in = directory;
    }
}

static ahead_file_t
file_of(const place_ahead_t *ahead)
{
    const tree_entry_t *entry = ahead->entry;
    return (ahead_file_t){.digest = entry->digest,
                          .size = entry->size,
                          .mtime_ns = entry->mtime_ns,
                          .mode = place_mode(entry->mode, ahead->order.read_only),
                          .directory = ahead->entry_in};
}

/* A range of all of the entry is a small file; one of a chunk is heard of again. */
void
place_ahead_listed(place_ahead_t *ahead, const transfer_range_t *range)
{
    if (ahead == NULL || ahead->entry == NULL || range->list) {
        return;
    }
    ahead->listed = range->object;
    if (!digest_equal(&range->object, &ahead->entry->digest) || range->from > 0 ||
        range->size != ahead->entry->size || range->size > DELTA_BYTES_MAX ||
        ahead->smalls == AGENT_RANGES_MAX) {
        return;
    }
    ahead_file_t *file = &ahead->small[ahead->smalls];
    *file = file_of(ahead);
    if (add_text(ahead, ahead->entry->name, &file->text) &&
        add_row(ahead, &file->digest, 0, file)) {
        ahead->smalls++;
    }
}

static ahead_file_t *
new_large(place_ahead_t *ahead)
{
    char path[AHEAD_PATH_BYTES_MAX + 1];
    ahead_file_t *file = calloc(1, sizeof *file + AHEAD_EARLY_MAX * sizeof file->early[0]);
    if (file == NULL || ahead->larges == AGENT_LISTS_MAX ||
        !ahead_path(ahead, ahead->entry_in, path)) {
        free(file);
        return NULL;
    }
    *file = file_of(ahead);
    size_t size = strlen(path) + 1, name = strlen(ahead->entry->name) + 1;
    file->path = malloc(size + name);
    if (file->path == NULL) {
        free(file);
        return NULL;
    }
    memcpy(file->path, path, size);
    file->name = memcpy(file->path + size, ahead->entry->name, name);
    file->large = true;
    file->early = (ahead_extent_t *) (file + 1);
    file->known = ahead->sealed || hash_new(&file->hash) == OK;
    if (file->hash != NULL) {
        hash_begin(file->hash);
    }
    ahead->large[ahead->larges++] = file;
    return file;
}

/* One that was begun by the list that its version names, and goes on by another one, is not known
 * any more. */
static ahead_file_t *
large_of(place_ahead_t *ahead)
{
    for (uint32_t i = ahead->larges; i > 0; i--) {
        ahead_file_t *file = ahead->large[i - 1];
        if (digest_equal(&file->digest, &ahead->entry->digest)) {
            file->known = file->known && (ahead->sealed || file->hash != NULL);
            return file;
        }
    }
    return new_large(ahead);
}

void
place_ahead_sealed(place_ahead_t *ahead, bool sealed)
{
    if (ahead != NULL) {
        ahead->sealed = sealed;
    }
}

/* What comes is put wherever the file has it. One of which something was there before it was begun
 * would have a gap: it is left to the placement. */
void
place_ahead_chunk(place_ahead_t *ahead, const list_row_t *row, uint64_t at, bool is_there)
{
    if (ahead == NULL || ahead->entry == NULL) {
        return;
    }
    ahead_file_t *file = large_of(ahead);
    if (file == NULL || file->over || (is_there && file->begun)) {
        return;
    }
    const ahead_row_t *first = ahead_first(ahead, &row->digest);
    bool comes = digest_equal(&ahead->listed, &row->digest) || first != NULL;
    if (is_there || (comes && !add_row(ahead, &row->digest, at, file))) {
        file->over = true;
    }
}
