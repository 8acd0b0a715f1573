/* cli_rollout.c - the rings of a package, as a line. */
#include <inttypes.h>

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
