// events: what happened, then what happens. A follower goes on with the supervisor's successor
// where it was, by the numbers of events.

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "client.h"
#include "commands.h"
#include "common/buf.h"
#include "common/json.h"
#include "common/proto.h"
#include "common/report.h"
#include "event_view.h"

enum { DEFAULT_LINES = 50, ALL_LINES = 1 << 20 };

struct view {
    bool as_json, in_colour, follow;
    int64_t last; // number of the last event that was there
};

static void show(struct view *view, struct json_object *event)
{
    int64_t number = json_get_int(event, "number", 0);
    struct buf line = BUF_INIT;
    if (number <= view->last)
        return;
    view->last = number;
    if (view->as_json)
        buf_printf(&line, "%s\n",
                   json_object_to_json_string_ext(event, JSON_C_TO_STRING_PLAIN |
                                                             JSON_C_TO_STRING_NOSLASHESCAPE));
    else
        event_view_append(&line, event, view->in_colour);
    fwrite(line.data, 1, line.length, stdout);
    buf_free(&line);
}

// The events so far. -1 with err.
static int show_last(struct view *view, struct client *client, size_t lines, struct err *err)
{
    struct json_object *args = json_object_new_object();
    json_object_object_add(args, "lines", json_object_new_int64((int64_t)lines));
    json_object_object_add(args, "follow", json_object_new_boolean(view->follow));
    struct json_object *answer = client_request(client, "events", args, err);
    struct json_object *events = answer ? json_get_array(answer, "events") : NULL;
    for (size_t i = 0; events && i < json_object_array_length(events); i++)
        show(view, json_object_array_get_idx(events, i));
    if (answer)
        view->last = json_get_int(answer, "last", view->last);
    fflush(stdout);
    int result = answer ? 0 : -1;
    json_object_put(answer);
    return result;
}

// Until the connection ends; false: nobody reads us any more.
static bool show_pushes(struct view *view, struct client *client)
{
    struct json_object *push;
    struct err err;
    while ((push = client_next_message(client, &err)) != NULL) {
        show(view, json_get_object(push, "args"));
        json_object_put(push);
        if (fflush(stdout) == EOF)
            return false;
    }
    return true;
}

static int follow(struct view *view, size_t lines)
{
    struct err err;
    bool goes_on = true;
    while (goes_on) {
        struct client *client = client_connect_running(&err);
        if (!client || show_last(view, client, lines, &err) == -1) {
            client_close(client);
            return report_error(err.text);
        }
        goes_on = view->follow && show_pushes(view, client);
        client_close(client);
        lines = ALL_LINES; // what happened in between
    }
    return EXIT_OK;
}

int cmd_events(const struct command *command, const struct options *options)
{
    const struct option_row *rows = command->options;
    struct view view = {.as_json = options_get(options, rows, "json") != NULL,
                        .in_colour = isatty(STDOUT_FILENO) && !getenv("NO_COLOR"),
                        .follow = options_get(options, rows, "follow") != NULL};
    size_t lines;
    if (options_get_count(options, rows, "lines", DEFAULT_LINES, &lines) == -1)
        return command_refuse(command, "--lines takes a number");
    return follow(&view, lines);
}
