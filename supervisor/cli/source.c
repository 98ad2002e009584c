// Files and scripts to documents.

#include "source.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/buf.h"
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
    if (strcmp(word, "-") == 0)
        return true;
    if (!ends_with(word, ".json") && !ends_with(word, ".jsonc"))
        return false;
    return strchr(word, '/') || access(word, F_OK) == 0;
}

enum source_words source_of_words(char **words, size_t count)
{
    size_t files = 0;
    for (size_t i = 0; i < count; i++)
        files += source_is_file(words[i]);
    return files == 0 ? SOURCE_NAMES : files == count ? SOURCE_FILES : SOURCE_MIXED;
}

// --- programs -----------------------------------------------------------------------------------

static bool is_regular_file(const char *path)
{
    struct stat found;
    return stat(path, &found) == 0 && S_ISREG(found.st_mode);
}

static bool is_file_of(const char *folder, size_t length, const char *name)
{
    char *path = mem_printf("%.*s/%s", (int)length, folder, name);
    bool is_file = is_regular_file(path);
    free(path);
    return is_file;
}

// As execvp looks for it.
static bool is_in_path(const char *name)
{
    const char *folder = getenv("PATH");
    while (folder && *folder) {
        size_t length = strcspn(folder, ":");
        if (is_file_of(length > 0 ? folder : ".", length > 0 ? length : 1, name))
            return true;
        folder += length + (folder[length] == ':');
    }
    return false;
}

bool source_is_program(const char *word, const char *cwd)
{
    if (!*word)
        return false;
    if (is_regular_file(word) || (cwd && *word != '/' && is_file_of(cwd, strlen(cwd), word)))
        return true;
    return !strchr(word, '/') && is_in_path(word);
}

// --- files --------------------------------------------------------------------------------------

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

struct json_object **source_load_files(char **paths, size_t count)
{
    struct json_object **documents = mem_zalloc(count, sizeof *documents);
    bool all_well = true;
    for (size_t i = 0; i < count; i++) {
        documents[i] = source_load_file(paths[i]);
        all_well = all_well && documents[i];
    }
    if (all_well)
        return documents;
    source_free_documents(documents, count);
    return NULL;
}

void source_free_documents(struct json_object **documents, size_t count)
{
    for (size_t i = 0; documents && i < count; i++)
        json_object_put(documents[i]);
    free(documents);
}

// --- scripts ------------------------------------------------------------------------------------

static char *script_name(const char *script)
{
    const char *base = strrchr(script, '/');
    base = base ? base + 1 : script;
    const char *dot = strrchr(base, '.');
    return mem_strndup(base, dot && dot != base ? (size_t)(dot - base) : strlen(base));
}

// The shell has replaced what was to be replaced: a dollar sign is one.
static struct json_object *literal(const char *word)
{
    struct buf text = BUF_INIT;
    for (; *word; word++)
        buf_append(&text, *word == '$' ? "$$" : word, *word == '$' ? 2 : 1);
    struct json_object *string = json_object_new_string(buf_text(&text));
    buf_free(&text);
    return string;
}

static void put(struct json_object *app, const char *key, const char *value)
{
    if (value)
        json_object_object_add(app, key, literal(value));
}

static void put_list(struct json_object *app, const char *key, char **words, size_t count)
{
    struct json_object *list = json_object_new_array();
    for (size_t i = 0; i < count; i++)
        json_object_array_add(list, literal(words[i]));
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
    if (json_get_object(document, "cachesvc"))
        json_object_array_add(names, json_object_new_string("cachesvc"));
    return names;
}

char *source_full_path(const char *path)
{
    char *full = strcmp(path, "-") == 0 ? NULL : realpath(path, NULL);
    return full ? full : mem_strdup(strcmp(path, "-") == 0 ? "standard input" : path);
}
