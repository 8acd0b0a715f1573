/* provider_rules.h - what the arguments of a command must be beyond their types.
 *
 * Shape    one table: for commands that begin with a word, an argument and the check of its value;
 *          and a few commands whose arguments depend on one another.
 * Promises every argument that names something is an allowed name, every path is absolute, without
 *          '.', '..' or NUL, and below an allowed prefix where there are any.
 * Costs    linear in the record.
 * Errors   in request_fault_t, naming the argument.
 * Threads  caller's memory only.
 */
#pragma once

#include "proto/messages.h"
#include "proto/wire.h"

typedef struct request_fault {
    err_t err;
    char message[768]; /* cannot run '<command>': argument '<field>' <reason> */
    char hint[256];
} request_fault_t;

err_t rules_check(const command_t *command, const wire_value_t *args, const void *record,
                  const site_args_t *site, request_fault_t *fault) must_use;
/* The error of an argument that is longer than its bound: too-large, bad-name or name-too-long. */
err_t rules_too_large(const command_t *command, const char *field);
/* Names the argument at fault; hint NULL: that of the error. Returns err. */
err_t rules_fault(request_fault_t *fault, err_t err, const command_t *command, const char *field,
                  const char *reason, const char *hint);
