/* manifest_test.c - claims about the bytes of nodes, and about globs. */
#include <criterion/criterion.h>

#include <stdlib.h>
#include <string.h>
#include "actors/content/manifest.h"

static void
build(manifest_builder_t *builder, const uint8_t **ret_bytes, size_t *ret_size)
{
    static const uint8_t extension[] = {0, 7, 0, 0, 0, 2, 'h', 'i'};
    tree_entry_t entries[] = {
        {.kind = TREE_FILE, .mode = 0644, .size = 5, .name = "a", .name_size = 1},
        {.kind = TREE_DIRECTORY, .mode = 02755, .name = "b", .name_size = 1, .mtime_ns = -1},
        {.kind = TREE_LINK, .mode = 0777, .size = 1, .name = "\xff", .name_size = 1}};
    entries[2].extension = extension;
    entries[2].extension_size = sizeof extension;
    manifest_builder_init(builder);
    for (size_t i = 0; i < 3; i++) {
        cr_assert_eq(manifest_builder_add(builder, &entries[i]), OK);
    }
    cr_assert_eq(manifest_builder_finish(builder, ret_bytes, ret_size), OK);
}

Test(manifest, reads_back_what_it_wrote)
{
    manifest_builder_t builder;
    const uint8_t *bytes;
    size_t size;
    tree_entry_t entry;
    build(&builder, &bytes, &size);
    cr_assert_eq(manifest_node_check(bytes, size), OK);
    manifest_cursor_t cursor = manifest_cursor(bytes);
    cr_assert(manifest_next(&cursor, &entry));
    cr_expect_str_eq(entry.name, "a");
    cr_assert(manifest_next(&cursor, &entry));
    cr_expect_eq(entry.mtime_ns, -1);
    cr_expect_eq(entry.mode, 02755);
    cr_assert(manifest_next(&cursor, &entry));
    cr_expect_eq(entry.extension_size, 8);
    cr_expect(!manifest_next(&cursor, &entry));
    manifest_builder_release(&builder);
}

Test(manifest, names_the_list_of_a_files_chunks_among_other_fields)
{
    enum { OTHER = 8 };
    static const uint8_t before[OTHER] = {0, 0, 0, 0, 0, 2, 'h', 'i'};
    static const uint8_t behind[OTHER] = {0, 7, 0, 0, 0, 2, 'h', 'i'};
    uint8_t fields[OTHER + MANIFEST_LIST_FIELD_BYTES + OTHER];
    digest_t list = {{1, 2, 3}}, none = {{0}};
    memcpy(fields, before, OTHER);
    manifest_list_field(&list, fields + OTHER);
    memcpy(fields + OTHER + MANIFEST_LIST_FIELD_BYTES, behind, OTHER);
    tree_entry_t entry = {.extension = fields, .extension_size = sizeof fields};
    digest_t found = manifest_list_of(&entry);
    cr_expect(memcmp(&found, &list, sizeof list) == 0);
    entry.extension_size = OTHER;
    found = manifest_list_of(&entry);
    cr_expect(memcmp(&found, &none, sizeof none) == 0);
}

Test(manifest, refuses_every_truncation_and_survives_every_flipped_bit)
{
    manifest_builder_t builder;
    const uint8_t *bytes;
    size_t size;
    build(&builder, &bytes, &size);
    for (size_t cut = 0; cut < size; cut++) {
        uint8_t *copy = malloc(cut + 1); /* so that a sanitizer sees the end */
        memcpy(copy, bytes, cut);
        cr_expect_eq(manifest_node_check(copy, cut), ERR_DAMAGED, "cut at %zu", cut);
        free(copy);
    }
    for (size_t bit = 0; bit < size * 8; bit++) {
        uint8_t *copy = malloc(size);
        memcpy(copy, bytes, size);
        copy[bit / 8] ^= (uint8_t) (1u << bit % 8);
        if (manifest_node_check(copy, size) == OK) {
            tree_entry_t entry;
            manifest_cursor_t cursor = manifest_cursor(copy);
            while (manifest_next(&cursor, &entry)) {
                cr_expect(tree_name_is_valid(entry.name, strlen(entry.name)));
                cr_expect(manifest_list_of(&entry).byte[0] <= UINT8_MAX); /* reads all of it */
            }
        }
        free(copy);
    }
    manifest_builder_release(&builder);
}

Test(manifest, refuses_names_out_of_order_and_modes_that_are_not_carried)
{
    manifest_builder_t builder;
    manifest_builder_init(&builder);
    tree_entry_t b = {.kind = TREE_FILE, .name = "b", .name_size = 1};
    tree_entry_t a = {.kind = TREE_FILE, .name = "a", .name_size = 1};
    tree_entry_t setuid = {.kind = TREE_FILE, .mode = 04755, .name = "c", .name_size = 1};
    tree_entry_t dots = {.kind = TREE_FILE, .name = "..", .name_size = 2};
    cr_expect_eq(manifest_builder_add(&builder, &b), OK);
    cr_expect_eq(manifest_builder_add(&builder, &b), ERR_DAMAGED);
    cr_expect_eq(manifest_builder_add(&builder, &a), ERR_DAMAGED);
    cr_expect_eq(manifest_builder_add(&builder, &setuid), ERR_DAMAGED);
    cr_expect_eq(manifest_builder_add(&builder, &dots), ERR_DAMAGED);
    manifest_builder_release(&builder);
}

static bool
matches(const char *glob, const char *path)
{
    return tree_is_excluded(&glob, 1, path);
}

Test(globs, stop_at_slashes_unless_they_are_doubled)
{
    cr_expect(matches("*.o", "x.o"));
    cr_expect(matches("*.o", "a/b/x.o"));
    cr_expect(!matches("/*.o", "a/x.o"));
    cr_expect(matches("/*.o", "x.o"));
    cr_expect(matches("a/*", "a/x"));
    cr_expect(!matches("a/*", "a/b/x"));
    cr_expect(matches("a/**", "a/b/x"));
    cr_expect(matches("**/x", "a/b/x"));
    cr_expect(matches("a?c", "abc"));
    cr_expect(!matches("/a?c", "a/c"));
    cr_expect(matches("[a-c]x", "bx"));
    cr_expect(!matches("[!a-c]x", "bx"));
    cr_expect(matches("[]]", "]"));
    cr_expect(matches("[", "["));
    cr_expect(matches("\\*", "*"));
    cr_expect(!matches("\\*", "x"));
    cr_expect(!matches("", "x"));
    cr_expect(matches("*a*b*a*b*c", "aabbaabbaabbaabbc"));
}
