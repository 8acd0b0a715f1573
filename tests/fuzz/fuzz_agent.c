/* fuzz_agent.c - any frame as a site hears it of an agent, and an agent of its site. */
#include <string.h>

#include "actors/agent_wire.h"
#include "fuzz.h"

static _Alignas(8) uint8_t memory[AGENT_MEMORY_BYTES], again[PEER_FRAME_BYTES_MAX];

/* What was read, written again, is read as the same. */
static void
say_again(const record_type_t *type, const void *record, agent_side_t side)
{
    static _Alignas(8) uint8_t second[AGENT_MEMORY_BYTES];
    const record_type_t *type_again = NULL;
    const void *record_again = NULL;
    char line[256];
    PROMISE(strlen(record_print(type, record, line, sizeof line)) < sizeof line);
    size_t size = agent_frame_write(type, record, again, sizeof again);
    if (size == 0) {
        return; /* it was shorter in other words */
    }
    PROMISE(agent_frame_read((slice_t){(const char *) again, size}, side, second, sizeof second,
                             &type_again, &record_again) == OK);
    PROMISE(type == type_again && record_equal(type, record, record_again));
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    static const agent_side_t sides[] = {AGENT_SAYS, SITE_SAYS, AGENT_SAYS_IN_PLAIN,
                                         SITE_SAYS_IN_PLAIN};
    for (size_t i = 0; i < sizeof sides / sizeof sides[0]; i++) {
        const record_type_t *type = NULL;
        const void *record = NULL;
        slice_t frame = {(const char *) bytes, size};
        if (agent_frame_read(frame, sides[i], memory, sizeof memory, &type, &record) == OK) {
            say_again(type, record, sides[i]);
        }
    }
    return 0;
}
