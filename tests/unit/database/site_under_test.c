/* site_under_test.c - a database on a simulated machine; see site_under_test.h. */
#include "site_under_test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- the machine ---- */

static void
draft_new(draft_t *draft, uint32_t capacity)
{
    draft_over(draft, malloc(capacity), capacity);
}

site_t *
site_on(world_sim_t *sim)
{
    site_t *site = calloc(1, sizeof *site);
    site->sim = sim;
    draft_new(&site->message, 4u << 20);
    draft_new(&site->order, 8u << 20);
    draft_new(&site->answers, MESSAGE_BYTES_MAX);
    site->run.byte[0] = 1;
    return site;
}

err_t
site_open(site_t *site, fault_t *fault)
{
    static uint64_t serial;
    site->world = world_sim_job_new(site->sim, NULL, NULL);
    site->db = connection_new(++serial);
    return connection_open(site->db, site->world, slice_of("/data"), slice_of("S01"), fault);
}

site_t *
site_start(void)
{
    world_sim_options_t options = {.seed = 7, .wall_start_ns = WALL_START};
    site_t *site = site_on(world_sim_new(&options));
    fault_t fault;
    char text[512];
    cr_assert_eq(site_open(site, &fault), OK, "%s", fault_text(&fault, text, sizeof text));
    return site;
}

void
site_close(site_t *site)
{
    connection_destroy(&site->db);
    world_sim_job_destroy(&site->world);
}

void
site_reopen(site_t *site)
{
    fault_t fault;
    char text[512];
    site_close(site);
    cr_assert_eq(site_open(site, &fault), OK, "%s", fault_text(&fault, text, sizeof text));
}

void
site_end(site_t *site)
{
    site_close(site);
    world_sim_destroy(&site->sim);
    for (uint32_t i = 0; i < site->count; i++) {
        free(site->added[i].record);
    }
    free(site->message.base);
    free(site->order.base);
    free(site->answers.base);
    free(site);
}

/* ---- messages ---- */

void *
site_make(site_t *site, const record_type_t *type)
{
    return draft_begin(&site->message, type);
}

text_t
site_text(site_t *site, const char *text)
{
    return draft_text(&site->message, slice_of(text));
}

texts_t
site_texts(site_t *site, const char *names)
{
    uint32_t count = names == NULL || *names == '\0' ? 0 : 1;
    for (const char *at = names; count > 0 && *at != '\0'; at++) {
        count += *at == ',';
    }
    texts_t texts = draft_rows(&site->message, count, sizeof(text_t));
    for (uint32_t i = 0; i < count; i++) {
        size_t size = strcspn(names, ",");
        text_t text = draft_text(&site->message, (slice_t){names, size});
        *(text_t *) draft_row(&site->message, texts, i, sizeof(text_t)) = text;
        names += size + 1;
    }
    return texts;
}

void
add(site_t *site, const record_type_t *type)
{
    cr_assert(!site->message.full && site->count < MESSAGES_MAX);
    uint32_t size = site->message.size;
    site->added[site->count].number = type->number;
    site->added[site->count].size = size;
    site->added[site->count].record = malloc(size + 8);
    memcpy(site->added[site->count++].record, site->message.base, size);
}

const group_answers_t *
run(site_t *site)
{
    group_order_t *order = draft_begin(&site->order, &group_order_type);
    order->messages = draft_rows(&site->order, site->count, sizeof(group_message_t));
    for (uint32_t i = 0; i < site->count; i++) {
        group_message_t *row = draft_row(&site->order, order->messages, i, sizeof *row);
        row->number = site->added[i].number;
        row->record = group_bytes(&site->order, site->added[i].record, site->added[i].size);
        free(site->added[i].record);
    }
    site->count = 0;
    cr_assert_eq(record_check(&group_order_type, order, site->order.size), OK);
    group_run(site->db, order, &site->answers);
    cr_assert(!site->answers.full);
    cr_assert_eq(record_check(&group_answers_type, site->answers.base, site->answers.size), OK);
    return (const group_answers_t *) site->answers.base;
}

static const group_answer_t *
answer_row(site_t *site, uint32_t index)
{
    const group_answers_t *answers = (const group_answers_t *) site->answers.base;
    cr_assert_lt(index, answers->answers.count);
    return ROW(answers, answers->answers, index, group_answer_t);
}

const void *
answer(site_t *site, uint32_t index, const record_type_t *type)
{
    const group_answer_t *row = answer_row(site, index);
    slice_t record = record_slice(site->answers.base, row->record);
    char text[600] = "";
    if (message_type(row->number) != NULL) {
        record_print(message_type(row->number), record.data, text, sizeof text);
    }
    cr_assert_eq(row->index, index);
    cr_assert_eq(row->number, type->number, "expected %s, got %s", type->name, text);
    cr_assert_eq(record_check(type, record.data, record.size), OK);
    return record.data;
}

const void *
ask(site_t *site, const record_type_t *type, const record_type_t *answer_type)
{
    add(site, type);
    run(site);
    return answer(site, 0, answer_type);
}

err_t
refusal_of(site_t *site, const record_type_t *type)
{
    add(site, type);
    run(site);
    if (answer_row(site, 0)->number != MSG_refusal) {
        return OK;
    }
    return (err_t) ANSWERED(site, 0, refusal)->code;
}

slice_t
said(const void *record, text_t text)
{
    return record_slice(record, text);
}

/* ---- commands ---- */

digest_t
root_of(int root)
{
    digest_t digest;
    memset(digest.byte, root, sizeof digest.byte);
    return digest;
}

void
make_version(site_t *site, bool is_new, const char *id, int root)
{
    version_commit_t *m = MAKE(site, version_commit);
    HEAD(site, m);
    m->add = is_new;
    m->id = site_text(site, id);
    m->source = site_text(site, "/source");
    m->root = root_of(root);
    m->files = 3;
    m->bytes = 1000;
}

void
make_point(site_t *site, bool is_new, const char *name, int incarnation)
{
    char root[100];
    point_commit_t *m = MAKE(site, point_commit);
    HEAD(site, m);
    m->add = is_new;
    m->name = site_text(site, name);
    snprintf(root, sizeof root, "/dp/%s", name);
    m->root = site_text(site, root);
    memset(m->incarnation.byte, incarnation, sizeof m->incarnation.byte);
}

void
make_distribute(site_t *site, const char *id, const char *to)
{
    distribute_t *m = MAKE(site, distribute);
    HEAD(site, m);
    m->id = site_text(site, id);
    m->all = to == NULL;
    m->to = site_texts(site, to);
}

void
make_withdraw(site_t *site, const char *id, const char *from)
{
    withdraw_t *m = MAKE(site, withdraw);
    HEAD(site, m);
    m->id = site_text(site, id);
    m->all = from == NULL;
    m->from = site_texts(site, from);
}

void
make_cancel(site_t *site, const char *id, const char *dp)
{
    cancel_t *m = MAKE(site, cancel);
    HEAD(site, m);
    m->id = site_text(site, id);
    m->dp = site_text(site, dp);
}

void
make_retry(site_t *site, const char *id, const char *dp)
{
    retry_t *m = MAKE(site, retry);
    HEAD(site, m);
    m->id = site_text(site, id);
    m->dp = site_text(site, dp);
}

void
make_rollback(site_t *site, const char *id, const char *version)
{
    rollback_t *m = MAKE(site, rollback);
    HEAD(site, m);
    m->id = site_text(site, id);
    m->version = site_text(site, version);
}

void
package_is(site_t *site, const char *id, int root)
{
    make_version(site, true, id, root);
    cr_assert(ASK(site, version_commit, package_done)->changed);
}

bool
package_updated(site_t *site, const char *id, int root)
{
    make_version(site, false, id, root);
    return ASK(site, version_commit, package_done)->changed;
}

void
point_is(site_t *site, const char *name)
{
    make_point(site, true, name, name[strlen(name) - 1]);
    cr_assert(ASK(site, point_commit, done)->changed);
}

bool
distributed(site_t *site, const char *id, const char *to)
{
    make_distribute(site, id, to);
    return ASK(site, distribute, targets_changed)->changed;
}

bool
withdrawn(site_t *site, const char *id, const char *from)
{
    make_withdraw(site, id, from);
    return ASK(site, withdraw, targets_changed)->changed;
}

bool
cancelled(site_t *site, const char *id, const char *dp)
{
    make_cancel(site, id, dp);
    return ASK(site, cancel, targets_changed)->changed;
}

bool
retried(site_t *site, const char *id, const char *dp)
{
    make_retry(site, id, dp);
    return ASK(site, retry, targets_changed)->changed;
}

/* ---- work ---- */

const due_t *
due(site_t *site)
{
    due_targets_t *m = MAKE(site, due_targets);
    m->run = site->run;
    return ASK(site, due_targets, due);
}

due_row_t
due_on(site_t *site, const char *dp)
{
    const due_t *taken = due(site);
    for (uint32_t i = 0; i < taken->targets.count; i++) {
        const due_row_t *row = ROW(taken, taken->targets, i, due_row_t);
        if (slice_equal(record_slice(taken, row->dp), slice_of(dp))) {
            return *row;
        }
    }
    cr_assert(false, "nothing is due on %s", dp);
    return (due_row_t){.target = 0};
}

void
begun(site_t *site, const due_row_t *row)
{
    target_begin_t *m = MAKE(site, target_begin);
    m->target = row->target;
    m->revision = row->revision;
    m->action = row->action;
    m->slot = 1;
    m->lease_ms = LEASE_MS;
    cr_assert_eq(ASK(site, target_begin, begun)->revision, row->revision);
}

target_outcome_t *
make_outcome(site_t *site, const due_row_t *row, err_t err, target_state_t next, uint32_t attempts,
             uint64_t due_ms)
{
    target_outcome_t *m = MAKE(site, target_outcome);
    m->target = row->target;
    m->revision = row->revision;
    m->action = row->action;
    m->package = site_text(site, "P1");
    m->dp = site_text(site, "DP");
    m->dp_incarnation = row->dp_incarnation;
    m->epoch = row->epoch;
    m->root = row->root;
    m->err = err;
    m->text = site_text(site, err == OK ? NULL : "as it was told");
    m->reached = err != ERR_ABSENT;
    m->next = next;
    m->attempts = attempts;
    m->need = err == ERR_SPACE ? 500 : RECORD_NONE;
    m->have = err == ERR_SPACE ? 100 : RECORD_NONE;
    m->due_ms = due_ms;
    return m;
}

err_t
outcome(site_t *site, const due_row_t *row, err_t err, target_state_t next, uint32_t attempts,
        uint64_t due_ms)
{
    (void) make_outcome(site, row, err, next, attempts, due_ms);
    return REFUSED(site, target_outcome);
}

void
installed(site_t *site, const char *dp)
{
    due_row_t row = due_on(site, dp);
    begun(site, &row);
    cr_assert_eq(outcome(site, &row, OK, TARGET_INSTALLED, 1, RECORD_NONE), OK);
}

void
removed(site_t *site, const char *dp)
{
    due_row_t row = due_on(site, dp);
    cr_assert_eq(row.action, ACTION_REMOVE);
    begun(site, &row);
    cr_assert_eq(outcome(site, &row, OK, TARGET_REMOVED, 1, RECORD_NONE), OK);
}

/* ---- what an operator sees ---- */

static void
read_target(const void *record, const target_status_t *t, shown_t *ret)
{
    ret->there = true;
    ret->state = t->state;
    ret->attempts = t->attempts;
    ret->due = t->due;
    ret->unknown_since = t->unknown_since;
    ret->bytes_done = t->bytes_done;
    ret->wanted = t->wanted.count == 0 ? 0 : ROW(record, t->wanted, 0, version_ref_t)->epoch;
    ret->have = t->have.count == 0 ? 0 : ROW(record, t->have, 0, version_ref_t)->epoch;
    if (t->cause.count > 0) {
        const cause_t *cause = ROW(record, t->cause, 0, cause_t);
        ret->cause = cause->code;
        ret->need = cause->need;
        ret->free = cause->have;
    }
}

shown_t
shown(site_t *site, const char *id, const char *dp)
{
    shown_t shown = {.there = false};
    status_t *m = MAKE(site, status);
    m->id = site_text(site, id);
    m->dp = site_text(site, dp);
    const status_of_t *status = ASK(site, status, status_of);
    if (status->targets.count == 1) {
        read_target(status, ROW(status, status->targets, 0, target_status_t), &shown);
    }
    return shown;
}

package_state_t
package_shown_state(site_t *site, const char *id)
{
    MAKE(site, status)->id = site_text(site, id);
    status_t *m = (status_t *) site->message.base;
    m->id = site_text(site, id);
    return (package_state_t) ASK(site, status, status_of)->state;
}

uint64_t
events_of(site_t *site, uint32_t id)
{
    uint64_t count = 0;
    uint64_t since = 0;
    for (;;) {
        status_since_t *m = MAKE(site, status_since);
        m->since = since;
        const events_t *events = ASK(site, status_since, events);
        for (uint32_t i = 0; i < events->events.count; i++) {
            const event_t *event = ROW(events, events->events, i, event_t);
            count += event->id == id;
            cr_assert_gt(event->seq, since);
            since = event->seq;
        }
        if (events->events.count == 0) {
            return count;
        }
    }
}

uint64_t
last_event(site_t *site)
{
    MAKE(site, status_since);
    return ASK(site, status_since, events)->last;
}

/* One package on two points. */
site_t *
two_points(void)
{
    site_t *site = site_start();
    package_is(site, "P1", 1);
    point_is(site, "DP1");
    point_is(site, "DP2");
    cr_assert(distributed(site, "P1", "DP1,DP2"));
    return site;
}
