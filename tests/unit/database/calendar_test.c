/* calendar_test.c - claims about windows and time zones, by tables: no clock, no file but one. */
#include <criterion/criterion.h>
#include <stdlib.h>

#include "actors/database/calendar.h"
#include "proto/wire_time.h"
#include "runtime/world_os.h"
#include "zone_files.h"

#define HOUR 3600

static int64_t
utc(int64_t year, int64_t month, int64_t day, int hour, int minute)
{
    return wire_days_of_date(year, month, day) * 86400 + hour * HOUR + minute * 60;
}

static zone_t *
zone_of(const zone_file_t *file)
{
    zone_t *zone = NULL;
    err_t err = zone_of_bytes(file->byte, file->size, &zone);
    cr_assert_eq(err, OK, "expected a zone, got %s", err_word(err));
    return zone;
}

static zone_t *
berlin(void)
{
    zone_file_t file = berlin_file();
    return zone_of(&file);
}

static calendar_t
calendar_of(const char *windows)
{
    calendar_t calendar = {.count = 0};
    for (const char *at = windows; *at != '\0';) {
        size_t size = strcspn(at, ";");
        cr_assert(calendar_add(&calendar, (slice_t){at, size}), "'%.*s' was refused", (int) size,
                  at);
        at += size + (at[size] == ';');
    }
    calendar_settle(&calendar);
    return calendar;
}

static void
changes_at(const zone_t *zone, const char *windows, int64_t from, int64_t until, bool open,
           const int64_t *changes, size_t count)
{
    calendar_t calendar = calendar_of(windows);
    size_t seen = 0;
    for (int64_t at = from; at < until; seen++, open = !open) {
        calendar_now_t now = calendar_at(&calendar, zone, at);
        int64_t expected = seen < count ? changes[seen] : now.until_s;
        cr_assert_eq(now.open, open, "%s at %lld: expected %s", windows, (long long) at,
                     open ? "open" : "closed");
        cr_assert_eq(now.until_s, expected, "%s from %lld: expected until %lld, got %lld", windows,
                     (long long) at, (long long) expected, (long long) now.until_s);
        at = now.until_s;
    }
    cr_assert_eq(seen, count + 1, "%s: expected %zu changes, got %zu", windows, count, seen - 1);
}
#define CHANGES(zone, windows, from, until, open, ...)                                             \
    changes_at((zone), (windows), (from), (until), (open), (const int64_t[]){__VA_ARGS__},         \
               sizeof((const int64_t[]){__VA_ARGS__}) / sizeof(int64_t))

Test(calendar, what_people_write_is_read_and_shown_in_one_form)
{
    static const char *const pairs[][2] = {
        {"mon-fri 22:00-06:00", "mon-fri 22:00-06:00"},
        {"Mon..Fri 22:00..06:00", "mon-fri 22:00-06:00"},
        {"Monday,WEDNESDAY 1:30-5:00", "mon,wed 01:30-05:00"},
        {"sat-mon 00:00-24:00", "mon,sat,sun 00:00-24:00"},
        {"01:30-05:00", "daily 01:30-05:00"},
        {"daily 01:30-05:00", "daily 01:30-05:00"},
        {"* 01:30-05:00", "daily 01:30-05:00"},
        {"  sat,sun   00:00-24:00 ", "sat,sun 00:00-24:00"},
        {"fri-sun,mon,wed 23:59-00:00", "mon,wed,fri-sun 23:59-00:00"},
    };
    char text[WINDOW_TEXT_BYTES], again[WINDOW_TEXT_BYTES];
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
        cr_assert(window_text(slice_of(pairs[i][0]), text), "'%s' was refused", pairs[i][0]);
        cr_assert_str_eq(text, pairs[i][1], "'%s': expected '%s', got '%s'", pairs[i][0],
                         pairs[i][1], text);
        cr_assert(window_text(slice_of(text), again) && strcmp(text, again) == 0);
    }
}

Test(calendar, what_is_no_window_is_refused)
{
    static const char *const texts[] = {"",
                                        "mon",
                                        "22:00",
                                        "mon-fri",
                                        "mon-fri 22:00",
                                        "22:00-",
                                        "22:00-22:00",
                                        "25:00-26:00",
                                        "24:00-06:00",
                                        "22:60-23:00",
                                        "22:00-24:01",
                                        "funday 1:00-2:00",
                                        "mon- 1:00-2:00",
                                        "mon,,tue 1:00-2:00",
                                        "22-6",
                                        "mon-fri22:00-06:00",
                                        "mon 22:00-06:00 x",
                                        "-1:00-2:00",
                                        "mo 1:00-2:00",
                                        "mon..  1:00-2:00",
                                        "222:00-06:00",
                                        "22:0-06:00",
                                        "22:00-06:000"};
    char text[WINDOW_TEXT_BYTES];
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        calendar_t calendar = {.count = 0};
        cr_assert(!window_text(slice_of(texts[i]), text), "'%s' was taken", texts[i]);
        cr_assert(!calendar_add(&calendar, slice_of(texts[i])) && calendar.count == 0);
    }
}

Test(calendar, a_window_belongs_to_the_day_on_which_it_begins_and_may_end_on_the_next)
{
    zone_t *zone = berlin();
    /* 2026-01-05 is a Monday; Berlin is an hour ahead. */
    CHANGES(zone, "fri 22:00-06:00", utc(2026, 1, 5, 0, 0), utc(2026, 1, 12, 0, 0), false,
            utc(2026, 1, 9, 21, 0), utc(2026, 1, 10, 5, 0));
    CHANGES(zone, "sun 22:00-06:00", utc(2026, 1, 5, 0, 0), utc(2026, 1, 12, 0, 0), true,
            utc(2026, 1, 5, 5, 0), utc(2026, 1, 11, 21, 0));
    zone_destroy(&zone);
}

Test(calendar, windows_that_overlap_or_touch_are_one)
{
    zone_t *zone = berlin();
    int64_t monday = utc(2026, 1, 5, 0, 0), tuesday = utc(2026, 1, 6, 0, 0);
    CHANGES(zone, "mon 08:00-12:00;mon 10:00-14:00;mon 14:00-15:00;mon 09:00-10:00", monday,
            tuesday, false, utc(2026, 1, 5, 7, 0), utc(2026, 1, 5, 14, 0));
    calendar_t all = calendar_of("mon-fri 00:00-24:00;sat,sun 00:00-12:00;sat,sun 12:00-24:00");
    calendar_now_t now = calendar_at(&all, zone, monday);
    cr_assert(now.open && now.until_s == INT64_MAX, "the whole week closes at %lld",
              (long long) now.until_s);
    zone_destroy(&zone);
}

/* 2026-03-29 at 02:00 it is 03:00 in Berlin; 2026-10-25 at 03:00 it is 02:00 once more. */
Test(calendar, an_hour_that_comes_twice_is_in_a_window_twice_and_one_that_never_comes_is_not)
{
    zone_t *zone = berlin();
    int64_t spring = utc(2026, 3, 28, 12, 0), spring_end = utc(2026, 3, 29, 12, 0);
    int64_t autumn = utc(2026, 10, 24, 12, 0), autumn_end = utc(2026, 10, 25, 12, 0);
    CHANGES(zone, "22:00-06:00", spring, spring_end, false, utc(2026, 3, 28, 21, 0),
            utc(2026, 3, 29, 4, 0)); /* 7 hours */
    CHANGES(zone, "22:00-06:00", autumn, autumn_end, false, utc(2026, 10, 24, 20, 0),
            utc(2026, 10, 25, 5, 0)); /* 9 hours */
    calendar_t never = calendar_of("02:00-03:00");
    calendar_now_t now = calendar_at(&never, zone, spring);
    cr_assert(!now.open && now.until_s == utc(2026, 3, 30, 0, 0), "it opens at %lld",
              (long long) now.until_s);
    CHANGES(zone, "02:30-04:00", spring, spring_end, false, utc(2026, 3, 29, 1, 0),
            utc(2026, 3, 29, 2, 0)); /* from the jump on */
    CHANGES(zone, "01:00-02:30", spring, spring_end, false, utc(2026, 3, 29, 0, 0),
            utc(2026, 3, 29, 1, 0)); /* to the jump */
    CHANGES(zone, "02:00-03:00", autumn, autumn_end, false, utc(2026, 10, 25, 0, 0),
            utc(2026, 10, 25, 2, 0)); /* twice, in a row */
    CHANGES(zone, "01:00-02:30", autumn, autumn_end, false, utc(2026, 10, 24, 23, 0),
            utc(2026, 10, 25, 0, 30), utc(2026, 10, 25, 1, 0), utc(2026, 10, 25, 1, 30));
    zone_destroy(&zone);
}

Test(calendar, the_offset_of_a_zone_is_that_of_the_time_that_is_asked_for)
{
    zone_t *zone = berlin();
    static const struct {
        int64_t year, month, day;
        int hour;
        int32_t offset_s;
    } rows[] = {{1990, 1, 1, 0, 7200},   {2026, 1, 1, 0, 3600},  {2026, 7, 1, 0, 7200},
                {2026, 3, 29, 0, 3600},  {2026, 3, 29, 1, 7200}, {2026, 10, 25, 0, 7200},
                {2026, 10, 25, 1, 3600}, {2100, 8, 1, 0, 7200},  {2100, 12, 31, 23, 3600}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        int64_t at = utc(rows[i].year, rows[i].month, rows[i].day, rows[i].hour, 0);
        zone_span_t span = zone_at(zone, at);
        cr_assert_eq(span.offset_s, rows[i].offset_s, "row %zu: expected %d, got %d", i,
                     rows[i].offset_s, span.offset_s);
        cr_assert(span.from_s <= at && at < span.until_s);
    }
    zone_destroy(&zone);
}

/* South of the equator, half an hour, before midnight, days of a year, no summer time at all. */
Test(calendar, rules_of_all_kinds_say_when_summer_begins_and_ends)
{
    static const struct {
        const char *rule;
        int64_t at;
        int32_t offset_s;
    } rows[] = {
        {"AEST-10AEDT,M10.1.0,M4.1.0/3", 1767225600, 39600}, /* 2026-01-01 */
        {"AEST-10AEDT,M10.1.0,M4.1.0/3", 1782864000, 36000}, /* 2026-07-01 */
        {"<+1030>-10:30<+11>-11,M10.1.0,M4.1.0", 1767225600, 39600},
        {"<+1030>-10:30<+11>-11,M10.1.0,M4.1.0", 1782864000, 37800},
        {"<-02>2<-01>,M3.5.0/-1,M10.5.0/0", 1774745999, -7200}, /* 2026-03-29 00:59:59 */
        {"<-02>2<-01>,M3.5.0/-1,M10.5.0/0", 1774746000, -3600},
        {"XXX3YYY,J60/0,J300/0", 1772333999, -10800}, /* 2026-03-01 02:59:59 */
        {"XXX3YYY,59/0,J300/0", 1772334000, -7200},   /* March 1, without a leap day */
        {"IST-5:30", 1782864000, 19800},
        {"EST5EDT4,0/0,J365/25", 1782864000, -14400}, /* summer all year */
        {"EST5EDT4,0/0,J365/25", 1767225600, -14400},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        zone_file_t file = zone_file(NULL, (const int32_t[]){0}, 0, rows[i].rule);
        zone_t *zone = zone_of(&file);
        zone_span_t span = zone_at(zone, rows[i].at);
        cr_expect_eq(span.offset_s, rows[i].offset_s, "row %zu, '%s' at %lld: expected %d, got %d",
                     i, rows[i].rule, (long long) rows[i].at, rows[i].offset_s, span.offset_s);
        zone_destroy(&zone);
    }
}

Test(calendar, a_zone_file_that_is_cut_anywhere_or_odd_is_refused_whole)
{
    zone_file_t whole = berlin_file();
    zone_t *zone = NULL;
    for (size_t size = 0; size < whole.size; size++) {
        uint8_t *cut = malloc(size + 1); /* so that a sanitizer sees a look beyond */
        memcpy(cut, whole.byte, size);
        err_t err = zone_of_bytes(cut, size, &zone);
        cr_assert(err == ERR_DAMAGED && zone == NULL, "cut at %zu: %s", size, err_word(err));
        free(cut);
        err = zone_of_bytes(whole.byte, size, &zone); /* what is behind it is not its own */
        cr_assert(err == ERR_DAMAGED && zone == NULL, "read beyond %zu: %s", size, err_word(err));
    }
    static const char *const rules[] = {"C",
                                        "CET",
                                        "CET-1CEST",
                                        "CET-1CEST,M3.5.0",
                                        "CET-25",
                                        "CET-1CEST,M13.5.0,M10.5.0",
                                        "CET-1CEST,M3.6.0,M10.5.0",
                                        "CET-1CEST,M3.5.7,M10.5.0",
                                        "CET-1CEST,J0,J1",
                                        "CET-1CEST,M3.5.0/168,M10.5.0",
                                        "CET-1 ",
                                        "<CET-1"};
    for (size_t i = 0; i < sizeof rules / sizeof rules[0]; i++) {
        zone_file_t file = zone_file(NULL, (const int32_t[]){0}, 0, rules[i]);
        err_t err = zone_of_bytes(file.byte, file.size, &zone);
        cr_assert_eq(err, ERR_DAMAGED, "'%s': expected damaged, got %s", rules[i], err_word(err));
    }
    zone_file_t late = zone_file((const int64_t[]){5, 5}, (const int32_t[]){0, 1, 2}, 2, "");
    cr_assert_eq(zone_of_bytes(late.byte, late.size, &zone), ERR_DAMAGED, "times that do not rise");
    zone_file_t far = zone_file((const int64_t[]){5}, (const int32_t[]){0, 999999}, 1, "");
    cr_assert_eq(zone_of_bytes(far.byte, far.size, &zone), ERR_DAMAGED, "eleven days from UTC");
}

Test(calendar, a_name_that_is_a_path_leads_to_no_file)
{
    static const char *const names[] = {
        "",    "/etc/passwd",    "../../etc/passwd", "Europe/../Berlin",
        ".",   "Europe//Berlin", "Europe/",          "Europe/Ber lin",
        "a\nb"};
    world_os_t os;
    world_t *world = world_os_init(&os, NULL);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        zone_t *zone = NULL;
        fault_t fault;
        cr_assert(!zone_name_is_valid(slice_of(names[i])), "'%s' was taken", names[i]);
        cr_assert_eq(zone_read(world, slice_of(names[i]), &zone, &fault), ERR_BAD_VALUE);
    }
}

Test(calendar, an_end_is_found_through_as_many_windows_as_it_takes)
{
    zone_t *zone = berlin();
    calendar_t nights = calendar_of("mon-fri 22:00-06:00");
    int64_t friday = utc(2026, 1, 9, 20, 0); /* 21:00 there: an hour to go */
    static const struct {
        int64_t hours, after_hours;
    } rows[] = {{0, 1}, {1, 2}, {8, 9}, {9, 74}, {16, 81}, {17, 98}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        int64_t end = calendar_after(&nights, zone, friday, rows[i].hours * HOUR);
        cr_assert_eq((end - friday) / HOUR, rows[i].after_hours,
                     "%lld hours: expected to end after %lld, got %lld", (long long) rows[i].hours,
                     (long long) rows[i].after_hours, (long long) ((end - friday) / HOUR));
    }
    cr_assert_eq(calendar_after(&nights, zone, friday, INT64_MAX / 2), INT64_MAX);
    zone_destroy(&zone);
}

/* Each minute of three years, by a clock that only adds, against what a look says. */
Test(calendar, a_look_says_what_a_clock_on_the_wall_says_each_minute)
{
    zone_t *zone = berlin();
    calendar_t calendar = calendar_of("mon-fri 22:00-06:00;sun 01:15-02:45;wed 12:00-13:00");
    calendar_now_t now = {.until_s = 0};
    int64_t from = utc(2025, 1, 1, 0, 0), until = utc(2028, 1, 1, 0, 0);
    for (int64_t at = from; at < until; at += 60) {
        int64_t local = at + zone_at(zone, at).offset_s;
        int64_t day = (local / 86400 + 3) % 7, minute = local % 86400 / 60;
        bool open = (day < 5 && minute >= 1320) || (day >= 1 && day < 6 && minute < 360) ||
                    (day == 6 && minute >= 75 && minute < 165) ||
                    (day == 2 && minute >= 720 && minute < 780);
        if (at >= now.until_s) {
            cr_assert(now.until_s == 0 || at == now.until_s);
            now = calendar_at(&calendar, zone, at);
        }
        cr_assert_eq(now.open, open, "at %lld: expected %s", (long long) at,
                     open ? "open" : "closed");
    }
    zone_destroy(&zone);
}
