// Fills a struct from a JSON object by the rows of its table.
//
// Values of single rows are read in key_values.c. Invariant: every field is valid for
// keytable_clear at any time; a key with an error keeps an empty field. A table's check runs only
// when its object had no finding of its own, so that it may rely on every field.

#include "common/keytable.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "common/config_errors.h"
#include "common/config_path.h"
#include "common/key_values.h"
#include "common/mem.h"

enum { WORDS_LIMIT = 128, GIVEN_LIMIT = 64 };

// What is being parsed: one object.
struct reader {
    const struct key_table *table;
    struct json_object *value;
    const struct json_doc *doc;
    const char *path;
    char *object;
    struct config_errors *errors;
};

static void parse_object(const struct reader *reader);

// --- rows -------------------------------------------------------------------------------------

// The row behind `key` (NULL: the first), through the base rows too; NULL at the end.
static const struct key *next_row(const struct key_table *table, const struct key *key)
{
    const struct key *next = key ? key + 1 : table->base_keys ? table->base_keys : table->keys;
    if (next->name)
        return next;
    // At the end of the base rows, unless this was the end of the table's own.
    const struct key *end = table->keys;
    while (end->name)
        end++;
    return next == end || !table->keys->name ? NULL : table->keys;
}

static bool is_spelled(const struct key *key, const char *name)
{
    if (strcmp(key->name, name) == 0)
        return true;
    for (size_t i = 0; key->aliases && key->aliases[i]; i++)
        if (strcmp(key->aliases[i], name) == 0)
            return true;
    return false;
}

static const struct key *find_row(const struct key_table *table, const char *name)
{
    const struct key *key = NULL;
    while ((key = next_row(table, key)) && !is_spelled(key, name))
        ;
    return key;
}

// Only among KEY_BOOL rows, when only_bool.
static const char *suggest_key(const struct key_table *table, const char *name, bool only_bool)
{
    const char *words[WORDS_LIMIT + 1];
    size_t count = 0;
    const struct key *key = NULL;
    while ((key = next_row(table, key)) != NULL) {
        if (only_bool && key->type != KEY_BOOL)
            continue;
        if (count < WORDS_LIMIT)
            words[count++] = key->name;
        for (size_t i = 0; key->aliases && key->aliases[i] && count < WORDS_LIMIT; i++)
            words[count++] = key->aliases[i];
    }
    words[count] = NULL;
    return suggest_word(name, words);
}

// --- what was given ---------------------------------------------------------------------------

static void note_presence(const struct reader *reader, enum key_presence presence)
{
    if (reader->table->notes_given)
        ((struct key_given *)(void *)(reader->object + reader->table->given))->presence = presence;
}

// The bit of a row in key_given.rows.
static uint64_t row_bit(const struct key_table *table, const struct key *key)
{
    const struct key *row = NULL;
    unsigned index = 0;
    while ((row = next_row(table, row)) != key)
        index++;
    assert(index < GIVEN_LIMIT);
    return UINT64_C(1) << index;
}

static void note_row(const struct reader *reader, const struct key *key)
{
    if (reader->table->notes_given)
        ((struct key_given *)(void *)(reader->object + reader->table->given))->rows |=
            row_bit(reader->table, key);
}

// --- clearing ---------------------------------------------------------------------------------

static void clear_rows(const struct key_table *table, char *object);

static void clear_array(const struct key *key, struct key_array *array)
{
    for (size_t i = 0; i < array->count; i++) {
        char *item = (char *)array->items + i * key->table->size;
        if (key->type == KEY_OBJECT_MAP)
            free(*(char **)(void *)item);
        clear_rows(key->table, item);
    }
    free(array->items);
    *array = (struct key_array){0};
}

static void clear_rows(const struct key_table *table, char *object)
{
    const struct key *key = NULL;
    while ((key = next_row(table, key)) != NULL) {
        void *field = object + key->offset;
        if (key->type == KEY_OBJECT)
            clear_rows(key->table, field);
        else if (key->type == KEY_OBJECTS || key->type == KEY_OBJECT_MAP)
            clear_array(key, field);
        else
            key_value_clear(key, field);
    }
}

// --- objects ----------------------------------------------------------------------------------

static bool is_object_of(const struct reader *reader, struct json_object *value, const char *path,
                         struct json_place place, const char *what)
{
    if (json_object_is_type(value, json_type_object))
        return true;
    char *quoted = config_quote(value);
    config_errors_add(reader->errors, place, "%s%s%s is not an object%s", path, *path ? ": " : "",
                      quoted, what);
    free(quoted);
    return false;
}

static bool is_object(const struct reader *reader, struct json_object *value, const char *path,
                      struct json_place place)
{
    return is_object_of(reader, value, path, place, "");
}

static void parse_collection(const struct reader *reader, const struct key *key,
                             struct json_object *value, const char *path);

// A fallback that its own rows refuse is our bug.
static void set_default_items(const struct key *key, char *object)
{
    struct json_doc *doc =
        json_doc_parse(key->fallback, strlen(key->fallback), JSON_STRICT, NULL, NULL);
    struct config_errors *errors = config_errors_new("fallback");
    struct reader reader = {.object = object, .errors = errors};
    assert(doc);
    parse_collection(&reader, key, json_doc_root(doc), key->name);
    assert(config_errors_noticed(errors) == 0);
    config_errors_free(errors);
    json_doc_free(doc);
}

static void set_defaults(const struct key_table *table, char *object)
{
    const struct key *key = NULL;
    while ((key = next_row(table, key)) != NULL) {
        if (key->type == KEY_OBJECT)
            set_defaults(key->table, object + key->offset);
        else if (key->type == KEY_OBJECTS && key->fallback)
            set_default_items(key, object);
        else
            key_value_default(key, object + key->offset);
    }
}

static bool is_false(struct json_object *value)
{
    if (json_object_is_type(value, json_type_boolean))
        return !json_object_get_boolean(value);
    return json_object_is_type(value, json_type_string) &&
           strcmp(json_object_get_string(value), "false") == 0;
}

static void parse_embedded(const struct reader *reader, const struct key *key,
                           struct json_object *value, const char *path)
{
    struct reader inner = {key->table,    value, reader->doc, path, reader->object + key->offset,
                           reader->errors};
    parse_object(&inner);
}

static void parse_object_value(const struct reader *reader, const struct key *key,
                               struct json_object *value, const char *path, struct json_place place)
{
    struct reader inner = {.table = key->table, .object = reader->object + key->offset};
    bool may_be_false = key->table->may_be_false;
    if (may_be_false && is_false(value))
        note_presence(&inner, KEY_FALSE);
    else if (is_object_of(reader, value, path, place, may_be_false ? " or false" : ""))
        parse_embedded(reader, key, value, path);
}

// An item of KEY_OBJECTS or KEY_OBJECT_MAP, in zeroed memory.
static void parse_item(const struct reader *outer, const struct key *key, char *item,
                       struct json_object *value, const char *path)
{
    struct reader inner = {key->table, value, outer->doc, path, item, outer->errors};
    set_defaults(key->table, item);
    parse_object(&inner);
}

// A string in place of an object: the name of what alone is true in it.
static void parse_word_item(const struct reader *outer, const struct key *key, char *item,
                            struct json_object *value, const char *path, struct json_place place)
{
    struct reader inner = {key->table, value, outer->doc, path, item, outer->errors};
    const char *word = json_object_get_string(value);
    const struct key *row = find_row(key->table, word);

    set_defaults(key->table, item);
    if (row && row->type == KEY_BOOL) {
        *(bool *)(void *)(item + row->offset) = true;
        note_presence(&inner, KEY_GIVEN);
        note_row(&inner, row);
        return;
    }
    const char *near = suggest_key(key->table, word, true);
    char *quoted = config_quote(value);
    config_errors_add(outer->errors, place,
                      "%s: %s is neither an object nor a word known here%s%s%s", path, quoted,
                      near ? "; did you mean \"" : "", near ? near : "", near ? "\"?" : "");
    free(quoted);
}

static void parse_array(const struct reader *reader, const struct key *key,
                        struct json_object *value, const char *path)
{
    struct key_array *array = (struct key_array *)(void *)(reader->object + key->offset);
    size_t count = json_object_array_length(value);

    array->items = mem_zalloc(count, key->table->size);
    for (size_t i = 0; i < count; i++) {
        struct json_object *item = json_object_array_get_idx(value, i);
        struct json_place place = json_item_place(reader->doc, value, i);
        char *item_path = config_path_item(path, i);
        char *target = (char *)array->items + array->count * key->table->size;
        if (key->table->has_words && json_object_is_type(item, json_type_string)) {
            array->count++;
            parse_word_item(reader, key, target, item, item_path, place);
        } else if (is_object(reader, item, item_path, place)) {
            array->count++;
            parse_item(reader, key, target, item, item_path);
        }
        free(item_path);
    }
}

static void parse_map(const struct reader *reader, const struct key *key, struct json_object *value,
                      const char *path)
{
    struct key_array *array = (struct key_array *)(void *)(reader->object + key->offset);
    array->items = mem_zalloc((size_t)json_object_object_length(value), key->table->size);
    json_object_object_foreach(value, name, item)
    {
        char *item_path = config_path_member(path, name);
        char *target = (char *)array->items + array->count * key->table->size;
        if (is_object(reader, item, item_path, json_value_place(reader->doc, value, name))) {
            array->count++;
            *(char **)(void *)target = mem_strdup(name);
            parse_item(reader, key, target, item, item_path);
        }
        free(item_path);
    }
}

static void parse_collection(const struct reader *reader, const struct key *key,
                             struct json_object *value, const char *path)
{
    struct json_place place = config_path_place(reader->doc, value, "");
    bool is_map = key->type == KEY_OBJECT_MAP;
    enum json_type type = is_map ? json_type_object : json_type_array;

    clear_array(key, (struct key_array *)(void *)(reader->object + key->offset));
    if (!json_object_is_type(value, type)) {
        char *quoted = config_quote(value);
        config_errors_add(reader->errors, place, "%s: %s is not %s", path, quoted,
                          is_map ? "an object of objects" : "an array of objects");
        free(quoted);
        return;
    }
    size_t count =
        is_map ? (size_t)json_object_object_length(value) : json_object_array_length(value);
    if ((int64_t)count < key->min)
        config_errors_add(reader->errors, place, "%s: must hold at least %lld", path,
                          (long long)key->min);
    else if (is_map)
        parse_map(reader, key, value, path);
    else
        parse_array(reader, key, value, path);
}

// Each variable has its own finding, at its own place.
static void parse_environment(const struct reader *reader, const struct key *key,
                              struct json_object *value, const char *path)
{
    struct key_strings *strings = (struct key_strings *)(void *)(reader->object + key->offset);
    size_t before = config_errors_noticed(reader->errors);
    bool at_name;
    struct err err;

    json_object_object_foreach(value, name, member)
    {
        if (key_variable_parse(name, member, strings, &at_name, &err) < 0)
            config_errors_add(reader->errors,
                              at_name ? json_member_place(reader->doc, value, name)
                                      : json_value_place(reader->doc, value, name),
                              "%s: %s", path, err.text);
    }
    if (config_errors_noticed(reader->errors) > before)
        key_strings_clear(strings);
}

// --- members ----------------------------------------------------------------------------------

static void parse_value(const struct reader *reader, const struct key *key,
                        struct json_object *value, const char *name, const char *path)
{
    struct json_place place = json_value_place(reader->doc, reader->value, name);
    void *field = reader->object + key->offset;
    struct err err;

    if (key->type == KEY_OBJECT) {
        parse_object_value(reader, key, value, path, place);
        return;
    }
    if (key->type == KEY_OBJECTS || key->type == KEY_OBJECT_MAP) {
        parse_collection(reader, key, value, path);
        return;
    }
    key_value_clear(key, field);
    if (key->type == KEY_ENVIRONMENT) {
        if (is_object_of(reader, value, path, place, " of variables"))
            parse_environment(reader, key, value, path);
        return;
    }
    if (key_value_parse(key, value, field, &err) < 0)
        config_errors_add(reader->errors, place, "%s: %s", path, err.text);
}

static void parse_member(const struct reader *reader, const char *name, struct json_object *value)
{
    const struct key *key = find_row(reader->table, name);
    struct json_place place = json_member_place(reader->doc, reader->value, name);
    char *path = config_path_member(reader->path, name);

    if (!key) {
        const char *near = suggest_key(reader->table, name, false);
        config_errors_add(reader->errors, place, "%s: unknown key%s%s%s", path,
                          near ? "; did you mean \"" : "", near ? near : "", near ? "\"?" : "");
    } else if (strcmp(name, key->name) != 0 &&
               json_object_object_get_ex(reader->value, key->name, NULL)) {
        config_errors_add(reader->errors, place, "%s: another spelling of \"%s\", which is there",
                          path, key->name);
    } else {
        note_row(reader, key);
        parse_value(reader, key, value, name, path);
    }
    free(path);
}

static bool is_present(struct json_object *object, const struct key *key)
{
    if (json_object_object_get_ex(object, key->name, NULL))
        return true;
    for (size_t i = 0; key->aliases && key->aliases[i]; i++)
        if (json_object_object_get_ex(object, key->aliases[i], NULL))
            return true;
    return false;
}

static void require_keys(const struct reader *reader)
{
    const struct key *key = NULL;
    while ((key = next_row(reader->table, key)) != NULL)
        if ((key->flags & KEY_REQUIRED) && !is_present(reader->value, key))
            config_errors_add(reader->errors, json_own_place(reader->doc, reader->value),
                              "%s%s\"%s\" is missing", reader->path, *reader->path ? ": " : "",
                              key->name);
}

static void run_check(const struct reader *reader)
{
    struct config_scope scope = {reader->doc, reader->value, reader->path};
    struct config_scope before = config_errors_enter(reader->errors, scope);
    reader->table->check(reader->object, reader->path, reader->errors);
    (void)config_errors_enter(reader->errors, before);
}

// The object holds the defaults and value is a JSON object.
static void parse_object(const struct reader *reader)
{
    size_t before = config_errors_noticed(reader->errors);
    note_presence(reader, KEY_GIVEN);
    json_object_object_foreach(reader->value, name, value)
    {
        parse_member(reader, name, value);
    }
    require_keys(reader);
    if (reader->table->check && config_errors_noticed(reader->errors) == before)
        run_check(reader);
}

// --- tables -----------------------------------------------------------------------------------

int keytable_parse(const struct key_table *table, struct json_object *value,
                   const struct json_doc *doc, const char *path, void *object,
                   struct config_errors *errors)
{
    struct reader reader = {table, value, doc, path, object, errors};
    size_t before = config_errors_noticed(errors);

    memset(object, 0, table->size);
    set_defaults(table, object);
    if (is_object(&reader, value, path, json_own_place(doc, value)))
        parse_object(&reader);
    return config_errors_noticed(errors) == before ? 0 : -1;
}

void keytable_clear(const struct key_table *table, void *object)
{
    clear_rows(table, object);
    memset(object, 0, table->size);
}

bool keytable_is_given(const struct key_table *table, const void *object, const char *name)
{
    const struct key *key = find_row(table, name);
    assert(key && table->notes_given);
    const void *given = (const char *)object + table->given;
    return ((const struct key_given *)given)->rows & row_bit(table, key);
}

static size_t field_size(const struct key *key)
{
    switch (key->type) {
    case KEY_BOOL:
        return sizeof(bool);
    case KEY_INTEGER:
    case KEY_DURATION:
    case KEY_SIZE:
        return sizeof(int64_t);
    case KEY_STRING:
        return sizeof(char *);
    case KEY_WORD:
        return sizeof(int);
    case KEY_STRINGS:
    case KEY_ENVIRONMENT:
        return sizeof(struct key_strings);
    case KEY_OBJECT:
        return key->table->size;
    case KEY_OBJECTS:
    case KEY_OBJECT_MAP:
        return sizeof(struct key_array);
    case KEY_CUSTOM:
        assert(key->size > 0);
        return key->size;
    }
    return 0;
}

void keytable_overlay(const struct key_table *table, const void *base, const void *over,
                      void *result)
{
    const char *from = over;
    char *to = result;
    struct key_given given = *(const struct key_given *)(const void *)(from + table->given);
    const struct key *key = NULL;

    memcpy(to, base, table->size);
    for (unsigned i = 0; (key = next_row(table, key)) != NULL; i++) {
        size_t at = key->offset;
        if (key->type == KEY_OBJECT && key->table->notes_given)
            keytable_overlay(key->table, (const char *)base + at, from + at, to + at);
        else if (given.rows >> i & 1)
            memcpy(to + at, from + at, field_size(key));
    }
    struct key_given *both = (struct key_given *)(void *)(to + table->given);
    both->rows |= given.rows;
    if (given.presence != KEY_ABSENT)
        both->presence = given.presence;
}
