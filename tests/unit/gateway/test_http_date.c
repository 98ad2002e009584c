// Dates in header fields.
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "http_date.h"

#define NOW INT64_C(1800000000) // in 2027

static const struct date_row {
    const char *text;
    int64_t seconds; // -1: none
} dates[] = {
    {"Sun, 06 Nov 1994 08:49:37 GMT", 784111777},
    {"Sunday, 06-Nov-94 08:49:37 GMT", 784111777},
    {"Sun Nov  6 08:49:37 1994", 784111777},
    {"Sun Nov 16 08:49:37 1994", 784975777},
    {"sun, 06 nov 1994 08:49:37 gmt", 784111777},
    {"Thu, 01 Jan 1970 00:00:00 GMT", 0},
    {"Tue, 19 Jan 2038 03:14:08 GMT", INT64_C(2147483648)},
    {"Sat, 20 Nov 2286 17:46:40 GMT", INT64_C(10000000000)},
    {"Thu, 29 Feb 2024 00:00:00 GMT", 1709164800},
    {"Wed, 31 Dec 2008 23:59:60 GMT", 1230768000},
    {"Friday, 01-Jan-77 00:00:00 GMT", INT64_C(3376684800)}, // 2077: 50 years ahead
    {"Saturday, 01-Jan-78 00:00:00 GMT", 252460800},         // 1978
    {"Monday, 01-Jan-00 00:00:00 GMT", 946684800},
    {"", -1},
    {"0", -1},
    {"Sun, 06 Nov 1994 08:49:37 UTC", -1},
    {"Sun, 06 Nov 1994 08:49:37 AEST", -1},
    {"Sun, 06 Nov 94 08:49:37 GMT", -1},
    {"Sun 06 Nov 1994 08:49:37 GMT", -1},
    {"Sun, 06  Nov 1994 08:49:37 GMT", -1},
    {"Sun, 06-Nov-1994 08:49:37 GMT", -1},
    {"Sun, 6 Nov 1994 08:49:37 GMT", -1},
    {"Sun, 06 Nov 1994 8:49:37 GMT", -1},
    {"Sun, 06 Nov 1994 08:49:37", -1},
    {"Sun, 06 Nov 1994 08:49:37 GMT ", -1},
    {"Sun, 06 Nov 1994 24:00:00 GMT", -1},
    {"Sun, 06 Nov 1994 08:60:37 GMT", -1},
    {"Sun, 31 Nov 1994 08:49:37 GMT", -1},
    {"Sun, 00 Nov 1994 08:49:37 GMT", -1},
    {"Wed, 29 Feb 2023 00:00:00 GMT", -1},
    {"Sun, 06 Foo 1994 08:49:37 GMT", -1},
    {"Son, 06 Nov 1994 08:49:37 GMT", -1},
    {"Sun, 06-Nov-94 08:49:37 GMT", -1},
    {"Sun Nov 6 08:49:37 1994", -1},
    {"Sun Nov 06 08:49:37 1994", 784111777},
    {"02.01.18", -1},
    {"1994-11-06T08:49:37Z", -1},
};

START_TEST(date_forms)
{
    const struct date_row *row = &dates[_i];
    int64_t seconds = -1;
    bool is_date = http_date_parse((struct span){row->text, strlen(row->text)}, NOW, &seconds);
    ck_assert_msg(is_date == (row->seconds >= 0), "%s", row->text);
    if (is_date)
        ck_assert_int_eq(seconds, row->seconds);
}
END_TEST

START_TEST(no_beginning_of_a_date_is_one)
{
    int64_t seconds;
    for (int i = 0; i < 3; ++i)
        for (size_t length = 0; length < strlen(dates[i].text); ++length)
            ck_assert(!http_date_parse((struct span){dates[i].text, length}, NOW, &seconds));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("http_date");
    TCase *tests = tcase_create("http_date");
    tcase_add_loop_test(tests, date_forms, 0, (int)(sizeof(dates) / sizeof(dates[0])));
    tcase_add_test(tests, no_beginning_of_a_date_is_one);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
