/* parcel_inner.h - the bytes of a parcel's head and end, for who writes and who takes it.
 *
 * Threads  pure.
 */
#pragma once

#include "actors/content/parcel.h"

#define PARCEL_HEAD_BYTES 224u
#define PARCEL_END_BYTES  64u

void parcel_head_encode(const parcel_about_t *about, const secret_t *signing,
                        uint8_t ret_bytes[PARCEL_HEAD_BYTES]);
/* ERR_NO_PARCEL, ERR_SIGNATURE. */
err_t parcel_head_decode(const uint8_t bytes[PARCEL_HEAD_BYTES], const id128_t *site,
                         const digest_t *signing_key, parcel_about_t *ret_about) must_use;
/* Without its digest, the last 32 bytes. */
void parcel_end_encode(const parcel_result_t *result, uint8_t ret_bytes[PARCEL_END_BYTES]);
err_t parcel_end_decode(const uint8_t bytes[PARCEL_END_BYTES],
                        parcel_result_t *ret_result) must_use;
