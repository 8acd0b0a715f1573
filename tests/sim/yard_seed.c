/* yard_seed.c - trees that are there already on the machines of agents, and what is made of them;
 * see yard.h.
 *
 *   seeds    what a seed holds of a version is not sent to its agent, and no agent says that it
 *            took more of its seed than that */
#include <assert.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "actors/content/hash.h"
#include "tests/sim/machine.h"
#include "tests/sim/stage_inside.h"
#include "tests/sim/yard.h"

#define STALE_VERSION 1000u /* the site never has it; some of its files are in every version */
#define PATH_BYTES    512u

static bool
digest_of_file(world_t *look, const char *path, digest_t *ret_digest, uint64_t *ret_size)
{
    static uint8_t bytes[MACHINE_LARGE_BYTES + 4096];
    hash_t *hash = NULL;
    int fd = world_open(look, AT_FDCWD, path, O_RDONLY, 0, 0);
    int64_t got = fd < 0 ? fd : world_read(look, fd, bytes, sizeof bytes, 0);

    if (fd >= 0) {
        world_close(look, fd);
    }
    if (got < 0 || hash_new(&hash) != OK) {
        return false;
    }
    hash_bytes(hash, bytes, (uint64_t) got, ret_digest);
    hash_destroy(&hash);
    *ret_size = (uint64_t) got;
    return true;
}

static bool
has_in_seed(const far_t *far, const digest_t *digest)
{
    for (uint32_t i = 0; i < far->seed_count; i++) {
        if (digest_equal(&far->seed[i], digest)) {
            return true;
        }
    }
    return false;
}

/* Files of the seed that are in some version of the site, each once. */
static uint64_t
good_files(far_t *far)
{
    world_t *look = world_sim_look_new(sim_world(far->sim));
    bool good[SEED_FILES_MAX] = {false};
    char tree[64], path[PATH_BYTES];
    uint64_t count = 0, size;
    digest_t digest;

    for (uint32_t version = 1; version <= far->yard->stage->versions; version++) {
        snprintf(tree, sizeof tree, "/versions/%u", version);
        for (uint64_t i = 0; machine_find_file(look, tree, i, path, sizeof path); i++) {
            bool read = digest_of_file(look, path, &digest, &size);
            assert(read);
            for (uint32_t at = 0; at < far->seed_count; at++) {
                good[at] |= digest_equal(&far->seed[at], &digest);
            }
        }
    }
    world_sim_job_destroy(&look);
    for (uint32_t at = 0; at < far->seed_count; at++) {
        count += good[at];
    }
    return count;
}

/* ---- made ---- */

static void
note_files(far_t *far, world_t *look)
{
    char path[PATH_BYTES];
    uint64_t size;
    digest_t digest;

    for (uint64_t i = 0; machine_find_file(look, "/seed", i, path, sizeof path); i++) {
        bool read = digest_of_file(look, path, &digest, &size);
        assert(read && far->seed_count < SEED_FILES_MAX);
        if (!has_in_seed(far, &digest)) {
            far->seed[far->seed_count++] = digest;
        }
    }
}

/* Each second file has another bit, and the size that it had. */
static void
rot(far_t *far, world_t *look, uint64_t value)
{
    char path[PATH_BYTES];

    for (uint64_t i = value % 2; machine_find_file(look, "/seed", i, path, sizeof path); i += 2) {
        bool rotten = world_sim_rot(sim_world(far->sim), path, value >> 1);
        assert(rotten);
    }
}

void
yard_give_seed(far_t *far, yard_seed_t kind, uint64_t value)
{
    world_t *look = world_sim_look_new(sim_world(far->sim));
    char name[32];

    stage_make_tree(far->yard->stage, look, "/seed", kind == YARD_SEED_STALE ? STALE_VERSION : 1);
    machine_sync(look, "/seed");
    if (kind == YARD_SEED_ROTTEN) {
        rot(far, look, value);
    }
    note_files(far, look);
    world_sim_job_destroy(&look);
    snprintf(name, sizeof name, "name=%s", far->name);
    if (stage_do(far->yard->stage, 60000, "dp.set", name, "seed=/seed", NULL) != OK) {
        stage_note_fault(far->yard->stage, "dp.set was refused");
    }
}

/* ---- what is made of them ---- */

/* A disk that failed may have been no seed. */
void
yard_see_seed_sent(far_t *far, const piece_t *piece)
{
    if (!far->flips && !far->failed && !piece->list && has_in_seed(far, &piece->object)) {
        stage_note_fault(far->yard->stage, "seeds: '%s' is sent a file that its seed has",
                         far->name);
    }
}

void
yard_see_seeded(far_t *far, const agent_seeded_t *m)
{
    uint64_t good = m->files > 0 ? good_files(far) : 0;

    far->yard->seeded += m->files;
    if (m->files > good) {
        stage_note_fault(far->yard->stage,
                         "seeds: '%s' took %lu files of its seed, in which %lu are good", far->name,
                         (unsigned long) m->files, (unsigned long) good);
    }
}
