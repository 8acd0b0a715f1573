/* keys.c - see keys.h.
 *
 * Bytes    "despool key 1", "secret <hex>", the digest line of a seal.
 * Valid    when the seal holds and nobody else has a right to the file.
 * A crash  leaves no key or a whole one; a key that was used was durable before.
 */
#include "actors/content/keys.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "actors/content/fail.h"
#include "actors/content/seal.h"
#include "proto/limits.h"

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
read_key(world_t *world, int dir, const char *data, const char *name, secret_t *ret_secret,
         fault_t *fault)
{
    seal_t seal;
    world_stat_t stat;

    if (world_stat_at(world, dir, name, &stat) == -ENOENT) {
        TRY(make_key(world, dir, name, fault));
    }
    TRY(check_mode(world, dir, data, name, fault));
    TRY(seal_read(world, dir, name, "key", &seal, fault));
    bool whole = seal_get_hex(&seal, "secret", ret_secret->byte, sizeof ret_secret->byte);
    explicit_bzero(&seal, sizeof seal);
    return whole ? OK : RAISE(fault, ERR_DAMAGED, 0, "read", name);
}

/* DATA/keys, made where it is missing; *ret_data is DATA, whose names are synced then. */
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
    int synced = made == 0 ? sync_point_file(world, SYNC_KEY_NAMES, *ret_data) : 0;
    return synced < 0 ? synced : world_open(world, *ret_data, "keys", DIRECTORY, 0, WORLD_BENEATH);
}

err_t
keys_open(world_t *world, const char *data, keys_t *ret_keys, fault_t *fault)
{
    keys_t keys = {0};
    int parent = -1, dir = open_directory(world, data, &parent);
    err_t err = dir < 0 ? FAIL(fault, dir, "make", "the directory of keys") : OK;

    err = err == OK ? read_key(world, dir, data, "transport", &keys.transport, fault) : err;
    err = err == OK ? read_key(world, dir, data, "signing", &keys.signing, fault) : err;
    if (dir >= 0) {
        world_close(world, dir);
    }
    if (parent >= 0) {
        world_close(world, parent);
    }
    if (err == OK) {
        sign_transport_key(&keys.transport, &keys.transport_key);
        sign_signing_key(&keys.signing, &keys.signing_key);
        *ret_keys = keys;
    }
    explicit_bzero(&keys, sizeof keys);
    return err;
}

void
keys_draw(world_t *world, secret_t *ret_secret, digest_t *ret_key)
{
    world_random(world, ret_secret->byte, sizeof ret_secret->byte);
    sign_transport_key(ret_secret, ret_key);
}
