// The keys of a condition on a request.

#include "common/match_config.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "common/config_path.h"
#include "common/http_text.h"
#include "common/mem.h"

#define MATCH(field) offsetof(struct match_config, field)

static int fail_value(struct json_object *value, struct err *err, const char *what)
{
    char *quoted = config_quote(value);
    (void)err_set(err, "%s is not %s", quoted, what);
    free(quoted);
    return -1;
}

// The text, or "" when it is no string or holds a NUL.
static const char *text_of(struct json_object *value)
{
    if (!json_object_is_type(value, json_type_string))
        return "";
    const char *text = json_object_get_string(value);
    return strlen(text) == (size_t)json_object_get_string_len(value) ? text : "";
}

// Splits "name=glob"; the name is not empty.
static int parse_named(struct json_object *value, struct match_value_config *named, struct err *err)
{
    const char *text = text_of(value);
    size_t length = strcspn(text, "=");
    if (length == 0)
        return fail_value(value, err, "\"NAME\" or \"NAME=PATTERN\"");
    named->name = mem_strndup(text, length);
    named->glob = text[length] ? mem_strdup(text + length + 1) : NULL;
    return 0;
}

static void clear_named(void *field)
{
    struct match_value_config *named = field;
    free(named->name);
    free(named->glob);
    *named = (struct match_value_config){0};
}

static int parse_query(struct json_object *value, void *field, struct err *err)
{
    return parse_named(value, field, err);
}

static int parse_header(struct json_object *value, void *field, struct err *err)
{
    struct match_value_config *named = field;
    if (parse_named(value, named, err) < 0)
        return -1;
    if (http_text_is_token(named->name)) {
        for (char *at = named->name; *at; at++)
            *at = (char)tolower((unsigned char)*at);
        return 0;
    }
    (void)err_set(err, "\"%s\" is not the name of a header field", named->name);
    clear_named(named);
    return -1;
}

static int parse_cookie(struct json_object *value, void *field, struct err *err)
{
    struct match_value_config *named = field;
    if (parse_named(value, named, err) < 0)
        return -1;
    if (http_text_is_cookie(named->name))
        return 0;
    (void)err_set(err, "\"%s\" is not the name of a cookie", named->name);
    clear_named(named);
    return -1;
}

// Methods are compared with regard to case, and no known one has small letters.
static bool is_method(const char *text)
{
    for (const char *at = text; *at; at++)
        if (islower((unsigned char)*at))
            return false;
    return http_text_is_token(text);
}

static bool is_empty(const struct match_config *match)
{
    return !match->path && match->methods.count == 0 && !match->header.name && !match->query.name &&
           !match->cookie.name && !match->is_authenticated;
}

static void check_match(void *object, const char *path, struct config_errors *errors)
{
    const struct match_config *match = object;
    bool is_prefix;
    (void)path;
    if (match->path && !http_text_is_pattern(match->path, &is_prefix))
        config_errors_add_key(
            errors, "path", "\"%s\" is not a path in its normal form (\"/exact\" or \"/prefix/*\")",
            match->path);
    for (size_t i = 0; i < match->methods.count; i++)
        if (!is_method(match->methods.items[i]))
            config_errors_add_key(errors, "method", "\"%s\" is not a method (such as \"GET\")",
                                  match->methods.items[i]);
    if (is_empty(match))
        config_errors_add_key(errors, NULL,
                              "says nothing; it needs one of \"path\", \"method\", \"header\", "
                              "\"query\", \"cookie\" and \"authenticated\": true");
    else if (match->given.rows & MATCH_AUTHENTICATED_ROW && !match->is_authenticated)
        config_errors_add_key(errors, "authenticated", "may only be true");
}

static const struct key match_keys[] = {
    {"authenticated", KEY_BOOL, MATCH(is_authenticated), .fallback = "false",
     .help = "It has an Authorization field, or an identity that was proven."},
    {"path", KEY_STRING, MATCH(path), .min = 1, .max = 1024,
     .help = "\"/exact\", or \"/prefix/*\", which also matches \"/prefix\"."},
    {"method", KEY_STRINGS, MATCH(methods), .min = 1, .help = "One of these methods."},
    {"header", KEY_CUSTOM, MATCH(header), .parse = parse_header, .clear = clear_named,
     .size = sizeof(struct match_value_config),
     .help = "\"NAME\": it is there; \"NAME=PATTERN\": a value of it fits, with * ? [a-z]."},
    {"query", KEY_CUSTOM, MATCH(query), .parse = parse_query, .clear = clear_named,
     .size = sizeof(struct match_value_config), .help = "The same for a parameter of the query."},
    {"cookie", KEY_CUSTOM, MATCH(cookie), .parse = parse_cookie, .clear = clear_named,
     .size = sizeof(struct match_value_config), .help = "The same for a cookie."},
    {0},
};

const struct key_table match_config_table = {.noun = "condition",
                                             .keys = match_keys,
                                             .size = sizeof(struct match_config),
                                             .has_words = true,
                                             .notes_given = true,
                                             .given = MATCH(given),
                                             .check = check_match};
