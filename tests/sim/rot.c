/* rot.c - see rot.h. A record of a pack is found by its head, which has the object's digest. */
#include "tests/sim/rot.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "actors/content/pack.h"
#include "actors/content/store.h"
#include "tests/sim/machine.h"

#define DIGEST_AT    24u /* in the head of a record */
#define RECORD_BEGIN "DSPR"
#define PACK_MAX     (16u << 20)

static size_t
read_whole(world_t *look, const char *path, uint8_t *bytes, size_t size)
{
    int fd = world_open(look, AT_FDCWD, path, O_RDONLY, 0, 0);
    int64_t got = fd < 0 ? 0 : world_read(look, fd, bytes, size, 0);

    if (fd >= 0) {
        world_close(look, fd);
    }
    return got > 0 ? (size_t) got : 0;
}

bool
rot_root_of(world_sim_t *machine, const char *record, digest_t *ret_root)
{
    char text[4097] = "";
    world_t *look = world_sim_look_new(machine);

    text[read_whole(look, record, (uint8_t *) text, sizeof text - 1)] = 0;
    world_sim_job_destroy(&look);
    const char *hex = strstr(text, "\nroot ");
    for (size_t i = 0; hex && i < sizeof ret_root->byte; i++) {
        char two[3] = {hex[6 + 2 * i], hex[7 + 2 * i], 0};
        ret_root->byte[i] = (uint8_t) strtoul(two, NULL, 16);
    }
    return hex != NULL;
}

static bool
node_of(world_t *look, const char *path, const digest_t *root, digest_t *ret_node)
{
    store_t *store = NULL;
    manifest_version_t version;
    void *bytes = NULL;
    size_t size = 0;
    bool read = store_open(look, path, &store, NULL) == OK &&
                store_read(store, root, MANIFEST_VERSION_BYTES, &bytes, &size, NULL) == OK &&
                manifest_version_decode(bytes, size, &version) == OK;

    if (read) {
        *ret_node = version.node;
    }
    free(bytes);
    store_close(&store);
    return read;
}

static bool
turn_in_pack(world_sim_t *machine, const char *path, const uint8_t *bytes, size_t size,
             const digest_t *object)
{
    bool turned = false;

    for (size_t at = 0; at + RECORD_HEAD_BYTES < size; at++) {
        turned = (memcmp(bytes + at, RECORD_BEGIN, 4) == 0 &&
                  memcmp(bytes + at + DIGEST_AT, object->byte, sizeof object->byte) == 0 &&
                  world_sim_rot(machine, path, at + RECORD_HEAD_BYTES + 8)) ||
                 turned;
    }
    return turned;
}

static bool
turn_in_packs(world_sim_t *machine, world_t *look, const char *store, const digest_t *object)
{
    char path[1024], packs[512];
    uint8_t *bytes = malloc(PACK_MAX);
    bool turned = false;

    snprintf(packs, sizeof packs, "%s/packs", store);
    for (uint64_t i = 0; bytes && machine_find_file(look, packs, i, path, sizeof path); i++) {
        size_t size = read_whole(look, path, bytes, PACK_MAX);
        turned = turn_in_pack(machine, path, bytes, size, object) || turned;
    }
    free(bytes);
    return turned;
}

bool
rot_kept(world_sim_t *machine, const char *store, const char *file)
{
    uint8_t *bytes = malloc(PACK_MAX);
    hash_t *hash = NULL;
    digest_t object;
    world_t *look = world_sim_look_new(machine);
    bool known = bytes && hash_new(&hash) == OK;

    if (known) {
        hash_bytes(hash, bytes, read_whole(look, file, bytes, PACK_MAX), &object);
    }
    bool turned = known && turn_in_packs(machine, look, store, &object);
    world_sim_job_destroy(&look);
    hash_destroy(&hash);
    free(bytes);
    return turned;
}

bool
rot_version(world_sim_t *machine, const char *store, const digest_t *root, bool node)
{
    digest_t object = *root;
    world_t *look = world_sim_look_new(machine);
    bool turned = (!node || node_of(look, store, root, &object)) &&
                  turn_in_packs(machine, look, store, &object);

    world_sim_job_destroy(&look);
    return turned;
}
