/* despoold_says.h - what a running host says, to who may have stopped listening.
 *
 * Shape    a line to an output, a datagram to the service manager.
 * Promises nothing waits: what finds no room is lost.
 * Threads  any.
 */
#pragma once

/* A line, cut at PIPE_BUF bytes. */
void say(int fd, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Tells the service manager, when $NOTIFY_SOCKET names one (sd_notify's protocol: one datagram). */
void notify(const char *state);
