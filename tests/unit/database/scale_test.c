/* scale_test.c - many targets: what becomes due at once, and what one package costs among others.
 *
 * Counted, and not timed: messages, transactions, and steps of SQLite's machine. How long it took
 * on this machine is told beside them. */
#include "scale_under_test.h"

#include <string.h>
#include <time.h>

#define ROWS_PACKAGES 100
#define ROWS_POINTS   10000
#define MILLION       (ROWS_PACKAGES * ROWS_POINTS)

static double
seconds_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double) now.tv_sec + (double) now.tv_nsec / 1e9;
}

/* ---- D38 ---- */

typedef struct activation {
    uint64_t targets, messages; /* that were handed on, and that were asked for it */
    uint64_t steps, walked;
    double seconds;
} activation_t;

/* Takes up all that is due, as the distribution_manager does. */
static void
take_up_all(site_t *site, activation_t *activation)
{
    double began = seconds_now();
    bool more = true;
    while (more) {
        const due_t *taken = due(site);
        activation->targets += taken->targets.count;
        activation->messages++;
        more = taken->more;
    }
    activation->seconds += seconds_now() - began;
    activation->steps += steps_of(site);
    activation->walked += walked_by(site);
}

/* A distribution to all points: a message for the rows, and then what is handed on. */
static activation_t
distributed_to(int points)
{
    activation_t activation = {.messages = 1};
    site_t *site = site_of_points(points);
    (void) steps_of(site);
    (void) walked_by(site);
    double began = seconds_now();
    cr_assert(distributed(site, "P1", NULL));
    activation.seconds = seconds_now() - began;
    take_up_all(site, &activation);
    site_end(site);
    return activation;
}

/* The moment at which what all have staged is to be switched to: a look, and what is handed on. */
static activation_t
switched_at(int points)
{
    activation_t activation = {0};
    site_t *site = site_of_points(points);
    make_distribute(site, "P1", NULL);
    distribute_t *m = (distribute_t *) site->message.base;
    m->activate_at = WALL_START + INT64_C(3600000000000);
    cr_assert(ASK(site, distribute, targets_changed)->changed);
    execute(site, "UPDATE target SET state = 9, taken = 0, look = NULL, due = NULL, "
                  "promised = since, promised_epoch = wanted");
    world_sim_set_wall(site->sim, WALL_START + INT64_C(3600000000000));
    (void) steps_of(site);
    (void) walked_by(site);
    take_up_all(site, &activation);
    site_end(site);
    return activation;
}

/* Who goes through all of them for each is found among 4,000, and does not take a day. */
static double
steps_for_each_of(activation_t (*activate)(int points), int points, double few,
                  activation_t *ret_activation)
{
    *ret_activation = activate(points);
    double each = (double) ret_activation->steps / points;
    cr_assert_eq(ret_activation->targets, (uint64_t) points, "%lu of %d were handed on",
                 (unsigned long) ret_activation->targets, points);
    cr_assert_leq(ret_activation->messages, (uint64_t) points / DUE_TARGETS_MAX + 2,
                  "%lu messages for %d", (unsigned long) ret_activation->messages, points);
    cr_assert(few == 0 || each < 1.5 * few, "%.0f steps for each of %d, %.0f among few", each,
              points, few);
    cr_assert_eq(ret_activation->walked, 0u, "%lu rows were walked over",
                 (unsigned long) ret_activation->walked);
    return each;
}

static void
costs_its_own(activation_t (*activate)(int points), const char *what)
{
    activation_t activation;
    double few = steps_for_each_of(activate, 500, 0, &activation);
    (void) steps_for_each_of(activate, 4000, few, &activation);
    double each = steps_for_each_of(activate, 50000, few, &activation);
    printf("# 50,000 targets %s: %lu messages, %.0f steps each (%.0f among 500), %.1f s here\n",
           what, (unsigned long) activation.messages, each, few, activation.seconds);
}

Test(d38, q154861_fifty_thousand_targets_become_due_in_two_hundred_messages, .timeout = 300)
{
    costs_its_own(distributed_to, "distributed to");
}

Test(d38, q153087_fifty_thousand_switch_in_one_look_and_each_costs_what_it_costs_among_few,
     .timeout = 300)
{
    costs_its_own(switched_at, "switched");
}

/* ---- a million rows ---- */

/* Every package at every point, as if it were installed; and P1 in work at one of them. */
static site_t *
site_of_rows(int packages)
{
    site_t *site = site_of_points(ROWS_POINTS);
    for (int i = 2; i <= packages; i++) {
        char id[16];
        snprintf(id, sizeof id, "P%d", i);
        package_is(site, id, i);
    }
    for (int i = 1; i <= packages; i++) {
        char text[512];
        snprintf(text, sizeof text,
                 "INSERT INTO target (package, point, state, wanted, have, have_root, of, since) "
                 "SELECT %d, row, 2, 1, 1, (SELECT root FROM version WHERE package = %d), 100, 1 "
                 "FROM point",
                 i, i);
        execute(site, text);
    }
    return site;
}

static const status_of_t *
status_of_package(site_t *site, const char *id)
{
    status_t *m = MAKE(site, status);
    HEAD(site, m);
    m->id = site_text(site, id);
    return ASK(site, status, status_of);
}

static void
live(site_t *site)
{
    cr_assert(withdrawn(site, "P1", "DP09999"));
    removed(site, "DP09999");
    cr_assert(distributed(site, "P1", "DP09999"));
    due_row_t row = due_on(site, "DP09999");
    begun(site, &row);
    cr_assert_eq(outcome(site, &row, ERR_IO, TARGET_RETRYING, 1, 1000), OK);
    cr_assert(cancelled(site, "P1", "DP09999"));
    cr_assert(retried(site, "P1", "DP09999"));
    installed(site, "DP09999");
    (void) due(site);
}

/* What is asked now and then; a point shows all of its packages. */
static void
look(site_t *site)
{
    MAKE(site, dp_show)->name = site_text(site, "DP09999");
    (void) ASK(site, dp_show, point_shown);
    MAKE(site, scrub_next)->limit = SCRUB_POINTS_MAX;
    (void) ASK(site, scrub_next, scrub_due);
    MAKE(site, untidied)->limit = DUE_TARGETS_MAX;
    (void) ASK(site, untidied, due);
    MAKE(site, alarm_query);
    (void) ASK(site, alarm_query, alarm_facts);
}

typedef struct rows_cost {
    uint64_t status, life, walked;
    double status_seconds;
} rows_cost_t;

static rows_cost_t
cost_among(int packages)
{
    rows_cost_t cost = {0};
    site_t *site = site_of_rows(packages);
    (void) status_of_package(site, "P1");
    (void) steps_of(site);
    (void) walked_by(site);
    double began = seconds_now();
    cr_assert_eq(status_of_package(site, "P1")->targets.count, (uint32_t) ROWS_POINTS);
    cost.status_seconds = seconds_now() - began;
    cost.status = steps_of(site);
    live(site);
    cost.life = steps_of(site);
    look(site);
    cost.walked = walked_by(site);
    site_end(site);
    return cost;
}

Test(scale, a_package_at_ten_thousand_points_costs_the_same_alone_and_among_a_million_targets,
     .timeout = 300)
{
    rows_cost_t alone = cost_among(1), among = cost_among(ROWS_PACKAGES);
    printf("# status of a package at %d points, of %d targets: %.0f ms here; %lu steps (%lu "
           "alone), a target's life %lu (%lu)\n",
           ROWS_POINTS, MILLION, among.status_seconds * 1000, (unsigned long) among.status,
           (unsigned long) alone.status, (unsigned long) among.life, (unsigned long) alone.life);
    cr_expect_lt((double) among.status, 1.1 * (double) alone.status);
    cr_expect_lt((double) among.life, 1.5 * (double) alone.life);
    cr_expect_eq(among.walked, 0u, "%lu rows were walked over", (unsigned long) among.walked);
}
