// For tests of cachesvc's commands: a store, a clock that stands still, and command lines in, reply
// bytes out.
#ifndef GW_TESTS_COMMAND_TEST_H
#define GW_TESTS_COMMAND_TEST_H

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "commands.h"
#include "resp.h"

enum { COMMAND_TEST_MEMORY = 4 << 20 };

static void *test_memory;
static struct service test_service;
static struct session test_session;
static uint64_t test_now_ms;
static struct buf test_out;
static struct request test_request; // the last one

static inline void command_test_set_up(void)
{
    struct err err;
    test_now_ms = UINT64_C(1700000000000);
    test_memory =
        mmap(NULL, COMMAND_TEST_MEMORY, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    test_service =
        (struct service){.store = store_open(test_memory, COMMAND_TEST_MEMORY, test_now_ms, &err),
                         .value_max = 1 << 20,
                         .reply_max = 1 << 20,
                         .started_ms = test_now_ms};
    ck_assert_msg(test_service.store != NULL, "%s", err.text);
    session_open(&test_session, &test_service.sessions, 7, test_now_ms);
}

static inline void command_test_tear_down(void)
{
    ck_assert(store_is_sound(test_service.store));
    session_close(&test_session, &test_service.sessions);
    store_close(test_service.store);
    buf_free(&test_service.scratch);
    buf_free(&test_out);
    munmap(test_memory, COMMAND_TEST_MEMORY);
}

static inline void finish_job(void)
{
    while (job_step(test_request.job, test_service.store, test_now_ms))
        ;
    job_reply(test_request.job, &test_out);
    job_free(test_request.job);
}

// Runs a command as a person types it. The reply is valid until the next one.
static inline const char *reply_to(const char *line)
{
    struct resp_parser parser;
    struct buf input = BUF_INIT;
    resp_init(&parser);
    buf_append_text(&input, line);
    buf_append(&input, "\n", 1);
    ck_assert_int_eq(resp_parse(&parser, input.data, input.length), RESP_COMMAND);
    buf_consume(&test_out, test_out.length);
    test_request = (struct request){.service = &test_service,
                                    .store = test_service.store,
                                    .session = &test_session,
                                    .args = parser.args,
                                    .count = parser.arg_count,
                                    .now_ms = test_now_ms,
                                    .out = &test_out};
    commands_run(&test_request);
    if (test_request.after == AFTER_JOB)
        finish_job();
    resp_fini(&parser);
    buf_free(&input);
    return buf_text(&test_out);
}

struct command_case {
    const char *line, *reply; // the reply without the last line end
    uint64_t later_ms;        // goes by before it
};

// Up to a case without a line.
static inline void check_commands(const struct command_case *cases)
{
    for (; cases->line; ++cases) {
        char expected[512];
        test_now_ms += cases->later_ms;
        snprintf(expected, sizeof expected, "%s\r\n", cases->reply);
        ck_assert_msg(strcmp(reply_to(cases->line), expected) == 0, "%s: %s", cases->line,
                      test_out.data);
    }
}

#endif
