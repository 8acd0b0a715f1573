/* site_rot.c - bits that turn at rest, as on a disk that rots, and what the site makes of them.
 *
 * The atlas: what turns is only what the site can have right again. A placed file, from the store;
 * a receipt, from the tree that it promises; a pack of the store, from the source, which is what
 * was stored, and nothing else ever was: what a point still has of an older version could not be
 * taken off it without its manifest. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "tests/sim/machine.h"
#include "tests/sim/site_inside.h"
#include "tests/sim/stage_inside.h"

#define MENDS_MS   20000u /* virtual: three tries that meet wrong bytes, and a person is told */
#define MENDS_MOST 3u     /* of further objects that a late point meets */
#define PACKS      "/data/store/packs"

static bool
turn_bit(run_t *run, const char *path)
{
    char text[1100];

    snprintf(text, sizeof text, "a bit of %s turns", path);
    story_note(run->stage, text);
    return world_sim_rot(site_machine(run), path, run->plan->rot_value >> 8);
}

/* Some file below a directory. */
static bool
turn_bit_below(run_t *run, const char *directory, uint64_t files)
{
    char path[1024];
    world_t *look = world_sim_look_new(site_machine(run));
    bool found =
        machine_find_file(look, directory, run->plan->rot_value % files, path, sizeof path);

    world_sim_job_destroy(&look);
    return found && turn_bit(run, path);
}

static bool
turn_bit_that_is_read(run_t *run, uint32_t point)
{
    char path[512], version[128];
    world_t *look = world_sim_look_new(site_machine(run));

    snprintf(path, sizeof path, "%s/P1/current", site_paths[point]);
    int64_t size = world_read_link(look, AT_FDCWD, path, version, sizeof version - 1);
    world_sim_job_destroy(&look);
    if (size <= 0) {
        return false;
    }
    version[size] = 0;
    snprintf(path, sizeof path, "%s/P1/%s", site_paths[point], version);
    return turn_bit_below(run, path, run->plan->files);
}

static bool
row_is_of(const wire_value_t *row, const char *point)
{
    wire_value_t dp;

    return wire_find(row, "dp", &dp) && slice_equal(dp.bytes, slice_of(point));
}

/* What verify says of each point must be so; what it finds it has mended. */
static void
tells_one(run_t *run, const char *damaged)
{
    wire_value_t rows, row, ok;

    if (!wire_find(stage_answer(run->stage), "points", &rows)) {
        stage_note_fault(run->stage, "verify tells no points");
        return;
    }
    const uint8_t *at = rows.body;
    for (uint32_t i = 0; i < rows.count; i++) {
        wire_next(&rows, &at, &row);
        bool whole = wire_find(&row, "ok", &ok) && ok.boolean;
        if (whole == row_is_of(&row, damaged)) {
            stage_note_fault(run->stage, "verify tells a point where a bit has turned to be %s",
                             whole ? "whole" : "damaged, and it is another one");
        }
    }
}

static bool
placed_file_is_found(run_t *run)
{
    uint32_t point = (uint32_t) (run->plan->rot_value >> 32) % run->points;

    if (!turn_bit_that_is_read(run, point)) {
        return true;
    }
    stage_rots(run->stage, point, true);
    if (!site_must(run, "verify", stage_do(run->stage, 120000, "verify", "id=P1", NULL))) {
        return false;
    }
    tells_one(run, site_names[point]);
    bool well = site_converge(run, "after verify found a bit that had turned");
    stage_rots(run->stage, point, false);
    return well;
}

static bool
receipt_is_not_believed(run_t *run)
{
    char path[64];
    uint32_t point = (uint32_t) (run->plan->rot_value >> 32) % run->points;

    snprintf(path, sizeof path, "%s/.despool/receipts/P1", site_paths[point]);
    if (!turn_bit(run, path)) {
        return true;
    }
    site_update(run);
    return site_must(run, "package.update", run->changed ? ERR_INTERNAL : OK) &&
           site_converge(run, "after a bit of its receipt had turned");
}

bool
site_finds_rot(run_t *run)
{
    return run->plan->rots == PLAN_ROTS_PLACED    ? placed_file_is_found(run)
           : run->plan->rots == PLAN_ROTS_RECEIPT ? receipt_is_not_believed(run)
                                                  : true;
}

/* Before a point is added that is to have it: the bit is wrong on the disk, or once on the way. */
void
site_rot_store(run_t *run)
{
    if (run->plan->rots == PLAN_ROTS_STORED && run->version == 1) {
        (void) (turn_bit_below(run, PACKS, 2) || turn_bit_below(run, PACKS, 1));
    } else if (run->plan->rots == PLAN_ROTS_ON_THE_WAY) {
        world_sim_mix(site_machine(run), PACKS, &(world_sim_mix_t){.flip = 200000, .most = 1});
    }
}

static bool
fails_as_not_stored(const wire_value_t *row)
{
    wire_value_t state, cause, code;

    return wire_find(row, "state", &state) && slice_equal(state.bytes, slice_of("failed")) &&
           wire_find(row, "cause", &cause) && wire_find(&cause, "code", &code) &&
           slice_equal(code.bytes, slice_of(err_word(ERR_NOT_STORED)));
}

/* Whether a person is told so, by the status that was asked for last: the site's own copy is
 * missing or damaged. */
static bool
tells_not_stored(run_t *run)
{
    wire_value_t rows = {0}, row;
    bool told = false;

    (void) wire_find(stage_answer(run->stage), "targets", &rows);
    const uint8_t *at = rows.body;
    for (uint32_t i = 0; i < rows.count; i++) {
        wire_next(&rows, &at, &row);
        told = told || fails_as_not_stored(&row);
    }
    return told;
}

/* Who was told so does what the hint says: stores the source again, and says: again. */
static void
mend_if_told(run_t *run)
{
    if (tells_not_stored(run) &&
        site_must(run, "package.update",
                  stage_do(run->stage, 120000, "package.update", "id=P1", NULL))) {
        oracle_forgets_attempts(run->stage);
        stage_do(run->stage, 60000, "retry", "id=P1", NULL);
    }
}

void
site_mends_store(run_t *run)
{
    if (!site_is_installed(run)) {
        stage_run(run->stage, MENDS_MS);
    }
    stage_target(run->stage, "P1", site_names[0]);
    mend_if_told(run);
}

/* A bit that turned at rest, and one that both looks at another object met wrongly, are two
 * objects: each is told when it is met. */
void
site_mends_store_again(run_t *run)
{
    if (run->plan->rots == PLAN_ROTS_STORED && run->flips_store && run->mends < MENDS_MOST) {
        run->mends += tells_not_stored(run);
        mend_if_told(run);
    }
}
