// update: another supervisor takes over, of the programs that are on disk now. The old one checks
// them and goes; here it is waited for its successor, and looked at which program that one is.

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "client.h"
#include "commands.h"
#include "common/clock.h"
#include "common/home.h"
#include "common/json.h"
#include "common/proto.h"
#include "common/report.h"

enum { LIMIT_MS = 15000, POLL_MS = 10 };

struct supervisor {
    pid_t pid;
    char version[64];
};

static int ask(struct client *client, struct supervisor *supervisor, struct err *err)
{
    struct json_object *answer = client_request(client, "ping", NULL, err);
    if (!answer)
        return -1;
    supervisor->pid = (pid_t)json_get_int(answer, "pid", 0);
    snprintf(supervisor->version, sizeof supervisor->version, "%s",
             json_get_string(answer, "version", "?"));
    json_object_put(answer);
    return 0;
}

// Where its program lies on disk, also when another one lies there by now. Empty: we may not look.
static void program_path(pid_t pid, char path[PATH_MAX])
{
    static const char gone[] = " (deleted)";
    char link[32];
    snprintf(link, sizeof link, "/proc/%d/exe", (int)pid);
    ssize_t length = readlink(link, path, PATH_MAX - 1);
    path[length > 0 ? length : 0] = '\0';
    char *end = length >= (ssize_t)sizeof gone ? path + length - (sizeof gone - 1) : path;
    if (strcmp(end, gone) == 0)
        *end = '\0';
}

// It executes what lies at `path`, as far as we may look.
static bool executes(pid_t pid, const char *path)
{
    struct stat running, on_disk;
    char link[32];
    snprintf(link, sizeof link, "/proc/%d/exe", (int)pid);
    if (stat(link, &running) == -1 || stat(path, &on_disk) == -1)
        return true;
    return running.st_dev == on_disk.st_dev && running.st_ino == on_disk.st_ino;
}

// The control socket outlives supervisors: who connects now is answered by the next one.
static int wait_for_successor(pid_t old, struct supervisor *successor, struct err *err)
{
    const struct timespec pause = {0, POLL_MS * 1000000L};
    uint64_t limit = clock_mono_ms() + LIMIT_MS;
    while (clock_mono_ms() < limit) {
        struct client *client = client_connect_running(err);
        int asked = client ? ask(client, successor, err) : -1;
        client_close(client);
        if (asked == 0 && successor->pid != old)
            return 0;
        nanosleep(&pause, NULL);
    }
    return err_set(err, "no new supervisor answers; see %s", home_path(HOME_DAEMON_LOG));
}

static int finish(const struct supervisor *old, const char *path)
{
    struct supervisor new;
    struct err err;
    if (wait_for_successor(old->pid, &new, &err) == -1)
        return report_error(err.text);
    if (!executes(new.pid, path)) {
        fprintf(
            stderr,
            "gwctl: the new supervisor did not stay up; the one before it, version %s, has come "
            "back. Its log: %s\n",
            new.version, home_path(HOME_DAEMON_LOG));
        return EXIT_FAILED;
    }
    printf("the supervisor is version %s, pid %d (it was %s, pid %d)\n", new.version, (int)new.pid,
           old->version, (int)old->pid);
    return EXIT_OK;
}

int cmd_update(const struct command *command, const struct options *options)
{
    char path[PATH_MAX];
    struct supervisor old;
    struct err err;
    (void)options;

    struct client *client = client_connect_running(&err);
    if (!client || ask(client, &old, &err) == -1) {
        client_close(client);
        return report_error(err.text);
    }
    program_path(old.pid, path);
    int code = client_command(client, command->word, NULL);
    if (code == EXIT_OK)
        client_wait_end(client);
    client_close(client);
    return code == EXIT_OK ? finish(&old, path) : code;
}
