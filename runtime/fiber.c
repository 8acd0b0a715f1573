/* fiber.c - swapcontext, a guard page, and the words the sanitizers want to hear. */
#include "runtime/fiber.h"

#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <ucontext.h>
#include <unistd.h>

#if defined(__SANITIZE_ADDRESS__)
#define FIBER_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define FIBER_ASAN 1
#endif
#endif
#ifdef FIBER_ASAN
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#endif

struct fiber {
    ucontext_t here;  /* where the fiber goes on */
    ucontext_t there; /* where its resumer goes on */
    fiber_fn *run;
    void *context;
    uint8_t *stack; /* the guard page, then the stack */
    size_t stack_bytes, guard_bytes;
    bool returned;
    void *fake_here, *fake_there; /* ASan's shadow of the two stacks */
    const void *there_bottom;
    size_t there_bytes;
};

static void
switch_begin(void **ret_fake, const void *bottom, size_t bytes)
{
#ifdef FIBER_ASAN
    __sanitizer_start_switch_fiber(ret_fake, bottom, bytes);
#else
    (void) ret_fake;
    (void) bottom;
    (void) bytes;
#endif
}

static void
switch_end(void *fake, const void **ret_bottom, size_t *ret_bytes)
{
#ifdef FIBER_ASAN
    __sanitizer_finish_switch_fiber(fake, ret_bottom, ret_bytes);
#else
    (void) fake;
    (void) ret_bottom;
    (void) ret_bytes;
#endif
}

/* makecontext hands over ints only, so the pointer travels as two halves. */
static void
fiber_main(unsigned high, unsigned low)
{
    fiber_t *fiber = (fiber_t *) (((uintptr_t) high << 32) | (uintptr_t) low);

    switch_end(NULL, &fiber->there_bottom, &fiber->there_bytes);
    fiber->run(fiber, fiber->context);
    fiber->returned = true;
    switch_begin(NULL, fiber->there_bottom, fiber->there_bytes);
    swapcontext(&fiber->here, &fiber->there);
}

/* Whoever returned left its last frames as they were. */
static void
clear_stack(fiber_t *fiber)
{
#ifdef FIBER_ASAN
    __asan_unpoison_memory_region(fiber->stack + fiber->guard_bytes, fiber->stack_bytes);
#else
    (void) fiber;
#endif
}

static void
begin(fiber_t *fiber, fiber_fn *run, void *context)
{
    uintptr_t address = (uintptr_t) fiber;

    fiber->run = run;
    fiber->context = context;
    fiber->returned = false;
    fiber->fake_here = fiber->fake_there = NULL;
    int got = getcontext(&fiber->here);
    assert(got == 0);
    fiber->here.uc_stack.ss_sp = fiber->stack + fiber->guard_bytes;
    fiber->here.uc_stack.ss_size = fiber->stack_bytes;
    fiber->here.uc_link = NULL;
    makecontext(&fiber->here, (void (*)(void)) fiber_main, 2, (unsigned) (address >> 32),
                (unsigned) address);
    /* ASan's swapcontext would clear the shadow of the whole stack at each switch, by memset and
     * mmap, as if it were not told of them: 9 of 10 system calls' time of a site in that build,
     * and the frames of a paused job lost their red zones. It reads the size here; nobody else
     * does, once the context is made. */
    fiber->here.uc_stack.ss_size = 0;
}

fiber_t *
fiber_new(fiber_fn *run, void *context)
{
    fiber_t *fiber = calloc(1, sizeof *fiber);

    assert(fiber);
    fiber->guard_bytes = (size_t) sysconf(_SC_PAGESIZE);
    fiber->stack_bytes = FIBER_STACK_BYTES;
    fiber->stack = mmap(NULL, fiber->guard_bytes + fiber->stack_bytes, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK, -1, 0);
    assert(fiber->stack != MAP_FAILED);
    int guarded = mprotect(fiber->stack, fiber->guard_bytes, PROT_NONE);
    assert(guarded == 0);
    begin(fiber, run, context);
    return fiber;
}

void
fiber_again(fiber_t *fiber, fiber_fn *run, void *context)
{
    assert(fiber->returned);
    clear_stack(fiber);
    begin(fiber, run, context);
}

void
fiber_destroy(fiber_t **fiber)
{
    if (!*fiber) {
        return;
    }
    assert((*fiber)->returned);
    clear_stack(*fiber); /* who maps this place next has it clean */
    munmap((*fiber)->stack, (*fiber)->guard_bytes + (*fiber)->stack_bytes);
    free(*fiber);
    *fiber = NULL;
}

bool
fiber_resume(fiber_t *fiber)
{
    assert(!fiber->returned);
    switch_begin(&fiber->fake_there, fiber->stack + fiber->guard_bytes, fiber->stack_bytes);
    swapcontext(&fiber->there, &fiber->here);
    switch_end(fiber->fake_there, NULL, NULL);
    return fiber->returned;
}

void
fiber_pause(fiber_t *fiber)
{
    switch_begin(&fiber->fake_here, fiber->there_bottom, fiber->there_bytes);
    swapcontext(&fiber->here, &fiber->there);
    switch_end(fiber->fake_here, &fiber->there_bottom, &fiber->there_bytes);
}
