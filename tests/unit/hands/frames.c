/* frames.c - see frames.h. */
#include "tests/unit/hands/frames.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void
put_list(wire_writer_t *w, const char *items)
{
    uint32_t count = items[0] != '\0';
    for (const char *at = items; *at != '\0'; at++) {
        count += *at == ',';
    }
    wire_put_array(w, count);
    for (const char *at = items; count > 0; count--) {
        size_t size = strcspn(at, ",");
        wire_put_str(w, (slice_t){at, size});
        at += size + (at[size] == ',');
    }
}

static void
put_long(wire_writer_t *w, char first, const char *size)
{
    static char text[8192];
    size_t bytes = (size_t) atoi(size);
    assert(bytes < sizeof text);
    memset(text, 'a', bytes);
    text[0] = first;
    wire_put_str(w, (slice_t){text, bytes});
}

static void
put_value(wire_writer_t *w, char kind, const char *value)
{
    switch (kind) {
    case '=':
        wire_put_str(w, slice_of(value));
        return;
    case ':':
        put_list(w, value);
        return;
    case '#':
        wire_put_u64(w, strtoull(value, NULL, 10));
        return;
    case '!':
        wire_put_bool(w, true);
        return;
    case '*':
        put_long(w, 'a', value);
        return;
    case '/':
        put_long(w, '/', value);
        return;
    default:
        wire_put_map(w, 0);
        return;
    }
}

static void
put_args(wire_writer_t *w, const char *args)
{
    char words[2048];
    uint32_t count = 0;
    snprintf(words, sizeof words, "%s", args);
    for (const char *at = args + strspn(args, " "); *at != '\0'; count++) {
        at += strcspn(at, " ");
        at += strspn(at, " ");
    }
    wire_put_map(w, count);
    char *rest = NULL;
    for (char *word = strtok_r(words, " ", &rest); word != NULL;
         word = strtok_r(NULL, " ", &rest)) {
        size_t name = strcspn(word, "=:#!*/%");
        wire_put_str(w, (slice_t){word, name});
        put_value(w, word[name], word + name + 1);
    }
}

void
frame_make(frame_t *frame, const char *command, const char *args)
{
    wire_writer_t w;
    wire_writer_over(&w, frame->bytes, sizeof frame->bytes);
    wire_put_map(&w, 4);
    wire_put_str(&w, slice_of("v"));
    wire_put_u64(&w, 1);
    wire_put_str(&w, slice_of("id"));
    wire_put_u64(&w, 7);
    wire_put_str(&w, slice_of("cmd"));
    wire_put_str(&w, slice_of(command));
    wire_put_str(&w, slice_of("args"));
    put_args(&w, args);
    assert(!w.full);
    frame->size = w.size;
}

err_t
frame_run(frame_t *frame, const site_args_t *site)
{
    frame->fault = (request_fault_t){.err = OK};
    draft_over(&frame->draft, frame->memory, sizeof frame->memory);
    TRY(request_read((slice_t){(const char *) frame->bytes, frame->size}, &frame->request,
                     &frame->fault));
    return request_decode(&frame->request, site, &frame->draft, &frame->fault);
}
