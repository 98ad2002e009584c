// Which gateway is asked, by its URL and by what a list shows of it.

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "warm_target.h"

static const struct row {
    const char *text;
    const char *base; // NULL: refused
} urls[] = {
    {"http://127.0.0.1:5055", "http://127.0.0.1:5055"},
    {"http://host", "http://host:80"},
    {"http://host:8080/", "http://host:8080"},
    {"http://[::1]:80/", "http://[::1]:80"},
    {"", NULL},
    {"host:80", NULL},
    {"http://", NULL},
    {"https://host", NULL},
    {"http://host/path", NULL},
    {"http://host/?query", NULL},
    {"http://user@host", NULL},
    {"http://host:99999", NULL},
    {"http://ho st", NULL},
};

static const struct row listeners[] = {
    {"127.0.0.1:5055", "http://127.0.0.1:5055"},
    {"127.0.0.1:5055 +2", "http://127.0.0.1:5055"},
    {"0.0.0.0:80", "http://127.0.0.1:80"},
    {"*:80", "http://127.0.0.1:80"},
    {"[::]:81", "http://[::1]:81"},
    {"[fe80::1]:81 +1", "http://[fe80::1]:81"},
    {"localhost:81", "http://127.0.0.1:81"},
    {"", NULL},
    {"cache.sock", NULL},
};

typedef int make(const char *text, struct warm_target *target, struct err *err);

static void check_row(make *make_target, const struct row *row)
{
    struct warm_target target;
    struct err err = {""};
    int result = make_target(row->text, &target, &err);
    ck_assert_msg(result == (row->base ? 0 : -1), "%s: %d", row->text, result);
    if (!row->base) {
        ck_assert_str_ne(err.text, "");
        return;
    }
    ck_assert_str_eq(target.base, row->base);
    ck_assert_int_eq(strncmp(target.connect_to, "::", 2), 0);
    ck_assert_str_eq(target.connect_to + 2, row->base + strlen("http://"));
}

START_TEST(from_urls)
{
    check_row(warm_target_from_url, &urls[_i]);
}
END_TEST

START_TEST(from_listeners)
{
    check_row(warm_target_from_listener, &listeners[_i]);
}
END_TEST

START_TEST(a_host_without_end)
{
    struct warm_target target;
    struct err err = {""};
    char url[1000] = "http://";
    memset(url + strlen(url), 'a', sizeof url - strlen("http://") - 1);
    ck_assert_int_eq(warm_target_from_url(url, &target, &err), -1);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("warm_target");
    TCase *tests = tcase_create("warm_target");
    tcase_add_loop_test(tests, from_urls, 0, (int)(sizeof urls / sizeof *urls));
    tcase_add_loop_test(tests, from_listeners, 0, (int)(sizeof listeners / sizeof *listeners));
    tcase_add_test(tests, a_host_without_end);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
