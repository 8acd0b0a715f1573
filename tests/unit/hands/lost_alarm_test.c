/* lost_alarm_test.c - a job thread that does not come back is an alarm of the actor that it worked
 * for, by its own name, until it is back: the real alarm manager on a real host. */
#include <stdio.h>
#include <string.h>

#include "actors/roster.h"
#include "proto/messages.h"
#include "proto/status.h"
#include "tests/placement.h"
#include "tests/unit/lanes/loser.h"

typedef struct nothing {
    int unused;
} nothing_t;

static uint32_t told_id;
static char told_of[64], told_text[256];

/* ---- who stands in for the rest of the site ---- */

HEARS(nothing_t, note_event)
static actor_next_t
on_note_event(actor_ctx_t *ctx, nothing_t *self, const note_event_t *m)
{
    claim(ctx, self != NULL);
    told_id = m->id;
    told_of[0] = '\0';
    for (uint32_t i = 0; i < m->attrs.count; i++) {
        const pair_t *pair = ROW(m, m->attrs, i, pair_t);
        size_t used = strlen(told_of);
        slice_t value = record_slice(m, pair->value);
        snprintf(told_of + used, sizeof told_of - used, "%s%.*s", used > 0 ? ":" : "",
                 (int) value.size, value.data);
    }
    claim(ctx, slice_copy(record_slice(m, m->text), told_text, sizeof told_text));
    sem_post(&loser_told);
    return ACTOR_CONTINUE;
}

#define REFUSES(message)                                                                           \
    HEARS(nothing_t, message)                                                                      \
    static actor_next_t on_##message(actor_ctx_t *ctx, nothing_t *self, const message##_t *m)      \
    {                                                                                              \
        claim(ctx, self != NULL && m != NULL);                                                     \
        actor_refuse(ctx, ERR_STARTING);                                                           \
        return ACTOR_CONTINUE;                                                                     \
    }
REFUSES(alarm_query)
REFUSES(backlog_query)

static const actor_hears_t database_hears[] = {ON(note_event), ON(alarm_query)};
static const actor_class_t database = {.name = "site_database",
                                       .state_bytes = sizeof(nothing_t),
                                       .hears = database_hears,
                                       .hears_count = 2,
                                       .role = true};
static const actor_hears_t queue_hears[] = {ON(backlog_query)};
static const actor_class_t queue = {.name = "despooler",
                                    .state_bytes = sizeof(nothing_t),
                                    .hears = queue_hears,
                                    .hears_count = 1,
                                    .role = true};

static const actor_class_t reader = {.name = "reader",
                                     .state_bytes = sizeof(nothing_t),
                                     .init = loser_init,
                                     .placement = ACTOR_POOL};

static actor_next_t
boss_init(actor_ctx_t *ctx, void *self, const void *args)
{
    const actor_class_t *const children[] = {&database, &queue, &alarm_manager_class, &reader};
    claim(ctx, self != NULL && args == NULL);
    for (size_t i = 0; i < 4; i++) {
        slice_t name = slice_of(children[i] == &reader ? "berlin" : children[i]->name);
        claim(ctx, actor_spawn(ctx, children[i], name, NULL, NULL, 0, NULL) == VERDICT_OK);
    }
    return ACTOR_CONTINUE;
}
static const actor_class_t boss = {
    .name = "boss", .state_bytes = sizeof(nothing_t), .init = boss_init, .role = true};

Test(lost_alarm, names_the_actor_and_ends_when_the_thread_is_back, .timeout = 60)
{
    static const actor_class_t *const classes[] = {&boss,   &database, &queue, &alarm_manager_class,
                                                   &reader, NULL};
    const host_options_t options = {.classes = classes,
                                    .root = &boss,
                                    .notes_to = "alarm_manager",
                                    .placement = placement_wanted()};
    char left[256] = "";

    host_t *host = loser_start(&options);
    sem_wait(&loser_told);
    cr_expect_eq(told_id, STATUS_ALARM_RAISED, "got message %u: %s", told_id, told_text);
    cr_expect_str_eq(told_of, "lost:berlin");
    cr_expect_not_null(strstr(told_text, "read for " LOSER_SUBJECT), "got: %s", told_text);
    sem_post(&loser_go);
    sem_wait(&loser_told);
    cr_expect_eq(told_id, STATUS_ALARM_CLEARED, "got message %u: %s", told_id, told_text);
    cr_expect_str_eq(told_of, "lost:berlin");
    cr_expect(host_stop(host, 5000, left, sizeof left), "left: %s", left);
    host_destroy(&host);
}
