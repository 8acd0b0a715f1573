/* fuzz_manifest.c - any bytes as a node of a version: refused, or read and made again the same. */
#include <string.h>

#include "actors/content/manifest.h"
#include "fuzz.h"

/* One tree has one encoding: what the check accepts, the builder makes again. */
static void
directory_node(const uint8_t *bytes, size_t size)
{
    manifest_builder_t builder;
    manifest_builder_init(&builder);
    manifest_cursor_t cursor = manifest_cursor(bytes);
    tree_entry_t entry;
    uint32_t count = 0;
    while (manifest_next(&cursor, &entry)) {
        PROMISE(entry.name_size == strlen(entry.name));
        PROMISE(tree_name_is_valid(entry.name, entry.name_size));
        PROMISE(entry.extension + entry.extension_size <= bytes + size);
        digest_t list = manifest_list_of(&entry), none = {{0}};
        PROMISE(entry.extension_size >= MANIFEST_LIST_FIELD_BYTES ||
                memcmp(&list, &none, sizeof list) == 0);
        PROMISE(manifest_builder_add(&builder, &entry) == OK);
        count++;
    }
    PROMISE(count == manifest_count(bytes));
    const uint8_t *again = NULL;
    size_t again_size = 0;
    PROMISE(manifest_builder_finish(&builder, &again, &again_size) == OK);
    PROMISE(again_size == size && memcmp(again, bytes, size) == 0);
    manifest_builder_release(&builder);
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    manifest_version_t version;
    if (manifest_version_decode(bytes, size, &version) == OK) {
        uint8_t again[MANIFEST_VERSION_BYTES];
        manifest_version_encode(&version, again);
        PROMISE(size == sizeof again && memcmp(again, bytes, size) == 0);
    }
    if (manifest_node_check(bytes, size) == OK) {
        directory_node(bytes, size);
    }
    return 0;
}
