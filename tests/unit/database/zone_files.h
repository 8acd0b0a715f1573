/* zone_files.h - the bytes of a zone file (RFC 8536), as small as they may be. */
#pragma once

#include <stdint.h>
#include <stdio.h>
#include <string.h>

typedef struct zone_file {
    uint8_t byte[2048];
    size_t size;
} zone_file_t;

static inline void
zone_put(zone_file_t *file, uint64_t number, int width)
{
    for (int i = width; i-- > 0;) {
        file->byte[file->size++] = (uint8_t) (number >> (8 * i));
    }
}

static inline void
zone_put_head(zone_file_t *file, uint32_t leaps, uint32_t times, uint32_t kinds)
{
    memcpy(file->byte + file->size, "TZif2", 5);
    file->size += 20;
    const uint32_t counts[] = {0, 0, leaps, times, kinds, 4};
    for (int i = 0; i < 6; i++) {
        zone_put(file, counts[i], 4);
    }
}

/* Changes to these offsets at these times, and a rule from then on; before them the first one. */
static inline zone_file_t
zone_file(const int64_t *times, const int32_t *offsets, uint32_t count, const char *rule)
{
    zone_file_t file = {.size = 0};
    zone_put_head(&file, 0, 0, 1); /* what old readers see */
    zone_put(&file, 0, 6);
    zone_put(&file, 0x55544300, 4);
    zone_put_head(&file, 0, count, count + 1);
    for (uint32_t i = 0; i < count; i++) {
        zone_put(&file, (uint64_t) times[i], 8);
    }
    for (uint32_t i = 0; i < count; i++) {
        zone_put(&file, i + 1, 1);
    }
    for (uint32_t i = 0; i <= count; i++) {
        zone_put(&file, (uint32_t) offsets[i], 4);
        zone_put(&file, 0, 2);
    }
    zone_put(&file, 0x4c4d5400, 4);
    file.size += (size_t) snprintf((char *) file.byte + file.size, 200, "\n%s\n", rule);
    return file;
}

#define BERLIN_RULE "CET-1CEST,M3.5.0,M10.5.0/3"

/* Berlin as from 1996 on, by its rule alone. */
static inline zone_file_t
berlin_file(void)
{
    const int64_t times[] = {846378000}; /* 1996-10-27 01:00 */
    const int32_t offsets[] = {7200, 3600};
    return zone_file(times, offsets, 1, BERLIN_RULE);
}
