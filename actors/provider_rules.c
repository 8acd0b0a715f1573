/* provider_rules.c - see provider_rules.h. */
#include "actors/provider_rules.h"

#include <stdio.h>
#include <string.h>

#include "proto/show.h"

err_t
rules_fault(request_fault_t *fault, err_t err, const command_t *command, const char *field,
            const char *reason, const char *hint)
{
    char shown[128];
    sheet_t sheet;
    sheet_over(&sheet, shown, sizeof shown);
    sheet_show_line(&sheet, field, strlen(field));
    fault->err = err;
    snprintf(fault->message, sizeof fault->message, "cannot run '%s': argument '%s' %s",
             command->word, shown, reason);
    snprintf(fault->hint, sizeof fault->hint, "%s", hint != NULL ? hint : err_hint(err));
    return err;
}

/* ---- one value ---- */

typedef struct ruled {
    const command_t *command;
    const char *field;
    const site_args_t *site;
    request_fault_t *fault;
} ruled_t;

static err_t
refuse(const ruled_t *on, err_t err, const char *reason, const char *hint)
{
    return rules_fault(on->fault, err, on->command, on->field, reason, hint);
}

static err_t
bad_name(const ruled_t *on, slice_t text)
{
    char reason[320], shown[256];
    sheet_t sheet;
    sheet_over(&sheet, shown, sizeof shown);
    sheet_show_line(&sheet, text.data, text.size);
    snprintf(reason, sizeof reason, "is no allowed name: '%s'", shown);
    return refuse(on, ERR_BAD_NAME, reason, NULL);
}

static err_t
check_name(const ruled_t *on, slice_t text)
{
    return name_is_valid(text) ? OK : bad_name(on, text);
}

/* A point, or @GROUP. */
static err_t
check_point(const ruled_t *on, slice_t text)
{
    if (text.size > 0 && text.data[0] == '@') {
        slice_t group = {text.data + 1, text.size - 1};
        return name_is_valid(group) ? OK : bad_name(on, text);
    }
    return check_name(on, text);
}

static err_t
check_some(const ruled_t *on, slice_t text)
{
    bool good = text.size > 0 && memchr(text.data, 0, text.size) == NULL;
    return good ? OK : refuse(on, ERR_BAD_VALUE, "is empty or holds a NUL", NULL);
}

/* Each is bounded as any text is: lists of packages show them. */
static err_t
check_glob(const ruled_t *on, slice_t text)
{
    char hint[64];
    if (text.size <= TEXT_BYTES_MAX) {
        return check_some(on, text);
    }
    snprintf(hint, sizeof hint, "give at most %u bytes in each", TEXT_BYTES_MAX);
    return refuse(on, ERR_TOO_LARGE, "is larger than its limit", hint);
}

/* A text for people: it may be empty. */
static err_t
check_text(const ruled_t *on, slice_t text)
{
    return memchr(text.data, 0, text.size) == NULL
               ? OK
               : refuse(on, ERR_BAD_VALUE, "holds a NUL", "leave the NUL out");
}

/* Whether a component of the path is . or .., which could leave an allowed prefix. */
static bool
path_has_dots(slice_t path)
{
    size_t from = 0;
    for (size_t i = 0; i <= path.size; i++) {
        if (i < path.size && path.data[i] != '/') {
            continue;
        }
        size_t size = i - from;
        if ((size == 1 && path.data[from] == '.') ||
            (size == 2 && memcmp(path.data + from, "..", 2) == 0)) {
            return true;
        }
        from = i + 1;
    }
    return false;
}

static bool
path_is_below(slice_t path, slice_t prefix)
{
    while (prefix.size > 0 && prefix.data[prefix.size - 1] == '/') {
        prefix.size--;
    }
    return path.size >= prefix.size && memcmp(path.data, prefix.data, prefix.size) == 0 &&
           (path.size == prefix.size || path.data[prefix.size] == '/');
}

static err_t
check_path(const ruled_t *on, slice_t path, const char *key, texts_t prefixes)
{
    TRY(check_some(on, path));
    if (path.data[0] != '/') {
        bool of_agent = strcmp(key, "seed") == 0;
        return refuse(on, ERR_NOT_ABSOLUTE, "is not an absolute path",
                      of_agent ? "give the path on the agent's machine, from /" : NULL);
    }
    if (path_has_dots(path)) {
        return refuse(on, ERR_BAD_VALUE, "has a '.' or '..' in its path",
                      "give the path without them");
    }
    bool allowed = prefixes.count == 0;
    for (uint32_t i = 0; i < prefixes.count && !allowed; i++) {
        text_t prefix = *ROW(on->site, prefixes, i, text_t);
        allowed = path_is_below(path, record_slice(on->site, prefix));
    }
    if (allowed) {
        return OK;
    }
    char hint[128];
    snprintf(hint, sizeof hint, "choose one below a '%s' of section 'allow' of its configuration",
             key);
    return refuse(on, ERR_BAD_VALUE, "is not below an allowed directory", hint);
}

static err_t
check_source(const ruled_t *on, slice_t path)
{
    texts_t prefixes = on->site != NULL ? on->site->allow_source : (texts_t){0, 0};
    return check_path(on, path, "source", prefixes);
}

static err_t
check_root(const ruled_t *on, slice_t path)
{
    texts_t prefixes = on->site != NULL ? on->site->allow_root : (texts_t){0, 0};
    return check_path(on, path, "root", prefixes);
}

/* Where the site may write a copy of itself: its keys are in it, so that this is for who may do
 * everything. */
static err_t
check_dir(const ruled_t *on, slice_t path)
{
    return check_path(on, path, "", (texts_t){0, 0});
}

/* ---- the table ---- */

typedef err_t check_fn(const ruled_t *on, slice_t text);
static const struct rule {
    const char *commands; /* those whose word begins so */
    const char *field;
    check_fn *check;
    err_t too_large;
} rules[] = {
    {"", "id", check_name, ERR_BAD_NAME},
    {"dp.", "name", check_name, ERR_BAD_NAME},
    {"group.", "name", check_name, ERR_BAD_NAME},
    {"link.", "name", check_name, ERR_BAD_NAME},
    {"dp.", "link", check_name, ERR_BAD_NAME},
    {"", "dp", check_point, ERR_BAD_NAME},
    {"", "to", check_point, ERR_TOO_LARGE},
    {"", "from", check_point, ERR_TOO_LARGE},
    {"", "dps", check_name, ERR_TOO_LARGE},
    {"", "source", check_source, ERR_NAME_TOO_LONG},
    {"", "root", check_root, ERR_NAME_TOO_LONG},
    {"", "exclude", check_glob, ERR_TOO_LARGE},
    {"package.", "name", check_text, ERR_TOO_LARGE},
    {"package.", "version", check_text, ERR_TOO_LARGE},
    {"component.", "name", check_some, ERR_BAD_NAME},
    {"site.backup", "dir", check_dir, ERR_NAME_TOO_LONG},
    {"package.export", "file", check_dir, ERR_NAME_TOO_LONG},
    {"rollback", "version", check_some, ERR_TOO_LARGE},
};

static const struct rule *
rule_of(const command_t *command, const char *field)
{
    for (size_t i = 0; i < sizeof rules / sizeof rules[0]; i++) {
        if (strncmp(command->word, rules[i].commands, strlen(rules[i].commands)) == 0 &&
            strcmp(field, rules[i].field) == 0) {
            return &rules[i];
        }
    }
    return NULL;
}

err_t
rules_too_large(const command_t *command, const char *field)
{
    const struct rule *rule = rule_of(command, field);
    return rule != NULL ? rule->too_large : ERR_TOO_LARGE;
}

static err_t
check_field(const ruled_t *on, const void *record, const record_field_t *field,
            const struct rule *rule)
{
    const char *place = (const char *) record + field->offset;
    if (field->kind == RECORD_text) {
        text_t text = *(const text_t *) place;
        return text.at == 0 ? OK : rule->check(on, record_slice(record, text));
    }
    texts_t texts = *(const texts_t *) place;
    for (uint32_t i = 0; i < texts.count; i++) {
        TRY(rule->check(on, record_slice(record, *ROW(record, texts, i, text_t))));
    }
    return OK;
}

/* ---- arguments that depend on one another ---- */

#define ONE_BY_ONE "give each of them in a command of its own"

static bool
is_given(const wire_value_t *args, const char *field)
{
    wire_value_t value;
    return wire_find(args, field, &value) && value.kind != WIRE_NIL;
}

/* Points are named by a list or by all: one of them, and the list not empty. */
static err_t
check_points(ruled_t *on, const wire_value_t *args, texts_t points, bool all)
{
    if (!is_given(args, on->field) && !all) {
        return refuse(on, ERR_MISSING_ARGUMENT, "is missing",
                      "name at least one distribution point, or all");
    }
    if (is_given(args, on->field) && all) {
        return refuse(on, ERR_BAD_VALUE, "is given together with 'all'", "give one of them");
    }
    return points.count == 0 && !all ? refuse(on, ERR_NO_TARGETS, "names nobody", NULL) : OK;
}

static err_t
check_slots(ruled_t *on, const component_set_t *set)
{
    if (!slice_equal(record_slice(set, set->name), slice_of("despooler"))) {
        on->field = "name";
        return refuse(on, ERR_BAD_VALUE, "has no setting", "the despooler has slots");
    }
    on->field = "slots";
    if (set->slots == RECORD_NONE) {
        return refuse(on, ERR_MISSING_ARGUMENT, "is missing", NULL);
    }
    if (set->slots > SLOTS_MAX) {
        return refuse(on, ERR_BAD_VALUE, "is out of range", "0 to 256; 0 disables despooling");
    }
    return OK;
}

/* A point is a directory of this machine, or another machine. */
static err_t
check_point_added(ruled_t *on, const dp_add_t *add)
{
    on->field = "root";
    if (add->agent == (add->root.size > 0)) {
        return add->agent ? refuse(on, ERR_BAD_VALUE, "is given together with 'agent'",
                                   "the agent names its root when it joins")
                          : refuse(on, ERR_MISSING_ARGUMENT, "is missing", NULL);
    }
    on->field = "expires_s";
    return (add->expires_s > 0 && !add->agent) || add->expires_s > TOKEN_LIFE_MAX_S
               ? refuse(on, ERR_BAD_VALUE, "is out of range", "seconds, of an agent, to 30 days")
               : OK;
}

/* Bytes a second; given where needed says so. */
static err_t
check_rate(ruled_t *on, uint64_t rate, bool needed)
{
    on->field = "rate";
    if (rate == RECORD_NONE) {
        return needed ? refuse(on, ERR_MISSING_ARGUMENT, "is missing", NULL) : OK;
    }
    return rate > RATE_BYTES_MAX ? refuse(on, ERR_BAD_VALUE, "is out of range",
                                          "bytes a second, to 10000000000; 0 is no limit")
                                 : OK;
}

/* One of them. */
static err_t
check_site_set(ruled_t *on, const site_set_t *set)
{
    if (set->address.size == 0 && set->scrub == RECORD_NONE) {
        return check_rate(on, set->rate, true);
    }
    on->field = set->address.size > 0 ? "address" : "scrub";
    if (set->rate != RECORD_NONE || (set->address.size > 0 && set->scrub != RECORD_NONE)) {
        return refuse(on, ERR_BAD_VALUE, "is given together with another setting", ONE_BY_ONE);
    }
    return set->scrub == RECORD_NONE || set->scrub <= RATE_BYTES_MAX
               ? OK
               : refuse(on, ERR_BAD_VALUE, "is out of range",
                        "bytes a second, to 10000000000; 0 reads nothing");
}

/* A path on the agent's machine, or the word for none. */
static err_t
check_seed(ruled_t *on, slice_t seed)
{
    on->field = "seed";
    return seed.size == 0 || slice_equal(seed, slice_of("none"))
               ? OK
               : check_path(on, seed, "seed", (texts_t){0, 0});
}

#define PACES "'rate', 'link', 'seed', 'bulk', 'read_only' or 'windows'"

/* Each is done by somebody else: one at a time. */
static err_t
check_point_set(ruled_t *on, const dp_set_t *set)
{
    bool paces = set->rate != RECORD_NONE || set->link.size > 0 || set->seed.size > 0 ||
                 set->windows.count > 0 || set->zone.size > 0 || set->bulk != BULK_NONE ||
                 set->read_only != CHOICE_NONE;

    on->field = "root";
    if (set->root.size > 0 && (set->revoke || paces)) {
        return refuse(on, ERR_BAD_VALUE,
                      set->revoke ? "is given together with 'revoke'"
                                  : "is given together with " PACES,
                      ONE_BY_ONE);
    }
    on->field = "revoke";
    if (set->revoke && paces) {
        return refuse(on, ERR_BAD_VALUE, "is given together with " PACES, ONE_BY_ONE);
    }
    on->field = "bulk";
    if (set->bulk == BULK_PLAIN && on->site->plain.size == 0) {
        return refuse(on, ERR_BAD_VALUE, "is not possible: the site has no address for it",
                      "start despoold with --listen-plain tcp://ADDRESS:PORT");
    }
    TRY(check_rate(on, set->rate, false));
    return check_seed(on, record_slice(set, set->seed));
}

static err_t
check_together(ruled_t *on, const wire_value_t *args, const void *record)
{
    switch (on->command->type->number) {
    case MSG_distribute:
        on->field = "to";
        return check_points(on, args, ((const distribute_t *) record)->to,
                            ((const distribute_t *) record)->all);
    case MSG_distribute_plan:
        on->field = "to";
        return check_points(on, args, ((const distribute_plan_t *) record)->to,
                            ((const distribute_plan_t *) record)->all);
    case MSG_withdraw:
        on->field = "from";
        return check_points(on, args, ((const withdraw_t *) record)->from,
                            ((const withdraw_t *) record)->all);
    case MSG_group_add:
        on->field = "dps";
        return ((const group_add_t *) record)->dps.count > 0
                   ? OK
                   : refuse(on, ERR_NO_TARGETS, "names nobody", NULL);
    case MSG_dp_remove:
        on->field = "forget";
        return ((const dp_remove_t *) record)->withdraw && ((const dp_remove_t *) record)->forget
                   ? refuse(on, ERR_BAD_VALUE, "is given together with 'withdraw'", NULL)
                   : OK;
    case MSG_dp_add:
        return check_point_added(on, record);
    case MSG_dp_set:
        return check_point_set(on, record);
    case MSG_link_set:
        return check_rate(on, ((const link_set_t *) record)->rate, false);
    case MSG_site_set:
        return check_site_set(on, record);
    case MSG_component_set:
        return check_slots(on, record);
    default:
        return OK;
    }
}

err_t
rules_check(const command_t *command, const wire_value_t *args, const void *record,
            const site_args_t *site, request_fault_t *fault)
{
    ruled_t on = {command, "", site, fault};
    for (uint32_t i = 0; i < command->type->field_count; i++) {
        const record_field_t *field = &command->type->field[i];
        const struct rule *rule = rule_of(command, field->name);
        on.field = field->name;
        if (rule != NULL) {
            TRY(check_field(&on, record, field, rule));
        } else if (field->kind == RECORD_u64 &&
                   *(const uint64_t *) ((const char *) record + field->offset) > INT64_MAX) {
            return refuse(&on, ERR_BAD_VALUE, "is out of range", NULL);
        }
    }
    return check_together(&on, args, record);
}
