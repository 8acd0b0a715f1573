/* black_box_read.c - what the run before this one left in the box, as text and as counts. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>

#include "runtime/black_box_inside.h"

#define SHOWN_LINES 32u /* last deliveries of each worker that are rendered */
#define NS_PER_MS   INT64_C(1000000)

void
black_box_say(black_box_file_t *file, const char *format, ...)
{
    va_list arguments;
    size_t room = BLACK_BOX_TEXT - file->used - 1;

    va_start(arguments, format);
    int wrote = vsnprintf(file->text + file->used, room + 1, format, arguments);
    va_end(arguments);
    file->used += (size_t) wrote < room ? (size_t) wrote : room;
}

/* ---- the file as it was left ---- */

typedef struct run {
    const head_t *head;
    const part_t *part;
    const line_t *line;
} run_t;

static const line_t *
line_at(const run_t *run, uint32_t part, uint64_t number)
{
    uint32_t workers = run->head->workers;

    return run->line + black_box_first_line(workers, part) +
           number % black_box_lines(workers, part);
}

static bool
is_box(const head_t *head, size_t bytes)
{
    return memcmp(head->magic, BLACK_BOX_MAGIC, sizeof head->magic) == 0 &&
           head->form == sizeof(head_t) && head->workers <= WORKERS_MAX &&
           head->parts == head->workers + BLACK_BOX_JOBS &&
           bytes == black_box_bytes(head->workers, head->parts);
}

/* ---- as text ---- */

static void
say_line(black_box_file_t *file, const line_t *line, int64_t until_ns)
{
    black_box_say(file, "  %10.3f ms  %.*s  %.*s", (double) (line->at_ns - until_ns) / 1e6,
                  (int) sizeof line->actor, line->actor, (int) sizeof line->message, line->message);
    if (line->attempt > 1) {
        black_box_say(file, "  attempt %u", line->attempt);
    }
    black_box_say(file, "\n");
}

static void
say_worker(black_box_file_t *file, const run_t *run, uint32_t which, int64_t until_ns)
{
    const part_t *part = &run->part[which];

    if (part->count == 0) {
        return;
    }
    uint64_t lines = part->count < SHOWN_LINES ? part->count : SHOWN_LINES;
    black_box_say(file, "\n%.*s: %llu deliveries, the last %llu:\n", (int) sizeof part->thread,
                  part->thread, (unsigned long long) part->count, (unsigned long long) lines);
    for (uint64_t i = part->count - lines; i < part->count; i++) {
        const line_t *line = line_at(run, which, i);
        if (line->is_whole) {
            say_line(file, line, until_ns);
        }
    }
}

static void
say_in_hand(black_box_file_t *file, const run_t *run, uint32_t which)
{
    const part_t *part = &run->part[which];

    if (part->busy == 0) {
        return;
    }
    const line_t *line = line_at(run, which, part->busy - 1);
    if (part->signal != 0) {
        black_box_say(file, "ended by signal %u in this:\n", part->signal);
    }
    black_box_say(file, "in hand on %.*s: %.*s, message %.*s, attempt %u",
                  (int) sizeof part->thread, part->thread, (int) sizeof line->actor, line->actor,
                  (int) sizeof line->message, line->message, line->attempt);
    if (part->about != 0) {
        black_box_say(file, ", about %llu", (unsigned long long) part->about);
    }
    black_box_say(file, "\n");
}

static void
say_counted(black_box_file_t *file)
{
    for (uint32_t i = 0; i < CRASHES_COUNTED_MAX; i++) {
        const counted_t *c = &file->counted[i];
        if (c->times > 0) {
            black_box_say(file, "%u of %u: signal %u in %.*s, message %.*s, about %llu\n", c->times,
                          CRASH_ATTEMPTS_MAX, c->signal, (int) sizeof c->class_name, c->class_name,
                          (int) sizeof c->message, c->message, (unsigned long long) c->about);
        }
    }
}

static void
say_run(black_box_file_t *file, const run_t *run)
{
    int64_t until_ns = INT64_MIN;

    for (uint32_t i = 0; i < run->head->workers; i++) {
        const line_t *last = line_at(run, i, run->part[i].count - 1);
        until_ns = run->part[i].count > 0 && last->at_ns > until_ns ? last->at_ns : until_ns;
    }
    black_box_say(file, "the run before this one %s\n",
                  run->head->ended_in_order ? "ended in order" : "did not end in order");
    for (uint32_t i = 0; i < run->head->parts; i++) {
        say_in_hand(file, run, i);
    }
    say_counted(file);
    for (uint32_t i = 0; i < run->head->workers; i++) {
        say_worker(file, run, i, until_ns);
    }
}

/* ---- as counts ---- */

static int64_t
wall_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t) now.tv_sec * 1000000000 + now.tv_nsec;
}

/* Those that are not too old come first, so that a new one finds a place behind them. A clock that
 * was set back makes none of them old. */
static void
carry_over(black_box_file_t *file, const head_t *head, int64_t now_ns)
{
    uint32_t kept = 0;

    for (uint32_t i = 0; !head->ended_in_order && i < CRASHES_COUNTED_MAX; i++) {
        const counted_t *counted = &head->counted[i];
        if (counted->times > 0 && now_ns - counted->wall_ns <= CRASH_KEPT_MS * NS_PER_MS) {
            file->counted[kept++] = *counted;
        }
    }
}

/* What is known to be about something is counted by that, whoever had it in hand; else by the
 * class. */
static bool
is_same(const counted_t *counted, const part_t *part)
{
    return counted->times > 0 && counted->about == part->about &&
           (part->about != 0 ||
            memcmp(counted->class_name, part->class_name, sizeof part->class_name) == 0);
}

/* Its own place, a free one, or that of the oldest. */
static counted_t *
place_for(black_box_file_t *file, const part_t *part)
{
    counted_t *oldest = file->counted, *unused = NULL;

    for (counted_t *c = file->counted; c < file->counted + CRASHES_COUNTED_MAX; c++) {
        if (is_same(c, part)) {
            return c;
        }
        unused = unused == NULL && c->times == 0 ? c : unused;
        oldest = c->wall_ns < oldest->wall_ns ? c : oldest;
    }
    unused = unused == NULL ? oldest : unused;
    *unused = (counted_t){.about = part->about};
    return unused;
}

static void
count_crash(black_box_file_t *file, const run_t *run, int64_t now_ns)
{
    for (uint32_t i = 0; i < run->head->parts; i++) {
        const part_t *part = &run->part[i];
        if (part->signal == 0 || part->busy == 0) {
            continue;
        }
        counted_t *counted = place_for(file, part);
        counted->times++;
        counted->signal = part->signal;
        counted->wall_ns = now_ns;
        memcpy(counted->class_name, part->class_name, sizeof part->class_name);
        memcpy(counted->message, line_at(run, i, part->busy - 1)->message, sizeof counted->message);
    }
}

void
black_box_read(black_box_file_t *file)
{
    struct stat found;

    if (fstat(file->fd, &found) != 0 || found.st_size < (off_t) sizeof(head_t)) {
        black_box_say(file, "no run before this one has left a black box\n");
        return;
    }
    size_t bytes = (size_t) found.st_size;
    void *memory = mmap(NULL, bytes, PROT_READ, MAP_PRIVATE, file->fd, 0);
    if (memory != MAP_FAILED && is_box(memory, bytes)) {
        const head_t *head = memory;
        const part_t *part = (const void *) (head + 1);
        run_t run = {head, part, (const void *) (part + head->parts)};
        carry_over(file, head, wall_ns());
        count_crash(file, &run, wall_ns());
        say_run(file, &run);
    } else {
        black_box_say(file, "the black box of the run before this one cannot be read\n");
    }
    if (memory != MAP_FAILED) {
        munmap(memory, bytes);
    }
}
