/* zone.c - time zones as the machine's files have them; see zone.h.
 *
 * Bytes    of a zone file (RFC 8536): a header, changes of 32 bits, and from version 2 on a second
 *          header, the same changes of 64 bits, and a rule between two line ends.
 * Valid    when all that its headers count is there, times rise, and every kind that is named is.
 * Crash    nothing is written.
 */
#include "actors/database/zone.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "actors/database/zone_rule.h"
#include "proto/limits.h"

#define HEAD_BYTES   44u
#define KIND_BYTES   6u
#define OFFSET_S_MAX 172800 /* two days: more no zone is from UTC */

typedef struct zone_change {
    int64_t at_s;
    int32_t offset_s; /* from then on */
} zone_change_t;

struct zone {
    int32_t first_s; /* before the first change */
    bool has_rule;
    zone_rule_t rule; /* from the last change on */
    uint32_t count;
    zone_change_t change[];
};

/* What a header counts, and how many bytes a time has in its body. */
typedef struct head {
    uint32_t ut, standard, leaps, times, kinds, letters, width;
} head_t;

bool
zone_name_is_valid(slice_t name)
{
    bool valid = name.size > 0 && name.size <= ZONE_NAME_BYTES_MAX && name.data[0] != '/' &&
                 name.data[name.size - 1] != '/';

    for (size_t i = 0; valid && i < name.size; i++) {
        char c = name.data[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        valid = letter || c == '_' || c == '-' || c == '+' || (c == '/' && name.data[i - 1] != '/');
    }
    return valid;
}

/* ---- numbers of a file ---- */

static uint64_t
number_at(const uint8_t *bytes, uint32_t width)
{
    uint64_t number = 0;

    for (uint32_t i = 0; i < width; i++) {
        number = number << 8 | bytes[i];
    }
    return number;
}

static int64_t
time_at(const uint8_t *bytes, uint32_t width)
{
    return width == 8 ? (int64_t) number_at(bytes, 8) : (int32_t) number_at(bytes, 4);
}

static bool
read_head(slice_t file, uint32_t width, head_t *ret)
{
    const uint8_t *bytes = (const uint8_t *) file.data;

    if (file.size < HEAD_BYTES || memcmp(bytes, "TZif", 4) != 0) {
        return false;
    }
    *ret = (head_t){(uint32_t) number_at(bytes + 20, 4),
                    (uint32_t) number_at(bytes + 24, 4),
                    (uint32_t) number_at(bytes + 28, 4),
                    (uint32_t) number_at(bytes + 32, 4),
                    (uint32_t) number_at(bytes + 36, 4),
                    (uint32_t) number_at(bytes + 40, 4),
                    width};
    return ret->times <= ZONE_FILE_BYTES_MAX && ret->leaps <= ZONE_FILE_BYTES_MAX &&
           ret->ut <= 256 && ret->standard <= 256 && ret->letters <= ZONE_FILE_BYTES_MAX &&
           ret->kinds >= 1 && ret->kinds <= 256;
}

static size_t
body_bytes(const head_t *head)
{
    return head->times * (size_t) (head->width + 1) + head->kinds * (size_t) KIND_BYTES +
           head->letters + head->leaps * (size_t) (head->width + 4) + head->standard + head->ut;
}

/* ---- the body ---- */

static bool
offset_of(const uint8_t *kinds, const head_t *head, uint32_t kind, int32_t *ret_s)
{
    if (kind >= head->kinds) {
        return false;
    }
    *ret_s = (int32_t) number_at(kinds + (size_t) kind * KIND_BYTES, 4);
    return *ret_s > -OFFSET_S_MAX && *ret_s < OFFSET_S_MAX;
}

static bool
fill_changes(zone_t *zone, const uint8_t *body, const head_t *head)
{
    const uint8_t *index = body + (size_t) head->times * head->width;
    const uint8_t *kinds = index + head->times;

    zone->count = head->times;
    bool good = offset_of(kinds, head, 0, &zone->first_s);
    for (uint32_t i = 0; good && i < head->times; i++) {
        zone->change[i].at_s = time_at(body + (size_t) i * head->width, head->width);
        good = offset_of(kinds, head, index[i], &zone->change[i].offset_s) &&
               (i == 0 || zone->change[i].at_s > zone->change[i - 1].at_s);
    }
    return good;
}

/* Between two line ends; empty: the last change holds for ever. */
static bool
read_rule(zone_t *zone, slice_t footer)
{
    const char *end = footer.size > 1 && footer.data[0] == '\n'
                          ? memchr(footer.data + 1, '\n', footer.size - 1)
                          : NULL;

    if (!end) {
        return false;
    }
    slice_t text = {footer.data + 1, (size_t) (end - footer.data) - 1};
    zone->has_rule = text.size > 0;
    return text.size == 0 || zone_rule_read(text, &zone->rule);
}

static err_t
read_body(slice_t file, const head_t *head, bool has_footer, zone_t **ret_zone)
{
    size_t size = HEAD_BYTES + body_bytes(head);

    if (size > file.size) {
        return ERR_DAMAGED;
    }
    if (head->leaps > 0) {
        return ERR_UNSUPPORTED;
    }
    zone_t *zone = calloc(1, sizeof *zone + head->times * sizeof zone->change[0]);
    if (!zone) {
        return ERR_NO_MEMORY;
    }
    if (!fill_changes(zone, (const uint8_t *) file.data + HEAD_BYTES, head) ||
        (has_footer && !read_rule(zone, (slice_t){file.data + size, file.size - size}))) {
        zone_destroy(&zone);
        return ERR_DAMAGED;
    }
    *ret_zone = zone;
    return OK;
}

err_t
zone_of_bytes(const void *bytes, size_t size, zone_t **ret_zone)
{
    slice_t file = {bytes, size};
    head_t head;

    if (!read_head(file, 4, &head)) {
        return ERR_DAMAGED;
    }
    if (file.data[4] < '2') {
        return read_body(file, &head, false, ret_zone);
    }
    size_t first = HEAD_BYTES + body_bytes(&head);
    if (first > size) {
        return ERR_DAMAGED;
    }
    slice_t second = {file.data + first, size - first};
    return read_head(second, 8, &head) ? read_body(second, &head, true, ret_zone) : ERR_DAMAGED;
}

/* ---- the file ---- */

static err_t
utc(zone_t **ret_zone)
{
    *ret_zone = calloc(1, sizeof **ret_zone);
    return *ret_zone ? OK : ERR_NO_MEMORY;
}

/* Links among the zones are the system's own, and are followed. */
static err_t
read_file(world_t *world, const char *path, uint8_t *bytes, size_t *ret_size, fault_t *fault)
{
    int fd = world_open(world, AT_FDCWD, path, O_RDONLY, 0, 0);
    size_t size = 0;
    int64_t more = fd;

    while (more >= 0 && size <= ZONE_FILE_BYTES_MAX) {
        more = world_read(world, fd, bytes + size, ZONE_FILE_BYTES_MAX + 1 - size, size);
        if (more <= 0) {
            break;
        }
        size += (size_t) more;
    }
    if (fd >= 0) {
        (void) world_close(world, fd); /* it was only read */
    }
    *ret_size = size;
    if (more == -ENOENT || more == -ENOTDIR || more == -EISDIR) {
        return RAISE(fault, ERR_BAD_VALUE, (int) -more, "read", path);
    }
    return more < 0 ? RAISE(fault, err_of_errno((int) -more), (int) -more, "read", path) : OK;
}

err_t
zone_read(world_t *world, slice_t name, zone_t **ret_zone, fault_t *fault)
{
    char path[sizeof ZONE_DIRECTORY + ZONE_NAME_BYTES_MAX + 2] = "";
    size_t size = 0;

    if (slice_equal(name, slice_of("UTC"))) {
        return utc(ret_zone);
    }
    if (!zone_name_is_valid(name)) {
        return RAISE(fault, ERR_BAD_VALUE, 0, "read", "a time zone");
    }
    snprintf(path, sizeof path, "%s/%.*s", ZONE_DIRECTORY, (int) name.size, name.data);
    uint8_t *bytes = malloc(ZONE_FILE_BYTES_MAX + 1);
    err_t err = bytes ? read_file(world, path, bytes, &size, fault) : ERR_NO_MEMORY;
    if (err == OK) {
        err = size > ZONE_FILE_BYTES_MAX ? ERR_DAMAGED : zone_of_bytes(bytes, size, ret_zone);
        err = err == OK ? OK : RAISE(fault, err, 0, "read", path);
    }
    free(bytes);
    return err;
}

void
zone_destroy(zone_t **zone)
{
    free(*zone);
    *zone = NULL;
}

/* ---- a look ---- */

/* The first change after the time. */
static uint32_t
next_change(const zone_t *zone, int64_t utc_s)
{
    uint32_t low = 0, high = zone->count;

    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (zone->change[middle].at_s <= utc_s) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

zone_span_t
zone_at(const zone_t *zone, int64_t utc_s)
{
    uint32_t next = next_change(zone, utc_s);
    zone_span_t span = {zone->first_s, INT64_MIN, INT64_MAX};

    if (next > 0) {
        span.from_s = zone->change[next - 1].at_s;
        span.offset_s = zone->change[next - 1].offset_s;
    }
    if (next < zone->count) {
        span.until_s = zone->change[next].at_s;
    } else if (zone->has_rule) {
        zone_span_t rule = zone_rule_at(&zone->rule, utc_s);
        rule.from_s = rule.from_s > span.from_s ? rule.from_s : span.from_s;
        return rule;
    }
    return span;
}
