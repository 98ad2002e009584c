// Keys: how they read, and that different requests have different ones.
#include <check.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cache_key.h"
#include "common/cache_config.h"
#include "common/map.h"
#include "common/mem.h"
#include "common/segment.h"
#include "vary.h"

static struct span text(const char *string)
{
    return (struct span){string, strlen(string)};
}

static char language[] = "Accept-Language", token[] = "x|token", theme[] = "theme", a[] = "a",
            b[] = "b", authorization[] = "authorization";
static char *header_names[] = {language, token, NULL};
static char *secret_names[] = {authorization, NULL};
static char *cookie_names[] = {theme, NULL};
static char *query_names[] = {a, b, NULL};

static const struct cache_key_config plain = {.host = true};
static const struct cache_key_config no_host = {.host = false};
static const struct cache_key_config no_query = {.host = true, .query = {CACHE_QUERY_NONE, {0}}};
static const struct cache_key_config only = {.query = {CACHE_QUERY_ONLY, {query_names, 2}}};
static const struct cache_key_config except = {.query = {CACHE_QUERY_EXCEPT, {query_names, 2}}};
static const struct cache_key_config sorted = {.sort_query = true};
static const struct cache_key_config with_headers = {.headers = {header_names, 2}};
static const struct cache_key_config with_secret = {.headers = {secret_names, 1}};
static const struct cache_key_config with_cookies = {.cookies = {cookie_names, 1}};
static const struct cache_key_config with_user = {.user = true};
static const struct cache_key_config all_parts = {
    .host = true, .headers = {header_names, 2}, .cookies = {cookie_names, 1}, .user = true};

static const struct field fields[] = {
    {SPAN("Accept-Language"), SPAN("de")},
    {SPAN("accept-language"), SPAN("en|fr")},
    {SPAN("Cookie"), SPAN("theme=dark; x=1")},
    {SPAN("cookie"), SPAN("theme; theme=a\\b")},
    {SPAN("X-Empty"), SPAN("")},
};

static const struct key_row {
    const struct cache_key_config *config;
    const char *host, *path, *query, *key;
} rows[] = {
    {&plain, "Example.COM", "/api/services", "?a=1", "http:GET:example.com/api/services?a=1"},
    {&plain, "a:80", "/", "", "http:GET:a/"},
    {&plain, "a:", "/", "?", "http:GET:a/?"},
    {&plain, "a:8080", "/", "?b&&a", "http:GET:a:8080/?b&&a"},
    {&plain, "[::1]:80", "/", "", "http:GET:[::1]/"},
    {&plain, "a:443", "/A|b", "?c\\d|", "http:GET:a:443/A\\|b?c\\\\d\\|"},
    {&no_host, "a", "/x", "?y", "http:GET:/x?y"},
    {&no_query, "a", "/x", "?y", "http:GET:a/x"},
    {&only, "a", "/x", "?c=1&b=2&a=3&%61=4", "http:GET:/x?b=2&a=3&%61=4"},
    {&only, "a", "/x", "?c", "http:GET:/x"},
    {&except, "a", "/x", "?c=1&b=2&d&&a=3", "http:GET:/x?c=1&d"},
    {&sorted, "a", "/x", "?c&b=2&%61=4&b=1&a=3", "http:GET:/x?%61=4&a=3&b=2&b=1&c"},
    {&sorted, "a", "/x", "?", "http:GET:/x"},
    {&with_headers, "a", "/", "",
     "http:GET:/|h:accept-language=de|h:accept-language=en\\|fr|h:x\\|token"},
    {&with_cookies, "a", "/", "", "http:GET:/|c:theme=dark|c:theme\\-|c:theme=a\\\\b"},
    {&with_user, "a", "/", "", "http:GET:/|u"},
};

START_TEST(keys_read_well)
{
    const struct key_row *row = &rows[_i];
    struct buf key = BUF_INIT;
    struct cache_key_request request = {.scheme = SPAN("http"),
                                        .host = text(row->host),
                                        .path = text(row->path),
                                        .query = text(row->query),
                                        .fields = fields,
                                        .field_count = 5};
    cache_key_write(row->config, &request, &key);
    ck_assert_str_eq(buf_text(&key), row->key);
    buf_free(&key);
}
END_TEST

START_TEST(https_has_its_own_keys_and_port)
{
    struct buf key = BUF_INIT;
    struct cache_key_request request = {
        .scheme = SPAN("https"), .host = SPAN("a:443"), .path = SPAN("/")};
    cache_key_write(&plain, &request, &key);
    ck_assert_str_eq(buf_text(&key), "https:GET:a/");
    buf_free(&key);
}
END_TEST

START_TEST(credentials_are_not_readable)
{
    struct buf key = BUF_INIT;
    struct field secret = {SPAN("Authorization"), SPAN("Bearer s3cret")};
    struct cache_key_request request = {
        .scheme = SPAN("http"), .path = SPAN("/"), .fields = &secret, .field_count = 1};
    // echo "Bearer s3cret" | sha256sum | cut -c1-32
    static const char hash[] = "\\#f104bf9b319e0e120f1c148949e65395";
    char expected[128];
    cache_key_write(&with_user, &request, &key);
    snprintf(expected, sizeof(expected), "http:GET:/|u:%s", hash);
    ck_assert_str_eq(buf_text(&key), expected);
    key.length = 0;
    cache_key_write(&with_secret, &request, &key);
    snprintf(expected, sizeof(expected), "http:GET:/|h:authorization=%s", hash);
    ck_assert_str_eq(buf_text(&key), expected);
    key.length = 0;
    request.user = SPAN("al|ice");
    cache_key_write(&with_user, &request, &key);
    ck_assert_str_eq(buf_text(&key), "http:GET:/|u:al\\|ice");
    buf_free(&key);
}
END_TEST

static struct span long_path(char *bytes, size_t length, char last)
{
    memset(bytes, '/', length);
    for (size_t i = 1; i < length; ++i)
        bytes[i] = i % 2 ? '|' : 'a';
    bytes[length - 1] = last;
    return (struct span){bytes, length};
}

START_TEST(long_keys_are_hashed)
{
    static char bytes[70000];
    struct buf key = BUF_INIT, other = BUF_INIT;
    struct cache_key_request request = {.scheme = SPAN("http")};
    request.path = long_path(bytes, sizeof(bytes), 'x');
    cache_key_write(&no_host, &request, &key);
    request.path = long_path(bytes, sizeof(bytes), 'y');
    cache_key_write(&no_host, &request, &other);
    ck_assert_uint_lt(key.length, 300);
    ck_assert_str_ne(buf_text(&key), buf_text(&other));
    ck_assert_int_eq(memcmp(key.data, "http:GET:/\\|a", 13), 0);
    ck_assert_ptr_nonnull(strstr(key.data, "\\~"));
    ck_assert_ptr_null(strstr(key.data, "\\\\"));

    // The longest that is left alone.
    key.length = 0;
    memset(bytes, 'a', sizeof(bytes));
    request.path = (struct span){bytes, SEGMENT_KEY_MAX - strlen("http:GET:")};
    cache_key_write(&no_host, &request, &key);
    ck_assert_uint_eq(key.length, SEGMENT_KEY_MAX);
    struct field field = {SPAN("x"), SPAN("1")};
    struct vary vary = {1, {SPAN("X")}};
    cache_key_add_variant(&key, &vary, 1, &field, 1);
    ck_assert_uint_lt(key.length, 300);
    buf_free(&key);
    buf_free(&other);
}
END_TEST

static const struct variant_row {
    const char *name, *first, *second; // lines; NULL: not there
    const char *suffix;
} variants[] = {
    {"Accept-Encoding", " GZIP ; q=1.0,br", "deflate", "|v:accept-encoding=br,deflate,gzip;q=1.0"},
    {"Accept-Encoding", NULL, NULL, "|v:accept-encoding"},
    {"accept-encoding", "", NULL, "|v:accept-encoding="},
    {"accept-encoding", "g zip", NULL, "|v:accept-encoding=g zip"},
    {"Accept-Language", "de-DE , en; q = 0.5", NULL, "|v:accept-language=de-de,en;q=0.5"},
    {"Accept-Language", "b|", "a", "|v:accept-language=b\\|,a"},
    {"User-Agent", "A, b", "c", "|v:user-agent=A, b|v:user-agent=c"},
    {"X", NULL, NULL, "|v:x"},
    {"Cookie", "a=1", NULL, "|v:cookie=\\#fe3209d6d4f51935b391288a43df48d9"},
    {"Cookie", NULL, NULL, "|v:cookie"},
};

START_TEST(variants_by_normalised_values)
{
    const struct variant_row *row = &variants[_i];
    struct buf key = BUF_INIT;
    struct vary vary = {1, {text(row->name)}};
    struct field lines[2];
    size_t count = 0;
    if (row->first != NULL)
        lines[count++] = (struct field){text(row->name), text(row->first)};
    if (row->second != NULL)
        lines[count++] = (struct field){text(row->name), text(row->second)};
    buf_append_text(&key, "k");
    cache_key_add_variant(&key, &vary, 0xabc, lines, count);
    ck_assert_int_eq(memcmp(buf_text(&key), "k|v=00000abc", 12), 0);
    ck_assert_str_eq(buf_text(&key) + 12, row->suffix);
    buf_free(&key);
}
END_TEST

START_TEST(the_sort_holds_against_many_elements)
{
    static char value[4096];
    struct buf key = BUF_INIT;
    struct vary vary = {1, {SPAN("accept-encoding")}};
    for (size_t i = 0; i + 2 < sizeof(value); i += 2)
        memcpy(value + i, "b,", 2);
    value[4000] = 'a';
    struct field field = {SPAN("accept-encoding"), text(value)};
    cache_key_add_variant(&key, &vary, 1, &field, 1);
    ck_assert_int_eq(memcmp(key.data, "|v=00000001|v:accept-encoding=b,b,", 34), 0);
    buf_free(&key);
}
END_TEST

// --- no two requests with one key ---------------------------------------------------------------

enum { ROUNDS = 200000, PART = 64 };

static uint64_t state = 88172645463325252;

static unsigned random_below(unsigned limit)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return (unsigned)(state % limit);
}

// Behind `start`, up to two pieces that could be confused with the key's own marks.
static struct span random_text(char *bytes, const char *start)
{
    static const char *const pieces[] = {"|u",
                                         "|u:",
                                         "|h:accept-language",
                                         "|h:accept-language=",
                                         "|h:x|token=",
                                         "|h:x\\|token=",
                                         "|c:theme=",
                                         "|c:theme\\-",
                                         "\\",
                                         "|",
                                         "=",
                                         "-",
                                         "?",
                                         "a"};
    size_t length = strlen(start);
    memcpy(bytes, start, length);
    for (unsigned i = random_below(3); i > 0; --i) {
        const char *piece = pieces[random_below(sizeof(pieces) / sizeof(pieces[0]))];
        memcpy(bytes + length, piece, strlen(piece));
        length += strlen(piece);
    }
    return (struct span){bytes, length};
}

struct sample {
    char path[PART], query[PART], user[PART], values[2][PART];
    struct field fields[2];
    struct cache_key_request request;
};

static struct field random_field(char *bytes)
{
    static const char *const names[] = {"accept-language", "x|token", "cookie"};
    unsigned which = random_below(3);
    return (struct field){text(names[which]), random_text(bytes, which == 2 ? "theme" : "")};
}

// Most parts are empty, so that what stands in the others can be taken for them.
static void make_sample(struct sample *sample)
{
    struct cache_key_request *request = &sample->request;
    *request = (struct cache_key_request){.scheme = SPAN("http"), .fields = sample->fields};
    request->host = random_below(4) ? SPAN("") : SPAN("a");
    request->path = random_below(2) ? SPAN("/") : random_text(sample->path, "/");
    if (memchr(request->path.bytes, '?', request->path.length) != NULL)
        request->path = SPAN("/b"); // no path has one
    request->query = random_below(2) ? SPAN("") : random_text(sample->query, "?");
    request->user = random_below(2) ? SPAN("") : random_text(sample->user, "");
    request->field_count = random_below(3);
    for (size_t i = 0; i < request->field_count; ++i)
        sample->fields[i] = random_field(sample->values[i]);
}

static void put_part(struct buf *out, struct span part)
{
    buf_printf(out, "%zu,", part.length);
    if (part.length > 0)
        buf_append(out, part.bytes, part.length);
}

static void put_lines(struct buf *out, const struct cache_key_request *request, const char *name)
{
    for (size_t i = 0; i < request->field_count; ++i)
        if (request->fields[i].name.length == strlen(name) &&
            memcmp(request->fields[i].name.bytes, name, strlen(name)) == 0)
            put_part(out, request->fields[i].value);
    buf_append_text(out, ";");
}

// What all_parts looks at, with a length before everything.
static void describe(const struct cache_key_request *request, struct buf *out)
{
    put_part(out, request->host);
    put_part(out, request->path);
    put_part(out, request->query);
    put_part(out, request->user);
    put_lines(out, request, "accept-language");
    put_lines(out, request, "x|token");
    // Cookies of other names ("themec") do not count.
    for (size_t i = 0; i < request->field_count; ++i) {
        struct span value = request->fields[i].value;
        if (request->fields[i].name.length == 6 && (value.length == 5 || value.bytes[5] == '='))
            put_part(out, value);
    }
}

// The descriptions by key: each key has one.
START_TEST(different_requests_have_different_keys)
{
    struct map *by_key = map_new();
    struct buf key = BUF_INIT, description = BUF_INIT;
    struct sample sample;
    size_t same = 0;
    for (size_t i = 0; i < ROUNDS; ++i) {
        make_sample(&sample);
        key.length = description.length = 0;
        cache_key_write(&all_parts, &sample.request, &key);
        describe(&sample.request, &description);
        const char *other = map_get(by_key, buf_text(&key));
        if (other != NULL)
            ck_assert_msg(strcmp(other, buf_text(&description)) == 0, "%s: %s and %s", key.data,
                          other, buf_text(&description));
        else
            (void)map_put(by_key, key.data, mem_strdup(buf_text(&description)));
        same += other != NULL;
    }
    ck_assert_uint_gt(same, 0);
    ck_assert_uint_gt(map_count(by_key), ROUNDS / 4);
    map_free(by_key, free);
    buf_free(&key);
    buf_free(&description);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("cache_key");
    TCase *tests = tcase_create("cache_key");
    tcase_add_loop_test(tests, keys_read_well, 0, (int)(sizeof(rows) / sizeof(rows[0])));
    tcase_add_test(tests, https_has_its_own_keys_and_port);
    tcase_add_test(tests, credentials_are_not_readable);
    tcase_add_test(tests, long_keys_are_hashed);
    tcase_add_loop_test(tests, variants_by_normalised_values, 0,
                        (int)(sizeof(variants) / sizeof(variants[0])));
    tcase_add_test(tests, the_sort_holds_against_many_elements);
    tcase_add_test(tests, different_requests_have_different_keys);
    tcase_set_timeout(tests, 30);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
