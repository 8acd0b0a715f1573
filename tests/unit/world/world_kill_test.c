/* world_kill_test.c - a build with fault points dies exactly where the environment says.
 *
 * Built with FAULT_POINTS whatever the options of the build. Run without arguments it runs itself
 * as a child that creates a file (change 1) and writes two bytes five times (changes 2 to 6),
 * passing the point `p:q` after each, and looks at how the child ended and how much it had written.
 * A shared file arms the same from outside.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include "runtime/world_kill.h"
#include "runtime/world_os.h"

static int
child(const char *path)
{
    world_os_t os;
    world_t *w = world_os_init(&os, NULL);
    int fd = world_open(w, AT_FDCWD, path, O_RDWR | O_CREAT | O_TRUNC, 0644, 0);
    for (unsigned i = 0; i < 5; i++) {
        world_write(w, fd, "xy", 2, 2 * i);
        world_point(w, "p:q");
    }
    return world_close(w, fd);
}

typedef struct expectation {
    const char *variable, *value;
    int signal, code; /* how the child ends */
    long long size;   /* bytes of the file then; -1: there is none */
} expectation_t;

static int
run_child(const char *self, const char *path, const expectation_t *expected)
{
    int status = 0;
    pid_t pid = fork();
    if (pid == 0) {
        setenv(expected->variable, expected->value, 1);
        execl(self, self, path, (char *) NULL);
        _exit(99);
    }
    waitpid(pid, &status, 0);
    return status;
}

static int
judge(const char *self, const char *path, const expectation_t *expected)
{
    unlink(path);
    int status = run_child(self, path, expected);
    int signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
    int code = WIFEXITED(status) ? WEXITSTATUS(status) : 0;
    struct stat found;
    long long size = stat(path, &found) == 0 ? (long long) found.st_size : -1;
    if (signal == expected->signal && code == expected->code && size == expected->size) {
        return 0;
    }
    printf("%s=%s: expected signal %d, code %d, size %lld; got %d, %d, %lld\n", expected->variable,
           expected->value, expected->signal, expected->code, expected->size, signal, code, size);
    return 1;
}

/* Each shared state, written to a file, must end the child as its expectation says. */
static int
judge_shared(const char *self, const char *path)
{
    static const world_kill_t states[] = {
        {.kill_at = 5},                   /* odd: before */
        {.calls = 100, .kill_at = 104},   /* it counts on from what is there; even: half */
        {.point_at = 2, .point = "p:q"},  /* at the second passing */
        {.point_at = 2, .point = "p:qq"}, /* another point */
    };
    static const long long sizes[] = {6, 5, 4, 10};
    char file[] = "/tmp/despool-kill-file-XXXXXX";
    int fd = mkstemp(file);
    int wrong = fd < 0;
    for (size_t i = 0; fd >= 0 && i < sizeof states / sizeof states[0]; i++) {
        expectation_t expected = {"DESPOOL_KILL_FILE", file, sizes[i] == 10 ? 0 : SIGKILL, 0,
                                  sizes[i]};
        bool written = pwrite(fd, &states[i], sizeof states[i], 0) == sizeof states[i];
        wrong += written ? judge(self, path, &expected) : 1;
    }
    expectation_t short_file = {"DESPOOL_KILL_FILE", file, 0, 2, -1};
    wrong += fd < 0 || ftruncate(fd, 8) != 0 || judge(self, path, &short_file) != 0;
    unlink(file);
    return wrong;
}

int
main(int argc, char **argv)
{
    static const expectation_t expectations[] = {
        {"DESPOOL_KILL_AT", "1", SIGKILL, 0, -1}, /* odd: before */
        {"DESPOOL_KILL_AT", "2", SIGKILL, 0, 1},  /* even, a write: half of it */
        {"DESPOOL_KILL_AT", "5", SIGKILL, 0, 6},
        {"DESPOOL_KILL_AT", "7", 0, 0, 10}, /* never reached */
        {"DESPOOL_KILL_AT", "0", 0, 2, -1},
        {"DESPOOL_KILL_AT", "x", 0, 2, -1},
        {"DESPOOL_KILL_POINT", "p:q:3", SIGKILL, 0, 6},
        {"DESPOOL_KILL_POINT", "p:1", 0, 0, 10},
        {"DESPOOL_KILL_POINT", "p", 0, 2, -1},
    };
    if (argc > 1) {
        return child(argv[1]);
    }
    char path[] = "/tmp/despool-kill-XXXXXX";
    int fd = mkstemp(path);
    if (fd < 0) {
        return 1;
    }
    close(fd);
    int wrong = 0;
    for (size_t i = 0; i < sizeof expectations / sizeof expectations[0]; i++) {
        wrong += judge(argv[0], path, &expectations[i]);
    }
    wrong += judge_shared(argv[0], path);
    unlink(path);
    return wrong == 0 ? 0 : 1;
}
