// Reads the values of rows: numbers, durations, sizes, strings, words, lists, environments.
//
// Numbers and booleans may stand in strings, because ${NAME} only makes strings. Not its job:
// objects and the keys in them (keytable.c).

#include "common/key_values.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/config_path.h"
#include "common/key_units.h"
#include "common/mem.h"
#include "common/secret.h"
#include "common/shell_words.h"

typedef int parse_text(const char *text, int64_t *number, struct err *err);

static int fail_value(struct json_object *value, struct err *err, const char *what)
{
    char *quoted = config_quote(value);
    (void)err_set(err, "%s is not %s", quoted, what);
    free(quoted);
    return -1;
}

// The value's text, or NULL when it is no string or holds a NUL.
static const char *text_of(struct json_object *value)
{
    if (!json_object_is_type(value, json_type_string))
        return NULL;
    const char *text = json_object_get_string(value);
    return strlen(text) == (size_t)json_object_get_string_len(value) ? text : NULL;
}

// --- numbers ----------------------------------------------------------------------------------

static int parse_bool(struct json_object *value, void *field, struct err *err)
{
    const char *text = text_of(value);
    bool is_bool = json_object_is_type(value, json_type_boolean);
    if (!is_bool && (!text || (strcmp(text, "true") != 0 && strcmp(text, "false") != 0)))
        return fail_value(value, err, "true or false");
    *(bool *)field = is_bool ? json_object_get_boolean(value) : *text == 't';
    return 0;
}

static int parse_integer_text(const char *text, int64_t *number, struct err *err)
{
    char *end;
    errno = 0;
    *number = strtoll(text, &end, 10);
    bool is_plain = *text == '-' || (*text >= '0' && *text <= '9');
    if (!is_plain || end == text || *end || errno == ERANGE)
        return err_set(err, "\"%s\" is not a number", text);
    return 0;
}

// A number, or a string that parse_text understands; in the row's range.
static int parse_number(const struct key *key, struct json_object *value, parse_text *parse,
                        int64_t *number)
{
    const char *text = text_of(value);
    if (json_object_is_type(value, json_type_int))
        *number = json_object_get_int64(value);
    else if (!text || parse(text, number, NULL) < 0)
        return -1;
    return *number >= key->min && *number <= key->max ? 0 : 1;
}

static int parse_integer(const struct key *key, struct json_object *value, void *field,
                         struct err *err)
{
    char what[80];
    int64_t number;
    snprintf(what, sizeof what, "a number from %lld to %lld", (long long)key->min,
             (long long)key->max);
    if (parse_number(key, value, parse_integer_text, &number) != 0)
        return fail_value(value, err, what);
    *(int64_t *)field = number;
    return 0;
}

static int parse_duration(const struct key *key, struct json_object *value, void *field,
                          struct err *err)
{
    char what[80], least[24], most[24];
    int64_t number;
    int result = parse_number(key, value, key_parse_duration, &number);
    if (result < 0)
        return fail_value(value, err, "a duration (such as 1500, 500ms, 10s, 15m, 1h, 1d)");
    key_format_duration(key->min, least, sizeof least);
    key_format_duration(key->max, most, sizeof most);
    snprintf(what, sizeof what, "a duration from %s to %s", least, most);
    if (result > 0)
        return fail_value(value, err, what);
    *(int64_t *)field = number;
    return 0;
}

static int parse_size(const struct key *key, struct json_object *value, void *field,
                      struct err *err)
{
    char what[80], least[24], most[24];
    int64_t number;
    int result = parse_number(key, value, key_parse_size, &number);
    if (result < 0)
        return fail_value(value, err, "a size (such as 1024, 512K, 300M, 1G)");
    key_format_size(key->min, least, sizeof least);
    key_format_size(key->max, most, sizeof most);
    snprintf(what, sizeof what, "a size from %s to %s", least, most);
    if (result > 0)
        return fail_value(value, err, what);
    *(int64_t *)field = number;
    return 0;
}

// --- strings ----------------------------------------------------------------------------------

static int parse_string(const struct key *key, struct json_object *value, void *field,
                        struct err *err)
{
    const char *text = text_of(value);
    if (!text && secret_name_matches(key->name))
        return err_set(err, "is not a string"); // a password without its quotes is one too
    if (!text)
        return fail_value(value, err, "a string");
    if (key->min > 0 && !*text)
        return err_set(err, "must not be empty");
    if (key->max > 0 && strlen(text) > (size_t)key->max)
        return err_set(err, "longer than %lld bytes", (long long)key->max);
    *(char **)field = mem_strdup(text);
    return 0;
}

static int parse_word(const struct key *key, struct json_object *value, void *field,
                      struct err *err)
{
    const char *text = text_of(value);
    for (int i = 0; text && key->words[i]; i++)
        if (strcmp(text, key->words[i]) == 0) {
            *(int *)field = i;
            return 0;
        }
    const char *near = text ? suggest_word(text, key->words) : NULL;
    char *what = near ? mem_printf("a word known here; did you mean \"%s\"?", near)
                      : mem_printf("a word known here (such as \"%s\")", key->words[0]);
    (void)fail_value(value, err, what);
    free(what);
    return -1;
}

void key_strings_add(struct key_strings *strings, char *text)
{
    strings->items = mem_realloc(strings->items, (strings->count + 2) * sizeof *strings->items);
    strings->items[strings->count++] = text;
    strings->items[strings->count] = NULL;
}

void key_strings_clear(struct key_strings *strings)
{
    for (size_t i = 0; i < strings->count; i++)
        free(strings->items[i]);
    free(strings->items);
    *strings = (struct key_strings){0};
}

static int parse_items(struct json_object *array, struct key_strings *strings, struct err *err)
{
    size_t count = json_object_array_length(array);
    for (size_t i = 0; i < count; i++) {
        struct json_object *item = json_object_array_get_idx(array, i);
        const char *text = text_of(item);
        if (!text)
            return fail_value(item, err, "a string");
        key_strings_add(strings, mem_strdup(text));
    }
    return 0;
}

static int parse_strings(const struct key *key, struct json_object *value, void *field,
                         struct err *err)
{
    struct key_strings strings = {0};
    const char *text = text_of(value);
    int result;

    if (json_object_is_type(value, json_type_array))
        result = parse_items(value, &strings, err);
    else if (text)
        result = shell_words_split(text, &strings, err);
    else
        return fail_value(value, err, "an array of strings");
    if (result == 0 && (int64_t)strings.count < key->min)
        result = err_set(err, "must hold at least %lld", (long long)key->min);
    if (result < 0)
        key_strings_clear(&strings);
    else
        *(struct key_strings *)field = strings;
    return result;
}

// --- environments -----------------------------------------------------------------------------

int key_variable_parse(const char *name, struct json_object *value, struct key_strings *strings,
                       bool *at_name, struct err *err)
{
    bool is_string = json_object_is_type(value, json_type_string);
    const char *text = is_string
                           ? text_of(value)
                           : json_object_to_json_string_ext(
                                 value, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE);
    *at_name = !*name || strchr(name, '=');
    if (*at_name)
        return err_set(err, "\"%s\" is not a name of a variable", name);
    if (!value)
        return err_set(err, "%s is null; an empty variable is \"\"", name);
    if (!text)
        return err_set(err, "%s holds a NUL character", name);
    key_strings_add(strings, mem_printf("%s=%s", name, text));
    return 0;
}

// --- all types --------------------------------------------------------------------------------

int key_value_parse(const struct key *key, struct json_object *value, void *field, struct err *err)
{
    switch (key->type) {
    case KEY_BOOL:
        return parse_bool(value, field, err);
    case KEY_INTEGER:
        return parse_integer(key, value, field, err);
    case KEY_DURATION:
        return parse_duration(key, value, field, err);
    case KEY_SIZE:
        return parse_size(key, value, field, err);
    case KEY_STRING:
        return parse_string(key, value, field, err);
    case KEY_WORD:
        return parse_word(key, value, field, err);
    case KEY_STRINGS:
        return parse_strings(key, value, field, err);
    case KEY_CUSTOM:
        return key->parse(value, field, err);
    case KEY_ENVIRONMENT:
    case KEY_OBJECT:
    case KEY_OBJECTS:
    case KEY_OBJECT_MAP:
        break;
    }
    return err_set(err, "cannot be read as one value");
}

void key_value_default(const struct key *key, void *field)
{
    struct err err;
    if (!key->fallback)
        return;
    struct json_object *value = json_object_new_string(key->fallback);
    int result = key_value_parse(key, value, field, &err);
    assert(result == 0);
    (void)result;
    json_object_put(value);
}

void key_value_clear(const struct key *key, void *field)
{
    switch (key->type) {
    case KEY_STRING:
        free(*(char **)field);
        *(char **)field = NULL;
        break;
    case KEY_STRINGS:
    case KEY_ENVIRONMENT:
        key_strings_clear(field);
        break;
    case KEY_CUSTOM:
        if (key->clear)
            key->clear(field);
        break;
    case KEY_BOOL:
    case KEY_INTEGER:
    case KEY_DURATION:
    case KEY_SIZE:
    case KEY_WORD:
    case KEY_OBJECT:
    case KEY_OBJECTS:
    case KEY_OBJECT_MAP:
        break;
    }
}
