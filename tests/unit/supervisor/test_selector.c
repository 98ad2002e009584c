// Names, ids and "all": what they select, once each, and what they do not.

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "common/buf.h"
#include "loop_test.h"
#include "selector.h"

// Ids: api 0 to 2, one 3, worker 4 and 5.
static const char document[] =
    "{\"apps\":[{\"name\":\"api\",\"script\":\"/s\",\"port\":\"auto\",\"instances\":3},"
    "{\"name\":\"one\",\"script\":\"/s\"},{\"name\":\"worker\",\"script\":\"/"
    "s\",\"instances\":2}]}";

static struct daemon supervisor;

static struct spec **load_specs(size_t *count)
{
    struct json_object *parsed = json_tokener_parse(document);
    struct config_errors *errors = config_errors_new("t");
    struct ecosystem *ecosystem = ecosystem_from_document(parsed, errors);
    ck_assert_msg(ecosystem != NULL, "%s", config_errors_text(errors, 0));
    config_errors_free(errors);
    json_object_put(parsed);
    return spec_list(ecosystem, NULL, count);
}

static void add_apps(void)
{
    size_t count;
    struct spec **specs = load_specs(&count);
    struct app **end = &supervisor.apps;
    for (size_t i = 0; i < count; i++) {
        *end = app_new(&supervisor, specs[i], "t");
        end = &(*end)->next;
        spec_unref(specs[i]);
    }
    free(specs);
}

static void set_up(void)
{
    loop_test_open();
    supervisor = (struct daemon){.loop = &test_loop};
}

static void tear_down(void)
{
    while (supervisor.apps) {
        struct app *next = supervisor.apps->next;
        app_free(supervisor.apps);
        supervisor.apps = next;
    }
    loop_test_close();
}

// "api" for an app, "api#1" for the slot with that id; "! " and the sentence when refused.
static void check_selection(const char *selectors, const char *expected)
{
    struct json_object *parsed = json_tokener_parse(selectors);
    struct selection selection;
    struct err err = {""};
    struct buf out = BUF_INIT;

    if (selector_resolve(&supervisor, parsed, &selection, &err) == 0) {
        for (size_t i = 0; i < selection.count; i++) {
            const struct selected *item = &selection.items[i];
            buf_printf(&out, "%s%s", i > 0 ? " " : "", item->app->name);
            if (item->slot)
                buf_printf(&out, "#%u", item->slot->id);
        }
        free(selection.items);
    } else {
        buf_printf(&out, "! %s", err.text);
    }
    ck_assert_msg(strcmp(buf_text(&out), expected) == 0, "%s: %s, not %s", selectors,
                  buf_text(&out), expected);
    buf_free(&out);
    json_object_put(parsed);
}

static const struct row {
    const char *selectors, *expected;
} rows[] = {
    {"[\"api\"]", "api"},
    {"[\"0\"]", "api#0"},
    {"[\"2\"]", "api#2"},
    {"[5]", "worker#5"},
    {"[\"3\"]", "one"}, // the one process of an app is the app
    {"[\"all\"]", "api one worker"},
    {"[\"all\",\"all\",\"api\",\"4\"]", "api one worker"},
    {"[\"worker\",\"api\"]", "worker api"},
    {"[\"1\",\"0\",\"1\"]", "api#1 api#0"},
    {"[\"api\",\"1\"]", "api"},
    {"[\"1\",\"one\",\"0\",\"api\"]", "one api"},
    {"[\"1\",\"all\"]", "api one worker"},
    {"[\"4\",\"1\",\"worker\",\"5\"]", "api#1 worker"},
    {"[\"one\",\"3\"]", "one"},
    {"[\"3\",\"one\"]", "one"},
    {"[]", "! no app was named"},
    {"null", "! no app was named"},
    {"[\"6\"]", "! 6: no such app or id"},
    {"[\"-1\"]", "! -1: no such app or id"},
    {"[\"-0\"]", "! -0: no such app or id"},
    {"[\"+1\"]", "! +1: no such app or id"},
    {"[\" 1\"]", "!  1: no such app or id"},
    {"[\"-18446744073709551615\"]", "! -18446744073709551615: no such app or id"},
    {"[\"1x\"]", "! 1x: no such app or id"},
    {"[\"99999999999999999999\"]", "! 99999999999999999999: no such app or id"},
    {"[\"4294967296\"]", "! 4294967296: no such app or id"},
    {"[\"\"]", "! : no such app or id"},
    {"[null]", "! null: no such app or id"},
    {"[\"API\"]", "! API: no such app or id"},
    {"[\"wroker\"]", "! wroker: no such app or id; did you mean \"worker\"?"},
    {"[\"api\",\"0\",\"workers\"]", "! workers: no such app or id; did you mean \"worker\"?"},
};

START_TEST(selectors_of_apps)
{
    add_apps();
    check_selection(rows[_i].selectors, rows[_i].expected);
}
END_TEST

START_TEST(without_apps_all_is_nothing)
{
    check_selection("[\"all\"]", "");
    check_selection("[\"api\"]", "! api: no app is known here");
    check_selection("[\"all\",\"0\"]", "! 0: no app is known here");
    check_selection("[]", "! no app was named");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("selector");
    TCase *tests = tcase_create("selector");
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_loop_test(tests, selectors_of_apps, 0, (int)(sizeof(rows) / sizeof(rows[0])));
    tcase_add_test(tests, without_apps_all_is_nothing);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failures = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failures == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
