// "redis" as it is read, and what the environment adds; findings are in conf/redis-*.json.
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/cachesvc_config.h"

static struct cachesvc_config cachesvc;
static struct redis_config *const redis = &cachesvc.redis;

// One finding at most is kept; "" when there is none.
static void parse(const char *members, char *finding, size_t size)
{
    char text[1024];
    struct err err;
    snprintf(text, sizeof(text), "{%s}", members);
    struct json_doc *doc = json_doc_parse(text, strlen(text), JSON_STRICT, NULL, &err);
    ck_assert_msg(doc != NULL, "%s: %s", text, err.text);
    struct config_errors *errors = config_errors_new("t");
    int result =
        keytable_parse(&cachesvc_config_table, json_doc_root(doc), doc, "", &cachesvc, errors);
    size_t count = config_errors_count(errors);
    ck_assert_uint_eq(count, result == 0 ? 0 : 1);
    snprintf(finding, size, "%s", count > 0 ? config_errors_text(errors, 0) : "");
    config_errors_free(errors);
    json_doc_free(doc);
}

static void parse_good(const char *members)
{
    char finding[512];
    parse(members, finding, sizeof(finding));
    ck_assert_str_eq(finding, "");
}

static void clear(void)
{
    keytable_clear(&cachesvc_config_table, &cachesvc);
}

START_TEST(defaults)
{
    static const char *const texts[] = {"", "\"redis\":{}", "\"redis\":false"};
    parse_good(texts[_i]);
    ck_assert(!redis_config_is_on(redis));
    ck_assert(redis->host == NULL && redis->username == NULL && redis->password == NULL);
    ck_assert_int_eq(redis->port, 6379);
    ck_assert_int_eq(redis->database, 0);
    ck_assert_str_eq(redis->prefix, "gwctl:");
    ck_assert_int_eq(redis->deadline_ms, 50);
    ck_assert_int_eq(redis->queue_bytes, 8 << 20);
    clear();
}
END_TEST

START_TEST(values)
{
    parse_good("\"redis\":{\"host\":\"db\",\"port\":\"6380\",\"username\":\"u\","
               "\"password\":\"p w\",\"database\":65535,\"prefix\":\"\",\"deadline\":\"10s\","
               "\"queue\":\"1G\"}");
    ck_assert(redis_config_is_on(redis));
    ck_assert_str_eq(redis->host, "db");
    ck_assert_int_eq(redis->port, 6380);
    ck_assert_str_eq(redis->username, "u");
    ck_assert_str_eq(redis->password, "p w");
    ck_assert_int_eq(redis->database, 65535);
    ck_assert_str_eq(redis->prefix, "");
    ck_assert_int_eq(redis->deadline_ms, 10000);
    ck_assert_int_eq(redis->queue_bytes, 1 << 30);
    clear();
}
END_TEST

START_TEST(empty_texts_are_none)
{
    parse_good("\"redis\":{\"host\":\"\",\"username\":\"\",\"password\":\"\"}");
    ck_assert(!redis_config_is_on(redis));
    ck_assert(redis->host == NULL && redis->username == NULL && redis->password == NULL);
    clear();
}
END_TEST

static const struct host_row {
    const char *host;
    bool is_good;
} hosts[] = {
    {"localhost", true},
    {"redis-1.example_net.internal", true},
    {"10.0.0.1", true},
    {"::1", true},
    {"fe80::1:2", true},
    {"unix:/run/redis/redis.sock", true},
    {"unix:run/redis.sock", false},
    {"unix:", false},
    {"unix:/a\\nb", false},
    {"/run/redis.sock", false},
    {"db:6379", false},
    {"[::1]", false},
    {":::", false},
    {"redis://db", false},
    {"a b", false},
    {"-a", false},
    {".a", false},
    {"\xc3\xa4", false},
};

START_TEST(hosts_are_looked_at)
{
    const struct host_row *row = &hosts[_i];
    char members[128], finding[512];
    snprintf(members, sizeof(members), "\"redis\":{\"host\":\"%s\"}", row->host);
    parse(members, finding, sizeof(finding));
    ck_assert_msg((strstr(finding, "is neither a name, an IP address nor unix:/PATH") == NULL) ==
                      row->is_good,
                  "%s: %s", row->host, finding);
    clear();
}
END_TEST

// A path or a name of so many letters.
START_TEST(hosts_have_a_limit)
{
    static const struct {
        const char *start;
        size_t letters;
        bool is_good;
    } rows[] = {{"", 253, true}, {"", 254, false}, {"unix:/", 106, true}, {"unix:/", 107, false}};
    char members[512], finding[512], letters[300];
    memset(letters, 'x', sizeof(letters));
    snprintf(members, sizeof(members), "\"redis\":{\"host\":\"%s%.*s\"}", rows[_i].start,
             (int)rows[_i].letters, letters);
    parse(members, finding, sizeof(finding));
    ck_assert_int_eq(finding[0] == '\0', rows[_i].is_good);
    clear();
}
END_TEST

// --- the environment --------------------------------------------------------------------------

static const char *variable_host, *variable_port, *variable_password;

static const char *look_up(const char *name)
{
    if (strcmp(name, "REDIS_HOST") == 0)
        return variable_host;
    if (strcmp(name, "REDIS_PORT") == 0)
        return variable_port;
    ck_assert_str_eq(name, "REDIS_PASSWORD");
    return variable_password;
}

#define NO_PORT "is not a number from 1 to 65535"

static const struct environment_row {
    const char *members;
    const char *variables[3];
    const char *host; // NULL: no Redis
    int64_t port;
    const char *password;
    const char *sentence; // NULL: none
} environments[] = {
    {"", {NULL, NULL, NULL}, NULL, 6379, NULL, NULL},
    {"", {"", "", ""}, NULL, 6379, NULL, NULL},
    {"", {"db", NULL, NULL}, "db", 6379, NULL, NULL},
    {"", {"db", "6380", "s"}, "db", 6380, "s", NULL},
    {"", {"db", "", ""}, "db", 6379, NULL, NULL},
    {"\"redis\":{}", {"db", "6380", "s"}, "db", 6380, "s", NULL},
    {"\"redis\":{\"database\":2}", {"unix:/a", NULL, "s"}, "unix:/a", 6379, "s", NULL},
    // What the file says stays.
    {"\"redis\":{\"host\":\"a\"}", {"db", "6380", "s"}, "a", 6380, "s", NULL},
    {"\"redis\":{\"port\":1}", {"db", "6380", "s"}, "db", 1, "s", NULL},
    {"\"redis\":{\"port\":6379}", {"db", "6380", "s"}, "db", 6379, "s", NULL},
    {"\"redis\":{\"port\":1}", {"db", "x", "s"}, "db", 1, "s", NULL},
    {"\"redis\":{\"password\":\"f\"}", {"db", NULL, "s"}, "db", 6379, "f", NULL},
    {"\"redis\":{\"password\":\"\"}", {"db", NULL, "s"}, "db", 6379, NULL, NULL},
    {"\"redis\":{\"host\":\"a\",\"port\":1,\"password\":\"f\"}",
     {"b", "2", "s"},
     "a",
     1,
     "f",
     NULL},
    // No Redis is no Redis.
    {"\"redis\":false", {"db", "6380", "s"}, NULL, 6379, NULL, NULL},
    {"\"redis\":{\"host\":\"\"}", {"db", "6380", "s"}, NULL, 6379, NULL, NULL},
    {"", {NULL, "tcp://10.0.0.1:6379", NULL}, NULL, 6379, NULL, NULL},
    // Not a port, not a host.
    {"",
     {"db", "tcp://10.0.0.1:6379", NULL},
     "db",
     6379,
     NULL,
     "REDIS_PORT: \"tcp://10.0.0.1:6379\" " NO_PORT},
    {"", {"db", "0", NULL}, "db", 6379, NULL, "REDIS_PORT: \"0\" " NO_PORT},
    {"", {"db", "65536", NULL}, "db", 6379, NULL, "REDIS_PORT: \"65536\" " NO_PORT},
    {"", {"db", " 1", NULL}, "db", 6379, NULL, "REDIS_PORT: \" 1\" " NO_PORT},
    {"",
     {"redis://u:s@db", NULL, NULL},
     NULL,
     6379,
     NULL,
     "REDIS_HOST: \"redis://u:***@db\" is neither a name, an IP address nor unix:/PATH"},
};

static void assert_text(const char *text, const char *expected)
{
    ck_assert_int_eq(text == NULL, expected == NULL);
    if (expected)
        ck_assert_str_eq(text, expected);
}

START_TEST(what_the_environment_adds)
{
    const struct environment_row *row = &environments[_i];
    struct err err;
    variable_host = row->variables[0];
    variable_port = row->variables[1];
    variable_password = row->variables[2];
    parse_good(row->members);
    int result = redis_config_add_environment(redis, look_up, &err);
    ck_assert_int_eq(result, row->sentence ? -1 : 0);
    if (row->sentence)
        ck_assert_str_eq(err.text, row->sentence);
    assert_text(redis->host, row->host);
    ck_assert_int_eq(redis_config_is_on(redis), row->host != NULL);
    ck_assert_int_eq(redis->port, row->port);
    assert_text(redis->password, row->password);
    clear();
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("redis_config");
    TCase *tests = tcase_create("redis_config");
    tcase_add_loop_test(tests, defaults, 0, 3);
    tcase_add_test(tests, values);
    tcase_add_test(tests, empty_texts_are_none);
    tcase_add_loop_test(tests, hosts_are_looked_at, 0, (int)(sizeof(hosts) / sizeof(hosts[0])));
    tcase_add_loop_test(tests, hosts_have_a_limit, 0, 4);
    tcase_add_loop_test(tests, what_the_environment_adds, 0,
                        (int)(sizeof(environments) / sizeof(environments[0])));
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
