/* instruction.c - see instruction.h. */
#include "actors/instruction.h"

#include <string.h>

#include "runtime/actor.h"

static const due_row_t *
row_at(const due_t *due, uint32_t row)
{
    return ROW(due, due->targets, row, due_row_t);
}

static bool
belong_together(const due_row_t *a, const due_row_t *b)
{
    return a->action == b->action && a->epoch == b->epoch && a->attempt == b->attempt &&
           a->of == b->of && a->integrity == b->integrity && a->cause == b->cause &&
           a->priority == b->priority &&
           memcmp(&a->package_incarnation, &b->package_incarnation, sizeof(id128_t)) == 0;
}

bool
instruction_next(instruction_walk_t *walk)
{
    const due_t *due = walk->due;
    walk->count = 0;
    for (uint32_t i = 0; i < due->targets.count && walk->count < INSTRUCTION_TARGETS_MAX; i++) {
        if (walk->grouped[i] ||
            (walk->count > 0 && !belong_together(row_at(due, walk->row[0]), row_at(due, i)))) {
            continue;
        }
        walk->grouped[i] = 1;
        walk->row[walk->count++] = i;
    }
    return walk->count > 0;
}

uint64_t
instruction_number(const id128_t *package_incarnation, uint64_t epoch, uint32_t action)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325); /* FNV-1a */
    uint8_t bytes[sizeof(id128_t) + 9];
    memcpy(bytes, package_incarnation->byte, sizeof(id128_t));
    for (uint32_t i = 0; i < 8; i++) {
        bytes[sizeof(id128_t) + i] = (uint8_t) (epoch >> (8 * i));
    }
    bytes[sizeof(id128_t) + 8] = (uint8_t) action;
    for (size_t i = 0; i < sizeof bytes; i++) {
        hash = (hash ^ bytes[i]) * UINT64_C(0x100000001b3);
    }
    return hash;
}

static void
fill_targets(const instruction_walk_t *walk, draft_t *draft, instruction_t *ret)
{
    rows_t targets = draft_rows(draft, walk->count, sizeof(target_ref_t));
    for (uint32_t i = 0; i < walk->count; i++) {
        const due_row_t *row = row_at(walk->due, walk->row[i]);
        target_ref_t *target = draft_row(draft, targets, i, sizeof *target);
        actor_about(row->target);
        if (target == NULL) {
            return; /* the draft is full, and is not sent */
        }
        target->target = row->target;
        target->revision = row->revision;
        target->dp = draft_copy_text(draft, walk->due, row->dp);
        target->dp_incarnation = row->dp_incarnation;
        target->dp_root = draft_copy_text(draft, walk->due, row->dp_root);
        target->have = row->have;
        target->seed = draft_copy_text(draft, walk->due, row->seed);
        target->read_only = row->read_only;
    }
    ret->targets = targets;
}

void
instruction_fill(const instruction_walk_t *walk, draft_t *draft, instruction_t *ret)
{
    const due_row_t *first = row_at(walk->due, walk->row[0]);
    actor_about(first->target);
    ret->number = instruction_number(&first->package_incarnation, first->epoch, first->action);
    ret->action = first->action;
    ret->package = draft_copy_text(draft, walk->due, first->package);
    ret->package_incarnation = first->package_incarnation;
    ret->epoch = first->epoch;
    ret->root = first->root;
    ret->label = draft_copy_text(draft, walk->due, first->label);
    ret->bytes = first->bytes;
    ret->attempt = first->attempt;
    ret->of = first->of;
    ret->integrity = first->integrity;
    ret->due = first->due;
    ret->cause = first->cause;
    ret->priority = first->priority;
    fill_targets(walk, draft, ret);
}
