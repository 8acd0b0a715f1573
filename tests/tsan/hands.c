/* hands.c - jobs that put, place, read and compare versions beside each other, and lend their work
 * to the hands that they share; TAP on stdout, each claim in plain words.
 *
 * Some threads are the jobs of a host: each has a world of its own with what jobs share, and opens
 * the store itself. What hands do for them is packing (store_queue.c), expanding early
 * (store_expand.c) and marking (kin_marks.c). A plain program, because it runs under
 * ThreadSanitizer, for which each byte that one thread leaves to another must change hands. */
#include <fcntl.h>
#include <pthread.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "actors/content/kin.h"
#include "actors/content/place.h"
#include "actors/content/snapshot.h"
#include "runtime/job_shares.h"
#include "runtime/world_os.h"
#include "tests/tsan/tap.h"

#define TEXT_BYTES (6u << 20) /* of the large file: some twenty chunks, all of them squeezed */
#define HANDS      3u
#define PLACERS    2u
#define READERS    2u
#define SEEKERS    2u
#define JOBS       (PLACERS + READERS + SEEKERS)
#define EDIT_EACH  700u /* bytes: no chunk of the second version is one of the first */

typedef struct job {
    world_os_t os;
    world_t *world;
    common_seat_t seat;
    store_t *store;
    fault_t fault;
} job_t;

static char where[64];
static shares_t shares;
static digest_t root[2], file[2]; /* of the two versions: their trees, their large files */
static size_t pairs;              /* as one job finds them alone */

static const char *
below(const char *name)
{
    static _Thread_local char path[128];
    snprintf(path, sizeof path, "%s/%s", where, name);
    return path;
}

static void
well(job_t *job, err_t err, const char *what)
{
    char text[1024];

    if (err != OK) {
        claim_that(false, what, fault_text(&job->fault, text, sizeof text));
        exit(1);
    }
}

static void
job_begin(job_t *job)
{
    job->world = world_os_init(&job->os, NULL);
    shares_lend(&shares, &job->seat, job->world);
    well(job, store_open(job->world, below("store"), &job->store, &job->fault), "open the store");
}

static void
job_end(job_t *job)
{
    store_close(&job->store);
}

/* ---- what is put ---- */

/* Numbers in words, each of them once; those of the second version are edited all over. */
static void
write_large(unsigned version)
{
    FILE *large = fopen(below("source/large"), "w");

    need(large != NULL, "a source");
    for (uint32_t i = 0; i < TEXT_BYTES / 8; i++) {
        bool edited = version > 0 && i * 8u % EDIT_EACH < 8;
        fprintf(large, "%08u", edited ? i : i * 48271u % 99999989u);
    }
    need(fclose(large) == 0, "a large file");
}

static void
put_version(job_t *job, unsigned version)
{
    snapshot_t snapshot;
    store_put_t put;

    write_large(version);
    well(job,
         snapshot_take(job->world, job->store, below("source"), NULL, NULL, NULL, &snapshot,
                       &job->fault),
         "take a version");
    root[version] = snapshot.root;
    int fd = open(below("source/large"), O_RDONLY | O_CLOEXEC);
    well(job, store_put_file(job->store, fd, "large", &put, &job->fault), "put what is there");
    close(fd);
    file[version] = put.digest;
}

static size_t
pairs_found(job_t *job)
{
    kin_t kin;

    well(job,
         kin_find(job->store, (kin_files_t){&file[1], 1}, (kin_files_t){&file[0], 1}, &kin,
                  &job->fault),
         "look for bases");
    size_t count = kin.count;
    kin_release(&kin);
    return count;
}

static void
put_both(void)
{
    job_t job;

    need(mkdir(below("source"), 0755) == 0, "a source");
    job_begin(&job);
    put_version(&job, 0);
    put_version(&job, 1);
    well(&job, store_commit(job.store, &job.fault), "commit");
    job.world->hands = NULL;
    pairs = pairs_found(&job);
    job_end(&job);
}

/* ---- jobs beside each other ---- */

typedef struct beside {
    pthread_t thread;
    unsigned number;
    size_t got; /* bytes that were placed, or bases that were found */
} beside_t;

static size_t
placed(job_t *job, point_t *point, unsigned version)
{
    place_result_t result;
    place_order_t order = {.package = "P1", .epoch = version + 1, .root = root[version]};

    order.incarnation.byte[0] = 3;
    well(job,
         place_version(job->world, job->store, point, &order, NULL, NULL, &result, &job->fault),
         "place a version");
    return (size_t) result.bytes_written;
}

static void *
place_both(void *context)
{
    beside_t *self = context;
    job_t job;
    point_t point;
    point_identity_t identity = {.name = "D", .site.byte[0] = 1};
    char its_root[128];

    snprintf(its_root, sizeof its_root, "%s/point-%u", where, self->number);
    identity.incarnation.byte[0] = (uint8_t) (self->number + 2);
    need(mkdir(its_root, 0755) == 0, "a point's root");
    job_begin(&job);
    well(&job, point_claim(job.world, its_root, &identity, NULL, 0, false, &job.fault), "claim");
    well(&job,
         point_open(job.world, its_root, &identity.site, &identity.incarnation, &point, &job.fault),
         "open a point");
    self->got = placed(&job, &point, 0) + placed(&job, &point, 1);
    point_close(&point);
    job_end(&job);
    return NULL;
}

static void *
look_for_bases(void *context)
{
    beside_t *self = context;
    job_t job;

    job_begin(&job);
    self->got = pairs_found(&job);
    job_end(&job);
    return NULL;
}

static size_t
read_through(job_t *job, const digest_t *object)
{
    const void *block = NULL;
    size_t size = 1, all = 0;
    uint64_t whole = 0;

    well(job, store_begin(job->store, object, &whole, &job->fault), "begin to read");
    for (; size > 0; all += size) {
        well(job, store_next(job->store, &block, &size, &job->fault), "read");
    }
    return all;
}

/* As a placement that nobody is beside: chunks are expanded before their turn. */
static void *
read_both(void *context)
{
    beside_t *self = context;
    job_t job;

    job_begin(&job);
    self->got = read_through(&job, &file[0]) + read_through(&job, &file[1]);
    job_end(&job);
    return NULL;
}

static bool
all_got(const beside_t *jobs, unsigned count, size_t expected, char *ret_got, size_t size)
{
    for (unsigned i = 0; i < count; i++) {
        snprintf(ret_got, size, "%zu, expected %zu", jobs[i].got, expected);
        if (jobs[i].got != expected) {
            return false;
        }
    }
    return true;
}

static void
run_beside(void)
{
    static void *(*const does[JOBS])(void *) = {place_both, place_both,     read_both,
                                                read_both,  look_for_bases, look_for_bases};
    beside_t jobs[JOBS] = {0};
    char got[64];

    for (unsigned i = 0; i < JOBS; i++) {
        jobs[i].number = i;
        need(pthread_create(&jobs[i].thread, NULL, does[i], &jobs[i]) == 0, "a thread");
    }
    for (unsigned i = 0; i < JOBS; i++) {
        pthread_join(jobs[i].thread, NULL);
    }
    bool truth = all_got(jobs, PLACERS + READERS, 2u * TEXT_BYTES, got, sizeof got);
    claim_that(truth, "jobs that share hands place and read both versions whole", got);
    truth = all_got(jobs + PLACERS + READERS, SEEKERS, pairs, got, sizeof got);
    claim_that(truth && pairs > 0, "with many hands bases are found for as many chunks as alone",
               got);
}

int
main(void)
{
    char command[128];

    snprintf(where, sizeof where, "/tmp/hands-test-XXXXXX");
    need(mkdtemp(where) != NULL, "a directory");
    shares =
        (shares_t){common_new(COMMON_PATIENCE_NS), hands_new(HANDS), memo_new(MEMO_PATIENCE_NS)};
    put_both();
    run_beside();
    shares_close(&shares);
    snprintf(command, sizeof command, "rm -rf '%s'", where);
    need(system(command) == 0, "to remove it");
    return claims_end();
}
