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

// --- words, false, what was given --------------------------------------------------------------

struct condition {
    struct key_given given;
    char *path;
    bool is_known, is_new;
};

struct inner {
    struct key_given given;
    int64_t first, second;
};

struct custom {
    int64_t a, b;
};

struct layer {
    struct key_given given;
    struct key_array conditions;
    struct inner inner;
    int64_t number;
    char *text;
    struct custom custom;
};

static int parse_custom(struct json_object *value, void *field, struct err *err)
{
    (void)err;
    *(struct custom *)field = (struct custom){json_object_get_int64(value), 7};
    return 0;
}

static const struct key condition_keys[] = {
    {"path", KEY_STRING, offsetof(struct condition, path), .min = 1},
    {"known", KEY_BOOL, offsetof(struct condition, is_known), .fallback = "false"},
    {"new", KEY_BOOL, offsetof(struct condition, is_new), .fallback = "false"},
    {0}};
static const struct key_table condition_table = {.noun = "condition",
                                                 .keys = condition_keys,
                                                 .size = sizeof(struct condition),
                                                 .has_words = true,
                                                 .notes_given = true,
                                                 .given = offsetof(struct condition, given)};
static const struct key inner_keys[] = {
    {"first", KEY_INTEGER, offsetof(struct inner, first), .max = 9, .fallback = "1"},
    {"second", KEY_INTEGER, offsetof(struct inner, second), .max = 9, .fallback = "2"},
    {0}};
static const struct key_table inner_table = {.noun = "inner",
                                             .keys = inner_keys,
                                             .size = sizeof(struct inner),
                                             .notes_given = true,
                                             .given = offsetof(struct inner, given)};
static const struct key layer_keys[] = {
    {"conditions", KEY_OBJECTS, offsetof(struct layer, conditions), .table = &condition_table,
     .fallback = "[\"known\", {\"path\": \"/x\"}]"},
    {"inner", KEY_OBJECT, offsetof(struct layer, inner), .table = &inner_table},
    {"number", KEY_INTEGER, offsetof(struct layer, number), .max = 9, .fallback = "3"},
    {"text", KEY_STRING, offsetof(struct layer, text), .min = 1},
    {"custom", KEY_CUSTOM, offsetof(struct layer, custom), .parse = parse_custom,
     .size = sizeof(struct custom)},
    {0}};
static const struct key_table layer_table = {.noun = "layer",
                                             .keys = layer_keys,
                                             .size = sizeof(struct layer),
                                             .notes_given = true,
                                             .given = offsetof(struct layer, given),
                                             .may_be_false = true};
static const struct key outer_keys[] = {{"layer", KEY_OBJECT, 0, .table = &layer_table}, {0}};
static const struct key_table outer_table = {
    .noun = "outer", .keys = outer_keys, .size = sizeof(struct layer)};

// The layer is to be cleared. Returns the findings, to be freed.
static struct config_errors *parse_layer(const char *text, struct layer *layer)
{
    struct err err;
    struct json_doc *doc = json_doc_parse(text, strlen(text), JSON_RELAXED, NULL, &err);
    ck_assert_msg(doc != NULL, "%s: %s", text, err.text);
    struct config_errors *errors = config_errors_new("t");
    int result = keytable_parse(&outer_table, json_doc_root(doc), doc, "", layer, errors);
    ck_assert_int_eq(result, config_errors_count(errors) > 0 ? -1 : 0);
    json_doc_free(doc);
    return errors;
}

static void parse_good_layer(const char *text, struct layer *layer)
{
    struct config_errors *errors = parse_layer(text, layer);
    ck_assert_uint_eq(config_errors_count(errors), 0);
    config_errors_free(errors);
}

static const struct condition *condition_of(const struct layer *layer, size_t index)
{
    ck_assert_uint_lt(index, layer->conditions.count);
    return (const struct condition *)layer->conditions.items + index;
}

START_TEST(items_have_defaults_and_may_be_words)
{
    struct layer layer;
    parse_good_layer("{}", &layer);
    ck_assert_int_eq(layer.given.presence, KEY_ABSENT);
    ck_assert_uint_eq(layer.conditions.count, 2);
    ck_assert(condition_of(&layer, 0)->is_known && !condition_of(&layer, 0)->is_new);
    ck_assert_str_eq(condition_of(&layer, 1)->path, "/x");
    keytable_clear(&outer_table, &layer);

    parse_good_layer("{\"layer\":{\"conditions\":[\"new\"]}}", &layer);
    ck_assert_uint_eq(layer.conditions.count, 1);
    ck_assert(condition_of(&layer, 0)->is_new && !condition_of(&layer, 0)->is_known);
    ck_assert_uint_eq(condition_of(&layer, 0)->given.rows, 4);
    keytable_clear(&outer_table, &layer);

    parse_good_layer("{\"layer\":{\"conditions\":[]}}", &layer);
    ck_assert_uint_eq(layer.conditions.count, 0);
    keytable_clear(&outer_table, &layer);
}
END_TEST

static const struct finding_row {
    const char *text, *finding;
} findings[] = {
    {"{\"layer\":{\"conditions\":[\"knwon\"]}}",
     "t:1:25: layer.conditions[0]: \"knwon\" is neither an object nor a word known here; did you "
     "mean \"known\"?"},
    {"{\"layer\":{\"conditions\":[{},\"path\"]}}",
     "t:1:28: layer.conditions[1]: \"path\" is neither an object nor a word known here"},
    {"{\"layer\":{\"conditions\":[5]}}", "t:1:25: layer.conditions[0]: 5 is not an object"},
    {"{\"layer\":true}", "t:1:10: layer: true is not an object or false"},
    {"{\"layer\":{\"inner\":false}}", "t:1:19: layer.inner: false is not an object"},
};

START_TEST(findings_of_words)
{
    struct layer layer;
    struct config_errors *errors = parse_layer(findings[_i].text, &layer);
    ck_assert_uint_eq(config_errors_count(errors), 1);
    ck_assert_str_eq(config_errors_text(errors, 0), findings[_i].finding);
    config_errors_free(errors);
    keytable_clear(&outer_table, &layer);
}
END_TEST

START_TEST(false_stands_for_an_object)
{
    static const char *const texts[] = {"{\"layer\":false}", "{\"layer\":\"false\"}"};
    struct layer layer;
    for (size_t i = 0; i < 2; i++) {
        parse_good_layer(texts[i], &layer);
        ck_assert_int_eq(layer.given.presence, KEY_FALSE);
        ck_assert_int_eq(layer.number, 3);
        keytable_clear(&outer_table, &layer);
    }
}
END_TEST

START_TEST(what_stood_in_the_file)
{
    static const char *const names[] = {"conditions", "inner", "number", "text", "custom"};
    struct layer layer;
    parse_good_layer("{\"layer\":{\"number\":3,\"custom\":1}}", &layer);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        ck_assert_int_eq(keytable_is_given(&layer_table, &layer, names[i]), i == 2 || i == 4);
    keytable_clear(&outer_table, &layer);
}
END_TEST

START_TEST(an_overlay_replaces_what_it_was_given)
{
    struct layer base, over, both;
    parse_good_layer("{\"layer\":{\"inner\":{\"first\":5,\"second\":6},\"number\":7,"
                     "\"text\":\"a\",\"custom\":1}}",
                     &base);
    parse_good_layer("{\"layer\":{\"inner\":{\"second\":2},\"text\":\"b\",\"conditions\":[]}}",
                     &over);
    keytable_overlay(&layer_table, &base, &over, &both);
    ck_assert_int_eq(both.inner.first, 5);
    ck_assert_int_eq(both.inner.second, 2);
    ck_assert_int_eq(both.number, 7);
    ck_assert_str_eq(both.text, "b");
    ck_assert_uint_eq(both.conditions.count, 0);
    ck_assert(both.custom.a == 1 && both.custom.b == 7);
    ck_assert_uint_eq(both.given.rows, 31);
    keytable_clear(&outer_table, &over);

    parse_good_layer("{\"layer\":{\"custom\":2}}", &over);
    keytable_overlay(&layer_table, &base, &over, &both);
    ck_assert(both.custom.a == 2 && both.custom.b == 7 && both.inner.second == 6);
    ck_assert_ptr_eq(both.conditions.items, base.conditions.items);
    keytable_clear(&outer_table, &over);
    keytable_clear(&outer_table, &base);
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
    tcase_add_test(tests, items_have_defaults_and_may_be_words);
    tcase_add_loop_test(tests, findings_of_words, 0, (int)(sizeof(findings) / sizeof(findings[0])));
    tcase_add_test(tests, false_stands_for_an_object);
    tcase_add_test(tests, what_stood_in_the_file);
    tcase_add_test(tests, an_overlay_replaces_what_it_was_given);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
