/* keys_test.c - claims about tokens, key files and signatures. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "actors/content/keys.h"
#include "actors/content/token.h"
#include "proto/messages.h"
#include "runtime/world_os.h"

/* ---- tokens ---- */

static token_t
a_token(void)
{
    token_t token = {.address = "tcp://192.0.2.1:7100", .name = "shop1"};

    memset(token.site_key.byte, 1, sizeof token.site_key.byte);
    memset(token.secret.byte, 2, sizeof token.secret.byte);
    memset(token.site.byte, 3, sizeof token.site.byte);
    memset(token.incarnation.byte, 4, sizeof token.incarnation.byte);
    return token;
}

Test(token, what_is_written_is_read_again)
{
    char text[TOKEN_BYTES_MAX];
    token_t token = a_token(), back = {.name = ""};

    cr_assert_eq(token_write(&token, text), OK);
    err_t err = token_read(text, &back);
    cr_assert_eq(err, OK, "expected ok, got %s", err_word(err));
    cr_expect_str_eq(back.address, token.address);
    cr_expect_str_eq(back.name, token.name);
    cr_expect_eq(memcmp(&back.secret, &token.secret, sizeof token.secret), 0);
    cr_expect_eq(memcmp(&back.site_key, &token.site_key, sizeof token.site_key), 0);
    cr_expect_eq(memcmp(&back.site, &token.site, sizeof token.site), 0);
    cr_expect_eq(memcmp(&back.incarnation, &token.incarnation, sizeof token.incarnation), 0);
}

Test(token, a_text_that_was_altered_anywhere_or_cut_is_refused)
{
    char text[TOKEN_BYTES_MAX];
    token_t token = a_token(), back;

    cr_assert_eq(token_write(&token, text), OK);
    size_t size = strlen(text);
    for (size_t at = 0; at < size; at++) {
        char kept = text[at];
        text[at] = kept == '0' ? '1' : '0';
        cr_expect_eq(token_read(text, &back), ERR_TOKEN, "altered at %zu of %zu", at, size);
        text[at] = '\0';
        cr_expect_eq(token_read(text, &back), ERR_TOKEN, "cut at %zu of %zu", at, size);
        text[at] = kept;
    }
}

/* ---- signatures ---- */

static signed_version_t
a_version(void)
{
    signed_version_t version = {.action = ACTION_INSTALL, .epoch = 7, .package = slice_of("P1")};

    memset(version.site.byte, 1, sizeof version.site.byte);
    memset(version.point.byte, 2, sizeof version.point.byte);
    memset(version.package_incarnation.byte, 3, sizeof version.package_incarnation.byte);
    memset(version.root.byte, 4, sizeof version.root.byte);
    return version;
}

typedef struct signer {
    secret_t secret;
    digest_t key;
} signer_t;

static signer_t
a_signer(int seed)
{
    signer_t signer;

    memset(signer.secret.byte, seed, sizeof signer.secret.byte);
    sign_signing_key(&signer.secret, &signer.key);
    return signer;
}

static void
expect_refused(const signer_t *signer, const signed_version_t *version, slice_t signature,
               const char *what)
{
    err_t err = sign_check(&signer->key, SIGN_ORDER, version, signature);

    cr_expect_eq(err, ERR_SIGNATURE, "with %s: expected signature, got %s", what, err_word(err));
}

Test(signature, it_holds_for_what_was_signed_and_for_nothing_else)
{
    signer_t site = a_signer(9), other = a_signer(8);
    signed_version_t version = a_version(), changed;
    uint8_t bytes[SIGN_BYTES];
    slice_t signature = {(const char *) bytes, sizeof bytes};

    sign_version(&site.secret, SIGN_ORDER, &version, bytes);
    cr_expect_eq(sign_check(&site.key, SIGN_ORDER, &version, signature), OK);
    cr_expect_eq(sign_check(&site.key, SIGN_RECEIPT, &version, signature), ERR_SIGNATURE);
    expect_refused(&other, &version, signature, "another key");
    changed = version, changed.site.byte[15] ^= 1;
    expect_refused(&site, &changed, signature, "another site");
    changed = version, changed.point.byte[0] ^= 1;
    expect_refused(&site, &changed, signature, "another point");
    changed = version, changed.action = ACTION_REMOVE;
    expect_refused(&site, &changed, signature, "another action");
    changed = version, changed.epoch++;
    expect_refused(&site, &changed, signature, "another epoch");
    changed = version, changed.root.byte[31] ^= 1;
    expect_refused(&site, &changed, signature, "another root");
    changed = version, changed.package = slice_of("P2");
    expect_refused(&site, &changed, signature, "another package");
    changed = version, changed.package_incarnation.byte[7] ^= 1;
    expect_refused(&site, &changed, signature, "another incarnation");
    expect_refused(&site, &version, (slice_t){"", 0}, "no signature");
    bytes[63] ^= 1;
    expect_refused(&site, &version, signature, "an altered signature");
}

/* ---- key files ---- */

static char data[64];
static world_os_t os;

static void
make_data(void)
{
    snprintf(data, sizeof data, "/tmp/keys-test-XXXXXX");
    cr_assert_not_null(mkdtemp(data));
    world_os_init(&os, NULL);
}

static const char *
key_path(const char *name)
{
    static char path[128];

    snprintf(path, sizeof path, "%s/keys/%s", data, name);
    return path;
}

static const char *
mark_path(void)
{
    static char path[128];

    snprintf(path, sizeof path, "%s/keys.made", data);
    return path;
}

static void
remove_data(void)
{
    unlink(mark_path());
    unlink(key_path("transport"));
    unlink(key_path("signing"));
    rmdir(key_path(""));
    rmdir(data);
}

Test(keys, they_are_made_once_and_are_their_owners_alone, .init = make_data, .fini = remove_data)
{
    keys_t made, read;
    fault_t fault;
    struct stat stat_of;

    umask(0);
    cr_assert_eq(keys_open(&os.world, data, &made, &fault), OK);
    cr_assert_eq(stat(key_path("transport"), &stat_of), 0);
    cr_expect_eq(stat_of.st_mode & 0777, 0600, "expected 0600, got %o", stat_of.st_mode & 0777u);
    cr_assert_eq(keys_open(&os.world, data, &read, &fault), OK);
    cr_expect_eq(memcmp(&made, &read, sizeof made), 0, "the second opening has other keys");
    cr_expect_neq(memcmp(&made.transport, &made.signing, sizeof made.transport), 0);
}

Test(keys, one_that_others_may_read_is_refused, .init = make_data, .fini = remove_data)
{
    keys_t keys;
    fault_t fault;

    cr_assert_eq(keys_open(&os.world, data, &keys, &fault), OK);
    cr_assert_eq(chmod(key_path("signing"), 0640), 0);
    err_t err = keys_open(&os.world, data, &keys, &fault);
    cr_expect_eq(err, ERR_KEY_MODE, "expected key-mode, got %s", err_word(err));
    cr_assert_eq(chmod(key_path("signing"), 0602), 0);
    err = keys_open(&os.world, data, &keys, &fault);
    cr_expect_eq(err, ERR_KEY_MODE, "expected key-mode, got %s", err_word(err));
}

Test(keys, one_that_was_cut_is_refused, .init = make_data, .fini = remove_data)
{
    keys_t keys;
    fault_t fault;

    cr_assert_eq(keys_open(&os.world, data, &keys, &fault), OK);
    cr_assert_eq(truncate(key_path("transport"), 40), 0);
    err_t err = keys_open(&os.world, data, &keys, &fault);
    cr_expect_eq(err, ERR_DAMAGED, "expected damaged, got %s", err_word(err));
}

static void
expect_lost(const char *what)
{
    keys_t keys;
    fault_t fault;
    struct stat stat_of;
    err_t err = keys_open(&os.world, data, &keys, &fault);

    cr_expect_eq(err, ERR_KEYS_LOST, "%s: expected keys-lost, got %s", what, err_word(err));
    cr_expect_neq(stat(key_path("signing"), &stat_of), 0, "%s: a key was made anew", what);
}

Test(keys, those_that_vanished_are_not_made_anew, .init = make_data, .fini = remove_data)
{
    keys_t keys;
    fault_t fault;

    cr_assert_eq(keys_open(&os.world, data, &keys, &fault), OK);
    cr_assert_eq(unlink(key_path("signing")), 0);
    expect_lost("one is gone");
    cr_assert_eq(unlink(key_path("transport")), 0);
    expect_lost("both are gone");
    cr_assert_eq(rmdir(key_path("")), 0);
    expect_lost("their directory is gone");
    cr_assert_eq(unlink(mark_path()), 0);
    cr_expect_eq(keys_open(&os.world, data, &keys, &fault), OK, "who wants new ones gets none");
}

Test(keys, those_of_a_first_start_that_was_cut_are_made_whole, .init = make_data,
     .fini = remove_data)
{
    keys_t made, keys;
    fault_t fault;

    cr_assert_eq(keys_open(&os.world, data, &made, &fault), OK);
    cr_assert_eq(unlink(mark_path()), 0);
    cr_assert_eq(unlink(key_path("signing")), 0);
    cr_assert_eq(keys_open(&os.world, data, &keys, &fault), OK);
    cr_expect_eq(memcmp(&keys.transport, &made.transport, sizeof keys.transport), 0,
                 "a key that was there is another one now");
}

Test(keys, others_in_their_place_are_refused, .init = make_data, .fini = remove_data)
{
    keys_t keys;
    fault_t fault;
    char kept[140];

    cr_assert_eq(keys_open(&os.world, data, &keys, &fault), OK);
    snprintf(kept, sizeof kept, "%s.kept", mark_path());
    cr_assert_eq(rename(mark_path(), kept), 0);
    cr_assert_eq(unlink(key_path("signing")), 0);
    cr_assert_eq(keys_open(&os.world, data, &keys, &fault), OK);
    cr_assert_eq(rename(kept, mark_path()), 0);
    err_t err = keys_open(&os.world, data, &keys, &fault);
    cr_expect_eq(err, ERR_KEYS_LOST, "expected keys-lost, got %s", err_word(err));
}
