/* cli_rollout.c - the rings of a package, and its switchover, as a line. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "tools/cli.h"
#include "tools/cli_print.h"

void
cli_show_rollout(const wire_value_t *package)
{
    wire_value_t rollout;

    if (!wire_find(package, "rollout", &rollout) || rollout.kind != WIRE_MAP) {
        return;
    }
    slice_t state = cli_text(&rollout, "state"), rings = cli_text(&rollout, "rings");
    slice_t why = cli_text(&rollout, "why");
    cli_line(stdout,
             "ring %" PRIu64 " of %" PRIu64 " (%.*s %%), %.*s%s%.*s; waits for %" PRIu64
             " points, %" PRIu64 " of %" PRIu64 " failures",
             cli_number(&rollout, "ring"), cli_number(&rollout, "of"), (int) rings.size, rings.data,
             (int) state.size, state.data, why.size > 0 ? ": " : "", (int) why.size, why.data,
             cli_number(&rollout, "waits_for"), cli_number(&rollout, "failures"),
             cli_number(&rollout, "stop_at"));
}

static void
put_time(char *line, size_t size, const char *before, slice_t time)
{
    size_t used = strlen(line);

    if (time.size > 0) {
        snprintf(line + used, size - used, "%s%.*s", before, (int) time.size, time.data);
    }
}

void
cli_show_switchover(const wire_value_t *package)
{
    wire_value_t switchover, barrier;
    char times[160] = "";

    if (!wire_find(package, "switchover", &switchover) || switchover.kind != WIRE_MAP) {
        return;
    }
    slice_t state = cli_text(&switchover, "state"), why = cli_text(&switchover, "why");
    slice_t waits_for = cli_text(&switchover, "waits_for");
    bool all = wire_find(&switchover, "barrier", &barrier) && barrier.boolean;
    put_time(times, sizeof times, ", not before ", cli_text(&switchover, "activate_at"));
    put_time(times, sizeof times, ", deadline ", cli_text(&switchover, "deadline"));
    put_time(times, sizeof times, "; waits for ", waits_for);
    cli_line(stdout,
             "switchover%s %.*s since %.*s%s%.*s; of %" PRIu64 " points %" PRIu64
             " have promised, %" PRIu64 " have switched%s",
             all ? " of all or none" : "", (int) state.size, state.data,
             (int) cli_text(&switchover, "since").size, cli_text(&switchover, "since").data,
             why.size > 0 ? ": " : "", (int) why.size, why.data, cli_number(&switchover, "points"),
             cli_number(&switchover, "promised"), cli_number(&switchover, "switched"), times);
}
