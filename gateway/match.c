// The conditions on requests.
//
// Names of fields are compared without regard to case, names and values of a query as they read
// without escapes, cookies as they are. What an application could take for the same request must
// not slip past a condition by another spelling.
#include "match.h"

#include <string.h>

#include "common/glob.h"
#include "common/match_config.h"
#include "grammar.h"
#include "params.h"

static struct span text_span(const char *text)
{
    return (struct span){text, strlen(text)};
}

static bool are_equal(struct span left, struct span right)
{
    return left.length == right.length && memcmp(left.bytes, right.bytes, left.length) == 0;
}

static bool path_matches(const char *pattern, struct span path)
{
    size_t length = strlen(pattern);
    if (length < 2 || memcmp(pattern + length - 2, "/*", 2) != 0)
        return are_equal(path, (struct span){pattern, length});
    length -= 2;
    return path.length >= length && memcmp(path.bytes, pattern, length) == 0 &&
           (path.length == length || path.bytes[length] == '/');
}

static bool method_matches(const struct match_config *config, struct span method)
{
    for (size_t i = 0; i < config->methods.count; ++i)
        if (are_equal(method, text_span(config->methods.items[i])))
            return true;
    return config->methods.count == 0;
}

static bool glob_holds(const char *glob, struct span value)
{
    return glob == NULL || glob_match(glob, strlen(glob), value.bytes, value.length);
}

static bool header_matches(const struct match_value_config *header,
                           const struct match_subject *subject)
{
    struct span name = text_span(header->name);
    for (size_t i = 0; i < subject->field_count; ++i)
        if (grammar_equal(subject->fields[i].name, name) &&
            glob_holds(header->glob, subject->fields[i].value))
            return true;
    return false;
}

static bool query_matches(const struct match_value_config *query, struct span text)
{
    struct span rest = text;
    struct param param;
    struct buf decoded = BUF_INIT;
    bool holds = false;
    if (rest.length > 0) {
        ++rest.bytes;
        --rest.length;
    }
    while (!holds && params_next_query(&rest, &param)) {
        if (!params_name_is(param.name, query->name))
            continue;
        decoded.length = 0;
        holds =
            query->glob == NULL || glob_holds(query->glob, params_decode(param.value, &decoded));
    }
    buf_free(&decoded);
    return holds;
}

static bool cookie_field_matches(const struct match_value_config *cookie, struct span value)
{
    struct param param;
    struct span name = text_span(cookie->name);
    while (params_next_cookie(&value, &param))
        if (are_equal(param.name, name) && glob_holds(cookie->glob, param.value))
            return true;
    return false;
}

static bool cookie_matches(const struct match_value_config *cookie,
                           const struct match_subject *subject)
{
    for (size_t i = 0; i < subject->field_count; ++i)
        if (grammar_equal(subject->fields[i].name, SPAN("cookie")) &&
            cookie_field_matches(cookie, subject->fields[i].value))
            return true;
    return false;
}

bool match_is_authenticated(const struct match_subject *subject)
{
    if (subject->has_identity)
        return true;
    for (size_t i = 0; i < subject->field_count; ++i)
        if (grammar_equal(subject->fields[i].name, SPAN("authorization")))
            return true;
    return false;
}

bool match_request(const struct match_config *config, const struct match_subject *subject)
{
    return (config->path == NULL || path_matches(config->path, subject->path)) &&
           method_matches(config, subject->method) &&
           (config->header.name == NULL || header_matches(&config->header, subject)) &&
           (config->query.name == NULL || query_matches(&config->query, subject->query)) &&
           (config->cookie.name == NULL || cookie_matches(&config->cookie, subject)) &&
           (!config->is_authenticated || match_is_authenticated(subject));
}

bool match_any(const struct match_config *configs, size_t count,
               const struct match_subject *subject)
{
    for (size_t i = 0; i < count; ++i)
        if (match_request(&configs[i], subject))
            return true;
    return false;
}
