/* cli_commands.c - the one table of what can be said on the command line. */
#include "tools/cli.h"

#include <stddef.h>

#define ID                                                                                         \
    {                                                                                              \
        "ID", "id", CLI_TEXT, true                                                                 \
    }
#define NAME                                                                                       \
    {                                                                                              \
        "NAME", "name", CLI_TEXT, true                                                             \
    }
#define NUMBER                                                                                     \
    {                                                                                              \
        "NUMBER", "number", CLI_NUMBER, true                                                       \
    }
#define OF_DP                                                                                      \
    {                                                                                              \
        "--dp", "dp", CLI_TEXT, false                                                              \
    }
#define WITHDRAW                                                                                   \
    {                                                                                              \
        "--withdraw", "withdraw", CLI_FLAG, false                                                  \
    }
#define EXCLUDE                                                                                    \
    {                                                                                              \
        "--exclude", "exclude", CLI_REPEAT, false                                                  \
    }

const cli_command_t cli_commands[] = {
    {"package add",
     "package.add",
     "store a source tree as a new package",
     true,
     true,
     {ID,
      {"SOURCE", "source", CLI_PATH, true},
      {"--name", "name", CLI_TEXT, false},
      {"--version", "version", CLI_TEXT, false},
      EXCLUDE}},
    {"package update",
     "package.update",
     "store the source again as a new version",
     true,
     true,
     {ID, {"--version", "version", CLI_TEXT, false}}},
    {"package set",
     "package.set",
     "change a package's name, source or excludes",
     true,
     false,
     {ID,
      {"--source", "source", CLI_PATH, false},
      {"--name", "name", CLI_TEXT, false},
      EXCLUDE,
      {"--no-exclude", "set_exclude", CLI_FLAG, false}}},
    {"package list", "package.list", "list the packages", false, false, {{0}}},
    {"package show", "package.show", "show one package and its targets", false, false, {ID}},
    {"package remove", "package.remove", "remove a package", true, true, {ID, WITHDRAW}},
    {"dp add",
     "dp.add",
     "add a distribution point; writes its identity, or makes a token",
     true,
     false,
     {NAME,
      {"ROOT", "root", CLI_PATH, true},
      {"--agent", "agent", CLI_FLAG, false},
      {"--expires", "expires_s", CLI_NUMBER, false}}},
    {"dp set",
     "dp.set",
     "change a distribution point's root, or revoke its agent's key",
     true,
     false,
     {NAME, {"--root", "root", CLI_PATH, true}, {"--revoke", "revoke", CLI_FLAG, false}}},
    {"dp adopt",
     "dp.adopt",
     "claim the root of a distribution point on purpose",
     true,
     false,
     {NAME}},
    {"dp list", "dp.list", "list the distribution points", false, false, {{0}}},
    {"dp show", "dp.show", "show one distribution point", false, false, {NAME}},
    {"dp pause", "dp.pause", "start no more work on a distribution point", true, false, {NAME}},
    {"dp resume", "dp.resume", "work on a paused distribution point again", true, false, {NAME}},
    {"dp remove",
     "dp.remove",
     "remove a distribution point",
     true,
     false,
     {NAME, WITHDRAW, {"--forget", "forget", CLI_FLAG, false}}},
    {"group add",
     "group.add",
     "name a group of distribution points",
     true,
     false,
     {NAME, {"DP", "dps", CLI_REST, true}}},
    {"group list", "group.list", "list the groups", false, false, {{0}}},
    {"group remove", "group.remove", "forget a group; its points stay", true, false, {NAME}},
    {"distribute",
     "distribute",
     "want a package on distribution points",
     true,
     false,
     {ID,
      {"--to", "to", CLI_LIST, false},
      {"--all", "all", CLI_FLAG, false},
      {"--wait", NULL, CLI_FLAG, false}}},
    {"withdraw",
     "withdraw",
     "want a package off distribution points",
     true,
     false,
     {ID, {"--from", "from", CLI_LIST, false}, {"--all", "all", CLI_FLAG, false}}},
    {"status",
     "status",
     "which version every point has and should have, and why",
     false,
     false,
     {{"ID", "id", CLI_TEXT, false}, OF_DP}},
    {"retry", "retry", "try failed, retrying and cancelled targets now", true, false, {ID, OF_DP}},
    {"cancel",
     "cancel",
     "end the work on targets that are not installed",
     true,
     false,
     {ID, OF_DP}},
    {"verify", "verify", "read every byte at the points and compare", true, true, {ID, OF_DP}},
    {"watch",
     NULL,
     "follow the status stream",
     false,
     false,
     {{"--since", NULL, CLI_NUMBER, false}, {"--count", NULL, CLI_NUMBER, false}}},
    {"component list", "component.list", "the components, live", false, false, {{0}}},
    {"component show", "component.show", "one component, live", false, false, {NAME}},
    {"component start", "component.start", "start a stopped component", true, false, {NAME}},
    {"component stop", "component.stop", "stop a component; the others go on", true, false, {NAME}},
    {"component pause", "component.pause", "let a component take no new work", true, false, {NAME}},
    {"component resume", "component.resume", "let a paused component go on", true, false, {NAME}},
    {"component restart", "component.restart", "stop and start a component", true, false, {NAME}},
    {"component set",
     "component.set",
     "change a component's setting, live and for good",
     true,
     false,
     {NAME, {"--slots", "slots", CLI_NUMBER, false}}},
    {"quarantine list", "quarantine.list", "what was set aside after failing", false, false, {{0}}},
    {"quarantine show", "quarantine.show", "one of them", false, false, {NUMBER}},
    {"quarantine retry", "quarantine.retry", "try one again", true, false, {NUMBER}},
    {"quarantine drop", "quarantine.drop", "throw one away", true, false, {NUMBER}},
    {"blackbox", "blackbox", "what the run before this one did last", false, false, {{0}}},
    {"graph",
     "graph",
     "who speaks to whom, and who waits for whom now",
     false,
     false,
     {{"--dot", NULL, CLI_FLAG, false}}},
    {"ping", "ping", "whether the site is there", false, false, {{0}}},
    {"stop", "stop", "stop the host in order", true, false, {{0}}},
    {NULL, NULL, NULL, false, false, {{0}}},
};
