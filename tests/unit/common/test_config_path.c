// Paths, written and found again; values as errors show them.
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "common/config_path.h"
#include "common/mem.h"

static const struct member_row {
    const char *path, *key, *joined;
} members[] = {
    {"", "a", "a"},
    {"a", "b", "a.b"},
    {"apps[0]", "ready", "apps[0].ready"},
    {"a", "B_9-x", "a.B_9-x"},
    {"a", "", "a[\"\"]"},
    {"", "", "[\"\"]"},
    {"a", "b c", "a[\"b c\"]"},
    {"a", "b.c", "a[\"b.c\"]"},
    {"", "0]", "[\"0]\"]"},
    {"a", "/b", "a[\"/b\"]"},
    {"a", "\"", "a[\"\\\"\"]"},
    {"a", "\n", "a[\"\\n\"]"},
    {"a", "\xc3\xa4", "a[\"\xc3\xa4\"]"},
};

START_TEST(members_of_paths)
{
    char *joined = config_path_member(members[_i].path, members[_i].key);
    ck_assert_str_eq(joined, members[_i].joined);
    free(joined);
}
END_TEST

START_TEST(items_of_paths)
{
    char *root = config_path_item("", 0), *inner = config_path_item("a[1]", 23);
    ck_assert_str_eq(root, "[0]");
    ck_assert_str_eq(inner, "a[1][23]");
    free(root);
    free(inner);
}
END_TEST

// Each value is on a line of its own.
static const char document[] = "{\n"
                               "\"a\":\n1,\n"                  // 3
                               "\"ab\":\n{\n\"c\":\n2},\n"     // 5, 7
                               "\"a.b\":\n3,\n"                // 9
                               "\"\":\n{\n\"x y\":\n4},\n"     // 11, 13
                               "\"list\":\n[\n5,\n[\n6],\n{\n" // 15, 16: 5, 17: list[1], 18, 19
                               "\"d\":\nnull}],\n"             // 21
                               "\"a[0]\":\n7}";                // 23

static const struct place_row {
    const char *path;
    unsigned line;
} places[] = {
    {"", 1},
    {NULL, 1},
    {"a", 3},
    {"ab", 5},
    {"ab.c", 7},
    {"[\"a.b\"]", 9},
    {"[\"\"]", 11},
    {"[\"\"][\"x y\"]", 13},
    {"list", 15},
    {"list[0]", 16},
    {"list[1]", 17},
    {"list[1][0]", 18},
    {"list[2]", 19},
    {"list[2].d", 21},
    {"[\"a[0]\"]", 23},
    // What is not there stands where its nearest container does.
    {"nothing", 1},
    {"a.b", 3},
    {"a[0]", 3},
    {"ab.d", 5},
    {"ab[0]", 5},
    {"list[3]", 15},
    {"list.d", 15},
    {"list[x]", 15},
    {"list[1", 15},
    {"list[1][1].x", 17},
    {"list[2].d.e", 21},
};

START_TEST(places_of_paths)
{
    struct err err;
    struct json_doc *doc = json_doc_parse(document, strlen(document), JSON_STRICT, NULL, &err);
    ck_assert_msg(doc != NULL, "%s", err.text);
    struct json_place place = config_path_place(doc, json_doc_root(doc), places[_i].path);
    ck_assert_msg(place.line == places[_i].line, "%s: line %u", places[_i].path, place.line);
    json_doc_free(doc);
}
END_TEST

START_TEST(paths_below_a_value_and_without_places)
{
    struct err err;
    struct json_doc *doc = json_doc_parse(document, strlen(document), JSON_STRICT, NULL, &err);
    ck_assert_ptr_nonnull(doc);
    struct json_object *list = json_get_array(json_doc_root(doc), "list");
    ck_assert_uint_eq(config_path_place(doc, list, "[1][0]").line, 18);
    ck_assert_uint_eq(config_path_place(NULL, list, "[1][0]").line, 0);
    json_doc_free(doc);
}
END_TEST

START_TEST(every_written_path_is_found)
{
    static const char *const keys[] = {"a", "", "a.b", "a[\"b\"]", "[0]", "\"", "\\", "a]"};
    struct json_object *root = json_object_new_object();
    size_t count = sizeof keys / sizeof *keys;
    struct err err;

    for (size_t i = 0; i < count; i++)
        json_object_object_add(root, keys[i], json_object_new_int((int)i));
    const char *text = json_object_to_json_string_ext(root, JSON_C_TO_STRING_PLAIN);
    struct json_doc *doc = json_doc_parse(text, strlen(text), JSON_STRICT, NULL, &err);
    ck_assert_msg(doc != NULL, "%s", err.text);
    for (size_t i = 0; i < count; i++) {
        char *path = config_path_member("", keys[i]);
        struct json_place place = config_path_place(doc, json_doc_root(doc), path);
        struct json_place its = json_value_place(doc, json_doc_root(doc), keys[i]);
        ck_assert_msg(its.column > 1 && place.column == its.column, "%s", path);
        free(path);
    }
    json_doc_free(doc);
    json_object_put(root);
}
END_TEST

// A string of so many x and the tail; its JSON has a quote at either end.
static const struct quote_row {
    size_t letters;
    const char *tail;
    size_t kept; // of the JSON, before "..."; 0: all of it
} quotes[] = {
    {0, "", 0},
    {58, "", 0},
    {59, "", 60},
    {500, "", 60},
    {56, "\xc3\xa4", 0},  // 60 bytes with the quotes
    {57, "\xc3\xa4", 60}, // the letter fits, the quote does not
    {58, "\xc3\xa4", 59}, // the limit is within the letter
    {56, "\xe2\x82\xac", 60},
    {57, "\xe2\x82\xac", 58},
    {56, "\xf0\x9f\x98\x80", 57},
};

START_TEST(quoted_values)
{
    const struct quote_row *row = &quotes[_i];
    char *text = mem_alloc(row->letters + strlen(row->tail) + 1);
    memset(text, 'x', row->letters);
    strcpy(text + row->letters, row->tail);
    struct json_object *value = json_object_new_string(text);
    char *whole = mem_printf("\"%s\"", text), *quoted = config_quote(value);
    char *expected =
        row->kept > 0 ? mem_printf("%.*s...", (int)row->kept, whole) : mem_strdup(whole);
    ck_assert_str_eq(quoted, expected);
    free(text);
    free(whole);
    free(quoted);
    free(expected);
    json_object_put(value);
}
END_TEST

START_TEST(quoted_kinds)
{
    static const char *const kinds[] = {"null", "true",     "-5",
                                        "1.50", "\"a/b\"",  "\"\\\"\\n\"",
                                        "[]",   "[1,null]", "{\"a\":{\"b\":\"c\"}}"};
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        struct json_object *value = json_tokener_parse(kinds[i]);
        char *quoted = config_quote(value);
        ck_assert_str_eq(quoted, kinds[i]);
        free(quoted);
        json_object_put(value);
    }
}
END_TEST

START_TEST(quoted_secrets)
{
    static const char *const values[][2] = {
        {"{\"password\":\"x\",\"port\":1}", "{\"password\":\"***\",\"port\":1}"},
        {"[{\"a\":[{\"DB_PASS\":{\"x\":1}},null]},2]", "[{\"a\":[{\"DB_PASS\":\"***\"},null]},2]"},
        {"{\"a\\\"b\":\"password\"}", "{\"a\\\"b\":\"password\"}"},
    };
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        struct json_object *value = json_tokener_parse(values[i][0]);
        char *quoted = config_quote(value);
        ck_assert_str_eq(quoted, values[i][1]);
        free(quoted);
        json_object_put(value);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("config_path");
    TCase *tests = tcase_create("config_path");
    tcase_add_loop_test(tests, members_of_paths, 0, (int)(sizeof(members) / sizeof(members[0])));
    tcase_add_test(tests, items_of_paths);
    tcase_add_loop_test(tests, places_of_paths, 0, (int)(sizeof(places) / sizeof(places[0])));
    tcase_add_test(tests, paths_below_a_value_and_without_places);
    tcase_add_test(tests, every_written_path_is_found);
    tcase_add_loop_test(tests, quoted_values, 0, (int)(sizeof(quotes) / sizeof(quotes[0])));
    tcase_add_test(tests, quoted_kinds);
    tcase_add_test(tests, quoted_secrets);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
