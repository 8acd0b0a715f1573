/* yard_plain.c - plain connections of agents to their site, and who is between; see yard.h.
 *
 *   plain    content goes in the clear only where an operator wants that, and nothing but content
 *            and signs of life ever does, nor a list of chunks; a ticket is good once, and who says
 *            it again is told nothing
 *   who is between changes what passes, as often as it likes; what comes of that yard_look.c
 *   tells */
#include <stdio.h>

#include "actors/agent_wire.h"
#include "tests/sim/stage_inside.h"
#include "tests/sim/yard.h"

#define SETTLES_MS 3000u /* until the gateway has heard of a change */

void
yard_set_bulk(far_t *far, bool plain)
{
    stage_t *stage = far->yard->stage;
    char name[32];

    snprintf(name, sizeof name, "name=%s", far->name);
    if (stage_do(stage, 60000, "dp.set", name, plain ? "bulk=plain" : "bulk=curve", NULL) != OK) {
        stage_note_fault(stage, "dp.set was refused");
    }
    far->wants_plain |= plain;
    if (!plain) {
        stage_run(stage, SETTLES_MS);
        far->wants_plain = false;
    }
}

void
yard_end_plain(far_t *far)
{
    far->plain = 0;
    lines_free(&far->plain_up);
    lines_free(&far->plain_down);
}

/* ---- who is between ---- */

/* What it says now nobody knows: any bit of the message may be another one. Its order's number is
 * told in few of them, and no digest is of it. */
static void
change(far_t *far, frame_t *frame, agent_data_t *m)
{
    for (uint32_t i = 0; i < m->pieces.count; i++) {
        if (ROW(m, m->pieces, i, piece_t)->list) {
            stage_note_fault(far->yard->stage, "plain: '%s' is told a list of chunks in the clear",
                             far->name);
        }
    }
    far->astray = true;
    far->yard->tampered++;
    if (far->tamper == TAMPER_NUMBER) {
        far->tamper = TAMPER_NOTHING;
        m->order ^= UINT64_C(1) << yard_drawn(far->yard, 48);
        frames_write_anew(frame, &agent_data_type, m);
        return;
    }
    uint8_t bit = (uint8_t) (1u << yard_drawn(far->yard, 8));
    frame->bytes[yard_drawn(far->yard, frame->size)] ^= bit;
}

bool
frames_plain_down(far_t *far, frame_t *frame)
{
    const record_type_t *type = NULL;
    const void *record = NULL;
    stage_t *stage = far->yard->stage;
    slice_t bytes = {(const char *) frame->bytes, frame->size};
    err_t err = agent_frame_read(bytes, SITE_SAYS_IN_PLAIN, far->yard->memory, AGENT_MEMORY_BYTES,
                                 &type, &record);

    if (err != OK) {
        stage_note_fault(stage, "plain: '%s' is told in the clear what is no content", far->name);
        return true;
    }
    if (type != &agent_data_type) {
        return true;
    }
    if (!far->wants_plain) {
        stage_note_fault(stage, "plain: content for '%s' goes in the clear, and nobody wants that",
                         far->name);
    }
    far->yard->clear++;
    frames_see_data(far, frame, record);
    if (far->tamper == TAMPER_NUMBER || (far->yard->between && yard_drawn(far->yard, 4) == 0)) {
        change(far, frame, (agent_data_t *) record);
    }
    return true;
}

bool
frames_plain_up(far_t *far, frame_t *frame)
{
    const record_type_t *type = NULL;
    const void *record = NULL;
    slice_t bytes = {(const char *) frame->bytes, frame->size};

    if (agent_frame_read(bytes, AGENT_SAYS_IN_PLAIN, far->yard->memory, AGENT_MEMORY_BYTES, &type,
                         &record) != OK) {
        stage_note_fault(far->yard->stage, "plain: '%s' says in the clear what is no ticket",
                         far->name);
    }
    return true;
}

/* A ticket that was said is said again, by who has heard it pass. */
void
yard_repeat_ticket(far_t *far, slice_t body)
{
    far->stranger = ++far->yard->connections;
    slice_t peer = {(const char *) &far->stranger, sizeof far->stranger};

    (void) sim_plain_came(stage_sim(far->yard->stage), peer, body);
    far->yard->site_due_ns = sim_due_ns(stage_sim(far->yard->stage));
}
