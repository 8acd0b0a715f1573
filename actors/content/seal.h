/* seal.h - small text files of our own at a point: lines of key and value, closed by their digest.
 *
 * Shape    "despool <kind> 1", then "key value" lines (values with every byte outside printable
 *          ASCII, the space and the backslash as \xNN), then "sha256 <hex of all before>".
 * Promises a file that was cut, torn or edited is ERR_DAMAGED, never half believed; writing is
 *          durable (new file, synced, renamed, directory synced) or leaves the old one.
 * Costs    at most SEAL_BYTES_MAX of text.
 * Errors   ERR_NOT_FOUND (no such file), ERR_DAMAGED, ERR_TOO_LARGE, those of the world.
 * Threads  one.
 */
#pragma once

#include "actors/content/sync_points.h"
#include "proto/record.h"
#include "runtime/world.h"

#define SEAL_BYTES_MAX 4096u
#define SEAL_NAME_MAX  96u /* bytes of a sealed file's name */

typedef struct seal {
    char text[SEAL_BYTES_MAX];
    size_t size;
    bool full; /* something did not fit */
} seal_t;

void seal_begin(seal_t *seal, const char *kind);
void seal_put(seal_t *seal, const char *key, const char *value);
void seal_put_number(seal_t *seal, const char *key, uint64_t value);
void seal_put_hex(seal_t *seal, const char *key, const uint8_t *bytes, size_t count);
/* Closes the text with its digest line. */
err_t seal_close(seal_t *seal) must_use;
/* Whether size bytes of text are a sealed text of this kind. */
err_t seal_check(const seal_t *seal, const char *kind) must_use;

/* The value of a key of a checked text; false when it is not there or does not fit. */
bool seal_get(const seal_t *seal, const char *key, char *value, size_t size);
bool seal_get_number(const seal_t *seal, const char *key, uint64_t *ret_value);
bool seal_get_hex(const seal_t *seal, const char *key, uint8_t *bytes, size_t count);

/* Writes a closed text as dir/name. */
err_t seal_write(world_t *world, int dir, const char *name, const seal_t *seal, sync_point_t file,
                 sync_point_t names, fault_t *fault) must_use;
/* The same, for a secret: nobody but the owner may read or write it, from its first byte on. */
err_t seal_write_secret(world_t *world, int dir, const char *name, const seal_t *seal,
                        sync_point_t file, sync_point_t names, fault_t *fault) must_use;
/* Removes a text, and what a cut run left of a new one: 0, also when there was none, or -errno. */
int seal_remove(world_t *world, int dir, const char *name) must_use;
err_t seal_read(world_t *world, int dir, const char *name, const char *kind, seal_t *ret_seal,
                fault_t *fault) must_use;
