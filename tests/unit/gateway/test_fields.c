// Which fields cross the gateway, in both directions.
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fields.h"

static struct span text(const char *string)
{
    return (struct span){string, strlen(string)};
}

struct row {
    const char *name;
    bool request, response;
};

static const struct row rows[] = {
    {"Accept", true, true},
    {"User-Agent", true, true},
    {"content-type", true, true},
    {"Authorization", true, true},
    {"Set-Cookie", true, true},
    {"X-Request-Id", true, true},
    {"Server", true, true},
    {"x-forwarded", true, true},
    {"a", true, true},
    {"", true, true},
    {"a-name-that-is-longer-than-any-in-the-table", true, true},
    // hop-by-hop
    {"Connection", false, false},
    {"Proxy-Connection", false, false},
    {"Keep-Alive", false, false},
    {"TE", false, false},
    {"trailer", false, false},
    {"Transfer-Encoding", false, false},
    {"TRANSFER_ENCODING", false, false},
    {"Upgrade", false, false},
    {"HTTP2-Settings", false, false},
    {"Proxy-Authenticate", false, false},
    {"Proxy-Authorization", false, false},
    {"Proxy-Authentication-Info", false, false},
    // ours
    {"Host", false, true},
    {"Content-Length", false, false},
    {"content_length", false, false},
    {"Date", true, false},
    {"Expect", false, true},
    {"Proxy", false, true},
    {"Forwarded", false, true},
    {"X-Real-IP", false, true},
    {"X_Real_IP", false, true},
    {"X-Forwarded-For", false, true},
    {"x_forwarded_for", false, true},
    {"X-Forwarded-Proto", false, true},
    {"X-Forwarded-Anything-At-All", false, true},
};

START_TEST(fixed_rules)
{
    struct connection_names none = {.count = 0};
    ck_assert_msg(fields_forward_request(text(rows[_i].name), &none) == rows[_i].request, "%s",
                  rows[_i].name);
    ck_assert_msg(fields_forward_response(text(rows[_i].name), &none) == rows[_i].response, "%s",
                  rows[_i].name);
}
END_TEST

START_TEST(what_connection_names_stays_here)
{
    struct connection_names names = {.count = 0};
    struct field fields[] = {
        {SPAN("Accept"), SPAN("*/*")},
        {SPAN("CONNECTION"), SPAN("close, X-Hop ,x-other")},
        {SPAN("connection"), SPAN("third_one")},
    };
    fields_find_connection(fields, 3, &names, NULL);
    ck_assert_uint_eq(names.count, 3);
    ck_assert(!fields_forward_request(SPAN("x-hop"), &names));
    ck_assert(!fields_forward_request(SPAN("X-OTHER"), &names));
    ck_assert(!fields_forward_response(SPAN("Third-One"), &names));
    ck_assert(fields_forward_request(SPAN("accept"), &names));
    ck_assert(fields_forward_request(SPAN("x-hop2"), &names));
}
END_TEST

static const char *const kept[] = {
    "Host",          "Content-Length",  "content-type", "Content-Range", "Content-Anything",
    "Authorization", "cookie",          "Set-Cookie",   "cache-control", "Date",
    "Vary",          "X-Forwarded-For", "forwarded",    "x-real-ip"};

START_TEST(connection_cannot_remove_what_the_message_means)
{
    struct connection_names names = {.count = 0};
    fields_read_connection(text(kept[_i]), &names, NULL);
    ck_assert_msg(names.count == 0, "%s", kept[_i]);
}
END_TEST

START_TEST(options_of_the_connection)
{
    struct connection_options options = {false, false};
    fields_read_connection(SPAN("Upgrade, TE"), NULL, &options);
    ck_assert(!options.close && !options.keep_alive);
    fields_read_connection(SPAN("foo,Keep-Alive"), NULL, &options);
    ck_assert(!options.close && options.keep_alive);
    fields_read_connection(SPAN(",CLOSE,"), NULL, &options);
    ck_assert(options.close && options.keep_alive);
}
END_TEST

START_TEST(too_many_names_are_noticed)
{
    struct connection_names names = {.count = 0};
    char name[16];
    for (int i = 0; i <= FIELDS_MAX_NAMED; ++i) {
        ck_assert(!names.overflow);
        snprintf(name, sizeof(name), "x-%d", i);
        fields_read_connection(text(name), &names, NULL);
    }
    ck_assert(names.overflow);
    ck_assert_uint_eq(names.count, FIELDS_MAX_NAMED);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("fields");
    TCase *tests = tcase_create("fields");
    tcase_add_loop_test(tests, fixed_rules, 0, (int)(sizeof(rows) / sizeof(rows[0])));
    tcase_add_test(tests, what_connection_names_stays_here);
    tcase_add_loop_test(tests, connection_cannot_remove_what_the_message_means, 0,
                        (int)(sizeof(kept) / sizeof(kept[0])));
    tcase_add_test(tests, options_of_the_connection);
    tcase_add_test(tests, too_many_names_are_noticed);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
