// Each conf/<case>.json is loaded as from the folder /srv; its findings must be conf/<case>.out.
#include <check.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/buf.h"
#include "common/ecosystem.h"
#include "common/mem.h"

static glob_t cases;

static const char *look_up(const char *name, void *context)
{
    (void)context;
    return strcmp(name, "SET") == 0 ? "3" : NULL;
}

static void read_text(const char *path, struct buf *text)
{
    FILE *file = fopen(path, "r");
    ck_assert_msg(file != NULL, "%s cannot be read", path);
    size_t length;
    while ((length = fread(buf_reserve(text, 4096), 1, 4096, file)) > 0)
        buf_commit(text, length);
    fclose(file);
    (void)buf_text(text);
}

static void load(const char *path, struct buf *findings)
{
    struct buf text = BUF_INIT;
    struct config_errors *errors = config_errors_new(strrchr(path, '/') + 1);
    read_text(path, &text);
    struct ecosystem *ecosystem =
        ecosystem_load(text.data, text.length, "/srv", look_up, NULL, errors);
    size_t count = config_errors_count(errors);
    ck_assert_msg((ecosystem == NULL) == (count > 0), "%s", path);
    for (size_t i = 0; i < count; i++)
        buf_printf(findings, "%s\n", config_errors_text(errors, i));
    ecosystem_free(ecosystem);
    config_errors_free(errors);
    buf_free(&text);
}

START_TEST(findings_are_as_noted)
{
    const char *path = cases.gl_pathv[_i];
    struct buf found = BUF_INIT, expected = BUF_INIT;
    char *out = mem_printf("%.*s.out", (int)(strlen(path) - strlen(".json")), path);
    load(path, &found);
    read_text(out, &expected);
    ck_assert_msg(strcmp(buf_text(&found), buf_text(&expected)) == 0, "%s: expected\n%sfound\n%s",
                  path, buf_text(&expected), buf_text(&found));
    free(out);
    buf_free(&found);
    buf_free(&expected);
}
END_TEST

int main(void)
{
    if (glob(TESTS_CONF_DIR "/*.json", 0, NULL, &cases) != 0)
        return EXIT_FAILURE;
    Suite *suite = suite_create("conf");
    TCase *tests = tcase_create("conf");
    tcase_add_loop_test(tests, findings_are_as_noted, 0, (int)cases.gl_pathc);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    globfree(&cases);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
