/* seed.c - see seed.h. The seed is somebody else's: it is read, and may change at any moment. */
#include "actors/content/seed.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "actors/content/descent.h"
#include "actors/content/fail.h"
#include "actors/content/lack.h"
#include "actors/content/listing.h"
#include "proto/limits.h"

#define HOW (WORLD_BENEATH | WORLD_NO_XDEV)

/* A lacking file: two that begin with the same 8 bytes cannot be told apart before they are read
 * whole, and one too many in the store is collected. */
typedef struct wanted {
    uint64_t size, name;
} wanted_t;

typedef struct level {
    listing_t names;
    uint32_t next;
} level_t;

typedef struct seed {
    world_t *world;
    store_t *store;
    seed_result_t *result;
    bool all; /* the agent's own word: all that it can read */
    wanted_t *wanted;
    size_t count, room;
    uint64_t names; /* looked at so far */
    hash_t *hash;
    uint8_t *block; /* CONTENT_BLOCK_BYTES */
    descent_t way;
    level_t *level;
    size_t depth, levels;
    const seed_way_t *to;
    fault_t *fault;
} seed_t;

/* ---- what is wanted ---- */

static uint64_t
name_of(const digest_t *object)
{
    uint64_t name;
    memcpy(&name, object->byte, sizeof name);
    return name;
}

static err_t
want(void *context, const digest_t *object, uint64_t size)
{
    seed_t *seed = context;
    if (size == 0 || seed->count == SEED_WANTED_MAX) {
        return OK;
    }
    if (seed->count == seed->room) {
        size_t room = seed->room == 0 ? 1024 : seed->room * 2;
        wanted_t *wanted = realloc(seed->wanted, room * sizeof *wanted);
        if (wanted == NULL) {
            return ERR_NO_MEMORY;
        }
        seed->wanted = wanted;
        seed->room = room;
    }
    seed->wanted[seed->count++] = (wanted_t){size, name_of(object)};
    return OK;
}

static int
by_size(const void *a, const void *b)
{
    const wanted_t *left = a, *right = b;
    if (left->size != right->size) {
        return left->size < right->size ? -1 : 1;
    }
    return (left->name > right->name) - (left->name < right->name);
}

/* The first that is not less. */
static const wanted_t *
first_of(const seed_t *seed, const wanted_t *least)
{
    size_t from = 0, to = seed->count;
    while (from < to) {
        size_t middle = from + (to - from) / 2;
        if (by_size(&seed->wanted[middle], least) < 0) {
            from = middle + 1;
        } else {
            to = middle;
        }
    }
    return from < seed->count ? &seed->wanted[from] : NULL;
}

static bool
is_size_wanted(const seed_t *seed, uint64_t size)
{
    const wanted_t *first = first_of(seed, &(wanted_t){size, 0});
    return first != NULL && first->size == size;
}

static bool
is_wanted(const seed_t *seed, uint64_t size, const digest_t *digest)
{
    wanted_t wanted = {size, name_of(digest)};
    const wanted_t *first = first_of(seed, &wanted);
    return first != NULL && by_size(first, &wanted) == 0;
}

/* ---- files ---- */

/* Goes on without it, unless all is to end. */
static err_t
skip(seed_t *seed, err_t err, const char *verb, const char *name)
{
    if (err == ERR_CANCELLED) {
        return RAISE(seed->fault, err, 0, verb, "a seed");
    }
    if (seed->result->skipped++ == 0) {
        (void) RAISE(&seed->result->why, err, 0, verb, descent_path(&seed->way, name));
    }
    return OK;
}

static void
beat(const seed_t *seed)
{
    if (seed->to->beat != NULL) {
        seed->to->beat(seed->to->context);
    }
}

static err_t
hash_file(seed_t *seed, int fd, uint64_t size, digest_t *ret_digest)
{
    int64_t got = 1;
    hash_begin(seed->hash);
    for (uint64_t at = 0; at < size && got > 0; at += (uint64_t) got) {
        uint64_t left = size - at;
        got = world_read(seed->world, fd, seed->block,
                         left < CONTENT_BLOCK_BYTES ? (size_t) left : CONTENT_BLOCK_BYTES, at);
        hash_add(seed->hash, seed->block, got > 0 ? (size_t) got : 0);
        beat(seed);
    }
    hash_end(seed->hash, ret_digest);
    return got < 0 ? err_of_errno((int) -got) : OK;
}

/* What the store made of it counts, not what was read first. */
static err_t
take_file(seed_t *seed, int fd, const char *name, uint64_t size, const digest_t *digest)
{
    store_put_t put;
    TRY(store_put_file(seed->store, fd, name, &put, seed->fault));
    if (!digest_equal(&put.digest, digest)) {
        return skip(seed, ERR_SOURCE_CHANGED, "read", name);
    }
    if (put.new_bytes > 0) {
        seed->result->files++;
        seed->result->bytes += size;
    }
    return OK;
}

static bool
may_read(const seed_t *seed, const world_stat_t *stat, uint32_t bits)
{
    return seed->all || (stat->mode & bits) == bits;
}

static err_t
look_at_open(seed_t *seed, int fd, const char *name)
{
    world_stat_t stat;
    digest_t digest;
    int result = world_stat(seed->world, fd, &stat);
    if (result < 0) {
        return skip(seed, err_of_errno(-result), "look at", name);
    }
    if (!S_ISREG(stat.mode) || !is_size_wanted(seed, stat.size)) {
        return skip(seed, ERR_SOURCE_CHANGED, "read", name);
    }
    if (!may_read(seed, &stat, S_IROTH)) {
        return skip(seed, ERR_PERMISSION, "read", name);
    }
    err_t err = hash_file(seed, fd, stat.size, &digest);
    if (err != OK) {
        return skip(seed, err, "read", name);
    }
    return is_wanted(seed, stat.size, &digest) ? take_file(seed, fd, name, stat.size, &digest) : OK;
}

/* O_NONBLOCK: a fifo that took the file's place must not hold us. */
static err_t
look_at_file(seed_t *seed, const char *name)
{
    int fd = world_open(seed->world, descent_fd(&seed->way), name,
                        O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY, 0, HOW);
    if (fd < 0) {
        return skip(seed, err_of_errno(-fd), "open", name);
    }
    err_t err = look_at_open(seed, fd, name);
    world_close(seed->world, fd);
    return err;
}

/* ---- directories ---- */

static err_t
push(seed_t *seed)
{
    world_stat_t stat;
    if (seed->depth == seed->levels) {
        size_t levels = seed->levels * 2 + 8;
        level_t *level = realloc(seed->level, levels * sizeof *level);
        if (level == NULL) {
            return NO_MEMORY(seed->fault, "a seed");
        }
        seed->level = level;
        seed->levels = levels;
    }
    level_t *level = &seed->level[seed->depth++];
    *level = (level_t){.next = 0};
    int result = world_stat(seed->world, descent_fd(&seed->way), &stat);
    if (result < 0) {
        return skip(seed, err_of_errno(-result), "look at", NULL);
    }
    if (!may_read(seed, &stat, S_IROTH | S_IXOTH)) {
        return skip(seed, ERR_PERMISSION, "read", NULL);
    }
    err_t err = listing_read(seed->world, descent_fd(&seed->way), descent_path(&seed->way, NULL),
                             &level->names, NULL);
    return err == OK ? OK : skip(seed, err, "list", NULL);
}

static err_t
pop(seed_t *seed)
{
    listing_release(&seed->level[--seed->depth].names);
    return seed->depth == 0 ? OK : descent_leave(&seed->way, seed->fault);
}

static err_t
enter(seed_t *seed, const char *name)
{
    err_t err = descent_enter(&seed->way, name, NULL);
    return err == OK ? push(seed) : skip(seed, err, "enter", name);
}

static err_t
look_at(seed_t *seed, const char *name)
{
    world_stat_t stat;
    int result = world_stat_at(seed->world, descent_fd(&seed->way), name, &stat);
    if (result < 0) {
        return skip(seed, err_of_errno(-result), "look at", name);
    }
    if (S_ISDIR(stat.mode)) {
        return enter(seed, name);
    }
    return S_ISREG(stat.mode) && is_size_wanted(seed, stat.size) ? look_at_file(seed, name) : OK;
}

static err_t
look_through(seed_t *seed)
{
    TRY(push(seed));
    while (seed->depth > 0) {
        level_t *level = &seed->level[seed->depth - 1];
        beat(seed);
        if (level->next == level->names.count) {
            TRY(pop(seed));
        } else if (seed->names++ == SEED_NAMES_MAX) {
            return skip(seed, ERR_TOO_LARGE, "read", NULL);
        } else {
            TRY(look_at(seed, level->names.name[level->next++]));
        }
    }
    return OK;
}

static err_t
look_below(seed_t *seed, int top)
{
    TRY(descent_init(&seed->way, seed->world, top, HOW, ERR_SOURCE_CHANGED, seed->fault));
    err_t err = look_through(seed);
    while (seed->depth > 0) {
        listing_release(&seed->level[--seed->depth].names);
    }
    descent_release(&seed->way);
    return err;
}

/* Of "/srv/a" the part below "/", which is opened without following a link anywhere. */
static err_t
open_top(world_t *world, const char *path, int *ret_top, fault_t *fault)
{
    const char *below = path + strspn(path, "/");
    int from = world_open(world, AT_FDCWD, "/", O_RDONLY | O_DIRECTORY, 0, 0);
    int top = from < 0 ? from
                       : world_open(world, from, *below == '\0' ? "." : below,
                                    O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0, WORLD_BENEATH);
    if (from >= 0) {
        world_close(world, from);
    }
    *ret_top = top;
    return top == -ENOENT ? RAISE(fault, ERR_NO_PATH, ENOENT, "open the seed", path)
           : top < 0      ? FAIL(fault, top, "open the seed", path)
                          : OK;
}

static err_t
take_with(seed_t *seed, const seed_way_t *to)
{
    int top = -1;
    TRY(seed_allowed(seed->world, to, &seed->all, seed->fault));
    TRY(open_top(seed->world, to->seed, &top, seed->fault));
    err_t err = look_below(seed, top);
    world_close(seed->world, top);
    err_t kept = err == ERR_CANCELLED ? err : store_commit(seed->store, seed->fault);
    return err == OK ? kept : err;
}

err_t
seed_take(world_t *world, store_t *store, staging_t *staging, const seed_way_t *to,
          seed_result_t *ret_result, fault_t *fault)
{
    *ret_result = (seed_result_t){.files = 0};
    seed_t seed = {.world = world, .store = store, .result = ret_result, .to = to, .fault = fault};
    lack_t lack = {.each = want, .context = &seed};
    TRY(lack_find(store, staging, &to->version, &lack, fault));
    if (seed.count == 0) {
        free(seed.wanted);
        return OK;
    }
    qsort(seed.wanted, seed.count, sizeof *seed.wanted, by_size);
    seed.block = malloc(CONTENT_BLOCK_BYTES);
    err_t err = seed.block == NULL || hash_new(&seed.hash) != OK ? NO_MEMORY(fault, "a seed")
                                                                 : take_with(&seed, to);
    hash_destroy(&seed.hash);
    free(seed.block);
    free(seed.level);
    free(seed.wanted);
    return err;
}
