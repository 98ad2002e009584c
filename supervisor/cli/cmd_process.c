// stop, delete, scale, flush, reloadLogs, ping, kill: what needs a supervisor that runs.

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/pidfd.h>
#include <unistd.h>

#include "client.h"
#include "commands.h"
#include "common/abandoned.h"
#include "common/home.h"
#include "common/json.h"
#include "common/proto.h"
#include "common/report.h"
#include "source.h"

static struct client *connect_running(void)
{
    struct err err;
    struct client *client = client_connect_running(&err);
    if (!client)
        report_error(err.text);
    return client;
}

// Takes items.
static void append_items(struct json_object *list, struct json_object *items)
{
    for (size_t i = 0; i < json_object_array_length(items); i++)
        json_object_array_add(list, json_object_get(json_object_array_get_idx(items, i)));
    json_object_put(items);
}

// NULL when a file has an error.
static struct json_object *selectors_of_files(char **paths, size_t count)
{
    struct json_object **documents = source_load_files(paths, count);
    if (!documents)
        return NULL;
    struct json_object *names = json_object_new_array();
    for (size_t i = 0; i < count; i++)
        append_items(names, source_names(documents[i]));
    source_free_documents(documents, count);
    struct json_object *args = json_object_new_object();
    json_object_object_add(args, "selectors", names);
    return args;
}

// Takes args.
static int send(const char *command, struct json_object *args)
{
    struct client *client = connect_running();
    if (!client) {
        json_object_put(args);
        return EXIT_FAILED;
    }
    int code = client_command(client, command, args);
    client_close(client);
    return code;
}

int cmd_end(const struct command *command, const struct options *options)
{
    struct json_object *args = NULL;
    switch (source_of_words(options->words, options->word_count)) {
    case SOURCE_MIXED:
        return command_refuse(command, "files and names do not go together");
    case SOURCE_FILES:
        args = selectors_of_files(options->words, options->word_count);
        break;
    case SOURCE_NAMES:
        args = client_selectors(options->words, options->word_count);
        break;
    }
    return args ? send(command->word, args) : EXIT_FAILED;
}

int cmd_scale(const struct command *command, const struct options *options)
{
    struct json_object *args = json_object_new_object();
    json_object_object_add(args, "selector", json_object_new_string(options->words[0]));
    json_object_object_add(args, "instances", json_object_new_string(options->words[1]));
    return send(command->word, args);
}

int cmd_flush(const struct command *command, const struct options *options)
{
    char word[] = "all", *all[] = {word};
    return send(command->word, options->word_count > 0
                                   ? client_selectors(options->words, options->word_count)
                                   : client_selectors(all, 1));
}

int cmd_reload_logs(const struct command *command, const struct options *options)
{
    (void)options;
    return send(command->word, NULL);
}

static pid_t ask_pid(struct client *client, const char **version, struct json_object **answer,
                     struct err *err)
{
    *answer = client_request(client, "ping", NULL, err);
    *version = *answer ? json_get_string(*answer, "version", "?") : "?";
    return *answer ? (pid_t)json_get_int(*answer, "pid", 0) : 0;
}

int cmd_ping(const struct command *command, const struct options *options)
{
    (void)command;
    (void)options;
    struct client *client = connect_running();
    struct json_object *answer = NULL;
    const char *version;
    struct err err;
    if (!client)
        return EXIT_FAILED;
    pid_t pid = ask_pid(client, &version, &answer, &err);
    if (pid > 0)
        printf("pong (pid %d, version %s)\n", (int)pid, version);
    else if (!answer)
        report_error(err.text);
    json_object_put(answer);
    client_close(client);
    return pid > 0 ? EXIT_OK : EXIT_FAILED;
}

enum { GONE_LIMIT_MS = 10000, PATIENCE_MS = 1600 };

// Opened while it lives, so that nobody else is waited for.
static void wait_gone(int pidfd)
{
    struct pollfd end = {.fd = pidfd, .events = POLLIN};
    if (pidfd == -1)
        return;
    while (poll(&end, 1, GONE_LIMIT_MS) == -1 && errno == EINTR)
        ;
    close(pidfd);
}

// No supervisor answers. What one left behind is ended, unless another is just starting.
static int kill_abandoned(void)
{
    int lock = open(home_path(HOME_LOCK), O_RDWR | O_CLOEXEC);
    bool held = lock >= 0 && flock(lock, LOCK_EX | LOCK_NB) == -1;
    size_t count = lock >= 0 && !held ? abandoned_end(home_path(HOME_ROOT), PATIENCE_MS) : 0;
    if (lock >= 0)
        close(lock);
    if (held)
        return report_error("a supervisor is starting or ending there; try again");
    printf("no supervisor runs in %s\n", home_path(HOME_ROOT));
    if (count > 0)
        printf("%zu process%s that one had left ended\n", count, count == 1 ? "" : "es");
    return EXIT_OK;
}

int cmd_kill(const struct command *command, const struct options *options)
{
    struct err err;
    bool absent;
    (void)options;
    struct client *client = client_connect(&absent, &err);
    if (!client && absent)
        client = client_connect_left(&absent, &err);
    if (!client)
        return absent ? kill_abandoned() : report_error(err.text);
    struct json_object *answer = NULL;
    const char *version;
    pid_t pid = ask_pid(client, &version, &answer, &err);
    pid_t keeper = answer ? (pid_t)json_get_int(answer, "keeper", 0) : 0;
    int ends[] = {pid > 0 ? pidfd_open(pid, 0) : -1, keeper > 0 ? pidfd_open(keeper, 0) : -1};
    int code = client_command(client, command->word, NULL);
    client_wait_end(client);
    wait_gone(ends[0]);
    wait_gone(ends[1]);
    json_object_put(answer);
    client_close(client);
    puts("the supervisor has ended");
    return code;
}
