// cache stats, cache get, cache purge: each a connection to cachesvc and one or two commands. cache
// warm is another program.

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cache_stats.h"
#include "cache_value.h"
#include "commands.h"
#include "common/clock.h"
#include "common/json.h"
#include "common/printable.h"
#include "common/proto.h"
#include "common/report.h"
#include "processes.h"
#include "program.h"
#include "resp_client.h"

static void write_out(struct buf *out)
{
    if (out->length > 0)
        fwrite(out->data, 1, out->length, stdout);
    buf_free(out);
}

// --- stats --------------------------------------------------------------------------------------

static int read_stats(struct resp_client *cache, struct cache_stats *stats, struct err *err)
{
    redisReply *pairs =
        resp_client_call(cache, REDIS_REPLY_ARRAY, (const char *[]){"CACHE.STATS"}, 1, err);
    redisReply *info =
        pairs ? resp_client_call(cache, REDIS_REPLY_STRING, (const char *[]){"INFO"}, 1, err)
              : NULL;
    for (size_t i = 0; pairs && i + 1 < pairs->elements; i += 2) {
        if (pairs->element[i]->str && pairs->element[i + 1]->type == REDIS_REPLY_INTEGER)
            cache_stats_take(stats, pairs->element[i]->str, pairs->element[i + 1]->integer);
    }
    if (info && info->str)
        cache_stats_take_info(stats, info->str);
    freeReplyObject(pairs);
    freeReplyObject(info);
    return info ? 0 : -1;
}

static void show_stats(const struct cache_stats *stats, bool as_json)
{
    struct buf out = BUF_INIT;
    if (as_json) {
        struct json_object *object = cache_stats_json(stats);
        buf_printf(&out, "%s\n", json_object_to_json_string_ext(object, JSON_C_TO_STRING_PLAIN));
        json_object_put(object);
    } else {
        cache_stats_render(stats, &out);
    }
    write_out(&out);
}

int cmd_cache_stats(const struct command *command, const struct options *options)
{
    struct err err;
    struct cache_stats stats = {0};
    struct resp_client *cache = resp_client_connect(&err);
    int result = cache ? read_stats(cache, &stats, &err) : -1;
    resp_client_close(cache);
    if (result == -1)
        return report_error(err.text);
    show_stats(&stats, options_get(options, command->options, "json") != NULL);
    return EXIT_OK;
}

// --- get ----------------------------------------------------------------------------------------

// What goes into a file or pipe is nobody's screen.
static void put_raw(struct buf *out, struct piece content)
{
    if (isatty(STDOUT_FILENO))
        printable_append(out, content.bytes, content.length, PRINTABLE_TEXT);
    else if (content.length > 0)
        buf_append(out, content.bytes, content.length);
}

static void show_value(const struct cache_value *value, bool raw)
{
    struct buf out = BUF_INIT;
    if (raw)
        put_raw(&out, cache_value_content(value->bytes));
    else
        cache_value_render(value, clock_wall_ms(), &out);
    write_out(&out);
}

static int refuse_absent(const char *key)
{
    struct buf text = BUF_INIT;
    printable_append(&text, key, strlen(key), PRINTABLE_LINE);
    buf_append_text(&text, ": not in the cache");
    int code = report_error(buf_text(&text));
    buf_free(&text);
    return code;
}

static int get(struct resp_client *cache, const char *key, bool raw, struct err *err)
{
    redisReply *value =
        resp_client_call(cache, REDIS_REPLY_STRING, (const char *[]){"GET", key}, 2, err);
    redisReply *expiry =
        value ? resp_client_call(cache, REDIS_REPLY_INTEGER, (const char *[]){"PTTL", key}, 2, err)
              : NULL;
    int code = EXIT_OK;
    if (!expiry) {
        code = report_error(err->text);
    } else if (value->type == REDIS_REPLY_NIL) {
        code = refuse_absent(key);
    } else {
        struct cache_value found = {{key, strlen(key)}, {value->str, value->len}, expiry->integer};
        show_value(&found, raw);
    }
    freeReplyObject(value);
    freeReplyObject(expiry);
    return code;
}

int cmd_cache_get(const struct command *command, const struct options *options)
{
    struct err err;
    struct resp_client *cache = resp_client_connect(&err);
    if (!cache)
        return report_error(err.text);
    bool raw = options_get(options, command->options, "raw") != NULL;
    int code = get(cache, options->words[0], raw, &err);
    resp_client_close(cache);
    return code;
}

// --- purge --------------------------------------------------------------------------------------

static void say_removed(long long count)
{
    printf("%lld key%s removed\n", count, count == 1 ? "" : "s");
}

// DEL and CACHE.DELPATTERN: how many there were.
static int purge_counted(struct resp_client *cache, const char *command, const char *argument,
                         struct err *err)
{
    redisReply *reply =
        resp_client_call(cache, REDIS_REPLY_INTEGER, (const char *[]){command, argument}, 2, err);
    if (!reply)
        return -1;
    say_removed(reply->integer);
    freeReplyObject(reply);
    return 0;
}

// CACHE.PURGETAG and FLUSHALL: the keys are gone at one stroke, and are not counted.
static int purge_at_once(struct resp_client *cache, const char *const *words, size_t count,
                         struct err *err)
{
    redisReply *reply = resp_client_call(cache, REDIS_REPLY_STATUS, words, count, err);
    if (!reply)
        return -1;
    puts(count > 1 ? "everything with the tag is removed" : "everything is removed");
    freeReplyObject(reply);
    return 0;
}

static int purge(struct resp_client *cache, const struct command *command,
                 const struct options *options, struct err *err)
{
    const char *pattern = options_get(options, command->options, "pattern");
    const char *tag = options_get(options, command->options, "tag");
    if (options->word_count > 0)
        return purge_counted(cache, "DEL", options->words[0], err);
    if (pattern)
        return purge_counted(cache, "CACHE.DELPATTERN", pattern, err);
    if (tag)
        return purge_at_once(cache, (const char *[]){"CACHE.PURGETAG", tag}, 2, err);
    return purge_at_once(cache, (const char *[]){"FLUSHALL"}, 1, err);
}

int cmd_cache_purge(const struct command *command, const struct options *options)
{
    struct err err;
    size_t choices = options->word_count;
    for (size_t i = 0; command->options[i].name; i++)
        choices += options->values[i] != NULL;
    if (choices != 1)
        return command_refuse(command, "say exactly one of KEY, --pattern, --tag and --all");
    struct resp_client *cache = resp_client_connect(&err);
    if (!cache)
        return report_error(err.text);
    int result = purge(cache, command, options, &err);
    resp_client_close(cache);
    return result == 0 ? EXIT_OK : report_error(err.text);
}

// --- warm ---------------------------------------------------------------------------------------

// The address of a gateway process that serves; NULL: there is none.
static const char *find_listener(struct json_object *processes)
{
    for (size_t i = 0; i < json_object_array_length(processes); i++) {
        struct json_object *process = json_object_array_get_idx(processes, i);
        struct json_object *own = json_get_object(process, "gwctl");
        if (strcmp(json_get_string(process, "name", ""), "gateway") == 0 &&
            strcmp(json_get_string(own, "state", ""), "online") == 0)
            return json_get_string(own, "endpoint", NULL);
    }
    return NULL;
}

// supervisor/warm does it. Returns only with err.
static int execute(const char *file, const char *kind, const char *target, struct err *err)
{
    char *program = program_beside_us("gw-warm");
    execv(program, (char *const[]){program, (char *)file, (char *)kind, (char *)target, NULL});
    (void)err_set_errno(err, "%s", program);
    free(program);
    return -1;
}

static int execute_for_ours(const char *file, struct err *err)
{
    struct json_object *processes = processes_of_running(err);
    if (!processes)
        return -1;
    const char *listener = find_listener(processes);
    int result = listener ? execute(file, "--listener", listener, err)
                          : err_set(err, "no gateway is online; --url names another one");
    json_object_put(processes);
    return result;
}

int cmd_cache_warm(const struct command *command, const struct options *options)
{
    struct err err;
    const char *file = options->words[0], *url = options_get(options, command->options, "url");
    (void)(url ? execute(file, "--url", url, &err) : execute_for_ours(file, &err));
    return report_error(err.text);
}
