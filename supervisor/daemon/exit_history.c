// A short list with the oldest in front. It costs nothing until something ends.

#include "exit_history.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "common/json.h"
#include "common/mem.h"

void exit_record_set_status(struct exit_record *record, int status)
{
    bool seen = status >= 0;
    record->code = seen && WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    record->signal = seen && WIFSIGNALED(status) ? WTERMSIG(status) : 0;
    record->core = record->signal > 0 && WCOREDUMP(status);
}

void exit_history_add(struct exit_history *history, const struct exit_record *record)
{
    if (!history->records)
        history->records = mem_zalloc(EXIT_HISTORY_MAX, sizeof *history->records);
    if (history->count == EXIT_HISTORY_MAX) {
        free((char *)history->records[0].lines);
        history->count--;
        memmove(history->records, history->records + 1, history->count * sizeof *history->records);
    }
    struct exit_record *added = &history->records[history->count++];
    *added = *record;
    added->lines = mem_strdup(record->lines);
}

static void put(struct json_object *object, const char *key, int64_t number)
{
    json_object_object_add(object, key, json_object_new_int64(number));
}

static struct json_object *lines_json(const char *lines)
{
    struct json_object *array = json_object_new_array();
    while (*lines) {
        size_t length = strcspn(lines, "\n");
        json_object_array_add(array, json_object_new_string_len(lines, (int)length));
        lines += length + (lines[length] == '\n');
    }
    return array;
}

static struct json_object *record_json(const struct exit_record *record)
{
    struct json_object *object = json_object_new_object();
    put(object, "time", (int64_t)record->wall_ms);
    put(object, "pid", record->pid);
    put(object, "uptime", (int64_t)record->uptime_ms);
    if (record->code >= 0)
        put(object, "code", record->code);
    if (record->signal > 0)
        put(object, "signal", record->signal);
    if (record->core)
        json_object_object_add(object, "core", json_object_new_boolean(true));
    json_object_object_add(object, "cause", json_object_new_string(record->cause));
    json_object_object_add(object, "why", json_object_new_string(record->why));
    json_object_object_add(object, "lines", lines_json(record->lines));
    return object;
}

struct json_object *exit_history_json(const struct exit_history *history)
{
    struct json_object *array = json_object_new_array();
    for (size_t i = 0; i < history->count; i++)
        json_object_array_add(array, record_json(&history->records[i]));
    return array;
}

static void read_lines(struct json_object *array, char *out, size_t size)
{
    size_t count = array ? json_object_array_length(array) : 0, used = 0;
    *out = '\0';
    for (size_t i = 0; i < count && used < size; i++) {
        const char *line = json_object_get_string(json_object_array_get_idx(array, i));
        int length = snprintf(out + used, size - used, "%s%s", i > 0 ? "\n" : "", line ? line : "");
        used += (size_t)length;
    }
}

void exit_history_read(struct exit_history *history, struct json_object *array)
{
    size_t count = array ? json_object_array_length(array) : 0;
    char lines[EXIT_LINES_SIZE];
    for (size_t i = 0; i < count; i++) {
        struct json_object *object = json_object_array_get_idx(array, i);
        struct exit_record record = {
            .pid = (pid_t)json_get_int(object, "pid", 0),
            .code = (int)json_get_int(object, "code", -1),
            .signal = (int)json_get_int(object, "signal", 0),
            .core = json_get_bool(object, "core", false),
            .wall_ms = (uint64_t)json_get_int(object, "time", 0),
            .uptime_ms = (uint64_t)json_get_int(object, "uptime", 0),
            .lines = lines,
        };
        snprintf(record.cause, sizeof record.cause, "%s", json_get_string(object, "cause", ""));
        snprintf(record.why, sizeof record.why, "%s", json_get_string(object, "why", ""));
        read_lines(json_get_array(object, "lines"), lines, sizeof lines);
        exit_history_add(history, &record);
    }
}

void exit_history_clear(struct exit_history *history)
{
    for (size_t i = 0; i < history->count; i++)
        free((char *)history->records[i].lines);
    free(history->records);
    *history = (struct exit_history){0};
}
