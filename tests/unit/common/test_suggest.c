// The word that was meant.
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "common/keytable.h"

static const char *const words[] = {"instances", "port", "name", "restart_delay", NULL};

static const struct row {
    const char *word, *near;
} rows[] = {
    {"instnaces", "instances"},
    {"instance", "instances"},
    {"prot", "port"},
    {"nam", "name"},
    {"restartDelay", "restart_delay"},
    {"port", "port"},
    {"po", NULL},
    {"paort", "port"},
    {"paorx", NULL}, // 2 of 5 letters are more than a third
    {"", NULL},
    {"something", NULL},
    {"trop", NULL},
};

START_TEST(nearest_word)
{
    ck_assert_pstr_eq(suggest_word(rows[_i].word, words), rows[_i].near);
}
END_TEST

START_TEST(long_words_have_none)
{
    char word[4096];
    memset(word, 'a', sizeof word - 1);
    word[sizeof word - 1] = '\0';
    ck_assert_ptr_null(suggest_word(word, words));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("suggest");
    TCase *tests = tcase_create("suggest");
    tcase_add_loop_test(tests, nearest_word, 0, (int)(sizeof(rows) / sizeof(rows[0])));
    tcase_add_test(tests, long_words_have_none);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
