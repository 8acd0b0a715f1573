/* errors.c - the table of errors.h spread into look-ups, and the text of a fault. */
#include "proto/errors.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "proto/show.h"

typedef struct error_row {
    const char *word, *sentence, *hint;
    error_class_t class;
} error_row_t;

static const error_row_t error_rows[ERR_COUNT] = {
    [OK] = {"ok", "done", "nothing to do", CLASS_NONE},
#define ERROR_ROW(symbol, word, class, sentence, hint)                                             \
    [symbol] = {word, sentence, hint, CLASS_##class},
    ERRORS(ERROR_ROW)
#undef ERROR_ROW
};

static const error_row_t *
error_row(err_t err)
{
    return &error_rows[(unsigned) err < ERR_COUNT ? (unsigned) err : ERR_INTERNAL];
}

const char *
err_word(err_t err)
{
    return error_row(err)->word;
}

const char *
err_sentence(err_t err)
{
    return error_row(err)->sentence;
}

const char *
err_hint(err_t err)
{
    return error_row(err)->hint;
}

bool
err_is_absence(err_t err)
{
    return err == ERR_ABSENT || err == ERR_HUNG || err == ERR_NOT_THIS_POINT ||
           err == ERR_OTHER_SITE;
}

bool
err_is_of_site(err_t err)
{
    return err == ERR_PAUSED || err == ERR_QUEUED || err == ERR_RING || err == ERR_WINDOW ||
           err == ERR_QUARANTINED;
}

error_class_t
err_class(err_t err)
{
    return error_row(err)->class;
}

const char *
error_class_word(error_class_t of)
{
    static const char *const words[] = {"none", "retry", "resource", "refuse", "stop"};
    return words[(unsigned) of <= CLASS_STOP ? (unsigned) of : CLASS_STOP];
}

err_t
err_of_word(const char *word, size_t size)
{
    for (unsigned err = 0; err < ERR_COUNT; err++) {
        const char *known = error_rows[err].word;
        if (strlen(known) == size && memcmp(known, word, size) == 0) {
            return (err_t) err;
        }
    }
    return ERR_INTERNAL;
}

static void
show_into(char *text, size_t size, const char *from)
{
    sheet_t sheet;
    sheet_over(&sheet, text, size);
    if (from != NULL) {
        sheet_show_line(&sheet, from, strlen(from));
    }
}

static const char *
last_part(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash == NULL ? path : slash + 1;
}

err_t
fault_set(fault_t *fault, err_t err, int os_error, const char *verb, const char *subject,
          const char *file, uint32_t line)
{
    if (fault != NULL) {
        *fault = (fault_t){
            .err = err, .os_error = os_error, .need = UINT64_MAX, .have = UINT64_MAX, .line = line};
        show_into(fault->file, sizeof fault->file, last_part(file));
        show_into(fault->verb, sizeof fault->verb, verb);
        show_into(fault->subject, sizeof fault->subject, subject);
    }
    return err;
}

/* What the system says at a file of a point or of the store, in despool's words. What is not
 * listed is ERR_IO, which is tried again: a file system may answer anything. */
static const struct errno_row {
    int os_error;
    err_t err;
} errno_rows[] = {
    {0, OK},
    {ENOENT, ERR_ABSENT},
    {ENODEV, ERR_ABSENT},
    {ENXIO, ERR_ABSENT},
    {ESTALE, ERR_ABSENT},
    {ENOTCONN, ERR_ABSENT},
    {EHOSTDOWN, ERR_ABSENT},
    {EHOSTUNREACH, ERR_ABSENT},
    {ENETUNREACH, ERR_ABSENT},
    {ETIMEDOUT, ERR_ABSENT},
    {EXDEV, ERR_NOT_THIS_POINT}, /* a mount was placed over a part of the way */
    {EEXIST, ERR_NOT_OURS},
    {ENOTEMPTY, ERR_NOT_OURS},
    {ENOTDIR, ERR_NOT_OURS},
    {EISDIR, ERR_NOT_OURS},
    {ELOOP, ERR_NOT_OURS}, /* a symbolic link stands where a directory of ours was */
    {EACCES, ERR_PERMISSION},
    {EPERM, ERR_PERMISSION},
    {EROFS, ERR_READ_ONLY},
    {ENOSPC, ERR_SPACE},
    {EDQUOT, ERR_SPACE},
    {EFBIG, ERR_TOO_LARGE},
    {EMFILE, ERR_FULL},
    {ENFILE, ERR_FULL},
    {ENOMEM, ERR_NO_MEMORY},
    {ENAMETOOLONG, ERR_NAME_TOO_LONG},
    {EOPNOTSUPP, ERR_UNSUPPORTED},
    {ENOSYS, ERR_UNSUPPORTED},
    {ECANCELED, ERR_CANCELLED},
    {EAGAIN, ERR_BUSY},
    {EBUSY, ERR_BUSY},
    {ETXTBSY, ERR_BUSY},
};

err_t
err_of_errno(int os_error)
{
    for (size_t i = 0; i < sizeof errno_rows / sizeof errno_rows[0]; i++) {
        if (errno_rows[i].os_error == os_error) {
            return errno_rows[i].err;
        }
    }
    return ERR_IO;
}

err_t
err_of_path_errno(int os_error)
{
    switch (os_error) {
    case ENOENT:
        return ERR_NO_PATH;
    case EEXIST:
    case ENOTEMPTY:
    case ENOTDIR:
    case EISDIR:
    case ELOOP:
        return ERR_PATH_TAKEN;
    default:
        return err_of_errno(os_error);
    }
}

static void
put_numbers(sheet_t *sheet, const fault_t *fault)
{
    const char *unit = fault->inodes ? "inodes" : "bytes";
    if (fault->need != UINT64_MAX) {
        sheet_putf(sheet, ", need %" PRIu64 " %s", fault->need, unit);
    }
    if (fault->have != UINT64_MAX) {
        sheet_putf(sheet, ", have %" PRIu64 " %s", fault->have, unit);
    }
}

const char *
fault_text(const fault_t *fault, char *text, size_t size)
{
    sheet_t sheet;
    sheet_over(&sheet, text, size);
    if (fault->verb[0] != '\0') {
        sheet_puts(&sheet, "cannot ");
        sheet_puts(&sheet, fault->verb);
        sheet_puts(&sheet, " '");
        sheet_puts(&sheet, fault->subject);
        sheet_puts(&sheet, "': ");
    }
    sheet_puts(&sheet, err_sentence(fault->err));
    if (fault->os_error != 0) {
        const char *name = strerrorname_np(fault->os_error);
        sheet_puts(&sheet, " (");
        sheet_puts(&sheet, name == NULL ? "unknown errno" : name);
        sheet_puts(&sheet, ")");
    }
    put_numbers(&sheet, fault);
    return text;
}
