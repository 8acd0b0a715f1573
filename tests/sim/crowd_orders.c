/* crowd_orders.c - what members answer to orders, and what no order may be; see crowd.h. */
#include <assert.h>
#include <stdlib.h>

#include "actors/outcome.h"
#include "tests/sim/crowd_inside.h"

uint32_t
crowd_package(crowd_t *crowd, const agent_order_t *order)
{
    const work_t *work = ROW(order, order->work, 0, work_t);
    char name[NAME_BYTES_MAX + 1] = "";

    (void) slice_copy(record_slice(order, work->package), name, sizeof name);
    uint32_t package = name[0] == 'P' ? (uint32_t) strtoul(name + 1, NULL, 10) : 0;
    if (package < 1 || package > crowd->packages) {
        stage_note_fault(crowd->stage, "an order is for '%s', which nobody distributed", name);
        package = 0;
    }
    return package;
}

/* What becomes of a try to place it. */
static err_t
try_to_place(crowd_t *crowd, uint32_t member, uint32_t package)
{
    uint8_t *tries = crowd_of_target(crowd, crowd->tries, member, package);
    crowd_kind_t kind = crowd_kind(member);
    uint32_t failed = kind == CROWD_FAILS_TWICE ? CROWD_TRIES : 0;

    crowd->counts.works++;
    if (*tries > failed || crowd_has(crowd, member, package)) {
        stage_note_fault(crowd->stage, "D16: M%05u is to place P%u a %uth time, and %u failed",
                         member, package, *tries + 1, failed);
    }
    *tries = *tries < UINT8_MAX ? (uint8_t) (*tries + 1) : UINT8_MAX;
    if (crowd_refuses(member, package)) {
        return ERR_NOT_OURS;
    }
    return kind == CROWD_FAILS_TWICE && *tries <= CROWD_TRIES ? ERR_IO : OK;
}

static text_t
sign_receipt(crowd_t *crowd, draft_t *draft, const agent_order_t *order, const work_t *work)
{
    uint8_t signature[SIGN_BYTES];
    signed_version_t version = {.site = work->site,
                                .point = work->dp_incarnation,
                                .package_incarnation = work->package_incarnation,
                                .action = work->action,
                                .epoch = work->epoch,
                                .root = work->root,
                                .package = record_slice(order, work->package)};

    sign_version(&crowd->signing, SIGN_RECEIPT, &version, signature);
    return draft_text(draft, (slice_t){(const char *) signature, sizeof signature});
}

static void
answer_work(crowd_t *crowd, uint32_t member, draft_t *draft, agent_done_t *m,
            const agent_order_t *order, const work_t *work)
{
    uint32_t package = crowd_package(crowd, order);
    err_t err = try_to_place(crowd, member, package);

    m->outcome = draft_rows(draft, 1, sizeof(outcome_t));
    outcome_t *row = draft_row(draft, m->outcome, 0, sizeof *row);
    assert(row);
    outcome_fill_of(draft, row, order, work);
    row->err = err;
    row->reached = true;
    if (err == OK) {
        row->root = work->root;
        m->signature = sign_receipt(crowd, draft, order, work);
        *crowd_of_target(crowd, crowd->has, member, package) = 1;
        crowd->counts.receipts++;
    } else {
        row->text = draft_text(draft, slice_of(err_sentence(err)));
        crowd->counts.failed++;
    }
}

static void
answer_measure(draft_t *draft, agent_done_t *m)
{
    m->measured = draft_rows(draft, 1, sizeof(measured_t));
    measured_t *row = draft_row(draft, m->measured, 0, sizeof *row);
    assert(row);
    *row = (measured_t){.reached = true,
                        .device = 1,
                        .need_bytes = 1,
                        .need_inodes = 1,
                        .have_bytes = UINT64_C(1) << 40,
                        .have_inodes = UINT64_C(1) << 30,
                        .bytes = 1};
}

void
crowd_answer(crowd_t *crowd, uint32_t member, const agent_order_t *order)
{
    draft_t draft = crowd_draft(crowd);
    const work_t *work = ROW(order, order->work, 0, work_t);

    agent_done_t *m = draft_begin(&draft, &agent_done_type);
    m->order = order->order;
    if (order->task == AGENT_TASK_MEASURE) {
        answer_measure(&draft, m);
    } else if (order->task == AGENT_TASK_WORK) {
        answer_work(crowd, member, &draft, m, order, work);
    } else if (order->task == AGENT_TASK_COLLECT) {
        m->collected = draft_rows(&draft, 1, sizeof(collected_t));
        crowd->counts.collected++;
    } else if (order->task == AGENT_TASK_PROBE) {
        m->claimed = draft_rows(&draft, 1, sizeof(claimed_t));
        crowd->counts.probes++;
    } else {
        stage_note_fault(crowd->stage, "an order to do what nobody asked for");
    }
    assert(!draft.full);
    crowd_say(crowd, member, &agent_done_type, m);
}
