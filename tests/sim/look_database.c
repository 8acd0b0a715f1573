/* look_database.c - reads a log of SQLite (WAL, file format "WAL-index and WAL") frame by frame.
 *
 * Bytes    site.db-wal: a head of 32 bytes, then frames: 24 bytes and a page. All numbers are
 *          big-endian. A frame counts when its salts are those of the head and its running checksum
 *          is right; it is committed when it, or a later such frame, tells a size of the database.
 */
#include "tests/sim/look_database.h"

#include <assert.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#define LOG            "/data/site.db-wal"
#define FILE_NAME      "/data/site.db"
#define HEAD_BYTES     32u
#define FRAME_HEAD     24u
#define PAGE_MAX       65536u
#define STATEMENTS_MAX 4u
#define ROOM_BYTES     (UINT64_C(4) << 20) /* the image grows by so much at a time */

struct look_database {
    uint8_t *image;
    uint64_t size, room;
    uint32_t page;       /* bytes of one; 0: nothing is read yet */
    uint8_t salts[8];    /* of the log whose frames are in the image */
    uint64_t at;         /* end of the last committed frame in it */
    uint32_t sum[2];     /* the running checksum there */
    uint64_t operations; /* of the machine at the last look */
    sqlite3 *sql;
    const char *text[STATEMENTS_MAX];
    sqlite3_stmt *statement[STATEMENTS_MAX];
    uint8_t frame[FRAME_HEAD + PAGE_MAX];
};

static uint32_t
number_at(const uint8_t *bytes)
{
    return (uint32_t) bytes[0] << 24 | (uint32_t) bytes[1] << 16 | (uint32_t) bytes[2] << 8 |
           bytes[3];
}

static void
put_number(uint8_t *bytes, uint32_t number)
{
    bytes[0] = (uint8_t) (number >> 24);
    bytes[1] = (uint8_t) (number >> 16);
    bytes[2] = (uint8_t) (number >> 8);
    bytes[3] = (uint8_t) number;
}

look_database_t *
look_database_new(void)
{
    look_database_t *look = calloc(1, sizeof *look);

    assert(look);
    return look;
}

static void
hang_up(look_database_t *look)
{
    for (uint32_t i = 0; i < STATEMENTS_MAX; i++) {
        sqlite3_finalize(look->statement[i]);
        look->statement[i] = NULL;
    }
    sqlite3_close(look->sql);
    look->sql = NULL;
}

void
look_database_forget(look_database_t *look)
{
    hang_up(look);
    look->page = 0;
    look->operations = UINT64_MAX;
}

void
look_database_destroy(look_database_t **look)
{
    if (*look) {
        hang_up(*look);
        free((*look)->image);
        free(*look);
        *look = NULL;
    }
}

static int64_t
read_at(world_t *w, const char *path, void *bytes, uint64_t size, uint64_t offset)
{
    int fd = world_open(w, AT_FDCWD, path, O_RDONLY, 0, 0);

    if (fd < 0) {
        return 0;
    }
    int64_t got = world_read(w, fd, bytes, size, offset);
    world_close(w, fd);
    return got < 0 ? 0 : got;
}

/* ---- the image ---- */

static void
make_room(look_database_t *look, uint64_t size)
{
    if (size > look->room) {
        hang_up(look); /* its pages are about to move */
        look->room = (size / ROOM_BYTES + 1) * ROOM_BYTES;
        look->image = realloc(look->image, look->room);
        assert(look->image);
    }
}

/* A connection knows the size of its image from when it was made. */
static void
set_size(look_database_t *look, uint64_t size)
{
    if (size != look->size) {
        hang_up(look);
        look->size = size;
    }
}

static void
read_file(look_database_t *look, world_t *w)
{
    world_stat_t stat;

    if (world_stat_at(w, AT_FDCWD, FILE_NAME, &stat) < 0) {
        stat.size = 0;
    }
    make_room(look, stat.size + 1);
    set_size(look, (uint64_t) read_at(w, FILE_NAME, look->image, stat.size, 0));
}

/* ---- the log ---- */

static void
sum_on(const uint8_t *bytes, uint64_t size, bool big, uint32_t sum[2])
{
    for (uint64_t i = 0; i < size; i += 8) {
        uint32_t first, second;
        memcpy(&first, bytes + i, 4);
        memcpy(&second, bytes + i + 4, 4);
        sum[0] += (big ? number_at(bytes + i) : first) + sum[1];
        sum[1] += (big ? number_at(bytes + i + 4) : second) + sum[0];
    }
}

/* A log that was begun anew: all of the one before is in the file by now, and so in the image. */
static bool
find_log(look_database_t *look, world_t *w, bool *ret_big)
{
    uint8_t head[HEAD_BYTES];
    uint32_t sum[2] = {0, 0};

    if (read_at(w, LOG, head, HEAD_BYTES, 0) != HEAD_BYTES ||
        number_at(head) >> 1 != 0x377f0682 >> 1) {
        return false;
    }
    *ret_big = (head[3] & 1) != 0;
    sum_on(head, 24, *ret_big, sum);
    uint32_t page = number_at(head + 8);
    if (sum[0] != number_at(head + 24) || sum[1] != number_at(head + 28) || page > PAGE_MAX) {
        return false;
    }
    if (look->page == 0 || memcmp(look->salts, head + 16, 8) != 0) {
        memcpy(look->salts, head + 16, 8);
        memcpy(look->sum, sum, sizeof sum);
        look->at = HEAD_BYTES;
    }
    look->page = page;
    return true;
}

/* Reads the frame at an offset; whether it counts. */
static bool
read_frame(look_database_t *look, world_t *w, uint64_t at, bool big, uint32_t sum[2])
{
    uint64_t size = FRAME_HEAD + look->page;

    if (read_at(w, LOG, look->frame, size, at) != (int64_t) size ||
        memcmp(look->frame + 8, look->salts, 8) != 0) {
        return false;
    }
    sum_on(look->frame, 8, big, sum);
    sum_on(look->frame + FRAME_HEAD, look->page, big, sum);
    return sum[0] == number_at(look->frame + 16) && sum[1] == number_at(look->frame + 20);
}

static void
apply_frame(look_database_t *look)
{
    uint64_t page = number_at(look->frame);

    make_room(look, page * look->page);
    memcpy(look->image + (page - 1) * look->page, look->frame + FRAME_HEAD, look->page);
}

/* The end of the last commit after what is in the image, or that itself. */
static uint64_t
last_commit(look_database_t *look, world_t *w, bool big, uint64_t *ret_size)
{
    uint32_t sum[2] = {look->sum[0], look->sum[1]};
    uint64_t commit = look->at, size = FRAME_HEAD + look->page;

    for (uint64_t at = look->at; read_frame(look, w, at, big, sum); at += size) {
        if (number_at(look->frame + 4) != 0) {
            commit = at + size;
            *ret_size = (uint64_t) number_at(look->frame + 4) * look->page;
        }
    }
    return commit;
}

/* A page cache believes itself until the change counter differs, and a log leaves that as it is. */
static void
say_changed(look_database_t *look)
{
    uint32_t counter = number_at(look->image + 24) + 1;

    look->image[18] = look->image[19] = 1; /* no log any more */
    put_number(look->image + 24, counter);
    put_number(look->image + 92, counter);
}

static bool
take_commits(look_database_t *look, world_t *w)
{
    bool big = false;
    uint64_t size = 0;

    if (!find_log(look, w, &big)) {
        return false;
    }
    uint64_t end = last_commit(look, w, big, &size);
    if (end == look->at) {
        return false;
    }
    uint32_t counter = look->size > 100 ? number_at(look->image + 24) : 0;
    while (look->at < end) {
        read_frame(look, w, look->at, big, look->sum);
        apply_frame(look);
        look->at += FRAME_HEAD + look->page;
    }
    set_size(look, size);
    put_number(look->image + 24, counter);
    return true;
}

bool
look_database_again(look_database_t *look, world_sim_t *machine)
{
    uint64_t operations = world_sim_operation_count(machine);

    if (operations == look->operations) {
        return false;
    }
    world_t *w = world_sim_look_new(machine);
    bool first = look->page == 0;
    if (first) {
        read_file(look, w);
    }
    look->operations = operations;
    bool changed = take_commits(look, w) || (first && look->size > 100);
    world_sim_job_destroy(&w);
    if (changed) {
        say_changed(look);
    }
    return changed;
}

/* ---- questions ---- */

static void
dial(look_database_t *look)
{
    int result =
        sqlite3_open_v2(":memory:", &look->sql, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL);

    assert(result == SQLITE_OK);
    result = sqlite3_deserialize(look->sql, "main", look->image, (sqlite3_int64) look->size,
                                 (sqlite3_int64) look->size, SQLITE_DESERIALIZE_READONLY);
    assert(result == SQLITE_OK);
}

sqlite3_stmt *
look_database_ask(look_database_t *look, const char *text)
{
    uint32_t i = 0;

    if (look->size <= 100) {
        return NULL;
    }
    if (!look->sql) {
        dial(look);
    }
    while (i < STATEMENTS_MAX && look->statement[i] && look->text[i] != text) {
        i++;
    }
    assert(i < STATEMENTS_MAX);
    if (!look->statement[i]) {
        look->text[i] = text;
        sqlite3_prepare_v2(look->sql, text, -1, &look->statement[i], NULL);
    } else {
        sqlite3_reset(look->statement[i]);
    }
    return look->statement[i];
}
