/* sim_judge.c - what is wrong with a run itself, in words. */
#include "runtime/sim_graph.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

/* ---- in words ---- */

typedef struct lines {
    char *text;
    size_t size, used;
} lines_t;

static void __attribute__((format(printf, 2, 3))) line(lines_t *lines, const char *format, ...)
{
    va_list arguments;

    if (lines->used < lines->size) {
        va_start(arguments, format);
        int wrote =
            vsnprintf(lines->text + lines->used, lines->size - lines->used, format, arguments);
        va_end(arguments);
        lines->used += wrote > 0 ? (size_t) wrote : 0;
    }
}

static void
node_print(const waiting_t *node, lines_t *lines)
{
    static const char *const where[] = {[PLACE_ANSWERED] = "answered",
                                        [PLACE_LANE] = "in its mailbox",
                                        [PLACE_HELD] = "behind a message that failed",
                                        [PLACE_ACCEPTED] = "put off",
                                        [PLACE_LOST] = "nowhere: neither kept nor answered"};
    const place_t *place = &node->place;

    line(lines, "%s %s %s: %s is %s", watch_called(node->asker), node->ask->call ? "calls" : "asks",
         place->at ? watch_called(place->at) : "nobody",
         node->ask->type ? node->ask->type->name : "it", where[place->kind]);
    if (place->kind == PLACE_ACCEPTED) {
        line(lines, ", waits for %s", place->accepted->waits_for);
    } else if (place->kind == PLACE_LANE && sim_call_of(place->at)) {
        line(lines, ", closed by its own call");
    }
    line(lines, "%s\n", node->hope ? "" : " (for ever)");
}

uint32_t
sim_wait_graph(sim_t *sim, char *ret_text, size_t size)
{
    lines_t lines = {ret_text, size, 0};

    if (size > 0) {
        ret_text[0] = '\0';
    }
    sim_graph_fill(sim, sim->graph);
    sim_graph_judge(sim, sim->graph);
    for (uint32_t i = 0; i < sim->graph->count; i++) {
        node_print(&sim->graph->node[i], &lines);
    }
    return sim->graph->count;
}

void
sim_judge_alarm(void *context, uint32_t caller)
{
    sim_t *sim = context;
    actor_t *actor = sim_actor_at(sim, caller);
    char text[sizeof sim->fault];

    sim->alarms++;
    if (!actor || !sim_graph_has_circle(sim, actor)) {
        sim_wait_graph(sim, text, sizeof text);
        sim_note_fault(sim, "false alarm: %s was told cycle, and is in none\n%s",
                       actor ? watch_called(actor) : "nobody", text);
    }
}

void
sim_judge_rest(sim_t *sim)
{
    char text[sizeof sim->fault];

    sim_graph_fill(sim, sim->graph);
    if (sim->fault[0] != '\0' || sim_graph_judge(sim, sim->graph) == 0) {
        return;
    }
    sim_wait_graph(sim, text, sizeof text);
    sim_note_fault(sim, "deadlock: only deadlines would end it\n%s", text);
}

/* ---- faults ---- */

void
sim_note_fault(sim_t *sim, const char *format, ...)
{
    va_list arguments;

    if (sim->fault[0] == '\0') {
        va_start(arguments, format);
        vsnprintf(sim->fault, sizeof sim->fault, format, arguments);
        va_end(arguments);
    }
}

const char *
sim_fault(const sim_t *sim)
{
    return sim->fault[0] == '\0' ? NULL : sim->fault;
}

uint64_t
sim_alarms(const sim_t *sim)
{
    return sim->alarms;
}

sim_graph_t *
sim_graph_new(void)
{
    sim_graph_t *graph = calloc(1, sizeof *graph);

    assert(graph);
    return graph;
}

void
sim_graph_destroy(sim_graph_t **graph)
{
    if (*graph) {
        free((*graph)->node);
        free(*graph);
        *graph = NULL;
    }
}
