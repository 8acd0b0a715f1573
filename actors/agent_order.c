/* agent_order.c - see agent_order.h. */
#include "actors/agent_order.h"

#include <string.h>

#include "actors/content/manifest.h"
#include "proto/wire.h"

#define HEAD_BYTES  (16u + 8u + 4u)
#define ORDER_BYTES (64u << 10) /* with each of its texts twice: shown, and as it is */

static void
put_number(uint8_t *bytes, uint64_t number, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        bytes[i] = (uint8_t) (number >> (8 * (count - 1 - i)));
    }
}

static err_t
digest_of(const agent_order_said_t *said, digest_t *ret_digest)
{
    uint8_t bytes[ORDER_BYTES];
    wire_writer_t writer;

    memcpy(bytes, said->visit.byte, sizeof said->visit.byte);
    put_number(bytes + 16, said->number, 8);
    put_number(bytes + 24, said->task, 4);
    wire_writer_over(&writer, bytes + HEAD_BYTES, sizeof bytes - HEAD_BYTES);
    TRY(record_encode_part(&work_type, said->record, said->work, &writer));
    return writer.full ? ERR_TOO_LARGE
                       : manifest_digest(bytes, HEAD_BYTES + writer.size, ret_digest);
}

static err_t
version_of(const agent_order_said_t *said, signed_version_t *ret_version)
{
    const work_t *work = said->work;

    *ret_version = (signed_version_t){.site = said->site,
                                      .point = said->point,
                                      .package_incarnation = work->package_incarnation,
                                      .action = work->action,
                                      .epoch = work->epoch,
                                      .package = record_slice(said->record, work->package)};
    return digest_of(said, &ret_version->root);
}

err_t
agent_order_sign(const secret_t *signing, const agent_order_said_t *said,
                 uint8_t ret_signature[SIGN_BYTES])
{
    signed_version_t version;

    TRY(version_of(said, &version));
    sign_version(signing, SIGN_ORDER, &version, ret_signature);
    return OK;
}

err_t
agent_order_check(const digest_t *signing_key, const agent_order_said_t *said, slice_t signature)
{
    signed_version_t version;

    return version_of(said, &version) == OK
               ? sign_check(signing_key, SIGN_ORDER, &version, signature)
               : ERR_SIGNATURE;
}

err_t
agent_address_said(const agent_order_said_t *said, slice_t address, signed_version_t *ret_version)
{
    *ret_version = (signed_version_t){.site = said->site,
                                      .point = said->point,
                                      .package_incarnation = said->visit,
                                      .package = slice_of("")};
    return manifest_digest((const uint8_t *) address.data, address.size, &ret_version->root);
}

err_t
agent_beacon_said(const id128_t *site, const agent_beacon_t *beacon, signed_version_t *ret_version)
{
    uint8_t bytes[16];

    put_number(bytes, (uint64_t) beacon->time, 8);
    put_number(bytes + 8, beacon->stale_ms, 8);
    *ret_version =
        (signed_version_t){.site = *site, .epoch = beacon->sequence, .package = slice_of("")};
    return manifest_digest(bytes, sizeof bytes, &ret_version->root);
}
