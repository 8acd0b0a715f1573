/* fiber_test.c - a function that is paused goes on where it was, and is watched all the while. */
#include <criterion/criterion.h>
#include <stdint.h>

#include "runtime/fiber.h"

#if defined(__SANITIZE_ADDRESS__)
#define TEST_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define TEST_ASAN 1
#endif
#endif
#ifdef TEST_ASAN
#include <sanitizer/asan_interface.h>
#endif

#define PAUSES 3u

typedef struct {
    uint32_t rounds;
    volatile uint8_t *frame; /* eight bytes of the paused function's own */
} walk_t;

static void
walk(fiber_t *fiber, void *context)
{
    walk_t *walk = context;
    volatile uint8_t here[8] = {1};

    walk->frame = here;
    for (uint32_t i = 0; i < PAUSES; i++) {
        walk->rounds += here[0];
        fiber_pause(fiber);
    }
    walk->frame = NULL;
}

Test(fiber, goes_on_where_it_paused_and_its_stack_serves_again)
{
    walk_t walked = {0};
    fiber_t *fiber = fiber_new(walk, &walked);

    for (uint32_t turn = 0; turn < 2; turn++) {
        for (uint32_t i = 0; i < PAUSES; i++) {
            cr_assert_not(fiber_resume(fiber));
            cr_assert_eq(walked.rounds, turn * PAUSES + i + 1);
        }
        cr_assert(fiber_resume(fiber), "it has not returned after its last pause");
        if (turn == 0) {
            fiber_again(fiber, walk, &walked);
        }
    }
    fiber_destroy(&fiber);
    cr_assert_null(fiber);
}

#ifdef TEST_ASAN
/* What lies before an array of a frame is poisoned; a switch that clears the shadow of the stack
 * it goes to would leave an overflow in a resumed job unseen. */
Test(fiber, the_red_zones_of_a_paused_function_outlive_the_switches)
{
    walk_t walked = {0};
    fiber_t *fiber = fiber_new(walk, &walked);

    while (!fiber_resume(fiber)) {
        cr_assert_not(__asan_address_is_poisoned((void *) walked.frame));
        cr_assert(__asan_address_is_poisoned((void *) (walked.frame - 1)),
                  "after switch %d an overflow would not be seen", (int) walked.rounds);
    }
    fiber_destroy(&fiber);
}
#endif
