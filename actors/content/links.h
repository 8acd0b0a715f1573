/* links.h - whether a symbolic link may lead out of the tree that it is in.
 *
 * Shape    the text of a link, and how many directories of the tree it is below the topmost one.
 * Promises where none of a tree's links may, following them never leaves it, whatever they lead
 *          to: a text goes up first, through real directories, no further than to the top, and
 *          then only down, by names of the tree. One that goes up behind a name may leave by
 *          way of another link, and is said to lead out even where it does not.
 * Costs    one look at the text.
 * Errors   none.
 * Threads  any.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

bool link_may_lead_out(const char *text, size_t depth);
