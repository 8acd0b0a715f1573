/* fuzz_pack.c - any bytes as parts of the store: refused, or read and made again the same. */
#include <string.h>

#include "actors/content/run.h"
#include "actors/content/squeeze.h"
#include "fuzz.h"

static void
as_record(const uint8_t *bytes, size_t size)
{
    pack_record_t record;
    uint8_t again[RECORD_HEAD_BYTES];
    if (size < sizeof again || pack_record_decode(bytes, &record) != OK) {
        return;
    }
    PROMISE(record.stored <= RECORD_BYTES_MAX);
    PROMISE(record.kind == PACK_LIST || record.size <= RECORD_BYTES_MAX);
    pack_record_encode(&record, again);
    PROMISE(memcmp(again, bytes, sizeof again) == 0);
}

static void
as_page(const uint8_t *bytes, size_t size)
{
    run_entry_t entry[RUN_PAGE_ENTRIES];
    uint32_t count = 0;
    if (size >= RUN_PAGE_BYTES && run_page_decode(bytes, 0, entry, &count) == OK) {
        PROMISE(count > 0 && count <= RUN_PAGE_ENTRIES);
    }
}

/* The first two bytes say how large it is to become. */
static void
as_squeezed(const uint8_t *bytes, size_t size)
{
    squeeze_t squeeze = {0};
    if (size < 2) {
        return;
    }
    size_t wanted = (size_t) bytes[0] << 8 | bytes[1];
    uint8_t *into = malloc(wanted + 1);
    into[wanted] = 77;
    err_t err = expand(&squeeze, bytes + 2, size - 2, into, wanted);
    PROMISE(err == OK || err == ERR_DAMAGED);
    PROMISE(into[wanted] == 77);
    free(into);
    squeeze_release(&squeeze);
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    uint64_t id;
    as_record(bytes, size);
    as_page(bytes, size);
    as_squeezed(bytes, size);
    if (size >= PACK_HEAD_BYTES && pack_head_decode(bytes, &id) == OK) {
        uint8_t again[PACK_HEAD_BYTES];
        pack_head_encode(id, again);
        PROMISE(memcmp(again, bytes, sizeof again) == 0);
    }
    PROMISE(list_check(bytes, size, size + 1) != OK || size >= LIST_ROW_BYTES);
    return 0;
}
