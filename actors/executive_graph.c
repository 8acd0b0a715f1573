/* executive_graph.c - the answer of graph: the edges of the loaded classes, and who waits now. */
#include "actors/answer.h"
#include "actors/executive_desk.h"

#define LOOK_AT_ONCE 16u /* actors whose figures are copied at a time */

static const char *const how_words[] = {[EDGE_TELL] = "tell",
                                        [EDGE_ASK] = "ask",
                                        [EDGE_CALL] = "call",
                                        [EDGE_DYNAMIC] = "call-dynamic",
                                        [EDGE_NEED] = "need"};

static uint32_t
edge_count(const actor_ctx_t *ctx)
{
    const actor_class_t *class;
    uint32_t count = 0;

    for (uint32_t i = 0; (class = actor_class_at(ctx, i)) != NULL; i++) {
        count += class->edge_count;
    }
    return count;
}

static void
put_edge(actor_ctx_t *ctx, rows_t rows, uint32_t which, const actor_class_t *from,
         const actor_edge_t *edge)
{
    graph_edge_t row = {.from = actor_text(ctx, slice_of(from->name)),
                        .how = actor_text(ctx, slice_of(how_words[edge->kind])),
                        .to = actor_text(ctx, slice_of(edge->target)),
                        .message = actor_text(ctx, slice_of(edge->type->name))};
    graph_edge_t *into = draft_row(actor_draft_open(ctx), rows, which, sizeof row);

    if (into) {
        *into = row;
    }
}

static rows_t
edges(actor_ctx_t *ctx)
{
    rows_t rows = draft_rows(actor_draft_open(ctx), edge_count(ctx), sizeof(graph_edge_t));
    const actor_class_t *class;
    uint32_t which = 0;

    for (uint32_t i = 0; (class = actor_class_at(ctx, i)) != NULL; i++) {
        for (uint32_t e = 0; e < class->edge_count; e++) {
            put_edge(ctx, rows, which++, class, &class->edges[e]);
        }
    }
    return rows;
}

static void
put_wait(actor_ctx_t *ctx, rows_t rows, uint32_t which, const actor_figures_t *who)
{
    actor_figures_t next = {0};
    uint32_t at = 0;
    bool known = who->waits_on.index != 0 &&
                 actor_watch(ctx, who->waits_on.index, &next, 1, &at) == 1 &&
                 next.who.index == who->waits_on.index;
    graph_wait_t row = {.actor = actor_text(ctx, slice_of(who->name)),
                        .class = actor_text(ctx, slice_of(who->class_name)),
                        .waits_for = actor_text(ctx, slice_of(who->waits_for)),
                        .on = known ? actor_text(ctx, slice_of(next.name)) : (text_t){0, 0}};
    graph_wait_t *into = draft_row(actor_draft_open(ctx), rows, which, sizeof row);

    if (into) {
        *into = row;
    }
}

/* Looking holds up nobody, so the figures are those of moments close to each other. */
static rows_t
waits(actor_ctx_t *ctx, uint64_t *ret_waiting)
{
    rows_t rows = draft_rows(actor_draft_open(ctx), GRAPH_WAITS_MAX, sizeof(graph_wait_t));
    actor_figures_t figures[LOOK_AT_ONCE];
    uint32_t from = 0;
    uint32_t count;
    uint32_t shown = 0;

    *ret_waiting = 0;
    while ((count = actor_watch(ctx, from, figures, LOOK_AT_ONCE, &from)) > 0) {
        for (uint32_t i = 0; i < count; i++) {
            bool waits = figures[i].waits_for[0] != 0;
            *ret_waiting += waits;
            if (waits && shown < GRAPH_WAITS_MAX) {
                put_wait(ctx, rows, shown++, &figures[i]);
            }
        }
    }
    rows.count = shown;
    rows.at = shown == 0 ? 0 : rows.at;
    return rows;
}

actor_next_t
desk_graph(actor_ctx_t *ctx)
{
    graph_shown_t *m = DRAFT(ctx, graph_shown);

    m->edges = edges(ctx);
    m->waits = waits(ctx, &m->waiting);
    answer_unheard(REPLY(ctx, graph_shown, m));
    return ACTOR_CONTINUE;
}
