// Who may ask for what below /api/monitoring.
#include <check.h>
#include <string.h>

#include "monitoring_access.h"

// Of "abc", as FIPS 180-2 has it.
#define HASH "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
#define STATS "/api/monitoring/stats"
#define RESET "/api/monitoring/reset"

static const struct row {
    const char *hash, *peer, *method, *path, *name, *value; // of a field; NULL: none
    enum monitoring_verdict verdict;
} rows[] = {
    // From here, without a proxy.
    {NULL, "127.0.0.1", "GET", STATS, NULL, NULL, MONITORING_ALLOWED},
    {NULL, "127.9.9.9", "HEAD", STATS, NULL, NULL, MONITORING_ALLOWED},
    {NULL, "::1", "GET", "/api/monitoring", NULL, NULL, MONITORING_ALLOWED},
    {HASH, "127.0.0.1", "GET", STATS, NULL, NULL, MONITORING_ALLOWED},
    {HASH, "127.0.0.1", "GET", STATS, "Authorization", "Bearer wrong", MONITORING_ALLOWED},
    {NULL, "127.0.0.1", "GET", STATS, "User-Agent", "Via", MONITORING_ALLOWED},
    {NULL, "127.0.0.1", "GET", STATS, "Viable", "x", MONITORING_ALLOWED},
    // Through one.
    {NULL, "127.0.0.1", "GET", STATS, "X-Forwarded-For", "127.0.0.1", MONITORING_FORBIDDEN},
    {NULL, "127.0.0.1", "GET", STATS, "x-forwarded-host", "", MONITORING_FORBIDDEN},
    {NULL, "127.0.0.1", "GET", STATS, "X_FORWARDED_FOR", "x", MONITORING_FORBIDDEN},
    {NULL, "127.0.0.1", "GET", STATS, "X-Forwarded", "x", MONITORING_FORBIDDEN},
    {NULL, "127.0.0.1", "GET", STATS, "Forwarded", "for=x", MONITORING_FORBIDDEN},
    {NULL, "127.0.0.1", "GET", STATS, "X-Real-IP", "x", MONITORING_FORBIDDEN},
    {NULL, "127.0.0.1", "GET", STATS, "CDN-Loop", "x", MONITORING_FORBIDDEN},
    {NULL, "127.0.0.1", "GET", STATS, "X-NginX-Proxy", "true", MONITORING_FORBIDDEN},
    {NULL, "127.0.0.1", "GET", STATS, "Client-IP", "x", MONITORING_FORBIDDEN},
    {NULL, "127.0.0.1", "GET", STATS, "WL-Proxy-Client-IP", "x", MONITORING_FORBIDDEN},
    {NULL, "127.0.0.1", "GET", STATS, "X-Azure-ClientIP", "x", MONITORING_FORBIDDEN},
    {NULL, "127.0.0.1", "GET", STATS, "X-Amzn-Trace-Id", "x", MONITORING_FORBIDDEN},
    {NULL, "127.0.0.1", "GET", STATS, "X-ProxyUser-Ip", "x", MONITORING_FORBIDDEN},
    {NULL, "127.0.0.1", "GET", STATS, "via", "1.1 x", MONITORING_FORBIDDEN},
    {NULL, "127.0.0.1", "GET", STATS, "CF-Connecting-IP", "x", MONITORING_FORBIDDEN},
    {NULL, "127.0.0.1", "GET", STATS, "True-Client-IP", "x", MONITORING_FORBIDDEN},
    {NULL, "127.0.0.1", "GET", STATS, "X-Original-Forwarded-For", "x", MONITORING_FORBIDDEN},
    {HASH, "127.0.0.1", "GET", STATS, "X-Forwarded-For", "x", MONITORING_NEEDS_TOKEN},
    // From elsewhere.
    {NULL, "192.0.2.1", "GET", STATS, NULL, NULL, MONITORING_FORBIDDEN},
    {NULL, "1270.0.0.1", "GET", STATS, NULL, NULL, MONITORING_FORBIDDEN},
    {NULL, "::11", "GET", STATS, NULL, NULL, MONITORING_FORBIDDEN},
    {NULL, "", "GET", STATS, NULL, NULL, MONITORING_FORBIDDEN},
    {NULL, "192.0.2.1", "GET", STATS, "Authorization", "Bearer abc", MONITORING_FORBIDDEN},
    {HASH, "192.0.2.1", "GET", STATS, NULL, NULL, MONITORING_NEEDS_TOKEN},
    {HASH, "192.0.2.1", "GET", STATS, "Authorization", "Bearer abd", MONITORING_NEEDS_TOKEN},
    {HASH, "192.0.2.1", "GET", STATS, "Authorization", "Bearer abc", MONITORING_ALLOWED},
    // Changing something.
    {NULL, "127.0.0.1", "POST", RESET, NULL, NULL, MONITORING_ALLOWED},
    {NULL, "127.0.0.1", "POST", RESET, "Origin", "https://example.com", MONITORING_FORBIDDEN},
    {NULL, "192.0.2.1", "POST", RESET, NULL, NULL, MONITORING_FORBIDDEN},
    {HASH, "127.0.0.1", "POST", RESET, NULL, NULL, MONITORING_NEEDS_TOKEN},
    {HASH, "192.0.2.1", "POST", RESET, "Authorization", "Bearer abc", MONITORING_ALLOWED},
    // Methods, once it may ask at all.
    {NULL, "127.0.0.1", "GET", RESET, NULL, NULL, MONITORING_NO_METHOD},
    {NULL, "127.0.0.1", "POST", STATS, NULL, NULL, MONITORING_NO_METHOD},
    {NULL, "127.0.0.1", "POST", RESET "/", NULL, NULL, MONITORING_NO_METHOD},
    {NULL, "127.0.0.1", "DELETE", STATS, NULL, NULL, MONITORING_NO_METHOD},
    {HASH, "192.0.2.1", "POST", STATS, NULL, NULL, MONITORING_NEEDS_TOKEN},
};

// By which name: of the address that a request from here may ask for.
static const struct name_row {
    const char *host;
    bool is_ours;
} names[] = {
    {"", true}, // HTTP/1.0
    {"localhost", true},
    {"localhost:5055", true},
    {"LocalHost:", true},
    {"localhost.:80", true},
    {"shop.localhost:80", true},
    {"a.b.localhost.", true},
    {"127.0.0.1", true},
    {"127.0.0.1:5055", true},
    {"127.255.1.2", true},
    {"[::1]", true},
    {"[::1]:5055", true},
    {"[0:0:0:0:0:0:0:1]", true},
    {"[::ffff:127.0.0.1]:80", true},
    {"evil.example", false},
    {"evil.example:5055", false},
    {"127.0.0.1.evil.example", false},
    {"127.evil.example", false},
    {"localhost.evil.example", false},
    {"evillocalhost", false},
    {"ocalhost", false},
    {".", false},
    {"myhost:5055", false},
    {"127.1", false},
    {"0.0.0.0:5055", false},
    {"192.0.2.1", false},
    {"128.0.0.1", false},
    {"[::]", false},
    {"[::2]:80", false},
    {"[::ffff:192.0.2.1]", false},
    {"a-name-that-is-longer-than-any-address-is-ever-written.example", false},
};

static struct span span_of(const char *text)
{
    return (struct span){text, strlen(text)};
}

START_TEST(verdicts)
{
    const struct row *row = &rows[_i];
    struct field fields[2] = {{SPAN("Host"), SPAN("localhost")}};
    struct monitoring_request request = {.peer = span_of(row->peer),
                                         .host = SPAN("localhost"),
                                         .path = span_of(row->path),
                                         .method = span_of(row->method),
                                         .fields = fields,
                                         .field_count = 1};
    if (row->name != NULL)
        fields[request.field_count++] = (struct field){span_of(row->name), span_of(row->value)};
    ck_assert_int_eq(monitoring_decide(row->hash, &request), row->verdict);
}
END_TEST

START_TEST(what_nginx_passes_on)
{
    struct monitoring_request request = {.peer = SPAN("127.0.0.1"),
                                         .host = SPAN("127.0.0.1:5055"),
                                         .is_http_1_0 = true,
                                         .path = SPAN(STATS),
                                         .method = SPAN("GET")};
    ck_assert_int_eq(monitoring_decide(NULL, &request), MONITORING_FORBIDDEN);
    ck_assert_int_eq(monitoring_decide(HASH, &request), MONITORING_NEEDS_TOKEN);
    request.host.length = 0;
    ck_assert_int_eq(monitoring_decide(NULL, &request), MONITORING_ALLOWED);
}
END_TEST

static enum monitoring_verdict decide(const char *hash, const char *peer, const char *host,
                                      const char *method, const char *path,
                                      const struct field *field)
{
    struct monitoring_request request = {.peer = span_of(peer),
                                         .host = span_of(host),
                                         .path = span_of(path),
                                         .method = span_of(method),
                                         .fields = field,
                                         .field_count = field != NULL};
    return monitoring_decide(hash, &request);
}

START_TEST(only_by_names_of_this_machine)
{
    const struct name_row *row = &names[_i];
    enum monitoring_verdict verdict = row->is_ours ? MONITORING_ALLOWED : MONITORING_MISDIRECTED;
    const char *const peers[] = {"127.0.0.1", "::1"};
    for (size_t i = 0; i < 2; ++i) {
        ck_assert_int_eq(decide(NULL, peers[i], row->host, "GET", STATS, NULL), verdict);
        ck_assert_int_eq(decide(HASH, peers[i], row->host, "HEAD", STATS, NULL), verdict);
        ck_assert_int_eq(decide(NULL, peers[i], row->host, "POST", RESET, NULL), verdict);
    }
}
END_TEST

START_TEST(the_token_fits_every_name)
{
    static const struct field token = {{"authorization", 13}, {"Bearer abc", 10}};
    static const struct field wrong = {{"authorization", 13}, {"Bearer abd", 10}};
    static const struct field origin = {{"origin", 6}, {"http://evil.example", 19}};
    const char *const host = names[_i].host;
    const char *const here = "127.0.0.1", *const elsewhere = "192.0.2.1";
    ck_assert_int_eq(decide(HASH, here, host, "GET", STATS, &token), MONITORING_ALLOWED);
    ck_assert_int_eq(decide(HASH, here, host, "POST", RESET, &token), MONITORING_ALLOWED);
    ck_assert_int_eq(decide(HASH, elsewhere, host, "GET", STATS, &token), MONITORING_ALLOWED);
    // And no name is a token.
    ck_assert_int_eq(decide(HASH, elsewhere, host, "GET", STATS, &wrong), MONITORING_NEEDS_TOKEN);
    ck_assert_int_eq(decide(HASH, here, host, "POST", RESET, NULL), MONITORING_NEEDS_TOKEN);
    ck_assert_int_eq(decide(NULL, elsewhere, host, "GET", STATS, NULL), MONITORING_FORBIDDEN);
    ck_assert_int_eq(decide(NULL, here, host, "POST", RESET, &origin), MONITORING_FORBIDDEN);
}
END_TEST

START_TEST(paths)
{
    ck_assert(monitoring_is_path(SPAN("/api/monitoring")));
    ck_assert(monitoring_is_path(SPAN("/api/monitoring/")));
    ck_assert(monitoring_is_path(SPAN("/api/monitoring/x/y")));
    ck_assert(!monitoring_is_path(SPAN("/api/monitoring2")));
    ck_assert(!monitoring_is_path(SPAN("/api/monitorin")));
    ck_assert(!monitoring_is_path(SPAN("/API/monitoring")));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("monitoring_access");
    TCase *tests = tcase_create("monitoring_access");
    tcase_add_loop_test(tests, verdicts, 0, sizeof rows / sizeof *rows);
    tcase_add_test(tests, what_nginx_passes_on);
    tcase_add_loop_test(tests, only_by_names_of_this_machine, 0, sizeof names / sizeof *names);
    tcase_add_loop_test(tests, the_token_fits_every_name, 0, sizeof names / sizeof *names);
    tcase_add_test(tests, paths);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
