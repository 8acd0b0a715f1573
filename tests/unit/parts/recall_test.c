/* recall_test.c - claims about what is asked of the database before a command that has a key. */
#include <criterion/criterion.h>

#include "actors/provider_pending.h"
#include "actors/provider_wire.h"

/* Whether a request with a key, and this argument set, is recalled. */
static bool
is_recalled(const char *command, const char *argument)
{
    uint8_t bytes[256];
    wire_writer_t w;
    client_request_t request;
    request_fault_t fault;

    wire_writer_over(&w, bytes, sizeof bytes);
    wire_put_map(&w, 5);
    wire_put_str(&w, slice_of("v"));
    wire_put_u64(&w, 1);
    wire_put_str(&w, slice_of("id"));
    wire_put_u64(&w, 7);
    wire_put_str(&w, slice_of("key"));
    wire_put_str(&w, slice_of("K"));
    wire_put_str(&w, slice_of("cmd"));
    wire_put_str(&w, slice_of(command));
    wire_put_str(&w, slice_of("args"));
    wire_put_map(&w, 1);
    wire_put_str(&w, slice_of(argument));
    wire_put_bool(&w, true);
    cr_assert_eq(request_read((slice_t){(const char *) bytes, w.size}, &request, &fault), OK);
    return pending_must_recall(&request);
}

Test(recall, what_reads_a_source_or_a_root_is_done_once_by_its_key)
{
    cr_expect(is_recalled("package.add", "source"));
    cr_expect(is_recalled("package.update", "id"));
    cr_expect(is_recalled("dp.add", "root"));
    cr_expect(is_recalled("dp.set", "root"));
    cr_expect_not(is_recalled("distribute", "id"), "the database does that by itself");
}

/* The answer to the first one may have been that the gateway has not heard of it. */
Test(recall, a_revocation_that_is_repeated_goes_its_whole_way_again)
{
    cr_expect_not(is_recalled("dp.set", "revoke"));
}
