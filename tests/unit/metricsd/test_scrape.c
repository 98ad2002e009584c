// What Prometheus reads while a worker goes on counting: however long the look at the page takes,
// whatever says how many requests there were says the same.
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>

#include "columns_test.h"
#include "common/buf.h"
#include "facts.h"
#include "scrape.h"
#include "windows.h"

enum { ROUTES = 300, STATUSES = 4, SCRAPES = 20 };

static struct state_page state;
static struct windows windows;
static struct facts facts;
static atomic_bool is_over;

static void set_up(void)
{
    columns_test_open();
    facts = (struct facts){.page = test_metrics, .state = &state, .windows = &windows};
    facts.merge = merge_new(test_metrics);
    atomic_store(&is_over, false);
}

static void tear_down(void)
{
    merge_free(facts.merge);
    columns_test_close();
}

static void *count_until_over(void *unused)
{
    static const unsigned statuses[STATUSES] = {200, 304, 404, 502};
    uint32_t random = 1;
    (void)unused;
    while (!atomic_load(&is_over)) {
        char route[16];
        random = random * 1664525 + 1013904223;
        snprintf(route, sizeof route, "route%u", random / 65536 % ROUTES);
        columns_test_count_requests(0, route, METHOD_GET, statuses[random >> 30],
                                    random / 4096 % 20000, 1);
    }
    return NULL;
}

// The sum of the samples that begin so.
static uint64_t sum_of(const char *text, const char *begin)
{
    uint64_t sum = 0;
    for (const char *line = text; *line != '\0'; line = strchr(line, '\n') + 1) {
        size_t length = strcspn(line, "\n"), end = length;
        if (strncmp(line, begin, strlen(begin)) != 0)
            continue;
        while (line[end - 1] != ' ')
            end--;
        sum += strtoull(line + end, NULL, 10);
    }
    return sum;
}

static uint64_t scrape(void)
{
    static const char *const counts[] = {"http_request_duration_seconds_count ",
                                         "http_requests_by_status{", "gwctl_http_requests_total{",
                                         "gwctl_http_request_duration_seconds_count{"};
    struct buf out = BUF_INIT;
    merge_read(facts.merge);
    scrape_write(&facts, 1000, EXPOSITION_TEXT, &out);
    uint64_t total = sum_of(buf_text(&out), "http_requests_total ");
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++)
        ck_assert_msg(sum_of(buf_text(&out), counts[i]) == total, "%s: not %llu", counts[i],
                      (unsigned long long)total);
    buf_free(&out);
    return total;
}

START_TEST(counts_agree_while_a_worker_counts)
{
    pthread_t worker;
    uint64_t last = 0;
    columns_test_writer(0);
    ck_assert_int_eq(pthread_create(&worker, NULL, count_until_over, NULL), 0);
    for (unsigned grown = 0; grown < SCRAPES; sched_yield()) {
        uint64_t total = scrape();
        ck_assert_uint_ge(total, last);
        grown += total > last;
        last = total;
    }
    atomic_store(&is_over, true);
    pthread_join(worker, NULL);
    scrape();
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("scrape");
    TCase *tests = tcase_create("scrape");
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, counts_agree_while_a_worker_counts);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
