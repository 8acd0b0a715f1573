/* yard_older.c - what an agent keeps of superseded versions, and that it goes.
 *
 * Only a version's manifest says which files there are ours. A bit of it turns in every pack that
 * has it, before the version is superseded: what the agent then takes away it can know from its
 * site alone. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "tests/sim/rot.h"
#include "tests/sim/stage_inside.h"
#include "tests/sim/yard_run.h"

#define OLDER_MS 900000u /* a collection that failed is tried again after some minutes */

/* Where nothing is found, the agent has set it aside already. */
void
yard_rot_manifest(yard_run_t *run, far_t *far)
{
    char directory[512], record[600];
    unsigned long epoch = 0;
    digest_t root;
    world_sim_t *machine = sim_world(far->sim);
    bool there = far_current(far, directory, sizeof directory, &epoch);

    snprintf(record, sizeof record, "/point/.despool/packages/P1/%s",
             there ? strrchr(directory, '/') + 1 : "");
    bool turned = there && rot_root_of(machine, record, &root) &&
                  rot_version(machine, "/data/store", &root, run->plan->value >> 12 & 1);
    far->flips = true;
    story_note(run->stage, turned ? "a bit of a manifest turns" : "no manifest to turn a bit of");
}

/* The name of one that is there beside `current`. */
static bool
has_older(far_t *far, char *ret_name, size_t size)
{
    char directory[512];
    unsigned long epoch = 0;
    world_listing_t *listing = NULL;
    world_name_t name;
    bool there = false;
    world_t *look = world_sim_look_new(sim_world(far->sim));
    const char *now =
        far_current(far, directory, sizeof directory, &epoch) ? strrchr(directory, '/') + 1 : "";
    int fd = world_open(look, AT_FDCWD, "/point/P1", O_RDONLY | O_DIRECTORY, 0, 0);

    if (fd >= 0 && world_list(look, fd, &listing) >= 0) {
        while (!there && world_list_next(look, listing, &name) == 1) {
            there = strcmp(name.name, "current") != 0 && strcmp(name.name, now) != 0;
            snprintf(ret_name, size, "%s", name.name);
        }
        world_list_end(look, &listing);
    }
    if (fd >= 0) {
        world_close(look, fd);
    }
    world_sim_job_destroy(&look);
    return there;
}

void
yard_older_go(yard_run_t *run, far_t *far)
{
    char name[128] = "";
    bool left = true;

    for (uint32_t waited = 0; left && waited < OLDER_MS && !stage_fault(run->stage);
         waited += 1000) {
        stage_run(run->stage, 1000);
        left = has_older(far, name, sizeof name);
    }
    if (left) {
        stage_note_fault(run->stage, "collected: '%s' still has version %s, long superseded",
                         far->name, name);
    }
}
