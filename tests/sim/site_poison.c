/* site_poison.c - a site at rest meets a message that fails its handler each time. */
#include <stdio.h>
#include <string.h>

#include "proto/limits.h"
#include "tests/sim/site_inside.h"
#include "tests/sim/stage_inside.h"
#include "tests/sim/stage_poison.h"

#define SET_ASIDE_MS 120000u /* virtual time for its attempts, and for the rest to come to rest */

static bool
text_is(const wire_value_t *row, const char *name, const char *text)
{
    wire_value_t value;

    return wire_find(row, name, &value) && slice_equal(value.bytes, slice_of(text));
}

static bool
says_why(const wire_value_t *row)
{
    wire_value_t reason;
    char text[256];

    return wire_find(row, "reason", &reason) && slice_copy(reason.bytes, text, sizeof text) &&
           strstr(text, "is_wholesome") != NULL;
}

/* Exactly one message of distribution_manager was set aside, with its reason. */
static bool
is_set_aside(run_t *run)
{
    wire_value_t rows, row, attempts;

    if (stage_do(run->stage, 60000, "quarantine.list", NULL) != OK ||
        !wire_find(stage_answer(run->stage), "messages", &rows) || rows.count != 1) {
        return false;
    }
    const uint8_t *at = rows.body;
    wire_next(&rows, &at, &row);
    return text_is(&row, "actor", "distribution_manager") && text_is(&row, "message", "outcome") &&
           wire_find(&row, "attempts", &attempts) && attempts.uint == DELIVERY_ATTEMPTS_MAX &&
           says_why(&row);
}

/* Another sender goes on telling: site_database, whenever a target waits or may go on again. */
static void
go_on(run_t *run, const char *name)
{
    for (uint32_t i = 0; i < 60 && !stage_fault(run->stage); i++) {
        const char *command = i % 2 ? "dp.pause" : "dp.resume";
        site_must(run, command, stage_do(run->stage, 60000, command, name, NULL));
    }
    site_must(run, "dp.resume", stage_do(run->stage, 60000, "dp.resume", name, NULL));
}

/* A new version comes to all points but one, which is paused; the first outcome is poison. */
bool
site_bears_poison(run_t *run)
{
    if (!run->plan->poison) {
        return true;
    }
    site_must(run, "dp.pause", stage_do(run->stage, 60000, "dp.pause", "name=b", NULL));
    story_note(run->stage, "what the despooler tells next is poison");
    poison_arm(run->stage, "despooler");
    site_update(run);
    go_on(run, "name=b");
    bool aside = false;
    for (uint32_t waited = 0; !aside && waited < SET_ASIDE_MS; waited += 1000) {
        stage_run(run->stage, 1000);
        aside = is_set_aside(run);
    }
    if (!aside) {
        stage_note_fault(run->stage,
                         "invariant 7: a poison message is not in quarantine with its reason after "
                         "%u attempts",
                         poison_attempts());
    }
    poison_arm(run->stage, NULL);
    stage_do(run->stage, 60000, "quarantine.drop", "number:1", NULL);
    return site_converge(run, "after a poison message");
}
