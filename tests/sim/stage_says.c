/* stage_says.c - a client of the site: says commands over a link that may be bad, and hears. */
#include "tests/sim/stage_inside.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint64_t
drawn_percent(stage_t *stage)
{
    uint64_t z = (stage->chance += UINT64_C(0x9e3779b97f4a7c15));

    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return (z ^ (z >> 31)) % 100;
}

/* ---- commands ---- */

static void
put_list(wire_writer_t *w, const char *items)
{
    uint32_t count = *items ? 1 : 0;

    for (const char *at = items; *at; at++) {
        count += *at == ',';
    }
    wire_put_array(w, count);
    for (const char *at = items; count > 0; count--) {
        const char *end = strchr(at, ',');
        size_t size = end ? (size_t) (end - at) : strlen(at);
        wire_put_str(w, (slice_t){at, size});
        at += size + 1;
    }
}

static void
put_argument(wire_writer_t *w, const char *argument)
{
    size_t name = strcspn(argument, "=[!:");

    wire_put_str(w, (slice_t){argument, name});
    if (argument[name] == '!') {
        wire_put_bool(w, true);
    } else if (argument[name] == ':') {
        wire_put_u64(w, strtoull(argument + name + 1, NULL, 10));
    } else if (argument[name] == '[') {
        put_list(w, argument + name + 3);
    } else {
        wire_put_str(w, slice_of(argument + name + 1));
    }
}

static slice_t
frame_of(stage_t *stage, const char *command, const char *const *arguments, uint64_t key)
{
    wire_writer_t w;
    char key_text[32];
    uint32_t count = 0;

    while (arguments[count]) {
        count++;
    }
    snprintf(key_text, sizeof key_text, "key-%lu", (unsigned long) key);
    wire_writer_over(&w, stage->frame, sizeof stage->frame);
    wire_put_map(&w, 5);
    wire_put_str(&w, slice_of("v"));
    wire_put_u64(&w, 1);
    wire_put_str(&w, slice_of("id"));
    wire_put_u64(&w, key);
    wire_put_str(&w, slice_of("key"));
    wire_put_str(&w, slice_of(key_text));
    wire_put_str(&w, slice_of("cmd"));
    wire_put_str(&w, slice_of(command));
    wire_put_str(&w, slice_of("args"));
    wire_put_map(&w, count);
    for (uint32_t i = 0; i < count; i++) {
        put_argument(&w, arguments[i]);
    }
    assert(!w.full);
    return (slice_t){(const char *) stage->frame, w.size};
}

void
stage_heard(void *context, uint64_t tag, err_t err, slice_t body)
{
    stage_t *stage = context;

    if (tag != stage->awaited) {
        return;
    }
    stage->heard = true;
    stage->heard_err = err;
    free(stage->answer);
    stage->answer = malloc(body.size + 1);
    assert(stage->answer);
    memcpy(stage->answer, body.data, body.size);
    stage->answer_size = body.size;
    if (err == OK && wire_check(stage->answer, body.size, &stage->root) != OK) {
        stage_note_fault(stage, "an answer of %zu bytes is not msgpack", body.size);
        stage->heard_err = ERR_INTERNAL;
    }
}

/* The refusal in the answer, OK when it is a result. */
static err_t
verdict_of_answer(stage_t *stage)
{
    wire_value_t ok, error, code;

    if (stage->heard_err != OK) {
        return stage->heard_err;
    }
    if (wire_find(&stage->root, "ok", &ok) && ok.boolean) {
        return wire_find(&stage->root, "result", &stage->result) ? OK : ERR_INTERNAL;
    }
    if (!wire_find(&stage->root, "error", &error) || !wire_find(&error, "code", &code)) {
        return ERR_INTERNAL;
    }
    return err_of_word(code.bytes.data, code.bytes.size);
}

static bool
is_passing(err_t err)
{
    return err == ERR_STARTING || err == ERR_RESTARTING || err == ERR_DOWN || err == ERR_FULL;
}

/* One saying on the link, as bad as it is. */
static bool
say(stage_t *stage, slice_t frame)
{
    const stage_link_t *link = &stage->options.link;

    stage->awaited = ++stage->tags;
    stage->heard = false;
    stage->crashed = false;
    if (link->half > 0 && drawn_percent(stage) < link->half) {
        sim_say(stage->sim, (slice_t){frame.data, 1 + frame.size / 2}, 0);
    }
    bool said = sim_say(stage->sim, frame, stage->awaited);
    if (said && link->twice > 0 && drawn_percent(stage) < link->twice) {
        sim_say(stage->sim, frame, 0);
    }
    return said;
}

static bool
answer_is_lost(stage_t *stage)
{
    return stage->options.link.lose > 0 && drawn_percent(stage) < stage->options.link.lose;
}

static err_t
say_until_answered(stage_t *stage, uint32_t virtual_ms, const char *command, slice_t frame)
{
    err_t err = ERR_DEADLINE;
    bool under_way = false;

    for (uint32_t waited = 0; stage->sim && waited <= virtual_ms; waited += 5) {
        if (!under_way) {
            under_way = say(stage, frame);
        }
        stage_run(stage, 5);
        if (under_way && stage->heard && !answer_is_lost(stage)) {
            err = verdict_of_answer(stage);
            if (err == OK) {
                said_answer(stage, command, frame, (slice_t){stage->answer, stage->answer_size});
            }
            if (!is_passing(err)) {
                return err;
            }
        }
        if (stage->heard || stage->crashed) {
            under_way = false;
        }
    }
    return err;
}

err_t
stage_do_list(stage_t *stage, uint32_t virtual_ms, const char *command,
              const char *const *arguments)
{
    stage->gives_back = stage->gives_back || strcmp(command, "dp.remove") == 0;
    return say_until_answered(stage, virtual_ms, command,
                              frame_of(stage, command, arguments, ++stage->keys));
}

void
stage_repeat_all(stage_t *stage)
{
    stage_link_t link = stage->options.link;

    stage->options.link = (stage_link_t){0};
    for (uint32_t i = 0; i < stage->said_count && !stage_fault(stage); i++) {
        const said_t *said = &stage->said[i];
        err_t err = say_until_answered(stage, 60000, "a command said again",
                                       (slice_t){(const char *) said->frame, said->frame_size});
        if (err != OK) {
            stage_note_fault(stage,
                             "invariant 1: an accepted command is refused when it is said "
                             "again with its key: %s",
                             err_word(err));
        }
    }
    stage->options.link = link;
}

err_t
stage_do(stage_t *stage, uint32_t virtual_ms, const char *command, ...)
{
    const char *arguments[16] = {NULL};
    va_list list;

    va_start(list, command);
    for (uint32_t i = 0; i < 15; i++) {
        arguments[i] = va_arg(list, const char *);
        if (!arguments[i]) {
            break;
        }
    }
    va_end(list);
    return stage_do_list(stage, virtual_ms, command, arguments);
}

void
stage_say(stage_t *stage, const char *command, const char *const *arguments)
{
    slice_t frame = frame_of(stage, command, arguments, ++stage->keys);

    if (stage->sim && !sim_say(stage->sim, frame, 0)) {
        stage->unsaid++;
    }
}

const wire_value_t *
stage_answer(const stage_t *stage)
{
    return &stage->result;
}
