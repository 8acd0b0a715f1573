/* windows_under_test.h - a zone, and windows in it, for claims about what waits for them.
 *
 * Shape    put_zone puts the rules of Berlin under a name; windows_are sets a point's windows.
 * Threads  one.
 */
#pragma once

#include <fcntl.h>

#include "actors/database/zone.h"
#include "site_under_test.h"
#include "zone_files.h"

#define SECOND INT64_C(1000000000)
#define HOUR   (3600 * SECOND)
#define NIGHTS "mon-fri 22:00-06:00"

/* WALL_START is Monday, 2026-09-21 14:13:20 UTC, two hours later in Berlin. */
#define OPENS  INT64_C(1790020800000000000) /* 22:00 there */
#define CLOSES (OPENS + 8 * HOUR)

static inline void
put_zone(site_t *site, const char *name)
{
    zone_file_t file = berlin_file();
    char path[200];
    for (const char *at = "/usr/share/zoneinfo/Europe/"; (at = strchr(at + 1, '/')) != NULL;) {
        static const char whole[] = "/usr/share/zoneinfo/Europe/";
        size_t size = strlen(whole) - strlen(at);
        snprintf(path, sizeof path, "%.*s", (int) size, whole);
        (void) world_make_dir(site->world, AT_FDCWD, path, 0755);
    }
    snprintf(path, sizeof path, "%s/%s", ZONE_DIRECTORY, name);
    int fd = world_open(site->world, AT_FDCWD, path, O_WRONLY | O_CREAT | O_TRUNC, 0644, 0);
    cr_assert(fd >= 0, "cannot make %s: %d", path, fd);
    cr_assert_eq(world_write(site->world, fd, file.byte, file.size, 0), (int64_t) file.size);
    cr_assert_eq(world_close(site->world, fd), 0);
}

static inline void
make_windows(site_t *site, const char *dp, const char *windows, const char *zone)
{
    dp_set_t *m = MAKE(site, dp_set);
    HEAD(site, m);
    m->name = site_text(site, dp);
    m->rate = RECORD_NONE;
    m->zone = site_text(site, zone);
    texts_t texts = site_texts(site, windows);
    ((dp_set_t *) site->message.base)->windows = texts;
}

static inline bool
windows_are(site_t *site, const char *dp, const char *windows, const char *zone)
{
    make_windows(site, dp, windows, zone);
    return ASK(site, dp_set, done)->changed;
}
