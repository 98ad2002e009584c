// Specs of a document: which, in which order, how long they live, which are equal.

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "spec.h"

#define GATEWAY                                                                                    \
    "\"gateway\":{\"listen\":[{\"address\":\"*:80\"}],"                                            \
    "\"upstreams\":{\"u\":{\"servers\":[\"unix:/a\"]}},"                                           \
    "\"routes\":[{\"path\":\"/*\",\"upstream\":\"u\"}]}"
#define APP(name, more) "{\"name\":\"" name "\",\"script\":\"/s\"" more "}"

static struct spec **load(const char *text, size_t *count)
{
    struct json_object *document = json_tokener_parse(text);
    struct config_errors *errors = config_errors_new("t");
    struct ecosystem *ecosystem = ecosystem_from_document(document, errors);
    ck_assert_msg(ecosystem != NULL, "%s", config_errors_text(errors, 0));
    config_errors_free(errors);
    json_object_put(document);
    return spec_list(ecosystem, NULL, count);
}

static struct spec *load_one(const char *text)
{
    size_t count;
    struct spec **list = load(text, &count), *spec = list[0];
    ck_assert_uint_eq(count, 1);
    free(list);
    return spec;
}

START_TEST(the_gateway_is_last)
{
    size_t count;
    struct spec **list =
        load("{" GATEWAY ",\"apps\":[" APP("b", "") "," APP("a", ",\"port\":7") "]}", &count);
    ck_assert_uint_eq(count, 3);
    ck_assert_str_eq(spec_name(list[0]), "b");
    ck_assert_str_eq(spec_name(list[1]), "a");
    ck_assert_str_eq(spec_name(list[2]), "gateway");
    ck_assert_int_eq(spec_config(list[1])->port, 7);
    ck_assert_ptr_null(spec_gateway(list[1]));
    ck_assert_uint_eq(spec_gateway(list[2])->listen.count, 1);
    ck_assert_ptr_eq(spec_config(list[2]), &spec_gateway(list[2])->process);
    for (size_t i = 0; i < count; i++)
        spec_unref(list[i]);
    free(list);
}
END_TEST

START_TEST(sidecars_are_before_the_gateway)
{
    static const enum spec_role roles[] = {SPEC_APP, SPEC_CACHESVC, SPEC_METRICSD, SPEC_GATEWAY};
    static const char *const names[] = {"b", "cachesvc", "metricsd", "gateway"};
    size_t count;
    struct spec **list =
        load("{" GATEWAY ",\"metricsd\":{},\"cachesvc\":{},\"apps\":[" APP("b", "") "]}", &count);
    ck_assert_uint_eq(count, 4);
    for (size_t i = 0; i < count; i++) {
        ck_assert_int_eq(spec_role(list[i]), roles[i]);
        ck_assert_str_eq(spec_name(list[i]), names[i]);
        spec_unref(list[i]);
    }
    free(list);
}
END_TEST

START_TEST(the_json_of_each_and_of_all)
{
    size_t count;
    struct spec **list = load("{" GATEWAY ",\"apps\":[" APP("b", "") "," APP("a", "") "]}", &count);
    struct json_object *document = spec_document(list[0]);
    struct json_object *apps = json_get_array(document, "apps");
    ck_assert_ptr_eq(spec_json(list[0]), json_object_array_get_idx(apps, 0));
    ck_assert_ptr_eq(spec_json(list[1]), json_object_array_get_idx(apps, 1));
    ck_assert_ptr_eq(spec_json(list[2]), json_get_object(document, "gateway"));
    ck_assert_ptr_eq(spec_document(list[2]), document);
    for (size_t i = 0; i < count; i++)
        spec_unref(list[i]);
    free(list);
}
END_TEST

START_TEST(the_last_reference_keeps_the_document)
{
    size_t count;
    struct spec **list = load("{\"apps\":[" APP("a", "") "," APP("b", "") "]}", &count);
    struct spec *b = spec_ref(list[1]);
    struct json_object *document = json_object_get(spec_document(b));
    ck_assert_ptr_eq(b, list[1]);
    spec_unref(list[0]);
    spec_unref(list[1]);
    free(list);
    ck_assert_str_eq(spec_name(b), "b");
    ck_assert_str_eq(json_get_string(spec_json(b), "name", ""), "b");
    spec_unref(b);
    ck_assert_int_eq(json_object_put(document), 1); // ours was the last one
    spec_unref(NULL);
}
END_TEST

static const struct row {
    const char *a, *b;
    bool equal;
} rows[] = {
    {"{\"apps\":[" APP("a", "") "]}", "{\"apps\":[" APP("a", "") "]}", true},
    {"{\"apps\":[" APP("a", ",\"port\":7,\"cwd\":\"/\"") "]}",
     "{\"apps\":[{\"cwd\":\"/\",\"port\":7,\"script\":\"/s\",\"name\":\"a\"}]}", true},
    {"{" GATEWAY "}", "{\"apps\":[]," GATEWAY "}", true},
    {"{\"apps\":[" APP("a", "") "]}", "{\"apps\":[" APP("b", "") "]}", false},
    {"{\"apps\":[" APP("a", "") "]}", "{\"apps\":[" APP("a", ",\"port\":7") "]}", false},
    {"{\"apps\":[" APP("a", ",\"port\":7") "]}", "{\"apps\":[" APP("a", ",\"port\":8") "]}", false},
    {"{\"apps\":[" APP("a", ",\"args\":[\"x\",\"y\"]") "]}",
     "{\"apps\":[" APP("a", ",\"args\":[\"y\",\"x\"]") "]}", false},
    {"{\"apps\":[" APP("a", ",\"env\":{\"X\":\"1\"}") "]}",
     "{\"apps\":[" APP("a", ",\"env\":{\"X\":\"2\"}") "]}", false},
};

START_TEST(equal_settings)
{
    struct spec *a = load_one(rows[_i].a), *b = load_one(rows[_i].b);
    ck_assert_int_eq(spec_equal(a, b), rows[_i].equal);
    ck_assert_int_eq(spec_equal(b, a), rows[_i].equal);
    ck_assert(spec_equal(a, a));
    spec_unref(a);
    spec_unref(b);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("spec");
    TCase *tests = tcase_create("spec");
    tcase_add_test(tests, the_gateway_is_last);
    tcase_add_test(tests, sidecars_are_before_the_gateway);
    tcase_add_test(tests, the_json_of_each_and_of_all);
    tcase_add_test(tests, the_last_reference_keeps_the_document);
    tcase_add_loop_test(tests, equal_settings, 0, (int)(sizeof(rows) / sizeof(rows[0])));
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failures = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failures == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
