// Lines over a blocking Unix socket.

#include "client.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/buf.h"
#include "common/home.h"
#include "common/json.h"
#include "common/json_token.h"
#include "common/mem.h"
#include "common/proto.h"
#include "common/report.h"
#include "common/usock.h"

enum { MB = 1 << 20 };

struct client {
    int fd;
    struct buf input;
    char *refusal; // NULL: none
};

static struct client *connect_to(enum home_file file, bool *absent, struct err *err)
{
    int fd = usock_connect(home_path(file), err);
    *absent = fd == -1 && (errno == ENOENT || errno == ECONNREFUSED);
    if (fd == -1)
        return NULL;
    struct client *client = mem_zalloc(1, sizeof *client);
    client->fd = fd;
    return client;
}

struct client *client_connect(bool *absent, struct err *err)
{
    return connect_to(HOME_CONTROL, absent, err);
}

struct client *client_connect_left(bool *absent, struct err *err)
{
    return connect_to(HOME_LEFT, absent, err);
}

struct client *client_connect_running(struct err *err)
{
    bool absent;
    struct client *client = client_connect(&absent, err);
    if (!client && absent)
        err_set(err, "no supervisor runs in %s; `gwctl start` starts one", home_path(HOME_ROOT));
    return client;
}

void client_close(struct client *client)
{
    if (!client)
        return;
    close(client->fd);
    buf_free(&client->input);
    free(client->refusal);
    free(client);
}

static int send_all(int fd, const char *bytes, size_t length, struct err *err)
{
    while (length > 0) {
        ssize_t written = write(fd, bytes, length);
        if (written == -1 && errno == EINTR)
            continue;
        if (written == -1 && errno == EPIPE)
            return 0; // it has hung up, and may have said why
        if (written == -1)
            return err_set_errno(err, "the supervisor");
        bytes += written;
        length -= (size_t)written;
    }
    return 0;
}

// What the supervisor would close the connection for.
static int check_line(const struct buf *line, struct err *err)
{
    if (line->length > PROTO_LINE_MAX)
        return err_set(err, "the request is too large: %zu MB, at most %d MB",
                       (line->length + MB - 1) / MB, PROTO_LINE_MAX / MB);
    if (!json_token_is_utf8(line->data, line->length))
        return err_set(err, "the request holds text that is not UTF-8");
    return 0;
}

static int send_request(struct client *client, const char *command, struct json_object *args,
                        struct err *err)
{
    struct json_object *message = json_object_new_object();
    struct buf line = BUF_INIT;
    json_object_object_add(message, "id", json_object_new_int(1));
    json_object_object_add(message, "cmd", json_object_new_string(command));
    if (args)
        json_object_object_add(message, "args", args);
    buf_append_text(&line, json_object_to_json_string_ext(
                               message, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE));
    buf_append_text(&line, "\n");
    int result = check_line(&line, err);
    if (result == 0)
        result = send_all(client->fd, line.data, line.length, err);
    buf_free(&line);
    json_object_put(message);
    return result;
}

// False at the end of the connection.
static bool read_more(struct client *client)
{
    ssize_t count;
    do
        count = read(client->fd, buf_reserve(&client->input, 65536), 65536);
    while (count == -1 && errno == EINTR);
    if (count <= 0)
        return false;
    buf_commit(&client->input, (size_t)count);
    return true;
}

struct json_object *client_next_message(struct client *client, struct err *err)
{
    char *line;
    size_t length;
    while (!buf_take_line(&client->input, &line, &length)) {
        if (!read_more(client)) {
            err_set(err, "the supervisor closed the connection; its log: %s",
                    home_path(HOME_DAEMON_LOG));
            return NULL;
        }
    }
    return json_parse_message(line, length, err);
}

// The answer, when it is a good one; takes it otherwise.
static struct json_object *check_answer(struct client *client, struct json_object *answer,
                                        struct err *err)
{
    if (json_get_bool(answer, "ok", false))
        return answer;
    client->refusal = mem_strdup(json_get_string(answer, "error", "refused without a reason"));
    err_set(err, "%s", client->refusal);
    json_object_put(answer);
    return NULL;
}

struct json_object *client_request(struct client *client, const char *command,
                                   struct json_object *args, struct err *err)
{
    free(client->refusal);
    client->refusal = NULL;
    if (send_request(client, command, args, err) == -1)
        return NULL;
    for (;;) {
        struct json_object *message = client_next_message(client, err);
        const char *progress = message ? json_get_string(message, "progress", NULL) : NULL;
        if (!progress)
            return message ? check_answer(client, message, err) : NULL;
        puts(progress);
        fflush(stdout);
        json_object_put(message);
    }
}

const char *client_refusal(const struct client *client)
{
    return client->refusal;
}

int client_command(struct client *client, const char *command, struct json_object *args)
{
    struct err err;
    struct json_object *answer = client_request(client, command, args, &err);
    if (!answer)
        return report_error(client->refusal ? client->refusal : err.text);
    json_object_put(answer);
    return EXIT_OK;
}

struct json_object *client_selectors(char **words, size_t count)
{
    struct json_object *args = json_object_new_object();
    struct json_object *selectors = json_object_new_array();
    for (size_t i = 0; i < count; i++)
        json_object_array_add(selectors, json_object_new_string(words[i]));
    json_object_object_add(args, "selectors", selectors);
    return args;
}

void client_wait_end(struct client *client)
{
    while (read_more(client))
        buf_consume(&client->input, client->input.length);
}
