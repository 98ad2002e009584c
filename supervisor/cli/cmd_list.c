// list and jlist.

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "commands.h"
#include "common/clock.h"
#include "common/json.h"
#include "common/proto.h"
#include "common/report.h"
#include "processes.h"
#include "table.h"

enum { GREEN = 32, YELLOW = 33, RED = 31, FALLBACK_WIDTH = 80 };

static const struct table_column columns[] = {
    {"id", 0, true},     {"name", 0, false},     {"mode", 6, false},       {"pid", 2, true},
    {"uptime", 3, true}, {"restarts", 4, true},  {"status", 0, false},     {"cpu", 5, true},
    {"memory", 3, true}, {"ready by", 8, false}, {"listens on", 7, false},
};

static size_t terminal_width(void)
{
    struct winsize size;
    const char *columns_set = getenv("COLUMNS");
    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
        return size.ws_col;
    return columns_set && atoi(columns_set) > 0 ? (size_t)atoi(columns_set) : FALLBACK_WIDTH;
}

static int status_colour(const char *status)
{
    if (strcmp(status, "online") == 0)
        return GREEN;
    return strcmp(status, "errored") == 0 ? RED : YELLOW;
}

static void add_number(struct table *table, int64_t number)
{
    char text[24];
    snprintf(text, sizeof text, "%lld", (long long)number);
    table_cell(table, text, 0);
}

static void add_uptime(struct table *table, int64_t since_ms)
{
    char text[32] = "-";
    int64_t now = (int64_t)clock_wall_ms();
    if (since_ms > 0 && since_ms <= now)
        clock_format_duration((uint64_t)(now - since_ms), text, sizeof text);
    table_cell(table, text, 0);
}

static void add_usage(struct table *table, struct json_object *monit)
{
    char cpu[24], memory[24];
    struct json_object *share = NULL;
    json_object_object_get_ex(monit, "cpu", &share);
    snprintf(cpu, sizeof cpu, "%.1f%%", json_object_get_double(share));
    snprintf(memory, sizeof memory, "%.1f MB",
             (double)json_get_int(monit, "memory", 0) / (1024.0 * 1024.0));
    table_cell(table, cpu, 0);
    table_cell(table, memory, 0);
}

static void add_process(struct table *table, struct json_object *process)
{
    struct json_object *env = json_get_object(process, "pm2_env");
    struct json_object *own = json_get_object(process, "gwctl");
    const char *status = json_get_string(env, "status", "?");
    const char *reason = json_get_string(own, "reason", "");
    const char *endpoint = json_get_string(own, "endpoint", "");

    add_number(table, json_get_int(process, "pm_id", -1));
    table_cell(table, json_get_string(process, "name", "?"), 0);
    table_cell(table, json_get_string(env, "exec_mode", "?"), 0);
    add_number(table, json_get_int(process, "pid", 0));
    add_uptime(table, json_get_int(env, "pm_uptime", 0));
    add_number(table, json_get_int(env, "restart_time", 0));
    table_cell(table, status, status_colour(status));
    add_usage(table, json_get_object(process, "monit"));
    table_cell(table, json_get_string(own, "ready_by", "-"), 0);
    table_cell(table, *endpoint ? endpoint : "-", 0);
    if (*reason && strcmp(status, "online") != 0)
        table_note(table, reason);
}

int cmd_list(const struct command *command, const struct options *options)
{
    struct err err;
    struct buf out = BUF_INIT;
    (void)command;
    (void)options;
    struct json_object *processes = processes_list(&err);
    if (!processes)
        return report_error(err.text);
    struct table *table = table_new(columns, sizeof columns / sizeof *columns);
    for (size_t i = 0; i < json_object_array_length(processes); i++)
        add_process(table, json_object_array_get_idx(processes, i));
    bool terminal = isatty(STDOUT_FILENO);
    table_render(table, terminal || getenv("COLUMNS") ? terminal_width() : SIZE_MAX,
                 terminal && !getenv("NO_COLOR"), &out);
    fwrite(out.data, 1, out.length, stdout);
    buf_free(&out);
    table_free(table);
    json_object_put(processes);
    return EXIT_OK;
}

int cmd_jlist(const struct command *command, const struct options *options)
{
    struct err err;
    (void)command;
    (void)options;
    struct json_object *processes = processes_list(&err);
    if (!processes)
        return report_error(err.text);
    puts(json_object_to_json_string_ext(processes,
                                        JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE));
    json_object_put(processes);
    return EXIT_OK;
}
