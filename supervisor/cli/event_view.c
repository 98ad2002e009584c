// Lines of events. The supervisor has made the texts safe for a terminal.

#include "event_view.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "common/json.h"

enum { RED = 31, GREEN = 32, YELLOW = 33 };

static int colour_of(const char *name)
{
    static const struct {
        const char *name;
        int colour;
    } rows[] = {
        {"ready", GREEN},   {"done", GREEN},      {"connect", GREEN},   {"exit", YELLOW},
        {"kill", YELLOW},   {"restart", YELLOW},  {"rollback", YELLOW}, {"close", YELLOW},
        {"keeper", YELLOW}, {"takeover", YELLOW}, {"errored", RED},     {"failed", RED},
        {"error", RED},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        if (strcmp(rows[i].name, name) == 0)
            return rows[i].colour;
    }
    return 0;
}

static void append_time(struct buf *out, int64_t wall_ms)
{
    time_t seconds = (time_t)(wall_ms / 1000);
    struct tm local;
    char text[64] = "?";
    if (localtime_r(&seconds, &local))
        strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S", &local);
    buf_printf(out, "%s.%03d ", text, (int)(wall_ms % 1000));
}

// Whose event it is; of the home's nobody.
static void append_subject(struct buf *out, struct json_object *event)
{
    const char *app = json_get_string(event, "app", NULL);
    int64_t id = json_get_int(event, "id", -1);
    if (app && id >= 0)
        buf_printf(out, "%s %lld: ", app, (long long)id);
    else if (app)
        buf_printf(out, "%s: ", app);
}

void event_view_append(struct buf *out, struct json_object *event, bool in_colour)
{
    const char *name = json_get_string(event, "name", "?");
    const char *text = json_get_string(event, "text", "");
    int colour = in_colour ? colour_of(name) : 0;

    append_time(out, json_get_int(event, "time_ms", 0));
    append_subject(out, event);
    buf_printf(out, "%s ", json_get_string(event, "source", "?"));
    if (colour)
        buf_printf(out, "\033[%dm%s\033[0m", colour, name);
    else
        buf_append_text(out, name);
    buf_printf(out, "%s%s\n", *text ? ": " : "", text);
}
