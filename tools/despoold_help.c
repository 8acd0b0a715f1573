/* despoold_help.c - see despoold_help.h. */
#include "tools/despoold_help.h"

#include <stdio.h>

void
despoold_help(void)
{
    printf(
        "despoold [--data DIR] [--config FILE] [--listen tcp://ADDRESS:PORT]\n"
        "         [--listen-plain tcp://ADDRESS:PORT] [--placement component|pool]\n"
        "         [--on-activate PROGRAM]\n"
        "despoold join TOKEN --data DIR --root ROOT [--config FILE] [--on-activate PROGRAM]\n"
        "despoold parcel FILE --data DIR\n\n"
        "Runs a site: a software distribution server, in the foreground. With join, or with a\n"
        "data directory that has joined: the agent of a distribution point. With parcel: takes\n"
        "what despool package export has written, for the agent, which is not running; the next\n"
        "distribution of that version sends nothing of it.\n"
        "  --data DIR     where the site lives (default: /var/lib/despool as root, else\n"
        "                 $XDG_STATE_HOME/despool)\n"
        "  --config FILE  configuration in ZPL; see docs/operations.md\n"
        "  --listen E     takes agents in at this endpoint, which they can reach; up to four\n"
        "  --listen-plain E  by this one, content may go unencrypted to the agents of points\n"
        "                 for which that is wanted (despool dp set NAME --bulk plain)\n"
        "  --root ROOT    of join: the directory that is the distribution point\n"
        "  TOKEN          of join: as printed by despool dp add NAME --agent\n"
        "  --placement P  component: each named component has a thread of its own (default);\n"
        "                 pool: all share the threads of the pool\n"
        "  --on-activate PROGRAM  of an agent: runs it after a version has become current\n"
        "  --version      tells which despoold this is\n"
        "SIGTERM stops it in order. Exit codes: 0 stopped in order, 1 failed, 2 wrong usage.\n");
}
