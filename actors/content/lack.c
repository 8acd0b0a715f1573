/* lack.c - see lack.h. */
#include "actors/content/lack.h"

#include <stdlib.h>
#include <string.h>

#include "actors/content/fail.h"
#include "actors/content/lack_before.h"
#include "actors/content/manifest.h"
#include "actors/content/pack.h"
#include "proto/limits.h"

static const digest_t no_digest;

#define SLOTS_FIRST 65536u /* of the set of what is lacking; it doubles when half of it is taken */

/* A directory, and what stood in its place in the version before; none: nothing that is there. */
typedef struct then_and_now {
    digest_t node, old;
    uint32_t directory; /* of lack->ahead */
} then_and_now_t;

typedef struct search {
    store_t *store;
    staging_t *staging;
    lack_t *lack;
    then_and_now_t *node; /* directories to be looked into */
    size_t count, capacity;
    uint64_t *lacking; /* the first 8 bytes of each digest that was counted; 0: a free slot */
    size_t lacking_count, slots;
    uint32_t large;  /* lacking files whose lists are there or were asked for */
    digest_t *whole; /* of them, those that are in the store since: AGENT_LISTS_MAX */
    uint32_t whole_count;
    bool waits;  /* there are more */
    bool marked; /* what is named before the mark is passed over, and it ends where it is full */
    bool rest;   /* what is named behind `until` is: it was looked at just now */
    lack_mark_t until;
    bool full;        /* something is lacking that was not listed */
    bool unclean;     /* something is lacking that the ranges do not bring, or not all of it */
    bool blind;       /* a directory is lacking: nobody knows what is in it */
    lack_mark_t mark; /* how far it has come while nothing was unclean */
    digest_t list;    /* of the entry in hand, what the version says of its chunks; or none */
    fault_t *fault;
} search_t;

static uint64_t *
slot_of(const search_t *search, uint64_t name)
{
    size_t at = (size_t) (name >> 3) % search->slots;
    while (search->lacking[at] != 0 && search->lacking[at] != name) {
        at = (at + 1) % search->slots;
    }
    return &search->lacking[at];
}

static err_t
grow(search_t *search)
{
    uint64_t *old = search->lacking;
    size_t slots = search->slots;
    search->slots = slots == 0 ? SLOTS_FIRST : slots * 2;
    search->lacking = calloc(search->slots, sizeof search->lacking[0]);
    if (search->lacking == NULL) {
        free(old);
        return NO_MEMORY(search->fault, "what is lacking");
    }
    for (size_t i = 0; i < slots; i++) {
        if (old[i] != 0) {
            *slot_of(search, old[i]) = old[i];
        }
    }
    free(old);
    return OK;
}

/* Whether it was counted before; if not, it is from now on, while there is room. Two that begin
 * with the same 8 bytes are taken for one: the other is found lacking in the next look. */
static err_t
is_counted(search_t *search, const digest_t *object, bool *ret_counted)
{
    uint64_t name;
    memcpy(&name, object->byte, sizeof name);
    name = name == 0 ? 1 : name;
    bool has_room = search->lacking_count < LACK_NAMES_MAX;
    if (has_room && search->lacking_count * 2 >= search->slots) {
        TRY(grow(search));
    }
    uint64_t *slot = slot_of(search, name);
    *ret_counted = *slot == name;
    if (has_room && *slot != name) {
        search->lacking_count++;
        *slot = name;
    }
    return OK;
}

static bool
has_room(const lack_t *lack, uint64_t bytes)
{
    return lack->count < lack->max && (lack->count == 0 || lack->listed + bytes <= lack->bytes_max);
}

/* One more range, as far as there is room. */
static void
add_range(lack_t *lack, const transfer_range_t *range, uint64_t bytes)
{
    lack->bytes += bytes;
    if (has_room(lack, bytes)) {
        lack->range[lack->count++] = *range;
        lack->listed += bytes;
        place_ahead_listed(lack->ahead, range);
    }
}

/* The object by its bytes, from what is staged of it on; that is looked at where it is asked for
 * only: a version may have 1,000,000 files, and a file of 50 GiB has 200,000 chunks. */
static err_t
list_bytes(search_t *search, const digest_t *object, uint64_t size, const digest_t *base)
{
    uint64_t there = 0;
    if (!has_room(search->lack, size)) {
        search->lack->bytes += size;
        search->full = search->unclean = true;
        return OK;
    }
    TRY(staging_size(search->staging, object, &there, search->fault));
    if (there > 0 && there == size) {
        there--; /* all of it is there, and was not named: its last byte comes again */
    }
    there = there < size ? there : 0; /* longer than the object: written anew */
    add_range(search->lack,
              &(transfer_range_t){*object, there, size - there, there == 0 ? *base : no_digest, 0},
              size - there);
    return OK;
}

static err_t
list_chunk(search_t *search, const list_row_t *row, const digest_t *base)
{
    bool counted = false;
    TRY(is_counted(search, &row->digest, &counted));
    return counted ? OK : list_bytes(search, &row->digest, row->size, base);
}

/* Of a list, the chunks that are not there. */
static err_t
list_chunks(search_t *search, const staging_list_t *list, const digest_t *base,
            uint32_t *ret_lacking)
{
    uint64_t at = 0;
    *ret_lacking = 0;
    for (size_t i = 0; i < list->size; i += LIST_ROW_BYTES) {
        list_row_t row = list_row_decode(list->rows + i);
        bool has = false;
        TRY(store_has(search->store, &row.digest, &has, search->fault));
        *ret_lacking += !has;
        TRY(has ? OK : list_chunk(search, &row, base));
        place_ahead_chunk(search->lack->ahead, &row, at, has);
        at += row.size;
    }
    return OK;
}

/* All chunks are there. One that proves damaged is lacking from now on; a list that is not the
 * file's is no good. */
static err_t
put_whole(search_t *search, const transfer_range_t *file, const staging_list_t *list)
{
    slice_t rows = {(const char *) list->rows, list->size};
    digest_t bad;
    uint32_t lacking = 0;
    err_t err = store_put_list(search->store, &file->object, rows, &bad, search->fault);
    if (err == OK) {
        search->whole[search->whole_count++] = file->object;
        return OK;
    }
    if (err != ERR_DIGEST && err != ERR_NOT_STORED) {
        return err;
    }
    if (!digest_is_none(&bad)) {
        return list_chunks(search, list, &file->base, &lacking);
    }
    TRY(staging_refuse_list(search->staging, &file->object, search->fault));
    return list_bytes(search, &file->object, file->size, &file->base);
}

/* Whether the version itself names this list. */
static err_t
look_at_seal(search_t *search, const staging_list_t *list)
{
    digest_t found;
    TRY(manifest_digest(list->rows, list->size, &found));
    place_ahead_sealed(search->lack->ahead, digest_equal(&found, &search->list));
    return OK;
}

static err_t
list_by_chunks(search_t *search, const transfer_range_t *file, const staging_list_t *list)
{
    uint32_t lacking = 0;
    if (list_check(list->rows, list->size, file->size) != OK) {
        TRY(list->size > 0 ? staging_refuse_list(search->staging, &file->object, search->fault)
                           : OK);
        return list_bytes(search, &file->object, file->size, &file->base);
    }
    TRY(look_at_seal(search, list));
    TRY(list_chunks(search, list, &file->base, &lacking));
    bool puts = lacking == 0 && search->lack->each == NULL;
    return puts ? put_whole(search, file, list) : OK;
}

/* By its chunks, unless it was begun as a whole, or has no list. Few at a time: the rest waits. */
static err_t
list_large(search_t *search, const digest_t *object, uint64_t size, const digest_t *base)
{
    staging_list_t list;
    uint64_t there = 0;
    search->unclean = true;
    TRY(staging_size(search->staging, object, &there, search->fault));
    if (there > 0) {
        return search->lack->nodes ? OK : list_bytes(search, object, size, base);
    }
    if (search->large == AGENT_LISTS_MAX) {
        search->waits = true;
        search->lack->bytes += size;
        return OK;
    }
    search->large++;
    TRY(staging_list(search->staging, object, &list, search->fault));
    if (!list.known) {
        add_range(search->lack, &(transfer_range_t){*object, 0, 0, no_digest, true}, 0);
        search->lack->bytes += size;
        return OK;
    }
    err_t err = OK;
    if (!search->lack->nodes) {
        err = list_by_chunks(search, &(transfer_range_t){*object, 0, size, *base, 0}, &list);
    }
    free(list.rows);
    return err;
}

/* size 0: nobody has said yet how large it is. A node comes by its bytes, however many those are:
 * the site keeps it as one record. */
static err_t
list(search_t *search, const digest_t *object, uint64_t size, const digest_t *base, bool is_node)
{
    lack_t *lack = search->lack;
    bool counted = false;
    TRY(is_counted(search, object, &counted));
    if (counted) {
        return OK;
    }
    if (lack->each != NULL && lack->each(lack->context, object, size) != OK) {
        return NO_MEMORY(search->fault, "what is lacking");
    }
    return size > DELTA_BYTES_MAX && !is_node ? list_large(search, object, size, base)
                                              : list_bytes(search, object, size, base);
}

/* Whether it is there; if not, it is listed. */
static err_t
look_for(search_t *search, const digest_t *object, uint64_t size, const digest_t *base,
         bool is_node, bool *ret_has)
{
    search->lack->looks++;
    TRY(store_has(search->store, object, ret_has, search->fault));
    return *ret_has ? OK : list(search, object, size, base, is_node);
}

/* Nodes that name each other, twice each, say, are few, and lead to more directories than there are
 * atoms: a site that is none of ours, or has gone mad, sends them in a moment. */
static err_t
push(search_t *search, const digest_t *node, const digest_t *old, uint32_t directory)
{
    if (search->count == LACK_DIRECTORIES_MAX) {
        return RAISE(search->fault, ERR_TOO_LARGE, 0, "look into the directories of", "a version");
    }
    if (search->count == search->capacity) {
        size_t capacity = search->capacity == 0 ? 64 : search->capacity * 2;
        then_and_now_t *longer = realloc(search->node, capacity * sizeof *longer);
        if (longer == NULL) {
            return NO_MEMORY(search->fault, "the nodes of a version");
        }
        search->node = longer;
        search->capacity = capacity;
    }
    search->node[search->count++] = (then_and_now_t){*node, *old, directory};
    return OK;
}

/* ---- the way through the version ---- */

static err_t
look_at_entry(search_t *search, uint32_t directory, const tree_entry_t *entry, const digest_t *old)
{
    place_ahead_t *ahead = search->lack->ahead;
    bool has = true, has_base = false, is_directory = entry->kind == TREE_DIRECTORY;
    if (entry->kind == TREE_FILE && !digest_is_none(old)) {
        TRY(store_has(search->store, old, &has_base, search->fault));
    }
    if (is_directory || !search->lack->nodes || entry->size > DELTA_BYTES_MAX) {
        place_ahead_look_at(ahead, directory, entry);
        search->list = manifest_list_of(entry);
        TRY(look_for(search, &entry->digest, entry->size, has_base ? old : &no_digest, is_directory,
                     &has));
    }
    search->blind |= is_directory && !has;
    return has && is_directory ? push(search, &entry->digest, old,
                                      place_ahead_directory(ahead, directory, entry->name))
                               : OK;
}

static bool
is_before(const lack_mark_t *mark, uint64_t node, uint64_t entry)
{
    return node < mark->node || (node == mark->node && entry < mark->entry);
}

/* Whether the look before was past it, or had begun behind it. */
static bool
is_passed_over(const search_t *search, uint64_t node, uint64_t entry)
{
    return (search->marked && is_before(&search->lack->mark, node, entry)) ||
           (search->rest && !is_before(&search->until, node, entry));
}

static err_t
look_at_entries(search_t *search, uint64_t number, const void *node, lack_before_t *before)
{
    manifest_cursor_t cursor = manifest_cursor(node);
    tree_entry_t entry;
    for (uint64_t i = 0; manifest_next(&cursor, &entry) && !(search->marked && search->full); i++) {
        if (entry.kind == TREE_DIRECTORY || !is_passed_over(search, number, i)) {
            TRY(look_at_entry(search, search->node[number].directory, &entry,
                              lack_before_of(before, &entry)));
        }
        if (!search->unclean) {
            search->mark = (lack_mark_t){.node = number, .entry = i + 1};
        }
    }
    return OK;
}

static err_t
look_into(search_t *search, uint64_t number)
{
    const then_and_now_t pair = search->node[number]; /* the list may move */
    void *node = NULL;
    size_t size = 0;
    lack_before_t before;
    TRY(store_read(search->store, &pair.node, MANIFEST_NODE_BYTES_MAX, &node, &size,
                   search->fault));
    err_t err = manifest_node_check(node, size);
    err = err == OK ? OK : RAISE(search->fault, err, 0, "read", "a manifest");
    lack_before_begin(search->store, &pair.old, &before);
    err = err == OK ? look_at_entries(search, number, node, &before) : err;
    free(before.node);
    free(node);
    return err;
}

static err_t
look_at_root(search_t *search, const digest_t *root)
{
    manifest_version_t version;
    void *bytes = NULL;
    size_t size = 0;
    bool has = false;
    TRY(look_for(search, root, MANIFEST_VERSION_BYTES, &no_digest, true, &has));
    search->blind = !has;
    if (!has) {
        return OK;
    }
    TRY(store_read(search->store, root, MANIFEST_VERSION_BYTES, &bytes, &size, search->fault));
    err_t err = manifest_version_decode(bytes, size, &version);
    free(bytes);
    if (err != OK) {
        return RAISE(search->fault, err, 0, "read", "a version");
    }
    search->lack->bytes_total = version.bytes;
    TRY(look_for(search, &version.node, 0, &no_digest, true, &has));
    search->blind = !has;
    digest_t old = lack_before_top(search->store, &search->lack->have);
    return has ? push(search, &version.node, &old, AHEAD_TOP) : OK;
}

/* Durable first; then their lists are of no use. */
static err_t
end_whole(search_t *search)
{
    TRY(search->whole_count > 0 ? store_commit(search->store, search->fault) : OK);
    for (uint32_t i = 0; i < search->whole_count; i++) {
        TRY(staging_end_list(search->staging, &search->whole[i], search->fault));
    }
    return OK;
}

/* What was counted by a look that went over all of it holds until another one does. */
static void
set_mark(search_t *search)
{
    lack_t *lack = search->lack;
    if (search->marked && search->full && lack->bytes < lack->mark.rest) {
        lack->bytes = lack->mark.rest;
    }
    lack->mark = (lack_mark_t){0};
    if (!search->blind && !lack->nodes && lack->each == NULL) {
        lack->mark = search->mark;
        lack->mark.rest = lack->bytes - lack->listed;
    }
}

/* Of a manifest that comes level by level, in place of its top the directories that came last: to
 * look into all above them at each level took 3 % of an agent's time (a tree of 921 directories).
 * What did not come is listed again. */
static err_t
begin_with_what_came(search_t *search)
{
    const lack_t *lack = search->lack;
    search->count = 0;
    for (uint32_t i = 0; i < lack->came_count; i++) {
        bool has = false;
        TRY(look_for(search, &lack->came[i], 0, &no_digest, true, &has));
        search->blind |= !has;
        TRY(has ? push(search, &lack->came[i], &no_digest, AHEAD_NOWHERE) : OK);
    }
    return OK;
}

/* Whether there is one more to be looked into. */
static bool
goes_on(const search_t *search, size_t number)
{
    return number < search->count && !(search->marked && search->full) &&
           !(search->rest && number > search->until.node);
}

static err_t
look(search_t *search, const digest_t *root)
{
    search->lack->listed = search->lack->bytes = search->lack->bytes_total = 0;
    place_ahead_look(search->lack->ahead);
    err_t err = look_at_root(search, root);
    if (err == OK && search->count > 0 && search->lack->came_count > 0) {
        err = begin_with_what_came(search);
    }
    for (size_t i = 0; err == OK && goes_on(search, i); i++) {
        err = look_into(search, i);
    }
    err = err == OK ? end_whole(search) : err;
    set_mark(search);
    free(search->node);
    free(search->lacking);
    return err;
}

/* When the files that were looked at became whole, and others waited for them, those come next.
 * What a mark has passed over, or what stands above the directories that came, is looked at before
 * nothing is said to be lacking. */
err_t
lack_find(store_t *store, staging_t *staging, const digest_t *root, lack_t *lack, fault_t *fault)
{
    bool again = true, rest = false;
    lack_mark_t until = {0};
    digest_t *whole = calloc(AGENT_LISTS_MAX, sizeof *whole);
    err_t err = whole == NULL ? NO_MEMORY(fault, "what is lacking") : OK;
    lack->came_count = lack->nodes ? lack->came_count : 0;
    for (lack->count = 0, lack->looks = 0; err == OK && again && lack->count == 0;) {
        search_t search = {.store = store,
                           .staging = staging,
                           .lack = lack,
                           .whole = whole,
                           .rest = rest,
                           .until = until,
                           .fault = fault};
        search.marked = lack->mark.node > 0 || lack->mark.entry > 0;
        until = lack->mark;
        again = search.marked || lack->came_count > 0;
        err = look(&search, root);
        rest = search.marked && !search.waits;
        again = again || (search.waits && search.whole_count > 0);
        lack->mark = lack->count > 0 ? lack->mark : (lack_mark_t){0};
        lack->came_count = 0;
    }
    free(whole);
    return err;
}
