// Conditions on requests.
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "common/match_config.h"
#include "match.h"

static struct span text(const char *string)
{
    return (struct span){string, strlen(string)};
}

static char get[] = "GET", head[] = "HEAD";
static char *both[] = {get, head, NULL};
static char *only_get[] = {get, NULL};

#define PATH(pattern)                                                                              \
    {                                                                                              \
        .path = (char[])                                                                           \
        {                                                                                          \
            pattern                                                                                \
        }                                                                                          \
    }
#define NAMED(what, text)                                                                          \
    {                                                                                              \
        .what = {.name = (char[]){text} }                                                          \
    }
#define VALUE(what, text, pattern)                                                                 \
    {                                                                                              \
        .what = {.name = (char[]){text}, .glob = (char[]){pattern} }                               \
    }

static const struct field fields[] = {
    {SPAN("Accept"), SPAN("text/html")}, {SPAN("ACCEPT"), SPAN("application/json")},
    {SPAN("X-Empty"), SPAN("")},         {SPAN("cookie"), SPAN("a=1; theme=dark")},
    {SPAN("Cookie"), SPAN("b=2")},
};

static const struct match_row {
    struct match_config config;
    const char *method, *path, *query;
    bool matches;
} rows[] = {
    {PATH("/a"), "GET", "/a", "", true},
    {PATH("/a"), "GET", "/a/", "", false},
    {PATH("/a"), "GET", "/ab", "", false},
    {PATH("/a/*"), "GET", "/a", "", true},
    {PATH("/a/*"), "GET", "/a/", "", true},
    {PATH("/a/*"), "GET", "/a/b/c", "", true},
    {PATH("/a/*"), "GET", "/ab", "", false},
    {PATH("/a/*"), "GET", "/A/b", "", false},
    {PATH("/*"), "GET", "/", "", true},
    {PATH("/*"), "GET", "/x", "", true},
    {{.methods = {both, 2}}, "HEAD", "/", "", true},
    {{.methods = {both, 2}}, "head", "/", "", false},
    {{.methods = {only_get, 1}}, "HEAD", "/", "", false},
    {{.methods = {only_get, 1}, .path = (char[]){"/a"}}, "GET", "/a", "", true},
    {{.methods = {only_get, 1}, .path = (char[]){"/a"}}, "GET", "/b", "", false},
    {NAMED(header, "accept"), "GET", "/", "", true},
    {NAMED(header, "x-empty"), "GET", "/", "", true},
    {NAMED(header, "x-other"), "GET", "/", "", false},
    {VALUE(header, "accept", "*json"), "GET", "/", "", true},
    {VALUE(header, "accept", "*JSON"), "GET", "/", "", false},
    {VALUE(header, "x-empty", "?*"), "GET", "/", "", false},
    {NAMED(query, "a"), "GET", "/", "?a", true},
    {NAMED(query, "a"), "GET", "/", "?b=1&%61=2", true},
    {NAMED(query, "a"), "GET", "/", "?A=1", false},
    {NAMED(query, "a"), "GET", "/", "?", false},
    {NAMED(query, "a"), "GET", "/", "", false},
    {VALUE(query, "a", "x y"), "GET", "/", "?a=1&a=x+%79", true},
    {VALUE(query, "a", "x y"), "GET", "/", "?a=x", false},
    {NAMED(cookie, "theme"), "GET", "/", "", true},
    {NAMED(cookie, "b"), "GET", "/", "", true},
    {NAMED(cookie, "B"), "GET", "/", "", false},
    {VALUE(cookie, "theme", "d*"), "GET", "/", "", true},
    {VALUE(cookie, "theme", "l*"), "GET", "/", "", false},
    {{.is_authenticated = true}, "GET", "/", "", false},
    {{.path = NULL}, "GET", "/", "", true},
};

START_TEST(conditions)
{
    const struct match_row *row = &rows[_i];
    struct match_subject subject = {.method = text(row->method),
                                    .path = text(row->path),
                                    .query = text(row->query),
                                    .fields = fields,
                                    .field_count = sizeof(fields) / sizeof(fields[0])};
    ck_assert_msg(match_request(&row->config, &subject) == row->matches, "row %d", _i);
}
END_TEST

START_TEST(authenticated)
{
    struct match_config config = {.is_authenticated = true};
    struct field field = {SPAN("AUTHORIZATION"), SPAN("")};
    struct match_subject subject = {SPAN("GET"), SPAN("/"), SPAN(""), &field, 0, false};
    ck_assert(!match_request(&config, &subject));
    subject.has_identity = true;
    ck_assert(match_request(&config, &subject));
    subject.has_identity = false;
    subject.field_count = 1;
    ck_assert(match_request(&config, &subject));
}
END_TEST

START_TEST(any_of_several)
{
    struct match_config configs[] = {PATH("/a"), PATH("/b")};
    struct match_subject subject = {SPAN("GET"), SPAN("/b"), SPAN(""), NULL, 0, false};
    ck_assert(match_any(configs, 2, &subject));
    ck_assert(!match_any(configs, 1, &subject));
    ck_assert(!match_any(NULL, 0, &subject));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("match");
    TCase *tests = tcase_create("match");
    tcase_add_loop_test(tests, conditions, 0, (int)(sizeof(rows) / sizeof(rows[0])));
    tcase_add_test(tests, authenticated);
    tcase_add_test(tests, any_of_several);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
