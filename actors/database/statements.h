/* statements.h - every SQL statement of the site, once.
 *
 * Shape    X-macro tables by noun, S(symbol, text); from them come the enum sql_t and the texts.
 *          Each is prepared once per connection, when it is first used.
 * Promises every value is bound (?1, ?2 ...), never written into the text. What begins with
 *          SQL_ALL_ walks a whole table, because its answer is that table; all others go by an
 *          index. Where the planner could choose, INDEXED BY and CROSS JOIN say the way.
 * Threads  constant data only.
 */
#pragma once
#include <stdint.h>

/* ---- transactions, meta, keys ---- */

#define SQL_MACHINERY(S)                                                                           \
    S(SQL_BEGIN, "BEGIN IMMEDIATE")                                                                \
    S(SQL_COMMIT, "COMMIT")                                                                        \
    S(SQL_ROLLBACK, "ROLLBACK")                                                                    \
    S(SQL_SAVEPOINT, "SAVEPOINT message")                                                          \
    S(SQL_RELEASE, "RELEASE message")                                                              \
    S(SQL_ROLLBACK_TO, "ROLLBACK TO message")                                                      \
    S(SQL_META_GET, "SELECT value FROM meta WHERE name = ?1")                                      \
    S(SQL_META_SET, "INSERT INTO meta (name, value) VALUES (?1, ?2) "                              \
                    "ON CONFLICT (name) DO UPDATE SET value = excluded.value")                     \
    S(SQL_SETTING_GET, "SELECT value FROM setting WHERE name = ?1")                                \
    S(SQL_SETTING_SET, "INSERT INTO setting (name, value) VALUES (?1, ?2) "                        \
                       "ON CONFLICT (name) DO UPDATE SET value = excluded.value")                  \
    S(SQL_ANSWER_GET, "SELECT command, number, record FROM answer WHERE key = ?1")                 \
    S(SQL_ANSWER_PUT, "INSERT INTO answer (key, command, number, record, at) "                     \
                      "VALUES (?1, ?2, ?3, ?4, ?5)")                                               \
    S(SQL_ANSWER_EXPIRE, "DELETE FROM answer WHERE key IN "                                        \
                         "(SELECT key FROM answer WHERE at < ?1 ORDER BY at LIMIT 100)")           \
    S(SQL_ANSWER_CLAMP, "UPDATE answer SET at = ?1 WHERE at > ?1")

/* ---- events ---- */

#define SQL_EVENTS(S)                                                                              \
    S(SQL_ALL_SEQUENCES_SKIP, "UPDATE sqlite_sequence SET seq = seq + ?1 WHERE name = 'event'")    \
    S(SQL_EVENT_ADD,                                                                               \
      "INSERT INTO event (time, component, id, severity, package, dp, epoch, label, "              \
      "root, text, attrs) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)")                  \
    S(SQL_EVENT_FIRST, "SELECT min(seq) FROM event")                                               \
    S(SQL_EVENT_LAST, "SELECT max(seq) FROM event")                                                \
    S(SQL_EVENT_COUNT_AFTER, "SELECT count(*) FROM "                                               \
                             "(SELECT seq FROM event WHERE seq > ?1 ORDER BY seq LIMIT ?2)")       \
    S(SQL_EVENTS_AFTER, "SELECT seq, time, component, id, severity, package, epoch, label, root, " \
                        "text, attrs, dp FROM event WHERE seq > ?1 ORDER BY seq LIMIT ?2")         \
    S(SQL_EVENT_TRIM, "DELETE FROM event WHERE seq <= ?1")

/* ---- packages and versions ---- */

#define SQL_PACKAGE_COLUMNS                                                                        \
    "p.row, p.id, p.incarnation, p.name, p.source, p.epoch, max(p.next_epoch, p.epoch + 1), "      \
    "p.removing, v.root, "                                                                         \
    "v.label, v.files, v.directories, v.links, v.bytes, v.not_carried, "                           \
    "v.unique_bytes, v.stored_bytes, p.links_inside FROM package p "                               \
    "LEFT JOIN version v ON v.package = p.row AND v.epoch = p.epoch "

#define SQL_VERSION_COLUMNS                                                                        \
    "epoch, root, label, files, directories, links, bytes, not_carried FROM version "

#define SQL_PACKAGES(S)                                                                            \
    S(SQL_PACKAGE_BY_ID, "SELECT " SQL_PACKAGE_COLUMNS "WHERE p.id = ?1")                          \
    S(SQL_PACKAGE_BY_ROW, "SELECT " SQL_PACKAGE_COLUMNS "WHERE p.row = ?1")                        \
    S(SQL_PACKAGE_NEXT, "SELECT " SQL_PACKAGE_COLUMNS "WHERE p.id > ?1 ORDER BY p.id LIMIT 1")     \
    S(SQL_PACKAGE_ADD, "INSERT INTO package (id, incarnation, name, source, links_inside, epoch, " \
                       "next_epoch) VALUES (?1, ?2, ?3, ?4, ?5, 0, 1)")                            \
    S(SQL_PACKAGE_SET,                                                                             \
      "UPDATE package SET name = ?2, source = ?3, links_inside = ?4 WHERE row = ?1")               \
    S(SQL_PACKAGE_VERSION, "UPDATE package SET epoch = ?2, next_epoch = ?2 + 1 WHERE row = ?1")    \
    S(SQL_PACKAGE_REMOVING, "UPDATE package SET removing = ?2 WHERE row = ?1")                     \
    S(SQL_PACKAGE_DELETE, "DELETE FROM package WHERE row = ?1")                                    \
    S(SQL_PACKAGE_STATE, "SELECT CASE "                                                            \
                         "WHEN EXISTS (SELECT 1 FROM target INDEXED BY target_state "              \
                         "  WHERE package = ?1 AND state IN (0, 1, 3, 4, 7, 9)) THEN 1 "           \
                         "WHEN EXISTS (SELECT 1 FROM target INDEXED BY target_state "              \
                         "  WHERE package = ?1 AND state = 5) THEN 3 "                             \
                         "WHEN EXISTS (SELECT 1 FROM target INDEXED BY target_state "              \
                         "  WHERE package = ?1 AND state = 2) THEN 2 ELSE 0 END")                  \
    S(SQL_ALL_PACKAGES_COUNT, "SELECT count(*) FROM package")                                      \
    S(SQL_ALL_SOURCES, "SELECT source FROM package ORDER BY id")                                   \
    S(SQL_EXCLUDE_COUNT, "SELECT count(*) FROM exclude WHERE package = ?1")                        \
    S(SQL_EXCLUDES, "SELECT glob FROM exclude WHERE package = ?1 ORDER BY place")                  \
    S(SQL_EXCLUDE_ADD, "INSERT INTO exclude (package, place, glob) VALUES (?1, ?2, ?3)")           \
    S(SQL_EXCLUDE_CLEAR, "DELETE FROM exclude WHERE package = ?1")                                 \
    S(SQL_VERSION_ADD, "INSERT INTO version (package, epoch, root, label, files, directories, "    \
                       "links, bytes, not_carried, at, unique_bytes, stored_bytes) "               \
                       "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)")               \
    S(SQL_VERSION_BY_LABEL, "SELECT " SQL_VERSION_COLUMNS "WHERE package = ?1 AND label = ?2 "     \
                            "ORDER BY epoch DESC LIMIT 1")                                         \
    S(SQL_VERSION_OF, "SELECT " SQL_VERSION_COLUMNS "WHERE package = ?1 AND epoch = ?2")           \
    S(SQL_VERSION_BELOW, "SELECT " SQL_VERSION_COLUMNS "WHERE package = ?1 AND epoch < ?2 "        \
                         "ORDER BY epoch DESC LIMIT 1")                                            \
    S(SQL_ALL_VERSIONS_PRUNE, "DELETE FROM version WHERE epoch <> (SELECT epoch FROM package "     \
                              "WHERE row = version.package) "                                      \
                              "AND NOT EXISTS (SELECT 1 FROM target INDEXED BY target_state "      \
                              "  WHERE package = version.package "                                 \
                              "  AND (wanted = version.epoch OR have = version.epoch "             \
                              "  OR version.epoch BETWEEN held_from AND held_to))")                \
    S(SQL_ALL_ROOTS_COUNT, "SELECT count(DISTINCT root) FROM version")                             \
    S(SQL_ALL_ROOTS, "SELECT DISTINCT root FROM version ORDER BY root")                            \
    S(SQL_ALL_VERSIONS_COUNT, "SELECT count(*) FROM version")                                      \
    S(SQL_ALL_VERSIONS, "SELECT v.root, p.id, v.epoch FROM version v JOIN package p "              \
                        "ON p.row = v.package ORDER BY p.id, v.epoch")

/* ---- points and groups ---- */

#define SQL_POINT_COLUMNS                                                                          \
    "row, name, incarnation, root, paused, removing, absent_since, added, rate, link, seed, "      \
    "measured, plain, read_only "                                                                  \
    "FROM point "

#define SQL_POINTS(S)                                                                              \
    S(SQL_POINT_BY_NAME, "SELECT " SQL_POINT_COLUMNS "WHERE name = ?1")                            \
    S(SQL_POINT_BY_ROW, "SELECT " SQL_POINT_COLUMNS "WHERE row = ?1")                              \
    S(SQL_POINT_NEXT, "SELECT " SQL_POINT_COLUMNS "WHERE name > ?1 ORDER BY name LIMIT 1")         \
    S(SQL_POINTS_PRESENT, "SELECT " SQL_POINT_COLUMNS "WHERE name > ?1 AND absent_since IS NULL "  \
                          "ORDER BY name LIMIT ?2")                                                \
    S(SQL_SCRUB_GET,                                                                               \
      "SELECT began, target, root, path, failed, whole FROM scrub WHERE point = ?1")               \
    S(SQL_SCRUB_WHOLE, "SELECT whole FROM scrub WHERE point = ?1")                                 \
    S(SQL_SCRUB_SET,                                                                               \
      "INSERT OR REPLACE INTO scrub (point, began, target, root, path, failed, whole) "            \
      "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)")                                                       \
    S(SQL_POINTS_ABSENT, "SELECT " SQL_POINT_COLUMNS "INDEXED BY point_absent "                    \
                         "WHERE absent_since IS NOT NULL AND absent_since <= ?1 "                  \
                         "ORDER BY absent_since, row LIMIT ?2")                                    \
    S(SQL_POINTS_ABSENT_COUNT,                                                                     \
      "SELECT count(*) FROM (SELECT 1 FROM point INDEXED BY point_absent "                         \
      "WHERE absent_since IS NOT NULL AND absent_since <= ?1 LIMIT ?2)")                           \
    S(SQL_POINT_ADD, "INSERT INTO point (name, incarnation, root, added) VALUES (?1, ?2, ?3, ?4)") \
    S(SQL_POINT_MOVE, "UPDATE point SET root = ?2, incarnation = ?3, removing = min(removing, 1) " \
                      "WHERE row = ?1")                                                            \
    S(SQL_POINT_PAUSE, "UPDATE point SET paused = ?2 WHERE row = ?1")                              \
    S(SQL_POINT_ABSENT, "UPDATE point SET absent_since = ?2 WHERE row = ?1")                       \
    S(SQL_POINT_CLAMP, "UPDATE point INDEXED BY point_absent SET absent_since = ?1 "               \
                       "WHERE absent_since IS NOT NULL AND absent_since > ?1")                     \
    S(SQL_POINT_REMOVING, "UPDATE point SET removing = ?2 WHERE row = ?1")                         \
    S(SQL_POINTS_LEAVING, "SELECT " SQL_POINT_COLUMNS "INDEXED BY point_removing "                 \
                          "WHERE removing > 0 AND absent_since IS NULL "                           \
                          "AND NOT EXISTS (SELECT 1 FROM target INDEXED BY target_point "          \
                          "WHERE target.point = point.row AND state <> 8) "                        \
                          "AND (removing, row) > (?2, ?3) ORDER BY removing, row "                 \
                          "LIMIT ?1")                                                              \
    S(SQL_POINT_ROOT, "UPDATE point SET root = ?2 WHERE row = ?1")                                 \
    S(SQL_ALL_POINTS_AS, "SELECT count(*) FROM point WHERE incarnation = ?1")                      \
    S(SQL_AGENT_ADD, "INSERT INTO agent (point, token, expires, address) "                         \
                     "VALUES (?1, ?2, ?3, ?4)")                                                    \
    S(SQL_AGENT_BY_TOKEN, "SELECT point, expires, key, signing, revoked FROM agent "               \
                          "WHERE token = ?1")                                                      \
    S(SQL_AGENT_WITH, "SELECT point FROM agent WHERE token = ?1 OR key = ?1")                      \
    S(SQL_AGENT_HAS_KEY, "SELECT 1 FROM agent WHERE key = ?1")                                     \
    S(SQL_AGENT_JOIN, "UPDATE agent SET key = ?2, signing = ?3 WHERE point = ?1")                  \
    S(SQL_AGENT_REVOKE, "UPDATE agent SET revoked = 1 WHERE point = ?1 AND revoked = 0")           \
    S(SQL_AGENT_HAS, "SELECT 1 FROM agent WHERE point = ?1")                                       \
    S(SQL_AGENT_IS_REVOKED, "SELECT revoked FROM agent WHERE point = ?1")                          \
    S(SQL_AGENTS_COUNT, "SELECT count(*) FROM (SELECT 1 FROM agent WHERE point > ?1 LIMIT ?2)")    \
    S(SQL_AGENTS_AFTER, "SELECT p.name, p.incarnation, a.token, a.key, a.signing, a.revoked, "     \
                        "a.point, a.address, p.rate, p.link, l.rate, p.plain FROM agent a "        \
                        "CROSS JOIN point p ON p.row = a.point "                                   \
                        "LEFT JOIN link l ON l.name = p.link "                                     \
                        "WHERE a.point > ?1 ORDER BY a.point LIMIT ?2")                            \
    S(SQL_AGENT_HEARD, "UPDATE agent SET address = ?2 WHERE key = ?1")                             \
    S(SQL_ALL_AGENTS_BEHIND, "SELECT p.name FROM agent a JOIN point p ON p.row = a.point "         \
                             "WHERE a.key IS NOT NULL AND a.revoked = 0 "                          \
                             "AND a.address IS NOT ?1 ORDER BY p.name")                            \
    S(SQL_TOMBSTONE_ADD, "INSERT INTO tombstone (row, name, incarnation, key) "                    \
                         "SELECT p.row, p.name, p.incarnation, a.key FROM agent a "                \
                         "JOIN point p ON p.row = a.point "                                        \
                         "WHERE a.point = ?1 AND a.key IS NOT NULL AND a.revoked = 0")             \
    S(SQL_TOMBSTONES_FEWER, "DELETE FROM tombstone WHERE row <= (SELECT row FROM tombstone "       \
                            "WHERE row <= ?1 ORDER BY row DESC LIMIT 1 OFFSET ?2)")                \
    S(SQL_TOMBSTONE_NAME, "SELECT name FROM tombstone WHERE key = ?1")                             \
    S(SQL_TOMBSTONE_DELETE, "DELETE FROM tombstone WHERE key = ?1")                                \
    S(SQL_TOMBSTONES_COUNT,                                                                        \
      "SELECT count(*) FROM (SELECT 1 FROM tombstone WHERE row > ?1 LIMIT ?2)")                    \
    S(SQL_TOMBSTONES_AFTER, "SELECT name, incarnation, key, row FROM tombstone "                   \
                            "WHERE row > ?1 ORDER BY row LIMIT ?2")                                \
    S(SQL_POINT_RATE, "UPDATE point SET rate = ?2, link = ?3 WHERE row = ?1")                      \
    S(SQL_POINT_MEASURED, "UPDATE point SET measured = ?2 WHERE row = ?1")                         \
    S(SQL_POINT_SEED, "UPDATE point SET seed = ?2 WHERE row = ?1")                                 \
    S(SQL_POINT_PLAIN, "UPDATE point SET plain = ?2 WHERE row = ?1")                               \
    S(SQL_POINT_READ_ONLY, "UPDATE point SET read_only = ?2 WHERE row = ?1")                       \
    S(SQL_CALENDAR_OF, "SELECT windows, zone FROM calendar WHERE point = ?1")                      \
    S(SQL_CALENDAR_SET, "INSERT OR REPLACE INTO calendar (point, windows, zone, at, look) "        \
                        "VALUES (?1, ?2, ?3, ?4, ?4)")                                             \
    S(SQL_CALENDAR_CLEAR, "DELETE FROM calendar WHERE point = ?1")                                 \
    S(SQL_CALENDAR_LOOKED, "UPDATE calendar SET at = ?2, look = ?3, lost = ?4 WHERE point = ?1")   \
    S(SQL_CALENDAR_SOONER, "UPDATE calendar SET look = ?2 WHERE point = ?1 AND look > ?2")         \
    S(SQL_CALENDAR_LOST, "SELECT lost FROM calendar WHERE point = ?1")                             \
    S(SQL_CALENDAR_DUE, "SELECT point FROM calendar INDEXED BY calendar_look WHERE look <= ?1 "    \
                        "LIMIT 1")                                                                 \
    S(SQL_CALENDAR_AHEAD, "SELECT point FROM calendar INDEXED BY calendar_at WHERE at > ?1 "       \
                          "LIMIT 1")                                                               \
    S(SQL_CALENDAR_NEXT, "SELECT min(look) FROM calendar INDEXED BY calendar_look")                \
    S(SQL_LINK_BY_NAME, "SELECT name, rate FROM link WHERE name = ?1")                             \
    S(SQL_LINK_NEXT, "SELECT name, rate FROM link WHERE name > ?1 ORDER BY name LIMIT 1")          \
    S(SQL_LINK_SET, "INSERT INTO link (name, rate) VALUES (?1, ?2) "                               \
                    "ON CONFLICT (name) DO UPDATE SET rate = excluded.rate")                       \
    S(SQL_LINK_OF_POINT, "SELECT l.rate FROM point p CROSS JOIN link l ON l.name = p.link "        \
                         "WHERE p.row = ?1")                                                       \
    S(SQL_LINK_DELETE, "DELETE FROM link WHERE name = ?1")                                         \
    S(SQL_LINK_POINTS, "SELECT count(*) FROM point INDEXED BY point_link "                         \
                       "WHERE link IS NOT NULL AND link = ?1")                                     \
    S(SQL_ALL_LINKS_COUNT, "SELECT count(*) FROM link")                                            \
    S(SQL_POINT_DELETE, "DELETE FROM point WHERE row = ?1")                                        \
    S(SQL_POINT_COUNTS, "SELECT count(*), total(state = 2) FROM target INDEXED BY target_point "   \
                        "WHERE point = ?1 AND state <> 8")                                         \
    S(SQL_ALL_POINTS_COUNT, "SELECT count(*) FROM point")                                          \
    S(SQL_GROUP_BY_NAME, "SELECT row, name FROM pointgroup WHERE name = ?1")                       \
    S(SQL_GROUP_NEXT, "SELECT row, name FROM pointgroup WHERE name > ?1 ORDER BY name LIMIT 1")    \
    S(SQL_GROUP_ADD, "INSERT INTO pointgroup (name) VALUES (?1)")                                  \
    S(SQL_GROUP_DELETE, "DELETE FROM pointgroup WHERE row = ?1")                                   \
    S(SQL_MEMBER_ADD, "INSERT OR IGNORE INTO member (pointgroup, point) VALUES (?1, ?2)")          \
    S(SQL_MEMBER_COUNT, "SELECT count(*) FROM member WHERE pointgroup = ?1")                       \
    S(SQL_MEMBER_HAS, "SELECT 1 FROM member WHERE pointgroup = ?1 AND point = ?2")                 \
    S(SQL_MEMBERS, "SELECT point.name FROM member CROSS JOIN point ON point.row = member.point "   \
                   "WHERE member.pointgroup = ?1 ORDER BY point.name")                             \
    S(SQL_MEMBER_NEXT, "SELECT point FROM member WHERE pointgroup = ?1 AND point > ?2 "            \
                       "ORDER BY point LIMIT 1")                                                   \
    S(SQL_ALL_GROUPS_COUNT, "SELECT count(*) FROM pointgroup")

/* ---- targets ---- */

#define SQL_TARGET_COLUMNS                                                                         \
    "SELECT t.row, t.package, t.point, t.state, t.wanted, t.have, t.have_root, t.attempts, t.of, " \
    "t.integrity, t.due, t.since, t.look, t.cause, t.cause_text, t.need, t.space, t.revision, "    \
    "t.taken, t.slot, p.id, p.incarnation, d.name, d.incarnation, d.root, d.paused, v.root, "      \
    "v.label, v.bytes, h.label, d.absent_since, t.priority, d.seed, t.ring, t.held, t.told, "      \
    "c.point, t.turn, t.promised, t.promised_epoch, d.read_only FROM target t "
#define SQL_TARGET_JOINS                                                                           \
    "CROSS JOIN package p ON p.row = t.package CROSS JOIN point d ON d.row = t.point "             \
    "LEFT JOIN version v ON v.package = t.package AND v.epoch = t.wanted "                         \
    "LEFT JOIN version h ON h.package = t.package AND h.epoch = t.have "                           \
    "LEFT JOIN calendar c ON c.point = t.point "

/* Cancelled before anything of it came to its point; one that began may have left staged files,
 * which a retry goes on from. */
#define SQL_NEVER_BEGAN "(state = 6 AND have IS NULL AND held_to IS NULL)"

#define SQL_TARGETS(S)                                                                             \
    S(SQL_TARGET_BY_ROW, SQL_TARGET_COLUMNS SQL_TARGET_JOINS "WHERE t.row = ?1")                   \
    S(SQL_TARGET_OF, SQL_TARGET_COLUMNS SQL_TARGET_JOINS "WHERE t.package = ?1 AND t.point = ?2")  \
    S(SQL_TARGET_NEXT_OF_PACKAGE,                                                                  \
      SQL_TARGET_COLUMNS "INDEXED BY sqlite_autoindex_target_1 " SQL_TARGET_JOINS                  \
                         "WHERE t.package = ?1 AND t.point > ?2 ORDER BY t.point LIMIT 1")         \
    S(SQL_TARGET_NEXT_UNTIDIED,                                                                    \
      SQL_TARGET_COLUMNS "INDEXED BY target_untidied " SQL_TARGET_JOINS                            \
                         "WHERE t.state = 2 AND t.held_from < t.have AND t.row > ?1 "              \
                         "ORDER BY t.row LIMIT 1")                                                 \
    S(SQL_TARGET_NEXT_OF_POINT,                                                                    \
      SQL_TARGET_COLUMNS "INDEXED BY target_point " SQL_TARGET_JOINS                               \
                         "WHERE t.point = ?1 AND t.row > ?2 ORDER BY t.row LIMIT 1")               \
    S(SQL_TARGET_NEXT_ASIDE,                                                                       \
      SQL_TARGET_COLUMNS "INDEXED BY target_aside " SQL_TARGET_JOINS                               \
                         "WHERE t.cause = 'quarantined' AND t.row > ?1 ORDER BY t.row LIMIT 1")    \
    S(SQL_TARGETS_ASIDE_COUNT, "SELECT count(*) FROM target INDEXED BY target_aside "              \
                               "WHERE cause = 'quarantined' AND row > 0")                          \
    S(SQL_TARGETS_OF_PACKAGE, SQL_TARGET_COLUMNS "INDEXED BY target_state " SQL_TARGET_JOINS       \
                                                 "WHERE t.package = ?1 ORDER BY d.name")           \
    S(SQL_TARGET_DUE,                                                                              \
      SQL_TARGET_COLUMNS "INDEXED BY target_look " SQL_TARGET_JOINS                                \
                         "WHERE t.look IS NOT NULL AND t.look <= ?1 ORDER BY t.look LIMIT 1")      \
    S(SQL_TARGET_NEXT_LOOK, "SELECT min(look) FROM target INDEXED BY target_look "                 \
                            "WHERE look IS NOT NULL")                                              \
    S(SQL_TARGET_CLAMP, "UPDATE target INDEXED BY target_look SET look = ?2, "                     \
                        "due = CASE WHEN due IS NULL OR due < ?2 THEN due ELSE ?2 END "            \
                        "WHERE look IS NOT NULL AND look > ?1")                                    \
    S(SQL_TARGET_RELEASE_TAKEN, "UPDATE target INDEXED BY target_taken "                           \
                                "SET taken = 0, look = ?1 WHERE taken = 1")                        \
    S(SQL_TARGET_ADD, "INSERT INTO target (package, point, state, wanted, of, due, since, look, "  \
                      "cause, cause_text, revision, slot, priority, ring, held, turn) VALUES "     \
                      "(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, 0, ?12, ?13, ?14, ?15)")     \
    S(SQL_TARGET_SAVE,                                                                             \
      "UPDATE target SET state = ?2, wanted = ?3, have = ?4, have_root = ?5, attempts = ?6, "      \
      "integrity = ?7, due = ?8, since = ?9, look = ?10, cause = ?11, cause_text = ?12, "          \
      "need = ?13, space = ?14, revision = ?15, taken = ?16, slot = ?17 WHERE row = ?1")           \
    S(SQL_TARGET_TOLD, "UPDATE target SET told = ?2 WHERE row = ?1")                               \
    S(SQL_TARGET_PRIORITY, "UPDATE target SET priority = ?2 WHERE row = ?1")                       \
    S(SQL_TARGET_LEASE, "UPDATE target SET look = ?3 WHERE row = ?1 AND revision = ?2 "            \
                        "AND taken = 1")                                                           \
    S(SQL_TARGET_LEARN, "UPDATE target SET learned = ?2 WHERE row = ?1 AND learned < ?2")          \
    S(SQL_TARGET_HOLDS, "UPDATE target SET held_from = min(ifnull(held_from, ?2), ?2), "           \
                        "held_to = max(ifnull(held_to, ?2), ?2) WHERE row = ?1")                   \
    S(SQL_TARGET_HOLDS_FROM, "UPDATE target SET held_from = ?2 WHERE row = ?1 "                    \
                             "AND held_from < ?2 AND held_to >= ?2")                               \
    S(SQL_TARGET_HOLDS_NOTHING, "UPDATE target SET held_from = NULL, held_to = NULL "              \
                                "WHERE row = ?1")                                                  \
    S(SQL_TARGET_HELD, "SELECT count(*) FROM target t JOIN version v ON v.package = t.package "    \
                       "AND v.epoch BETWEEN t.held_from AND t.held_to "                            \
                       "WHERE t.row = ?1 AND v.root = ?2")                                         \
    S(SQL_TARGETS_OF_POINT_DELETE, "DELETE FROM target WHERE point = ?1")                          \
    S(SQL_TARGETS_OF_PACKAGE_DELETE, "DELETE FROM target WHERE package = ?1")                      \
    S(SQL_PACKAGE_TARGETS_COUNT, "SELECT count(*) FROM target INDEXED BY target_state "            \
                                 "WHERE package = ?1")                                             \
    S(SQL_PACKAGE_TARGETS_BY_STATE, "SELECT state, count(*) FROM target INDEXED BY target_state "  \
                                    "WHERE package = ?1 GROUP BY state")                           \
    S(SQL_PACKAGE_HOLDS, "SELECT count(*) FROM target INDEXED BY target_state "                    \
                         "WHERE package = ?1 AND state <> 8 AND NOT " SQL_NEVER_BEGAN)             \
    S(SQL_POINT_HOLDS, "SELECT count(*) FROM target INDEXED BY target_point "                      \
                       "WHERE point = ?1 AND state <> 8 AND NOT " SQL_NEVER_BEGAN)                 \
    S(SQL_PACKAGE_LEFT, "SELECT 1 FROM target INDEXED BY target_state "                            \
                        "WHERE package = ?1 AND state <> 8 LIMIT 1")                               \
    S(SQL_POINT_LEFT, "SELECT 1 FROM target INDEXED BY target_point "                              \
                      "WHERE point = ?1 AND state <> 8 LIMIT 1")                                   \
    S(SQL_TARGETS_FULL_POINTS_COUNT,                                                               \
      "SELECT count(*) FROM (SELECT DISTINCT point FROM target INDEXED BY target_full "            \
      "WHERE state = 4 AND cause = 'space' ORDER BY point LIMIT ?1)")                              \
    S(SQL_TARGETS_FULL_POINTS, "SELECT DISTINCT point FROM target INDEXED BY target_full "         \
                               "WHERE state = 4 AND cause = 'space' ORDER BY point LIMIT ?1")      \
    S(SQL_TARGET_NEXT_OF_RING,                                                                     \
      SQL_TARGET_COLUMNS "INDEXED BY target_ring_row " SQL_TARGET_JOINS                            \
                         "WHERE t.package = ?1 AND t.ring = ?2 AND t.ring <> 0 AND t.row > ?3 "    \
                         "ORDER BY t.row LIMIT 1")                                                 \
    S(SQL_TARGET_RING, "UPDATE target SET ring = ?2, held = ?3 WHERE row = ?1")                    \
    S(SQL_RINGS_CLEAR, "UPDATE target INDEXED BY target_ring SET ring = 0, held = 0 "              \
                       "WHERE package = ?1 AND ring <> 0")                                         \
    S(SQL_RINGS_HOLD, "UPDATE target INDEXED BY target_ring SET held = ring > ?2 "                 \
                      "WHERE package = ?1 AND ring <> 0")                                          \
    S(SQL_RING_FAILED, "SELECT count(*) FROM (SELECT 1 FROM target INDEXED BY target_ring "        \
                       "WHERE package = ?1 AND ring = ?2 AND ring <> 0 AND state = 5 LIMIT ?3)")   \
    S(SQL_RING_TRIED, "SELECT count(*) FROM (SELECT 1 FROM target INDEXED BY target_ring "         \
                      "WHERE package = ?1 AND ring = ?2 AND ring <> 0 AND state = 3 "              \
                      "AND attempts >= ?3 LIMIT ?4)")                                              \
    S(SQL_RING_UNDONE, "SELECT count(*) FROM (SELECT 1 FROM target INDEXED BY target_ring "        \
                       "WHERE package = ?1 AND ring = ?2 AND ring <> 0 AND state IN (0, 1, 4) "    \
                       "UNION ALL SELECT 1 FROM target INDEXED BY target_ring "                    \
                       "WHERE package = ?1 AND ring = ?2 AND ring <> 0 AND state = 3 "             \
                       "AND attempts < ?3 LIMIT ?4)")                                              \
    S(SQL_RING_FIRST_UNDONE,                                                                       \
      "SELECT d.name, t.state, d.absent_since FROM target t INDEXED BY target_ring "               \
      "CROSS JOIN point d ON d.row = t.point WHERE t.package = ?1 AND t.ring = ?2 "                \
      "AND t.ring <> 0 AND t.state IN (0, 1, 3, 4) "                                               \
      "AND (t.state <> 3 OR t.attempts < ?3) LIMIT 1")                                             \
    S(SQL_ROLLOUT_OF, "SELECT package, rings, ring, of, state, stop_at, forgiven, since, why "     \
                      "FROM rollout WHERE package = ?1")                                           \
    S(SQL_ROLLOUT_LATE, "SELECT package, rings, ring, of, state, stop_at, forgiven, since, why "   \
                        "FROM rollout INDEXED BY rollout_look WHERE look IS NOT NULL "             \
                        "AND (look <= ?1 OR look > ?2) LIMIT 1")                                   \
    S(SQL_ROLLOUT_LOOK, "UPDATE rollout SET look = ?2 WHERE package = ?1")                         \
    S(SQL_ROLLOUT_SAVE, "INSERT OR REPLACE INTO rollout (package, rings, ring, of, state, "        \
                        "stop_at, forgiven, since, why, look) "                                    \
                        "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)")                        \
    S(SQL_TARGET_TURN,                                                                             \
      "UPDATE target SET turn = ?2, promised = ?3, promised_epoch = ?4 WHERE row = ?1")            \
    S(SQL_TARGET_NEXT_OF_TURN,                                                                     \
      SQL_TARGET_COLUMNS "INDEXED BY target_turn_row " SQL_TARGET_JOINS                            \
                         "WHERE t.package = ?1 AND t.turn = ?2 AND t.turn <> 0 AND t.row > ?3 "    \
                         "ORDER BY t.row LIMIT 1")                                                 \
    S(SQL_TURN_COUNT, "SELECT count(*) FROM target INDEXED BY target_turn "                        \
                      "WHERE package = ?1 AND turn = ?2 AND turn <> 0")                            \
    S(SQL_TURN_IN_STATE, "SELECT count(*) FROM target INDEXED BY target_turn "                     \
                         "WHERE package = ?1 AND turn = ?2 AND turn <> 0 AND state = ?3")          \
    S(SQL_TURN_UNPROMISED, "SELECT d.name, t.state FROM target t INDEXED BY target_turn "          \
                           "CROSS JOIN point d ON d.row = t.point WHERE t.package = ?1 "           \
                           "AND t.turn = 1 AND t.turn <> 0 AND t.state <> 9 LIMIT 1")              \
    S(SQL_TURN_UNSWITCHED, "SELECT d.name, t.state FROM target t INDEXED BY target_turn "          \
                           "CROSS JOIN point d ON d.row = t.point WHERE t.package = ?1 "           \
                           "AND t.turn = 2 AND t.turn <> 0 "                                       \
                           "AND t.state IN (0, 1, 3, 4, 9) LIMIT 1")                               \
    S(SQL_TURNS_CLEAR, "UPDATE target INDEXED BY target_turn SET turn = 0, promised = NULL, "      \
                       "promised_epoch = NULL WHERE package = ?1 AND turn <> 0")                   \
    S(SQL_SWITCHOVER_OF, "SELECT package, state, since, barrier, activate_at, deadline, why "      \
                         "FROM switchover WHERE package = ?1")                                     \
    S(SQL_SWITCHOVER_SAVE, "INSERT OR REPLACE INTO switchover (package, state, since, barrier, "   \
                           "activate_at, deadline, why, look) "                                    \
                           "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)")                              \
    S(SQL_SWITCHOVER_DUE, "SELECT package, state, since, barrier, activate_at, deadline, why "     \
                          "FROM switchover INDEXED BY switchover_look "                            \
                          "WHERE look IS NOT NULL AND look <= ?1 ORDER BY look LIMIT 1")           \
    S(SQL_SWITCHOVER_NEXT, "SELECT look FROM switchover INDEXED BY switchover_look "               \
                           "WHERE look IS NOT NULL ORDER BY look LIMIT 1")                         \
    S(SQL_ACTIVATION_OF,                                                                           \
      "SELECT epoch, attempt, result, code, at, text FROM activation WHERE target = ?1")           \
    S(SQL_ACTIVATION_SET,                                                                          \
      "INSERT OR REPLACE INTO activation (target, epoch, attempt, result, code, at, text) "        \
      "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)")                                                       \
    S(SQL_ACTIVATION_CLEAR, "DELETE FROM activation WHERE target = ?1")                            \
    S(SQL_TARGETS_FAILED, "SELECT count(*) FROM target INDEXED BY target_failed WHERE state = 5")

#define SQL_STATEMENTS(S)                                                                          \
    SQL_MACHINERY(S) SQL_EVENTS(S) SQL_PACKAGES(S) SQL_POINTS(S) SQL_TARGETS(S)

typedef enum sql {
#define SQL_SYMBOL(symbol, text) symbol,
    SQL_STATEMENTS(SQL_SYMBOL)
#undef SQL_SYMBOL
        SQL_COUNT
} sql_t;

const char *sql_text(sql_t which);
const char *sql_symbol(sql_t which);
