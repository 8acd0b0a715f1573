/* black_box.c - see black_box.h.
 *
 * Bytes    a head (magic, form, number of workers, whether the run ended in order), then one part
 *          per worker: its name, the line in hand, a count, a ring of lines. Native byte order and
 *          sizes: it is read on the machine that wrote it.
 * Valid    magic, form and the file's size agree; what else it says is shown, never believed.
 * A crash  leaves lines in hand and no mark of an orderly end. A line that was being written may
 *          be torn, and is shown as far as it goes.
 */
#include "runtime/black_box.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "proto/limits.h"

#define MAGIC         "BLCKBOX1"
#define SHOWN_LINES   32u /* last deliveries of each worker that are rendered */
#define RENDERED_SIZE (256u << 10)

typedef struct line {
    char actor[28], message[20];
    uint32_t attempt;
    uint32_t is_whole; /* written last */
    int64_t at_ns;
} line_t;

typedef struct head {
    char magic[8];
    uint32_t form, workers, ended_in_order, unused;
} head_t;

struct black_box {
    char worker[32];
    uint64_t busy;  /* 1 + the line in hand; 0: idle */
    uint64_t count; /* lines ever written */
    line_t ring[BLACK_BOX_DELIVERIES];
};

struct black_box_file {
    int fd; /* locked while the box is kept; -1: none */
    head_t *head;
    size_t bytes;
    char *text;
    size_t used;
};

static size_t
bytes_of(uint32_t workers)
{
    return sizeof(head_t) + workers * sizeof(black_box_t);
}

/* ---- the run before ---- */

static void __attribute__((format(printf, 2, 3)))
say(black_box_file_t *file, const char *format, ...)
{
    va_list arguments;
    size_t room = RENDERED_SIZE - file->used - 1;

    va_start(arguments, format);
    int wrote = vsnprintf(file->text + file->used, room + 1, format, arguments);
    va_end(arguments);
    file->used += (size_t) wrote < room ? (size_t) wrote : room;
}

static void
say_line(black_box_file_t *file, const line_t *line, int64_t until_ns)
{
    say(file, "  %10.3f ms  %.*s  %.*s", (double) (line->at_ns - until_ns) / 1e6,
        (int) sizeof line->actor, line->actor, (int) sizeof line->message, line->message);
    if (line->attempt > 1) {
        say(file, "  attempt %u", line->attempt);
    }
    say(file, "\n");
}

static void
say_worker(black_box_file_t *file, const black_box_t *box, int64_t until_ns)
{
    if (box->count == 0) {
        return;
    }
    uint64_t lines = box->count < SHOWN_LINES ? box->count : SHOWN_LINES;
    say(file, "\n%.*s: %llu deliveries, the last %llu:\n", (int) sizeof box->worker, box->worker,
        (unsigned long long) box->count, (unsigned long long) lines);
    for (uint64_t i = box->count - lines; i < box->count; i++) {
        const line_t *line = &box->ring[i % BLACK_BOX_DELIVERIES];
        if (line->is_whole) {
            say_line(file, line, until_ns);
        }
    }
}

static void
say_in_hand(black_box_file_t *file, const black_box_t *box)
{
    if (box->busy != 0) {
        const line_t *line = &box->ring[(box->busy - 1) % BLACK_BOX_DELIVERIES];
        say(file, "in hand on %.*s: %.*s, message %.*s, attempt %u\n", (int) sizeof box->worker,
            box->worker, (int) sizeof line->actor, line->actor, (int) sizeof line->message,
            line->message, line->attempt);
    }
}

static void
say_run(black_box_file_t *file, const head_t *head)
{
    const black_box_t *box = (const void *) (head + 1);
    int64_t until_ns = INT64_MIN;

    for (uint32_t i = 0; i < head->workers; i++) {
        const line_t *last = &box[i].ring[(box[i].count - 1) % BLACK_BOX_DELIVERIES];
        until_ns = box[i].count > 0 && last->at_ns > until_ns ? last->at_ns : until_ns;
    }
    say(file, "the run before this one %s\n",
        head->ended_in_order ? "ended in order" : "did not end in order");
    for (uint32_t i = 0; i < head->workers; i++) {
        say_in_hand(file, &box[i]);
    }
    for (uint32_t i = 0; i < head->workers; i++) {
        say_worker(file, &box[i], until_ns);
    }
}

static bool
is_box(const head_t *head, size_t bytes)
{
    return memcmp(head->magic, MAGIC, sizeof head->magic) == 0 && head->form == sizeof(line_t) &&
           head->workers <= WORKERS_MAX && bytes == bytes_of(head->workers);
}

static void
read_run(black_box_file_t *file)
{
    struct stat found;

    if (fstat(file->fd, &found) != 0 || found.st_size < (off_t) sizeof(head_t)) {
        say(file, "no run before this one has left a black box\n");
        return;
    }
    size_t bytes = (size_t) found.st_size;
    void *memory = mmap(NULL, bytes, PROT_READ, MAP_PRIVATE, file->fd, 0);
    if (memory != MAP_FAILED && is_box(memory, bytes)) {
        say_run(file, memory);
    } else {
        say(file, "the black box of the run before this one cannot be read\n");
    }
    if (memory != MAP_FAILED) {
        munmap(memory, bytes);
    }
}

/* ---- this run ---- */

static void
keep_none(black_box_file_t *file, const char *why)
{
    say(file, "this run keeps no black box: %s\n", why);
    if (file->fd >= 0) {
        close(file->fd);
        file->fd = -1;
    }
}

/* Room is taken now, because a full disk would end the process at a write to the mapping. */
static bool
map_fresh(black_box_file_t *file, uint32_t workers)
{
    file->bytes = bytes_of(workers);
    errno = ftruncate(file->fd, 0) != 0 ? errno : posix_fallocate(file->fd, 0, (off_t) file->bytes);
    if (errno != 0) {
        return false;
    }
    void *memory = mmap(NULL, file->bytes, PROT_READ | PROT_WRITE, MAP_SHARED, file->fd, 0);
    if (memory == MAP_FAILED) {
        return false;
    }
    file->head = memory;
    *file->head = (head_t){.magic = MAGIC, .form = sizeof(line_t), .workers = workers};
    return true;
}

black_box_file_t *
black_box_new(const char *path, const char *const *names, uint32_t workers)
{
    black_box_file_t *file = calloc(1, sizeof *file);

    assert(file && "memory for a black box");
    file->fd = -1;
    file->text = calloc(1, RENDERED_SIZE);
    assert(file->text && "memory for a black box");
    if (!path) {
        keep_none(file, "none is wanted");
        return file;
    }
    file->fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (file->fd < 0) {
        keep_none(file, strerror(errno));
    } else if (flock(file->fd, LOCK_EX | LOCK_NB) != 0) {
        keep_none(file, "another host keeps the black box");
    } else {
        read_run(file);
        if (!map_fresh(file, workers)) {
            keep_none(file, strerror(errno));
        }
    }
    for (uint32_t i = 0; file->head && i < workers; i++) {
        snprintf(black_box_of(file, i)->worker, sizeof(((black_box_t *) 0)->worker), "%s",
                 names[i]);
    }
    return file;
}

black_box_t *
black_box_of(black_box_file_t *file, uint32_t worker)
{
    return file->head ? (black_box_t *) (void *) (file->head + 1) + worker : NULL;
}

static void
put_name(char *to, size_t size, const char *name)
{
    size_t length = strnlen(name, size);

    memcpy(to, name, length);
    memset(to + length, 0, size - length);
}

void
black_box_note(black_box_t *box, const char *actor, const char *message, uint32_t attempt,
               int64_t now_ns)
{
    if (!box) {
        return;
    }
    line_t *line = &box->ring[box->count % BLACK_BOX_DELIVERIES];
    line->is_whole = 0;
    put_name(line->actor, sizeof line->actor, actor);
    put_name(line->message, sizeof line->message, message);
    line->attempt = attempt;
    line->at_ns = now_ns;
    line->is_whole = 1;
    box->count++;
    box->busy = box->count;
}

void
black_box_done(black_box_t *box)
{
    if (box) {
        box->busy = 0;
    }
}

const char *
black_box_text(const black_box_file_t *file)
{
    return file->text;
}

void
black_box_destroy(black_box_file_t **file_at, bool in_order)
{
    black_box_file_t *file = *file_at;

    if (!file) {
        return;
    }
    if (file->head) {
        file->head->ended_in_order = in_order;
        munmap(file->head, file->bytes);
    }
    if (file->fd >= 0) {
        close(file->fd);
    }
    free(file->text);
    free(file);
    *file_at = NULL;
}
