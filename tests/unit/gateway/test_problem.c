// The prepared error bodies.
#include <check.h>
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

#include "problem.h"

static const int statuses[] = {400, 401, 403, 404, 405, 408, 413, 417, 421, 500, 502, 503, 504};

START_TEST(bodies_are_problem_documents)
{
    const struct problem *problem = problem_get(statuses[_i]);
    struct json_object *body = json_tokener_parse(problem->body.bytes);
    struct json_object *type, *title, *status, *detail;
    ck_assert_int_eq(problem->status, statuses[_i]);
    ck_assert_uint_eq(problem->body.length, strlen(problem->body.bytes));
    ck_assert(json_object_object_get_ex(body, "type", &type));
    ck_assert(json_object_object_get_ex(body, "title", &title));
    ck_assert(json_object_object_get_ex(body, "status", &status));
    ck_assert(json_object_object_get_ex(body, "detail", &detail));
    ck_assert_int_eq(json_object_object_length(body), 4);
    ck_assert_str_eq(json_object_get_string(type), "about:blank");
    ck_assert_str_eq(json_object_get_string(title), problem->title);
    ck_assert_int_eq(json_object_get_int(status), statuses[_i]);
    ck_assert_int_gt(json_object_get_string_len(detail), 0);
    json_object_put(body);
}
END_TEST

START_TEST(others_are_the_first_of_their_class)
{
    ck_assert_int_eq(problem_get(418)->status, 400);
    ck_assert_int_eq(problem_get(599)->status, 500);
    ck_assert_int_eq(problem_get(200)->status, 500);
    ck_assert_int_eq(problem_get(-1)->status, 500);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("problem");
    TCase *tests = tcase_create("problem");
    tcase_add_loop_test(tests, bodies_are_problem_documents, 0,
                        (int)(sizeof(statuses) / sizeof(statuses[0])));
    tcase_add_test(tests, others_are_the_first_of_their_class);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
