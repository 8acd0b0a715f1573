/* cli.h - what the files of the command line share.
 *
 * Shape    a line of arguments (cli_parse.c, by the table of cli_commands.c) becomes a request
 *          (cli_request.c), a request an answer (cli_say.c over cli_client.c), an answer text or
 *          JSON (cli_answer.c, cli_show.c); cli_watch.c and cli_wait.c do what takes many of them;
 *          cli_restore.c does without a host.
 *          All of it runs in one thread and ends with an exit code.
 * Errors   EXIT_DONE, EXIT_REFUSED (the site refused, or a wait ended with failures), EXIT_USAGE,
 *          EXIT_NO_HOST.
 */
#pragma once

#include <stdio.h>

#include "proto/wire.h"

enum { EXIT_DONE = 0, EXIT_REFUSED = 1, EXIT_USAGE = 2, EXIT_NO_HOST = 3 };

#define CLI_ARGUMENTS_MAX 16u        /* of one command; a further one is wrong usage */
#define CLI_ITEMS_MAX     10000u     /* of one list argument; a further one is wrong usage */
#define CLI_REQUEST_BYTES (1u << 20) /* of one request; a larger one is wrong usage */
#define CLI_ANSWER_MS     5000u      /* without an answer or a sign of life: no host */
#define CLI_SHORT_MS      60000u     /* of a command that is no long work, on a host that lives */
#define CLI_PATIENCE_MS   30000u     /* that a watch or wait bears with a host that went away */
#define CLI_REPLY_BYTES   (64 << 20) /* of one reply; a larger one counts as none */

typedef enum cli_kind {
    CLI_TEXT,   /* str */
    CLI_PATH,   /* str, made absolute against the working directory */
    CLI_LIST,   /* array of str, given with commas */
    CLI_REPEAT, /* array of str, the option given again for each */
    CLI_REST,   /* array of str: all positionals that are left */
    CLI_NUMBER, /* unsigned */
    CLI_RATE,   /* unsigned, bytes a second: 40M, 512Ki, none */
    CLI_TIME,   /* str: 2027-03-01T02:00:00+01:00, or +2h from now; travels as UTC */
    CLI_FLAG    /* true */
} cli_kind_t;

typedef struct cli_slot {
    const char *word; /* "--to", or the positional's name in capitals */
    const char *name; /* on the wire; NULL: the command line's own (--wait, --count of watch) */
    cli_kind_t kind;
    bool required;
    const char *value; /* what stands for an option's value; of a positional and a flag "" */
    const char *help;  /* one line: what it is, its unit, its default */
} cli_slot_t;

typedef struct cli_command {
    const char *words; /* "package add" */
    const char *wire;  /* "package.add"; NULL: watch */
    const char *sentence;
    bool changes;        /* carries a key */
    bool long_work;      /* waits as long as the host lives */
    cli_slot_t slot[12]; /* positionals in order, then options; word NULL at the end */
} cli_command_t;
extern const cli_command_t cli_commands[];

typedef struct cli_argument {
    const cli_slot_t *slot;
    const char *text;   /* of TEXT */
    const char **items; /* of lists; owned */
    uint32_t count;
    char *path; /* of PATH and TIME; owned */
    uint64_t number;
} cli_argument_t;

typedef struct cli_line {
    const cli_command_t *command;
    cli_argument_t argument[CLI_ARGUMENTS_MAX];
    uint32_t count;
    const char *data, *connect; /* as given; NULL: default */
    const char *noun;           /* with help: whose commands are meant; NULL: no noun's */
    bool json, dry_run, wait, help, version;
    uint32_t wait_s; /* 0: no limit */
} cli_line_t;

/* Reads argv; EXIT_DONE or EXIT_USAGE with one line on stderr that says what is wrong. Lists are
 * taken apart in place. */
int cli_parse(int argc, char **argv, cli_line_t *ret_line);
void cli_line_fini(cli_line_t *line);
const cli_argument_t *cli_argument(const cli_line_t *line, const char *word); /* NULL: not given */
void cli_help(const cli_command_t *command); /* NULL: all commands */
void cli_help_noun(const char *noun);        /* all commands of it */
bool cli_is_of_noun(const cli_command_t *command, const char *noun);
/* From / on, without '.', '..', doubled and trailing slashes, by its text alone: the path is the
 * site's. NULL: longer than a path may be. The caller's to free. */
char *cli_absolute(const char *path);
/* The value for its slot; false: it cannot be read as its kind, or is too much, and is as it was.
 * A list is taken apart in place. */
bool cli_take(cli_argument_t *argument, char *value);
void cli_wanted(cli_kind_t kind, char *text, size_t size); /* what such a slot takes */
bool cli_whole_number(const char *text, uint64_t *ret_number);
/* "40 MB/s", exactly, in the largest unit that is exact. */
void cli_rate_text(uint64_t rate, char *text, size_t size);
/* As RFC 3339 in UTC, for free(); NULL: it is no time with a zone. */
char *cli_time(const char *text);

#define CLI_REQUEST_ID 1u /* of the request that the line is; later ones of a client count on */
/* Encodes the request; false when it does not fit. */
bool cli_encode(const cli_line_t *line, wire_writer_t *writer);

typedef struct cli_client cli_client_t;
/* answer_ms: CLI_ANSWER_MS. */
cli_client_t *cli_client_new(const cli_line_t *line, uint32_t answer_ms);
void cli_client_destroy(cli_client_t **client);
/* Sends a request of this id and waits; EXIT_DONE with the reply's root (borrowed until the next
 * ask), EXIT_NO_HOST with a line on stderr. */
int cli_ask(cli_client_t *client, slice_t request, uint64_t id, bool long_work,
            wire_value_t *ret_reply);
/* Asks with a few arguments: name, value pairs of str, NULL at the end, and a number. EXIT_DONE
 * with the result (borrowed until the next ask); EXIT_REFUSED, EXIT_NO_HOST with a line on stderr.
 * A host that answered before and is away or starting is given CLI_PATIENCE_MS to be back. */
int cli_ask_small(cli_client_t *client, const char *command, const char *const *pairs,
                  const char *number_name, uint64_t number, wire_value_t *ret_result);
/* No host is waited for beyond this time of the monotonic clock. */
void cli_client_until(cli_client_t *client, int64_t ms);
/* The next published status message, at most timeout_ms: 1 a message, 0 none. */
int cli_hear(cli_client_t *client, int timeout_ms, wire_value_t *ret_event);
void cli_pause(uint32_t ms);

/* Prints a result for a person; true when the command's answer says that something is wrong. */
bool cli_show(const cli_line_t *line, const wire_value_t *result);
void cli_show_json(const wire_value_t *value);
/* Rows as a table of these columns; false: there are none. */
bool cli_show_list(const wire_value_t *rows, const char *const *columns);
/* The answers of verify, and of the commands about the store. */
void cli_show_verified(const wire_value_t *result);
void cli_show_store(const cli_line_t *line, const wire_value_t *result);
/* The answer of plan, as a table. */
void cli_show_plan(const wire_value_t *result);
/* How far a package is on its way through its rings; nothing for one that has none. */
void cli_show_rollout(const wire_value_t *package);
void cli_show_switchover(const wire_value_t *package);
/* The answer of graph: as tables, or with --dot as text for Graphviz. */
void cli_show_graph(const cli_line_t *line, const wire_value_t *result);
void cli_show_event(const wire_value_t *event);
/* cannot ...: reason, and the hint, on stderr; with --json also {"error": ...} on stdout. */
void cli_show_error(const cli_line_t *line, const wire_value_t *error);
/* What is wrong before or without an answer of the site, in the same form: code is "usage" or
 * "no-host". hint NULL: the message has it already. */
void cli_fail(const cli_line_t *line, const char *code, const char *hint, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
/* The exit code when all output is to have left: EXIT_REFUSED in place of EXIT_DONE where it could
 * not be written, which is said once. */
int cli_written(int code);
/* Whether a target waits for its turn, and whether a status shows any that does. */
bool cli_is_queued(const wire_value_t *target);
bool cli_holds_queued(const wire_value_t *status);
/* A line for each component that is not ready, with what starts it again. EXIT_DONE, or why the
 * host could not be asked. */
int cli_tell_held(cli_client_t *client, FILE *file);
void cli_tell_component(FILE *file, slice_t name, slice_t state);
/* One command from its request to its exit code. */
int cli_say(cli_client_t *client, const cli_line_t *line);
int cli_wait(cli_client_t *client, const cli_line_t *line);
int cli_watch(cli_client_t *client, const cli_line_t *line);
/* Makes a data directory from a backup, here and without a host. */
int cli_restore(const cli_line_t *line);

/* Small readers of answers: "" and 0 where there is no such field. */
slice_t cli_text(const wire_value_t *map, const char *name);
uint64_t cli_number(const wire_value_t *map, const char *name);
bool cli_flag(const wire_value_t *map, const char *name);
/* A list of that name; an empty one where there is none. */
wire_value_t cli_list(const wire_value_t *map, const char *name);
/* Walks a list: while (cli_next(&items, &item)). */
typedef struct cli_items {
    wire_value_t list;
    const uint8_t *at;
    uint32_t left;
} cli_items_t;
cli_items_t cli_items(const wire_value_t *list);
bool cli_next(cli_items_t *items, wire_value_t *ret_item);
/* "in 12 s", "3 min ago", as seen at now_s (seconds since 1970); "" for no time. */
void cli_relative(slice_t iso, int64_t now_s, char *text, size_t size);
/* "3", "3 (label)", "-" for none. */
void cli_version(const wire_value_t *map, const char *name, char *text, size_t size);
