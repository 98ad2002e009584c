// Looks through /proc until nothing is left. The invariant: a signal goes by pidfd, opened before
// the environment was read, so that it never meets another process with the same pid.
//
// Not its job: what they were. They are no children of ours, and their output goes nowhere.

#include "common/abandoned.h"

#include <limits.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <time.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/log.h"
#include "common/procinfo.h"
#include "common/proto.h"

enum { KILL_LIMIT_MS = 5000, PAUSE_MS = 20 };

static pid_t parent_of(const struct procinfo *list, size_t count, pid_t pid)
{
    for (size_t i = 0; i < count; i++) {
        if (list[i].pid == pid)
            return list[i].parent;
    }
    return 0;
}

// One of us: the caller, the keeper above it, the command that has started both.
static bool is_ours(const struct procinfo *list, size_t count, pid_t pid)
{
    for (pid_t ours = getpid(); ours > 1; ours = parent_of(list, count, ours)) {
        if (ours == pid)
            return true;
    }
    return pid <= 1;
}

// Was it started for this home, by a supervisor? A person's shell may have the home as well.
static bool belongs_to(pid_t pid, const char *home)
{
    char of_home[PATH_MAX], spawn[2];
    return procinfo_variable(pid, ENV_SPAWN, spawn, sizeof spawn) &&
           procinfo_variable(pid, ENV_HOME, of_home, sizeof of_home) && strcmp(of_home, home) == 0;
}

// True: it is abandoned.
static bool signal_one(const struct procinfo *list, size_t count, pid_t pid, const char *home,
                       int signal)
{
    int fd = pidfd_open(pid, 0);
    bool abandoned = fd >= 0 && belongs_to(pid, home) && !is_ours(list, count, pid);
    if (abandoned && signal != 0) {
        log_debug("pid %d, left by an earlier supervisor, gets %s", (int)pid,
                  signal == SIGKILL ? "SIGKILL" : "SIGTERM");
        pidfd_send_signal(fd, signal, NULL, 0);
    }
    if (fd >= 0)
        close(fd);
    return abandoned;
}

// A signal to each that is abandoned; 0: none. Returns how many there are.
static size_t signal_all(const char *home, int signal)
{
    struct procinfo *list;
    size_t count = procinfo_list(&list), abandoned = 0;
    for (size_t i = 0; i < count; i++)
        abandoned += signal_one(list, count, list[i].pid, home, signal);
    free(list);
    return abandoned;
}

static bool wait_gone(const char *home, int signal, unsigned limit_ms)
{
    const struct timespec pause = {0, PAUSE_MS * 1000000L};
    uint64_t end = clock_mono_ms() + limit_ms;
    size_t left;
    while ((left = signal_all(home, signal)) > 0 && clock_mono_ms() < end)
        nanosleep(&pause, NULL);
    return left == 0;
}

size_t abandoned_end(const char *home, unsigned patience_ms)
{
    size_t count = signal_all(home, SIGTERM);
    // Those that are killed may have forked meanwhile: each look kills again.
    if (count > 0 && !wait_gone(home, 0, patience_ms) && !wait_gone(home, SIGKILL, KILL_LIMIT_MS))
        log_error("some processes of an earlier supervisor cannot be ended");
    return count;
}
