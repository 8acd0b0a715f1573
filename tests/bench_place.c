/* bench_place.c - how long one version of many small files takes, against cp -a and sync -f.
 *
 * Usage    bench_place [FILES [DIRECTORY]]: 100000 files of 100 to 2000 bytes, 500 a directory,
 * below a fresh directory in DIRECTORY (default /var/tmp), which is removed again. Prints   seconds
 * of snapshot, placement, the same placement again, verify, and cp -a + sync -f.
 */
#include <assert.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "actors/content/place.h"
#include "actors/content/snapshot.h"
#include "actors/content/verify.h"
#include "runtime/world_os.h"

typedef struct bench {
    world_os_t os;
    world_t *world;
    char path[256];
    store_t *store;
    point_t point;
    place_order_t order;
    int64_t begun_ns;
    fault_t fault;
} bench_t;

static const char *
below(bench_t *bench, const char *name)
{
    static char text[320];
    snprintf(text, sizeof text, "%s/%s", bench->path, name);
    return text;
}

static void
need(bench_t *bench, err_t err)
{
    char text[800];
    if (err != OK) {
        fprintf(stderr, "bench_place: %s\n", fault_text(&bench->fault, text, sizeof text));
        exit(1);
    }
}

static void
begin(bench_t *bench)
{
    sync();
    bench->begun_ns = world_monotonic_ns(bench->world);
}

static void
end(bench_t *bench, const char *what)
{
    double seconds = (double) (world_monotonic_ns(bench->world) - bench->begun_ns) / 1e9;
    printf("%-24s %8.2f s\n", what, seconds);
    fflush(stdout);
}

static void
make_source(bench_t *bench, unsigned files)
{
    char name[320];
    char text[2048];
    for (unsigned i = 0; i < files; i++) {
        if (i % 500 == 0) {
            snprintf(name, sizeof name, "%s/source/%u", bench->path, i / 500);
            mkdir(name, 0755);
        }
        snprintf(name, sizeof name, "%s/source/%u/file-%u", bench->path, i / 500, i);
        memset(text, 'a' + (int) (i % 26), sizeof text);
        int size = snprintf(text, sizeof text, "file %u", i);
        int fd = open(name, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
        ssize_t written = write(fd, text, (size_t) size + 100 + i * 37 % 1900);
        assert(written > 0);
        (void) written;
        close(fd);
    }
}

static void
prepare(bench_t *bench, unsigned files, const char *directory)
{
    static const char *const names[] = {"source", "data", "root"};
    bench->world = world_os_init(&bench->os, NULL);
    snprintf(bench->path, sizeof bench->path, "%s/despool-bench-XXXXXX", directory);
    if (mkdtemp(bench->path) == NULL) {
        perror(bench->path);
        exit(1);
    }
    for (size_t i = 0; i < 3; i++) {
        mkdir(below(bench, names[i]), 0755);
    }
    make_source(bench, files);
    point_identity_t identity = {.name = "D1", .site.byte[0] = 1, .incarnation.byte[0] = 2};
    fault_t *fault = &bench->fault;
    need(bench, store_open(bench->world, below(bench, "data/store"), &bench->store, fault));
    need(bench, point_claim(bench->world, below(bench, "root"), &identity, NULL, 0, false, fault));
    need(bench, point_open(bench->world, below(bench, "root"), &identity.site,
                           &identity.incarnation, &bench->point, fault));
}

static void
place(bench_t *bench, const char *what)
{
    place_result_t result;
    begin(bench);
    need(bench, place_version(bench->world, bench->store, &bench->point, &bench->order, NULL, NULL,
                              &result, &bench->fault));
    end(bench, what);
}

static void
take(bench_t *bench, const char *what)
{
    snapshot_t snapshot;
    begin(bench);
    need(bench, snapshot_take(bench->world, bench->store, below(bench, "source"), NULL, NULL, NULL,
                              &snapshot, &bench->fault));
    end(bench, what);
    bench->order = (place_order_t){.package = "P1", .epoch = 1, .root = snapshot.root};
    bench->order.incarnation.byte[0] = 3;
}

static void
verify(bench_t *bench)
{
    verify_result_t result;
    begin(bench);
    need(bench, verify_version(bench->world, bench->store, &bench->point, &bench->order, NULL, NULL,
                               &result, &bench->fault));
    end(bench, "verify");
    assert(result.whole);
    verify_result_release(&result);
}

static void
copy(bench_t *bench)
{
    char command[1024];
    snprintf(command, sizeof command, "cp -a %s/source %s/copy && sync -f %s/copy", bench->path,
             bench->path, bench->path);
    begin(bench);
    if (system(command) != 0) {
        exit(1);
    }
    end(bench, "cp -a and sync -f");
}

int
main(int argc, char **argv)
{
    bench_t bench = {0};
    char command[300];
    unsigned files = argc > 1 ? (unsigned) strtoul(argv[1], NULL, 10) : 100000;
    prepare(&bench, files, argc > 2 ? argv[2] : "/var/tmp");
    take(&bench, "snapshot");
    take(&bench, "snapshot, unchanged");
    place(&bench, "place");
    place(&bench, "place again");
    copy(&bench);
    verify(&bench);
    point_close(&bench.point);
    store_close(&bench.store);
    snprintf(command, sizeof command, "rm -rf %s", bench.path);
    return system(command) == 0 ? 0 : 1;
}
