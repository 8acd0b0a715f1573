/* point.h - the identity of a distribution point, and the one descriptor that work goes through.
 *
 * Shape    ROOT/.despool/point, a sealed text (see seal.h): site, name, incarnation. Beside it
 *          receipts/, packages/ (a record for each version placed) and staging/.
 * Promises nothing is written to a root without its identity, or with another's: an empty mount
 *          point is not filled. All work is relative to the descriptor through which the identity
 *          was read, beneath it and on its own file system.
 * Costs    a few calls.
 * Errors   ERR_ABSENT (no root, no identity, mount gone), ERR_NOT_THIS_POINT (another point of
 *          this site), ERR_OTHER_SITE, ERR_DAMAGED, ERR_READ_ONLY, ERR_PERMISSION, ERR_SPACE ...
 * Threads  a point_t belongs to one job.
 * Owner    who opened it closes it.
 */
#pragma once

#include "proto/record.h"
#include "runtime/world.h"

#define POINT_OWN        ".despool" /* of ROOT: all that is ours alone */
#define POINT_NAME_BYTES 65u        /* with the closing NUL; names are 1 to 64 bytes */
#define POINT_ROOT_BYTES 4096u

typedef struct point_identity {
    id128_t site;
    id128_t incarnation;
    char name[POINT_NAME_BYTES];
} point_identity_t;

typedef struct point {
    world_t *world;         /* borrowed */
    int fd;                 /* of ROOT */
    int own_fd;             /* of ROOT/.despool */
    uint64_t device, inode; /* of ROOT */
    point_identity_t identity;
    char root[POINT_ROOT_BYTES]; /* path, absolute */
    /* Called at each step of work at the point, so that it can be told from work that hangs; NULL
     * after the opening. bytes: what the one call that comes next has to bring to the disk. */
    void (*beat)(void *context, uint64_t bytes);
    void *beat_context;
} point_t;

/* Writes a new identity into an existing root, durably (dp add). Refuses a root that carries
 * another site's identity (ERR_OTHER_SITE) or one of the known incarnations other than this one
 * (ERR_NOT_THIS_POINT); one of our own site that nobody knows any more is claimed anew. Claiming
 * again what is ours already is OK. dry_run: refuses as it would, writes nothing. */
err_t point_claim(world_t *world, const char *root, const point_identity_t *identity,
                  const id128_t *known, size_t known_count, bool dry_run, fault_t *fault) must_use;
/* Of which other point of the same site it is the root so far; none: of nobody, or not of this
 * site. */
err_t point_former(world_t *world, const char *root, const point_identity_t *identity,
                   id128_t *ret_former, fault_t *fault) must_use;
/* Claims whatever identity the root carries (dp adopt): a person decided. dry_run: writes nothing.
 * ret_other: it carries another one, or none. */
err_t point_adopt(world_t *world, const char *root, const point_identity_t *identity, bool dry_run,
                  bool *ret_other, fault_t *fault) must_use;
/* Opens a root and checks that it is this point. Cheap: it is also the probe for a return. */
err_t point_open(world_t *world, const char *root, const id128_t *site, const id128_t *incarnation,
                 point_t *ret_point, fault_t *fault) must_use;
void point_close(point_t *point);
void point_beat(const point_t *point, uint64_t bytes);
/* Whether ROOT's path still leads to the opened descriptor. */
err_t point_check(point_t *point, fault_t *fault) must_use;
/* Removes what is ours in .despool but for the identity; ERR_IN_USE: a package is left. */
err_t point_empty(point_t *point, fault_t *fault) must_use;
/* Empties, and removes the identity (dp remove): another site may claim the root. */
err_t point_release(point_t *point, fault_t *fault) must_use;
/* Releases the root of a point that was emptied, or finds that this was done before: without our
 * identity it is free, also when somebody else has claimed it. ERR_ABSENT: there is no root. */
err_t point_vacate(world_t *world, const char *root, const id128_t *site,
                   const id128_t *incarnation, fault_t *fault) must_use;

/* The identity that the directory open on fd carries; ERR_NOT_FOUND when it is no point's root. */
err_t point_identity_at(world_t *world, int fd, point_identity_t *ret_identity,
                        fault_t *fault) must_use;
/* Whether the directory at path is the root of one of the known points or lies below one, whatever
 * names lead to it: asked of the directories above path, not of the points, which may hang. */
err_t point_lies_above(world_t *world, const char *path, const id128_t *known, size_t count,
                       bool *ret_lies, fault_t *fault) must_use;
/* Whether the directory at root lies below the root of a point, whoever's. */
err_t point_lies_in_another(world_t *world, const char *root, bool *ret_lies,
                            fault_t *fault) must_use;
/* Whether two directories are equal or one lies in the other: by device and inode up their
 * parents, and by what the mounts on their ways show; a path that does not exist is held against
 * the other by its text. */
err_t point_overlaps(world_t *world, const char *path_a, const char *path_b, bool *ret_overlaps,
                     fault_t *fault) must_use;
