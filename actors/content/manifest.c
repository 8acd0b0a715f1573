/* manifest.c - the bytes of version and directory nodes, written one way and read with doubt. */
#include "actors/content/manifest.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include "actors/content/hash.h"

#define FORMAT      1u
#define MODE_MAX    07777u
#define FIELD_HEAD  6u /* type and size of an extension field */
#define FIRST_BYTES 4096u

static const char version_mark[4] = {'D', 'S', 'P', 'V'};
static const char node_mark[4] = {'D', 'S', 'P', 'D'};

static void
put(uint8_t **at, uint64_t value, unsigned bytes)
{
    for (unsigned i = bytes; i > 0; i--) {
        *(*at)++ = (uint8_t) (value >> (8 * (i - 1)));
    }
}

static uint64_t
get(const uint8_t **at, unsigned bytes)
{
    uint64_t value = 0;
    for (unsigned i = 0; i < bytes; i++) {
        value = value << 8 | *(*at)++;
    }
    return value;
}

void
manifest_version_encode(const manifest_version_t *version,
                        uint8_t ret_bytes[MANIFEST_VERSION_BYTES])
{
    uint8_t *at = ret_bytes;
    memcpy(at, version_mark, sizeof version_mark);
    at += sizeof version_mark;
    put(&at, FORMAT, 2);
    put(&at, version->mode, 2);
    put(&at, (uint64_t) version->mtime_ns, 8);
    put(&at, version->files, 8);
    put(&at, version->directories, 8);
    put(&at, version->links, 8);
    put(&at, version->bytes, 8);
    memcpy(at, version->node.byte, sizeof version->node.byte);
    assert(at + sizeof version->node.byte == ret_bytes + MANIFEST_VERSION_BYTES);
}

err_t
manifest_version_decode(const void *bytes, size_t size, manifest_version_t *ret_version)
{
    const uint8_t *at = bytes;
    if (size < 6 || memcmp(at, version_mark, sizeof version_mark) != 0) {
        return ERR_DAMAGED;
    }
    at += sizeof version_mark;
    if (get(&at, 2) != FORMAT) {
        return ERR_UNSUPPORTED;
    }
    if (size != MANIFEST_VERSION_BYTES) {
        return ERR_DAMAGED;
    }
    manifest_version_t version = {0};
    version.mode = (uint32_t) get(&at, 2);
    version.mtime_ns = (int64_t) get(&at, 8);
    version.files = get(&at, 8);
    version.directories = get(&at, 8);
    version.links = get(&at, 8);
    version.bytes = get(&at, 8);
    memcpy(version.node.byte, at, sizeof version.node.byte);
    if (version.mode > MODE_MAX) {
        return ERR_DAMAGED;
    }
    *ret_version = version;
    return OK;
}

/* Reads an entry's fixed part and points at what follows it; the caller has checked the sizes. */
static tree_entry_t
entry_read(const uint8_t *at)
{
    tree_entry_t entry = {0};
    entry.kind = (tree_kind_t) get(&at, 1);
    at++;
    entry.mode = (uint32_t) get(&at, 2);
    entry.name_size = (uint32_t) get(&at, 2);
    at += 2;
    entry.extension_size = (uint32_t) get(&at, 4);
    entry.mtime_ns = (int64_t) get(&at, 8);
    entry.size = get(&at, 8);
    memcpy(entry.digest.byte, at, sizeof entry.digest.byte);
    entry.name = (const char *) at + sizeof entry.digest.byte;
    entry.extension = at + sizeof entry.digest.byte + entry.name_size + 1;
    return entry;
}

static size_t
entry_bytes(const tree_entry_t *entry)
{
    return (size_t) MANIFEST_ENTRY_BYTES + entry->name_size + 1 + entry->extension_size;
}

static err_t
extension_check(const uint8_t *at, size_t size)
{
    int64_t last = -1;
    while (size > 0) {
        if (size < FIELD_HEAD) {
            return ERR_DAMAGED;
        }
        int64_t type = (int64_t) get(&at, 2);
        uint64_t bytes = get(&at, 4);
        size -= FIELD_HEAD;
        if (bytes > size || type <= last) {
            return ERR_DAMAGED;
        }
        if ((type & MANIFEST_FIELD_MANDATORY) != 0) {
            return ERR_UNSUPPORTED;
        }
        at += bytes;
        size -= bytes;
        last = type;
    }
    return OK;
}

digest_t
manifest_list_of(const tree_entry_t *entry)
{
    digest_t list = {{0}};
    const uint8_t *at = entry->extension;
    for (size_t left = entry->extension_size; left > 0;) {
        uint64_t type = get(&at, 2), bytes = get(&at, 4);
        if (type == MANIFEST_FIELD_LIST && bytes == sizeof list.byte) {
            memcpy(list.byte, at, sizeof list.byte);
        }
        at += bytes;
        left -= FIELD_HEAD + (size_t) bytes;
    }
    return list;
}

void
manifest_list_field(const digest_t *list, uint8_t ret_field[MANIFEST_LIST_FIELD_BYTES])
{
    uint8_t *at = ret_field;
    put(&at, MANIFEST_FIELD_LIST, 2);
    put(&at, sizeof list->byte, 4);
    memcpy(at, list->byte, sizeof list->byte);
    assert(at + sizeof list->byte == ret_field + MANIFEST_LIST_FIELD_BYTES);
}

static bool
entry_is_sound(const tree_entry_t *entry)
{
    bool setgid = (entry->mode & 02000u) != 0;
    bool known = entry->kind >= TREE_FILE && entry->kind <= TREE_LINK;
    if (!known || entry->mode > MODE_MAX || (entry->mode & 04000u) != 0 ||
        (setgid && entry->kind != TREE_DIRECTORY)) {
        return false;
    }
    if (entry->kind == TREE_LINK && (entry->size == 0 || entry->size > TREE_LINK_BYTES_MAX)) {
        return false;
    }
    return tree_name_is_valid(entry->name, entry->name_size) &&
           memchr(entry->name, '\0', entry->name_size) == NULL &&
           entry->name[entry->name_size] == '\0';
}

/* Checks the entry at the begin of size bytes; *ret_entry is read from it. */
static err_t
entry_check(const uint8_t *at, size_t size, const char *last_name, tree_entry_t *ret_entry)
{
    if (size < MANIFEST_ENTRY_BYTES + 1) {
        return ERR_DAMAGED;
    }
    tree_entry_t entry = entry_read(at);
    if (entry.extension_size > MANIFEST_EXTENSION_BYTES_MAX || entry_bytes(&entry) > size ||
        at[1] != 0 || at[6] != 0 || at[7] != 0 || !entry_is_sound(&entry) ||
        (last_name != NULL && strcmp(last_name, entry.name) >= 0)) {
        return ERR_DAMAGED;
    }
    *ret_entry = entry;
    return extension_check(entry.extension, entry.extension_size);
}

err_t
manifest_node_check(const void *bytes, size_t size)
{
    const uint8_t *at = bytes;
    if (size < MANIFEST_HEAD_BYTES || size > MANIFEST_NODE_BYTES_MAX ||
        memcmp(at, node_mark, sizeof node_mark) != 0) {
        return ERR_DAMAGED;
    }
    at += sizeof node_mark;
    if (get(&at, 2) != FORMAT) {
        return ERR_UNSUPPORTED;
    }
    if (get(&at, 2) != 0) {
        return ERR_DAMAGED;
    }
    uint64_t count = get(&at, 4);
    size -= MANIFEST_HEAD_BYTES;
    const char *last_name = NULL;
    for (uint64_t i = 0; i < count; i++) {
        tree_entry_t entry;
        TRY(entry_check(at, size, last_name, &entry));
        at += entry_bytes(&entry);
        size -= entry_bytes(&entry);
        last_name = entry.name;
    }
    return size == 0 && count <= TREE_ENTRIES_MAX ? OK : ERR_DAMAGED;
}

uint32_t
manifest_count(const void *checked_node)
{
    const uint8_t *at = (const uint8_t *) checked_node + 8;
    return (uint32_t) get(&at, 4);
}

manifest_cursor_t
manifest_cursor(const void *checked_node)
{
    return (manifest_cursor_t){.at = (const uint8_t *) checked_node + MANIFEST_HEAD_BYTES,
                               .left = manifest_count(checked_node)};
}

bool
manifest_next(manifest_cursor_t *cursor, tree_entry_t *ret_entry)
{
    if (cursor->left == 0) {
        return false;
    }
    *ret_entry = entry_read(cursor->at);
    cursor->at += entry_bytes(ret_entry);
    cursor->left--;
    return true;
}

void
manifest_builder_init(manifest_builder_t *builder)
{
    *builder = (manifest_builder_t){.size = MANIFEST_HEAD_BYTES};
}

void
manifest_builder_release(manifest_builder_t *builder)
{
    free(builder->bytes);
    *builder = (manifest_builder_t){0};
}

static err_t
builder_reserve(manifest_builder_t *builder, size_t more)
{
    size_t need = builder->size + more;
    if (need > MANIFEST_NODE_BYTES_MAX) {
        return ERR_TOO_LARGE;
    }
    if (need <= builder->capacity) {
        return OK;
    }
    size_t capacity = builder->capacity == 0 ? FIRST_BYTES : builder->capacity * 2;
    capacity = capacity < need ? need : capacity;
    uint8_t *bytes = realloc(builder->bytes, capacity);
    if (bytes == NULL) {
        return ERR_NO_MEMORY;
    }
    builder->bytes = bytes;
    builder->capacity = capacity;
    return OK;
}

static void
entry_write(uint8_t *at, const tree_entry_t *entry)
{
    put(&at, entry->kind, 1);
    put(&at, 0, 1);
    put(&at, entry->mode, 2);
    put(&at, entry->name_size, 2);
    put(&at, 0, 2);
    put(&at, entry->extension_size, 4);
    put(&at, (uint64_t) entry->mtime_ns, 8);
    put(&at, entry->size, 8);
    memcpy(at, entry->digest.byte, sizeof entry->digest.byte);
    at += sizeof entry->digest.byte;
    memcpy(at, entry->name, entry->name_size);
    at += entry->name_size;
    put(&at, 0, 1);
    if (entry->extension_size > 0) {
        memcpy(at, entry->extension, entry->extension_size);
    }
}

/* What was written is read back through the decoder's own check, so that nothing leaves here that
 * would not come in again. */
err_t
manifest_builder_add(manifest_builder_t *builder, const tree_entry_t *entry)
{
    if (builder->count == TREE_ENTRIES_MAX || entry->name_size > TREE_NAME_BYTES_MAX ||
        entry->extension_size > MANIFEST_EXTENSION_BYTES_MAX) {
        return ERR_TOO_LARGE;
    }
    size_t bytes = entry_bytes(entry);
    TRY(builder_reserve(builder, bytes));
    uint8_t *at = builder->bytes + builder->size;
    const char *last_name =
        builder->last_at == 0 ? NULL : entry_read(builder->bytes + builder->last_at).name;
    entry_write(at, entry);
    tree_entry_t back;
    TRY(entry_check(at, bytes, last_name, &back));
    builder->last_at = builder->size;
    builder->size += bytes;
    builder->count++;
    return OK;
}

err_t
manifest_builder_finish(manifest_builder_t *builder, const uint8_t **ret_bytes, size_t *ret_size)
{
    TRY(builder_reserve(builder, 0));
    uint8_t *at = builder->bytes;
    memcpy(at, node_mark, sizeof node_mark);
    at += sizeof node_mark;
    put(&at, FORMAT, 2);
    put(&at, 0, 2);
    put(&at, builder->count, 4);
    *ret_bytes = builder->bytes;
    *ret_size = builder->size;
    return OK;
}

err_t
manifest_digest(const void *bytes, size_t size, digest_t *ret_digest)
{
    hash_t *hash = NULL;
    TRY(hash_new(&hash));
    hash_bytes(hash, bytes, size, ret_digest);
    hash_destroy(&hash);
    return OK;
}
