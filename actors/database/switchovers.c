/* switchovers.c - the decision to switch; see switchovers.h. */
#include "actors/database/switchovers.h"

#include <stdio.h>
#include <string.h>

#include "actors/database/handlers.h"
#include "actors/database/rollouts.h"

#define NS_PER_MS     INT64_C(1000000)
#define NS_PER_S      INT64_C(1000000000)
#define DAY_NS        INT64_C(86400000000000)
#define WAITS_TOLD_NS ((int64_t) RING_WAITS_MS * NS_PER_MS) /* it took so long */
#define LOOKS_MAX     16u                                   /* switchovers in one look */

typedef struct switchover {
    int64_t package;
    uint32_t state;
    int64_t since, activate_at, deadline;
    bool barrier;
    uint32_t why_size;
    char why[256];
} switchover_t;

/* ---- rows ---- */

static bool
switchover_row(cursor_t row, switchover_t *ret)
{
    if (!cursor_next(&row)) {
        return false;
    }
    ret->package = cursor_int(&row, 0);
    uint32_t state = cursor_u32(&row, 1);
    ret->state = state < SWITCHOVER_COUNT ? state : SWITCHOVER_CANCELLED;
    ret->since = cursor_int(&row, 2);
    ret->barrier = cursor_int(&row, 3) != 0;
    ret->activate_at = cursor_int(&row, 4);
    ret->deadline = cursor_int(&row, 5);
    ret->why_size = cursor_text(&row, 6, ret->why, sizeof ret->why);
    cursor_close(&row);
    return true;
}

static bool
switchover_of(tx_t *tx, int64_t package, switchover_t *ret)
{
    return switchover_row(OPEN(tx, SQL_SWITCHOVER_OF, v_int(package)), ret);
}

/* When the clock next has something to say: at its times, and, where it waits for points, to tell
 * for whom, first after a while and then once a day. */
static int64_t
next_look(const tx_t *tx, const switchover_t *s)
{
    bool staging = s->state == SWITCHOVER_STAGING;
    bool told = tx->now_ns - s->since >= WAITS_TOLD_NS;
    int64_t look =
        staging && !s->barrier ? INT64_MAX : tx->now_ns + (told ? DAY_NS : WAITS_TOLD_NS);
    int64_t at[2] = {s->activate_at, s->deadline};
    for (int i = 0; staging && i < 2; i++) {
        look = at[i] > tx->now_ns && at[i] < look ? at[i] : look;
    }
    return look;
}

static void
save(tx_t *tx, const switchover_t *s)
{
    bool open = s->state == SWITCHOVER_STAGING || s->state == SWITCHOVER_DECIDED;
    RUN(tx, SQL_SWITCHOVER_SAVE, v_int(s->package), v_int(s->state), v_int(s->since),
        v_int(s->barrier), v_some(s->activate_at), v_some(s->deadline), v_maybe(SLICE_OF(s, why)),
        open ? v_int(next_look(tx, s)) : v_null());
}

static void
become(tx_t *tx, switchover_t *s, uint32_t state, const char *why)
{
    size_t size = strlen(why);
    s->state = state;
    s->since = tx->now_ns;
    s->why_size = (uint32_t) (size < sizeof s->why ? size : sizeof s->why);
    memcpy(s->why, why, s->why_size);
    save(tx, s);
}

static uint32_t
count_of(tx_t *tx, int64_t package, turn_t turn)
{
    return (uint32_t) NUMBER(tx, SQL_TURN_COUNT, 0, v_int(package), v_int(turn));
}

static uint32_t
in_state(tx_t *tx, int64_t package, turn_t turn, uint32_t state)
{
    return (uint32_t) NUMBER(tx, SQL_TURN_IN_STATE, 0, v_int(package), v_int(turn), v_int(state));
}

/* One of those that it waits for; false: it waits for none. */
static bool
first_awaited(tx_t *tx, const switchover_t *s, char dp[NAME_BYTES_MAX + 1], uint32_t *ret_state)
{
    cursor_t row =
        OPEN(tx, s->state == SWITCHOVER_STAGING ? SQL_TURN_UNPROMISED : SQL_TURN_UNSWITCHED,
             v_int(s->package));
    bool there = cursor_next(&row);
    if (there) {
        cursor_name(&row, 0, dp);
        *ret_state = cursor_u32(&row, 1) < TARGET_COUNT ? cursor_u32(&row, 1) : TARGET_PENDING;
    }
    cursor_close(&row);
    return there;
}

/* ---- telling ---- */

static void
tell(tx_t *tx, const switchover_t *s, uint32_t id, const char *what)
{
    package_t package;
    event_draft_t event;
    if (!package_by_row(tx, s->package, &package)) {
        return;
    }
    event_of_package(&event, &package, id);
    event_text(&event, "package %s, switchover to version %llu: %s", package.id,
               (unsigned long long) package.epoch, what);
    event_attr(&event, "switchover", slice_of(switchover_state_words.word[s->state]));
    event_write(tx, &event);
}

static void
tell_waits(tx_t *tx, const switchover_t *s)
{
    char text[320], dp[NAME_BYTES_MAX + 1] = "";
    uint32_t state = TARGET_PENDING;
    bool staging = s->state == SWITCHOVER_STAGING;
    if ((staging && !s->barrier) || !first_awaited(tx, s, dp, &state)) {
        return;
    }
    snprintf(text, sizeof text, "it waits for %s, which is %s%s", dp,
             target_state_words.word[state],
             staging ? "; despool retry ID, or despool cancel ID --dp NAME to go on without it"
                     : "; it switches when it is next in touch");
    tell(tx, s, STATUS_SWITCHOVER_WAITS, text);
}

/* ---- what is asked for ---- */

static bool
refuse_times(tx_t *tx, const package_t *package, const char *what, const char *hint)
{
    tx_refuse(tx, ERR_BAD_VALUE, hint, "cannot distribute '%s': %s", package->id, what);
    return false;
}

static bool
check_times(tx_t *tx, const package_t *package, const switch_wish_t *wish)
{
    static const char to_come[] = "a time to come, as --activate-at 2027-03-01T02:00:00+01:00";
    static const char later[] = "a time after that, as --barrier --deadline +2h";
    int64_t latest = tx->now_ns + (int64_t) SWITCH_DAYS_MAX * 86400 * NS_PER_S;
    if (wish->deadline != 0 && !wish->barrier) {
        return refuse_times(tx, package, "a deadline is one of a barrier, and none is asked for",
                            later);
    }
    if (wish->activate_at != 0 && wish->activate_at <= tx->now_ns) {
        return refuse_times(tx, package, "the time to switch at is past by this site's clock",
                            to_come);
    }
    if (wish->deadline != 0 && wish->deadline <= tx->now_ns) {
        return refuse_times(tx, package, "the deadline is past by this site's clock", later);
    }
    if (wish->deadline != 0 && wish->deadline <= wish->activate_at) {
        return refuse_times(tx, package, "the deadline does not come after the time to switch at",
                            later);
    }
    if (wish->activate_at > latest || wish->deadline > latest) {
        char far[64];
        snprintf(far, sizeof far, "the time is more than %u days away", SWITCH_DAYS_MAX);
        return refuse_times(tx, package, far, to_come);
    }
    return true;
}

static bool
refuse_busy(tx_t *tx, const package_t *package, const char *what)
{
    tx_refuse(tx, ERR_BUSY, "despool status ID shows it; despool cancel ID ends it",
              "cannot distribute '%s': %s", package->id, what);
    return false;
}

bool
switch_is_asked(const switch_wish_t *wish)
{
    return wish->barrier || wish->activate_at != 0 || wish->deadline != 0;
}

bool
switchover_may(tx_t *tx, const package_t *package, bool rings, const switch_wish_t *wish)
{
    switchover_t s;
    bool open = switchover_of(tx, package->row, &s) &&
                (s.state == SWITCHOVER_STAGING || s.state == SWITCHOVER_DECIDED);
    if (rings && switch_is_asked(wish)) {
        tx_refuse(tx, ERR_BAD_VALUE, "--rings switch one after the other: choose one of both",
                  "cannot distribute '%s': rings and a switch of all at a time are both asked for",
                  package->id);
        return false;
    }
    if (open && (rings || switch_is_asked(wish))) {
        return refuse_busy(tx, package, "a switchover of it is not over yet");
    }
    if (!switch_is_asked(wish)) {
        return true;
    }
    if (rollout_is_open(tx, package->row)) {
        return refuse_busy(tx, package, "its rollout is under way");
    }
    if (!check_times(tx, package, wish)) {
        return false;
    }
    RUN(tx, SQL_TURNS_CLEAR, v_int(package->row));
    return true;
}

void
switchover_begin(tx_t *tx, const package_t *package, const switch_wish_t *wish)
{
    switchover_t s = {.package = package->row,
                      .barrier = wish->barrier,
                      .activate_at = wish->activate_at,
                      .deadline = wish->deadline};
    become(tx, &s, SWITCHOVER_STAGING, "");
    tell(tx, &s, STATUS_SWITCHOVER_BEGUN, "its points stage it");
}

void
switchover_of_all(tx_t *tx, const package_t *package, const switch_wish_t *wish)
{
    target_t target = {.row = 0};
    uint32_t count = 0;
    while (tx->err == OK && target_next_of_package(tx, package->row, target.point, &target)) {
        if (target_follows(&target)) {
            target_turn(tx, &target, TURN_STAGES);
            count++;
        }
    }
    if (count > 0) {
        switchover_begin(tx, package, wish);
    }
}

bool
switchover_is_open(tx_t *tx, int64_t package)
{
    switchover_t s;
    return switchover_of(tx, package, &s) && s.state == SWITCHOVER_STAGING;
}

bool
switchover_holds(tx_t *tx, const target_t *target)
{
    return target->turn == TURN_STAGES && switchover_is_open(tx, target->package);
}

bool
switchover_binds(tx_t *tx, const target_t *target)
{
    switchover_t s;
    return target->turn == TURN_GOES && target_is_promised(target) &&
           switchover_of(tx, target->package, &s) && s.barrier && s.state == SWITCHOVER_DECIDED;
}

/* ---- decision and end ---- */

/* What has promised switches now. What is still being staged is placed as any other work. */
static void
let_go(tx_t *tx, target_t *target)
{
    target_turn(tx, target, TURN_GOES);
    if (target->taken) {
        target_supersede(tx, target);
        target->state = target->state == TARGET_INSTALLING ? TARGET_PENDING : target->state;
    }
    target_due_now(tx, target);
    target_save(tx, target, STATUS_NONE);
}

static void
decide(tx_t *tx, switchover_t *s)
{
    target_t target = {.row = 0};
    become(tx, s, SWITCHOVER_DECIDED, "");
    tell(tx, s, STATUS_SWITCHOVER_DECIDED,
         s->barrier ? "all of its points have promised, and switch"
                    : "it is time, and they switch");
    while (tx->err == OK && target_next_of_turn(tx, s->package, TURN_STAGES, target.row, &target)) {
        let_go(tx, &target);
    }
}

/* Its targets hold what they held. */
static void
give_up(tx_t *tx, target_t *target, const char *why)
{
    target_turn(tx, target, TURN_NONE);
    if (!state_is_final(target->state)) {
        target_supersede(tx, target);
        target->state = TARGET_CANCELLED;
        target_set_cause(target, ERR_CANCELLED, slice_of(why));
    }
    target_save(tx, target, STATUS_TARGET_CANCELLED);
}

static void
cancel(tx_t *tx, switchover_t *s, const char *why)
{
    target_t target = {.row = 0};
    become(tx, s, SWITCHOVER_CANCELLED, why);
    tell(tx, s, STATUS_SWITCHOVER_CANCELLED, why);
    while (tx->err == OK && target_next_of_turn(tx, s->package, TURN_STAGES, target.row, &target)) {
        give_up(tx, &target, why);
    }
}

void
switchover_anew(tx_t *tx, const package_t *package)
{
    switchover_t s;
    target_t target = {.row = 0};
    if (!switchover_of(tx, package->row, &s) || !s.barrier || s.state == SWITCHOVER_STAGING ||
        count_of(tx, package->row, TURN_GOES) == 0) {
        return;
    }
    while (tx->err == OK && target_next_of_turn(tx, package->row, TURN_GOES, target.row, &target)) {
        target_turn(tx, &target, TURN_STAGES);
    }
    s.activate_at = s.deadline = 0;
    become(tx, &s, SWITCHOVER_STAGING, "");
    tell(tx, &s, STATUS_SWITCHOVER_BEGUN, "its points stage it");
}

void
switchover_overtaken(tx_t *tx, const package_t *package)
{
    switchover_t s;
    if (switchover_of(tx, package->row, &s) && s.state == SWITCHOVER_STAGING) {
        become(tx, &s, SWITCHOVER_CANCELLED, "a rollback goes to all points at once");
        tell(tx, &s, STATUS_SWITCHOVER_CANCELLED, "a rollback goes to all points at once");
        RUN(tx, SQL_TURNS_CLEAR, v_int(package->row));
    }
}

static void
advance_staging(tx_t *tx, switchover_t *s)
{
    char dp[NAME_BYTES_MAX + 1];
    uint32_t state;
    if (count_of(tx, s->package, TURN_STAGES) == 0) {
        cancel(tx, s, "none of its points is left");
    } else if (s->deadline != 0 && tx->now_ns >= s->deadline) {
        cancel(tx, s, "the deadline has passed, and not all of its points had promised");
    } else if (tx->now_ns >= s->activate_at && !(s->barrier && first_awaited(tx, s, dp, &state))) {
        decide(tx, s);
    }
}

static void
advance_decided(tx_t *tx, switchover_t *s)
{
    char dp[NAME_BYTES_MAX + 1];
    uint32_t state;
    if (!first_awaited(tx, s, dp, &state)) {
        become(tx, s, SWITCHOVER_DONE, "");
        tell(tx, s, STATUS_SWITCHOVER_ENDED, "it has come to its end");
    }
}

void
switchover_advance(tx_t *tx, int64_t package)
{
    switchover_t s;
    if (!switchover_of(tx, package, &s)) {
        return;
    }
    if (s.state == SWITCHOVER_STAGING) {
        advance_staging(tx, &s);
    } else if (s.state == SWITCHOVER_DECIDED) {
        advance_decided(tx, &s);
    }
}

/* A look is written anew, or is over: each goes round once. */
void
switchovers_look(tx_t *tx)
{
    switchover_t s;
    for (uint32_t i = 0; i < LOOKS_MAX && tx->err == OK &&
                         switchover_row(OPEN(tx, SQL_SWITCHOVER_DUE, v_int(tx->now_ns)), &s);
         i++) {
        tx_watch_package(tx, s.package);
        save(tx, &s);
        switchover_advance(tx, s.package);
        if (switchover_of(tx, s.package, &s) && tx->now_ns - s.since >= WAITS_TOLD_NS) {
            tell_waits(tx, &s);
        }
    }
}

/* ---- what an operator sees ---- */

static void
fill(tx_t *tx, const switchover_t *s, switchover_row_t *row)
{
    char dp[NAME_BYTES_MAX + 1] = "";
    uint32_t state;
    turn_t turn = s->state == SWITCHOVER_STAGING ? TURN_STAGES : TURN_GOES;
    bool open = s->state == SWITCHOVER_STAGING || s->state == SWITCHOVER_DECIDED;
    row->state = s->state;
    row->since = s->since;
    row->barrier = s->barrier;
    row->activate_at = s->activate_at;
    row->deadline = s->deadline;
    row->points = count_of(tx, s->package, turn);
    row->switched = in_state(tx, s->package, TURN_GOES, TARGET_INSTALLED);
    row->promised = in_state(tx, s->package, turn, TARGET_PROMISED) + row->switched;
    if (open && first_awaited(tx, s, dp, &state)) {
        row->waits_for = tx_text(tx, slice_of(dp));
    }
    if (s->why_size > 0) {
        row->why = tx_text(tx, SLICE_OF(s, why));
    }
}

rows_t
view_switchover(tx_t *tx, int64_t package)
{
    switchover_t s;
    if (!switchover_of(tx, package, &s)) {
        return (rows_t){0, 0};
    }
    switchover_row_t row = {0};
    fill(tx, &s, &row);
    rows_t maybe = draft_rows(&tx->answer, 1, sizeof row);
    switchover_row_t *into = draft_row(&tx->answer, maybe, 0, sizeof row);
    if (into != NULL) {
        *into = row;
    }
    return maybe;
}
