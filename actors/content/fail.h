/* fail.h - the failure of a world call as a fault of this room.
 *
 * Shape    short forms of RAISE; result is what the world returned, -errno.
 * Threads  as RAISE.
 */
#pragma once

#include "proto/errors.h"

#define FAIL(fault, result, verb, path)                                                            \
    RAISE((fault), err_of_errno((int) -(result)), (int) -(result), (verb), (path))
/* Where the path itself is what a command has named. */
#define PATH_FAIL(fault, result, verb, path)                                                       \
    RAISE((fault), err_of_path_errno((int) -(result)), (int) -(result), (verb), (path))
#define NO_MEMORY(fault, what) RAISE((fault), ERR_NO_MEMORY, 0, "allocate", (what))
