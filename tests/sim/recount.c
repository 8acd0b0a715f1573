/* recount.c - the invariants counted anew from the machine's disks, and answers against their keys.
 *
 *   inv5 what `current` names at a point is one whole version that the source once had, and its
 *        epoch never goes back
 *   a point's identity stands beside the directories that work needs (point.h)
 *   inv1 the same key has the same answer, whatever happened in between */
#include "tests/sim/stage_inside.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/sim/machine.h"

static const char *const point_names[STAGE_POINTS_MAX] = {"a", "b", "c", "d"};

/* Equal to one of the trees that were ever at the source. */
static bool
is_some_version(stage_t *stage, world_t *look, const char *path, char *ret_why, size_t why_size)
{
    for (uint32_t i = 1; i <= stage->versions; i++) {
        char version[64];
        snprintf(version, sizeof version, "/versions/%u", i);
        if (machine_trees_equal(look, version, path, ret_why, why_size)) {
            return true;
        }
    }
    return false;
}

/* The epoch in the record of a version's directory, read without the product's code; 0: none. */
static unsigned long
recorded_epoch(world_t *look, uint32_t point, const char *directory)
{
    char path[512], text[4097];
    unsigned long epoch = 0;

    snprintf(path, sizeof path, "/points/%s/.despool/packages/P1/%s", point_names[point],
             directory);
    int fd = world_open(look, AT_FDCWD, path, O_RDONLY, 0, 0);
    if (fd < 0) {
        return 0;
    }
    int64_t size = world_read(look, fd, text, sizeof text - 1, 0);
    world_close(look, fd);
    text[size > 0 ? size : 0] = 0;
    const char *line = strstr(text, "\nepoch ");
    return line && sscanf(line, " epoch %lu", &epoch) == 1 ? epoch : 0;
}

/* An unplugged or failing point cannot be looked at, and shows nothing to its readers either. */
static void
recount_point(stage_t *stage, world_t *look, uint32_t point)
{
    char path[512], version[128], why[512] = "";

    snprintf(path, sizeof path, "/points/%s/P1/current", point_names[point]);
    int64_t size = world_read_link(look, AT_FDCWD, path, version, sizeof version - 1);
    if (size < 0) {
        return;
    }
    version[size] = 0;
    unsigned long epoch = recorded_epoch(look, point, version);
    if (epoch < stage->epoch[point] || epoch == 0) {
        stage_note_fault(stage, "invariant 5: '%s' went back from epoch %lu to %lu, in %s",
                         point_names[point], (unsigned long) stage->epoch[point], epoch, version);
    }
    stage->epoch[point] = epoch;
    snprintf(path, sizeof path, "/points/%s/P1/%s", point_names[point], version);
    if (!stage->rotten[point] && !is_some_version(stage, look, path, why, sizeof why)) {
        stage_note_fault(stage, "invariant 5: `current` of '%s' is no whole version: %s",
                         point_names[point], why);
    }
}

/* Who opens a root by its identity works in these at once. */
static void
recount_identity(stage_t *stage, world_t *look, uint32_t point)
{
    static const char *const inner[] = {"receipts", "packages", "staging"};
    char path[64];
    world_stat_t stat;

    snprintf(path, sizeof path, "/points/%s/.despool/point", point_names[point]);
    if (stage->gives_back || world_stat_at(look, AT_FDCWD, path, &stat) != 0) {
        return;
    }
    for (uint32_t i = 0; i < sizeof inner / sizeof inner[0]; i++) {
        snprintf(path, sizeof path, "/points/%s/.despool/%s", point_names[point], inner[i]);
        if (world_stat_at(look, AT_FDCWD, path, &stat) == -ENOENT) {
            stage_note_fault(stage, "'%s' has its identity and not %s", point_names[point], path);
        }
    }
}

void
oracle_recount(stage_t *stage)
{
    world_t *look = world_sim_look_new(sim_world(stage->sim));

    stage->recounts++;
    for (uint32_t i = 0; i < stage->options.points; i++) {
        recount_point(stage, look, i);
        recount_identity(stage, look, i);
    }
    world_sim_job_destroy(&look);
}

uint64_t
stage_recounts(const stage_t *stage)
{
    return stage->recounts;
}

bool
stage_has_package(stage_t *stage, const char *package, const char *point, char *ret_left,
                  size_t left_size)
{
    world_t *look = world_sim_look_new(sim_world(stage->sim));
    world_stat_t stat;
    char path[512];

    snprintf(path, sizeof path, "/points/%s/%s", point, package);
    bool there = world_stat_at(look, AT_FDCWD, path, &stat) == 0;
    snprintf(ret_left, left_size, "%s", path);
    machine_find_file(look, path, 0, ret_left, left_size);
    world_sim_job_destroy(&look);
    return there;
}

/* ---- answers and their keys ---- */

static void *
copy_of(slice_t bytes)
{
    void *copy = malloc(bytes.size + 1);

    assert(copy);
    memcpy(copy, bytes.data, bytes.size);
    return copy;
}

/* Components and the quarantine are those of the host that runs now. */
static bool
only_looks(const char *command)
{
    static const char *const looks[] = {"status",         "status.since", "ping",
                                        "component.list", "package.list", "dp.list"};

    for (uint32_t i = 0; i < sizeof looks / sizeof looks[0]; i++) {
        if (strcmp(command, looks[i]) == 0) {
            return true;
        }
    }
    return strncmp(command, "component.", 10) == 0 || strncmp(command, "quarantine.", 11) == 0;
}

void
said_answer(stage_t *stage, const char *command, slice_t frame, slice_t answer)
{
    if (only_looks(command)) {
        return;
    }
    for (uint32_t i = 0; i < stage->said_count; i++) {
        const said_t *said = &stage->said[i];
        if (!slice_equal(frame, (slice_t){(const char *) said->frame, said->frame_size})) {
            continue;
        }
        if (!slice_equal(answer, (slice_t){said->answer, said->answer_size})) {
            stage_note_fault(stage, "invariant 1: '%s' had another answer with the same key",
                             command);
        }
        return;
    }
    if (stage->said_count < SAID_MAX) {
        stage->said[stage->said_count++] =
            (said_t){copy_of(frame), frame.size, copy_of(answer), answer.size};
    }
}

void
said_free(stage_t *stage)
{
    while (stage->said_count > 0) {
        said_t *said = &stage->said[--stage->said_count];
        free(said->frame);
        free(said->answer);
    }
}
