/* limits.h - every bound of despool, with its unit and what happens when it is reached.
 *
 * Shape    one constant to a line.
 * Promises nothing in despool grows past what stands here.
 */
#pragma once

/* records and wire */
#define MESSAGE_BYTES_MAX      (16u << 20) /* bytes of one record; a larger draft gives VERDICT_TOO_LARGE */
#define RECORD_ROWS_COUNT_MAX  100000u     /* rows of one list; a longer one is refused (too-large) */
#define WIRE_DEPTH_MAX         16u         /* nesting of a wire document; deeper is refused (bad-request) */
#define COMMAND_BYTES_MAX      (1u << 20)  /* bytes of one command frame; a larger one is refused (too-large) */

#define COMMAND_ID_BYTES_MAX   256u        /* encoded bytes of a command's id; more are refused (too-large) */
#define RECORD_FIELDS_MAX      64u         /* fields of one record type; more fail an assert at first decode */

/* names and texts */
#define NAME_BYTES_MAX         64u    /* bytes of an id or name; longer is refused (bad-name) */
#define TEXT_BYTES_MAX         1024u  /* bytes of a free text; longer is refused (too-large) */
#define LABEL_BYTES_MAX        128u   /* bytes of a version's label; longer is refused (too-large) */
#define KEY_BYTES_MAX          128u   /* bytes of an idempotency key; longer is refused (too-large) */
#define PATH_BYTES_MAX         4095u  /* bytes of SOURCE or ROOT; longer is refused (name-too-long) */
#define GLOB_COUNT_MAX         256u   /* exclude globs of a package; more are refused (too-large) */
#define DIRECTORY_BYTES_MAX    (16u << 20) /* of a manifest for one directory: 61 for each name and its own, 38 more for a file above 1 MiB, so some 200,000 names; a larger one is refused at package add (too-large) */
#define POINTS_PER_COMMAND_MAX 10000u /* names in one command; more are refused (too-large) */

#define PEER_FRAME_BYTES_MAX   (2u << 20)  /* bytes of one frame of a peer link; a larger one ends its connection */

#define PEER_WORD_BYTES_MAX    256u        /* bytes of the one word that is heard on a plain connection; a longer one ends it */

#define PEERS_MAX              16384u      /* connections of a peer link that listens; a further one is ended */
#define PEERS_SILENT_MAX       256u        /* of those that have said nothing yet; then the oldest is ended */
#define PEERS_SILENT_MS        10000u      /* that one may say nothing; then it is ended */

/* runtime */
#define ACTORS_MAX             1048576u    /* actors of a host; a further spawn gets VERDICT_FULL */
#define WORKERS_MAX            128u        /* workers (threads with a mailbox socket) of a host; more are refused at load */
#define POOL_WORKERS           2u          /* workers shared by package_workers and point_workers */
#define LANE_MESSAGES_MAX      10000u      /* messages waiting per urgent or normal lane; then VERDICT_FULL */
#define LANE_BYTES_MAX         (64u << 20) /* bytes waiting per urgent or normal lane; then VERDICT_FULL */
#define ASKS_OPEN_MAX          1024u       /* open asks and jobs of one actor; then VERDICT_FULL */
#define TIMERS_PER_ACTOR_MAX   100000u     /* timers of one actor; then VERDICT_FULL */
#define ACTOR_NAME_BYTES_MAX   95u         /* bytes of an actor's name; longer is cut */
#define INIT_DEADLINE_MS       10000u      /* until an actor that is not ready is reported late */
#define HANDLER_LIMIT_MS       100u        /* of one handler; longer is reported as stalled */
#define TAKEOVER_MS            5000u       /* of one handler; then its worker's other actors go on with a new thread */
#define TAKEOVERS_MAX          4u          /* handlers that are not waited for at one time; a further one keeps its worker */
#define ASK_DEADLINE_MS        30000u      /* of an ask unless it says otherwise */
#define JOB_DEADLINE_MS        600000u     /* of a job unless it says otherwise; then its asker gets deadline */
#define JOB_THREADS            20u         /* job threads; a further job waits in the queue */
#define JOB_THREADS_LOST_MAX   64u         /* threads written off before jobs are refused (full) */
#define JOBS_QUEUED_MAX        20000u      /* jobs waiting for a thread; then VERDICT_FULL */
#define RESTART_INTENSITY      5u          /* restarts of one child per period; then it is given up */
#define RESTART_PERIOD_MS      60000u
#define RESTART_BACKOFF_MS     100u        /* before the first restart; doubles up to RESTART_BACKOFF_MAX_MS */
#define RESTART_BACKOFF_MAX_MS 10000u
#define DELIVERY_ATTEMPTS_MAX  3u          /* of one message that fails its handler; then quarantine */
#define QUARANTINE_MAX         1000u       /* messages set aside; the oldest is dropped and counted */
#define BLACK_BOX_DELIVERIES   4096u       /* last deliveries noted per worker; older ones are overwritten */
#define BLACK_BOX_JOBS         (JOB_THREADS + JOB_THREADS_LOST_MAX) /* job threads noted; a further one shares a place */
#define CRASH_ATTEMPTS_MAX     3u          /* ends of the process by one and the same work; then it is put aside */
#define CRASH_KEPT_MS          86400000    /* 24 h that such an end is remembered; then it is forgotten */
#define CRASHES_COUNTED_MAX    64u         /* works that ended the process; the oldest is forgotten */
#define ASIDE_NUMBER_FIRST     1000000000u /* quarantine numbers from here on are those of targets put aside */
#define STOP_DEADLINE_MS       10000u      /* of a host's orderly stop; then what is left is reported */

/* site */
#define SLOTS_DEFAULT          16u         /* despooling slots */
#define SLOTS_MAX              256u        /* a larger number is refused (bad-value) */
#define HISTORY_MESSAGES_MAX   1000000u    /* status messages kept; older ones are answered as lost */
#define EVENTS_PER_ANSWER_MAX  1000u       /* events in one answer of status.since; ask again for more */
#define KEY_KEPT_S             86400u      /* seconds an idempotency key and its answer are kept */
#define ATTEMPTS_MAX           100u        /* tries that reached a point; then failed{exhausted} */
#define RETRY_FIRST_MS         1000u       /* before the second try; doubles with jitter */
#define RETRY_MAX_MS           1800000u    /* 30 min between tries at most */
#define INTEGRITY_ATTEMPTS_MAX 3u          /* digest failures in a row; then failed */
#define PROBE_PERIOD_MS        2000u       /* between looks at an absent point */
#define PROBE_DEADLINE_MS      10000u      /* of one look; then the point is hung */
#define PATROL_PROBES          30u         /* PROBE_PERIODs, a minute, between looks at a point without work; many take longer */
#define PATROL_LOOKS_MAX       2u          /* such looks in hand; the next ones wait for them */
#define PATROL_STEP_MS         100u        /* between such looks: at most 20 of them in a second */
#define LEAVING_POINTS_MAX     16u         /* removed points whose roots are given free at one time */
#define PATROL_LOST_MAX        16u         /* job threads lost; then no such look until one has come back */
#define SCRUB_RATE_DEFAULT     4000000u    /* bytes a second that are read again at each point */
#define SCRUB_ROUND_MS         10000u      /* between two portions of one point, at least */
#define SCRUB_REST_MS          86400000u   /* 24 h from the beginning of a whole reading to the next, at least */
#define SCRUB_POINTS_MAX       4u          /* portions in hand; further points wait for them */
#define SCRUB_LOOKS_MAX        64u         /* points that one look for a portion goes through; the next goes on */
#define SPACE_PERIOD_MS        5000u       /* between looks at a point that waits for space */
#define LEASE_MS               900000u     /* of an installing or removing target; renewed while bytes move */
#define INSTRUCTION_TARGETS_MAX 256u       /* targets in one instruction; more become further instructions */
#define DUE_TARGETS_MAX        256u        /* targets taken up in one look for due work */
#define GRACE_MS               900000u     /* 15 min that a superseded version stays for its readers */
#define BACKLOG_ALARM_MS       60000u      /* age of an instruction in the despooler's inbox that raises an alarm */
#define ABSENT_ALARM_MS        86400000u   /* 24 h of absence raise an alarm */
#define ALARMS_MAX             1000u /* open alarms; a further one is dropped until one has ended */
#define GRAPH_WAITS_MAX        1000u /* actors that wait, in an answer of graph; further ones are counted */
#define SPACE_RESERVE_BYTES    (16u << 20) /* bytes left free on a point's file system */
#define SPACE_RESERVE_INODES   1000u       /* inodes left free on a point's file system */
#define SITE_RESERVE_BYTES     (16u << 20) /* bytes pre-allocated so that status, stop and cancel still work */
#define EPOCHS_AHEAD_MAX       1000000u    /* that a point may know more of than a site that was restored; beyond it is refused (superseded) */
#define RESTORE_SKIPS_MESSAGES 500000u     /* numbers of status messages that a restored site leaves out: others may have read them */
#define VERIFY_PATHS_MAX       10000u      /* paths listed per kind in a verify answer; all are counted */
#define VERSIONS_TOLD_MAX      100u        /* versions listed in an answer of store.check; all are counted */

#define POINT_STILL_MS         20000u      /* of work at a point without a sign of life; then it is called hung, and tried again when it came back */

/* agents */
#define AGENT_WINDOW_BYTES     (8u << 20)  /* bytes under way to one agent that it has not made durable; then nothing is sent */
#define AGENT_WINDOW_BYTES_MIN 4096u       /* the same over the slowest line: that much comes through within AGENT_SILENCE_MS, or nothing ever does */
#define AGENTS_WINDOW_BYTES    (32u << 20) /* the same over all agents; each waits for its turn */
#define AGENT_TURN_BYTES       (8u << 20)  /* of one package, while another waits for the same agent; then it is that one's turn */
#define AGENT_DATA_BYTES_MAX   (1u << 20)  /* content bytes of one data message */
#define AGENT_RANGES_MAX       8192u       /* ranges of one need; what is lacking beyond is asked for in the next */
#define AGENT_RANGES_MIN       64u         /* ranges of one need over the slowest line */
#define AGENT_NEED_BYTES_MAX   (64u << 20) /* of one need, the same */
#define AGENT_JOB_THREADS      8u          /* job threads of an agent; a further job waits in the queue */
#define AGENT_ORDERS_MAX       16u         /* orders open at one agent; a further one is refused (busy) */
#define AGENT_STAGED_MAX       16u         /* objects that are not whole yet at an agent; the one untouched longest is removed */
#define AGENT_NAMED_MAX        8388608u    /* names of versions that the site looks needs up in, all agents together; then a need fails (full) */
#define AGENT_NAMED_SETS_MAX   64u         /* versions that are being sent at one time; the same */
#define LACK_NAMES_MAX         1048576u    /* lacking objects that a look remembers; of those beyond, one that is named twice counts twice */
#define LACK_DIRECTORIES_MAX   1048576u    /* directories of a version that a look goes into, each time that it is named; a version with more does not come to an agent (too-large) */
#define SEED_WANTED_MAX        1048576u    /* lacking files that are looked for in a seed; the rest is sent */
#define SEED_NAMES_MAX         10000000u   /* names in a seed that are looked at; the rest is not used */
#define DELTA_BYTES_MAX        (1u << 20)  /* of a file that is sent as a delta, and of what it is against; a larger one is sent without */
#define AGENT_LISTS_MAX      256u          /* large objects that are fetched by chunks at one time; further ones wait */
#define AHEAD_FILES_MAX      131072u       /* of a version, written to its tree while its content comes; the rest is placed from the store */
#define AHEAD_DIRECTORIES_MAX 131072u      /* of a version, known by name meanwhile; the same */
#define BEFORE_CHUNKS_MAX    65536u        /* of a large file of the version in place, from which the next one is made; one that has more is made from the store */
#define AHEAD_PATH_BYTES_MAX 1024u         /* of a directory in that tree; what is below a longer one is placed from the store */
#define AGENT_LISTS_KEPT     512u          /* lists of chunks at an agent; the one untouched longest is removed */
#define KIN_BYTES_MAX        (2u << 30)    /* of chunks of two versions that are compared for bases; what is beyond has none but its neighbour's */
#define KIN_MARKS_MAX        1048576u      /* marks of what a version before holds; then they are taken less densely */
#define AGENT_LIST_BYTES_MAX (16u << 20)    /* of a list of chunks: of a file of about 110 GB; a larger file is fetched as a whole */
#define PARCELS_MAX            16u         /* parcels that an agent has taken and whose versions it does not have; then the first one's content may go */
#define AGENT_TOMBSTONES_MAX   10000u      /* removed points whose agents have not heard it; the one removed longest ago is forgotten, and its agent is a stranger */
#define AGENTS_NAMED_MAX       16u         /* changed agents that the database names in one hint; of more all are listed anew */
#define AGENTS_PER_ANSWER_MAX  1000u       /* agents in one answer of the database; the rest is asked for after it */
#define AGENT_DIAL_MS          1000u       /* between two tries to dial a site whose address cannot be dialled */
#define PLAIN_FAILURES_MAX     3u          /* in a row, of an agent's plain connection; then its content goes by CURVE */
#define AGENT_BEAT_MS          2000u       /* between signs of life, both ways */
#define AGENT_SILENCE_MS       8000u       /* without one the other side is gone */
#define BEACON_MS              60000u      /* between beacons of a site */
#define BEACONS_MISSED_MAX     15u         /* in a row; then an agent is stale */
#define AGENT_STALE_MS         900000u     /* until an agent that has just begun is stale */
#define ON_ACTIVATE_MS         600000u     /* of an on-activate program; then it and its group are ended */
#define ON_ACTIVATE_MS_MAX     86400000u   /* that may be configured; more is refused (config) */
#define ON_ACTIVATE_AGAIN_MS   30000u      /* until an end that the site has not acknowledged is told again, or a run that could not be noted is tried again */
#define ON_ACTIVATE_TOLD_MAX   64u         /* ends told at one time; the next follow when those are known */
#define AGENT_PATH_BYTES_MAX   1024u       /* of an agent's ROOT and DATA, and of an address; longer is refused (name-too-long) */
#define AGENT_ADDRESS_BYTES_MAX 255u       /* of an address that agents are told; longer is refused (too-large) */
#define LISTEN_MAX             4u          /* endpoints at which a site listens for agents; a further one is refused */
#define RATE_BYTES_MAX         10000000000u /* bytes a second of a rate; a larger one is refused (bad-value) */
#define RATE_BURST_MS          100u        /* of a rate that may be sent at once after a rest */
#define RATE_BLOCK_BYTES_MIN   4096u       /* sent at one time, also at a lower rate */
#define WINDOWS_MAX            16u         /* windows of a distribution point; more are refused (too-large) */
#define WINDOW_BYTES_MAX       128u        /* bytes of one; longer is refused (too-large) */
#define ZONE_NAME_BYTES_MAX    63u         /* bytes of a time zone's name; longer is refused (too-large) */
#define WINDOWS_AHEAD_MAX      64u         /* windows that a plan looks ahead; an end beyond is not told */
#define MEASURED_BYTES_MIN     1000000u    /* bytes of a transfer that tells how fast a point is; a smaller one does not */
#define ESTIMATE_FIRST_MS      5000u       /* of a transfer, before its end is judged by how fast it is, and between two looks */
#define WINDOWS_LOOKED_MAX     512u        /* windows that an estimate goes through; then it is not told */
#define ZONE_FILE_BYTES_MAX    65536u      /* bytes of a time zone's file; a larger one is refused (damaged) */
#define RINGS_MAX              16u         /* rings of a rollout; more are refused (too-large) */
#define RING_TRIES             3u          /* tries that reached a point; then its ring counts it as a failure */
#define SWITCH_DAYS_MAX        400u        /* that a switchover or its deadline may lie ahead; more is refused (bad-value) */
#define RING_WAITS_MS          600000u     /* 10 min that a ring may take in silence; then who it waits for is told, and once a day */
#define RATED_LINKS_MAX        10000u      /* links of a site; a further one is refused (full) */
#define TOKEN_LIFE_S           86400u      /* a day that a token is good, unless dp add says otherwise */
#define TOKEN_LIFE_MAX_S       2592000u    /* 30 days; a longer one is refused (bad-value) */
