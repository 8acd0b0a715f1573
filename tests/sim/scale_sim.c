/* scale_sim.c - a site of many points and packages: every target comes to its truth, and what that
 * costs is counted.
 *
 *   scale_sim [--points N] [--packages M] [--seed S] [--inbox N]
 *
 * TAP on stdout. The site is the roster that despoold links, its points are agents (crowd.h), of
 * which some fail, some refuse, some are late and some lose their connection. The first package is
 * distributed alone, then all the others but one, then the last one: among a hundred times as many
 * targets it must cost what the first one did. The despooler's inbox has room for its bound, or for
 * so many as are said, so that few fill it as well. 10,000 points and 100 packages are
 *
 *   tools/sim --cast scale
 *
 * which takes about a quarter of an hour of a processor (docs/decisions/0049); tools/check runs 200
 * and 20. */
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "actors/despooler_queue.h"
#include "proto/limits.h"
#include "tests/sim/costs.h"
#include "tests/sim/crowd.h"

#define READY_MS    60000u
#define CONVERGE_MS 14400000u /* virtual */
#define LOOK_MS     1000u
#define AWAY_MS     20000u
#define SETTLES_MS  10000u
#define SLOTS       "256"
#define RUNS_MAX    4u /* that are begun: at the start */
#define COSTS_SHOWN 12u
/* A sanitizer's shadow and what it keeps of freed memory are not a site's. */
#if defined(__SANITIZE_ADDRESS__)
#define MEMORY_IS_TOLD 0
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define MEMORY_IS_TOLD 0
#endif
#endif
#ifndef MEMORY_IS_TOLD
#define MEMORY_IS_TOLD 1
#endif
#define MEMORY_BASE   (UINT64_C(128) << 20)
#define MEMORY_TARGET UINT64_C(4096) /* bytes of the process, disks and all, for each target */

/* actors/despooler_queue.c, by way of __wrap_queue_add. */
err_t __real_queue_add(queue_t *queue, slice_t point, const queue_entry_t *entry,
                       void **ret_unused);
err_t __wrap_queue_add(queue_t *queue, slice_t point, const queue_entry_t *entry,
                       void **ret_unused);

static uint32_t inbox = QUEUE_ENTRIES_MAX;
static uint64_t turned_away;

err_t
__wrap_queue_add(queue_t *queue, slice_t point, const queue_entry_t *entry, void **ret_unused)
{
    queue_figures_t figures = {0};

    queue_look(queue, &figures);
    bool full = figures.waiting >= inbox && !queue_waits(queue, entry->key);
    err_t err = full ? ERR_FULL : __real_queue_add(queue, point, entry, ret_unused);
    turned_away += err == ERR_FULL;
    return err;
}

typedef struct scale {
    uint32_t points, packages;
    uint64_t seed;
    stage_t *stage;
    crowd_t *crowd;
    uint64_t due_asks, instructions, instructed, begun, outcomes, groups;
    uint64_t first_steps, last_steps; /* of SQLite, for each target of the package */
    uint32_t claims;
    bool well;
} scale_t;

static void
saw(void *context, const sim_sight_t *sight)
{
    scale_t *scale = context;
    const char *name = sight->type ? sight->type->name : "";

    if (sight->is_reply || !sight->is_ask) {
        return;
    }
    scale->due_asks += strcmp(name, "due_targets") == 0;
    scale->begun += strcmp(name, "target_begin") == 0;
    scale->outcomes += strcmp(name, "target_outcome") == 0;
    if (strcmp(name, "instruction") == 0) {
        const instruction_t *m = sight->record;
        scale->instructions++;
        scale->instructed += m->targets.count;
        if (m->targets.count == 0) {
            stage_note_fault(scale->stage, "D02: an instruction names no target");
        }
    }
}

/* ---- what is to become of them ---- */

static uint64_t
receipts_of_one(const scale_t *scale, uint32_t package)
{
    uint64_t count = 0;

    for (uint32_t i = 0; i < scale->points; i++) {
        count += !crowd_refuses(i, package);
    }
    return count;
}

static uint64_t
works_of_one(const scale_t *scale)
{
    uint64_t count = 0;

    for (uint32_t i = 0; i < scale->points; i++) {
        count += crowd_kind(i) == CROWD_FAILS_TWICE ? 1 + CROWD_TRIES : 1;
    }
    return count;
}

static bool
is_true(const scale_t *scale, uint32_t member, uint32_t package, const wire_value_t *row)
{
    wire_value_t state, cause, code = {.bytes = {"", 0}};
    bool refuses = crowd_refuses(member, package);
    bool caused = wire_find(row, "cause", &cause) && wire_find(&cause, "code", &code);

    return wire_find(row, "state", &state) &&
           slice_equal(state.bytes, slice_of(refuses ? "failed" : "installed")) &&
           caused == refuses &&
           (!refuses || slice_equal(code.bytes, slice_of(err_word(ERR_NOT_OURS)))) &&
           crowd_has(scale->crowd, member, package) == !refuses;
}

/* As an operator asks: the points come in the order of their names. */
static bool
package_is_true(scale_t *scale, uint32_t package)
{
    char argument[32], name[16];
    wire_value_t rows, row, dp;

    snprintf(argument, sizeof argument, "id=P%u", package);
    if (stage_do(scale->stage, 60000, "status", argument, NULL) != OK ||
        !wire_find(stage_answer(scale->stage), "targets", &rows) || rows.count != scale->points) {
        stage_note_fault(scale->stage, "status of P%u does not tell its targets", package);
        return false;
    }
    const uint8_t *at = rows.body;
    for (uint32_t i = 0; i < rows.count; i++) {
        wire_next(&rows, &at, &row);
        crowd_name(i, name);
        if (!wire_find(&row, "dp", &dp) || !slice_equal(dp.bytes, slice_of(name)) ||
            !is_true(scale, i, package, &row)) {
            stage_note_fault(scale->stage, "of P%u at %s status does not tell what is so", package,
                             name);
            return false;
        }
    }
    return true;
}

/* ---- the run ---- */

static void
set_up(scale_t *scale)
{
    stage_options_t options = {.seed = scale->seed,
                               .strategy = SIM_UNIFORM,
                               .files = 2,
                               .bare = true,
                               .saw = saw,
                               .saw_context = scale};

    costs_begin();
    sqlite3_randomness(0, NULL);
    scale->crowd = crowd_new(scale->points, scale->packages);
    options.agents = crowd_agents(scale->crowd);
    scale->stage = stage_new(&options);
    crowd_meet(scale->crowd, scale->stage);
    if (!stage_ready(scale->stage, READY_MS) ||
        stage_do(scale->stage, 60000, "site.set", "scrub:0", NULL) != OK ||
        stage_do(scale->stage, 60000, "component.set", "name=despooler", "slots:" SLOTS, NULL) !=
            OK) {
        stage_note_fault(scale->stage, "the site cannot be set up");
    }
    for (uint32_t i = 1; i <= scale->packages; i++) {
        char argument[32];
        snprintf(argument, sizeof argument, "id=P%u", i);
        if (stage_do(scale->stage, 60000, "package.add", argument, "source=/source", NULL) != OK) {
            stage_note_fault(scale->stage, "P%u cannot be added", i);
        }
    }
}

static void
distribute(scale_t *scale, uint32_t from, uint32_t to)
{
    for (uint32_t i = from; i <= to; i++) {
        char argument[32];
        snprintf(argument, sizeof argument, "id=P%u", i);
        if (stage_do(scale->stage, 600000, "distribute", argument, "all!", NULL) != OK) {
            stage_note_fault(scale->stage, "P%u cannot be distributed", i);
        }
    }
}

/* Until so many receipts were signed, and so many works were done. */
static void
wait_for(scale_t *scale, uint64_t receipts, uint64_t works)
{
    crowd_counts_t counts = crowd_counts(scale->crowd);

    for (uint64_t ms = 0; ms < CONVERGE_MS && !stage_fault(scale->stage) &&
                          (counts.receipts < receipts || counts.works < works);
         ms += LOOK_MS) {
        stage_run(scale->stage, LOOK_MS);
        counts = crowd_counts(scale->crowd);
    }
    stage_run(scale->stage, 2 * LOOK_MS); /* what was said of the last ones is kept */
    if (counts.receipts != receipts || counts.works != works) {
        stage_note_fault(scale->stage, "%lu receipts of %lu, %lu works of %lu",
                         (unsigned long) counts.receipts, (unsigned long) receipts,
                         (unsigned long) counts.works, (unsigned long) works);
    }
}

static void
all_up_to(scale_t *scale, uint32_t package)
{
    uint64_t receipts = 0;

    for (uint32_t i = 1; i <= package; i++) {
        receipts += receipts_of_one(scale, i);
    }
    wait_for(scale, receipts, package * works_of_one(scale));
}

static void
note(const scale_t *scale, const char *what)
{
    printf("# after %5lu s of virtual time, %7lu ms here, %s\n",
           (unsigned long) (sim_now_ns(stage_sim(scale->stage)) / 1000000000),
           (unsigned long) (clock() / (CLOCKS_PER_SEC / 1000)), what);
    fflush(stdout);
}

static void
live(scale_t *scale)
{
    if (!crowd_join(scale->crowd)) {
        return;
    }
    stage_run(scale->stage, SETTLES_MS);
    note(scale, "all agents have joined");
    uint64_t before = costs_sum().steps;
    distribute(scale, 1, 1);
    all_up_to(scale, 1);
    note(scale, "the first package is everywhere");
    scale->first_steps = (costs_sum().steps - before) / scale->points;
    crowd_leave(scale->crowd);
    distribute(scale, 2, scale->packages - 1);
    stage_run(scale->stage, AWAY_MS);
    crowd_arrive(scale->crowd);
    all_up_to(scale, scale->packages - 1);
    note(scale, "and so are all others but the last");
    before = costs_sum().steps;
    distribute(scale, scale->packages, scale->packages);
    all_up_to(scale, scale->packages);
    scale->last_steps = (costs_sum().steps - before) / scale->points;
}

/* ---- what it tells ---- */

static void
claim_that(scale_t *scale, bool holds, const char *sentence)
{
    printf("%sok %u - %s\n", holds ? "" : "not ", ++scale->claims, sentence);
    scale->well = scale->well && holds;
}

static void
print_costs(void)
{
    bool shown[SQL_COUNT] = {false};

    for (uint32_t i = 0; i < COSTS_SHOWN; i++) {
        sql_t most = SQL_COUNT;
        for (sql_t which = 0; which < SQL_COUNT; which++) {
            if (!shown[which] &&
                (most == SQL_COUNT || costs_of(which)->steps > costs_of(most)->steps)) {
                most = which;
            }
        }
        shown[most] = true;
        const cost_t *cost = costs_of(most);
        printf("#   %-32s %9lu runs, %11lu steps, %8lu at most in one, %lu walked\n",
               sql_symbol(most), (unsigned long) cost->runs, (unsigned long) cost->steps,
               (unsigned long) cost->most, (unsigned long) cost->walked);
    }
}

static uint64_t
memory_most(void)
{
    struct rusage usage;

    (void) getrusage(RUSAGE_SELF, &usage);
    return (uint64_t) usage.ru_maxrss * 1024;
}

static void
print(const scale_t *scale, uint64_t targets)
{
    crowd_counts_t counts = crowd_counts(scale->crowd);
    cost_t sum = costs_sum();

    printf("# %u points, %u packages, %lu targets: %lu s of virtual time, %lu ms here, %lu steps\n",
           scale->points, scale->packages, (unsigned long) targets,
           (unsigned long) (sim_now_ns(stage_sim(scale->stage)) / 1000000000),
           (unsigned long) (clock() / (CLOCKS_PER_SEC / 1000)),
           (unsigned long) sim_steps(stage_sim(scale->stage)));
    printf("# %lu works, %lu of them failed, %lu collections, %lu looks, %lu connections lost, %lu "
           "frames from agents, %lu to them, %lu on their way at most\n",
           (unsigned long) counts.works, (unsigned long) counts.failed,
           (unsigned long) counts.collected, (unsigned long) counts.probes,
           (unsigned long) counts.drops, (unsigned long) counts.frames_up,
           (unsigned long) counts.frames_down, (unsigned long) counts.flights_most);
    printf("# %lu asks for due targets, %lu instructions of %lu targets, %lu begun, %lu outcomes\n",
           (unsigned long) scale->due_asks, (unsigned long) scale->instructions,
           (unsigned long) scale->instructed, (unsigned long) scale->begun,
           (unsigned long) scale->outcomes);
    printf("# %lu entries found a full inbox, which has room for %u\n", (unsigned long) turned_away,
           inbox);
    printf("# SQLite: %lu statements, %lu steps, for each target of the first package %lu, of the "
           "last %lu\n",
           (unsigned long) sum.runs, (unsigned long) sum.steps, (unsigned long) scale->first_steps,
           (unsigned long) scale->last_steps);
    print_costs();
    printf("# memory: %lu MiB at most, the simulated disk in it; %lu bytes for each target\n",
           (unsigned long) (memory_most() >> 20), (unsigned long) (memory_most() / targets));
}

static bool
all_are_true(scale_t *scale)
{
    bool well = stage_fault(scale->stage) == NULL;

    for (uint32_t i = 1; well && i <= scale->packages; i++) {
        well = package_is_true(scale, i);
    }
    return well;
}

static void
tell(scale_t *scale)
{
    uint64_t targets = (uint64_t) scale->points * scale->packages;
    bool well = all_are_true(scale);

    print(scale, targets);
    if (stage_fault(scale->stage)) {
        printf("# %s\n", stage_fault(scale->stage));
    }
    claim_that(scale, well,
               "every_target_comes_to_what_its_point_said_and_who_failed_alone_is_sent_again");
    claim_that(scale, costs_sum().walked == 0, "no_statement_walks_over_rows_to_find_some");
    claim_that(scale, costs_of(SQL_TARGET_RELEASE_TAKEN)->runs <= RUNS_MAX,
               "what_a_full_inbox_turns_away_is_handed_again_and_nothing_else");
    claim_that(scale, 2 * scale->last_steps <= 3 * scale->first_steps,
               "the_last_package_costs_what_the_first_did");
    claim_that(scale, !MEMORY_IS_TOLD || memory_most() <= MEMORY_BASE + targets * MEMORY_TARGET,
               MEMORY_IS_TOLD ? "memory_is_what_its_targets_take_on_the_simulated_disk"
                              : "memory # SKIP it is a sanitizer's");
}

static bool
parse(int argc, char **argv, scale_t *scale)
{
    for (int i = 1; i < argc; i += 2) {
        uint64_t value = i + 1 < argc ? strtoull(argv[i + 1], NULL, 10) : 0;
        if (strcmp(argv[i], "--points") == 0) {
            scale->points = (uint32_t) value;
        } else if (strcmp(argv[i], "--packages") == 0) {
            scale->packages = (uint32_t) value;
        } else if (strcmp(argv[i], "--inbox") == 0) {
            inbox = (uint32_t) value;
        } else if (strcmp(argv[i], "--seed") == 0) {
            scale->seed = value;
        } else {
            return false;
        }
    }
    return scale->points > 0 && scale->points <= 100000 && scale->packages > 2 &&
           inbox > INSTRUCTION_TARGETS_MAX; /* one that does not fit in is handed for ever */
}

int
main(int argc, char **argv)
{
    scale_t scale = {.points = 200, .packages = 20, .seed = 1, .well = true};

    if (!parse(argc, argv, &scale)) {
        fprintf(stderr, "usage: scale_sim [--points N] [--packages M] [--seed S] [--inbox N]\n");
        return 2;
    }
    printf("TAP version 13\n1..5\n");
    set_up(&scale);
    live(&scale);
    tell(&scale);
    crowd_destroy(&scale.crowd);
    stage_destroy(&scale.stage);
    return scale.well ? 0 : 1;
}
