/* place_ahead_inner.h - what place_ahead.c and place_ahead_names.c share; for these two only.
 *
 * Shape    names: what is listed, by digest, and where it belongs. Written: the small files that
 *          stand in the tree.
 * Threads  one job, or handler, at a time.
 */
#pragma once

#include "actors/content/hash.h"
#include "actors/content/place_inner.h"

typedef struct ahead_directory {
    uint32_t parent;
    uint32_t text; /* its name */
} ahead_directory_t;

#define AHEAD_EARLY_MAX 64u /* chunks of a large file that come before those in front of them */

typedef struct ahead_extent {
    uint64_t at, size; /* bytes */
} ahead_extent_t;

/* A small file of the look, or a large one of the order. */
typedef struct ahead_file {
    digest_t digest;
    uint64_t size;
    int64_t mtime_ns;
    uint32_t mode;
    uint32_t directory, text; /* of a small one */
    char *path, *name;        /* of a large one: its directory, and its name behind it */
    uint64_t done;            /* of a large one, bytes put */
    uint64_t there;           /* of a large one, bytes from its begin on that are known */
    bool known;               /* so far */
    hash_t *hash;             /* of them; NULL: they are chunks that the version names */
    ahead_extent_t *early;    /* put behind that: AHEAD_EARLY_MAX, behind a large one */
    uint32_t earlies;
    bool large, begun, over; /* over: nothing is put any more */
} ahead_file_t;

/* A place where an object belongs. */
typedef struct ahead_row {
    digest_t digest;
    uint64_t at; /* of the file */
    ahead_file_t *file;
    uint32_t next; /* of the same digest, + 1 */
} ahead_row_t;

typedef struct ahead_written {
    uint64_t inode, name; /* name: the first bytes of its digest */
    int64_t ctime_ns;
} ahead_written_t;

#define AHEAD_SLOTS 16384u                  /* of the rows of a look, by digest */
#define AHEAD_ROWS  (4u * AGENT_RANGES_MAX) /* a chunk may be in many places */
#define AHEAD_TEXT  (8u << 20)              /* bytes of names of a look */

struct place_ahead {
    char root[POINT_ROOT_BYTES], package[RECEIPT_PACKAGE_BYTES];
    id128_t site, point;
    place_order_t order;
    /* the look in hand */
    ahead_directory_t *directory; /* [0]: the top */
    uint32_t directories, directories_room;
    char *text;
    uint32_t text_size, text_room;
    ahead_file_t *small; /* AGENT_RANGES_MAX of them */
    uint32_t smalls;
    ahead_file_t *large[AGENT_LISTS_MAX];
    uint32_t larges;
    ahead_row_t *row; /* AHEAD_ROWS of them */
    uint32_t rows;
    uint32_t *slot; /* AHEAD_SLOTS, a row + 1 */
    const tree_entry_t *entry;
    uint32_t entry_in;
    digest_t listed; /* last */
    bool sealed;     /* the list of the entry */
    uint64_t lacks;
    /* the tree */
    world_t *lasting;
    int tree;
    uint64_t device, inode;
    void (*beat)(void *context, uint64_t bytes); /* NULL: nobody is told */
    void *beat_context;
    bool over; /* nothing is put any more */
    int dir;   /* open on dir_path, for one job */
    char dir_path[AHEAD_PATH_BYTES_MAX + 1];
    ahead_written_t *written; /* by inode; 0: free */
    uint32_t written_count, written_room;
};

/* The first of the places of an object; NULL: it belongs nowhere. */
ahead_row_t *ahead_first(const place_ahead_t *ahead, const digest_t *object);
ahead_row_t *ahead_next(const place_ahead_t *ahead, const ahead_row_t *row);
/* The path of a directory from the top, "" for that; false: it is too long. */
bool ahead_path(const place_ahead_t *ahead, uint32_t directory,
                char path[AHEAD_PATH_BYTES_MAX + 1]);
