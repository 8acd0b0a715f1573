/* instruction.h - groups due targets into instructions: the message of Q153576.
 *
 * Shape    rows of `due` that want the same thing for the same reason go into one instruction,
 *          at most INSTRUCTION_TARGETS_MAX of them; the further ones into a further instruction.
 * Promises every due row is in exactly one instruction; none is without targets; a retry equals
 *          the first instruction in every field but attempt, due, cause, integrity and the
 *          targets done.
 * Costs    quadratic in DUE_TARGETS_MAX at worst.
 * Threads  pure.
 */
#pragma once

#include "proto/messages.h"

/* A walk over the groups of one `due`; zeroed but for due. */
typedef struct instruction_walk {
    const due_t *due;
    uint8_t *grouped; /* one byte for each row, zeroed: the row is in an instruction */
    uint32_t row[INSTRUCTION_TARGETS_MAX];
    uint32_t count;
} instruction_walk_t;

/* The next group into row and count; false when every row is grouped. */
bool instruction_next(instruction_walk_t *walk);
/* Fills the instruction begun in draft with the group in hand. */
void instruction_fill(const instruction_walk_t *walk, draft_t *draft, instruction_t *ret);
/* Equal over all retries: a function of package incarnation, epoch and action alone. */
uint64_t instruction_number(const id128_t *package_incarnation, uint64_t epoch, uint32_t action);
