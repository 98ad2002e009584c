// Conditions as they are read; their findings are in conf/cache-errors.json.
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "common/match_config.h"

static void parse(const char *text, struct match_config *match)
{
    struct err err;
    struct json_doc *doc = json_doc_parse(text, strlen(text), JSON_STRICT, NULL, &err);
    ck_assert_msg(doc != NULL, "%s: %s", text, err.text);
    struct config_errors *errors = config_errors_new("t");
    int result = keytable_parse(&match_config_table, json_doc_root(doc), doc, "", match, errors);
    ck_assert_msg(result == 0, "%s", text);
    config_errors_free(errors);
    json_doc_free(doc);
}

START_TEST(all_members)
{
    struct match_config match;
    parse("{\"path\":\"/a/*\",\"method\":[\"GET\",\"HEAD\"],\"header\":\"X-Name=a=b*\","
          "\"query\":\"q q\",\"cookie\":\"C=\",\"authenticated\":true}",
          &match);
    ck_assert_str_eq(match.path, "/a/*");
    ck_assert_uint_eq(match.methods.count, 2);
    ck_assert_str_eq(match.header.name, "x-name");
    ck_assert_str_eq(match.header.glob, "a=b*");
    ck_assert_str_eq(match.query.name, "q q");
    ck_assert_ptr_null(match.query.glob);
    ck_assert_str_eq(match.cookie.name, "C");
    ck_assert_str_eq(match.cookie.glob, "");
    ck_assert(match.is_authenticated);
    keytable_clear(&match_config_table, &match);
    ck_assert_ptr_null(match.header.name);
}
END_TEST

START_TEST(one_member)
{
    struct match_config match;
    parse("{\"method\":\"GET\"}", &match);
    ck_assert_uint_eq(match.methods.count, 1);
    ck_assert(match.path == NULL && match.header.name == NULL && match.query.name == NULL);
    ck_assert(match.cookie.name == NULL && !match.is_authenticated);
    keytable_clear(&match_config_table, &match);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("match_config");
    TCase *tests = tcase_create("match_config");
    tcase_add_test(tests, all_members);
    tcase_add_test(tests, one_member);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
