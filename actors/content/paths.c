/* paths.c - keeps the first paths and counts all. */
#include "actors/content/paths.h"

#include <stdlib.h>
#include <string.h>

void
paths_init(paths_t *paths)
{
    *paths = (paths_t){0};
}

void
paths_release(paths_t *paths)
{
    free(paths->item);
    free(paths->text);
    *paths = (paths_t){0};
}

/* Room doubles at powers of two, so that no capacity needs to be kept. */
static bool
is_full(uint32_t count)
{
    return (count & (count - 1)) == 0;
}

static err_t
reserve_item(paths_t *paths)
{
    if (!is_full(paths->kept)) {
        return OK;
    }
    size_t count = paths->kept == 0 ? 1 : (size_t) paths->kept * 2;
    path_item_t *item = realloc(paths->item, count * sizeof item[0]);
    if (item == NULL) {
        return ERR_NO_MEMORY;
    }
    paths->item = item;
    return OK;
}

err_t
paths_add(paths_t *paths, path_kind_t kind, const char *path)
{
    size_t size = strlen(path) + 1;
    paths->count[kind]++;
    if (paths->kept == PATHS_MAX || size > PATHS_BYTES_MAX - paths->text_size) {
        return OK;
    }
    TRY(reserve_item(paths));
    if (paths->text_size + size > paths->text_capacity) {
        size_t capacity = (paths->text_size + size) * 2;
        char *text = realloc(paths->text, capacity);
        if (text == NULL) {
            return ERR_NO_MEMORY;
        }
        paths->text = text;
        paths->text_capacity = (uint32_t) capacity;
    }
    memcpy(paths->text + paths->text_size, path, size);
    paths->item[paths->kept++] =
        (path_item_t){.at = paths->text_size, .size = (uint32_t) size - 1, .kind = kind};
    paths->text_size += (uint32_t) size;
    return OK;
}
