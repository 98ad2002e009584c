// What a route says to caches further out, in place of what the upstream said.

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "common/gateway_config.h"
#include "route_fields.h"

static char public_minute[] = "public, max-age=60";
static struct route_config silent;
static struct route_config speaks = {.cache_control = public_minute};
static struct route_config forbids = {.no_cache = true};
static struct route_config both = {.no_cache = true, .cache_control = public_minute};

static const struct {
    const struct route_config *route;
    int status;
    struct span name;
    bool is_replaced;
} names[] = {
    {&silent, 200, SPAN("Cache-Control"), false},  {&speaks, 200, SPAN("Cache-Control"), true},
    {&speaks, 204, SPAN("CACHE-CONTROL"), true},   {&speaks, 299, SPAN("cache-control"), true},
    {&speaks, 199, SPAN("Cache-Control"), false},  {&speaks, 304, SPAN("Cache-Control"), false},
    {&speaks, 500, SPAN("Cache-Control"), false},  {&speaks, 200, SPAN("Expires"), false},
    {&speaks, 200, SPAN("Pragma"), false},         {&speaks, 200, SPAN("Cache-Contro"), false},
    {&speaks, 200, SPAN("Cache-Controls"), false}, {&forbids, 200, SPAN("Cache-Control"), true},
    {&forbids, 200, SPAN("Expires"), true},        {&forbids, 200, SPAN("pragma"), true},
    {&forbids, 200, SPAN("ETag"), false},          {&forbids, 404, SPAN("Expires"), false},
    {&both, 200, SPAN("Expires"), true},
};

START_TEST(which_fields_are_left_out)
{
    ck_assert_int_eq(route_fields_replace(names[_i].route, names[_i].status, names[_i].name),
                     names[_i].is_replaced);
}
END_TEST

static const struct {
    const struct route_config *route;
    int status;
    const char *text;
} answers[] = {
    {&silent, 200, ""},
    {&speaks, 200, "cache-control: public, max-age=60\n"},
    {&speaks, 404, ""},
    {&forbids, 200,
     "cache-control: no-store, no-cache, must-revalidate, proxy-revalidate\n"
     "pragma: no-cache\nexpires: 0\n"},
    {&forbids, 301, ""},
    {&both, 200,
     "cache-control: no-store, no-cache, must-revalidate, proxy-revalidate\n"
     "pragma: no-cache\nexpires: 0\n"},
};

START_TEST(which_fields_are_added)
{
    h2o_req_t req = {0};
    char text[256] = "";
    h2o_mem_init_pool(&req.pool);
    route_fields_add(&req, answers[_i].route, answers[_i].status);
    for (size_t i = 0; i < req.res.headers.size; i++) {
        const h2o_header_t *field = &req.res.headers.entries[i];
        strncat(text, field->name->base, field->name->len);
        strcat(text, ": ");
        strncat(text, field->value.base, field->value.len);
        strcat(text, "\n");
        // Everything that is added is in the place of what was there.
        ck_assert(route_fields_replace(answers[_i].route, answers[_i].status,
                                       (struct span){field->name->base, field->name->len}));
    }
    ck_assert_str_eq(text, answers[_i].text);
    h2o_mem_clear_pool(&req.pool);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("route_fields");
    TCase *tests = tcase_create("route_fields");
    tcase_add_loop_test(tests, which_fields_are_left_out, 0, sizeof names / sizeof names[0]);
    tcase_add_loop_test(tests, which_fields_are_added, 0, sizeof answers / sizeof answers[0]);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
