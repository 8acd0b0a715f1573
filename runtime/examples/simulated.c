/* simulated.c - an actor under test in the simulator: what the notebook said it kept must be there
 * after a power cut, whenever that comes.
 *
 *     simulated                     200 seeds, each with power cuts at drawn moments
 *     simulated --seed N            one of them
 *     simulated --no-sync           with the defect planted that the test must find */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proto/record_table.h"
#include "runtime/sim.h"

#define SEEDS  200u
#define NOTES  20u /* that a run asks for */
#define CUTS   5u  /* of a run */
#define PATH   "/notes"
#define LATE_S 60
#define FAULTS 20000u /* of a million file calls */

#define FIELDS_note(F, R) F(R, u64, number, 0, REQUIRED) F(R, flag, sync, 0, REQUIRED)
#define FIELDS_kept(F, R) F(R, u64, number, 0, REQUIRED) /* all up to this one */
RECORD(note, 1, FIELDS_note)
RECORD(kept, 2, FIELDS_kept)

static bool no_sync; /* read by the writer's init, as an argument of the program */

/* ---- the actor under test: keeps numbers in a file, by a job ---- */

typedef struct notebook {
    request_t request;
} notebook_t;

/* Writes the note as the file's further eight bytes. The name is durable once the directory is. */
static void
keep(job_t *job, world_t *world, const void *input, void *resource)
{
    const note_t *note = input;
    int file = world_open(world, AT_FDCWD, PATH, O_RDWR | O_CREAT, 0600, 0);
    int root = world_open(world, AT_FDCWD, "/", O_RDONLY | O_DIRECTORY, 0, 0);
    int64_t put = file < 0 || resource != NULL
                      ? -1
                      : world_write(world, file, &note->number, 8, (note->number - 1) * 8);
    bool good = put == 8 && root >= 0;
    if (note->sync) {
        good = good && world_sync(world, file) == 0 && world_sync(world, root) == 0;
    }
    if (file >= 0) {
        world_close(world, file);
    }
    if (root >= 0) {
        world_close(world, root);
    }
    if (good) {
        JOB_OUTPUT(job, kept)->number = note->number;
    }
}

HANDLE_ANSWER(notebook_t, is_kept)
{
    const kept_t *done = ANSWER_AS(answer, kept);
    if (done == NULL) {
        actor_refuse_to(ctx, self->request, answer->err);
        return ACTOR_CONTINUE;
    }
    kept_t *m = DRAFT(ctx, kept);
    m->number = done->number;
    claim(ctx, REPLY_TO(ctx, self->request, kept, m) == VERDICT_OK);
    return ACTOR_CONTINUE;
}

HANDLE(notebook_t, note)
{
    job_spec_t job = {
        .name = "keep", .run = keep, .input_type = &note_type, .input = m, .then = is_kept_then};
    claim(ctx, actor_job(ctx, &job, NULL) == VERDICT_OK);
    self->request = actor_defer(ctx, "disk");
    return ACTOR_CONTINUE;
}
static const actor_class_t notebook = {
    .name = "notebook", .state_bytes = sizeof(notebook_t), .role = true, ACTOR_HEARS(ON(note))};

/* ---- its user: one note after the other, from the first on after each power cut ---- */

#define EDGES(E) E(ASK_TO, notebook, note)
ACTOR_EDGES_OF(writer, EDGES)

typedef struct writer {
    actor_ref_t notebook;
    uint64_t next;
} writer_t;
THEN(writer_t, noted)

static actor_next_t
note_next(actor_ctx_t *ctx, writer_t *self)
{
    note_t *m = DRAFT(ctx, note);
    m->number = self->next;
    m->sync = !no_sync;
    claim(ctx, ask_notebook_note(ctx, self->notebook, m, 0, noted_then, 0) == VERDICT_OK);
    return ACTOR_CONTINUE;
}

static actor_next_t
noted(actor_ctx_t *ctx, writer_t *self, const actor_answer_t *answer)
{
    self->next += answer->err == OK;
    return self->next <= NOTES ? note_next(ctx, self) : ACTOR_CONTINUE;
}

HANDLE_INIT(writer_t, begin)
{
    self->next = 1;
    claim(ctx, actor_spawn(ctx, &notebook, slice_of("notebook"), NULL, NULL, 0, &self->notebook) ==
                   VERDICT_OK);
    return note_next(ctx, self);
}
static const actor_class_t writer = {
    .name = "writer", .state_bytes = sizeof(writer_t), .init = begin, ACTOR_SPEAKS(writer)};

/* ---- the test: watches what was promised, and looks at the disk after each power cut ---- */

static void
saw(void *context, const sim_sight_t *sight)
{
    uint64_t *promised = context;
    if (sight->type == &kept_type && strcmp(sight->to, "writer") == 0) {
        uint64_t number = ((const kept_t *) sight->record)->number;
        *promised = number > *promised ? number : *promised;
    }
}

/* How many notes, from the first on, the disk has. */
static uint64_t
on_disk(world_sim_t *machine)
{
    world_sim_draw_faults(machine, 0, 0); /* the test's own look is not part of the test */
    world_t *world = world_sim_job_new(machine, NULL, NULL);
    int file = world_open(world, AT_FDCWD, PATH, O_RDONLY, 0, 0);
    uint64_t found = 0;
    uint64_t number = 0;
    while (file >= 0 && world_read(world, file, &number, 8, found * 8) == 8 &&
           number == found + 1) {
        found++;
    }
    world_sim_job_destroy(&world);
    world_sim_draw_faults(machine, FAULTS, 0);
    return found;
}

typedef struct totals {
    uint64_t steps, cuts, crash_points;
} totals_t;

/* False: something was promised and is not there, or never came. */
static bool
holds(uint64_t seed, totals_t *totals)
{
    uint64_t promised = 0;
    const host_options_t host = {
        .classes = (const actor_class_t *const[]){&writer, &notebook, NULL}, .root = &writer};
    sim_options_t options = {.seed = seed,
                             .strategy = (sim_strategy_t) (seed % SIM_STRATEGY_COUNT),
                             .host = &host,
                             .delay_ns_max = 1000,
                             .world = {.fault_per_million = FAULTS, .latency_ns_max = 1000},
                             .saw = saw,
                             .saw_context = &promised};
    char why[256] = "";
    err_t err = OK;
    bool good = true;
    sim_t *sim = sim_new(&options, &err, why, sizeof why);
    if (sim == NULL) {
        fprintf(stderr, "%s\n", why);
        return false;
    }
    sim_start(sim);
    for (uint32_t cut = 0; cut < CUTS && good; cut++) {
        sim_run_for(sim, INT64_C(1000000000) * LATE_S, (seed * 7919 + cut * 104729) % 400);
        good = sim_crash(sim) && on_disk(sim_world(sim)) >= promised;
        totals->cuts++;
        if (!good) {
            printf(
                "seed %llu: note %llu was promised, the disk has %llu: simulated --seed %llu%s\n",
                (unsigned long long) seed, (unsigned long long) promised,
                (unsigned long long) on_disk(sim_world(sim)), (unsigned long long) seed,
                no_sync ? " --no-sync" : "");
        }
    }
    world_sim_heal(sim_world(sim)); /* all faults over: now it must come to its end */
    world_sim_draw_faults(sim_world(sim), 0, 0);
    while (good && sim_step(sim)) {
    }
    if (good && (promised != NOTES || sim_open_asks(sim, why, sizeof why) != 0)) {
        printf("seed %llu: %llu of %u notes in the end; open: %s\n", (unsigned long long) seed,
               (unsigned long long) promised, NOTES, why);
        good = false;
    }
    totals->steps += sim_steps(sim);
    totals->crash_points += sim_crash_points(sim);
    sim_destroy(&sim);
    return good;
}

int
main(int argc, char **argv)
{
    uint64_t first = 1;
    uint64_t last = SEEDS;
    totals_t totals = {0};
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--no-sync") == 0) {
            no_sync = true;
        } else if (strcmp(argv[i], "--seed") == 0 && i + 1 < argc) {
            first = last = strtoull(argv[++i], NULL, 10);
        }
    }
    for (uint64_t seed = first; seed <= last; seed++) {
        if (!holds(seed, &totals)) {
            return 1;
        }
    }
    printf(
        "%llu seeds, %llu power cuts, %llu steps, %llu crash points: nothing promised was lost\n",
        (unsigned long long) (last - first + 1), (unsigned long long) totals.cuts,
        (unsigned long long) totals.steps, (unsigned long long) totals.crash_points);
    return 0;
}
