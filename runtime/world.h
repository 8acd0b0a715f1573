/* world.h - the seam to the machine: time, chance and files as one struct of functions.
 *
 * Shape    a world_t is a table of functions and a self pointer. world_os is the real machine;
 *          world_sim a simulated one. A job is handed one; an actor never sees it.
 * Promises the results are what the world did: >= 0, or -errno. Nothing is retried, nothing is
 *          logged, EINTR never comes out. In the simulator every call is a point at which the job
 *          may be suspended, fail, hang, or be the last thing that happened before a crash.
 * Costs    world_os: one system call each, plus one load to look for cancellation.
 * Errors   -errno of the call; -ECANCELED from any call of a job that has been cancelled.
 * Threads  world_os may be used by any job thread; a world handle (fd) belongs to one job at a time.
 * Owner    fds are closed by who opened them.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "proto/errors.h"

typedef struct world world_t;

/* What stat tells, in one form for both worlds. */
typedef struct world_stat {
    uint64_t device, inode;
    uint32_t mode;      /* type and permission bits, as st_mode */
    uint32_t uid, gid;
    uint32_t links;
    uint64_t size;      /* bytes */
    int64_t mtime_ns, ctime_ns; /* ns since 1970; INT64_MIN, INT64_MAX: further away */
    uint64_t device_of_file; /* st_rdev */
} world_stat_t;

typedef struct world_space {
    uint64_t bytes_free;  /* to an unprivileged writer */
    uint64_t bytes_all;
    uint64_t inodes_free; /* UINT64_MAX where the file system does not count them */
    uint32_t block_bytes;
    uint32_t type;        /* f_type of statfs, 0 when unknown */
} world_space_t;

/* One name of a directory. type is DT_REG, DT_DIR, DT_LNK, ... or DT_UNKNOWN. */
typedef struct world_name {
    const char *name; /* borrowed, until the next call on this listing */
    uint64_t inode;
    uint8_t type;
} world_name_t;

typedef struct world_listing world_listing_t;

/* A program of the machine, to be run to its end: no shell, no arguments, these words alone in its
 * environment, no descriptor but an empty input and its output, a process group of its own, the
 * root as its directory. */
typedef struct world_program {
    const char *path;       /* absolute */
    const char *const *env; /* NULL at the end */
    uint32_t time_ms;       /* then it and its group are told to end, and killed 2 s later */
    char *output;           /* the last of what it says, both ways */
    size_t room;            /* bytes of it kept; what came before is lost */
} world_program_t;

typedef enum world_end { WORLD_EXITED, WORLD_SIGNALLED, WORLD_OUT_OF_TIME } world_end_t;

typedef struct world_ended {
    world_end_t how;
    int code; /* exit status or number of the signal; of one out of time 0 */
    size_t size;   /* of output */
    uint64_t said; /* bytes in all */
} world_ended_t;

/* How a path below a directory is resolved. */
enum {
    WORLD_BENEATH = 1,    /* openat2: RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS */
    WORLD_NO_XDEV = 2     /* openat2: RESOLVE_NO_XDEV: a mount placed over a part of the way is refused with EXDEV */
};

/* flags are those of <fcntl.h>; O_CLOEXEC is always added. dir is an fd or AT_FDCWD. */
typedef struct world_calls {
    int64_t (*monotonic_ns)(world_t *); /* never goes back; differences only */
    int64_t (*wall_ns)(world_t *);      /* since 1970 UTC; may jump; shown, never a reason */
    void (*random)(world_t *, void *bytes, size_t size);

    int (*open)(world_t *, int dir, const char *path, int flags, uint32_t mode, unsigned how);
    int (*close)(world_t *, int fd);
    int64_t (*read)(world_t *, int fd, void *bytes, size_t size, uint64_t offset);  /* pread */
    int64_t (*write)(world_t *, int fd, const void *bytes, size_t size, uint64_t offset); /* pwrite */
    int (*truncate)(world_t *, int fd, uint64_t size);
    int (*allocate)(world_t *, int fd, uint64_t size); /* posix_fallocate from 0 */
    /* Begins to bring a range of a file to the disk (sync_file_range): a hint, which promises nothing;
     * what fails on the way is told by the sync that follows. */
    int (*write_out)(world_t *, int fd, uint64_t offset, uint64_t size);
    int (*sync)(world_t *, int fd);       /* fsync, of files and directories */
    int (*sync_data)(world_t *, int fd);  /* fdatasync */
    int (*sync_all)(world_t *, int fd);   /* syncfs of the file system that fd is on */
    int (*stat)(world_t *, int fd, world_stat_t *ret);
    int (*stat_at)(world_t *, int dir, const char *path, world_stat_t *ret); /* never follows a link */
    int (*make_dir)(world_t *, int dir, const char *path, uint32_t mode);
    int (*make_link)(world_t *, const char *target, int dir, const char *path); /* symlink */
    int64_t (*read_link)(world_t *, int dir, const char *path, char *text, size_t size);
    int (*hard_link)(world_t *, int from_dir, const char *from, int to_dir, const char *to);
    int (*rename)(world_t *, int from_dir, const char *from, int to_dir, const char *to);
    int (*remove)(world_t *, int dir, const char *path);     /* unlink */
    int (*remove_dir)(world_t *, int dir, const char *path); /* rmdir */
    int (*chmod)(world_t *, int fd, uint32_t mode);
    /* As chmod, of what cannot be opened for its mode; never follows a link (-EOPNOTSUPP for one). */
    int (*chmod_at)(world_t *, int dir, const char *path, uint32_t mode);
    int (*set_mtime)(world_t *, int dir, const char *path, int64_t mtime_ns); /* utimensat, of the link itself */
    int (*space)(world_t *, int fd, world_space_t *ret);
    int (*lock)(world_t *, int fd); /* flock LOCK_EX | LOCK_NB: -EWOULDBLOCK when another has it */
    /* Counts the extended attributes (ACLs and capabilities among them) that are not carried. */
    int64_t (*attribute_count)(world_t *, int fd);
    /* A listing of the directory that fd is open on, in no order, without . and .. ; fd stays the caller's. */
    int (*list)(world_t *, int fd, world_listing_t **ret_listing);
    int (*list_next)(world_t *, world_listing_t *, world_name_t *ret_name); /* 1 a name, 0 the end */
    void (*list_end)(world_t *, world_listing_t **listing);
    /* Runs a program: 0, it has ended, or -errno, it was not begun, or was killed (-ECANCELED).
     * It dies with the process. Of its group only what runs when its time is over is ended. */
    int (*run)(world_t *, const world_program_t *program, world_ended_t *ret);
    /* Whether the job this world was handed to has been asked to stop. Long computations look. */
    bool (*cancelled)(world_t *);
    /* A named fault point, for the simulator and for kill tests; 0 or the -errno it decided on.
     * In production it is one load. */
    int (*point)(world_t *, const char *name);
    /* A world that outlives the job: for what goes from job to job and must be closed when nobody is
     * there to lend it one. Nothing but close may be called through it. In the simulator it is that
     * of the machine as it runs now; after a crash, drop what was before first. */
    world_t *(*lasting)(world_t *);
} world_calls_t;

/* Names what several jobs make alike: what it is a part of, and what comes before it there. */
typedef struct world_key {
    uint8_t whole[32], before[32];
} world_key_t;

/* Bytes that one job has made and others take from it, with a note of its maker. */
typedef struct world_block {
    const void *bytes;
    size_t size;
    const void *note;
} world_block_t;

typedef enum world_share {
    WORLD_ALONE,       /* make it for yourself: nobody waits for it, or there is no room */
    WORLD_STAYS_ALONE, /* the same, and from now on: nobody joins any more */
    WORLD_MAKE,  /* make it, and put it: others will take it */
    WORLD_THERE  /* another has made it */
} world_share_t;

/* What jobs that do the same at the same time have in common; see job_common.h. */
typedef struct world_common {
    const struct world_common_calls *call;
} world_common_t;
typedef struct world_common_calls {
    void (*join)(world_common_t *, const uint8_t group[32]);
    void (*leave)(world_common_t *);
    world_share_t (*take)(world_common_t *, const world_key_t *key, world_block_t *ret_block);
    void (*put)(world_common_t *, const void *bytes, size_t size, void *take_note,
                void (*drop_note)(void *note));
    void (*give)(world_common_t *);
} world_common_calls_t;

/* What other jobs have found out; see job_memo.h. */
typedef struct world_memo {
    const struct world_memo_calls *call;
} world_memo_t;
typedef struct world_memo_calls {
    world_share_t (*take)(world_memo_t *, const world_key_t *key, void *bytes, size_t room,
                          size_t *ret_size);
    void (*put)(world_memo_t *, const world_key_t *key, const void *bytes, size_t size);
    void (*give_up)(world_memo_t *, const world_key_t *key);
} world_memo_calls_t;

/* Computing that a job need not do itself: it touches its own memory alone, and no world. */
typedef enum world_work_state { WORK_DONE, WORK_WAITS, WORK_IN_HAND } world_work_state_t;
typedef struct world_work {
    void (*run)(struct world_work *self);
    struct world_work *next;
    world_work_state_t state; /* of whoever does it, until it was awaited */
} world_work_t;

/* Threads that compute for jobs; see job_hands.h. */
typedef struct world_hands {
    const struct world_hands_calls *call;
} world_hands_t;
typedef struct world_hands_calls {
    void (*begin)(world_hands_t *, world_work_t *work);
    void (*await)(world_hands_t *, world_work_t *work);
} world_hands_calls_t;

struct world {
    const world_calls_t *call;
    void *self;
    world_common_t *common; /* NULL: this job has nothing in common with anybody */
    world_hands_t *hands;   /* NULL: a work is done by who awaits it */
    world_memo_t *memo;     /* NULL: nobody remembers anything */
};

/* Short names, so that code reads: world_open(w, dir, path, ...). */
static inline int64_t world_monotonic_ns(world_t *w) { return w->call->monotonic_ns(w); }
static inline int64_t world_wall_ns(world_t *w) { return w->call->wall_ns(w); }
static inline void world_random(world_t *w, void *bytes, size_t size) { w->call->random(w, bytes, size); }
static inline int world_open(world_t *w, int dir, const char *path, int flags, uint32_t mode, unsigned how) { return w->call->open(w, dir, path, flags, mode, how); }
static inline int world_close(world_t *w, int fd) { return w->call->close(w, fd); }
static inline int64_t world_read(world_t *w, int fd, void *bytes, size_t size, uint64_t offset) { return w->call->read(w, fd, bytes, size, offset); }
static inline int64_t world_write(world_t *w, int fd, const void *bytes, size_t size, uint64_t offset) { return w->call->write(w, fd, bytes, size, offset); }
static inline int world_truncate(world_t *w, int fd, uint64_t size) { return w->call->truncate(w, fd, size); }
static inline int world_allocate(world_t *w, int fd, uint64_t size) { return w->call->allocate(w, fd, size); }
static inline int world_write_out(world_t *w, int fd, uint64_t offset, uint64_t size) { return w->call->write_out(w, fd, offset, size); }
static inline int world_sync(world_t *w, int fd) { return w->call->sync(w, fd); }
static inline int world_sync_data(world_t *w, int fd) { return w->call->sync_data(w, fd); }
static inline int world_sync_all(world_t *w, int fd) { return w->call->sync_all(w, fd); }
static inline int world_stat(world_t *w, int fd, world_stat_t *ret) { return w->call->stat(w, fd, ret); }
static inline int world_stat_at(world_t *w, int dir, const char *path, world_stat_t *ret) { return w->call->stat_at(w, dir, path, ret); }
static inline int world_make_dir(world_t *w, int dir, const char *path, uint32_t mode) { return w->call->make_dir(w, dir, path, mode); }
static inline int world_make_link(world_t *w, const char *target, int dir, const char *path) { return w->call->make_link(w, target, dir, path); }
static inline int64_t world_read_link(world_t *w, int dir, const char *path, char *text, size_t size) { return w->call->read_link(w, dir, path, text, size); }
static inline int world_hard_link(world_t *w, int from_dir, const char *from, int to_dir, const char *to) { return w->call->hard_link(w, from_dir, from, to_dir, to); }
static inline int world_rename(world_t *w, int from_dir, const char *from, int to_dir, const char *to) { return w->call->rename(w, from_dir, from, to_dir, to); }
static inline int world_remove(world_t *w, int dir, const char *path) { return w->call->remove(w, dir, path); }
static inline int world_remove_dir(world_t *w, int dir, const char *path) { return w->call->remove_dir(w, dir, path); }
static inline int world_chmod(world_t *w, int fd, uint32_t mode) { return w->call->chmod(w, fd, mode); }
static inline int world_chmod_at(world_t *w, int dir, const char *path, uint32_t mode) { return w->call->chmod_at(w, dir, path, mode); }
static inline int world_set_mtime(world_t *w, int dir, const char *path, int64_t mtime_ns) { return w->call->set_mtime(w, dir, path, mtime_ns); }
static inline int world_space(world_t *w, int fd, world_space_t *ret) { return w->call->space(w, fd, ret); }
static inline int world_lock(world_t *w, int fd) { return w->call->lock(w, fd); }
static inline int64_t world_attribute_count(world_t *w, int fd) { return w->call->attribute_count(w, fd); }
static inline int world_list(world_t *w, int fd, world_listing_t **ret) { return w->call->list(w, fd, ret); }
static inline int world_list_next(world_t *w, world_listing_t *l, world_name_t *ret) { return w->call->list_next(w, l, ret); }
static inline void world_list_end(world_t *w, world_listing_t **l) { w->call->list_end(w, l); }
static inline int world_run(world_t *w, const world_program_t *p, world_ended_t *ret) { return w->call->run(w, p, ret); }
static inline bool world_cancelled(world_t *w) { return w->call->cancelled(w); }
static inline world_t *world_lasting(world_t *w) { return w->call->lasting(w); }
static inline int world_point(world_t *w, const char *name) { return w->call->point(w, name); }
/* From now on this job makes what others of this group make, until it leaves. */
static inline void world_common_join(world_t *w, const uint8_t group[32]) { if (w->common) { w->common->call->join(w->common, group); } }
static inline void world_common_leave(world_t *w) { if (w->common) { w->common->call->leave(w->common); } }
/* Takes a block that is there, borrowed until the next take or give; or says who is to make it. */
static inline world_share_t world_common_take(world_t *w, const world_key_t *key, world_block_t *ret) { return w->common ? w->common->call->take(w->common, key, ret) : WORLD_ALONE; }
/* Puts a copy of what this job was told to make. */
static inline void world_common_put(world_t *w, const void *bytes, size_t size, void *take_note, void (*drop_note)(void *)) { w->common->call->put(w->common, bytes, size, take_note, drop_note); }
/* Gives back what was taken, and gives up what was to be made. */
static inline void world_common_give(world_t *w) { if (w->common) { w->common->call->give(w->common); } }
/* A work that was begun is awaited before its memory goes. */
static inline void world_begin(world_t *w, world_work_t *work) { if (w->hands) { w->hands->call->begin(w->hands, work); } else { work->state = WORK_WAITS; } }
static inline void world_await(world_t *w, world_work_t *work) { if (w->hands) { w->hands->call->await(w->hands, work); } else if (work->state == WORK_WAITS) { work->run(work); work->state = WORK_DONE; } }
/* WORLD_THERE: a copy of at most room bytes; of WORLD_MAKE, what was made is put or given up. */
static inline world_share_t world_memo_take(world_t *w, const world_key_t *key, void *bytes, size_t room, size_t *ret_size) { return w->memo ? w->memo->call->take(w->memo, key, bytes, room, ret_size) : WORLD_ALONE; }
static inline void world_memo_put(world_t *w, const world_key_t *key, const void *bytes, size_t size) { w->memo->call->put(w->memo, key, bytes, size); }
static inline void world_memo_give_up(world_t *w, const world_key_t *key) { w->memo->call->give_up(w->memo, key); }
