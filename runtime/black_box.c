/* black_box.c - this run's part of the box; see black_box.h. Its bytes: black_box_inside.h.
 *
 * The handler of fatal signals writes one word into the mapped file and gives the signal to whoever
 * had it before. It has a stack of its own, because a stack that is full is a crash like another.
 */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <unistd.h>

#include "runtime/black_box_inside.h"

#define SIGNAL_STACK_BYTES (32u << 10)

/* ---- fatal signals ---- */

static const int fatal[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT};
#define FATAL_COUNT (sizeof fatal / sizeof fatal[0])
static struct sigaction before[FATAL_COUNT];
/* Of this model because the handler reads it: with another one it might be allocated there. */
static _Thread_local __attribute__((tls_model("initial-exec"))) black_box_t *mine;
static _Thread_local char signal_stack[SIGNAL_STACK_BYTES];

/* A fault happens again when this returns; a signal that was sent has to be sent again. */
static void
on_fatal(int number, siginfo_t *info, void *context)
{
    (void) context;
    if (mine && mine->part->busy != 0) {
        mine->part->signal = (uint32_t) number;
    }
    for (size_t i = 0; i < FATAL_COUNT; i++) {
        if (fatal[i] == number) {
            sigaction(number, &before[i], NULL);
        }
    }
    if (info->si_code <= 0 || number == SIGABRT) {
        raise(number);
    }
}

static void
catch_fatal(void)
{
    struct sigaction action = {.sa_flags = SA_SIGINFO | SA_ONSTACK};

    action.sa_sigaction = on_fatal;
    sigemptyset(&action.sa_mask);
    for (size_t i = 0; i < FATAL_COUNT; i++) {
        sigaction(fatal[i], &action, &before[i]);
    }
}

/* From now on this thread's signals are this part's. A sanitizer may have set a stack already. */
static void
settle_in(black_box_t *box)
{
    stack_t now, own = {.ss_sp = signal_stack, .ss_size = sizeof signal_stack};

    if (!mine && sigaltstack(NULL, &now) == 0 && (now.ss_flags & SS_DISABLE)) {
        sigaltstack(&own, NULL);
    }
    mine = box;
}

/* ---- the file ---- */

static void
keep_none(black_box_file_t *file, const char *why)
{
    black_box_say(file, "this run keeps no black box: %s\n", why);
    if (file->fd >= 0) {
        close(file->fd);
        file->fd = -1;
    }
}

static void
lay_out(black_box_file_t *file, const char *const *names, uint32_t workers, uint32_t parts)
{
    part_t *part = (void *) (file->head + 1);
    line_t *line = (void *) (part + parts);

    for (uint32_t i = 0; i < parts; i++) {
        file->box[i] = (black_box_t){&part[i], line + black_box_first_line(workers, i),
                                     (uint32_t) black_box_lines(workers, i)};
        if (i < workers) {
            snprintf(part[i].thread, sizeof part[i].thread, "%s", names[i]);
        } else {
            snprintf(part[i].thread, sizeof part[i].thread, "job-%u", i - workers);
        }
    }
}

/* Room is taken now, because a full disk would end the process at a write to the mapping. What
 * was counted is synced: it is little, and only there after a crash. */
static bool
map_fresh(black_box_file_t *file, uint32_t workers, uint32_t parts)
{
    file->bytes = black_box_bytes(workers, parts);
    errno = ftruncate(file->fd, 0) != 0 ? errno : posix_fallocate(file->fd, 0, (off_t) file->bytes);
    if (errno != 0) {
        return false;
    }
    void *memory = mmap(NULL, file->bytes, PROT_READ | PROT_WRITE, MAP_SHARED, file->fd, 0);
    if (memory == MAP_FAILED) {
        return false;
    }
    file->head = memory;
    *file->head = (head_t){
        .magic = BLACK_BOX_MAGIC, .form = sizeof(head_t), .workers = workers, .parts = parts};
    memcpy(file->head->counted, file->counted, sizeof file->counted);
    if (file->counted[0].times > 0) {
        msync(memory, sizeof(head_t), MS_SYNC);
    }
    return true;
}

static void
open_file(black_box_file_t *file, const char *path, const char *const *names, uint32_t workers)
{
    uint32_t parts = workers + BLACK_BOX_JOBS;

    file->fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (file->fd < 0) {
        keep_none(file, strerror(errno));
    } else if (flock(file->fd, LOCK_EX | LOCK_NB) != 0) {
        keep_none(file, "another host keeps the black box");
    } else {
        black_box_read(file);
        if (!map_fresh(file, workers, parts)) {
            keep_none(file, strerror(errno));
            return;
        }
        file->box = calloc(parts, sizeof *file->box);
        assert(file->box && "memory for a black box");
        lay_out(file, names, workers, parts);
    }
}

black_box_file_t *
black_box_new(const char *path, const char *const *names, uint32_t workers)
{
    static atomic_flag caught = ATOMIC_FLAG_INIT;
    black_box_file_t *file = calloc(1, sizeof *file);

    assert(file && "memory for a black box");
    file->fd = -1;
    file->text = calloc(1, BLACK_BOX_TEXT);
    assert(file->text && "memory for a black box");
    if (!path) {
        keep_none(file, "none is wanted");
        return file;
    }
    open_file(file, path, names, workers);
    if (!atomic_flag_test_and_set(&caught)) {
        catch_fatal();
    }
    return file;
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
    free(file->box);
    free(file->text);
    free(file);
    *file_at = NULL;
}

/* ---- notes ---- */

black_box_t *
black_box_of(black_box_file_t *file, uint32_t worker)
{
    return file->box ? &file->box[worker] : NULL;
}

black_box_t *
black_box_of_job(black_box_file_t *file, uint32_t thread)
{
    return file && file->box ? &file->box[file->head->workers + thread % BLACK_BOX_JOBS] : NULL;
}

static void
put_name(char *to, size_t size, const char *name)
{
    size_t length = strnlen(name, size);

    memcpy(to, name, length);
    memset(to + length, 0, size - length);
}

void
black_box_note(black_box_t *box, const delivery_t *delivery)
{
    if (!box) {
        return;
    }
    if (mine != box) {
        settle_in(box);
    }
    part_t *part = box->part;
    line_t *line = &box->ring[part->count % box->lines];
    line->is_whole = 0;
    put_name(line->actor, sizeof line->actor, delivery->actor);
    put_name(line->message, sizeof line->message, delivery->message);
    put_name(part->class_name, sizeof part->class_name, delivery->class_name);
    line->attempt = delivery->attempt;
    line->at_ns = delivery->now_ns;
    line->is_whole = 1;
    part->about = delivery->about;
    part->count++;
    part->busy = part->count;
}

void
black_box_about(uint64_t about)
{
    if (mine) {
        mine->part->about = about;
    }
}

void
black_box_done(black_box_t *box)
{
    if (box) {
        box->part->busy = 0;
    }
}

const char *
black_box_text(const black_box_file_t *file)
{
    return file->text;
}

/* ---- what was counted ---- */

uint32_t
black_box_crashes(const black_box_file_t *file, actor_crash_t *ret, uint32_t count)
{
    uint32_t found = 0;

    for (uint32_t i = 0; file->head && i < CRASHES_COUNTED_MAX && found < count; i++) {
        const counted_t *counted = &file->head->counted[i];
        uint32_t times = __atomic_load_n(&counted->times, __ATOMIC_RELAXED);
        if (times < CRASH_ATTEMPTS_MAX) {
            continue;
        }
        actor_crash_t *crash = &ret[found++];
        *crash = (actor_crash_t){.number = i,
                                 .about = counted->about,
                                 .times = times,
                                 .signal = (int) counted->signal,
                                 .wall_ns = counted->wall_ns};
        snprintf(crash->class_name, sizeof crash->class_name, "%.*s",
                 (int) sizeof counted->class_name, counted->class_name);
        snprintf(crash->message, sizeof crash->message, "%.*s", (int) sizeof counted->message,
                 counted->message);
    }
    return found;
}

void
black_box_forget(black_box_file_t *file, uint32_t number)
{
    if (file->head && number < CRASHES_COUNTED_MAX) {
        __atomic_store_n(&file->head->counted[number].times, 0, __ATOMIC_RELAXED);
    }
}
