// Times as people read them; the clocks themselves only go forward.
#include <check.h>

#include "common/clock.h"

START_TEST(iso)
{
    static const struct {
        uint64_t ms;
        const char *text;
    } cases[] = {
        {0, "1970-01-01T00:00:00.000Z"},
        {1767323045678, "2026-01-02T03:04:05.678Z"},
        {951782399999, "2000-02-28T23:59:59.999Z"},
        {951782400000, "2000-02-29T00:00:00.000Z"},
        {253402300799999, "9999-12-31T23:59:59.999Z"},
        {253402300800000, "9999-12-31T23:59:59.999Z"},
        {UINT64_MAX, "9999-12-31T23:59:59.999Z"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[CLOCK_ISO_SIZE];
        clock_format_iso(cases[i].ms, text);
        ck_assert_str_eq(text, cases[i].text);
    }
}
END_TEST

START_TEST(one_clock_in_two_units)
{
    uint64_t ms = clock_mono_ms(), us = clock_mono_us();
    ck_assert_uint_le(ms, us / 1000);
    ck_assert_uint_le(us / 1000, clock_mono_ms());
}
END_TEST

START_TEST(durations)
{
    static const struct {
        uint64_t ms;
        const char *text;
    } cases[] = {
        {0, "0 ms"},        {999, "999 ms"},       {1000, "1.0 s"},      {3199, "3.1 s"},
        {59999, "59.9 s"},  {60000, "1m 0s"},      {3599999, "59m 59s"}, {3600000, "1h 0m"},
        {7500000, "2h 5m"}, {86399999, "23h 59m"}, {86400000, "1d 0h"},  {356400000, "4d 3h"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[32];
        clock_format_duration(cases[i].ms, text, sizeof text);
        ck_assert_str_eq(text, cases[i].text);
    }
}
END_TEST

START_TEST(clocks)
{
    uint64_t before = clock_mono_ms();
    ck_assert_uint_ge(clock_mono_ms(), before);
    ck_assert_uint_gt(clock_wall_ms(), UINT64_C(1577836800000)); // 2020
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("clock");
    TCase *tests = tcase_create("clock");
    tcase_add_test(tests, iso);
    tcase_add_test(tests, one_clock_in_two_units);
    tcase_add_test(tests, durations);
    tcase_add_test(tests, clocks);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed > 0;
}
