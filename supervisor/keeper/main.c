// gw-keeper: the parent that outlives supervisors.
//
//   gw-keeper [--adopt] -- SUPERVISOR ARGS...
//
// It keeps one supervisor running, holds file descriptors by name for it, and, as the subreaper of
// everything below, reaps processes whose parent is gone and reports their ends. With --adopt it
// was executed in place of a supervisor or of a keeper, and takes over that one's fds.
//
// An update ends the supervisor and executes the keeper on disk in our own place, which starts the
// supervisor on disk. When that one dies young, the program before it comes back (`fallback`).
//
// A supervisor that leaves its apps running ends for good; we stay and hold what they need, until
// a client at the control socket wants the next supervisor.
//
// Not its job: everything else. It reads no file, knows no app, and allocates next to nothing.
//
// The invariant: before a supervisor is started, everything that the one before it has sent was
// done; so what it was told to hold, the next one gets.

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/close_range.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "common/proto.h"
#include "link.h"
#include "note.h"
#include "store.h"

enum { SHORT_LIFE_MS = 1000, FIRST_DELAY_MS = 100, LONGEST_DELAY_MS = 5000 };
enum { KEEPER_ARGS_MAX = 16 };
enum { USAGE = 2, NOT_EXECUTED = 127 }; // exit codes

struct keeper {
    char **command;
    int signal_fd;
    struct rlimit files; // as we found it
    pid_t supervisor;    // 0: none runs
    uint64_t started_ms;
    uint64_t due_ms; // when the next one is to start
    uint64_t delay_ms;
    bool proven;      // a supervisor of ours has run
    int fallback;     // the program before the last update; -1: none
    bool fallen_back; // it is what we start, until the next update
    bool ending;      // we were asked to end: the supervisor's end is ours
    bool left;        // the supervisor has left: none starts before a client wants one
    bool ended;
    int exit_code;
};

static uint64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static void end(struct keeper *keeper, int exit_code)
{
    keeper->ended = true;
    keeper->exit_code = exit_code;
}

// --- the supervisor -----------------------------------------------------------------------------

static void become_supervisor(const struct keeper *keeper)
{
    int program = keeper->fallen_back ? fcntl(keeper->fallback, F_DUPFD_CLOEXEC, store_end()) : -1;
    sigset_t none;

    if (store_hand_down(link_supervisors_end()) == -1)
        note("error", "fds cannot be handed down: %s", strerror(errno));
    else {
        setrlimit(RLIMIT_NOFILE, &keeper->files); // not before: there may be more fds than that
        sigemptyset(&none);
        sigprocmask(SIG_SETMASK, &none, NULL);
        if (keeper->fallen_back)
            fexecve(program, keeper->command, environ);
        else
            execvp(keeper->command[0], keeper->command);
        note("error", "%s: %s", keeper->command[0], strerror(errno));
    }
    _exit(NOT_EXECUTED);
}

// The next start is at once, unless they die as soon as they are born.
static void schedule(struct keeper *keeper)
{
    uint64_t now = now_ms();

    if (now - keeper->started_ms >= SHORT_LIFE_MS)
        keeper->delay_ms = 0;
    else if (keeper->delay_ms == 0)
        keeper->delay_ms = FIRST_DELAY_MS;
    else if ((keeper->delay_ms *= 2) > LONGEST_DELAY_MS)
        keeper->delay_ms = LONGEST_DELAY_MS;
    keeper->due_ms = now + keeper->delay_ms;
}

static void start_supervisor(struct keeper *keeper)
{
    pid_t pid;

    link_receive(); // the last words of the one before
    keeper->started_ms = now_ms();
    pid = fork();
    if (pid == 0)
        become_supervisor(keeper);
    if (pid == -1) {
        note("error", "fork: %s", strerror(errno));
        schedule(keeper);
        return;
    }
    keeper->supervisor = pid;
}

// The supervisor of an update has not lived long: then the one before it is better. Whoever lives
// longer has no need of it any more.
static bool falls_back(struct keeper *keeper, bool ended_well)
{
    if (keeper->fallback == -1 || keeper->fallen_back || keeper->ending || ended_well)
        return false;
    keeper->fallen_back = now_ms() - keeper->started_ms < SHORT_LIFE_MS;
    if (!keeper->fallen_back) {
        close(keeper->fallback);
        keeper->fallback = -1;
    }
    return keeper->fallen_back;
}

// The one who has left a socket to be called by.
static bool has_left(int status)
{
    return WIFEXITED(status) && WEXITSTATUS(status) == KEEPER_EXIT_LEFT &&
           store_fd(FD_CONTROL) >= 0;
}

static void on_supervisor_left(struct keeper *keeper)
{
    keeper->left = true;
    keeper->ending = false;
    keeper->proven = true;
    note("info", "the supervisor has left its apps running; a client brings the next one");
}

static void on_client(struct keeper *keeper)
{
    keeper->left = false;
    keeper->due_ms = now_ms();
    note("info", "a client wants a supervisor");
}

static void on_supervisor_exit(struct keeper *keeper, int status)
{
    bool exited = WIFEXITED(status);
    int code = exited ? WEXITSTATUS(status) : WTERMSIG(status);

    keeper->supervisor = 0;
    link_receive(); // its last words
    if (has_left(status)) {
        on_supervisor_left(keeper);
        return;
    }
    if (falls_back(keeper, exited && code == 0)) {
        keeper->due_ms = now_ms();
        note("error", "the new supervisor %s %d: the one before it comes back",
             exited ? "exited with" : "was killed by signal", code);
        return;
    }
    // One that cannot even be executed: a wrong path, unless it has worked before.
    if (exited && code == NOT_EXECUTED && !keeper->proven) {
        end(keeper, EXIT_FAILURE);
        return;
    }
    keeper->proven = true;
    if (exited && (code == 0 || code == KEEPER_EXIT_FINAL)) {
        end(keeper, code);
        return;
    }
    if (keeper->ending) {
        end(keeper, !exited && code == SIGTERM ? 0 : 1);
        return;
    }
    schedule(keeper);
    note("warn", "the supervisor %s %d, a new one starts in %d ms",
         exited ? "exited with" : "was killed by signal", code, (int)keeper->delay_ms);
}

// --- update -------------------------------------------------------------------------------------

static void end_supervisor(struct keeper *keeper)
{
    int status;

    if (keeper->supervisor == 0)
        return;
    kill(keeper->supervisor, SIGKILL);
    while (waitpid(keeper->supervisor, &status, 0) == -1 && errno == EINTR)
        ;
    keeper->supervisor = 0;
    link_receive(); // its last words
    link_update_wanted();
}

static void keep_program(const struct keeper *keeper)
{
    char path[32];
    int fd = -1;

    if (keeper->supervisor > 0) {
        snprintf(path, sizeof path, "/proc/%d/exe", (int)keeper->supervisor);
        fd = open(path, O_RDONLY | O_CLOEXEC);
    }
    if (fd == -1 || !store_put(FD_FALLBACK, fd))
        note("warn", "no program is kept to fall back to");
}

// Does not return when it goes well. It goes wrong before anything is moved, or never: the program
// that runs here can always be executed again.
static void become_keeper(const struct keeper *keeper)
{
    const char *slash = strrchr(keeper->command[0], '/');
    int folder = slash ? (int)(slash - keeper->command[0] + 1) : 0;
    char path[PATH_MAX];
    char *arguments[KEEPER_ARGS_MAX + 4] = {(char *)"gw-keeper", (char *)"--adopt", (char *)"--"};

    for (int i = 0; i < KEEPER_ARGS_MAX && keeper->command[i]; ++i)
        arguments[3 + i] = keeper->command[i];
    snprintf(path, sizeof path, "%.*sgw-keeper", folder, keeper->command[0]);
    if (link_pending() || !link_hand_on()) {
        note("warn", "the keeper stays the old one: too much waits for the supervisor");
        return;
    }
    if (store_hand_down(link_supervisors_end()) == -1)
        note("error", "fds cannot be handed on: %s", strerror(errno));
    setrlimit(RLIMIT_NOFILE, &keeper->files);
    execv(path, arguments);
    note("error", "%s: %s: the old keeper goes on", path, strerror(errno));
    execv("/proc/self/exe", arguments);
    note("error", "nor can the old one be executed: %s", strerror(errno));
    _exit(EXIT_FAILURE);
}

static void update(struct keeper *keeper)
{
    note("info", "update: the supervisor is replaced");
    keep_program(keeper);
    end_supervisor(keeper);
    become_keeper(keeper);
    keeper->fallback = store_take(FD_FALLBACK);
    keeper->fallen_back = false;
    keeper->due_ms = now_ms();
}

// --- signals ------------------------------------------------------------------------------------

static void reap(struct keeper *keeper)
{
    int status;
    pid_t pid;

    while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
        if (pid == keeper->supervisor)
            on_supervisor_exit(keeper, status);
        else
            link_send_exit(pid, status);
    }
}

static void terminate(struct keeper *keeper)
{
    keeper->ending = true;
    if (keeper->supervisor > 0)
        kill(keeper->supervisor, SIGTERM);
    else
        end(keeper, 0);
}

static void on_signals(struct keeper *keeper)
{
    struct signalfd_siginfo info;

    while (!keeper->ended && read(keeper->signal_fd, &info, sizeof info) == sizeof info) {
        if (info.ssi_signo == SIGCHLD)
            reap(keeper);
        else
            terminate(keeper);
    }
}

// --- start and loop -----------------------------------------------------------------------------

static int open_signals(void)
{
    sigset_t set;

    // Someone may have started us with SIGCHLD ignored: then there would be nothing to reap.
    signal(SIGCHLD, SIG_DFL);
    sigemptyset(&set);
    sigaddset(&set, SIGCHLD);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGHUP);
    sigprocmask(SIG_SETMASK, &set, NULL);
    return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

static void raise_file_limit(struct keeper *keeper)
{
    getrlimit(RLIMIT_NOFILE, &keeper->files);
    setrlimit(RLIMIT_NOFILE, &(struct rlimit){keeper->files.rlim_max, keeper->files.rlim_max});
}

static bool set_up(struct keeper *keeper, bool adopt)
{
    int adopted = 0;

    // Nothing that our starter left open goes on to supervisors.
    close_range(STORE_FIRST_FD, UINT_MAX, CLOSE_RANGE_CLOEXEC);
    if (adopt && (adopted = store_adopt()) == -1)
        note("error", "LISTEN_FDS, LISTEN_FDNAMES, LISTEN_PID: not a set of fds for this process");
    else if (adopt)
        note("info", "took the place of the one before with %d fds", adopted);
    raise_file_limit(keeper);
    keeper->fallback = store_take(FD_FALLBACK);
    keeper->signal_fd = open_signals();
    if (keeper->signal_fd == -1 || prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == -1 ||
        !link_open()) {
        note("error", "cannot start: %s", strerror(errno));
        return false;
    }
    return true;
}

static int wait_ms(const struct keeper *keeper)
{
    uint64_t now = now_ms();
    if (keeper->supervisor > 0 || keeper->left)
        return -1;
    return keeper->due_ms > now ? (int)(keeper->due_ms - now) : 0;
}

static void run_once(struct keeper *keeper)
{
    struct pollfd polls[] = {
        {.fd = keeper->signal_fd, .events = POLLIN},
        {.fd = link_fd(), .events = (short)(link_pending() ? POLLIN | POLLOUT : POLLIN)},
        {.fd = keeper->left ? store_fd(FD_CONTROL) : -1, .events = POLLIN},
    };

    if (poll(polls, 3, wait_ms(keeper)) == -1)
        return;
    if (polls[1].revents & POLLIN)
        link_receive();
    if (polls[1].revents & POLLOUT)
        link_flush();
    if (link_update_wanted())
        update(keeper);
    if (polls[2].revents)
        on_client(keeper);
    if (polls[0].revents)
        on_signals(keeper);
    if (!keeper->ended && keeper->supervisor == 0 && wait_ms(keeper) == 0)
        start_supervisor(keeper);
}

int main(int argc, char **argv)
{
    bool adopt = argc > 1 && strcmp(argv[1], "--adopt") == 0;
    struct keeper keeper = {.command = argv + 2 + adopt, .proven = adopt};

    if (argc == 2 && strcmp(argv[1], "--version") == 0) {
        puts("gw-keeper " GWCTL_VERSION);
        return EXIT_SUCCESS;
    }
    if (argc < 3 + adopt || strcmp(argv[1 + adopt], "--") != 0) {
        note("error", "usage: gw-keeper [--adopt] -- SUPERVISOR ARGS...");
        return USAGE;
    }
    if (!set_up(&keeper, adopt))
        return EXIT_FAILURE;
    while (!keeper.ended)
        run_once(&keeper);
    return keeper.exit_code;
}
