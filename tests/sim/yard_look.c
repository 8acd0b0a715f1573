/* yard_look.c - what is on the disks of agents, read without the product's code; see yard.h.
 *
 *   inv5     `current` is a whole version that the site once had, and its epoch never goes back
 *   records  what stands in the place of a package has a record: without one it is nobody's, and
 *            nobody would ever remove it
 *   tombstone  no agent has noted that its point was removed when it was not
 *   withdrawn  nothing of a package is left, neither where readers see it nor in what is kept */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/sim/machine.h"
#include "tests/sim/stage_inside.h"
#include "tests/sim/yard.h"

void
yard_note_version(yard_t *yard, uint32_t version)
{
    char path[64];

    snprintf(path, sizeof path, "/versions/%u", version);
    for (uint32_t i = 0; i < yard->count; i++) {
        world_t *look = world_sim_look_new(sim_world(yard->far[i].sim));
        stage_make_tree(yard->stage, look, path, version);
        machine_sync(look, "/versions");
        world_sim_job_destroy(&look);
    }
}

/* Read without the product's code. */
static bool
current_of(world_t *look, char *ret_path, size_t size, unsigned long *ret_epoch)
{
    char version[128], path[512], text[4097];
    int64_t length =
        world_read_link(look, AT_FDCWD, "/point/P1/current", version, sizeof version - 1);

    if (length < 0) {
        return false;
    }
    version[length] = 0;
    snprintf(ret_path, size, "/point/P1/%s", version);
    snprintf(path, sizeof path, "/point/.despool/packages/P1/%s", version);
    int fd = world_open(look, AT_FDCWD, path, O_RDONLY, 0, 0);
    int64_t bytes = fd < 0 ? 0 : world_read(look, fd, text, sizeof text - 1, 0);
    if (fd >= 0) {
        world_close(look, fd);
    }
    text[bytes > 0 ? bytes : 0] = 0;
    const char *line = strstr(text, "\nepoch ");
    *ret_epoch = line ? strtoul(line + 7, NULL, 10) : 0;
    return true;
}

bool
far_current(far_t *far, char *ret_path, size_t size, unsigned long *ret_epoch)
{
    world_t *look = world_sim_look_new(sim_world(far->sim));
    bool there = current_of(look, ret_path, size, ret_epoch);

    world_sim_job_destroy(&look);
    return there;
}

bool
far_has_tombstone(far_t *far)
{
    static const char begins[] = "despool removed 1\n";
    char text[sizeof begins] = "";
    world_t *look = world_sim_look_new(sim_world(far->sim));
    int fd = world_open(look, AT_FDCWD, "/data/removed", O_RDONLY, 0, 0);
    int64_t got = fd < 0 ? 0 : world_read(look, fd, text, sizeof begins - 1, 0);

    if (fd >= 0) {
        world_close(look, fd);
    }
    world_sim_job_destroy(&look);
    return got == sizeof begins - 1 && memcmp(text, begins, sizeof begins - 1) == 0;
}

static void
recount_tombstone(far_t *far)
{
    if (!far->gone && far_has_tombstone(far)) {
        stage_note_fault(far->yard->stage,
                         "tombstone: '%s' has noted that its point was removed, and it was not",
                         far->name);
    }
}

static void
recount_far(far_t *far)
{
    world_t *look = world_sim_look_new(sim_world(far->sim));
    stage_t *stage = far->yard->stage;
    char path[512], version[64], why[512] = "";
    unsigned long epoch = 0;
    bool whole = false;

    if (current_of(look, path, sizeof path, &epoch)) {
        for (uint32_t i = 1; !whole && !far->rotten && i <= stage->versions; i++) {
            snprintf(version, sizeof version, "/versions/%u", i);
            whole = machine_trees_equal(look, version, path, why, sizeof why);
        }
        if (!whole && !far->rotten) {
            stage_note_fault(stage, "invariant 5: `current` of '%s' is no whole version: %s",
                             far->name, why);
        }
        uint64_t most = stage->versions + far->yard->above;
        if (epoch < far->epoch || epoch > most) {
            stage_note_fault(stage, "invariant 5: '%s' went from epoch %lu to %lu of %lu",
                             far->name, (unsigned long) far->epoch, epoch, (unsigned long) most);
        }
        far->epoch = epoch;
    }
    world_sim_job_destroy(&look);
}

/* A record is durable before its version has its place, and goes when that is durably gone. */
static void
recount_records(far_t *far)
{
    world_t *look = world_sim_look_new(sim_world(far->sim));
    world_listing_t *listing = NULL;
    world_name_t name;
    world_stat_t stat;
    char path[512];
    int fd = world_open(look, AT_FDCWD, "/point/P1", O_RDONLY | O_DIRECTORY, 0, 0);

    if (fd >= 0 && world_list(look, fd, &listing) >= 0) {
        while (world_list_next(look, listing, &name) == 1) {
            snprintf(path, sizeof path, "/point/.despool/packages/P1/%s", name.name);
            if (strcmp(name.name, "current") != 0 &&
                world_stat_at(look, AT_FDCWD, path, &stat) != 0) {
                stage_note_fault(far->yard->stage, "records: '%s' has /point/P1/%s, and no %s",
                                 far->name, name.name, path);
            }
        }
        world_list_end(look, &listing);
    }
    if (fd >= 0) {
        world_close(look, fd);
    }
    world_sim_job_destroy(&look);
}

bool
far_has_package(far_t *far, char *ret_left, size_t size)
{
    static const char *const places[] = {"/point/P1", "/point/.despool/packages/P1",
                                         "/point/.despool/receipts/P1"};
    world_t *look = world_sim_look_new(sim_world(far->sim));
    world_stat_t stat;
    bool there = false;

    for (size_t i = 0; !there && i < sizeof places / sizeof places[0]; i++) {
        there = world_stat_at(look, AT_FDCWD, places[i], &stat) == 0;
        snprintf(ret_left, size, "%s", places[i]);
    }
    world_sim_job_destroy(&look);
    return there;
}

void
yard_recount(yard_t *yard)
{
    for (uint32_t i = 0; i < yard->count; i++) {
        if (yard->far[i].started) {
            recount_far(&yard->far[i]);
            recount_records(&yard->far[i]);
            recount_tombstone(&yard->far[i]);
        }
    }
}

bool
far_is_whole(far_t *far, uint32_t version, char *ret_why, size_t why_size)
{
    world_t *look = world_sim_look_new(sim_world(far->sim));
    char path[512], wanted[64];
    unsigned long epoch = 0;

    snprintf(wanted, sizeof wanted, "/versions/%u", version);
    snprintf(ret_why, why_size, "it has no version");
    bool whole = current_of(look, path, sizeof path, &epoch) &&
                 machine_trees_equal(look, wanted, path, ret_why, why_size);
    world_sim_job_destroy(&look);
    return whole;
}
