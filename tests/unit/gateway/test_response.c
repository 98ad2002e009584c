// Response heads, as tables; each also byte by byte.
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "response.h"

static struct response_head head;

static bool is(struct span span, const char *text)
{
    return span.length == strlen(text) && memcmp(span.bytes, text, span.length) == 0;
}

static enum response_result parse(const char *text, bool to_head)
{
    return response_parse_head(text, strlen(text), 0, to_head, &head);
}

// As a connection would: a growing buffer, each call told the length of the last one. Every call
// gets a block of its own, so that a sanitizer sees reads beyond it.
static enum response_result parse_bytewise(const char *text, bool to_head)
{
    enum response_result result = RESPONSE_MORE;
    size_t length = strlen(text);
    for (size_t have = 1; have <= length && result == RESPONSE_MORE; ++have) {
        char *copy = malloc(have);
        ck_assert_ptr_nonnull(copy);
        memcpy(copy, text, have);
        result = response_parse_head(copy, have, have - 1, to_head, &head);
        free(copy);
    }
    return result;
}

enum { UNKNOWN = -1, TO_HEAD = 1 };

struct accepted {
    const char *text;
    int to_head, status, version_minor;
    enum body_framing framing;
    int content_length;
    bool keep_alive;
};

static const struct accepted accepted[] = {
    {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", 0, 200, 1, BODY_LENGTH, 5, true},
    {"HTTP/1.1 200 OK\r\ncontent-length:0\r\n\r\n", 0, 200, 1, BODY_LENGTH, 0, true},
    {"HTTP/1.1 200 \r\nContent-Length: \t5 \r\n\r\n", 0, 200, 1, BODY_LENGTH, 5, true},
    {"HTTP/1.1 200\r\nContent-Length: 5\r\n\r\n", 0, 200, 1, BODY_LENGTH, 5, true},
    {"HTTP/1.1 404 N\xc3\xb6 \tx\r\nTransfer-Encoding: Chunked\r\n\r\n", 0, 404, 1, BODY_CHUNKED,
     UNKNOWN, true},
    {"HTTP/1.1 200 OK\r\n\r\n", 0, 200, 1, BODY_UNTIL_CLOSE, UNKNOWN, false},
    {"HTTP/1.1 200 OK\r\nX:\r\nConnection: close\r\nContent-Length: 5\r\n\r\n", 0, 200, 1,
     BODY_LENGTH, 5, false},
    {"HTTP/1.1 200 OK\r\nConnection: foo\r\nConnection: x, Close\r\nContent-Length: 5\r\n\r\n", 0,
     200, 1, BODY_LENGTH, 5, false},
    {"HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\n", 0, 200, 0, BODY_LENGTH, 5, false},
    {"HTTP/1.0 200 OK\r\nConnection: Keep-Alive\r\nContent-Length: 5\r\n\r\n", 0, 200, 0,
     BODY_LENGTH, 5, true},
    {"HTTP/1.0 200 OK\r\nConnection: Keep-Alive\r\n\r\n", 0, 200, 0, BODY_UNTIL_CLOSE, UNKNOWN,
     false},
    // no body
    {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", TO_HEAD, 200, 1, BODY_NONE, 5, true},
    {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", TO_HEAD, 200, 1, BODY_NONE, UNKNOWN,
     true},
    {"HTTP/1.1 200 OK\r\n\r\n", TO_HEAD, 200, 1, BODY_NONE, UNKNOWN, true},
    {"HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n", 0, 304, 1, BODY_NONE, 5, true},
    {"HTTP/1.1 204 No Content\r\n\r\n", 0, 204, 1, BODY_NONE, UNKNOWN, true},
    {"HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n", 0, 204, 1, BODY_NONE, UNKNOWN, true},
    {"HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n", 0, 204, 1, BODY_NONE, UNKNOWN, false},
    {"HTTP/1.1 204 x\r\nTransfer-Encoding: chunked\r\n\r\n", 0, 204, 1, BODY_NONE, UNKNOWN, false},
    {"HTTP/1.1 100 Continue\r\n\r\n", 0, 100, 1, BODY_NONE, UNKNOWN, true},
    {"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n", 0, 103, 1, BODY_NONE, UNKNOWN, true},
    {"HTTP/1.1 599 x\r\nContent-Length: 5\r\n\r\n", 0, 599, 1, BODY_LENGTH, 5, true},
};

static void assert_row(const struct accepted *row)
{
    uint64_t length =
        row->content_length == UNKNOWN ? RESPONSE_LENGTH_UNKNOWN : (uint64_t)row->content_length;
    ck_assert_int_eq(head.status, row->status);
    ck_assert_int_eq(head.version_minor, row->version_minor);
    ck_assert_int_eq(head.framing, row->framing);
    ck_assert_uint_eq(head.content_length, length);
    ck_assert_int_eq(head.keep_alive, row->keep_alive);
    ck_assert_uint_eq(head.head_length, strlen(row->text));
}

START_TEST(takes_good_heads)
{
    const struct accepted *row = &accepted[_i];
    ck_assert_msg(parse(row->text, row->to_head) == RESPONSE_OK, "%s: %s", row->text, head.problem);
    assert_row(row);
    ck_assert_msg(parse_bytewise(row->text, row->to_head) == RESPONSE_OK, "%s: %s", row->text,
                  head.problem);
    assert_row(row);
}
END_TEST

struct refused {
    const char *text, *problem;
};

static const struct refused refused[] = {
    // status line
    {"HTTP/1.2 200 OK\r\n\r\n", "status line"},
    {"HTTP/2 200 OK\r\n\r\n", "status line"},
    {"http/1.1 200 OK\r\n\r\n", "status line"},
    {"HTTP/1.1  200 OK\r\n\r\n", "status line"},
    {"HTTP/1.1 20 OK\r\n\r\n", "status line"},
    {"HTTP/1.1 -20 OK\r\n\r\n", "status line"},
    {"\r\nHTTP/1.1 200 OK\r\n\r\n", "status line"},
    {"SSH-2.0-OpenSSH\r\n", "status line"},
    {"HTTP/1.1 2000 OK\r\n\r\n", "no blank"},
    {"HTTP/1.1 200OK\r\n\r\n", "no blank"},
    {"HTTP/1.1 099 OK\r\n\r\n", "100 to 599"},
    {"HTTP/1.1 600 OK\r\n\r\n", "100 to 599"},
    {"HTTP/1.1 101 Switching Protocols\r\n\r\n", "101"},
    {"HTTP/1.1 200 O\x01K\r\n\r\n", "control"},
    // framing
    {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\n", "two Content-Length"},
    {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\ncontent-length: 6\r\n\r\n", "two Content-Length"},
    {"HTTP/1.1 200 OK\r\nContent-Length: 5, 5\r\n\r\n", "malformed Content-Length"},
    {"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n", "malformed Content-Length"},
    {"HTTP/1.1 200 OK\r\nContent-Length: +5\r\n\r\n", "malformed Content-Length"},
    {"HTTP/1.1 200 OK\r\nContent-Length: 0x5\r\n\r\n", "malformed Content-Length"},
    {"HTTP/1.1 200 OK\r\nContent-Length: abc\r\n\r\n", "malformed Content-Length"},
    {"HTTP/1.1 200 OK\r\nContent-Length:\r\n\r\n", "malformed Content-Length"},
    {"HTTP/1.1 200 OK\r\nContent-Length: 18446744073709551615\r\n\r\n", "malformed Content"},
    {"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n", "beside"},
    {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n", "beside"},
    {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n",
     "two Transfer"},
    {"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", "other than chunked"},
    {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked, chunked\r\n\r\n", "other than chunked"},
    {"HTTP/1.1 200 OK\r\nTransfer-Encoding: identity\r\n\r\n", "other than chunked"},
    {"HTTP/1.1 200 OK\r\nTransfer-Encoding:\r\n\r\n", "other than chunked"},
    {"HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", "in HTTP/1.0"},
    // lines
    {"HTTP/1.1 200 OK\n\r\n", "bare LF"},
    {"HTTP/1.1 200 OK\r\nX: y\n\r\n", "bare LF"},
    {"HTTP/1.1 200 OK\r\nX: y\r\n\n", "empty field name"},
    {"HTTP/1.1 200 OK\r\nX: y\rz\r\n\r\n", "bare CR"},
    {"HTTP/1.1 200 OK\r\n\rX: y\r\n\r\n", "bare CR"},
    {"HTTP/1.1 200 OK\r\nX: y\r\n z\r\n\r\n", "folded"},
    {"HTTP/1.1 200 OK\r\n\tX: y\r\n\r\n", "folded"},
    {"HTTP/1.1 200 OK\r\n: y\r\n\r\n", "empty field name"},
    {"HTTP/1.1 200 OK\r\nX : y\r\n\r\n", "blank before"},
    {"HTTP/1.1 200 OK\r\nX\r\n\r\n", "token"},
    {"HTTP/1.1 200 OK\r\nX(y): z\r\n\r\n", "token"},
    {"HTTP/1.1 200 OK\r\nX: \x01\r\n\r\n", "control"},
    {"HTTP/1.1 200 OK\r\nX: \x7f\r\n\r\n", "control"},
    {"HTTP/1.1 200 OK\r\nConnection: a,b,c,d,e,f,g,h,i,j,k,l,m,n,o,p,q\r\n\r\n", "too many"},
};

START_TEST(refuses_bad_heads_with_the_right_problem)
{
    const struct refused *row = &refused[_i];
    ck_assert_msg(parse(row->text, false) == RESPONSE_BAD, "%s", row->text);
    ck_assert_msg(strstr(head.problem, row->problem) != NULL, "%s: %s", row->text, head.problem);
}
END_TEST

START_TEST(refuses_nul)
{
    static const char text[] = "HTTP/1.1 200 OK\r\nX: y\r\nZ: zzzzzzzzzzzz\r\n\r\n";
    for (size_t i = 0; i < sizeof(text) - 1; ++i) {
        char copy[sizeof(text)];
        memcpy(copy, text, sizeof(text));
        copy[i] = '\0';
        ck_assert_msg(response_parse_head(copy, sizeof(text) - 1, 0, false, &head) == RESPONSE_BAD,
                      "at %zu", i);
    }
}
END_TEST

START_TEST(every_prefix_wants_more)
{
    static const char text[] = "HTTP/1.1 200 OK\r\nX: y\r\nContent-Length: 5\r\n\r\nhello";
    size_t head_length = sizeof(text) - 1 - 5;
    for (size_t length = 0; length < head_length; ++length) {
        ck_assert_int_eq(response_parse_head(text, length, 0, false, &head), RESPONSE_MORE);
        ck_assert_int_eq(response_parse_head(text, head_length, length, false, &head), RESPONSE_OK);
    }
    ck_assert_int_eq(response_parse_head(text, sizeof(text) - 1, 0, false, &head), RESPONSE_OK);
    ck_assert_uint_eq(head.head_length, head_length);
}
END_TEST

START_TEST(lists_the_fields)
{
    ck_assert_int_eq(parse("HTTP/1.1 200  Fine \r\nX-A: b c \r\nConnection: X-A\r\n\r\n", false),
                     RESPONSE_OK);
    ck_assert(is(head.reason, "Fine"));
    ck_assert_uint_eq(head.field_count, 2);
    ck_assert(is(head.fields[0].name, "X-A") && is(head.fields[0].value, "b c"));
    ck_assert(!fields_forward_response(head.fields[0].name, &head.connection));
}
END_TEST

// A head with `count` fields, the last one's value `padding` bytes long. The caller frees it.
static char *make_head(int count, size_t padding)
{
    char *text = malloc((size_t)count * 8 + padding + 64);
    ck_assert_ptr_nonnull(text);
    int at = sprintf(text, "HTTP/1.1 200 OK\r\n");
    for (int i = 1; i < count; ++i)
        at += sprintf(text + at, "x: y\r\n");
    at += sprintf(text + at, "z: ");
    memset(text + at, 'z', padding);
    sprintf(text + at + padding, "\r\n\r\n");
    return text;
}

START_TEST(has_limits)
{
    char *text = make_head(RESPONSE_MAX_FIELDS, 1);
    ck_assert_int_eq(parse(text, false), RESPONSE_OK);
    free(text);
    text = make_head(RESPONSE_MAX_FIELDS + 1, 1);
    ck_assert_int_eq(parse(text, false), RESPONSE_BAD);
    free(text);
    size_t frame = strlen("HTTP/1.1 200 OK\r\nz: \r\n\r\n");
    text = make_head(1, RESPONSE_MAX_HEAD - frame);
    ck_assert_int_eq(parse(text, false), RESPONSE_OK);
    free(text);
    text = make_head(1, RESPONSE_MAX_HEAD - frame + 1);
    for (size_t previous = 0; previous < 2; ++previous) {
        ck_assert_int_eq(response_parse_head(text, strlen(text), previous, false, &head),
                         RESPONSE_BAD);
        ck_assert_str_eq(head.problem, "head is too long");
    }
    free(text);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("response");
    TCase *tests = tcase_create("response");
    tcase_add_loop_test(tests, takes_good_heads, 0, (int)(sizeof(accepted) / sizeof(accepted[0])));
    tcase_add_loop_test(tests, refuses_bad_heads_with_the_right_problem, 0,
                        (int)(sizeof(refused) / sizeof(refused[0])));
    tcase_add_test(tests, refuses_nul);
    tcase_add_test(tests, every_prefix_wants_more);
    tcase_add_test(tests, lists_the_fields);
    tcase_add_test(tests, has_limits);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
