#include <check.h>
#include <stdlib.h>

#include "accept.h"

static const struct {
    const char *accept;
    enum exposition_format format;
} formats[] = {
    {"", EXPOSITION_TEXT},
    {"*/*", EXPOSITION_TEXT},
    {"text/html", EXPOSITION_TEXT},
    // Prometheus 2.42
    {"application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,"
     "text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
     EXPOSITION_OPENMETRICS},
    {"application/openmetrics-text", EXPOSITION_OPENMETRICS},
    {"Application/OpenMetrics-Text ; Version=1.0.0 ; charset=utf-8", EXPOSITION_OPENMETRICS},
    {"application/openmetrics-text;version=0.0.1", EXPOSITION_TEXT},
    {"application/openmetrics-text;version=1.0.0;q=0.1, text/plain;q=0.9", EXPOSITION_TEXT},
    {"text/plain;q=0.100, application/openmetrics-text;q=0.101", EXPOSITION_OPENMETRICS},
    {"application/openmetrics-text;q=0", EXPOSITION_TEXT},
    {"application/openmetrics-text;q=0.0, */*", EXPOSITION_TEXT},
    {"application/openmetrics-text;q=junk", EXPOSITION_OPENMETRICS},
    {",;,,;q=1,application/openmetrics-text,", EXPOSITION_OPENMETRICS},
    {"application/openmetrics-textual", EXPOSITION_TEXT},
};

START_TEST(format)
{
    ck_assert_int_eq(accept_format(formats[_i].accept), formats[_i].format);
}
END_TEST

static const struct {
    const char *accept_encoding;
    bool gzip;
} encodings[] = {
    {"", false},
    {"gzip", true},
    {"deflate, gzip;q=1.0, *;q=0.5", true},
    {"br", false},
    {"*", true},
    {"GZIP", true},
    {"gzip;q=0", false},
    {"gzip;q=0.000", false},
    {"gzip;q=0, *", false},
    {"identity", false},
    {"x-gzip", true},
    {"gzip ; q=0.5", true},
    {"*;q=0", false},
};

START_TEST(encoding)
{
    ck_assert_int_eq(accept_gzip(encodings[_i].accept_encoding), encodings[_i].gzip);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("accept");
    TCase *tests = tcase_create("accept");
    tcase_add_loop_test(tests, format, 0, sizeof formats / sizeof *formats);
    tcase_add_loop_test(tests, encoding, 0, sizeof encodings / sizeof *encodings);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
