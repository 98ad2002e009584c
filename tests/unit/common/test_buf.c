// A buffer against a plain model of its content.
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "common/buf.h"

START_TEST(empty)
{
    struct buf buf = BUF_INIT;
    char *line;
    size_t length;
    buf_append(&buf, "", 0);
    buf_consume(&buf, 0);
    ck_assert(!buf_take_line(&buf, &line, &length));
    ck_assert_str_eq(buf_text(&buf), "");
    ck_assert_uint_eq(buf.length, 0);
    buf_free(&buf);
    buf_free(&buf);
    ck_assert_ptr_null(buf.data);
}
END_TEST

START_TEST(appends)
{
    struct buf buf = BUF_INIT;
    buf_append(&buf, "a\0b", 3);
    buf_append_text(&buf, "cd");
    buf_printf(&buf, "%05d%s", 42, "");
    ck_assert_uint_eq(buf.length, 10);
    ck_assert_mem_eq(buf_text(&buf), "a\0bcd00042", 11);
    ck_assert_uint_eq(buf.length, 10);
    buf_free(&buf);
}
END_TEST

START_TEST(lines)
{
    static const char *const expected[] = {"one", "", "three\r", "four"};
    struct buf buf = BUF_INIT;
    char *line;
    size_t length;
    buf_append_text(&buf, "one\n\nthree\r\r\nfour\r\nrest");
    for (size_t i = 0; i < 4; i++) {
        ck_assert(buf_take_line(&buf, &line, &length));
        ck_assert_str_eq(line, expected[i]);
        ck_assert_uint_eq(length, strlen(expected[i]));
    }
    ck_assert(!buf_take_line(&buf, &line, &length));
    ck_assert_str_eq(buf_text(&buf), "rest");
    buf_append_text(&buf, "\n");
    ck_assert(buf_take_line(&buf, &line, &length));
    ck_assert_str_eq(line, "rest");
    ck_assert_uint_eq(buf.length, 0);
    buf_free(&buf);
}
END_TEST

// Random appends and consumes: the content is always the bytes between two counters.
START_TEST(moves_and_grows)
{
    struct buf buf = BUF_INIT;
    unsigned char written = 0, expected = 0;
    srand(7);
    for (int round = 0; round < 5000; round++) {
        size_t more = (size_t)rand() % 700;
        char *to = buf_reserve(&buf, more);
        for (size_t i = 0; i < more; i++)
            to[i] = (char)written++;
        buf_commit(&buf, more);
        size_t same = 0; // one assertion a round: they are slow by the million
        while (same < buf.length &&
               (unsigned char)buf.data[same] == (unsigned char)(expected + same))
            same++;
        ck_assert_uint_eq(same, buf.length);
        size_t less = buf.length > 0 ? (size_t)rand() % (buf.length + 1) : 0;
        buf_consume(&buf, less);
        expected = (unsigned char)(expected + less);
    }
    ck_assert_uint_lt(buf.capacity, 64 << 10); // it did not grow with what went through
    buf_free(&buf);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("buf");
    TCase *tests = tcase_create("buf");
    tcase_add_test(tests, empty);
    tcase_add_test(tests, appends);
    tcase_add_test(tests, lines);
    tcase_set_timeout(tests, 30);
    tcase_add_test(tests, moves_and_grows);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed > 0;
}
