/* despooler_queue.c - see despooler_queue.h. Lists are intrusive; tables find by key and by
 * name. */
#include "actors/despooler_queue.h"

#include <assert.h>
#include <czmq.h>

#include "proto/limits.h"

typedef struct link {
    struct link *before, *after;
} link_t;

typedef struct stand stand_t;
typedef struct item {
    queue_entry_t entry; /* first: an entry is its item */
    link_t in_age;       /* all that wait, the oldest first */
    link_t in_point;     /* those of one point, the oldest first */
    stand_t *stand;
} item_t;

/* By priority, and what can wait last. */
enum { HIGH, MEDIUM, LOW, LATER, LINES };

/* A point and what is here for it. */
struct stand {
    link_t in_line; /* while it may start: in the line of the first thing that it has to do */
    link_t waiting[LINES];
    uint32_t line, taken;
    item_t *in_hand;
    char name[NAME_BYTES_MAX + 1];
};

struct queue {
    uint32_t slots, busy;
    uint64_t waiting, in_line;
    uint32_t taken;
    link_t age, line[LINES];
    item_t *slot[SLOTS_MAX + 1];
    zhashx_t *waits;  /* key -> item that waits */
    zhashx_t *points; /* name -> stand */
};

#define HOLDER(link_, type, member) ((type *) (void *) ((char *) (link_) -offsetof(type, member)))

static void
link_init(link_t *link)
{
    link->before = link;
    link->after = link;
}

static bool
link_alone(const link_t *link)
{
    return link->after == link;
}

static void
link_out(link_t *link)
{
    link->before->after = link->after;
    link->after->before = link->before;
    link_init(link);
}

/* Before `head`: at the end of its list. */
static void
link_in(link_t *head, link_t *link)
{
    link->before = head->before;
    link->after = head;
    head->before->after = link;
    head->before = link;
}

static void
init_lines(link_t lists[LINES])
{
    for (uint32_t line = 0; line < LINES; line++) {
        link_init(&lists[line]);
    }
}

static size_t
key_hash(const void *key)
{
    uint64_t bits = *(const uint64_t *) key * UINT64_C(0x9e3779b97f4a7c15);
    return (size_t) (bits >> 16);
}

static int
key_compare(const void *a, const void *b)
{
    return *(const uint64_t *) a != *(const uint64_t *) b;
}

static void *
made(size_t size)
{
    void *memory = calloc(1, size);
    assert(memory != NULL && "memory for the inbox");
    return memory;
}

queue_t *
queue_new(uint32_t slots)
{
    queue_t *queue = made(sizeof *queue);
    link_init(&queue->age);
    init_lines(queue->line);
    queue->waits = zhashx_new();
    zhashx_set_key_hasher(queue->waits, key_hash);
    zhashx_set_key_comparator(queue->waits, key_compare);
    zhashx_set_key_duplicator(queue->waits, NULL);
    zhashx_set_key_destructor(queue->waits, NULL);
    queue->points = zhashx_new();
    queue_slots(queue, slots);
    return queue;
}

static void
drop_item(item_t *item, void (*drop)(void *load))
{
    drop(item->entry.load);
    free(item);
}

void
queue_destroy(queue_t **queue, void (*drop)(void *load))
{
    queue_t *q = *queue;
    if (q == NULL) {
        return;
    }
    while (!link_alone(&q->age)) {
        item_t *item = HOLDER(q->age.after, item_t, in_age);
        link_out(&item->in_age);
        drop_item(item, drop);
    }
    for (uint32_t slot = 1; slot <= SLOTS_MAX; slot++) {
        if (q->slot[slot] != NULL) {
            drop_item(q->slot[slot], drop);
        }
    }
    for (void *stand = zhashx_first(q->points); stand != NULL; stand = zhashx_next(q->points)) {
        free(stand);
    }
    zhashx_destroy(&q->waits);
    zhashx_destroy(&q->points);
    free(q);
    *queue = NULL;
}

void
queue_slots(queue_t *queue, uint32_t slots)
{
    queue->slots = slots > SLOTS_MAX ? SLOTS_MAX : slots;
}

/* ---- points ---------------------------------------------------------------------------------- */

static stand_t *
stand_of(queue_t *queue, slice_t point)
{
    char name[NAME_BYTES_MAX + 1];
    if (!slice_copy(point, name, sizeof name)) {
        return NULL;
    }
    stand_t *stand = zhashx_lookup(queue->points, name);
    if (stand == NULL) {
        stand = made(sizeof *stand);
        link_init(&stand->in_line);
        init_lines(stand->waiting);
        memcpy(stand->name, name, sizeof name);
        zhashx_update(queue->points, name, stand);
    }
    return stand;
}

/* The first line in which somebody stands; LINES: none does. */
static uint32_t
first_line(const link_t lists[LINES])
{
    uint32_t line = 0;
    while (line < LINES && link_alone(&lists[line])) {
        line++;
    }
    return line;
}

static bool
has_work(const stand_t *stand)
{
    return first_line(stand->waiting) < LINES;
}

/* Puts the point into a line, takes it out of it, or forgets it, as its entries say. */
static void
stand_settle(queue_t *queue, stand_t *stand)
{
    bool ready = stand->in_hand == NULL && has_work(stand);
    uint32_t line = first_line(stand->waiting);
    if (!link_alone(&stand->in_line) && (!ready || line != stand->line)) {
        link_out(&stand->in_line);
        queue->in_line--;
    }
    if (ready && link_alone(&stand->in_line)) {
        link_in(&queue->line[line], &stand->in_line);
        stand->line = line;
        queue->in_line++;
    }
    if (stand->in_hand == NULL && !has_work(stand)) {
        zhashx_delete(queue->points, stand->name);
        free(stand);
    }
}

/* Which list is taken from: the first that is not empty; on each QUEUE_LATER_TURN one of those
 * behind it, in turn. */
static uint32_t
line_to_take(const link_t lists[LINES], uint32_t taken)
{
    uint32_t first = first_line(lists), behind[LINES], count = 0;
    for (uint32_t line = first + 1; line < LINES; line++) {
        if (!link_alone(&lists[line])) {
            behind[count++] = line;
        }
    }
    bool turn = taken % QUEUE_LATER_TURN == QUEUE_LATER_TURN - 1;
    return turn && count > 0 ? behind[taken / QUEUE_LATER_TURN % count] : first;
}

static bool
same_in_hand(const stand_t *stand, const queue_entry_t *entry)
{
    return stand->in_hand != NULL && stand->in_hand->entry.key == entry->key &&
           stand->in_hand->entry.revision == entry->revision;
}

/* ---- entries --------------------------------------------------------------------------------- */

static void
take_out(queue_t *queue, item_t *item)
{
    zhashx_delete(queue->waits, &item->entry.key);
    link_out(&item->in_age);
    link_out(&item->in_point);
    queue->waiting--;
}

static uint32_t
line_of(const queue_entry_t *entry)
{
    return entry->later                       ? LATER
           : entry->priority == PRIORITY_HIGH ? HIGH
           : entry->priority == PRIORITY_LOW  ? LOW
                                              : MEDIUM;
}

static void
put_in(queue_t *queue, stand_t *stand, const queue_entry_t *entry)
{
    item_t *item = made(sizeof *item);
    item->entry = *entry;
    item->entry.slot = 0;
    item->stand = stand;
    link_in(&queue->age, &item->in_age);
    link_in(&stand->waiting[line_of(entry)], &item->in_point);
    zhashx_update(queue->waits, &item->entry.key, item);
    queue->waiting++;
    stand_settle(queue, stand);
}

err_t
queue_add(queue_t *queue, slice_t point, const queue_entry_t *entry, void **ret_unused)
{
    item_t *old = zhashx_lookup(queue->waits, &entry->key);
    if (old == NULL && queue->waiting + queue->busy >= QUEUE_ENTRIES_MAX) {
        return ERR_FULL;
    }
    if (old != NULL) {
        *ret_unused = old->entry.load;
        old->entry.load = entry->load;
        old->entry.revision = entry->revision;
        if (line_of(&old->entry) != line_of(entry)) {
            old->entry.priority = entry->priority;
            old->entry.later = entry->later;
            link_out(&old->in_point);
            link_in(&old->stand->waiting[line_of(entry)], &old->in_point);
            stand_settle(queue, old->stand);
        }
        return OK;
    }
    stand_t *stand = stand_of(queue, point);
    if (stand == NULL) {
        return ERR_BAD_NAME;
    }
    if (same_in_hand(stand, entry)) {
        *ret_unused = entry->load;
        return OK;
    }
    *ret_unused = NULL;
    put_in(queue, stand, entry);
    return OK;
}

static uint32_t
free_slot(const queue_t *queue)
{
    for (uint32_t slot = 1; slot <= SLOTS_MAX; slot++) {
        if (queue->slot[slot] == NULL) {
            return slot;
        }
    }
    return 0;
}

queue_entry_t *
queue_take(queue_t *queue)
{
    if (queue->busy >= queue->slots || queue->in_line == 0) {
        return NULL;
    }
    uint32_t line = line_to_take(queue->line, queue->taken++);
    stand_t *stand = HOLDER(queue->line[line].after, stand_t, in_line);
    uint32_t list = line_to_take(stand->waiting, stand->taken++);
    item_t *item = HOLDER(stand->waiting[list].after, item_t, in_point);
    take_out(queue, item);
    item->entry.slot = free_slot(queue);
    assert(item->entry.slot != 0 && "fewer are busy than there are slots");
    queue->slot[item->entry.slot] = item;
    queue->busy++;
    stand->in_hand = item;
    stand_settle(queue, stand);
    return &item->entry;
}

void *
queue_done(queue_t *queue, queue_entry_t *entry)
{
    item_t *item = (item_t *) (void *) entry;
    void *load = entry->load;
    assert(entry->slot != 0 && queue->slot[entry->slot] == item && "it is in hand");
    queue->slot[entry->slot] = NULL;
    queue->busy--;
    item->stand->in_hand = NULL;
    stand_settle(queue, item->stand);
    free(item);
    return load;
}

const queue_entry_t *
queue_waits(queue_t *queue, uint64_t key)
{
    const item_t *item = zhashx_lookup(queue->waits, &key);
    return item == NULL ? NULL : &item->entry;
}

const queue_entry_t *
queue_after(const queue_t *queue, const queue_entry_t *before)
{
    const item_t *item = (const item_t *) (const void *) before;
    const link_t *next = item == NULL ? queue->age.after : item->in_age.after;
    return next == &queue->age ? NULL : &HOLDER(next, item_t, in_age)->entry;
}

void *
queue_stop(queue_t *queue, uint64_t key)
{
    item_t *item = zhashx_lookup(queue->waits, &key);
    if (item == NULL) {
        return NULL;
    }
    void *load = item->entry.load;
    take_out(queue, item);
    stand_settle(queue, item->stand);
    free(item);
    return load;
}

queue_entry_t *
queue_in_hand(queue_t *queue, uint64_t key)
{
    for (uint32_t slot = 1; slot <= SLOTS_MAX; slot++) {
        if (queue->slot[slot] != NULL && queue->slot[slot]->entry.key == key) {
            return &queue->slot[slot]->entry;
        }
    }
    return NULL;
}

queue_entry_t *
queue_slot(queue_t *queue, uint32_t slot)
{
    return slot == 0 || slot > SLOTS_MAX || queue->slot[slot] == NULL ? NULL
                                                                      : &queue->slot[slot]->entry;
}

queue_rival_t
queue_rival(const queue_entry_t *entry)
{
    const item_t *item = (const item_t *) (const void *) entry;
    uint32_t line = first_line(item->stand->waiting), own = line_of(entry);
    return line < own ? QUEUE_HIGHER : line == own ? QUEUE_EQUAL : QUEUE_NONE;
}

void
queue_look(const queue_t *queue, queue_figures_t *ret)
{
    const item_t *oldest =
        link_alone(&queue->age) ? NULL : HOLDER(queue->age.after, item_t, in_age);
    *ret = (queue_figures_t){
        .slots = queue->slots,
        .busy = queue->busy,
        .waiting = queue->waiting,
        .waiting_for_slot = queue->busy >= queue->slots ? queue->in_line : 0,
        .oldest_ns = oldest == NULL ? 0 : oldest->entry.since_ns,
    };
}
