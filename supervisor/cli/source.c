// Files and scripts to documents.

#include "source.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/ecosystem.h"
#include "common/ecosystem_file.h"
#include "common/json.h"
#include "common/mem.h"

static const char *lookup_environment(const char *name, void *context)
{
    (void)context;
    return getenv(name);
}

static bool ends_with(const char *word, const char *end)
{
    size_t length = strlen(word), tail = strlen(end);
    return length >= tail && strcmp(word + length - tail, end) == 0;
}

bool source_is_file(const char *word)
{
    return strcmp(word, "-") == 0 || ends_with(word, ".json") || ends_with(word, ".jsonc");
}

static struct json_object *take_document(struct ecosystem *ecosystem, struct config_errors *errors)
{
    struct json_object *document = NULL;
    if (ecosystem) {
        document = json_object_get(ecosystem->document);
        ecosystem_free(ecosystem);
    }
    for (size_t i = 0; i < config_errors_count(errors); i++)
        fprintf(stderr, "%s\n", config_errors_text(errors, i));
    config_errors_free(errors);
    return document;
}

struct json_object *source_load_file(const char *path)
{
    struct config_errors *errors = config_errors_new(path);
    return take_document(ecosystem_load_file(path, lookup_environment, NULL, errors), errors);
}

static char *script_name(const char *script)
{
    const char *base = strrchr(script, '/');
    base = base ? base + 1 : script;
    const char *dot = strrchr(base, '.');
    return mem_strndup(base, dot && dot != base ? (size_t)(dot - base) : strlen(base));
}

static void put(struct json_object *app, const char *key, const char *value)
{
    if (value)
        json_object_object_add(app, key, json_object_new_string(value));
}

static void put_list(struct json_object *app, const char *key, char **words, size_t count)
{
    struct json_object *list = json_object_new_array();
    for (size_t i = 0; i < count; i++)
        json_object_array_add(list, json_object_new_string(words[i]));
    json_object_object_add(app, key, list);
}

struct json_object *source_from_script(const struct command *command, const struct options *options)
{
    const struct option_row *rows = command->options;
    const char *named = options_get(options, rows, "name");
    struct json_object *document = json_object_new_object();
    struct json_object *apps = json_object_new_array();
    struct json_object *app = json_object_new_object();
    char *name = named ? mem_strdup(named) : script_name(options->words[0]);
    char *folder = getcwd(NULL, 0);

    put(app, "name", name);
    put(app, "script", options->words[0]);
    put(app, "instances", options_get(options, rows, "instances"));
    put(app, "interpreter", options_get(options, rows, "interpreter"));
    put(app, "port", options_get(options, rows, "port"));
    put(app, "cwd", options_get(options, rows, "cwd"));
    if (options_get(options, rows, "wait-ready"))
        json_object_object_add(app, "wait_ready", json_object_new_boolean(1));
    if (options->rest_count > 0)
        put_list(app, "args", options->rest, options->rest_count);
    json_object_array_add(apps, app);
    json_object_object_add(document, "apps", apps);

    const char *text = json_object_to_json_string(document);
    struct config_errors *errors = config_errors_new("command line");
    struct ecosystem *ecosystem =
        ecosystem_load(text, strlen(text), folder ? folder : "/", lookup_environment, NULL, errors);
    json_object_put(document);
    free(name);
    free(folder);
    return take_document(ecosystem, errors);
}

struct json_object *source_names(struct json_object *document)
{
    struct json_object *names = json_object_new_array();
    struct json_object *apps = json_get_array(document, "apps");
    for (size_t i = 0; apps && i < json_object_array_length(apps); i++) {
        const char *name = json_get_string(json_object_array_get_idx(apps, i), "name", "");
        json_object_array_add(names, json_object_new_string(name));
    }
    if (json_get_object(document, "gateway"))
        json_object_array_add(names, json_object_new_string("gateway"));
    return names;
}

char *source_full_path(const char *path)
{
    char *full = strcmp(path, "-") == 0 ? NULL : realpath(path, NULL);
    return full ? full : mem_strdup(strcmp(path, "-") == 0 ? "standard input" : path);
}
