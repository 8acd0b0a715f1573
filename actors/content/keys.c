/* keys.c - see keys.h.
 *
 * Bytes    of a key: "despool key 1", "secret <hex>", the digest line of a seal. Of the mark:
 *          "despool keys 1", "transport <hex>" and "signing <hex>" of the public halves, the same.
 * Valid    when the seal holds and nobody else has a right to the file; with a mark, when both keys
 *          are there and are those that it names.
 * A crash  leaves no key or a whole one; a key that was used was durable before, and so was the
 *          mark. Keys without one are of a first start that was cut, or older than marks: what is
 *          missing of them is made.
 */
#include "actors/content/keys.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "actors/content/fail.h"
#include "actors/content/seal.h"
#include "proto/limits.h"

#define MARK      "keys.made"
#define DIRECTORY (O_RDONLY | O_DIRECTORY | O_NOFOLLOW)

static err_t
check_mode(world_t *world, int dir, const char *data, const char *name, fault_t *fault)
{
    char path[PATH_BYTES_MAX + 32];
    world_stat_t stat;
    int result = world_stat_at(world, dir, name, &stat);

    snprintf(path, sizeof path, "%s/keys/%s", data, name);
    if (result < 0) {
        return FAIL(fault, result, "read", path);
    }
    return (stat.mode & 077) != 0 ? RAISE(fault, ERR_KEY_MODE, 0, "use", path) : OK;
}

static err_t
make_key(world_t *world, int dir, const char *name, fault_t *fault)
{
    seal_t seal;
    secret_t secret;

    world_random(world, secret.byte, sizeof secret.byte);
    seal_begin(&seal, "key");
    seal_put_hex(&seal, "secret", secret.byte, sizeof secret.byte);
    err_t err = seal_close(&seal);
    err = err == OK
              ? seal_write_secret(world, dir, name, &seal, SYNC_KEY_FILE, SYNC_KEY_NAMES, fault)
              : RAISE(fault, err, 0, "write", name);
    explicit_bzero(&secret, sizeof secret);
    explicit_bzero(&seal, sizeof seal);
    return err;
}

static err_t
lost(fault_t *fault, const char *data)
{
    char path[PATH_BYTES_MAX + 16];

    snprintf(path, sizeof path, "%s/keys", data);
    return RAISE(fault, ERR_KEYS_LOST, 0, "use", path);
}

/* marked: it was there before. */
static err_t
read_key(world_t *world, int dir, const char *data, const char *name, bool marked,
         secret_t *ret_secret, fault_t *fault)
{
    seal_t seal;
    world_stat_t stat;

    if (world_stat_at(world, dir, name, &stat) == -ENOENT) {
        if (marked) {
            return lost(fault, data);
        }
        TRY(make_key(world, dir, name, fault));
    }
    TRY(check_mode(world, dir, data, name, fault));
    TRY(seal_read(world, dir, name, "key", &seal, fault));
    bool whole = seal_get_hex(&seal, "secret", ret_secret->byte, sizeof ret_secret->byte);
    explicit_bzero(&seal, sizeof seal);
    return whole ? OK : RAISE(fault, ERR_DAMAGED, 0, "read", name);
}

/* ---- the mark ---- */

static err_t
read_mark(world_t *world, int parent, keys_t *ret_known, bool *ret_marked, fault_t *fault)
{
    seal_t seal;
    err_t err = seal_read(world, parent, MARK, "keys", &seal, fault);

    if (err == ERR_NOT_FOUND) {
        *ret_marked = false;
        return OK;
    }
    TRY(err);
    *ret_marked = seal_get_hex(&seal, "transport", ret_known->transport_key.byte,
                               sizeof ret_known->transport_key.byte) &&
                  seal_get_hex(&seal, "signing", ret_known->signing_key.byte,
                               sizeof ret_known->signing_key.byte);
    return *ret_marked ? OK : RAISE(fault, ERR_DAMAGED, 0, "read", MARK);
}

static err_t
write_mark(world_t *world, int parent, const keys_t *keys, fault_t *fault)
{
    seal_t seal;

    seal_begin(&seal, "keys");
    seal_put_hex(&seal, "transport", keys->transport_key.byte, sizeof keys->transport_key.byte);
    seal_put_hex(&seal, "signing", keys->signing_key.byte, sizeof keys->signing_key.byte);
    return seal_close(&seal) == OK
               ? seal_write(world, parent, MARK, &seal, SYNC_KEY_FILE, SYNC_KEY_NAMES, fault)
               : RAISE(fault, ERR_TOO_LARGE, 0, "write", MARK);
}

/* ---- both ---- */

/* DATA/keys, made where it is missing; *ret_data is DATA. */
static int
open_directory(world_t *world, const char *data, int *ret_data)
{
    *ret_data = world_open(world, AT_FDCWD, data, O_RDONLY | O_DIRECTORY, 0, 0);
    if (*ret_data < 0) {
        return *ret_data;
    }
    int made = world_make_dir(world, *ret_data, "keys", 0700);
    if (made < 0 && made != -EEXIST) {
        return made;
    }
    return world_open(world, *ret_data, "keys", DIRECTORY, 0, WORLD_BENEATH);
}

/* Their names are synced each time: who made them may have been killed before it was. */
static err_t
read_both(world_t *world, int parent, int dir, const char *data, bool marked, keys_t *ret_keys,
          fault_t *fault)
{
    TRY(read_key(world, dir, data, "transport", marked, &ret_keys->transport, fault));
    TRY(read_key(world, dir, data, "signing", marked, &ret_keys->signing, fault));
    int result = sync_point_file(world, SYNC_KEY_NAMES, dir);
    result = result < 0 ? result : sync_point_file(world, SYNC_KEY_NAMES, parent);
    if (result < 0) {
        return FAIL(fault, result, "sync", "the directory of keys");
    }
    sign_transport_key(&ret_keys->transport, &ret_keys->transport_key);
    sign_signing_key(&ret_keys->signing, &ret_keys->signing_key);
    return OK;
}

/* With a mark they are those that it names, or nothing is made and nothing used. */
static err_t
read_keys(world_t *world, int parent, int dir, const char *data, keys_t *ret_keys, fault_t *fault)
{
    keys_t known = {0};
    bool marked = false;

    TRY(read_mark(world, parent, &known, &marked, fault));
    TRY(read_both(world, parent, dir, data, marked, ret_keys, fault));
    if (!marked) {
        return write_mark(world, parent, ret_keys, fault);
    }
    bool same = memcmp(&known.transport_key, &ret_keys->transport_key, sizeof(digest_t)) == 0 &&
                memcmp(&known.signing_key, &ret_keys->signing_key, sizeof(digest_t)) == 0;
    return same ? OK : lost(fault, data);
}

err_t
keys_open(world_t *world, const char *data, keys_t *ret_keys, fault_t *fault)
{
    keys_t keys = {0};
    int parent = -1, dir = open_directory(world, data, &parent);
    err_t err = dir < 0 ? FAIL(fault, dir, "make", "the directory of keys") : OK;

    err = err == OK ? read_keys(world, parent, dir, data, &keys, fault) : err;
    if (dir >= 0) {
        world_close(world, dir);
    }
    if (parent >= 0) {
        world_close(world, parent);
    }
    if (err == OK) {
        *ret_keys = keys;
    }
    explicit_bzero(&keys, sizeof keys);
    return err;
}

/* The mark goes first, and durably: keys that it names and that are gone would be lost ones. */
static int
unmake(world_t *world, int parent)
{
    int result = seal_remove(world, parent, MARK);
    result = result < 0 ? result : sync_point_file(world, SYNC_KEY_NAMES, parent);
    int dir = result < 0 ? result : world_open(world, parent, "keys", DIRECTORY, 0, WORLD_BENEATH);

    if (dir < 0) {
        return dir == -ENOENT ? 0 : dir;
    }
    result = seal_remove(world, dir, "transport");
    result = result < 0 ? result : seal_remove(world, dir, "signing");
    world_close(world, dir);
    return result < 0 ? result : world_remove_dir(world, parent, "keys");
}

err_t
keys_unmake(world_t *world, const char *data, fault_t *fault)
{
    int parent = world_open(world, AT_FDCWD, data, DIRECTORY & ~O_NOFOLLOW, 0, 0);
    int result = parent < 0 ? parent : unmake(world, parent);

    if (parent >= 0) {
        world_close(world, parent);
    }
    return result < 0 ? FAIL(fault, result, "take away the keys of", data) : OK;
}

void
keys_draw(world_t *world, secret_t *ret_secret, digest_t *ret_key)
{
    world_random(world, ret_secret->byte, sizeof ret_secret->byte);
    sign_transport_key(ret_secret, ret_key);
}
