// start, restart, reload, stop, delete, scale, kill, ping: requests with progress.

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "client.h"
#include "commands.h"
#include "common/home.h"
#include "common/json.h"
#include "common/mem.h"
#include "common/proto.h"
#include "daemon_start.h"
#include "source.h"

static int fail(const struct err *err)
{
    fprintf(stderr, "gwctl: %s\n", err->text);
    return EXIT_FAILED;
}

// Takes args.
static int request(struct client *client, const char *command, struct json_object *args)
{
    struct err err;
    struct json_object *answer = client_request(client, command, args, &err);
    if (!answer)
        return fail(&err);
    json_object_put(answer);
    return EXIT_OK;
}

static struct json_object *selector_args(char **words, size_t count)
{
    struct json_object *args = json_object_new_object();
    struct json_object *selectors = json_object_new_array();
    for (size_t i = 0; i < count; i++)
        json_object_array_add(selectors, json_object_new_string(words[i]));
    json_object_object_add(args, "selectors", selectors);
    return args;
}

// Takes document.
static struct json_object *document_args(struct json_object *document, const char *path)
{
    struct json_object *args = json_object_new_object();
    char *full = source_full_path(path);
    json_object_object_add(args, "document", document);
    json_object_object_add(args, "file", json_object_new_string(full));
    free(full);
    return args;
}

// Takes args.
static int request_with_start(const char *command, struct json_object *args)
{
    struct err err;
    struct client *client = daemon_connect_or_start(&err);
    if (!client) {
        json_object_put(args);
        return fail(&err);
    }
    int code = request(client, command, args);
    client_close(client);
    return code;
}

static int send_file(const char *command, const char *path)
{
    struct json_object *document = source_load_file(path);
    return document ? request_with_start(command, document_args(document, path)) : EXIT_FAILED;
}

// One file, or selectors.
static int send_words(const char *command, const struct options *options)
{
    if (!source_is_file(options->words[0]))
        return request_with_start(command, selector_args(options->words, options->word_count));
    int code = EXIT_OK;
    for (size_t i = 0; i < options->word_count && code == EXIT_OK; i++)
        code = send_file(command, options->words[i]);
    return code;
}

int cmd_selected(const struct command *command, const struct options *options)
{
    return send_words(command->word, options);
}

static bool known_app(struct client *client, const char *word)
{
    struct err err;
    struct json_object *answer = client_request(client, "list", NULL, &err);
    struct json_object *processes = answer ? json_get_array(answer, "processes") : NULL;
    bool known = strcmp(word, "all") == 0;
    for (size_t i = 0; processes && i < json_object_array_length(processes); i++) {
        struct json_object *process = json_object_array_get_idx(processes, i);
        char id[24];
        snprintf(id, sizeof id, "%lld", (long long)json_get_int(process, "pm_id", -1));
        known = known || strcmp(json_get_string(process, "name", ""), word) == 0 ||
                strcmp(id, word) == 0;
    }
    json_object_put(answer);
    return known;
}

static bool runs_already(const char *word)
{
    struct err err;
    bool absent;
    struct client *client = client_connect(&absent, &err);
    bool known = client && known_app(client, word);
    client_close(client);
    return known;
}

int cmd_start(const struct command *command, const struct options *options)
{
    if (source_is_file(options->words[0]) || runs_already(options->words[0]))
        return send_words("start", options);
    if (options->word_count > 1) {
        fprintf(stderr, "gwctl start: arguments of a script stand behind --\n");
        return EXIT_USAGE;
    }
    struct json_object *document = source_from_script(command, options);
    return document ? request_with_start("start", document_args(document, "command line"))
                    : EXIT_FAILED;
}

// --- what needs a running supervisor ------------------------------------------------------------

static struct client *connect_running(void)
{
    struct err err;
    bool absent;
    struct client *client = client_connect(&absent, &err);
    if (!client && absent)
        fprintf(stderr, "gwctl: no supervisor runs in %s\n", home_path(HOME_ROOT));
    else if (!client)
        fail(&err);
    return client;
}

static int end_file(struct client *client, const char *command, const char *path)
{
    struct json_object *document = source_load_file(path);
    if (!document)
        return EXIT_FAILED;
    struct json_object *args = json_object_new_object();
    json_object_object_add(args, "selectors", source_names(document));
    json_object_put(document);
    return request(client, command, args);
}

int cmd_end(const struct command *command, const struct options *options)
{
    struct client *client = connect_running();
    int code = client ? EXIT_OK : EXIT_FAILED;
    if (client && !source_is_file(options->words[0]))
        code = request(client, command->word, selector_args(options->words, options->word_count));
    else
        for (size_t i = 0; i < options->word_count && code == EXIT_OK; i++)
            code = end_file(client, command->word, options->words[i]);
    client_close(client);
    return code;
}

int cmd_scale(const struct command *command, const struct options *options)
{
    struct client *client = connect_running();
    struct json_object *args = json_object_new_object();
    json_object_object_add(args, "selector", json_object_new_string(options->words[0]));
    json_object_object_add(args, "instances", json_object_new_string(options->words[1]));
    int code = EXIT_FAILED;
    if (client)
        code = request(client, command->word, args);
    else
        json_object_put(args);
    client_close(client);
    return code;
}

static pid_t ask_pid(struct client *client, const char **version, struct json_object **answer)
{
    struct err err;
    *answer = client_request(client, "ping", NULL, &err);
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
    if (!client)
        return EXIT_FAILED;
    pid_t pid = ask_pid(client, &version, &answer);
    if (pid > 0)
        printf("pong (pid %d, version %s)\n", (int)pid, version);
    json_object_put(answer);
    client_close(client);
    return pid > 0 ? EXIT_OK : EXIT_FAILED;
}

static void wait_gone(pid_t pid)
{
    const struct timespec pause = {0, 5000000};
    for (int i = 0; i < 2000 && (kill(pid, 0) == 0 || errno == EPERM); i++)
        nanosleep(&pause, NULL);
}

int cmd_kill(const struct command *command, const struct options *options)
{
    struct err err;
    bool absent;
    (void)options;
    struct client *client = client_connect(&absent, &err);
    if (!client && absent) {
        printf("no supervisor runs in %s\n", home_path(HOME_ROOT));
        return EXIT_OK;
    }
    if (!client)
        return fail(&err);
    struct json_object *answer = NULL;
    const char *version;
    pid_t pid = ask_pid(client, &version, &answer);
    int code = request(client, command->word, NULL);
    client_wait_end(client);
    if (pid > 0)
        wait_gone(pid);
    json_object_put(answer);
    client_close(client);
    puts("the supervisor has ended");
    return code;
}
