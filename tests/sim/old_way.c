/* old_way.c - the despooler's retry of 1997, to be caught.
 *
 * Q153576: after one of two servers had failed, the retry instruction named no server, was read as
 * nothing to do, and deleted as complete. Linked before the actors, this file takes the place of
 * dm_ops.c: it is that file, but for an instruction that follows a failed try. */
#define instruction_fill old_way_fill
#include "actors/dm_ops.c"
#undef instruction_fill

/* The real one, which instruction.h declared under the name of the double. */
void instruction_fill(const instruction_walk_t *walk, draft_t *draft, instruction_t *ret);

void
old_way_fill(const instruction_walk_t *walk, draft_t *draft, instruction_t *ret)
{
    instruction_fill(walk, draft, ret);
    if (ret->cause != OK) {
        ret->targets = (rows_t){0, 0};
    }
}
