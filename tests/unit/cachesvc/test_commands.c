// Commands that Redis has: what they reply, to the byte, and when keys are gone. (That this is what
// Redis replies is integration/test_cachesvc.py's business.)
#include <stdio.h>

#include "command_test.h"

START_TEST(strings)
{
    static const struct command_case cases[] = {
        {"GET a", "$-1", 0},
        {"SET a hello", "+OK", 0},
        {"get a", "$5\r\nhello", 0},
        {"SET a x NX", "$-1", 0},
        {"SET b x XX", "$-1", 0},
        {"SET a two GET", "$5\r\nhello", 0},
        {"APPEND a !", ":4", 0},
        {"STRLEN a", ":4", 0},
        {"GETSET a three", "$4\r\ntwo!", 0},
        {"MSET a 1 b '' c 3", "+OK", 0},
        {"MGET a b nothing c", "*4\r\n$1\r\n1\r\n$0\r\n\r\n$-1\r\n$1\r\n3", 0},
        {"MSETNX d 1 c 2", ":0", 0},
        {"EXISTS d", ":0", 0},
        {"GETDEL a", "$1\r\n1", 0},
        {"GETDEL a", "$-1", 0},
        {"SETNX a 1", ":1", 0},
        {"SETNX a 2", ":0", 0},
        {"EXISTS a a x", ":2", 0},
        {"DEL a x b", ":2", 0},
        {NULL, NULL, 0},
    };
    check_commands(cases);
}
END_TEST

START_TEST(numbers)
{
    static const struct command_case cases[] = {
        {"INCR n", ":1", 0},
        {"INCRBY n 9223372036854775806", ":9223372036854775807", 0},
        {"INCR n", "-ERR increment or decrement would overflow", 0},
        {"DECRBY n -9223372036854775808", "-ERR decrement would overflow", 0},
        {"SET n -9223372036854775808", "+OK", 0},
        {"DECR n", "-ERR increment or decrement would overflow", 0},
        {"INCRBY n 1.0", "-ERR value is not an integer or out of range", 0},
        {"SET n ' 1'", "+OK", 0},
        {"INCR n", "-ERR value is not an integer or out of range", 0},
        {"INCRBYFLOAT f 10.50", "$4\r\n10.5", 0},
        {"INCRBYFLOAT f -0.5", "$2\r\n10", 0},
        {"INCRBYFLOAT f x", "-ERR value is not a valid float", 0},
        {"INCRBYFLOAT f inf", "-ERR increment would produce NaN or Infinity", 0},
        {NULL, NULL, 0},
    };
    check_commands(cases);
}
END_TEST

START_TEST(expiry)
{
    static const struct command_case cases[] = {
        {"SET a 1 EX 10", "+OK", 0},
        {"PTTL a", ":10000", 0},
        {"TTL a", ":10", 400},
        {"TTL a", ":9", 200},
        {"PEXPIRETIME a", ":1700000010000", 0},
        {"INCR a", ":2", 0},
        {"PTTL a", ":9400", 0},
        {"GET a", "$1\r\n2", 9399},
        {"GET a", "$-1", 1},
        {"TTL a", ":-2", 0},
        {"SET a 1", "+OK", 0},
        {"TTL a", ":-1", 0},
        {"PEXPIRE a 500", ":1", 0},
        {"PERSIST a", ":1", 0},
        {"GET a", "$1\r\n1", 1000},
        {"GETEX a PX 100", "$1\r\n1", 0},
        {"EXISTS a", ":0", 100},
        {"SET a 1 PXAT 1700000020000", "+OK", 0},
        {"EXPIRETIME a", ":1700000020", 0},
        {"SET a 2 KEEPTTL", "+OK", 0},
        {"EXPIRETIME a", ":1700000020", 0},
        {"EXPIREAT a 1700000030 LT", ":0", 0},
        {"EXPIREAT a 1700000030 GT", ":1", 0},
        {"EXPIREAT a 1700000030 NX", ":0", 0},
        {"EXPIREAT a 1600000000 XX", ":1", 0},
        {"EXISTS a", ":0", 0},
        {"SETEX a 0 x", "-ERR invalid expire time in 'setex' command", 0},
        {"SET a 1 PX 9223372036854775807", "-ERR invalid expire time in 'set' command", 0},
        {"EXPIRE a 9223372036854775807", "-ERR invalid expire time in 'expire' command", 0},
        {NULL, NULL, 0},
    };
    check_commands(cases);
}
END_TEST

START_TEST(keys)
{
    static const struct command_case cases[] = {
        {"SET old x PX 1000", "+OK", 0},
        {"RENAME old new", "+OK", 0},
        {"RENAME old new", "-ERR no such key", 0},
        {"PTTL new", ":1000", 0},
        {"RENAMENX new new", ":0", 0},
        {"TYPE new", "+string", 0},
        {"TYPE old", "+none", 0},
        {"KEYS n*", "*1\r\n$3\r\nnew", 0},
        {"KEYS [a-m]*", "*0", 0},
        {"DBSIZE", ":1", 0},
        {"SCAN 0 COUNT 100000 MATCH n?w", "*2\r\n$1\r\n0\r\n*1\r\n$3\r\nnew", 0},
        {"SCAN 0 COUNT 100000 TYPE hash", "*2\r\n$1\r\n0\r\n*0", 0},
        {"SCAN x", "-ERR invalid cursor", 0},
        {"KEYS *", "*0", 1000},
        {"SET a 1", "+OK", 0},
        {"FLUSHALL", "+OK", 0},
        {"DBSIZE", ":0", 0},
        {NULL, NULL, 0},
    };
    check_commands(cases);
}
END_TEST

START_TEST(refusals)
{
    static const struct command_case cases[] = {
        {"FOO", "-ERR unknown command 'FOO', with args beginning with: ", 0},
        {"FOO a 'b c'", "-ERR unknown command 'FOO', with args beginning with: 'a' 'b c' ", 0},
        {"GET", "-ERR wrong number of arguments for 'get' command", 0},
        {"MSET a 1 b", "-ERR wrong number of arguments for 'mset' command", 0},
        {"SET a 1 NX XX", "-ERR syntax error", 0},
        {"CLIENT x", "-ERR unknown subcommand 'x'. Try CLIENT HELP.", 0},
        {"CLIENT", "-ERR wrong number of arguments for 'client' command", 0},
        {"CONFIG SET maxmemory 1",
         "-ERR CONFIG SET failed (possibly related to argument 'maxmemory') - can't set immutable "
         "config",
         0},
        {"HELLO 3", "-NOPROTO unsupported protocol version", 0},
        {"SELECT 1", "-ERR DB index is out of range", 0},
        {NULL, NULL, 0},
    };
    check_commands(cases);
    ck_assert_uint_eq(test_service.errors, 10);
}
END_TEST

START_TEST(what_goes_beyond_a_reply)
{
    ck_assert_str_eq(reply_to("QUIT"), "+OK\r\n");
    ck_assert_int_eq(test_request.after, AFTER_CLOSE);
    ck_assert_str_eq(reply_to("PING"), "+PONG\r\n");
    ck_assert_int_eq(test_request.after, AFTER_NOTHING);
    reply_to("SET a 0123456789012345678901234567890123456789");
    test_service.reply_max = 100;
    reply_to("MGET a a a a a a a a a a a a");
    ck_assert_int_eq(test_request.after, AFTER_BREAK);
    test_service.value_max = 50;
    ck_assert_str_eq(reply_to("APPEND a 01234567890"),
                     "-ERR string exceeds maximum allowed size (proto-max-bulk-len)\r\n");
}
END_TEST

START_TEST(a_list_that_is_too_long)
{
    test_service.reply_max = 100;
    for (int i = 0; i < 50; ++i) {
        char line[32];
        snprintf(line, sizeof line, "SET key:%d x", i);
        reply_to(line);
    }
    ck_assert_str_eq(reply_to("KEYS *"),
                     "-ERR the reply would be larger than 100 bytes, use SCAN\r\n");
}
END_TEST

static const struct command *find(const char *name)
{
    char copy[32];
    struct resp_arg arg = {.bytes = copy, .length = strlen(name)};
    snprintf(copy, sizeof copy, "%s", name);
    return commands_find(&arg);
}

START_TEST(every_command_is_found)
{
    static const char *const others[] = {"", "g", "ge", "gett", "client|id", "cache."};
    for (const struct command *command = commands_table; command->name; ++command) {
        ck_assert_ptr_eq(find(command->name), command);
        ck_assert(command->run || command->subcommands);
        ck_assert(command->summary && command->since && command->group);
    }
    for (size_t i = 0; i < sizeof others / sizeof *others; ++i)
        ck_assert_ptr_null(find(others[i]));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("commands");
    TCase *tests = tcase_create("commands");
    tcase_add_checked_fixture(tests, command_test_set_up, command_test_tear_down);
    tcase_add_test(tests, strings);
    tcase_add_test(tests, numbers);
    tcase_add_test(tests, expiry);
    tcase_add_test(tests, keys);
    tcase_add_test(tests, refusals);
    tcase_add_test(tests, what_goes_beyond_a_reply);
    tcase_add_test(tests, a_list_that_is_too_long);
    tcase_add_test(tests, every_command_is_found);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed > 0;
}
