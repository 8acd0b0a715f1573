/* yard.h - a temporary directory with a source, a store and points on the real disk, for tests.
 *
 * Shape    yard_begin makes it (as root, or as an unprivileged user when asked), yard_end removes
 *          it. Paths are below yard.path.
 * Threads  one; each test has a process of its own.
 */
#pragma once

#include <criterion/criterion.h>
#include "actors/content/place.h"
#include "actors/content/removal.h"
#include "actors/content/snapshot.h"
#include "actors/content/store_inner.h"
#include "actors/content/verify.h"
#include "runtime/world_os.h"

typedef enum user { AS_STARTED, UNPRIVILEGED } user_t;

typedef struct yard {
    world_os_t os;
    world_t *world;
    char path[64];
    char source[80], data[80], root[80];
    store_t *store;
    point_identity_t identity;
    point_t point;
    place_order_t order;
    snapshot_t snapshot;
    fault_t fault;
} yard_t;

/* With an empty source, an open store and one claimed and opened point. */
void yard_begin(yard_t *yard, user_t user);
void yard_end(yard_t *yard);
void yard_reopen(yard_t *yard); /* its store: what was not committed is gone */

/* A claim that holds as root and as an unprivileged user: its body has `user`, for yard_begin. */
#define CLAIM_OF_BOTH(suite, name)                                                                 \
    static void suite##_##name(user_t user);                                                       \
    Test(suite, name)                                                                              \
    {                                                                                              \
        suite##_##name(AS_STARTED);                                                                \
    }                                                                                              \
    Test(suite, name##_without_privileges)                                                         \
    {                                                                                              \
        suite##_##name(UNPRIVILEGED);                                                              \
    }                                                                                              \
    static void suite##_##name(user_t user)

/* A path below the yard, in a buffer of the yard's that the fourth next call uses again. */
const char *yard_path(yard_t *yard, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Writes a file below the yard, and puts it into the store. */
store_put_t yard_put_file(yard_t *yard, const char *name, const void *bytes, size_t size);
digest_t yard_put_bytes(yard_t *yard, const void *bytes, size_t size); /* into the store alone */
/* Where the record of this object lies, which must be there. */
run_entry_t yard_place_of(yard_t *yard, const digest_t *digest);
/* These bytes of its record turn into others, from an offset in it on; its store is opened anew. */
void yard_rot(yard_t *yard, const digest_t *digest, uint64_t at, size_t count);
void make_file(const char *path, const char *text, unsigned mode);
void make_directory(const char *path, unsigned mode);
void make_symlink(const char *text, const char *path);
/* A small tree with every kind and with odd modes, names and times. */
void make_tree(yard_t *yard);
/* Runs a shell command; fails the test when it fails. */
void run(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* The same bytes for the same seed, in every release; the caller frees them. */
uint8_t *bytes_of_seed(size_t size, uint64_t seed);
bool exists(const char *path); /* links are not followed */
/* Whether the two trees are equal in names, kinds, modes, mtimes, link texts and bytes. */
bool same_tree(const char *a, const char *b);

/* Snapshot of the source as the next epoch; the order then asks for it. */
void take(yard_t *yard);
err_t place(yard_t *yard, place_result_t *ret_result);
/* Places and expects OK. */
place_result_t placed(yard_t *yard);
/* Withdraws the package and expects that nothing of it stays. */
void remove_all(yard_t *yard);
/* Verifies and expects OK; the result is to be released. */
verify_result_t looked(yard_t *yard);
/* Verifies and tells whether it is whole. */
bool verified(yard_t *yard);

#define EXPECT_OK(yard, call)                                                                      \
    do {                                                                                           \
        err_t expect_ = (call);                                                                    \
        char text_[900] = "";                                                                      \
        cr_expect(expect_ == OK, "%s: got %s (%s), expected ok", #call, err_word(expect_),         \
                  fault_text(&(yard)->fault, text_, sizeof text_));                                \
    } while (0)
#define EXPECT_ERR(yard, expected, call)                                                           \
    do {                                                                                           \
        err_t expect_ = (call);                                                                    \
        cr_expect(expect_ == (expected), "%s: got %s, expected %s", #call, err_word(expect_),      \
                  err_word(expected));                                                             \
    } while (0)
#define EXPECT_SUBJECT(yard, text)                                                                 \
    cr_expect(strstr((yard)->fault.subject, (text)) != NULL, "subject: got '%s', expected '%s'",   \
              (yard)->fault.subject, (text))
#define EXPECT_COUNT(got, expected)                                                                \
    cr_expect((uint64_t) (got) == (uint64_t) (expected), "%s: got %llu, expected %llu", #got,      \
              (unsigned long long) (got), (unsigned long long) (expected))
