// Writes paths and finds what they name again. A path is written and read by the same functions, so
// any key may occur in one.

#include "common/config_path.h"

#include <stdlib.h>
#include <string.h>

#include "common/buf.h"
#include "common/mem.h"
#include "common/secret.h"

enum { QUOTE_LIMIT = 60 };

static const char plain_letters[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-";

static const char *to_text(struct json_object *value)
{
    return json_object_to_json_string_ext(value,
                                          JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE);
}

char *config_path_member(const char *path, const char *key)
{
    size_t length = strlen(key);
    if (length > 0 && strspn(key, plain_letters) == length)
        return mem_printf("%s%s%s", path, *path ? "." : "", key);
    struct json_object *quoted = json_object_new_string(key);
    char *result = mem_printf("%s[%s]", path, to_text(quoted));
    json_object_put(quoted);
    return result;
}

char *config_path_item(const char *path, size_t index)
{
    return mem_printf("%s[%zu]", path, index);
}

// The rest of path behind `step` when it begins with it, else NULL.
static const char *behind(const char *path, const char *step)
{
    size_t length = strlen(step);
    if (strncmp(path, step, length) != 0 || !strchr(".[", path[length])) // strchr finds the NUL too
        return NULL;
    return path + length + (path[length] == '.');
}

static const char *step_into_object(const struct json_doc *doc, struct json_object **value,
                                    const char *path, struct json_place *place)
{
    json_object_object_foreach(*value, key, member)
    {
        char *step = config_path_member("", key);
        const char *rest = behind(path, step);
        free(step);
        if (rest) {
            *place = json_value_place(doc, *value, key);
            *value = member;
            return rest;
        }
    }
    return NULL;
}

static const char *step_into_array(const struct json_doc *doc, struct json_object **value,
                                   const char *path, struct json_place *place)
{
    char *end;
    size_t index = *path == '[' ? strtoul(path + 1, &end, 10) : SIZE_MAX;
    if (index >= json_object_array_length(*value) || *end != ']')
        return NULL;
    *place = json_item_place(doc, *value, index);
    *value = json_object_array_get_idx(*value, index);
    return end + 1 + (end[1] == '.');
}

struct json_place config_path_place(const struct json_doc *doc, struct json_object *value,
                                    const char *path)
{
    struct json_place place = json_own_place(doc, value);
    while (path && *path) {
        struct json_place next = {0, 0};
        if (json_object_is_type(value, json_type_object))
            path = step_into_object(doc, &value, path, &next);
        else if (json_object_is_type(value, json_type_array))
            path = step_into_array(doc, &value, path, &next);
        else
            path = NULL;
        if (path && next.line > 0)
            place = next;
    }
    return place;
}

static void write_masked(struct buf *out, struct json_object *value);

static void write_items(struct buf *out, struct json_object *array)
{
    for (size_t i = 0; i < json_object_array_length(array); i++) {
        buf_append_text(out, i > 0 ? "," : "");
        write_masked(out, json_object_array_get_idx(array, i));
    }
}

static void write_members(struct buf *out, struct json_object *object)
{
    const char *comma = "";
    json_object_object_foreach(object, name, member)
    {
        struct json_object *key = json_object_new_string(name);
        buf_printf(out, "%s%s:", comma, to_text(key));
        json_object_put(key);
        if (secret_name_matches(name))
            buf_append_text(out, "\"***\"");
        else
            write_masked(out, member);
        comma = ",";
    }
}

static void write_masked(struct buf *out, struct json_object *value)
{
    if (json_object_is_type(value, json_type_array)) {
        buf_append_text(out, "[");
        write_items(out, value);
        buf_append_text(out, "]");
    } else if (json_object_is_type(value, json_type_object)) {
        buf_append_text(out, "{");
        write_members(out, value);
        buf_append_text(out, "}");
    } else {
        buf_append_text(out, to_text(value));
    }
}

static char *cut(const char *text)
{
    size_t length = strlen(text);
    if (length <= QUOTE_LIMIT)
        return mem_strdup(text);
    length = QUOTE_LIMIT;
    while (length > 0 && ((unsigned char)text[length] & 0xC0) == 0x80) // not within a character
        length--;
    return mem_printf("%.*s...", (int)length, text);
}

char *config_quote(struct json_object *value)
{
    struct buf text = BUF_INIT;
    write_masked(&text, value);
    char *quoted = cut(buf_text(&text));
    buf_free(&text);
    return quoted;
}
