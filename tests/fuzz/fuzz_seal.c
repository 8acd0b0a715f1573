/* fuzz_seal.c - any text as the sealed files of a point: its identity, receipts, version records.
 *
 * The first byte of an input chooses the kind, and whether the text follows as it lies on disk or
 * is still to be closed with its digest, which no fuzzer guesses.
 */
#include <string.h>

#include "actors/content/seal.h"
#include "fuzz.h"

#define VALUE_BYTES 257u /* of the longest value that is read, a label */

static const char *const kinds[] = {"point", "receipt", "version"};
static const char *const keys[] = {"site", "name",  "package", "incarnation", "epoch", "copy",
                                   "root", "label", "when",    "superseded",  "absent"};

/* What was read, written again, reads the same. */
static void
write_again(const char *key, const char *value, uint64_t number, bool is_number)
{
    seal_t again;
    char back[VALUE_BYTES] = "";
    uint64_t back_number = 0;
    seal_begin(&again, "point");
    seal_put(&again, key, value);
    PROMISE(seal_close(&again) == OK && seal_check(&again, "point") == OK);
    PROMISE(value[0] == '\0' ||
            (seal_get(&again, key, back, sizeof back) && strcmp(back, value) == 0));
    seal_begin(&again, "point");
    seal_put_number(&again, key, number);
    PROMISE(!is_number || (seal_get_number(&again, key, &back_number) && back_number == number));
}

static void
read_all(const seal_t *seal)
{
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        char value[VALUE_BYTES] = "";
        uint64_t number = 0;
        uint8_t bytes[32];
        bool is_number = seal_get_number(seal, keys[i], &number);
        PROMISE(!seal_get_hex(seal, keys[i], bytes, 32) || !seal_get_hex(seal, keys[i], bytes, 16));
        if (!seal_get(seal, keys[i], value, sizeof value)) {
            value[0] = '\0';
        }
        write_again(keys[i], value, number, is_number);
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    if (size == 0) {
        return 0;
    }
    const char *kind = kinds[(bytes[0] >> 1) % 3];
    bool closed = (bytes[0] & 1) != 0;
    seal_t seal;
    size = size - 1 < sizeof seal.text ? size - 1 : sizeof seal.text;
    memcpy(seal.text, bytes + 1, size);
    seal.size = size;
    seal.full = false;
    if (!closed && seal_close(&seal) != OK) {
        return 0;
    }
    if (seal_check(&seal, kind) == OK) {
        read_all(&seal);
    }
    return 0;
}
