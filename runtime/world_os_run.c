/* world_os_run.c - see world_os_run.h. */
#include "runtime/world_os_run.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/close_range.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define LOOK_MS   50
#define GRACE_MS  2000 /* from the word to the kill */
#define NS_PER_MS INT64_C(1000000)

typedef struct child {
    pid_t pid;
    int output; /* -1: it is closed */
    bool ended;
    int status;
} child_t;

/* ---- in the child ---- */

static void __attribute__((noreturn)) give_up(int why_fd)
{
    int os_error = errno;
    ssize_t told = write(why_fd, &os_error, sizeof os_error);
    (void) told; /* the parent sees a program that has said nothing */
    _exit(127);
}

static void
default_signals(void)
{
    struct sigaction plain = {.sa_handler = SIG_DFL};
    sigset_t none;

    for (int number = 1; number < NSIG; number++) {
        sigaction(number, &plain, NULL); /* those that nobody can change refuse */
    }
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

/* What is not closed here is marked to be closed by exec: why_fd is needed until then. */
static void __attribute__((noreturn))
become(const world_program_t *program, pid_t parent, int output_fd, int why_fd)
{
    char *const arguments[] = {(char *) program->path, NULL};

    default_signals();
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || setpgid(0, 0) < 0 || getppid() != parent) {
        give_up(why_fd);
    }
    umask(022);
    int input_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    if (input_fd < 0 || chdir("/") < 0 || dup2(input_fd, STDIN_FILENO) < 0 ||
        dup2(output_fd, STDOUT_FILENO) < 0 || dup2(output_fd, STDERR_FILENO) < 0 ||
        syscall(SYS_close_range, STDERR_FILENO + 1, UINT_MAX, CLOSE_RANGE_CLOEXEC) < 0) {
        give_up(why_fd);
    }
    execve(program->path, arguments, (char *const *) program->env);
    give_up(why_fd);
}

/* ---- in the parent ---- */

static int
look_why(int why_fd)
{
    int os_error = 0;
    ssize_t got;

    do {
        got = read(why_fd, &os_error, sizeof os_error);
    } while (got < 0 && errno == EINTR);
    return got == (ssize_t) sizeof os_error ? -os_error : 0;
}

static void
reap(child_t *child, int options)
{
    pid_t got;

    do {
        got = waitpid(child->pid, &child->status, options);
    } while (got < 0 && errno == EINTR);
    child->ended = got != 0;
    child->status = got < 0 ? 0 : child->status;
}

/* Pipes whose ends are above those of the standard streams: the child moves them there. */
static int
make_pipe(int ret_end[2])
{
    int low[2];

    if (pipe2(low, O_CLOEXEC) < 0) {
        return -errno;
    }
    ret_end[0] = fcntl(low[0], F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
    ret_end[1] = fcntl(low[1], F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
    int failure = ret_end[0] < 0 || ret_end[1] < 0 ? -errno : 0;
    close(low[0]);
    close(low[1]);
    for (int i = 0; failure < 0 && i < 2; i++) {
        if (ret_end[i] >= 0) {
            close(ret_end[i]);
        }
    }
    return failure;
}

static int
begin(const world_program_t *program, child_t *child, const int output[2], const int why[2])
{
    pid_t parent = getpid();

    child->pid = fork();
    if (child->pid == 0) {
        become(program, parent, output[1], why[1]);
    }
    int failure = child->pid < 0 ? -errno : 0;
    close(output[1]);
    close(why[1]);
    failure = failure < 0 ? failure : look_why(why[0]);
    close(why[0]);
    if (failure < 0 && child->pid > 0) {
        reap(child, 0);
    }
    return failure;
}

static int
begin_with_pipes(const world_program_t *program, child_t *child)
{
    int output[2], why[2];
    int failure = make_pipe(output);

    if (failure < 0) {
        return failure;
    }
    failure = make_pipe(why);
    if (failure < 0) {
        close(output[0]);
        close(output[1]);
        return failure;
    }
    failure = begin(program, child, output, why);
    if (failure < 0) {
        close(output[0]);
        return failure;
    }
    child->output = output[0];
    (void) fcntl(child->output, F_SETFL, O_NONBLOCK);
    return 0;
}

/* Makes room by the older half when there is none. */
static void
keep(const world_program_t *program, world_ended_t *ret, const char *bytes, size_t size)
{
    ret->said += size;
    for (size_t i = 0; i < size && program->room > 0; i++) {
        if (ret->size == program->room) {
            size_t half = program->room / 2;
            memmove(program->output, program->output + ret->size - half, half);
            ret->size = half;
        }
        program->output[ret->size++] = bytes[i];
    }
}

/* All that is there now; false: nobody holds the other end any more. */
static bool
drain(const world_program_t *program, child_t *child, world_ended_t *ret)
{
    char bytes[4096];
    uint32_t portions = 16; /* who says more than we read is looked at in between */

    while (portions-- > 0) {
        ssize_t got = read(child->output, bytes, sizeof bytes);
        if (got == 0) {
            return false;
        }
        if (got < 0) {
            return errno == EAGAIN || errno == EINTR;
        }
        keep(program, ret, bytes, (size_t) got);
    }
    return true;
}

static void
look(const world_program_t *program, child_t *child, world_ended_t *ret)
{
    struct pollfd wait = {.fd = child->output, .events = POLLIN};

    if (poll(&wait, 1, LOOK_MS) > 0 && !drain(program, child, ret)) {
        close(child->output);
        child->output = -1;
    }
    reap(child, WNOHANG);
}

static void
watch(world_t *world, const world_program_t *program, child_t *child, world_ended_t *ret,
      uint32_t time_ms, bool heeds)
{
    int64_t until = world_monotonic_ns(world) + (int64_t) time_ms * NS_PER_MS;

    while (!child->ended && world_monotonic_ns(world) < until &&
           !(heeds && world_cancelled(world))) {
        look(program, child, ret);
    }
}

/* Until it was waited for its number, and that of its group, is nobody else's. */
static void
end_group(world_t *world, const world_program_t *program, child_t *child, world_ended_t *ret)
{
    siginfo_t seen;

    (void) kill(-child->pid, SIGTERM);
    int64_t until = world_monotonic_ns(world) + GRACE_MS * NS_PER_MS;
    do {
        seen.si_pid = 0;
        struct pollfd wait = {.fd = child->output, .events = POLLIN};
        if (poll(&wait, 1, LOOK_MS) > 0 && !drain(program, child, ret)) {
            close(child->output);
            child->output = -1;
        }
    } while (waitid(P_PID, (id_t) child->pid, &seen, WEXITED | WNOHANG | WNOWAIT) == 0 &&
             seen.si_pid == 0 && world_monotonic_ns(world) < until);
    (void) kill(-child->pid, SIGKILL);
    reap(child, 0);
}

int
world_os_run(world_t *world, const world_program_t *program, world_ended_t *ret)
{
    child_t child = {.output = -1};
    int failure = world_cancelled(world) ? -ECANCELED : begin_with_pipes(program, &child);

    *ret = (world_ended_t){.how = WORLD_OUT_OF_TIME};
    if (failure < 0) {
        return failure;
    }
    watch(world, program, &child, ret, program->time_ms, true);
    bool in_time = child.ended;
    if (!in_time) {
        failure = world_cancelled(world) ? -ECANCELED : 0;
        end_group(world, program, &child, ret);
    }
    if (child.output >= 0) {
        (void) drain(program, &child, ret);
        close(child.output);
    }
    if (in_time) {
        bool signalled = WIFSIGNALED(child.status);
        ret->how = signalled ? WORLD_SIGNALLED : WORLD_EXITED;
        ret->code = signalled ? WTERMSIG(child.status) : WEXITSTATUS(child.status);
    }
    return failure;
}
