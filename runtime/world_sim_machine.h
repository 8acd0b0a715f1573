/* world_sim_machine.h - the simulated machine around its disk; for the world_sim files only.
 *
 * Shape    world_sim is the machine: disk, clocks, chance, faults, descriptors, trace. sim_job is
 *          what one job sees of it.
 * Promises every call of a job passes sim_call(), in one place: pause, power, cancellation, drawn
 *          and set faults, hangs, trace hash, count, cut.
 * Threads  one.
 */
#pragma once

#include "runtime/job_common.h"
#include "runtime/world_sim.h"
#include "runtime/world_sim_disk.h"

#define SIM_FDS_MAX 4096       /* open at once, then EMFILE */
#define SIM_HANGS   (-1000000) /* what a check gives when the call is not to return */

typedef struct sim_fd {
    sim_node_t *node; /* NULL: free */
    sim_node_t *via;  /* the directory it was opened in: where faults are looked for */
    int flags;
    uint64_t place; /* of the name it was opened by */
} sim_fd_t;

typedef struct sim_mix {
    char path[128]; /* empty: free */
    world_sim_mix_t chances;
    uint32_t struck;
} sim_mix_t;

struct world_sim {
    world_sim_options_t options;
    sim_disk_t disk;
    sim_rng_t chance;  /* faults, hangs, latencies, power cuts */
    sim_rng_t entropy; /* what jobs get as random */
    int64_t now_ns, wall_offset_ns;
    sim_fd_t fds[SIM_FDS_MAX];
    sim_node_t *locked[SIM_FDS_MAX]; /* the node that fd i holds the lock of */
    uint64_t boot;                   /* crashes so far; jobs of an earlier boot are dead */
    uint64_t heals;                  /* heals so far; a drawn hang ends with the next */
    bool quiet;                      /* no drawn faults any more */
    uint64_t operations, cut_left, hash;
    uint64_t runs; /* programs that have begun */
    bool is_cut;
    bool mixed; /* some mix is on */
    sim_mix_t mix[WORLD_SIM_MIXES_MAX];
    uint64_t struck;
    common_t *common;        /* of the jobs; nobody waits in it */
    struct sim_job *lasting; /* for what goes from job to job; or NULL */
};

typedef struct sim_job {
    world_t world;
    common_seat_t seat;
    world_sim_t *sim;
    world_sim_pause_fn *pause;
    void *context;
    uint64_t boot;
    bool cancelled;
    bool looks;           /* of an oracle: passes the gate unseen */
    sim_node_t *hangs_at; /* pinned; or NULL */
    bool hang_drawn;
    uint64_t hang_heals;   /* sim->heals when it was drawn */
    uint64_t phase, place; /* the last named point; that and the call in hand (world_sim_place) */
} sim_job_t;

/* One call with all that calls can carry; a handler uses its part. */
typedef struct sim_call {
    const char *operation;
    int fd;
    const char *path;
    int other_fd;
    const char *other_path;
    const void *from;
    void *to;
    uint64_t size, offset;
    int64_t time_ns;
    int flags;
    uint32_t mode;
    unsigned how;
    int fails;    /* a drawn fault: the handler gives it instead of its effect */
    bool flips;   /* a drawn fault: one bit of what is read is wrong */
    bool changes; /* the disk: may be full */
    bool counts;  /* a sync: counted as a change though it records none */
    bool safe;    /* no drawn faults */
    bool always;  /* also of a cancelled job */
} sim_call_t;

typedef int64_t sim_do_fn(sim_job_t *job, const sim_call_t *call);

/* Passes the gate and runs the handler; again after a hang that was healed. */
int64_t sim_call(world_t *world, const sim_call_t *call, sim_do_fn *run);

/* What the mixes make of a call (world_sim_mix.c): an error or a short write is put into it. */
typedef enum sim_drawn { SIM_DRAWN_NOTHING, SIM_DRAWN_HANG, SIM_DRAWN_CUT } sim_drawn_t;
sim_drawn_t sim_draw_mix(world_sim_t *sim, sim_call_t *call);
/* After a call that did what it should. */
void sim_cut_by_mix(world_sim_t *sim, const sim_call_t *call);
/* world_sim_place.c: before the call, and after it. */
void sim_place_enter(sim_job_t *job, const sim_call_t *call);
void sim_place_leave(sim_job_t *job, const sim_call_t *call, int64_t result);
int64_t sim_slowness(world_sim_t *sim, const sim_call_t *call); /* ns on top of the latency */
void sim_mixes_end(world_sim_t *sim);

/* Where a path leads. node is NULL when only the last name is missing. */
typedef struct sim_place {
    sim_node_t *dir;
    sim_node_t *node;
    char name[SIM_NAME_MAX + 1]; /* empty: the path names dir itself ("/", ".", "..") */
    bool slash;                  /* the path ends in one: a directory is meant */
} sim_place_t;

/* 0, -errno or SIM_HANGS. dir_fd may be AT_FDCWD. *trouble is the node that hangs. */
int sim_path_find(const world_sim_t *sim, int dir_fd, const char *path, unsigned how, bool follow,
                  sim_place_t *ret, sim_node_t **trouble);
/* What set faults make of a call on a node reached through dir: 0, -errno, SIM_HANGS. */
int sim_path_trouble(sim_node_t *dir, sim_node_t **trouble);
/* The node at path, faults and hangs aside; NULL when there is none. */
sim_node_t *sim_path_look(const world_sim_t *sim, const char *path);

/* The descriptor, or NULL; *ret_error then says EBADF, or what its place makes of it. */
sim_fd_t *sim_fd_find(world_sim_t *sim, int fd, sim_node_t **trouble, int *ret_error);
int sim_fd_open(world_sim_t *sim, sim_node_t *node, sim_node_t *via, int flags);
void sim_fd_close(world_sim_t *sim, int fd);

extern const world_calls_t sim_calls;

/* world_sim_calls.c and world_sim_names.c: the handlers, by what they work on. */
/* Find the descriptor or place of a call; 0, -errno or SIM_HANGS with the job noted as hanging. */
int64_t sim_call_fd(sim_job_t *job, int number, sim_fd_t **ret);
int64_t sim_call_place(sim_job_t *job, int dir_fd, const char *path, unsigned how, bool follow,
                       sim_place_t *ret);
int sim_open(world_t *world, int dir, const char *path, int flags, uint32_t mode, unsigned how);
int sim_run(world_t *world, const world_program_t *program, world_ended_t *ret);
int sim_make_dir(world_t *world, int dir, const char *path, uint32_t mode);
int sim_make_link(world_t *world, const char *target, int dir, const char *path);
int64_t sim_read_link(world_t *world, int dir, const char *path, char *text, size_t size);
int sim_hard_link(world_t *world, int from_dir, const char *from, int to_dir, const char *to);
int sim_rename(world_t *world, int from_dir, const char *from, int to_dir, const char *to);
int sim_remove(world_t *world, int dir, const char *path);
int sim_remove_dir(world_t *world, int dir, const char *path);
int sim_chmod_at(world_t *world, int dir, const char *path, uint32_t mode);
int sim_stat_at(world_t *world, int dir, const char *path, world_stat_t *ret);
int sim_set_mtime(world_t *world, int dir, const char *path, int64_t mtime_ns);
int sim_list(world_t *world, int fd, world_listing_t **ret_listing);
int sim_list_next(world_t *world, world_listing_t *listing, world_name_t *ret_name);
void sim_list_end(world_t *world, world_listing_t **listing);
void sim_stat_copy(const sim_node_t *node, world_stat_t *ret);
