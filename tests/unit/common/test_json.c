// Strict JSON, what JSON_RELAXED adds, and places.
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "common/json.h"
#include "common/mem.h"

static const char *const accepted[] = {"{}",
                                       "[]",
                                       "null",
                                       "true",
                                       " 1 ",
                                       "-0",
                                       "0.5e-3",
                                       "9223372036854775807",
                                       "-9223372036854775808",
                                       "\"\"",
                                       "\"\\u0000\\ud83d\\ude00\\/\"",
                                       "\"\xf0\x9f\x98\x80\"",
                                       "{\"a\":[1,{\"b\":null}],\"\":2}",
                                       "[\r\n\t1]",
                                       "1E5",
                                       "\"\x7f\""};

static const char *const refused[] = {"",
                                      " ",
                                      "{",
                                      "[",
                                      "[1",
                                      "{\"a\"",
                                      "{\"a\":",
                                      "{\"a\":1",
                                      "[1 2]",
                                      "{\"a\" 1}",
                                      "{1:2}",
                                      "1 2",
                                      "{}x",
                                      "tru",
                                      "TRUE",
                                      "True",
                                      "nulll",
                                      "NaN",
                                      "-NaN",
                                      "Infinity",
                                      "-Infinity",
                                      "'a'",
                                      "{'a':1}",
                                      "[,]",
                                      "[,1]",
                                      "[1,,]",
                                      "{,}",
                                      "01",
                                      "-",
                                      "-01",
                                      "1.",
                                      ".5",
                                      "1e",
                                      "1e+",
                                      "+1",
                                      "0x10",
                                      "9223372036854775808",
                                      "-9223372036854775809",
                                      "99999999999999999999",
                                      "1e999",
                                      "\"",
                                      "\"\\\"",
                                      "\"\\x\"",
                                      "\"\\u12\"",
                                      "\"\\u12g4\"",
                                      "\"\n\"",
                                      "\"\t\"",
                                      "\"\x01\"",
                                      "\"\\ud800\"",
                                      "\"\\udc00\"",
                                      "\"\\udc00\\udc00\"",
                                      "\"\\ud800\\u0041\"",
                                      "\"\\ud800x\"",
                                      "{\"a\\u0000b\":1}",
                                      "{\"a\":1,\"a\":2}",
                                      "{\"a\":1,\"\\u0061\":2}",
                                      "\"\xff\"",
                                      "\"\xc0\x80\"",
                                      "\"\xed\xa0\x80\"",
                                      "\"\xf4\x90\x80\x80\"",
                                      "\"\xe2\x82\"",
                                      "\xef\xbb\xbf{}",
                                      "/",
                                      "/* ",
                                      "/*/",
                                      "[1 // 2]"};

static const char *const relaxed[] = {"[1,]",
                                      "{\"a\":1,}",
                                      "// c\n1",
                                      "1 // c",
                                      "/**/1/* \xff */",
                                      "[1/*]*/, // ,\n /**/ ]",
                                      "{\"a\"/**/:/**/\"// no\"}"};

static bool parses(const char *text, size_t length, enum json_mode mode)
{
    struct err err = {""};
    struct json_place place = {0, 0};
    char *exact = mem_alloc(length); // without a NUL: reading on is an error of its own
    memcpy(exact, text, length);
    struct json_doc *doc = json_doc_parse(exact, length, mode, &place, &err);
    free(exact);
    ck_assert_msg(doc || (err.text[0] && place.line > 0 && place.column > 0), "%s", text);
    json_doc_free(doc);
    return doc != NULL;
}

START_TEST(accepted_texts)
{
    ck_assert_msg(parses(accepted[_i], strlen(accepted[_i]), JSON_STRICT), "%s", accepted[_i]);
    ck_assert_msg(parses(accepted[_i], strlen(accepted[_i]), JSON_RELAXED), "%s", accepted[_i]);
}
END_TEST

START_TEST(refused_texts)
{
    ck_assert_msg(!parses(refused[_i], strlen(refused[_i]), JSON_STRICT), "%s", refused[_i]);
    ck_assert_msg(!parses(refused[_i], strlen(refused[_i]), JSON_RELAXED), "%s", refused[_i]);
}
END_TEST

START_TEST(relaxed_texts)
{
    ck_assert_msg(!parses(relaxed[_i], strlen(relaxed[_i]), JSON_STRICT), "%s", relaxed[_i]);
    ck_assert_msg(parses(relaxed[_i], strlen(relaxed[_i]), JSON_RELAXED), "%s", relaxed[_i]);
}
END_TEST

START_TEST(nul_bytes_are_refused)
{
    ck_assert(!parses("1\0", 2, JSON_RELAXED));
    ck_assert(!parses("\"a\0b\"", 5, JSON_RELAXED));
}
END_TEST

START_TEST(depth_and_length_are_limited)
{
    char text[67];
    memset(text, '[', 33);
    memset(text + 33, ']', 33);
    ck_assert(!parses(text, 66, JSON_STRICT));
    ck_assert(parses(text + 1, 64, JSON_STRICT));
    size_t length = (4 << 20) + 1;
    char *blanks = mem_alloc(length);
    memset(blanks, ' ', length);
    blanks[0] = '1';
    ck_assert(parses(blanks, length - 1, JSON_STRICT));
    ck_assert(!parses(blanks, length, JSON_STRICT));
    free(blanks);
}
END_TEST

static void assert_place(struct json_place place, unsigned line, unsigned column)
{
    ck_assert_uint_eq(place.line, line);
    ck_assert_uint_eq(place.column, column);
}

START_TEST(places)
{
    static const char text[] = "{ // c\n  \"a\": [null,\n 2, {}], /* x\n */ \"b\" : true }";
    struct err err;
    struct json_doc *doc = json_doc_parse(text, strlen(text), JSON_RELAXED, NULL, &err);
    ck_assert_ptr_nonnull(doc);
    struct json_object *root = json_doc_root(doc), *array = json_get_array(root, "a");
    assert_place(json_own_place(doc, root), 1, 1);
    assert_place(json_member_place(doc, root, "a"), 2, 3);
    assert_place(json_value_place(doc, root, "a"), 2, 8);
    assert_place(json_item_place(doc, array, 0), 2, 9);
    assert_place(json_item_place(doc, array, 1), 3, 2);
    assert_place(json_own_place(doc, json_object_array_get_idx(array, 2)), 3, 5);
    assert_place(json_item_place(doc, array, 3), 0, 0);
    assert_place(json_value_place(doc, root, "b"), 4, 11);
    assert_place(json_value_place(doc, root, "c"), 0, 0);
    assert_place(json_value_place(NULL, root, "a"), 0, 0);
    json_doc_free(doc);
}
END_TEST

START_TEST(messages)
{
    struct err err;
    static const char line[] = "{\"s\":\"x\",\"i\":5,\"b\":true,\"o\":{},\"a\":[]}";
    struct json_object *message = json_parse_message(line, strlen(line), &err);
    ck_assert_ptr_nonnull(message);
    ck_assert_str_eq(json_get_string(message, "s", "y"), "x");
    ck_assert_str_eq(json_get_string(message, "i", "y"), "y");
    ck_assert_int_eq(json_get_int(message, "i", 7), 5);
    ck_assert_int_eq(json_get_int(message, "none", 7), 7);
    ck_assert(json_get_bool(message, "b", false));
    ck_assert_ptr_nonnull(json_get_object(message, "o"));
    ck_assert_ptr_null(json_get_object(message, "a"));
    ck_assert_ptr_nonnull(json_get_array(message, "a"));
    json_object_put(message);
    ck_assert_ptr_null(json_parse_message("[]", 2, &err));
    ck_assert_ptr_null(json_parse_message("null", 4, &err));
    ck_assert_ptr_null(json_parse_message("{} // c", 7, &err));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("json");
    TCase *tests = tcase_create("json");
    tcase_add_loop_test(tests, accepted_texts, 0, (int)(sizeof(accepted) / sizeof(accepted[0])));
    tcase_add_loop_test(tests, refused_texts, 0, (int)(sizeof(refused) / sizeof(refused[0])));
    tcase_add_loop_test(tests, relaxed_texts, 0, (int)(sizeof(relaxed) / sizeof(relaxed[0])));
    tcase_add_test(tests, nul_bytes_are_refused);
    tcase_add_test(tests, depth_and_length_are_limited);
    tcase_add_test(tests, places);
    tcase_add_test(tests, messages);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
