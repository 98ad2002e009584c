// Types of rows, defaults, findings.
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "common/keytable.h"

struct item {
    char *name;
    int64_t number;
};

struct thing {
    bool flag;
    int64_t number, time_ms, bytes;
    char *text;
    int word;
    struct key_strings words, env;
    struct item inner;
    struct key_array list, map;
};

#define AT(field) offsetof(struct thing, field)

static const char *const colours[] = {"red", "green", NULL};
static const char *const others[] = {"count", NULL};
static const struct key item_keys[] = {
    {"number", KEY_INTEGER, offsetof(struct item, number), .max = 9, .fallback = "4"}, {0}};
static const struct key_table item_table = {
    .noun = "item", .keys = item_keys, .size = sizeof(struct item)};
static const struct key base_keys[] = {
    {"flag", KEY_BOOL, AT(flag), .fallback = "true"},
    {"number", KEY_INTEGER, AT(number), .min = -5, .max = 5, .fallback = "3", .aliases = others},
    {0}};
static const struct key keys[] = {
    {"time", KEY_DURATION, AT(time_ms), .max = 86400000, .fallback = "10s"},
    {"bytes", KEY_SIZE, AT(bytes), .max = INT64_C(1) << 40, .fallback = "2K"},
    {"text", KEY_STRING, AT(text), .min = 1, .max = 8, .fallback = "abc"},
    {"word", KEY_WORD, AT(word), .words = colours, .fallback = "green"},
    {"words", KEY_STRINGS, AT(words), .fallback = "a b"},
    {"env", KEY_ENVIRONMENT, AT(env), .min = 0},
    {"inner", KEY_OBJECT, AT(inner), .table = &item_table},
    {"list", KEY_OBJECTS, AT(list), .table = &item_table},
    {"map", KEY_OBJECT_MAP, AT(map), .table = &item_table},
    {0}};
static const struct key_table table = {
    .noun = "thing", .keys = keys, .size = sizeof(struct thing), .base_keys = base_keys};

// The object is to be cleared.
static size_t parse(const char *text, struct thing *object)
{
    struct err err;
    struct json_doc *doc = json_doc_parse(text, strlen(text), JSON_RELAXED, NULL, &err);
    ck_assert_msg(doc != NULL, "%s: %s", text, err.text);
    struct config_errors *errors = config_errors_new("t");
    int result = keytable_parse(&table, json_doc_root(doc), doc, "", object, errors);
    size_t count = config_errors_count(errors);
    ck_assert_int_eq(result, count > 0 ? -1 : 0);
    config_errors_free(errors);
    json_doc_free(doc);
    return count;
}

START_TEST(defaults)
{
    struct thing thing;
    ck_assert_uint_eq(parse("{}", &thing), 0);
    ck_assert(thing.flag);
    ck_assert_int_eq(thing.number, 3);
    ck_assert_int_eq(thing.time_ms, 10000);
    ck_assert_int_eq(thing.bytes, 2048);
    ck_assert_str_eq(thing.text, "abc");
    ck_assert_int_eq(thing.word, 1);
    ck_assert_uint_eq(thing.words.count, 2);
    ck_assert_int_eq(thing.inner.number, 4);
    ck_assert_uint_eq(thing.list.count, 0);
    keytable_clear(&table, &thing);
    ck_assert_ptr_null(thing.text);
}
END_TEST

START_TEST(values)
{
    struct thing thing;
    ck_assert_uint_eq(
        parse("{\"flag\":\"false\",\"count\":\"-5\",\"time\":\"15m\",\"bytes\":\"1G\","
              "\"text\":\"x\",\"word\":\"red\",\"words\":\"a 'b c' d\\\\ e \\\"f\\\"\","
              "\"env\":{\"A\":1,\"B\":true,\"C\":{\"d\":[]},\"E\":\"\"},"
              "\"inner\":{\"number\":0},\"list\":[{},{\"number\":1}],"
              "\"map\":{\"k\":{\"number\":2}}}",
              &thing),
        0);
    ck_assert(!thing.flag);
    ck_assert_int_eq(thing.number, -5);
    ck_assert_int_eq(thing.time_ms, 900000);
    ck_assert_int_eq(thing.bytes, 1 << 30);
    ck_assert_int_eq(thing.word, 0);
    ck_assert_uint_eq(thing.words.count, 4);
    ck_assert_str_eq(thing.words.items[1], "b c");
    ck_assert_str_eq(thing.words.items[2], "d e");
    ck_assert_ptr_null(thing.words.items[4]);
    ck_assert_str_eq(thing.env.items[0], "A=1");
    ck_assert_str_eq(thing.env.items[1], "B=true");
    ck_assert_str_eq(thing.env.items[2], "C={\"d\":[]}");
    ck_assert_str_eq(thing.env.items[3], "E=");
    ck_assert_int_eq(thing.inner.number, 0);
    ck_assert_int_eq(((struct item *)thing.list.items)[0].number, 4);
    ck_assert_int_eq(((struct item *)thing.list.items)[1].number, 1);
    ck_assert_str_eq(((struct item *)thing.map.items)[0].name, "k");
    keytable_clear(&table, &thing);
}
END_TEST

static const char *const refused[] = {"[]",
                                      "null",
                                      "{\"flag\":1}",
                                      "{\"number\":6}",
                                      "{\"number\":1.5}",
                                      "{\"number\":\"1x\"}",
                                      "{\"number\":\" 1\"}",
                                      "{\"number\":1,\"count\":1}",
                                      "{\"time\":\"1\\u0000\"}",
                                      "{\"time\":\"1w\"}",
                                      "{\"time\":-1}",
                                      "{\"time\":\"2d\"}",
                                      "{\"bytes\":\"1T\"}",
                                      "{\"bytes\":\"99999999999999999999\"}",
                                      "{\"bytes\":\"9999999999999G\"}",
                                      "{\"text\":\"\"}",
                                      "{\"text\":\"123456789\"}",
                                      "{\"text\":null}",
                                      "{\"word\":\"gren\"}",
                                      "{\"word\":5}",
                                      "{\"words\":[1]}",
                                      "{\"words\":{}}",
                                      "{\"words\":\"'\"}",
                                      "{\"words\":\"\\\\\"}",
                                      "{\"env\":[]}",
                                      "{\"env\":{\"A\":null}}",
                                      "{\"env\":{\"\":1}}",
                                      "{\"inner\":[]}",
                                      "{\"list\":{}}",
                                      "{\"list\":[1]}",
                                      "{\"map\":[]}",
                                      "{\"map\":{\"k\":1}}",
                                      "{\"nope\":1}",
                                      "{\"list\":[{\"number\":10}]}"};

START_TEST(refused_values)
{
    struct thing thing;
    ck_assert_msg(parse(refused[_i], &thing) == 1, "%s", refused[_i]);
    keytable_clear(&table, &thing);
}
END_TEST

START_TEST(findings_are_in_the_order_of_the_file)
{
    struct config_errors *errors = config_errors_new("-");
    config_errors_add(errors, (struct json_place){0, 0}, "d");
    config_errors_add(errors, (struct json_place){2, 1}, "c");
    config_errors_add(errors, (struct json_place){1, 9}, "a");
    config_errors_add(errors, (struct json_place){1, 9}, "b");
    ck_assert_str_eq(config_errors_text(errors, 0), "standard input:1:9: a");
    ck_assert_str_eq(config_errors_text(errors, 1), "standard input:1:9: b");
    ck_assert_str_eq(config_errors_text(errors, 2), "standard input:2:1: c");
    ck_assert_str_eq(config_errors_text(errors, 3), "standard input: d");
    config_errors_free(errors);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("keytable");
    TCase *tests = tcase_create("keytable");
    tcase_add_test(tests, defaults);
    tcase_add_test(tests, values);
    tcase_add_loop_test(tests, refused_values, 0, (int)(sizeof(refused) / sizeof(refused[0])));
    tcase_add_test(tests, findings_are_in_the_order_of_the_file);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
