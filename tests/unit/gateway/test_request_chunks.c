// Chunked request bodies, whole and in any two pieces, as libh2o's reader hands them over.
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "request_chunks.h"

enum { BAD = -1, MORE = -2 };

static char buffer[256];
static size_t kept;

// Feeds what comes next behind the bytes decoded so far.
static ssize_t feed(struct phr_chunked_decoder *decoder, const char *bytes, size_t length)
{
    memcpy(buffer + kept, bytes, length);
    ssize_t result = phr_decode_chunked(decoder, buffer + kept, &length);
    kept += length;
    return result;
}

static ssize_t decode_in_two(const char *text, size_t first)
{
    struct phr_chunked_decoder decoder = {.consume_trailer = 1};
    kept = 0;
    ssize_t result = feed(&decoder, text, first);
    return result == MORE ? feed(&decoder, text + first, strlen(text) - first) : result;
}

static const struct body {
    const char *text;
    ssize_t result;
    const char *body, *rest;
} bodies[] = {
    {"0\r\n\r\n", 0, "", ""},
    {"3\r\nabc\r\n0\r\n\r\n", 0, "abc", ""},
    {"3;x=y\r\nabc\r\n00A\r\n0123456789\r\n0\r\nX: y\r\n\r\n", 0, "abc0123456789", ""},
    {"1\r\na\r\n0\r\n\r\nGET /", 5, "a", "GET /"},
    {"3\r\nabc\r\n0\r\n", MORE, "abc", ""},
    {"0x3\r\nabc\r\n0\r\n\r\n", BAD, NULL, NULL},
    {"3 \r\nabc\r\n0\r\n\r\n", BAD, NULL, NULL},
    {"3\nabc\r\n0\r\n\r\n", BAD, NULL, NULL},
    {"3\r\nabc\n0\r\n\r\n", BAD, NULL, NULL},
    {"3\r\nabcd\r\n0\r\n\r\n", BAD, NULL, NULL},
    {"\r\n", BAD, NULL, NULL},
    {"00000000000000003\r\nabc\r\n0\r\n\r\n", BAD, NULL, NULL},
    {"0\r\nX: y\n\r\n", BAD, NULL, NULL},
};

START_TEST(one_body)
{
    const struct body *row = &bodies[_i];
    for (size_t first = 0; first <= strlen(row->text); ++first) {
        ssize_t result = decode_in_two(row->text, first);
        // Once the end is reached, what comes later is not the decoder's.
        size_t rest = row->rest == NULL ? 0 : strlen(row->rest);
        if (first < strlen(row->text) - rest || first == strlen(row->text))
            ck_assert_msg(result == row->result, "%s at %zu: %zd", row->text, first, result);
        if (row->body == NULL)
            continue;
        ck_assert_uint_eq(kept, strlen(row->body));
        ck_assert(memcmp(buffer, row->body, kept) == 0);
        if (result > 0)
            ck_assert(memcmp(buffer + kept, row->rest, (size_t)result) == 0);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("request_chunks");
    TCase *tests = tcase_create("request_chunks");
    tcase_add_loop_test(tests, one_body, 0, sizeof(bodies) / sizeof(bodies[0]));
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
