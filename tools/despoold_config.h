/* despoold_config.h - the configuration file of the host, and its defaults.
 *
 * Shape    ZPL (rfc.zeromq.org/spec/4): names and values, indented by four blanks.
 *              site
 *                  name = S01
 *              listen
 *                  command = ipc:///run/despool/command.ipc
 *                  status = ipc:///run/despool/status.ipc
 *                  agents = tcp://192.0.2.1:7100
 *                  plain = tcp://192.0.2.1:7101
 *                  plain-address = tcp://198.51.100.1:7101
 *              allow
 *                  source = /srv/packages
 *                  root = /mnt
 *              tuning
 *                  grace-ms = 900000
 *                  probe-ms = 2000
 *                  backlog-alarm-ms = 60000
 *                  workers = 2
 *                  placement = component
 * Promises an unknown key, a value out of range, a doubled key and a line that is no ZPL are each
 *          refused with the line's number and the key; nothing is guessed.
 * Errors   ERR_CONFIG with a sentence.
 * Owner    plain data in the caller's struct.
 */
#pragma once

#include "proto/limits.h"
#include "proto/record.h"
#include "runtime/host.h"

#define CONFIG_PREFIXES_MAX      64u    /* allow source and root lines each; more are refused */
#define CONFIG_BYTES_MAX         65536u /* of the file; a larger one is refused */
#define CONFIG_ADDRESS_BYTES_MAX 255u   /* of an endpoint for agents; a longer one is refused */
#define CONFIG_LISTEN_BYTES_MAX  512u   /* of all of them */
#define IPC_PATH_BYTES_MAX       107u   /* of a socket's path; a longer one is refused */

typedef struct config {
    char data[PATH_BYTES_MAX + 1];
    char site[NAME_BYTES_MAX + 1];
    char command[PATH_BYTES_MAX + 16], status[PATH_BYTES_MAX + 16]; /* endpoints */
    /* Endpoints, with blanks between them; "": no agent can join. */
    char agents[CONFIG_LISTEN_BYTES_MAX];
    uint32_t listens;
    char plain[CONFIG_ADDRESS_BYTES_MAX + 1];      /* for bytes of data unencrypted; "": none */
    char plain_told[CONFIG_ADDRESS_BYTES_MAX + 1]; /* that agents are told for it; "": the same */
    char *source[CONFIG_PREFIXES_MAX], *root[CONFIG_PREFIXES_MAX];
    uint32_t sources, roots;
    uint64_t grace_ms;
    uint32_t probe_ms, backlog_alarm_ms, scrub_ms, beacon_ms,
        workers; /* 0: the default of limits.h */
    host_placement_t placement;
    /* of an agent: its own program, absolute; "": none */
    char on_activate[AGENT_PATH_BYTES_MAX + 1];
    uint32_t on_activate_ms; /* 0: the default of limits.h */
} config_t;

/* The defaults for a data directory (absolute); ERR_CONFIG when it is too long for its sockets. */
err_t config_defaults(config_t *config, const char *data, char *ret_why, size_t why_size) must_use;
/* Reads a file over the defaults. */
err_t config_load(config_t *config, const char *file, char *ret_why, size_t why_size) must_use;
/* After both: endpoints that the system can take. */
err_t config_check(const config_t *config, char *ret_why, size_t why_size) must_use;
/* The endpoints for agents of the command line, in the place of those of the file, if any. */
err_t config_listen(config_t *config, const char *const *endpoint, uint32_t count,
                    const char *plain, char *ret_why, size_t why_size) must_use;
/* The program of the command line, in the place of that of the file, if any. */
err_t config_program(config_t *config, const char *program, char *ret_why,
                     size_t why_size) must_use;
/* component or pool, also on the command line; false: neither. */
bool config_placement(const char *word, host_placement_t *ret_placement);
void config_fini(config_t *config);
