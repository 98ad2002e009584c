// How long a client may take to send what it has to.
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "patience.h"

static const struct patience_limits limits = {.idle_ms = 500, .head_ms = 100, .body_ms = 50};
static struct patience patience;

static enum patience_verdict look(const char *input, uint64_t now_ms)
{
    return patience_look(&patience, &limits, (struct span){input, strlen(input)}, now_ms);
}

START_TEST(nothing_was_asked)
{
    patience_begin(&patience, true, 1000);
    ck_assert_int_eq(look("", 1099), PATIENCE_WAIT);
    ck_assert_int_eq(look("", 1100), PATIENCE_CLOSE);
    patience_begin(&patience, false, 1000);
    ck_assert_int_eq(look("", 1499), PATIENCE_WAIT);
    ck_assert_int_eq(look("", 1500), PATIENCE_CLOSE);
    ck_assert(!patience_is_over(&patience));
}
END_TEST

START_TEST(a_head_has_its_time_from_its_first_byte)
{
    patience_begin(&patience, false, 1000);
    ck_assert_int_eq(look("", 1400), PATIENCE_WAIT);
    ck_assert_int_eq(look("G", 1450), PATIENCE_WAIT);
    ck_assert_int_eq(look("GET / HTTP/1.1\r\n", 1549), PATIENCE_WAIT);
    ck_assert_int_eq(look("GET / HTTP/1.1\r\nHost: a\r\n", 1550), PATIENCE_TIMEOUT);
    ck_assert(patience_is_over(&patience));
    ck_assert_int_eq(look("GET / HTTP/1.1\r\nHost: a\r\n", 9999), PATIENCE_WAIT);
}
END_TEST

START_TEST(a_steady_body_may_take_any_time)
{
    char input[200] = "POST / HTTP/1.1\r\nContent-Length: 99\r\n\r\n";
    patience_begin(&patience, true, 0);
    for (uint64_t now = 0; now < 100 * 49; now += 49) {
        ck_assert_int_eq(look(input, now), PATIENCE_WAIT);
        strcat(input, "x");
    }
    ck_assert_int_eq(look(input, 5000), PATIENCE_WAIT);
    ck_assert_int_eq(look(input, 5049), PATIENCE_WAIT);
    ck_assert_int_eq(look(input, 5050), PATIENCE_TIMEOUT);
}
END_TEST

// Wherever the looks cut it, the empty line is found.
START_TEST(the_end_of_a_head)
{
    static const char *const heads[] = {"a\r\n\r\n", "a\n\n", "a\n\r\n", "a\r\nb: c\r\n\r\n",
                                        "\n\n"};
    const char *head = heads[_i];
    char part[32] = "";
    patience_begin(&patience, true, 0);
    for (size_t length = 1; length < strlen(head); ++length) {
        memcpy(part, head, length);
        look(part, 10);
        ck_assert_int_eq(patience.phase, PATIENCE_HEAD);
    }
    look(head, 10);
    ck_assert_int_eq(patience.phase, PATIENCE_BODY);
    patience_begin(&patience, true, 0);
    look(head, 10);
    ck_assert_int_eq(patience.phase, PATIENCE_BODY);
}
END_TEST

START_TEST(how_often_to_look)
{
    static const struct {
        struct patience_limits limits;
        uint64_t interval_ms;
    } cases[] = {
        {{75000, 60000, 60000}, 1000}, {{0, 60000, 60000}, 1000},  {{75000, 60000, 2000}, 500},
        {{75000, 400, 60000}, 100},    {{800, 60000, 60000}, 200}, {{1, 1, 1}, 20},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); ++i)
        ck_assert_uint_eq(patience_interval_ms(&cases[i].limits), cases[i].interval_ms);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("patience");
    TCase *tests = tcase_create("patience");
    tcase_add_test(tests, nothing_was_asked);
    tcase_add_test(tests, a_head_has_its_time_from_its_first_byte);
    tcase_add_test(tests, a_steady_body_may_take_any_time);
    tcase_add_loop_test(tests, the_end_of_a_head, 0, 5);
    tcase_add_test(tests, how_often_to_look);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
