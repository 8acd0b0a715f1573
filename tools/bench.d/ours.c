/* ours.c - the bench's workloads on despool's runtime: one host, watched while it runs. */
#include "tools/bench.d/ours.h"

#define LOOK_MS   10
#define READY_MS  10000u
#define ALL_LOOKS 64u

RECORD_DEFINE(ours_order, 1, FIELDS_ours_order)
RECORD_DEFINE(ours_up, 2, FIELDS_ours_up)
RECORD_DEFINE(ours_done, 3, FIELDS_ours_done)
RECORD_DEFINE(ours_peer, 4, FIELDS_ours_peer)
ours_run_t ours_run;

/* detail: what the cast's root makes of it: seats, producers, ... */
typedef struct row {
    const char *workload, *variant;
    const ours_cast_t *cast;
    ours_far_t far;
    uint32_t detail;
} row_t;
static const row_t rows[] = {
    {"W1", "same", &ours_ring, FAR_NONE, 2},
    {"W1", "across", &ours_ring, FAR_SECOND, 2},
    {"W2", "3ints same", &ours_stream, FAR_NONE, 1},
    {"W2", "3ints across", &ours_stream, FAR_ALL, 1},
    {"W2", "64B same", &ours_stream, FAR_NONE, 1001},
    {"W2", "64B across", &ours_stream, FAR_ALL, 1001},
    {"W3", "same", &ours_stream, FAR_NONE, W3_PRODUCERS},
    {"W3", "spread", &ours_stream, FAR_SECOND, W3_PRODUCERS},
    {"W3", "across", &ours_stream, FAR_ALL, W3_PRODUCERS},
    {"W4", "same", &ours_ring, FAR_NONE, W4_SEATS},
    {"W4", "across", &ours_ring, FAR_SECOND, W4_SEATS},
    {"W5", "same", &ours_spawn, FAR_NONE, 0},
    {"W5", "spread", &ours_spawn, FAR_SECOND, 0},
    {"W5", "idle", &ours_spawn, FAR_NONE, 1},
    {"W6", "same", &ours_gather, FAR_NONE, 0},
    {"W6", "spread", &ours_gather, FAR_SECOND, 0},
    {"W6", "across", &ours_gather, FAR_ALL, 0},
    {"cost", "ask", &ours_call, FAR_NONE, 0},
    {"cost", "call", &ours_call, FAR_NONE, 1},
    {"cost", "fan", &ours_call, FAR_NONE, 2},
    {"cost", "chain", &ours_call, FAR_NONE, 3},
    {"cost", "full", &ours_full, FAR_NONE, 0},
    {"spin", "idle", &ours_pace, FAR_ALL, 0},
    {"spin", "ticking", &ours_pace, FAR_ALL, 1},
    {"spin", "paced", &ours_pace, FAR_ALL, 100},
    {"spin", "flat", &ours_pace, FAR_ALL, UINT32_MAX},
    {"start", "own", &ours_own, FAR_NONE, 0},
    {"start", "pool", &ours_pool, FAR_NONE, 0},
};

static const row_t *
find_row(const char *workload, const char *variant)
{
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (strcmp(rows[i].workload, workload) == 0 && strcmp(rows[i].variant, variant) == 0) {
            return &rows[i];
        }
    }
    return NULL;
}

/* ---- watching: what the consumer of W2 and W3 has handled, looked at while it runs ---- */

typedef struct watched {
    uint64_t looks; /* that found it further than the look before, and not at its end */
    uint64_t handled;
    uint32_t workers; /* different ones on which the cast sits: 2 are told from 1 */
} watched_t;

static void
look(const host_t *host, watched_t *ret)
{
    static actor_figures_t figures[ALL_LOOKS];
    char worker[32] = "";
    uint32_t from = 0;
    uint32_t count;
    *ret = (watched_t){.looks = ret->looks};
    while ((count = host_watch(host, from, figures, ALL_LOOKS, &from)) > 0) {
        for (uint32_t i = 0; i < count; i++) {
            bool cast = strcmp(figures[i].class_name, "host") != 0;
            if (cast && ret->workers < 2 && strcmp(worker, figures[i].worker) != 0) {
                memcpy(worker, figures[i].worker, sizeof worker);
                ret->workers++;
            }
            if (strcmp(figures[i].class_name, "consumer") == 0) {
                ret->handled = figures[i].handled;
            }
        }
    }
}

static void
watch(const host_t *host, watched_t *ret)
{
    const struct timespec nap = {.tv_nsec = LOOK_MS * 1000000L};
    while (atomic_load(&ours_run.ended) == 0 && host_failed(host) == OK) {
        nanosleep(&nap, NULL);
        uint64_t before = ret->handled;
        look(host, ret);
        if (ret->handled > before && atomic_load(&ours_run.ended) == 0) {
            ret->looks++;
        }
    }
}

/* ---- main ---- */

static int
give_up(const host_t *host)
{
    fprintf(stderr, "%s\n", host_why(host));
    return EXIT_FAILURE;
}

static int
run(const row_t *row, const host_options_t *options)
{
    watched_t watched = {0};
    char more[128] = "";
    char left[256] = "";
    host_t *host = host_new(options);
    bool start = strcmp(row->workload, "start") == 0;
    if (start) {
        meter_begin(&ours_run.meter);
    }
    if (host_start(host) != OK) {
        return give_up(host);
    }
    if (start) {
        bool ready = host_wait_ready(host, READY_MS);
        meter_end(&ours_run.meter);
        host_figures_t figures;
        host_figures(host, &figures);
        ours_run.arrived = ready ? figures.actors - 1 : 0;
        ours_run.ops = 1;
        host_request_stop(host);
    } else if (row->cast == &ours_stream) {
        watch(host, &watched);
    }
    host_wait_stop(host);
    look(host, &watched);
    host_figures_t longest;
    host_figures(host, &longest);
    snprintf(more, sizeof more,
             ", \"looks\": %" PRIu64 ", \"handled\": %" PRIu64 ", \"workers\": %" PRIu32
             ", \"longest_us\": %" PRId64,
             watched.looks, watched.handled, watched.workers, longest.longest_ns / 1000);
    bool ended = host_stop(host, 10000, left, sizeof left) && host_failed(host) == OK;
    if (!ended) {
        fprintf(stderr, "%s %s\n", host_why(host), left);
    }
    host_destroy(&host);
    meter_print(&ours_run.meter, ours_run.ops, ours_run.arrived, more);
    return ended ? EXIT_SUCCESS : EXIT_FAILURE;
}

int
main(int argc, char **argv)
{
    const row_t *row = argc == 4 ? find_row(argv[1], argv[2]) : NULL;
    if (row == NULL) {
        return argc == 4 ? bench_unknown(argv[1], argv[2]) : bench_usage(argv[0]);
    }
    ours_order_t order = {
        .count = strtoull(argv[3], NULL, 10), .far = (uint32_t) row->far, .detail = row->detail};
    host_options_t options = {.classes = row->cast->classes,
                              .root = row->cast->root,
                              .root_args_type = &ours_order_type,
                              .root_args = &order};
    return run(row, &options);
}
