/* retry_test.c - claims about what follows from one try, over every error that there is. */
#include <criterion/criterion.h>

#include "actors/retry.h"

static outcome_t
try_of(err_t err, uint32_t attempt)
{
    return (outcome_t){.action = ACTION_INSTALL,
                       .attempt = attempt,
                       .of = ATTEMPTS_MAX,
                       .err = err,
                       .reached = true};
}

static bool
is_integral(err_t err)
{
    return err == ERR_DIGEST;
}

/* The table of DESIGN, written a second time: what a person would say of each error. */
static target_state_t
expected_state(err_t err)
{
    if (err == OK) {
        return TARGET_INSTALLED;
    }
    if (err == ERR_SPACE || err == ERR_WINDOW) {
        return TARGET_WAITING;
    }
    bool again =
        err_class(err) == CLASS_RETRY || err_class(err) == CLASS_RESOURCE || err == ERR_CANCELLED;
    return again ? TARGET_RETRYING : TARGET_FAILED;
}

static bool
expected_to_count(err_t err)
{
    return err == OK ||
           (!err_is_absence(err) && err != ERR_CANCELLED && err_class(err) != CLASS_RESOURCE);
}

Test(retry, every_error_leads_to_the_state_of_its_class)
{
    for (uint32_t err = OK; err < ERR_COUNT; err++) {
        outcome_t outcome = try_of((err_t) err, 1);
        retry_next_t got = retry_decide(&outcome, 0);
        target_state_t expected = expected_state((err_t) err);
        cr_expect_eq(got.next, expected, "%s: expected %s, got %s", err_word((err_t) err),
                     target_state_words.word[expected], target_state_words.word[got.next]);
    }
}

Test(retry, a_counted_try_adds_exactly_one_and_any_other_adds_none)
{
    for (uint32_t err = OK; err < ERR_COUNT; err++) {
        for (uint32_t attempt = 1; attempt < ATTEMPTS_MAX; attempt++) {
            outcome_t outcome = try_of((err_t) err, attempt);
            retry_next_t got = retry_decide(&outcome, attempt);
            uint32_t expected = attempt - 1 + expected_to_count((err_t) err);
            cr_expect_eq(got.attempts, expected, "%s at %u: expected %u, got %u",
                         err_word((err_t) err), attempt, expected, got.attempts);
        }
    }
}

Test(retry, a_try_that_did_not_reach_the_point_is_not_counted_whatever_its_error)
{
    for (uint32_t err = OK + 1; err < ERR_COUNT; err++) {
        outcome_t outcome = try_of((err_t) err, 7);
        outcome.reached = false;
        retry_next_t got = retry_decide(&outcome, 0);
        cr_expect_eq(got.attempts, 6, "%s: expected 6, got %u", err_word((err_t) err),
                     got.attempts);
    }
}

Test(retry, what_is_tried_again_has_a_date_and_what_is_final_has_none)
{
    for (uint32_t err = OK; err < ERR_COUNT; err++) {
        outcome_t outcome = try_of((err_t) err, 3);
        retry_next_t got = retry_decide(&outcome, 12345);
        bool final = got.next == TARGET_INSTALLED || got.next == TARGET_FAILED;
        cr_expect_eq(got.due_ms == RECORD_NONE, final, "%s: %s, due %llu", err_word((err_t) err),
                     target_state_words.word[got.next], (unsigned long long) got.due_ms);
        cr_expect(final || (got.due_ms > 0 && got.due_ms <= RETRY_MAX_MS), "%s: due %llu",
                  err_word((err_t) err), (unsigned long long) got.due_ms);
    }
}

Test(retry, absence_never_ends_and_is_looked_out_for)
{
    const err_t absences[] = {ERR_ABSENT, ERR_HUNG, ERR_NOT_THIS_POINT, ERR_OTHER_SITE};
    for (size_t i = 0; i < sizeof absences / sizeof absences[0]; i++) {
        uint32_t attempts = ATTEMPTS_MAX - 1;
        for (int again = 0; again < 1000; again++) {
            outcome_t outcome = try_of(absences[i], attempts + 1);
            retry_next_t got = retry_decide(&outcome, (uint64_t) again);
            cr_assert_eq(got.next, TARGET_RETRYING, "%s", err_word(absences[i]));
            cr_assert(got.look_out, "%s", err_word(absences[i]));
            attempts = got.attempts;
        }
        cr_assert_eq(attempts, ATTEMPTS_MAX - 1, "expected %u, got %u", ATTEMPTS_MAX - 1, attempts);
    }
}

Test(retry, only_absence_is_looked_out_for)
{
    for (uint32_t err = OK; err < ERR_COUNT; err++) {
        outcome_t outcome = try_of((err_t) err, 1);
        cr_expect_eq(retry_decide(&outcome, 0).look_out, err_is_absence((err_t) err), "%s",
                     err_word((err_t) err));
    }
}

Test(retry, an_install_that_keeps_failing_ends_after_exactly_its_attempts)
{
    for (uint32_t of = 1; of <= ATTEMPTS_MAX; of++) {
        uint32_t tries = 0;
        retry_next_t got = {.next = TARGET_RETRYING};
        while (got.next == TARGET_RETRYING && tries <= of) {
            outcome_t outcome = try_of(ERR_IO, got.attempts + 1);
            outcome.of = of;
            got = retry_decide(&outcome, tries);
            tries++;
        }
        cr_assert_eq(got.next, TARGET_FAILED, "of %u: %s", of, target_state_words.word[got.next]);
        cr_assert_eq(tries, of, "expected %u tries, got %u", of, tries);
        cr_assert_eq(got.attempts, of, "expected %u attempts, got %u", of, got.attempts);
    }
}

Test(retry, a_row_without_a_number_of_attempts_has_the_usual_one)
{
    outcome_t outcome = try_of(ERR_IO, ATTEMPTS_MAX - 1);
    outcome.of = 0;
    cr_expect_eq(retry_decide(&outcome, 0).next, TARGET_RETRYING);
    outcome.attempt = ATTEMPTS_MAX;
    cr_expect_eq(retry_decide(&outcome, 0).next, TARGET_FAILED);
}

Test(retry, three_wrong_digests_in_a_row_end_it)
{
    retry_next_t got = {.next = TARGET_RETRYING};
    uint32_t tries = 0;
    while (got.next == TARGET_RETRYING && tries < 10) {
        outcome_t outcome = try_of(ERR_DIGEST, got.attempts + 1);
        outcome.integrity = got.integrity;
        got = retry_decide(&outcome, 0);
        tries++;
    }
    cr_expect_eq(tries, INTEGRITY_ATTEMPTS_MAX, "expected %u, got %u", INTEGRITY_ATTEMPTS_MAX,
                 tries);
    cr_expect_eq(got.next, TARGET_FAILED);
}

Test(retry, another_counted_error_ends_the_row_of_wrong_digests_and_absence_does_not)
{
    outcome_t outcome = try_of(ERR_IO, 3);
    outcome.integrity = 2;
    cr_expect_eq(retry_decide(&outcome, 0).integrity, 0);
    outcome.err = ERR_ABSENT;
    cr_expect_eq(retry_decide(&outcome, 0).integrity, 2);
    outcome.err = OK;
    cr_expect_eq(retry_decide(&outcome, 0).integrity, 0);
}

Test(retry, only_digests_are_counted_as_digests)
{
    for (uint32_t err = OK; err < ERR_COUNT; err++) {
        outcome_t outcome = try_of((err_t) err, 1);
        cr_expect_eq(retry_decide(&outcome, 0).integrity, (uint32_t) is_integral((err_t) err), "%s",
                     err_word((err_t) err));
    }
}

Test(retry, space_is_waited_for_without_end_and_without_a_count)
{
    outcome_t outcome = try_of(ERR_SPACE, ATTEMPTS_MAX);
    retry_next_t got = retry_decide(&outcome, 99);
    cr_expect_eq(got.next, TARGET_WAITING);
    cr_expect_eq(got.attempts, ATTEMPTS_MAX - 1, "got %u", got.attempts);
    cr_expect_eq(got.due_ms, SPACE_PERIOD_MS, "got %llu", (unsigned long long) got.due_ms);
}

Test(retry, a_removal_never_fails_for_good_and_always_has_a_date)
{
    for (uint32_t err = OK; err < ERR_COUNT; err++) {
        for (uint32_t attempt = 1; attempt <= ATTEMPTS_MAX + 1; attempt += 50) {
            outcome_t outcome = try_of((err_t) err, attempt);
            outcome.action = ACTION_REMOVE;
            retry_next_t got = retry_decide(&outcome, attempt);
            target_state_t expected = err == OK ? TARGET_REMOVED : TARGET_REMOVING;
            cr_expect_eq(got.next, expected, "%s: expected %s, got %s", err_word((err_t) err),
                         target_state_words.word[expected], target_state_words.word[got.next]);
            cr_expect_eq(got.due_ms == RECORD_NONE, err == OK, "%s", err_word((err_t) err));
        }
    }
}

Test(retry, the_wait_doubles_from_a_second_to_half_an_hour_less_at_most_a_quarter)
{
    uint64_t full = RETRY_FIRST_MS;
    for (uint32_t attempts = 1; attempts <= ATTEMPTS_MAX; attempts++) {
        uint64_t least = UINT64_MAX, most = 0;
        for (uint64_t random = 0; random <= full; random++) {
            uint64_t wait = retry_backoff_ms(attempts, random);
            least = wait < least ? wait : least;
            most = wait > most ? wait : most;
        }
        cr_expect_eq(most, full, "%u: expected %llu, got %llu", attempts, (unsigned long long) full,
                     (unsigned long long) most);
        cr_expect_eq(least, full - full / 4, "%u: expected %llu, got %llu", attempts,
                     (unsigned long long) (full - full / 4), (unsigned long long) least);
        full = full * 2 > RETRY_MAX_MS ? RETRY_MAX_MS : full * 2;
    }
}

Test(retry, no_random_number_leads_out_of_the_bounds)
{
    const uint64_t odd[] = {0, 1, UINT64_MAX, UINT64_MAX - 1, UINT64_C(1) << 63};
    for (size_t i = 0; i < sizeof odd / sizeof odd[0]; i++) {
        for (uint32_t attempts = 0; attempts < 3; attempts++) {
            uint64_t wait = retry_backoff_ms(attempts == 2 ? UINT32_MAX : attempts, odd[i]);
            cr_expect(wait >= RETRY_FIRST_MS / 4 * 3 && wait <= RETRY_MAX_MS, "got %llu",
                      (unsigned long long) wait);
        }
    }
}

Test(retry, an_outcome_without_a_number_of_its_try_is_no_underflow)
{
    outcome_t outcome = try_of(ERR_IO, 0);
    cr_expect_eq(retry_decide(&outcome, 0).attempts, 1, "got %u",
                 retry_decide(&outcome, 0).attempts);
    outcome.err = ERR_ABSENT;
    cr_expect_eq(retry_decide(&outcome, 0).attempts, 0, "got %u",
                 retry_decide(&outcome, 0).attempts);
}

Test(retry, tries_that_did_not_reach_the_point_never_end_it_and_leave_the_row_of_digests)
{
    outcome_t outcome = try_of(ERR_IO, ATTEMPTS_MAX + 1);
    outcome.reached = false;
    outcome.integrity = 2;
    retry_next_t got = retry_decide(&outcome, 0);
    cr_expect_eq(got.next, TARGET_RETRYING, "got %s", target_state_words.word[got.next]);
    cr_expect_eq(got.integrity, 2, "got %u", got.integrity);
}
