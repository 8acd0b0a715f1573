/* activation.c - see activation.h.
 *
 * Bytes    "despool activation 1", "package", "incarnation <hex>", "epoch", "state", "attempt",
 *          "how", "code", "ended", "text", the digest line of a seal.
 * Valid    when its digest holds. One that does not is taken as due for what is there.
 * A crash  leaves the old text or the new one: a run that was cut is due still.
 */
#include "actors/content/activation.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "actors/content/fail.h"
#include "actors/content/listing.h"
#include "actors/content/receipt.h"
#include "actors/content/seal.h"

#define KIND       "activation"
#define NOTES      "activations"
#define PATH_BYTES (POINT_ROOT_BYTES + 32u)

/* ---- the notes ---- */

/* Its name is synced each time: who made it may have been killed before. */
static int
make_notes(world_t *world, const char *data)
{
    int above = world_open(world, AT_FDCWD, data, O_RDONLY | O_DIRECTORY, 0, 0);

    if (above < 0) {
        return above;
    }
    int result = world_make_dir(world, above, NOTES, 0700);
    result = result < 0 && result != -EEXIST ? result
                                             : sync_point_file(world, SYNC_ACTIVATION_NAMES, above);
    world_close(world, above);
    return result;
}

/* -errno, or the directory of the notes. */
static int
open_notes(world_t *world, const char *data, bool makes)
{
    char path[PATH_BYTES];
    int result = makes ? make_notes(world, data) : 0;

    snprintf(path, sizeof path, "%s/" NOTES, data);
    return result < 0
               ? result
               : world_open(world, AT_FDCWD, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0, 0);
}

static err_t
take_note(const seal_t *seal, activation_t *ret)
{
    activation_t note = {.how = 0};
    bool whole = seal_get(seal, "package", note.package, sizeof note.package) &&
                 seal_get_hex(seal, "incarnation", note.incarnation.byte, 16) &&
                 seal_get_number(seal, "epoch", &note.epoch) &&
                 seal_get_number(seal, "state", &note.state) &&
                 seal_get_number(seal, "attempt", &note.attempt) &&
                 seal_get_number(seal, "how", &note.how) &&
                 seal_get_number(seal, "code", &note.code) &&
                 seal_get_number(seal, "ended", &note.ended_ns) &&
                 seal_get(seal, "text", note.text, sizeof note.text);

    *ret = whole ? note : *ret;
    return whole ? OK : ERR_DAMAGED;
}

static err_t
read_note(world_t *world, int dir, const char *package, activation_t *ret, fault_t *fault)
{
    seal_t seal;

    TRY(seal_read(world, dir, package, KIND, &seal, fault));
    err_t err = take_note(&seal, ret);
    return err == OK ? OK : RAISE(fault, err, 0, "read", package);
}

static err_t
write_note(world_t *world, int dir, const activation_t *note, fault_t *fault)
{
    seal_t seal;

    seal_begin(&seal, KIND);
    seal_put(&seal, "package", note->package);
    seal_put_hex(&seal, "incarnation", note->incarnation.byte, sizeof note->incarnation.byte);
    seal_put_number(&seal, "epoch", note->epoch);
    seal_put_number(&seal, "state", note->state);
    seal_put_number(&seal, "attempt", note->attempt);
    seal_put_number(&seal, "how", note->how);
    seal_put_number(&seal, "code", note->code);
    seal_put_number(&seal, "ended", note->ended_ns);
    seal_put(&seal, "text", note->text);
    TRY(seal_close(&seal));
    return seal_write(world, dir, note->package, &seal, SYNC_ACTIVATION_FILE, SYNC_ACTIVATION_NAMES,
                      fault);
}

static bool
is_of(const activation_t *note, const id128_t *incarnation, uint64_t epoch)
{
    return note->epoch == epoch &&
           memcmp(&note->incarnation, incarnation, sizeof *incarnation) == 0;
}

/* ---- before a placement, and a removal ---- */

static err_t
is_placed(point_t *point, const char *package, const id128_t *incarnation, uint64_t epoch,
          bool *ret_placed, fault_t *fault)
{
    receipt_t receipt;
    err_t err = receipt_read(point, package, &receipt, fault);

    *ret_placed = err == OK && receipt.epoch == epoch &&
                  memcmp(&receipt.incarnation, incarnation, sizeof *incarnation) == 0;
    return err == ERR_NOT_FOUND || err == ERR_DAMAGED ? OK : err;
}

/* What is read may be of a run that was cut just before its last sync. */
static err_t
settle(world_t *world, int dir, fault_t *fault)
{
    int result = sync_point_file(world, SYNC_ACTIVATION_NAMES, dir);

    return result < 0 ? FAIL(fault, result, "sync", NOTES) : OK;
}

static err_t
intend(world_t *world, int dir, point_t *point, const activation_t *wish, fault_t *fault)
{
    activation_t note = {.epoch = 0};
    bool placed = false;
    err_t err = read_note(world, dir, wish->package, &note, fault);

    if (err != OK && err != ERR_NOT_FOUND && err != ERR_DAMAGED) {
        return err;
    }
    if (err == OK && is_of(&note, &wish->incarnation, wish->epoch)) {
        return settle(world, dir, fault);
    }
    TRY(is_placed(point, wish->package, &wish->incarnation, wish->epoch, &placed, fault));
    return placed ? OK : write_note(world, dir, wish, fault);
}

err_t
activation_intend(world_t *world, const char *data, point_t *point, const char *package,
                  const id128_t *incarnation, uint64_t epoch, fault_t *fault)
{
    activation_t wish = {.incarnation = *incarnation, .epoch = epoch, .state = ACTIVATION_DUE};
    int dir = open_notes(world, data, true);

    if (dir < 0) {
        return FAIL(fault, dir, "open", NOTES);
    }
    snprintf(wish.package, sizeof wish.package, "%s", package);
    err_t err = intend(world, dir, point, &wish, fault);
    world_close(world, dir);
    return err;
}

err_t
activation_forget(world_t *world, const char *data, const char *package, fault_t *fault)
{
    int dir = open_notes(world, data, false);

    if (dir == -ENOENT) {
        return OK;
    }
    int result = dir < 0 ? dir : seal_remove(world, dir, package);
    result = result < 0 ? result : sync_point_file(world, SYNC_ACTIVATION_NAMES, dir);
    if (dir >= 0) {
        world_close(world, dir);
    }
    return result < 0 ? FAIL(fault, result, "remove", package) : OK;
}

/* ---- the notes, one after the other ---- */

typedef struct notes {
    world_t *world;
    int dir;
    listing_t names;
    uint32_t at;
} notes_t;

static err_t
notes_open(world_t *world, const char *data, notes_t *ret, fault_t *fault)
{
    *ret = (notes_t){.world = world, .dir = open_notes(world, data, false)};
    if (ret->dir == -ENOENT) {
        return OK;
    }
    if (ret->dir < 0) {
        return FAIL(fault, ret->dir, "open", NOTES);
    }
    TRY(settle(world, ret->dir, fault));
    return listing_read(world, ret->dir, NOTES, &ret->names, fault);
}

static void
notes_close(notes_t *notes)
{
    listing_release(&notes->names);
    if (notes->dir >= 0) {
        world_close(notes->world, notes->dir);
    }
}

/* A damaged one is due, of the version that is there: epoch 0. What a cut run left begins with a
 * dot. */
static bool
notes_next(notes_t *notes, activation_t *ret, err_t *ret_err, fault_t *fault)
{
    while (*ret_err == OK && notes->at < notes->names.count) {
        const char *name = notes->names.name[notes->at++];
        if (name[0] == '.' || strlen(name) >= sizeof ret->package) {
            continue;
        }
        *ret = (activation_t){.state = ACTIVATION_DUE};
        *ret_err = read_note(notes->world, notes->dir, name, ret, fault);
        snprintf(ret->package, sizeof ret->package, "%s", name);
        *ret_err = *ret_err == ERR_DAMAGED ? OK : *ret_err;
        return *ret_err == OK;
    }
    return false;
}

err_t
activation_untold(world_t *world, const char *data, activation_t *ret, uint32_t max,
                  uint32_t *ret_count, fault_t *fault)
{
    notes_t notes;
    activation_t note;
    err_t err = notes_open(world, data, &notes, fault);

    *ret_count = 0;
    while (*ret_count < max && notes_next(&notes, &note, &err, fault)) {
        if (note.state == ACTIVATION_ENDED) {
            ret[(*ret_count)++] = note;
        }
    }
    notes_close(&notes);
    return err;
}

static err_t
tell(world_t *world, int dir, const activation_t *told, fault_t *fault)
{
    activation_t note = {.epoch = 0};

    TRY(read_note(world, dir, told->package, &note, fault));
    if (!is_of(&note, &told->incarnation, told->epoch) || note.attempt != told->attempt ||
        note.state != ACTIVATION_ENDED) {
        return OK;
    }
    note.state = ACTIVATION_TOLD;
    return write_note(world, dir, &note, fault);
}

err_t
activation_told(world_t *world, const char *data, const activation_t *told, fault_t *fault)
{
    int dir = open_notes(world, data, false);

    if (dir < 0) {
        return FAIL(fault, dir, "open", NOTES);
    }
    err_t err = tell(world, dir, told, fault);
    world_close(world, dir);
    return err;
}

/* ---- the run ---- */

/* Whether what the note is of is current; a damaged one is of whatever is. */
static bool
is_current(point_t *point, activation_t *note, receipt_t *ret_receipt)
{
    fault_t fault;

    if (note->state > ACTIVATION_RUNS || receipt_read(point, note->package, ret_receipt, &fault)) {
        return false;
    }
    if (note->epoch == 0) {
        note->epoch = ret_receipt->epoch;
        note->incarnation = ret_receipt->incarnation;
    }
    return is_of(note, &ret_receipt->incarnation, ret_receipt->epoch);
}

#define WORDS 9u

typedef struct words {
    char text[WORDS][PATH_BYTES + 128u];
    const char *env[WORDS + 1];
    uint32_t count;
} words_t;

static void __attribute__((format(printf, 2, 3))) put_word(words_t *words, const char *format, ...)
{
    va_list arguments;
    char *text = words->text[words->count];

    va_start(arguments, format);
    vsnprintf(text, sizeof words->text[0], format, arguments);
    va_end(arguments);
    words->env[words->count++] = text;
}

static void
put_words(words_t *words, const activation_run_t *order, const activation_t *note,
          const receipt_t *receipt)
{
    char name[RECEIPT_DIRECTORY_BYTES], hex[65];

    words->count = 0;
    put_word(words, "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
    put_word(words, "DESPOOL_PACKAGE=%s", note->package);
    put_word(words, "DESPOOL_VERSION=%s", receipt->label);
    put_word(words, "DESPOOL_EPOCH=%llu", (unsigned long long) note->epoch);
    put_word(words, "DESPOOL_POINT=%s", order->point);
    put_word(words, "DESPOOL_ROOT=%s", order->root);
    put_word(words, "DESPOOL_PATH=%s/%s/%s", order->root, note->package,
             receipt_directory(receipt, name));
    hex_of_bytes(receipt->root.byte, sizeof receipt->root.byte, hex);
    put_word(words, "DESPOOL_DIGEST=%s", hex);
    put_word(words, "DESPOOL_ATTEMPT=%llu", (unsigned long long) note->attempt);
    words->env[words->count] = NULL;
}

/* Its last line that says something, as far as it can be shown. */
static void
last_line(const char *output, size_t size, char *text, size_t room)
{
    size_t end = size, used = 0;

    while (end > 0 && (unsigned char) output[end - 1] <= ' ') {
        end--;
    }
    size_t from = end;
    while (from > 0 && output[from - 1] != '\n') {
        from--;
    }
    for (size_t i = from; i < end && used + 1 < room; i++) {
        bool plain = output[i] >= ' ' && output[i] <= '~';
        text[used++] = plain ? output[i] : '?';
    }
    text[used] = '\0';
}

/* What it said is for who is there: it is no promise, and not synced. */
static void
keep_output(world_t *world, const char *data, const char *package, const char *output, size_t size)
{
    char path[PATH_BYTES + ACTIVATION_PACKAGE_BYTES];

    snprintf(path, sizeof path, "%s/activation-output", data);
    (void) world_make_dir(world, AT_FDCWD, path, 0700);
    snprintf(path, sizeof path, "%s/activation-output/%s", data, package);
    int fd = world_open(world, AT_FDCWD, path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW, 0600, 0);
    if (fd >= 0) {
        (void) world_write(world, fd, output, size, 0);
        world_close(world, fd);
    }
}

static err_t
run_program(world_t *world, const activation_run_t *order, const receipt_t *receipt, char *output,
            activation_t *note, fault_t *fault)
{
    words_t words;
    world_ended_t ended = {.code = 0};

    put_words(&words, order, note, receipt);
    world_program_t program = {.path = order->program,
                               .env = words.env,
                               .time_ms = order->time_ms,
                               .output = output,
                               .room = ACTIVATION_OUTPUT_BYTES};
    int result = world_run(world, &program, &ended);
    if (result == -ECANCELED) {
        return FAIL(fault, result, "run", order->program);
    }
    note->how = result < 0 ? ACTIVATION_NOT_BEGUN : (uint64_t) ended.how;
    note->code = (uint64_t) (result < 0 ? -result : ended.code);
    note->ended_ns = (uint64_t) world_wall_ns(world);
    last_line(output, ended.size, note->text, sizeof note->text);
    if (result < 0) {
        snprintf(note->text, sizeof note->text, "%s", err_sentence(err_of_errno(-result)));
    }
    keep_output(world, order->data, note->package, output, ended.size);
    return OK;
}

/* The attempt is durable before its program begins, and its end before anybody hears of it. */
static err_t
attempt(world_t *world, int dir, const activation_run_t *order, const receipt_t *receipt,
        activation_t *note, fault_t *fault)
{
    char *output = malloc(ACTIVATION_OUTPUT_BYTES);

    if (!output) {
        return NO_MEMORY(fault, "output");
    }
    note->attempt++;
    note->state = ACTIVATION_RUNS;
    note->text[0] = '\0';
    err_t err = write_note(world, dir, note, fault);
    err = err == OK ? run_program(world, order, receipt, output, note, fault) : err;
    free(output);
    TRY(err);
    note->state = ACTIVATION_ENDED;
    return write_note(world, dir, note, fault);
}

err_t
activation_run(world_t *world, point_t *point, const activation_run_t *order, activation_t *ret,
               bool *ret_ran, fault_t *fault)
{
    notes_t notes;
    receipt_t receipt;
    bool found = false;
    err_t err = notes_open(world, order->data, &notes, fault);

    *ret_ran = false;
    while (!found && notes_next(&notes, ret, &err, fault)) {
        found = is_current(point, ret, &receipt);
    }
    if (err == OK && found) {
        err = receipt_settle(point, fault);
        err = err == OK ? attempt(world, notes.dir, order, &receipt, ret, fault) : err;
        *ret_ran = err == OK;
    }
    notes_close(&notes);
    return err;
}
