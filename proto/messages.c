/* messages.c - the tables of messages.h and status.h as data. */
#include "proto/messages.h"

#include "proto/status.h"

/* ---- words ----------------------------------------------------------------------------------- */

RECORD_WORDS_DEFINE(target_state, TARGET_STATES, TARGET)
RECORD_WORDS_DEFINE(package_state, PACKAGE_STATES, PACKAGE)
RECORD_WORDS_DEFINE(point_state, POINT_STATES, POINT)
RECORD_WORDS_DEFINE(action, ACTIONS, ACTION)
RECORD_WORDS_DEFINE(agent_task, AGENT_TASKS, AGENT_TASK)
RECORD_WORDS_DEFINE(bulk, BULKS, BULK)
RECORD_WORDS_DEFINE(link_rule, LINK_RULES, LINK_RULE)
RECORD_WORDS_DEFINE(choice, CHOICES, CHOICE)
RECORD_WORDS_DEFINE(packing, PACKINGS, PACKING)
RECORD_WORDS_DEFINE(priority, PRIORITIES, PRIORITY)
RECORD_WORDS_DEFINE(activation_result, ACTIVATION_RESULTS, ACTIVATION_RESULT)
RECORD_WORDS_DEFINE(rollout_state, ROLLOUT_STATES, ROLLOUT)
RECORD_WORDS_DEFINE(switchover_state, SWITCHOVER_STATES, SWITCHOVER)
RECORD_WORDS_DEFINE(severity, SEVERITIES, SEVERITY)
RECORD_WORDS_DEFINE(component_state, COMPONENT_STATES, COMPONENT)

static const char *const err_texts[ERR_COUNT] = {[OK] = "ok",
#define ERROR_WORD(symbol, word, class, sentence, hint) [symbol] = word,
                                                 ERRORS(ERROR_WORD)
#undef ERROR_WORD
};
const record_words_t err_words = {err_texts, ERR_COUNT};

static const char *const error_class_texts[] = {"none", "retry", "resource", "refuse", "stop"};
const record_words_t error_class_words = {error_class_texts, CLASS_STOP + 1};

/* ---- records --------------------------------------------------------------------------------- */

#define DEFINE_PART(record, sentence) RECORD_DEFINE(record, 0, REC_##record)
PARTS(DEFINE_PART)
#define DEFINE_COMMAND(record, word, changes, sentence)                                            \
    RECORD_DEFINE(record, MSG_##record, REC_##record)
COMMANDS(DEFINE_COMMAND)
#define DEFINE_MESSAGE(record, sentence) RECORD_DEFINE(record, MSG_##record, REC_##record)
MESSAGES(DEFINE_MESSAGE)

static const record_type_t *const types[MSG_COUNT] = {
#define TYPE_OF_NUMBER(record, ...) [MSG_##record] = &record##_type,
    COMMANDS(TYPE_OF_NUMBER) MESSAGES(TYPE_OF_NUMBER)
#undef TYPE_OF_NUMBER
};

const record_type_t *
message_type(uint32_t number)
{
    return number < MSG_COUNT ? types[number] : NULL;
}

uint32_t
message_number_of(slice_t name)
{
    uint32_t number = MSG_COUNT - 1;
    while (number > MSG_NONE && !slice_equal(name, slice_of(types[number]->name))) {
        number--;
    }
    return number;
}

/* ---- commands -------------------------------------------------------------------------------- */

const command_t commands[] = {
#define COMMAND_ROW(record, word, changes, sentence) {word, &record##_type, changes, sentence},
    COMMANDS(COMMAND_ROW)
#undef COMMAND_ROW
};
const uint32_t command_count = sizeof commands / sizeof commands[0];

const command_t *
command_of_word(slice_t word)
{
    for (uint32_t i = 0; i < command_count; i++) {
        if (slice_equal(word, slice_of(commands[i].word))) {
            return &commands[i];
        }
    }
    return NULL;
}

static bool
is_letter_or_digit(char byte)
{
    return (byte >= 'A' && byte <= 'Z') || (byte >= 'a' && byte <= 'z') ||
           (byte >= '0' && byte <= '9');
}

bool
name_is_valid(slice_t text)
{
    if (text.size == 0 || text.size > NAME_BYTES_MAX || !is_letter_or_digit(text.data[0])) {
        return false;
    }
    for (size_t i = 1; i < text.size; i++) {
        char byte = text.data[i];
        if (!is_letter_or_digit(byte) && byte != '.' && byte != '_' && byte != '-') {
            return false;
        }
    }
    return true;
}

static bool
begins_with(slice_t text, const char *begin)
{
    size_t size = strlen(begin);
    return text.size >= size && memcmp(text.data, begin, size) == 0;
}

static bool
is_every_address(slice_t host)
{
    static const char *const every[] = {"*", "0.0.0.0:", "[::]:"};
    for (size_t i = 0; i < sizeof every / sizeof every[0]; i++) {
        if (begins_with(host, every[i])) {
            return true;
        }
    }
    return false;
}

bool
address_is_valid(slice_t text)
{
    static const char scheme[] = "tcp://";
    size_t head = sizeof scheme - 1, at = text.size;
    uint32_t port = 0, place = 1;
    while (at > 0 && text.data[at - 1] >= '0' && text.data[at - 1] <= '9' && port < 65536) {
        port += (uint32_t) (text.data[--at] - '0') * place;
        place *= 10;
    }
    return begins_with(text, scheme) && at > head + 1 && text.data[at - 1] == ':' && port > 0 &&
           port < 65536 && memchr(text.data, ' ', text.size) == NULL &&
           !is_every_address((slice_t){text.data + head, text.size - head});
}

bool
action_places(uint32_t action)
{
    return action == ACTION_INSTALL || action == ACTION_STAGE;
}

bool
action_looks(uint32_t action)
{
    return action == ACTION_VERIFY || action == ACTION_PLAN;
}

bool
point_is_agent(slice_t root)
{
    slice_t begin = slice_of(POINT_AGENT);
    return root.size >= begin.size && slice_equal((slice_t){root.data, begin.size}, begin);
}

const char *
point_failure(slice_t root, err_t err)
{
    if (err != ERR_ABSENT || !point_is_agent(root)) {
        return err_sentence(err);
    }
    bool joined = root.size > strlen(POINT_AGENT);
    return joined ? "its agent is not connected" : "no agent has joined it yet";
}

/* ---- status messages ------------------------------------------------------------------------- */

typedef struct status_row {
    uint32_t id;
    severity_t severity;
    const char *sentence;
} status_row_t;

static const status_row_t status_rows[] = {
#define STATUS_ROW(number, symbol, severity, sentence) {number, SEVERITY_##severity, sentence},
    STATUS_MESSAGES(STATUS_ROW)
#undef STATUS_ROW
};

/* What a number that no row has reads as. */
static const status_row_t unknown_status = {STATUS_NONE, SEVERITY_ERROR, ""};

static const status_row_t *
status_row(uint32_t id)
{
    for (size_t i = 0; i < sizeof status_rows / sizeof status_rows[0]; i++) {
        if (status_rows[i].id == id) {
            return &status_rows[i];
        }
    }
    return &unknown_status;
}

const char *
status_sentence(uint32_t id)
{
    return status_row(id)->sentence;
}

severity_t
status_severity(uint32_t id)
{
    return status_row(id)->severity;
}
