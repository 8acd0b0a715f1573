/* point.c - a root's identity on disk, and the descriptor through which all work goes.
 *
 * Bytes    ROOT/.despool/point: sealed text "point" with site, name, incarnation. Valid when its
 *          digest is. ROOT/.despool/{receipts,packages,staging}/ beside it.
 * A crash  in a claim leaves the old identity, or none with empty directories: a claim goes on.
 */
#include "actors/content/point.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include "actors/content/clear.h"
#include "actors/content/fail.h"
#include "actors/content/listing.h"
#include "actors/content/seal.h"

#define HOW       (WORLD_BENEATH | WORLD_NO_XDEV)
#define DIRECTORY (O_RDONLY | O_DIRECTORY | O_NOFOLLOW)

static const char *const inner_names[] = {"receipts", "packages", "staging"};
#define INNER_COUNT (sizeof inner_names / sizeof inner_names[0])

static bool
id_equal(const id128_t *a, const id128_t *b)
{
    return memcmp(a->byte, b->byte, sizeof a->byte) == 0;
}

/* What stands where the root was, or nothing: absent either way. */
static err_t
open_root(world_t *world, const char *root, int *ret_fd, fault_t *fault)
{
    int fd = world_open(world, AT_FDCWD, root, O_RDONLY | O_DIRECTORY, 0, 0);
    if (fd == -ENOTDIR || fd == -ELOOP) {
        return RAISE(fault, ERR_ABSENT, -fd, "open", root);
    }
    if (fd < 0) {
        return FAIL(fault, fd, "open", root);
    }
    *ret_fd = fd;
    return OK;
}

static err_t
read_identity(world_t *world, int own, const char *root, point_identity_t *ret_identity,
              fault_t *fault)
{
    seal_t seal;
    TRY(seal_read(world, own, "point", "point", &seal, fault));
    point_identity_t identity = {0};
    if (!seal_get_hex(&seal, "site", identity.site.byte, sizeof identity.site.byte) ||
        !seal_get_hex(&seal, "incarnation", identity.incarnation.byte,
                      sizeof identity.incarnation.byte) ||
        !seal_get(&seal, "name", identity.name, sizeof identity.name)) {
        return RAISE(fault, ERR_DAMAGED, 0, "read the identity of", root);
    }
    *ret_identity = identity;
    return OK;
}

err_t
point_identity_at(world_t *world, int fd, point_identity_t *ret_identity, fault_t *fault)
{
    int own = world_open(world, fd, POINT_OWN, DIRECTORY, 0, HOW);
    if (own < 0) {
        return RAISE(fault, ERR_NOT_FOUND, -own, "open", POINT_OWN);
    }
    err_t err = read_identity(world, own, POINT_OWN, ret_identity, fault);
    world_close(world, own);
    return err;
}

static err_t
write_identity(world_t *world, int own, const point_identity_t *identity, fault_t *fault)
{
    seal_t seal;
    seal_begin(&seal, "point");
    seal_put_hex(&seal, "site", identity->site.byte, sizeof identity->site.byte);
    seal_put(&seal, "name", identity->name);
    seal_put_hex(&seal, "incarnation", identity->incarnation.byte,
                 sizeof identity->incarnation.byte);
    TRY(seal_close(&seal));
    return seal_write(world, own, "point", &seal, SYNC_POINT_FILE, SYNC_POINT_NAMES, fault);
}

static int
make_dir_of_mode(world_t *world, int dir, const char *name, uint32_t mode)
{
    int made = world_make_dir(world, dir, name, mode);
    return made == -EEXIST ? 0 : made < 0 ? made : world_chmod_at(world, dir, name, mode);
}

/* Makes .despool and what is in it; all names are synced even when they were there already,
 * because a killed run may have made them without getting that far. */
static err_t
make_own(world_t *world, int root_fd, const char *root, int *ret_own, fault_t *fault)
{
    int result = make_dir_of_mode(world, root_fd, POINT_OWN, 0755);
    int own = result < 0 ? result : world_open(world, root_fd, POINT_OWN, DIRECTORY, 0, HOW);
    if (own < 0) {
        return FAIL(fault, own, "make " POINT_OWN " in", root);
    }
    for (size_t i = 0; i < INNER_COUNT && result >= 0; i++) {
        result = make_dir_of_mode(world, own, inner_names[i], 0755);
    }
    result = result < 0 ? result : sync_point_file(world, SYNC_POINT_INNER, own);
    result = result < 0 ? result : sync_point_file(world, SYNC_POINT_ROOT, root_fd);
    if (result < 0) {
        world_close(world, own);
        return FAIL(fault, result, "make " POINT_OWN " in", root);
    }
    *ret_own = own;
    return OK;
}

static err_t
claim_through(world_t *world, int root_fd, const char *root, const point_identity_t *identity,
              fault_t *fault)
{
    int own = -1;
    TRY(make_own(world, root_fd, root, &own, fault));
    err_t err = write_identity(world, own, identity, fault);
    world_close(world, own);
    int passed = err == OK ? world_point(world, "point.claimed") : 0;
    return passed < 0 ? FAIL(fault, passed, "claim", root) : err;
}

/* The identity that a root carries; ERR_NOT_FOUND when it carries none. */
static err_t
identity_of(world_t *world, int root_fd, const char *root, point_identity_t *ret_identity,
            fault_t *fault)
{
    int own = world_open(world, root_fd, POINT_OWN, DIRECTORY, 0, HOW);
    if (own == -ENOENT) {
        return RAISE(fault, ERR_NOT_FOUND, -own, "open the identity of", root);
    }
    if (own < 0) {
        return FAIL(fault, own, "open the identity of", root);
    }
    err_t err = read_identity(world, own, root, ret_identity, fault);
    world_close(world, own);
    return err;
}

/* Whether a root with the identity `there` may be claimed for `identity`. */
static err_t
judge(const point_identity_t *there, const point_identity_t *identity, const id128_t *known,
      size_t known_count, const char *root, fault_t *fault)
{
    if (!id_equal(&there->site, &identity->site)) {
        return RAISE(fault, ERR_OTHER_SITE, 0, "claim", root);
    }
    for (size_t i = 0; i < known_count; i++) {
        if (id_equal(&known[i], &there->incarnation) &&
            !id_equal(&identity->incarnation, &there->incarnation)) {
            return RAISE(fault, ERR_NOT_THIS_POINT, 0, "claim", root);
        }
    }
    return OK;
}

err_t
point_claim(world_t *world, const char *root, const point_identity_t *identity,
            const id128_t *known, size_t known_count, bool dry_run, fault_t *fault)
{
    int fd = -1;
    TRY(open_root(world, root, &fd, fault));
    point_identity_t there;
    err_t err = identity_of(world, fd, root, &there, fault);
    if (err == OK) {
        err = judge(&there, identity, known, known_count, root, fault);
    } else if (err == ERR_NOT_FOUND) {
        err = OK;
    }
    if (err == OK && !dry_run) {
        err = claim_through(world, fd, root, identity, fault);
    }
    world_close(world, fd);
    return err;
}

err_t
point_former(world_t *world, const char *root, const point_identity_t *identity,
             id128_t *ret_former, fault_t *fault)
{
    int fd = -1;
    point_identity_t there;
    TRY(open_root(world, root, &fd, fault));
    err_t err = identity_of(world, fd, root, &there, fault);
    world_close(world, fd);
    bool other = err == OK && id_equal(&there.site, &identity->site) &&
                 !id_equal(&there.incarnation, &identity->incarnation);
    *ret_former = other ? there.incarnation : (id128_t){{0}};
    return err == ERR_NOT_FOUND ? OK : err;
}

err_t
point_adopt(world_t *world, const char *root, const point_identity_t *identity, bool dry_run,
            bool *ret_other, fault_t *fault)
{
    int fd = -1;
    point_identity_t there;
    TRY(open_root(world, root, &fd, fault));
    *ret_other = identity_of(world, fd, root, &there, fault) != OK ||
                 !id_equal(&there.site, &identity->site) ||
                 !id_equal(&there.incarnation, &identity->incarnation);
    err_t err = dry_run ? OK : claim_through(world, fd, root, identity, fault);
    world_close(world, fd);
    return err;
}

static err_t
check_identity(const point_t *point, const id128_t *site, const id128_t *incarnation,
               fault_t *fault)
{
    if (!id_equal(&point->identity.site, site)) {
        return RAISE(fault, ERR_OTHER_SITE, 0, "open", point->root);
    }
    if (!id_equal(&point->identity.incarnation, incarnation)) {
        return RAISE(fault, ERR_NOT_THIS_POINT, 0, "open", point->root);
    }
    return OK;
}

static err_t
fill_point(point_t *point, const id128_t *site, const id128_t *incarnation, fault_t *fault)
{
    world_t *world = point->world;
    world_stat_t stat;
    int result = world_stat(world, point->fd, &stat);
    if (result < 0) {
        return FAIL(fault, result, "stat", point->root);
    }
    point->device = stat.device;
    point->inode = stat.inode;
    point->own_fd = world_open(world, point->fd, POINT_OWN, DIRECTORY, 0, HOW);
    if (point->own_fd < 0) {
        return FAIL(fault, point->own_fd, "open the identity of", point->root);
    }
    err_t err = read_identity(world, point->own_fd, point->root, &point->identity, fault);
    if (err == ERR_NOT_FOUND) {
        return RAISE(fault, ERR_ABSENT, ENOENT, "open the identity of", point->root);
    }
    return err == OK ? check_identity(point, site, incarnation, fault) : err;
}

err_t
point_open(world_t *world, const char *root, const id128_t *site, const id128_t *incarnation,
           point_t *ret_point, fault_t *fault)
{
    point_t point = {.world = world, .fd = -1, .own_fd = -1};
    if (strlen(root) >= sizeof point.root) {
        return RAISE(fault, ERR_NAME_TOO_LONG, 0, "open", root);
    }
    memcpy(point.root, root, strlen(root) + 1);
    TRY(open_root(world, root, &point.fd, fault));
    err_t err = fill_point(&point, site, incarnation, fault);
    if (err != OK) {
        point_close(&point);
        return err;
    }
    *ret_point = point;
    return OK;
}

void
point_close(point_t *point)
{
    if (point->own_fd >= 0) {
        world_close(point->world, point->own_fd);
    }
    if (point->fd >= 0) {
        world_close(point->world, point->fd);
    }
    point->own_fd = point->fd = -1;
}

void
point_beat(const point_t *point, uint64_t bytes)
{
    if (point->beat != NULL) {
        point->beat(point->beat_context, bytes);
    }
}

/* Through a descriptor of the path, because the root's own path may end in a link. */
err_t
point_check(point_t *point, fault_t *fault)
{
    int fd = -1;
    TRY(open_root(point->world, point->root, &fd, fault));
    world_stat_t stat;
    int result = world_stat(point->world, fd, &stat);
    world_close(point->world, fd);
    if (result < 0) {
        return FAIL(fault, result, "stat", point->root);
    }
    if (stat.device != point->device || stat.inode != point->inode) {
        return RAISE(fault, ERR_NOT_THIS_POINT, 0, "find again", point->root);
    }
    return OK;
}

/* Whether receipts/ or packages/ still names a package; unfinished texts begin with a dot. */
static err_t
check_unused(point_t *point, const char *name, fault_t *fault)
{
    int fd = world_open(point->world, point->own_fd, name, DIRECTORY, 0, HOW);
    if (fd < 0) {
        return fd == -ENOENT ? OK : FAIL(fault, fd, "release", point->root);
    }
    listing_t names;
    err_t err = listing_read(point->world, fd, name, &names, fault);
    world_close(point->world, fd);
    TRY(err);
    for (uint32_t i = 0; i < names.count && err == OK; i++) {
        if (names.name[i][0] != '.') {
            err = RAISE(fault, ERR_IN_USE, 0, "release", point->root);
        }
    }
    listing_release(&names);
    return err;
}

err_t
point_empty(point_t *point, fault_t *fault)
{
    TRY(check_unused(point, "receipts", fault));
    TRY(check_unused(point, "packages", fault));
    for (size_t i = 0; i < INNER_COUNT; i++) {
        TRY(clear_name(point->world, point->own_fd, inner_names[i], fault));
    }
    return OK;
}

/* Somebody's file beside our identity stays, and .despool with it. */
static int
remove_own(world_t *world, const point_t *point)
{
    int result = seal_remove(world, point->own_fd, "point");
    result = result < 0 ? result : world_point(world, "point.unnamed");
    result = result < 0 ? result : world_remove_dir(world, point->fd, POINT_OWN);
    if (result == -ENOTEMPTY || result == -EEXIST) {
        result = sync_point_file(world, SYNC_REMOVE_NAMES, point->own_fd);
    }
    result = result < 0 ? result : sync_point_file(world, SYNC_REMOVE_NAMES, point->fd);
    return result < 0 ? result : world_point(world, "point.released");
}

err_t
point_release(point_t *point, fault_t *fault)
{
    TRY(point_empty(point, fault));
    int result = remove_own(point->world, point);
    return result < 0 ? FAIL(fault, result, "release", point->root) : OK;
}

/* What a kill between the identity and its directory has left of them. */
static err_t
vacate_rest(world_t *world, const char *root, fault_t *fault)
{
    point_t point = {.world = world, .fd = -1, .own_fd = -1};
    TRY(open_root(world, root, &point.fd, fault));
    point.own_fd = world_open(world, point.fd, POINT_OWN, DIRECTORY, 0, HOW);
    int result = point.own_fd == -ENOENT ? 0 : point.own_fd;
    result = result < 0 || point.own_fd < 0 ? result : remove_own(world, &point);
    point_close(&point);
    return result < 0 ? FAIL(fault, result, "release", root) : OK;
}

err_t
point_vacate(world_t *world, const char *root, const id128_t *site, const id128_t *incarnation,
             fault_t *fault)
{
    point_t point;
    err_t err = point_open(world, root, site, incarnation, &point, fault);
    if (err == OK) {
        err = point_release(&point, fault);
        point_close(&point);
        return err;
    }
    if (err == ERR_OTHER_SITE || err == ERR_NOT_THIS_POINT) {
        return OK;
    }
    return err == ERR_ABSENT ? vacate_rest(world, root, fault) : err;
}
