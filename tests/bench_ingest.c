/* bench_ingest.c - what it costs to take a tree into a fresh store, and to take it once more.
 *
 * Usage    bench_ingest SOURCE [DIRECTORY]: the store is made below DIRECTORY (default /var/tmp)
 *          and removed again. A row for each: seconds, those of the processor, MB/s, files, and the
 *          most MiB that were in memory so far.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>
#include "actors/content/snapshot.h"
#include "runtime/world_os.h"

typedef struct figures {
    double wall, user, system; /* seconds */
} figures_t;

static double
seconds(struct timeval time)
{
    return (double) time.tv_sec + (double) time.tv_usec / 1e6;
}

static figures_t
now(world_t *world)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return (figures_t){(double) world_monotonic_ns(world) / 1e9, seconds(usage.ru_utime),
                       seconds(usage.ru_stime)};
}

static void
take(world_t *world, const char *path, const char *source, const char *what)
{
    struct rusage usage;
    store_t *store = NULL;
    snapshot_t snapshot;
    fault_t fault = {0};
    char text[800];
    sync();
    figures_t begun = now(world);
    err_t err = store_open(world, path, &store, &fault);
    err =
        err != OK ? err : snapshot_take(world, store, source, NULL, NULL, NULL, &snapshot, &fault);
    store_close(&store);
    figures_t ended = now(world);
    if (err != OK) {
        fprintf(stderr, "bench_ingest: %s\n", fault_text(&fault, text, sizeof text));
        exit(1);
    }
    getrusage(RUSAGE_SELF, &usage);
    double wall = ended.wall - begun.wall;
    printf("%-10s %8.2f s %8.2f user %8.2f system %8.0f MB/s %8llu files %6ld MiB\n", what, wall,
           ended.user - begun.user, ended.system - begun.system,
           (double) snapshot.bytes / 1e6 / wall, (unsigned long long) snapshot.files,
           usage.ru_maxrss / 1024);
    fflush(stdout);
}

int
main(int argc, char **argv)
{
    world_os_t os;
    world_t *world = world_os_init(&os, NULL);
    char path[256];
    char store[300];
    char command[600];
    if (argc < 2) {
        fprintf(stderr, "usage: bench_ingest SOURCE [DIRECTORY]\n");
        return 2;
    }
    snprintf(path, sizeof path, "%s/despool-bench-XXXXXX", argc > 2 ? argv[2] : "/var/tmp");
    if (mkdtemp(path) == NULL) {
        perror(path);
        return 1;
    }
    snprintf(store, sizeof store, "%s/store", path);
    take(world, store, argv[1], "fresh");
    take(world, store, argv[1], "again");
    snprintf(command, sizeof command, "du -sm %s; rm -rf %s", store, path);
    return system(command) == 0 ? 0 : 1;
}
