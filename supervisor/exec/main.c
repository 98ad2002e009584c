// gw-exec: what has to happen in a child between uv_spawn and the program itself.
//
//   gw-exec --status-fd N [--listen COUNT] [--channel] [--cwd DIR] [--umask OCTAL] [--nofile N]
//           [--nofile-soft N] [--nproc N] [--core BYTES] [--nice N] [--oom-score-adj N]
//           [--cpu LIST] [--uid U] [--gid G] [--no-new-privs] -- PROGRAM ARGS...
//
// Not its job: to wait for or look after the program: it becomes the program. Session, stdio and
// environment (LISTEN_FDS, LISTEN_FDNAMES too) come from the supervisor; only LISTEN_PID cannot,
// since nobody knows the pid before the child does.
//
// The invariant: the status fd says how it went. One line on it is the reason why the program does
// not run (exit code 127 follows); its end without a byte means that the program was executed, for
// the fd is close-on-exec.

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <grp.h>
#include <linux/close_range.h>
#include <limits.h>
#include <pwd.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/cpu_list.h"

enum { FIRST_LISTEN_FD = 3, NOT_EXECUTED = 127 };

struct settings {
    int status_fd;
    long listen;  // inherited sockets, from FIRST_LISTEN_FD on; -1: none asked for
    bool channel; // the fd behind them is passed on too (NODE_CHANNEL_FD)
    const char *cwd, *umask, *nofile, *nofile_soft, *nproc, *core, *nice, *oom_score, *cpu, *uid,
        *gid;
    bool no_new_privileges;
    char **program; // NULL-terminated arguments
};

static int status_fd = STDERR_FILENO;

// Says "<what> <which>: <why>" to the supervisor and ends.
static void fail(const char *what, const char *which, const char *why)
{
    dprintf(status_fd, "%s%s%s: %s\n", what, *which ? " " : "", which, why);
    _exit(NOT_EXECUTED);
}

static void fail_errno(const char *what, const char *which)
{
    fail(what, which, strerror(errno));
}

static long number_from(const char *what, const char *text, int base, long least, long limit)
{
    char *end;
    errno = 0;
    long value = strtol(text, &end, base);
    if (errno || end == text || *end || value < least || value > limit)
        fail(what, text, "not a number in range");
    return value;
}

static long number(const char *what, const char *text, int base, long limit)
{
    return number_from(what, text, base, 0, limit);
}

// --- command line -------------------------------------------------------------------------------

static const struct option options[] = {
    {"status-fd", required_argument, NULL, 's'},
    {"listen", required_argument, NULL, 'l'},
    {"channel", no_argument, NULL, 'h'},
    {"cwd", required_argument, NULL, 'c'},
    {"umask", required_argument, NULL, 'm'},
    {"nofile", required_argument, NULL, 'n'},
    {"nofile-soft", required_argument, NULL, 'f'},
    {"uid", required_argument, NULL, 'u'},
    {"gid", required_argument, NULL, 'g'},
    {"nproc", required_argument, NULL, 'r'},
    {"core", required_argument, NULL, 'o'},
    {"nice", required_argument, NULL, 'i'},
    {"oom-score-adj", required_argument, NULL, 'k'},
    {"cpu", required_argument, NULL, 'a'},
    {"no-new-privs", no_argument, NULL, 'p'},
    {NULL, 0, NULL, 0},
};

static void take_option(struct settings *settings, int option)
{
    switch (option) {
    case 's':
        settings->status_fd = (int)number("status-fd", optarg, 10, INT_MAX);
        break;
    case 'l':
        settings->listen = number("listen", optarg, 10, INT_MAX - FIRST_LISTEN_FD);
        break;
    case 'h':
        settings->channel = true;
        break;
    case 'c':
        settings->cwd = optarg;
        break;
    case 'm':
        settings->umask = optarg;
        break;
    case 'n':
        settings->nofile = optarg;
        break;
    case 'f':
        settings->nofile_soft = optarg;
        break;
    case 'r':
        settings->nproc = optarg;
        break;
    case 'o':
        settings->core = optarg;
        break;
    case 'i':
        settings->nice = optarg;
        break;
    case 'k':
        settings->oom_score = optarg;
        break;
    case 'a':
        settings->cpu = optarg;
        break;
    case 'u':
        settings->uid = optarg;
        break;
    case 'g':
        settings->gid = optarg;
        break;
    case 'p':
        settings->no_new_privileges = true;
        break;
    default:
        _exit(NOT_EXECUTED); // getopt has said what is wrong
    }
}

// The first fd that the program does not get.
static long first_private_fd(const struct settings *settings)
{
    return FIRST_LISTEN_FD + (settings->listen > 0 ? settings->listen : 0) + settings->channel;
}

static struct settings parse_arguments(int count, char **arguments)
{
    struct settings settings = {.status_fd = -1, .listen = -1};
    int option;

    // '+': what stands behind PROGRAM is not ours, with or without "--".
    while ((option = getopt_long(count, arguments, "+", options, NULL)) != -1)
        take_option(&settings, option);
    settings.program = arguments + optind;
    if (settings.status_fd < 0 || !*settings.program)
        fail("gw-exec", "", "--status-fd N and a program are needed");
    if (settings.status_fd < first_private_fd(&settings))
        fail("gw-exec", "", "the status fd stands among those of the program");
    return settings;
}

// --- steps --------------------------------------------------------------------------------------

static void pass_fds(const struct settings *settings)
{
    char pid[16];

    // The status fd is above the program's, so this makes it close-on-exec too.
    if (close_range((unsigned)first_private_fd(settings), UINT_MAX, CLOSE_RANGE_CLOEXEC) == -1)
        fail_errno("close_range", "");
    if (settings->listen < 0)
        return;
    snprintf(pid, sizeof pid, "%d", (int)getpid());
    if (setenv("LISTEN_PID", pid, 1) == -1)
        fail_errno("LISTEN_PID", "");
}

static void set_limit(const char *what, int resource, const char *text)
{
    if (!text)
        return;
    long value = number(what, text, 10, LONG_MAX);
    rlim_t limit = value == LONG_MAX ? RLIM_INFINITY : (rlim_t)value;
    if (setrlimit((__rlimit_resource_t)resource, &(struct rlimit){limit, limit}) == -1)
        fail_errno(what, text);
}

// The hard limit stays.
static void set_soft_nofile(const char *text)
{
    struct rlimit limit;
    if (!text)
        return;
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = (rlim_t)number("nofile-soft", text, 10, LONG_MAX);
    if (setrlimit(RLIMIT_NOFILE, &limit) == -1)
        fail_errno("nofile-soft", text);
}

static void set_limits(const struct settings *settings)
{
    if (settings->umask)
        umask((mode_t)number("umask", settings->umask, 8, 0777));
    set_limit("nofile", RLIMIT_NOFILE, settings->nofile);
    set_soft_nofile(settings->nofile_soft);
    set_limit("nproc", RLIMIT_NPROC, settings->nproc);
    set_limit("core", RLIMIT_CORE, settings->core);
}

static void set_niceness(const char *text)
{
    int more = (int)number_from("nice", text, 10, -40, 40);
    errno = 0; // -1 is also a niceness: only errno tells
    if (nice(more) == -1 && errno)
        fail_errno("nice", text);
}

static void set_oom_score(const char *text)
{
    int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
    if (fd == -1 || write(fd, text, strlen(text)) == -1)
        fail_errno("oom_score_adj", text);
    close(fd);
}

static void add_cpu(int cpu, void *set)
{
    CPU_SET((size_t)cpu, (cpu_set_t *)set);
}

static void set_cpus(const char *text)
{
    cpu_set_t set;
    CPU_ZERO(&set);
    if (!cpu_list_parse(text, add_cpu, &set))
        fail("cpu", text, "not a list of CPUs");
    if (sched_setaffinity(0, sizeof set, &set) == -1)
        fail("cpu", text, errno == EINVAL ? "no such CPU may be used" : strerror(errno));
}

// Before the privileges go: some of it needs them.
static void set_scheduling(const struct settings *settings)
{
    if (settings->nice)
        set_niceness(settings->nice);
    if (settings->oom_score)
        set_oom_score(settings->oom_score);
    if (settings->cpu)
        set_cpus(settings->cpu);
}

static bool all_digits(const char *text)
{
    return *text && text[strspn(text, "0123456789")] == '\0';
}

// NULL for a number without an entry.
static const struct passwd *find_user(const char *uid)
{
    const struct passwd *user = getpwnam(uid);
    if (!user && all_digits(uid))
        user = getpwuid((uid_t)number("uid", uid, 10, UINT_MAX - 1));
    else if (!user)
        fail("uid", uid, "no such user");
    return user;
}

static gid_t find_group(const char *gid)
{
    const struct group *group = getgrnam(gid);
    if (group)
        return group->gr_gid;
    if (!all_digits(gid))
        fail("gid", gid, "no such group");
    return (gid_t)number("gid", gid, 10, UINT_MAX - 1);
}

static void set_user_environment(const struct passwd *user)
{
    if (setenv("HOME", user->pw_dir, 1) == -1 || setenv("USER", user->pw_name, 1) == -1 ||
        setenv("LOGNAME", user->pw_name, 1) == -1)
        fail_errno("uid", user->pw_name);
}

// The order is the point: without the group's privilege first there would be no right to set it
// after the user's, and supplementary groups of the supervisor must not stay.
static void become(uid_t uid, gid_t gid, const struct passwd *user)
{
    if (geteuid() != 0 && geteuid() == uid && getegid() == gid)
        return; // already so, and an ordinary user has no right to set it again
    if (setgid(gid) == -1)
        fail_errno("setgid", "");
    if ((user ? initgroups(user->pw_name, gid) : setgroups(1, &gid)) == -1)
        fail_errno("initgroups", "");
    if (setuid(uid) == -1)
        fail_errno("setuid", "");
}

static void drop_privileges(const struct settings *settings)
{
    const struct passwd *user = NULL;
    uid_t uid = geteuid();
    gid_t gid = getegid();

    if (settings->uid) {
        user = find_user(settings->uid);
        uid = user ? user->pw_uid : (uid_t)number("uid", settings->uid, 10, UINT_MAX - 1);
        if (user)
            gid = user->pw_gid;
        else if (!settings->gid)
            fail("uid", settings->uid, "has no passwd entry, so that a gid is needed");
    }
    if (settings->gid)
        gid = find_group(settings->gid);
    if (user)
        set_user_environment(user);
    if (settings->uid || settings->gid)
        become(uid, gid, user);
}

static void reset_signals(void)
{
    sigset_t none;
    for (int signal = 1; signal < NSIG; ++signal) // KILL, STOP and libc's own fail, rightly
        sigaction(signal, &(struct sigaction){.sa_handler = SIG_DFL}, NULL);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

static void execute(char **program)
{
    execvp(program[0], program);
    // ENOENT is also what a script with a bad first line gives.
    if (errno == ENOENT && strchr(program[0], '/') && access(program[0], F_OK) == 0)
        fail("script", program[0], "its interpreter (first line) does not exist");
    fail_errno("script", program[0]);
}

int main(int argc, char **argv)
{
    struct settings settings = parse_arguments(argc, argv);

    status_fd = settings.status_fd;
    pass_fds(&settings);
    if (settings.cwd && chdir(settings.cwd) == -1)
        fail_errno("cwd", settings.cwd);
    set_limits(&settings);
    set_scheduling(&settings);
    drop_privileges(&settings);
    if (settings.no_new_privileges && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == -1)
        fail_errno("no_new_privs", "");
    reset_signals();
    execute(settings.program);
}
