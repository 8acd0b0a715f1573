/* world_sim.h - a simulated machine: virtual time, a disk with a memory of what was synced.
 *
 * Shape    a machine owns directories, files, mounts and an operation trace. Each job sees it
 *          through a world_t of its own (world_sim_job).
 * Promises deterministic: everything is decided by the seed. Jobs run as a user without
 *          privileges (uid and gid 1000, umask 022), who owns everything. Descriptors belong to
 *          the machine: a crash ends them all, and every later call of a job made before it
 *          gives EIO. A file's sync that fails by a drawn fault loses data for good, as on
 *          Linux: the next sync says nothing. At a crash each unsynced write and each unsynced
 *          directory entry is kept, dropped, or (writes) torn, by chance of the seed, or by the
 *          caller's prefix choice; what was synced stays.
 * Costs    memory for every file; meant for small trees.
 * Threads  one.
 */
#pragma once
#include "runtime/world.h"

#pragma GCC visibility push(default) /* what a shared library of it exports */
#ifdef __cplusplus
extern "C" {
#endif

typedef struct world_sim world_sim_t;

typedef struct world_sim_options {
    uint64_t seed;
    int64_t wall_start_ns;      /* first reading of the wall clock */
    uint32_t fault_per_million; /* chance that a file call fails with EIO, ENOSPC, EDQUOT or a short
                                   write */
    uint32_t hang_per_million;  /* chance that a file call never returns until healed */
    uint32_t latency_ns_max;    /* of a file call, drawn uniformly */
} world_sim_options_t;

/* Called by a world call of a job before it takes effect: the simulator may suspend the job here.
 */
typedef void world_sim_pause_fn(void *context, int64_t latency_ns, const char *operation);

world_sim_t *world_sim_new(const world_sim_options_t *options);
void world_sim_destroy(world_sim_t **sim);

/* The world as one job sees it; pause may be NULL. Owned by the caller. */
world_t *world_sim_job_new(world_sim_t *sim, world_sim_pause_fn *pause, void *context);
/* The world as from outside of the machine, for oracles and for who changes a disk behind its back:
 * no faults are drawn, no time passes, no trace is left. Ended with world_sim_job_destroy. */
world_t *world_sim_look_new(world_sim_t *sim);
void world_sim_job_cancel(world_t *job);
/* As on the real machine, what the job left open stays open: another job may go on with it. */
void world_sim_job_destroy(world_t **job);
uint64_t world_sim_open_count(const world_sim_t *sim); /* descriptors open now: leaks show here */

int64_t world_sim_now_ns(const world_sim_t *sim);
void world_sim_advance(world_sim_t *sim, int64_t ns);
void world_sim_set_wall(world_sim_t *sim, int64_t wall_ns);

/* A file system of its own, mounted at path (which must exist): with its own device number and
 * bounds, where 0 is as good as none. Everything up to now becomes durable. */
typedef struct world_sim_mount {
    const char *path;
    uint64_t bytes_max, inodes_max;
} world_sim_mount_t;
void world_sim_mount(world_sim_t *sim, const world_sim_mount_t *mount);
/* Unplugged: a directory is not there (ENOENT), a mount uncovers the directory below it; open fds
 * give EIO; until plugged in again. */
void world_sim_unplug(world_sim_t *sim, const char *path);
void world_sim_plug(world_sim_t *sim, const char *path);
/* Every call at or below path fails with -os_error (0 heals); or hangs: the job's pause function is
 * called until the hang is healed or the job cancelled or the power cut. A job without a pause
 * function gets EIO instead. In all of these functions path exists, and links are not followed. */
void world_sim_fail(world_sim_t *sim, const char *path, int os_error);
void world_sim_hang(world_sim_t *sim, const char *path, bool hang);
bool world_sim_hangs(const world_t *job); /* whether this job waits in a call that hangs */
void world_sim_set_space(world_sim_t *sim, const char *path, uint64_t bytes_max,
                         uint64_t inodes_max);
/* What space tells as the type of the file system that path is on; at first that of ext4. */
void world_sim_set_type(world_sim_t *sim, const char *path, uint32_t type);
void world_sim_heal(world_sim_t *sim); /* ends all faults, drawn, mixed and set; space stays */

/* What may go wrong below one path, as chances per million calls, 0 never. */
typedef struct world_sim_mix {
    uint32_t io;          /* EIO of any call */
    uint32_t full, quota; /* ENOSPC, EDQUOT of a call that changes something */
    uint32_t part;        /* a write that does only a part */
    uint32_t flip;        /* a read that gives one wrong bit, this once */
    uint32_t hang;        /* a call that does not return until healed */
    uint32_t point;       /* a named point (world_point) fails with EIO, whatever the path */
    uint32_t cut;         /* the power goes at a named point: world_sim_is_cut */
    uint32_t cut_rename;  /* the power goes right after a rename to a name at or below the path; any
                             rename, where the path does not begin with a slash */
    uint32_t slow_ns;     /* each call takes up to so much longer: a slow device */
    uint32_t most;        /* so many faults in all, and then no more; 0 without bound */
} world_sim_mix_t;
#define WORLD_SIM_MIXES_MAX 8u
/* Replaces the mix of this path, which need not exist; the first path that a call is below counts,
 * in the order in which they were named. A heal ends all mixes, a power cut does not. */
void world_sim_mix(world_sim_t *sim, const char *path, const world_sim_mix_t *mix);
uint64_t world_sim_struck(const world_sim_t *sim); /* faults that mixes drew so far */
/* Turns one bit of a file for good, as a disk does that rots; false where there is no such byte. */
bool world_sim_rot(world_sim_t *sim, const char *path, uint64_t offset);
/* Changes the chances of drawn faults, also after a heal. */
void world_sim_draw_faults(world_sim_t *sim, uint32_t fault_per_million, uint32_t hang_per_million);

/* Power cut: all fds end, unsynced data and names are dropped, torn or kept by the seed. */
void world_sim_crash(world_sim_t *sim);
/* As crash, keeping exactly the unsynced effects whose bit is set: bit i of keep is the i-th
 * unsynced effect in trace order, modulo 64. For exhaustive checks of small traces. */
void world_sim_crash_keeping(world_sim_t *sim, uint64_t keep);
uint64_t world_sim_unsynced_count(const world_sim_t *sim); /* effects that a crash could lose now */
uint64_t
world_sim_operation_count(const world_sim_t *sim); /* calls that changed something so far */
/* After this many changing operations from now each call gives -EIO and the machine is to be
 * crashed: 0 disarms. */
void world_sim_cut_after(world_sim_t *sim, uint64_t operations);
bool world_sim_is_cut(const world_sim_t *sim);
uint64_t world_sim_runs(const world_sim_t *sim); /* programs that have begun; see world_sim_run.c */
uint64_t world_sim_hash(const world_sim_t *sim); /* of the operation trace so far */
/* Where this job is in its code, as far as its calls tell: the last named point that it passed, the
 * operation it pauses in, and the file that this is about. Never 0. */
uint64_t world_sim_place(const world_t *job);

#ifdef __cplusplus
}
#endif
#pragma GCC visibility pop
