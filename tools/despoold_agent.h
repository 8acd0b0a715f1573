/* despoold_agent.h - despoold in the role of a distribution point's agent.
 *
 * Shape    agent_join: from a token to a data directory that is an agent's; agent_read: whether one
 *          is; agent_host: the host that it runs.
 * Promises a root is claimed before the token is spent, but for that of another point of the site:
 *          the site says first that this one is no more. The site's word is durable before the
 *          agent serves it. Joining again with the same token, keys and root is no error. What a
 *          join made before it was refused is taken away; what the site may have heard of stays,
 *          and so does another site's agent in the data directory.
 * Errors   each is told on stderr, with what to do.
 * Threads  the program's, before the host starts.
 */
#pragma once

#include "actors/content/join.h"
#include "runtime/host.h"
#include "tools/despoold_config.h"

err_t agent_join(const char *token, const char *data, const char *root, join_t *ret_join) must_use;
/* Asks the site that token names, as it says; former is the point whose root it is so far, or none;
 * ret_signing is the site's key for orders, *ret_taken whether the site may have taken the agent
 * in, also where that failed. */
err_t agent_enrol_at(const token_t *token, const char *data, const char *root,
                     const id128_t *former, digest_t *ret_signing, bool *ret_taken) must_use;
err_t agent_read(const char *data, join_t *ret_join, bool *ret_is_agent) must_use;
/* Whether an agent lives there; if not, that is told. */
err_t agent_need(const char *data) must_use;
/* Takes a parcel's content into the agent's store, while it is not running; told either way. */
err_t agent_take_parcel(const char *data, const join_t *join, const char *file) must_use;
/* Whether its point was removed: then it is told on stdout, and there is nothing to run. */
err_t agent_tell_removed(const char *data, const join_t *join, bool *ret_removed) must_use;
/* Never NULL; *ret_err says whether it can be started. */
host_t *agent_host(const config_t *config, const join_t *join, err_t *ret_err);
