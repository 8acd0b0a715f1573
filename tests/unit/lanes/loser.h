/* loser.h - one whose job does not come back: what a lost thread is told with.
 *
 * Shape    loser_init is the init of a class: it starts one job, `read` for LOSER_SUBJECT, which
 *          waits past its deadline until loser_go is posted; loser_start and loser_end are a host
 *          around it, loser_told what the test waits for.
 * Threads  the job waits on a thread of its own; a test is a process of its own.
 */
#pragma once

#include <criterion/criterion.h>
#include <semaphore.h>

#include "runtime/host.h"

#define LOSER_SUBJECT "/mnt/shelf"

extern sem_t loser_go, loser_told;

actor_next_t loser_init(actor_ctx_t *ctx, void *self, const void *args);
host_t *loser_start(const host_options_t *options);
