// Which requests are looked up, which answers are stored, how old they are.
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "cache_policy.h"
#include "common/cache_config.h"
#include "common/match_config.h"
#include "match.h"
#include "response.h"

static struct span text(const char *string)
{
    return (struct span){string, strlen(string)};
}

static char admin[] = "/api/admin/*";
static struct match_config conditions[] = {{.is_authenticated = true}, {.path = admin}};
static const struct cache_config config = {.skip = {conditions, 2}, .max_size_bytes = 1000};
static const struct cache_config open_config = {.max_size_bytes = 1000};

static struct cache_config ignoring(unsigned vetoes)
{
    return (struct cache_config){.max_size_bytes = 1000, .ignore = vetoes};
}

// --- requests -----------------------------------------------------------------------------------

static const struct request_row {
    const struct cache_config *config;
    const char *method, *path, *field, *value;
    bool has_body, has_identity;
    bool may_look_up, may_store;
    enum cache_reason reason;
} requests[] = {
    {&config, "GET", "/a", "Accept", "x", false, false, true, true, CACHE_MAY},
    {&config, "HEAD", "/a", "Accept", "x", false, false, true, false, CACHE_HEAD},
    {&config, "POST", "/a", "Accept", "x", false, false, false, false, CACHE_METHOD},
    {&config, "get", "/a", "Accept", "x", false, false, false, false, CACHE_METHOD},
    {&config, "OPTIONS", "*", "Accept", "x", false, false, false, false, CACHE_METHOD},
    {&config, "GET", "/a", "Accept", "x", true, false, false, false, CACHE_HAS_BODY},
    {&config, "GET", "/a", "RANGE", "bytes=0-1", false, false, false, false, CACHE_RANGE},
    {&config, "HEAD", "/a", "Range", "x", false, false, false, false, CACHE_RANGE},
    {&config, "GET", "/api/admin", "Accept", "x", false, false, false, false, CACHE_SKIPPED},
    {&config, "GET", "/api/admin/x", "Accept", "x", false, false, false, false, CACHE_SKIPPED},
    {&config, "GET", "/a", "authorization", "x", false, false, false, false, CACHE_SKIPPED},
    {&config, "GET", "/a", "Accept", "x", false, true, false, false, CACHE_SKIPPED},
    {&open_config, "GET", "/a", "Authorization", "x", false, false, false, false,
     CACHE_AUTHORIZATION},
    {&open_config, "GET", "/a", "Accept", "x", false, true, true, true, CACHE_MAY},
    {&config, "GET", "/a", "Cache-Control", "no-store, no-cache, max-age=0", false, false, true,
     true, CACHE_MAY},
    {&config, "GET", "/a", "Pragma", "no-cache", false, false, true, true, CACHE_MAY},
    {&config, "GET", "/a", "Cookie", "a=b", false, false, true, true, CACHE_MAY},
};

static struct cache_decision decide(const struct cache_config *settings,
                                    const struct request_row *row)
{
    struct field field = {text(row->field), text(row->value)};
    struct match_subject subject = {text(row->method), text(row->path), SPAN(""), &field, 1,
                                    row->has_identity};
    return cache_policy_request(settings, &subject, row->has_body);
}

START_TEST(what_a_request_may)
{
    const struct request_row *row = &requests[_i];
    struct cache_decision decision = decide(row->config, row);
    ck_assert_str_eq(cache_reason_text(decision.reason), cache_reason_text(row->reason));
    ck_assert(decision.may_look_up == row->may_look_up);
    ck_assert(decision.may_store == row->may_store);
}
END_TEST

START_TEST(authorization_may_be_ignored)
{
    struct cache_config ignores = ignoring(CACHE_VETO_AUTHORIZATION);
    struct request_row row = {.method = "GET", .path = "/", .field = "Authorization", .value = "x"};
    ck_assert(decide(&ignores, &row).may_store);
    ignores.skip = config.skip;
    ck_assert_int_eq(decide(&ignores, &row).reason, CACHE_SKIPPED);
}
END_TEST

// --- answers ------------------------------------------------------------------------------------

static const struct response_row {
    int status;
    const char *name, *value; // of a field, after others that do not matter
    enum cache_reason reason;
    unsigned veto; // that must be ignored, so that it may be stored
} responses[] = {
    {200, "ETag", "\"a\"", CACHE_MAY, 0},
    {204, "ETag", "\"a\"", CACHE_MAY, 0},
    {299, "ETag", "\"a\"", CACHE_MAY, 0},
    {206, "Content-Range", "bytes 0-1/2", CACHE_STATUS, 0},
    {301, "Location", "/", CACHE_STATUS, 0},
    {304, "ETag", "\"a\"", CACHE_STATUS, 0},
    {404, "Cache-Control", "public, max-age=60", CACHE_STATUS, 0},
    {500, "ETag", "\"a\"", CACHE_STATUS, 0},
    {200, "Cache-Control", "private", CACHE_PRIVATE, CACHE_VETO_PRIVATE},
    {200, "cache-control", "max-age=1 , PriVate", CACHE_PRIVATE, CACHE_VETO_PRIVATE},
    {200, "Cache-Control", "private=\"x\"", CACHE_PRIVATE, CACHE_VETO_PRIVATE},
    {200, "Cache-Control", "no-store", CACHE_NO_STORE, CACHE_VETO_NO_STORE},
    {200, "CACHE-CONTROL", "a=\"b, c\", No-Store", CACHE_NO_STORE, CACHE_VETO_NO_STORE},
    {200, "Cache-Control", "a=\"b, no-store\"", CACHE_MAY, 0},
    {200, "Cache-Control", "a=\"private\"", CACHE_MAY, 0},
    {200, "Cache-Control", "privately, no-storeroom, x-private", CACHE_MAY, 0},
    {200, "Cache-Control", "no-cache, max-age=0, must-revalidate", CACHE_MAY, 0},
    {200, "X-Cache-Control", "private", CACHE_MAY, 0},
    {200, "Set-Cookie", "a=b", CACHE_SET_COOKIE, CACHE_VETO_SET_COOKIE},
    {200, "SET-COOKIE", "", CACHE_SET_COOKIE, CACHE_VETO_SET_COOKIE},
    {200, "Vary", "Accept-Encoding", CACHE_MAY, 0},
    {200, "Vary", "*", CACHE_VARY_ALL, 0},
    {200, "vary", "Foo, *", CACHE_VARY_ALL, 0},
};

START_TEST(which_answers_may_be_stored)
{
    const struct response_row *row = &responses[_i];
    struct field fields[] = {{SPAN("Cache-Control"), SPAN("max-age=3")},
                             {SPAN("Vary"), SPAN("Accept")},
                             {text(row->name), text(row->value)}};
    struct cache_config without = ignoring(15 & ~row->veto);
    struct cache_config with = ignoring(row->veto);
    enum cache_reason reason =
        cache_policy_response(&without, row->status, fields, 3, RESPONSE_LENGTH_UNKNOWN);
    ck_assert_str_eq(cache_reason_text(reason), cache_reason_text(row->reason));
    if (row->veto != 0)
        ck_assert_int_eq(cache_policy_response(&with, row->status, fields, 3, 10), CACHE_MAY);
}
END_TEST

START_TEST(sizes)
{
    ck_assert_int_eq(cache_policy_response(&config, 200, NULL, 0, 1000), CACHE_MAY);
    ck_assert_int_eq(cache_policy_response(&config, 200, NULL, 0, 1001), CACHE_TOO_LARGE);
    ck_assert_int_eq(cache_policy_body(&config, 1000, true), CACHE_MAY);
    ck_assert_int_eq(cache_policy_body(&config, 1000, false), CACHE_INCOMPLETE);
    ck_assert_int_eq(cache_policy_body(&config, 1001, true), CACHE_TOO_LARGE);
}
END_TEST

START_TEST(each_reason_has_a_text)
{
    for (int reason = CACHE_MAY; reason <= CACHE_INCOMPLETE; ++reason)
        ck_assert_ptr_nonnull(cache_reason_text((enum cache_reason)reason));
}
END_TEST

// --- time ---------------------------------------------------------------------------------------

START_TEST(freshness)
{
    ck_assert_int_eq(cache_policy_freshness(1000, 500, 0, 1000), FRESHNESS_FRESH);
    ck_assert_int_eq(cache_policy_freshness(1000, 500, 0, 1499), FRESHNESS_FRESH);
    ck_assert_int_eq(cache_policy_freshness(1000, 500, 0, 1500), FRESHNESS_EXPIRED);
    ck_assert_int_eq(cache_policy_freshness(1000, 500, 10, 1500), FRESHNESS_STALE);
    ck_assert_int_eq(cache_policy_freshness(1000, 500, 10, 1509), FRESHNESS_STALE);
    ck_assert_int_eq(cache_policy_freshness(1000, 500, 10, 1510), FRESHNESS_EXPIRED);
    ck_assert_int_eq(cache_policy_freshness(1000, 500, 10, 10), FRESHNESS_FRESH);
    ck_assert_int_eq(cache_policy_freshness(0, UINT64_MAX, UINT64_MAX, 5), FRESHNESS_FRESH);
}
END_TEST

static const struct age_row {
    const char *value;
    uint32_t age;
} ages[] = {
    {"0", 0},
    {"7200", 7200},
    {"007", 7},
    {"10, 20", 10},
    {"2147483647", 2147483647},
    {"2147483648", CACHE_AGE_MAX},
    {"99999999999999999999999", CACHE_AGE_MAX},
    {"", 0},
    {"7200.0", 0},
    {"-7200", 0},
    {"abc", 0},
    {"abc, 7", 0},
    {"1 2", 0},
};

START_TEST(ages_that_answers_bring)
{
    struct field fields[] = {
        {SPAN("Date"), SPAN("5")}, {SPAN("AGE"), text(ages[_i].value)}, {SPAN("Age"), SPAN("99")}};
    ck_assert_uint_eq(cache_policy_initial_age(fields, 3), ages[_i].age);
    ck_assert_uint_eq(cache_policy_initial_age(fields, 1), 0);
}
END_TEST

START_TEST(ages_grow)
{
    ck_assert_uint_eq(cache_policy_age(0, 1000, 1999), 0);
    ck_assert_uint_eq(cache_policy_age(5, 1000, 3000), 7);
    ck_assert_uint_eq(cache_policy_age(5, 3000, 1000), 5);
    ck_assert_uint_eq(cache_policy_age(CACHE_AGE_MAX, 0, 5000), CACHE_AGE_MAX);
    ck_assert_uint_eq(cache_policy_age(UINT32_MAX, 0, UINT64_MAX), CACHE_AGE_MAX);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("cache_policy");
    TCase *tests = tcase_create("cache_policy");
    tcase_add_loop_test(tests, what_a_request_may, 0,
                        (int)(sizeof(requests) / sizeof(requests[0])));
    tcase_add_test(tests, authorization_may_be_ignored);
    tcase_add_loop_test(tests, which_answers_may_be_stored, 0,
                        (int)(sizeof(responses) / sizeof(responses[0])));
    tcase_add_test(tests, sizes);
    tcase_add_test(tests, each_reason_has_a_text);
    tcase_add_test(tests, freshness);
    tcase_add_loop_test(tests, ages_that_answers_bring, 0, (int)(sizeof(ages) / sizeof(ages[0])));
    tcase_add_test(tests, ages_grow);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
