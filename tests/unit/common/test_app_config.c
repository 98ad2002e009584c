// An app's defaults and the values of their own kind.
#include <check.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "common/app_config.h"

// The object is to be cleared.
static size_t parse(const struct key_table *table, const char *text, void *object)
{
    struct err err;
    struct json_doc *doc = json_doc_parse(text, strlen(text), JSON_RELAXED, NULL, &err);
    ck_assert_msg(doc != NULL, "%s: %s", text, err.text);
    struct config_errors *errors = config_errors_new("t");
    int result = keytable_parse(table, json_doc_root(doc), doc, "", object, errors);
    size_t count = config_errors_count(errors);
    ck_assert_int_eq(result, count > 0 ? -1 : 0);
    config_errors_free(errors);
    json_doc_free(doc);
    return count;
}

#define APP(more) "{\"name\":\"a\",\"script\":\"s\"" more "}"

START_TEST(defaults)
{
    struct app_config app;
    ck_assert_uint_eq(parse(&app_config_table, APP(), &app), 0);
    ck_assert_int_eq(app.instances, 1);
    ck_assert_int_eq(app.port, APP_PORT_NONE);
    ck_assert_str_eq(app.instance_var, "NODE_APP_INSTANCE");
    ck_assert(app.autorestart && !app.wait_ready && !app.merge_logs);
    ck_assert_int_eq(app.min_uptime_ms, 10000);
    ck_assert_int_eq(app.max_restarts, 10);
    ck_assert_int_eq(app.exp_backoff_restart_delay_ms, 100);
    ck_assert_int_eq(app.stop_signal, SIGTERM);
    ck_assert_int_eq(app.kill_timeout_ms, 5000);
    ck_assert_int_eq(app.ready.timeout_ms, 30000);
    ck_assert_int_eq(app.reload.parallel, 1);
    ck_assert_int_eq(app.reload.drain_timeout_ms, 30000);
    ck_assert_int_eq(app.umask, -1);
    keytable_clear(&app_config_table, &app);
}
END_TEST

START_TEST(own_kinds)
{
    struct app_config app;
    ck_assert_uint_eq(parse(&app_config_table,
                            APP(",\"port\":\"auto\",\"instances\":\"max\",\"umask\":\"027\","
                                "\"kill_signal\":\"INT\""),
                            &app),
                      0);
    ck_assert_int_eq(app.port, APP_PORT_AUTO);
    ck_assert_int_eq(app.instances, APP_INSTANCES_MAX);
    ck_assert_int_eq(app.umask, 027);
    ck_assert_int_eq(app.stop_signal, SIGINT);
    keytable_clear(&app_config_table, &app);
    ck_assert_uint_eq(parse(&app_config_table, APP(",\"port\":\"80\""), &app), 0);
    ck_assert_int_eq(app.port, 80);
    keytable_clear(&app_config_table, &app);
    ck_assert_uint_eq(parse(&app_config_table, APP(",\"instances\":\"-2\""), &app), 0);
    ck_assert_int_eq(app.instances, -2);
    keytable_clear(&app_config_table, &app);
}
END_TEST

static const char *const refused[] = {"{\"name\":\"a\"}",
                                      "{\"script\":\"s\"}",
                                      "{\"name\":\"all\",\"script\":\"s\"}",
                                      "{\"name\":\"7\",\"script\":\"s\"}",
                                      "{\"name\":\"-a\",\"script\":\"s\"}",
                                      "{\"name\":\".a\",\"script\":\"s\"}",
                                      "{\"name\":\"a/b\",\"script\":\"s\"}",
                                      APP(",\"port\":0"),
                                      APP(",\"port\":-1"),
                                      APP(",\"port\":\"\""),
                                      APP(",\"port\":true"),
                                      APP(",\"instances\":257"),
                                      APP(",\"instances\":\"\""),
                                      APP(",\"instances\":1.5"),
                                      APP(",\"umask\":22"),
                                      APP(",\"umask\":\"1000\""),
                                      APP(",\"umask\":\"8\""),
                                      APP(",\"stop_signal\":15"),
                                      APP(",\"stop_signal\":\"\""),
                                      APP(",\"stop_signal\":\"SIG\""),
                                      APP(",\"ready\":{\"tcp\":true}"),
                                      APP(",\"ready\":{\"exec\":\"x\",\"log\":\"y\"}")};

START_TEST(refused_values)
{
    struct app_config app;
    ck_assert_msg(parse(&app_config_table, refused[_i], &app) == 1, "%s", refused[_i]);
    keytable_clear(&app_config_table, &app);
}
END_TEST

START_TEST(numbers_of_instances)
{
    ck_assert_int_eq(app_config_instances(APP_INSTANCES_MAX, 4), 4);
    ck_assert_int_eq(app_config_instances(3, 4), 3);
    ck_assert_int_eq(app_config_instances(-1, 4), 3);
    ck_assert_int_eq(app_config_instances(-9, 4), 1);
    ck_assert_int_eq(app_config_instances(APP_INSTANCES_MAX, 1000), APP_INSTANCES_LIMIT);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("app_config");
    TCase *tests = tcase_create("app_config");
    tcase_add_test(tests, defaults);
    tcase_add_test(tests, own_kinds);
    tcase_add_loop_test(tests, refused_values, 0, (int)(sizeof(refused) / sizeof(refused[0])));
    tcase_add_test(tests, numbers_of_instances);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
