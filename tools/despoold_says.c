/* despoold_says.c - lines of the running host, and what the service manager is told. */
#include "tools/despoold_says.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

void
say(int fd, const char *format, ...)
{
    char line[PIPE_BUF]; /* of a pipe that takes anything, so much goes in without waiting */
    struct pollfd output = {.fd = fd, .events = POLLOUT};
    va_list arguments;

    va_start(arguments, format);
    int size = vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    if (size > 0 && poll(&output, 1, 0) == 1 && (output.revents & POLLOUT)) {
        size_t whole = (size_t) size < sizeof line ? (size_t) size : sizeof line - 1;
        ssize_t wrote = write(fd, line, whole);
        (void) wrote; /* nobody could be told */
    }
}

void
notify(const char *state)
{
    const char *path = getenv("NOTIFY_SOCKET");
    struct sockaddr_un address = {.sun_family = AF_UNIX};

    if (!path || (path[0] != '/' && path[0] != '@') || strlen(path) >= sizeof address.sun_path) {
        return;
    }
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0) {
        return;
    }
    memcpy(address.sun_path, path, strlen(path));
    if (path[0] == '@') {
        address.sun_path[0] = 0; /* a name of the abstract kind */
    }
    socklen_t size = (socklen_t) (offsetof(struct sockaddr_un, sun_path) + strlen(path));
    if (sendto(fd, state, strlen(state), MSG_NOSIGNAL | MSG_DONTWAIT, (struct sockaddr *) &address,
               size) < 0) {
        say(STDERR_FILENO, "cannot notify '%s': %s, ignoring\n", path, strerror(errno));
    }
    close(fd);
}
