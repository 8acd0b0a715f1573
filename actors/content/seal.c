/* seal.c - sealed texts on disk.
 *
 * Bytes    see seal.h; valid when the last line is the SHA-256 of all before it.
 * A crash  leaves the old file or the new one; ".<name>.new" may stay and is written over.
 */
#include "actors/content/seal.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "actors/content/fail.h"
#include "actors/content/hash.h"
#include "actors/content/write_all.h"

#define NEW_NAME_BYTES    (SEAL_NAME_MAX + 8) /* ".<name>.new" and a NUL */
#define DIGEST_LINE_BYTES 72u                 /* "sha256 ", 64 digits, newline */
#define OPEN_HOW          (WORLD_BENEATH | WORLD_NO_XDEV)

static void
append(seal_t *seal, const char *text, size_t size)
{
    if (seal->full || size > sizeof seal->text - seal->size) {
        seal->full = true;
        return;
    }
    memcpy(seal->text + seal->size, text, size);
    seal->size += size;
}

void
seal_begin(seal_t *seal, const char *kind)
{
    seal->size = 0;
    seal->full = false;
    append(seal, "despool ", 8);
    append(seal, kind, strlen(kind));
    append(seal, " 1\n", 3);
}

void
seal_put(seal_t *seal, const char *key, const char *value)
{
    append(seal, key, strlen(key));
    append(seal, " ", 1);
    for (const char *at = value; *at != '\0'; at++) {
        bool plain = *at > ' ' && *at <= '~' && *at != '\\';
        char shown[5] = {*at};
        if (!plain) {
            snprintf(shown, sizeof shown, "\\x%02x", (unsigned) (unsigned char) *at);
        }
        append(seal, shown, plain ? 1 : 4);
    }
    append(seal, "\n", 1);
}

void
seal_put_number(seal_t *seal, const char *key, uint64_t value)
{
    char text[24];
    snprintf(text, sizeof text, "%llu", (unsigned long long) value);
    seal_put(seal, key, text);
}

void
seal_put_hex(seal_t *seal, const char *key, const uint8_t *bytes, size_t count)
{
    char text[65];
    assert(count <= 32);
    hex_of_bytes(bytes, count, text);
    seal_put(seal, key, text);
}

static err_t
digest_line(const seal_t *seal, size_t size, char line[DIGEST_LINE_BYTES + 1])
{
    hash_t *hash = NULL;
    TRY(hash_new(&hash));
    digest_t digest;
    hash_bytes(hash, seal->text, size, &digest);
    hash_destroy(&hash);
    memcpy(line, "sha256 ", 7);
    hex_of_bytes(digest.byte, sizeof digest.byte, line + 7);
    line[DIGEST_LINE_BYTES - 1] = '\n';
    line[DIGEST_LINE_BYTES] = '\0';
    return OK;
}

err_t
seal_close(seal_t *seal)
{
    char line[DIGEST_LINE_BYTES + 1];
    TRY(digest_line(seal, seal->size, line));
    append(seal, line, DIGEST_LINE_BYTES);
    return seal->full ? ERR_TOO_LARGE : OK;
}

err_t
seal_check(const seal_t *seal, const char *kind)
{
    char head[64];
    int head_size = snprintf(head, sizeof head, "despool %s ", kind);
    assert(head_size > 0 && (size_t) head_size < sizeof head);
    if (seal->size < DIGEST_LINE_BYTES + (size_t) head_size + 2 ||
        memcmp(seal->text, head, (size_t) head_size) != 0) {
        return ERR_DAMAGED;
    }
    char line[DIGEST_LINE_BYTES + 1];
    size_t size = seal->size - DIGEST_LINE_BYTES;
    TRY(digest_line(seal, size, line));
    if (memcmp(seal->text + size, line, DIGEST_LINE_BYTES) != 0 || seal->text[size - 1] != '\n') {
        return ERR_DAMAGED;
    }
    return memcmp(seal->text + head_size, "1\n", 2) == 0 ? OK : ERR_NEWER_SCHEMA;
}

/* The raw value of a key: the line that begins with it. */
static slice_t
find(const seal_t *seal, const char *key)
{
    size_t key_size = strlen(key);
    const char *at = seal->text;
    const char *end = seal->text + seal->size;
    while (at < end) {
        const char *stop = memchr(at, '\n', (size_t) (end - at));
        stop = stop == NULL ? end : stop;
        size_t size = (size_t) (stop - at);
        if (size > key_size && memcmp(at, key, key_size) == 0 && at[key_size] == ' ') {
            return (slice_t){at + key_size + 1, size - key_size - 1};
        }
        at = stop + 1;
    }
    return (slice_t){NULL, 0};
}

bool
seal_get(const seal_t *seal, const char *key, char *value, size_t size)
{
    slice_t raw = find(seal, key);
    size_t used = 0;
    for (size_t i = 0; i < raw.size && used < size; i++) {
        uint8_t byte = (uint8_t) raw.data[i];
        if (byte == '\\') {
            if (i + 4 > raw.size || !bytes_of_hex((slice_t){raw.data + i + 2, 2}, &byte, 1)) {
                return false;
            }
            i += 3;
        }
        value[used++] = (char) byte;
    }
    if (raw.data == NULL || used >= size) {
        return false;
    }
    value[used] = '\0';
    return true;
}

bool
seal_get_number(const seal_t *seal, const char *key, uint64_t *ret_value)
{
    slice_t raw = find(seal, key);
    uint64_t value = 0;
    for (size_t i = 0; i < raw.size; i++) {
        uint64_t digit = (uint64_t) (unsigned char) raw.data[i] - '0';
        if (digit > 9 || value > (UINT64_MAX - digit) / 10) {
            return false;
        }
        value = value * 10 + digit;
    }
    if (raw.size == 0) {
        return false;
    }
    *ret_value = value;
    return true;
}

bool
seal_get_hex(const seal_t *seal, const char *key, uint8_t *bytes, size_t count)
{
    slice_t raw = find(seal, key);
    return raw.size == 2 * count && bytes_of_hex(raw, bytes, count);
}

static err_t
write_new(world_t *world, int dir, const char *name, const seal_t *seal, uint32_t mode,
          sync_point_t point, fault_t *fault)
{
    int fd =
        world_open(world, dir, name, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW, mode, OPEN_HOW);
    if (fd < 0) {
        return FAIL(fault, fd, "create", name);
    }
    int result = write_all(world, fd, seal->text, seal->size, 0);
    result = result < 0 ? result : world_chmod(world, fd, mode);
    result = result < 0 ? result : sync_point_file(world, point, fd);
    int closed = world_close(world, fd);
    result = result < 0 ? result : closed;
    return result < 0 ? FAIL(fault, result, "write", name) : OK;
}

static void
name_new(const char *name, char new_name[NEW_NAME_BYTES])
{
    assert(strlen(name) <= SEAL_NAME_MAX);
    snprintf(new_name, NEW_NAME_BYTES, ".%s.new", name);
}

int
seal_remove(world_t *world, int dir, const char *name)
{
    char new_name[NEW_NAME_BYTES];
    name_new(name, new_name);
    int result = world_remove(world, dir, new_name);
    result = result == 0 || result == -ENOENT ? world_remove(world, dir, name) : result;
    return result == -ENOENT ? 0 : result;
}

static err_t
write_as(world_t *world, int dir, const char *name, const seal_t *seal, uint32_t mode,
         sync_point_t file, sync_point_t names, fault_t *fault)
{
    char new_name[NEW_NAME_BYTES];
    name_new(name, new_name);
    TRY(write_new(world, dir, new_name, seal, mode, file, fault));
    int result = world_rename(world, dir, new_name, dir, name);
    result = result < 0 ? result : sync_point_file(world, names, dir);
    return result < 0 ? FAIL(fault, result, "rename", name) : OK;
}

err_t
seal_write(world_t *world, int dir, const char *name, const seal_t *seal, sync_point_t file,
           sync_point_t names, fault_t *fault)
{
    return write_as(world, dir, name, seal, 0644, file, names, fault);
}

err_t
seal_write_secret(world_t *world, int dir, const char *name, const seal_t *seal, sync_point_t file,
                  sync_point_t names, fault_t *fault)
{
    return write_as(world, dir, name, seal, 0600, file, names, fault);
}

/* At most the buffer; a longer file is cut and so fails its check. */
static int
read_text(world_t *world, int fd, seal_t *seal)
{
    for (;;) {
        size_t room = sizeof seal->text - seal->size;
        int64_t got =
            room == 0 ? 0 : world_read(world, fd, seal->text + seal->size, room, seal->size);
        if (got <= 0) {
            return (int) got;
        }
        seal->size += (size_t) got;
    }
}

err_t
seal_read(world_t *world, int dir, const char *name, const char *kind, seal_t *ret_seal,
          fault_t *fault)
{
    int fd = world_open(world, dir, name, O_RDONLY | O_NOFOLLOW, 0, OPEN_HOW);
    if (fd == -ENOENT) {
        return RAISE(fault, ERR_NOT_FOUND, -fd, "open", name);
    }
    if (fd < 0) {
        return FAIL(fault, fd, "open", name);
    }
    ret_seal->size = 0;
    ret_seal->full = false;
    int result = read_text(world, fd, ret_seal);
    world_close(world, fd);
    if (result < 0) {
        return FAIL(fault, result, "read", name);
    }
    err_t err = seal_check(ret_seal, kind);
    return err == OK ? OK : RAISE(fault, err, 0, "read", name);
}
