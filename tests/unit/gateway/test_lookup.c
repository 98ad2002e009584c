// What is found for a request in the segment, and under which key nothing is.

#include <stdlib.h>

#include "cache_key.h"
#include "lookup.h"
#include "page_test.h"
#include "response.h"
#include "vary.h"

enum { NONCE = 0x1234 };

static h2o_mem_pool_t pool;
static struct segment segment;
static const struct field german = {SPAN("Accept-Language"), SPAN("de")};
static const struct field vary_field = {SPAN("Vary"), SPAN("Accept-Language")};
static struct lookup lookup;
static struct lookup_found found;

static void set_up(void)
{
    struct err err;
    page_test_open();
    ck_assert_int_eq(segment_map(&segment, test_page.fd, &err), 0);
    h2o_mem_init_pool(&pool);
    lookup = (struct lookup){.segment = &segment,
                             .pool = &pool,
                             .key = SPAN("key"),
                             .fields = &german,
                             .field_count = 1};
}

static void tear_down(void)
{
    h2o_mem_clear_pool(&pool);
    segment_unmap(&segment);
    page_test_close();
}

static struct vary read_vary(void)
{
    struct vary vary;
    ck_assert(vary_read(&vary_field, 1, &vary));
    return vary;
}

static void put(const char *key, struct buf *blob)
{
    page_test_put(key, strlen(key), blob->data, blob->length);
    buf_free(blob);
}

static void put_answer(const char *key, const char *body)
{
    static const struct connection_names none = {.count = 0};
    struct stored_source source = {
        .stored_at_ms = 1, .ttl_ms = 2, .status = 200, .connection = &none};
    struct buf blob = BUF_INIT;
    ck_assert_int_eq(stored_begin(&blob, &source), 0);
    buf_append(&blob, body, strlen(body));
    stored_finish(&blob);
    put(key, &blob);
}

static void put_mark(const char *key, uint32_t nonce)
{
    struct vary vary = read_vary();
    struct buf blob = BUF_INIT;
    stored_write_vary(&blob, &vary, nonce, 1);
    put(key, &blob);
}

static void put_pass(const char *key)
{
    struct buf blob = BUF_INIT;
    stored_write_pass(&blob, 0, 1);
    put(key, &blob);
}

static const char *variant_key(uint32_t nonce)
{
    static char text[128];
    struct vary vary = read_vary();
    struct buf key = BUF_INIT;
    lookup_write_variant_key(&lookup, &vary, nonce, &key);
    snprintf(text, sizeof text, "%s", buf_text(&key));
    buf_free(&key);
    return text;
}

static void check_found(enum stored_kind kind, const char *body, const char *missing)
{
    lookup_find(&lookup, &found);
    ck_assert_int_eq(found.kind, kind);
    if (kind == STORED_ANSWER) {
        ck_assert_uint_eq(found.stored.body.length, strlen(body));
        ck_assert_mem_eq(found.stored.body.bytes, body, strlen(body));
    }
    ck_assert_uint_eq(found.missing.length, strlen(missing));
    if (missing[0] != '\0')
        ck_assert_mem_eq(found.missing.bytes, missing, strlen(missing));
}

START_TEST(what_is_under_the_key)
{
    check_found(STORED_BAD, "", "key");
    put_answer("key", "body");
    check_found(STORED_ANSWER, "body", "");
    put_pass("key");
    check_found(STORED_PASS, "", "");
    page_test_put("key", 3, "nonsense", 8);
    check_found(STORED_BAD, "", ""); // of no use, but there
}
END_TEST

START_TEST(behind_a_mark_is_the_variant)
{
    put_mark("key", NONCE);
    check_found(STORED_BAD, "", variant_key(NONCE));
    put_answer(variant_key(NONCE), "deutsch");
    check_found(STORED_ANSWER, "deutsch", "");
    put_pass(variant_key(NONCE));
    check_found(STORED_PASS, "", "");
    put_mark(variant_key(NONCE), NONCE); // a mark leads nowhere from there
    check_found(STORED_BAD, "", "");
    put_mark("key", NONCE + 1); // variants of a mark that was replaced
    check_found(STORED_BAD, "", variant_key(NONCE + 1));
}
END_TEST

START_TEST(a_mark_that_is_there_keeps_its_nonce)
{
    struct vary same = read_vary(), none = {.count = 0};
    put_mark("key", NONCE);
    ck_assert_uint_eq(lookup_choose_nonce(&lookup, &same), NONCE);
    // By chance it could be the same once in four thousand million times, not twice.
    ck_assert(lookup_choose_nonce(&lookup, &none) != NONCE ||
              lookup_choose_nonce(&lookup, &none) != NONCE);
    page_test_remove("key", 3);
    ck_assert(lookup_choose_nonce(&lookup, &same) != NONCE ||
              lookup_choose_nonce(&lookup, &same) != NONCE);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("lookup");
    TCase *tests = tcase_create("lookup");
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, what_is_under_the_key);
    tcase_add_test(tests, behind_a_mark_is_the_variant);
    tcase_add_test(tests, a_mark_that_is_there_keeps_its_nonce);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
