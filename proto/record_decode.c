/* record_decode.c - one msgpack map as a record; see record.h.
 *
 * A map is walked twice: first its keys alone, so that unknown, doubled and missing ones are
 * refused before anything is copied and it is known which fields are carried raw; then its values.
 */
#include <assert.h>

#include "proto/limits.h"
#include "proto/record_inside.h"
#include "proto/show.h"
#include "proto/wire.h"
#include "proto/wire_time.h"

typedef struct decoding {
    draft_t *draft;
    const char *at_fault; /* name of the field at fault */
} decoding_t;

/* The keys of one map: a bit per field of its type. */
typedef struct keys {
    uint64_t plain, raw;
} keys_t;

#define RAW_SUFFIX      "_raw"
#define RAW_SUFFIX_SIZE (sizeof RAW_SUFFIX - 1)

static err_t decode_fields(decoding_t *d, const record_type_t *type, const wire_value_t *map,
                           void *fixed);

/* ---- texts and lists ---- */

static bool
is_bytes(const wire_value_t *value)
{
    return value->kind == WIRE_STR || value->kind == WIRE_BIN;
}

static err_t
decode_text(decoding_t *d, const wire_value_t *value, uint32_t bound, text_t *ret)
{
    if (!is_bytes(value)) {
        return ERR_WRONG_TYPE;
    }
    if (value->bytes.size > bound) {
        return ERR_TOO_LARGE;
    }
    *ret = draft_text(d->draft, value->bytes);
    return d->draft->full ? ERR_TOO_LARGE : OK;
}

/* An already encoded value is taken as it is, whatever its kind. */
static err_t
decode_raw(decoding_t *d, const wire_value_t *value, uint32_t bound, text_t *ret)
{
    wire_value_t bytes = {.kind = WIRE_BIN};
    bytes.bytes = (slice_t){(const char *) value->from, (size_t) (value->after - value->from)};
    return decode_text(d, &bytes, bound, ret);
}

/* Room for the items of a list or the pairs of a map, its count held against the bound first. */
static err_t
decode_room(decoding_t *d, const record_field_t *field, const wire_value_t *value, wire_kind_t kind,
            rows_t *ret)
{
    if (value->kind != kind) {
        return ERR_WRONG_TYPE;
    }
    if (value->count > field->bound) {
        return ERR_TOO_LARGE;
    }
    *ret = draft_rows(d->draft, value->count, record_row_type(field)->fixed_bytes);
    return d->draft->full ? ERR_TOO_LARGE : OK;
}

static err_t
decode_texts(decoding_t *d, const record_field_t *field, const wire_value_t *list, rows_t *ret)
{
    TRY(decode_room(d, field, list, WIRE_ARRAY, ret));
    const uint8_t *at = list->body;
    for (uint32_t i = 0; i < list->count; i++) {
        wire_value_t item;
        wire_next(list, &at, &item);
        text_t text = {0, 0};
        if (item.kind != WIRE_NIL) {
            TRY(decode_text(d, &item, UINT32_MAX, &text));
        }
        text_t *row = draft_row(d->draft, *ret, i, sizeof *row);
        assert(row != NULL);
        *row = text;
    }
    return OK;
}

static bool
has_pair(const draft_t *draft, rows_t rows, uint32_t count, slice_t name)
{
    for (uint32_t i = 0; i < count; i++) {
        if (slice_equal(record_slice(draft->base, ROW(draft->base, rows, i, pair_t)->name), name)) {
            return true;
        }
    }
    return false;
}

static err_t
decode_pairs(decoding_t *d, const record_field_t *field, const wire_value_t *map, rows_t *ret)
{
    TRY(decode_room(d, field, map, WIRE_MAP, ret));
    const uint8_t *at = map->body;
    for (uint32_t i = 0; i < map->count; i++) {
        wire_value_t name, value;
        wire_next(map, &at, &name);
        wire_next(map, &at, &value);
        if (is_bytes(&name) && has_pair(d->draft, *ret, i, name.bytes)) {
            return ERR_BAD_REQUEST;
        }
        pair_t pair;
        TRY(decode_text(d, &name, UINT32_MAX, &pair.name));
        TRY(decode_text(d, &value, UINT32_MAX, &pair.value));
        pair_t *row = draft_row(d->draft, *ret, i, sizeof *row);
        assert(row != NULL);
        *row = pair;
    }
    return OK;
}

static err_t
decode_row(decoding_t *d, const record_field_t *field, const wire_value_t *map, rows_t rows,
           uint32_t row)
{
    void *fixed = draft_row(d->draft, rows, row, field->type->fixed_bytes);
    assert(fixed != NULL);
    return decode_fields(d, field->type, map, fixed);
}

static err_t
decode_rows(decoding_t *d, const record_field_t *field, const wire_value_t *list, rows_t *ret)
{
    TRY(decode_room(d, field, list, WIRE_ARRAY, ret));
    const uint8_t *at = list->body;
    for (uint32_t i = 0; i < list->count; i++) {
        wire_value_t item;
        wire_next(list, &at, &item);
        TRY(decode_row(d, field, &item, *ret, i));
    }
    return OK;
}

static err_t
decode_maybe(decoding_t *d, const record_field_t *field, const wire_value_t *map, rows_t *ret)
{
    *ret = draft_rows(d->draft, 1, field->type->fixed_bytes);
    return d->draft->full ? ERR_TOO_LARGE : decode_row(d, field, map, *ret, 0);
}

static err_t
decode_list(decoding_t *d, const record_field_t *field, const wire_value_t *value, void *fixed)
{
    rows_t rows = {0, 0};
    switch (field->kind) {
    case RECORD_texts:
        TRY(decode_texts(d, field, value, &rows));
        break;
    case RECORD_pairs:
        TRY(decode_pairs(d, field, value, &rows));
        break;
    case RECORD_rows:
        TRY(decode_rows(d, field, value, &rows));
        break;
    default:
        TRY(decode_maybe(d, field, value, &rows));
        break;
    }
    store_rows(fixed, field, rows);
    return OK;
}

static err_t
decode_bytes(decoding_t *d, const record_field_t *field, const wire_value_t *value, void *fixed)
{
    text_t text = {0, 0};
    if (field->kind == RECORD_raw) {
        TRY(decode_raw(d, value, field->bound, &text));
    } else {
        TRY(decode_text(d, value, field->bound, &text));
    }
    store_text(fixed, field, text);
    return OK;
}

/* ---- numbers, words, ids ---- */

static err_t
decode_unsigned(const record_field_t *field, const wire_value_t *value, void *fixed)
{
    uint64_t most = field->kind == RECORD_u32 ? UINT32_MAX : UINT64_MAX;
    if (value->kind != WIRE_UINT && value->kind != WIRE_INT) {
        return ERR_WRONG_TYPE;
    }
    if (value->kind == WIRE_INT || value->uint > most ||
        (field->kind == RECORD_count && value->uint == RECORD_NONE)) {
        return ERR_BAD_VALUE;
    }
    if (field->kind == RECORD_u32) {
        store_u32(fixed, field, (uint32_t) value->uint);
    } else {
        store_u64(fixed, field, value->uint);
    }
    return OK;
}

static err_t
decode_signed(const record_field_t *field, const wire_value_t *value, void *fixed)
{
    if (value->kind == WIRE_INT) {
        store_i64(fixed, field, value->sint);
        return OK;
    }
    if (value->kind != WIRE_UINT) {
        return ERR_WRONG_TYPE;
    }
    if (value->uint > INT64_MAX) {
        return ERR_BAD_VALUE;
    }
    store_i64(fixed, field, (int64_t) value->uint);
    return OK;
}

static err_t
decode_time(const record_field_t *field, const wire_value_t *value, void *fixed)
{
    int64_t wall_ns;
    if (value->kind != WIRE_STR) {
        return decode_signed(field, value, fixed);
    }
    if (!wire_time_of_text(value->bytes, &wall_ns)) {
        return ERR_BAD_VALUE;
    }
    store_i64(fixed, field, wall_ns);
    return OK;
}

static err_t
decode_word(const record_field_t *field, const wire_value_t *value, void *fixed)
{
    if (value->kind != WIRE_STR) {
        return ERR_WRONG_TYPE;
    }
    for (uint32_t i = 0; i < field->words->count; i++) {
        if (slice_equal(value->bytes, slice_of(field->words->word[i]))) {
            store_u32(fixed, field, i);
            return OK;
        }
    }
    return ERR_BAD_VALUE;
}

static err_t
decode_hex(const record_field_t *field, const wire_value_t *value, void *fixed)
{
    size_t count = field->kind == RECORD_digest ? sizeof(digest_t) : sizeof(id128_t);
    if (value->kind != WIRE_STR) {
        return ERR_WRONG_TYPE;
    }
    uint8_t *to = (uint8_t *) fixed + field->offset;
    return bytes_of_hex(value->bytes, to, count) ? OK : ERR_BAD_VALUE;
}

static err_t
decode_flag(const record_field_t *field, const wire_value_t *value, void *fixed)
{
    if (value->kind != WIRE_BOOL) {
        return ERR_WRONG_TYPE;
    }
    store_u8(fixed, field, value->boolean);
    return OK;
}

/* ---- maps ---- */

static err_t
decode_value(decoding_t *d, const record_field_t *field, const wire_value_t *value, void *fixed)
{
    switch (field->kind) {
    case RECORD_flag:
        return decode_flag(field, value, fixed);
    case RECORD_u32:
    case RECORD_u64:
    case RECORD_count:
        return decode_unsigned(field, value, fixed);
    case RECORD_i64:
        return decode_signed(field, value, fixed);
    case RECORD_time:
        return decode_time(field, value, fixed);
    case RECORD_word:
        return decode_word(field, value, fixed);
    case RECORD_digest:
    case RECORD_id128:
        return decode_hex(field, value, fixed);
    case RECORD_text:
    case RECORD_bytes:
    case RECORD_raw:
        return decode_bytes(d, field, value, fixed);
    default:
        return decode_list(d, field, value, fixed);
    }
}

/* Whether nil is a value of this kind of field, and not only its absence. */
static bool
has_null(record_kind_t kind)
{
    return kind == RECORD_count || kind == RECORD_time || kind == RECORD_digest ||
           kind == RECORD_id128 || kind == RECORD_maybe || kind == RECORD_raw;
}

static err_t
decode_field(decoding_t *d, const record_field_t *field, const wire_value_t *value, void *fixed)
{
    if (value->kind != WIRE_NIL) {
        return decode_value(d, field, value, fixed);
    }
    return field->need == OPTIONAL || has_null(field->kind) ? OK : ERR_MISSING_ARGUMENT;
}

static bool
may_be_raw(record_kind_t kind)
{
    return kind == RECORD_text || kind == RECORD_texts || kind == RECORD_pairs;
}

static bool
is_raw_name(slice_t key, const char *name)
{
    size_t size = strlen(name);
    return key.size == size + RAW_SUFFIX_SIZE && memcmp(key.data, name, size) == 0 &&
           memcmp(key.data + size, RAW_SUFFIX, RAW_SUFFIX_SIZE) == 0;
}

/* The field that a key names, or NULL. A field of that very name goes before a raw form. */
static const record_field_t *
field_of_key(const record_type_t *type, slice_t key, bool *ret_raw)
{
    const record_field_t *raw_of = NULL;
    for (uint32_t i = 0; i < type->field_count; i++) {
        const record_field_t *field = &type->field[i];
        if (field->need == INTERNAL) {
            continue;
        }
        if (slice_equal(key, slice_of(field->name))) {
            *ret_raw = false;
            return field;
        }
        if (may_be_raw(field->kind) && is_raw_name(key, field->name)) {
            raw_of = field;
        }
    }
    *ret_raw = true;
    return raw_of;
}

/* Shows an unknown key in the draft's memory, which holds nothing that is still wanted. */
static const char *
shown_key(const draft_t *draft, slice_t key)
{
    sheet_t sheet;
    uint32_t most = NAME_BYTES_MAX + 1;
    if (draft->capacity == 0) {
        return "";
    }
    sheet_over(&sheet, (char *) draft->base, draft->capacity < most ? draft->capacity : most);
    sheet_show_line(&sheet, key.data, key.size);
    return sheet.text;
}

static uint64_t
bit_of(const record_type_t *type, const record_field_t *field)
{
    return UINT64_C(1) << (field - type->field);
}

static err_t
note_key(decoding_t *d, const record_type_t *type, slice_t key, keys_t *keys)
{
    bool is_raw;
    const record_field_t *field = field_of_key(type, key, &is_raw);
    if (field == NULL) {
        d->at_fault = shown_key(d->draft, key);
        return ERR_UNKNOWN_ARGUMENT;
    }
    uint64_t *seen = is_raw ? &keys->raw : &keys->plain;
    if (*seen & bit_of(type, field)) {
        d->at_fault = field->name;
        return ERR_BAD_REQUEST;
    }
    *seen |= bit_of(type, field);
    return OK;
}

static err_t
read_keys(decoding_t *d, const record_type_t *type, const wire_value_t *map, keys_t *keys)
{
    const uint8_t *at = map->body;
    for (uint32_t i = 0; i < map->count; i++) {
        wire_value_t key, value;
        wire_next(map, &at, &key);
        wire_next(map, &at, &value);
        if (key.kind != WIRE_STR) {
            d->at_fault = type->name;
            return ERR_BAD_REQUEST;
        }
        TRY(note_key(d, type, key.bytes, keys));
    }
    return OK;
}

/* What a field is that no key names: zero, or null where that is another value; and whether a field
 * that must be there is. */
static err_t
begin_fields(decoding_t *d, const record_type_t *type, const keys_t *keys, void *fixed)
{
    for (uint32_t i = 0; i < type->field_count; i++) {
        const record_field_t *field = &type->field[i];
        if (field->kind == RECORD_count) {
            store_u64(fixed, field, RECORD_NONE);
        }
        if (field->need == REQUIRED && !((keys->plain | keys->raw) & bit_of(type, field))) {
            d->at_fault = field->name;
            return ERR_MISSING_ARGUMENT;
        }
    }
    return OK;
}

static err_t
decode_fields(decoding_t *d, const record_type_t *type, const wire_value_t *map, void *fixed)
{
    assert(type->field_count <= RECORD_FIELDS_MAX);
    keys_t keys = {0, 0};
    if (map->kind != WIRE_MAP) {
        return ERR_WRONG_TYPE;
    }
    TRY(read_keys(d, type, map, &keys));
    TRY(begin_fields(d, type, &keys, fixed));
    const uint8_t *at = map->body;
    for (uint32_t i = 0; i < map->count; i++) {
        wire_value_t key, value;
        bool is_raw;
        wire_next(map, &at, &key);
        wire_next(map, &at, &value);
        const record_field_t *field = field_of_key(type, key.bytes, &is_raw);
        if (!is_raw && (keys.raw & bit_of(type, field))) {
            continue; /* the shown form of what is carried raw */
        }
        err_t err = decode_field(d, field, &value, fixed);
        if (err != OK) {
            d->at_fault = d->at_fault == NULL ? field->name : d->at_fault;
            return err;
        }
    }
    return OK;
}

err_t
record_decode(const record_type_t *type, const wire_value_t *map, draft_t *draft,
              const void **ret_record, const char **ret_field)
{
    decoding_t d = {.draft = draft};
    void *fixed = draft_begin(draft, type);
    err_t err = decode_fields(&d, type, map, fixed);
    if (err == OK) {
        *ret_record = fixed;
    } else if (ret_field != NULL) {
        *ret_field = d.at_fault == NULL ? type->name : d.at_fault;
    }
    return err;
}
