/* status.h - the status messages, once: number, name, severity, sentence.
 *
 * Shape    an X-macro table. Numbers are those of Systems Management Server where it had one for the
 *          same fact (11xx executive, 23xx distribution, 44xx despooler), ours from 9000 on.
 * Promises a number never changes its meaning.
 */
#pragma once
#include "proto/messages.h"

#define STATUS_MESSAGES(S)                                                                         \
    S(1100, STATUS_SITE_STARTED, INFO, "the site has started")                                     \
    S(1101, STATUS_SITE_STOPPING, INFO, "the site stops in order")                                 \
    S(1102, STATUS_SITE_BACKED_UP, INFO, "a backup of the site was finished")                      \
    S(1103, STATUS_SITE_ADDRESS, INFO, "agents are told another address of the site")              \
    S(1104, STATUS_AGENTS_STRANDED, WARNING, "agents know only an address at which the site does not listen") \
    S(1105, STATUS_SITE_RESTORED, WARNING, "the site was restored from a backup")                  \
    S(500, STATUS_COMPONENT_STARTED, INFO, "a component was started")                              \
    S(501, STATUS_COMPONENT_STOPPED, INFO, "a component was stopped")                              \
    S(502, STATUS_COMPONENT_FAILED, ERROR, "a component failed and is restarted or given up")      \
    S(503, STATUS_COMPONENT_PAUSED, INFO, "a component was paused or resumed")                     \
    S(504, STATUS_COMPONENT_STALLED, WARNING, "a component's handler runs longer than its limit")  \
    S(505, STATUS_COMPONENT_LATE, WARNING, "a component is not ready by its deadline")             \
    S(2300, STATUS_PACKAGE_PROCESSING, INFO, "a package is being processed")                       \
    S(2301, STATUS_PACKAGE_DONE, INFO, "a package is on every target")                             \
    S(2302, STATUS_PACKAGE_FAILED, ERROR, "a package failed on at least one target, none is left to try") \
    S(2310, STATUS_PACKAGE_STORED, INFO, "a version of a package was stored")                      \
    S(2311, STATUS_PACKAGE_CHANGED, INFO, "a package's settings were changed")                     \
    S(2312, STATUS_PACKAGE_REMOVED, INFO, "a package was removed")                                 \
    S(2313, STATUS_PACKAGE_ROLLED_BACK, INFO, "an older version of a package is its newest again") \
    S(2327, STATUS_TARGET_PENDING, INFO, "a target wants a version")                               \
    S(2328, STATUS_TARGET_RETRYING, WARNING, "a copy to a distribution point failed, and is tried again") \
    S(2329, STATUS_TARGET_INSTALLING, INFO, "a copy to a distribution point has begun")            \
    S(2330, STATUS_TARGET_INSTALLED, INFO, "a distribution point has the version")                 \
    S(2331, STATUS_TARGET_FAILED, ERROR, "a copy to a distribution point failed for good")         \
    S(2332, STATUS_TARGET_WAITING, WARNING, "a target waits for what its cause names")             \
    S(2333, STATUS_TARGET_CANCELLED, INFO, "the work on a target was cancelled")                   \
    S(2334, STATUS_TARGET_REMOVING, INFO, "a target's content is being removed")                   \
    S(2335, STATUS_TARGET_REMOVED, INFO, "a target's content is gone")                             \
    S(2336, STATUS_TARGET_DAMAGED, ERROR, "verify found damage on a distribution point")           \
    S(2337, STATUS_TARGET_VERIFIED, INFO, "verify found a distribution point whole")               \
    S(2370, STATUS_POINT_ADDED, INFO, "a distribution point was added or changed")                 \
    S(2371, STATUS_POINT_REMOVED, INFO, "a distribution point was removed")                        \
    S(2372, STATUS_POINT_PAUSED, INFO, "a distribution point was paused or resumed")               \
    S(2373, STATUS_POINT_ABSENT, WARNING, "a distribution point is absent")                        \
    S(2374, STATUS_POINT_RETURNED, INFO, "an absent distribution point is back")                   \
    S(2375, STATUS_GROUP_CHANGED, INFO, "a group was added, changed or forgotten")                 \
    S(2376, STATUS_POINT_STAYS, WARNING, "the root of a removed point cannot be given free yet")   \
    S(2377, STATUS_AGENT_JOINED, INFO, "an agent serves a distribution point from now on")         \
    S(2378, STATUS_AGENT_REVOKED, WARNING, "an agent's key is good for nothing any more")          \
    S(2379, STATUS_AGENT_TOLD, INFO, "the agent of a removed point knows that, and serves nobody") \
    S(2380, STATUS_POINT_AHEAD, ERROR, "a distribution point knows a later version than the site") \
    S(2381, STATUS_RATE_CHANGED, INFO, "the rate or the link of a point, or a rate was changed")   \
    S(2382, STATUS_SCRUB_CHANGED, INFO, "how fast what is placed is read again was changed")       \
    S(2383, STATUS_POINT_UNREAD, WARNING, "what a distribution point holds could not be read again") \
    S(2384, STATUS_STORE_DAMAGED, ERROR, "content in the site's store is damaged, and was set aside") \
    S(2385, STATUS_STORE_UNREAD, WARNING, "a part of the site's store could not be read again")    \
    S(2390, STATUS_SEED_USED, INFO, "a seed had content that was lacking; it was not sent")        \
    S(2391, STATUS_SEED_NOT_USED, WARNING, "a seed, or a part of it, was not used; its content is sent") \
    S(2392, STATUS_SEED_SET, INFO, "the seed of a distribution point was changed")                 \
    S(2393, STATUS_DELTA_REFUSED, WARNING, "a delta gave other bytes than it should; whole files are sent") \
    S(2394, STATUS_RING_BEGUN, INFO, "the next ring of a rollout begins")                          \
    S(2395, STATUS_RING_WAITS, WARNING, "a ring waits for some of its points")                     \
    S(2396, STATUS_ROLLOUT_STOPPED, ERROR, "a rollout was stopped, by failures or by an operator") \
    S(2397, STATUS_ROLLOUT_RESUMED, INFO, "a stopped rollout goes on")                             \
    S(2398, STATUS_ROLLOUT_ENDED, INFO, "a rollout has come to its end")                           \
    S(2410, STATUS_ACTIVATED, INFO, "the on-activate program of a distribution point has done its work") \
    S(2411, STATUS_ACTIVATION_FAILED, ERROR, "the on-activate program of a distribution point has failed") \
    S(2412, STATUS_WINDOW_CHANGED, INFO, "the windows of a distribution point were changed")       \
    S(2413, STATUS_TARGET_WINDOW, INFO, "a target waits for its point's window, where it was")     \
    S(2414, STATUS_WINDOW_SHORT, WARNING, "a transfer will not be finished when its window closes") \
    S(2415, STATUS_ZONE_LOST, ERROR, "the time zone of a point's windows cannot be read: they are closed") \
    S(2416, STATUS_KEPT_DAMAGED, ERROR, "content that an agent keeps is damaged, and is fetched again") \
    S(2417, STATUS_BULK_SET, INFO, "by which connection a distribution point is sent content was changed") \
    S(2418, STATUS_PLAIN_FAILED, WARNING, "plain bulk does not work: content goes by the encrypted connection") \
    S(2419, STATUS_TARGET_PROMISED, INFO, "a distribution point has staged a version, and promised to switch to it") \
    S(2420, STATUS_SWITCHOVER_BEGUN, INFO, "a switchover begins: its points stage the version")    \
    S(2421, STATUS_SWITCHOVER_DECIDED, INFO, "a switchover is decided: its points switch")         \
    S(2422, STATUS_SWITCHOVER_WAITS, WARNING, "a switchover waits for some of its points")         \
    S(2423, STATUS_SWITCHOVER_CANCELLED, WARNING, "a switchover was cancelled: none of its points switches") \
    S(2424, STATUS_SWITCHOVER_ENDED, INFO, "a switchover has come to its end")                     \
    S(2425, STATUS_VERSIONS_STAY, WARNING, "superseded versions stay at a point")                  \
    S(2426, STATUS_NAMES_CLASH, WARNING, "names of a version differ from others only in case")     \
    S(2427, STATUS_INDEX_MENDED, WARNING, "the index of an agent's store was damaged or a part of it gone, and was made anew from its packs") \
    S(2428, STATUS_PARCEL_WRITTEN, INFO, "a version was written into a parcel")                    \
    S(2429, STATUS_STORE_NAMED, WARNING, "a part of the index of the site's store was gone, and was made anew from its packs") \
    S(2430, STATUS_STORE_HOLDS, WARNING, "what may be a chunk of a file stays in the site's store: the file's list of chunks is damaged") \
    S(2431, STATUS_STORE_NOT_COLLECTED, WARNING, "what no version needs stays in the site's store: it could not be collected") \
    S(2432, STATUS_READ_ONLY_SET, INFO, "with which modes versions are placed at a distribution point was changed") \
    S(4400, STATUS_INSTRUCTION_WAITS, INFO, "an instruction waits for an available despooling slot") \
    S(4401, STATUS_SLOTS_CHANGED, INFO, "the number of despooling slots was changed")              \
    S(9000, STATUS_ALARM_RAISED, ERROR, "an alarm was raised")                                     \
    S(9001, STATUS_ALARM_CLEARED, INFO, "an alarm has ended")                                      \
    S(9010, STATUS_COMMAND_ACCEPTED, INFO, "a command was accepted")                               \
    S(9020, STATUS_QUARANTINED, ERROR, "a message was set aside after repeated failures")          \
    S(9030, STATUS_STORE_COLLECTED, INFO, "content that no target wants was collected")

typedef enum status_id {
#define STATUS_SYMBOL(number, symbol, severity, sentence) symbol = number,
    STATUS_MESSAGES(STATUS_SYMBOL)
#undef STATUS_SYMBOL
        STATUS_NONE = 0
} status_id_t;

/* For any number; an unknown one reads as an ERROR without a sentence. */
const char *status_sentence(uint32_t id);
severity_t status_severity(uint32_t id);
