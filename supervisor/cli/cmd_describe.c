// describe: a page about each process of an app.

#include <stdio.h>
#include <string.h>

#include "commands.h"
#include "common/buf.h"
#include "common/clock.h"
#include "common/json.h"
#include "common/proto.h"
#include "common/report.h"
#include "common/signal_name.h"
#include "processes.h"

static void line(const char *key, const char *value)
{
    if (value && *value)
        printf("  %-14s %s\n", key, value);
}

static void line_number(const char *key, int64_t number)
{
    printf("  %-14s %lld\n", key, (long long)number);
}

static void line_since(const char *key, int64_t wall_ms)
{
    char when[CLOCK_ISO_SIZE], lasted[32];
    int64_t now = (int64_t)clock_wall_ms();
    if (wall_ms <= 0 || wall_ms > now)
        return;
    clock_format_iso((uint64_t)wall_ms, when);
    clock_format_duration((uint64_t)(now - wall_ms), lasted, sizeof lasted);
    printf("  %-14s %s (%s ago)\n", key, when, lasted);
}

// "3 (crash 2, manual 1)"
static void line_restarts(int64_t count, struct json_object *reasons)
{
    struct buf text = BUF_INIT;
    if (reasons) {
        json_object_object_foreach(reasons, reason, value) if (json_object_get_int64(value) > 0)
            buf_printf(&text, "%s%s %s", text.length > 0 ? ", " : " (", reason,
                       json_object_get_string(value));
    }
    buf_append_text(&text, text.length > 0 ? ")" : "");
    printf("  %-14s %lld%s\n", "restarts", (long long)count, buf_text(&text));
    buf_free(&text);
}

static void line_list(const char *key, struct json_object *list)
{
    size_t count = list ? json_object_array_length(list) : 0;
    if (count == 0)
        return;
    printf("  %-14s", key);
    for (size_t i = 0; i < count; i++)
        printf(" %s", json_object_get_string(json_object_array_get_idx(list, i)));
    puts("");
}

static void section(const char *title, struct json_object *object)
{
    if (!object || json_object_object_length(object) == 0)
        return;
    printf("  %s\n", title);
    json_object_object_foreach(object, key, value)
        printf("    %-20s %s\n", key, json_object_get_string(value));
}

// Of all that the process started too.
static void show_usage(struct json_object *process)
{
    struct json_object *monit = json_get_object(process, "monit");
    struct json_object *tree = json_get_object(json_get_object(process, "gwctl"), "tree");
    if (!monit || !tree)
        return;
    line_number("pid", json_get_int(process, "pid", 0));
    printf("  %-14s %lld (followed by %s)\n", "processes",
           (long long)json_get_int(tree, "processes", 0),
           json_get_string(tree, "followed_by", "?"));
    printf("  %-14s %.1f %%\n", "cpu",
           json_object_get_double(json_object_object_get(monit, "cpu")));
    printf("  %-14s %.1f MB\n", "memory",
           (double)json_get_int(monit, "memory", 0) / (1024.0 * 1024.0));
}

// "2026-03-07 14:02:11.310 killed by SIGKILL after 3 s (crash)", and what it wrote last
static void show_exit(struct json_object *ended)
{
    char when[CLOCK_ISO_SIZE], lived[32], signal[SIGNAL_NAME_SIZE];
    const char *why = json_get_string(ended, "why", "");
    struct json_object *lines = json_get_array(ended, "lines");
    int64_t code = json_get_int(ended, "code", -1), killed_by = json_get_int(ended, "signal", 0);

    clock_format_iso((uint64_t)json_get_int(ended, "time", 0), when);
    clock_format_duration((uint64_t)json_get_int(ended, "uptime", 0), lived, sizeof lived);
    signal_name_format((int)killed_by, signal);
    printf("    %s ", when);
    if (killed_by > 0)
        printf("killed by %s%s", signal,
               json_get_bool(ended, "core", false) ? ", core dumped" : "");
    else if (code >= 0)
        printf("exited %lld", (long long)code);
    else
        printf("ended");
    printf(" after %s (%s%s%s)\n", lived, json_get_string(ended, "cause", "?"), *why ? ": " : "",
           why);
    for (size_t i = 0; lines && i < json_object_array_length(lines); i++)
        printf("      | %s\n", json_object_get_string(json_object_array_get_idx(lines, i)));
}

static void show_exits(struct json_object *exits)
{
    size_t count = exits ? json_object_array_length(exits) : 0;
    if (count > 0)
        puts("  last exits");
    for (size_t i = 0; i < count; i++)
        show_exit(json_object_array_get_idx(exits, i));
}

static void show(struct json_object *process)
{
    struct json_object *env = json_get_object(process, "pm2_env");
    struct json_object *own = json_get_object(process, "gwctl");

    printf("%s (id %lld)\n", json_get_string(process, "name", "?"),
           (long long)json_get_int(process, "pm_id", -1));
    line("status", json_get_string(own, "state", NULL));
    line("because", json_get_string(own, "reason", NULL));
    line("ready by", json_get_string(own, "ready_by", NULL));
    line_since("online since", json_get_int(env, "pm_uptime", 0));
    line_since("known since", json_get_int(env, "created_at", 0));
    show_usage(process);
    line_restarts(json_get_int(env, "restart_time", 0), json_get_object(own, "restarts"));
    if (json_get_int(own, "log_lines_lost", 0) > 0)
        line_number("lost lines", json_get_int(own, "log_lines_lost", 0));
    line("listens on", json_get_string(own, "endpoint", NULL));
    line("script", json_get_string(env, "pm_exec_path", NULL));
    line_list("arguments", json_get_array(env, "args"));
    line("interpreter", json_get_string(env, "exec_interpreter", NULL));
    line("folder", json_get_string(env, "pm_cwd", NULL));
    line("output log", json_get_string(env, "pm_out_log_path", NULL));
    line("error log", json_get_string(env, "pm_err_log_path", NULL));
    line("combined log", json_get_string(env, "pm_log_path", NULL));
    show_exits(json_get_array(own, "exits"));
    section("counters", json_get_object(own, "counters"));
    section("environment", json_get_object(env, "env"));
}

int cmd_describe(const struct command *command, const struct options *options)
{
    struct err err;
    size_t shown = 0;
    (void)command;
    struct json_object *processes = processes_of_running(&err);
    if (!processes)
        return report_error(err.text);
    for (size_t i = 0; i < json_object_array_length(processes); i++) {
        struct json_object *process = json_object_array_get_idx(processes, i);
        if (!process_matches(process, options->words[0]))
            continue;
        if (shown++ > 0)
            puts("");
        show(process);
    }
    int code =
        shown > 0 ? EXIT_OK : processes_refuse(processes, options->words[0], "no such app or id");
    json_object_put(processes);
    return code;
}
