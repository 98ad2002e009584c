// The epoll_ctl of ours, against the kernel.
#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "epoll_dedupe.h"

static int set, ends[2];

static void setup(void)
{
    epoll_dedupe_init();
    set = epoll_create1(EPOLL_CLOEXEC);
    ck_assert_int_ne(set, -1);
    ck_assert_int_eq(pipe(ends), 0);
}

static void teardown(void)
{
    close(set);
    close(ends[0]);
    close(ends[1]);
}

static int control(int instance, int operation, int fd, uint32_t events)
{
    struct epoll_event event = {.events = events, .data.fd = fd};
    return epoll_ctl(instance, operation, fd, &event);
}

// The events that are there for fd, 0: none.
static uint32_t wait_for(int fd)
{
    struct epoll_event event;
    if (epoll_wait(set, &event, 1, 0) != 1)
        return 0;
    ck_assert_int_eq(event.data.fd, fd);
    return event.events;
}

START_TEST(adding_again_is_no_error)
{
    ck_assert_int_eq(control(set, EPOLL_CTL_ADD, ends[1], EPOLLOUT), 0);
    ck_assert_int_eq(control(set, EPOLL_CTL_ADD, ends[1], EPOLLOUT), 0);
    ck_assert_int_eq(control(set, EPOLL_CTL_MOD, ends[1], EPOLLOUT), 0);
    ck_assert_uint_eq(wait_for(ends[1]), EPOLLOUT);
}
END_TEST

START_TEST(a_change_reaches_the_kernel)
{
    ck_assert_int_eq(control(set, EPOLL_CTL_ADD, ends[1], EPOLLIN), 0);
    ck_assert_uint_eq(wait_for(ends[1]), 0);
    ck_assert_int_eq(control(set, EPOLL_CTL_ADD, ends[1], EPOLLOUT), 0);
    ck_assert_uint_eq(wait_for(ends[1]), EPOLLOUT);
    ck_assert_int_eq(control(set, EPOLL_CTL_MOD, ends[1], EPOLLIN), 0);
    ck_assert_uint_eq(wait_for(ends[1]), 0);
}
END_TEST

START_TEST(a_number_that_is_used_again_starts_unknown)
{
    int number = ends[1];
    ck_assert_int_eq(control(set, EPOLL_CTL_ADD, number, EPOLLOUT), 0);
    ck_assert_int_eq(control(set, EPOLL_CTL_DEL, number, 0), 0);
    ck_assert_uint_eq(wait_for(number), 0);
    int other = dup(number);
    close(number);
    ck_assert_int_eq(dup2(other, number), number);
    close(other);
    ck_assert_int_eq(control(set, EPOLL_CTL_ADD, number, EPOLLOUT), 0);
    ck_assert_uint_eq(wait_for(number), EPOLLOUT);
}
END_TEST

START_TEST(a_failed_call_is_not_remembered)
{
    ck_assert_int_eq(control(set, EPOLL_CTL_MOD, ends[1], EPOLLOUT), -1);
    ck_assert_int_eq(errno, ENOENT);
    ck_assert_int_eq(control(set, EPOLL_CTL_ADD, ends[1], EPOLLOUT), 0);
    ck_assert_uint_eq(wait_for(ends[1]), EPOLLOUT);
}
END_TEST

START_TEST(another_instance_is_the_kernels)
{
    int other = epoll_create1(EPOLL_CLOEXEC);
    ck_assert_int_eq(control(set, EPOLL_CTL_ADD, ends[1], EPOLLOUT), 0);
    ck_assert_int_eq(control(other, EPOLL_CTL_ADD, ends[1], EPOLLOUT), 0);
    ck_assert_int_eq(control(other, EPOLL_CTL_ADD, ends[1], EPOLLOUT), -1);
    ck_assert_int_eq(errno, EEXIST);
    close(other);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("epoll_dedupe");
    TCase *tests = tcase_create("epoll_dedupe");
    tcase_add_test(tests, adding_again_is_no_error);
    tcase_add_test(tests, a_change_reaches_the_kernel);
    tcase_add_test(tests, a_number_that_is_used_again_starts_unknown);
    tcase_add_test(tests, a_failed_call_is_not_remembered);
    tcase_add_test(tests, another_instance_is_the_kernels);
    tcase_add_checked_fixture(tests, setup, teardown);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
