/* token.c - see token.h. */
#include "actors/content/token.h"

#include <stdio.h>
#include <string.h>

#include "actors/content/manifest.h"
#include "proto/messages.h"

#define PREFIX      "despool1."
#define CHECK_BYTES 4u
#define BYTES_MAX   ((TOKEN_BYTES_MAX - sizeof PREFIX) / 2)

typedef struct packed {
    uint8_t byte[BYTES_MAX];
    size_t size, at; /* written, read */
    bool bad;
} packed_t;

static void
put(packed_t *packed, const void *bytes, size_t size)
{
    if (size > sizeof packed->byte - packed->size) {
        packed->bad = true;
        return;
    }
    memcpy(packed->byte + packed->size, bytes, size);
    packed->size += size;
}

static void
get(packed_t *packed, void *bytes, size_t size)
{
    if (packed->bad || size > packed->size - packed->at) {
        packed->bad = true;
        return;
    }
    memcpy(bytes, packed->byte + packed->at, size);
    packed->at += size;
}

static void
put_text(packed_t *packed, const char *text)
{
    uint8_t size = (uint8_t) strlen(text);

    put(packed, &size, 1);
    put(packed, text, size);
}

/* A NUL inside would hide what follows it. */
static void
get_text(packed_t *packed, char *text, size_t room)
{
    uint8_t size = 0;

    get(packed, &size, 1);
    if (packed->bad || size == 0 || size >= room) {
        packed->bad = true;
        return;
    }
    get(packed, text, size);
    text[size] = '\0';
    packed->bad |= strlen(text) != size;
}

err_t
token_write(const token_t *token, char ret_text[TOKEN_BYTES_MAX])
{
    packed_t packed = {.size = 0};
    digest_t check;

    put(&packed, "\001", 1);
    put_text(&packed, token->address);
    put(&packed, token->site_key.byte, sizeof token->site_key.byte);
    put(&packed, token->secret.byte, sizeof token->secret.byte);
    put(&packed, token->site.byte, sizeof token->site.byte);
    put(&packed, token->incarnation.byte, sizeof token->incarnation.byte);
    put_text(&packed, token->name);
    TRY(manifest_digest(packed.byte, packed.size, &check));
    put(&packed, check.byte, CHECK_BYTES);
    if (packed.bad) {
        return ERR_TOO_LARGE;
    }
    memcpy(ret_text, PREFIX, sizeof PREFIX);
    hex_of_bytes(packed.byte, packed.size, ret_text + strlen(PREFIX));
    explicit_bzero(&packed, sizeof packed);
    return OK;
}

static void
get_all(packed_t *packed, token_t *token)
{
    uint8_t format = 0;

    get(packed, &format, 1);
    packed->bad |= format != 1;
    get_text(packed, token->address, sizeof token->address);
    get(packed, token->site_key.byte, sizeof token->site_key.byte);
    get(packed, token->secret.byte, sizeof token->secret.byte);
    get(packed, token->site.byte, sizeof token->site.byte);
    get(packed, token->incarnation.byte, sizeof token->incarnation.byte);
    get_text(packed, token->name, sizeof token->name);
    packed->bad |= packed->at != packed->size || !name_is_valid(slice_of(token->name));
}

err_t
token_read(const char *text, token_t *ret_token)
{
    packed_t packed = {.size = 0};
    token_t token = {.address = ""};
    digest_t check;
    size_t prefix = strlen(PREFIX), size = strlen(text);

    if (strncmp(text, PREFIX, prefix) != 0 || (size - prefix) % 2 != 0 ||
        (size - prefix) / 2 > BYTES_MAX || (size - prefix) / 2 < CHECK_BYTES) {
        return ERR_TOKEN;
    }
    packed.size = (size - prefix) / 2;
    if (!bytes_of_hex((slice_t){text + prefix, size - prefix}, packed.byte, packed.size)) {
        return ERR_TOKEN;
    }
    packed.size -= CHECK_BYTES;
    TRY(manifest_digest(packed.byte, packed.size, &check));
    bool whole = memcmp(check.byte, packed.byte + packed.size, CHECK_BYTES) == 0;
    get_all(&packed, &token);
    explicit_bzero(&packed, sizeof packed);
    if (!whole || packed.bad) {
        return ERR_TOKEN;
    }
    *ret_token = token;
    return OK;
}
