/* golden.c - the bytes that version 1 of the wire puts out, held against the files of v1/.
 *
 *   golden DIR           each document is encoded and compared, and decoded and compared
 *   golden --write DIR   writes them: only for documents that are new, never for changed ones
 *
 * A client of an older despool reads what these files hold: a field may be added to a map, every
 * other difference is a broken promise.
 */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proto/messages.h"
#include "proto/wire.h"

typedef struct document {
    const char *name;
    const record_type_t *type;
    const void *(*make)(draft_t *draft);
} document_t;

/* ---- the records ---- */

#define NOON 1772366400123000000 /* 2026-03-01T12:00:00.123Z, in ns */

static void *
row(draft_t *draft, rows_t rows, uint32_t number, size_t bytes)
{
    void *at = draft_row(draft, rows, number, bytes);
    assert(at != NULL);
    return at;
}

static rows_t
version(draft_t *draft, uint64_t epoch)
{
    rows_t rows = draft_rows(draft, 1, sizeof(version_ref_t));
    version_ref_t *ref = row(draft, rows, 0, sizeof *ref);
    ref->epoch = epoch;
    ref->label = draft_textf(draft, "2026.%u", (unsigned) epoch);
    memset(ref->root.byte, (int) epoch, sizeof ref->root.byte);
    return rows;
}

static rows_t
absence(draft_t *draft)
{
    rows_t rows = draft_rows(draft, 1, sizeof(cause_t));
    cause_t *cause = row(draft, rows, 0, sizeof *cause);
    cause->code = ERR_ABSENT;
    cause->class = CLASS_RETRY;
    cause->text = draft_text(draft, slice_of("cannot open '/mnt/d\xff': not there (ENOENT)"));
    cause->hint = draft_text(draft, slice_of("plug it in"));
    cause->need = RECORD_NONE;
    cause->have = RECORD_NONE;
    return rows;
}

static void
set_texts(draft_t *draft, rows_t *ret, const char *const *texts, uint32_t count)
{
    *ret = draft_rows(draft, count, sizeof(text_t));
    for (uint32_t i = 0; i < count; i++) {
        *(text_t *) row(draft, *ret, i, sizeof(text_t)) = draft_text(draft, slice_of(texts[i]));
    }
}

static const void *
make_package_add(draft_t *draft)
{
    static const char *const globs[] = {"*.o", "caf\xe9/*"};
    package_add_t *add = draft_begin(draft, &package_add_type);
    add->dry_run = 1;
    add->id = draft_text(draft, slice_of("P1"));
    add->source = draft_text(draft, slice_of("/usr/share/zoneinfo"));
    add->name = draft_text(draft, slice_of("Zeitzonen f\xc3\xbcr alle"));
    set_texts(draft, &add->exclude, globs, 2);
    return add;
}

static const void *
make_distribute(draft_t *draft)
{
    static const char *const points[] = {"A", "B", "@rest"};
    distribute_t *distribute = draft_begin(draft, &distribute_type);
    distribute->id = draft_text(draft, slice_of("P1"));
    set_texts(draft, &distribute->to, points, 3);
    return distribute;
}

static const void *
make_refusal(draft_t *draft)
{
    refusal_t *refusal = draft_begin(draft, &refusal_type);
    refusal->code = ERR_SITE_FULL;
    refusal->message = draft_text(draft, slice_of("cannot store 'P1': the site's disk is full"));
    refusal->hint = draft_text(draft, slice_of("free space"));
    refusal->need = 5000000000;
    refusal->have = 0;
    return refusal;
}

static const void *
make_status_of(draft_t *draft)
{
    status_of_t *status = draft_begin(draft, &status_of_type);
    status->id = draft_text(draft, slice_of("P1"));
    status->version = version(draft, 2);
    status->state = PACKAGE_ACTIVE;
    status->targets = draft_rows(draft, 2, sizeof(target_status_t));
    target_status_t *first = row(draft, status->targets, 0, sizeof *first);
    first->dp = draft_text(draft, slice_of("A"));
    first->state = TARGET_INSTALLED;
    first->wanted = version(draft, 2);
    first->have = version(draft, 2);
    first->of = 100;
    first->since = NOON;
    first->bytes_done = 1;
    first->bytes_total = 1;
    target_status_t *second = row(draft, status->targets, 1, sizeof *second);
    second->dp = draft_text(draft, slice_of("B"));
    second->state = TARGET_RETRYING;
    second->wanted = version(draft, 2);
    second->have = version(draft, 1);
    second->attempts = 3;
    second->of = 100;
    second->due = NOON + 1000000000;
    second->cause = absence(draft);
    return status;
}

static const void *
make_event(draft_t *draft)
{
    event_t *event = draft_begin(draft, &event_type);
    event->seq = UINT64_MAX;
    event->time = NOON;
    event->site = draft_text(draft, slice_of("S01"));
    event->component = draft_text(draft, slice_of("distribution_manager"));
    event->id = 2330;
    event->severity = SEVERITY_INFO;
    event->package = draft_text(draft, slice_of("P1"));
    event->text = draft_text(draft, slice_of("50% of 'x' %n \\ \"q\" \x01"));
    event->attrs = draft_rows(draft, 1, sizeof(pair_t));
    pair_t *pair = row(draft, event->attrs, 0, sizeof *pair);
    pair->name = draft_text(draft, slice_of("path"));
    pair->value = draft_text(draft, slice_of("od\xff"
                                             "d"));
    return event;
}

static const document_t documents[] = {
    {"package_add", &package_add_type, make_package_add},
    {"distribute", &distribute_type, make_distribute},
    {"refusal", &refusal_type, make_refusal},
    {"status_of", &status_of_type, make_status_of},
    {"event", &event_type, make_event},
};

/* ---- the files ---- */

#define DOCUMENT_BYTES 4096

typedef struct blob {
    uint8_t bytes[DOCUMENT_BYTES];
    size_t size;
} blob_t;

static FILE *
open_document(const char *directory, const document_t *document, const char *mode)
{
    char path[4200];
    int size = snprintf(path, sizeof path, "%s/%s.msgpack", directory, document->name);
    assert(size > 0 && (size_t) size < sizeof path);
    FILE *file = fopen(path, mode);
    if (file == NULL) {
        perror(path);
    }
    return file;
}

static bool
read_document(const char *directory, const document_t *document, blob_t *ret)
{
    FILE *file = open_document(directory, document, "rb");
    if (file == NULL) {
        return false;
    }
    ret->size = fread(ret->bytes, 1, sizeof ret->bytes, file);
    fclose(file);
    return true;
}

static bool
write_document(const char *directory, const document_t *document, const blob_t *blob)
{
    FILE *file = open_document(directory, document, "wbx");
    if (file == NULL) {
        return false;
    }
    bool written = fwrite(blob->bytes, 1, blob->size, file) == blob->size;
    return fclose(file) == 0 && written;
}

static void
print_json(const char *what, const blob_t *blob)
{
    static char json[8 * DOCUMENT_BYTES];
    wire_value_t root;
    size_t size;
    if (wire_check(blob->bytes, blob->size, &root) == OK &&
        wire_json(&root, json, sizeof json, &size)) {
        printf("# %s: %s\n", what, json);
    } else {
        printf("# %s: %zu bytes that are no document\n", what, blob->size);
    }
}

static bool
encode(const document_t *document, const void *record, blob_t *ret)
{
    wire_writer_t writer;
    wire_writer_over(&writer, ret->bytes, sizeof ret->bytes);
    err_t err = record_encode(document->type, record, &writer);
    ret->size = writer.size;
    return err == OK;
}

/* Whether got is what a reader of expected would want: the same bytes, but for fields that a map
 * has gained. */
static bool
holds(const wire_value_t *got, const wire_value_t *expected)
{
    const uint8_t *at_got = got->body, *at_expected = expected->body;
    if (expected->kind != WIRE_MAP && expected->kind != WIRE_ARRAY) {
        size_t size = (size_t) (expected->after - expected->from);
        return got->after - got->from == (ptrdiff_t) size &&
               memcmp(got->from, expected->from, size) == 0;
    }
    if (got->kind != expected->kind || (got->kind == WIRE_ARRAY && got->count != expected->count)) {
        return false;
    }
    for (uint32_t i = 0; i < expected->count; i++) {
        wire_value_t want, have;
        char key[128] = "";
        wire_next(expected, &at_expected, &want);
        if (got->kind == WIRE_ARRAY) {
            wire_next(got, &at_got, &have);
        } else if (slice_copy(want.bytes, key, sizeof key) && want.kind == WIRE_STR) {
            wire_next(expected, &at_expected, &want);
            if (!wire_find(got, key, &have)) {
                return false;
            }
        } else { /* a key of odd bytes: those of pairs_raw are compared as they are */
            return got->after - got->from == expected->after - expected->from &&
                   memcmp(got->from, expected->from, (size_t) (got->after - got->from)) == 0;
        }
        if (!holds(&have, &want)) {
            return false;
        }
    }
    return true;
}

static bool
is_kept(const blob_t *got, const blob_t *expected)
{
    wire_value_t got_root, expected_root;
    return wire_check(got->bytes, got->size, &got_root) == OK &&
           wire_check(expected->bytes, expected->size, &expected_root) == OK &&
           holds(&got_root, &expected_root);
}

static bool
decodes_to(const document_t *document, const blob_t *blob, const void *expected)
{
    static _Alignas(8) uint8_t memory[4 * DOCUMENT_BYTES];
    wire_value_t root;
    draft_t draft;
    const void *record;
    const char *field = "";
    draft_over(&draft, memory, sizeof memory);
    return wire_check(blob->bytes, blob->size, &root) == OK &&
           record_decode(document->type, &root, &draft, &record, &field) == OK &&
           record_equal(document->type, record, expected);
}

static bool
judge(const char *directory, const document_t *document, bool write)
{
    static _Alignas(8) uint8_t memory[4 * DOCUMENT_BYTES];
    static blob_t got, expected;
    draft_t draft;
    draft_over(&draft, memory, sizeof memory);
    const void *record = document->make(&draft);
    if (draft.full || record_check(document->type, record, draft.size) != OK ||
        !encode(document, record, &got)) {
        printf("# %s: the record is not sound\n", document->name);
        return false;
    }
    if (write) {
        return write_document(directory, document, &got);
    }
    if (!read_document(directory, document, &expected)) {
        return false;
    }
    bool same = is_kept(&got, &expected);
    if (!same) {
        print_json("expected", &expected);
        print_json("got     ", &got);
    }
    return same && decodes_to(document, &expected, record);
}

int
main(int count, char **arguments)
{
    bool write = count == 3 && strcmp(arguments[1], "--write") == 0;
    if (count != 2 && !write) {
        fputs("usage: golden [--write] DIR\n", stderr);
        return 2;
    }
    bool all = true;
    size_t documents_count = sizeof documents / sizeof documents[0];
    printf("1..%zu\n", documents_count);
    for (size_t i = 0; i < documents_count; i++) {
        bool good = judge(arguments[count - 1], &documents[i], write);
        printf("%s %zu - the wire form of %s is that of version 1\n", good ? "ok" : "not ok", i + 1,
               documents[i].name);
        all = all && good;
    }
    return all ? 0 : 1;
}
