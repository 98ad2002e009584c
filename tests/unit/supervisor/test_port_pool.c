// Ports: which ones, in which order, and that taken ones are passed over.

#include <arpa/inet.h>
#include <check.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "port_pool.h"

static const struct port_range nothing = {1, 0};

START_TEST(reads_the_kernels_range)
{
    static const struct {
        const char *text;
        int first, last;
    } cases[] = {{"32768\t60999\n", 32768, 60999},
                 {"1024 65535", 1024, 65535},
                 {"", 1, 0},
                 {"32768", 1, 0},
                 {"x 5", 1, 0},
                 {"1 70000\n", 1, 0},
                 {"-5 100", 1, 0},
                 {"1 2x", 1, 0}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; ++i) {
        struct port_range range = port_range_parse(cases[i].text);
        ck_assert_int_eq(range.first, cases[i].first);
        ck_assert_int_eq(range.last, cases[i].last);
    }
}
END_TEST

START_TEST(gives_each_port_once)
{
    struct port_pool *pool =
        port_pool_new_range((struct port_range){100, 109}, (struct port_range){103, 105});
    int expected[] = {100, 101, 102, 106, 107, 108, 109, -1, -1};
    for (size_t i = 0; i < sizeof expected / sizeof expected[0]; ++i)
        ck_assert_int_eq(port_pool_next(pool), expected[i]);
    port_pool_give(pool, 107);
    port_pool_give(pool, 107);
    port_pool_give(pool, 104); // was never in the pool
    port_pool_give(pool, 99);
    port_pool_give(pool, 110);
    ck_assert_int_eq(port_pool_next(pool), 107);
    ck_assert_int_eq(port_pool_next(pool), -1);
    port_pool_free(pool);
}
END_TEST

START_TEST(a_freed_port_is_the_last_to_come_again)
{
    struct port_pool *pool = port_pool_new_range((struct port_range){1, 4}, nothing);
    for (int round = 0; round < 3; ++round)
        for (int port = 1; port <= 4; ++port) {
            ck_assert_int_eq(port_pool_next(pool), port);
            port_pool_give(pool, port);
        }
    port_pool_free(pool);
}
END_TEST

START_TEST(an_empty_pool_has_none)
{
    struct err err;
    struct port_pool *pool = port_pool_new_range(nothing, nothing);
    ck_assert_int_eq(port_pool_next(pool), -1);
    ck_assert_int_eq(port_pool_take(pool, &err), -1);
    port_pool_free(pool);
    pool = port_pool_new_range((struct port_range){5, 9}, (struct port_range){1, 65535});
    ck_assert_int_eq(port_pool_next(pool), -1);
    port_pool_free(pool);
    port_pool_free(NULL);
}
END_TEST

// A listening socket on a port that the kernel chose.
static int listen_somewhere(int *port)
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    socklen_t size = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    ck_assert_int_eq(bind(fd, (struct sockaddr *)&address, size), 0);
    ck_assert_int_eq(listen(fd, 1), 0);
    ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&address, &size), 0);
    *port = ntohs(address.sin_port);
    return fd;
}

START_TEST(a_port_that_somebody_has_is_passed_over)
{
    struct err err;
    int port;
    int fd = listen_somewhere(&port);
    struct port_pool *pool = port_pool_new_range((struct port_range){port, port}, nothing);

    ck_assert_int_eq(port_pool_take(pool, &err), -1);
    ck_assert_str_ne(err.text, "");
    close(fd);
    ck_assert_int_eq(port_pool_take(pool, &err), port);
    ck_assert_int_eq(port_pool_take(pool, &err), -1);
    port_pool_free(pool);
}
END_TEST

START_TEST(the_pool_of_this_machine)
{
    struct err err;
    struct port_pool *pool = port_pool_new();
    int a = port_pool_take(pool, &err), b = port_pool_take(pool, &err);
    ck_assert_int_ge(a, PORT_POOL_FIRST);
    ck_assert_int_le(a, PORT_POOL_LAST);
    ck_assert_int_gt(b, 0);
    ck_assert_int_ne(a, b);
    port_pool_free(pool);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("port_pool");
    TCase *tests = tcase_create("port_pool");
    tcase_add_test(tests, reads_the_kernels_range);
    tcase_add_test(tests, gives_each_port_once);
    tcase_add_test(tests, a_freed_port_is_the_last_to_come_again);
    tcase_add_test(tests, an_empty_pool_has_none);
    tcase_add_test(tests, a_port_that_somebody_has_is_passed_over);
    tcase_add_test(tests, the_pool_of_this_machine);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failures = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failures == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
