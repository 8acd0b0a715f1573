/* parcel_test.c - claims about a version in one file, and about what may become of that. */
#include "yard.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "actors/content/parcel.h"

/* A site's store with a version, its parcel, and an agent's store. */
typedef struct carried {
    yard_t yard;
    store_t *agent;
    char path[400], data[400];
    secret_t signing;
    digest_t key;
    parcel_about_t about;
    uint8_t *bytes;
    size_t size;
} carried_t;

static void
begin(carried_t *carried)
{
    parcel_result_t result;
    char store[440];
    struct stat stat_of;
    yard_t *yard = &carried->yard;
    yard_begin(yard, AS_STARTED);
    make_tree(yard);
    run("head -c 700000 /dev/urandom > %s", yard_path(yard, "source/large"));
    take(yard);
    carried->agent = NULL;
    carried->about = (parcel_about_t){.epoch = 7, .root = yard->snapshot.root, .package = "P1"};
    memset(carried->signing.byte, 7, sizeof carried->signing.byte);
    sign_signing_key(&carried->signing, &carried->key);
    snprintf(carried->path, sizeof carried->path, "%s", yard_path(yard, "one.parcel"));
    snprintf(carried->data, sizeof carried->data, "%s", yard_path(yard, "agent"));
    snprintf(store, sizeof store, "%s/store", carried->data);
    run("mkdir %s", carried->data);
    EXPECT_OK(yard, store_open(yard->world, store, &carried->agent, &yard->fault));
    EXPECT_OK(yard, parcel_write(yard->world, yard->store, &carried->about, &carried->signing,
                                 carried->path, NULL, NULL, &result, &yard->fault));
    int fd = open(carried->path, O_RDONLY | O_CLOEXEC);
    cr_assert_eq(fstat(fd, &stat_of), 0);
    carried->size = (size_t) stat_of.st_size;
    carried->bytes = malloc(carried->size + 1);
    cr_assert_eq(read(fd, carried->bytes, carried->size), (ssize_t) carried->size);
    close(fd);
    cr_assert_eq(result.bytes, carried->size);
}

static void
end(carried_t *carried)
{
    store_close(&carried->agent);
    free(carried->bytes);
    yard_end(&carried->yard);
}

static err_t
taken(carried_t *carried)
{
    parcel_about_t about;
    parcel_result_t result;
    return parcel_take(carried->yard.world, carried->agent, carried->path, &carried->about.site,
                       &carried->key, &about, &result, &carried->yard.fault);
}

static err_t
taken_as(carried_t *carried, size_t size)
{
    int fd = open(carried->path, O_WRONLY | O_TRUNC | O_CLOEXEC);
    cr_assert_eq(write(fd, carried->bytes, size), (ssize_t) size);
    close(fd);
    return taken(carried);
}

static bool
agent_has(carried_t *carried, const digest_t *digest)
{
    bool has = false;
    EXPECT_OK(&carried->yard, store_has(carried->agent, digest, &has, &carried->yard.fault));
    return has;
}

Test(parcel, q206835_one_that_was_cut_anywhere_is_refused_and_nothing_is_put)
{
    carried_t carried;
    begin(&carried);
    for (size_t size = 0; size < carried.size; size += size < 3000 ? 8 : 7919) {
        EXPECT_ERR(&carried.yard, ERR_NO_PARCEL, taken_as(&carried, size));
    }
    EXPECT_ERR(&carried.yard, ERR_NO_PARCEL, taken_as(&carried, carried.size - 1));
    EXPECT_COUNT(store_appended(carried.agent), 0);
    EXPECT_OK(&carried.yard, taken_as(&carried, carried.size));
    cr_expect(agent_has(&carried, &carried.about.root));
    end(&carried);
}

Test(parcel, q206835_one_of_which_a_bit_turned_anywhere_is_refused_and_nothing_is_put)
{
    carried_t carried;
    begin(&carried);
    for (size_t at = 0; at < carried.size; at += at < 600 ? 3 : 6007) {
        carried.bytes[at] ^= 16;
        err_t err = taken_as(&carried, carried.size);
        cr_assert_eq(err, ERR_NO_PARCEL, "a bit at %zu: %s", at, err_word(err));
        carried.bytes[at] ^= 16;
    }
    EXPECT_COUNT(store_appended(carried.agent), 0);
    end(&carried);
}

Test(parcel, of_another_site_or_signed_by_another_key_is_refused)
{
    carried_t carried;
    begin(&carried);
    carried.about.site.byte[0] ^= 1;
    EXPECT_ERR(&carried.yard, ERR_SIGNATURE, taken(&carried));
    carried.about.site.byte[0] ^= 1;
    carried.key.byte[0] ^= 1;
    EXPECT_ERR(&carried.yard, ERR_SIGNATURE, taken(&carried));
    EXPECT_COUNT(store_appended(carried.agent), 0);
    end(&carried);
}

Test(parcel, brings_all_that_its_version_needs_and_twice_is_once)
{
    carried_t carried;
    begin(&carried);
    EXPECT_OK(&carried.yard, taken(&carried));
    uint64_t once = store_appended(carried.agent);
    EXPECT_OK(&carried.yard, taken(&carried));
    EXPECT_COUNT(store_appended(carried.agent), once);
    store_t *site = carried.yard.store;
    carried.yard.store = carried.agent;
    placed(&carried.yard);
    cr_expect(same_tree(carried.yard.source, yard_path(&carried.yard, "root/P1/current")));
    carried.yard.store = site;
    end(&carried);
}

/* The text and the hint are those of a path, not of a point; what is there stays. */
Test(parcel, is_written_where_nothing_is_in_a_directory_that_is_there)
{
    carried_t carried;
    parcel_result_t result;
    begin(&carried);
    yard_t *yard = &carried.yard;
    EXPECT_ERR(yard, ERR_PATH_TAKEN,
               parcel_write(yard->world, yard->store, &carried.about, &carried.signing,
                            carried.path, NULL, NULL, &result, &yard->fault));
    EXPECT_OK(yard, taken(&carried));
    EXPECT_ERR(yard, ERR_NO_PATH,
               parcel_write(yard->world, yard->store, &carried.about, &carried.signing,
                            yard_path(yard, "nowhere/one.parcel"), NULL, NULL, &result,
                            &yard->fault));
    snprintf(carried.path, sizeof carried.path, "%s", yard_path(yard, "none.parcel"));
    EXPECT_ERR(yard, ERR_NO_PATH, taken(&carried));
    end(&carried);
}

/* What was set aside is nowhere, which is no reason to write a parcel without it. */
Test(parcel, of_a_version_that_lacks_what_was_damaged_is_not_written)
{
    carried_t carried;
    parcel_result_t result;
    begin(&carried);
    yard_t *yard = &carried.yard;
    store_put_t put = yard_put_file(yard, "some", "the bytes of a file of it", 25);
    make_file(yard_path(yard, "source/some"), "the bytes of a file of it", 0644);
    take(yard);
    carried.about.root = yard->snapshot.root;
    run("for i in %s/store/packs/*; do grep -q 'bytes of a file of it' $i && "
        "sed -i 's/bytes of a file of it/bytes of a file of It/' $i; done; true",
        yard->data);
    yard_reopen(yard);
    EXPECT_OK(yard, store_set_aside(yard->store, &put.digest, &yard->fault));
    EXPECT_ERR(yard, ERR_DIGEST,
               parcel_write(yard->world, yard->store, &carried.about, &carried.signing,
                            yard_path(yard, "two.parcel"), NULL, NULL, &result, &yard->fault));
    cr_expect_not(exists(yard_path(yard, "two.parcel")));
    end(&carried);
}

/* Of seventeen the first is forgotten; one that is a root already is no longer noted. */
Test(parcel, what_was_taken_is_kept_as_roots_up_to_a_bound)
{
    carried_t carried;
    begin(&carried);
    yard_t *yard = &carried.yard;
    digest_t *roots = calloc(1, sizeof *roots);
    size_t count = 0;
    for (uint8_t i = 0; i <= PARCELS_MAX; i++) {
        carried.about.root.byte[0] = i;
        EXPECT_OK(yard, parcel_keep(yard->world, carried.data, &carried.about, &yard->fault));
        run("touch -d @%u %s/parcels/%02x*", 1000u + i, carried.data, i);
    }
    EXPECT_OK(yard, parcel_add_kept(yard->world, carried.data, &roots, &count, &yard->fault));
    EXPECT_COUNT(count, PARCELS_MAX);
    for (size_t i = 0; i < count; i++) {
        cr_expect_neq(roots[i].byte[0], 0, "the first one is still there");
    }
    EXPECT_OK(yard, parcel_add_kept(yard->world, carried.data, &roots, &count, &yard->fault));
    EXPECT_COUNT(count, PARCELS_MAX);
    count = 0;
    EXPECT_OK(yard, parcel_add_kept(yard->world, carried.data, &roots, &count, &yard->fault));
    EXPECT_COUNT(count, 0);
    free(roots);
    end(&carried);
}
