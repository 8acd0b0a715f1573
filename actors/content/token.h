/* token.h - what an agent needs to join, as one word: where the site is, and a secret.
 *
 * Shape    "despool1." and the hex of: format u8 = 1, address u8 and bytes, the site's transport
 *          key 32, secret 32, site 16, point incarnation 16, name u8 and bytes, the first 4 bytes
 *          of the SHA-256 of all before. The secret is one of CURVE, drawn for this token: who has
 *          it can prove so without saying it, and the site keeps its public half alone.
 * Promises a text that was cut or altered is ERR_TOKEN, never half believed.
 * Errors   ERR_TOKEN, ERR_TOO_LARGE.
 * Threads  pure.
 */
#pragma once

#include "actors/content/sign.h"
#include "proto/limits.h"

#define TOKEN_ADDRESS_BYTES_MAX 255u
#define TOKEN_BYTES_MAX         1000u /* of the text, with its closing NUL */

typedef struct token {
    char address[TOKEN_ADDRESS_BYTES_MAX + 1];
    digest_t site_key;
    secret_t secret;
    id128_t site, incarnation; /* of the point */
    char name[NAME_BYTES_MAX + 1];
} token_t;

err_t token_write(const token_t *token, char ret_text[TOKEN_BYTES_MAX]) must_use;
err_t token_read(const char *text, token_t *ret_token) must_use;
