/* errors.h - every way in which despool says no, once.
 *
 * Shape    one closed enum, 0 is OK; a class (what a caller does about it), a wire word, a sentence
 *          and a hint (what a person does next) for each.
 * Promises a code's wire word never changes once released; new codes are only added.
 * Costs    table look-ups, no allocation.
 * Threads  constant data only.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define must_use __attribute__((warn_unused_result))

#pragma GCC visibility push(default) /* what a shared library of it exports */
#ifdef __cplusplus
extern "C" {
#endif

/* What a caller does about an error: try again, wait for a resource, tell the asker, or stop. */
typedef enum error_class {
    CLASS_NONE = 0,
    CLASS_RETRY,    /* transient: the same try may succeed later */
    CLASS_RESOURCE, /* space, slots, a lane: wait, it resumes by itself */
    CLASS_REFUSE,   /* the request or the state forbids it: a person or a client decides */
    CLASS_STOP      /* going on would damage something: the part or the host stops */
} error_class_t;

/*   symbol            wire word            class     sentence                       hint */
#define ERRORS(E)                                                                                  \
    E(ERR_BAD_REQUEST,   "bad-request",     REFUSE,   "the request is not a valid command map",    \
      "see proto/PROTOCOL.md, section Commands")                                                   \
    E(ERR_UNKNOWN_COMMAND, "unknown-command", REFUSE, "no such command",                           \
      "despool --help lists the commands")                                                         \
    E(ERR_MISSING_ARGUMENT, "missing-argument", REFUSE, "a required argument is missing",          \
      "add the named argument")                                                                    \
    E(ERR_UNKNOWN_ARGUMENT, "unknown-argument", REFUSE, "the command has no such argument",        \
      "remove the named argument")                                                                 \
    E(ERR_WRONG_TYPE,    "wrong-type",      REFUSE,   "an argument has the wrong type",            \
      "see proto/PROTOCOL.md for the argument's type")                                             \
    E(ERR_TOO_LARGE,     "too-large",       REFUSE,   "a value is larger than its limit",          \
      "give less of it; proto/PROTOCOL.md, section Limits, has the bounds")                                                          \
    E(ERR_BAD_NAME,      "bad-name",        REFUSE,   "the name is not allowed",                   \
      "use 1 to 64 of A-Z a-z 0-9 . _ - and begin with a letter or digit")                         \
    E(ERR_BAD_VALUE,     "bad-value",       REFUSE,   "the value is out of range",                 \
      "despool COMMAND --help tells what it takes")                                               \
    E(ERR_NOT_ABSOLUTE,  "not-absolute",    REFUSE,   "the path is not absolute",                  \
      "give the path on the site's machine, from /")                                               \
    E(ERR_NOT_FOUND,     "not-found",       REFUSE,   "no such thing is known",                    \
      "list what there is with the noun's list command")                                           \
    E(ERR_EXISTS,        "exists",          REFUSE,   "the name is taken",                         \
      "choose another name, or change the existing one with set")                                  \
    E(ERR_IN_USE,        "in-use",          REFUSE,   "it still holds content",                    \
      "withdraw first, or repeat with --withdraw")                                                 \
    E(ERR_NO_TARGETS,    "no-targets",      REFUSE,   "no distribution point is named",            \
      "name at least one distribution point")                                                      \
    E(ERR_NO_SOURCE,     "no-source",       REFUSE,   "the source directory cannot be read",       \
      "check that the path is a readable directory on the site's machine")                         \
    E(ERR_SOURCE_CHANGED, "source-changed", REFUSE,   "the source changed while it was read",      \
      "let the writer finish, then repeat")                                                        \
    E(ERR_LINK_OUTSIDE,  "link-outside",    REFUSE,   "a symbolic link leads out of the tree",     \
      "change or exclude it, or allow such links: despool package set ID --links any")             \
    E(ERR_UNSUPPORTED,   "unsupported",     REFUSE,   "the file is of a kind that is not carried", \
      "remove it from the source, or exclude it with --exclude")                                   \
    E(ERR_OVERLAP,       "overlap",         REFUSE,   "the directory overlaps another one in use", \
      "choose a directory that is not inside, around or equal to it")                              \
    E(ERR_NOT_OURS,      "not-ours",        REFUSE,   "a directory is there that despool did not make", \
      "move it away, or choose another package id")                                                \
    E(ERR_ABSENT,        "absent",          RETRY,    "the distribution point is not there",       \
      "plug it in or mount it; work resumes by itself")                                            \
    E(ERR_NOT_THIS_POINT, "not-this-point", RETRY,    "the root belongs to another distribution point", \
      "mount the right root, or claim this one with dp adopt")                                     \
    E(ERR_OTHER_SITE,    "other-site",      RETRY,    "the root belongs to another site",          \
      "mount the right root, or claim this one with dp adopt")                                     \
    E(ERR_SPACE,         "space",           RESOURCE, "the file system has too little free space", \
      "free space or inodes there; work resumes by itself")                                        \
    E(ERR_SITE_FULL,     "site-full",       RESOURCE, "the site's own disk is full",               \
      "free space below the data directory; commands work again by themselves")                    \
    E(ERR_FULL,          "full",            RESOURCE, "a mailbox or table has reached its bound",  \
      "try again later; despool component list shows what is backed up")                           \
    E(ERR_BUSY,          "busy",            RETRY,    "it is in use by work that is not finished", \
      "wait for the work, or cancel it")                                                           \
    E(ERR_STARTING,      "starting",        RETRY,    "the component is not ready yet",            \
      "try again in a moment; despool component list shows what it waits for")                     \
    E(ERR_DOWN,          "down",            RETRY,    "the component is stopped",                  \
      "despool component start NAME")                                                              \
    E(ERR_RESTARTING,    "restarting",      RETRY,    "the component restarted before it answered", \
      "look whether it was done, or repeat it with the same key: it is not done twice")            \
    E(ERR_DEADLINE,      "deadline",        RETRY,    "no answer came in time",                    \
      "it may be done all the same: look, or repeat it with the same key; despool component list shows what is stalled") \
    E(ERR_CYCLE,         "cycle",           REFUSE,   "the call would wait for itself",            \
      "report this with the path of names; it is a defect of despool")                             \
    E(ERR_UNDECLARED,    "undeclared",      REFUSE,   "the actor may not talk to that address",    \
      "report this; it is a defect of despool")                                                    \
    E(ERR_CANCELLED,     "cancelled",       REFUSE,   "the work was cancelled",                    \
      "despool retry ID starts it again")                                                          \
    E(ERR_SUPERSEDED,    "superseded",      REFUSE,   "a later version or command took its place", \
      "nothing to do")                                                                             \
    E(ERR_PAUSED,        "paused",          RESOURCE, "the distribution point is paused",          \
      "despool dp resume NAME")                                                                    \
    E(ERR_DIGEST,        "digest",          RETRY,    "the bytes do not have the expected digest", \
      "despool fetches them again; repeated, it points to bad memory or a bad disk")               \
    E(ERR_DAMAGED,       "damaged",         STOP,     "a file of despool's own is damaged",        \
      "stop the host and restore it from a backup; see docs/operations.md")                        \
    E(ERR_NEWER_SCHEMA,  "newer-schema",    STOP,     "the data directory was written by a newer despool", \
      "run that version, or restore a backup made before the upgrade")                             \
    E(ERR_LOCKED,        "locked",          STOP,     "another host uses the data directory",      \
      "stop the other despoold first")                                                             \
    E(ERR_PERMISSION,    "permission",      RETRY,    "permission denied",                         \
      "give the user that runs despoold the right to it")                                          \
    E(ERR_NAME_TOO_LONG, "name-too-long",   REFUSE,   "a path or name is longer than the system allows", \
      "shorten the path")                                                                          \
    E(ERR_READ_ONLY,     "read-only",       RETRY,    "the file system is read-only",              \
      "remount it writable; work resumes by itself")                                               \
    E(ERR_IO,            "io",              RETRY,    "an input or output operation failed",       \
      "check the disk or the mount; work is tried again by itself")                                \
    E(ERR_HUNG,          "hung",            RETRY,    "an operation of the system does not return", \
      "check the mount; nothing else waits for it")                                                \
    E(ERR_NO_MEMORY,     "no-memory",       RESOURCE, "out of memory",                             \
      "give the host more memory")                                                                 \
    E(ERR_CONFIG,        "config",          STOP,     "the configuration is not valid",            \
      "mend the named line")                                                                       \
    E(ERR_QUARANTINED,   "quarantined",     REFUSE,   "it was set aside after repeated failures", \
      "despool quarantine list")                                                                   \
    E(ERR_INTERNAL,      "internal",        STOP,     "despool met a state that it holds impossible", \
      "report this with the output of despool blackbox")                                           \
    E(ERR_NEEDED,        "needed",          REFUSE,   "the site cannot be without it",             \
      "despool component restart NAME, or stop the host with despool stop")                        \
    E(ERR_STOPPING,      "stopping",        RETRY,    "the host stops",                            \
      "start despoold again, then look whether it was done, or repeat it with the same key")       \
    E(ERR_QUEUED,        "queued",          RESOURCE, "it waits for its turn",                     \
      "despool component list shows who is paused, stopped or backed up")                          \
    E(ERR_NOT_STORED,    "not-stored",      REFUSE,   "the site's own copy is missing or damaged", \
      "despool package update ID stores it again, then despool retry ID; or restore DATA/store from a backup") \
    E(ERR_NOT_LISTENING, "not-listening",   REFUSE,   "the site does not listen for agents",       \
      "start it with despoold --listen tcp://ADDRESS:PORT, then repeat the command")               \
    E(ERR_TOKEN,         "token",           REFUSE,   "the token is not one of this site, or was altered", \
      "copy it whole, or have a new one made: despool dp remove NAME, then dp add NAME --agent")   \
    E(ERR_TOKEN_EXPIRED, "token-expired",   REFUSE,   "the token has expired",                     \
      "have a new one made: despool dp remove NAME, then despool dp add NAME --agent")             \
    E(ERR_TOKEN_SPENT,   "token-spent",     REFUSE,   "the token was used by another agent",       \
      "have a new one made: despool dp remove NAME, then despool dp add NAME --agent")             \
    E(ERR_REVOKED,       "revoked",         REFUSE,   "the agent's key was revoked",               \
      "despool dp remove NAME and dp add NAME --agent make a new one")                             \
    E(ERR_KEY_MODE,      "key-mode",        STOP,     "a file of keys can be read or written by others", \
      "chmod 600 FILE; if others may have read it, it is no secret any more")                      \
    E(ERR_SIGNATURE,     "signature",       REFUSE,   "a signature does not hold",                 \
      "somebody else speaks in its name, or its keys were changed; look at both ends")             \
    E(ERR_KEYS_LOST,     "keys-lost",       STOP,     "keys that were in use are not there, or are others now", \
      "put DATA/keys back from a backup; to begin with new ones, which no agent knows: remove DATA/keys.made as well") \
    E(ERR_POINT_REMOVED, "point-removed",   REFUSE,   "the distribution point was removed from its site", \
      "what it has placed stays; despool dp add NAME --agent at a site makes a token to join anew") \
    E(ERR_KEY_TAKEN,     "key-taken",       REFUSE,   "these keys are those of another point's agent", \
      "give the agent a --data directory of its own, not a copy of another's")                     \
    E(ERR_NOT_EMPTY,     "not-empty",       REFUSE,   "the directory is not empty",                \
      "name one that is empty or not there; a backup that was not finished may be removed")        \
    E(ERR_NOT_MOVED,     "not-moved",       RETRY,    "its store is still that of the first release", \
      "despool store collect moves it into packs; the host does so by itself within some minutes") \
    E(ERR_NO_BACKUP,     "no-backup",       REFUSE,   "the directory holds no backup that was finished", \
      "name a directory that despool site backup has finished: it has a file 'backup'")            \
    E(ERR_NO_PARCEL,     "no-parcel",       REFUSE,   "the file is no parcel, or not all of one, or it was changed", \
      "copy it again from where despool package export has written it; nothing of it was taken")   \
    E(ERR_HALF_RESTORED, "half-restored",   STOP,     "a restore of the data directory was not finished", \
      "empty the directory and restore it again: despool --data DIR site restore BACKUP")           \
    E(ERR_RING,          "ring",            RESOURCE, "an earlier ring is not done yet, or the rollout is stopped", \
      "despool status ID shows its rings; despool rollout resume ID goes on after a stop")         \
    E(ERR_WINDOW,        "window",          RESOURCE, "its point's window is closed",              \
      "it goes on by itself when the window opens; despool dp set NAME --window changes it, --window none takes it away") \
    E(ERR_NO_PATH,       "no-path",         REFUSE,   "there is no such file or directory",        \
      "name one that is there, on the machine of the host, or make it")                            \
    E(ERR_PATH_TAKEN,    "path-taken",      REFUSE,   "something else is there already",           \
      "name a path where nothing is, or move it away")                                             \
    E(ERR_NO_ADDRESS,    "no-address",      STOP,     "the address is not to be had",              \
      "stop what listens there, or name another one, of this machine, with --listen or --listen-plain") \
    E(ERR_BAD_BACKUP,    "bad-backup",      REFUSE,   "a file of the backup is missing, or was changed", \
      "restore another backup to an empty directory; sha256sum -c files in that of this one tells what is wrong") \
    E(ERR_NOT_KEPT,      "not-kept",        RETRY,    "the point's file system does not keep modes or times as they are", \
      "put its root on another one (dp set NAME --root PATH), or mount it otherwise; work is tried again by itself") \
    E(ERR_NAMES_CLASH,   "names-clash",     REFUSE,   "two of its names differ only in case, and the root tells no difference", \
      "rename one in the source and despool package update ID, or put the point's root on a file system that tells them apart (dp set NAME --root PATH) and despool retry ID")

typedef enum err {
    OK = 0,
#define ERROR_SYMBOL(symbol, word, class, sentence, hint) symbol,
    ERRORS(ERROR_SYMBOL)
#undef ERROR_SYMBOL
        ERR_COUNT
} err_t;

/* Each answers for any value, also one that came off a disk: an unknown code reads as ERR_INTERNAL. */
const char *err_word(err_t err);
const char *err_sentence(err_t err);
const char *err_hint(err_t err);
error_class_t err_class(err_t err);
/* Whether it says that a point was not there, or not the one that was meant. */
bool err_is_absence(err_t err);
/* Whether only a site says it of its own targets: no work at a point ends so. */
bool err_is_of_site(err_t err);
const char *error_class_word(error_class_t of);
/* The code of a wire word, or ERR_INTERNAL. */
err_t err_of_word(const char *word, size_t size);

/* A failure with its origin: what was being done to what, and the numbers behind it.
 * Filled once, where the failure was seen; passed up untouched. */
#define FAULT_SUBJECT_BYTES 512
typedef struct fault {
    err_t err;
    int32_t os_error;  /* errno, 0 where the system was not asked */
    uint64_t need;     /* bytes, or inodes when inodes is set; UINT64_MAX: not known */
    uint64_t have;
    bool inodes;       /* need and have count inodes, not bytes */
    uint32_t line;     /* origin */
    char file[24];
    char verb[24];     /* "open", "sync", ... */
    char subject[FAULT_SUBJECT_BYTES]; /* what it was done to; odd bytes shown as \xNN */
} fault_t;

/* Fills *fault (which may be NULL) and returns err. verb and subject are copied. */
err_t fault_set(fault_t *fault, err_t err, int os_error, const char *verb, const char *subject,
                const char *file, uint32_t line);
#define RAISE(fault, err, os_error, verb, subject)                                                 \
    fault_set((fault), (err), (os_error), (verb), (subject), __FILE__, __LINE__)
/* The error that an errno value stands for, as met at a file of a point or the store. */
err_t err_of_errno(int os_error);
/* The same, as met at a path that a command has named, where no point and no work is. */
err_t err_of_path_errno(int os_error);
/* "cannot open 'x': permission denied (EACCES)" into text[size]; returns text. */
const char *fault_text(const fault_t *fault, char *text, size_t size);

#define TRY(call)                                                                                  \
    do {                                                                                           \
        err_t try_err_ = (call);                                                                   \
        if (try_err_ != OK) {                                                                      \
            return try_err_;                                                                       \
        }                                                                                          \
    } while (0)

#ifdef __cplusplus
}
#endif
#pragma GCC visibility pop
