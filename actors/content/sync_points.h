/* sync_points.h - every sync of the content rooms, by name, so that each can be removed alone.
 *
 * Shape    a list of names with what each makes durable. The build option sync_mutant skips one
 *          (-DDESPOOL_SYNC_MUTANT=SYNC_...); with -DDESPOOL_SYNC_MUTANTS, for tests only, a
 *          variable chooses. Neither is in the product.
 * Promises no other file of this room calls world_sync, world_sync_data or world_sync_all.
 * Errors   -errno of the sync: an error here is never swallowed.
 * Threads  as the world.
 */
#pragma once

#include "runtime/world.h"

#define SYNC_POINTS(S)                                                                             \
    S(SYNC_STORE_LAYOUT) /* the store's directories, when they are made */                         \
    S(SYNC_PACK_DATA)    /* bytes of objects, before a run names them */                           \
    S(SYNC_PACK_NAMES)   /* names of packs, before a run names what is in them */                  \
    S(SYNC_RUN_DATA)     /* bytes of a run of the index, before it has its name */                 \
    S(SYNC_RUN_NAMES)    /* names of runs */                                                       \
    S(SYNC_POINT_INNER)  /* the directories in .despool, before the identity stands beside them */ \
    S(SYNC_POINT_FILE)   /* bytes of the identity */                                               \
    S(SYNC_POINT_NAMES)  /* names in .despool */                                                   \
    S(SYNC_POINT_ROOT)   /* the name .despool in ROOT */                                           \
    S(SYNC_PLACE_TREE)   /* the staged tree: files, names, metadata */                             \
    S(SYNC_RECORD_FILE)  /* bytes of the version's record */                                       \
    S(SYNC_RECORD_NAMES) /* its name, and the package's name in packages/ */                       \
    S(SYNC_PLACE_MODE)   /* mode and mtime of v<epoch>, which are set after its rename */          \
    S(SYNC_PLACE_VERSION)  /* the name v<epoch> in PACKAGE, before `current` names it */           \
    S(SYNC_PLACE_ROOT)     /* the name PACKAGE in ROOT */                                          \
    S(SYNC_PLACE_CURRENT)  /* `current` in PACKAGE, before the receipt */                          \
    S(SYNC_RECEIPT_FILE)   /* bytes of the receipt */                                              \
    S(SYNC_RECEIPT_NAMES)  /* its name */                                                          \
    S(SYNC_REMOVE_VERSION) /* the removal of a version, before its record goes */                  \
    S(SYNC_REMOVE_NAMES)   /* the removal of names around it */

/* Of keys and agents, where no placement comes by, nor a site of the simulator: that each is needed
 * is found by tests/unit/content/agent_cut_test.c. */
#define SYNC_POINTS_APART(S)                                                                       \
    S(SYNC_KEY_FILE)         /* bytes of a key, or of what an agent knows of its site */           \
    S(SYNC_KEY_NAMES)        /* its name, and that of the directory of keys */                     \
    S(SYNC_STAGED_DATA)      /* bytes of an object that is not whole yet, or of its list */        \
    S(SYNC_STAGED_NAMES)     /* its name, that of their directory; notes of parcels */             \
    S(SYNC_BACKUP_DATA)      /* bytes of a file of a backup, of what is restored, of a parcel */   \
    S(SYNC_BACKUP_NAMES)     /* names of them, before what says that all is there */               \
    S(SYNC_ACTIVATION_FILE)  /* bytes of what is kept of an on-activate program */                 \
    S(SYNC_ACTIVATION_NAMES) /* its name, and that of the directory of such notes */

typedef enum sync_point {
    SYNC_NONE = 0,
#define SYNC_POINT_SYMBOL(name) name,
    SYNC_POINTS(SYNC_POINT_SYMBOL)
#undef SYNC_POINT_SYMBOL
        SYNC_POINT_COUNT,
#define SYNC_POINT_SYMBOL(name) name,
    SYNC_POINTS_APART(SYNC_POINT_SYMBOL)
#undef SYNC_POINT_SYMBOL
} sync_point_t;

/* fsync of a file or directory, and syncfs of what fd is on, at a named point. */
int sync_point_file(world_t *world, sync_point_t point, int fd);
int sync_point_data(world_t *world, sync_point_t point, int fd); /* fdatasync */
int sync_point_all(world_t *world, sync_point_t point, int fd);
/* Whether syncfs of this file system type is known to be enough (ext4, xfs, btrfs, tmpfs). */
bool sync_type_is_tested(uint32_t f_type);

#ifdef DESPOOL_SYNC_MUTANTS
extern sync_point_t sync_mutant; /* tests only: the point that is skipped */
#endif
