/* kept_test.c - claims about what an agent keeps in its data directory when that was damaged, or
 * its clock was set back. */
#include <fcntl.h>
#include <string.h>

#include "actors/content/beacon.h"
#include "actors/content/hash.h"
#include "actors/content/incoming.h"
#include "tests/unit/agents/pair.h"

#define TOTAL 3000u
#define PART  1000u

static uint8_t content[TOTAL];

/* So many objects that are not whole, from a time when the clock was a year ahead. */
static void
leave(uint32_t count)
{
    char command[256];

    snprintf(command, sizeof command,
             "cd '%s/incoming' && for i in $(seq %u); do touch -d 'next year' "
             "$(printf %%064x $i); done",
             pair.data, count);
    cr_assert_eq(system(command), 0);
}

static digest_t
digest_of_content(void)
{
    hash_t *hash = NULL;
    digest_t digest;

    cr_assert_eq(hash_new(&hash), OK);
    hash_bytes(hash, content, TOTAL, &digest);
    hash_destroy(&hash);
    return digest;
}

/* In the next group, as a job of its own. */
static void
come(const digest_t *object, uint32_t from)
{
    staging_part_t part = {.object = *object,
                           .from = from,
                           .total = TOTAL,
                           .bytes = {(const char *) content + from, PART}};

    expect_ok(staging_put(pair.staging, &part, &pair.fault), "stage");
    expect_ok(staging_commit(pair.staging, &pair.fault), "commit");
    expect_ok(incoming_keep_few(&pair.os.world, slice_of(pair.data), object, &pair.fault), "keep");
    pair_close_agent();
    pair_open_agent();
}

Test(kept, what_comes_in_parts_becomes_whole_when_the_clock_was_set_back, .init = pair_open,
     .fini = pair_close)
{
    bool has = false;

    memset(content, 'x', sizeof content);
    digest_t object = digest_of_content();
    leave(AGENT_STAGED_MAX + 4);
    for (uint32_t from = 0; from < TOTAL; from += PART) {
        come(&object, from);
    }
    expect_ok(store_has(pair.agent, &object, &has, &pair.fault), "has");
    cr_expect(has, "it is not there");
}

static err_t
note(uint64_t sequence)
{
    beacon_t beacon = {.sequence = sequence};

    return beacon_keep(&pair.os.world, pair.data, &beacon, &pair.fault);
}

Test(kept, a_note_of_beacons_that_was_damaged_does_not_keep_its_agent_stale, .init = pair_open,
     .fini = pair_close)
{
    char command[128];

    expect_ok(note(5), "note");
    cr_assert_eq(note(5), ERR_SUPERSEDED);
    snprintf(command, sizeof command, "sed -i 's/sequence 5/sequence 7/' '%s/beacon'", pair.data);
    cr_assert_eq(system(command), 0);
    expect_ok(note(6), "note");
    cr_expect_eq(note(6), ERR_SUPERSEDED, "what is written over it is no note");
}
