// The supervisor gets a session of its own, no terminal, and its log file for stdout and stderr.

#include "daemon_start.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/home.h"
#include "common/json.h"
#include "common/mem.h"
#include "common/proto.h"
#include "program.h"

enum { START_LIMIT_MS = 10000, POLL_MS = 1 };

// Its GWCTL_HOME is absolute, as its working directory is another one.
static void become_daemon(const char *keeper, const char *supervisor, const sigset_t *signals)
{
    int log = open(home_path(HOME_DAEMON_LOG), O_WRONLY | O_CREAT | O_APPEND, 0600);
    int null = open("/dev/null", O_RDONLY);
    setsid();
    umask(077);
    if (log == -1 || null == -1 || chdir("/") == -1)
        _exit(1);
    setenv(ENV_HOME, home_path(HOME_ROOT), 1);
    unsetenv(ENV_APP); // we may have been called by an app
    unsetenv(ENV_ID);
    unsetenv(ENV_SPAWN);
    dup2(null, STDIN_FILENO);
    dup2(log, STDOUT_FILENO);
    dup2(log, STDERR_FILENO);
    close_range(3, ~0U, 0);
    sigprocmask(SIG_SETMASK, signals, NULL);
    execl(keeper, "gw-keeper", "--", supervisor, (char *)NULL);
    dprintf(STDERR_FILENO, "%s: %s\n", keeper, strerror(errno));
    _exit(1);
}

// What the log gained since `from`: its last line, for the error.
static int log_error_since(off_t from, struct err *err)
{
    char text[ERR_SIZE] = "";
    int fd = open(home_path(HOME_DAEMON_LOG), O_RDONLY | O_CLOEXEC);
    struct stat stat;
    if (fd >= 0 && fstat(fd, &stat) == 0 && stat.st_size > from) {
        off_t start = stat.st_size - from > ERR_SIZE - 1 ? stat.st_size - ERR_SIZE + 1 : from;
        ssize_t count = pread(fd, text, sizeof text - 1, start);
        text[count > 0 ? count : 0] = '\0';
    }
    if (fd >= 0)
        close(fd);
    text[strcspn(text, "\n")] = '\0';
    return err_set(err, "the supervisor did not start: %s",
                   *text ? text : home_path(HOME_DAEMON_LOG));
}

static off_t log_size(void)
{
    struct stat now;
    return stat(home_path(HOME_DAEMON_LOG), &now) == 0 ? now.st_size : 0;
}

static struct client *wait_for_answer(pid_t keeper, off_t log_from, struct err *err)
{
    const struct timespec pause = {0, POLL_MS * 1000000L};
    uint64_t limit = clock_mono_ms() + START_LIMIT_MS;
    bool absent;
    int status;

    while (clock_mono_ms() < limit) {
        struct client *client = client_connect(&absent, err);
        if (client)
            return client;
        // Exit 78: another command was first, and its supervisor answers in a moment.
        if (waitpid(keeper, &status, WNOHANG) == keeper &&
            !(WIFEXITED(status) && WEXITSTATUS(status) == KEEPER_EXIT_FINAL))
            break;
        nanosleep(&pause, NULL);
    }
    log_error_since(log_from, err);
    return NULL;
}

// An error here is one of the next request too.
static void tell_leftovers(struct client *client)
{
    struct err err;
    struct json_object *answer = client_request(client, "ping", NULL, &err);
    int64_t count = answer ? json_get_int(answer, "leftovers", 0) : 0;
    if (count > 0)
        fprintf(stderr, "gwctl: %d process%s that an earlier supervisor had left ended first\n",
                (int)count, count == 1 ? "" : "es");
    json_object_put(answer);
}

static struct client *start_daemon(const sigset_t *signals, struct err *err)
{
    char *keeper = program_beside_us("gw-keeper");
    char *supervisor = program_beside_us("gw-supervisor");
    off_t log_from = log_size();
    pid_t pid = fork();
    if (pid == 0)
        become_daemon(keeper, supervisor, signals);
    free(keeper);
    free(supervisor);
    if (pid == -1) {
        err_set_errno(err, "fork");
        return NULL;
    }
    struct client *client = wait_for_answer(pid, log_from, err);
    if (client) {
        fprintf(stderr, "gwctl: supervisor started in %s\n", home_path(HOME_ROOT));
        tell_leftovers(client);
    }
    return client;
}

// NULL: none was left behind.
static struct client *wake_daemon(struct err *err)
{
    bool absent;
    struct client *client = client_connect_left(&absent, err);
    if (client)
        fprintf(stderr, "gwctl: a new supervisor takes over what was left running in %s\n",
                home_path(HOME_ROOT));
    return client;
}

struct client *daemon_connect_or_start(struct err *err)
{
    sigset_t ending, before;
    bool absent;
    gid_t group;
    struct client *client = client_connect(&absent, err);
    if (client || !absent || home_open(err) == -1 || home_share(&group, err) == -1)
        return client;
    sigemptyset(&ending);
    sigaddset(&ending, SIGINT);
    sigaddset(&ending, SIGTERM);
    sigaddset(&ending, SIGHUP);
    sigprocmask(SIG_BLOCK, &ending, &before);
    client = wake_daemon(err);
    if (!client)
        client = start_daemon(&before, err);
    sigprocmask(SIG_SETMASK, &before, NULL);
    return client;
}
