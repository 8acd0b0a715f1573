/* sign.c - the one file that knows libsodium; see sign.h. */
#include "actors/content/sign.h"

#include <assert.h>
#include <sodium.h>
#include <string.h>

#include "proto/limits.h"

_Static_assert(crypto_sign_BYTES == SIGN_BYTES && crypto_sign_SEEDBYTES == sizeof(secret_t) &&
                   crypto_sign_PUBLICKEYBYTES == sizeof(digest_t) &&
                   crypto_scalarmult_BYTES == sizeof(digest_t),
               "keys are 32 bytes and signatures 64");

#define SIGNED_BYTES_MAX (32 + 16 + 16 + 4 + 16 + 8 + 32 + 2 + NAME_BYTES_MAX)

typedef struct signed_text {
    uint8_t byte[SIGNED_BYTES_MAX];
    size_t size;
} signed_text_t;

static void
put(signed_text_t *text, const void *bytes, size_t size)
{
    assert(size <= sizeof text->byte - text->size);
    memcpy(text->byte + text->size, bytes, size);
    text->size += size;
}

static void
put_number(signed_text_t *text, uint64_t number, size_t bytes)
{
    for (size_t i = bytes; i > 0; i--) {
        uint8_t byte = (uint8_t) (number >> (8 * (i - 1)));
        put(text, &byte, 1);
    }
}

/* False: the name is longer than any. */
static bool
text_of(sign_purpose_t purpose, const signed_version_t *version, signed_text_t *text)
{
    static const char *const words[] = {
        [SIGN_ORDER] = "despool/order/1",     [SIGN_RECEIPT] = "despool/receipt/1",
        [SIGN_REMOVED] = "despool/removed/1", [SIGN_ADDRESS] = "despool/address/1",
        [SIGN_BEACON] = "despool/beacon/1",   [SIGN_TICKET] = "despool/ticket/1",
        [SIGN_PARCEL] = "despool/parcel/1",
    };

    text->size = 0;
    if (version->package.size > NAME_BYTES_MAX) {
        return false;
    }
    put(text, words[purpose], strlen(words[purpose]) + 1);
    put(text, version->site.byte, sizeof version->site.byte);
    put(text, version->point.byte, sizeof version->point.byte);
    put_number(text, version->action, 4);
    put(text, version->package_incarnation.byte, sizeof version->package_incarnation.byte);
    put_number(text, version->epoch, 8);
    put(text, version->root.byte, sizeof version->root.byte);
    put_number(text, version->package.size, 2);
    put(text, version->package.data, version->package.size);
    return true;
}

void
sign_transport_key(const secret_t *secret, digest_t *ret_public)
{
    int failed = crypto_scalarmult_base(ret_public->byte, secret->byte);
    assert(failed == 0 && "every secret has a public half");
}

void
sign_signing_key(const secret_t *secret, digest_t *ret_public)
{
    uint8_t whole[crypto_sign_SECRETKEYBYTES];

    crypto_sign_seed_keypair(ret_public->byte, whole, secret->byte);
    explicit_bzero(whole, sizeof whole);
}

void
sign_version(const secret_t *signing, sign_purpose_t purpose, const signed_version_t *version,
             uint8_t ret_signature[SIGN_BYTES])
{
    uint8_t whole[crypto_sign_SECRETKEYBYTES], public_half[crypto_sign_PUBLICKEYBYTES];
    signed_text_t text;
    bool fits = text_of(purpose, version, &text);

    assert(fits && "a name that was checked before");
    crypto_sign_seed_keypair(public_half, whole, signing->byte);
    crypto_sign_detached(ret_signature, NULL, text.byte, text.size, whole);
    explicit_bzero(whole, sizeof whole);
}

err_t
sign_check(const digest_t *signing_key, sign_purpose_t purpose, const signed_version_t *version,
           slice_t signature)
{
    signed_text_t text;

    if (signature.size != SIGN_BYTES || !text_of(purpose, version, &text)) {
        return ERR_SIGNATURE;
    }
    int failed = crypto_sign_verify_detached((const uint8_t *) signature.data, text.byte, text.size,
                                             signing_key->byte);
    return failed == 0 ? OK : ERR_SIGNATURE;
}
