// The keys of "cache", and what a route takes over from the gateway.

#include "common/cache_config.h"

#include <stdlib.h>
#include <string.h>

#include "common/config_path.h"
#include "common/http_text.h"
#include "common/key_values.h"
#include "common/match_config.h"
#include "common/mem.h"
#include "common/warm_url.h"

enum { TAGS_LIMIT = 64, TAG_LENGTH_LIMIT = 256 }; // of the segment's items

#define SECOND_MS INT64_C(1000)
#define WARM_LIMIT_MS (25 * SECOND_MS) // below the time that a worker has to get ready
#define HOUR_MS INT64_C(3600000)
#define YEAR_MS (365 * 24 * HOUR_MS)
#define CACHE(field) offsetof(struct cache_config, field)
#define GATEWAY_CACHE(field) offsetof(struct gateway_cache_config, field)
#define CACHE_KEY(field) offsetof(struct cache_key_config, field)

static const char *const modes[] = {"ttl", NULL};

// In the order of the bits of enum cache_veto.
static const char *const vetoes[] = {"private", "no-store", "set-cookie", "authorization", NULL};

// --- values of their own kind -----------------------------------------------------------------

static int fail_value(struct json_object *value, struct err *err, const char *what)
{
    char *quoted = config_quote(value);
    (void)err_set(err, "%s is not %s", quoted, what);
    free(quoted);
    return -1;
}

// Strings as any row reads them, at least one.
static int parse_names(struct json_object *value, struct key_strings *names, struct err *err)
{
    static const struct key row = {.name = "names", .type = KEY_STRINGS, .min = 1};
    return key_value_parse(&row, value, names, err);
}

static bool parse_query_word(struct json_object *value, struct cache_query_config *query)
{
    const char *text =
        json_object_is_type(value, json_type_string) ? json_object_get_string(value) : "";
    query->choice = strcmp(text, "none") == 0 ? CACHE_QUERY_NONE : CACHE_QUERY_ALL;
    return query->choice == CACHE_QUERY_NONE || strcmp(text, "all") == 0;
}

static int parse_query(struct json_object *value, void *field, struct err *err)
{
    struct cache_query_config *query = field;
    struct json_object *names = NULL;
    *query = (struct cache_query_config){0};
    if (parse_query_word(value, query))
        return 0;
    if (!json_object_is_type(value, json_type_object) || json_object_object_length(value) != 1)
        names = NULL;
    else if (json_object_object_get_ex(value, "only", &names))
        query->choice = CACHE_QUERY_ONLY;
    else if (json_object_object_get_ex(value, "except", &names))
        query->choice = CACHE_QUERY_EXCEPT;
    if (query->choice == CACHE_QUERY_ALL)
        return fail_value(value, err,
                          "\"all\", \"none\", {\"only\": [NAMES]} or {\"except\": [NAMES]}");
    return parse_names(names, &query->names, err);
}

static void clear_query(void *field)
{
    struct cache_query_config *query = field;
    key_strings_clear(&query->names);
    *query = (struct cache_query_config){0};
}

static int add_veto(const char *word, unsigned *ignored, struct err *err)
{
    for (unsigned i = 0; vetoes[i]; i++) {
        if (strcmp(word, vetoes[i]) != 0)
            continue;
        *ignored |= 1u << i;
        return 0;
    }
    const char *near = suggest_word(word, vetoes);
    if (near)
        return err_set(err, "\"%s\" is not a word known here; did you mean \"%s\"?", word, near);
    return err_set(err, "\"%s\" is not a word known here (such as \"%s\")", word, vetoes[0]);
}

static int parse_ignore(struct json_object *value, void *field, struct err *err)
{
    static const struct key row = {.name = "ignore", .type = KEY_STRINGS};
    struct key_strings words = {0};
    unsigned ignored = 0;
    if (key_value_parse(&row, value, &words, err) < 0)
        return -1;
    int result = 0;
    for (size_t i = 0; i < words.count && result == 0; i++)
        result = add_veto(words.items[i], &ignored, err);
    if (result == 0)
        *(unsigned *)field = ignored;
    key_strings_clear(&words);
    return result;
}

static void clear_ignore(void *field)
{
    *(unsigned *)field = 0;
}

// --- rules ------------------------------------------------------------------------------------

static void check_items(const struct key_strings *strings, const char *key,
                        bool (*is_good)(const char *text), const char *what,
                        struct config_errors *errors)
{
    for (size_t i = 0; i < strings->count; i++) {
        if (is_good(strings->items[i]))
            continue;
        char *item = config_path_item(key, i);
        config_errors_add_key(errors, item, "\"%s\" is not %s", strings->items[i], what);
        free(item);
    }
}

static void check_key(void *object, const char *path, struct config_errors *errors)
{
    const struct cache_key_config *key = object;
    (void)path;
    check_items(&key->headers, "headers", http_text_is_token, "the name of a header field", errors);
    check_items(&key->cookies, "cookies", http_text_is_cookie, "the name of a cookie", errors);
}

static bool is_tag(const char *text)
{
    return *text && strlen(text) <= TAG_LENGTH_LIMIT;
}

static void check_cache(void *object, const char *path, struct config_errors *errors)
{
    const struct cache_config *cache = object;
    (void)path;
    check_items(&cache->tags, "tags", is_tag, "a tag of 1 to 256 bytes", errors);
    if (cache->tags.count > TAGS_LIMIT)
        config_errors_add_key(errors, "tags", "more than %d", TAGS_LIMIT);
}

// An answer is found under the host that was asked for, unless the host means nothing.
static void check_warm_url(const char *text, bool needs_host, const char *key,
                           struct config_errors *errors)
{
    struct warm_url url;
    struct err err;
    if (warm_url_parse(text, &url, &err) < 0)
        config_errors_add_key(errors, key, "\"%s\" %s", text, err.text);
    else if (needs_host && url.host_length == 0)
        config_errors_add_key(errors, key,
                              "\"%s\" needs a host (\"http://HOST%s\"), unless \"host\" of \"key\" "
                              "is false",
                              text, text);
}

static void check_gateway_cache(void *object, const char *path, struct config_errors *errors)
{
    struct gateway_cache_config *cache = object;
    check_cache(&cache->answers, path, errors);
    for (size_t i = 0; i < cache->warm.count; i++) {
        char *item = config_path_item("warm", i);
        check_warm_url(cache->warm.items[i], cache->answers.key.host, item, errors);
        free(item);
    }
}

// --- tables -----------------------------------------------------------------------------------

static const struct key cache_key_keys[] = {
    {"host", KEY_BOOL, CACHE_KEY(host), .fallback = "true",
     .help = "Whether each host has its own answers."},
    {"query", KEY_CUSTOM, CACHE_KEY(query), .fallback = "all", .parse = parse_query,
     .clear = clear_query, .size = sizeof(struct cache_query_config),
     .help = "\"all\", \"none\", {\"only\": [NAMES]} or {\"except\": [NAMES]}."},
    {"sort_query", KEY_BOOL, CACHE_KEY(sort_query), .fallback = "false",
     .help = "Whether the order of parameters with different names means nothing."},
    {"headers", KEY_STRINGS, CACHE_KEY(headers), .min = 0,
     .help = "Header fields whose values have their own answers."},
    {"cookies", KEY_STRINGS, CACHE_KEY(cookies), .min = 0,
     .help = "Cookies whose values have their own answers."},
    {"user", KEY_BOOL, CACHE_KEY(user), .fallback = "false",
     .help = "Whether each user has their own answers."},
    {0},
};

static const struct key_table cache_key_table = {.noun = "cache key",
                                                 .keys = cache_key_keys,
                                                 .size = sizeof(struct cache_key_config),
                                                 .notes_given = true,
                                                 .given = CACHE_KEY(given),
                                                 .check = check_key};

static const struct key cache_keys[] = {
    {"mode", KEY_WORD, CACHE(mode), .words = modes, .fallback = "ttl",
     .help = "\"ttl\": answers are kept as long as this file says."},
    {"ttl", KEY_DURATION, CACHE(ttl_ms), .min = SECOND_MS, .max = YEAR_MS, .fallback = "300s",
     .help = "How long an answer is given again."},
    {"key", KEY_OBJECT, CACHE(key), .table = &cache_key_table,
     .help = "Which requests have the same answer."},
    {"skip", KEY_OBJECTS, CACHE(skip), .table = &match_config_table,
     .fallback = "[\"authenticated\", {\"path\": \"/api/admin/*\"}, {\"path\": \"/api/auth/*\"}]",
     .help = "Requests for which one of these conditions holds pass the cache by."},
    {"tags", KEY_STRINGS, CACHE(tags), .min = 0,
     .help = "Names under which the answers can be removed together."},
    {"debug", KEY_BOOL, CACHE(debug), .fallback = "false",
     .help = "Whether answers show their key in X-Cache-Key."},
    {"ignore", KEY_CUSTOM, CACHE(ignore), .parse = parse_ignore, .clear = clear_ignore,
     .size = sizeof(unsigned),
     .help = "What else would forbid to store: private, no-store, set-cookie, authorization."},
    {"max_size", KEY_SIZE, CACHE(max_size_bytes), .min = 0, .max = INT64_C(1) << 30,
     .fallback = "1M", .help = "The largest body that is stored."},
    {"keep_stale", KEY_DURATION, CACHE(keep_stale_ms), .min = 0, .max = YEAR_MS, .fallback = "0",
     .help = "How long an answer is kept after its time, for when the upstream fails."},
    {"hit_for_miss", KEY_DURATION, CACHE(hit_for_miss_ms), .min = 0, .max = HOUR_MS,
     .fallback = "2s", .help = "How long nobody waits after an answer that could not be stored."},
    {"wait", KEY_DURATION, CACHE(wait_ms), .min = 0, .max = HOUR_MS, .fallback = "5s",
     .help = "How long a request waits for the answer to another one with its key."},
    {0},
};

const struct key_table cache_config_table = {.noun = "cache",
                                             .keys = cache_keys,
                                             .size = sizeof(struct cache_config),
                                             .notes_given = true,
                                             .given = CACHE(given),
                                             .may_be_false = true,
                                             .check = check_cache};

static const struct key gateway_cache_keys[] = {
    {"warm", KEY_STRINGS, GATEWAY_CACHE(warm), .min = 0,
     .help = "URLs whose answers a worker stores before it is ready."},
    {"warm_timeout", KEY_DURATION, GATEWAY_CACHE(warm_timeout_ms), .min = SECOND_MS,
     .max = WARM_LIMIT_MS, .fallback = "10s",
     .help = "After this a worker is ready without the rest of them."},
    {0},
};

const struct key_table gateway_cache_config_table = {.noun = "cache",
                                                     .keys = gateway_cache_keys,
                                                     .size = sizeof(struct gateway_cache_config),
                                                     .base_keys = cache_keys,
                                                     .notes_given = true,
                                                     .given = GATEWAY_CACHE(answers.given),
                                                     .may_be_false = true,
                                                     .check = check_gateway_cache};

bool cache_config_merge(const struct cache_config *gateway, const struct cache_config *route,
                        struct cache_config *effective)
{
    enum key_presence presence = route->given.presence;
    if (presence == KEY_ABSENT)
        presence = gateway->given.presence;
    keytable_overlay(&cache_config_table, gateway, route, effective);
    return presence == KEY_GIVEN;
}
