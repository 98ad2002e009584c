// Addresses at the limits of their fields, and the sentences (which forms there are:
// test_gateway_config.c).
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "common/gateway_config.h"
#include "common/mem.h"

static const struct listen_row {
    const char *address;
    size_t host_size;
    const char *host;     // NULL: refused ...
    const char *sentence; // ... with this
} listens[] = {
    {"*:1", 2, "", NULL},
    {"1.2.3.4:1", 8, "1.2.3.4", NULL},
    {"1.2.3.4:1", 7, NULL, "\"1.2.3.4:1\" is not HOST:PORT"},
    {"[::1]:1", 4, "::1", NULL},
    {"[::1]:1", 3, NULL, "\"[::1]:1\" is not HOST:PORT"},
    {"localhost:1", 10, "127.0.0.1", NULL},
    {"localhost:1", 9, NULL, "\"localhost:1\" is not HOST:PORT"},
    {"[::1", 64, NULL, "\"[::1\" lacks a \"]\""},
    {"[::1]", 64, NULL, "\"[::1]\" lacks a port"},
    {"[::1]1", 64, NULL, "\"[::1]1\" is not HOST:PORT"},
    {"[]:1", 64, NULL, "\"[]:1\" is not HOST:PORT"},
    {"[localhost]:1", 64, NULL, "\"localhost\" is not an IP address"},
    {"[::1%lo]:1", 64, NULL, "\"::1%lo\" is not an IP address"},
    {"1.2.3:1", 64, NULL, "\"1.2.3\" is not an IP address"},
    {"1.2.3.256:1", 64, NULL, "\"1.2.3.256\" is not an IP address"},
    {"LOCALHOST:1", 64, NULL, "\"LOCALHOST\" is not an IP address"},
    {"1.2.3.4:+1", 64, NULL, "\"+1\" is not a port (1 to 65535)"},
    {"1.2.3.4: 1", 64, NULL, "\" 1\" is not a port (1 to 65535)"},
    {"1.2.3.4:000001", 64, NULL, "\"000001\" is not a port (1 to 65535)"},
    {"1.2.3.4:99999999999999999999", 64, NULL,
     "\"99999999999999999999\" is not a port (1 to 65535)"},
};

START_TEST(listen_addresses)
{
    const struct listen_row *row = &listens[_i];
    char *host = mem_alloc(row->host_size); // exactly: a byte more is an error of its own
    int port = 0;
    struct err err = {""};
    int result = listen_address_parse(row->address, host, row->host_size, &port, &err);
    ck_assert_msg(result == (row->host ? 0 : -1), "%s", row->address);
    if (row->host)
        ck_assert_str_eq(host, row->host);
    else
        ck_assert_str_eq(err.text, row->sentence);
    free(host);
}
END_TEST

static const struct server_row {
    const char *text, *host; // NULL: refused ...
    int port;
    const char *sentence; // ... with this
} servers[] = {
    {"http://[::1]:8080", "::1", 8080, NULL},
    {"http://[1:2:3:4:5:6:7:8]", "1:2:3:4:5:6:7:8", 80, NULL},
    {"http://1.2.3.4:65535", "1.2.3.4", 65535, NULL},
    {"http://::1", NULL, 0, "\"::1\" is not HOST:PORT"},
    {"HTTP://1.2.3.4", NULL, 0, "\"HTTP://1.2.3.4\" is neither http://HOST:PORT nor unix:/PATH"},
    {"http://[localhost]:1", NULL, 0, "\"localhost\" is neither an IP address nor localhost"},
    {"http://1.2.3.4:", NULL, 0, "\"\" is not a port (1 to 65535)"},
    {"http://[::1]/", NULL, 0, "\"[::1]/\" is not HOST:PORT"},
    {"http://a@1.2.3.4", NULL, 0, "\"a@1.2.3.4\" is neither an IP address nor localhost"},
    {"", NULL, 0, "\"\" is neither http://HOST:PORT nor unix:/PATH"},
};

START_TEST(server_addresses)
{
    const struct server_row *row = &servers[_i];
    struct server_address address;
    struct err err = {""};
    int result = server_address_parse(row->text, &address, &err);
    ck_assert_msg(result == (row->host ? 0 : -1), "%s", row->text);
    if (row->host) {
        ck_assert_str_eq(address.host, row->host);
        ck_assert_str_eq(address.path, "");
        ck_assert_int_eq(address.port, row->port);
    } else {
        ck_assert_str_eq(err.text, row->sentence);
    }
}
END_TEST

START_TEST(the_longest_path_of_a_socket)
{
    struct server_address address;
    char text[sizeof "unix:" + sizeof address.path] = "unix:/";
    char *path = text + strlen("unix:");
    struct err err = {""};
    memset(path + 1, 'x', sizeof address.path - 2);
    ck_assert_int_eq(server_address_parse(text, &address, &err), 0);
    ck_assert_str_eq(address.path, path);
    ck_assert_str_eq(address.host, "");
    path[sizeof address.path - 1] = 'x';
    ck_assert_int_eq(server_address_parse(text, &address, &err), -1);
    ck_assert_ptr_nonnull(strstr(err.text, "\" is not an absolute path of at most 107 bytes"));
}
END_TEST

START_TEST(the_longest_host_of_a_server)
{
    struct server_address address;
    char text[sizeof "http://" + sizeof address.host] = "http://";
    struct err err = {""};
    memset(text + strlen(text), '1', sizeof address.host);
    ck_assert_int_eq(server_address_parse(text, &address, &err), -1);
    ck_assert_ptr_nonnull(strstr(err.text, "\" is not HOST:PORT"));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("gateway_address");
    TCase *tests = tcase_create("gateway_address");
    tcase_add_loop_test(tests, listen_addresses, 0, (int)(sizeof(listens) / sizeof(listens[0])));
    tcase_add_loop_test(tests, server_addresses, 0, (int)(sizeof(servers) / sizeof(servers[0])));
    tcase_add_test(tests, the_longest_path_of_a_socket);
    tcase_add_test(tests, the_longest_host_of_a_server);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
