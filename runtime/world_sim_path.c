/* world_sim_path.c - how the simulated machine finds the node that a path names.
 *
 * Links are followed as Linux does; WORLD_BENEATH refuses them (ELOOP) and what leads above the
 * start (EXDEV); WORLD_NO_XDEV refuses to step onto another device (EXDEV). A device that is
 * unplugged shows the directory that it covered.
 */
#include "runtime/world_sim_machine.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#define LINKS_MAX 40 /* followed in one path, then ELOOP */

typedef struct walk {
    const world_sim_t *sim;
    sim_node_t *start;
    sim_node_t *at;
    unsigned how;
    bool follow; /* also the last name */
    unsigned links;
    char rest[2 * SIM_PATH_MAX + 2];
    sim_node_t *trouble;
} walk_t;

static int
trouble_of(sim_node_t *node, sim_node_t **trouble)
{
    if (node->hangs) {
        *trouble = node;
        return SIM_HANGS;
    }
    return node->fails != 0 ? -node->fails : 0;
}

int
sim_path_trouble(sim_node_t *dir, sim_node_t **trouble)
{
    for (sim_node_t *at = dir; at != NULL; at = at->parent) {
        int found = at->unplugged ? -EIO : trouble_of(at, trouble);
        if (found != 0) {
            return found;
        }
    }
    return 0;
}

static sim_node_t *
cross_down(sim_node_t *node)
{
    while (node->mounted != NULL && !node->mounted->root->unplugged) {
        node = node->mounted->root;
    }
    return node;
}

static sim_node_t *
above(sim_node_t *node)
{
    while (node->parent != NULL && node->device->root == node) {
        node = node->parent; /* the directory that it is mounted on */
    }
    return node->parent == NULL ? node : node->parent;
}

static bool
is_link_refused(const walk_t *walk)
{
    return (walk->how & WORLD_BENEATH) != 0 || walk->links >= LINKS_MAX;
}

/* Puts the link's target before what is left of the path. */
static int
follow_link(walk_t *walk, const sim_node_t *link, const char *rest)
{
    if (is_link_refused(walk)) {
        return -ELOOP;
    }
    size_t target = strlen(link->target);
    size_t left = strlen(rest);
    if (target + left > SIM_PATH_MAX) {
        return -ENAMETOOLONG;
    }
    memmove(walk->rest + target, rest, left + 1);
    memcpy(walk->rest, link->target, target);
    walk->links++;
    if (walk->rest[0] == '/') {
        walk->at = walk->sim->disk.devices->root;
    }
    return 0;
}

static int
step_to(walk_t *walk, sim_node_t *node)
{
    if ((walk->how & WORLD_NO_XDEV) != 0 && node->device != walk->at->device) {
        return -EXDEV;
    }
    walk->at = node;
    return trouble_of(node, &walk->trouble);
}

static int
step_up(walk_t *walk)
{
    if ((walk->how & WORLD_BENEATH) != 0 && walk->at == walk->start) {
        return -EXDEV;
    }
    return step_to(walk, above(walk->at));
}

/* The child of walk->at that the name stands for, or NULL; unplugged ones are not there. */
static sim_node_t *
child_of(const walk_t *walk, const char *name)
{
    sim_node_t *child = sim_names_get(&walk->at->live.names, name);
    if (child == NULL || child->unplugged) {
        return NULL;
    }
    return cross_down(child);
}

/* Takes the first name off the path: into name; returns the rest, NULL when the name is too long.
 */
static const char *
next_name(const char *path, char name[SIM_NAME_MAX + 1])
{
    size_t length = strcspn(path, "/");
    if (length > SIM_NAME_MAX) {
        return NULL;
    }
    memcpy(name, path, length);
    name[length] = '\0';
    return path + length;
}

static int
end_here(walk_t *walk, sim_place_t *ret, const char *name, sim_node_t *node, const char *rest)
{
    *ret = (sim_place_t){.dir = walk->at, .node = node, .slash = *rest == '/'};
    strcpy(ret->name, name);
    if (node == NULL) {
        return 0;
    }
    if (sim_is_dir(node) && (walk->how & WORLD_NO_XDEV) != 0 && node->device != walk->at->device) {
        return -EXDEV;
    }
    if (ret->slash && !sim_is_dir(node)) {
        return -ENOTDIR;
    }
    return trouble_of(node, &walk->trouble);
}

static int
step(walk_t *walk, const char *name, const char *rest, sim_place_t *ret, bool *done)
{
    bool last = rest[strspn(rest, "/")] == '\0';
    *done = last;
    if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0) {
        int refused = name[1] == '.' ? step_up(walk) : 0;
        return refused != 0 || !last ? refused : end_here(walk, ret, "", walk->at, "");
    }
    if ((walk->at->live.mode & 0100) == 0) {
        return -EACCES;
    }
    sim_node_t *child = child_of(walk, name);
    if (child != NULL && sim_is_link(child) && (!last || walk->follow || *rest == '/')) {
        *done = false;
        return follow_link(walk, child, rest);
    }
    if (last) {
        return end_here(walk, ret, name, child, rest);
    }
    if (child == NULL) {
        return -ENOENT;
    }
    memmove(walk->rest, rest, strlen(rest) + 1);
    return sim_is_dir(child) ? step_to(walk, child) : -ENOTDIR;
}

static int
walk_on(walk_t *walk, sim_place_t *ret)
{
    for (;;) {
        const char *path = walk->rest + strspn(walk->rest, "/");
        if (*path == '\0') {
            return end_here(walk, ret, "", walk->at, "");
        }
        char name[SIM_NAME_MAX + 1];
        const char *rest = next_name(path, name);
        if (rest == NULL) {
            return -ENAMETOOLONG;
        }
        bool dots = strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
        bool done = false;
        int refused = step(walk, name, rest, ret, &done);
        if (refused != 0 || done) {
            return refused;
        }
        if (dots) {
            memmove(walk->rest, rest, strlen(rest) + 1);
        }
    }
}

static int
walk_start(walk_t *walk, int dir_fd, const char *path)
{
    walk->at = walk->sim->disk.devices->root;
    if (path[0] == '/' && (walk->how & WORLD_BENEATH) != 0) {
        return -EXDEV;
    }
    if (path[0] == '/' || dir_fd == AT_FDCWD) {
        return trouble_of(walk->at, &walk->trouble);
    }
    int error = 0;
    const sim_fd_t *fd = sim_fd_find((world_sim_t *) walk->sim, dir_fd, &walk->trouble, &error);
    if (fd == NULL) {
        return error;
    }
    if (!sim_is_dir(fd->node)) {
        return -ENOTDIR;
    }
    walk->at = fd->node;
    return 0;
}

int
sim_path_find(const world_sim_t *sim, int dir_fd, const char *path, unsigned how, bool follow,
              sim_place_t *ret, sim_node_t **trouble)
{
    size_t length = strlen(path);
    if (length == 0) {
        return -ENOENT;
    }
    if (length > SIM_PATH_MAX) {
        return -ENAMETOOLONG;
    }
    walk_t walk = {.sim = sim, .how = how, .follow = follow};
    memcpy(walk.rest, path, length + 1);
    int result = walk_start(&walk, dir_fd, path);
    walk.start = walk.at;
    if (result == 0) {
        result = walk_on(&walk, ret);
    }
    *trouble = walk.trouble;
    return result;
}

sim_node_t *
sim_path_look(const world_sim_t *sim, const char *path)
{
    sim_node_t *at = sim->disk.devices->root;
    for (;;) {
        path += strspn(path, "/");
        if (at == NULL || *path == '\0') {
            break;
        }
        char name[SIM_NAME_MAX + 1];
        path = next_name(path, name);
        if (path == NULL) {
            return NULL;
        }
        at = sim_names_get(&at->live.names, name);
        if (at != NULL && at->mounted != NULL) {
            at = at->mounted->root;
        }
    }
    return at;
}
