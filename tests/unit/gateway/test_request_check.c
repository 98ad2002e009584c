// The strict request check, as tables of heads.
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "request_check.h"

#define HOST "host: a\r\n"

static struct request_facts facts;

// Checks a copy of exactly `length` bytes, so that a sanitizer sees every byte read too many.
static const char *check_bytes(const char *bytes, size_t length)
{
    static char *copy; // until the next call: the facts point into it
    free(copy);
    copy = malloc(length > 0 ? length : 1);
    ck_assert_ptr_nonnull(copy);
    memcpy(copy, bytes, length);
    return request_check(copy, length, &facts);
}

static const char *check_text(const char *head)
{
    return check_bytes(head, strlen(head));
}

static bool is(struct span span, const char *text)
{
    return span.length == strlen(text) && memcmp(span.bytes, text, span.length) == 0;
}

struct accepted {
    const char *head, *method, *path, *query, *authority;
};

static const struct accepted accepted[] = {
    {"GET / HTTP/1.1\r\n" HOST "\r\n", "GET", "/", "", "a"},
    {"GET /a/%2f?b=/../?c HTTP/1.1\r\n" HOST "\r\n", "GET", "/a/%2f", "?b=/../?c", "a"},
    {"PROPFIND /a? HTTP/1.1\r\n" HOST "\r\n", "PROPFIND", "/a", "?", "a"},
    {"GET / HTTP/1.0\r\n\r\n", "GET", "/", "", ""},
    {"GET / HTTP/1.0\r\n" HOST "\r\n", "GET", "/", "", "a"},
    {"GET / HTTP/1.1\r\nHOST:\t example.com:8080 \t\r\n\r\n", "GET", "/", "", "example.com:8080"},
    {"GET http://b/c?d HTTP/1.1\r\n" HOST "\r\n", "GET", "/c", "?d", "b"},
    {"GET HTTP://b:80 HTTP/1.1\r\n" HOST "\r\n", "GET", "/", "", "b:80"},
    {"GET http://b?d HTTP/1.1\r\n" HOST "\r\n", "GET", "/", "?d", "b"},
    {"GET http://[::1]:9/ HTTP/1.0\r\n\r\n", "GET", "/", "", "[::1]:9"},
    {"OPTIONS * HTTP/1.1\r\n" HOST "\r\n", "OPTIONS", "*", "", "a"},
    {"OPTIONS http://b HTTP/1.1\r\n" HOST "\r\n", "OPTIONS", "*", "", "b"},
    {"GET / HTTP/1.1\r\n" HOST "upgrade: h2c-14, websocket\r\n\r\n", "GET", "/", "", "a"},
    {"GET / HTTP/1.1\r\n" HOST "x: \x80\xff\tb\r\ny:\r\n\r\n", "GET", "/", "", "a"},
};

START_TEST(takes_good_heads_apart)
{
    const struct accepted *row = &accepted[_i];
    ck_assert_msg(check_text(row->head) == NULL, "%s", row->head);
    ck_assert_msg(is(facts.method, row->method), "%s", row->head);
    ck_assert_msg(is(facts.path, row->path), "%s", row->head);
    ck_assert_msg(is(facts.query, row->query), "%s", row->head);
    ck_assert_msg(is(facts.authority, row->authority), "%s", row->head);
    ck_assert_uint_eq(facts.head_length, strlen(row->head));
}
END_TEST

struct refused {
    const char *head, *reason;
};

static const struct refused refused[] = {
    // framing
    {"POST / HTTP/1.1\r\n" HOST "content-length: 3\r\ncontent-length: 3\r\n\r\n", "two Content"},
    {"POST / HTTP/1.1\r\n" HOST "content-length: 3\r\nContent-Length: 4\r\n\r\n", "two Content"},
    {"POST / HTTP/1.1\r\n" HOST "content-length: 3\r\ntransfer-encoding: chunked\r\n\r\n",
     "beside"},
    {"POST / HTTP/1.1\r\n" HOST "transfer-encoding: chunked\r\ncontent-length: 3\r\n\r\n",
     "beside"},
    {"POST / HTTP/1.1\r\n" HOST "content-length: 0\r\ntransfer-encoding: chunked\r\n\r\n",
     "beside"},
    {"POST / HTTP/1.1\r\n" HOST "content-length: 3, 3\r\n\r\n", "malformed Content-Length"},
    {"POST / HTTP/1.1\r\n" HOST "content-length: +3\r\n\r\n", "malformed Content-Length"},
    {"POST / HTTP/1.1\r\n" HOST "content-length: 0x3\r\n\r\n", "malformed Content-Length"},
    {"POST / HTTP/1.1\r\n" HOST "content-length:\r\n\r\n", "malformed Content-Length"},
    {"POST / HTTP/1.1\r\n" HOST "content-length: 99999999999999999999\r\n\r\n", "malformed"},
    {"POST / HTTP/1.1\r\n" HOST "transfer-encoding: chunked\r\ntransfer-encoding: chunked\r\n\r\n",
     "two Transfer"},
    {"POST / HTTP/1.1\r\n" HOST "transfer-encoding: gzip, chunked\r\n\r\n", "other than chunked"},
    {"POST / HTTP/1.1\r\n" HOST "transfer-encoding: identity\r\n\r\n", "other than chunked"},
    {"POST / HTTP/1.1\r\n" HOST "transfer-encoding:\r\n\r\n", "other than chunked"},
    {"POST / HTTP/1.1\r\n" HOST "transfer-encoding: chunked;q=1\r\n\r\n", "other than chunked"},
    {"POST / HTTP/1.0\r\n" HOST "transfer-encoding: chunked\r\n\r\n", "in HTTP/1.0"},
    // another protocol
    {"GET / HTTP/1.1\r\n" HOST "upgrade: h2c\r\n\r\n", "h2c"},
    {"GET / HTTP/1.1\r\n" HOST "Upgrade: websocket, H2C\r\n\r\n", "h2c"},
    // host
    {"GET / HTTP/1.1\r\n\r\n", "no Host"},
    {"GET http://b/ HTTP/1.1\r\n\r\n", "no Host"},
    {"GET / HTTP/1.1\r\n" HOST HOST "\r\n", "two Host"},
    {"GET / HTTP/1.1\r\n" HOST "HOST: b\r\n\r\n", "two Host"},
    {"GET / HTTP/1.1\r\nhost:\r\n\r\n", "malformed Host"},
    {"GET / HTTP/1.1\r\nhost: :\r\n\r\n", "malformed Host"},
    {"GET / HTTP/1.1\r\nhost: a/b?c@d\r\n\r\n", "malformed Host"},
    {"GET / HTTP/1.1\r\nhost: a b\r\n\r\n", "malformed Host"},
    {"GET / HTTP/1.1\r\nhost: [::1\r\n\r\n", "malformed Host"},
    {"GET http://b/ HTTP/1.1\r\nhost: a/b\r\n\r\n", "malformed Host"},
    // lines
    {"GET / HTTP/1.1\n" HOST "\r\n", "bare LF"},
    {"GET / HTTP/1.1\r\nhost: a\n\r\n", "bare LF"},
    {"GET / HTTP/1.1\r\n" HOST "\n", "empty field name"},
    {"GET / HTTP/1.1\r\n" HOST "x: a\rb\r\n\r\n", "bare CR"},
    {"GET / HTTP/1.1\r\n" HOST "\rx\r\n\r\n", "bare CR"},
    {"GET / HTTP/1.1\r\n" HOST "x: a\r\n b\r\n\r\n", "folded"},
    {"GET / HTTP/1.1\r\n" HOST "x: a\r\n\tb: c\r\n\r\n", "folded"},
    {"GET / HTTP/1.1\r\n host: a\r\n\r\n", "folded"},
    {"GET / HTTP/1.1\r\n" HOST "x: \x01\r\n\r\n", "control"},
    {"GET / HTTP/1.1\r\n" HOST "x: \x7f\r\n\r\n", "control"},
    {"GET / HTTP/1.1\r\n" HOST ": x\r\n\r\n", "empty field name"},
    {"GET / HTTP/1.1\r\n" HOST "x y: z\r\n\r\n", "blank before"},
    {"GET / HTTP/1.1\r\nhost : a\r\n\r\n", "blank before"},
    {"GET / HTTP/1.1\r\n" HOST "x\xe4: z\r\n\r\n", "not a token"},
    {"GET / HTTP/1.1\r\n" HOST "x(y): z\r\n\r\n", "not a token"},
    {"GET / HTTP/1.1\r\n" HOST "nocolon\r\n\r\n", "without colon"},
    {"GET / HTTP/1.1\r\n" HOST, "not whole"},
    {"GET / HTTP/1.1\r\nhost: a", "not whole"},
    {"GET / HTTP/1.1\r\nhost", "not whole"},
    {"GET / HTTP/1.1\r\n" HOST "\r", "not whole"},
    // request line
    {"", "method"},
    {"\r\nGET / HTTP/1.1\r\n" HOST "\r\n", "method"},
    {" GET / HTTP/1.1\r\n" HOST "\r\n", "method"},
    {"G{T / HTTP/1.1\r\n" HOST "\r\n", "method"},
    {"G\"T / HTTP/1.1\r\n" HOST "\r\n", "method"},
    {"GET\t/ HTTP/1.1\r\n" HOST "\r\n", "method"},
    {"GET", "method"},
    {"CONNECT a:443 HTTP/1.1\r\n" HOST "\r\n", "CONNECT"},
    {"GET  / HTTP/1.1\r\n" HOST "\r\n", "target"},
    {"GET /", "target"},
    {"GET foo HTTP/1.1\r\n" HOST "\r\n", "neither"},
    {"GET a:443 HTTP/1.1\r\n" HOST "\r\n", "neither"},
    {"GET * HTTP/1.1\r\n" HOST "\r\n", "neither"},
    {"OPTIONS *x HTTP/1.1\r\n" HOST "\r\n", "neither"},
    {"GET ftp://b/ HTTP/1.1\r\n" HOST "\r\n", "neither"},
    {"GET http:/b HTTP/1.1\r\n" HOST "\r\n", "neither"},
    {"GET http:// HTTP/1.1\r\n" HOST "\r\n", "authority"},
    {"GET http:///c HTTP/1.1\r\n" HOST "\r\n", "authority"},
    {"GET http://u@b/c HTTP/1.1\r\n" HOST "\r\n", "authority"},
    {"GET /a#b HTTP/1.1\r\n" HOST "\r\n", "target"},
    {"GET /\xc3\xa4 HTTP/1.1\r\n" HOST "\r\n", "target"},
    {"GET /\x01 HTTP/1.1\r\n" HOST "\r\n", "target"},
    {"GET /\x7f HTTP/1.1\r\n" HOST "\r\n", "target"},
    {"GET /a\r\n" HOST "\r\n", "target"},
    {"GET /a b HTTP/1.1\r\n" HOST "\r\n", "version"},
    {"GET /  HTTP/1.1\r\n" HOST "\r\n", "version"},
    {"GET / HTTP/2.0\r\n" HOST "\r\n", "version"},
    {"GET / http/1.1\r\n" HOST "\r\n", "version"},
    {"GET / HTTP/1.x\r\n" HOST "\r\n", "version"},
    {"GET / HTTP/1.", "version"},
    {"GET / HTTP/1.10\r\n" HOST "\r\n", "control"},
    {"GET / HTTP/1.1 \r\n" HOST "\r\n", "control"},
};

START_TEST(refuses_bad_heads_with_the_right_reason)
{
    const struct refused *row = &refused[_i];
    const char *reason = check_text(row->head);
    ck_assert_msg(reason != NULL, "accepted: %s", row->head);
    ck_assert_msg(strstr(reason, row->reason) != NULL, "%s: %s", row->head, reason);
}
END_TEST

START_TEST(refuses_nul_everywhere)
{
    static const char head[] = "POST /a HTTP/1.1\r\nhost: a\r\ncontent-length: 1\r\n\r\n";
    for (size_t i = 0; i < sizeof(head) - 1; ++i) {
        char copy[sizeof(head)];
        memcpy(copy, head, sizeof(head));
        copy[i] = '\0';
        ck_assert_msg(check_bytes(copy, sizeof(head) - 1) != NULL, "at %zu", i);
    }
}
END_TEST

START_TEST(every_prefix_is_refused)
{
    static const char head[] = "POST http://b:1/a?c HTTP/1.1\r\nhost: a\r\nx: yyyyyyyyyyyy\r\n\r\n";
    for (size_t length = 0; length < sizeof(head) - 1; ++length)
        ck_assert_msg(check_bytes(head, length) != NULL, "at %zu", length);
    ck_assert_ptr_null(check_bytes(head, sizeof(head) - 1));
}
END_TEST

START_TEST(stops_at_the_end_of_the_head)
{
    static const char head[] = "POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 9\r\n\r\n";
    static const char more[] = "content-length: 3\r\n\n\0\x01 GET";
    char both[sizeof(head) + sizeof(more)];
    memcpy(both, head, sizeof(head) - 1);
    memcpy(both + sizeof(head) - 1, more, sizeof(more) - 1);
    ck_assert_ptr_null(check_bytes(both, sizeof(head) + sizeof(more) - 2));
    ck_assert_uint_eq(facts.head_length, sizeof(head) - 1);
}
END_TEST

START_TEST(tells_about_the_body)
{
    ck_assert_ptr_null(check_text("HEAD / HTTP/1.2\r\n" HOST "\r\n"));
    ck_assert(facts.is_head && facts.version_minor == 1 && !facts.has_body);
    ck_assert(!facts.has_content_length && !facts.has_transfer_encoding);
    ck_assert_ptr_null(check_text("POST / HTTP/1.0\r\nContent-Length: 12\r\n\r\n"));
    ck_assert(!facts.is_head && facts.version_minor == 0 && facts.has_body);
    ck_assert(facts.has_content_length && facts.content_length == 12);
    ck_assert_ptr_null(check_text("POST / HTTP/1.1\r\n" HOST "content-length: 0\r\n\r\n"));
    ck_assert(!facts.has_body && facts.has_content_length);
    ck_assert_ptr_null(check_text("POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: Chunked\r\n\r\n"));
    ck_assert(facts.has_body && facts.has_transfer_encoding && !facts.has_content_length);
}
END_TEST

START_TEST(lists_the_fields)
{
    ck_assert_ptr_null(check_text("GET / HTTP/1.1\r\n" HOST "X-A: b c \r\ny:\r\n\r\n"));
    ck_assert_uint_eq(facts.field_count, 3);
    ck_assert(is(facts.fields[1].name, "X-A") && is(facts.fields[1].value, "b c"));
    ck_assert(is(facts.fields[2].name, "y") && is(facts.fields[2].value, ""));
}
END_TEST

START_TEST(a_hundred_fields_and_no_more)
{
    char head[4096];
    for (int count = REQUEST_MAX_FIELDS; count <= REQUEST_MAX_FIELDS + 1; ++count) {
        int at = snprintf(head, sizeof(head), "GET / HTTP/1.1\r\nhost: a\r\n");
        for (int i = 1; i < count; ++i)
            at += snprintf(head + at, sizeof(head) - (size_t)at, "x: y\r\n");
        snprintf(head + at, sizeof(head) - (size_t)at, "\r\n");
        ck_assert((check_text(head) == NULL) == (count == REQUEST_MAX_FIELDS));
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("request_check");
    TCase *tests = tcase_create("request_check");
    tcase_add_loop_test(tests, takes_good_heads_apart, 0,
                        (int)(sizeof(accepted) / sizeof(accepted[0])));
    tcase_add_loop_test(tests, refuses_bad_heads_with_the_right_reason, 0,
                        (int)(sizeof(refused) / sizeof(refused[0])));
    tcase_add_test(tests, refuses_nul_everywhere);
    tcase_add_test(tests, every_prefix_is_refused);
    tcase_add_test(tests, stops_at_the_end_of_the_head);
    tcase_add_test(tests, tells_about_the_body);
    tcase_add_test(tests, lists_the_fields);
    tcase_add_test(tests, a_hundred_fields_and_no_more);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
