// Lines on stderr: form, levels, foreign text.
#include <check.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/log.h"

static int kept_stderr;
static FILE *captured;

static void start_capture(void)
{
    captured = tmpfile();
    kept_stderr = dup(STDERR_FILENO);
    ck_assert_int_ge(dup2(fileno(captured), STDERR_FILENO), 0);
}

// What was written; static memory.
static const char *end_capture(void)
{
    static char text[8192];
    dup2(kept_stderr, STDERR_FILENO);
    close(kept_stderr);
    rewind(captured);
    text[fread(text, 1, sizeof text - 1, captured)] = '\0';
    fclose(captured);
    return text;
}

START_TEST(one_line_an_event)
{
    char expected[64];
    log_init("test", LOG_LEVEL_INFO);
    start_capture();
    log_warn("api#%d: restart in %d ms", 2, 800);
    const char *text = end_capture();
    snprintf(expected, sizeof expected, " warn test[%d]: api#2: restart in 800 ms\n",
             (int)getpid());
    ck_assert_uint_eq(strlen(text), strlen("2026-01-02T03:04:05.678Z") + strlen(expected));
    ck_assert_str_eq(text + strlen("2026-01-02T03:04:05.678Z"), expected);
    ck_assert(text[10] == 'T' && text[23] == 'Z');
}
END_TEST

START_TEST(levels)
{
    static const struct {
        enum log_level level;
        const char *seen;
    } cases[] = {
        {LOG_LEVEL_ERROR, "e"},
        {LOG_LEVEL_WARN, "ew"},
        {LOG_LEVEL_INFO, "ewi"},
        {LOG_LEVEL_DEBUG, "ewid"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char seen[8] = "";
        log_init("test", cases[i].level);
        start_capture();
        log_error("said e");
        log_warn("said w");
        log_info("said i");
        log_debug("said d");
        const char *at = end_capture();
        for (size_t n = 0; (at = strstr(at, "said ")) != NULL; at += 5)
            seen[n++] = at[5];
        ck_assert_str_eq(seen, cases[i].seen);
    }
}
END_TEST

START_TEST(foreign_text_forges_no_line)
{
    log_init("test", LOG_LEVEL_INFO);
    start_capture();
    log_info("name %s", "a\nb\r\033[1m\x7f\xc3\xa4");
    const char *text = end_capture();
    ck_assert_ptr_nonnull(strstr(text, ": name a?b??[1m?\xc3\xa4\n"));
    ck_assert_ptr_eq(strchr(text, '\n'), text + strlen(text) - 1);
}
END_TEST

START_TEST(long_lines_are_cut_but_end)
{
    char long_text[5000];
    memset(long_text, 'x', sizeof long_text - 1);
    long_text[sizeof long_text - 1] = '\0';
    log_init("test", LOG_LEVEL_INFO);
    start_capture();
    log_info("%s", long_text);
    const char *text = end_capture();
    ck_assert_uint_le(strlen(text), 2048);
    ck_assert_int_eq(text[strlen(text) - 1], '\n');
}
END_TEST

START_TEST(level_words)
{
    static const char *const words[] = {"error", "warn", "info", "debug"};
    enum log_level level;
    for (size_t i = 0; i < 4; i++) {
        ck_assert_int_eq(log_level_parse(words[i], &level), 0);
        ck_assert_uint_eq(level, i);
    }
    ck_assert_int_eq(log_level_parse("loud", &level), -1);
    ck_assert_int_eq(log_level_parse("", &level), -1);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("log");
    TCase *tests = tcase_create("log");
    tcase_add_test(tests, one_line_an_event);
    tcase_add_test(tests, levels);
    tcase_add_test(tests, foreign_text_forges_no_line);
    tcase_add_test(tests, long_lines_are_cut_but_end);
    tcase_add_test(tests, level_words);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed > 0;
}
