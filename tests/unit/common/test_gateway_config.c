// The gateway's defaults and addresses.
#include <check.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/gateway_config.h"

// The object is to be cleared.
static size_t parse(const struct key_table *table, const char *text, void *object)
{
    struct err err;
    struct json_doc *doc = json_doc_parse(text, strlen(text), JSON_RELAXED, NULL, &err);
    ck_assert_msg(doc != NULL, "%s: %s", text, err.text);
    struct config_errors *errors = config_errors_new("t");
    int result = keytable_parse(table, json_doc_root(doc), doc, "", object, errors);
    size_t count = config_errors_count(errors);
    ck_assert_int_eq(result, count > 0 ? -1 : 0);
    config_errors_free(errors);
    json_doc_free(doc);
    return count;
}

START_TEST(defaults)
{
    struct gateway_config gateway;
    ck_assert_uint_eq(parse(&gateway_config_table,
                            "{\"listen\":[{\"address\":\"*:80\"}],"
                            "\"upstreams\":{\"u\":{\"servers\":\"unix:/a http://1.2.3.4\"}},"
                            "\"routes\":[{\"path\":\"/*\",\"upstream\":\"u\"}]}",
                            &gateway),
                      0);
    const struct upstream_config *upstream = gateway.upstreams.items;
    const struct route_config *route = gateway.routes.items;
    ck_assert_int_eq(gateway.process.instances, APP_INSTANCES_MAX);
    ck_assert_int_eq(gateway.process.max_restarts, -1);
    ck_assert_int_eq(gateway.process.kill_timeout_ms, 30000);
    ck_assert_int_eq(gateway.process.stop_signal, SIGTERM);
    ck_assert_int_eq(gateway.process.ready.timeout_ms, 30000);
    ck_assert(gateway.process.wait_ready);
    ck_assert_int_eq(gateway.keepalive_timeout_ms, 75000);
    ck_assert_int_eq(gateway.head_timeout_ms, 60000);
    ck_assert_int_eq(gateway.body_timeout_ms, 60000);
    ck_assert_int_eq(gateway.send_timeout_ms, 60000);
    ck_assert_int_eq(gateway.max_body_bytes, 10 << 20);
    ck_assert_str_eq(upstream->name, "u");
    ck_assert_uint_eq(upstream->servers.count, 2);
    ck_assert_int_eq(upstream->connect_timeout_ms, 2000);
    ck_assert_int_eq(upstream->first_byte_timeout_ms, 60000);
    ck_assert_int_eq(upstream->keepalive_timeout_ms, 4000);
    ck_assert_int_eq(upstream->keepalive_connections, 64);
    ck_assert_str_eq(route->id, "/*");
    ck_assert_ptr_null(gateway.monitoring.token_sha256);
    ck_assert_uint_eq(gateway.cache.warm.count, 0);
    ck_assert_int_eq(gateway.cache.warm_timeout_ms, 10000);
    keytable_clear(&gateway_config_table, &gateway);
}
END_TEST

static const struct token_row {
    const char *monitoring;
    size_t findings;
} tokens[] = {
    {"{\"token_sha256\":\"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015AD\"}", 0},
    {"{\"token_sha256\":\"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015a\"}", 1},
    {"{\"token_sha256\":\"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015adc\"}", 1},
    {"{\"token_sha256\":\"ga7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad\"}", 1},
    {"{\"token_sha256\":\"\"}", 1},
    {"{\"token_sha256\":1}", 1},
    {"{}", 0},
    {"{\"hash_addresses\":true}", 0},
    {"{\"token\":\"a\"}", 1},
    {"false", 1},
};

START_TEST(hashes_of_tokens)
{
    char text[512];
    struct gateway_config gateway;
    snprintf(text, sizeof(text),
             "{\"listen\":[{\"address\":\"*:80\"}],\"upstreams\":{\"u\":{\"servers\":\"unix:/a\"}},"
             "\"routes\":[{\"path\":\"/*\",\"upstream\":\"u\"}],\"monitoring\":%s}",
             tokens[_i].monitoring);
    ck_assert_uint_eq(parse(&gateway_config_table, text, &gateway), tokens[_i].findings);
    keytable_clear(&gateway_config_table, &gateway);
}
END_TEST

static const struct listen_row {
    const char *address, *host; // NULL: refused
    int port;
} listens[] = {{"127.0.0.1:5055", "127.0.0.1", 5055},
               {"[::1]:80", "::1", 80},
               {"*:65535", "", 65535},
               {"0.0.0.0:1", "0.0.0.0", 1},
               {"[::]:1", "::", 1},
               {"localhost:9", "127.0.0.1", 9},
               {"", NULL, 0},
               {":80", NULL, 0},
               {"80", NULL, 0},
               {"1.2.3.4", NULL, 0},
               {"1.2.3.4:", NULL, 0},
               {"1.2.3.4:0", NULL, 0},
               {"1.2.3.4:65536", NULL, 0},
               {"1.2.3.4:1x", NULL, 0},
               {"::1:80", NULL, 0},
               {"[::1:80", NULL, 0},
               {"[1.2.3.4]:1", NULL, 0},
               {"example.com:80", NULL, 0},
               {"[*]:1", NULL, 0}};

START_TEST(listen_addresses)
{
    const struct listen_row *row = &listens[_i];
    char host[64];
    int port = 0;
    struct err err;
    int result = listen_address_parse(row->address, host, sizeof host, &port, &err);
    ck_assert_msg(result == (row->host ? 0 : -1), "%s", row->address);
    if (row->host) {
        ck_assert_str_eq(host, row->host);
        ck_assert_int_eq(port, row->port);
    }
}
END_TEST

static const struct server_row {
    const char *text, *host, *path; // both NULL: refused
    int port;
} servers[] = {{"http://127.0.0.1:9000", "127.0.0.1", "", 9000},
               {"http://[::1]", "::1", "", 80},
               {"http://localhost:1", "127.0.0.1", "", 1},
               {"unix:/run/a.sock", "", "/run/a.sock", 0},
               {"unix:a", NULL, NULL, 0},
               {"unix:", NULL, NULL, 0},
               {"https://1.2.3.4", NULL, NULL, 0},
               {"http://1.2.3.4:0", NULL, NULL, 0},
               {"http://1.2.3.4/", NULL, NULL, 0},
               {"http://", NULL, NULL, 0},
               {"http://*:1", NULL, NULL, 0},
               {"1.2.3.4:1", NULL, NULL, 0}};

START_TEST(server_addresses)
{
    const struct server_row *row = &servers[_i];
    struct server_address address;
    struct err err;
    int result = server_address_parse(row->text, &address, &err);
    ck_assert_msg(result == (row->host ? 0 : -1), "%s", row->text);
    if (row->host) {
        ck_assert_str_eq(address.host, row->host);
        ck_assert_str_eq(address.path, row->path);
        ck_assert_int_eq(address.port, row->port);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("gateway_config");
    TCase *tests = tcase_create("gateway_config");
    tcase_add_test(tests, defaults);
    tcase_add_loop_test(tests, hashes_of_tokens, 0, (int)(sizeof(tokens) / sizeof(tokens[0])));
    tcase_add_loop_test(tests, listen_addresses, 0, (int)(sizeof(listens) / sizeof(listens[0])));
    tcase_add_loop_test(tests, server_addresses, 0, (int)(sizeof(servers) / sizeof(servers[0])));
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
