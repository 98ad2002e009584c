// What is written to an upstream.
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "request_head.h"

static struct request_head plain(void)
{
    return (struct request_head){.method = SPAN("GET"),
                                 .path = SPAN("/a"),
                                 .host = SPAN("example.com"),
                                 .peer = SPAN("192.0.2.7"),
                                 .scheme = SPAN("http")};
}

// Writes into a buffer of exactly the bound. The caller frees the NUL-terminated result; NULL when
// it was refused.
static char *write_head(const struct request_head *head)
{
    size_t bound = request_head_bound(head);
    size_t length = 0;
    struct err err;
    char *exact = malloc(bound);
    ck_assert_ptr_nonnull(exact);
    int result = request_head_write(head, exact, bound, &length, &err);
    char *text = result == 0 ? strndup(exact, length) : NULL;
    free(exact);
    return text;
}

START_TEST(the_smallest_head)
{
    struct request_head head = plain();
    char *text = write_head(&head);
    ck_assert_str_eq(text, "GET /a HTTP/1.1\r\n"
                           "host: example.com\r\n"
                           "x-forwarded-for: 192.0.2.7\r\n"
                           "x-forwarded-proto: http\r\n"
                           "x-forwarded-host: example.com\r\n"
                           "\r\n");
    free(text);
}
END_TEST

START_TEST(query_fields_and_body)
{
    const struct field fields[] = {{SPAN("host"), SPAN("evil")},
                                   {SPAN("accept"), SPAN("*/*")},
                                   {SPAN("connection"), SPAN("close, X-Hop")},
                                   {SPAN("x-hop"), SPAN("1")},
                                   {SPAN("x-empty"), SPAN("")},
                                   {SPAN("x-forwarded-for"), SPAN("10.0.0.1")},
                                   {SPAN("content-length"), SPAN("7")},
                                   {SPAN("transfer-encoding"), SPAN("chunked")},
                                   {SPAN("expect"), SPAN("100-continue")},
                                   {SPAN("x-tab"), SPAN("a\tb\xc3\xa4")}};
    struct request_head head = plain();
    head.method = SPAN("POST");
    head.query = SPAN("?b=c");
    head.fields = fields;
    head.field_count = sizeof(fields) / sizeof(fields[0]);
    head.has_content_length = true;
    head.content_length = UINT64_MAX;
    char *text = write_head(&head);
    ck_assert_str_eq(text, "POST /a?b=c HTTP/1.1\r\n"
                           "host: example.com\r\n"
                           "accept: */*\r\n"
                           "x-empty: \r\n"
                           "x-tab: a\tb\xc3\xa4\r\n"
                           "x-forwarded-for: 192.0.2.7\r\n"
                           "x-forwarded-proto: http\r\n"
                           "x-forwarded-host: example.com\r\n"
                           "content-length: 18446744073709551615\r\n"
                           "\r\n");
    free(text);
}
END_TEST

START_TEST(what_proxies_said_may_stand_before_the_address)
{
    const struct field fields[] = {{SPAN("X-Forwarded-For"), SPAN("203.0.113.9, 10.0.0.1")},
                                   {SPAN("connection"), SPAN("x-forwarded-for")},
                                   {SPAN("x-forwarded-for"), SPAN("")},
                                   {SPAN("x-forwarded-forx"), SPAN("evil")},
                                   {SPAN("x_forwarded_for"), SPAN("evil")},
                                   {SPAN("x-forwarded-for"), SPAN("10.0.0.2")}};
    struct request_head head = plain();
    head.fields = fields;
    head.field_count = sizeof(fields) / sizeof(fields[0]);
    head.keeps_forwarded_for = true;
    char *text = write_head(&head);
    ck_assert_ptr_nonnull(text);
    ck_assert_ptr_nonnull(
        strstr(text, "\r\nx-forwarded-for: 203.0.113.9, 10.0.0.1, 10.0.0.2, 192.0.2.7\r\n"));
    ck_assert_ptr_null(strstr(text, "evil"));
    free(text);
}
END_TEST

START_TEST(the_bound_is_enough_and_tight)
{
    struct field field = {SPAN("a"), SPAN("b")};
    struct request_head head = plain();
    head.fields = &field;
    head.field_count = 1;
    head.has_content_length = true;
    head.content_length = UINT64_MAX;
    char *text = write_head(&head);
    ck_assert_ptr_nonnull(text);
    ck_assert_uint_eq(request_head_bound(&head), strlen(text));
    free(text);
}
END_TEST

START_TEST(an_empty_body_is_said)
{
    struct request_head head = plain();
    head.has_content_length = true;
    char *text = write_head(&head);
    ck_assert_ptr_nonnull(strstr(text, "\r\ncontent-length: 0\r\n\r\n"));
    free(text);
}
END_TEST

static const struct span breaking[] = {{"a\r\nb", 4}, {"a\nb", 3}, {"a\rb", 3},
                                       {"a\0b", 3},   {"\r\n", 2}, {"aaaaaaaaa\n", 10}};

START_TEST(nothing_can_end_its_line)
{
    struct span bad = breaking[_i];
    struct field in_name = {bad, SPAN("x")};
    struct field in_value = {SPAN("x"), bad};
    struct request_head heads[8];
    for (size_t i = 0; i < 8; ++i)
        heads[i] = plain();
    heads[0].method = heads[1].path = heads[2].query = heads[3].host = bad;
    heads[4].peer = heads[5].scheme = bad;
    heads[6].fields = &in_name;
    heads[7].fields = &in_value;
    heads[6].field_count = heads[7].field_count = 1;
    for (size_t i = 0; i < 8; ++i)
        ck_assert_msg(write_head(&heads[i]) == NULL, "part %zu", i);
}
END_TEST

START_TEST(empty_parts_and_odd_bytes)
{
    struct field nameless = {SPAN(""), SPAN("x")};
    struct field spaced = {SPAN("a b"), SPAN("x")};
    struct request_head heads[6];
    for (size_t i = 0; i < 6; ++i)
        heads[i] = plain();
    heads[0].method = (struct span){"", 0};
    heads[1].path = (struct span){"", 0};
    heads[2].path = SPAN("/a b");
    heads[3].query = SPAN("?\xc3\xa4");
    heads[4].fields = &nameless;
    heads[5].fields = &spaced;
    heads[4].field_count = heads[5].field_count = 1;
    for (size_t i = 0; i < 6; ++i)
        ck_assert_msg(write_head(&heads[i]) == NULL, "part %zu", i);
}
END_TEST

START_TEST(a_short_buffer_is_refused)
{
    struct request_head head = plain();
    char *text = write_head(&head);
    size_t needed = strlen(text);
    for (size_t size = 0; size <= needed; ++size) {
        char *out = malloc(size + 1);
        size_t length = 0;
        struct err err;
        int expected = size == needed ? 0 : -1;
        ck_assert_int_eq(request_head_write(&head, out, size, &length, &err), expected);
        free(out);
    }
    free(text);
}
END_TEST

START_TEST(a_flood_of_connection_names_is_refused)
{
    struct field flood = {SPAN("connection"), SPAN("a,b,c,d,e,f,g,h,i,j,k,l,m,n,o,p,q")};
    struct request_head head = plain();
    head.fields = &flood;
    head.field_count = 1;
    ck_assert_ptr_null(write_head(&head));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("request_head");
    TCase *tests = tcase_create("request_head");
    tcase_add_test(tests, the_smallest_head);
    tcase_add_test(tests, query_fields_and_body);
    tcase_add_test(tests, what_proxies_said_may_stand_before_the_address);
    tcase_add_test(tests, the_bound_is_enough_and_tight);
    tcase_add_test(tests, an_empty_body_is_said);
    tcase_add_loop_test(tests, nothing_can_end_its_line, 0,
                        (int)(sizeof(breaking) / sizeof(breaking[0])));
    tcase_add_test(tests, empty_parts_and_odd_bytes);
    tcase_add_test(tests, a_short_buffer_is_refused);
    tcase_add_test(tests, a_flood_of_connection_names_is_refused);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
