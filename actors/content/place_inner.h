/* place_inner.h - the steps of a placement that lie in files of their own; for place*.c only.
 *
 * Shape    look (what is there?), plan (how much is to be written?), tree (write it), then the
 *          order of place.c.
 * Threads  one job.
 */
#pragma once

#include "actors/content/manifest.h"
#include "actors/content/place.h"
#include "actors/content/place_ahead.h"

#define PLACE_HOW        (WORLD_BENEATH | WORLD_NO_XDEV)
#define PLACE_DIRECTORY  (O_RDONLY | O_DIRECTORY | O_NOFOLLOW)
#define PLACE_NAME_BYTES (RECEIPT_PACKAGE_BYTES + RECEIPT_DIRECTORY_BYTES)

/* What the point holds of a package, held against an order. */
typedef struct place_look {
    bool already;      /* the receipt names the version and `current` leads to it */
    bool in_place;     /* the version's directory is there with its record, but not its receipt */
    bool takes_over;   /* that directory is of an older epoch with the same root */
    receipt_t record;  /* of the version that is ordered, as it is or as it will be written */
    receipt_t receipt; /* when already */
} place_look_t;
err_t place_look(point_t *point, const place_order_t *order, place_look_t *ret_look,
                 fault_t *fault) must_use;

/* The text of ROOT/PACKAGE/current; empty when there is none. */
err_t place_current(point_t *point, const char *package, char text[RECEIPT_DIRECTORY_BYTES],
                    fault_t *fault) must_use;
/* Opens ROOT/PACKAGE; ERR_NOT_FOUND when it is not there. */
err_t place_open_package(point_t *point, const char *package, int *ret_fd, fault_t *fault) must_use;

/* "<package>.<directory>": the name of a version under way in staging/. */
void place_staging_name(const receipt_t *record, char name[PLACE_NAME_BYTES]);
/* Whether a name of staging/ is of a version of this package under way, and of which one. Another
 * package's name may begin like ours and a dot, but does not go on like this. */
bool place_is_staged(const char *name, const char *package, uint64_t *ret_epoch);
err_t place_open_staging(point_t *point, int *ret_fd, fault_t *fault) must_use;
/* Opens the tree under way of this name in staging, making it when it is not there; an earlier
 * run's is opened up. Its descriptor, or -errno. */
int place_open_staged(world_t *world, int staging, const char *name, bool *ret_existed);
/* Whether a block is not written: zeros that come together at least so long are a hole, as sparse
 * files had at their source, and read the same. */
bool place_is_hole(const void *bytes, size_t size);
err_t place_measure(store_t *store, point_t *point, const place_look_t *look,
                    place_plan_t *ret_plan, fault_t *fault) must_use;
/* ERR_SPACE with need and have when the plan does not fit. */
err_t place_check_space(const place_plan_t *plan, const char *root, fault_t *fault) must_use;

/* Whether the directory has its entry of this name under capital letters as well. */
bool place_folds(world_t *world, int dir, const char *name);
/* ERR_NAMES_CLASH with the path where it has, and the version has names that would be one there. */
err_t place_check_names(store_t *store, const point_t *point, int dir, const char *name,
                        const digest_t *root, fault_t *fault) must_use;

/* What place_ahead.c knows of a name of the tree under way. */
typedef enum ahead_has {
    AHEAD_NOTHING, /* whatever is there, its bytes decide */
    AHEAD_WHOLE    /* it has the bytes of the entry, its mode and mtime */
} ahead_has_t;
/* Whether the tree open on fd is the one that was written to. */
bool place_ahead_is_of(const place_ahead_t *ahead, world_t *world, int fd);
/* What is known of a file by what stat says of it now. */
ahead_has_t place_ahead_has(const place_ahead_t *ahead, const world_stat_t *stat,
                            const tree_entry_t *entry);
/* It has found room for the version, and for what was still to come into the store. */
bool place_ahead_has_looked(const place_ahead_t *ahead);
/* The descriptor of the tree, opened before anything was written to it: a sync of it hears of
 * every write that has failed since. */
int place_ahead_tree(const place_ahead_t *ahead);

typedef struct place_before place_before_t;

typedef struct place_job {
    world_t *world;
    store_t *store;
    point_t *point;
    bool syncs_whole;       /* syncfs of the point's file system type is on the tested list */
    place_ahead_t *ahead;   /* NULL: nothing was written to this tree while its content came */
    bool read_only;         /* of what is written now */
    bool sync_failed;       /* what was written may be lost although it reads well: it must go */
    place_before_t *before; /* what stands at the point, to be read; NULL: nothing */
    place_progress_fn *progress;
    void *context;
    place_result_t *result;
    fault_t *fault;
} place_job_t;
/* Writes the version into the directory open on fd, which may hold part of it already (existed).
 * Everything but the directory's own mode and mtime is as it should be when this returns OK;
 * where syncfs is not trusted it is also synced. */
err_t place_tree(place_job_t *job, int fd, bool existed, const digest_t *root,
                 manifest_version_t *ret_version) must_use;
