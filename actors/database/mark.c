/* mark.c - the last status message that was committed, told outside of the database.
 *
 * Bytes    DATA/site.mark: "despool mark ", the number and its complement, 16 hex digits each, and
 *          a newline.
 * Valid    when the complement is one; else it says nothing.
 * Crash    leaves the number of a commit that was durable: it is written after the commit and never
 *          synced, so it may be behind the database and is never ahead of it. A database that is
 *          behind its mark has lost what was promised: SQLite takes a damaged log for a shorter one
 *          and says nothing.
 */
#include "actors/database/connection.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define MARK_BYTES 47u /* of the whole file */

static err_t
open_mark(connection_t *connection, fault_t *fault)
{
    int fd =
        world_open(connection->world, connection->data_fd, "site.mark", O_RDWR | O_CREAT, 0600, 0);
    if (fd < 0 && err_of_errno(-fd) != ERR_SPACE) {
        return RAISE(fault, err_of_errno(-fd), -fd, "open", "site.mark");
    }
    connection->mark_fd = fd;
    return OK;
}

/* 0: there is none that says anything. */
static uint64_t
read_mark(connection_t *connection)
{
    char text[MARK_BYTES + 1] = "";
    uint64_t number = 0;
    uint64_t complement = 0;
    int64_t got = connection->mark_fd < 0
                      ? -EBADF
                      : world_read(connection->world, connection->mark_fd, text, MARK_BYTES, 0);
    bool whole = got == (int64_t) MARK_BYTES &&
                 sscanf(text, "despool mark %16" SCNx64 " %16" SCNx64, &number, &complement) == 2;
    return whole && number == ~complement ? number : 0;
}

err_t
mark_check(connection_t *connection, fault_t *fault)
{
    int64_t last = 0;
    TRY(open_mark(connection, fault));
    TRY(connection_pragma(connection, CONNECTION_LAST_EVENT, &last, fault));
    bool behind = (uint64_t) last < read_mark(connection);
    return behind ? RAISE(fault, ERR_DAMAGED, 0, "read", "site.db-wal") : OK;
}

void
mark_set(connection_t *connection, uint64_t last)
{
    char text[MARK_BYTES + 1];
    if (connection->mark_fd < 0 || last == 0) {
        return;
    }
    snprintf(text, sizeof text, "despool mark %016" PRIx64 " %016" PRIx64 "\n", last, ~last);
    /* Where it cannot be written the former one stays, which is as true as before. */
    (void) world_write(connection->world, connection->mark_fd, text, MARK_BYTES, 0);
}
