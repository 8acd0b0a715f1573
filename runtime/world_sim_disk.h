/* world_sim_disk.h - the disk of the simulated machine; for the world_sim files only.
 *
 * Shape    nodes (inodes) with two states each: live, which calls see, and durable, which a power
 *          cut leaves. Between the two stands one list of effects, in the order in which they
 *          were made. A sync moves effects from the list into the durable states; a crash applies
 *          some of the rest, drops the others, and makes the durable states the live ones.
 * Promises a rename is one effect. No effect becomes durable by a sync before an earlier one that
 *          touches the same name in the same directory.
 * Costs    a sync looks at every effect that is not durable. Memory: every file twice.
 * Errors   -errno as Linux would give it. Out of memory aborts: a simulator has no use for less.
 * Threads  one.
 * Owner    the disk owns everything; nodes are freed when nothing refers to them.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SIM_NAME_MAX      255                 /* bytes of one name */
#define SIM_PATH_MAX      4095                /* bytes of a path */
#define SIM_BLOCK_BYTES   4096                /* space is counted in these */
#define SIM_SECTOR_BYTES  512                 /* writes tear between these */
#define SIM_FILE_BYTES    (UINT64_C(1) << 30) /* a larger file is refused with EFBIG */
#define SIM_DEVICE_BYTES  (UINT64_C(1) << 40) /* of a device that was given no bound */
#define SIM_DEVICE_INODES (UINT64_C(1) << 24)

typedef struct sim_node sim_node_t;
typedef struct sim_device sim_device_t;

typedef struct sim_rng {
    uint64_t state;
} sim_rng_t;

uint64_t sim_rng_next(sim_rng_t *rng);
/* Uniform enough below bound, which is at least 1. */
uint64_t sim_rng_below(sim_rng_t *rng, uint64_t bound);

typedef struct sim_entry {
    char *name;
    sim_node_t *node;
} sim_entry_t;

typedef struct sim_names {
    sim_entry_t *at;
    size_t count, room;
} sim_names_t;

typedef struct sim_state {
    uint8_t *bytes; /* of a file */
    uint64_t size, room;
    sim_names_t names; /* of a directory */
    uint32_t mode;     /* with the type bits */
    int64_t mtime_ns;
} sim_state_t;

struct sim_node {
    uint64_t number;
    sim_device_t *device;
    sim_node_t
        *parent; /* of a directory, live; of a device's root the directory it is mounted on */
    sim_state_t live, durable;
    char *target; /* of a symlink */
    int64_t ctime_ns;
    uint32_t links, opens; /* live names and descriptors; 0 and 0 gives the space back */
    sim_device_t *mounted; /* over this directory */
    bool unplugged, hangs;
    int fails;     /* errno of every call at or below it, 0 none */
    uint32_t pins; /* other references that keep it from being freed */
    bool marked;
    sim_node_t *next;
};

struct sim_device {
    uint64_t number;
    sim_node_t *root;
    uint64_t bytes_max, inodes_max, bytes_used, inodes_used;
    uint32_t type; /* f_type of statfs; 0: that of ext4 */
    sim_device_t *next;
};

typedef enum sim_effect_kind {
    EFFECT_WRITE,
    EFFECT_SIZE,
    EFFECT_MODE,
    EFFECT_MTIME,
    EFFECT_ENTER,  /* a name appears */
    EFFECT_LEAVE,  /* a name goes */
    EFFECT_RENAME, /* a name goes and another appears */
} sim_effect_kind_t;

typedef struct sim_effect {
    sim_effect_kind_t kind;
    sim_node_t *node; /* the file, or the directory of `name` */
    char *name;
    sim_node_t *child;
    sim_node_t *from_dir; /* rename: where the name was */
    char *from_name;
    uint8_t *bytes;
    uint64_t offset, size;
    uint32_t mode;
    int64_t mtime_ns;
    struct sim_effect *before, *after;
} sim_effect_t;

typedef struct sim_disk {
    sim_device_t *devices; /* the first is that of "/" */
    sim_node_t *nodes;
    sim_effect_t *first, *last;
    uint64_t effects;  /* in the list */
    uint64_t recorded; /* ever */
    uint64_t nodes_made, nodes_now, nodes_after_sweep;
    int64_t wall_ns; /* kept by the machine; stamped on what is changed */
} sim_disk_t;

void *sim_alloc(size_t size); /* zeroed; aborts when there is none */
char *sim_copy_text(const char *text);

/* world_sim_node.c: states, names and nodes */
sim_node_t *sim_names_get(const sim_names_t *names, const char *name);
void sim_names_put(sim_names_t *names, const char *name, sim_node_t *node);
void sim_names_take(sim_names_t *names, const char *name);
void sim_state_resize(sim_state_t *state, uint64_t size);
void sim_state_read(const sim_state_t *state, uint64_t offset, uint8_t *ret_bytes, uint64_t size);
void sim_state_write(sim_state_t *state, uint64_t offset, const uint8_t *bytes, uint64_t size);
void sim_state_assign(sim_state_t *to, const sim_state_t *from);
bool sim_is_dir(const sim_node_t *node);
bool sim_is_file(const sim_node_t *node);
bool sim_is_link(const sim_node_t *node);
/* A node without a name, counted on its device. */
sim_node_t *sim_node_new(sim_disk_t *disk, sim_device_t *device, uint32_t mode);
void sim_node_free(sim_node_t *node);
sim_device_t *sim_device_new(sim_disk_t *disk, uint64_t bytes_max, uint64_t inodes_max);
uint64_t sim_blocks_bytes(uint64_t size); /* what a file of that size occupies */
/* Counts a descriptor of the node more or less. */
void sim_node_opened(sim_node_t *node);
void sim_node_closed(sim_node_t *node);
void sim_node_unlinked(sim_node_t *node);
void sim_disk_init(sim_disk_t *disk);
void sim_disk_free(sim_disk_t *disk);

/* world_sim_disk.c: changes of the live state, each of which records its effect */
int64_t sim_disk_write(sim_disk_t *disk, sim_node_t *file, uint64_t offset, const uint8_t *bytes,
                       uint64_t size);
int sim_disk_resize(sim_disk_t *disk, sim_node_t *file, uint64_t size);
void sim_disk_chmod(sim_disk_t *disk, sim_node_t *node, uint32_t mode);
void sim_disk_set_mtime(sim_disk_t *disk, sim_node_t *node, int64_t mtime_ns);
/* A new file, directory or (with target) symlink of that mode. */
int sim_disk_create(sim_disk_t *disk, sim_node_t *dir, const char *name, uint32_t mode,
                    const char *target, sim_node_t **ret_node);
int sim_disk_link(sim_disk_t *disk, sim_node_t *node, sim_node_t *dir, const char *name);
int sim_disk_remove(sim_disk_t *disk, sim_node_t *dir, const char *name, bool directory);
int sim_disk_rename(sim_disk_t *disk, sim_node_t *from_dir, const char *from, sim_node_t *to_dir,
                    const char *to);

/* world_sim_power.c: what is durable */
void sim_power_sync(sim_disk_t *disk, sim_node_t *node, bool data_only);
void sim_power_sync_device(sim_disk_t *disk, const sim_device_t *device);
/* A sync of the node, or of the device when node is NULL, that failed: what it should have written
 * is kept, torn or lost for ever. */
void sim_power_sync_fails(sim_disk_t *disk, const sim_device_t *device, const sim_node_t *node,
                          sim_rng_t *chance);
/* Which of the effects survive: by chance, or bit i of *keep for the i-th (modulo 64). */
void sim_power_cut(sim_disk_t *disk, sim_rng_t *chance, const uint64_t *keep);
/* Frees the nodes that nothing refers to, when they have become many. */
void sim_power_sweep(sim_disk_t *disk);
