// Endpoint sets: pushes, uses, picks.
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/gateway_config.h"
#include "common/json.h"
#include "common/mem.h"
#include "common/state_page.h"
#include "endpoints.h"

static char *servers[] = {(char[]){"http://127.0.0.1:9001"}, (char[]){"unix:/run/x.sock"}, NULL};
static struct upstream_config configs[] = {
    {.name = (char[]){"api"}, .app = (char[]){"api"}},
    {.name = (char[]){"fixed"}, .servers = {servers, 2}},
};
static const struct gateway_config config = {.upstreams = {configs, 2}};

static struct state_column column;
static struct upstreams upstreams;
static struct err err;
static char removed[256]; // the names, in their order

static void on_removed(struct endpoint *endpoint, void *context)
{
    ck_assert_ptr_eq(context, &column);
    strcat(strcat(removed, endpoint->name), " ");
}

static void setup(void)
{
    memset(&column, 0, sizeof(column));
    removed[0] = '\0';
    ck_assert_int_eq(upstreams_init(&upstreams, &config, &column, on_removed, &column, &err), 0);
}

static void teardown(void)
{
    upstreams_fini(&upstreams);
}

static int push(const char *text)
{
    struct json_object *args = json_parse_message(text, strlen(text), &err);
    ck_assert_ptr_nonnull(args);
    int result = upstreams_push(&upstreams, args, &err);
    json_object_put(args);
    return result;
}

#define ONE "{\"name\":\"api#0\",\"address\":\"127.0.0.1:20001\",\"index\":1}"
#define TWO "{\"name\":\"api#1\",\"address\":\"127.0.0.1:20002\",\"index\":2}"
#define SETS(generation, list) "{\"generation\":" generation ",\"upstreams\":{\"api\":[" list "]}}"

static struct endpoint *pick(size_t upstream)
{
    struct balance_mask tried = {{0}};
    return upstream_pick(&upstreams.items[upstream], &tried, 0);
}

static uint32_t in_flight(size_t index)
{
    return atomic_load(&column.endpoint_in_flight[index]);
}

START_TEST(servers_of_the_file)
{
    struct endpoint *tcp = pick(1), *local = pick(1);
    ck_assert_str_eq(tcp->address, "127.0.0.1:9001");
    ck_assert_int_eq(tcp->socket_address.ss_family, AF_INET);
    ck_assert_int_eq(local->socket_address.ss_family, AF_UNIX);
    endpoint_begin(&upstreams, tcp);
    for (size_t i = 0; i < STATE_ENDPOINTS; ++i)
        ck_assert_uint_eq(in_flight(i), 0);
    endpoint_end(&upstreams, tcp);
    ck_assert_int_eq(push(SETS("1", "")), 0);
    ck_assert_uint_eq(upstreams.items[1].count, 2);
}
END_TEST

START_TEST(a_push_replaces_the_set)
{
    ck_assert_ptr_null(pick(0));
    ck_assert_int_eq(push(SETS("1", ONE "," TWO)), 0);
    ck_assert_uint_eq(upstreams.generation, 1);
    struct endpoint *one = pick(0), *two = pick(0);
    ck_assert_str_eq(one->name, "api#0");
    ck_assert_str_eq(two->name, "api#1");
    ck_assert_int_eq(push(SETS("2", TWO)), 0);
    ck_assert_str_eq(removed, "api#0 ");
    ck_assert_ptr_eq(pick(0), two);
    ck_assert_ptr_eq(pick(0), two);
    ck_assert_int_eq(push("{\"generation\":3,\"upstreams\":{}}"), 0);
    ck_assert_str_eq(removed, "api#0 api#1 ");
    ck_assert_ptr_null(pick(0));
}
END_TEST

START_TEST(the_same_index_at_another_address_is_another_endpoint)
{
    ck_assert_int_eq(push(SETS("1", ONE)), 0);
    ck_assert_int_eq(push(SETS("2", "{\"name\":\"api#0\",\"address\":\"127.0.0.1:20009\","
                                    "\"index\":1}")),
                     0);
    ck_assert_str_eq(removed, "api#0 ");
    ck_assert_str_eq(pick(0)->address, "127.0.0.1:20009");
}
END_TEST

START_TEST(uses_outlive_the_set)
{
    ck_assert_int_eq(push(SETS("1", ONE)), 0);
    struct endpoint *one = pick(0);
    endpoint_begin(&upstreams, one);
    endpoint_begin(&upstreams, one);
    ck_assert_uint_eq(in_flight(1), 2);
    ck_assert_int_eq(push(SETS("2", TWO)), 0);
    ck_assert(one->removed);
    ck_assert_uint_eq(in_flight(1), 2);
    endpoint_end(&upstreams, one);
    ck_assert_uint_eq(in_flight(1), 1);
    endpoint_end(&upstreams, one);
    ck_assert_uint_eq(in_flight(1), 0);
}
END_TEST

START_TEST(a_bad_push_changes_nothing)
{
    static const char *const bad[] = {
        "{}",
        "{\"generation\":2}",
        "{\"upstreams\":{}}",
        SETS("2", TWO ",7"),
        SETS("2", TWO "," TWO),
        SETS("2", TWO ",{\"name\":\"x\",\"address\":\"127.0.0.1:1\",\"index\":1024}"),
        SETS("2", TWO ",{\"name\":\"x\",\"address\":\"127.0.0.1:1\",\"index\":-1}"),
        SETS("2", TWO ",{\"name\":\"x\",\"address\":\"127.0.0.1:1\"}"),
        SETS("2", TWO ",{\"name\":\"x\",\"address\":\"nowhere\",\"index\":3}"),
        SETS("2", TWO ",{\"name\":\"x\",\"index\":3}"),
    };
    ck_assert_int_eq(push(SETS("1", ONE)), 0);
    struct endpoint *one = pick(0);
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); ++i)
        ck_assert_msg(push(bad[i]) == -1, "%s", bad[i]);
    ck_assert_uint_eq(upstreams.generation, 1);
    ck_assert_str_eq(removed, "");
    ck_assert_ptr_eq(pick(0), one);
}
END_TEST

START_TEST(too_many)
{
    char item[96];
    char *text = mem_printf("{\"generation\":2,\"upstreams\":{\"api\":[");
    for (size_t i = 0; i <= BALANCE_MAX_ENDPOINTS; ++i) {
        snprintf(item, sizeof(item), "%s{\"name\":\"a\",\"address\":\"127.0.0.1:%zu\",\"index\":1}",
                 i == 0 ? "" : ",", 10000 + i);
        char *longer = mem_printf("%s%s", text, item);
        free(text);
        text = longer;
    }
    char *whole = mem_printf("%s]}}", text);
    ck_assert_int_eq(push(whole), -1);
    free(text);
    free(whole);
}
END_TEST

START_TEST(each_endpoint_is_tried_once)
{
    struct balance_mask tried = {{0}};
    ck_assert_int_eq(push(SETS("1", ONE "," TWO)), 0);
    struct upstream *api = &upstreams.items[0];
    struct endpoint *first = upstream_pick(api, &tried, 0);
    struct endpoint *second = upstream_pick(api, &tried, 0);
    ck_assert_ptr_ne(first, second);
    ck_assert_ptr_null(upstream_pick(api, &tried, 0));
}
END_TEST

START_TEST(an_endpoint_that_failed_is_avoided_for_a_while)
{
    ck_assert_int_eq(push(SETS("1", ONE "," TWO)), 0);
    struct upstream *api = &upstreams.items[0];
    struct endpoint *one = api->endpoints[0], *two = api->endpoints[1];
    endpoint_avoid(api, one, 5000);
    for (int i = 0; i < 4; ++i) {
        struct balance_mask tried = {{0}};
        ck_assert_ptr_eq(upstream_pick(api, &tried, 5000 + ENDPOINT_AVOID_MS - 1), two);
    }
    // The last resort, and after a while one like the others.
    struct balance_mask tried = {{0}};
    ck_assert_ptr_eq(upstream_pick(api, &tried, 5000), two);
    ck_assert_ptr_eq(upstream_pick(api, &tried, 5000), one);
    ck_assert_ptr_null(upstream_pick(api, &tried, 5000));
    tried = (struct balance_mask){{0}};
    ck_assert_ptr_ne(upstream_pick(api, &tried, 5000 + ENDPOINT_AVOID_MS),
                     upstream_pick(api, &tried, 5000 + ENDPOINT_AVOID_MS));
    // All of them, or welcome again.
    endpoint_avoid(api, one, 9000);
    endpoint_avoid(api, two, 9000);
    tried = (struct balance_mask){{0}};
    ck_assert_ptr_nonnull(upstream_pick(api, &tried, 9000));
    endpoint_welcome(one);
    tried = (struct balance_mask){{0}};
    ck_assert_ptr_eq(upstream_pick(api, &tried, 9000), one);
}
END_TEST

START_TEST(a_server_that_cannot_be)
{
    char *text[] = {(char[]){"http://127.0.0.1:99999"}, NULL};
    struct upstream_config wrong = {.name = (char[]){"w"}, .servers = {text, 1}};
    struct gateway_config with_wrong = {.upstreams = {&wrong, 1}};
    struct upstreams other;
    ck_assert_int_eq(upstreams_init(&other, &with_wrong, &column, on_removed, &column, &err), -1);
    ck_assert_ptr_nonnull(strstr(err.text, "upstream w"));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("endpoints");
    TCase *tests = tcase_create("endpoints");
    tcase_add_test(tests, servers_of_the_file);
    tcase_add_test(tests, a_push_replaces_the_set);
    tcase_add_test(tests, the_same_index_at_another_address_is_another_endpoint);
    tcase_add_test(tests, uses_outlive_the_set);
    tcase_add_test(tests, a_bad_push_changes_nothing);
    tcase_add_test(tests, too_many);
    tcase_add_test(tests, each_endpoint_is_tried_once);
    tcase_add_test(tests, an_endpoint_that_failed_is_avoided_for_a_while);
    tcase_add_test(tests, a_server_that_cannot_be);
    tcase_add_checked_fixture(tests, setup, teardown);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
