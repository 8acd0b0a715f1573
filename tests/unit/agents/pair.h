/* pair.h - a site's store and an agent's, in a directory of their own on the real disk.
 *
 * Shape    pair_open makes both, pair_close ends and removes them; the agent may be closed and
 *          opened, or renewed, meanwhile. A call that fails ends the claim: expect_ok.
 * Threads  one claim, in a process of its own.
 */
#pragma once

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "actors/content/lack.h"
#include "runtime/world_os.h"

static struct {
    char path[64], data[80], site_path[96], agent_path[96];
    world_os_t os;
    store_t *site, *agent;
    staging_t *staging;
    fault_t fault;
} pair;

static inline void
expect_ok(err_t err, const char *what)
{
    char text[1024];

    cr_assert_eq(err, OK, "%s: %s", what, fault_text(&pair.fault, text, sizeof text));
}

static inline void
pair_open_agent(void)
{
    expect_ok(store_open(&pair.os.world, pair.agent_path, &pair.agent, &pair.fault), "agent");
    expect_ok(staging_open(&pair.os.world, pair.data, pair.agent, &pair.staging, &pair.fault),
              "staging");
}

static inline void
pair_close_agent(void)
{
    staging_close(&pair.staging);
    store_close(&pair.agent);
}

static inline void
pair_remove(const char *path)
{
    char command[128];

    snprintf(command, sizeof command, "rm -rf '%s'", path);
    cr_assert_eq(system(command), 0);
}

/* One that has nothing. */
static inline void
pair_new_agent(void)
{
    cr_assert_eq(world_make_dir(&pair.os.world, -100, pair.data, 0700), 0); /* AT_FDCWD */
    pair_open_agent();
}

static inline void
pair_renew_agent(void)
{
    pair_close_agent();
    pair_remove(pair.data);
    pair_new_agent();
}

static inline void
pair_open(void)
{
    snprintf(pair.path, sizeof pair.path, "/tmp/pair-test-XXXXXX");
    cr_assert_not_null(mkdtemp(pair.path));
    snprintf(pair.data, sizeof pair.data, "%s/agent", pair.path);
    snprintf(pair.site_path, sizeof pair.site_path, "%s/store", pair.path);
    snprintf(pair.agent_path, sizeof pair.agent_path, "%s/store", pair.data);
    world_os_init(&pair.os, NULL);
    expect_ok(store_open(&pair.os.world, pair.site_path, &pair.site, &pair.fault), "site");
    pair_new_agent();
}

static inline void
pair_close(void)
{
    pair_close_agent();
    store_close(&pair.site);
    pair_remove(pair.path);
}
