/* fold.c - see fold.h. */
#include "actors/content/fold.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "actors/content/fail.h"
#include "proto/wire.h"

/* Capital letters above ASCII: each `step`-th of a range is its small letter, less `by`. */
typedef struct range {
    uint16_t first, last, step;
    int16_t by;
} range_t;

static const range_t ranges[] = {
    {0x00c0, 0x00d6, 1, 0x20},  {0x00d8, 0x00de, 1, 0x20}, {0x0100, 0x012e, 2, 1},
    {0x0132, 0x0136, 2, 1},     {0x0139, 0x0147, 2, 1},    {0x014a, 0x0176, 2, 1},
    {0x0178, 0x0178, 1, -0x79}, {0x0179, 0x017d, 2, 1},    {0x0391, 0x03a1, 1, 0x20},
    {0x03a3, 0x03a9, 1, 0x20},  {0x0400, 0x040f, 1, 0x50}, {0x0410, 0x042f, 1, 0x20},
};

static uint32_t
fold_letter(uint32_t letter)
{
    for (size_t i = 0; i < sizeof ranges / sizeof ranges[0]; i++) {
        const range_t *range = &ranges[i];
        if (letter >= range->first && letter <= range->last &&
            (letter - range->first) % range->step == 0) {
            return (uint32_t) ((int32_t) letter + range->by);
        }
    }
    return letter;
}

bool
fold_name(const char *name, size_t size, char *ret_folded)
{
    const uint8_t *from = (const uint8_t *) name;
    uint8_t *to = (uint8_t *) ret_folded;
    bool utf8 = wire_is_utf8((slice_t){name, (uint32_t) size});
    for (size_t at = 0; at < size; at++) {
        if (utf8 && (from[at] & 0xe0u) == 0xc0u) { /* two bytes: all that is folded above ASCII */
            uint32_t letter = fold_letter((from[at] & 0x1fu) << 6 | (from[at + 1] & 0x3fu));
            to[at] = (uint8_t) (0xc0u | letter >> 6);
            to[++at] = (uint8_t) (0x80u | (letter & 0x3fu));
        } else {
            bool capital = from[at] >= 'A' && from[at] <= 'Z';
            to[at] = capital ? (uint8_t) (from[at] + 'a' - 'A') : from[at];
        }
    }
    return memcmp(name, ret_folded, size) != 0;
}

/* A name with its fold; ordinal: of its entry in the node. */
typedef struct folded {
    const char *fold, *name;
    uint32_t ordinal;
} folded_t;

static int
compare(const void *a, const void *b)
{
    const folded_t *left = a, *right = b;
    int order = strcmp(left->fold, right->fold);
    return order != 0 ? order : (left->ordinal > right->ordinal) - (left->ordinal < right->ordinal);
}

/* Of two names that clash one is not its own fold. */
static bool
has_capitals(const void *node, size_t *ret_bytes)
{
    bool some = false;
    size_t bytes = 0;
    tree_entry_t entry;
    char fold[TREE_NAME_BYTES_MAX];
    manifest_cursor_t cursor = manifest_cursor(node);
    while (manifest_next(&cursor, &entry)) {
        some = some || fold_name(entry.name, entry.name_size, fold);
        bytes += entry.name_size + 1u;
    }
    *ret_bytes = bytes;
    return some;
}

static void
fold_all(const void *node, folded_t *all, char *text)
{
    tree_entry_t entry;
    manifest_cursor_t cursor = manifest_cursor(node);
    for (uint32_t i = 0; manifest_next(&cursor, &entry); i++) {
        (void) fold_name(entry.name, entry.name_size, text);
        text[entry.name_size] = '\0';
        all[i] = (folded_t){text, entry.name, i};
        text += entry.name_size + 1u;
    }
}

/* How many, and the one whose entry comes first. */
static uint64_t
count_alike(const folded_t *all, uint32_t count, const char **ret_first)
{
    uint64_t alike = 0;
    uint32_t first = UINT32_MAX;
    for (uint32_t i = 1; i < count; i++) {
        if (strcmp(all[i - 1].fold, all[i].fold) == 0) {
            alike++;
            *ret_first = all[i].ordinal < first ? all[i].name : *ret_first;
            first = all[i].ordinal < first ? all[i].ordinal : first;
        }
    }
    return alike;
}

static void
add(fold_clashes_t *clashes, uint64_t alike, const char *first, descent_t *way)
{
    if (alike > 0 && clashes->count == 0) {
        snprintf(clashes->first, sizeof clashes->first, "%s", descent_path(way, first));
    }
    clashes->count += alike;
}

err_t
fold_count(const void *checked_node, descent_t *way, fold_clashes_t *clashes, fault_t *fault)
{
    size_t bytes = 0;
    const char *first = NULL;
    if (!has_capitals(checked_node, &bytes)) {
        return OK;
    }
    uint32_t count = manifest_count(checked_node);
    folded_t *all = malloc(count * sizeof all[0]);
    char *text = malloc(bytes);
    bool room = all != NULL && text != NULL;
    if (room) {
        fold_all(checked_node, all, text);
        qsort(all, count, sizeof all[0], compare);
        uint64_t alike = count_alike(all, count, &first);
        add(clashes, alike, first, way);
    }
    free(all);
    free(text);
    return room ? OK : NO_MEMORY(fault, descent_path(way, NULL));
}
