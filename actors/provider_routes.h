/* provider_routes.h - which command is asked of whom, once.
 *
 * Shape    an X-macro table in the form of an actor's edges: E(ASK, whom, command).
 * Promises every command of proto/messages.h stands here once, but for ping, which the provider
 *          answers itself.
 */
#pragma once

#define ROUTES(E)                                                                                  \
    E(ASK, distribution_manager, package_add)                                                      \
    E(ASK, distribution_manager, package_update)                                                   \
    E(ASK, distribution_manager, package_set)                                                      \
    E(ASK, distribution_manager, package_remove)                                                   \
    E(ASK, distribution_manager, dp_add)                                                           \
    E(ASK, distribution_manager, dp_set)                                                           \
    E(ASK, distribution_manager, dp_adopt)                                                         \
    E(ASK, distribution_manager, dp_remove)                                                        \
    E(ASK, distribution_manager, distribute_plan)                                                  \
    E(ASK, distribution_manager, verify)                                                           \
    E(ASK, distribution_manager, store_check)                                                      \
    E(ASK, distribution_manager, store_rebuild)                                                    \
    E(ASK, distribution_manager, package_export)                                                   \
    E(ASK, distribution_manager, site_backup)                                                      \
    E(ASK, distribution_manager, store_collect)                                                    \
    E(ASK, site_database, package_list)                                                            \
    E(ASK, site_database, package_show)                                                            \
    E(ASK, site_database, dp_list)                                                                 \
    E(ASK, site_database, dp_show)                                                                 \
    E(ASK, site_database, dp_pause)                                                                \
    E(ASK, site_database, dp_resume)                                                               \
    E(ASK, site_database, group_add)                                                               \
    E(ASK, site_database, group_list)                                                              \
    E(ASK, site_database, group_remove)                                                            \
    E(ASK, site_database, link_set)                                                                \
    E(ASK, site_database, link_list)                                                               \
    E(ASK, site_database, link_remove)                                                             \
    E(ASK, site_database, site_set)                                                                \
    E(ASK, site_database, distribute)                                                              \
    E(ASK, site_database, withdraw)                                                                \
    E(ASK, site_database, prioritize)                                                              \
    E(ASK, site_database, rollout_pause)                                                           \
    E(ASK, site_database, rollout_resume)                                                          \
    E(ASK, site_database, status)                                                                  \
    E(ASK, site_database, rollback)                                                                \
    E(ASK, site_database, retry)                                                                   \
    E(ASK, site_database, cancel)                                                                  \
    E(ASK, site_database, status_since)                                                            \
    E(ASK, executive, component_list)                                                              \
    E(ASK, executive, component_show)                                                              \
    E(ASK, executive, component_start)                                                             \
    E(ASK, executive, component_stop)                                                              \
    E(ASK, executive, component_pause)                                                             \
    E(ASK, executive, component_resume)                                                            \
    E(ASK, executive, component_restart)                                                           \
    E(ASK, executive, component_set)                                                               \
    E(ASK, executive, quarantine_list)                                                             \
    E(ASK, executive, quarantine_show)                                                             \
    E(ASK, executive, quarantine_retry)                                                            \
    E(ASK, executive, quarantine_drop)                                                             \
    E(ASK, executive, graph)                                                                       \
    E(ASK, executive, blackbox)                                                                    \
    E(ASK, executive, stop)
