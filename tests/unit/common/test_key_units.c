// Durations and sizes, read and shown.
#include <check.h>
#include <stdlib.h>

#include "common/key_units.h"
#include "common/keytable.h"

static const struct row {
    const char *text;
    int64_t amount; // -1: refused
    const char *shown;
} durations[] = {{"0", 0, "0ms"},
                 {"1500", 1500, "1500ms"},
                 {"250ms", 250, "250ms"},
                 {"10s", 10000, "10s"},
                 {"90s", 90000, "90s"},
                 {"120s", 120000, "2m"},
                 {"15m", 900000, "15m"},
                 {"1h", 3600000, "1h"},
                 {"24h", 86400000, "1d"},
                 {"106751991167d", INT64_C(9223372036828800000), "106751991167d"},
                 {"106751991168d", -1, NULL},
                 {"9223372036854775808", -1, NULL},
                 {"99999999999999999999ms", -1, NULL},
                 {"", -1, NULL},
                 {"s", -1, NULL},
                 {"-1s", -1, NULL},
                 {"+1s", -1, NULL},
                 {" 1s", -1, NULL},
                 {"1 s", -1, NULL},
                 {"1s ", -1, NULL},
                 {"1.5s", -1, NULL},
                 {"1S", -1, NULL},
                 {"1K", -1, NULL},
                 {"1w", -1, NULL}};

static const struct row sizes[] = {{"0", 0, "0"},
                                   {"1023", 1023, "1023"},
                                   {"1024", 1024, "1K"},
                                   {"512K", 524288, "512K"},
                                   {"300M", 314572800, "300M"},
                                   {"1G", 1073741824, "1G"},
                                   {"8589934591G", INT64_C(9223372035781033984), "8589934591G"},
                                   {"8589934592G", -1, NULL},
                                   {"12Q", -1, NULL},
                                   {"1s", -1, NULL},
                                   {"M", -1, NULL},
                                   {"-1K", -1, NULL}};

typedef int parse_function(const char *text, int64_t *amount, struct err *err);
typedef void format_function(int64_t amount, char *text, size_t size);

static void check_row(const struct row *row, parse_function *parse, format_function *format)
{
    int64_t amount = 0;
    char shown[32];
    struct err err;
    int result = parse(row->text, &amount, &err);
    ck_assert_msg(result == (row->amount >= 0 ? 0 : -1), "%s", row->text);
    if (result == -1)
        return;
    ck_assert_int_eq(amount, row->amount);
    format(amount, shown, sizeof shown);
    ck_assert_str_eq(shown, row->shown);
}

START_TEST(duration_rows)
{
    check_row(&durations[_i], key_parse_duration, key_format_duration);
}
END_TEST

START_TEST(size_rows)
{
    check_row(&sizes[_i], key_parse_size, key_format_size);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("key_units");
    TCase *tests = tcase_create("key_units");
    tcase_add_loop_test(tests, duration_rows, 0, (int)(sizeof(durations) / sizeof(durations[0])));
    tcase_add_loop_test(tests, size_rows, 0, (int)(sizeof(sizes) / sizeof(sizes[0])));
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed > 0;
}
