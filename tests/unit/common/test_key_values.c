// Values at the edges of their rows: the sentence of each refusal, which leaves the field as it
// was.
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "common/key_values.h"
#include "common/mem.h"

static const char *const colours[] = {"red", "green", NULL};

static int parse_custom(struct json_object *value, void *field, struct err *err)
{
    if (!json_object_is_type(value, json_type_string))
        return err_set(err, "the row's own sentence");
    *(char **)field = mem_strdup(json_object_get_string(value));
    return 0;
}

static void clear_custom(void *field)
{
    free(*(char **)field);
    *(char **)field = NULL;
}

static const struct key flag = {.type = KEY_BOOL};
static const struct key number = {.type = KEY_INTEGER, .min = -5, .max = 5};
static const struct key any_number = {.type = KEY_INTEGER, .min = INT64_MIN, .max = INT64_MAX};
static const struct key duration = {.type = KEY_DURATION, .min = 1000, .max = 86400000};
static const struct key size = {.type = KEY_SIZE, .min = 1024, .max = 1 << 20};
static const struct key text = {.name = "text", .type = KEY_STRING, .min = 1, .max = 3};
static const struct key any_text = {.name = "text", .type = KEY_STRING};
static const struct key secret_text = {.name = "password", .type = KEY_STRING, .min = 1};
static const struct key word = {.type = KEY_WORD, .words = colours};
static const struct key strings = {.type = KEY_STRINGS, .min = 2};
static const struct key environment = {.type = KEY_ENVIRONMENT};
static const struct key custom = {.type = KEY_CUSTOM, .parse = parse_custom, .clear = clear_custom};
static const struct key object = {.type = KEY_OBJECT};
static const struct key objects = {.type = KEY_OBJECTS};
static const struct key map = {.type = KEY_OBJECT_MAP};

#define DURATION_WORDS "a duration (such as 1500, 500ms, 10s, 15m, 1h, 1d)"

static const struct row {
    const struct key *key;
    const char *json;
    const char *sentence; // NULL: accepted
} rows[] = {
    {&flag, "1", "1 is not true or false"},
    {&flag, "\"TRUE\"", "\"TRUE\" is not true or false"},
    {&flag, "\"\"", "\"\" is not true or false"},
    {&flag, "null", "null is not true or false"},
    {&number, "-5", NULL},
    {&number, "\"5\"", NULL},
    {&number, "6", "6 is not a number from -5 to 5"},
    {&number, "\"-6\"", "\"-6\" is not a number from -5 to 5"},
    {&number, "\"+1\"", "\"+1\" is not a number from -5 to 5"},
    {&number, "\"-\"", "\"-\" is not a number from -5 to 5"},
    {&number, "\"1 \"", "\"1 \" is not a number from -5 to 5"},
    {&number, "\"0x1\"", "\"0x1\" is not a number from -5 to 5"},
    {&number, "1.0", "1.0 is not a number from -5 to 5"},
    {&number, "true", "true is not a number from -5 to 5"},
    {&any_number, "\"-9223372036854775808\"", NULL},
    {&any_number, "\"9223372036854775808\"",
     "\"9223372036854775808\" is not a number from -9223372036854775808 to 9223372036854775807"},
    {&duration, "1000", NULL},
    {&duration, "\"24h\"", NULL},
    {&duration, "999", "999 is not a duration from 1s to 1d"},
    {&duration, "\"25h\"", "\"25h\" is not a duration from 1s to 1d"},
    {&duration, "\"1w\"", "\"1w\" is not " DURATION_WORDS},
    {&duration, "1.5", "1.5 is not " DURATION_WORDS},
    {&size, "\"1K\"", NULL},
    {&size, "\"1M\"", NULL},
    {&size, "1023", "1023 is not a size from 1K to 1M"},
    {&size, "\"1G\"", "\"1G\" is not a size from 1K to 1M"},
    {&size, "\"1T\"", "\"1T\" is not a size (such as 1024, 512K, 300M, 1G)"},
    {&text, "\"abc\"", NULL},
    {&text, "\"abcd\"", "longer than 3 bytes"},
    {&text, "\"\"", "must not be empty"},
    {&text, "5", "5 is not a string"},
    {&text, "\"a\\u0000\"", "\"a\\u0000\" is not a string"},
    {&any_text, "\"\"", NULL},
    {&secret_text, "12345", "is not a string"},
    {&secret_text, "[\"s\"]", "is not a string"},
    {&word, "\"red\"", NULL},
    {&word, "\"gren\"", "\"gren\" is not a word known here; did you mean \"green\"?"},
    {&word, "\"blue\"", "\"blue\" is not a word known here (such as \"red\")"},
    {&word, "0", "0 is not a word known here (such as \"red\")"},
    {&strings, "[\"\",\"\"]", NULL},
    {&strings, "\"a 'b c'\"", NULL},
    {&strings, "[\"a\"]", "must hold at least 2"},
    {&strings, "\"\"", "must hold at least 2"},
    {&strings, "[\"a\",null,\"b\"]", "null is not a string"},
    {&strings, "[\"a\",\"b\",[]]", "[] is not a string"},
    {&strings, "{}", "{} is not an array of strings"},
    {&custom, "\"x\"", NULL},
    {&custom, "5", "the row's own sentence"},
    {&object, "{}", "cannot be read as one value"},
    {&objects, "[]", "cannot be read as one value"},
    {&map, "{}", "cannot be read as one value"},
    {&environment, "{}", "cannot be read as one value"},
};

START_TEST(values_and_sentences)
{
    const struct row *row = &rows[_i];
    struct key_strings field, untouched; // the largest field
    struct err err = {""};
    struct json_object *value = json_tokener_parse(row->json);

    memset(&field, row->sentence ? 0xA5 : 0, sizeof field);
    untouched = field;
    int result = key_value_parse(row->key, value, &field, &err);
    ck_assert_msg(result == (row->sentence ? -1 : 0), "%s: %s", row->json, err.text);
    if (row->sentence) {
        ck_assert_str_eq(err.text, row->sentence);
        ck_assert_mem_eq(&field, &untouched, sizeof field);
    } else {
        key_value_clear(row->key, &field);
    }
    json_object_put(value);
}
END_TEST

static const struct variable {
    const char *name, *json, *expected; // "NAME=value", or the sentence
    bool is_refused, at_name;
} variables[] = {
    {"A", "\"x\"", "A=x", false, false},
    {"A", "\"\"", "A=", false, false},
    {"A", "{\"a\":[1,\"/\"]}", "A={\"a\":[1,\"/\"]}", false, false},
    {"", "\"x\"", "\"\" is not a name of a variable", true, true},
    {"B=C", "null", "\"B=C\" is not a name of a variable", true, true},
    {"B", "null", "B is null; an empty variable is \"\"", true, false},
    {"B", "\"\\u0000\"", "B holds a NUL character", true, false},
};

START_TEST(variables_and_sentences)
{
    const struct variable *row = &variables[_i];
    struct key_strings list = {0};
    struct err err = {""};
    bool at_name;
    struct json_object *value = json_tokener_parse(row->json);
    int result = key_variable_parse(row->name, value, &list, &at_name, &err);
    ck_assert_int_eq(result, row->is_refused ? -1 : 0);
    ck_assert_uint_eq(list.count, row->is_refused ? 0 : 1);
    ck_assert_str_eq(row->is_refused ? err.text : list.items[0], row->expected);
    ck_assert(at_name == row->at_name);
    key_strings_clear(&list);
    json_object_put(value);
}
END_TEST

START_TEST(long_values_are_cut_in_sentences)
{
    char json[200];
    struct err err = {""};
    bool field = false;
    memset(json, 'x', sizeof json);
    struct json_object *value = json_object_new_string_len(json, sizeof json);
    ck_assert_int_eq(key_value_parse(&flag, value, &field, &err), -1);
    ck_assert_uint_lt(strlen(err.text), 100);
    ck_assert_ptr_nonnull(strstr(err.text, "xxx... is not true or false"));
    json_object_put(value);
}
END_TEST

START_TEST(fallbacks)
{
    struct key row = duration;
    int64_t time_ms = 7;
    key_value_default(&row, &time_ms);
    ck_assert_int_eq(time_ms, 7);
    row.fallback = "10s";
    key_value_default(&row, &time_ms);
    ck_assert_int_eq(time_ms, 10000);
    row = custom;
    row.fallback = "x";
    char *own = NULL;
    key_value_default(&row, &own);
    ck_assert_str_eq(own, "x");
    key_value_clear(&row, &own);
}
END_TEST

START_TEST(cleared_fields_are_empty)
{
    char *string = mem_strdup("a");
    struct key_strings list = {0};
    key_value_clear(&text, &string);
    ck_assert_ptr_null(string);
    key_strings_add(&list, mem_strdup("a"));
    ck_assert_ptr_null(list.items[1]);
    key_strings_add(&list, mem_strdup("b"));
    ck_assert_uint_eq(list.count, 2);
    ck_assert_str_eq(list.items[1], "b");
    ck_assert_ptr_null(list.items[2]);
    key_value_clear(&environment, &list);
    ck_assert_ptr_null(list.items);
    ck_assert_uint_eq(list.count, 0);
    key_value_clear(&strings, &list); // twice
    struct key row = custom;
    row.clear = NULL;
    string = NULL;
    key_value_clear(&row, &string);
    string = mem_strdup("b");
    key_value_clear(&custom, &string);
    ck_assert_ptr_null(string);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("key_values");
    TCase *tests = tcase_create("key_values");
    tcase_add_loop_test(tests, values_and_sentences, 0, (int)(sizeof(rows) / sizeof(rows[0])));
    tcase_add_loop_test(tests, variables_and_sentences, 0,
                        (int)(sizeof variables / sizeof *variables));
    tcase_add_test(tests, long_values_are_cut_in_sentences);
    tcase_add_test(tests, fallbacks);
    tcase_add_test(tests, cleared_fields_are_empty);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
