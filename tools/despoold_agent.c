/* despoold_agent.c - see despoold_agent.h. */
#include "tools/despoold_agent.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "actors/agent_roster.h"
#include "actors/content/keys.h"
#include "actors/content/parcel.h"
#include "actors/content/point.h"
#include "actors/content/tombstone.h"
#include "proto/messages.h"
#include "runtime/world_os.h"

/* Nothing resumes here by itself, as work does. */
#define MAKE_IT "make or mount the directory, then repeat"

static err_t
tell(const fault_t *fault)
{
    char text[1024];

    fprintf(stderr, "%s\n  %s\n", fault_text(fault, text, sizeof text),
            fault->err == ERR_ABSENT ? MAKE_IT : err_hint(fault->err));
    return fault->err;
}

static err_t
tell_why(err_t err, const char *what)
{
    fprintf(stderr, "cannot join '%s': %s\n  %s\n", what, err_sentence(err), err_hint(err));
    return err;
}

/* ---- joining ---- */

/* A site cannot become an agent by the way: its data would be hidden. */
static err_t
check_data(const char *data)
{
    char path[PATH_BYTES_MAX + 16];
    struct stat stat_of;

    snprintf(path, sizeof path, "%s/site.db", data);
    if (stat(path, &stat_of) == 0) {
        fprintf(stderr,
                "cannot join with '%s': it is the data directory of a site\n  name another "
                "one with --data\n",
                data);
        return ERR_IN_USE;
    }
    return OK;
}

static bool
serves(world_t *world, const char *root, const id128_t *site, const id128_t *incarnation)
{
    point_t point;
    bool is_its = point_open(world, root, site, incarnation, &point, NULL) == OK;

    if (is_its) {
        point_close(&point);
    }
    return is_its;
}

/* Of an agent that lives there nobody would hear any more. It may join another site when its point
 * was removed; and again by its own token, with the root that it has, wherever that is by now: of
 * another one its site would think that it holds what the first does. A damaged note is made anew.
 */
static err_t
check_former(world_t *world, const char *data, const token_t *token, const char *root)
{
    join_t former;
    bool removed = false;

    if (join_read(world, data, &former, NULL) != OK) {
        return OK;
    }
    bool same_site = memcmp(&former.site, &token->site, sizeof former.site) == 0;
    bool same = same_site &&
                memcmp(&former.incarnation, &token->incarnation, sizeof former.incarnation) == 0;
    if (same && strcmp(former.root, root) != 0 &&
        !serves(world, root, &former.site, &former.incarnation)) {
        fprintf(stderr,
                "cannot join with '%s': its agent has the root '%s', and '%s' is not that\n  name "
                "that one, or move all that is in it, .despool too\n",
                data, former.root, root);
        return ERR_NOT_THIS_POINT;
    }
    if (!same_site &&
        (tombstone_read(world, data, &former.incarnation, &removed, NULL) != OK || !removed)) {
        fprintf(stderr,
                "cannot join with '%s': the agent of '%s', a point of another site, lives there\n  "
                "name another directory with --data\n",
                data, former.name);
        return ERR_IN_USE;
    }
    return OK;
}

/* A root that is another point's is left as it is until the site has said that this point is no
 * more: ret_former. */
static err_t
claim_root(world_t *world, const token_t *token, const char *root, bool taken, id128_t *ret_former)
{
    point_identity_t identity = {.site = token->site, .incarnation = token->incarnation};
    fault_t fault = {0};

    snprintf(identity.name, sizeof identity.name, "%s", token->name);
    err_t err = point_former(world, root, &identity, ret_former, &fault);
    if (err == OK && (taken || id128_is_none(ret_former))) {
        err = point_claim(world, root, &identity, NULL, 0, false, &fault);
    }
    return err == OK ? OK : tell(&fault);
}

static err_t
check_overlap(world_t *world, const char *root, const char *data)
{
    fault_t fault = {0};
    bool overlaps = false;
    err_t err = point_overlaps(world, root, data, &overlaps, &fault);

    if (err == OK && !overlaps) {
        err = point_lies_in_another(world, root, &overlaps, &fault);
    }
    if (err == OK && overlaps) {
        err = RAISE(&fault, ERR_OVERLAP, 0, "claim", root);
    }
    return err == OK ? OK : tell(&fault);
}

/* Absolute, so that the agent finds it from wherever it is started. */
static err_t
whole_root(const char *given, join_t *join)
{
    char *whole = realpath(given, NULL);
    bool fits = whole && strlen(whole) < sizeof join->root;

    if (fits) {
        snprintf(join->root, sizeof join->root, "%s", whole);
    } else {
        fprintf(stderr, "cannot use '%s': %s\n  %s\n", given,
                whole ? "the path is too long" : err_sentence(ERR_ABSENT), MAKE_IT);
    }
    free(whole);
    return fits ? OK : ERR_ABSENT;
}

static bool
is_there(const char *top, const char *name)
{
    char path[PATH_BYTES_MAX + 16];
    struct stat stat_of;

    snprintf(path, sizeof path, "%s/%s", top, name);
    return lstat(path, &stat_of) == 0;
}

/* Who was refused leaves nothing that was not there before. The keys of who may be taken in all the
 * same, by an answer that was lost, stay: by them the same token is good again. */
static err_t
enrol(world_t *world, const token_t *token, const char *data, join_t *join)
{
    bool claimed = is_there(join->root, POINT_OWN), taken = false;
    bool has_keys = is_there(data, "keys") || is_there(data, "keys.made");
    id128_t former;
    fault_t fault = {0};

    TRY(check_overlap(world, join->root, data));
    TRY(claim_root(world, token, join->root, false, &former));
    err_t err = agent_enrol_at(token, data, join->root, &former, &join->site_signing, &taken);
    if (err == OK && !id128_is_none(&former)) {
        err = claim_root(world, token, join->root, true, &former);
    }
    if (err == OK || taken) {
        return err;
    }
    if (!claimed && point_vacate(world, join->root, &token->site, &token->incarnation, &fault)) {
        (void) tell(&fault);
    }
    if (!has_keys && keys_unmake(world, data, &fault) != OK) {
        (void) tell(&fault);
    }
    return err;
}

err_t
agent_join(const char *text, const char *data, const char *root, join_t *ret_join)
{
    world_os_t os;
    world_t *world = world_os_init(&os, NULL);
    fault_t fault = {0};
    token_t token;
    err_t err = token_read(text, &token);

    if (err != OK) {
        return tell_why(err, "the site");
    }
    TRY(check_data(data));
    TRY(whole_root(root, ret_join));
    TRY(check_former(world, data, &token, ret_join->root));
    TRY(enrol(world, &token, data, ret_join));
    memcpy(ret_join->address, token.address, sizeof token.address);
    ret_join->former[0] = '\0';
    memcpy(ret_join->name, token.name, sizeof token.name);
    ret_join->site_key = token.site_key;
    ret_join->site = token.site;
    ret_join->incarnation = token.incarnation;
    explicit_bzero(&token, sizeof token);
    err = join_write(world, data, ret_join, &fault);
    if (err == OK) {
        printf("despoold: joined as %s\n", ret_join->name);
        fflush(stdout);
    }
    return err == OK ? OK : tell(&fault);
}

err_t
agent_read(const char *data, join_t *ret_join, bool *ret_is_agent)
{
    world_os_t os;
    fault_t fault = {0};
    err_t err = join_read(world_os_init(&os, NULL), data, ret_join, &fault);

    *ret_is_agent = err == OK;
    return err == OK || err == ERR_NOT_FOUND ? OK : tell(&fault);
}

err_t
agent_tell_removed(const char *data, const join_t *join, bool *ret_removed)
{
    world_os_t os;
    fault_t fault = {0};
    err_t err =
        tombstone_read(world_os_init(&os, NULL), data, &join->incarnation, ret_removed, &fault);

    if (err != OK) {
        return tell(&fault);
    }
    if (*ret_removed) {
        printf("despoold: removed: %s is no distribution point of its site any more; what is in "
               "'%s' stays\n",
               join->name, join->root);
        fflush(stdout);
    }
    return OK;
}

/* ---- a parcel ---- */

err_t
agent_need(const char *data)
{
    char path[PATH_BYTES_MAX + 16];
    struct stat stat_of;

    snprintf(path, sizeof path, "%s/agent", data);
    if (stat(path, &stat_of) == 0) {
        return OK;
    }
    fprintf(stderr,
            "cannot take a parcel with '%s': no agent lives there\n  name the data directory of "
            "one that has joined with --data\n",
            data);
    return ERR_NOT_FOUND;
}

static err_t
take_parcel(world_t *world, const char *data, const join_t *join, const char *file, fault_t *fault)
{
    char path[PATH_BYTES_MAX + 16];
    parcel_about_t about;
    parcel_result_t result = {0};
    store_t *store = NULL;

    snprintf(path, sizeof path, "%s/store", data);
    TRY(store_open(world, path, &store, fault));
    err_t err =
        parcel_take(world, store, file, &join->site, &join->site_signing, &about, &result, fault);
    store_close(&store);
    TRY(err);
    TRY(parcel_keep(world, data, &about, fault));
    printf("despoold: version %" PRIu64 " of %s: %" PRIu64 " objects, %" PRIu64 " bytes\n",
           about.epoch, about.package, result.objects, result.bytes);
    return OK;
}

err_t
agent_take_parcel(const char *data, const join_t *join, const char *file)
{
    world_os_t os;
    fault_t fault = {0};
    err_t err = take_parcel(world_os_init(&os, NULL), data, join, file, &fault);

    return err == OK ? OK : tell(&fault);
}

/* ---- the host ---- */

static void *
agent_args(draft_t *draft, const config_t *config, const join_t *join)
{
    agent_args_t *args = draft_begin(draft, &agent_args_type);

    args->data = draft_text(draft, slice_of(config->data));
    args->dp = draft_text(draft, slice_of(join->name));
    args->root = draft_text(draft, slice_of(join->root));
    args->address = draft_text(draft, slice_of(join->address));
    args->former = draft_text(draft, slice_of(join->former));
    args->site = join->site;
    args->dp_incarnation = join->incarnation;
    args->site_signing = join->site_signing;
    args->program = draft_text(draft, slice_of(config->on_activate));
    args->program_ms = config->on_activate_ms ? config->on_activate_ms : ON_ACTIVATE_MS;
    return args;
}

static err_t
add_link(host_t *host, const char *data, const join_t *join)
{
    host_peers_t peers = {
        .name = "site_link", .role = "agent", .endpoint = join->address, .dials = true};
    world_os_t os;
    fault_t fault = {0};
    keys_t keys;
    err_t err = keys_open(world_os_init(&os, NULL), data, &keys, &fault);

    if (err != OK) {
        return tell(&fault);
    }
    memcpy(peers.secret_key, keys.transport.byte, sizeof peers.secret_key);
    memcpy(peers.public_key, keys.transport_key.byte, sizeof peers.public_key);
    memcpy(peers.peer_key, join->site_key.byte, sizeof peers.peer_key);
    err = host_add_peer_link(host, &peers);
    explicit_bzero(&keys, sizeof keys);
    explicit_bzero(&peers, sizeof peers);
    return err;
}

/* It dials when the site has told where. */
static err_t
add_plain_link(host_t *host)
{
    host_peers_t peers = {
        .name = "plain_link", .role = "agent", .endpoint = "", .dials = true, .plain = true};

    return host_add_peer_link(host, &peers);
}

host_t *
agent_host(const config_t *config, const join_t *join, err_t *ret_err)
{
    static uint64_t memory[4096];
    static char black_box[PATH_BYTES_MAX + 16];
    static host_options_t options;
    draft_t draft;

    draft_over(&draft, memory, sizeof memory);
    void *args = agent_args(&draft, config, join);
    snprintf(black_box, sizeof black_box, "%s/blackbox", config->data);
    options = (host_options_t){.classes = agent_roster,
                               .root = &agent_class,
                               .root_args_type = &agent_args_type,
                               .root_args = args,
                               .root_args_bytes = draft.size,
                               .black_box = black_box,
                               .job_threads = AGENT_JOB_THREADS};
    host_t *host = host_new(&options);
    *ret_err = add_link(host, config->data, join);
    *ret_err = *ret_err == OK ? add_plain_link(host) : *ret_err;
    return host;
}
