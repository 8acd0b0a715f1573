/* story.c - the last messages between the parts of a site, as text and as a sequence diagram. */
#include "tests/sim/stage_inside.h"

#include <stdio.h>
#include <string.h>

#define MACHINE "machine" /* who does what no actor does */

static story_line_t *
next_line(stage_t *stage)
{
    return &stage->story[stage->story_next++ % STORY_LINES];
}

void
story_tell(stage_t *stage, const sim_sight_t *sight)
{
    if (!stage->options.story || stage->story_over) {
        return;
    }
    story_line_t *line = next_line(stage);
    *line = (story_line_t){.now_ns = sight->now_ns, .answer = sight->is_reply};
    snprintf(line->from, sizeof line->from, "%s", *sight->from ? sight->from : MACHINE);
    snprintf(line->to, sizeof line->to, "%s", *sight->to ? sight->to : MACHINE);
    record_print(sight->type, sight->record, line->text, sizeof line->text);
}

void
story_note(stage_t *stage, const char *text)
{
    if (!stage->options.story || !stage->sim || stage->story_over) {
        return;
    }
    story_line_t *line = next_line(stage);
    *line = (story_line_t){.now_ns = sim_now_ns(stage->sim), .from = MACHINE, .to = MACHINE};
    snprintf(line->text, sizeof line->text, "%s", text);
}

static uint32_t
first_line(const stage_t *stage, uint32_t lines)
{
    uint32_t kept = lines < STORY_LINES ? lines : STORY_LINES;

    return stage->story_next > kept ? stage->story_next - kept : 0;
}

void
stage_story(const stage_t *stage, uint32_t lines)
{
    for (uint32_t i = first_line(stage, lines); i < stage->story_next; i++) {
        const story_line_t *line = &stage->story[i % STORY_LINES];
        fprintf(stderr, "    %9.3f ms %s -> %s %s%s\n", (double) line->now_ns / 1e6, line->from,
                line->to, line->answer ? "answer " : "", line->text);
    }
}

/* Mermaid takes no quotes, semicolons or braces in a label, and a label of one line. */
static void
put_label(const char *text, size_t most)
{
    for (size_t i = 0; text[i] && i < most; i++) {
        fputc(strchr("\"'`;#{}<>%\n", text[i]) ? ' ' : text[i], stderr);
    }
}

void
stage_diagram(const stage_t *stage, uint32_t lines)
{
    fprintf(stderr, "sequenceDiagram\n");
    for (uint32_t i = first_line(stage, lines); i < stage->story_next; i++) {
        const story_line_t *line = &stage->story[i % STORY_LINES];
        if (strcmp(line->from, MACHINE) == 0 && strcmp(line->to, MACHINE) == 0) {
            fprintf(stderr, "    Note over executive: %.3f ms ", (double) line->now_ns / 1e6);
        } else {
            fprintf(stderr, "    %s%s%s: %.3f ms ", line->from, line->answer ? "-->>" : "->>",
                    line->to, (double) line->now_ns / 1e6);
        }
        put_label(line->text, 100);
        fputc('\n', stderr);
    }
}
